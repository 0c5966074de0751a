"""Servers that others manage: few rights, password files, TLS, standbys."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import psycopg
import pytest
from support.backups import manifest_of
from support.databases import PASSWORD, Database, database_of_role, untrusted_dump
from support.fakes import fake
from support.run import BACKUP, CLEAN, CONFIRMED, DOCTOR, RESTORE, ROLLBACK, STATS, VERIFY, Checkout
from support.running import kill, start_restore, waiting_run
from support.sampling import ALL, only_with_all, sampled
from support.servers import Container, DirectServer
from support.waiting import until


@pytest.fixture
def ordinary(direct_server: DirectServer, checkout: Checkout) -> Iterator[Database]:
    """CB-Tumblebug's tables, owned by a role that may create databases and nothing else."""
    yield from database_of_role(direct_server, checkout, "CREATEDB")


@pytest.fixture
def without_identifier(direct_server: DirectServer) -> Iterator[None]:
    """Nobody but a superuser may ask for the server's identifier, as on some managed servers."""
    direct_server.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    yield
    direct_server.execute("GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC")


@only_with_all
def test_table_of_another_role_is_replaced_only_on_request(ordinary: Database) -> None:
    path = ordinary.backed_up()
    ordinary.execute("CREATE TABLE theirs AS SELECT 1 AS n")
    run = ordinary.restore(path)
    assert run.status == 1 and "permission denied for table theirs" in run.errors[0], run
    assert "RESTORE_SCHEMA" not in run.err
    run = ordinary.restore("--schema", "backup", "--dry-run", path)
    assert run.status == 0 and "warning: could not count the rows of the" in run.err, run
    run = ordinary.restore("--schema", "backup", path, RESTORE_KEEP_PREVIOUS="yes")
    assert run.status == 0 and "unknown content (permission denied for" in run.err, run
    run = ordinary.checkout.run(ROLLBACK, **CONFIRMED)
    assert run.status == 0 and "could not compare the schemas: restart" in run.err, run
    assert ordinary.execute("SELECT n FROM theirs") == [(1,)]


def test_right_to_create_databases_is_enough(ordinary: Database, without_identifier: None) -> None:
    before = ordinary.content()
    run = ordinary.backup(BACKUP_COMPRESSION="smallest")
    assert run.status == 0 and "restoring the dump into a staging database" in run.err, run
    ordinary.execute("DELETE FROM image_infos")
    changed = ordinary.content()
    run = ordinary.restore(RESTORE_KEEP_PREVIOUS="yes", RESTORE_KEEP_COPY="yes")
    assert run.status == 0 and ordinary.content() == before, run
    assert ordinary.checkout.run(ROLLBACK, "-y").status == 0 and ordinary.content() == changed
    run = ordinary.checkout.run(DOCTOR)
    assert run.status == 0 and "may create databases" in run.out, run
    owners = ordinary.server.execute(
        f"SELECT DISTINCT datdba::regrole::text FROM pg_database WHERE datname = '{ordinary.name}'"
    )
    assert owners == [(f"owner_{ordinary.name}",)]


@pytest.fixture
def staging_in_autovacuum(ordinary: Database) -> Iterator[str]:
    """A crashed run's staging database, in which a worker of autovacuum is at work."""
    server, role = ordinary.server, ordinary.checkout.environment["TB_POSTGRES_USER"]
    staging = f"assets_staging_{ordinary.key()}"
    server.execute("ALTER SYSTEM SET autovacuum_naptime = 1", "SELECT pg_reload_conf()")
    server.execute(f"CREATE DATABASE {staging} OWNER {role}")
    server.execute(
        "CREATE TABLE t WITH (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)"
        " AS SELECT generate_series(1, 100000) AS n",
        "DELETE FROM t",
        database=staging,
    )
    workers = f"backend_type = 'autovacuum worker' AND datname = '{staging}'"
    until(lambda: server.execute(f"SELECT 1 FROM pg_stat_activity WHERE {workers}"), 60)
    yield staging
    server.execute("ALTER SYSTEM RESET autovacuum_naptime", "SELECT pg_reload_conf()")


def test_autovacuum_does_not_keep_a_temporary_database(
    ordinary: Database, staging_in_autovacuum: str
) -> None:
    """Its workers are processes that only a superuser may end."""
    run = ordinary.backup()
    assert run.status == 0, run
    assert f"removed what a crashed run left: {staging_in_autovacuum}\n" in run.err, run
    assert ordinary.databases() == set()


@only_with_all
def test_right_that_the_user_has_revoked_from_itself_stops_no_restore(ordinary: Database) -> None:
    role = ordinary.checkout.environment["TB_POSTGRES_USER"]
    ordinary.execute(f"REVOKE INSERT ON image_infos FROM {role}")
    before = ordinary.content()
    run = ordinary.restore("--data-only", ordinary.backed_up())
    assert run.status == 0 and ordinary.content() == before, run


@only_with_all
def test_entries_of_a_superuser_do_not_change_the_owners(ordinary: Database) -> None:
    user = ordinary.checkout.environment["TB_POSTGRES_USER"]
    ordinary.execute(
        "ALTER SCHEMA public OWNER TO CURRENT_USER;"
        f"GRANT ALL ON SCHEMA public TO {user};"
        f"GRANT EXECUTE ON FUNCTION pg_stat_reset() TO {user};"
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {user}"
    )
    before = ordinary.content()
    run = ordinary.backup(BACKUP_COMPRESSION="smallest")
    assert run.status == 0 and "own or have granted: tumblebug\n" in run.err, run
    for settings, options in (({}, ("--data-only",)), ({"RESTORE_IN_PLACE": "yes"}, ()), ({}, ())):
        ordinary.execute("DELETE FROM image_infos")
        run = ordinary.restore(*options, **settings)
        assert run.status == (3 if "--data-only" in options else 0), run  # the schema should stay
        assert "will own all objects" not in run.err, run
        assert ("schema public will not belong to role 'tumblebug'" in run.err) == (not settings), (
            run
        )
        assert "some grants were skipped: " in run.err
        assert ordinary.content()["public.image_infos"] == before["public.image_infos"]
    run = ordinary.restore("--data-only")  # what the archive alone has is not lost
    assert run.status == 0 and "skipped" not in run.err, run
    owners = "SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relname LIKE '%_infos'"
    assert ordinary.execute(owners) == [(user,)]


