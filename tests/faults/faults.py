"""Faults to inject into runs of the scripts, and what must hold after each."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from support.backups import read_pair
from support.databases import Database
from support.fakes import count_calls, fake
from support.run import Run, new_checkout
from support.running import ended
from support.sampling import ALL
from support.servers import Container, DirectServer, Server, address_of, docker
from support.waiting import until

# an error of the shell, of awk or of Python that no script has put into words
RAW = re.compile(r"(?:\.sh|\bsh|dash|bash): (?:line )?\d+: |Traceback|^[gm]?awk: ", re.MULTILINE)

# From the backed-up content to another one, and from that one to itself. Its schema lacks an index,
# so that a restore replaces it.
CHANGE = """
CREATE TABLE IF NOT EXISTS later (n int);
DROP INDEX IF EXISTS spec_info_provider_name_cost_per_hour_idx;
DELETE FROM pricing_info WHERE price > 0.2;
UPDATE region_info SET latitude = 0;
"""
BIG = f"""
CREATE TABLE big AS SELECT n, md5(n::text) AS a, repeat(md5((n * 7)::text), 3) AS b
FROM generate_series(1, {100_000 if ALL else 20_000}) AS n;
ALTER TABLE big ADD PRIMARY KEY (n);
CREATE INDEX ON big (a);
"""
# Its load takes seconds, in one program that runs on the server all the while.
SLOW_TO_LOAD = """
CREATE FUNCTION slow(int) RETURNS int IMMUTABLE LANGUAGE plpgsql
AS 'BEGIN PERFORM pg_sleep(2); RETURN $1; END';
CREATE TABLE slow_to_load AS SELECT 1 AS n;
CREATE INDEX slow_index ON slow_to_load (slow(n));
"""
CHANGE_BIG = "DELETE FROM big WHERE n % 1000 = 7;"


@dataclass
class Target:
    """A database to inject faults into.

    Its backup holds the new content; `make_old` gives the database itself the old content.
    ``change`` is the SQL that makes the old content of the new one.
    """

    database: Database
    change: str
    path: Path = field(init=False)
    pair: tuple[bytes, bytes] = field(init=False)
    measured: dict[str, float] = field(default_factory=dict)
    may_crash: bool = False  # the server: a full disk can end it

    def __post_init__(self) -> None:
        self.path = self.database.backed_up()
        self.pair = read_pair(self.path)
        self.new = self.database.content()
        self.make_old()
        self.old = self.database.content()
        self.after: dict[tuple[str, ...], dict] = {(): self.new}

    def seconds(self, script: str, **environment: str) -> float:
        """Return how long a whole run of the script takes."""
        run = " ".join((script, *environment))
        if run not in self.measured:
            started = time.monotonic()
            assert ended(self.start(script, self.path, **environment)).status == 0
            self.measured[run] = time.monotonic() - started
        return self.measured[run]

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
        settings = {"RESTORE_SKIP_CONFIRM": "yes", "BACKUP_COMPRESSION": "smallest"}
        return self.database.checkout.start(*command, **{**settings, **environment})

    def state(self, new: dict | None = None) -> str:
        """Return "old", "new", or which tables are neither.

        It looks again where a swap comes between two of its queries.
        """
        for _ in range(10):
            try:
                found = self.database.content()
            except (psycopg.Error, subprocess.CalledProcessError):
                time.sleep(0.5)
                continue
            for name, content in (("old", self.old), ("new", new or self.new)):
                if found == content:
                    return name
        either = (self.old, self.new)
        odd = [key for key in found if found[key] not in [each.get(key) for each in either]]
        return f"neither: {odd}"

    def assert_recovers(self) -> None:
        """The next plain restore works and leaves nothing behind."""
        assert_done(self.database.restore(self.path))
        assert self.state() == "new"
        self.assert_clean()

    def assert_clean(self) -> None:
        """Nothing is left behind, and no process of the server has crashed."""
        left = self.database.left_behind()
        assert left == [], left
        assert self.may_crash or self.database.server.crashes() == []


def new_target(server: Server, directory: Path, change: str, more: str = "") -> Iterator[Target]:
    """Yield a new database with sample.sql's content and ``more``, and drop it at the end."""
    database = Database(server, new_checkout(directory))
    database.create()
    database.execute(more)
    yield Target(database, change)
    database.drop()


def assert_done(run: Run) -> None:
    assert run.status == 0, run


def assert_refused(run: Run) -> None:
    assert run.status == 1 and len(run.errors) == 1, run


# --- a run that is killed when it calls a program ---

FAKED = ("mktemp", "mkfifo", "gzip", "sha256sum", "sync", "mv", "rm", "docker", "kubectl")
FAKED_CLIENTS = ("psql", "pg_dump", "pg_restore")
KILLER = """{count_calls}
[ $number != {number} ] || [ {when} != before ] || kill -KILL 0
[ $number = {number} ] || exec "$REAL" "$@"
"$REAL" "$@"
kill -KILL 0
"""


def killing_programs(directory: Path, database: Database, number: int, when: str) -> dict[str, str]:
    """Return an environment in which a run is killed before or after the n-th program it calls.

    Counted are the calls of PostgreSQL's client programs, of docker and kubectl, and of the
    programs of this host that change something. The directory gets an entry for each call.
    """
    path = database.checkout.environment["PATH"]
    names = [name for name in FAKED if shutil.which(name, path=path)]
    if isinstance(database.server, DirectServer):
        names += FAKED_CLIENTS
    killer = KILLER.format(count_calls=count_calls(directory / "calls"), number=number, when=when)
    return fake(database.checkout, **dict.fromkeys(names, killer))


# --- what can happen to a container ---


def start_again(container: Container) -> None:
    """Start a container that has ended, or is about to, and which may then have another address."""
    docker("restart", container.name)
    container.address = address_of(container.name)
    container.wait()


def until_load_is_slow(database: Database) -> None:
    """Return when SLOW_TO_LOAD is being loaded: then no program is being started on the server.

    Docker may hang when it pauses a container in which it is just starting a program.
    """
    query = (
        "SELECT FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX slow_index%'"
        " AND state = 'active'"
    )
    with database.server.connect() as connection:
        until(lambda: connection.execute(query).fetchone() is not None)


@contextmanager
def paused(container: Container) -> Iterator[None]:
    docker("pause", container.name)
    try:
        yield
    finally:
        docker("unpause", container.name)


def fill(container: Container, directory: str, leave: int = 1) -> None:
    """Fill the file system of a directory in the container, apart from so many MB."""
    script = (
        "free=$(df -Pm \"$1\" | awk 'NR == 2 { print $4 }');"
        ' [ "$2" = 0 ] || set -- "$1" $((free - $2))'
    )
    script += (
        '; [ "$2" != 0 ] || set -- "$1" 100000'
        '; dd if=/dev/zero of="$1/ballast" bs=1M count="$2" || true'
    )
    container.client("sh", "-c", script, "sh", directory, str(leave))


def free(container: Container, directory: str) -> None:
    """Remove what fill wrote, on the host if the server has ended; that one is started again."""
    try:
        container.client("rm", "-f", f"{directory}/ballast")
    except subprocess.CalledProcessError:
        mounts = '{{range .Mounts}}{{if eq .Destination "DIRECTORY"}}{{.Source}}{{end}}{{end}}'
        where = mounts.replace("DIRECTORY", directory)
        (Path(docker("inspect", "-f", where, container.name)) / "ballast").unlink(missing_ok=True)
        start_again(container)
