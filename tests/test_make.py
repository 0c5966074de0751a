"""make: the help, and the targets that no other test runs."""

from __future__ import annotations

import os
import re
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from support.databases import Database
from support.fakes import fake, path_without
from support.run import DOWN, PROJECT, RESTORE, STATS, UP, Checkout
from support.sampling import ALL, only_with_all, sampled
from support.servers import Container, docker, image


def test_scale_of_a_benchmark_is_a_number() -> None:
    for scale in ("foo", "0"):
        done = subprocess.run(
            [sys.executable, "-m", "bench.benchmark", scale],
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": "tests"},
            capture_output=True,
            text=True,
        )
        error = f"error: SCALE must be a number above 0, not '{scale}'\n"
        assert (done.returncode, done.stderr) == (2, error)


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
    assert max(map(len, run.out.splitlines())) <= 80
    assert run.err == ""


def test_help_has_bold_headings_where_a_terminal_has_colour(checkout: Checkout) -> None:
    for environment, bold in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        run = checkout.run_on_terminal("sh", "-c", "make >&2", **environment)
        assert ("\x1b[1mAssets\x1b[0m" in run.err) == bold, run
        assert ("\x1b" in run.err) == bold, run


def test_make_in_the_directory_of_the_scripts_copies_none(checkout: Checkout) -> None:
    run = checkout.run("make", "-C", "scripts", "backup-assets")
    assert (
        run.status == 2 and "run make in the project's directory, or with -C DIRECTORY" in run.err
    ), run
    assert not (checkout.path / "scripts/backup-assets").exists()


def test_setup_installs_the_users_packages_once(checkout: Checkout) -> None:
    checkout.remove_venv()
    python = checkout.home / "python"
    python.write_text(
        '#!/bin/sh\nif [ "$2" = venv ]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; fi\n'
        f'echo "$*" >>"{checkout.home}/calls"\n'
    )
    python.chmod(0o755)
    for _ in range(2):
        run = checkout.run("make", "setup", f"PYTHON={python}")
        assert run.status == 0, run
    calls = (checkout.home / "calls").read_text()
    assert calls.count("-m pip install") == 1 and "[setup]\n" in calls
    assert ".venv is ready" in run.out


def test_make_restores_the_default_backup_and_named_ones(direct: Database) -> None:
    assert direct.checkout.run("make", "backup-assets", "FILE=./mine.dump.gz").status == 0
    assert (direct.checkout.path / "mine.dump.gz").is_file()
    assert not direct.checkout.default_backup.exists()
    assert direct.checkout.run("make", "backup-assets", "NAME=mine").status == 0
    run = direct.checkout.run("make", "backup-assets")
    assert run.status == 0, run
    assert direct.checkout.default_backup.is_file()
    before = direct.content()
    named = ["NAME=mine", "NAME=mine.dump.gz", "FILE=./backups/postgres/mine.dump.gz"]
    for choice in ([], *([choice] for choice in sampled(named, 2))):
        direct.execute("DELETE FROM pricing_info")
        run = direct.checkout.run("make", "restore-assets", *choice, RESTORE_SKIP_CONFIRM="yes")
        assert run.status == 0, run
        assert direct.content() == before


def test_make_takes_every_documented_setting(checkout: Checkout) -> None:
    reference = (PROJECT / "docs" / "reference.md").read_text()
    table = reference.split("\n## Variables\n")[1].split("from the environment only")[0]
    settings = re.findall(
        r"`([A-Z0-9_]+)`(?=,|[^|]*\|)", "\n".join(re.findall(r"(?m)^\| `[^|]*\|", table))
    )
    assert len(settings) > 40
    run = checkout.run(
        "make",
        "-n",
        "stats",
        *(f"{name}=x" for name in settings if not re.match("FORCE|KEEP", name)),
    )
    assert run.status == 0, run


