"""Commands after a backup, and what makes it run every night."""

from __future__ import annotations

import os
import signal

from support.databases import Database
from support.fakes import fake
from support.run import BACKUP, Checkout
from support.running import ended, waiting_run

REPORT = 'echo "$BACKUP_STATUS|$BACKUP_FILE|$BACKUP_BYTES|$BACKUP_ERROR" >>"$HOME/{}"'
HOOKS = {f"BACKUP_ON_{end}": REPORT.format(end) for end in ("SUCCESS", "FAILURE")}


def reported(checkout: Checkout, end: str) -> list[str]:
    path = checkout.home / end
    return path.read_text().splitlines() if path.exists() else []


def test_hook_gets_the_outcome(direct: Database) -> None:
    checkout = direct.checkout
    path = checkout.default_backup
    assert direct.backup(path, **HOOKS).status == 0
    assert reported(checkout, "SUCCESS") == [f"0|{path}|{path.stat().st_size}|"]
    run = direct.backup(path, **HOOKS, TB_POSTGRES_DATABASE="absent")
    assert run.status == 1 and len(run.errors) == 1, run
    message = run.errors[0].removeprefix("error: ")
    assert reported(checkout, "FAILURE") == [f"1|{path}|{path.stat().st_size}|{message}"]
    assert len(reported(checkout, "SUCCESS")) == 1


def test_hook_runs_after_a_signal(direct: Database) -> None:
    run = waiting_run(direct.checkout, BACKUP, program="pg_dump", arguments="*--snapshot*", **HOOKS)
    with run as (process, go_on):
        os.kill(process.pid, signal.SIGTERM)
        go_on.touch()
        assert ended(process).status == 143
    assert reported(direct.checkout, "FAILURE")[0].endswith("|0|ended by signal 15")
    assert direct.checkout.left_behind() == []


def test_hook_runs_when_a_run_cannot_even_begin(checkout: Checkout) -> None:
    run = checkout.run(BACKUP, TMPDIR="/nowhere", **HOOKS)
    assert run.status == 1 and len(run.errors) == 1, run
    message = run.errors[0].removeprefix("error: ")
    assert reported(checkout, "FAILURE") == [f"1|./assets/assets.dump.gz|0|{message}"]
    assert reported(checkout, "SUCCESS") == []


def test_failed_hook_makes_a_backup_incomplete(direct: Database) -> None:
    for hook in ("exit 7", "no-such-program", "kill -9 $$"):
        run = direct.backup(BACKUP_ON_SUCCESS=hook)
        assert run.status == 3 and f"warning: BACKUP_ON_SUCCESS failed: {hook}" in run.err, run
    run = direct.backup(TB_POSTGRES_DATABASE="absent", BACKUP_ON_FAILURE="exit 7")
    assert run.status == 1 and "warning: BACKUP_ON_FAILURE failed: exit 7" in run.err, run


def test_hook_that_hangs_is_ended(direct: Database) -> None:
    hasty = fake(direct.checkout, timeout='shift; exec "$REAL" 1 "$@"')
    run = direct.backup(BACKUP_ON_SUCCESS="sleep 1000", **hasty)
    assert run.status == 3 and "BACKUP_ON_SUCCESS failed" in run.err, run
