"""Fake programs: shell scripts that make a real program fail, or wait, at a chosen moment."""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from fnmatch import fnmatch
from pathlib import Path

from support.run import Checkout

# timeout: 1 s instead of 30 s, and 1 s more until KILL
HASTY = 'option=$1; shift 3; exec "$REAL" "$option" 1 1 "$@"'


def fake(checkout: Checkout, **programs: str) -> dict[str, str]:
    """Return an environment in which these programs are fakes.

    Each value is a shell script, in which "$REAL" is the path of the real program.
    PostgreSQL's client programs of the checkout's PG_BINDIR can be faked like any others.
    """
    directories = [checkout.environment.get("PG_BINDIR", ""), checkout.environment["PATH"]]
    search = ":".join(filter(None, directories))
    directory = Path(tempfile.mkdtemp(prefix="fakes.", dir=checkout.home))
    return {"PATH": write_fakes(directory, search, **programs), "PG_BINDIR": ""}


def write_fakes(directory: Path, search: str, **programs: str) -> str:
    """Write fake programs into a directory; return a PATH: the directory, then ``search``."""
    for name, text in programs.items():
        real = shutil.which(name, path=search) or ""
        script = directory / name
        script.write_text(f"#!/bin/sh\nREAL={shlex.quote(real)}\n{text}\n")
        script.chmod(0o755)
    return f"{directory}:{search}"


def count_calls(directory: Path) -> str:
    """Return shell code for a fake that sets ``number`` to the number of its call, from 1.

    The directory gets an entry for each call. Calls at the same time get different numbers.
    """
    directory.mkdir(exist_ok=True)
    entry = f'{shlex.quote(str(directory))}/"$number"'
    return f"""number=1
until /usr/bin/mkdir {entry} 2>/dev/null; do number=$((number + 1)); done"""


def path_without(checkout: Checkout, *missing: str) -> str:
    """Return the checkout's PATH without the missing programs, each a name or a pattern."""
    directory = Path(tempfile.mkdtemp(prefix="programs.", dir=checkout.home))
    for each in reversed(checkout.environment["PATH"].split(":")):
        for program in Path(each).iterdir() if Path(each).is_dir() else []:
            is_missing = any(fnmatch(program.name, pattern) for pattern in missing)
            if not is_missing and os.access(program, os.X_OK):
                (directory / program.name).unlink(missing_ok=True)
                (directory / program.name).symlink_to(program)
    return str(directory)


def without_python(checkout: Checkout) -> dict[str, str]:
    """Remove the checkout's .venv and return an environment in which python3 does not run."""
    checkout.remove_venv()
    return fake(checkout, python3="exit 127")
