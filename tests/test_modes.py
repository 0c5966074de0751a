"""Data-only and table mode, --dry-run and --keep-going."""

from __future__ import annotations

import re

import pytest
from support.backups import remove_manifest
from support.databases import Database, broken_backup
from support.fakes import fake
from support.run import CLEAN, CONFIRMED, RESTORE, ROLLBACK
from support.sampling import only_with_all, sampled

LONG_NAME = "x" * 61


def counts(database: Database, *tables: str) -> list[int]:
    return [database.execute(f"SELECT count(*) FROM {table}")[0][0] for table in tables]


def test_dry_run_shows_the_difference_and_changes_nothing(direct: Database) -> None:
    path = direct.sample_backup()
    direct.execute("DELETE FROM pricing_info WHERE spec_id LIKE 'aws%'; CREATE TABLE later (n int)")
    direct.execute(f"CREATE TABLE {LONG_NAME} (n int)")
    before = direct.content()
    for manifest in (True, False):
        if not manifest:
            remove_manifest(path)
        run = direct.restore(path, "--dry-run", RESTORE_SKIP_CONFIRM="")
        assert run.status == 0, run
        rows = {line.split()[0]: line.split()[1:] for line in run.out.splitlines()}
        assert rows["pricing_info"] == ["640", "960", "+320"]
        assert rows["spec_info"] == ["1,200", "1,200", "0"]
        assert rows["later"] == ["0", "-", "0"]
        assert rows[LONG_NAME] == ["0", "-", "0"]
        assert "the database is unchanged" in run.err and " would be replaced" in run.err
        assert direct.content() == before
        assert direct.left_behind() == []
    shown = direct.checkout.run_on_80_columns(RESTORE, "--dry-run", str(path)).out.splitlines()
    assert LONG_NAME in shown and len(LONG_NAME) > 60 and max(map(len, shown)) < 80, shown


@only_with_all
def test_rows_as_inserts_are_not_counted_and_need_a_full_restore(direct: Database) -> None:
    before = direct.content()
    path = direct.checkout.path / "inserts.dump"
    dump = direct.server.client("pg_dump", "-Fc", "--inserts", "-d", direct.name)
    path.write_bytes(dump.stdout)
    run = direct.restore("--dry-run", path)
    assert run.status == 0 and "could not count the rows in the backup" in run.err, run
    assert re.search(r"^spec_info +1,200 +- +-$", run.out, re.MULTILINE), run
    for options in (("--data-only",), ("--table", "spec_info")):
        run = direct.restore(*options, path)
        assert run.status == 1 and "which only a full restore can load" in run.errors[0], run
    run = direct.checkout.run_on_terminal(RESTORE, path, answer=b"yes\n")
    assert run.status == 0 and "afterwards  10 tables, rows not counted" in run.err, run
    assert direct.content() == before


@pytest.mark.parametrize(
    ("backend", "archive"),
    sampled([("direct", "data only"), ("direct", "full"), ("docker", "full")], 2),
)
def test_data_only_restores_rows_and_keeps_the_live_schema(
    request: pytest.FixtureRequest, backend: str, archive: str
) -> None:
    database = request.getfixturevalue(backend)
    path = database.checkout.default_backup
    run = database.backup(*(["--data-only"] if archive == "data only" else []), path)
    assert run.status == 0, run
    before = database.content()
    database.execute(
        "DELETE FROM pricing_info; UPDATE spec_info SET v_cpu = 0;"
        " CREATE INDEX newer ON image_info (os_type);"
        "COMMENT ON TABLE image_info IS 'newer'; CREATE TABLE later (n int);"
        " INSERT INTO later VALUES (1)"
    )
    schema = database.schema()
    run = database.restore(*([] if archive == "data only" else ["--data-only"]), path)
    assert run.status == 0, run
    assert "will be empty: later; now 1 table, 1 row\n" in run.err
    assert "verifying the data against the manifest" in run.err
    after = database.content()
    assert after.pop("public.later")[0][0] == 0
    assert after.pop("schema") == schema
    before.pop("schema")
    assert after == before
    assert database.left_behind() == []


