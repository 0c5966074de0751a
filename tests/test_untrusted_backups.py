"""Untrusted backups: no SQL of their authors does harm, during the restore or later."""

from __future__ import annotations

import gzip
import os
import re
import secrets
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.backups import manifest_of, remove_manifest, rewrite_manifest
from support.databases import Database, untrusted_dump
from support.fakes import count_calls, fake
from support.run import Checkout, Run, new_checkout
from support.sampling import only_with_all, sampled
from support.servers import started_container

NOWHERE = "/nonexistent"


def forget_key(database: Database) -> None:
    """Make every backup untrusted: remove the key that its signature is checked with."""
    database.checkout.key.unlink(missing_ok=True)


@pytest.fixture
def marker() -> str:
    """A file on the server that only an attack creates; each test has its own."""
    return f"/tmp/pwned-{secrets.token_hex(4)}"


def state(database: Database) -> tuple:
    """Return what no attack may change: the database, the roles, the other databases."""
    roles = "SELECT rolname, rolsuper, rolcanlogin FROM pg_roles ORDER BY 1"
    databases = "SELECT datname, datacl::text FROM pg_database ORDER BY 1"
    settings = "SELECT * FROM pg_db_role_setting"
    others = [database.server.execute(query) for query in (roles, databases, settings)]
    return database.content(), *others


def assert_harmless(database: Database, path: Path, marker: str, *options: str) -> Run:
    forget_key(database)
    before = state(database)
    run = database.restore(*options, path)
    assert run.status == 1, run
    assert re.search("^error: .*; the database is unchanged$", run.err, re.MULTILINE), run
    database.execute("ANALYZE")
    assert database.backup("after.dump.gz").status == 0
    assert state(database) == before
    assert database.server.client("sh", "-c", f"ls {marker} 2>/dev/null || true").stdout == b""
    assert database.left_behind() == []
    return run


SHELL = "COPY (SELECT 1) TO PROGRAM 'touch {marker}'"
FUNCTION = (
    "CREATE FUNCTION f(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN"
    f" {SHELL.replace(chr(39), chr(39))}; RETURN n; END $$"
)
HARMLESS_FUNCTION = "CREATE FUNCTION f(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n'"
# What the error names, and the SQL that creates it. The error names 20 objects at most.
FUNCTIONS = {
    "function public.f(integer)": f"{FUNCTION}; {HARMLESS_FUNCTION.replace('f(', 'g(')}",
    "trigger t on table public.empty_table": "CREATE FUNCTION t() RETURNS trigger LANGUAGE plpgsql"
    " AS $$ BEGIN PERFORM public.f(1); RETURN NEW; END $$;"
    "CREATE TRIGGER t BEFORE INSERT ON empty_table FOR EACH ROW EXECUTE FUNCTION t()",
    "index public.spec_info_g_idx calls public.g(integer)": "CREATE INDEX ON spec_info (g(v_cpu))",
    "constraint spec_info_v_cpu_check on table public.spec_info calls public.g(integer)": (
        "ALTER TABLE spec_info ADD CHECK (g(v_cpu) > 0)"
    ),
    "default value for column g of table public.spec_info calls public.g(integer)": (
        "ALTER TABLE spec_info ADD g int GENERATED ALWAYS AS (g(v_cpu)) STORED"
    ),
    "default value for column nothing of table public.empty_table calls public.g(integer)": (
        "ALTER TABLE empty_table ALTER nothing SET DEFAULT g(1)"
    ),
    'calls "extract"(text,date)': (
        "ALTER TABLE empty_table ADD day date CHECK (EXTRACT(year FROM day) > 0)"
    ),
    "calls query_to_xml(text,boolean,boolean,text)": (
        "ALTER TABLE empty_table ADD t text DEFAULT query_to_xml('SELECT 1', true, true, '')::text"
    ),
    "constraint d_check calls public.g(integer)": "CREATE DOMAIN d AS int CHECK (g(VALUE) > 0)",
    "cast from public.two to integer": "CREATE TYPE two AS (n int);"
    "CREATE FUNCTION c(two) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';"
    "CREATE CAST (two AS int) WITH FUNCTION c(two)",
}
OBJECTS = {
    "rule r on table public.empty_table": (
        "CREATE RULE r AS ON INSERT TO empty_table DO ALSO NOTIFY x"
    ),
    "view public.v": "CREATE VIEW v AS SELECT pg_read_file('PG_VERSION') AS version",
    "materialized view public.m": "CREATE MATERIALIZED VIEW m AS SELECT 1 AS n",
    "policy p on table public.empty_table": "CREATE POLICY p ON empty_table USING (true)",
    "row security on table public.empty_table": (
        "ALTER TABLE empty_table ENABLE ROW LEVEL SECURITY"
    ),
    "publication p": "CREATE PUBLICATION p FOR TABLE empty_table",
    "operator public.===(integer,integer)": (
        "CREATE OPERATOR === (FUNCTION = int4eq, LEFTARG = int, RIGHTARG = int)"
    ),
    "collation public.c": 'CREATE COLLATION c FROM "C"',
    "large object ": "SELECT lo_from_bytea(0, 'x')",
    "statistics object public.s": "CREATE STATISTICS s ON v_cpu, cost_per_hour FROM spec_info",
    "type public.r": "CREATE TYPE r AS RANGE (subtype = int)",
}
EVENT_TRIGGER = (
    "CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;"
    "CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION e();"
    "ALTER EVENT TRIGGER e DISABLE"
)


