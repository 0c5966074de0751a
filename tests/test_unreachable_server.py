"""An unreachable server: one error, and a hint that says what to do."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator

import pytest
from support.backups import remove_manifest
from support.databases import Database, make_big
from support.fakes import HASTY, fake, path_without
from support.run import BACKUP, RESTORE, STATS, VERIFY, Checkout
from support.sampling import only_with_all, sampled
from support.servers import (
    Container,
    DirectServer,
    docker,
    image,
    needs_docker_command,
    started_container,
)
from support.waiting import until

from helpers.demo.private_server import private_server

ALL = ["backup-assets.sh", "restore-assets.sh", "stats.sh", "clean-db.sh"]


def assert_one_error(checkout: Checkout, script: str, *sentences: str, **environment: str) -> None:
    if script == "restore-assets.sh":
        checkout.default_backup.write_bytes(b"PGDMP")
    run = checkout.run(f"./scripts/{script}", **environment)
    assert run.status == 1, run
    for sentence in sentences:
        assert sentence in run.err, run
    assert len(run.errors) == 1, run
    assert run.out == ""
    assert checkout.left_behind() == []


@pytest.mark.parametrize("script", ALL)
def test_container_that_does_not_run_points_at_make_up(
    container: Container, checkout: Checkout, script: str
) -> None:
    assert_one_error(
        checkout,
        script,
        "PostgreSQL container 'tumblebug-assets-test-none' is not running",
        "make up",
    )


@pytest.fixture(scope="module")
def spare_container(container: Container) -> Iterator[Container]:
    """A container that the tests may stop and damage."""
    with started_container() as spare:
        yield spare


@only_with_all
@pytest.mark.xdist_group("spare container")
def test_paused_container_says_how_to_go_on(checkout: Checkout, spare_container: Container) -> None:
    name = spare_container.name
    docker("pause", name)
    assert_one_error(
        checkout, "stats.sh", "is paused", "docker unpause", TB_POSTGRES_CONTAINER=name
    )
    docker("unpause", name)


@pytest.mark.xdist_group("spare container")
@pytest.mark.parametrize(
    ("script", "program"),
    [("backup-assets.sh", "pg_dump"), ("restore-assets.sh", "pg_restore"), ("stats.sh", "psql")],
)
def test_container_without_the_client_programs_says_so(
    checkout: Checkout, spare_container: Container, script: str, program: str
) -> None:
    path = spare_container.client("sh", "-c", f"command -v {program}", text=True).stdout.strip()
    spare_container.client("mv", path, f"{path}.missing")
    assert_one_error(
        checkout,
        script,
        f" has no {program}",
        TB_POSTGRES_CONTAINER=spare_container.name,
        TB_POSTGRES_DATABASE="tumblebug",
    )
    spare_container.client("mv", f"{path}.missing", path)


def test_container_that_restarts_again_and_again_points_at_its_log(
    container: Container, checkout: Checkout
) -> None:
    name = f"{container.name}-restarts"
    docker(
        "run", "--detach", "--restart", "always", "--name", name, "--entrypoint", "false", image()
    )
    try:
        state = ("inspect", "--format", "{{.State.Status}} {{.RestartCount}}", name)
        until(lambda: docker(*state) == "restarting 5")  # the next time is seconds away
        hint = f"docker logs {name}"
        assert_one_error(checkout, "stats.sh", "does not start", hint, TB_POSTGRES_CONTAINER=name)
    finally:
        docker("rm", "--force", "--volumes", name)


@pytest.mark.xdist_group("spare container")
def test_hint_starts_a_stopped_container(checkout: Checkout, spare_container: Container) -> None:
    name = spare_container.name
    near = {"TB_POSTGRES_CONTAINER": name[:-1]}
    for hint in ("make up", f"mean {name}?"):
        assert_one_error(checkout, "stats.sh", "is not running", hint, **near)
    docker("stop", name)
    start = f"start it with 'docker start {name}'"
    assert_one_error(checkout, "stats.sh", "is not running", start, TB_POSTGRES_CONTAINER=name)
    assert "did you mean" not in checkout.run(STATS, **near).err


@pytest.mark.parametrize("script", ALL)
def test_no_docker_says_so(checkout: Checkout, script: str) -> None:
    assert_one_error(
        checkout,
        script,
        "there is no 'no-docker' command",
        "set CONTAINER_CLI to docker or podman",
        CONTAINER_CLI="no-docker",
    )


@pytest.mark.parametrize(
    ("program", "advice"), [("docker", "install Docker"), ("podman", "install podman")]
)
def test_missing_container_engine_is_named(checkout: Checkout, program: str, advice: str) -> None:
    path = path_without(checkout, "docker", "podman")
    assert_one_error(
        checkout,
        "stats.sh",
        f"{advice}, or, for a server without a container",
        CONTAINER_CLI=program,
        PATH=path,
    )
    advice = "hint: a server without a container needs neither 'make up' nor 'make down'"
    for script, backend in (("up.sh", "direct"), ("up.sh", "auto"), ("down.sh", "direct")):
        direct = {"ASSETS_PG_BACKEND": backend, "TB_POSTGRES_ENDPOINT": "127.0.0.1:1"}
        assert_one_error(checkout, script, advice, CONTAINER_CLI=program, PATH=path, **direct)


def test_refused_endpoint_names_its_setting(direct: Database) -> None:
    assert_one_error(
        direct.checkout,
        "stats.sh",
        "Connection refused",
        "start the server, or set TB_POSTGRES_ENDPOINT to its host:port",
        TB_POSTGRES_ENDPOINT="127.0.0.1:9",
    )


@needs_docker_command
@pytest.mark.parametrize("script", ALL)
def test_docker_that_does_not_answer_says_so(checkout: Checkout, script: str) -> None:
    assert_one_error(
        checkout,
        script,
        "Docker does not answer",
        "at unix:///nowhere.sock",
        "start Docker",
        DOCKER_HOST="unix:///nowhere.sock",
    )


def test_hanging_docker_is_not_waited_for(checkout: Checkout) -> None:
    hangs = fake(checkout, docker="exec sleep 100", timeout=HASTY)
    assert_one_error(
        checkout,
        "stats.sh",
        "no answer within 30 s",
        "restart Docker",
        **hangs,
    )


@needs_docker_command
def test_engine_that_accepts_connections_and_never_answers_is_named(checkout: Checkout) -> None:
    path = checkout.home / "engine.sock"
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(str(path))
        engine.listen()
        run = checkout.run(STATS, DOCKER_HOST=f"unix://{path}", **fake(checkout, timeout=HASTY))
    assert run.status == 1 and ": no answer within 30 s\n" in run.err, run


@pytest.mark.parametrize("script", ALL)
def test_no_rights_on_the_docker_socket_says_so(checkout: Checkout, script: str) -> None:
    said = "permission denied while trying to connect to the Docker daemon socket at unix:///x.sock"
    assert_one_error(
        checkout,
        script,
        "is not allowed to use Docker",
        "group docker",
        **fake(checkout, docker=f"echo '{said}' >&2\nexit 1"),
    )


@pytest.mark.parametrize("script", ALL)
def test_wrong_password_says_so(direct: Database, script: str) -> None:
    assert_one_error(
        direct.checkout,
        script,
        "wrong password for user",
        "TB_POSTGRES_PASSWORD",
        TB_POSTGRES_PASSWORD="x",
    )


@pytest.mark.parametrize("script", ALL)
def test_unknown_user_says_so(docker: Database, script: str) -> None:
    assert_one_error(
        docker.checkout,
        script,
        "there is no user 'nobody'",
        "TB_POSTGRES_USER",
        TB_POSTGRES_USER="nobody",
    )


@pytest.mark.parametrize("script", ["backup-assets.sh", "stats.sh", "clean-db.sh"])
def test_unknown_database_says_so(database: Database, script: str) -> None:
    assert_one_error(
        database.checkout,
        script,
        "there is no database 'nowhere'",
        "TB_POSTGRES_DATABASE",
        TB_POSTGRES_DATABASE="nowhere",
    )


def test_server_that_does_not_listen_says_so(direct: Database) -> None:
    assert_one_error(
        direct.checkout,
        "stats.sh",
        "could not use server '127.0.0.1:1'",
        TB_POSTGRES_ENDPOINT="127.0.0.1:1",
    )


def test_server_without_tls_says_so(direct: Database) -> None:
    assert_one_error(
        direct.checkout,
        "stats.sh",
        "server does not support SSL",
        "turn on TLS on the server; or, in a trusted network, set PGSSLMODE=prefer",
        PGSSLMODE="require",
    )


def test_no_client_programs_on_this_machine_says_so(checkout: Checkout) -> None:
    assert_one_error(
        checkout,
        "stats.sh",
        "there is no psql",
        "PG_BINDIR",
        TB_POSTGRES_ENDPOINT="127.0.0.1:1",
        ASSETS_PG_BACKEND="direct",
        PATH=path_without(checkout, "psql"),
    )


ENDS_OF_A_CALL = {
    "container killed": "exit 137",
    "container gone": "echo 'Error response from daemon: No such container: x' >&2; exit 1",
    "call refused": "echo 'OCI runtime exec failed: exec failed: unknown?'; exit 126",
}


@pytest.mark.parametrize("end", sampled(list(ENDS_OF_A_CALL), 1))
@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("--list", "could not copy the archive to container"),
        ("--file=/dev/null", "could not read the archive of"),
    ],
)
def test_container_that_ends_is_not_blamed_on_the_file(
    docker: Database, end: str, call: str, error: str
) -> None:
    path = docker.sample_backup()
    if call == "--file=/dev/null":
        remove_manifest(path)
    ends = (
        f'case $* in *"pg_restore {call}"*) head -c 1000 >/dev/null; {ENDS_OF_A_CALL[end]} ;; esac'
    )
    program = fake(docker.checkout, docker=f'{ends}; exec "$REAL" "$@"')
    run = docker.checkout.run(VERIFY, path, **program)
    assert run.status == 1 and "check that container" in run.err, run
    assert error in run.errors[0] and "get the file again" not in run.err, run


COPYING = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query ~* '^ *COPY '"
ENDS = {
    "backup, session": (BACKUP, {}, "terminating connection due to administrator command"),
    "backup, server": (BACKUP, {}, "terminating connection due to immediate shutdown command"),
    "in place, server": (RESTORE, {"RESTORE_IN_PLACE": "yes"}, "immediate shutdown command"),
}


@pytest.mark.parametrize("end", sampled(list(ENDS), 2))
def test_end_of_the_server_or_session_during_a_copy_is_named(checkout: Checkout, end: str) -> None:
    script, environment, reason = ENDS[end]
    with private_server() as private:
        database = Database(DirectServer(private), checkout)
        database.create()
        make_big(database)
        database.backed_up()
        with database.server.connect() as connection:
            process = checkout.start(script, FORCE="yes", RESTORE_SKIP_CONFIRM="yes", **environment)
            copying: list[tuple] = []
            until(
                lambda: (
                    copying.extend(connection.execute(COPYING).fetchall())
                    or copying
                    or process.poll() is not None
                )
            )
            assert copying, process.communicate()
            if "session" in end:
                connection.execute("SELECT pg_terminate_backend(%s)", copying[0])
            else:
                postmaster = (private.data_dir / "postmaster.pid").read_text().split()[0]
                os.kill(int(postmaster), signal.SIGQUIT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    error, hint, *_ = err[err.index("error: ") :].splitlines()
    assert reason in error and ".;" not in error, err
    assert hint == f" hint: check that server '{private.endpoint}' still runs", err
