"""RESTORE_KEEP_COPY: the next restore of the same backup clones a copy instead of loading."""

from __future__ import annotations

import os
import re
import signal

import pytest
from support.backups import manifest_of, remove_manifest
from support.databases import Database
from support.fakes import fake
from support.run import DROP, RESTORE, STATS
from support.running import waiting_run
from support.sampling import only_with_all, sampled

KEEP = {"RESTORE_KEEP_COPY": "yes"}
MANIFEST = re.compile(r"^created: (.*)$[\s\S]*?^sha256: (.*)$", re.MULTILINE)
CHANGE = "DELETE FROM pricing_info; UPDATE spec_info SET cost_per_hour = 0"
CLONING = "cloning the copy"
LOADING = "loading the backup"


def copies(database: Database) -> set[str]:
    """Return the copies that restores have kept on the server."""
    return {name for name in database.databases() if name.startswith("assets_copy_")}


def comment(database: Database) -> str:
    query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '{}'"
    (copy,) = copies(database)
    return database.execute(query.format(copy))[0][0]


@pytest.fixture
def kept(direct: Database) -> Database:
    """A database with a copy of its sample backup, changed since."""
    run = direct.restore(direct.sample_backup(), **KEEP)
    assert run.status == 0 and LOADING in run.err, run
    assert re.search(r"kept a copy of [\d.]+ MB; 'make drop-copy' drops it\n", run.err), run
    direct.execute(CHANGE)
    return direct


@pytest.mark.parametrize("backend", sampled(["direct", "docker"], 1))
def test_second_restore_clones_the_copy(request: pytest.FixtureRequest, backend: str) -> None:
    database = request.getfixturevalue(backend)
    path = database.sample_backup()
    before = database.content()
    for steps in (LOADING, CLONING):
        database.execute(CHANGE)
        run = database.restore(path, **KEEP)
        assert run.status == 0 and steps in run.err and "verifying" in run.err, run
        assert database.content() == before
        assert database.databases() == copies(database) and len(copies(database)) == 1
    created, sha256 = MANIFEST.search(manifest_of(path).read_text()).groups()
    assert comment(database).startswith(f"backup of {created}, SHA-256 {sha256}, ")
    assert database.execute("SELECT count(*) > 0 FROM pg_stats WHERE schemaname = 'public'") == [
        (True,)
    ]
    connections = f"SELECT datallowconn FROM pg_database WHERE datname = '{copies(database).pop()}'"
    assert database.execute(connections) == [(False,)]


@only_with_all
def test_copy_of_another_backup_is_replaced_only_on_request(kept: Database) -> None:
    other = kept.backed_up(kept.checkout.path / "other.dump.gz")
    run = kept.restore()
    assert run.status == 0 and CLONING in run.err, run
    kept.execute(CHANGE)
    changed, before = kept.content(), comment(kept)
    for settings in ({}, KEEP):
        run = kept.restore(other, **settings)
        assert run.status == 0 and LOADING in run.err, run
        assert kept.content() == changed
        assert (comment(kept) == before) == (not settings)


@only_with_all
def test_newer_live_schema_is_kept_or_replaced(kept: Database) -> None:
    kept.execute("ALTER TABLE spec_info ADD COLUMN newer text")
    run = kept.restore()
    assert run.status == 0 and LOADING in run.err, run
    assert kept.execute("SELECT count(newer) FROM spec_info") == [(0,)]
    run = kept.restore("--schema", "backup")
    assert run.status == 0 and CLONING in run.err, run
    columns = (
        "SELECT FROM pg_attribute WHERE attrelid = 'spec_info'::regclass AND attname = 'newer'"
    )
    assert kept.execute(columns) == []


def test_large_objects_that_a_copy_may_not_have_are_named(kept: Database) -> None:
    kept.execute("SELECT lo_create(7777)")
    run = kept.restore("--quiet")
    warning = "warning: the live database has 1 large object, which will be replaced by those of"
    assert run.status == 0 and warning in run.err, run


@only_with_all
def test_other_modes_load_the_backup(kept: Database) -> None:
    for options in (("--table", "pricing_info"), ("--keep-going",), ("--data-only",)):
        run = kept.restore(*options)
        assert run.status == 0 and LOADING in run.err, run


@only_with_all
def test_restore_with_other_rights_loads_the_backup(kept: Database) -> None:
    kept.checkout.key.unlink()  # so that the backup is untrusted
    run = kept.restore(**KEEP)
    assert run.status == 0 and LOADING in run.err, run
    for trust, step in (({}, CLONING), ({"RESTORE_TRUST": "yes"}, LOADING)):
        run = kept.restore(**trust)
        assert run.status == 0 and step in run.err, run


@only_with_all
def test_copy_of_another_owner_is_not_used(kept: Database) -> None:
    """Whoever may create databases can make one of that name, and own what is cloned from it."""
    role = f"other_{kept.name}"
    (copy,) = copies(kept)
    kept.server.execute(f"CREATE ROLE {role}", f"ALTER DATABASE {copy} OWNER TO {role}")
    run = kept.restore()
    assert run.status == 0 and LOADING in run.err, run
    kept.server.execute(f"DROP DATABASE {copy}", f"DROP ROLE {role}")