@pytest.fixture
def with_extension(container: Container, checkout: Checkout) -> Iterator[Database]:
    """A database with a trusted extension whose rows are dumped, as PostGIS's are."""
    control = "default_version = '1'\\ntrusted = true\\nrelocatable = true\\n"
    script = (
        "CREATE TABLE open (n int); GRANT SELECT, INSERT ON open TO PUBLIC;"
        "SELECT pg_extension_config_dump('open', '');"
        "CREATE TABLE reference (n int); GRANT SELECT ON reference TO PUBLIC;"
        "SELECT pg_extension_config_dump('reference', ''); INSERT INTO reference VALUES (7);"
    )
    write = (
        'directory=$(dirname "$(find / -name plpgsql.control 2>/dev/null | head -n 1)") &&'
        ' printf "$1" >"$directory/refers.control" && echo "$2" >"$directory/refers--1.sql"'
    )
    container.client("sh", "-c", write, "sh", control, script)
    for database in database_of_role(container, checkout, "CREATEDB"):
        role = checkout.environment["TB_POSTGRES_USER"]
        database.execute(f"SET ROLE {role}; CREATE EXTENSION refers; INSERT INTO open VALUES (8)")
        yield database


@only_with_all
def test_rows_of_an_extension_do_not_stop_a_restore(with_extension: Database) -> None:
    before = with_extension.content()
    run = with_extension.backup(BACKUP_COMPRESSION="smallest")
    assert run.status == 0, run
    for options in ((), ("--data-only",)):
        with_extension.execute("DELETE FROM image_infos")
        run = with_extension.restore(*options)
        assert run.status == 0 and "will own all objects" not in run.err, run
        skipped = "not allowed to write: public.reference\n"
        assert (skipped in run.err) == (not options), run
        assert with_extension.content() == before
        assert with_extension.execute("SELECT n FROM reference") == [(7,)]
        assert with_extension.execute("SELECT n FROM open") == [(8,)]


def test_restore_refuses_to_lose_rows_of_an_extension(with_extension: Database) -> None:
    path = with_extension.backed_up()
    with_extension.execute("INSERT INTO open VALUES (9)")
    run = with_extension.restore("--data-only", path)
    assert run.status == 1, run
    assert "tables of extensions would lose rows: public.open" in run.errors[0]
    assert with_extension.execute("SELECT n FROM open ORDER BY n") == [(8,), (9,)]
    run = with_extension.backup(path, FORCE="")
    assert run.status == 0 and "nothing changed" not in run.err, run
    with_extension.execute("DELETE FROM open")
    for script, options in ((VERIFY, ("--level", "restore")), (RESTORE, ("--data-only", "-y"))):
        run = with_extension.checkout.run(script, *options, path)
        assert run.status == 0, run
    assert with_extension.execute("SELECT n FROM open ORDER BY n") == [(8,), (9,)]


def test_other_owners_of_tables_are_named_before_the_question(direct: Database) -> None:
    then, now = f"then_{direct.name}", f"now_{direct.name}"
    direct.execute(f'CREATE ROLE {then}; CREATE ROLE {now}; CREATE TABLE "a b" ()')
    direct.execute(f'ALTER TABLE spec_info OWNER TO {then}; ALTER TABLE "a b" OWNER TO {then}')
    path = direct.backed_up()
    changed = "tables will belong to the owners that the backup names"
    try:
        assert changed not in direct.restore("--dry-run", path).err
        direct.execute(f"REASSIGN OWNED BY {then} TO {now}")
        assert f"{changed}: '{now}' -> '{then}'\n" in direct.restore("--dry-run", path).err
        run = direct.restore(path, RESTORE_IN_PLACE="yes")
        assert run.status == 0 and f"{changed}: '{now}' -> '{then}'\n" in run.err, run
    finally:
        direct.drop()
        direct.server.execute(f"DROP ROLE {then}", f"DROP ROLE {now}")


@only_with_all
def test_login_with_another_default_role_works(ordinary: Database) -> None:
    """As when a vault creates short-lived logins."""
    path, before = ordinary.backed_up(), ordinary.content()
    owner, login = ordinary.checkout.environment["TB_POSTGRES_USER"], f"login_{ordinary.name}"
    ordinary.execute(
        f"CREATE ROLE {login} LOGIN PASSWORD '{PASSWORD}' IN ROLE {owner};"
        f"ALTER ROLE {login} SET role = {owner}"
    )
    ordinary.checkout.environment["TB_POSTGRES_USER"] = login
    try:
        run = ordinary.backup(path, FORCE="yes", BACKUP_COMPRESSION="smallest")
        assert run.status == 0 and "restoring the dump" in run.err, run
        log_in = partial(
            psycopg.connect,
            host=ordinary.server.private.host,
            port=ordinary.server.private.port,
            user=login,
            password=PASSWORD,
        )
        for options in ((), ("--data-only",), ("--table", "image_infos")):
            ordinary.execute("DELETE FROM image_infos")
            with log_in(dbname=ordinary.name):
                run = ordinary.restore(*options, path)
            assert run.status == 0 and "may not end" not in run.err, run
            assert ordinary.content() == before
        staging = f"assets_staging_{ordinary.key()}"
        ordinary.execute(f"CREATE DATABASE {staging} OWNER {owner}")
        crashed = f"restore-assets.sh {ordinary.key()} somebody@elsewhere 1"
        with log_in(dbname=staging, application_name=crashed):
            run = ordinary.backup("x")
        assert run.status == 0 and f"removed what a crashed run left: {staging}\n" in run.err, run
    finally:
        ordinary.checkout.environment["TB_POSTGRES_USER"] = owner
        ordinary.execute(f"DROP ROLE {login}")


def test_swap_waits_for_no_synchronous_standby(direct: Database) -> None:
    path, before = direct.sample_backup(), direct.content()
    direct.execute("DELETE FROM image_info")
    alter = '"$REAL" -X -q -d postgres -c "ALTER SYSTEM'
    reload = '-c "SELECT pg_reload_conf()" -c "SELECT pg_sleep(0.5)" </dev/null >/dev/null'
    psql = (
        f"""case $* in *renames=*) {alter} SET synchronous_standby_names = 'none'" {reload}"""
        """ && timeout 10 "$REAL" "$@"; status=$?;"""
        f""" {alter} RESET synchronous_standby_names" {reload}; exit $status ;; esac;"""
        ' exec "$REAL" "$@"'
    )
    run = direct.restore(path, **fake(direct.checkout, psql=psql))
    assert run.status == 0 and direct.content() == before, run


