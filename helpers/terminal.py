"""Text for terminals."""

from __future__ import annotations

import shutil
import sys


def printable(text: str) -> str:
    """Return ``text`` with ``?`` for each control character.

    Names may come from an untrusted backup.
    """
    return "".join(character if character.isprintable() else "?" for character in text)


def clock(seconds: float) -> str:
    """Return a duration as minutes and seconds (1:05), with hours if needed (1:02:05)."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def draw_line(text: str) -> None:
    """Replace the progress line on standard error by ``text``, cut to the terminal's width."""
    width = shutil.get_terminal_size().columns - 1
    print(f"\r\033[K{text[:width]}", end="", file=sys.stderr, flush=True)


def clear_line() -> None:
    """Remove the progress line from standard error."""
    print("\r\033[K", end="", file=sys.stderr, flush=True)