@pytest.mark.parametrize("objects", [FUNCTIONS, OBJECTS], ids=["functions", "others"])
def test_each_object_that_could_run_code_is_named(
    direct: Database, marker: str, objects: dict[str, str]
) -> None:
    path = untrusted_dump(direct, ";".join(objects.values()).replace("{marker}", marker))
    run = assert_harmless(direct, path, marker)
    named = run.errors[0].partition("untrusted backup: ")[2]
    assert [name for name in objects if name not in named] == []


@pytest.mark.parametrize(
    "sql",
    sampled([OBJECTS["view public.v"], EVENT_TRIGGER, FUNCTIONS["function public.f(integer)"]], 1),
)
def test_object_that_could_run_code_is_refused(direct: Database, marker: str, sql: str) -> None:
    assert_harmless(direct, untrusted_dump(direct, sql.replace("{marker}", marker)), marker)


@only_with_all
def test_extension_is_named_instead_of_its_members(direct: Database) -> None:
    """What the author has added to it is named too."""
    path = untrusted_dump(
        direct,
        "CREATE EXTENSION pgcrypto; CREATE VIEW v AS SELECT 1 AS n",
        patched="SET search_path = public;"
        f" {HARMLESS_FUNCTION}; ALTER EXTENSION pgcrypto ADD FUNCTION f(int);",
    )
    run = assert_harmless(direct, path, NOWHERE)
    named = "extension pgcrypto, function public.f(integer), view public.v"
    assert f"untrusted backup: {named}; the database" in run.errors[0], run


@only_with_all
def test_audit_counts_the_objects_that_it_does_not_name(direct: Database) -> None:
    views = ";".join(f"CREATE VIEW v{n} AS SELECT 1 AS n" for n in range(10, 35))
    run = assert_harmless(direct, untrusted_dump(direct, views), NOWHERE)
    assert run.errors[0].endswith("view public.v29 and 5 more; the database is unchanged"), run


@pytest.fixture
def ordinary_role(direct: Database) -> Iterator[str]:
    """The owner of the database, who may create databases, and is no superuser."""
    role = f"ordinary_{direct.name}"
    direct.execute(f"CREATE ROLE {role} LOGIN CREATEDB PASSWORD 'x'")
    direct.execute(f"ALTER DATABASE {direct.name} OWNER TO {role}")
    yield role
    direct.execute(f"ALTER DATABASE {direct.name} OWNER TO CURRENT_USER; DROP ROLE {role}")


def test_file_is_checked_before_trust_is_asked_for(direct: Database, ordinary_role: str) -> None:
    """Without a superuser, an untrusted backup is refused; a broken file is named as such."""
    path = direct.sample_backup()
    whole = path.read_bytes()
    forget_key(direct)
    user = {"TB_POSTGRES_USER": ordinary_role, "TB_POSTGRES_PASSWORD": "x"}
    for content, has_trust_hint in ((whole, True), (whole[:-9000], False), (b"PGDMP", False)):
        path.write_bytes(content)
        if not has_trust_hint:
            manifest_of(path).unlink(missing_ok=True)
        run = direct.restore(path, **user)
        assert run.status == 1, run
        assert ("RESTORE_TRUST" in run.err) == has_trust_hint, run
        assert ("is not a superuser" in run.err) == has_trust_hint, run
    assert direct.left_behind() == []


def test_key_is_missed_only_if_the_backup_was_signed(direct: Database, ordinary_role: str) -> None:
    path = direct.sample_backup()
    forget_key(direct)
    user = {"TB_POSTGRES_USER": ordinary_role, "TB_POSTGRES_PASSWORD": "x"}
    run = direct.restore(path, **user)
    assert "is your own, copy the key that signed it to this machine" in run.err, run
    del direct.checkout.environment["HOME"]
    run = direct.restore(path, **user)
    assert "is your own, set TB_ASSETS_KEY_FILE to the key that signed it" in run.err, run
    remove_manifest(path)
    run = direct.restore(path, **user)
    assert run.status == 1 and "is your own" not in run.err, run