@only_with_all
def test_nobody_else_may_connect_to_the_staging_database(ordinary: Database) -> None:
    """Also where the live database has been closed: its tables may have been open to all."""
    path = ordinary.backed_up()
    staging = f"assets_staging_{ordinary.key()}"
    other = f"other_{ordinary.name}"
    ordinary.server.execute(f"CREATE ROLE {other} LOGIN")
    allowed = f"SELECT has_database_privilege('{other}', '%s', 'CONNECT')"
    try:
        for acl, is_open in (("GRANT", True), ("REVOKE", False)):
            word = "TO" if is_open else "FROM"
            ordinary.execute(f"{acl} CONNECT ON DATABASE {ordinary.name} {word} PUBLIC")
            with waiting_run(
                ordinary.checkout, RESTORE, path, program="pg_restore", arguments="*--jobs*"
            ) as (process, go_on):
                assert ordinary.execute(allowed % staging) == [(False,)]
                go_on.touch()
                _, err = process.communicate(timeout=60)
            assert process.returncode == 0, err
            assert ordinary.execute(allowed % ordinary.name) == [(is_open,)]
    finally:
        ordinary.server.execute(f"DROP ROLE {other}")


def test_session_that_the_user_may_not_end_does_not_stop_a_run(ordinary: Database) -> None:
    name = f"make.sh {ordinary.key()} somebody@elsewhere 1"
    with ordinary.server.connect(ordinary.name) as connection:
        connection.execute("SELECT set_config('application_name', %s, false)", [name])
        run = ordinary.backup()
    assert run.status == 0, run


def test_tablespace_in_which_the_user_may_create_nothing_is_named(
    ordinary: Database, tmp_path: Path
) -> None:
    path = ordinary.backed_up()
    directory = Path(ordinary.server.execute("SHOW data_directory")[0][0]).parent / "space"
    shutil.copytree(tmp_path, directory)
    shutil.chown(directory, directory.parent.owner())
    space = f"space_{ordinary.name}"
    ordinary.server.execute(f"CREATE TABLESPACE {space} LOCATION '{directory}'")
    ordinary.server.execute(f"ALTER DATABASE {ordinary.name} SET TABLESPACE {space}")
    run = ordinary.restore("--dry-run", path)
    ordinary.server.execute(f"ALTER DATABASE {ordinary.name} SET TABLESPACE pg_default")
    ordinary.server.execute(f"DROP TABLESPACE {space}")
    assert run.status == 1 and "may not create the staging database" in run.err, run
    assert "the right CREATE on the tablespace of database" in run.err


def test_missing_tablespace_of_a_backup_is_named(ordinary: Database) -> None:
    directory = Path(ordinary.server.execute("SHOW data_directory")[0][0]).parent / "fast"
    directory.mkdir()
    shutil.chown(directory, directory.parent.owner())
    space = f"fast_{ordinary.name}"
    ordinary.server.execute(f"CREATE TABLESPACE {space} LOCATION '{directory}'")
    ordinary.execute(f"ALTER TABLE image_infos SET TABLESPACE {space}")
    path = ordinary.backed_up()
    ordinary.execute("ALTER TABLE image_infos SET TABLESPACE pg_default")
    ordinary.server.execute(f"DROP TABLESPACE {space}")
    run = ordinary.restore("--schema", "backup", path)
    assert run.status == 1 and "hint: create that tablespace on the server, and grant" in run.err, (
        run
    )


def test_trigger_that_needs_a_search_path_is_explained(ordinary: Database) -> None:
    path, before = ordinary.backed_up(), ordinary.content()
    role = ordinary.checkout.environment["TB_POSTGRES_USER"]
    ordinary.execute(
        f"SET ROLE {role}; CREATE TABLE log (n int);"
        "CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO log VALUES (1); RETURN NEW; END $$;"
        "CREATE TRIGGER log AFTER INSERT ON image_infos FOR EACH ROW EXECUTE FUNCTION log()"
    )
    run = ordinary.restore("--table", "image_infos", path)
    assert run.status == 1 and 'relation "log" does not exist; the database is' in run.err, run
    assert "hint: if a trigger function uses names without a schema, run ALTER" in run.err
    assert ordinary.content()["public.image_infos"] == before["public.image_infos"]


def test_pg_hba_rules_for_single_databases_are_explained(ordinary: Database) -> None:
    path, role = ordinary.backed_up(), ordinary.checkout.environment["TB_POSTGRES_USER"]
    rules = Path(ordinary.server.execute("SHOW hba_file")[0][0])
    before = rules.read_text()
    rules.write_text(
        "host all tumblebug all scram-sha-256\nlocal all all scram-sha-256\n"
        f"host postgres,{ordinary.name} {role} all scram-sha-256\n"
    )
    try:
        ordinary.server.execute("SELECT pg_reload_conf()")
        run = ordinary.restore(path)
    finally:
        rules.write_text(before)
        ordinary.server.execute("SELECT pg_reload_conf()")
    assert run.status == 1 and f"hint: in pg_hba.conf, allow user '{role}' for all" in run.err, run
    assert "PGSSLMODE" not in run.err


def test_password_comes_from_the_users_password_file(ordinary: Database) -> None:
    environment = ordinary.checkout.environment
    del environment["TB_POSTGRES_PASSWORD"]
    host, port = environment["TB_POSTGRES_ENDPOINT"].split(":")
    lines = f"# mine\nelsewhere:*:*:*:wrong\n{host}:{port}:*:{environment['TB_POSTGRES_USER']}:"
    default, other = ordinary.checkout.home / ".pgpass", ordinary.checkout.home / "passwords"
    for path, password, status in (
        (default, "wrong", 1),
        (default, PASSWORD, 0),
        (other, PASSWORD, 0),
    ):
        default.unlink(missing_ok=True)
        path.write_text(f"{lines}{password}\n")
        path.chmod(0o600)
        settings = {"PGPASSFILE": str(path)} if path == other else {}
        run = ordinary.checkout.run(STATS, **settings)
        assert run.status == status, run
    run = ordinary.checkout.run(STATS)  # neither a file nor a setting: the usual password
    assert run.status == 1 and "wrong password for user" in run.err and "~/.pgpass" in run.err, run


@pytest.mark.parametrize("unusable", ["mode", "database"])
def test_unusable_password_file_is_an_error_and_no_question(
    ordinary: Database, unusable: str
) -> None:
    environment = ordinary.checkout.environment
    del environment["TB_POSTGRES_PASSWORD"]
    address, user = environment["TB_POSTGRES_ENDPOINT"], environment["TB_POSTGRES_USER"]
    database = ordinary.name if unusable == "database" else "*"
    path = ordinary.checkout.home / ".pgpass"
    path.write_text(f"{address}:{database}:{user}:{PASSWORD}\n")
    path.chmod(0o644 if unusable == "mode" else 0o600)
    for script in (STATS, BACKUP, DOCTOR):
        run = ordinary.checkout.run_on_terminal(script)
        said = " ".join((run.out + run.err).split())
        assert run.status == 1 and "wrong password for user" in said, run
        assert "host:port:*:user:password to ~/.pgpass, with mode 600" in said, run


