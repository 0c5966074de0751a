"""Programs that misbehave: fakes of the programs that a run calls."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from support.fakes import count_calls, fake
from support.run import Checkout, Run
from support.running import ended, kill
from support.waiting import until

from faults.syscalls import strace

MISBEHAVIOUR = {
    "fails": 'echo "injected fault" >&2; exit 1',
    "does nothing": "exit 0",
    "cuts its output": 'exec /bin/bash -c \'/usr/bin/head -c 10 < <(exec "$@")\' \'\' "$REAL" "$@"',
    "hangs": "/usr/bin/touch '{calls}/hangs'; exec /usr/bin/sleep 600",
}
SHIM = """{count_calls}
case {calls_that_do} in *" $number "* | all) {misbehaviour} ;; esac
exec "$REAL" "$@"
"""
TOO_EARLY = ("readlink", "dirname")
EXECUTED = re.compile(r'execve\("([^"]+)", .* = 0$', re.MULTILINE)


@dataclass(frozen=True)
class Misbehaviour:
    """A program that misbehaves in its call of this number, or in each (0)."""

    program: str
    kind: str
    number: int

    @property
    def is_reported(self) -> bool:
        return self.kind in ("fails", "hangs")

    def __str__(self) -> str:
        return f"{self.program} {self.kind}, call {self.number or 'all'}"

    def run(self, checkout: Checkout, *command: str | Path, **environment: str) -> Run:
        """Run a command with this program; a run that waits for it is ended by a signal."""
        calls = Path(tempfile.mkdtemp(prefix="calls.", dir=checkout.home))
        script = SHIM.format(
            count_calls=count_calls(calls),
            calls_that_do=f'" {self.number} "' if self.number else "all",
            misbehaviour=MISBEHAVIOUR[self.kind].format(calls=calls),
        )
        process = checkout.start(
            *command, **{**environment, **fake(checkout, **{self.program: script})}
        )
        try:
            if self.kind == "hangs":
                until(lambda: (calls / "hangs").exists() or process.poll() is not None)
                os.killpg(process.pid, signal.SIGTERM)
            return ended(process, seconds=60)
        except subprocess.TimeoutExpired:
            kill(process)
            raise


def misbehaviours(
    checkout: Checkout, *command: str | Path, **environment: str
) -> list[Misbehaviour]:
    """Run a command; return what each program that it calls can do.

    In its first two calls, in the middle one, in the last one, and, unless it hangs, in all. rm
    does not hang: most of its calls are in the clean-up, in which a run ignores signals.
    """
    log = Path(tempfile.mkdtemp(prefix="trace.", dir=checkout.home)) / "log"
    run = checkout.run(*strace("-e", "trace=execve", "-o", log, *command), **environment)
    assert run.status == 0, run
    names = [path.rpartition("/")[2] for path in EXECUTED.findall(log.read_text())]
    return [
        Misbehaviour(name, kind, number)
        for name, count in Counter(names).items()
        if name not in TOO_EARLY and not name.endswith(".sh")
        for kind in MISBEHAVIOUR
        for number in sorted({0, 1, min(2, count), (count + 1) // 2, count})
        if kind != "hangs" or (number and name != "rm")
    ]
