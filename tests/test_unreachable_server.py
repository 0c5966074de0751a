"""The guide's troubleshooting section: each trouble ends in one sentence that says what to do."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from support.ground import Checkout, Container, Database, started_container

ALL = ["backup-assets.sh", "restore-assets.sh", "stats.sh", "clean-db.sh"]


def trouble(checkout: Checkout, script: str, *sentences: str, **environment: str) -> None:
    if script == "restore-assets.sh":
        checkout.default_backup.write_bytes(b"PGDMP")
    run = checkout.run(f"./scripts/{script}", **environment)
    assert run.status == 1, run
    for sentence in sentences:
        assert sentence in run.err, run
    assert len(re.findall("^error: ", run.err, re.MULTILINE)) == 1, run
    assert run.out == ""
    assert checkout.leftovers() == []


def docker_that_says(checkout: Checkout, answer: str) -> dict[str, str]:
    return {"PATH": checkout.path_with(docker=f"echo '{answer}' >&2\nexit 1")}


@pytest.mark.parametrize("script", ALL)
def test_container_that_does_not_run_points_at_make_up(
    container: Container, checkout: Checkout, script: str
) -> None:
    trouble(
        checkout,
        script,
        "PostgreSQL container 'tumblebug-assets-test-none' is not running",
        "make up",
    )


def test_stopped_container_points_at_make_up(checkout: Checkout, container: Container) -> None:
    with started_container() as other:
        subprocess.run(["docker", "stop", other.name], check=True, capture_output=True)
        trouble(checkout, "stats.sh", "is not running", "make up", TB_POSTGRES_CONTAINER=other.name)


def test_paused_container_says_how_to_go_on(checkout: Checkout, container: Container) -> None:
    with started_container() as other:
        subprocess.run(["docker", "pause", other.name], check=True, capture_output=True)
        trouble(
            checkout, "stats.sh", "is paused", "docker unpause", TB_POSTGRES_CONTAINER=other.name
        )


@pytest.mark.parametrize("script", ALL)
def test_no_docker_says_so(checkout: Checkout, script: str) -> None:
    trouble(
        checkout,
        script,
        "there is no 'no-docker' command",
        "install Docker",
        CONTAINER_CLI="no-docker",
    )


@pytest.mark.parametrize("script", ALL)
def test_docker_that_does_not_answer_says_so(checkout: Checkout, script: str) -> None:
    trouble(
        checkout,
        script,
        "Docker does not answer",
        "start Docker",
        DOCKER_HOST="unix:///nowhere.sock",
    )


def test_docker_that_hangs_is_not_waited_for(checkout: Checkout) -> None:
    hangs = docker_that_says(checkout, "'; exec sleep 100; echo '")
    hangs["PATH"] = checkout.path_with(timeout='shift; exec /usr/bin/timeout 1 "$@"')
    trouble(checkout, "stats.sh", "Docker does not answer: it was asked", "start Docker", **hangs)


@pytest.mark.parametrize("script", ALL)
def test_no_rights_on_the_docker_socket_says_so(checkout: Checkout, script: str) -> None:
    said = "permission denied while trying to connect to the Docker daemon socket at unix:///x.sock"
    trouble(
        checkout,
        script,
        "no rights on the Docker socket",
        "group docker",
        **docker_that_says(checkout, said),
    )


@pytest.mark.parametrize("script", ALL)
def test_wrong_password_says_so(direct: Database, script: str) -> None:
    trouble(
        direct.checkout,
        script,
        "wrong password for user",
        "TB_POSTGRES_PASSWORD",
        TB_POSTGRES_PASSWORD="x",
    )


@pytest.mark.parametrize("script", ALL)
def test_unknown_user_says_so(docker: Database, script: str) -> None:
    trouble(
        docker.checkout,
        script,
        "there is no user 'nobody'",
        "TB_POSTGRES_USER",
        TB_POSTGRES_USER="nobody",
    )


@pytest.mark.parametrize("script", ["backup-assets.sh", "stats.sh", "clean-db.sh"])
def test_unknown_database_says_so(database: Database, script: str) -> None:
    trouble(
        database.checkout,
        script,
        "there is no database 'nowhere'",
        "TB_POSTGRES_DATABASE",
        TB_POSTGRES_DATABASE="nowhere",
    )


def test_server_that_does_not_listen_says_so(direct: Database) -> None:
    trouble(
        direct.checkout,
        "stats.sh",
        "cannot use server '127.0.0.1:1'",
        TB_POSTGRES_ENDPOINT="127.0.0.1:1",
    )


def test_no_client_programs_on_this_machine_says_so(checkout: Checkout, tmp_path: Path) -> None:
    empty = tmp_path / "bin"
    empty.mkdir()
    for tool in ("sh", "dirname", "uname", "mktemp", "rm", "id", "tr", "sed", "cat", "cut", "dd"):
        (empty / tool).symlink_to(f"/bin/{tool}")
    trouble(
        checkout,
        "stats.sh",
        "there is no psql",
        "PG_BINDIR",
        TB_POSTGRES_ENDPOINT="127.0.0.1:1",
        PATH=str(empty),
    )


@pytest.mark.parametrize(
    ("script", "program"),
    [("backup-assets.sh", "pg_dump"), ("restore-assets.sh", "pg_restore"), ("stats.sh", "psql")],
)
def test_container_without_the_client_programs_says_so(
    checkout: Checkout, container: Container, script: str, program: str
) -> None:
    with started_container() as other:
        other.client("sh", "-c", f'rm "$(command -v {program})"')
        trouble(
            checkout,
            script,
            f"there is no {program}",
            TB_POSTGRES_CONTAINER=other.name,
            TB_POSTGRES_DATABASE="tumblebug",
        )


def test_unknown_backend_is_wrong_usage(checkout: Checkout) -> None:
    run = checkout.run("./scripts/stats.sh", ASSETS_PG_BACKEND="telepathy")
    assert run.status == 2, run
    assert "unknown ASSETS_PG_BACKEND 'telepathy'" in run.err
