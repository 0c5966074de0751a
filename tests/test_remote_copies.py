"""Copies of backups on a remote: an S3 server, reached by rclone."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.backups import manifest_of, read_pair, write_backup
from support.databases import Database
from support.disks import small_disk
from support.fakes import path_without
from support.run import BACKUP, LIST, PRUNE, Checkout
from support.running import ended, waiting_run
from support.storage import Storage, fake_rclone, storage_server

VERIFY = "./scripts/verify-backup.sh"
DIFF = "./scripts/diff-backup.sh"
DOCTOR = "./scripts/doctor.sh"


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    with storage_server(tmp_path_factory.mktemp("storage")) as server:
        yield server


@pytest.fixture
def bucket(storage: Storage, checkout: Checkout) -> Path:
    """A bucket of the test's own, which the environment of its checkout names."""
    path = storage.bucket(checkout.home.name.replace("_", "-")[:60].lower())
    checkout.environment |= storage.environment(checkout, path.name)
    return path


def files(bucket: Path) -> set[str]:
    return {path.name for path in bucket.iterdir()}


def test_backup_is_copied_and_read_back(direct: Database, bucket: Path) -> None:
    run = direct.backup("./a b'.dump.gz")
    assert run.status == 0, run
    local = direct.checkout.path / "a b'.dump.gz"
    assert read_pair(bucket / local.name) == read_pair(local)
    assert f"copied to t:{bucket.name}/a b'.dump.gz and verified there" in run.err
    assert direct.left_behind() == [] and files(bucket) == {local.name, local.name + ".info"}
    assert not (direct.checkout.home / "rclone.conf").exists()
