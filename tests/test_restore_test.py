"""BACKUP_COMPRESSION=smallest: the dump is restored, verified and sorted before it is published."""

from __future__ import annotations

import signal
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from support.backups import digest, manifest_of
from support.databases import Database
from support.fakes import fake
from support.run import BACKUP, Run
from support.running import loads
from support.sampling import only_with_all, sampled
from support.waiting import until

SMALLEST = {"BACKUP_COMPRESSION": "smallest"}
TESTED, SORTED = "\nrestore-tested: yes\n", "\nrows: sorted\n"


def smallest(database: Database, path: Path, *options: str, **environment: str) -> Run:
    return database.backup(*options, path, **{**SMALLEST, **environment})


def test_ended_connection_is_not_blamed_on_the_restore_test(
    direct: Database, tmp_path: Path
) -> None:
    first = "SET synchronous_commit = off;"
    direct.checkout.edit(
        "scripts/sql/backup/sort-tables.sql",
        first,
        f"SELECT pg_terminate_backend(pg_backend_pid()); {first}",
    )
    run = smallest(direct, tmp_path / "x.dump.gz")
    assert run.status == 1, run
    assert "could not sort the rows: terminating connection due to administrator" in run.err, run
    assert "BACKUP_COMPRESSION" not in run.err and "still runs" in run.err, run


def changes_of_order(database: Database, table: str) -> int:
    """Return how many rows come before the one that they follow on the disk.

    Also in a sorted table there are some: PostgreSQL puts a short row into the gap of a page.
    """
    rows = database.execute(f"SELECT provider_name FROM ONLY {table} ORDER BY ctid")
    return sum(row < before for before, row in pairwise(rows))


def test_rows_are_sorted_and_all_else_is_as_before(database: Database, tmp_path: Path) -> None:
    database.execute(
        """
        CREATE TABLE spec_infos (
            id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, gone int, csp_spec_name json,
            provider_name text, name text GENERATED ALWAYS AS (provider_name || '+') STORED);
        ALTER TABLE spec_infos DROP COLUMN gone;
        CREATE INDEX by_provider ON spec_infos (provider_name);
        ALTER TABLE spec_infos CLUSTER ON by_provider;
        CREATE TABLE part () INHERITS (spec_infos);
        INSERT INTO part (provider_name, id) VALUES ('child', 1);
        INSERT INTO spec_infos (provider_name, csp_spec_name)
            SELECT md5(n::text), to_json(n) FROM generate_series(1, 500) AS n;
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
        CREATE TRIGGER t BEFORE INSERT OR TRUNCATE ON spec_infos EXECUTE FUNCTION refuse();
        """
    )
    before = database.content()
    assert changes_of_order(database, "image_info") > 500
    path = tmp_path / "x.dump.gz"
    run = smallest(database, path)
    assert run.status == 0, run
    assert "warning" not in run.err
    assert TESTED in manifest_of(path).read_text() and SORTED in manifest_of(path).read_text()
    assert database.left_behind() == []
    assert database.content() == before
    database.execute("DROP TABLE spec_infos CASCADE")
    run = database.restore(path)
    assert run.status == 0, run
    assert database.content() == before
    for table, rows in (("image_info", 2000), ("spec_info", 1200), ("spec_infos", 500)):
        assert changes_of_order(database, table) < rows / 20


def test_database_without_known_tables_is_tested_and_not_sorted(
    direct: Database, tmp_path: Path
) -> None:
    direct.drop()
    direct.create_empty()
    direct.execute("CREATE TABLE t AS SELECT 1 AS n; CREATE VIEW image_info AS TABLE t")
    path = tmp_path / "x.dump.gz"
    run = smallest(direct, path)
    assert run.status == 0, run
    text = manifest_of(path).read_text()
    assert TESTED in text and SORTED not in text


def few_rights(database: Database) -> dict[str, str]:
    database.execute(
        f"CREATE ROLE {database.name}_u LOGIN PASSWORD 'x' IN ROLE pg_read_all_data, pg_monitor"
    )
    return {"TB_POSTGRES_USER": f"{database.name}_u", "TB_POSTGRES_PASSWORD": "x"}


def small_disk(database: Database) -> dict[str, str]:
    return fake(database.checkout, df='"$REAL" "$@" | awk \'NR == 2 { $4 = 1000 } { print }\'')


def subscription(database: Database) -> dict[str, str]:
    database.execute(
        "CREATE SUBSCRIPTION r CONNECTION 'dbname=x' PUBLICATION p"
        " WITH (connect = false, slot_name = NONE)"
    )
    database.execute(
        "CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p"
        " WITH (connect = false, slot_name = NONE)"
    )
    return {}


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (few_rights, "user 'NAME_u' may not create the staging database"),
        (small_disk, "the server's data directory has 1.0 MB free, and a restore test needs "),
        (subscription, "database 'NAME' has subscriptions"),
    ],
)
def test_where_no_restore_is_possible_the_backup_is_small(
    direct: Database, tmp_path: Path, prepare: Callable[[Database], dict[str, str]], reason: str
) -> None:
    path = tmp_path / "x.dump.gz"
    run = smallest(direct, path, **prepare(direct))
    if prepare is subscription:
        direct.execute("DROP SUBSCRIPTION r")
        direct.execute("DROP SUBSCRIPTION s")
    if prepare is few_rights:
        direct.execute(f"DROP ROLE {direct.name}_u")
    assert run.status == 0, run
    why = reason.replace("NAME", direct.name)
    assert f"using BACKUP_COMPRESSION=small, without a restore test, because {why}" in run.err, run
    text = manifest_of(path).read_text()
    assert "\ncompression: zstd:7\n" in text and TESTED not in text and SORTED not in text


