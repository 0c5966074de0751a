"""Statistics of the tables as text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from helpers.connection import Identity, query_rows
from helpers.terminal import printable, without_blocks


def table_of_tables(
    query: Path, addresses: Sequence[str], server: Identity, counted: str = ""
) -> str:
    """Return the rows of the SQL file ``query`` as a text table, as psql prints them.

    ``query`` is a file with the SQL of scripts/sql/report, which formats all numbers; ``addresses``
    and ``server`` are those of connection.connect. Tables in ``counted``, lines of a manifest, are
    not counted again.
    Raises ServerUnavailable or psycopg.Error.
    """
    rows = [
        [printable(cell or "") for cell in row.values()]
        for row in query_rows(query, addresses, server, {"assets.counted": counted})
    ]
    columns = ("left", "right", "right", "right", "left")
    return without_blocks(tabulate(rows, tablefmt="plain", disable_numparse=True, colalign=columns))