def test_unlogged_tables_and_sequences_are_refused(direct: Database) -> None:
    path = untrusted_dump(
        direct,
        "CREATE UNLOGGED TABLE u (n int PRIMARY KEY); CREATE UNLOGGED SEQUENCE s;"
        "CREATE UNLOGGED TABLE parted (n int) PARTITION BY LIST (n)",
    )
    run = assert_harmless(direct, path, NOWHERE)
    assert (
        ": unlogged sequence public.s, unlogged table public.parted, unlogged table public.u; "
        in run.err
    ), run


def test_schemas_searched_before_public_are_refused(direct: Database) -> None:
    names = ["tumblebug", "a", "B", "c", "d", "z"]
    path = untrusted_dump(direct, ";".join(f'CREATE SCHEMA "{name}"' for name in names))
    live, role = direct.name, f"{direct.name}_r"
    settings = [
        f"CREATE ROLE {role}",
        f"ALTER DATABASE {live} SET search_path = a, public, z",
        f'ALTER ROLE {role} SET search_path = pg_catalog, "B", public',
        f"ALTER ROLE {role} IN DATABASE {live} SET search_path = c",
        "ALTER SYSTEM SET search_path = D, public",
        "SELECT pg_reload_conf()",
    ]
    with direct.server.connect() as connection:
        connection.autocommit = True
        for setting in settings:
            connection.execute(setting)
        try:
            run = assert_harmless(direct, path, NOWHERE)
        finally:
            connection.execute("ALTER SYSTEM RESET search_path")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute(f"ALTER ROLE {role} IN DATABASE {live} RESET ALL")
            connection.execute(f"DROP ROLE {role}")
    found = re.findall('schema "?([a-zA-Z]+)"? is searched before public', run.err)
    assert sorted(found) == sorted(set(names) - {"z"}), run


def test_schemas_that_public_comes_before_are_restored(direct: Database) -> None:
    path = untrusted_dump(direct, "CREATE SCHEMA later; CREATE TABLE later.t (n int)")
    direct.execute(f"ALTER DATABASE {direct.name} SET search_path = public, later")
    forget_key(direct)
    run = direct.restore(path)
    assert run.status == 0, run
    assert direct.execute("SELECT count(*) FROM t") == [(0,)]


PATCHES = {
    "shell": SHELL,
    "shell in a block": "DO $x$ BEGIN"
    " EXECUTE $y$COPY (SELECT 1) TO PROGRAM 'touch {marker}'$y$; END $x$",
    "superuser": "ALTER ROLE CURRENT_USER SUPERUSER",
    "another role": "CREATE ROLE pwned SUPERUSER LOGIN",
    "session authorization": "SET SESSION AUTHORIZATION tumblebug;"
    " COPY (SELECT 1) TO PROGRAM 'touch {marker}'",
    "reset": "RESET SESSION AUTHORIZATION; RESET ROLE; COPY (SELECT 1) TO PROGRAM 'touch {marker}'",
    "set role": "SET ROLE tumblebug; ALTER ROLE tumblebug CONNECTION LIMIT 0",
    "file": "COPY public.empty_table FROM '/etc/passwd'",
    "export": "SELECT lo_export(lo_from_bytea(0, 'x'), '{marker}')",
    "live database": "ALTER DATABASE {live} RENAME TO pwned",
    "drop": "DROP DATABASE {live}",
    "settings of staging": "DO $x$ BEGIN EXECUTE"
    " format('ALTER DATABASE %I SET search_path = evil', current_database()); END $x$",
    "grant of staging": "DO $x$ BEGIN EXECUTE"
    " format('GRANT ALL ON DATABASE %I TO PUBLIC', current_database()); END $x$",
    "grant of a table": "GRANT ALL ON public.spec_info TO PUBLIC",
    "grant of a schema": "GRANT ALL ON SCHEMA public TO PUBLIC",
    "grants to come": "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC",
    "others' sessions": "SELECT 1 / count(*) FROM"
    " (SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE usename <> current_user AND pid <> pg_backend_pid()) AS x WHERE false",
    "meta-command": "\\! touch {marker}",
}


@pytest.mark.parametrize("kind", sampled(list(PATCHES), 1))
def test_statement_in_an_archive_entry_does_no_harm(
    direct: Database, marker: str, kind: str
) -> None:
    statement = PATCHES[kind].replace("{marker}", marker).replace("{live}", direct.name)
    assert_harmless(direct, untrusted_dump(direct, patched=f"{statement};"), marker)


