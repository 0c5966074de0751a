"""Statistics of the database as text: exact rows, sizes, and each table's share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tabulate import tabulate

from helpers.connection import Identity, query_rows
from helpers.terminal import printable

BAR_WIDTH = 20  # characters


def report(name: str, query: Path, addresses: Sequence[str], server: Identity) -> str:
    """Return the result of the SQL file ``query`` as text.

    ``name`` is ``table-statistics`` or ``database-size``; ``addresses`` and ``server`` are those of
    connection.connect. Raises ServerUnavailable or psycopg.Error.
    """
    rows = query_rows(query, addresses, server)
    return table_of_tables(rows) if name == "table-statistics" else database_size(rows)


def table_of_tables(rows: Iterable[dict]) -> str:
    """Return a text table: one line for each table of the database, then the totals.

    Each row has ``table``, ``rows``, ``bytes``, ``size`` (as text) and ``share`` (percent of the
    database), as table-statistics.sql returns them.
    """
    rows = list(rows)
    if not rows:
        return "The database holds no tables."
    lines = [
        (
            printable(row["table"]),
            f"{row['rows']:,}",
            row["size"],
            f"{row['share']}%",
            bar(float(row["share"])),
        )
        for row in rows
    ]
    totals = (
        f"{len(rows)} tables",
        f"{sum(row['rows'] for row in rows):,}",
        human_size(sum(row["bytes"] for row in rows)),
        f"{sum(row['share'] for row in rows)}%",
        "of the database",
    )
    return tabulate(
        [*lines, totals],
        headers=("table", "rows", "size", "share", ""),
        colalign=("left", "right", "right", "right", "left"),
        disable_numparse=True,
    )


def database_size(rows: Iterable[dict]) -> str:
    """Return one line with the name and the size of the database, from database-size.sql's row."""
    row = next(iter(rows))
    return f"{printable(row['database'])}: {row['size']} ({row['bytes']:,} bytes)"


def bar(percent: float) -> str:
    """Return a bar: BAR_WIDTH characters for 100 percent, at least one for more than 0."""
    return "█" * max(round(percent * BAR_WIDTH / 100), 1 if percent > 0 else 0)


def human_size(size: int) -> str:
    """Return ``size``, in bytes, as PostgreSQL's pg_size_pretty writes it."""
    units = ("bytes", "kB", "MB", "GB", "TB")
    unit = 0
    while size >= 10240 and unit < len(units) - 1:
        size = (size + 512) // 1024
        unit += 1
    return f"{size} {units[unit]}"
