"""The pipe between two functions of a script: an end that never opens is no reason to wait for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.ground import Run

PROJECT = Path(__file__).parent.parent
SCRIPT = """
set -eu
root=$1
. "$root/scripts/lib/use.sh"
writes() { echo content; }
reads() { cat >"$TMPDIR/read"; }
begin
flow writes reads
echo "$produced $consumed"
"""


def run_snippet(folder: Path, shell: str, mkfifo: str) -> Run:
    """Run SCRIPT as a user whom file modes bind, with this program as mkfifo."""
    folder.chmod(0o777)
    shutil.copytree(PROJECT / "scripts", folder / "scripts")
    (folder / "mkfifo").write_text(f"#!/bin/sh\n{mkfifo}\n")
    (folder / "mkfifo").chmod(0o755)
    user = ["setpriv", "--reuid=nobody", "--clear-groups"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*user, *shell.split(), "-c", SCRIPT, "sh", str(folder)],
        env={"PATH": f"{folder}:{os.environ['PATH']}", "TMPDIR": str(folder)},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=20,
    )
    return Run(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A directory that every user can reach; pytest's own are closed."""
    folder = Path(f"/tmp/tumblebug-assets-test-{os.getpid()}")
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("shell", ["dash", "busybox sh", "bash"])
def test_pipe_carries_content_and_both_statuses(open_folder: Path, shell: str) -> None:
    run = run_snippet(open_folder, shell, 'exec /usr/bin/mkfifo "$@"')
    assert (run.status, run.out) == (0, "0 0\n"), run
    assert (open_folder / "read").read_text() == "content\n"


@pytest.mark.parametrize("mode", ["400", "200", "000"])
@pytest.mark.parametrize("shell", ["dash", "busybox sh", "bash"])
def test_pipe_end_that_cannot_be_opened_ends_the_run(
    open_folder: Path, shell: str, mode: str
) -> None:
    run = run_snippet(open_folder, shell, f'exec /usr/bin/mkfifo -m {mode} "$@"')
    assert run.status == 1, run
    assert len([line for line in run.err.splitlines() if line.startswith("error: ")]) == 1, run
    assert run.out == ""