def test_data_only_names_the_columns_that_differ_before_it_asks(direct: Database) -> None:
    path = direct.sample_backup()
    direct.execute("ALTER TABLE image_info ADD COLUMN \"a, (new) one\" text DEFAULT 'x'")
    run = direct.restore("--data-only", path, RESTORE_SKIP_CONFIRM="")
    assert run.status == 1, run
    assert '  image_info."a, (new) one"  only in the live database\n' in run.err
    assert "cannot ask for confirmation without a terminal" in run.err
    run = direct.restore("--data-only", path)
    assert run.status == 0, run
    assert direct.execute('SELECT DISTINCT "a, (new) one" FROM image_info') == [("x",)]


def test_data_only_refuses_columns_that_the_live_schema_lacks(direct: Database) -> None:
    path = direct.sample_backup()
    direct.execute("ALTER TABLE image_info DROP COLUMN os_type")
    before = direct.content()
    run = direct.restore("--data-only", path)
    assert run.status == 1, run
    assert "(table, column): public.image_info os_type; the database is" in run.err
    assert direct.content() == before


def test_chosen_tables_get_their_rows_and_no_other_is_touched(database: Database) -> None:
    path = database.sample_backup()
    before = database.content()
    odd = '"Odd ""schema""; --"."tablé \'with\' $odd$ name"'
    database.execute(
        f"UPDATE spec_info SET v_cpu = 0; DELETE FROM measured; DELETE FROM {odd};"
        " DELETE FROM image_info"
    )
    run = database.restore("--table", "spec_info", "--table=public.measured", "--table", odd, path)
    assert run.status == 0, run
    after = database.content()
    assert after.pop("public.image_info")[0][0] == 0
    before.pop("public.image_info")
    assert after == before
    assert database.left_behind() == []
    assert database.execute(f"INSERT INTO {odd} DEFAULT VALUES RETURNING r > 7") == [(True,)]


def test_foreign_keys_hold_when_chosen_tables_are_replaced(
    direct: Database,
) -> None:
    path = direct.sample_backup()
    direct.execute("DELETE FROM pricing_info; DELETE FROM spec_info WHERE provider_name = 'aws'")
    before = direct.content()
    run = direct.restore("--table", "image_info", "--table", "pricing_info", path)
    assert run.status == 1, run
    assert "violates foreign key" in run.err and "the database is unchanged" in run.err
    assert direct.content() == before
    assert direct.left_behind() == []


def test_triggers_do_not_run_while_chosen_tables_are_replaced(direct: Database) -> None:
    path = direct.sample_backup()
    direct.execute(
        "CREATE TABLE log (n int); CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO public.log VALUES (1); RETURN NEW; END $$;"
        "CREATE TRIGGER log AFTER INSERT ON image_info FOR EACH ROW EXECUTE FUNCTION log()"
    )
    assert direct.restore("--table", "image_info", path).status == 0
    assert counts(direct, "log") == [0]


def test_only_chosen_tables_are_counted_without_a_manifest(direct: Database) -> None:
    path = direct.sample_backup()
    remove_manifest(path)
    direct.execute("DELETE FROM pricing_info")
    run = direct.restore("--dry-run", "--table", "pricing_info", path)
    assert run.status == 0, run
    assert run.out.splitlines()[1:] == ["pricing_info    0        960        +960"]
    run = direct.restore("--table", "pricing_info", path)
    assert "now         1 table, 0 rows\n  afterwards  1 table, 960 rows\n" in run.err, run


@only_with_all
def test_names_with_a_backslash_need_a_full_restore(direct: Database) -> None:
    direct.execute('CREATE TABLE "a\\b" AS SELECT 1 AS n')
    path = direct.backed_up()
    for option in (["--data-only"], ["--table", "spec_info"]):
        run = direct.restore(*option, path)
        assert run.status == 1 and "can handle these names, which contain" in run.errors[0], run
    assert direct.restore(path).status == 0


def test_unknown_table_is_named(direct: Database) -> None:
    path = direct.sample_backup()
    run = direct.restore("--table", "spec_info", "--table", "no'such", path)
    assert run.status == 1, run
    assert "has no table 'no'such'" in run.err
    assert "did you mean" not in run.err
    run = direct.restore("--table", "one", "--table", "two", path)
    assert "has no tables 'one', 'two'" in run.err, run


def test_misspelt_table_gets_a_suggestion(direct: Database) -> None:
    run = direct.restore("--table", "specinfo", direct.sample_backup())
    assert run.status == 1 and "did you mean spec_info?" in run.err, run


