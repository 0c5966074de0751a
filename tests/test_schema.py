"""Schemas: a restore names what differs from the live one, and keeps a newer live schema."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from support.backups import manifest_of, rewrite_manifest
from support.databases import Database
from support.run import CLEAN
from support.sampling import sampled

NEWER = "ALTER TABLE spec_info ADD gpu text; CREATE INDEX spec_gpu ON spec_info (gpu)"
OLDER = "ALTER TABLE spec_info DROP COLUMN memory_gi_b"
DIVERGED = f"{NEWER}; {OLDER}"


def columns(database: Database) -> set[str]:
    """Return the columns of spec_info."""
    query = "SELECT attname FROM pg_attribute WHERE attrelid = 'spec_info'::regclass AND attnum > 0"
    return {name for (name,) in database.execute(f"{query} AND NOT attisdropped")}


def test_newer_live_schema_is_kept(direct: Database) -> None:
    path = direct.sample_backup()
    before = direct.execute("SELECT * FROM spec_info ORDER BY id")
    direct.execute(f"{NEWER}; DELETE FROM pricing_info; UPDATE spec_info SET v_cpu = 0")
    run = direct.restore(path)
    assert run.status == 0, run
    assert "the live database's is kept, only rows are restored; differences:" in run.err
    assert "  spec_info.gpu  only in the live database\n" in run.err
    assert "  index spec_gpu of spec_info  only in the live database\n" in run.err
    assert "\ncolumns only in the live database get their default\n" in run.err
    assert "which will be empty" not in run.err
    assert "missing from the backup" not in run.err
    assert "\nRESTORE_SCHEMA=backup replaces the live schema too\n" in run.err
    assert "gpu" in columns(direct)
    assert [row[:-1] for row in direct.execute("SELECT * FROM spec_info ORDER BY id")] == before
    assert direct.left_behind() == []


OBJECTS = {
    "policy p": "CREATE POLICY p ON region_info",
    "row level security region_info": "ALTER TABLE region_info ENABLE ROW LEVEL SECURITY",
    "rule r": "CREATE RULE r AS ON INSERT TO region_info DO ALSO NOTHING",
    "publication b": "CREATE PUBLICATION b",
    "statistics public.s": "CREATE STATISTICS s ON region_name, provider_name FROM region_info",
    "aggregate public.total": "CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int)",
}


def test_objects_that_a_restore_would_remove_are_named(direct: Database) -> None:
    path = direct.sample_backup()
    direct.execute(";".join(OBJECTS.values()))
    run = direct.restore("--dry-run", "--schema", "backup", path)
    assert run.status == 0, run
    for name in OBJECTS:
        assert f"  {name.replace('public.', '')}  only in the live database\n" in run.err, run


def test_live_tables_that_the_backup_would_empty_are_named(direct: Database) -> None:
    direct.execute("DROP TABLE no_columns")
    path = direct.backed_up()
    direct.execute(
        'CREATE TABLE "later one" ("a b" int, c int); CREATE TABLE later (n int);'
        ' INSERT INTO "later one" SELECT n, n FROM generate_series(1, 1234) AS n'
    )
    warning = "warning: the backup has no rows for these tables, which will be empty: "
    warning = f'{warning}"later one", later; now 2 tables, 1,234 rows\n'
    run = direct.restore(path)
    assert run.status == 0 and warning in run.err, run
    assert "\n  now         11 tables, 5,934 rows\n  afterwards  11 tables, 4,700 rows\n" in run.err
    assert direct.restore("--quiet", path).err == ""
    direct.execute('INSERT INTO "later one" SELECT n, n FROM generate_series(1, 1234) AS n')
    assert direct.restore("--quiet", path).err == warning


@pytest.mark.parametrize("change", sampled([OLDER, DIVERGED, "DROP TABLE pricing_info"], 1))
def test_schema_that_lacks_something_is_replaced(direct: Database, change: str) -> None:
    path = direct.sample_backup()
    before = direct.content()
    direct.execute(change)
    run = direct.restore(path)
    assert run.status == 0, run
    assert "warning: the backup's schema will replace the live one; differences:" in run.err
    assert "only in the backup" in run.err
    assert "restart CB-Tumblebug's server: the schema of its database has changed" in run.err
    assert direct.content() == before


def test_empty_database_has_no_schema_to_compare(direct: Database) -> None:
    path, before = direct.sample_backup(), direct.content()
    direct.drop()
    direct.create_empty()
    run = direct.restore(path)
    assert run.status == 0 and direct.content() == before, run
    assert "only in the backup" not in run.err and "restart" not in run.err, run


def test_tables_that_a_backup_without_tables_would_drop_are_named(direct: Database) -> None:
    archive = direct.server.client("pg_dump", "-Fc", "-d", "postgres").stdout
    path = direct.checkout.path / "no-tables.dump"
    path.write_bytes(archive)
    run = direct.restore("--dry-run", "--schema", "backup", path)
    assert run.status == 0, run
    assert "holds     0 tables\n" in run.err
    assert "  table pricing_info  only in the live database\n" in run.err
    assert "only in the backup" not in run.err


def test_backup_without_rows_says_so(direct: Database) -> None:
    archive = direct.server.client("pg_dump", "-Fc", "--schema-only", "-d", direct.name).stdout
    path = direct.checkout.path / "schema.dump"
    path.write_bytes(archive)
    run = direct.restore("--trust", path)
    assert re.search(r"^  afterwards  \d+ tables, 0 rows$", run.err, re.MULTILINE), run
    run = direct.restore("--quiet", "--trust", path)
    assert run.status == 0, run
    assert "warning: the backup contains no rows: every table will be empty\n" in run.err
    assert direct.execute("SELECT count(*) FROM pricing_info") == [(0,)]


@pytest.mark.parametrize("by", sampled(["backup-assets.sh", "pg_dump"], 1))
def test_backup_of_empty_tables_is_named_even_with_quiet(direct: Database, by: str) -> None:
    path = direct.checkout.path / "empty.dump.gz"
    filled = direct.sample_backup()
    assert direct.checkout.run(CLEAN, CLEAN_SKIP_CONFIRM="yes").status == 0
    warning = "warning: the backup contains no rows: every table will be empty\n"
    if by == "pg_dump":
        archive = direct.server.client("pg_dump", "-Fc", "-d", direct.name).stdout
        path.write_bytes(gzip.compress(archive))
        warning = "warning: the restored tables have no rows\n"
    else:
        assert direct.backup(path).status == 0
    assert direct.restore(filled).status == 0
    run = direct.restore("--quiet", "--trust", path)
    assert run.status == 0 and warning in run.err, run


def test_equal_schemas_are_not_mentioned(direct: Database) -> None:
    run = direct.restore(direct.sample_backup())
    assert run.status == 0, run
    assert "differences:" not in run.err and "restart" not in run.err


def test_changed_type_is_named_in_a_dry_run_and_where_it_changes_values(direct: Database) -> None:
    path = direct.sample_backup()
    direct.execute("ALTER TABLE spec_info ALTER v_cpu TYPE numeric(10, 2)")
    before = direct.content()
    run = direct.restore("--dry-run", path)
    assert run.status == 0, run
    difference = "numeric(10,2) in the live database, integer in the backup"
    assert f"  spec_info.v_cpu  {difference}\n" in run.err
    run = direct.restore("--schema", "live", path)
    assert run.status == 1 and "differs from the manifest: public.spec_info;" in run.errors[0], run
    assert "hint: the schemas differ, as listed above" in run.err
    assert direct.content() == before


def test_schema_backup_replaces_a_newer_one(direct: Database) -> None:
    path = direct.sample_backup()
    before = direct.content()
    direct.execute(NEWER)
    run = direct.restore("--schema", "backup", path)
    assert run.status == 0, run
    assert direct.content() == before


def test_schema_live_is_data_only(direct: Database) -> None:
    path = direct.sample_backup()
    direct.execute("CREATE INDEX later ON spec_info (v_cpu); DROP TABLE every_type CASCADE")
    direct.execute("CREATE TABLE every_type (a smallint)")
    run = direct.restore(path, RESTORE_SCHEMA="live")
    assert run.status == 1, run
    assert "the live database lacks these columns of the backup" in run.errors[0]


@pytest.mark.parametrize("value", ["", "both"])
def test_unknown_schema_is_a_usage_error(direct: Database, value: str) -> None:
    run = direct.restore("--schema", value)
    assert run.status == 2, run


def test_rows_for_a_database_without_tables_are_one_error(direct: Database, tmp_path: Path) -> None:
    path = tmp_path / "rows.dump.gz"
    assert direct.backup("--data-only", path).status == 0
    direct.drop()
    direct.create_empty()
    run = direct.restore(path)
    assert run.status == 1, run
    assert run.errors == [
        f"error: database '{direct.name}' has no tables; the database is unchanged"
    ]
    assert "start CB-Tumblebug's server once to create them" in run.err


def test_full_backup_fills_a_database_without_tables(direct: Database) -> None:
    path = direct.sample_backup()
    before = direct.content()
    direct.drop()
    direct.create_empty()
    run = direct.restore(path)
    assert run.status == 0, run
    assert direct.content() == before


def test_loaded_schema_that_differs_from_the_manifest_is_refused(direct: Database) -> None:
    path = direct.sample_backup()
    before = direct.content()
    text = manifest_of(path).read_text()
    rewrite_manifest(path, re.sub("^schema: .*", f"schema: {'0' * 64}", text, flags=re.MULTILINE))
    run = direct.restore(path, RESTORE_TRUST="yes")
    assert run.status == 1, run
    assert run.errors == [
        "error: the loaded schema differs from the manifest; the database is unchanged"
    ]
    assert direct.content() == before
    assert direct.left_behind() == []


def test_untrusted_backup_keeps_a_newer_live_schema(direct: Database) -> None:
    path = direct.sample_backup()
    direct.checkout.key.unlink()
    direct.execute(NEWER)
    run = direct.restore(path)
    assert run.status == 0, run
    assert "gpu" in columns(direct)
    assert direct.left_behind() == []


@pytest.mark.parametrize("holds", sampled(["schema and data", "data only"], 1))
def test_missing_columns_are_dropped_if_asked_for(
    direct: Database, tmp_path: Path, holds: str
) -> None:
    path = tmp_path / "x.dump.gz"
    options = ["--data-only"] if holds == "data only" else []
    assert direct.backup(*options, path).status == 0
    query = "SELECT id, provider_name, v_cpu, cost_per_hour FROM spec_info ORDER BY id"
    before = direct.execute(query)
    direct.execute(
        "ALTER TABLE spec_info DROP details, DROP updated; UPDATE spec_info SET v_cpu = 0"
    )
    refused = direct.restore("--data-only", path)
    assert refused.status == 1, refused
    assert "public.spec_info details, public.spec_info updated" in refused.errors[0]
    hint = "hint: to skip these columns, add --drop-missing-columns to --data-only\n"
    assert hint in refused.err, refused
    run = direct.restore("--data-only", "--drop-missing-columns", path)
    assert run.status == 0, run
    assert "the live database lacks: public.spec_info details, public.spec_info updated" in run.err
    assert direct.execute(query) == before
    assert {"details", "updated"}.isdisjoint(columns(direct))
    assert direct.left_behind() == []


def test_missing_columns_of_partitions_and_children_are_dropped(direct: Database) -> None:
    direct.execute(
        "CREATE TABLE parts (id int, extra text) PARTITION BY LIST (id);"
        "CREATE TABLE part PARTITION OF parts FOR VALUES IN (1); INSERT INTO parts VALUES (1, 'x');"
        "CREATE TABLE parent (id int, extra text); CREATE TABLE child () INHERITS (parent);"
        "INSERT INTO parent VALUES (2, 'y'); INSERT INTO child VALUES (3, 'z')"
    )
    path = direct.backed_up()
    direct.execute("ALTER TABLE parts DROP extra; ALTER TABLE parent DROP extra; DELETE FROM child")
    run = direct.restore("--data-only", "--drop-missing-columns", path)
    assert run.status == 0, run
    assert direct.execute("SELECT * FROM parts UNION ALL SELECT * FROM parent ORDER BY 1") == [
        (1,),
        (2,),
        (3,),
    ]


def test_schema_option_has_no_effect_on_a_backup_without_schema(direct: Database) -> None:
    assert direct.backup("--data-only", "rows").status == 0
    run = direct.restore("--schema", "backup", "rows", "--dry-run")
    assert run.status == 0 and run.err.count("--schema backup (RESTORE_SCHEMA) has no") == 1, run


def test_live_schema_that_could_not_be_read_is_replaced_only_on_request(direct: Database) -> None:
    path = direct.sample_backup()
    direct.execute("CREATE VIEW newer AS SELECT 1 AS n")
    before = direct.content()
    for mode, alternative in sampled([("live", False), ("auto", True)], 1):
        client = direct.server.connect(direct.name)
        client.autocommit = False
        client.execute("LOCK TABLE spec_info")
        run = direct.restore("--schema", mode, path)
        client.close()
        assert run.status == 1 and "are locked by" in run.errors[0], run
        assert ("RESTORE_SCHEMA=backup replaces the live schema" in run.err) == alternative
        assert direct.content() == before
    assert direct.left_behind() == []
