"""The option menu of ``make init``: what each way to fill the database does, what it takes, and what is advised."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

from helpers.terminal import printable

SECONDS_PER_DAY = 86_400
OLD_DAYS, VERY_OLD_DAYS = 7, 30
SUMMARY = re.compile(r"^summary: (\d+) specs \((\d+)% priced\), (\d+) images", re.MULTILINE)
MAXIMUM_MANIFEST_BYTES = 10_000_000


def menu(backup: Path) -> str:
    """Return the menu as text; options a and a+ tell what is known of the backup file."""
    here = backup.is_file()
    lines = backup_lines(backup) if here else [f"not available: there is no {backup.name}"]
    told = "\n".join(f"      {line}" for line in lines)
    return f"""\
How should the assets database be filled?

  a   Restore from backup (~1 minute{", recommended" if here else ""})
{told}
  a+  Restore from backup, then the newest list of images on top (~2 minutes)
{"" if here else "      not available without a backup" + chr(10)}\
  b   Fetch fresh from the clouds, without Azure (~20-30 minutes{"" if here else ", recommended"})
  c   Fetch fresh from the clouds, with Azure (~40+ minutes)
  d   Fetch fresh from the clouds you choose, without prices (minutes for each)

For development and testing take {"a" if here else "b"}; for the latest data b or c, which need cloud credentials.
"""


def backup_lines(backup: Path) -> list[str]:
    """Return what is known of the backup: size, age, content, and a warning when it is old."""
    days = int((time.time() - made(backup)) // SECONDS_PER_DAY)
    age = "made today" if days <= 0 else "1 day old" if days == 1 else f"{days} days old"
    lines = [f"{backup.name}: {backup.stat().st_size / 1_000_000:.1f} MB, {age}"]
    content = content_line(manifest_of(backup.resolve())) or content_line(manifest_of(backup))
    if content:
        lines.append(content)
    if days > VERY_OLD_DAYS:
        lines.append(
            f"warning: more than {VERY_OLD_DAYS} days old; prices and images have changed since, consider b"
        )
    elif days > OLD_DAYS:
        lines.append(f"warning: more than {OLD_DAYS} days old")
    return lines


def manifest_of(backup: Path) -> Path:
    """Return where the manifest of this file is."""
    return backup.with_name(backup.name + ".info")


def content_line(manifest: Path) -> str:
    """Return what the manifest says that the backup holds, or nothing when there is none to understand."""
    try:
        with manifest.open("rb") as file:
            found = SUMMARY.search(file.read(MAXIMUM_MANIFEST_BYTES).decode(errors="replace"))
    except OSError:
        return ""
    if not found:
        return ""
    specs, priced, images = (int(number) for number in found.groups())
    return printable(f"{specs:,} specs ({priced}% priced), {images:,} images")


def made(backup: Path) -> float:
    """Return when the backup was made, in seconds of Unix time: its Git commit where it is that one, else the file."""
    git = ["git", "-C", str(backup.parent)]
    try:
        changed = subprocess.run(
            [*git, "status", "--porcelain", "--", backup.name],
            capture_output=True,
            text=True,
            check=True,
        )
        logged = subprocess.run(
            [*git, "log", "-1", "--format=%ct", "--", backup.name],
            capture_output=True,
            text=True,
            check=True,
        )
        if logged.stdout.strip() and not changed.stdout.strip():
            return float(logged.stdout)
    except (OSError, subprocess.CalledProcessError, ValueError):
        pass
    return backup.stat().st_mtime
