"""The kubectl backend: which pod it finds, and that it works there as on any other server.

`tests/faults/test_kubectl.py` has the broken connections.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from support.backups import manifest_of
from support.databases import Database
from support.fakes import path_without
from support.kubernetes import CHART_LABELS, Pod
from support.run import STATS, Checkout, Run

DOCTOR = "./scripts/doctor.sh"
PASSWORD = "it's a $ecret"


@contextmanager
def watched_processes(seen: set[bytes]) -> Iterator[None]:
    """Collect the command lines of all processes of this machine, those in containers included."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            for process in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    seen.add((process / "cmdline").read_bytes())

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
    restore = pod.restore()
    assert restore.status == 0, restore
    assert pod.content() == before
    assert pod.left_behind() == []
    assert pod.server.temporary_files() == []
    assert pod.server.programs() == []
    server = "pod 'postgres-0' in namespace 'default' of context 'test'"
    assert f"everything in database '{pod.name}' of {server} will be replaced" in restore.err
    assert len(pod.server.cluster.commands) <= 14  # each one takes about a tenth of a second


@pytest.mark.parametrize("has_manifest", [True, False])
def test_untrusted_backup_is_restored_through_a_pod(pod: Database, has_manifest: bool) -> None:
    before = pod.content()
    path = pod.sample_backup()
    if not has_manifest:
        path.write_bytes(path.read_bytes()[: -len(manifest_of(path).read_bytes())])
