"""Unpack a QCOW2 disk image, as QEMU writes it, into a raw one: qcow2.py IMAGE RAW

A QCOW2 image is a tree of two levels: the header names a first table, whose entries name second
tables, whose entries name the clusters of the disk: stored plainly, deflated, or absent (zeros).
"""

from __future__ import annotations

import signal
import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HEADER = struct.Struct(">IIQIIQIIQ")
INCOMPATIBLE_FEATURES_AT = 72  # from version 3 on
MAGIC = b"QFI\xfb"
SECTOR = 512

OFFSET = 0x00FF_FFFF_FFFF_FE00  # the bits of an entry that say where in the file
DEFLATED = 1 << 62
ALL_ZEROS = 1


class Header(NamedTuple):
    magic: int
    version: int
    backing_file_offset: int
    backing_file_size: int
    cluster_bits: int
    disk_size: int
    encryption: int
    table_entries: int
    table_offset: int


def main(image_path: str, raw_path: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a traceback
    image = Path(image_path).read_bytes()
    try:
        header = read_header(image)
    except ValueError as problem:
        sys.exit(f"{image_path}: {problem}")
    with Path(raw_path).open("wb") as raw:
        for offset, cluster in clusters(image, header):
            raw.seek(offset)
            raw.write(cluster)
        raw.truncate(header.disk_size)  # what was never written stays a hole, and reads as zeros


def read_header(image: bytes) -> Header:
    """Return the header; raise ValueError where the image needs more than this file knows."""
    if len(image) < HEADER.size or not image.startswith(MAGIC):
        raise ValueError("not a QCOW2 image")
    header = Header._make(HEADER.unpack_from(image))
    if header.backing_file_offset or header.encryption:
        raise ValueError("a QCOW2 image with a backing file or encryption is not supported")
    if header.version >= 3 and any(image[INCOMPATIBLE_FEATURES_AT : INCOMPATIBLE_FEATURES_AT + 8]):
        raise ValueError("a QCOW2 image with incompatible features is not supported")
    return header


def clusters(image: bytes, header: Header) -> Iterator[tuple[int, bytes]]:
    """Yield each cluster that holds anything, with its offset on the disk."""
    size = 1 << header.cluster_bits
    entries_per_table = size // 8
    first_table = read_table(image, header.table_offset, header.table_entries)
    for table_number, table_entry in enumerate(first_table):
        if not table_entry & OFFSET:
            continue
        second_table = read_table(image, table_entry & OFFSET, entries_per_table)
        for number, entry in enumerate(second_table, table_number * entries_per_table):
            if cluster := read_cluster(image, entry, header.cluster_bits):
                yield number * size, cluster


def read_table(image: bytes, offset: int, entries: int) -> tuple[int, ...]:
    return struct.unpack_from(f">{entries}Q", image, offset)


def read_cluster(image: bytes, entry: int, cluster_bits: int) -> bytes:
    """Return the cluster's bytes, or none where it is absent."""
    size = 1 << cluster_bits
    if entry & DEFLATED:
        return inflate(image, entry & (DEFLATED - 1), cluster_bits)
    if entry & ALL_ZEROS or not entry & OFFSET:
        return b""
    offset = entry & OFFSET
    return image[offset : offset + size]


def inflate(image: bytes, entry: int, cluster_bits: int) -> bytes:
    """Return a deflated cluster: its entry holds its offset and how far it reaches."""
    offset_bits = 70 - cluster_bits
    offset = entry & ((1 << offset_bits) - 1)
    further_sectors = entry >> offset_bits
    end = (offset // SECTOR + 1 + further_sectors) * SECTOR
    return zlib.decompressobj(wbits=-15).decompress(image[offset:end], 1 << cluster_bits)


if __name__ == "__main__":
    main(*sys.argv[1:])
