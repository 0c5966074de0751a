"""Backup files and their manifests: in the file, and a copy beside it."""

from __future__ import annotations

import gzip
import hashlib
import re
import struct
from pathlib import Path

Pair = tuple[bytes, bytes]

MEMBER_HEADER = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff"
MEMBER_END = b"\x03" + 9 * b"\0"
LARGEST_MEMBER = 8000


def manifest_of(path: Path) -> Path:
    """Return the path of the copy of a backup's manifest."""
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


def content_of(path: Path) -> bytes:
    """Return a backup file without the manifest in it."""
    size = re.search(r"^bytes: (\d+)$", manifest_of(path).read_text(), re.MULTILINE)
    return path.read_bytes()[: int(size[1])]


def members(manifest: bytes) -> bytes:
    """Return a manifest as the gzip members that carry it in a backup file."""
    lines = manifest + b"length: %010d\n" % (len(manifest) + 19)
    parts = [lines[n : n + LARGEST_MEMBER] for n in range(0, len(lines), LARGEST_MEMBER)]
    if len(parts) > 1 and len(parts[-1]) < 19:  # the last one holds the whole last line
        parts[-2:] = [parts[-2][:-19], parts[-2][-19:] + parts[-1]]
    return b"".join(
        MEMBER_HEADER + struct.pack("<H2sH", len(part) + 4, b"TB", len(part)) + part + MEMBER_END
        for part in parts
    )


def rewrite_manifest(path: Path, lines: str) -> None:
    """Replace a backup's manifest, in the file and beside it; its checksum is added."""
    content = content_of(path)
    manifest = with_checksum(re.sub("^manifest: .*\n", "", lines, flags=re.MULTILINE)).encode()
    write_pair(path, (content + members(manifest), manifest))


def separate_manifest(path: Path) -> None:
    """Take the manifest out of a backup file, as in those of earlier versions; the copy stays."""
    path.write_bytes(content_of(path))


def remove_manifest(path: Path) -> None:
    """Remove a backup's manifest, in the file and beside it."""
    separate_manifest(path)
    manifest_of(path).unlink()


def write_backup(
    path: Path,
    created: str,
    rows: int = 100,
    key: bytes | None = None,
    holds: str = "schema and data",
    database: str = "tumblebug",
) -> Path:
    """Write what looks like a backup from outside: a file of no use, with its manifest.

    ``created`` is a time in UTC; ``key`` is that of the machine that signs it.
    """
    content = gzip.compress(f"{path.name} {created}".encode())
    lines = (
        f"CB-Tumblebug assets backup\ncreated: {created} UTC\nbytes: {len(content)}\n"
        f"sha256: {hashlib.sha256(content).hexdigest()}\nserver: PostgreSQL 16.14\n"
        f"database: {database}\nholds: {holds}\n\n  provider  specs\n  server: PostgreSQL 1\n\n"
        f"tables: 2 (rows, fingerprint, name)\n{max(rows - 1, 0)} 5 public.a\n"
        f"{min(rows, 1)} 7 public.b\n"
    )
    if key is not None:
        inner = hashlib.sha256(key + lines.encode()).hexdigest() + "\n"
        lines += f"signature: {hashlib.sha256(key + inner.encode()).hexdigest()}\n"
    manifest = with_checksum(lines).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_pair(path, (content + members(manifest), manifest))
    return path