def test_relative_paths_in_the_env_file_are_those_of_the_project(ordinary: Database) -> None:
    """In whatever directory a nightly backup starts."""
    project, environment = ordinary.checkout.path, ordinary.checkout.environment
    (project / "my").mkdir()
    (project / "bin").symlink_to(environment.pop("PG_BINDIR"))
    host, port = environment.pop("TB_POSTGRES_ENDPOINT").split(":")
    user = environment.pop("TB_POSTGRES_USER")
    line = f"{host}:{port}:*:{user}:{environment.pop('TB_POSTGRES_PASSWORD')}\n"
    (project / "my" / "passwords").write_text(line)
    (project / "my" / "passwords").chmod(0o600)
    (project / "my" / "services").write_text(f"[assets]\nhost={host}\nport={port}\nuser={user}\n")
    (project / ".env").write_text(
        "TB_POSTGRES_SERVICE=assets\nPGSERVICEFILE=my/services\nPGPASSFILE='my/passwords'\n"
        "PG_BINDIR=bin\nTB_ASSETS_KEY_FILE=my/key\n"
    )
    run = ordinary.checkout.run(project / "scripts" / "backup-assets.sh", cwd=Path("/"))
    assert run.status == 0 and f"backups: {project}/my/key\n" in run.err, run


def test_password_of_a_setting_comes_before_the_file(ordinary: Database) -> None:
    (ordinary.checkout.home / ".pgpass").write_text("*:*:*:*:wrong\n")
    (ordinary.checkout.home / ".pgpass").chmod(0o600)
    assert ordinary.checkout.run(STATS).status == 0


def test_path_in_the_env_file_can_begin_with_a_tilde(ordinary: Database) -> None:
    (ordinary.checkout.path / ".env").write_text("TB_ASSETS_KEY_FILE=~/my-key\n")
    run = ordinary.backup()
    key = ordinary.checkout.home / "my-key"
    assert run.status == 0 and f"backups: {key}\n" in run.err and key.is_file(), run
    (ordinary.checkout.path / ".env").write_text("PGPASSFILE='$HOME/.pgpass'\n")
    run = ordinary.checkout.run(STATS)
    assert run.status == 0 and "which has a path that starts with ~ or $; only" in run.err, run


@only_with_all
def test_session_that_prevents_a_swap_is_named_beforehand(ordinary: Database) -> None:
    """An ordinary user cannot end a superuser's session."""
    ordinary.backed_up()
    before = ordinary.content()
    with ordinary.server.connect(ordinary.name) as client:
        client.execute("SET application_name = exporter")
        named = f"exporter (user {client.info.user}, process {client.info.backend_pid})"
        run = ordinary.checkout.run(DOCTOR)
        assert run.status == 1 and f"which a restore must end: {named}\n" in run.out, run
        run = ordinary.restore("--dry-run")
        assert run.status == 0 and f"still connected: {named}\n" in run.err, run
        if ALL:  # it tries for 15 s
            run = ordinary.restore()
            assert run.status == 1 and "hint: disconnect the clients of that" in run.err, run
        assert ordinary.content() == before
    assert ordinary.left_behind() == []
    assert "may not end" not in ordinary.restore("--dry-run").err


def test_owner_of_the_tables_only_cannot_restore(ordinary: Database) -> None:
    path = ordinary.backed_up()
    ordinary.execute(f"ALTER DATABASE {ordinary.name} OWNER TO CURRENT_USER")
    run = ordinary.restore("--dry-run", path)
    assert run.status == 1 and "may not create the staging database" in run.err, run
    user = ordinary.checkout.environment["TB_POSTGRES_USER"]
    assert f" owner of database '{ordinary.name}', or run GRANT tumblebug TO {user}" in run.err
    run = ordinary.checkout.run("./scripts/diff-backup.sh", path)
    assert run.status == 1 and "or --private --with BACKUP compares two backups" in run.err, run
    run = ordinary.checkout.run(DOCTOR)
    assert run.status == 1 and "may not create the staging database" in run.out, run
    run = ordinary.backup("x", BACKUP_COMPRESSION="smallest")
    assert run.status == 0 and "using BACKUP_COMPRESSION=small, without" in run.err, run


@only_with_all
@pytest.mark.parametrize("inherits", sampled(["", "NOINHERIT"], 1))
def test_member_of_the_owner_restores_without_changing_owners(
    ordinary: Database, inherits: str
) -> None:
    """The hint of the error says how to become one."""
    path, before = ordinary.backed_up(), ordinary.content()
    member = f"member_{ordinary.name}"
    ordinary.execute(f"CREATE ROLE {member} LOGIN CREATEDB {inherits} PASSWORD '{PASSWORD}'")
    try:
        run = ordinary.restore(path, TB_POSTGRES_USER=member)
        grant = re.search(", or run (GRANT .*)$", run.err, re.MULTILINE)
        assert run.status == 1 and grant, run
        ordinary.execute(grant[1])
        run = ordinary.restore(path, TB_POSTGRES_USER=member)
        assert run.status == 0 and "will own all objects" not in run.err, run
        assert ordinary.content() == before
    finally:
        ordinary.execute(f"DROP OWNED BY {member}; DROP ROLE {member}")


@only_with_all
def test_owner_that_the_user_may_not_act_for_is_replaced(ordinary: Database) -> None:
    """A restore says so before it asks."""
    user = ordinary.checkout.environment["TB_POSTGRES_USER"]
    give = f"ALTER TABLE image_infos OWNER TO other_owner; GRANT SELECT ON image_infos TO {user}"
    ordinary.execute("CREATE ROLE other_owner")
    try:
        ordinary.execute(give)
        path = ordinary.backed_up()
        dry_run = ordinary.restore("--dry-run", path)
        asked = ordinary.checkout.run_on_terminal(RESTORE, path, answer=b"no\n")
        run = ordinary.restore(path)
        assert (dry_run.status, asked.status, run.status) == (0, 1, 0), (dry_run, asked, run)
        for said in (dry_run.err, asked.err, run.err):
            assert said.count(f"user '{user}' will own all objects") == 1, said
            assert "may not make them owners: other_owner" in said
            assert "create the missing roles first, and restore as a superuser" in said
        superuser = ordinary.server.environment()
        as_superuser = {
            name: superuser[name] for name in ("TB_POSTGRES_USER", "TB_POSTGRES_PASSWORD")
        }
        ordinary.execute("ALTER ROLE other_owner RENAME TO renamed")
        said = ordinary.restore("--dry-run", path, **as_superuser).err
        ordinary.execute("ALTER ROLE renamed RENAME TO other_owner")
        assert f"warning: '{user}', the owner of the database, will own all objects" in said, said
        run = ordinary.checkout.run(VERIFY, path)
        assert run.status == 0 and "will own" not in run.err, run
        ordinary.execute(f"{give}; GRANT other_owner TO {user}")
        run = ordinary.restore(path)  # PostgreSQL 15 and later: other_owner may not create tables
        assert run.status == 0 and "will own all objects" in run.err, run
        ordinary.execute(f"{give}; REVOKE other_owner FROM {user}")
        run = ordinary.restore("--data-only", path)
        assert run.status == 1 and "other_owner" in run.errors[0], run
        assert "hint: restore as a superuser, or with RESTORE_IN_PLACE=yes\n" in run.err
    finally:
        ordinary.execute("DROP OWNED BY other_owner; DROP ROLE other_owner")


