"""Other sessions lock or change tables: no run waits without end, and no run makes them wait without end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from support.ground import Database, digest, programs
from test_locks import until

ALTER = "ALTER TABLE spec_info ALTER COLUMN provider_name SET NOT NULL"


@contextmanager
def locked(database: Database, statement: str) -> Iterator[psycopg.Connection]:
    """Hold a lock by a client that has run the statement and is idle in its transaction."""
    with database.place.connect(database.name) as connection:
        connection.autocommit = False
        connection.execute("SET application_name = 'idle client'")
        connection.execute(statement)
        yield connection
        connection.rollback()


class Alter(threading.Thread):
    """An ALTER TABLE in a session of its own; notes how long it waited."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.connection = database.place.connect(database.name)
        self.seconds = None

    def run(self) -> None:
        started = time.monotonic()
        self.connection.autocommit = True
        self.connection.execute(ALTER)
        self.seconds = time.monotonic() - started
        self.connection.close()


def before_dumping(folder: Path, database: Database) -> tuple[dict[str, str], Path, Path]:
    """Return an environment in which the first pg_dump waits, between the files it makes and waits for."""
    started, go_on = folder / "started", folder / "go on"
    script = f"""case "$*" in *--file=*) [ -e '{started}' ] || {{
        touch '{started}'; while [ ! -e '{go_on}' ]; do sleep 0.05; done; }} ;; esac; exec "$REAL" "$@" """
    return programs(folder / "bin", database.place.private.bin_dir, pg_dump=script), started, go_on


def test_backup_gives_way_to_an_alter_that_waits_for_its_snapshot(
    direct: Database, tmp_path: Path
) -> None:
    environment, started, go_on = before_dumping(tmp_path, direct)
    process = direct.checkout.start("./scripts/backup-assets.sh", "x", **environment)
    until(started.exists)
    alter = Alter(direct)
    alter.start()
    query = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'ALTER%'"
    until(lambda: direct.execute(query))
    go_on.touch()
    _, err = process.communicate(timeout=60)
    alter.join(10)
    assert process.returncode == 0, err
    assert alter.seconds is not None and alter.seconds < 8
    run = direct.restore("backups/postgres/x.dump.gz")
    assert run.status == 0, run
    assert direct.leftovers() == []


def test_alter_goes_on_as_soon_as_the_dump_is_done(database: Database) -> None:
    database.execute(
        "CREATE TABLE many AS SELECT n, md5(n::text) FROM generate_series(1, 300000) AS n"
    )
    process = database.checkout.start("./scripts/backup-assets.sh", "x")
    query = (
        "SELECT 1 FROM pg_locks WHERE relation = 'spec_info'::regclass AND mode = 'AccessShareLock'"
    )
    until(lambda: database.execute(query))
    alter = Alter(database)
    alter.start()
    _, err = process.communicate(timeout=60)
    alter.join(10)
    assert process.returncode == 0, err
    assert alter.seconds is not None
    assert database.leftovers() == []


@pytest.mark.parametrize("statement", ["LOCK TABLE pricing_info", "DROP SEQUENCE counter"])
def test_idle_client_with_a_lock_ends_a_backup_with_its_name(
    direct: Database, statement: str
) -> None:
    path = direct.backed_up()
    earlier = digest(path)
    with locked(direct, statement):
        run = direct.backup(path)
    assert run.status == 1, run
    assert "are locked by idle client (user " in run.err
    assert digest(path) == earlier
    assert direct.leftovers() == []
    assert direct.backup(path).status == 0


def test_idle_client_with_a_lock_ends_statistics_with_its_name(direct: Database) -> None:
    with locked(direct, "LOCK TABLE pricing_info"):
        run = direct.checkout.run("./scripts/stats.sh")
    assert run.status == 1, run
    assert "are locked by idle client (user " in run.err


@pytest.mark.parametrize("command", ["clean-db.sh", "restore-assets.sh --table pricing_info"])
def test_idle_client_with_a_lock_ends_other_runs_with_its_name(
    direct: Database, command: str
) -> None:
    direct.backed_up()
    before = direct.content()
    script, *options = command.split()
    with locked(direct, "LOCK TABLE pricing_info"):
        run = direct.checkout.run(
            f"./scripts/{script}", *options, CLEAN_SKIP_CONFIRM="yes", RESTORE_SKIP_CONFIRM="yes"
        )
    assert run.status == 1, run
    assert "locked by idle client (user " in run.err
    assert direct.content() == before
    assert direct.leftovers() == []


def test_restore_replaces_a_database_whose_tables_are_locked(direct: Database) -> None:
    path = direct.backed_up()
    client = direct.place.connect(direct.name)
    client.autocommit = False
    client.execute("LOCK TABLE pricing_info")
    run = direct.restore(path)
    assert run.status == 0, run
