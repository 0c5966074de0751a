"""The pipe between two functions of a script: no run waits for an end that never opens."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.fakes import write_fakes
from support.run import Run, run_as_nobody

SCRIPT = """
set -eu
root=$1
. "$root/scripts/lib/use.sh"
writes() { echo content; }
reads() { cat >"$TMPDIR/read"; }
begin
pipe writes reads
echo "$writer_status $reader_status" >&3
"""


def run_snippet(directory: Path, shell: str, mkfifo: str) -> Run:
    """Run SCRIPT as a user whom file modes bind, with this program as mkfifo."""
    path = write_fakes(directory, os.environ["PATH"], mkfifo=mkfifo)
    command = [*shell.split(), "-c", SCRIPT, "sh", str(directory)]
    return run_as_nobody(command, {"PATH": path, "TMPDIR": str(directory)})


@pytest.mark.parametrize("shell", ["dash", "busybox sh", "bash"])
def test_pipe_carries_content_and_both_statuses(open_directory: Path, shell: str) -> None:
    run = run_snippet(open_directory, shell, 'exec "$REAL" "$@"')
    assert (run.status, run.out) == (0, "0 0\n"), run
    assert (open_directory / "read").read_text() == "content\n"


@pytest.mark.parametrize("mode", ["400", "200", "000"])
@pytest.mark.parametrize("shell", ["dash", "busybox sh", "bash"])
def test_pipe_end_that_could_not_be_opened_ends_the_run(
    open_directory: Path, shell: str, mode: str
) -> None:
    run = run_snippet(open_directory, shell, f'exec "$REAL" -m {mode} "$@"')
    assert run.status == 1, run
    assert len(run.errors) == 1, run
    assert run.out == ""
