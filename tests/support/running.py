"""Runs in progress: started, watched, killed."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from support.databases import Database
from support.fakes import fake
from support.run import CONFIRMED, RESTORE, Checkout, Run
from support.waiting import until


def sessions(database: Database, script: str) -> int:
    """Return how many sessions of a script's runs are at work in the server."""
    with database.server.connect() as connection:
        query = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE application_name LIKE %s AND datname <> 'postgres'"
        )
        return connection.execute(query, [f"{script} %"]).fetchone()[0]


def loads(database: Database) -> int:
    """Return how many sessions load into the database's staging database."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'assets_staging_'"
    return database.server.execute(f"{query} || '{database.key()}'")[0][0]


def start_restore(database: Database, path: Path, **environment: str) -> subprocess.Popen:
    """Start a restore of the backup and return it while it loads."""
    process = database.checkout.start(RESTORE, path, RESTORE_SKIP_CONFIRM="yes", **environment)
    until(lambda: loads(database) >= 1)
    return process


@contextmanager
def waiting_run(
    checkout: Checkout, *command: str | Path, program: str, arguments: str, **environment: str
) -> Iterator[tuple[subprocess.Popen, Path]]:
    """Yield a run in which a program waits, and the file that it waits for.

    It waits at its first call with ``arguments``, a pattern of the shell.
    """
    directory = Path(tempfile.mkdtemp(prefix="waiting.", dir=checkout.home))
    started, go_on = directory / "started", directory / "go-on"
    script = f"""case " $* " in {arguments}) [ -e {started} ] || {{
        touch {started}; while [ ! -e {go_on} ]; do sleep 0.05; done; }} ;; esac
        exec "$REAL" "$@\""""
    process = checkout.start(
        *command, **CONFIRMED, **environment, **fake(checkout, **{program: script})
    )
    try:
        until(lambda: started.exists() or process.poll() is not None)
        yield process, go_on
    finally:
        go_on.touch()
        process.communicate(timeout=60)


def processes(checkout: Checkout) -> list[int]:
    """Return the living processes of the checkout's runs: those that have its TMPDIR."""
    mark = b"TMPDIR=" + os.fsencode(checkout.temporary) + b"\0"
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (
                mark in (process / "environ").read_bytes()
                and "Z" not in (process / "stat").read_text().split()[2]
            ):
                found.append(int(process.name))
    return sorted(found)


def processes_of(checkout: Checkout, program: str) -> list[int]:
    """Return those of the living processes that run this program, the oldest first."""
    return [process for process in processes(checkout) if name_of(process) == program]


def name_of(process: int) -> str:
    """Return the name of the program that a process runs; nothing if it has ended."""
    try:
        return Path(f"/proc/{process}/comm").read_text().strip()
    except OSError:
        return ""


def kill(process: subprocess.Popen) -> None:
    """Kill the whole process group of a run."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)


def ended(process: subprocess.Popen, seconds: float = 100) -> Run:
    """Return how a run ended; raise TimeoutExpired if it has not after so many seconds."""
    out, err = process.communicate(timeout=seconds)
    return Run(process.returncode, out, err)
