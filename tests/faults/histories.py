"""Histories: what clients and runs did at the same time, and whether what they saw is possible.

Each transaction of the writer gives every table the next generation: other rows, and another number
of them. The tables of GROUP always change together. APART may be restored alone.
"""

from __future__ import annotations

import gzip
import json
import math
import random
import re
import subprocess
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from support.backups import manifest_of
from support.databases import Database
from support.run import BACKUP, CONFIRMED, RESTORE, ROLLBACK, STATS, Run
from support.running import ended, kill

from faults.faults import RAW

GROUP = ("images", "specs", "prices")
APART = "latencies"
TABLES = (*GROUP, APART)
FEWEST_ROWS = {"images": 3000, "specs": 2000, "prices": 1000, APART: 500}
DIFFERENT_COUNTS = 89  # so many generations differ in their numbers of rows
SECONDS_OF_RUN = 60
SECONDS_OF_STATEMENT = 30
# An ALTER during --table may change its rows: "the new rows differ from the manifest" is permitted.
DAMAGED = re.compile(r"^error: (the loaded .* differs|.* damaged)", re.MULTILINE)
COUNT = " UNION ALL ".join(
    f"SELECT '{table}', generation, count(*) FROM {table} GROUP BY generation" for table in TABLES
)
# What GORM's AutoMigrate runs, each in a transaction of its own. A table without the column would
# refuse the rows of most backups, so it is rarely dropped.
ADD = "ALTER TABLE {} ADD COLUMN IF NOT EXISTS extra text DEFAULT 'x'"
CHANGES = (
    *4 * [ADD],
    "ALTER TABLE {} DROP COLUMN IF EXISTS extra",
    "ALTER TABLE {} ALTER COLUMN n TYPE bigint",
    "ALTER TABLE {} ALTER COLUMN n TYPE integer",
    "CREATE INDEX IF NOT EXISTS {}_by_n ON {} (n)",
    "DROP INDEX IF EXISTS {}_by_n",
)

Content = dict[str, int]  # the generation of "group" and of "apart"


def rows_of(table: str, generation: int) -> int:
    return FEWEST_ROWS[table] + generation % DIFFERENT_COUNTS


def fill(table: str, generation: int) -> str:
    return (
        f"INSERT INTO {table} (generation, n, text) SELECT {generation}, n,"
        f" md5(n::text || '/{generation}') FROM generate_series(1, {rows_of(table, generation)}) n"
    )


@dataclass(eq=False)
class Operation:
    """What somebody did, from ``begun`` to ``ended``, and what it read or wrote.

    It wrote one of ``written``, or any earlier content if ``written_any``. ``outcome`` is "done",
    "failed", which changes nothing, or "unknown".
    """

    who: str
    what: str
    begun: float
    ended: float = math.inf
    outcome: str = "unknown"
    read: Content = field(default_factory=dict)
    written: list[Content] = field(default_factory=list)
    written_any: bool = False
    restored: Path | None = None
    restores: tuple[str, ...] = ("group", "apart")
    detail: str = ""

    def __str__(self) -> str:
        seconds = f"{self.begun:8.3f} {self.ended:8.3f}"
        values = " ".join(
            f"{verb} {value}"
            for verb, value in (("read", self.read), ("wrote", self.written))
            if value
        )
        return f"{seconds}  {self.who:8} {self.outcome:7} {self.what}  {values} {self.detail}"

    def values(self, key: str) -> set[int]:
        return {content[key] for content in self.written if key in content}


def is_possible(read: Operation, key: str, writes: list[Operation]) -> bool:
    """Was it written before the read ended, and not overwritten before the read began?"""
    value = read.read[key]
    writes = [each for each in writes if each.begun < read.ended]
    sources = [each for each in writes if each.written_any or value in each.values(key)]
    overwrites = [
        each.begun
        for each in writes
        if each.outcome == "done" and each.ended <= read.begun and each not in sources
    ]
    latest = max(overwrites, default=-math.inf)
    return any(value in each.values(key) for each in writes) and any(
        latest < each.ended for each in sources
    )


