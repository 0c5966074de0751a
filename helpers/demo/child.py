"""Child processes that end with this one."""

from __future__ import annotations

import signal
import subprocess
from typing import NoReturn

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def exit_on_signals() -> None:
    """Turn each signal that ends a process into SystemExit, so that the clean-up runs."""
    for number in ENDING_SIGNALS:
        signal.signal(number, exit_on_signal)


def exit_on_signal(number: int, frame: object) -> NoReturn:
    """Raise SystemExit, and ignore further signals while cleaning up.

    If another one has already arrived, Python prints a traceback where its handler is SIG_IGN.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
    for each in ENDING_SIGNALS:
        signal.signal(each, lambda *_: None)
    raise SystemExit(128 + number)


def wait_for(process: subprocess.Popen) -> int:
    """Wait for a child and return its exit status.

    If a signal ends this process, the child ends first. Raises SystemExit or KeyboardInterrupt.
    """
    try:
        return process.wait()
    except (SystemExit, KeyboardInterrupt):
        process.terminate()
        process.wait()
        raise
