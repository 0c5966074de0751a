"""Text for terminals."""

from __future__ import annotations

import os
import sys
import unicodedata
from typing import TextIO

BLOCK, SPACE = "█", "░"
DEFAULT_COLUMNS = 80


def printable(text: str) -> str:
    """Return ``text`` with ``?`` for each control character.

    Names may come from an untrusted backup.
    """
    return "".join(character if character.isprintable() else "?" for character in text)


def without_blocks(text: str) -> str:
    """Return ``text`` with ``#`` and ``-`` for the blocks of bars if the encoding lacks these."""
    try:
        (BLOCK + SPACE).encode(sys.stderr.encoding)
    except UnicodeEncodeError:
        return text.replace(BLOCK, "#").replace(SPACE, "-")
    return text


def bar(fraction: float, width: int) -> str:
    """Return a bar in ``width`` columns, of which ``fraction`` is filled."""
    filled = round(fraction * width)
    return without_blocks(BLOCK * filled + SPACE * (width - filled))


def human_size(size: float) -> str:
    """Return ``size``, in bytes, with a unit, as human-size.awk does."""
    units = ["B", "kB", "MB", "GB", "TB"]
    while size >= 999.5 and len(units) > 1:
        size /= 1000
        units.pop(0)
    return f"{size:.{0 if units[0] == 'B' or size >= 99.95 else 1}f} {units[0]}"


def clock(seconds: float) -> str:
    """Return a duration as minutes and seconds (1:05), with hours if needed (1:02:05)."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def columns() -> int:
    """Return the width of the terminal on standard error."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or DEFAULT_COLUMNS
    except (OSError, ValueError):
        return DEFAULT_COLUMNS


def cut(text: str, width: int) -> str:
    """Return as much of ``text`` as fits into ``width`` columns; some characters take two."""
    for end, character in enumerate(text):
        width -= 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if width < 0:
            return text[:end]
    return text


def is_screen(stream: TextIO) -> bool:
    """Return whether a stream is a terminal on which a line can be redrawn."""
    return stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def paint(code: str, text: str, stream: TextIO) -> str:
    """Return ``text`` with an ANSI code if the stream has colour: has_colour of messages.sh."""
    if not is_screen(stream) or os.environ.get("NO_COLOR"):
        return text
    return f"\033[{code}m{text}\033[0m"


def draw_line(text: str) -> None:
    """Replace the progress line on standard error by ``text``, cut to the terminal's width."""
    print(f"\r\033[K{cut(text, columns() - 1)}", end="", file=sys.stderr, flush=True)


def clear_line() -> None:
    """Remove the progress line from standard error."""
    print("\r\033[K", end="", file=sys.stderr, flush=True)