def test_data_only_backup_is_small(direct: Database, tmp_path: Path) -> None:
    path = tmp_path / "x.dump.gz"
    run = smallest(direct, path, "--data-only")
    assert run.status == 0, run
    assert "without a restore test, because a data-only backup has no schema" in run.err
    assert TESTED not in manifest_of(path).read_text()


def test_dump_that_does_not_load_is_not_published(direct: Database) -> None:
    path = direct.sample_backup()
    earlier = digest(path)
    direct.execute(
        """
        CREATE FUNCTION g(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1';
        CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN g($1); END';
        CREATE TABLE checked (n int CHECK (f(n) > 0));
        INSERT INTO checked VALUES (1);
        """
    )
    run = smallest(direct, path)
    assert run.status == 1 and len(run.errors) == 1, run
    assert run.errors[0].startswith("error: could not load the backup: ")
    assert run.errors[0].endswith("; the existing backup is unchanged")
    assert "hint: set BACKUP_COMPRESSION=small to back up without a restore test" in run.err
    assert digest(path) == earlier
    assert direct.left_behind() == []
    assert direct.backup(path).status == 0


@only_with_all
def test_server_that_ends_is_not_blamed_on_the_restore(docker: Database, tmp_path: Path) -> None:
    """Of a container that is killed, a program says nothing; the next one, that it is not there."""
    gone = "Error response from daemon: container x is not running"
    for output, reason in (("", "a program ended unexpectedly"), (gone, gone)):
        ends = f'case $* in *"pg_restore --dbname"*) echo "{output}" >&2; exit 137 ;; esac'
        program = fake(docker.checkout, docker=f'{ends}; exec "$REAL" "$@"')
        run = smallest(docker, tmp_path / "x.dump.gz", **program)
        assert run.status == 1, run
        assert run.err.endswith(
            f"error: could not load the backup: {reason}; no backup was written\n"
            f" hint: check that container '{docker.server.name}' still runs\n"
        ), run


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (
            "DELETE FROM public.pricing_info WHERE price < 0.02",
            "the loaded data differs from the manifest: public.pricing_info",
        ),
        (
            "ALTER TABLE public.empty_table ADD UNIQUE (nothing)",
            "the restored schema differs from the dumped one",
        ),
        (
            "CREATE TABLE public.extra ()",
            "the loaded data differs from the manifest: public.extra",
        ),
        (
            "COMMENT ON TABLE public.spec_info IS NULL",
            "the restored objects differ from the dumped ones: COMMENT public TABLE spec_info",
        ),
    ],
)
def test_what_the_restore_changes_is_not_published(
    direct: Database, change: str, error: str
) -> None:
    path = direct.sample_backup()
    earlier = digest(path)
    sort = direct.checkout.path / "scripts/sql/backup/sort-tables.sql"
    sort.write_text(f"{sort.read_text()}\n{change};\n")
    run = smallest(direct, path)
    assert run.status == 1 and len(run.errors) == 1, run
    assert run.errors[0].startswith(f"error: {error}"), run
    assert run.errors[0].endswith("; the existing backup is unchanged")
    assert digest(path) == earlier
    assert direct.left_behind() == []


def test_failure_of_the_second_dump_keeps_the_existing_backup(direct: Database) -> None:
    path = direct.sample_backup()
    earlier = digest(path)
    fails = """case $PGDATABASE-$* in
        assets_staging_*--file=*) echo "pg_dump: error: injected error" >&2; exit 1 ;; esac
        exec "$REAL" "$@\""""
    run = smallest(direct, path, **fake(direct.checkout, pg_dump=fails))
    assert run.status == 1, run
    sentence = f"could not dump database '{direct.name}': injected error"
    assert run.errors == [f"error: {sentence}; the existing backup is unchanged"]
    assert digest(path) == earlier
    assert direct.left_behind() == []


def test_hint_about_the_restore_is_not_given_later(direct: Database) -> None:
    run = smallest(direct, direct.sample_backup(), **fake(direct.checkout, sync="exit 1"))
    assert run.status == 1 and "could not sync" in run.err, run
    assert "BACKUP_COMPRESSION" not in run.err


@only_with_all
@pytest.mark.parametrize(
    ("number", "status"), sampled([(signal.SIGTERM, 143), (signal.SIGKILL, -9)], 1)
)
def test_run_ended_while_it_restores_keeps_the_existing_backup(
    direct: Database, number: signal.Signals, status: int
) -> None:
    path = direct.sample_backup()
    earlier = digest(path)
    direct.execute(
        "CREATE TABLE big AS SELECT n, md5(n::text) AS a FROM generate_series(1, 200000) AS n"
    )
    before = direct.content()
    process = direct.checkout.start(BACKUP, path, **SMALLEST)
    until(lambda: loads(direct) >= 1)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == status, err
    assert digest(path) == earlier and direct.content() == before
    if number != signal.SIGKILL:
        assert err.splitlines()[-1] == "interrupted; the existing backup is unchanged"
        assert direct.left_behind() == []
    assert smallest(direct, path).status == 0
    assert direct.left_behind() == []