@only_with_all
def test_owner_of_the_database_gets_what_a_missing_role_owned(ordinary: Database) -> None:
    """As where a backup comes from a server with other roles: the application keeps its rights."""
    owner, member = ordinary.checkout.environment["TB_POSTGRES_USER"], f"member_{ordinary.name}"
    missing = f"missing_{ordinary.name}"
    ordinary.execute(
        f"CREATE ROLE {missing}; CREATE ROLE {member} LOGIN CREATEDB PASSWORD '{PASSWORD}';"
        f"GRANT {owner} TO {member}; SET ROLE {owner};"
        "CREATE SCHEMA s; CREATE TABLE s.t (id serial); CREATE TYPE mood AS ENUM ('ok');"
        "CREATE TYPE pair AS (a int, b mood); CREATE DOMAIN small AS int CHECK (VALUE < 9);"
        "CREATE VIEW v AS SELECT 1; CREATE MATERIALIZED VIEW m AS SELECT 2 AS n; CREATE SEQUENCE q;"
        "CREATE FUNCTION f(pair) RETURNS int LANGUAGE sql AS 'SELECT 1'; RESET ROLE;"
        f"ALTER TABLE image_infos OWNER TO {missing}; GRANT SELECT ON image_infos TO {owner}"
    )
    path, before = ordinary.backed_up(), ordinary.content()
    owned_by = (
        "SELECT count(*) FROM pg_class WHERE relowner = '{0}'::regrole UNION ALL"
        " SELECT count(*) FROM pg_proc WHERE proowner = '{0}'::regrole UNION ALL"
        " SELECT count(*) FROM pg_type WHERE typowner = '{0}'::regrole UNION ALL"
        " SELECT count(*) FROM pg_namespace WHERE nspowner = '{0}'::regrole"
    )
    ordinary.execute(f"ALTER TABLE image_infos OWNER TO {owner}")
    owned = ordinary.execute(owned_by.format(owner))
    ordinary.execute(f"DROP OWNED BY {missing}; DROP ROLE {missing}")
    superuser = ordinary.server.environment()["TB_POSTGRES_USER"]
    password = {"TB_POSTGRES_PASSWORD": ordinary.server.environment()["TB_POSTGRES_PASSWORD"]}
    try:
        for user, settings in (
            (member, {}),
            (member, {"RESTORE_IN_PLACE": "yes"}),
            (superuser, password),
        ):
            ordinary.execute("DELETE FROM image_infos")
            run = ordinary.restore(path, TB_POSTGRES_USER=user, **settings)
            assert run.status == 0 and f"'{owner}', the owner of the database, will own" in run.err
            assert ordinary.execute(owned_by.format(owner)) == owned, user
            assert {**ordinary.content(), "schema": ""} == {**before, "schema": ""}
    finally:
        ordinary.execute(f"DROP OWNED BY {member}; DROP ROLE {member}")


@only_with_all
def test_foreign_key_of_another_owner_blocks_only_its_tables(ordinary: Database) -> None:
    path = ordinary.backed_up()
    ordinary.execute(
        "ALTER TABLE image_infos ADD UNIQUE (id);"
        "CREATE TABLE others (id text REFERENCES image_infos (id));"
        "GRANT SELECT ON others TO PUBLIC"
    )
    before = ordinary.content()
    ordinary.execute("DELETE FROM latency_infos")
    run = ordinary.restore("--dry-run", "--table", "image_infos", path)
    assert run.status == 1 and "lacks rights on table public.others; the" in run.errors[0], run
    run = ordinary.restore("--table", "latency_infos", path)
    assert run.status == 0 and ordinary.content() == before, run


@only_with_all
def test_extension_that_only_a_superuser_may_create_is_named_beforehand(ordinary: Database) -> None:
    ordinary.execute("CREATE EXTENSION citext; CREATE EXTENSION pg_stat_statements")
    run = ordinary.backup(BACKUP_COMPRESSION="smallest")
    reason = "without a restore test, because only a superuser may create these extensions: pg_stat"
    assert run.status == 0 and reason in run.err, run
    before = ordinary.content()
    for mode in sampled(["backup", "live"], 1):
        run = ordinary.restore("--schema", mode, "--dry-run")
        assert run.status == 0 and "extensions: pg_stat_statements; let a" in run.err, run
        run = ordinary.restore("--schema", mode)
        assert run.status == 1 and "permission denied to create extension" in run.errors[0], run
        assert "let a superuser create the extension in the live" in run.err, run
    run = ordinary.checkout.run(DOCTOR)
    assert run.status == 0 and "only a superuser may create pg_stat_statements\n" in run.out, run
    assert "a restore may fail to create extensions" in run.err
    run = ordinary.restore("--schema", "backup", RESTORE_IN_PLACE="yes")
    assert run.status == 0 and "only a superuser" not in run.err, run
    assert ordinary.content() == before
    ordinary.execute("DROP EXTENSION pg_stat_statements")
    for environment in ({}, {"RESTORE_IN_PLACE": "yes"}):
        run = ordinary.restore("--dry-run", **environment)
        assert run.status == 0 and "extensions: pg_stat_statements; let a" in run.err, run
        assert "extension pg_stat_statements  only in the backup" in run.err, run


@only_with_all
def test_limit_of_connections_is_named(ordinary: Database) -> None:
    user = ordinary.checkout.environment["TB_POSTGRES_USER"]
    ordinary.execute(f"ALTER ROLE {user} CONNECTION LIMIT 2")
    run = ordinary.backup()
    assert run.status == 1 and "too many connections for role" in run.err, run
    assert f'hint: run ALTER ROLE "{user}" CONNECTION LIMIT -1' in run.err
    ordinary.execute(f"ALTER ROLE {user} CONNECTION LIMIT 8")
    assert ordinary.restore(ordinary.backed_up()).status == 0