@only_with_all
def test_name_is_the_same_with_or_without_its_ending(direct: Database) -> None:
    assert direct.checkout.run("make", "backup-assets", "NAME=mine.dump.gz").status == 0
    assert (direct.checkout.named_backups / "mine.dump.gz").is_file()
    run = direct.checkout.run(RESTORE, "--yes", "mine")
    assert run.status == 0, run
    (direct.checkout.named_backups / "mine.dump.gz").rename(
        direct.checkout.named_backups / "plain.dump"
    )
    for name in ("plain", "plain.dump"):
        run = direct.checkout.run("make", "restore-assets", f"NAME={name}", "ARGS=--dry-run")
        assert run.status == 0, run


def test_name_in_the_environment_names_no_backup(direct: Database) -> None:
    run = direct.checkout.run("make", "backup-assets", NAME="mine")
    assert run.status == 2 and "NAME is set in the environment" in run.err, run
    assert (
        "make restore-assets NAME='mine'" in run.err and not direct.checkout.named_backups.exists()
    )
    run = direct.checkout.run("make", "backup-assets", NAME=os.uname().nodename)  # as WSL sets it
    assert run.status == 0 and direct.checkout.default_backup.exists(), run
    assert direct.checkout.run("make", "list-backups", NAME="mine").status == 0


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (["restore-assets", "NAME="], "NAME is empty", "omit NAME"),
        (["restore-assets", "FILE="], "FILE is empty", "omit FILE"),
        (["verify-backup", "LEVEL="], "LEVEL is empty", "omit LEVEL"),
        (["restore-assets", "file=x"], "make has no variable 'file'", "did you mean FILE?"),
        (["backup-assets", "File=x"], "make has no variable 'File'", "did you mean FILE?"),
        (["up", "TB_POSTGRES_PROT=1"], "make has no variable", "did you mean TB_POSTGRES_PORT?"),
        (["up", "x=a'b"], "make has no variable 'x'", "options of the script go into ARGS"),
        (["restore-assets", "DRY_RUN=yes"], "make has no variable 'DRY_RUN'", "ARGS=--dry-run"),
        (["restore-assets", "TABLE=spec"], "make has no variable 'TABLE'", "ARGS=--table"),
        (["restore-assets", "ARGS=my_backup"], "ARGS takes options", "NAME='my_backup'"),
        (["init", "option=a"], "make has no variable 'option'", "did you mean INIT_OPTION?"),
        (["restore-assets", "x.dump.gz"], "there is no target 'x.dump.gz'", "FILE='x.dump.gz'"),
        (
            ["restore-assets", "FILE=~/x"],
            "the shell has not replaced ~ in FILE",
            "FILE='./~/x' for",
        ),
        (["restor-assets"], "there is no target 'restor-assets'", "did you mean restore-assets?"),
        (["restore"], "there is no target 'restore'", "did you mean restore-assets?"),
        (["$(touch x)'"], "there is no target", "run 'make' to list the targets"),
        (["stats", "FILE=x"], "FILE has no effect here", ""),
        (["NAME=x"], "NAME has no effect here", ""),
        (["restore-assets", "FORCE=yes"], "FORCE has no effect here", ""),
        (["restore-assets", "NAME=x", "FILE=y"], "cannot combine FILE and NAME", ""),
        (["backup-assets", "NAME=a/b"], "NAME is the name of a backup", "FILE='a/b'"),
        (["restore-assets", "FILE=x"], "FILE must contain a slash or end in", "FILE='./x'"),
        (["setup", "ARGS=x"], "ARGS has no effect here: it is for backup-assets, restore-", ""),
        (["doctor", "PYTHON=x"], "PYTHON has no effect here: it is for setup, demo, test, ", ""),
    ],
)
def test_what_make_would_ignore_is_refused(
    checkout: Checkout, arguments: list[str], error: str, hint: str
) -> None:
    (checkout.path / "x.dump.gz").touch()  # an existing file is up to date, to make
    run = checkout.run("make", *arguments)
    assert run.status == 2, run
    assert len(run.errors) == 1 and run.errors[0].startswith(f"error: {error}"), run
    assert hint in run.err and "nothing was done" in run.err, run
    assert run.out == ""
    assert not (checkout.path / "x").exists()


