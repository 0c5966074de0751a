"""A program fails at a chosen moment: backup and database are unchanged, nothing is left behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.backups import digest, read_pair
from support.databases import Database
from support.disks import small_disk
from support.fakes import fake, path_without
from support.sampling import only_with_all, sampled

FAILS_IN_THE_DUMP = """
case "$*" in *--file=*) "$REAL" "$@"; echo "pg_dump: error: injected error" >&2; exit 1 ;; esac
exec "$REAL" "$@"
"""


def test_killed_dump_keeps_the_existing_backup(direct: Database) -> None:
    path = direct.sample_backup()
    earlier = digest(path)
    run = direct.backup(path, **fake(direct.checkout, pg_dump=FAILS_IN_THE_DUMP))
    assert run.status == 1, run
    assert "injected error; the existing backup is unchanged" in run.err
    assert run.out == ""
    assert digest(path) == earlier
    assert direct.left_behind() == []


def test_killed_first_dump_leaves_no_file(direct: Database) -> None:
    run = direct.backup("x.dump.gz", **fake(direct.checkout, pg_dump=FAILS_IN_THE_DUMP))
    assert run.status == 1, run
    assert not (direct.checkout.path / "x.dump.gz").exists()
    assert direct.left_behind() == []


def test_unreadable_schema_of_the_dump_is_not_published(direct: Database) -> None:
    path = direct.sample_backup()
    earlier = read_pair(path)
    fails = """
        case " $* " in *--schema-only*) echo "pg_restore: error: injected error" >&2; exit 1 ;; esac
        exec "$REAL" "$@"
    """
    run = direct.backup(path, **fake(direct.checkout, pg_restore=fails))
    assert run.status == 1, run
    assert run.errors == [
        "error: could not read the schema of the new backup: injected error;"
        " the existing backup is unchanged"
    ]
    assert read_pair(path) == earlier
    assert direct.left_behind() == []


@pytest.mark.parametrize("missing", ["pg_dump", "pg_restore"])
def test_program_that_this_machine_lacks_is_named(direct: Database, missing: str) -> None:
    path = direct.sample_backup()
    programs = direct.checkout.home / "programs"
    programs.mkdir()
    for program in {"psql", "pg_dump", "pg_restore"} - {missing}:
        real = Path(direct.checkout.environment["PG_BINDIR"]) / program
        (programs / program).symlink_to(real)
    without = {"PATH": path_without(direct.checkout, missing), "PG_BINDIR": str(programs)}
    run = {"pg_dump": direct.backup, "pg_restore": direct.restore}[missing](path, **without)
    assert run.status == 1 and f"this machine has no {missing};" in run.errors[0], run
    assert "hint: install the PostgreSQL client programs, or set PG_BINDIR" in run.err, run
    assert direct.left_behind() == []


@pytest.mark.parametrize(
    ("error", "reason", "hint"),
    [
        ("FATAL:  sorry, too many clients already", "", "lower RESTORE_JOBS, which is 99, or"),
        # with TLS, libpq says only this
        ("SSL SYSCALL error: EOF detected", "server closed the connection", "check that server"),
    ],
)
def test_end_of_a_load_has_a_hint(direct: Database, error: str, reason: str, hint: str) -> None:
    fails = f"""
        case " $* " in *" --jobs=99 "*) echo "pg_restore: error: {error}" >&2; exit 1 ;; esac
        exec "$REAL" "$@"
    """
    jobs = {"RESTORE_JOBS": "99", **fake(direct.checkout, pg_restore=fails)}
    run = direct.restore(direct.sample_backup(), **jobs)
    assert run.status == 1 and f"could not load the backup: {reason}" in run.errors[0], run
    assert f"hint: {hint}" in run.err, run


def test_truncated_dump_is_not_published(direct: Database) -> None:
    path = direct.sample_backup()
    earlier = digest(path)
    cut = (
        '"$REAL" "$@"; for word; do'
        ' case $word in --file=*) truncate -s 9000 "${word#--file=}" ;; esac; done'
    )
    run = direct.backup(path, **fake(direct.checkout, pg_dump=cut))
    assert run.status == 1, run
    assert "could not read the new backup" in run.err
    assert digest(path) == earlier
    assert direct.left_behind() == []


def failing_awk(program: str) -> str:
    """Return a fake awk that fails when it runs this program of ours."""
    return f'case "$*" in *{program}.awk*) exit 1 ;; esac; exec "$REAL" "$@"'


@pytest.mark.parametrize(
    ("name", "program"),
    sampled([("./x.dump.gz", "losses"), ("auto", "losses"), ("auto", "of-database")], 1),
)
def test_backup_that_could_not_be_compared_is_not_published(
    direct: Database, name: str, program: str
) -> None:
    assert direct.backup("x.dump.gz").status == 0 and direct.backup("auto").status == 0
    earlier = read_pair(direct.checkout.path / "x.dump.gz")
    direct.execute("DELETE FROM pricing_info")
    fails = fake(direct.checkout, awk=failing_awk(program))
    run = direct.backup(name, FORCE="", **fails)
    assert run.status == 1 and len(run.errors) == 1, run
    assert read_pair(direct.checkout.path / "x.dump.gz") == earlier
    assert len(list(direct.checkout.named_backups.iterdir())) == 2
    assert direct.left_behind() == []


def test_incomplete_list_of_rows_is_an_error(direct: Database) -> None:
    path = direct.sample_backup()
    before = direct.content()
    fails = """
        case " $* " in *--data-only*--file=-*) "$REAL" "$@" | head -n 50; exit 1 ;; esac
        exec "$REAL" "$@"
    """
    run = direct.restore("--data-only", path, **fake(direct.checkout, pg_restore=fails))
    assert run.status == 1 and len(run.errors) == 1, run
    assert "the database is unchanged" in run.err
    assert direct.content() == before
    assert direct.left_behind() == []


@pytest.mark.parametrize("program", ["dry-run-rows", "dry-run-table"])
def test_dry_run_without_its_table_fails(direct: Database, program: str) -> None:
    path = direct.sample_backup()
    fails = fake(direct.checkout, awk=failing_awk(program))
    run = direct.restore("--dry-run", "--quiet", path, **fails)
    assert run.status == 1 and len(run.errors) == 1 and run.out == "", run


@pytest.mark.parametrize("jobs_done", [0, 1])
def test_failed_load_keeps_the_live_database(direct: Database, jobs_done: int) -> None:
    path = direct.sample_backup()
    direct.execute("CREATE TABLE later (n int)")
    before = direct.content()
    fails = (
        'case " $* " in *--dbname*) echo "pg_restore: error: injected error" >&2; exit 1 ;; esac'
    )
    if jobs_done:
        fails = fails.replace("echo", '"$REAL" "$@"; echo')
    run = direct.restore(path, **fake(direct.checkout, pg_restore=f'{fails}\nexec "$REAL" "$@"'))
    assert run.status == 1, run
    assert "could not load the backup: injected error; the database is unchanged" in run.err
    assert direct.content() == before
    assert direct.left_behind() == []


def test_full_host_disk_keeps_the_existing_backup(direct: Database, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", "16k") as directory:
        path = directory / "x.dump.gz"
        path.write_bytes(b"\x1f\x8b earlier")
        run = direct.backup(path)
        assert run.status == 1, run
        assert "; the existing backup is unchanged" in run.err
        assert f"could not write '{path}': No space left on device; the existing" in run.err
        assert f"hint: free some space in '{directory}/'" in run.err
        assert path.read_bytes() == b"\x1f\x8b earlier"
        assert direct.left_behind() == []
        assert [entry.name for entry in directory.iterdir()] == ["x.dump.gz"]


def test_open_sessions_do_not_block_the_swap(direct: Database) -> None:
    path = direct.sample_backup()
    direct.execute("DELETE FROM pricing_info")
    idle, busy = (direct.server.connect(direct.name) for _ in range(2))
    busy.autocommit = False
    idle.execute("SELECT 1")
    busy.execute("SELECT * FROM spec_info")
    run = direct.restore(path)
    assert run.status == 0, run
    assert direct.execute("SELECT count(*) FROM pricing_info") == [(960,)]


@pytest.mark.parametrize("name", ["postgres", "template1"])
def test_database_of_the_server_is_not_replaced(direct: Database, name: str) -> None:
    path = direct.sample_backup()
    for in_place in ("yes", "no"):
        run = direct.restore(path, TB_POSTGRES_DATABASE=name, RESTORE_IN_PLACE=in_place)
        assert run.status == 1, run
        assert f"cannot replace database '{name}', which is the server's own" in run.err


@only_with_all
def test_session_that_could_not_be_ended_stops_the_restore(direct: Database) -> None:
    """A restore as a plain user, while the superuser holds a session."""
    role = f"{direct.name}_u"
    direct.drop()
    direct.server.execute(f"CREATE ROLE {role} LOGIN CREATEDB PASSWORD 'x'")
    direct.server.execute(f"CREATE DATABASE {direct.name} OWNER {role}")
    as_user = {"TB_POSTGRES_USER": role, "TB_POSTGRES_PASSWORD": "x"}
    direct.execute(f"SET ROLE {role}; CREATE SCHEMA mine; CREATE TABLE mine.t AS SELECT 1 AS n")
    before = direct.content()
    run = direct.backup("x.dump.gz", **as_user)
    assert run.status == 0, run
    with direct.server.connect(direct.name) as connection:
        run = direct.restore("x.dump.gz", **as_user)
        assert run.status == 1, run
        assert "; the database is unchanged" in run.err and "accessed by other users" in run.err
        assert "(There is 1 other session using the database)" in run.err
        connection.execute("SELECT 1")
    assert direct.content() == before
    run = direct.restore("x.dump.gz", **as_user)
    assert run.status == 0, run
    assert direct.content() == before
    direct.drop()
    direct.server.execute(f"DROP ROLE {role}")