@pytest.mark.parametrize(
    ("without", "again", "hint"),
    [
        (
            "ALTER DATABASE postgres RENAME TO renamed",
            "ALTER DATABASE renamed RENAME TO postgres",
            "CREATE DATABASE postgres",
        ),
        (
            "REVOKE CONNECT ON DATABASE postgres FROM PUBLIC",
            "GRANT CONNECT ON DATABASE postgres TO PUBLIC",
            'GRANT CONNECT ON DATABASE postgres TO "owner_',
        ),
    ],
)
def test_need_of_database_postgres_is_named(
    ordinary: Database, without: str, again: str, hint: str
) -> None:
    ordinary.execute(without)
    try:
        run = ordinary.backup()
    finally:
        ordinary.execute(again)
    assert run.status == 1 and "could not use server" in run.err, run
    assert run.err.count("hint: ") == 1 and f"hint: run {hint}" in run.err, run


SERVICES = """\
# comment
[other]
host=192.0.2.1
dbname=wrong

  [assets]
host={host}
port={port}
user={user}
password={password}
dbname={name}
sslmode=prefer
connect_timeout=3
[assets]
host=192.0.2.1
"""


@pytest.fixture
def service(ordinary: Database) -> Database:
    """Only a service file says how to reach the database."""
    environment = ordinary.checkout.environment
    host, port = environment.pop("TB_POSTGRES_ENDPOINT").split(":")
    text = SERVICES.format(
        host=host,
        port=port,
        user=environment.pop("TB_POSTGRES_USER"),
        password=environment.pop("TB_POSTGRES_PASSWORD"),
        name=environment.pop("TB_POSTGRES_DATABASE"),
    )
    (ordinary.checkout.home / ".pg_service.conf").write_text(text)
    (ordinary.checkout.path / ".env").write_text("TB_POSTGRES_SERVICE=assets\n")
    return ordinary


def test_service_file_names_server_database_and_user(service: Database) -> None:
    before = service.content()
    run = service.backup()
    assert run.status == 0 and "2,981 rows" in run.err, run
    skipped = "warning: service 'assets': skipped connect_timeout, which these scripts do not use"
    assert run.err.count("warning: ") == 1 and skipped in run.err, run
    service.execute("DELETE FROM image_infos")
    run = service.restore()
    assert run.status == 0 and service.content() == before, run
    run = service.checkout.run(STATS, TB_POSTGRES_DATABASE="other")
    assert run.status == 1 and "database 'other'" in run.err, run


def test_env_file_comes_before_a_service(service: Database) -> None:
    lines = "TB_POSTGRES_SERVICE=assets\nTB_POSTGRES_DATABASE=of_the_env_file\n"
    (service.checkout.path / ".env").write_text(lines)
    run = service.checkout.run(STATS)
    assert run.status == 1 and "there is no database 'of_the_env_file'" in run.err, run


def test_service_that_no_file_has_is_an_error(service: Database) -> None:
    default = service.checkout.home / ".pg_service.conf"
    run = service.checkout.run(STATS, TB_POSTGRES_SERVICE="asset")
    assert run.status == 2 and run.errors == [f"error: there is no service 'asset' in '{default}'"]
    assert "hint: set PGSERVICEFILE to the file that has service 'asset'" in run.err
    run = service.checkout.run(STATS, PGSERVICEFILE="/nowhere")
    assert run.status == 2 and run.errors == ["error: there is no service file '/nowhere'"], run


@pytest.mark.parametrize(
    ("line", "error", "hint"),
    [
        ("port = 5433", "service 'assets': line 3 is not KEY=VALUE", "correct '"),
        ("no value", "service 'assets': line 3 is not KEY=VALUE", "correct '"),
        ("", "service 'assets': no host is set", "correct '"),
        ("host=a\nport=1 # one", "TB_POSTGRES_ENDPOINT must be ", "correct service 'assets' in '"),
        ("host=a\nsslmode=full", "PGSSLMODE must be ", "correct service 'assets' in '"),
    ],
)
def test_wrong_line_of_a_service_is_an_error(
    checkout: Checkout, line: str, error: str, hint: str
) -> None:
    path = checkout.home / "services"
    path.write_text(f"[assets]\nuser=x\n{line}\n")
    run = checkout.run(STATS, TB_POSTGRES_SERVICE="assets", PGSERVICEFILE=str(path))
    assert run.status == 2 and len(run.errors) == 1 and error in run.err, run
    assert f" hint: {hint}{path}'" in run.err, run


def command_lines() -> str:
    """Return the command lines of all processes, those in containers included."""
    lines = []
    for process in Path("/proc").iterdir():
        with suppress(OSError):  # it is none, or has ended
            line = (process / "cmdline").read_bytes()
            lines.append(line.replace(b"\0", b" ").decode(errors="replace"))
    return "\n".join(lines)


@pytest.mark.parametrize("backend", sampled(["direct", "docker"], 1))
def test_password_is_on_no_command_line(request: pytest.FixtureRequest, backend: str) -> None:
    database = request.getfixturevalue(backend)
    environment = database.checkout.environment
    if backend == "docker":  # whose own programs need none
        environment["TB_POSTGRES_PASSWORD"] = PASSWORD
    password = environment["TB_POSTGRES_PASSWORD"]
    path = database.sample_backup()
    database.checkout.key.unlink()  # an untrusted backup: its role has a password too
    for command, program in (((BACKUP, "other"), "pg_dump"), ((RESTORE, path), "pg_restore")):
        seen = ""
        while program not in seen:  # which may be too quick to be seen
            process = database.checkout.start(*command, **CONFIRMED)
            while process.poll() is None:
                seen += command_lines()
            assert process.wait() == 0, process.stderr.read()
            process.communicate()
        assert password not in seen


