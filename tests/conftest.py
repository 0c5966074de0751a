"""Fixtures: servers, a database for each test, a copy of the project.

No test can reach a server, a container or a database that it did not make: the environment of every
script is built from nothing, and the scripts run from a copy without the developer's `.env`.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.databases import Database, new_database
from support.kubernetes import PodServer, started_cluster
from support.run import PROJECT, Checkout, new_checkout
from support.sampling import ALL
from support.servers import (
    BACKENDS,
    Container,
    DirectServer,
    Server,
    container_engine_problem,
    started_container,
)
from support.storage import Storage, storage_server

from helpers.demo.private_server import private_server


def pytest_configure() -> None:
    """Handle SIGINT and SIGHUP, which nohup and & ignore, so that the scripts handle them too."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the groups first: a long one at the end would leave the other workers idle."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


@pytest.fixture(scope="session")
def direct_server() -> Iterator[DirectServer]:
    """A private PostgreSQL from a wheel, reached over TCP."""
    with private_server() as server:
        yield DirectServer(server)


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


@pytest.fixture(scope="session")
def pod_server(
    container: Container, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PodServer]:
    """The same container as a pod of a cluster, reached by kubectl."""
    with started_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield PodServer(container, cluster)


@pytest.fixture(params=BACKENDS if ALL else ["docker"])
def server(request: pytest.FixtureRequest) -> Server:
    """The container; with TEST_ALL=yes, each kind of server, so a test runs once with each."""
    return request.getfixturevalue(BACKENDS[request.param])


@pytest.fixture
def direct(direct_server: DirectServer, checkout: Checkout) -> Iterator[Database]:
    """A filled database on the private server, for what does not depend on the backend."""
    yield from new_database(direct_server, checkout)


@pytest.fixture
def docker(container: Container, checkout: Checkout) -> Iterator[Database]:
    """A filled database in the container, for what only that backend does."""
    yield from new_database(container, checkout)


@pytest.fixture
def pod(pod_server: PodServer, checkout: Checkout) -> Iterator[Database]:
    """A filled database in the pod, for what only the kubectl backend does."""
    pod_server.reset()
    yield from new_database(pod_server, checkout)


@pytest.fixture
def database(server: Server, checkout: Checkout) -> Iterator[Database]:
    """A filled database, once on each backend."""
    yield from new_database(server, checkout)


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    """An S3 server."""
    with storage_server(tmp_path_factory.mktemp("storage")) as running:
        yield running


@pytest.fixture
def bucket(storage: Storage, checkout: Checkout) -> Path:
    """A new bucket of the S3 server; the checkout's environment has it as BACKUP_REMOTE."""
    path = storage.new_bucket()
    checkout.environment |= storage.environment(checkout, path.name)
    return path


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """The project's scripts, where every user can write; pytest's directories are closed."""
    directory = Path(f"/tmp/tumblebug-assets-test-{os.getpid()}")
    directory.mkdir()
    directory.chmod(0o777)
    shutil.copytree(PROJECT / "scripts", directory / "scripts")
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def checkout(request: pytest.FixtureRequest, tmp_path: Path) -> Checkout:
    """A copy of the project's scripts, with the Python packages for tests marked `python`."""
    checkout = new_checkout(tmp_path)
    if request.node.get_closest_marker("python"):
        checkout.use_python()
    return checkout
