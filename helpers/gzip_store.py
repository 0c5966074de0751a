"""Wrap standard input in gzip without compressing it: the input is compressed already.

The backup runs this with any Python 3 that it finds, so this must run on old versions too.
"""

import sys
import zlib
from typing import BinaryIO

CHUNK_BYTES = 1 << 20
GZIP_WINDOW = 31  # zlib's wbits: 15 for the window, 16 for the header and checksum of gzip


def store(source: BinaryIO, target: BinaryIO) -> None:
    """Copy ``source`` to its end into ``target``, as one gzip member of stored blocks.

    Raises OSError.
    """
    packer = zlib.compressobj(level=0, wbits=GZIP_WINDOW)
    for chunk in iter(lambda: source.read(CHUNK_BYTES), b""):
        target.write(packer.compress(chunk))
    target.write(packer.flush())
    target.flush()


if __name__ == "__main__":
    try:
        store(sys.stdin.buffer, sys.stdout.buffer)
    except OSError as error:
        sys.exit(f"gzip: {error.strerror}")  # in the form of gzip, which the script reads
