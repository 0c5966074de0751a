"""The main job: a restore restores exactly what was backed up, however it is called."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.databases import Database, make_big
from support.fakes import fake, path_without
from support.run import BACKUP, DIFF, DOCTOR, LIST, PROJECT, PRUNE, RESTORE, STATS, VERIFY
from support.sampling import only_with_all, sampled

SHELLS = ["dash", "busybox sh", "bash --posix"]


def damage(database: Database) -> None:
    database.execute("DELETE FROM pricing_info; DROP TABLE image_info; CREATE TABLE later (n int)")


def test_backup_and_restore_round_trip(database: Database) -> None:
    before = database.content()
    backup = database.backup(database.checkout.default_backup, BACKUP_COMPRESSION="auto")
    assert backup.status == 0, backup
    assert "spec_info" in backup.out
    damage(database)
    restore = database.restore()
    assert restore.status == 0, restore
    assert "spec_info" in restore.out
    assert database.content() == before
    assert database.left_behind() == []


def test_own_backup_may_hold_views_and_functions(direct: Database) -> None:
    direct.execute(
        "CREATE VIEW priced AS SELECT provider_name, count(*) AS specs FROM spec_info GROUP BY 1;"
        "CREATE MATERIALIZED VIEW summary AS SELECT * FROM priced;"
        " CREATE UNIQUE INDEX ON summary (provider_name);"
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;"
        "CREATE TRIGGER t BEFORE INSERT ON spec_info FOR EACH ROW EXECUTE FUNCTION f();"
        "ALTER TABLE spec_info ENABLE ROW LEVEL SECURITY;"
        " CREATE POLICY p ON spec_info USING (v_cpu > 0)"
    )
    before = direct.content()
    path = direct.backed_up()
    direct.execute("DROP MATERIALIZED VIEW summary; DROP VIEW priced; DELETE FROM pricing_info")
    run = direct.restore(path)
    assert run.status == 0, run
    assert direct.content() == before
    assert direct.execute("SELECT sum(specs) FROM summary") == [(1200,)]


@pytest.mark.parametrize("shell", sampled(SHELLS, 1))
def test_scripts_run_under_every_posix_shell(direct: Database, shell: str) -> None:
    before = direct.content()
    run = direct.checkout.run(BACKUP, "manual", shell=shell, BACKUP_COMPRESSION="smallest")
    assert run.status == 0, run
    damage(direct)
    backup = direct.checkout.path / "backups" / "postgres" / "manual.dump.gz"
    run = direct.checkout.run(RESTORE, backup, shell=shell, RESTORE_SKIP_CONFIRM="yes")
    assert run.status == 0, run
    assert direct.content() == before
    assert direct.left_behind() == []


@pytest.fixture
def on_busybox(direct: Database, tmp_path: Path) -> Database:
    """A database whose scripts run with no other programs than busybox's, as on Alpine."""
    listed = subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True)
    for name in listed.stdout.split():
        (tmp_path / name).symlink_to(shutil.which("busybox"))
    direct.checkout.environment["PATH"] = str(tmp_path)
    return direct


def test_programs_of_busybox_are_enough(on_busybox: Database) -> None:
    on_busybox.execute("CREATE EXTENSION pg_trgm; CREATE MATERIALIZED VIEW v AS SELECT 1 AS n")
    before = on_busybox.content()
    run = on_busybox.backup()
    assert run.status == 0, run
    for settings, options in (({}, ()), ({"RESTORE_IN_PLACE": "yes"}, ("--data-only",))):
        on_busybox.execute("DELETE FROM pricing_info")
        run = on_busybox.restore(*options, **settings)
        assert run.status == 0 and "warning: the restore may fail" not in run.err, run
        assert on_busybox.content() == before
    for command in ([VERIFY], [DIFF], [LIST], [PRUNE, "--keep", "1", "-y"], [DOCTOR], [STATS]):
        run = on_busybox.checkout.run(*command)
        assert run.status == 0, run
    assert on_busybox.left_behind() == []


