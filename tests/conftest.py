"""The tests' ground: real servers that are the tests' own, a database per test, a copy of the project.

Nothing here can reach a server, a container or a database that a test did not make: the environment of
every script is built from nothing, and the scripts run from a copy without the developer's `.env`.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.ground import (
    Checkout,
    Container,
    Database,
    Server,
    container_engine_problem,
    started_container,
)

from helpers.demo.private_server import private_server

PROJECT = Path(__file__).parent.parent


def pytest_configure() -> None:
    """Let the scripts be signalled, though whoever started us may ignore signals, as nohup and & do."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def direct_server() -> Iterator[Server]:
    """A private PostgreSQL from a wheel, reached over TCP."""
    with private_server() as server:
        yield Server(server)


@pytest.fixture(scope="session")
def container() -> Iterator[Container]:
    """A PostgreSQL container with a name of its own."""
    problem = container_engine_problem()
    if problem and os.environ.get("TEST_REQUIRE_DOCKER") == "1":
        pytest.fail(f"TEST_REQUIRE_DOCKER=1, but {problem}")
    if problem:
        pytest.skip(problem)
    with started_container() as running:
        yield running


@pytest.fixture(params=["direct", "docker"])
def place(request: pytest.FixtureRequest) -> Server | Container:
    """Each place where the server can be: a test that asks for it runs once in each."""
    return request.getfixturevalue("direct_server" if request.param == "direct" else "container")


@pytest.fixture
def direct(direct_server: Server, checkout: Checkout) -> Iterator[Database]:
    """A filled database on the private server, for what no backend changes."""
    yield from new_database(direct_server, checkout)


@pytest.fixture
def docker(container: Container, checkout: Checkout) -> Iterator[Database]:
    """A filled database in the container, for what only that backend does."""
    yield from new_database(container, checkout)


@pytest.fixture
def database(place: Server | Container, checkout: Checkout) -> Iterator[Database]:
    """A filled database, once on each backend."""
    yield from new_database(place, checkout)


def new_database(place: Server | Container, checkout: Checkout) -> Iterator[Database]:
    database = Database(place, checkout)
    database.create()
    yield database
    database.drop()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A copy of the project's scripts."""
    return copy_of_project(tmp_path)


def copy_of_project(parent: Path) -> Checkout:
    """Return a copy of the project's scripts in a new folder whose name has spaces and quotes."""
    folder = parent / 'it\'s a "check out"'
    folder.mkdir()
    for name in ("scripts", "helpers"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "docker-compose.yaml", "pyproject.toml"):
        shutil.copy(PROJECT / name, folder / name)
    (folder / "assets").mkdir()
    (folder / ".venv").symlink_to(PROJECT / ".venv")
    return Checkout(folder)
