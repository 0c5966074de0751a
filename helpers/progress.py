"""The progress line of a dump or a load: tables, percent, rows per second, time left."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from helpers.connection import Identity, connect
from helpers.terminal import clock, draw_line, printable

INTERVAL_SECONDS = 0.3
SETTLING_SECONDS = 1  # before that, a rate would mislead
ESTIMATED_ROWS = """
SELECT format('%I.%I', nspname, relname) AS table_name, greatest(reltuples, 0)::bigint AS rows
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'r' AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
"""


@dataclass
class Progress:
    """The progress of the tables: ``done`` rows of ``totals``, which are known or estimated.

    ``running`` are the tables being copied, ``indexes`` the indexes being created.
    """

    totals: Mapping[str, int]
    done: dict[str, int] = field(default_factory=dict)
    running: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()

    def observe(self, rows: Iterable[Mapping]) -> None:
        """Update the state from the rows of progress.sql.

        A table whose copy is no longer running counts as done.
        """
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
        """Return the text of the progress line; ``seconds`` is the time passed."""
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
    """Return the row count of each table from the lines ``ROWS FINGERPRINT NAME`` of a manifest."""
    lines = [line.split(" ", 2) for line in manifest_lines.read_text().splitlines()]
    return {name: int(rows) for rows, _, name in lines}


def is_alive(process: int) -> bool:
    """Return whether a process with this ID exists, of any user."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def draw(
    query: Path, totals: Path | None, addresses: Sequence[str], server: Identity, script: int
) -> None:
    """Draw the progress line until the process with the ID ``script`` has ended.

    ``query`` is progress.sql; ``totals`` holds the table lines of a manifest, or is None to use the
    planner's estimates; ``addresses`` and ``server`` are those of connection.connect.
    Raises ServerUnavailable as connect does, and psycopg.Error if the session is lost.
    """
    started = time.monotonic()
    with connect(addresses, server) as connection:
        if totals:
            progress = Progress(read_totals(totals))
        else:
            estimates = connection.execute(ESTIMATED_ROWS)
            progress = Progress({row["table_name"]: row["rows"] for row in estimates})
        while is_alive(script):
            progress.observe(connection.execute(query.read_bytes()).fetchall())
            draw_line(progress.line(time.monotonic() - started))
            time.sleep(INTERVAL_SECONDS)