@pytest.fixture
def tls(container: Container, tmp_path: Path) -> Iterator[Path]:
    """A certificate for the container, whose server offers TLS with it."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=x", "-addext", f"subjectAltName=IP:{container.address}"]
    files = ["-keyout", key, "-out", certificate]
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subprocess.run([*request, *subject, *files], check=True, capture_output=True)
    data = container.execute("SHOW data_directory")[0][0]
    for file, name in ((key, "server.key"), (certificate, "server.crt")):
        install = f"umask 077; cat >{data}/{name}; chown $(stat -c %u {data}) {data}/{name}"
        container.client("sh", "-c", install, input=file.read_bytes())
    container.execute("ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()")
    until(lambda: container.execute("SHOW ssl") == [("on",)])
    yield certificate
    container.execute("ALTER SYSTEM RESET ssl", "SELECT pg_reload_conf()")


def test_certificate_of_the_server_is_verified(
    container: Container, direct_server: DirectServer, docker: Database, tls: Path
) -> None:
    environment = {
        "ASSETS_PG_BACKEND": "direct",
        "PG_BINDIR": str(direct_server.private.bin_dir),
        "TB_POSTGRES_ENDPOINT": f"{container.address}:5432",
    }
    project = docker.checkout.path
    (project / "ca.pem").symlink_to(tls)
    (project / ".env").write_text("PGSSLMODE=verify-full\nPGSSLROOTCERT=ca.pem\n")
    backup = project / "scripts" / "backup-assets.sh"
    run = docker.checkout.run(backup, cwd=Path("/"), **environment)
    assert run.status == 0, run
    docker.execute("DELETE FROM pricing_info")
    run = docker.restore(**environment)
    assert run.status == 0 and "4,701 rows" in run.err, run
    other = tls.with_name("other.pem")
    other.write_text(tls.read_text().replace("A", "B"))
    for certificate in (other, tls.with_name("none.pem")):
        run = docker.restore(**environment, PGSSLROOTCERT=str(certificate))
        assert run.status == 1 and len(run.errors) == 1, run
        assert "certificate" in run.err and "the database is unchanged" in run.err
        assert "hint: set PGSSLROOTCERT to the certificate" in run.err


@only_with_all
def test_backup_that_could_not_be_tested_here_is_small(ordinary: Database) -> None:
    role = ordinary.checkout.environment["TB_POSTGRES_USER"]
    set_by_a_superuser = f"ALTER DATABASE {ordinary.name} SET log_statement = 'ddl'"
    ordinary.server.execute(set_by_a_superuser)
    run = ordinary.backup(BACKUP_COMPRESSION="smallest", FORCE="yes")
    assert run.status == 0 and "may not copy these settings of the database: log_st" in run.err, run
    ordinary.server.execute(set_by_a_superuser.replace("SET log_statement = 'ddl'", "RESET ALL"))
    ordinary.execute(f"CREATE TABLE others (); GRANT SELECT ON others TO {role}")
    run = ordinary.backup(BACKUP_COMPRESSION="smallest", FORCE="yes")
    assert run.status == 0 and "what these roles own or have granted: tumblebug\n" in run.err, run
    first, second = f"first_{ordinary.name}", f"second_{ordinary.name}"
    ordinary.execute(
        f"DROP TABLE others; CREATE ROLE {first}; CREATE ROLE {second};"
        f"GRANT SELECT ON spec_infos TO {first} WITH GRANT OPTION;"
        f"SET ROLE {first}; GRANT SELECT ON spec_infos TO {second}"
    )
    try:
        run = ordinary.backup(BACKUP_COMPRESSION="smallest", FORCE="yes")
        assert run.status == 0 and "may not restore all grants of the database" in run.err, run
        assert "rows: sorted" not in manifest_of(ordinary.checkout.default_backup).read_text()
    finally:
        ordinary.execute(f"DROP OWNED BY {first} CASCADE; DROP ROLE {first}, {second}")


def test_data_directory_of_another_host_is_not_measured_here(
    direct_server: DirectServer, docker: Database
) -> None:
    full = 'case $* in */postgresql/data) printf "h\n/dev/x 1 1 10 99%% /\n" ;;'
    environment = fake(docker.checkout, df=f'{full} *) exec "$REAL" "$@" ;; esac') | {
        "ASSETS_PG_BACKEND": "direct",
        "PG_BINDIR": str(direct_server.private.bin_dir),
        "TB_POSTGRES_ENDPOINT": f"{docker.server.address}:5432",
    }
    run = docker.checkout.run(DOCTOR, **environment)
    assert run.status == 0, run
    assert "could not determine the free space of the data directory" in run.out


@pytest.fixture
def standby(docker: Database) -> Iterator[Database]:
    """A standby of the container's server, in the same container."""
    container = docker.server
    start = (
        "set -e; cd /tmp; rm -rf standby; umask 077;"
        " pg_basebackup -h /var/run/postgresql -U tumblebug -D standby -R -c fast -X stream;"
        " pg_ctl -D standby -l standby/log -w -o '-p 5433' start"
    )
    user = container.client("stat", "-c", "%u", container.execute("SHOW data_directory")[0][0])
    in_container = [
        "docker",
        "exec",
        "-u",
        user.stdout.decode().strip(),
        container.name,
        "sh",
        "-c",
    ]
    subprocess.run([*in_container, start], check=True, capture_output=True, timeout=60)
    docker.checkout.environment |= {
        "ASSETS_PG_BACKEND": "direct",
        "TB_POSTGRES_ENDPOINT": f"{container.address}:5433",
    }
    yield docker
    stop = "cd /tmp; pg_ctl -D standby -m immediate -w stop; rm -rf standby"
    subprocess.run([*in_container, stop], check=True, capture_output=True, timeout=60)


@only_with_all
def test_standby_can_be_backed_up_but_not_restored_to(
    standby: Database, direct_server: DirectServer
) -> None:
    standby.checkout.environment["PG_BINDIR"] = str(direct_server.private.bin_dir)
    run = standby.backup(BACKUP_COMPRESSION="smallest")
    assert run.status == 0, run
    assert (
        "without a restore test, because server" in run.err and "is a read-only standby" in run.err
    )
    assert "4,701 rows" in run.err
    staging = f"assets_staging_{standby.key()}"
    standby.server.execute(f"CREATE DATABASE {staging}")  # of a run on the primary server
    for command in ((RESTORE,), (RESTORE, "--dry-run"), (ROLLBACK,), (CLEAN,)):
        run = standby.checkout.run(*command, **CONFIRMED)
        assert run.status == 1 and len(run.errors) == 1, run
        assert "is a read-only standby; the database is unchanged" in run.err, run
    assert standby.checkout.run(STATS).status == 0
    run = standby.checkout.run(DOCTOR)
    assert run.status == 1 and "is a read-only standby" in run.out, run
    assert standby.databases() == {staging}


@only_with_all
def test_unlogged_table_prevents_a_backup_on_a_standby(
    standby: Database, direct_server: DirectServer
) -> None:
    standby.checkout.environment["PG_BINDIR"] = str(direct_server.private.bin_dir)
    standby.execute("CREATE UNLOGGED TABLE unlogged (n int)")
    run = standby.backup()
    assert run.status == 1 and "hint: use the primary server" in run.err, run
    assert "cannot read the database" in standby.checkout.run(DOCTOR).out


RESTRICTING = (
    "temp_file_limit, log_min_messages, log_min_error_statement, log_statement,"
    " log_min_duration_statement"
)


