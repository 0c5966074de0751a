"""A command that runs with a private server of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from helpers.demo.child import exit_on_signals, wait_for
from helpers.demo.private_server import private_server


def run_with_server(command: Sequence[str]) -> int:
    """Run ``command`` with variables that point the project's scripts at a private server.

    Return its exit status; if a signal has ended it, 128 and the signal. The server ends with it.
    If a signal ends this process, the command ends first.
    Raises PrivateServerError.
    """
    exit_on_signals()
    with private_server() as server:
        status = wait_for(subprocess.Popen(command, env=server.whole_environment()))
    return status if status >= 0 else 128 - status