def test_hint_names_no_variable_that_cannot_be(checkout: Checkout) -> None:
    run = checkout.run("make", "init", "a-b=1")
    assert run.status == 2 and "make has no variable 'a-b'" in run.err, run
    assert "hint" not in run.err


def test_settings_may_be_variables_of_make(direct: Database) -> None:
    direct.sample_backup()
    run = direct.checkout.run("make", "restore-assets", "RESTORE_SKIP_CONFIRM=yes", "NO_COLOR=1")
    assert run.status == 0, run


def compose_commands() -> list[str]:
    """Return which compose commands this machine has."""
    commands = {
        "plugin": ["docker", "compose", "version"],
        "docker-compose": ["sh", "-c", "command -v docker-compose"],
    }
    return [
        name
        for name, command in commands.items()
        if subprocess.run(command, capture_output=True, check=False).returncode == 0
    ]


BOTH = ["plugin", "docker-compose"]


@pytest.fixture(params=BOTH if ALL else ["plugin"])
def compose(
    request: pytest.FixtureRequest, container: Container, checkout: Checkout
) -> Iterator[Checkout]:
    """A checkout whose container, volume, network and port are the test's own.

    The plugin starts version 16, docker-compose 18, whose image wants its volume elsewhere.
    """
    if request.param not in compose_commands():
        pytest.skip(f"there is no compose {request.param} on this machine")
    if request.param == "docker-compose":
        checkout.environment["DOCKER_CONFIG"] = "/nowhere"  # where no plugin is
    name = f"tumblebug-assets-test-{secrets.token_hex(4)}"
    checkout.environment |= {
        "TB_POSTGRES_CONTAINER": name,
        "TB_POSTGRES_IMAGE": image("18" if request.param == "docker-compose" else "16"),
        "TB_POSTGRES_PORT": "0",
    }
    yield checkout
    docker("rm", "-f", "-v", name, check=False)
    docker("volume", "rm", "-f", f"{name}_assets-database", check=False)
    docker("network", "rm", f"{name}_default", check=False)


@pytest.mark.parametrize("compose", sampled(BOTH, 1), indirect=True)
def test_up_waits_until_healthy_and_down_keeps_the_data(compose: Checkout) -> None:
    name = compose.environment["TB_POSTGRES_CONTAINER"]
    up = compose.run("make", "up")
    assert up.status == 0, up
    assert "is healthy" in up.err
    address = docker("port", name, "5432/tcp")
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
    again = compose.run("make", "up", TB_POSTGRES_PORT="1")
    assert again.status == 0, again
    assert f"container '{name}' is already running\n" in again.err
    assert f"publishes 127.0.0.1:{port}, not port 1 (TB_POSTGRES_PORT)" in again.err
    assert "TB_POSTGRES_IMAGE" not in again.err
    again = compose.run("make", "up", TB_POSTGRES_IMAGE="no-such-image:1")
    assert again.status == 0, again
    used = compose.environment["TB_POSTGRES_IMAGE"]
    assert f"uses the image {used}, not TB_POSTGRES_IMAGE=no-such-image:1; a changed" in again.err
    used = docker("image", "inspect", "--format", "{{.Id}}", used)
    assert "warning" not in compose.run("make", "up", TB_POSTGRES_IMAGE=used).err
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
    mounts = docker("inspect", "--format", "{{range .Mounts}}{{.Name}} {{end}}", name)
    assert mounts == f"{name}_assets-database"  # and no volume without a name
    compose.run("make", "down")
    down = compose.run("make", "down")
    assert down.status == 0, down
    assert down.err == f"there is no container '{name}' to stop\n"


