"""The menu of ``make init``: what each option does, its usual duration, which is recommended."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

from helpers.terminal import human_size, paint, printable

SECONDS_PER_DAY = 86_400
OLD_DAYS, VERY_OLD_DAYS = 7, 30
SUMMARY = re.compile(r"(\d+) specs \((\d+)% priced\), (\d+) images")


def menu(backup: Path, holds: str = "", now: str = "", created: str = "", problem: str = "") -> str:
    """Return the menu as text.

    ``backup`` is the file that options a and a+ restore. ``holds`` and ``now`` are the summaries of
    that backup and of the database, and ``created`` is when that backup was made, as in a manifest;
    empty if unknown. ``problem`` is why a restore of that file would fail; empty if it would not.
    """
    is_backup = not problem
    facts = [f"not available: {problem}"]
    if is_backup:
        facts = backup_lines(backup, holds, creation_time(backup, created))
    lines = [
        bold("How should the assets database be filled?"),
        *([dim(f"now: {content_line(now)}")] if now else []),
        "",
        f"  a   Restore from backup (~1 minute{', recommended' if is_backup else ''})",
        *(dim(f"      {fact}") for fact in facts),
        "  a+  Restore from backup, then update images from the latest list (~2 minutes)",
        *([] if is_backup else [dim("      not available without a backup")]),
        "  b   Fetch fresh from all providers but Azure"
        f" (~20-30 minutes{'' if is_backup else ', recommended'})",
        "  c   Fetch fresh from all providers, including Azure (~40+ minutes)",
        "  d   Fetch fresh from providers you choose, without prices (minutes for each)",
        "",
        "Choose a for development and testing, b or c for the latest data."
        if is_backup
        else "Choose b, or c if you need Azure too.",
        "Fetching needs provider credentials.",
        "",
    ]
    return "\n".join(lines)


def bold(text: str) -> str:
    """Return ``text`` bold, where standard output has colour."""
    return paint("1", text, sys.stdout)


def dim(text: str) -> str:
    """Return ``text`` dim, where standard output has colour."""
    return paint("2", text, sys.stdout)


def backup_lines(backup: Path, holds: str, created: float) -> list[str]:
    """Return lines on the backup: its size, age and content, and a warning if it is old."""
    days = int((time.time() - created) // SECONDS_PER_DAY)
    age = "made today" if days == 0 else "1 day old" if days == 1 else f"{days} days old"
    if days < 0:
        age = "its date is in the future"
    lines = [f"{backup.name}: {human_size(backup.stat().st_size)}, {age}"]
    if holds:
        lines.append(content_line(holds))
    if days > VERY_OLD_DAYS:
        advice = "prices and images have changed since, consider b"
        lines.append(f"warning: more than {VERY_OLD_DAYS} days old; {advice}")
    elif days > OLD_DAYS:
        lines.append(f"warning: more than {OLD_DAYS} days old")
    return lines


def content_line(summary: str) -> str:
    """Return a summary as the menu shows it: with thousands separators, if CB-Tumblebug's."""
    found = SUMMARY.match(summary)
    if not found:
        return printable(summary)
    specs, priced, images = (int(number) for number in found.groups())
    return f"{specs:,} specs ({priced}% priced), {images:,} images"


def creation_time(backup: Path, created: str) -> float:
    """Return when the backup was made, in seconds of Unix time.

    This is what its manifest says or, without one, the time of its last Git commit; if the file has
    changed since, its modification time. Raises OSError if there is no such file.
    """
    try:
        return datetime.strptime(f"{created}+0000", "%Y-%m-%d %H:%M:%S UTC%z").timestamp()
    except ValueError:
        pass
    try:
        changed = git(backup.parent, "status", "--porcelain", "--", backup.name)
        committed = git(backup.parent, "log", "-1", "--format=%ct", "--", backup.name)
        if committed and not changed:
            return float(committed)
    except (OSError, subprocess.CalledProcessError, ValueError):
        pass
    return backup.stat().st_mtime


def git(directory: Path, *arguments: str) -> str:
    """Return what a Git command prints. Raises OSError or CalledProcessError."""
    command = ["git", "-C", str(directory), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
