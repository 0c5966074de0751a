"""A restore in place, by a user who may not create databases: one transaction, or nothing."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator

import pytest
from support.backups import manifest_of, remove_manifest, rewrite_manifest
from support.databases import Database, database_of_role
from support.fakes import fake
from support.kinds import create_kinds, drop_kinds, everything
from support.run import CLEAN, CONFIRMED, DOCTOR, RESTORE, ROLLBACK, STATS, Checkout, Run
from support.running import waiting_run
from support.sampling import only_with_all, sampled
from support.servers import DirectServer

IN_PLACE = {"RESTORE_IN_PLACE": "yes"}
ROWS = "DELETE FROM image_infos; UPDATE spec_infos SET name = uid;"
OBJECTS = """
CREATE VIEW images AS SELECT * FROM image_infos;
CREATE TYPE colour AS ENUM ('red');
CREATE TABLE later (n int GENERATED ALWAYS AS IDENTITY, c colour, s serial) PARTITION BY LIST (n);
CREATE TABLE later_1 PARTITION OF later FOR VALUES IN (1);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE FUNCTION f(colour) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE SCHEMA other; CREATE TABLE other.t AS SELECT 1 AS n;
CREATE STATISTICS s ON n, s FROM later;
CREATE PUBLICATION p FOR TABLE later;
SELECT lo_create(0);
ALTER TABLE spec_infos ADD COLUMN more int;
DROP TABLE latency_infos;
"""


@pytest.fixture
def limited(direct_server: DirectServer, checkout: Checkout) -> Iterator[Database]:
    """A database whose owner may do nothing else."""
    yield from database_of_role(direct_server, checkout)


def as_owner(database: Database, statements: str) -> None:
    database.execute(f"SET ROLE {database.checkout.environment['TB_POSTGRES_USER']}; {statements}")


def test_restore_in_place_replaces_everything(limited: Database) -> None:
    before = limited.content()
    run = limited.backup(BACKUP_COMPRESSION="smallest")
    assert run.status == 0 and "may not create the staging database" in run.err, run
    as_owner(limited, ROWS + OBJECTS)
    changed = limited.content()
    run = limited.restore()
    assert run.status == 1 and len(run.errors) == 1 and limited.content() == changed, run
    assert "may not create the staging database; the database is unchanged" in run.err, run
    assert "RESTORE_IN_PLACE=yes" in run.err and "while clients wait" in run.err, run
    run = limited.restore("--dry-run", **IN_PLACE)
    assert run.status == 0 and limited.content() == changed, run
    run = limited.restore(**IN_PLACE)
    assert run.status == 0 and "2,981 rows" in run.err, run
    assert "will be replaced in one transaction, while clients wait" in run.err, run
    assert limited.content() == before and limited.left_behind() == []
    assert limited.execute("SELECT count(*) FROM pg_largeobject_metadata") == [(0,)]


@pytest.mark.parametrize("mode", sampled(["live", "backup"], 0))
def test_objects_of_every_kind_are_replaced_in_place(direct: Database, mode: str) -> None:
    role = create_kinds(direct)
    assert "large objects" in direct.restore(direct.backed_up(), **IN_PLACE).errors[0]
    direct.execute("SELECT lo_unlink(oid) FROM pg_largeobject_metadata")
    before = everything(direct)
    direct.backed_up()
    direct.execute("INSERT INTO kinds.many (n) VALUES (77); TRUNCATE kinds.years, kinds.secret;")
    if mode == "backup":
        direct.execute("CREATE VIEW later AS SELECT * FROM kinds.many; SELECT lo_create(0)")
    run = direct.restore("--schema", mode, **IN_PLACE)
    assert run.status == 0, run
    after = everything(direct)
    if mode == "live":  # its sequences stay, of which pg_dump may write more
        before, after = ({**each, "sequences": []} for each in (before, after))
    assert after == before
    drop_kinds(direct, role)


@pytest.mark.parametrize(
    ("options", "restored"),
    sampled(
        [
            (("--table", "image_infos"), {"public.image_infos"}),
            (("--data-only",), {"public.image_infos", "public.spec_infos"}),
        ],
        1,
    ),
)
def test_rows_are_replaced_in_place(
    limited: Database, options: tuple[str, ...], restored: set[str]
) -> None:
    limited.backed_up()
    backed_up = limited.content()
    as_owner(limited, ROWS + "CREATE VIEW images AS SELECT * FROM image_infos")
    changed = limited.content()
    run = limited.restore(*options, **IN_PLACE)
    assert run.status == 0 and "in one transaction, while clients wait" in run.err, run
    assert limited.content() == changed | {table: backed_up[table] for table in restored}


def assert_unchanged(database: Database, before: dict, *arguments: str, **environment: str) -> Run:
    """Return how a restore in place was refused: in one sentence, with the database unchanged."""
    run = database.restore(*arguments, **IN_PLACE, **environment)
    assert run.status == 1 and len(run.errors) == 1, run
    assert run.errors[0].endswith("; the database is unchanged"), run
    assert database.content() == before and database.left_behind() == []
    return run


def test_rows_that_differ_from_the_manifest_are_not_committed(limited: Database) -> None:
    path = limited.backed_up()
    manifest = manifest_of(path).read_text()
    rewrite_manifest(path, re.sub("^81 -?[0-9]+ ", "81 5 ", manifest, flags=re.MULTILINE))
    as_owner(limited, ROWS)
    before = limited.content()
    run = assert_unchanged(limited, before)
    assert "cannot restore an untrusted backup in place" in run.err and "--trust" in run.err, run
    for options in sampled([("--data-only",), (), ("--table", "latency_infos")], 1):
        run = assert_unchanged(limited, before, *options, RESTORE_TRUST="yes")
        assert "differ from the manifest: public.latency_infos" in run.errors[0], run


def test_failing_pg_restore_is_named_and_nothing_is_committed(limited: Database) -> None:
    path = limited.backed_up()
    remove_manifest(path)  # which would show the missing rows
    as_owner(limited, ROWS)
    before = limited.content()
    script = """case " $* " in *' --data-only '*/entry*) ;; *) exec "$REAL" "$@" ;; esac
        "$REAL" "$@" | head -n 200; exit 1"""
    failing = fake(limited.checkout, pg_restore=script)
    run = assert_unchanged(limited, before, RESTORE_TRUST="yes", **failing)
    assert "could not restore in place: " in run.errors[0], run


@only_with_all
def test_client_with_a_lock_is_named(limited: Database) -> None:
    limited.backed_up()
    before = limited.content()
    with limited.server.connect(limited.name) as client, client.transaction():
        client.execute("SELECT FROM image_infos")
        started = time.monotonic()
        run = limited.restore(**IN_PLACE)
        assert time.monotonic() - started < 20
    assert run.status == 1 and len(run.errors) == 1, run
    assert "are locked by " in run.errors[0] and run.errors[0].endswith("is unchanged"), run
    assert limited.content() == before and limited.left_behind() == []


def test_interrupted_restore_in_place_changes_nothing(limited: Database) -> None:
    limited.backed_up()
    as_owner(limited, ROWS)
    before = limited.content()
    waiting = {"program": "pg_restore", "arguments": "*--section=post-data*"}
    with waiting_run(limited.checkout, RESTORE, **waiting, **IN_PLACE) as (process, _):
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert err.splitlines()[-1] == "interrupted; the database is unchanged"
    assert limited.content() == before and limited.left_behind() == []


def test_what_needs_a_staging_database_is_refused_in_place(limited: Database) -> None:
    before = limited.content()
    for options, settings in (
        (["--keep-going"], {}),
        (["--drop-missing-columns"], {}),
        ([], {"RESTORE_KEEP_PREVIOUS": "yes"}),
        ([], {"RESTORE_KEEP_COPY": "yes"}),
    ):
        run = limited.restore(*options, **IN_PLACE, **settings)
        assert run.status == 2 and len(run.errors) == 1, run
        assert "cannot combine RESTORE_IN_PLACE=yes and " in run.err, run
    assert limited.restore(RESTORE_IN_PLACE="1").status == 2
    assert limited.content() == before


def test_line_break_in_a_name_needs_a_staging_database(limited: Database) -> None:
    as_owner(limited, 'CREATE TABLE "a\nb" AS SELECT 1 AS n')
    limited.backed_up()
    before = limited.content()
    run = assert_unchanged(limited, before)
    assert "control characters" in run.errors[0] and "into a staging database" in run.err, run
    as_owner(limited, "CREATE TABLE later ()")  # so only rows would be restored
    run = assert_unchanged(limited, limited.content())
    assert "only a full restore into a staging database can" in run.errors[0], run


def test_objects_of_other_roles_are_named_and_stay(limited: Database) -> None:
    limited.backed_up()
    limited.execute("CREATE TABLE others (); CREATE SCHEMA tools; CREATE TYPE tools.t AS ()")
    before = limited.content()
    run = assert_unchanged(limited, before)
    assert "has no right to replace table public.others, type tools.t" in run.errors[0], run
    assert "--table NAME" in run.err, run
    limited.execute("DROP TABLE others; DROP TYPE tools.t; CREATE EXTENSION citext")
    backed_up = limited.content()
    as_owner(limited, ROWS)
    assert limited.restore(**IN_PLACE).status == 0
    assert limited.content() == backed_up  # the schema and the extension of another role stay


def test_rows_that_the_user_may_not_replace_are_refused_before_the_question(
    limited: Database,
) -> None:
    limited.backed_up()
    limited.execute("ALTER TABLE spec_infos OWNER TO CURRENT_USER")
    limited.execute("GRANT SELECT, INSERT ON spec_infos TO PUBLIC")
    before = limited.content()
    for options in (("--table", "spec_infos"), ("--data-only", "--dry-run")):
        run = assert_unchanged(limited, before, *options)
        assert "lacks rights on table public.spec_infos;" in run.errors[0], run
        assert "hint: set TB_POSTGRES_USER" in run.err
        assert "be replaced" not in run.err
    limited.execute("GRANT TRUNCATE ON spec_infos TO PUBLIC; DELETE FROM spec_infos")
    run = limited.restore("--table", "spec_infos", **IN_PLACE)
    assert run.status == 0 and "900 rows" in run.err, run
    limited.execute(
        "ALTER TABLE spec_infos ADD number serial;"
        "CREATE MATERIALIZED VIEW others AS SELECT 1 AS n; GRANT SELECT ON others TO PUBLIC"
    )
    run = assert_unchanged(limited, limited.content(), "--table", "spec_infos", "--dry-run")
    assert "lacks rights on sequence public.spec_infos_number_seq;" in run.errors[0], run
    limited.execute("GRANT ALL ON SEQUENCE spec_infos_number_seq TO PUBLIC")
    run = assert_unchanged(limited, limited.content(), "--data-only", "--dry-run")
    assert "lacks rights on materialized view public.others;" in run.errors[0], run


EXTENSIONS = """
CREATE SCHEMA others; CREATE SCHEMA owners AUTHORIZATION {owner};
CREATE EXTENSION citext; CREATE EXTENSION pg_stat_statements SCHEMA others;
CREATE EXTENSION pg_trgm SCHEMA owners;
CREATE TABLE settings AS SELECT 1 AS n; CREATE SEQUENCE numbers;
GRANT ALL ON settings, numbers TO {owner};
ALTER EXTENSION citext ADD TABLE settings; ALTER EXTENSION citext ADD SEQUENCE numbers;
UPDATE pg_extension
SET extconfig = ARRAY['settings'::regclass::oid, 'numbers'::regclass], extcondition = ARRAY['', '']
WHERE extname = 'citext';
SET ROLE {owner};
CREATE TABLE owners.words AS SELECT 'a'::citext AS word;
CREATE INDEX ON owners.words USING gin (word owners.gin_trgm_ops);
"""


def test_extensions_with_their_schemas_and_rows_stay_in_place(limited: Database) -> None:
    limited.execute(EXTENSIONS.format(owner=limited.checkout.environment["TB_POSTGRES_USER"]))
    limited.backed_up()
    before = limited.content()
    as_owner(limited, ROWS + "CREATE VIEW owners.v AS SELECT; CREATE EXTENSION pgcrypto")
    run = limited.restore("--schema", "backup", **IN_PLACE)
    assert run.status == 0, run
    limited.execute("DROP EXTENSION pgcrypto")  # which stayed too
    assert limited.content() == before


def test_user_without_right_to_create_databases_can_do_the_rest(limited: Database) -> None:
    run = limited.checkout.run(ROLLBACK, **CONFIRMED)
    assert run.status == 1 and "there is no previous database" in run.errors[0], run
    assert limited.checkout.run(STATS).status == 0
    run = limited.checkout.run(DOCTOR, **IN_PLACE)
    assert run.status == 0 and "restores are done in place" in run.out, run
    assert limited.checkout.run(CLEAN, **CONFIRMED).status == 0
    assert limited.execute("SELECT count(*) FROM image_infos") == [(0,)]


def test_table_whose_longer_name_begins_like_a_chosen_one_is_unchanged(direct: Database) -> None:
    direct.execute(
        'CREATE TABLE "region_info old" AS SELECT 1 AS n; CREATE SCHEMA "public region_info";'
        ' CREATE TABLE "public region_info".t AS SELECT 2 AS n'
    )
    path = direct.backed_up()
    before = direct.content()
    direct.execute("UPDATE region_info SET latitude = 0")
    run = direct.restore("--table", "region_info", path, **IN_PLACE)
    assert run.status == 0, run
    assert direct.content() == before