@only_with_all
@pytest.mark.parametrize(
    "option", sampled([["--data-only"], ["--table", "empty_table"], ["--table", "region_info"]], 1)
)
def test_copy_statement_in_a_data_entry_does_no_harm(
    docker: Database, marker: str, option: list[str]
) -> None:
    path = untrusted_dump(docker)
    archive = gzip.decompress(path.read_bytes())
    for table, columns in (
        ("empty_table", "nothing"),
        ("region_info", "provider_name, region_name, latitude, longitude"),
    ):
        statement = f"COPY public.{table} ({columns}) FROM stdin;".encode()
        assert statement in archive
        hostile = f"COPY public.{table} TO PROGRAM 'touch {marker}';".encode()
        if len(hostile) <= len(statement):
            archive = archive.replace(statement, hostile.ljust(len(statement)))
    path.write_bytes(gzip.compress(archive))
    forget_key(docker)
    before = state(docker)
    docker.restore(*option, path)
    assert docker.server.client("sh", "-c", f"ls {marker} 2>/dev/null || true").stdout == b""
    assert state(docker)[1:] == before[1:]
    assert docker.left_behind() == []


def test_untrusted_assets_are_restored_with_the_live_owner(
    database: Database,
) -> None:
    before = database.content()
    path = untrusted_dump(database)
    database.execute("DELETE FROM pricing_info")
    forget_key(database)
    run = database.restore(path)
    assert run.status == 0, run
    assert "a restore loads it with restricted rights and audits it" in run.err
    after = database.content()
    after["schema"] = re.sub("COMMENT ON TABLE public.region_info IS 'x+';\n*", "", after["schema"])
    before["schema"] = re.sub("\n+", "\n", before["schema"])
    after["schema"] = re.sub("\n+", "\n", after["schema"])
    assert after == before
    assert database.left_behind() == []


@only_with_all
def test_trust_restores_views_and_functions(direct: Database) -> None:
    path = untrusted_dump(direct, "CREATE VIEW v AS SELECT 1 AS n")
    forget_key(direct)
    assert direct.restore(path).status == 1
    for trust in ({"RESTORE_TRUST": "yes"}, {}):
        options = [] if trust else ["--trust"]
        run = direct.restore(*options, path, **trust)
        assert run.status == 0, run
        assert direct.execute("SELECT n FROM v") == [(1,)]
        direct.execute("DROP VIEW v")


def test_backup_signed_with_this_key_needs_no_trust(direct: Database) -> None:
    direct.execute("CREATE VIEW v AS SELECT 1 AS n")
    path = direct.checkout.default_backup
    key = direct.checkout.key
    run = direct.backup(path)
    created = f"created the key that signs your backups: {key}\n"
    assert run.status == 0 and created in run.err, run
    assert key.stat().st_mode & 0o777 == 0o600
    assert direct.restore(path).status == 0
    secret = key.read_text()
    assert secret not in manifest_of(path).read_text()
    run = direct.backup(path)
    assert run.status == 0 and "key" not in run.err and key.read_text() == secret, run
    key.write_text("0" * 64)
    run = direct.restore(path)
    assert run.status == 1 and "view public.v" in run.err, run


def test_key_of_another_first_backup_is_not_replaced(direct: Database, checkout: Checkout) -> None:
    """Both backups begin at the same time: one creates the key, both are signed with it."""
    key = shlex.quote(str(checkout.key))
    od = f'case $* in *-N32*) printf \'%064d\' 7 >{key} ;; esac; exec "$REAL" "$@"'
    checkout.key.parent.mkdir(parents=True)
    run = direct.backup("x", **fake(checkout, od=od))
    assert run.status == 0 and "not signed" not in run.err, run
    assert checkout.key.read_text() == "0" * 63 + "7"
    assert direct.restore("x").status == 0
    assert [path.name for path in checkout.key.parent.iterdir()] == ["key"]
    checkout.key.unlink()
    nothing = fake(checkout, od='case $* in *-N32*) ;; *) exec "$REAL" "$@" ;; esac')
    run = direct.backup("y", **nothing)
    assert run.status == 0 and "could not create the key" in run.err, run
    assert not checkout.key.exists()


def test_new_key_warns_that_earlier_backups_are_untrusted(direct: Database) -> None:
    """As where the home directory is in memory, and lost at each start."""
    assert direct.backup("x", "--quiet").err == ""
    forget_key(direct)
    run = direct.backup("y", "--quiet")
    warning = "did not sign the earlier backups in backups/postgres: they are untrusted now"
    assert run.status == 0 and warning in run.err, run


def test_manifest_cannot_grant_trust(direct: Database) -> None:
    direct.execute("CREATE VIEW v AS SELECT 1 AS n")
    path = direct.backed_up()
    own_key = direct.checkout.key.read_text()
    forget_key(direct)
    direct.backed_up()  # under a new key: untrusted under the first one
    direct.checkout.key.write_text(own_key)
    run = direct.restore(path)
    assert run.status == 1 and "view public.v" in run.err, run


