"""Other engines than this machine's Docker: remote ones, contexts, and podman."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.databases import Database, new_database
from support.engines import FROM_ENGINE, RemoteContainer, remote_engine
from support.fakes import fake
from support.run import BACKUP, RESTORE, STATS, UP, Checkout
from support.servers import IMAGE, Container, needs_docker_command


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


def test_programs_in_the_container_report_in_english(docker: Database) -> None:
    """The scripts read their messages; an image may set another language."""
    record = f'printf "%s\\n" "$*" >>{docker.checkout.home}/calls; exec "$REAL" "$@"'
    run = docker.backup(**fake(docker.checkout, docker=record))
    assert run.status == 0, run
    calls = (docker.checkout.home / "calls").read_text().splitlines()
    programs = [call for call in calls if call.startswith("exec ")]
    assert programs and all("-e LC_ALL=C " in call for call in programs), calls


@pytest.mark.parametrize("where", ["docker", "remote"])
def test_libpq_variables_of_the_container_have_no_effect(
    request: pytest.FixtureRequest, where: str
) -> None:
    """A compose file may set them; with a service, all would go to the live database."""
    database = request.getfixturevalue(where)
    database.execute(
        "CREATE TABLE times (at timestamptz[], late timetz);"
        " INSERT INTO times VALUES (ARRAY['2024-01-01 00:00+00'::timestamptz], '12:00+00')"
    )
    before, files = database.content(), "SELECT pg_relation_filenode('spec_info')"
    file = database.execute(files)
    path = f"/var/tmp/{database.name}.services"
    service = f"[live]\nhost=/var/run/postgresql\ndbname={database.name}\nuser=tumblebug\n"
    database.server.client("sh", "-c", f"cat >{path}", input=service, text=True)
    variables = f"-e PGSERVICE=live -e PGSERVICEFILE={path} -e PGTZ=Asia/Seoul -e PGDATESTYLE=SQL"
    variables += " -e PGHOSTADDR=192.0.2.1"
    set_them = f'[ "$1" != exec ] || {{ shift; set -- exec {variables} "$@"; }}; exec "$REAL" "$@"'
    hostile = fake(database.checkout, docker=set_them)
    backup = database.checkout.default_backup
    run = database.backup(backup, BACKUP_COMPRESSION="smallest", **hostile)
    assert run.status == 0, run
    assert database.execute(files) == file  # not sorted there
    database.execute("DELETE FROM times")
    run = database.restore()
    assert run.status == 0, run
    assert database.content() == before


def test_context_is_named_and_used_in_the_whole_run(remote: Database) -> None:
    backup = remote.sample_backup()
    context = with_context(remote.checkout, remote.server.engine.host)
    remote.server.engine.forget()
    run = remote.checkout.run(RESTORE, "--dry-run", backup, **context)
    assert run.status == 0, run
    name = f"container '{remote.server.name}' of context 'far'"
    assert f"everything in database '{remote.name}' of {name} would be replaced" in run.err, run
    assert remote.server.engine.passed[FROM_ENGINE] > 0
    assert remote.left_behind() == []


@needs_docker_command
def test_context_that_is_missing_is_named(checkout: Checkout) -> None:
    run = checkout.run(STATS, DOCKER_CONTEXT="nowhere")
    assert run.status == 1 and len(run.errors) == 1, run
    assert 'could not choose a Docker engine: context "nowhere": context not found' in run.err
    assert "'docker context ls' lists the contexts" in run.err


# --- podman ---

PODMAN_CONF = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
STORAGE_CONF = """
[storage]
driver = "overlay"
graphroot = "{directory}/storage"
runroot = "{directory}/run"
"""


@pytest.fixture
def podman(container: Container, checkout: Checkout) -> Iterator[Callable[..., str]]:
    """A function that runs podman, whose containers and settings are the test's own.

    As root, podman has its usual network and ports; other users have none of their own here.
    """
    if not shutil.which("podman"):
        pytest.skip("there is no podman on this machine")
    directory = Path(tempfile.mkdtemp(prefix="podman-"))  # in a short path, for its sockets
    runtime = shutil.which("runc", path=f"{os.environ['PATH']}:/usr/sbin")  # also without cgroup v2
    settings = PODMAN_CONF + (f'runtime = "{runtime}"\n' if runtime else "")
    (directory / "containers.conf").write_text(settings)
    (directory / "storage.conf").write_text(STORAGE_CONF.format(directory=directory))
    (directory / "config.json").write_text("{}")
    checkout.environment |= {
        "CONTAINER_CLI": "podman",
        "DOCKER_CONFIG": str(directory),
        "CONTAINERS_CONF": str(directory / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(directory / "storage.conf"),
        "XDG_RUNTIME_DIR": str(directory),
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(
            ["podman", *arguments],
            env=checkout.environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    yield run
    run("rm", "--all", "--force", "--volumes")
    run("unshare", "rm", "-rf", str(directory)) if os.getuid() else shutil.rmtree(directory)


def test_podman_backs_up_and_restores(podman: Callable[..., str], checkout: Checkout) -> None:
    name = "tumblebug-assets-test-podman"
    checkout.environment["TB_POSTGRES_CONTAINER"] = name
    save = subprocess.Popen(["docker", "save", IMAGE], stdout=subprocess.PIPE)
    loaded = subprocess.run(
        ["podman", "load"], stdin=save.stdout, env=checkout.environment, capture_output=True
    )
    if loaded.returncode:
        pytest.skip(f"podman stores no image here: {loaded.stderr.decode().strip()}")
    variables = [f"--env=POSTGRES_{key}=tumblebug" for key in ("USER", "PASSWORD", "DB")]
    network = ("--publish", "127.0.0.1::5432") if os.getuid() == 0 else ("--network", "none")
    try:
        podman("run", "--detach", "--name", name, *variables, *network, f"localhost/{IMAGE}")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"podman starts no container here: {error.stderr.strip()}")
    up = checkout.run(UP)
    assert up.status == 0 and f"container '{name}' is healthy" in up.err, up
    sql = ("exec", "-i", name, "psql", "-U", "tumblebug", "-Atc")
    podman(*sql, "CREATE TABLE spec_info AS SELECT generate_series(1, 42) AS id")
    assert checkout.run(BACKUP).status == 0
    podman(*sql, "DELETE FROM spec_info")
    run = checkout.run(RESTORE, RESTORE_SKIP_CONFIRM="yes")
    assert run.status == 0, run
    assert podman(*sql, "SELECT count(*) FROM spec_info") == "42"
    podman("stop", "--time", "1", name)
    run = checkout.run(STATS)
    assert run.status == 1 and f"PostgreSQL container '{name}' is not running" in run.err, run


@pytest.mark.parametrize("kind", ["link", "script"])
def test_docker_command_that_calls_podman_counts_as_podman(
    docker: Database, tmp_path: Path, kind: str
) -> None:
    """The fake podman is docker without DOCKER_CONTEXT, which real podman ignores."""
    real = shutil.which("docker")
    podman = tmp_path / "podman"
    podman.write_text(f'#!/bin/sh\nunset DOCKER_CONTEXT\nexec {real} "$@"\n')
    podman.chmod(0o755)
    command = tmp_path / "docker"
    if kind == "link":
        command.symlink_to(podman)
    else:
        command.write_text(f'#!/bin/sh\nexec {podman} "$@"\n')
        command.chmod(0o755)
    path = f"{tmp_path}:{docker.checkout.environment['PATH']}"
    run = docker.checkout.run(STATS, "--size", PATH=path, DOCKER_CONTEXT="elsewhere")
    assert run.status == 0 and "elsewhere" not in run.out + run.err, run
