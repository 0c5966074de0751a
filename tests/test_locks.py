"""One run per database at a time; and a run that is told to end ends everything it started."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.ground import Database, programs

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


def until(happened: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def make_big(database: Database) -> None:
    """Give the database so many rows that a run takes seconds."""
    database.execute(
        "CREATE TABLE big AS SELECT n, md5(n::text) AS a, md5(n::text) AS b FROM generate_series(1, 400000) AS n"
    )


def sessions(database: Database, script: str) -> int:
    """Return how many sessions of a script's run are at work in the server."""
    with database.place.connect() as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE %s AND datname <> 'postgres'"
        return connection.execute(query, [f"{script} %"]).fetchone()[0]


def started_restore(database: Database, **environment: str) -> subprocess.Popen:
    """Start a restore of what the database holds and return it while it loads."""
    path = database.backed_up()
    process = database.checkout.start(
        "./scripts/restore-assets.sh", path, RESTORE_SKIP_CONFIRM="yes", **environment
    )
    until(lambda: sessions(database, "restore-assets.sh") >= 1)
    return process


def slow_load(database: Database, folder: Path) -> dict[str, str]:
    """Return an environment in which a load takes four seconds longer."""
    script = 'case " $* " in *--jobs*) psql -qXd "${1#--dbname=}" -c "SELECT pg_sleep(4)" ;; esac; exec "$REAL" "$@"'
    return programs(folder / "bin", database.place.private.bin_dir, pg_restore=script)


@pytest.mark.parametrize("number", SIGNALS)
def test_signal_to_a_restore_ends_it_and_all_that_it_started(
    database: Database, number: signal.Signals
) -> None:
    make_big(database)
    before = database.content()
    process = started_restore(database)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == SIGNALS[number], err
    assert sessions(database, "restore-assets.sh") == 0
    assert database.content() == before
    assert database.leftovers() == []


@pytest.mark.parametrize("number", SIGNALS)
def test_signal_to_a_backup_keeps_the_earlier_one(
    database: Database, number: signal.Signals
) -> None:
    path = database.backed_up()
    earlier = path.read_bytes()
    make_big(database)
    process = database.checkout.start("./scripts/backup-assets.sh", path)
    until(lambda: sessions(database, "backup-assets.sh") >= 2)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == SIGNALS[number], err
    assert sessions(database, "backup-assets.sh") == 0
    assert path.read_bytes() == earlier
    assert database.leftovers() == []


def test_signal_at_the_prompt_ends_at_once(direct: Database) -> None:
    """make and the shell are not waited for: the prompt is the script's own."""
    path = direct.backed_up()
    run = direct.checkout.run_on_terminal("./scripts/restore-assets.sh", path, answer=b"\x03")
    assert run.status == 130, run
    assert direct.leftovers() == []


@pytest.mark.parametrize(
    "second", ["backup-assets.sh", "restore-assets.sh", "clean-db.sh", "rollback-assets.sh"]
)
def test_second_run_is_refused_and_told_who_is_first(
    direct: Database, tmp_path: Path, second: str
) -> None:
    process = started_restore(direct, **slow_load(direct, tmp_path))
    run = direct.checkout.run(f"./scripts/{second}")
    assert run.status == 1, run
    assert "is in use by another run: restore-assets.sh" in run.err
    assert str(process.pid) in run.err and "since 20" in run.err
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert direct.leftovers() == []


def test_runs_on_different_databases_do_not_hinder_each_other(
    direct: Database, tmp_path: Path
) -> None:
    process = started_restore(direct, **slow_load(direct, tmp_path))
    run = direct.backup("x", TB_POSTGRES_DATABASE="tumblebug")
    assert run.status == 0, run
    assert process.poll() is None
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err


def test_rollback_brings_back_what_was_replaced_and_a_second_one_undoes_it(
    database: Database,
) -> None:
    path = database.backed_up()
    new = database.content()
    database.execute("DELETE FROM pricing_info; CREATE TABLE later (n int)")
    old = database.content()
    run = database.restore(path, RESTORE_KEEP_PREVIOUS="yes")
    assert run.status == 0, run
    assert "make rollback-assets" in run.err
    for expected in (old, new):
        run = database.checkout.run("make", "rollback-assets")
        assert run.status == 0, run
        assert database.content() == expected
    assert database.restore(path).status == 0  # without keeping: the kept one stays for a rollback
    assert [name.startswith("assets_previous_") for name in database.databases()] == [True]
    database.execute("DELETE FROM spec_info WHERE false; CREATE TABLE even_later (n int)")
    latest = database.content()
    assert database.restore(path, RESTORE_KEEP_PREVIOUS="yes").status == 0
    run = database.checkout.run("make", "rollback-assets")
    assert run.status == 0 and database.content() == latest, run


def test_rollback_without_a_previous_database_says_so(direct: Database) -> None:
    run = direct.checkout.run("./scripts/rollback-assets.sh")
    assert run.status == 1, run
    assert "there is no previous database" in run.err and "RESTORE_KEEP_PREVIOUS=yes" in run.err


def test_even_statistics_clear_what_a_killed_restore_left(database: Database) -> None:
    make_big(database)
    process = started_restore(database)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert database.leftovers() != []
    run = database.checkout.run("./scripts/stats.sh")
    assert run.status == 0, run
    assert "cleared what a run that died had left: assets_staging_" in run.err
    assert database.leftovers() == []


def test_statistics_wait_for_no_restore(direct: Database, tmp_path: Path) -> None:
    process = started_restore(direct, **slow_load(direct, tmp_path))
    run = direct.checkout.run("./scripts/stats.sh")
    assert run.status == 0 and "spec_info" in run.out, run
    assert process.poll() is None
    assert process.wait(60) == 0
