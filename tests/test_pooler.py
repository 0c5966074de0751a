"""Behind a connection pooler a lock can become another client's: runs refuse a pooler."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from support.backups import digest
from support.databases import Database
from support.run import BACKUP, CONFIRMED, Run
from support.running import waiting_run
from support.waiting import until

from helpers.demo.private_server import (
    HOST,
    child_options,
    free_port,
    give_to_server_user,
    temporary_directory,
)

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="there is no pgbouncer")
SCRIPTS = ["backup-assets.sh", "restore-assets.sh", "rollback-assets.sh", "clean-db.sh", "stats.sh"]


@contextmanager
def pooler(database: Database, **settings: str) -> Iterator[str]:
    """Yield the endpoint of a PgBouncer in front of the database's server."""
    private, port = database.server.private, free_port()
    settings = {
        "listen_addr": HOST,
        "listen_port": str(port),
        "unix_socket_dir": "",
        "auth_type": "any",
        **settings,
    }
    connect_query = settings.pop("connect_query", "SELECT 1")
    with temporary_directory(None) as directory:
        file = directory / "pgbouncer.ini"
        file.write_text(
            f"[databases]\n* = host={private.host} port={private.port} user={private.user}"
            f" password={private.password} connect_query='{connect_query}'\n[pgbouncer]\n"
            + "".join(f"{key} = {value}\n" for key, value in settings.items())
        )
        file.chmod(0o600)
        give_to_server_user(file)
        process = subprocess.Popen([PGBOUNCER, "-q", file], **child_options(Path(PGBOUNCER)))
        try:
            until(lambda: process.poll() is not None or listens(port))
            yield f"{HOST}:{port}"
        finally:
            process.kill()
            process.wait()


def listens(port: int) -> bool:
    try:
        psycopg.connect(host=HOST, port=port, user="tumblebug", dbname="postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def assert_refused(run: Run, sentence: str, unchanged: str) -> None:
    assert run.status == 1, run
    assert len(run.errors) == 1 and sentence in run.errors[0], run
    assert run.errors[0].endswith(unchanged), run
    assert "set TB_POSTGRES_ENDPOINT to the PostgreSQL server" in run.err


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"pool_mode": "transaction", "ignore_startup_parameters": "options"},
            "ignores session settings",
        ),
        (
            {"pool_mode": "session", "ignore_startup_parameters": "options"},
            "ignores session settings",
        ),
        ({"pool_mode": "session"}, "refuses session settings"),
    ],
)
def test_pooler_is_refused_by_every_script(
    direct: Database, settings: dict[str, str], sentence: str
) -> None:
    path = direct.sample_backup()
    before, earlier = direct.content(), digest(path)
    with pooler(direct, **settings) as endpoint:
        for script in SCRIPTS:
            arguments = [path] if script in ("backup-assets.sh", "restore-assets.sh") else []
            run = direct.checkout.run(
                f"./scripts/{script}", *arguments, TB_POSTGRES_ENDPOINT=endpoint, **CONFIRMED
            )
            unchanged = {
                "backup-assets.sh": "; the existing backup is unchanged",
                "stats.sh": "",
            }.get(script, "; the database is unchanged")
            assert_refused(run, sentence, unchanged)
    assert direct.content() == before and digest(path) == earlier
    assert direct.left_behind() == []


def test_pooler_that_moves_a_session_is_refused(direct: Database) -> None:
    path = direct.sample_backup()
    earlier = digest(path)
    for library in ("backend", "lock"):
        direct.checkout.edit(f"scripts/lib/{library}.sh", "${run_name##*.}", "same")
    settings = {"pool_mode": "transaction", "ignore_startup_parameters": "options"}
    with (
        pooler(direct, connect_query="SET assets.run = same", **settings) as endpoint,
        waiting_run(
            direct.checkout,
            *(BACKUP, path),
            program="pg_dump",
            arguments='" --version "',
            TB_POSTGRES_ENDPOINT=endpoint,
        ) as (process, go_on),
    ):
        host, port = endpoint.split(":")
        with psycopg.connect(host=host, port=port, user="tumblebug", dbname="postgres") as other:
            other.execute("SELECT 1")  # in a transaction: the process of the server is now its own
            go_on.touch()
            out, err = process.communicate(timeout=60)
        assert_refused(
            Run(process.returncode, out, err),
            "changes the server process behind a session",
            "; the existing backup is unchanged",
        )
    assert digest(path) == earlier