def test_table_that_the_backup_lacks_is_named(direct: Database) -> None:
    path = direct.sample_backup()
    direct.execute("CREATE TABLE later (n int)")
    run = direct.restore("--table", "spec_info", "--table", "later", path)
    assert "error: the backup has no rows for these tables: later; the database" in run.err, run
    assert re.search("hint: it contains: .*, image_info, .*, spec_info\n", run.err), run
    run = direct.restore("--table", "no_columns", path)
    assert run.status == 1 and "error: these tables have no columns to restore" in run.err, run


def test_view_is_refused_as_a_table_and_named(direct: Database) -> None:
    path = direct.sample_backup()
    direct.execute("CREATE MATERIALIZED VIEW mv AS SELECT 1 AS n; CREATE VIEW v AS SELECT 1 AS n")
    run = direct.restore("--table", "mv", "--table", "spec_info", "--table", "public.v", path)
    assert run.status == 1, run
    assert "error: --table takes only tables, not materialized view public.mv, view" in run.err
    assert "hint: --data-only restores the rows of all tables and refreshes mat" in run.err


def test_error_in_the_load_keeps_the_live_database(direct: Database) -> None:
    path = broken_backup(direct)
    before = direct.content()
    run = direct.restore(path)
    assert run.status == 1, run
    assert "could not load the backup" in run.err
    assert "hint: restore-assets.sh --keep-going loads the rest" in run.err, run
    assert direct.content() == before
    assert direct.left_behind() == []


def test_keep_going_loads_the_rest_and_lists_what_failed(direct: Database) -> None:
    path = broken_backup(direct)
    before = direct.content()
    direct.execute("DELETE FROM pricing_info")
    run = direct.restore("--quiet", "--keep-going", "--trust", path)
    assert run.status == 3 and "warning: the staging database is incomplete" in run.err, run
    assert "in CREATE VIEW public.uses_f" in run.err, run
    assert "does not exist" in run.err
    after = direct.content()
    assert "uses_f" not in after.pop("schema")
    before.pop("schema")
    assert after == before


@only_with_all
def test_failure_to_load_grants_ends_the_restore(direct: Database) -> None:
    direct.execute("GRANT SELECT ON spec_info TO PUBLIC")
    path, before = direct.backed_up(), direct.content()
    lost = 'case $* in *--use-list*--file=-*) echo "FATAL: too many" >&2; exit 1 ;; esac'
    fails = fake(direct.checkout, pg_restore=f'{lost}; exec "$REAL" "$@"')
    for options in ((), ("--data-only",)):
        run = direct.restore(*options, path, **fails)
        assert run.status == 1 and "could not read the grants: too many; the data" in run.err, run
        assert direct.content() == before
    direct.checkout.edit(
        "scripts/sql/restore/run-grants.sql",
        "EXECUTE statement",
        "PERFORM pg_terminate_backend(pg_backend_pid()); EXECUTE statement",
    )
    run = direct.restore(path)
    assert run.status == 1 and "could not load the grants: terminating connection" in run.err, run
    assert direct.content() == before


@only_with_all
def test_grant_to_a_missing_role_skips_no_other_grant(direct: Database) -> None:
    here, gone = f"here_{direct.name}", f"gone_{direct.name}"
    direct.execute(
        f"CREATE ROLE {here}; CREATE ROLE {gone};"
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
        f"REVOKE ALL ON FUNCTION f() FROM PUBLIC; GRANT EXECUTE ON FUNCTION f() TO {gone};"
        f"GRANT SELECT ON spec_info TO {gone}, {here} WITH GRANT OPTION;"
        f"SET ROLE {here}; GRANT SELECT ON spec_info TO PUBLIC"
    )
    path = direct.backed_up()
    direct.execute(f"DROP OWNED BY {gone}; DROP ROLE {gone}")
    acls = (
        "SELECT relacl::text[] FROM pg_class WHERE relname = 'spec_info'"
        " UNION ALL SELECT proacl::text[] FROM pg_proc WHERE proname = 'f'"
    )
    expected = direct.execute(acls)
    try:
        run = direct.restore(path)
        assert run.status == 0 and f'were skipped: role "{gone}" does not exist' in run.err, run
        assert direct.execute(acls) == expected
    finally:
        direct.execute(f"DROP OWNED BY {here} CASCADE; DROP ROLE {here}")


