"""The option menu of ``make init``: what each way to fill the database does, and what it costs."""

from __future__ import annotations

import time
from pathlib import Path

SECONDS_PER_DAY = 86_400


def menu(backup: Path) -> str:
    """Return the menu as text; option A tells what is known of the backup file."""
    return f"""\
How should the assets database be filled?

  a) Restore from backup (~1 minute, recommended)
     {backup_line(backup)}
  b) Fetch fresh from the clouds, without Azure (~20-30 minutes)
     not yet part of this tool: CB-Tumblebug's init/init.py does it
  c) Fetch fresh from the clouds, with Azure (~40+ minutes)
     not yet part of this tool: CB-Tumblebug's init/init.py does it
"""


def backup_line(backup: Path) -> str:
    """Return one line on the backup file: its size in MB and its age in days, or that it is missing."""
    try:
        status = backup.stat()
    except FileNotFoundError:
        return f"not available: there is no {backup}"
    days = int((time.time() - status.st_mtime) // SECONDS_PER_DAY)
    age = "today" if days == 0 else "1 day ago" if days == 1 else f"{days} days ago"
    return f"{backup}: {status.st_size / 1_000_000:.1f} MB, written {age}"