def test_damaged_copy_is_found_and_nothing_changes(kept: Database) -> None:
    (copy,) = copies(kept)
    kept.execute(f"ALTER DATABASE {copy} ALLOW_CONNECTIONS true")
    kept.server.execute("DELETE FROM pricing_info WHERE ctid = '(0,1)'", database=copy)
    kept.execute(f"ALTER DATABASE {copy} ALLOW_CONNECTIONS false")
    before = kept.content()
    run = kept.restore()
    assert run.status == 1, run
    assert "differs from the manifest: public.pricing_info; the database is unchanged" in run.err
    assert "make drop-copy" in run.err
    assert kept.content() == before
    assert kept.checkout.run(DROP).status == 0
    run = kept.restore()
    assert run.status == 0 and LOADING in run.err, run


def test_damaged_backup_is_refused_although_there_is_a_copy(kept: Database) -> None:
    path = kept.checkout.default_backup
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    before = kept.content()
    run = kept.restore()
    assert run.status == 1 and "is damaged" in run.err, run
    assert kept.content() == before


@only_with_all
def test_copy_without_its_comment_is_removed(kept: Database) -> None:
    (copy,) = copies(kept)
    kept.execute(f"COMMENT ON DATABASE {copy} IS NULL")
    run = kept.restore()
    assert run.status == 0 and f"removed what a crashed run left: {copy}" in run.err, run
    assert LOADING in run.err and copies(kept) == set()


@pytest.mark.parametrize("what", sampled(["encoding", "absent"], 1))
def test_copy_must_fit_the_live_database(kept: Database, what: str) -> None:
    kept.server.execute(f"DROP DATABASE {kept.name}")
    if what == "encoding":
        kept.create_empty("TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'")
    run = kept.restore()
    assert run.status == 0 and (CLONING if what == "absent" else LOADING) in run.err, run


@only_with_all
@pytest.mark.parametrize("what", sampled(["copy", "clone"], 1))
def test_killed_while_cloning_changes_nothing(kept: Database, what: str) -> None:
    if what == "copy":
        assert kept.checkout.run(DROP).status == 0
    before = kept.content()
    target = {"copy": "assets_copy_", "clone": "assets_staging_"}[what]
    with waiting_run(
        kept.checkout,
        RESTORE,
        program="psql",
        arguments=f"*target={target}*",
        **KEEP,
    ) as (process, _):
        os.kill(process.pid, signal.SIGKILL)
    assert kept.content() == before
    run = kept.restore(**KEEP)
    assert run.status == 0, run
    assert len(copies(kept)) == 1 and kept.databases() == copies(kept)


def test_copy_that_fails_ends_in_a_warning(direct: Database) -> None:
    path = direct.sample_backup()
    failing = """case " $* " in *target=assets_copy_*) echo 'ERROR:  no room' >&2; exit 3 ;; esac
        exec "$REAL" "$@\""""
    run = direct.restore(path, **KEEP, **fake(direct.checkout, psql=failing))
    assert run.status == 3, run
    assert "warning: could not keep a copy: no room" in run.err
    assert "restored " in run.err and direct.databases() == set()


@pytest.mark.parametrize("case", ["no manifest", "role"])
def test_no_copy_is_kept_of_an_incomplete_restore(direct: Database, case: str) -> None:
    if case == "role":
        direct.execute("CREATE ROLE gone_soon; ALTER TABLE pricing_info OWNER TO gone_soon")
        path = direct.backed_up()
        direct.execute("ALTER TABLE pricing_info OWNER TO CURRENT_USER; DROP ROLE gone_soon")
    else:
        path = direct.sample_backup()
        remove_manifest(path)
    run = direct.restore(path, **KEEP, RESTORE_TRUST="yes")
    assert run.status == 0 and "no copy is kept, because" in run.err, run
    assert direct.databases() == set()


def test_stats_shows_the_copy_and_drop_copy_drops_it(kept: Database) -> None:
    run = kept.checkout.run(STATS)
    created = MANIFEST.search(manifest_of(kept.checkout.default_backup).read_text())[1]
    shown = rf"kept copy: [\d.]+ MB, backup of {created}"
    assert run.status == 0 and re.search(shown + "; 'make drop-copy' drops it", run.err), run
    run = kept.checkout.run("make", "drop-copy")
    assert run.status == 0 and re.search(rf"dropped the {shown}", run.err), run
    run = kept.checkout.run(DROP)
    assert run.status == 0 and "there is no kept copy" in run.err, run
    assert kept.databases() == set()


def test_copy_is_not_used_after_its_owner_has_changed(kept: Database) -> None:
    """REASSIGN OWNED gives the databases to the new owner, but not the tables in the copy."""
    role = f"heir_{kept.name}"
    (copy,) = copies(kept)
    kept.server.execute(f"CREATE ROLE {role}")
    for database in (kept.name, copy):
        kept.server.execute(f"ALTER DATABASE {database} OWNER TO {role}")
    try:
        run = kept.restore(kept.checkout.default_backup)
        assert run.status == 0 and LOADING in run.err, run
    finally:
        for database in (kept.name, copy):
            kept.server.execute(f"ALTER DATABASE {database} OWNER TO CURRENT_USER")
        kept.execute(f"REASSIGN OWNED BY {role} TO CURRENT_USER")
        kept.server.execute(f"DROP ROLE {role}")
