"""A command that runs with a private server of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence

from helpers.demo.private_server import private_server
from helpers.demo.run import ENDING_SIGNALS, exit_on_signal


def run_with_server(command: Sequence[str]) -> int:
    """Run ``command`` with variables that point the project's scripts at a private server.

    Return its exit status; if a signal has ended it, 128 and the signal. The server ends with it.
    If a signal ends this process, the command ends first.
    Raises PrivateServerError.
    """
    for number in ENDING_SIGNALS:
        signal.signal(number, exit_on_signal)
    with private_server() as server:
        process = subprocess.Popen(command, env={**os.environ, **server.environment()})
        try:
            status = process.wait()
        except SystemExit:
            process.terminate()
            process.wait()
            raise
    return status if status >= 0 else 128 - status