@only_with_all
def test_empty_signature_is_none(direct: Database) -> None:
    direct.execute("CREATE VIEW v AS SELECT 1 AS n")
    path = direct.backed_up()
    text = manifest_of(path).read_text()
    rewrite_manifest(path, re.sub("^signature: .*", "signature: ", text, flags=re.MULTILINE))
    key = direct.checkout.key
    for content in (key.read_text(), "", None):
        key.unlink(missing_ok=True)
        if content is not None:
            key.write_text(content)
        run = direct.restore(path)
        assert run.status == 1 and "view public.v" in run.err, run


@only_with_all
def test_names_send_no_control_characters_to_the_terminal(direct: Database) -> None:
    evil = "evil\x1b]0;pwned\x07\x1b[2J\x9b31m\n\r'\"; \\! id"
    quoted = '"' + evil.replace('"', '""') + '"'
    path = untrusted_dump(
        direct, f"CREATE TABLE {quoted} ({quoted} int); COMMENT ON TABLE {quoted} IS '\x1b[31m'"
    )
    forget_key(direct)
    for option in ([], ["--dry-run"], ["--data-only"], ["--table", evil]):
        run = direct.restore(*option, path)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", run.out + run.err), run
    named = direct.checkout.path / "\x1b]0;pwned\x07.dump.gz"
    run = direct.restore(named)
    assert run.status == 1 and "\x1b" not in run.err, run


def test_thousand_schemas_and_an_unknown_owner_are_restored(direct: Database) -> None:
    direct.execute(f"CREATE ROLE {direct.name}_o")
    path = untrusted_dump(
        direct,
        "DO $$ BEGIN FOR i IN 1..1000 LOOP EXECUTE format('CREATE SCHEMA s%s',"
        " i); END LOOP; END $$;"
        f"ALTER TABLE empty_table OWNER TO {direct.name}_o",
    )
    direct.execute(f"DROP ROLE {direct.name}_o")
    forget_key(direct)
    run = direct.restore(path)
    assert run.status == 0, run
    assert direct.execute("SELECT count(*) FROM pg_namespace WHERE nspname ~ '^s[0-9]+$'") == [
        (1000,)
    ]


def test_gzip_bomb_is_stopped(direct: Database) -> None:
    path = direct.checkout.path / "bomb.dump.gz"
    with gzip.open(path, "wb", compresslevel=9) as bomb:
        bomb.write(b"PGDMP")
        for _ in range(300):
            bomb.write(bytes(1_000_000))
    run = direct.restore(path, RESTORE_MAX_BYTES="20000000")
    assert run.status == 1, run
    assert "unpacks to more than 20.0 MB" in run.err
    assert direct.left_behind() == []


@only_with_all
def test_archive_that_grows_in_the_server_is_stopped(direct: Database) -> None:
    direct.execute(
        "CREATE TABLE big AS SELECT repeat('x', 900) AS a, n FROM generate_series(1, 300000) AS n"
    )
    path = direct.backed_up()
    direct.execute("DROP TABLE big")
    before = direct.content()
    forget_key(direct)
    run = direct.restore(path, RESTORE_MAX_BYTES="60000000")
    assert run.status == 1, run
    assert "unpacks to more than 60.0 MB" in run.err
    assert "the database is unchanged" in run.err
    assert direct.content() == before
    assert direct.left_behind() == []


@only_with_all
def test_archive_that_never_ends_its_load_is_stopped(docker: Database) -> None:
    path = untrusted_dump(docker, patched="SELECT pg_sleep(1e6);")
    before = docker.content()
    run = docker.restore(path, RESTORE_MAX_SECONDS="1")
    assert run.status == 1, run
    assert run.errors == [
        "error: loading exceeded 1 s, the limit for untrusted backups; the database is unchanged"
    ]
    assert docker.content() == before
    assert docker.left_behind() == []


@only_with_all
def test_archive_that_takes_every_lock_of_the_server_is_stopped(direct: Database) -> None:
    body = "FOR n IN 1..1000000 LOOP PERFORM pg_advisory_lock(n); END LOOP;"
    body += " EXCEPTION WHEN OTHERS THEN PERFORM pg_sleep(3);"
    path = untrusted_dump(direct, patched=f"DO $x$ BEGIN {body} END $x$;")
    run = assert_harmless(direct, path, NOWHERE)
    assert "takes more than half of the server's locks; the database" in run.err, run


@only_with_all
def test_archive_whose_savepoints_take_every_lock_is_stopped(direct: Database) -> None:
    savepoints = "SAVEPOINT a; INSERT INTO public.x VALUES (1);" * 4000
    patched = f"CREATE TABLE public.x (n int); COMMIT; BEGIN; {savepoints} SELECT pg_sleep(3);"
    run = assert_harmless(direct, untrusted_dump(direct, patched=patched), NOWHERE)
    assert "takes more than half of the server's locks; the database" in run.err, run


