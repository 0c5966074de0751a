"""What would hold a swap up, or vanish with the replaced database, is named before anything is done."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import new_database
from support.ground import Checkout, Database, Run, Server, programs

from helpers.demo.private_server import private_server

ROLLBACK = "./scripts/rollback-assets.sh"
PREPARE = "BEGIN; INSERT INTO empty_table VALUES (1); PREPARE TRANSACTION 'open|gid'"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server on which transactions can be prepared and logical changes be read."""
    with private_server(
        settings={"max_prepared_transactions": "5", "wal_level": "logical"}
    ) as private:
        yield Server(private)


@pytest.fixture
def direct(server: Server, checkout: Checkout) -> Iterator[Database]:
    for database in new_database(server, checkout):
        yield database
        for (gid,) in database.execute(
            "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()"
        ):
            run_as_client(database, f"ROLLBACK PREPARED '{gid}'")
        database.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()"
        )


@pytest.fixture
def prepared(direct: Database) -> Database:
    """A backed up database in which a transaction is prepared."""
    direct.backed_up()
    run_as_client(direct, PREPARE)
    return direct


@pytest.fixture
def read_by_slots(direct: Database) -> Database:
    """A backed up database of which two slots hand out the changes."""
    direct.backed_up()
    for name in ("first", "second"):
        direct.execute(f"SELECT pg_create_logical_replication_slot('{name}', 'pgoutput')")
    return direct


def run_as_client(database: Database, statements: str) -> None:
    with database.place.connect(database.name) as connection:
        connection.autocommit = True
        for statement in statements.split("; "):
            connection.execute(statement)


def assert_refused_at_once(database: Database, run: Run, *sentences: str) -> None:
    assert run.status == 1, run
    for sentence in sentences:
        assert sentence in run.err, run
    assert "the database is unchanged" in run.err
    assert database.leftovers() == []


@pytest.mark.parametrize("option", [[], ["--data-only"], ["--dry-run"]])
def test_prepared_transaction_is_named_before_anything_is_loaded(
    prepared: Database, option: list[str]
) -> None:
    run = prepared.restore(*option)
    assert_refused_at_once(
        prepared, run, "prepared transactions", "'open|gid'", "ROLLBACK PREPARED", "--table"
    )
    assert "loading" not in run.err


def test_single_tables_are_restored_beside_a_prepared_transaction(prepared: Database) -> None:
    prepared.execute("DELETE FROM pricing_info")
    assert prepared.restore("--table", "pricing_info").status == 0
    assert prepared.execute("SELECT count(*) > 0 FROM pricing_info") == [(True,)]


def test_prepared_transaction_stops_a_rollback_before_anything_is_done(direct: Database) -> None:
    direct.backed_up()
    assert direct.restore(RESTORE_KEEP_PREVIOUS="yes").status == 0
    run_as_client(direct, PREPARE)
    databases = direct.databases()
    run = direct.checkout.run(ROLLBACK)
    assert run.status == 1, run
    assert "'open|gid'" in run.err and "ROLLBACK PREPARED" in run.err and "--table" not in run.err
    assert "the database is unchanged" in run.err
    assert direct.databases() == databases
    run_as_client(direct, "ROLLBACK PREPARED 'open|gid'")
    assert direct.checkout.run(ROLLBACK).status == 0


def test_transaction_prepared_during_the_load_keeps_no_client_waiting(
    direct: Database, tmp_path: Path
) -> None:
    direct.backed_up()
    prepares = (
        'case " $* " in *--analyze-only*) printf \'%s;\\n\' "BEGIN" "INSERT INTO public.empty_table VALUES (1)"'
        f' "PREPARE TRANSACTION \'open|gid\'" | PGDATABASE={direct.name} psql -qX ;; esac; exec "$REAL" "$@"'
    )
    environment = programs(tmp_path / "bin", direct.place.private.bin_dir, vacuumdb=prepares)
    with direct.place.connect(direct.name) as client:
        client.autocommit = True
        restore = direct.checkout.start(
            "./scripts/restore-assets.sh", RESTORE_SKIP_CONFIRM="yes", **environment
        )
        longest = 0.0
        while restore.poll() is None:
            asked = time.monotonic()
            client.execute("SELECT 1")
            direct.execute("SELECT 1")
            longest = max(longest, time.monotonic() - asked)
            time.sleep(0.01)
    run = Run(restore.returncode, *restore.communicate())
    assert_refused_at_once(direct, run, "prepared transactions", "'open|gid'")
    assert "swapping databases" in run.err
    assert longest < 2


@pytest.mark.parametrize("option", [[], ["--data-only"], ["--dry-run"]])
def test_replication_slots_are_named_and_the_database_is_not_replaced(
    read_by_slots: Database, option: list[str]
) -> None:
    run = read_by_slots.restore(*option)
    assert_refused_at_once(read_by_slots, run, "replication slots", "'first', 'second'", "--table")


def test_single_tables_are_restored_in_a_database_with_replication_slots(
    read_by_slots: Database,
) -> None:
    assert read_by_slots.restore("--table", "region_info").status == 0
    slots = read_by_slots.execute("SELECT slot_name FROM pg_replication_slots ORDER BY 1")
    assert slots == [("first",), ("second",)]


def test_slots_of_another_database_hold_nothing_up(read_by_slots: Database, server: Server) -> None:
    with server.connect() as connection:
        connection.autocommit = True
        connection.execute("CREATE DATABASE another")
    checkout = read_by_slots.checkout
    assert (
        checkout.run(
            "./scripts/restore-assets.sh",
            RESTORE_SKIP_CONFIRM="yes",
            TB_POSTGRES_DATABASE="another",
        ).status
        == 0
    )
    with server.connect() as connection:
        connection.autocommit = True
        connection.execute("DROP DATABASE another")