@pytest.fixture
def on_macos(direct: Database) -> Database:
    """A database whose scripts run with programs that behave like those of macOS."""
    if not shutil.which("original-awk"):
        pytest.skip("there is no original-awk")
    environment = direct.checkout.environment
    environment["PATH"] = path_without(
        direct.checkout, *("timeout", "setsid", "flock", "nproc", "tac", "sha256sum", "pigz")
    )
    environment |= fake(
        direct.checkout,
        awk='exec original-awk "$@"',
        sed='exec "$REAL" --posix "$@"',
        sync='exec "$REAL"',
        wc='number=$("$REAL" "$@") && printf "%8s\\n" "$number"',
    )
    return direct


def test_programs_of_macos_are_enough(on_macos: Database) -> None:
    bash = {"shell": "bash --posix"}
    run_script = on_macos.checkout.run
    before = on_macos.content()
    for name in ((), ("auto",), ("auto",)):
        run = run_script(BACKUP, *name, **bash)
        assert run.status == 0, run
    damage(on_macos)
    for options in (("--dry-run",), ("-y",), ("-y", "--data-only")):
        run = run_script(RESTORE, *options, **bash)
        assert run.status == 0, run
    assert on_macos.content() == before
    for command in ([VERIFY], [DIFF], [LIST], [PRUNE, "--keep", "1", "-y"], [STATS]):
        run = run_script(*command, **bash)
        assert run.status == 0, run
    assert json.loads(run_script(LIST, "--json", **bash).out)["result"]["backups"]
    assert "optional: with pigz" in run_script(DOCTOR, **bash).out
    assert on_macos.left_behind() == []


