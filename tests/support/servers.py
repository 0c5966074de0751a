"""Servers of the tests' own: a private PostgreSQL on this host, and containers."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import psycopg
import pytest

from helpers.demo.private_server import PrivateServer
from support.backups import Pair

IMAGE = os.environ.get("TEST_POSTGRES_IMAGE", "tumblebug-assets-tests/postgres:16")
IMAGE_RECIPE = Path(__file__).parent.parent / "image" / "build-image.sh"


needs_docker_command = pytest.mark.skipif(
    not shutil.which("docker"), reason="there is no docker command"
)
BACKENDS = {"direct": "direct_server", "docker": "container"}  # fixture of each one's server


class Server:
    """A PostgreSQL server, and how the scripts and the tests reach it."""

    sample_backup: ClassVar[tuple[Pair, str] | None] = None  # Database.sample_backup sets it

    def environment(self) -> dict[str, str]:
        """Return the variables by which the scripts reach it."""
        raise NotImplementedError

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """Return a connection that commits each statement."""
        raise NotImplementedError

    def client(self, *command: str, **more: object) -> subprocess.CompletedProcess:
        """Run a program on the server; return how it ended, or raise CalledProcessError.

        ``more`` are options of subprocess.run.
        """
        raise NotImplementedError

    def temporary_files(self) -> list[str]:
        """Return the files in the server's temporary directory, if that is not the checkout's."""
        raise NotImplementedError

    def crashes(self) -> list[str]:
        """Return what the server has logged of processes that crashed; empty if unknown."""
        return []

    def execute(self, *statements: str, database: str = "postgres") -> list[tuple]:
        """Run each statement in a transaction of its own; return the rows of the last one."""
        with self.connect(database) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


@dataclass
class DirectServer(Server):
    """A private server, which the scripts reach through the direct backend."""

    private: PrivateServer

    def environment(self) -> dict[str, str]:
        return self.private.environment()

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        connection = self.private.connect(database)
        connection.autocommit = True
        return connection

    def client(self, *command: str, **more: object) -> subprocess.CompletedProcess:
        environment = {
            "PATH": f"{self.private.bin_dir}:{os.environ['PATH']}",
            "PGHOST": self.private.host,
            "PGPORT": str(self.private.port),
            "PGUSER": self.private.user,
            "PGPASSWORD": self.private.password,
        }
        return subprocess.run(command, env=environment, check=True, capture_output=True, **more)

    def temporary_files(self) -> list[str]:
        return []


@dataclass
class Container(Server):
    """A container, which the scripts reach through the docker backend."""

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
        return subprocess.run(
            ["docker", "exec", "-i", "-e", "PGUSER=tumblebug", self.name, *command],
            check=True,
            capture_output=True,
            **more,
        )

    def temporary_files(self) -> list[str]:
        return self.client("sh", "-c", "ls -d /tmp/* 2>/dev/null || true", text=True).stdout.split()

    def log(self) -> list[str]:
        """Return the lines that the server has logged."""
        done = subprocess.run(["docker", "logs", self.name], capture_output=True, text=True)
        return done.stderr.splitlines()

    def crashes(self) -> list[str]:
        """Return what the server has logged of processes that crashed.

        It is process 1 of its container, and takes orphans of other programs for its own.
        """
        crash = re.compile("was terminated by|server process .* exited with exit code")
        return [line for line in self.log() if crash.search(line)]

    def programs(self) -> list[str]:
        """Return the command lines of the container's processes, apart from the server's own."""
        lines = docker("top", self.name, "-eo", "pid,args").splitlines()[1:]
        commands = [line.split(maxsplit=1)[1] for line in lines]
        return [command for command in commands if not command.startswith("postgres")]

    def wait(self, seconds: float = 60) -> None:
        """Return when the server answers over TCP; raise CalledProcessError after so many seconds.

        The server that creates a new volume listens on its socket only.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.client("psql", "-h", "127.0.0.1", "-d", "tumblebug", "-c", "SELECT 1")
                return
            except subprocess.CalledProcessError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)


def docker(*arguments: str, check: bool = True) -> str:
    """Run docker and return what it prints; raise CalledProcessError if it fails and ``check``."""
    done = subprocess.run(
        ["docker", *arguments], check=check, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip()


def container_engine_problem() -> str:
    """Return why no container can be started, or nothing when one can."""
    if not shutil.which("docker"):
        return "there is no docker command"
    answer = subprocess.run(["docker", "version"], capture_output=True, text=True, timeout=30)
    return "" if answer.returncode == 0 else f"no Docker engine answers: {answer.stderr.strip()}"


def image(version: str = "16") -> str:
    """Return the name of an image with that major version, built where it is missing."""
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

    ``options`` are those of docker run; ``settings`` are the server's, such as ``work_mem=1GB``.
    A measured server syncs its files, as a user's does; autovacuum, which would disturb, sleeps.
    Others are fast.
    """
    name = f"tumblebug-assets-test-{secrets.token_hex(4)}"
    variables = [f"POSTGRES_{key}=tumblebug" for key in ("USER", "PASSWORD", "DB")]
    settings = [
        *settings,
        *(["autovacuum_naptime=1d"] if measured else ["fsync=off", "autovacuum_naptime=1s"]),
    ]
    docker(
        *("run", "-d", "--name", name),
        *(argument for variable in variables for argument in ("-e", variable)),
        *(*options, image(version), "postgres"),
        *(argument for setting in settings for argument in ("-c", setting)),
    )
    try:
        container = Container(name, address_of(name))
        container.wait()
        yield container
    finally:
        docker("rm", "-f", "-v", name)


def address_of(container: str) -> str:
    """Return a running container's IP address."""
    return docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", container)