def test_keep_going_asks_a_second_time_and_no_changes_nothing(direct: Database) -> None:
    path = broken_backup(direct)
    before = direct.content()
    run = direct.checkout.run_on_terminal(
        RESTORE, "--keep-going", "--trust", path, answer=b"yes\nno\n"
    )
    assert run.status == 1, run
    assert "Swap anyway?" in run.err
    assert "cancelled; the database is unchanged" in run.err
    assert direct.content() == before
    assert direct.left_behind() == []


def test_missing_owners_are_replaced_by_the_user(direct: Database) -> None:
    direct.execute(
        f"CREATE ROLE {direct.name}_o; ALTER TABLE image_info OWNER TO {direct.name}_o;"
        f"GRANT SELECT ON spec_info TO {direct.name}_o"
    )
    path = direct.backed_up()
    direct.execute(
        f"REASSIGN OWNED BY {direct.name}_o TO CURRENT_USER; DROP OWNED BY {direct.name}_o"
    )
    direct.server.execute(f"DROP ROLE {direct.name}_o")
    run = direct.restore(path)
    assert run.status == 0, run
    assert f"{direct.name}_o" in run.err
    assert "some grants were skipped" in run.err
    owners = direct.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
    assert owners == [("tumblebug",)]


def test_owners_and_grants_are_restored(direct: Database) -> None:
    role = f"{direct.name}_o"
    direct.execute(
        f"CREATE ROLE {role}; ALTER TABLE image_info OWNER TO {role};"
        f" GRANT SELECT ON spec_info TO {role};"
        f"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {role}"
    )
    before = direct.content()
    run = direct.restore(direct.backed_up())
    assert run.status == 0, run
    assert direct.content() == before
    direct.drop()
    direct.server.execute(f"DROP ROLE {role}")


def test_user_who_may_create_no_database_is_told_so(direct: Database) -> None:
    path = direct.sample_backup()
    direct.server.execute(f"CREATE ROLE {direct.name}_u LOGIN PASSWORD 'x'")
    run = direct.restore(path, TB_POSTGRES_USER=f"{direct.name}_u", TB_POSTGRES_PASSWORD="x")
    assert run.status == 1, run
    assert "may not create the staging database" in run.err and "CREATEDB" in run.err
    direct.server.execute(f"DROP ROLE {direct.name}_u")


# --- what a mode must neither lose nor change ---


@only_with_all
def test_table_that_others_inherit_from_is_replaced_alone(direct: Database) -> None:
    direct.execute(
        "CREATE TABLE parent (n int); CREATE TABLE child () INHERITS (parent);"
        "INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2), (3)"
    )
    path = direct.backed_up()
    before = direct.content()
    direct.execute("DELETE FROM ONLY parent")
    run = direct.restore("--table", "parent", path)
    assert run.status == 0, run
    assert direct.content() == before


def test_missing_partition_loses_no_rows_silently(direct: Database) -> None:
    direct.execute(
        "CREATE TABLE p (k int) PARTITION BY LIST (k); CREATE TABLE p1"
        " PARTITION OF p FOR VALUES IN (1);"
        "CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2); INSERT INTO p VALUES (1), (2), (2)"
    )
    path = direct.backed_up()
    direct.execute(
        "DROP TABLE p2; CREATE TABLE rest PARTITION OF p DEFAULT; INSERT INTO p VALUES (3)"
    )
    before = direct.content()
    run = direct.restore("--table", "p", path)
    assert run.status == 1, run
    assert "could be partitions of p: public.p2; the database is unchanged" in run.err
    assert direct.content() == before


def test_killed_load_fails_even_with_keep_going(direct: Database) -> None:
    path = direct.sample_backup()
    remove_manifest(path)
    direct.execute("DELETE FROM pricing_info")
    before = direct.content()
    killed = 'case " $* " in *--jobs*) kill -9 $$ ;; esac; exec "$REAL" "$@"'
    environment = fake(direct.checkout, pg_restore=killed)
    run = direct.restore("--trust", "--keep-going", path, **environment)
    assert run.status == 1, run
    assert "could not load the backup" in run.err
    assert direct.content() == before
    assert direct.left_behind() == []


def test_data_only_backup_without_rows_changes_no_schema(direct: Database) -> None:
    direct.drop()
    direct.create_empty()
    run = direct.backup("--data-only", "rows.dump.gz")
    assert run.status == 0, run
    assert "has no rows; neither has this backup" in run.err and "next: " not in run.err
    direct.execute("CREATE TABLE later (n int); INSERT INTO later VALUES (1)")
    before = direct.content()
    run = direct.restore("rows.dump.gz")
    assert run.status == 1, run
    assert direct.content() == before