@only_with_all
def test_setting_that_the_user_may_not_copy_is_named_before_the_question(
    ordinary: Database,
) -> None:
    role = ordinary.checkout.environment["TB_POSTGRES_USER"]
    path = ordinary.backed_up()
    ordinary.server.execute(
        f"CREATE ROLE other_{ordinary.name}",
        f"ALTER DATABASE {ordinary.name} SET work_mem = '5MB'",
        f"ALTER DATABASE {ordinary.name} SET log_min_duration_statement = 500",
        f"ALTER DATABASE {ordinary.name} SET other.setting = 'x'",
        f"ALTER ROLE other_{ordinary.name} IN DATABASE {ordinary.name} SET work_mem = '5MB'",
    )
    run = ordinary.restore(path, RESTORE_SKIP_CONFIRM="")
    named = f"log_min_duration_statement, other.setting, work_mem of role other_{ordinary.name};"
    assert run.status == 1 and len(run.errors) == 1 and named in run.err, run
    assert "user '" + role + "' may not copy these settings" in ordinary.checkout.run(DOCTOR).out
    for name in ("log_min_duration_statement", "other.setting"):
        ordinary.server.execute(f"ALTER DATABASE {ordinary.name} RESET {name}")
    ordinary.server.execute(f"DROP ROLE other_{ordinary.name}")
    run = ordinary.restore(path)
    assert run.status == 0, run
    ordinary.server.execute(f"ALTER DATABASE {ordinary.name} SET log_min_duration_statement = 500")
    ordinary.server.execute(f"GRANT SET ON PARAMETER log_min_duration_statement TO {role}")
    try:
        run = ordinary.restore(path)
        assert run.status == 0, run
    finally:
        ordinary.server.execute(f"REVOKE SET ON PARAMETER log_min_duration_statement FROM {role}")


@only_with_all
def test_restore_that_may_not_drop_the_kept_copy_is_done(ordinary: Database) -> None:
    path = ordinary.backed_up()
    ordinary.execute("DELETE FROM image_infos")
    other = ordinary.backed_up(ordinary.checkout.path / "other.dump.gz")
    assert ordinary.restore(path, RESTORE_KEEP_COPY="yes").status == 0
    (copy,) = ordinary.databases()
    ordinary.server.execute(f"ALTER DATABASE {copy} OWNER TO CURRENT_USER")
    run = ordinary.restore(other, RESTORE_KEEP_COPY="yes")
    assert run.status == 3 and "could not keep a copy: must be owner of database" in run.err, run
    assert ordinary.execute("SELECT count(*) FROM image_infos") == [(0,)]


@only_with_all
def test_run_of_another_user_is_named(ordinary: Database) -> None:
    """When it began is hidden from this user."""
    path = ordinary.backed_up()
    superuser = {
        name: ordinary.server.environment()[name]
        for name in ("TB_POSTGRES_USER", "TB_POSTGRES_PASSWORD")
    }
    with waiting_run(
        ordinary.checkout, RESTORE, path, program="pg_restore", arguments="*--jobs*", **superuser
    ) as (process, go_on):
        run = ordinary.restore(path)
        assert run.status == 1 and f"{process.pid}; the database is unchanged" in run.err, run
        go_on.touch()
        process.communicate(timeout=60)


def test_untrusted_load_that_hides_its_database_from_the_watch_ends(ordinary: Database) -> None:
    role = ordinary.checkout.environment["TB_POSTGRES_USER"]
    hides = (
        "DO $x$ BEGIN EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC, %I',"
        " current_database(), current_user); END $x$; COMMIT; SELECT pg_sleep(1000);"
    )
    path = untrusted_dump(ordinary, patched=hides)
    ordinary.checkout.key.unlink(missing_ok=True)
    ordinary.server.execute(f"ALTER ROLE {role} CREATEROLE")
    ordinary.server.execute(f"GRANT SET ON PARAMETER {RESTRICTING} TO {role}")
    try:
        run = ordinary.restore(path, timeout=60)
        assert run.status == 1 and len(run.errors) == 1, run
        assert "could not watch the load" in run.err, run
        assert ordinary.left_behind() == []
    finally:
        ordinary.server.execute(f"REVOKE SET ON PARAMETER {RESTRICTING} FROM {role}")


@only_with_all
def test_user_who_may_restrict_roles_restores_untrusted_backups(ordinary: Database) -> None:
    restores_untrusted(ordinary)


def restores_untrusted(database: Database) -> None:
    """The right to create roles is enough only with that to limit what a role may take."""
    role = database.checkout.environment["TB_POSTGRES_USER"]
    before = database.content()
    path = database.backed_up()
    database.checkout.key.unlink()
    database.execute("DELETE FROM image_infos")
    database.server.execute(f"ALTER ROLE {role} CREATEROLE")
    run = database.restore(path)
    assert run.status == 1 and "lacks the rights to create and limit" in run.errors[0], run
    database.server.execute(f"GRANT SET ON PARAMETER {RESTRICTING} TO {role}")
    try:
        process = start_restore(database, path)
        kill(process)
        for options in sampled([("--data-only",), ()], 1):
            database.execute("DELETE FROM image_infos")
            run = database.restore(*options, path)
            assert run.status == 0 and "with restricted rights and audits" in run.err, run
            assert database.content() == before and database.left_behind() == []
        database.execute(f"SET ROLE {role}; CREATE VIEW v AS SELECT 1 AS n")
        path = database.backed_up()
        database.checkout.key.unlink()
        run = database.restore(path)
        assert run.status == 1 and "not allowed in an untrusted backup: view" in run.err, run
        roles = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'assets%'"
        assert database.left_behind() == [] and not database.server.execute(roles)
    finally:
        database.server.execute(f"REVOKE SET ON PARAMETER {RESTRICTING} FROM {role}")


def test_messages_in_another_language_are_refused(ordinary: Database) -> None:
    """No server of the tests has another one: its answer is changed on the way."""
    german = '"$REAL" "$@" | sed -u \'s/^\\([0-9]*|.*|f\\)|[^|]*$/\\1|de_DE.UTF-8/\''
    run = ordinary.checkout.run(STATS, **fake(ordinary.checkout, psql=german))
    assert run.status == 1 and len(run.errors) == 1, run
    assert "(lc_messages = 'de_DE.UTF-8'); these scripts need English" in run.err
    assert "SET lc_messages = 'C'" in run.err


def test_superuser_gets_messages_in_english(direct: Database) -> None:
    direct.server.execute(f"ALTER DATABASE {direct.name} SET lc_messages = 'POSIX'")
    shows = 'echo "$PGOPTIONS" >>"$HOME/options"; exec "$REAL" "$@"'
    run = direct.backup("x.dump.gz", **fake(direct.checkout, pg_dump=shows))
    assert run.status == 0, run
    assert "-c lc_messages=C" in (direct.checkout.home / "options").read_text()
