"""doctor: every check says what it found, and what to do."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import pytest
from support.backups import manifest_of
from support.databases import Database
from support.fakes import fake
from support.run import DOCTOR, Checkout, Run, run_as_nobody
from support.sampling import only_with_all, sampled
from support.servers import Container

OK = ["directory", "key", "backup", "server", "login", "lock", "database", "programs"]
OK += ["rights", "restore", "space", "swap"]


def lines(out: str, level: str) -> dict[str, str]:
    """Return what the checks of that level found."""
    return dict(re.findall(rf"^{level} +(\w+) +(.*)$", out, re.MULTILINE))


@pytest.mark.parametrize("backend", ["direct", "docker"])
def test_all_that_works_is_ok(request: pytest.FixtureRequest, backend: str) -> None:
    database = request.getfixturevalue(backend)
    database.sample_backup()
    before = database.content()
    run = database.checkout.run("make", "doctor")
    assert run.status == 0 and "a backup and a restore would work" in run.err, run
    found = lines(run.out, "ok")
    assert set(OK) <= set(found), run
    assert ("password" in found) == (backend == "docker")
    assert found["database"].startswith(f"'{database.name}', 10 tables, 4,701 rows, ")
    assert database.content() == before
    assert database.left_behind() == []


def test_problem_names_what_to_do(direct: Database) -> None:
    for settings, remedy in (
        ({"TB_POSTGRES_ENDPOINT": "127.0.0.1:1"}, "start the server"),
        ({"TB_POSTGRES_PASSWORD": "wrong"}, "set TB_POSTGRES_PASSWORD"),
    ):
        assert_one_problem(direct.checkout.run(DOCTOR, **settings), "login", remedy)


def test_container_that_does_not_run_is_a_problem(container: Container, direct: Database) -> None:
    run = direct.checkout.run(DOCTOR, ASSETS_PG_BACKEND="docker")
    assert_one_problem(run, "server", "start it with")


def assert_one_problem(run: Run, check: str, remedy: str) -> None:
    """Assert that this check is the only problem, and that its remedy is below it."""
    assert run.status == 1 and list(lines(run.out, "problem")) == [check], run
    assert f"{' ' * 22}{remedy}" in run.out
    assert run.errors == ["error: problems found: 1"]


def run_as_role(database: Database, rights: str, **environment: str) -> Run:
    """Run doctor as a new role with these options of CREATE ROLE."""
    role = f"nobody_{database.name}"
    database.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x' {rights}")
    try:
        environment |= {"TB_POSTGRES_USER": role, "TB_POSTGRES_PASSWORD": "x"}
        return database.checkout.run(DOCTOR, **environment)
    finally:
        database.execute(f"DROP ROLE {role}")


def test_missing_rights_are_a_problem(direct: Database) -> None:
    run = run_as_role(direct, "NOSUPERUSER NOCREATEDB")
    assert run.status == 1, run
    assert "may not create the staging database" in lines(run.out, "problem")["rights"]


def test_database_of_the_server_itself_is_a_problem(direct: Database) -> None:
    run = direct.checkout.run(DOCTOR, TB_POSTGRES_DATABASE="postgres")
    assert run.status == 1 and list(lines(run.out, "problem")) == ["rights"], run
    assert "'postgres', which is the server's own" in lines(run.out, "problem")["rights"]


def test_rights_that_a_user_lacks_are_a_problem(direct: Database) -> None:
    run = run_as_role(direct, "IN ROLE pg_read_all_data", RESTORE_IN_PLACE="yes")
    assert run.status == 1 and list(lines(run.out, "problem")) == ["rights"], run
    assert "has no right to replace" in lines(run.out, "problem")["rights"]
    direct.execute("ALTER TABLE spec_info ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    run = run_as_role(direct, "CREATEDB IN ROLE tumblebug")
    assert run.status == 1 and list(lines(run.out, "problem")) == ["database"], run
    assert "row-level security policy" in lines(run.out, "problem")["database"]
    assert f'{" " * 22}run ALTER ROLE "nobody_{direct.name}" BYPASSRLS' in run.out


def test_shared_backup_that_could_not_be_restored_is_a_problem(direct: Database) -> None:
    path = direct.sample_backup()
    direct.checkout.key.write_text("0" * 64)
    run = run_as_role(direct, "CREATEDB IN ROLE tumblebug")
    assert run.status == 1 and list(lines(run.out, "problem")) == ["restore"], run
    assert "cannot load an untrusted backup" in lines(run.out, "problem")["restore"]
    archive = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(archive[:6] + b"\x63" + archive[7:]))
    run = direct.checkout.run(DOCTOR, RESTORE_TRUST="yes")
    assert "was made by a newer pg_dump: pg_restore" in lines(run.out, "problem")["restore"], run


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer"),
        (gzip.compress(b"SELECT 1;\n" * 100), "is not a complete PostgreSQL archive"),
    ],
    ids=["empty", "Git LFS", "SQL"],
)
def test_file_that_is_not_a_backup_is_a_problem(
    direct: Database, content: bytes, error: str
) -> None:
    direct.checkout.default_backup.write_bytes(content)
    run = direct.checkout.run(DOCTOR)
    assert run.status == 1, run
    [problem] = lines(run.out, "problem").values()
    assert error in problem


@only_with_all
def test_kept_databases_and_other_runs_are_notes(direct: Database) -> None:
    path = direct.sample_backup()
    kept = {"RESTORE_KEEP_COPY": "yes", "RESTORE_KEEP_PREVIOUS": "yes"}
    assert direct.restore(path, **kept).status == 0
    run = direct.checkout.run(DOCTOR)
    notes = lines(run.out, "note")
    assert run.status == 0 and "MB, backup of 20" in notes["copy"], run
    assert re.match(r"[\d.]+ MB, kept 20", notes["previous"])
    for remedy in ("'make drop-copy' drops it", "'make rollback-assets' swaps to it"):
        assert f"\n{' ' * 22}{remedy}" in run.out
    with direct.server.connect() as connection:
        connection.execute(
            "SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"tumblebug-assets/{direct.name}"]
        )
        run = direct.checkout.run(DOCTOR)
    assert run.status == 0, run
    assert "another run is using database" in lines(run.out, "note")["lock"]
    assert "would work" not in run.err and "run this again when the other run has" in run.err
    run = direct.checkout.run(DOCTOR, TB_POSTGRES_DATABASE=f"{direct.name}_new")
    assert run.status == 0 and "a restore would work and create the database" in run.err, run
    path.write_bytes(b"")
    run = direct.checkout.run(DOCTOR, TB_POSTGRES_DATABASE=f"{direct.name}_new")
    assert run.status == 1 and list(lines(run.out, "problem")) == ["backup"], run


@pytest.mark.python
def test_damaged_backup_is_a_problem(direct: Database) -> None:
    path = direct.sample_backup()
    path.write_bytes(path.read_bytes()[:-5000])
    run = direct.checkout.run(DOCTOR)
    assert run.status == 1, run
    assert "damaged" in lines(run.out, "problem")["backup"]
    assert "does not answer" in lines(run.out, "note")["tumblebug"]


def test_key_that_has_no_place_is_named(direct: Database) -> None:
    run = direct.checkout.run(DOCTOR, HOME="/nonexistent")
    expected = "there is no home directory for the key; set TB_ASSETS_KEY_FILE"
    assert lines(run.out, "note")["key"] == expected, run


@pytest.mark.parametrize("unusable", sampled(["unreadable", "open", "short", "long"], 2))
def test_key_that_is_not_used_is_named(direct: Database, unusable: str) -> None:
    """By doctor, by a backup, which is then not signed, and by a restore, which does not trust."""
    path = direct.sample_backup()
    key, content = direct.checkout.key, direct.checkout.key.read_text()
    if unusable == "unreadable":
        key.unlink()
        key.mkdir()
    elif unusable == "open":
        key.chmod(0o604)
    else:
        key.write_text({"short": "abcde", "long": content + content}[unusable])
    problem = {
        "unreadable": f"could not read the key '{key}' (TB_ASSETS_KEY_FILE)",
        "open": f"every user of this machine can read or write the key '{key}' (chmod 600 '{key}')",
    }.get(unusable, f"'{key}' (TB_ASSETS_KEY_FILE) is not a key, which has 64 hexadecimal digits")
    run = direct.checkout.run(DOCTOR)
    assert run.status == 0 and lines(run.out, "note")["key"] == problem, run
    run = direct.restore("--dry-run", path)
    assert f"warning: {problem}\n" in run.err and "was not signed with your key" in run.err, run
    run = direct.backup(path)
    assert f"warning: {problem}; this backup is not signed" in run.err, run
    assert "signature: " not in manifest_of(path).read_text()


def test_key_in_a_closed_directory_is_not_called_missing(open_directory: Path) -> None:
    """Such as one that sudo has made."""
    closed = open_directory / "closed"
    closed.mkdir(mode=0o600 if os.geteuid() == 0 else 0)
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(open_directory)}
    environment |= {"TB_ASSETS_KEY_FILE": f"{closed}/key", "TB_POSTGRES_ENDPOINT": "127.0.0.1:1"}
    run = run_as_nobody([str(open_directory / DOCTOR)], environment)
    problem = f"could not read the key '{closed}/key' (TB_ASSETS_KEY_FILE)"
    assert lines(run.out, "note")["key"] == problem, run


def test_key_that_a_group_can_read_is_used(direct: Database) -> None:
    """As the secret of a CronJob is."""
    direct.checkout.key.parent.mkdir(parents=True)
    direct.checkout.key.write_text("0" * 64)
    direct.checkout.key.chmod(0o440)
    assert lines(direct.checkout.run(DOCTOR).out, "ok")["key"] == str(direct.checkout.key)


def test_argument_is_a_usage_error(checkout: Checkout) -> None:
    run = checkout.run(DOCTOR, "all")
    assert run.status == 2 and "unexpected argument: all" in run.err, run


def test_directories_that_cannot_take_a_backup_are_a_problem(open_directory: Path) -> None:
    (open_directory / "assets").mkdir()
    (open_directory / "backups").mkdir(mode=0o555)
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(open_directory)}
    environment |= {"TB_POSTGRES_ENDPOINT": "127.0.0.1:1"}
    (open_directory / "assets").chmod(0o777)
    run = run_as_nobody([str(open_directory / DOCTOR)], environment)
    assert "backups' is not writable for user 'nobody'" in lines(run.out, "problem")["backups"], run


def test_unreadable_backup_is_one_problem(open_directory: Path) -> None:
    (open_directory / "backups").mkdir(mode=0o777)
    (open_directory / "backups").chmod(0o777)
    (open_directory / "assets").mkdir()
    (open_directory / "assets").chmod(0o777)
    (open_directory / "assets" / "assets.dump.gz").touch(mode=0o600)
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(open_directory)}
    environment |= {"TB_POSTGRES_ENDPOINT": "127.0.0.1:1"}
    run = run_as_nobody([str(open_directory / DOCTOR)], environment)
    assert set(lines(run.out, "problem")) == {"backup", "login"}, run


def test_setting_that_stops_a_restore_is_a_problem(direct: Database) -> None:
    direct.sample_backup()
    run = direct.checkout.run(DOCTOR, RESTORE_KEEP_PREVIOUS="ja")
    assert run.status == 1 and "must be yes or no" in lines(run.out, "problem")["settings"], run
    direct.checkout.key.unlink()
    run = direct.checkout.run(DOCTOR, RESTORE_TRUST="yes")
    assert "is untrusted, but RESTORE_TRUST=yes" in lines(run.out, "ok")["restore"], run
    run = direct.restore("--dry-run", RESTORE_TRUST="yes")
    assert "warning: this backup was not signed with your key" in run.err, run


def test_room_for_the_write_ahead_log_is_needed_too(direct: Database) -> None:
    direct.sample_backup()
    free = direct.execute("SELECT pg_database_size(current_database()) * 3 / 2048")[0][0]
    df = f'disk=/; case $* in *pg_wal*) disk=$LOG ;; esac; printf "x\nx 1 1 {free} 1%% $disk\n"'
    small = fake(direct.checkout, df=df)
    run = direct.checkout.run(DOCTOR, LOG="/", **small)
    assert "but a restore needs about" in lines(run.out, "problem")["space"], run
    run = direct.restore(LOG="/", **small)
    assert run.status == 1 and "free, but this restore needs" in run.errors[0], run
    run = direct.restore(LOG="/another-disk", **small)
    assert run.status == 0, run


def test_room_for_a_backup_that_is_larger_than_the_database_is_needed(direct: Database) -> None:
    direct.execute("CREATE TABLE large AS SELECT repeat('x', 900) FROM generate_series(1, 20000)")
    direct.backed_up()
    direct.execute("DROP TABLE large")
    free = direct.execute("SELECT pg_database_size(current_database()) * 5 / 2048")[0][0]
    small = fake(direct.checkout, df=f'printf "x\nx 1 1 {free} 1%% /\n"')
    run = direct.restore(**small)
    assert run.status == 1 and "free, but this restore needs" in run.errors[0], run
    run = direct.checkout.run(DOCTOR, **small)
    assert "but a restore needs about" in lines(run.out, "problem")["space"], run


def test_disk_without_room_for_a_backup_is_a_problem(direct: Database) -> None:
    path = direct.sample_backup()
    df = """case "$*" in *tmp*) exec "$REAL" "$@" ;; *) printf 'x\nx 1 1 1 1\n' ;; esac"""
    run = direct.checkout.run(DOCTOR, **fake(direct.checkout, df=df))
    assert run.status == 1, run
    problem = lines(run.out, "problem")["backups"]
    assert re.fullmatch(r"only 1\.0 kB free in assets/; the newest backup there is .*", problem)
    assert path.exists()
    run = direct.checkout.run(DOCTOR, **fake(direct.checkout, df="echo Filesystem"))
    assert run.status == 1, run
    for name in ("directory", "backups"):
        assert "could not determine the free space in " in lines(run.out, "problem")[name], run