@only_with_all
def test_data_only_refreshes_materialized_views(direct: Database) -> None:
    direct.execute(
        "CREATE MATERIALIZED VIEW providers AS SELECT count(*) AS n FROM spec_info;"
        "CREATE MATERIALIZED VIEW later AS SELECT 1 / 0 AS n WITH NO DATA"
    )
    path = direct.backed_up()
    direct.execute("TRUNCATE spec_info CASCADE; REFRESH MATERIALIZED VIEW providers")
    for settings in ({}, {"RESTORE_IN_PLACE": "yes"}):
        run = direct.restore("--data-only", path, **settings)
        assert run.status == 0, run
        assert direct.execute("SELECT n FROM providers") == [(1200,)]
        assert direct.execute("SELECT relispopulated FROM pg_class WHERE relname = 'later'") == [
            (False,)
        ]


@only_with_all
def test_materialized_view_is_filled_after_its_grants(
    direct: Database,
) -> None:
    a, b = (f"{direct.name}_{letter} with spaces" for letter in "ab")
    direct.execute(
        f'CREATE ROLE "{a}"; CREATE ROLE "{b}"; CREATE SCHEMA mine;'
        f' GRANT ALL ON SCHEMA mine TO "{a}", "{b}";'
        f'SET ROLE "{b}"; CREATE TABLE mine.t AS SELECT 1 AS n; GRANT SELECT ON mine.t TO "{a}";'
        f'SET ROLE "{a}"; CREATE MATERIALIZED VIEW mine.v AS SELECT * FROM mine.t; RESET ROLE'
    )
    path = direct.backed_up()
    before = direct.content()
    run = direct.restore(path)
    assert run.status == 0, run
    assert "will own all objects" not in run.err
    assert direct.content() == before
    assert direct.execute("SELECT n FROM mine.v") == [(1,)]
    direct.drop()
    direct.server.execute(f'DROP ROLE "{a}", "{b}"')


def test_settings_without_effect_on_single_tables_are_named(direct: Database) -> None:
    path = direct.sample_backup()
    keep = {"RESTORE_KEEP_PREVIOUS": "yes", "RESTORE_KEEP_COPY": "yes"}
    run = direct.restore("--table", "region_info", path, **keep)
    assert run.status == 0, run
    for setting in keep:
        assert f"warning: {setting} has no effect with --table" in run.err


def test_database_with_a_subscription_is_not_replaced(direct: Database) -> None:
    path = direct.sample_backup()
    direct.execute(
        "CREATE SUBSCRIPTION s CONNECTION 'host=/nowhere' PUBLICATION p"
        " WITH (connect = false, slot_name = NONE, enabled = false)"
    )
    run = direct.restore(path)
    assert run.status == 1, run
    assert "because it has subscriptions: 's'; the database is unchanged" in run.err
    run = direct.restore(path, RESTORE_IN_PLACE="yes")
    assert run.status == 1 and "because it has subscriptions: 's'" in run.err, run
    assert direct.restore("--table", "region_info", path).status == 0
    direct.execute("DROP SUBSCRIPTION s")


@only_with_all
def test_kept_database_outlives_a_dropped_live_one(direct: Database) -> None:
    path = direct.sample_backup()
    direct.execute("CREATE TABLE kept (n int)")
    assert direct.restore(path, RESTORE_KEEP_PREVIOUS="yes").status == 0
    direct.server.execute(f"DROP DATABASE {direct.name} WITH (FORCE)")
    assert direct.restore(path, RESTORE_KEEP_PREVIOUS="yes").status == 0
    assert direct.checkout.run(ROLLBACK, **CONFIRMED).status == 0
    assert counts(direct, "kept") == [0]


@only_with_all
def test_hundreds_of_columns_are_compared(direct: Database) -> None:
    direct.execute(
        "DO $$ BEGIN FOR i IN 1..700 LOOP EXECUTE format('CREATE TABLE %I"
        " (first_column int, second_column int, third_column int, fourth_column int)',"
        " 'a_rather_long_name_' || i);"
        " END LOOP; END $$"
    )
    path = direct.backed_up()
    run = direct.restore("--data-only", path)
    assert run.status == 0, run


