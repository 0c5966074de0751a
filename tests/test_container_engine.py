"""Other engines than this machine's Docker: remote ones, contexts, and podman."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest
from support.databases import Database, new_database
from support.engines import FROM_ENGINE, RemoteContainer, remote_engine
from support.run import RESTORE, STATS, Checkout
from support.servers import Container


@pytest.fixture
def remote(container: Container, checkout: Checkout) -> Iterator[Database]:
    """A database in a container of an engine that a context names."""
    with remote_engine() as engine:
        yield from new_database(
            RemoteContainer(container.name, container.address, engine), checkout
        )


def with_context(checkout: Checkout, host: str) -> dict[str, str]:
    """Return an environment in which docker's current context is `far`, at this address."""
    config = checkout.path.parent / "docker-config"
    environment = {"PATH": os.environ["PATH"], "DOCKER_CONFIG": str(config), "DOCKER_HOST": ""}
    create = ["docker", "context", "create", "far", "--docker", f"host={host}"]
    subprocess.run(create, env=environment, check=True, capture_output=True)
    subprocess.run(
        ["docker", "context", "use", "far"], env=environment, check=True, capture_output=True
    )
    return environment


def test_context_is_named_and_used_in_the_whole_run(remote: Database) -> None:
    backup = remote.sample_backup()
    context = with_context(remote.checkout, remote.server.engine.host)
    remote.server.engine.forget()
    run = remote.checkout.run(RESTORE, "--dry-run", backup, **context)
    assert run.status == 0, run
    name = f"container '{remote.server.name}' of context 'far'"
    assert f"everything in database '{remote.name}' of {name} will be replaced" in run.err, run
    assert remote.server.engine.passed[FROM_ENGINE] > 0
    assert remote.left_behind() == []


def test_context_that_is_missing_is_named(checkout: Checkout) -> None:
    run = checkout.run(STATS, DOCKER_CONTEXT="nowhere")
    assert run.status == 1 and len(run.errors) == 1, run
    assert 'could not choose a Docker engine: context "nowhere": context not found' in run.err
    assert "'docker context ls' lists the contexts" in run.err
