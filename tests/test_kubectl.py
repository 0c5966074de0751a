"""The kubectl backend: which pod it finds, and that it works there as on any other server.

`tests/faults/test_broken_connections.py` has the broken connections.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from support.backups import remove_manifest
from support.databases import Database
from support.fakes import path_without
from support.kubernetes import CHART_LABELS, Pod, kubeconfig
from support.run import DOCTOR, PROJECT, RESTORE, STATS, Checkout, Run
from support.sampling import only_with_all
from support.waiting import until

PASSWORD = "it's a $ecret"
CALL = PROJECT / "scripts" / "remote" / "verified-call.sh"


@contextmanager
def watched_processes(seen: set[bytes]) -> Iterator[None]:
    """Collect the command lines of all processes of this machine, those in containers included."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            for process in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    seen.add((process / "cmdline").read_bytes())
            time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield
    ended.set()
    watcher.join()


def test_backup_and_restore_round_trip_through_a_pod(pod: Database) -> None:
    before = pod.content()
    backup = pod.backup(BACKUP_COMPRESSION="auto")
    assert backup.status == 0, backup
    pod.execute("DELETE FROM pricing_info; DROP TABLE image_info; CREATE TABLE later (n int)")
    pod.server.cluster.forget()
    restore = pod.checkout.run(RESTORE, "--yes", shell="bash --posix")
    assert restore.status == 0, restore
    assert pod.content() == before
    assert pod.left_behind() == []
    assert pod.server.temporary_files() == []
    until(lambda: pod.server.programs() == [])
    server = "pod 'postgres-0' in namespace 'default' of context 'test'"
    assert f"everything in database '{pod.name}' of {server} will be replaced" in restore.err
    assert len(pod.server.cluster.commands) <= 15  # each one takes about a tenth of a second


@only_with_all
def test_untrusted_backup_is_restored_through_a_pod(pod: Database) -> None:
    before = pod.content()
    path = pod.sample_backup()
    remove_manifest(path)
    pod.execute("DELETE FROM pricing_info")
    run = pod.checkout.run(RESTORE, "--yes", path, shell="busybox sh")
    assert run.status == 0, run
    assert "loads it with restricted rights" in run.err
    assert pod.content() == before
    assert pod.left_behind() == []


@only_with_all
def test_password_is_on_no_command_line_here_or_in_the_pod(pod: Database) -> None:
    user = f"{pod.name}_user"
    quoted = PASSWORD.replace("'", "''")
    pod.execute(f"CREATE ROLE {user} SUPERUSER LOGIN PASSWORD '{quoted}'")
    seen: set[bytes] = set()
    try:
        settings = {"TB_POSTGRES_USER": user, "TB_POSTGRES_PASSWORD": PASSWORD}
        with watched_processes(seen):
            run = pod.checkout.run(DOCTOR, **settings)
    finally:
        pod.execute(f"DROP ROLE {user}")
    assert run.status == 0, run
    assert "accepted over TCP" in run.out
    lines = [line.replace(b"\0", b" ").decode(errors="replace") for line in seen]
    assert any("kubectl --context test" in line for line in lines)
    assert any(line.startswith("psql ") for line in lines)
    commands = [word for command in pod.server.cluster.commands for word in command]
    assert [text for text in [*lines, *commands, run.out, run.err] if "$ecret" in text] == []


@only_with_all
def test_wrong_password_says_so(pod: Database) -> None:
    run = pod.checkout.run(DOCTOR, TB_POSTGRES_PASSWORD="wrong")
    assert "note     password     a login over TCP failed: password authentication" in run.out, run


# --- which pod ---


def stats(pod: Database, **environment: str) -> Run:
    return pod.checkout.run(STATS, "--size", **environment)


def used(run: Run) -> str:
    """Return the namespace and the name of the pod that a run has used, or its error."""
    found = re.search(r"pod '(.*)' in namespace '(.*)' of context 'test'", run.out)
    return f"{found[2]}/{found[1]}" if run.status == 0 and found else f"{run.errors} {run.err}"


def pods(pod: Database, *found: Pod) -> None:
    """Let the cluster have these pods, all with the database."""
    for each in found:
        each.runs_in = pod.server.container
    pod.server.cluster.pods = list(found)


