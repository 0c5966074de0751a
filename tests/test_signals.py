"""A run that gets a signal ends everything it started, and changes nothing."""

from __future__ import annotations

import signal

import pytest
from support.databases import Database, make_big
from support.run import BACKUP, RESTORE
from support.running import loads, sessions, start_restore
from support.sampling import only_with_all, sampled
from support.waiting import until

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGQUIT: 131}


@pytest.fixture(
    params=sampled([*(("direct", number) for number in SIGNALS), ("docker", signal.SIGTERM)], 1),
    ids=lambda param: f"{param[0]}-{param[1].name}",
)
def database_and_signal(request: pytest.FixtureRequest) -> tuple[Database, signal.Signals]:
    """Each signal on the private server, and one of them in the container."""
    backend, number = request.param
    return request.getfixturevalue(backend), number


def test_signal_ends_a_restore_and_all_that_it_started(
    database_and_signal: tuple[Database, signal.Signals],
) -> None:
    database, number = database_and_signal
    make_big(database)
    before = database.content()
    process = start_restore(database, database.backed_up())
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == SIGNALS[number], err
    assert err.splitlines()[-1] == "interrupted; the database is unchanged"
    assert sessions(database, "restore-assets.sh") == 0
    assert database.content() == before
    assert database.left_behind() == []


@only_with_all
def test_quiet_warnings_come_before_the_interruption(direct: Database) -> None:
    make_big(direct)
    process = direct.checkout.start(RESTORE, "--quiet", "--yes", direct.backed_up())
    until(lambda: loads(direct) >= 1)
    process.terminate()
    _, err = process.communicate(timeout=30)
    assert "will be replaced" in err, err
    assert err.splitlines()[-1] == "interrupted; the database is unchanged"


def test_signal_ends_a_backup_and_keeps_the_existing_one(
    database_and_signal: tuple[Database, signal.Signals],
) -> None:
    database, number = database_and_signal
    path = database.sample_backup()
    earlier = path.read_bytes()
    make_big(database)
    process = database.checkout.start(BACKUP, path)
    until(lambda: sessions(database, "backup-assets.sh") >= 2)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == SIGNALS[number], err
    assert err.splitlines()[-1] == "interrupted; the existing backup is unchanged"
    assert sessions(database, "backup-assets.sh") == 0
    assert path.read_bytes() == earlier
    assert database.left_behind() == []


def test_signal_at_the_prompt_ends_at_once(direct: Database) -> None:
    """make and the shell are not waited for: the prompt is the script's own."""
    path = direct.sample_backup()
    run = direct.checkout.run_on_terminal(RESTORE, path, answer=b"\x03")
    assert run.status == 130, run
    assert "interrupted; the database is unchanged" in run.err
    assert direct.left_behind() == []
