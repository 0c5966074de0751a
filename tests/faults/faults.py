"""Faults to inject into runs of the scripts, and what must hold after each."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest
from support.ground import Checkout, Container, Database, Run

PROJECT = Path(__file__).parent.parent.parent
ALL = os.environ.get("TEST_FAULTS") == "all"
BACKUP = "./scripts/backup-assets.sh"
RESTORE = "./scripts/restore-assets.sh"
ROLLBACK = "./scripts/rollback-assets.sh"
Moment = TypeVar("Moment")

# From the backed-up content to another one, and from that one to itself.
CHANGE = """
CREATE TABLE IF NOT EXISTS later (n int);
DELETE FROM pricing_info WHERE price > 0.2;
UPDATE region_info SET latitude = 0;
"""
BIG = f"""
CREATE TABLE big AS SELECT n, md5(n::text) AS a, repeat(md5((n * 7)::text), 3) AS b
FROM generate_series(1, {100_000 if ALL else 20_000}) AS n;
ALTER TABLE big ADD PRIMARY KEY (n);
CREATE INDEX ON big (a);
"""
# Its load takes seconds, in one program that runs next to the server all the while.
SLOW_TO_LOAD = """
CREATE FUNCTION slow(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(2); RETURN $1; END';
CREATE TABLE slow_to_load AS SELECT 1 AS n;
CREATE INDEX slow_index ON slow_to_load (slow(n));
"""
CHANGE_BIG = "DELETE FROM big WHERE n % 1000 = 7;"


def sampled(moments: Sequence[Moment], count: int) -> list[Moment]:
    """Return all of the moments with TEST_FAULTS=all, otherwise that many, evenly spread."""
    if ALL or len(moments) <= count:
        return list(moments)
    return [moments[(2 * index + 1) * len(moments) // (2 * count)] for index in range(count)]


def new_checkout(folder: Path) -> Checkout:
    """Return a copy of the project that several tests share."""
    copy = folder / 'it\'s a "check out"'
    copy.mkdir()
    for name in ("scripts", "helpers"):
        shutil.copytree(PROJECT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "assets").mkdir()
    (copy / ".venv").symlink_to(PROJECT / ".venv")
    return Checkout(copy)


@dataclass
class Patient:
    """A database to be hurt: its backup holds the new content, and `make_old` gives it the old one."""

    database: Database
    change: str
    path: Path = field(init=False)
    pair: tuple[bytes, bytes] = field(init=False)
    measured: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.path = self.database.backed_up()
        self.pair = read_pair(self.path)
        self.new = self.database.content()
        self.make_old()
        self.old = self.database.content()
        self.after: dict[tuple[str, ...], dict] = {(): self.new}

    def seconds(self, script: str) -> float:
        """Return how long a whole run of the script takes."""
        if script not in self.measured:
            started = time.monotonic()
            assert ended(self.start(script, self.path)).status == 0
            self.measured[script] = time.monotonic() - started
        return self.measured[script]

    def make_old(self) -> None:
        self.database.execute(self.change)

    def content_after(self, options: tuple[str, ...]) -> dict:
        """Return what the old database holds after a restore with these options."""
        if options not in self.after:
            self.make_old()
            assert_done(self.database.restore(*options, self.path))
            self.after[options] = self.database.content()
            assert_done(self.database.restore(self.path))
        return self.after[options]

    def start(self, *command: str | Path, **environment: str) -> subprocess.Popen:
        return self.database.checkout.start(*command, RESTORE_SKIP_CONFIRM="yes", **environment)

    def state(self, new: dict | None = None) -> str:
        """Return "old", "new", or what is neither. A swap under way may come between two looks."""
        for _ in range(10):
            try:
                found = self.database.content()
            except (psycopg.Error, subprocess.CalledProcessError):
                time.sleep(0.5)
                continue
            for name, content in (("old", self.old), ("new", new or self.new)):
                if found == content:
                    return name
        return f"neither: {[key for key in found if found[key] not in (self.old.get(key), self.new.get(key))]}"

    def assert_mended(self) -> None:
        """The next plain restore works and leaves nothing behind."""
        assert_done(self.database.restore(self.path))
        assert self.state() == "new"
        assert self.database.leftovers() == []


def read_pair(path: Path) -> tuple[bytes, bytes]:
    return path.read_bytes(), manifest_of(path).read_bytes()


def write_pair(path: Path, pair: tuple[bytes, bytes]) -> None:
    path.write_bytes(pair[0])
    manifest_of(path).write_bytes(pair[1])


def manifest_of(path: Path) -> Path:
    return path.with_name(path.name + ".info")


def errors(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("error:")]


def assert_done(run: Run) -> None:
    assert run.status == 0, run


def assert_refused(run: Run) -> None:
    assert run.status == 1 and len(errors(run.err)) == 1, run


def until(happened: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def until_line(process: subprocess.Popen, start: str) -> None:
    """Return when the run says a line that starts so; a run that ends first has failed."""
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith(start):
            return
    raise AssertionError(f"it never said '{start}': {''.join(said)}")


def kill(process: subprocess.Popen) -> None:
    """End a run's whole process group by force."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)


def ended(process: subprocess.Popen, seconds: float = 100) -> Run:
    out, err = process.communicate(timeout=seconds)
    return Run(process.returncode, out, err)


# --- a run that is killed when it calls a program ---

WRAPPED = ("mktemp", "mkfifo", "gzip", "sha256sum", "sync", "mv", "rm")
KILLER = """#!/bin/sh
number=1
until mkdir '{calls}'/$number 2>/dev/null; do number=$((number + 1)); done
[ $number != {number} ] || [ {when} != before ] || kill -KILL 0
[ $number = {number} ] || exec '{real}' "$@"
'{real}' "$@"
kill -KILL 0
"""


def killing_programs(folder: Path, database: Database, number: int, when: str) -> dict[str, str]:
    """Return an environment in which a run dies before or after the program that it calls as the n-th.

    Counted are the calls of PostgreSQL's client programs, of docker, and of the programs of this host
    that change something. The folder `calls` then holds an entry for each call.
    """
    binaries, calls = folder / "bin", folder / "calls"
    binaries.mkdir()
    calls.mkdir()
    real = {name: shutil.which(name) for name in (*WRAPPED, "docker")}
    if not isinstance(database.place, Container):
        real |= {
            name: database.place.private.bin_dir / name
            for name in ("psql", "pg_dump", "pg_restore")
        }
    for name, path in real.items():
        if path:
            script = binaries / name
            script.write_text(KILLER.format(calls=calls, number=number, when=when, real=path))
            script.chmod(0o755)
    return {"PATH": f"{binaries}:{os.environ['PATH']}", "PG_BINDIR": str(binaries)}


# --- what can happen to a container ---


def docker(*arguments: str) -> str:
    done = subprocess.run(
        ["docker", *arguments], check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip()


def start_again(container: Container) -> None:
    """Start a container that has ended, or is about to, and which may then have another address."""
    docker("restart", container.name)
    container.address = docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", container.name)
    container.wait()


def until_load_is_slow(database: Database) -> None:
    """Return when SLOW_TO_LOAD is being loaded: no program is being started next to the server then.

    Docker may hang when it pauses a container in which it is just starting a program.
    """
    query = "SELECT FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX slow_index%' AND state = 'active'"
    with database.place.connect() as connection:
        until(lambda: connection.execute(query).fetchone() is not None)


@contextmanager
def paused(container: Container) -> Iterator[None]:
    docker("pause", container.name)
    try:
        yield
    finally:
        docker("unpause", container.name)


def fill(container: Container, folder: str, leave: int = 1) -> None:
    """Fill the file system of a folder in the container but for so many MB."""
    script = 'free=$(df -Pm "$1" | awk \'NR == 2 { print $4 }\'); [ "$2" = 0 ] || set -- "$1" $((free - $2))'
    script += '; [ "$2" != 0 ] || set -- "$1" 100000; dd if=/dev/zero of="$1/ballast" bs=1M count="$2" || true'
    container.client("sh", "-c", script, "sh", folder, str(leave))


def free(container: Container, folder: str) -> None:
    """Take away what filled it. A server that has died of that is started again: its data lie on the host."""
    try:
        container.client("rm", "-f", f"{folder}/ballast")
    except subprocess.CalledProcessError:
        where = f'{{{{range .Mounts}}}}{{{{if eq .Destination "{folder}"}}}}{{{{.Source}}}}{{{{end}}}}{{{{end}}}}'
        (Path(docker("inspect", "-f", where, container.name)) / "ballast").unlink(missing_ok=True)
        start_again(container)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Yield a small file system on the host; skip the test where that cannot be made."""
    folder.mkdir()
    size = f"size={megabytes}m"
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "small", folder], check=False)
    if mount.returncode != 0:
        pytest.skip("mounting a small file system needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
