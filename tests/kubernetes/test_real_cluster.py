"""Backup and restore in a pod of a real Kubernetes cluster (make test-kubernetes).

A stand-in tests the details: tests/test_kubectl.py and tests/faults/test_broken_connections.py.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from support.backups import read_pair, remove_manifest
from support.databases import Database, make_big, new_database
from support.kubernetes import PodServer
from support.run import BACKUP, RESTORE, STATS, Checkout
from support.running import ended
from support.waiting import until, until_line

from kubernetes.cluster import RealCluster, real_cluster, restart_api_server, started_pod


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCluster]:
    with real_cluster(tmp_path_factory.mktemp("kubernetes")) as running:
        yield running


@pytest.fixture(scope="session")
def real_pod(cluster: RealCluster) -> PodServer:
    return PodServer(started_pod(cluster), cluster)


@pytest.fixture
def pod(real_pod: PodServer, checkout: Checkout) -> Iterator[Database]:
    yield from new_database(real_pod, checkout)


def assert_clean(pod: Database) -> None:
    until(lambda: pod.server.programs() == [])
    assert pod.left_behind() == []
    assert pod.server.temporary_files() == []
    assert pod.server.crashes() == []


@pytest.mark.parametrize("compression", ["smallest", "fast"])
def test_backup_and_restore_round_trip(pod: Database, compression: str) -> None:
    make_big(pod)
    before = pod.content()
    backup = pod.backup(BACKUP_COMPRESSION=compression)
    assert backup.status == 0, backup
    pod.execute("DELETE FROM pricing_info; DROP TABLE image_info; CREATE TABLE later (n int)")
    restore = pod.checkout.run(RESTORE, "--yes")
    assert restore.status == 0, restore
    assert pod.content() == before
    assert_clean(pod)
    assert "of pod 'postgres-0' in namespace 'default' of context 'test'" in restore.err


def test_untrusted_backup_is_restored(pod: Database) -> None:
    before = pod.content()
    path = pod.sample_backup()
    remove_manifest(path)
    pod.execute("DELETE FROM pricing_info")
    run = pod.checkout.run(RESTORE, "--yes", path)
    assert run.status == 0, run
    assert pod.content() == before
    assert_clean(pod)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize(("script", "step"), [(RESTORE, "loading"), (BACKUP, "backing up")])
def test_signal_leaves_nothing_running(
    pod: Database, script: str, step: str, number: signal.Signals
) -> None:
    make_big(pod)
    path = pod.sample_backup()
    before, pair = pod.content(), read_pair(path)
    process = pod.checkout.start(script, path, RESTORE_SKIP_CONFIRM="yes", FORCE="yes")
    until_line(process, step)
    os.killpg(process.pid, number)
    process.communicate(timeout=60)
    until(lambda: pod.server.programs() == [])
    assert pod.content() == before and read_pair(path) == pair
    if number != signal.SIGKILL:
        assert_clean(pod)
    run = pod.checkout.run(script, path, RESTORE_SKIP_CONFIRM="yes", FORCE="yes")
    assert run.status == 0, run
    assert_clean(pod)


@pytest.mark.parametrize("step", ["loading", "verifying"])
def test_restore_that_loses_the_api_server_changes_nothing(
    pod: Database, cluster: RealCluster, step: str
) -> None:
    make_big(pod)
    path = pod.sample_backup()
    pod.execute("DELETE FROM pricing_info")
    before = pod.content()
    process = pod.checkout.start(RESTORE, path, RESTORE_SKIP_CONFIRM="yes")
    until_line(process, step)
    restart_api_server(cluster)
    run = ended(process)
    assert run.status == 1 and len(run.errors) == 1, run
    assert "lost the connection to pod 'postgres-0'" in run.err or "was refused" in run.err
    assert pod.content() == before
    run = pod.restore(path)
    assert run.status == 0, run
    assert_clean(pod)


def test_backup_that_loses_the_api_server_keeps_the_existing_one(
    pod: Database, cluster: RealCluster
) -> None:
    make_big(pod)
    path = pod.sample_backup()
    pair = read_pair(path)
    pod.execute("DELETE FROM pricing_info")
    process = pod.checkout.start(BACKUP, path, FORCE="yes")
    until_line(process, "backing up")
    restart_api_server(cluster)
    run = ended(process)
    assert run.status == 1 and len(run.errors) == 1, run
    assert "the existing backup is unchanged" in run.err and read_pair(path) == pair
    assert pod.backup(path, FORCE="yes").status == 0
    assert_clean(pod)


def test_rights_that_the_error_names_are_enough(pod: Database, cluster: RealCluster) -> None:
    """Of a user who may list and get pods, and create pods/exec, in one namespace."""
    user = {"KUBECONFIG": str(cluster.config_of("backup")), "TB_K8S_NAMESPACE": "default"}
    run = pod.checkout.run(STATS, **user)
    assert run.status == 1 and "needs the rights to list and get pods" in run.err, run
    for number, (resources, verbs) in enumerate(
        [("pods", ["list", "get"]), ("pods/exec", ["create"])]
    ):
        run = pod.checkout.run(STATS, **user)
        assert run.status == 1 and len(run.errors) == 1 and "cannot" in run.err, run
        cluster.allow("backup", f"backup-{number}", resources, verbs)
    run = pod.backup(**user)
    assert run.status == 0, run
    assert_clean(pod)


def test_pod_that_is_deleted_meanwhile_is_a_clear_error(
    cluster: RealCluster, checkout: Checkout
) -> None:
    server = PodServer(started_pod(cluster, "postgres-1"), cluster)
    checkout.environment["TB_POSTGRES_POD"] = "postgres-1"
    for database in new_database(server, checkout):
        make_big(database)
        path = database.sample_backup()
        process = checkout.start(RESTORE, path, RESTORE_SKIP_CONFIRM="yes")
        until_line(process, "loading")
        cluster.kubectl("delete", "pod", "postgres-1", "--grace-period=1")
        run = ended(process)
        assert run.status == 1 and len(run.errors) == 1, run
        break
    run = checkout.run(STATS)
    assert run.status == 1 and len(run.errors) == 1, run
