"""Text for terminals."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return the text without what could steer a terminal; names come from strangers."""
    return "".join(character if character.isprintable() else "?" for character in text)


def clock(seconds: float) -> str:
    """Return minutes and seconds as 1:05, or with hours as 1:02:05."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
