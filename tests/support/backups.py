"""Backup files and their manifests."""

from __future__ import annotations

import hashlib
from pathlib import Path

Pair = tuple[bytes, bytes]


def manifest_of(path: Path) -> Path:
    """Return the path of a backup's manifest."""
    return path.with_name(path.name + ".info")


def read_pair(path: Path) -> Pair:
    """Return the bytes of a backup and of its manifest."""
    return path.read_bytes(), manifest_of(path).read_bytes()


def write_pair(path: Path, pair: Pair) -> None:
    """Write a backup and its manifest."""
    path.write_bytes(pair[0])
    manifest_of(path).write_bytes(pair[1])


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def with_checksum(manifest: str) -> str:
    """Return a manifest's lines with their checksum, which is its last line."""
    return f"{manifest}manifest: {hashlib.sha256(manifest.encode()).hexdigest()}\n"