def test_table_with_an_odd_name_is_restored_alone(direct: Database) -> None:
    name = 'a ""b"" (c), $d `e` \'f\' from program;'
    direct.execute(f"""CREATE TABLE "{name}" ("{name}" text, b int, "B" int)""")
    direct.execute(
        f"""INSERT INTO "{name}" VALUES ('\\.', 1, 2), (E'\\\\.\n\\\\! touch x', 3, NULL)"""
    )
    path = direct.backed_up()
    before = direct.content()
    direct.execute(f"""DELETE FROM "{name}" WHERE b = 1""")
    run = direct.restore("--table", name.replace('""', '"'), path)
    assert run.status == 0, run
    assert direct.content() == before


def test_data_only_moves_sequences_beyond_the_loaded_rows(direct: Database) -> None:
    """A sequence that is newer than the backup is not in it."""
    direct.execute("CREATE TABLE numbered AS SELECT generate_series(1, 5) AS n")
    path = direct.backed_up()
    direct.execute("DROP TABLE numbered; CREATE TABLE numbered (n serial)")
    run = direct.restore("--data-only", path)
    assert run.status == 0, run
    assert direct.execute("INSERT INTO numbered DEFAULT VALUES RETURNING n") == [(6,)]


def test_table_that_the_live_database_lacks_is_named_before_the_question(direct: Database) -> None:
    path = direct.sample_backup()
    direct.execute("DROP TABLE pricing_info")
    run = direct.restore("--data-only", "--drop-missing-columns", path, RESTORE_SKIP_CONFIRM="")
    assert run.status == 1, run
    assert "error: the live database lacks these tables of the backup: pricing_info; the" in run.err
    assert "or replace the schema too, with RESTORE_SCHEMA=backup" in run.err


def test_rows_of_tables_that_a_data_only_backup_lacks_are_counted(direct: Database) -> None:
    path = direct.checkout.path / "rows.dump.gz"
    assert direct.backup("--data-only", path).status == 0
    direct.execute(
        "CREATE TABLE newer AS SELECT generate_series(1, 3) AS n;"
        " ALTER TABLE region_info ADD COLUMN zone text"
    )
    run = direct.restore("--dry-run", path)
    assert run.status == 0, run
    assert "will be empty: newer; now 1 table, 3 rows\n" in run.err
    assert "empty or default (table, column): public.region_info zone\n" in run.err


def test_newer_column_that_must_not_be_empty_has_a_hint(direct: Database) -> None:
    path = direct.sample_backup()
    direct.execute(
        "ALTER TABLE region_info ADD COLUMN zone int NOT NULL DEFAULT 1;"
        " ALTER TABLE region_info ALTER zone DROP DEFAULT"
    )
    run = direct.restore("--data-only", path)
    assert run.status == 1 and "violates not-null constraint" in run.err, run
    assert "hint: give the column a default in the live database" in run.err


def test_large_objects_are_refused_in_place_and_skipped_with_table(direct: Database) -> None:
    direct.execute("CREATE TABLE document AS SELECT lo_from_bytea(0, 'x') AS content")
    path = direct.backed_up()
    before = direct.content()
    for options in ((), ("--data-only",)):
        run = direct.restore(*options, path, RESTORE_IN_PLACE="yes")
        assert run.status == 1 and "cannot restore in place: the backup contains large" in run.err
    assert direct.content() == before
    run = direct.restore("--table", "document", path)
    assert run.status == 0 and "warning: skipped: the large objects of the backup" in run.err, run


def test_large_objects_that_a_full_restore_loses_are_named(direct: Database) -> None:
    path = direct.backed_up()
    direct.execute("SELECT lo_create(7777)")
    warning = "warning: the live database has 1 large object, which will be lost: the backup has"
    run = direct.restore("--dry-run", path)
    assert run.status == 0 and warning in run.err, run
    run = direct.restore("--quiet", path)
    assert run.status == 0 and warning in run.err, run


def test_data_only_does_not_lose_large_objects(direct: Database) -> None:
    path = direct.sample_backup()
    direct.execute("SELECT lo_from_bytea(7, 'x'); ALTER TABLE spec_info ADD COLUMN later int")
    before = direct.content()
    run = direct.restore(path)
    assert run.status == 1 and "would lose its large objects" in run.errors[0], run
    assert "hint: to keep them, set RESTORE_IN_PLACE=yes\n" in run.err
    run = direct.restore("--data-only", path, RESTORE_IN_PLACE="yes")
    assert run.status == 0 and direct.content() == before, run
    assert direct.execute("SELECT lo_get(7)") == [(b"x",)]


