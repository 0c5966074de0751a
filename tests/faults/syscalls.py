"""Faults of system calls: strace makes a chosen call on a chosen file fail, in a real program.

strace counts calls per process, and a run of a script has hundreds of processes. Its path filter
(-P) chooses the file instead. A fake mktemp gives the run's private directory, and so its partial
files, a name that is known before the run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.fakes import fake
from support.run import Checkout, Run
from support.running import ended, kill
from support.sampling import ALL

WITH_STRACE = [  # for modules of tests
    pytest.mark.xdist_group("faults-syscalls"),
    pytest.mark.timeout(3600 if ALL else 120),
    pytest.mark.skipif(not shutil.which("strace"), reason="there is no strace"),
]
RUN_NAME = f"{os.uname().nodename}.99999999-1.faults"
FIXED_NAME = f"""case "$*" in *tumblebug-assets.*) ;; *) exec "$REAL" "$@" ;; esac
directory="$TMPDIR/tumblebug-assets.{RUN_NAME}"
mkdir -m 700 "$directory" && echo "$directory\""""

NO_SPACE = (
    "openat",
    "write",
    "writev",
    "pwrite64",
    "copy_file_range",
    "mkdir",
    "mkdirat",
    "mknodat",
)
NO_DISK = ("fsync", "fdatasync", "rename", "renameat", "renameat2", "linkat", "unlink", "unlinkat")
ERRORS = dict.fromkeys(NO_SPACE, "ENOSPC") | dict.fromkeys((*NO_DISK, "rmdir"), "EIO")
CALL = re.compile(r"([\d.]+) (\w+)\((.*)\) += (-?\d+)(?:<.*>)?(?: .*)?")
PATHS = re.compile(r'(AT_FDCWD)?<((?:[^>\\]|\\.)*)>|"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Call:
    """A system call of a traced run that succeeded.

    ``paths`` are the files; ``matched`` are the paths by which strace finds the call: as the call
    names the file, or the directory that the call has open for it.
    """

    time: float
    process: str
    name: str
    arguments: str
    result: int
    paths: tuple[str, ...]
    matched: tuple[str, ...]

    @property
    def writes(self) -> bool:
        return self.name != "openat" or any(
            flag in self.arguments for flag in ("O_WRONLY", "O_RDWR", "O_CREAT")
        )


@dataclass(frozen=True)
class Fault:
    """Calls of one name on these files fail: the one of this number in each process, or from it."""

    name: str
    paths: tuple[str, ...]
    when: str
    is_reported = True

    def __str__(self) -> str:
        names = ", ".join(path.rpartition("/")[2] for path in self.paths[:3])
        return f"{self.name}({names}{', …' * (len(self.paths) > 3)}) {self.when}"

    def run(self, checkout: Checkout, *command: str | Path, **environment: str) -> Run:
        """Run a command with this fault, and return how it ended."""
        process = checkout.start(
            *strace("-o", "/dev/null", "-e", f"trace={self.name}"),
            *(word for path in self.paths for word in ("-P", path)),
            *("-e", f"inject={self.name}:error={ERRORS[self.name]}:when={self.when}", *command),
            **{**environment, **fake(checkout, mktemp=FIXED_NAME)},
        )
        try:
            return ended(process, seconds=60)
        except subprocess.TimeoutExpired:
            kill(process)
            raise


def strace(*options: str) -> list[str]:
    return ["strace", "-f", "-qq", "--seccomp-bpf", *options]


def unescaped(text: str) -> str:
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape")


def parsed(process: str, line: str) -> Call | None:
    match = CALL.fullmatch(line)
    if not match or int(match[4]) < 0:
        return None
    descriptor, is_current, paths, matched = "/", False, [], []
    for current, opened, named in PATHS.findall(match[3]):
        if named:
            path = unescaped(named)
            paths.append(str(Path(descriptor) / path))
            matched.append(path if is_current or path.startswith("/") else descriptor)
        elif opened:
            descriptor, is_current = unescaped(opened), bool(current)
    if not paths:
        paths = matched = [descriptor]
    return Call(
        float(match[1]), process, match[2], match[3], int(match[4]), tuple(paths), tuple(matched)
    )


def traced(checkout: Checkout, *command: str | Path, **environment: str) -> tuple[Run, list[Call]]:
    """Run a command, and return how it ended and the calls that changed files, in their order."""
    directory = Path(tempfile.mkdtemp(prefix="trace.", dir=checkout.home))
    run = checkout.run(
        *strace("-ttt", "-y", "-s", "0", "-ff", "-e", f"trace={','.join(ERRORS)}"),
        *("-o", directory / "of", *command),
        **{**environment, **fake(checkout, mktemp=FIXED_NAME)},
    )
    calls = [
        parsed(log.suffix, line)
        for log in directory.iterdir()
        for line in log.read_text().splitlines()
    ]
    return run, sorted(filter(None, calls), key=lambda call: call.time)


def faults_of(calls: list[Call], *directories: Path) -> list[Fault]:
    """Return the faults of a run's calls on files in these directories.

    One for each call on each file; of many calls by one process the first two and the last. Then
    one for all calls of a name in a directory. No write to a named pipe: no disk is behind it.
    """
    pipes = {path for call in calls if call.name == "mknodat" for path in call.paths}
    numbers: Counter = Counter()
    single = defaultdict(list)
    together = defaultdict(dict)
    for call in calls:
        for path, file in dict(zip(call.matched, call.paths, strict=True)).items():
            inside = [each for each in directories if Path(file).is_relative_to(each)]
            numbers[call.process, call.name, path] += 1
            if inside and call.writes and not (call.name == "write" and file in pipes):
                number = numbers[call.process, call.name, path]
                single[call.process, call.name, path].append(number)
                together[call.name, inside[0]][path] = None
    faults = {
        Fault(name, (path,), str(number)): None
        for (_, name, path), counted in single.items()
        for number in sorted({*counted[:2], counted[-1]})
    }
    persistent = [Fault(name, tuple(paths), "1+") for (name, _), paths in together.items()]
    return [*faults, *persistent]