@only_with_all
def test_archive_that_fills_the_notification_queue_is_stopped(direct: Database) -> None:
    body = "FOR n IN 1..9000 LOOP PERFORM pg_notify('x', n || repeat('x', 7900)); END LOOP;"
    patched = f"LISTEN x; COMMIT; DO $x$ BEGIN {body} END $x$; COMMIT; SELECT pg_sleep(3);"
    path = untrusted_dump(direct, patched=patched)
    direct.checkout.environment["RESTORE_MAX_BYTES"] = "60000000"
    run = assert_harmless(direct, path, NOWHERE)
    assert "unpacks to more than 60.0 MB" in run.err, run


def test_archive_that_floods_the_write_ahead_log_is_stopped(direct: Database) -> None:
    flood = (
        "SELECT pg_logical_emit_message(false, 'x', repeat('x',"
        " 9000000)) FROM generate_series(1, 10);"
    )
    path = untrusted_dump(direct, patched=f"{flood} SELECT pg_sleep(3);")
    direct.checkout.environment["RESTORE_MAX_BYTES"] = "20000000"
    run = assert_harmless(direct, path, NOWHERE)
    assert "writes more than 60.0 MB to the server's write-ahead log; the database" in run.err, run


def test_default_isolation_of_the_database_does_not_blind_the_watch(direct: Database) -> None:
    path = direct.sample_backup()
    direct.server.execute(
        "ALTER DATABASE postgres SET default_transaction_isolation = serializable"
    )
    run = direct.restore(path, TB_ASSETS_KEY_FILE=os.devnull, RESTORE_MAX_SECONDS="20")
    direct.server.execute("ALTER DATABASE postgres RESET default_transaction_isolation")
    assert run.status == 0 and "not signed with your key" in run.err, run


@pytest.mark.parametrize("moment", sampled(["SELECT 'watching';", "DO $$"], 1))
def test_load_that_could_not_be_watched_is_refused(direct: Database, moment: str) -> None:
    direct.checkout.edit(
        "scripts/sql/untrusted/watch-staging.sql", moment, f"SELECT 1 / 0; {moment}"
    )
    run = assert_harmless(direct, untrusted_dump(direct), NOWHERE)
    sentence = "error: could not watch the load: division by zero; the database is unchanged"
    assert sentence in run.err, run


def test_modes_of_named_and_of_shared_backup_files(
    direct: Database,
) -> None:
    assert direct.backup("mine").status == 0
    kept = direct.checkout.path / "backups" / "postgres" / "mine.dump.gz"
    shared = direct.backed_up()
    for path, mode in ((kept, 0o600), (shared, 0o644)):
        for each in (path, manifest_of(path)):
            assert each.stat().st_mode & 0o777 == mode


