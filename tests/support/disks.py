"""Small file systems, to be filled."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(directory: Path, size: str) -> Iterator[Path]:
    """Yield a new file system of this size, such as 16k or 1m, mounted at the directory.

    Skips the test where that is impossible.
    """
    directory.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={size}"]
    if subprocess.run(["mount", *options, "small", directory], check=False).returncode != 0:
        pytest.skip("mounting a small file system needs root")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "-l", directory], check=True)
