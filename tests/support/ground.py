"""What the tests stand on: places where a server can be, databases in them, and runs of the scripts."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pty
import secrets
import shutil
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from helpers.demo.private_server import PrivateServer

IMAGE = os.environ.get("TEST_POSTGRES_IMAGE", "tumblebug-assets-tests/postgres:16")
IMAGE_RECIPE = Path(__file__).parent.parent / "image" / "build-image.sh"
TIMEOUT_SECONDS = 120


@dataclass(repr=False)
class Run:
    """How a run of a script ended."""

    status: int
    out: str
    err: str

    def __repr__(self) -> str:
        return f"exit {self.status}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


@dataclass
class Checkout:
    """A copy of the project, and the environment its scripts run in: nothing but what is given here."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.temporary = self.folder.parent / "tmp"
        self.temporary.mkdir()
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder.parent),
            "TMPDIR": str(self.temporary),
            "LANG": "C.UTF-8",
            "TB_POSTGRES_CONTAINER": "tumblebug-assets-test-none",
            "DOCKER_CONFIG": os.environ.get("DOCKER_CONFIG", str(Path.home() / ".docker")),
            **{name: os.environ[name] for name in ("DOCKER_HOST",) if name in os.environ},
        }

    @property
    def default_backup(self) -> Path:
        return self.folder / "assets" / "assets.dump.gz"

    def run(
        self,
        *command: str | Path,
        shell: str = "",
        cwd: Path | None = None,
        timeout: float = TIMEOUT_SECONDS,
        **environment: str,
    ) -> Run:
        """Run a command in the checkout, without a terminal, and return how it ended."""
        done = subprocess.run(
            [*shell.split(), *map(str, command)],
            cwd=cwd or self.folder,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=timeout,
        )
        return Run(done.returncode, done.stdout, done.stderr)

    def edit(self, name: str, old: str, new: str) -> None:
        """Change this checkout's own copy of a file: a shorter wait, say."""
        text = (self.folder / name).read_text()
        assert old in text
        (self.folder / name).write_text(text.replace(old, new))

    def start(self, *command: str | Path, **environment: str) -> subprocess.Popen:
        """Start a command in a process group of its own and return it running."""
        return subprocess.Popen(
            list(map(str, command)),
            cwd=self.folder,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run_on_terminal(self, *command: str | Path, answer: bytes, **environment: str) -> Run:
        """Run a command on a pseudo-terminal, type a line of the answer at each prompt, and return how it ended."""
        lines = answer.splitlines(keepends=True)
        master, slave = pty.openpty()
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=self.folder,
            env={**self.environment, **environment, "TERM": "xterm"},
            stdin=slave,
            stdout=subprocess.PIPE,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C is a signal
        )
        os.close(slave)
        screen = b""
        while chunk := _read_terminal(master):
            screen += chunk
            if screen.endswith(b": ") and lines:
                os.write(master, lines.pop(0))
        out = process.stdout.read().decode()
        status = process.wait(TIMEOUT_SECONDS)
        os.close(master)
        return Run(status, out, screen.decode())

    def without_python(self) -> dict[str, str]:
        """Take the helper's packages away, and return an environment in which there is no Python."""
        (self.folder / ".venv").unlink()
        return {"PATH": self.path_with(python3="exit 127")}

    def path_with(self, **programs: str) -> str:
        """Return a PATH whose first folder has these programs, as shell scripts."""
        fake = self.folder.parent / "fake"
        fake.mkdir(exist_ok=True)
        for name, text in programs.items():
            (fake / name).write_text(f"#!/bin/sh\n{text}\n")
            (fake / name).chmod(0o755)
        return f"{fake}:{self.environment['PATH']}"

    def leftovers(self) -> list[str]:
        """Return what runs have left behind: temporary folders and partial files."""
        partial = self.folder.rglob("*.partial.*")
        return [str(path) for path in [*self.temporary.iterdir(), *partial]]