def test_link_at_the_target_is_replaced_and_not_followed(direct: Database, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_text("precious")
    path = direct.checkout.default_backup
    path.symlink_to(theirs)
    manifest_of(path).symlink_to(theirs)
    direct.backed_up()
    assert theirs.read_text() == "precious"
    assert not path.is_symlink() and not manifest_of(path).is_symlink()


@only_with_all
def test_name_like_the_end_of_an_answer_is_only_a_name(direct: Database, marker: str) -> None:
    """A later run as superuser must not take what follows it for an answer of its own."""
    evil = f"z\n--- end of answer ---\n(SELECT)TO PROGRAM'touch {marker}';--"
    direct.execute(f'CREATE SCHEMA z; CREATE TABLE z."{evil}" (id int)')
    path = direct.backed_up()
    for mode in (["--table", "spec_info"], ["--data-only"]):
        run = direct.restore(*mode, path)
        assert run.status == 1, run
        assert "only a full restore into a staging database can" in run.err
        assert "the database is unchanged" in run.err
    assert direct.server.client("sh", "-c", f"ls {marker} 2>/dev/null || true").stdout == b""
    assert direct.restore(path).status == 0


def test_rule_is_refused_whatever_its_name(direct: Database) -> None:
    """Before August 2026, a rule could get the name that the rule of a view has."""
    rename = (
        "SET allow_system_table_mods = on;"
        "UPDATE pg_rewrite SET rulename = '_RETURN' WHERE rulename = 'r';\n"
    )
    direct.checkout.edit("scripts/sql/untrusted/audit.sql", "-- What an", f"{rename}-- What an")
    path = untrusted_dump(direct, OBJECTS["rule r on table public.empty_table"])
    forget_key(direct)
    run = direct.restore(path)
    assert run.status == 1 and "rule _RETURN on table public.empty_table" in run.errors[0], run


def test_untrusted_rows_cannot_call_functions_or_fill_foreign_tables(direct: Database) -> None:
    """Out of reach: SECURITY DEFINER, unsafe languages, and foreign tables."""
    direct.execute(
        "CREATE FUNCTION handler() RETURNS language_handler LANGUAGE c"
        " AS '$libdir/plpgsql', 'plpgsql_call_handler'; CREATE LANGUAGE unsafe HANDLER handler;"
        " CREATE FUNCTION unsafe() RETURNS int LANGUAGE unsafe AS 'BEGIN RETURN 1; END';"
        " CREATE EXTENSION file_fdw; CREATE SERVER s FOREIGN DATA WRAPPER file_fdw;"
        " CREATE FOREIGN TABLE elsewhere (n int) SERVER s OPTIONS (filename '/dev/null');"
        " CREATE TABLE parts (n int) PARTITION BY LIST (n);"
        " CREATE FOREIGN TABLE part PARTITION OF parts FOR VALUES IN (1) SERVER s"
        " OPTIONS (filename '/dev/null');"
        "CREATE TABLE spoils (n int); CREATE SCHEMA inner_room;"
        " CREATE FUNCTION inner_room.act() RETURNS int"
        " LANGUAGE sql SECURITY DEFINER AS 'INSERT INTO public.spoils VALUES (1) RETURNING n';"
        "CREATE FUNCTION act() RETURNS int"
        " LANGUAGE sql SECURITY DEFINER AS 'INSERT INTO public.spoils VALUES (1) RETURNING n'"
    )
    schema = direct.schema()
    attacks = [
        "SELECT inner_room.act()",
        "SELECT public.act()",
        "SELECT public.unsafe()",
        "INSERT INTO public.parts VALUES (1)",
        "INSERT INTO public.elsewhere VALUES (1)",
    ]
    for attack in sampled(attacks, 2):
        archive = direct.server.client("pg_dump", "-Fc", "-Z0", "-a", "-d", direct.name).stdout
        statement = b"COPY public.region_info ("
        length = archive.index(statement) - 5
        old = int.from_bytes(archive[length + 1 : length + 5], "little")
        added = f"{attack};\n".encode()
        archive = (
            archive[: length + 1]
            + (old + len(added)).to_bytes(4, "little")
            + added
            + archive[length + 5 :]
        )
        path = direct.checkout.path / "rows.dump"
        path.write_bytes(archive)
        forget_key(direct)
        run = direct.restore("--data-only", path)
        assert run.status == 1 and "permission denied" in run.err, run
    forget_key(direct)
    assert direct.restore("--data-only", direct.backed_up()).status == 0
    assert direct.schema() == schema
    assert direct.execute("SELECT count(*) FROM spoils") == [(0,)]


@pytest.mark.parametrize(
    "attributes",
    sampled(["CONNECTION LIMIT 0", "IS_TEMPLATE true", "IS_TEMPLATE true; CREATE FUNCTION"], 1),
)
def test_archive_does_not_choose_database_attributes(direct: Database, attributes: str) -> None:
    attribute, _, function = attributes.partition(";")
    body = f"EXECUTE format('ALTER DATABASE %I {attribute}', current_database());"
    if function:
        body += " CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
    path = untrusted_dump(direct, patched=f"DO $x$ BEGIN {body} END $x$;")
    forget_key(direct)
    run = direct.restore(path, RESTORE_JOBS="1")
    assert run.status == (1 if function else 0), run
    assert direct.left_behind() == []
    found = direct.execute(
        "SELECT datconnlimit, datistemplate FROM pg_database WHERE datname = current_database()"
    )
    assert found == [(-1, False)]
    assert direct.backup("after.dump.gz").status == 0


def test_archive_takes_no_right_from_the_owner(direct: Database) -> None:
    owner = f"owner_{direct.name}"
    direct.execute(f"CREATE ROLE {owner}; ALTER DATABASE {direct.name} OWNER TO {owner}")
    revoke = "format('REVOKE ALL ON DATABASE %I FROM %I', current_database(), current_user)"
    path = untrusted_dump(direct, patched=f"DO $x$ BEGIN EXECUTE {revoke}; END $x$;")
    forget_key(direct)
    run = direct.restore(path, RESTORE_JOBS="1")
    may_create = direct.execute(
        f"SELECT has_database_privilege('{owner}', current_database(), 'CREATE')"
    )
    direct.execute(
        f"ALTER DATABASE {direct.name} OWNER TO CURRENT_USER;"
        f"REASSIGN OWNED BY {owner} TO CURRENT_USER; DROP ROLE {owner}"
    )
    assert may_create == [(True,)], run


@only_with_all
def test_prepared_transaction_of_an_archive_blocks_nothing(tmp_path: Path) -> None:
    with started_container("16", settings=("max_prepared_transactions=2",)) as container:
        database = Database(container, new_checkout(tmp_path), "prepared")
        database.create()
        for hostile in ("", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"):
            path = untrusted_dump(
                database, hostile, "BEGIN; CREATE TABLE public.x (); PREPARE TRANSACTION 'held';"
            )
            forget_key(database)
            run = database.restore(path)
            assert run.status == (1 if hostile else 0), run
            assert database.left_behind() == []


@only_with_all
def test_untrusted_manifest_sets_no_limit(direct: Database) -> None:
    direct.execute(
        "CREATE TABLE big AS SELECT repeat('x', 9000) AS a, n FROM generate_series(1, 20000) AS n"
    )
    direct.execute("ALTER TABLE big ALTER a SET STORAGE EXTERNAL")
    path = direct.backed_up()
    direct.execute("DROP TABLE big")
    forget_key(direct)
    text = re.sub("^signature: .*\n", "", manifest_of(path).read_text(), flags=re.MULTILINE)
    rewrite_manifest(path, re.sub("database-bytes: .*", "database-bytes: 20000000000", text))
    direct.checkout.edit("scripts/lib/upload.sh", "1000000000", "10000000")
    run = direct.restore(path)
    assert run.status == 1, run
    assert "unpacks to more than" in run.err


@only_with_all
def test_endless_messages_of_an_archive_fill_no_log(docker: Database) -> None:
    def logged() -> int:
        return len(
            subprocess.run(
                ["docker", "logs", docker.server.name], capture_output=True, check=True
            ).stderr
        )

    talk = (
        "DO $x$ BEGIN FOR i IN 1..9 LOOP RAISE WARNING '%',"
        " repeat('x', 9000000); END LOOP; END $x$;"
    )
    path = untrusted_dump(docker, patched=f"SET client_min_messages = debug; {talk}")
    forget_key(docker)
    before = logged()
    docker.restore(path)
    assert logged() - before < 1_000_000
    assert docker.left_behind() == []


def at_call(database: Database, moment: str, command: str) -> dict[str, str]:
    """Return an environment in which the command runs before the Nth call of a program.

    ``moment`` is "PROGRAM N".
    """
    program, number = moment.split()
    script = f"""{count_calls(Path(f"{database.checkout.path}.calls"))}
[ $number -ne {number} ] || {{ {command}; }}
exec "$REAL" "$@\""""
    return fake(database.checkout, **{program: script})


@pytest.mark.parametrize("moment", sampled(["dd 1", "dd 2", "pigz 1", "sha256sum 2", "tee 1"], 2))
def test_file_replaced_while_it_is_read_runs_nothing(direct: Database, moment: str) -> None:
    """What is hashed is what is loaded, whatever file gets the backup's name meanwhile."""
    marker = Path(f"/tmp/pwned-{secrets.token_hex(4)}")
    theirs = untrusted_dump(direct, patched=f"{SHELL.replace('{marker}', str(marker))};")
    path = direct.sample_backup()
    before = direct.content()
    exchange = f"sleep 1; mv {shlex.quote(str(theirs))} {shlex.quote(str(path))}"
    run = direct.restore(path, **at_call(direct, moment, exchange))
    assert not theirs.exists()
    assert not marker.exists()
    assert run.status == 0 or len(run.errors) == 1, run
    assert direct.content() == before
    assert direct.left_behind() == []


def test_file_that_vanishes_before_it_is_read_ends_the_restore(direct: Database) -> None:
    path = direct.sample_backup()
    run = direct.restore(path, **at_call(direct, "mkfifo 2", f"rm {shlex.quote(str(path))}"))
    assert run.status == 1, run
    assert "disappeared during the checks" in run.err
    assert direct.left_behind() == []


@pytest.mark.parametrize("where", sampled(["nowhere", "a directory", "a pipe", "not writable"], 2))
def test_backup_without_a_key_is_not_signed_and_says_so(
    direct: Database, tmp_path: Path, where: str
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    places = {"nowhere": "", "a directory": tmp_path, "a pipe": pipe, "not writable": "/proc/key"}
    key = str(places[where])
    run = direct.backup("./x.dump.gz", HOME="", TB_ASSETS_KEY_FILE=key)
    assert run.status == 0, run
    reason = {
        "nowhere": "there is no home directory for the key",
        "a directory": f"could not read the key '{key}'",
        "a pipe": f"could not read the key '{key}'",
        "not writable": f"could not create the key '{key}'",
    }[where]
    assert f"warning: {reason}" in run.err
    assert "No such file" not in run.err and "cannot create" not in run.err
    assert "signature: " not in (direct.checkout.path / "x.dump.gz.info").read_text()
    run = direct.restore("./x.dump.gz", HOME="", TB_ASSETS_KEY_FILE=key)
    assert run.status == 0, run
    assert "not signed with your key" in run.err
    assert (f"could not read the key '{key}'" in run.err) == where.startswith("a ")
    assert pipe.is_fifo()
