"""One run per database at a time; stats needs no lock."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import AbstractContextManager
from pathlib import Path

from support.databases import Database, make_big
from support.run import BACKUP, CLEAN, RESTORE, ROLLBACK, STATS
from support.running import start_restore, waiting_run
from support.sampling import only_with_all
from support.waiting import until

SECOND_RUNS = (BACKUP, RESTORE, CLEAN, ROLLBACK)


def loading(database: Database) -> AbstractContextManager[tuple[subprocess.Popen, Path]]:
    """Return a restore that waits when it loads, and the file that it waits for."""
    return waiting_run(
        database.checkout,
        *(RESTORE, database.sample_backup()),
        program="pg_restore",
        arguments="*--jobs*",
    )


def test_second_run_is_refused_and_names_the_first(direct: Database) -> None:
    with loading(direct) as (process, go_on):
        for second in SECOND_RUNS:
            run = direct.checkout.run(second)
            assert run.status == 1, run
            assert "another run is using database" in run.err
            assert str(process.pid) in run.err and "since 20" in run.err
        go_on.touch()
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert direct.left_behind() == []


def test_runs_on_different_databases_run_at_the_same_time(direct: Database) -> None:
    with loading(direct) as (process, go_on):
        run = direct.backup("x", TB_POSTGRES_DATABASE="tumblebug")
        assert run.status == 0, run
        assert process.poll() is None
        go_on.touch()
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err


@only_with_all
def test_stats_cleans_up_after_a_killed_restore(database: Database) -> None:
    make_big(database)
    process = start_restore(database, database.backed_up())
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert database.left_behind() != []
    run = database.checkout.run(STATS)
    assert run.status == 0, run
    assert "removed what a crashed run left: assets_staging_" in run.err
    assert database.left_behind() == []


def test_stats_runs_during_a_restore(direct: Database) -> None:
    with loading(direct) as (process, go_on):
        run = direct.checkout.run(STATS)
        assert run.status == 0 and "spec_info" in run.out, run
        assert process.poll() is None
        go_on.touch()
        assert process.wait(60) == 0


def test_statistics_do_not_stop_a_backup(direct: Database) -> None:
    query = '*" -P border=0 "*'
    with waiting_run(direct.checkout, STATS, program="psql", arguments=query) as (process, go_on):
        run = direct.backup("x")
        assert run.status == 0 and process.poll() is None, run
        go_on.touch()
        assert process.wait(60) == 0


def test_run_starts_when_the_other_one_ends_during_its_last_attempt(direct: Database) -> None:
    attempts = (
        "SELECT query_start FROM pg_stat_activity"
        " WHERE query LIKE 'SELECT pg_sleep(0.4)%' AND state = 'active'"
    )
    seen = set()
    with loading(direct) as (process, _), direct.server.connect() as connection:
        second = direct.checkout.start(BACKUP, "x")

        def is_last_attempt() -> bool:
            seen.update(connection.execute(attempts).fetchall())
            return len(seen) == 5

        until(is_last_attempt)
        os.killpg(process.pid, signal.SIGKILL)
        _, err = second.communicate(timeout=60)
    assert second.returncode == 0, err