def _read_terminal(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # the other side has closed
        return b""


@dataclass
class Server:
    """The private server, which the scripts reach through the direct backend."""

    private: PrivateServer

    def environment(self) -> dict[str, str]:
        return self.private.environment()

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        return self.private.connect(database)

    def client(self, *command: str, **more: object) -> subprocess.CompletedProcess:
        """Run a client program next to the server."""
        environment = {
            "PATH": f"{self.private.bin_dir}:{os.environ['PATH']}",
            "PGHOST": self.private.host,
            "PGPORT": str(self.private.port),
            "PGUSER": self.private.user,
            "PGPASSWORD": self.private.password,
        }
        return subprocess.run(command, env=environment, check=True, capture_output=True, **more)

    def temporary_files(self) -> list[str]:
        return []  # the same folder as the host's, which Checkout.leftovers looks at


@dataclass
class Container:
    """A PostgreSQL container of the tests' own, which the scripts reach through the docker backend."""

    name: str
    address: str

    def environment(self) -> dict[str, str]:
        return {"TB_POSTGRES_CONTAINER": self.name}

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(
            host=self.address,
            user="tumblebug",
            password="tumblebug",
            dbname=database,
            autocommit=True,
        )

    def client(self, *command: str, **more: object) -> subprocess.CompletedProcess:
        """Run a client program next to the server."""
        return subprocess.run(
            ["docker", "exec", "-i", "-e", "PGUSER=tumblebug", self.name, *command],
            check=True,
            capture_output=True,
            **more,
        )

    def wait(self, seconds: float = 60) -> None:
        """Return when the server answers over TCP: the one that makes a new volume listens on its socket only."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.client("psql", "-h", "127.0.0.1", "-d", "tumblebug", "-c", "SELECT 1")
                return
            except subprocess.CalledProcessError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def temporary_files(self) -> list[str]:
        return self.client("sh", "-c", "ls -d /tmp/* 2>/dev/null || true", text=True).stdout.split()


def container_engine_problem() -> str:
    """Return why no container can be had, or nothing when one can."""
    if not shutil.which("docker"):
        return "there is no docker command"
    answer = subprocess.run(["docker", "version"], capture_output=True, text=True, timeout=30)
    return "" if answer.returncode == 0 else f"no Docker engine answers: {answer.stderr.strip()}"


def image(version: str = "16") -> str:
    """Return the name of an image with that PostgreSQL, built where it is missing."""
    if version == "16" and "TEST_POSTGRES_IMAGE" in os.environ:
        return IMAGE
    tag = f"tumblebug-assets-tests/postgres:{version}"
    subprocess.run([str(IMAGE_RECIPE), tag, version], check=True, stdout=subprocess.DEVNULL)
    return tag


@contextmanager
def started_container(
    version: str = "16", *options: str, settings: Sequence[str] = (), measured: bool = False
) -> Iterator[Container]:
    """Yield a running container that is removed at the end, with its volume.

    ``settings`` are the server's own, such as ``work_mem=1GB``.
    It is a quick one, or one to be measured: as safe as a user's, and no autovacuum in another's time.
    """
    name = f"tumblebug-assets-test-{secrets.token_hex(4)}"
    variables = [f"POSTGRES_{key}=tumblebug" for key in ("USER", "PASSWORD", "DB")]
    settings = [
        *settings,
        *(["autovacuum=off"] if measured else ["fsync=off", "autovacuum_naptime=1s"]),
    ]
    subprocess.run(
        ["docker", "run", "-d", "--name", name]
        + [argument for variable in variables for argument in ("-e", variable)]
        + [*options, image(version), "postgres"]
        + [argument for setting in settings for argument in ("-c", setting)],
        check=True,
        capture_output=True,
    )
    try:
        address = subprocess.run(
            ["docker", "inspect", "-f", "{{.NetworkSettings.IPAddress}}", name],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        container = Container(name, address)
        container.wait()
        yield container
    finally:
        subprocess.run(["docker", "rm", "-f", "-v", name], check=True, capture_output=True)


@dataclass
class Database:
    """A database of the test's own, and the scripts' runs against it."""

    place: Server | Container
    checkout: Checkout
    name: str = ""

    def __post_init__(self) -> None:
        self.name = self.name or f"test_{secrets.token_hex(6)}"
        self.checkout.environment |= {**self.place.environment(), "TB_POSTGRES_DATABASE": self.name}

    def create(self, template: Path = Path(__file__).parent / "sample.sql") -> None:
        self.create_empty()
        self.execute(template.read_text())

    def create_empty(self) -> None:
        with self.place.connect() as connection:
            connection.autocommit = True
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.name)))

    def drop(self) -> None:
        """Drop the database, and what runs on it have kept or left beside it."""
        with self.place.connect() as connection:
            connection.autocommit = True
            for name in {self.name} | self.databases():
                drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
                connection.execute(drop.format(sql.Identifier(name)))

    def execute(self, query: str) -> list[tuple]:
        with self.place.connect(self.name) as connection:
            cursor = connection.execute(query)
            return cursor.fetchall() if cursor.description else []

    def content(self) -> dict[str, object]:
        """Return all that a restore must bring back: each table's rows, and the schema as SQL."""
        tables = self.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname <> 'information_schema' AND schemaname NOT LIKE 'pg\\_%' ORDER BY 1"
        )
        rows = {
            table: self.execute(
                f"SELECT count(*), md5(string_agg(t, E'\\n' ORDER BY t COLLATE \"C\"))"
                f" FROM (SELECT (r.*)::text AS t FROM ONLY {table} AS r) AS texts"
            )
            for (table,) in tables
        }
        return {**rows, "schema": self.schema()}

    def schema(self) -> str:
        dump = self.place.client(
            "pg_dump", "--schema-only", "--dbname", self.name, text=True
        ).stdout
        return "\n".join(line for line in dump.splitlines() if not line.startswith(("--", "\\")))

    def databases(self) -> set[str]:
        """Return the databases that this project has made beside this one, or failed to remove."""
        with self.place.connect() as connection:
            rows = connection.execute(
                "SELECT datname FROM pg_database WHERE datname LIKE 'assets%'"
            )
            return {name for (name,) in rows.fetchall()}

    def backup(self, *arguments: str | Path, **environment: str) -> Run:
        return self.checkout.run("./scripts/backup-assets.sh", *arguments, **environment)

    def restore(self, *arguments: str | Path, **environment: str) -> Run:
        environment = {"RESTORE_SKIP_CONFIRM": "yes", **environment}
        return self.checkout.run("./scripts/restore-assets.sh", *arguments, **environment)

    def backed_up(self, path: Path | None = None) -> Path:
        """Back up without ado, for tests of what comes after, and return the file."""
        path = path or self.checkout.default_backup
        run = self.backup(path)
        assert run.status == 0, run
        return path

    def leftovers(self) -> list[str]:
        """Return everything that a finished run must not leave: here, next to the server, in it."""
        files = self.checkout.leftovers() + [
            path for path in self.place.temporary_files() if "tumblebug-assets" in path
        ]
        return files + sorted(self.databases())


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def programs(folder: Path, original: Path, **replacements: str) -> Mapping[str, str]:
    """Return an environment in which some client programs are replaced by shell scripts.

    ``original`` is the folder of the real ones; a replacement calls the real program as "$REAL".
    """
    folder.mkdir()
    for program in original.iterdir():
        (folder / program.name).symlink_to(program)
    for name, text in replacements.items():
        script = folder / name
        script.unlink()
        script.write_text(f"#!/bin/sh\nREAL='{original / name}'\n{text}\n")
        script.chmod(0o755)
    return {"PG_BINDIR": str(folder)}
