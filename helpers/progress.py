"""One live line on standard error while a dump or a load runs: table, percent, rate, time left."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from helpers.connection import Identity, connect
from helpers.terminal import clock, printable

INTERVAL_SECONDS = 0.3
SETTLING_SECONDS = 1  # before that, a rate says nothing
ESTIMATES = """
SELECT format('%I.%I', nspname, relname) AS table_name, greatest(reltuples, 0)::bigint AS rows
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'r' AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
"""


@dataclass
class Progress:
    """Rows done of each table, out of ``totals``: rows of each table, known or estimated."""

    totals: Mapping[str, int]
    done: dict[str, int] = field(default_factory=dict)
    running: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()

    def observe(self, rows: Iterable[Mapping]) -> None:
        """Take in what progress.sql has found. A table that was being copied and no longer is, is done."""
        rows = list(rows)
        copying = {row["table_name"]: row["done"] for row in rows if row["kind"] == "rows"}
        for table in self.running:
            if table not in copying:
                self.done[table] = self.totals.get(table, self.done[table])
        self.done |= copying
        self.running = tuple(copying)
        self.indexes = tuple(
            row["index_name"] or row["table_name"] for row in rows if row["kind"] == "index"
        )

    def line(self, seconds: float) -> str:
        """Return what stands on the line after so many seconds."""
        total = sum(self.totals.values())
        done = min(sum(self.done.values()), total)
        parts = [", ".join(self.running) or ", ".join(f"index {name}" for name in self.indexes)]
        if total:
            parts.append(f"{100 * done // total} %")
        if done and seconds >= SETTLING_SECONDS:
            rate = done / seconds
            parts.append(f"{rate:,.0f} rows/s")
            if done < total:
                parts.append(f"{clock((total - done) / rate)} left")
        parts.append(clock(seconds))
        return "  ".join(printable(part) for part in parts if part)


def read_totals(manifest_lines: Path) -> dict[str, int]:
    """Return the rows of each table from a manifest's lines ``ROWS FINGERPRINT NAME``."""
    lines = [line.split(" ", 2) for line in manifest_lines.read_text().splitlines()]
    return {name: int(rows) for rows, _, name in lines}


def is_alive(process: int) -> bool:
    """Return whether there is such a process, of whatever user."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def draw(
    query: Path,
    totals: Path | None,
    addresses: Sequence[str],
    server: Identity,
    script: int,
) -> None:
    """Draw the line until we are ended, or the process ``script`` is, which may have been killed.

    ``query`` is progress.sql; without ``totals`` the planner's are taken.

    Raises ServerUnavailable when no address leads to the server, psycopg.Error when the session is lost.
    """
    started = time.monotonic()
    with connect(addresses, server) as connection:
        if totals:
            progress = Progress(read_totals(totals))
        else:
            progress = Progress(
                {row["table_name"]: row["rows"] for row in connection.execute(ESTIMATES)}
            )
        while is_alive(script):
            progress.observe(connection.execute(query.read_bytes()).fetchall())
            width = shutil.get_terminal_size().columns - 1
            line = progress.line(time.monotonic() - started)[:width]
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
            time.sleep(INTERVAL_SECONDS)
