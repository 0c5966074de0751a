"""make: the help, and the doors to the scripts that no other test goes through."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from support.ground import Checkout, Container, image


def test_make_alone_prints_the_help(checkout: Checkout) -> None:
    run = checkout.run("make")
    assert run.status == 0, run
    for target in (
        "backup-assets",
        "restore-assets",
        "init",
        "up",
        "down",
        "clean-db",
        "stats",
        "db-size",
        "demo",
    ):
        assert f"\n  {target} " in run.out, run
    assert "make restore-assets FILE=" in run.out
    assert run.err == ""


def test_make_restores_the_default_backup_and_a_named_one(direct) -> None:
    run = direct.checkout.run("make", "backup-assets")
    assert run.status == 0, run
    assert direct.checkout.default_backup.is_file()
    run = direct.checkout.run("make", "backup-assets", "NAME=mine")
    assert run.status == 0, run
    before = direct.content()
    for choice in ([], ["FILE=./backups/postgres/mine.dump.gz"]):
        direct.execute("DELETE FROM pricing_info")
        run = direct.checkout.run("make", "restore-assets", *choice, RESTORE_SKIP_CONFIRM="yes")
        assert run.status == 0, run
        assert direct.content() == before


def compose_commands() -> list[str]:
    found = []
    if (
        subprocess.run(
            ["docker", "compose", "version"], capture_output=True, check=False
        ).returncode
        == 0
    ):
        found.append("plugin")
    if (
        subprocess.run(
            ["sh", "-c", "command -v docker-compose"], capture_output=True, check=False
        ).returncode
        == 0
    ):
        found.append("docker-compose")
    return found


@pytest.fixture(params=["plugin", "docker-compose"])
def compose(
    request: pytest.FixtureRequest, container: Container, checkout: Checkout
) -> Iterator[Checkout]:
    """A checkout whose container, volume, network and port are the test's own."""
    if request.param not in compose_commands():
        pytest.skip(f"there is no compose {request.param} on this machine")
    if request.param == "docker-compose":
        checkout.environment["DOCKER_CONFIG"] = "/nowhere"  # where no plugin is
    name = f"tumblebug-assets-test-{secrets.token_hex(4)}"
    checkout.environment |= {
        "COMPOSE_PROJECT_NAME": name,
        "TB_POSTGRES_CONTAINER": name,
        "TB_POSTGRES_IMAGE": image(),
        "TB_POSTGRES_PORT": "0",
    }
    yield checkout
    subprocess.run(["docker", "rm", "-f", "-v", name], capture_output=True, check=False)
    subprocess.run(
        ["docker", "volume", "rm", "-f", f"{name}_assets-database"],
        capture_output=True,
        check=False,
    )
    subprocess.run(["docker", "network", "rm", f"{name}_default"], capture_output=True, check=False)


def test_up_waits_until_healthy_and_down_keeps_the_data(compose: Checkout) -> None:
    name = compose.environment["TB_POSTGRES_CONTAINER"]
    up = compose.run("make", "up")
    assert up.status == 0, up
    assert "is healthy" in up.err
    address = subprocess.run(
        ["docker", "port", name, "5432/tcp"], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert address.startswith("127.0.0.1:") and "\n" not in address
    port = int(address.rpartition(":")[2])
    login = {
        "host": "127.0.0.1",
        "port": port,
        "user": "tumblebug",
        "password": "tumblebug",
        "dbname": "tumblebug",
    }
    with psycopg.connect(**login) as connection:
        connection.execute("CREATE TABLE spec_info AS SELECT generate_series(1, 42) AS id")
    again = compose.run("make", "up")
    assert again.status == 0, again
    down = compose.run("make", "down")
    assert down.status == 0, down
    assert (
        subprocess.run(["docker", "inspect", name], capture_output=True, check=False).returncode
        != 0
    )
    up = compose.run("make", "up")
    assert up.status == 0, up
    run = compose.run("make", "stats")
    assert run.status == 0 and "42" in run.out, run


def test_up_says_when_the_image_cannot_be_had(compose: Checkout) -> None:
    run = compose.run("./scripts/up.sh", TB_POSTGRES_IMAGE="localhost:1/no-such-image:1")
    assert run.status == 1, run
    assert "could not be started" in run.err


def test_no_compose_says_so(container: Container, checkout: Checkout, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for folder in checkout.environment["PATH"].split(":")[::-1]:
        for tool in Path(folder).iterdir() if Path(folder).is_dir() else []:
            if tool.name != "docker-compose" and os.access(tool, os.X_OK):
                (tools / tool.name).unlink(missing_ok=True)
                (tools / tool.name).symlink_to(tool)
    run = checkout.run("./scripts/up.sh", PATH=str(tools), DOCKER_CONFIG=str(tmp_path))
    if "docker compose" not in run.err:
        pytest.skip("the compose plugin of this machine is in a system folder")
    assert run.status == 1, run
    assert "there is neither 'docker compose' nor docker-compose" in run.err
