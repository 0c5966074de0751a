"""Sessions that lock or change tables: neither they nor a run wait forever."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from support.backups import digest
from support.databases import Database
from support.run import BACKUP, STATS
from support.running import waiting_run
from support.sampling import only_with_all, sampled
from support.waiting import until

ALTER = "ALTER TABLE spec_info ALTER COLUMN provider_name SET NOT NULL"


@contextmanager
def locked(database: Database, statement: str) -> Iterator[psycopg.Connection]:
    """Hold a lock by a client that has run the statement and is idle in its transaction."""
    with database.server.connect(database.name) as connection:
        connection.autocommit = False
        connection.execute("SET application_name = 'idle client'")
        connection.execute(statement)
        yield connection
        connection.rollback()


class Alter(threading.Thread):
    """An ALTER TABLE in a session of its own; notes how long it waited."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.connection = database.server.connect(database.name)
        self.seconds = None

    def run(self) -> None:
        started = time.monotonic()
        self.connection.autocommit = True
        self.connection.execute(ALTER)
        self.seconds = time.monotonic() - started
        self.connection.close()


@only_with_all
def test_backup_yields_to_a_waiting_alter(direct: Database) -> None:
    query = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'ALTER%'"
    with waiting_run(direct.checkout, BACKUP, "x", program="pg_dump", arguments="*--file=*") as (
        process,
        go_on,
    ):
        alter = Alter(direct)
        alter.start()
        until(lambda: direct.execute(query))
        go_on.touch()
        _, err = process.communicate(timeout=60)
    alter.join(10)
    assert process.returncode == 0, err
    assert alter.seconds is not None and alter.seconds < 8
    run = direct.restore("backups/postgres/x.dump.gz")
    assert run.status == 0, run
    assert direct.left_behind() == []


def test_alter_waits_only_for_the_dump(direct: Database) -> None:
    with waiting_run(direct.checkout, BACKUP, "x", program="sync", arguments="*") as (
        process,
        go_on,
    ):
        alter = Alter(direct)
        alter.start()
        alter.join(10)
        waited = alter.seconds
        go_on.touch()
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert waited is not None
    assert direct.left_behind() == []


@only_with_all
def test_idle_client_with_a_lock_ends_a_backup_with_its_name(direct: Database) -> None:
    path = direct.sample_backup()
    earlier = digest(path)
    with locked(direct, "DROP SEQUENCE counter"):
        run = direct.backup(path)
    assert run.status == 1, run
    assert "are locked by idle client (user " in run.err
    assert digest(path) == earlier
    assert direct.left_behind() == []
    assert direct.backup(path).status == 0


@only_with_all
def test_idle_client_with_a_lock_ends_statistics_with_its_name(direct: Database) -> None:
    with locked(direct, "LOCK TABLE pricing_info"):
        run = direct.checkout.run(STATS)
    assert run.status == 1, run
    assert "are locked by idle client (user " in run.err


@only_with_all
@pytest.mark.parametrize(
    "command", sampled(["clean-db.sh", "restore-assets.sh --table pricing_info"], 1)
)
def test_idle_client_with_a_lock_ends_other_runs_with_its_name(
    direct: Database, command: str
) -> None:
    direct.sample_backup()
    before = direct.content()
    script, *options = command.split()
    with locked(direct, "LOCK TABLE pricing_info"):
        run = direct.checkout.run(
            f"./scripts/{script}", *options, CLEAN_SKIP_CONFIRM="yes", RESTORE_SKIP_CONFIRM="yes"
        )
    assert run.status == 1, run
    assert "locked by idle client (user " in run.err
    assert direct.content() == before
    assert direct.left_behind() == []