PRIMARIES = [
    {"cnpg.io/instanceRole": "primary"},
    {"role": "master"},
    {"postgres-operator.crunchydata.com/role": "master"},
]


@pytest.mark.parametrize("primary", PRIMARIES, ids=lambda labels: next(iter(labels)))
def test_running_primary_of_several_pods_is_used(pod: Database, primary: dict) -> None:
    replica = {next(iter(primary)): "replica"}
    pods(
        pod,
        Pod("a", labels=CHART_LABELS | replica),
        Pod("b", labels=CHART_LABELS | primary),
        Pod("c", labels=CHART_LABELS | primary, phase="Pending"),
    )
    assert used(stats(pod)) == "default/b"


def test_pod_that_has_ended_does_not_count(pod: Database) -> None:
    pods(pod, Pod("evicted", phase="Failed"), Pod("a"))
    assert used(stats(pod)) == "default/a"


def test_several_equal_pods_are_listed_and_refused(pod: Database) -> None:
    pods(pod, Pod("a"), Pod("b"))
    run = stats(pod)
    assert run.status == 1 and len(run.errors) == 1, run
    assert "default/a (Running), default/b (Running)" in run.err
    assert used(stats(pod, TB_POSTGRES_POD="b")) == "default/b"


def test_all_namespaces_are_searched_unless_one_is_named(pod: Database) -> None:
    pods(pod, Pod("a", namespace="assets"))
    assert used(stats(pod)) == "assets/a"
    assert used(stats(pod, K8S_NAMESPACE="assets")) == "assets/a"
    run = stats(pod, TB_K8S_NAMESPACE="other")
    assert run.status == 1
    assert "no pod of context 'test' in namespace 'other' matches app=cb-tumblebug-pos" in run.err


@only_with_all
def test_selector_and_context_can_be_named(pod: Database) -> None:
    pods(pod, Pod("a"), Pod("b", labels={"app": "other"}))
    assert used(stats(pod, TB_POSTGRES_POD_SELECTOR="app=other")) == "default/b"
    assert used(stats(pod, TB_K8S_CONTEXT="", K8S_CONTEXT="test")) == "default/a"
    assert used(stats(pod, TB_K8S_CONTEXT="", ASSETS_PG_BACKEND="kubectl")) == "default/a"


def test_container_of_another_name_is_used_if_it_is_the_only_one(pod: Database) -> None:
    pods(pod, Pod("a", containers=("database",)))
    assert used(stats(pod)) == "default/a"
    assert "-c" in pod.server.cluster.commands[0]


# --- what can be wrong ---


def assert_refused(run: Run, *texts: str) -> None:
    assert run.status == 1 and len(run.errors) == 1, run
    assert [text for text in texts if text not in run.err] == [], run


PROBLEMS = [
    (Pod("a", phase="Pending"), {}, "is not running: Pending", "describe pod a"),
    (Pod("a", ready=False), {}, "container 'postgres' of pod 'a'", "is not ready"),
    (Pod("a"), {"TB_K8S_CONTAINER": "x"}, "has no container 'x'", "one of: postgres"),
    (Pod("a", containers=("b", "c")), {}, "has no container 'postgres'", "one of: b c"),
    (Pod("a"), {"TB_POSTGRES_POD": "x"}, "no pod of context 'test' in any namespace", "name=x"),
    (Pod("a"), {"TB_K8S_CONTEXT": "x"}, "kubectl has no context 'x'", "get-contexts"),
    (Pod("a"), {"KUBECONFIG": "/none"}, "kubectl has no context 'test'", "get-contexts"),
    (
        Pod("a"),
        {"KUBECONFIG": "/none", "TB_K8S_CONTEXT": "", "TB_POSTGRES_POD": "a"},
        "kubectl has no current context",
        "KUBECONFIG",
    ),
    (Pod("a", path="/bin:/usr/bin"), {}, "has no psql, pg_dump, pg_restore", "use an image"),
    (Pod("a"), {"TB_POSTGRES_ENDPOINT": "x:1"}, "TB_POSTGRES_ENDPOINT=x:1 is set", "BACKEND to"),
]