@only_with_all
def test_up_refuses_a_volume_of_another_version(compose: Checkout) -> None:
    name = compose.environment["TB_POSTGRES_CONTAINER"]
    volume = f"{name}_assets-database:/volume"
    old = "cd /volume; echo 15 >PG_VERSION; touch postgresql.conf; chown postgres . *"
    docker("run", "--rm", "--volume", volume, "--entrypoint", "sh", image(), "-c", old)
    up = compose.run(UP)
    assert up.status == 1 and len(up.errors) == 1, up
    assert "holds data of another major version of PostgreSQL than its image" in up.err, up
    assert "hint: use an image of the version of the data, PostgreSQL 15;" in up.err, up
    assert docker("inspect", "--format", "{{.State.Status}}", name) == "exited"
    show = ("--entrypoint", "cat", image(), "/volume/PG_VERSION")
    assert docker("run", "--rm", "--volume", volume, *show) == "15"


@only_with_all
def test_up_refuses_a_volume_of_a_later_version(compose: Checkout) -> None:
    """From 18 on, the volume has its data elsewhere."""
    name = compose.environment["TB_POSTGRES_CONTAINER"]
    later, earlier = {"TB_POSTGRES_IMAGE": image("18")}, {"TB_POSTGRES_IMAGE": image("17")}
    assert compose.run(UP, **later).status == 0
    assert compose.run(DOWN).status == 0
    up = compose.run(UP, **earlier)
    assert up.status == 1 and len(up.errors) == 1, up
    assert "holds data of another major version of PostgreSQL than its image" in up.err, up
    assert "hint: use an image of the version of the data, PostgreSQL 18;" in up.err, up
    assert docker("inspect", "--format", "{{.State.Status}}", name) == "exited"
    up = compose.run(UP, **later)
    assert up.status == 0, up


@only_with_all
def test_volume_without_data_is_not_called_another_version(compose: Checkout) -> None:
    """Such as one that a crash of the first start has left."""
    name = compose.environment["TB_POSTGRES_CONTAINER"]
    compose.environment["TB_POSTGRES_IMAGE"] = image("17")
    volume = f"{name}_assets-database:/volume"
    docker("run", "--rm", "--volume", volume, "--entrypoint", "touch", image(), "/volume/x")
    up = compose.run(UP, **fake(compose, seq="echo 1 2 3 4"))
    assert up.status == 1 and len(up.errors) == 1, up
    assert "after 4 s, not healthy" in up.err and f"'docker logs {name}'" in up.err, up


@pytest.mark.parametrize("compose", ["docker-compose"], indirect=True)
@only_with_all
def test_volume_of_a_similar_project_is_not_taken(compose: Checkout) -> None:
    """As docker-compose 1 would."""
    name = compose.environment["TB_POSTGRES_CONTAINER"]
    similar = f"{name.replace('-', '')}_assets-database"
    docker("volume", "create", similar)
    try:
        up = compose.run(UP)
        assert up.status == 0, up
        mounts = docker("inspect", "--format", "{{range .Mounts}}{{.Name}} {{end}}", name)
        assert mounts == f"{name}_assets-database"
        down = compose.run(DOWN)
        assert down.status == 0, down
    finally:
        docker("volume", "rm", similar)


def test_name_that_no_container_can_have_is_refused(compose: Checkout) -> None:
    up = compose.run(UP, TB_POSTGRES_CONTAINER="no container")
    assert up.status == 2 and "TB_POSTGRES_CONTAINER must be two or more letters" in up.err, up


def test_backup_after_an_option_in_args_is_refused(checkout: Checkout) -> None:
    run = checkout.run("make", "verify-backup", "ARGS=-q my_backup")
    assert "got 'my_backup' in ARGS and 'assets/assets.dump.gz'" in run.errors[0], run
    assert "to name a backup: NAME='my_backup'" in run.err
    run = checkout.run("make", "list-backups", "ARGS=a: b:")
    assert "expected one argument, got 'a:' and 'b:'" in run.errors[0], run


