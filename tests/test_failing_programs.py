"""A real program fails at a chosen moment: what was there before stands, and nothing is left behind."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from support.ground import Database, digest, programs

DIES_HALF_WAY = """
case "$*" in *--file=*) "$REAL" "$@"; echo "pg_dump: error: out of luck" >&2; exit 1 ;; esac
exec "$REAL" "$@"
"""
DIES_AT_ONCE = 'echo "error: out of luck" >&2; exit 1'


def replaced(database: Database, tmp_path: Path, **scripts: str) -> dict[str, str]:
    return programs(tmp_path / "bin", database.place.private.bin_dir, **scripts)


def test_killed_dump_keeps_the_previous_backup(direct: Database, tmp_path: Path) -> None:
    path = direct.backed_up()
    earlier = digest(path)
    run = direct.backup(path, **replaced(direct, tmp_path, pg_dump=DIES_HALF_WAY))
    assert run.status == 1, run
    assert "the dump failed, and the earlier backup stands as it was: out of luck" in run.err
    assert run.out == ""
    assert digest(path) == earlier
    assert direct.leftovers() == []


def test_killed_first_dump_leaves_no_file(direct: Database, tmp_path: Path) -> None:
    run = direct.backup("x.dump.gz", **replaced(direct, tmp_path, pg_dump=DIES_HALF_WAY))
    assert run.status == 1, run
    assert not (direct.checkout.folder / "x.dump.gz").exists()
    assert direct.leftovers() == []


def test_dump_that_lies_about_its_success_is_not_published(
    direct: Database, tmp_path: Path
) -> None:
    path = direct.backed_up()
    earlier = digest(path)
    cut = '"$REAL" "$@"; for word; do case $word in --file=*) truncate -s 9000 "${word#--file=}" ;; esac; done'
    run = direct.backup(path, **replaced(direct, tmp_path, pg_dump=cut))
    assert run.status == 1, run
    assert "cannot be read back, and the earlier backup stands as it was" in run.err
    assert digest(path) == earlier
    assert direct.leftovers() == []


@pytest.mark.parametrize("jobs_done", [0, 1])
def test_failed_load_leaves_the_live_database_as_it_was(
    direct: Database, tmp_path: Path, jobs_done: int
) -> None:
    path = direct.backed_up()
    direct.execute("CREATE TABLE later (n int)")
    before = direct.content()
    fails = 'case " $* " in *--dbname*) echo "pg_restore: error: out of luck" >&2; exit 1 ;; esac'
    if jobs_done:
        fails = fails.replace("echo", '"$REAL" "$@"; echo')
    run = direct.restore(
        path, **replaced(direct, tmp_path, pg_restore=f'{fails}\nexec "$REAL" "$@"')
    )
    assert run.status == 1, run
    assert f"database '{direct.name}' is as it was: out of luck" in run.err
    assert direct.content() == before
    assert direct.leftovers() == []


def test_full_host_disk_keeps_the_previous_backup(direct: Database, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "small", folder], check=False)
    if mount.returncode != 0:
        pytest.skip("mounting a small file system needs root")
    try:
        path = folder / "x.dump.gz"
        path.write_bytes(b"earlier")
        run = direct.backup(path)
        assert run.status == 1, run
        assert "cannot be written, and the earlier backup stands as it was" in run.err
        assert "No space left on device" in run.err
        assert path.read_bytes() == b"earlier"
        assert direct.leftovers() == []
        assert [entry.name for entry in folder.iterdir()] == ["x.dump.gz"]
    finally:
        subprocess.run(["umount", folder], check=True)


def test_open_sessions_and_transactions_do_not_hold_up_the_swap(database: Database) -> None:
    path = database.backed_up()
    database.execute("DELETE FROM pricing_info")
    idle, busy = (database.place.connect(database.name) for _ in range(2))
    busy.autocommit = False
    idle.execute("SELECT 1")
    busy.execute("SELECT * FROM spec_info")
    run = database.restore(path)
    assert run.status == 0, run
    assert database.execute("SELECT count(*) FROM pricing_info") == [(960,)]


def test_statistics_that_fail_after_the_work_are_exit_3(direct: Database, tmp_path: Path) -> None:
    (direct.checkout.folder / "helpers" / "__main__.py").write_text("raise SystemExit(69)")
    fails = 'case " $* " in *footer=off*) echo "out of luck" >&2; exit 1 ;; esac; exec "$REAL" "$@"'
    run = direct.backup("x.dump.gz", **replaced(direct, tmp_path, psql=fails))
    assert run.status == 3, run
    assert "the work is done" in run.err and "out of luck" in run.err
    assert (direct.checkout.folder / "x.dump.gz").is_file()


def test_the_servers_own_database_is_not_replaced(direct: Database) -> None:
    path = direct.backed_up()
    run = direct.restore(path, TB_POSTGRES_DATABASE="postgres")
    assert run.status == 1, run
    assert "cannot be replaced" in run.err


def test_session_that_may_not_be_ended_leaves_the_database_as_it_was(direct: Database) -> None:
    """A restore as a plain user, while the superuser holds a session."""
    role = f"{direct.name}_u"
    direct.drop()
    with direct.place.connect() as connection:
        connection.autocommit = True
        connection.execute(f"CREATE ROLE {role} LOGIN CREATEDB PASSWORD 'x'")
        connection.execute(f"CREATE DATABASE {direct.name} OWNER {role}")
    as_user = {"TB_POSTGRES_USER": role, "TB_POSTGRES_PASSWORD": "x"}
    direct.execute(f"SET ROLE {role}; CREATE SCHEMA mine; CREATE TABLE mine.t AS SELECT 1 AS n")
    before = direct.content()
    run = direct.backup("x.dump.gz", **as_user)
    assert run.status == 0, run
    with direct.place.connect(direct.name) as connection:
        run = direct.restore("x.dump.gz", **as_user)
        assert run.status == 1, run
        assert "is as it was: database" in run.err and "accessed by other users" in run.err
        assert "(There is 1 other session using the database)" in run.err
        connection.execute("SELECT 1")
    assert direct.content() == before
    run = direct.restore("x.dump.gz", **as_user)
    assert run.status == 0, run
    assert direct.content() == before
    direct.drop()
    with direct.place.connect() as connection:
        connection.execute(f"DROP ROLE {role}")