@pytest.mark.parametrize(("found", "settings", "error", "hint"), PROBLEMS)
def test_unusable_pod_is_a_clear_error(
    pod: Database, found: Pod, settings: dict[str, str], error: str, hint: str
) -> None:
    pods(pod, found)
    assert_refused(stats(pod, **settings), error, hint)


@pytest.mark.parametrize(
    ("verb", "refusal"),
    [
        ("list", 'cannot list resource "pods" in the namespace "default"'),
        ("list all", 'cannot list resource "pods" at the cluster scope'),
        ("get", 'cannot get resource "pods"'),
        ("exec", 'cannot create resource "pods/exec"'),
    ],
)
def test_missing_right_is_named(pod: Database, verb: str, refusal: str) -> None:
    pod.server.cluster.forbidden = (verb,)
    if verb == "list all":
        pods(pod, Pod("a", namespace="assets"))
    assert_refused(stats(pod), refusal, "to list and get pods, and to create pods/exec")


def test_unreachable_api_server_is_a_clear_error(pod: Database, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(json.dumps(kubeconfig("http://127.0.0.1:9")))
    run = stats(pod, KUBECONFIG=str(config))
    assert_refused(run, "could not list the pods of context 'test'", "127.0.0.1:9 was refused")


def test_missing_kubectl_is_a_clear_error(checkout: Checkout) -> None:
    path = path_without(checkout, "kubectl")
    run = checkout.run(STATS, ASSETS_PG_BACKEND="kubectl", PATH=path)
    assert_refused(run, "there is no 'kubectl' command", "install kubectl")


def test_auto_uses_no_cluster_that_is_only_configured(pod: Database) -> None:
    container = pod.server.container.name
    run = stats(pod, TB_K8S_CONTEXT="", TB_POSTGRES_CONTAINER=container)
    assert run.status == 0 and f"of container '{container}'" in run.out, run
    run = stats(pod, TB_K8S_CONTEXT="")
    assert_refused(run, "PostgreSQL container 'tumblebug-assets-test-none' is not running")


def test_namespace_alone_does_not_choose_a_pod(pod: Database) -> None:
    """CB-Tumblebug's Makefile always sets TB_K8S_NAMESPACE, also for Docker."""
    named = {"TB_K8S_CONTEXT": "", "TB_K8S_NAMESPACE": "default"}
    container = pod.server.container.name
    run = stats(pod, **named, TB_POSTGRES_CONTAINER=container)
    assert run.status == 0 and f"of container '{container}'" in run.out, run
    run = stats(pod, **named)
    assert_refused(run, "is not running", "in namespace 'default', set ASSETS_PG_BACKEND=kubectl")
    assert used(stats(pod, **named, ASSETS_PG_BACKEND="kubectl")) == "default/postgres-0"


def test_auto_does_not_choose_between_a_container_and_a_pod(pod: Database) -> None:
    container = pod.server.container.name
    run = stats(pod, TB_POSTGRES_CONTAINER=container)
    assert_refused(run, f"container '{container}' runs", "set ASSETS_PG_BACKEND to kubectl")
    run = stats(pod, TB_POSTGRES_CONTAINER=container, ASSETS_PG_BACKEND="kubectl")
    assert used(run) == "default/postgres-0"


@only_with_all
def test_directory_of_a_crashed_call_is_removed(pod: Database) -> None:
    crashed, running = (f"/tmp/tumblebug-assets.call.{number}.x" for number in (999999, 1))
    pod.server.client("mkdir", crashed, running)
    try:
        run = pod.backup()
        assert run.status == 0 and f"crashed run left: {crashed}\n" in run.err, run
        assert pod.server.temporary_files() == [running]
    finally:
        pod.server.client("rm", "-rf", crashed, running)


@pytest.mark.parametrize("shell", [["dash"], ["bash"], ["busybox", "sh"]], ids="-".join)
def test_call_ends_if_its_connection_is_lost_at_once(tmp_path: Path, shell: list[str]) -> None:
    call = [*shell, CALL, "whole", "mark", "0", hashlib.sha256().hexdigest(), "sleep", "30"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    for _ in range(20):  # now and then, its program ends before it has opened its output
        subprocess.run(call, input=b"", capture_output=True, timeout=10, env=environment)
    assert list(tmp_path.iterdir()) == []
