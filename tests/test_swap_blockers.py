"""What would block a swap, or vanish with the replaced database, is named before any effect."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from support.databases import Database, new_database
from support.fakes import fake
from support.run import CONFIRMED, RESTORE, ROLLBACK, Checkout, Run
from support.sampling import only_with_all, sampled
from support.servers import DirectServer

from helpers.demo.private_server import private_server

pytestmark = pytest.mark.xdist_group("logical server")  # one worker starts the server
PREPARE = ("BEGIN", "INSERT INTO empty_table VALUES (1)", "PREPARE TRANSACTION 'open|gid'")


@pytest.fixture(scope="module")
def logical_server() -> Iterator[DirectServer]:
    """A server on which transactions can be prepared and logical changes be read."""
    with private_server(
        settings={"max_prepared_transactions": "5", "wal_level": "logical"}
    ) as private:
        yield DirectServer(private)


@pytest.fixture
def direct(logical_server: DirectServer, checkout: Checkout) -> Iterator[Database]:
    for database in new_database(logical_server, checkout):
        yield database
        for (gid,) in database.execute(
            "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()"
        ):
            database.execute(f"ROLLBACK PREPARED '{gid}'")
        database.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database ="
            " current_database()"
        )


@pytest.fixture
def prepared(direct: Database) -> Database:
    """A backed up database in which a transaction is prepared."""
    direct.sample_backup()
    direct.server.execute(*PREPARE, database=direct.name)
    return direct


@pytest.fixture
def read_by_slots(direct: Database) -> Database:
    """A backed up database of which two slots hand out the changes."""
    direct.sample_backup()
    for name in ("first", "second"):
        direct.execute(f"SELECT pg_create_logical_replication_slot('{name}', 'pgoutput')")
    return direct


def assert_refused_at_once(database: Database, run: Run, *sentences: str) -> None:
    assert run.status == 1, run
    for sentence in sentences:
        assert sentence in run.err, run
    assert "the database is unchanged" in run.err
    assert database.left_behind() == []


@pytest.mark.parametrize("option", sampled([[], ["--data-only"], ["--dry-run"]], 1))
def test_prepared_transaction_is_named_before_any_effect(
    prepared: Database, option: list[str]
) -> None:
    run = prepared.restore(*option)
    assert_refused_at_once(
        prepared, run, "prepared transactions", "'open|gid'", "ROLLBACK PREPARED", "--table"
    )
    assert "loading" not in run.err


def test_prepared_transaction_allows_single_tables(prepared: Database) -> None:
    prepared.execute("DELETE FROM pricing_info")
    assert prepared.restore("--table", "pricing_info").status == 0
    assert prepared.execute("SELECT count(*) > 0 FROM pricing_info") == [(True,)]


@only_with_all
def test_prepared_transaction_stops_a_rollback_at_once(direct: Database) -> None:
    direct.sample_backup()
    assert direct.restore(RESTORE_KEEP_PREVIOUS="yes").status == 0
    direct.server.execute(*PREPARE, database=direct.name)
    databases = direct.databases()
    run = direct.checkout.run(ROLLBACK)
    assert run.status == 1, run
    assert "'open|gid'" in run.err and "ROLLBACK PREPARED" in run.err and "--table" not in run.err
    assert "the database is unchanged" in run.err
    assert direct.databases() == databases
    direct.execute("ROLLBACK PREPARED 'open|gid'")
    assert direct.checkout.run(ROLLBACK, **CONFIRMED).status == 0


def test_transaction_prepared_during_a_load_blocks_no_client(direct: Database) -> None:
    direct.sample_backup()
    prepares = f"""case " $* " in *--jobs*) PGDATABASE={direct.name} psql -qX <<EOF
BEGIN;
INSERT INTO public.empty_table VALUES (1);
PREPARE TRANSACTION 'open|gid';
EOF
        esac
        exec "$REAL" "$@\""""
    environment = fake(direct.checkout, pg_restore=prepares)
    with direct.server.connect(direct.name) as client:
        client.autocommit = True
        restore = direct.checkout.start(RESTORE, RESTORE_SKIP_CONFIRM="yes", **environment)
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


def test_removal_behind_a_prepared_transaction_is_reported(direct: Database) -> None:
    direct.sample_backup()
    temporary = [f"assets_{kind}_{direct.key()}" for kind in ("compared", "staging")]
    for name in temporary:
        direct.execute(f"CREATE DATABASE {name}")
    direct.server.execute(
        "BEGIN", "CREATE TABLE held ()", "PREPARE TRANSACTION 'held'", database=temporary[1]
    )
    run = direct.restore()
    assert run.status == 0, run
    assert "removed what a crashed run left: " + ", ".join(sorted(temporary)) in run.err, run
    assert "could not remove" not in run.err, run
    assert direct.left_behind() == []


def test_slots_prevent_a_rollback_even_with_settings_of_a_restore(direct: Database) -> None:
    assert direct.restore(direct.sample_backup(), RESTORE_KEEP_PREVIOUS="yes").status == 0
    direct.execute("SELECT pg_create_logical_replication_slot('first', 'pgoutput')")
    run = direct.checkout.run(ROLLBACK, "-y", RESTORE_IN_PLACE="yes")
    assert run.status == 1 and "it has replication slots: 'first'" in run.err, run
    assert direct.checkout.run(ROLLBACK, "--drop", "-y").status == 0


@pytest.mark.parametrize("option", [[], ["--data-only"], ["--dry-run"]])
def test_replication_slots_are_named_before_any_effect(
    read_by_slots: Database, option: list[str]
) -> None:
    run = read_by_slots.restore(*option)
    assert_refused_at_once(read_by_slots, run, "replication slots", "'first', 'second'", "--table")


def test_replication_slots_allow_single_tables(
    read_by_slots: Database,
) -> None:
    assert read_by_slots.restore("--table", "region_info").status == 0
    slots = read_by_slots.execute("SELECT slot_name FROM pg_replication_slots ORDER BY 1")
    assert slots == [("first",), ("second",)]


def test_slots_of_another_database_are_no_obstacle(
    read_by_slots: Database, logical_server: DirectServer
) -> None:
    logical_server.execute("CREATE DATABASE another")
    run = read_by_slots.restore(TB_POSTGRES_DATABASE="another")
    assert run.status == 0, run
    logical_server.execute("DROP DATABASE another")


@only_with_all
@pytest.mark.parametrize("command", sampled(["backup", "restore"], 1))
def test_lock_on_a_view_is_named(direct: Database, command: str) -> None:
    direct.execute("CREATE VIEW v AS SELECT 1 AS n")
    path = direct.backed_up()
    with direct.server.connect(direct.name) as client:
        client.autocommit = False
        client.execute("LOCK TABLE v IN ACCESS EXCLUSIVE MODE")
        run = direct.restore(path) if command == "restore" else direct.backup(path, FORCE="")
        client.rollback()
    assert run.status == 1 and len(run.errors) == 1, run
    assert "are locked by " in run.err
