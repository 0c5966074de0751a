"""The progress line of a dump or a load: the phase, a bar, the time passed and the time left."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from helpers.connection import Identity, connect
from helpers.terminal import bar, clock, columns, cut, draw_line, printable

INTERVAL_SECONDS = 0.3
SETTLING_SECONDS = 1  # before that, a rate would mislead, and a pause may be between two tables
PHASE_COLUMNS = len("building indexes")
TIME_COLUMNS, TIMES_COLUMNS = len("elapsed 10:12"), len("elapsed 10:12, left 10:30")
NARROW_COLUMNS = 60  # below that, one time is shown
MOST_BAR_COLUMNS, LEAST_BAR_COLUMNS = 24, 4
ESTIMATES = "estimated-rows.sql"  # beside progress.sql


@dataclass
class Line:
    """What the progress line shows; ``fraction`` and ``left`` are None if unknown.

    ``elapsed`` and ``left`` are in seconds, ``names`` is shown where there is no fraction.
    """

    phase: str
    elapsed: float
    fraction: float | None = None
    left: float | None = None
    names: tuple[str, ...] = ()

    def text(self, width: int) -> str:
        """Return the line, in ``width`` columns. Its parts stay where they are as they change."""
        times = [f"elapsed {clock(self.elapsed)}"]
        if self.left is not None:
            times.append(f"left {clock(self.left)}")
        narrow = width < NARROW_COLUMNS
        room = width - PHASE_COLUMNS - (TIME_COLUMNS if narrow else TIMES_COLUMNS) - len("    ")
        middle = self.middle(min(room, MOST_BAR_COLUMNS + len("  45 %")))
        return "  ".join(
            (f"{self.phase:<{PHASE_COLUMNS}}", middle, times[-1] if narrow else ", ".join(times))
        )

    def middle(self, width: int) -> str:
        """Return a bar and the percentage, or the names, in ``width`` columns."""
        if self.fraction is None:
            names = ", ".join(name.removeprefix("public.") for name in self.names)
            return f"{cut(printable(names), width):<{width}}"
        percent = f"{int(100 * self.fraction):>4} %"
        if width - len(percent) < LEAST_BAR_COLUMNS:
            return f"{percent:>{width}}"
        return bar(self.fraction, width - len(percent)) + percent


@dataclass
class Progress:
    """The progress of the tables: ``done`` rows of ``totals``, which are known or estimated.

    ``phase`` lasts while rows are copied, ``next_phase`` is what follows; ``copied`` is when a copy
    was last seen, and ``indexes`` are being created. Times are in seconds since the start.
    """

    phase: str
    next_phase: str
    totals: Mapping[str, int]
    done: dict[str, int] = field(default_factory=dict)
    running: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    copied: float | None = None

    def observe(self, rows: Iterable[Mapping], seconds: float) -> None:
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
        self.copied = seconds if copying else self.copied
        indexes = (row["index_name"] or row["table_name"] for row in rows if row["kind"] == "index")
        self.indexes = tuple(dict.fromkeys(indexes))

    def has_all_rows(self, seconds: float) -> bool:
        """Return whether no copy is running, nor will be, as far as can be seen."""
        paused = self.copied is not None and seconds - self.copied >= SETTLING_SECONDS
        return not self.running and (paused or bool(self.indexes))

    def line(self, seconds: float) -> Line:
        """Return the progress line at this time."""
        if self.has_all_rows(seconds):
            return Line(self.next_phase, seconds, names=self.indexes)
        total = sum(self.totals.values())
        if not total:
            return Line(self.phase, seconds, names=self.running)
        fraction = min(sum(self.done.values()) / total, 0.99)  # all of it is the next phase
        left = None
        if fraction and seconds >= SETTLING_SECONDS:
            left = seconds / fraction - seconds
        return Line(self.phase, seconds, fraction, left)


def read_totals(manifest_lines: Path) -> dict[str, int]:
    """Return the row count of each table from the lines ``ROWS FINGERPRINT NAME`` of a manifest."""
    text = manifest_lines.read_bytes().decode(errors="replace")
    lines = [line.split(" ", 2) for line in text.split("\n") if line]
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
    query: Path,
    totals: Path | None,
    addresses: Sequence[str],
    server: Identity,
    script: int,
    phases: tuple[str, str],
) -> None:
    """Draw the progress line until the process with the ID ``script`` has ended.

    ``query`` is progress.sql; ``totals`` holds the table lines of a manifest, or is None to use the
    planner's estimates, by estimated-rows.sql; ``addresses`` and ``server`` are those of
    connection.connect; ``phases`` are the names of the phase that copies rows and of what follows.
    Raises ServerUnavailable as connect does, and psycopg.Error if the session is lost.
    """
    started = time.monotonic()
    with connect(addresses, server) as connection:
        if totals:
            progress = Progress(*phases, read_totals(totals))
        else:
            estimates = connection.execute(query.with_name(ESTIMATES).read_bytes())
            totals_by_table = {row["table_name"]: row["rows"] for row in estimates}
            progress = Progress(*phases, totals_by_table)
        while is_alive(script):
            rows = connection.execute(query.read_bytes()).fetchall()
            seconds = time.monotonic() - started
            progress.observe(rows, seconds)
            draw_line(progress.line(seconds).text(columns() - 1))
            time.sleep(INTERVAL_SECONDS)