def test_schema_that_changes_during_a_data_only_restore_stays(direct: Database) -> None:
    path = direct.sample_backup()
    change = f"psql -X -q -d {direct.name} -c 'ALTER TABLE public.region_info ADD later int'"
    changes = f"""
        case " $* " in *" --data-only "*--dbname*|*--dbname*" --data-only "*) {change} ;; esac
        exec "$REAL" "$@"
    """
    run = direct.restore("--data-only", path, **fake(direct.checkout, pg_restore=changes))
    assert run.status == 1 and len(run.errors) == 1, run
    assert "the live schema changed during the restore" in run.err
    assert direct.execute("SELECT count(later) FROM region_info") == [(0,)]
    assert direct.left_behind() == []


def test_sequences_of_the_live_schema_keep_their_values(direct: Database) -> None:
    path = direct.sample_backup()
    direct.execute(
        "CREATE SEQUENCE orders; SELECT setval('orders', 5000);"
        "CREATE SEQUENCE unused; ALTER SEQUENCE unused RESTART WITH 9000"
    )
    run = direct.restore("--data-only", path)
    assert run.status == 0, run
    assert direct.execute("SELECT nextval('orders'), nextval('unused')") == [(5001, 9000)]


@pytest.mark.parametrize("in_place", sampled(["yes", "no"], 1))
def test_deferrable_constraint_is_checked_before_the_commit(
    direct: Database, in_place: str
) -> None:
    direct.execute("CREATE TABLE pairs (id int, n int); INSERT INTO pairs VALUES (1, 1), (1, 2)")
    path = direct.backed_up()
    direct.execute(
        "DELETE FROM pairs WHERE n = 2; ALTER TABLE pairs ADD UNIQUE (id) DEFERRABLE,"
        " ADD EXCLUDE USING btree (id WITH =) DEFERRABLE INITIALLY DEFERRED"
    )
    mode = ["--data-only"] if in_place == "yes" else ["--table", "pairs"]
    run = direct.restore(*mode, path, RESTORE_IN_PLACE=in_place)
    assert run.status == 1 and "could not create exclusion constraint" in run.errors[0], run
    assert direct.execute("SELECT id, n FROM pairs") == [(1, 1)]


@pytest.mark.parametrize("in_place", sampled(["yes", "no"], 1))
@only_with_all
def test_materialized_views_are_refreshed_after_those_that_they_read(
    direct: Database, in_place: str
) -> None:
    direct.execute(
        "CREATE VIEW source AS SELECT count(*) AS n FROM spec_info;"
        "CREATE MATERIALIZED VIEW first AS SELECT n FROM source;"
        "CREATE MATERIALIZED VIEW second AS SELECT count(*) AS n FROM spec_info;"
        "CREATE OR REPLACE VIEW source AS SELECT n FROM second"
    )
    path = direct.backed_up()
    direct.execute(
        "TRUNCATE spec_info CASCADE; REFRESH MATERIALIZED VIEW second;"
        "REFRESH MATERIALIZED VIEW first"
    )
    run = direct.restore("--data-only", path, RESTORE_IN_PLACE=in_place)
    assert run.status == 0, run
    assert direct.execute("SELECT first.n, second.n FROM first, second") == [(1200, 1200)]
    run = direct.checkout.run(CLEAN, "-y")
    assert run.status == 0, run
    assert direct.execute("SELECT first.n, second.n FROM first, second") == [(0, 0)]


@only_with_all
def test_subscription_is_not_in_a_backup(direct: Database) -> None:
    subscribe = (
        "CREATE SUBSCRIPTION s CONNECTION 'dbname=none' PUBLICATION p"
        " WITH (connect = false, slot_name = NONE, enabled = false)"
    )
    direct.execute(subscribe)
    path = direct.checkout.default_backup
    assert direct.backup(path).status == 0
    archive = direct.server.client(
        "pg_dump", "-Fc", "-d", direct.name
    ).stdout  # another one, with the subscription
    (direct.checkout.path / "other.dump").write_bytes(archive)
    direct.execute("DROP SUBSCRIPTION s")
    for file in (path, "./other.dump"):
        run = direct.restore(file, RESTORE_TRUST="yes")
        assert run.status == 0, run
        assert direct.execute("SELECT count(*) FROM pg_subscription WHERE subname = 's'") == [(0,)]
    assert direct.left_behind() == []
