"""Waiting for what a run does."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable


def until(happened: Callable[[], object], seconds: float = 30) -> None:
    """Return when ``happened`` returns something true; fail the test after so many seconds."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def until_line(process: subprocess.Popen, start: str) -> None:
    """Return when a run writes a line to stderr that starts so; fail the test if it ends before."""
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith(start):
            return
    raise AssertionError(f"it never said '{start}': {''.join(said)}")