def test_up_says_when_the_image_could_not_be_had(compose: Checkout) -> None:
    run = compose.run(UP, TB_POSTGRES_IMAGE="localhost:1/no-such-image:1")
    assert run.status == 1, run
    assert "could not start container" in run.err
    assert "hint: set TB_POSTGRES_IMAGE to an image that this machine has" in run.err


def test_up_says_that_another_command_created_the_container(
    compose: Checkout, container: Container
) -> None:
    """Here one without a health check; a container without PostgreSQL is refused."""
    up = compose.run(UP, TB_POSTGRES_CONTAINER=container.name)
    assert up.status == 0, up
    assert "is already running; 'make up' did not create it\n" in up.err
    name = compose.environment["TB_POSTGRES_CONTAINER"]
    no_programs = ("-e", "PATH=/nowhere", "--entrypoint", "/bin/sh")
    docker("run", "--detach", "--name", name, *no_programs, image(), "-c", "/bin/sleep 99")
    up = compose.run(UP)
    assert up.status == 1, up
    assert f"error: container '{name}' has no PostgreSQL\n" in up.err
    docker("kill", name)
    up = compose.run(UP)
    assert up.status == 1, up
    assert f"container '{name}' is not running, and 'make up' did not create it as" in up.err, up
    assert f"start it with 'docker start {name}'" in up.err
    assert not docker("volume", "ls", "--quiet", "--filter", f"name={name}")
    stats = compose.run(STATS)
    assert stats.status == 1 and f"start it with 'docker start {name}'" in stats.err, stats


def test_up_names_a_busy_port_and_its_setting(compose: Checkout) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        run = compose.run(UP, TB_POSTGRES_PORT=port)
    assert run.status == 1, run
    assert f"error: port {port} of this machine is in use" in run.err
    assert "set TB_POSTGRES_PORT to another port" in run.err
    run = compose.run(UP, TB_POSTGRES_IMAGE="localhost:1/no-such-image:1")
    assert run.status == 1 and run.err.count("hint: ") == 1, run
    assert "hint: set TB_POSTGRES_IMAGE to an image that this machine has" in run.err
    assert "error: could not start container" in run.err


def test_down_leaves_a_container_that_another_command_created(compose: Checkout) -> None:
    name = compose.environment["TB_POSTGRES_CONTAINER"]
    docker("run", "--detach", "--name", name, "--entrypoint", "sleep", image(), "99")
    down = compose.run(DOWN)
    assert down.status == 0, down
    assert (
        down.err == f"container '{name}' is unchanged (running): 'make up' did not create it here\n"
    )
    docker("kill", name)
    down = compose.run(DOWN)
    assert down.status == 0, down
    assert (
        down.err == f"container '{name}' is unchanged (exited): 'make up' did not create it here\n"
    )
    assert docker("inspect", "--format", "{{.State.Status}}", name) == "exited"


def test_no_compose_says_so(container: Container, checkout: Checkout, tmp_path: Path) -> None:
    path = path_without(checkout, "docker-compose")
    run = checkout.run(UP, PATH=path, DOCKER_CONFIG=str(tmp_path))
    if "docker compose" not in run.err:
        pytest.skip("the compose plugin of this machine is in a system directory")
    assert run.status == 1, run
    assert "there is neither 'docker compose' nor docker-compose" in run.err


def test_targets_run_one_after_the_other(direct: Database) -> None:
    targets = ("backup-assets", "clean-db", "NAME=before")
    run = direct.checkout.run("make", "-j4", *targets, CLEAN_SKIP_CONFIRM="yes")
    assert run.status == 0, run
    assert "4,701 rows" in re.search("wrote .*", run.err)[0]


def test_make_from_another_directory_says_what_to_do(checkout: Checkout) -> None:
    run = checkout.run("make", "-C", "/", "-f", str(checkout.path / "Makefile"), "stats")
    assert run.status == 2 and "run make in the project's directory" in run.err, run
    assert "not found" not in run.err