class History:
    """All operations, by several threads, and what was wrong with them."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.start = time.monotonic()
        self.operations: list[Operation] = []
        self.problems: list[str] = []
        self.versions: dict[Path, list[Operation]] = {}  # the backups that wrote a file
        self.counts: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()

    def now(self) -> float:
        return time.monotonic() - self.start

    def begin(self, who: str, what: str) -> Operation:
        operation = Operation(who, what, self.now())
        self.operations.append(operation)
        return operation

    def end(self, operation: Operation, outcome: str) -> None:
        operation.ended = self.now()
        operation.outcome = outcome
        self.counts[f"{operation.what.split(':')[0]} {outcome}"] += 1

    def problem(self, operation: Operation, text: str) -> None:
        self.problems.append(f"{text}\n    {operation}")

    def check(self) -> None:
        """Note what nobody could have read."""
        for operation in self.operations:
            if operation.restored:
                operation.written = self.contents_of(operation)
        for key in ("group", "apart"):
            writes = [each for each in self.operations if each.written_any or each.values(key)]
            writes = [each for each in writes if each.outcome != "failed"]
            for operation in self.operations:
                if key in operation.read and not is_possible(operation, key, writes):
                    self.problem(operation, f"the database did not hold that {key} then")

    def contents_of(self, restore: Operation) -> list[Content]:
        """Return what the restored file held during the restore: another run may replace it."""
        versions = self.versions[restore.restored]
        replaced = [version.ended for version in versions[1:]] + [math.inf]
        return [
            {key: version.read[key] for key in restore.restores if key in version.read}
            for version, end in zip(versions, replaced, strict=True)
            if version.begun < restore.ended and end > restore.begun
        ]

    def __str__(self) -> str:
        lines = [str(each) for each in sorted(self.operations, key=lambda each: each.begun)]
        problems = "\n".join(self.problems)
        return (
            f"FAULT_SEED={self.seed}\n{problems}\n--- history: begun, ended, who, outcome, what\n"
            + "\n".join(lines)
        )

    def summary(self) -> str:
        counts = ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items()))
        refusals = "".join(f"\n  {count}x {text}" for text, count in self.refusals.most_common())
        return f"FAULT_SEED={self.seed}: {counts}{refusals}"


class Client(threading.Thread):
    """A client of the database, or a host with its runs. All its choices come from the seed."""

    def __init__(self, name: str, history: History, database: Database) -> None:
        super().__init__(name=name, daemon=True)
        self.history = history
        self.database = database
        self.random = random.Random(f"{history.seed} {name}")
        self.stopping = threading.Event()
        self.connection: psycopg.Connection | None = None

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                self.act()
            except Exception:  # a thread's error would be lost
                self.history.problems.append(f"{self.name}: {traceback.format_exc()}")
                self.stopping.set()
        self.disconnect()

    def act(self) -> None:
        raise NotImplementedError

    def pause(self, most: float) -> None:
        self.stopping.wait(self.random.uniform(0, most))

    def disconnect(self) -> None:
        if self.connection:
            with suppress(psycopg.Error):
                self.connection.close()
        self.connection = None

    def transact(self, what: str, statements: Callable[[psycopg.Connection, Operation], None]):
        """Do it in one transaction. It may fail by a lost connection or a lock, and no other way.

        After a failure, it connects again.
        """
        operation = self.history.begin(self.name, what)
        outcome = "failed"
        try:
            if not self.connection:
                self.connection = self.database.server.connect(self.database.name)
                self.connection.execute(f"SET statement_timeout = '{SECONDS_OF_STATEMENT}s'")
                self.connection.autocommit = False
            statements(self.connection, operation)
            outcome = "unknown"
            self.connection.commit()
            outcome = "done"
        except psycopg.Error as error:
            operation.detail = f"{type(error).__name__}: {str(error).splitlines()[0]}"
            if not is_permitted(error):
                self.history.problem(operation, "the live database is not complete, or blocked")
            self.disconnect()
        if outcome == "unknown" and not operation.written:
            outcome = "failed"
        self.history.end(operation, outcome)


def is_permitted(error: psycopg.Error) -> bool:
    """May a client get it: for a lost connection, a deadlock, or while it connects in a swap?"""
    if "just been dropped or renamed" in str(error):
        return True
    return (
        isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
        and not isinstance(error, psycopg.errors.QueryCanceled)
        and not re.search("does not exist|not currently accepting", str(error))
    )


class Writer(Client):
    """Gives all tables the next generation, as a fetch does."""

    generation = 0

    def act(self) -> None:
        self.transact("write", self.write)
        self.pause(1)

    def write(self, connection: psycopg.Connection, operation: Operation) -> None:
        self.generation += 1
        empty, mode = self.random.choice(
            [("DELETE FROM {}", "SHARE ROW EXCLUSIVE"), ("TRUNCATE {}", "ACCESS EXCLUSIVE")]
        )
        operation.written = [{"group": self.generation, "apart": self.generation}]
        connection.execute(f"LOCK TABLE {', '.join(TABLES)} IN {mode} MODE")
        for table in TABLES:
            connection.execute(empty.format(table))
            connection.execute(fill(table, self.generation))


class Reader(Client):
    """Reads all tables in one snapshot: in a REPEATABLE READ transaction, or in one statement.

    For a TRUNCATE, the first must lock the tables before it takes its snapshot.
    """

    def act(self) -> None:
        self.transact("read", self.read)
        self.pause(0.2)

    def read(self, connection: psycopg.Connection, operation: Operation) -> None:
        if self.random.random() < 0.5:
            found = connection.execute(COUNT).fetchall()
        else:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.execute(f"LOCK TABLE {', '.join(TABLES)} IN ACCESS SHARE MODE")
            found = []
            for statement in self.random.sample(COUNT.split(" UNION ALL "), len(TABLES)):
                found += connection.execute(statement).fetchall()
                self.pause(0.02)
        note_content(self.history, operation, found)


class Migrator(Client):
    """Changes the schema and indexes."""

    def act(self) -> None:
        statement = self.random.choice(CHANGES)
        statement = statement.replace("{}", self.random.choice(TABLES))
        self.transact(f"alter: {statement}", lambda connection, _: connection.execute(statement))
        self.pause(0.7)


def note_content(history: History, operation: Operation, found: list[tuple]) -> None:
    """Note the generations that somebody has found: rows (table, generation, number of rows)."""
    generations = {table: generation for table, generation, _ in found}
    in_group = {generations.get(table) for table in GROUP}
    if (
        len(found) != len(TABLES)
        or len(in_group) != 1
        or any(count != rows_of(table, generation) for table, generation, count in found)
    ):
        history.problem(operation, f"generations are mixed: {sorted(found)}")
    else:
        operation.read = {"group": in_group.pop(), "apart": generations[APART]}


class Host(Client):
    """A checkout on a host of its own, which runs the scripts one after the other."""

    def __init__(self, name: str, history: History, database: Database) -> None:
        super().__init__(name, history, database)
        self.succeeded: Counter[str] = Counter()
        self.kinds = {
            "backup": (4, self.backup),
            "restore": (3, self.restore),
            "data-only": (2, lambda: self.restore("data-only", "--data-only")),
            "table": (2, lambda: self.restore("table", "--table", APART, restores=("apart",))),
            "tables": (2, self.restore_group),
            "rollback": (2, lambda: self.run_script("rollback", ROLLBACK, written_any=True)),
            "stats": (2, self.stats),
        }

    def act(self) -> None:
        weights = [weight for weight, _ in self.kinds.values()]
        kind = self.random.choices(list(self.kinds), weights)[0]
        self.kinds[kind if self.history.versions else "backup"][1]()
        self.pause(1.2)

    def complete(self, missing: list[str]) -> None:
        """Try each of these kinds, a few times at most, with a schema that takes every backup."""
        for kind in missing:
            for _ in range(5):
                if not self.succeeded[kind] and (kind == "backup" or self.history.versions):
                    for table in TABLES:
                        self.database.execute(ADD.format(table))
                    if kind == "rollback":
                        self.restore(environment={"RESTORE_KEEP_PREVIOUS": "yes"})
                    self.kinds[kind][1]()

    def run_script(self, kind: str, *command: str | Path, **more: object) -> tuple[Operation, Run]:
        """Run a script to its end; note how it ended. ``more`` is of the operation."""
        environment = more.pop("environment", {})
        shown = " ".join(map(str, command[1:])).replace(str(self.database.checkout.home), "")
        operation = self.history.begin(self.name, f"{kind}: {shown} {environment or ''}")
        for name, value in more.items():
            setattr(operation, name, value)
        process = self.database.checkout.start(*command, **CONFIRMED, **environment)
        try:
            run = ended(process, SECONDS_OF_RUN)
        except subprocess.TimeoutExpired:
            kill(process)
            self.history.problem(operation, f"it has not ended after {SECONDS_OF_RUN} s")
            return operation, Run(-9, "", "")
        done = run.status in (0, 3)
        self.history.end(operation, "done" if done else "failed")
        if run.errors:
            operation.detail = run.errors[0]
            self.history.refusals[re.sub(r"\d+|'[^']*'", "…", run.errors[0])[:150]] += 1
        if (
            run.status not in (0, 1, 3)
            or len(run.errors) != (run.status == 1)
            or RAW.search(run.err)
            or DAMAGED.search(run.err)
        ):
            self.history.problem(operation, f"it ended badly: {run}")
        self.succeeded[kind] += done
        return operation, run

    def backup(self) -> None:
        name = f"backup-{self.random.randrange(6)}.dump.gz"
        compression = self.random.choice(["small", "small", "fast", "smallest"])
        path = self.database.checkout.home / "backups" / name
        operation, run = self.run_script(
            "backup", BACKUP, path, environment={"BACKUP_COMPRESSION": compression}
        )
        if run.status in (0, 3):
            found = self.content_of(path)
            note_content(self.history, operation, found)
            manifest = manifest_of(path).read_text()
            stated = re.findall(r"^(\d+) \S+ public\.(\w+)$", manifest, re.MULTILINE)
            if sorted(stated) != sorted((str(count), table) for table, _, count in found):
                self.history.problem(operation, f"the manifest says {stated}, the dump is {found}")
            self.history.versions.setdefault(path, []).append(operation)

    def content_of(self, path: Path) -> list[tuple]:
        """Return what a backup holds: rows (table, generation, number of rows)."""
        archive = gzip.decompress(path.read_bytes())
        text = self.database.server.client("pg_restore", "-a", "-f", "-", input=archive).stdout
        found: Counter[tuple[str, int]] = Counter()
        for table, rows in re.findall(
            r"^COPY public\.(\w+) \(generation, .*\n((?:.*\n)*?)\\\.$", text.decode(), re.MULTILINE
        ):
            found.update((table, int(row.split("\t")[0])) for row in rows.splitlines())
        return [(*key, count) for key, count in found.items()]

    def restore_group(self) -> None:
        options = [word for table in GROUP for word in ("--table", table)]
        self.restore("tables", *options, restores=("group",))

    def restore(self, kind: str = "restore", *options: str, **more: object) -> None:
        path = self.random.choice(sorted(self.history.versions))
        environment = {
            setting: "yes"
            for setting, share in (("RESTORE_KEEP_PREVIOUS", 0.4), ("RESTORE_KEEP_COPY", 0.2))
            if self.random.random() < share
        }
        more = {"environment": environment, "restored": path, **more}
        self.run_script(kind, RESTORE, *options, path, **more)

    def stats(self) -> None:
        operation, run = self.run_script("stats", STATS, "--json")
        if run.status == 0:
            tables = json.loads(run.out)["result"]["tables"]
            rows = {each["table"]: each["rows"] for each in tables}
            if len({rows.get(table, 0) - FEWEST_ROWS[table] for table in GROUP}) != 1:
                self.history.problem(operation, f"generations are mixed: {rows}")