@pytest.mark.parametrize("path", sorted((PROJECT / "scripts").rglob("*.awk")), ids=lambda p: p.name)
def test_original_awk_accepts_every_program(path: Path) -> None:
    run = subprocess.run(
        ["original-awk", "-f", path], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert "syntax error" not in run.stderr and "illegal statement" not in run.stderr


def test_gunzip_and_pg_restore_can_read_the_backup(database: Database) -> None:
    archive = gzip.decompress(database.sample_backup().read_bytes())
    assert archive.startswith(b"PGDMP")
    contents = database.server.client("pg_restore", "--list", input=archive).stdout.decode()
    assert "TABLE DATA public spec_info" in contents


def test_guide_commands_restore_our_file_and_we_restore_theirs(docker: Database) -> None:
    before = docker.content()
    client = docker.server.client
    theirs = client("pg_dump", "-U", "tumblebug", "-d", docker.name, "-F", "c").stdout
    for name, content in {"theirs.dump": theirs, "theirs.dump.gz": gzip.compress(theirs)}.items():
        path = docker.checkout.path / name
        path.write_bytes(content)
        damage(docker)
        run = docker.restore(path)
        assert run.status == 0, run
        assert docker.content() == before
    ours = gzip.decompress(docker.backed_up().read_bytes())
    docker.drop()
    docker.create_empty()
    client("pg_restore", "-U", "tumblebug", "-d", docker.name, "-v", input=ours)
    assert docker.content() == before


def test_named_backup_goes_to_the_backups_directory(direct: Database) -> None:
    run = direct.backup("my_backup_20240115")
    assert run.status == 0, run
    assert (direct.checkout.named_backups / "my_backup_20240115.dump.gz").is_file()


def test_auto_names_the_file_by_date(direct: Database) -> None:
    run = direct.backup("auto")
    assert run.status == 0, run
    (backup,) = direct.checkout.named_backups.glob("*.dump.gz")
    assert backup.match(
        "tumblebug_db_20[0-9][0-9][01][0-9][0-3][0-9]_[0-2][0-9][0-5][0-9][0-5][0-9].dump.gz"
    )


def test_paths_are_relative_to_the_working_directory(direct: Database) -> None:
    elsewhere = direct.checkout.home / "else where"
    elsewhere.mkdir()
    scripts = direct.checkout.path / "scripts"
    before = direct.content()
    for path in sampled(["here.dump.gz", "./here.dump.gz", str(elsewhere / "absolute")], 2):
        run = direct.checkout.run(scripts / "backup-assets.sh", path, cwd=elsewhere)
        assert run.status == 0, run
        assert (elsewhere / path).is_file()
        damage(direct)
        run = direct.checkout.run(
            scripts / "restore-assets.sh", path, cwd=elsewhere, RESTORE_SKIP_CONFIRM="yes"
        )
        assert run.status == 0, run
        assert direct.content() == before


def test_next_command_adds_the_backup_to_git_from_anywhere(direct: Database) -> None:
    checkout = direct.checkout
    assert checkout.run("git", "init", "-q").status == 0
    for directory in (checkout.path, checkout.home):
        run = checkout.run(checkout.path / BACKUP, cwd=directory, FORCE="yes")
        command = re.search("^next: (.*)", run.err, re.MULTILINE)[1]
        (checkout.path / ".git/index").unlink(missing_ok=True)
        assert checkout.run("sh", "-c", command, cwd=directory).status == 0, command
        added = checkout.run("git", "diff", "--cached", "--name-only").out.splitlines()
        assert added == ["assets/assets.dump.gz", "assets/assets.dump.gz.info"], command


def test_restore_creates_a_missing_database(direct: Database) -> None:
    before = direct.content()
    path = direct.sample_backup()
    direct.drop()
    run = direct.restore(path)
    assert run.status == 0, run
    assert direct.content() == before


def test_missing_database_gets_the_encoding_of_the_backup(direct: Database) -> None:
    direct.drop()
    direct.create_empty("ENCODING LATIN1 LOCALE 'C' TEMPLATE template0")
    direct.execute("CREATE TABLE t AS SELECT chr(233) AS letter")
    path = direct.backed_up()
    direct.drop()
    run = direct.restore(path)
    assert run.status == 0, run
    assert direct.execute("SELECT getdatabaseencoding(), letter FROM t") == [("LATIN1", "é")]


@only_with_all
def test_template_database_stays_a_template(direct: Database) -> None:
    path = direct.sample_backup()
    direct.execute(f"ALTER DATABASE {direct.name} IS_TEMPLATE true")
    for _ in range(2):
        run = direct.restore(path)
        assert run.status == 0, run
        assert "could not drop" not in run.err
        found = direct.execute(
            "SELECT datistemplate FROM pg_database WHERE datname = current_database()"
        )
        assert found == [(True,)]
    direct.execute(f"ALTER DATABASE {direct.name} IS_TEMPLATE false")


def test_temporary_database_half_dropped_is_dropped(direct: Database) -> None:
    name = f"assets_replaced_{direct.key()}"
    direct.server.execute(f"CREATE DATABASE {name}")
    direct.server.execute(f"UPDATE pg_database SET datconnlimit = -2 WHERE datname = '{name}'")
    run = direct.backup("x.dump.gz")
    assert run.status == 0, run
    assert f"removed what a crashed run left: {name}" in run.err
    assert direct.left_behind() == []


def test_temporary_database_not_dropped_is_a_warning(direct: Database) -> None:
    replaced = f"assets_replaced_{direct.key()}"
    direct.server.execute(f"CREATE DATABASE {replaced}")
    direct.server.execute(
        "CREATE SUBSCRIPTION s CONNECTION 'host=/nowhere' PUBLICATION p"
        " WITH (connect = false, slot_name = NONE, enabled = false)",
        database=replaced,
    )
    run = direct.backup("again.dump.gz")
    assert run.status == 0, run
    assert f"could not remove what a crashed run left: {replaced}: database" in run.err
    direct.server.execute("DROP SUBSCRIPTION s", database=replaced)
    assert direct.backup("again.dump.gz").status == 0
    assert direct.left_behind() == []


def test_database_keeps_its_attributes(direct: Database) -> None:
    name = direct.name
    direct.execute(
        f"""
        CREATE ROLE {name}_owner; CREATE ROLE {name}_reader;
        ALTER DATABASE {name} OWNER TO {name}_owner;
        ALTER DATABASE {name} SET search_path = public, "Odd, ""path\""", '';
        ALTER DATABASE {name} SET work_mem = '17MB';
        ALTER DATABASE {name} SET my.setting = 'it''s';
        ALTER ROLE {name}_reader IN DATABASE {name} SET statement_timeout = '1s';
        ALTER DATABASE {name} SET default_transaction_read_only = on;
        ALTER DATABASE {name} SET statement_timeout = '1ms';
        REVOKE CONNECT ON DATABASE {name} FROM PUBLIC;
        GRANT CONNECT ON DATABASE {name} TO {name}_reader WITH GRANT OPTION;
        COMMENT ON DATABASE {name} IS 'the "assets"; it''s ours';
        ALTER DATABASE {name} CONNECTION LIMIT 77;
        """
    )
    properties = f"""
        SELECT pg_get_userbyid(datdba), encoding, datcollate, datctype, datconnlimit, datacl::text,
            shobj_description(oid, 'pg_database'),
            (SELECT array_agg((setrole::regrole, setconfig)::text ORDER BY setrole)
             FROM pg_db_role_setting WHERE setdatabase = d.oid)
        FROM pg_database AS d WHERE datname = '{name}'
    """
    before = direct.server.execute(properties)
    run = direct.restore(direct.backed_up())
    assert run.status == 0, run
    assert direct.server.execute(properties) == before
    direct.drop()
    direct.server.execute(f"DROP ROLE {name}_owner, {name}_reader")


def test_owner_whose_name_has_line_ends_stays_the_owner(direct: Database) -> None:
    role = f'"{direct.name} a\r\nb"'
    direct.execute(f"CREATE ROLE {role}; ALTER TABLE pricing_info OWNER TO {role}")
    before = direct.schema()
    run = direct.restore(direct.backed_up())
    assert run.status == 0 and "will own all objects" not in run.err, run
    assert direct.schema() == before
    direct.drop()
    direct.server.execute(f"DROP ROLE {role}")


def test_libpq_variables_of_the_user_have_no_effect(direct: Database) -> None:
    before = direct.content()
    (direct.checkout.home / ".psqlrc").write_text("\\set ON_ERROR_STOP off\n\\echo hello\n")
    hostile = {
        "PGDATABASE": "postgres",
        "PGHOSTADDR": "192.0.2.1",
        "PGSERVICE": "nowhere",
        "PGTZ": "Asia/Seoul",
        "PGDATESTYLE": "German",
        "PGCLIENTENCODING": "LATIN1",
        "PGOPTIONS": "-c default_transaction_read_only=on -c search_path=nowhere",
        "PSQLRC": str(direct.checkout.home / ".psqlrc"),
    }
    run = direct.backup(direct.checkout.default_backup, **hostile)
    assert run.status == 0, run
    damage(direct)
    run = direct.restore(**hostile)
    assert run.status == 0, run
    assert direct.content() == before


def test_settings_come_from_the_environment_then_the_env_file(direct: Database) -> None:
    environment = direct.checkout.environment
    name = environment.pop("TB_POSTGRES_DATABASE")
    (direct.checkout.path / ".env").write_text(
        f"# a comment\nexport TB_POSTGRES_DATABASE='{name}'\nTB_POSTGRES_USER=nobody # overridden\n"
        'PATH=/nowhere\nTB_X=$(touch "$HOME/run")\nnot a line\n'
    )
    run = direct.checkout.run(STATS)
    assert run.status == 0, run
    assert "spec_info" in run.out
    assert not (direct.checkout.home / "run").exists()


def test_password_is_on_no_command_line_and_in_no_message(direct: Database, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    spy = f'ps -eo args >>\'{seen}\'\nexec "$REAL" "$@"'
    spies = fake(direct.checkout, pg_dump=spy, psql=spy, pg_restore=spy)
    run = direct.backup("x.dump.gz", **spies)
    assert run.status == 0, run
    assert "pg_dump" in seen.read_text()
    assert direct.server.private.password not in seen.read_text() + run.out + run.err


def test_database_keeps_its_locale_provider(direct: Database) -> None:
    direct.drop()
    direct.create_empty(
        "TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
        " ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' CONNECTION LIMIT 50"
    )
    locale = (
        "SELECT datlocprovider, datlocale, datcollate FROM pg_database"
        f" WHERE datname = '{direct.name}'"
    )
    before = direct.server.execute(locale)
    assert direct.restore(direct.backed_up()).status == 0
    assert direct.server.execute(locale) == before == [("b", "C.UTF-8", "C")]


def test_planner_has_statistics_and_autovacuum_completes_them(direct: Database) -> None:
    """A large table gets a small sample, and counts as changed."""
    make_big(direct)
    assert direct.restore(direct.backed_up()).status == 0
    described = "SELECT count(*) FROM pg_stats WHERE tablename = 'big'"
    changed = "SELECT relname, n_mod_since_analyze FROM pg_stat_user_tables WHERE relname IN {}"
    assert direct.execute(described) == [(3,)]
    assert dict(direct.execute(changed.format("('big', 'spec_info')"))) == {
        "big": 200_000,
        "spec_info": 0,
    }
