"""Measure the scripts and the guide's commands: make bench, or make bench SCALE=1

For each scale, a database in a new container is filled with assets (bench.assets); then every
command runs once per round, in turn, each after a CHECKPOINT. The medians over the rounds are
printed. With all scales (without arguments) other versions of PostgreSQL are measured too, and all
is written to docs/benchmarks.md and its chart.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psycopg
import pygal
from support.run import Checkout, new_checkout
from support.servers import Container, started_container
from tabulate import tabulate

from bench import assets

DOCS = Path(__file__).parent.parent.parent / "docs"
T = TypeVar("T")
SCALES = (0.1, 1.0, 2.5, 10.0)
VERSION, OTHER_VERSIONS = "16", ("17", "18")
ROUNDS = {1.0: 5}  # where not 1
DATABASE = "tumblebug"
GUIDE = "the guide's commands"
SMALL = "BACKUP_COMPRESSION=small"
COPYING, COPIED = (f"RESTORE_KEEP_COPY=yes, the {which}" for which in ("first", "next"))
BEGIN, END = "<!-- figures: written by make bench -->", "<!-- end of the figures -->"


@dataclass
class Figures:
    """The figures of one command: seconds of each round; the others in bytes.

    ``answers_after`` are the seconds until queries got the new data, for restores that swap.
    """

    seconds: list[float] = field(default_factory=list)
    answers_after: list[float] = field(default_factory=list)
    file: int = 0
    memory: int = 0
    host_disk: int = 0
    container_disk: int = 0

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


@dataclass
class Bench:
    """One database of one scale, and the commands that back it up and restore it."""

    container: Container
    checkout: Checkout

    def __post_init__(self) -> None:
        self.directory = self.checkout.path / "backups"
        self.directory.mkdir()
        self.guide_file = self.directory / "guide.dump.gz"
        self.fast_file = self.directory / "fast.dump.gz"
        self.small_file = self.directory / "small.dump.gz"
        self.checkout.environment |= self.container.environment() | {"RESTORE_SKIP_CONFIRM": "yes"}
        self.inside = f"docker exec {self.container.name}"

    # --- backups: each returns the file it made, where that is on the host ---

    def backup_by_guide(self) -> Path:
        self.shell(
            f"{self.inside} pg_dump -U tumblebug -d {DATABASE} -F c >guide.dump"
            " && gzip -f guide.dump"
        )
        return self.guide_file

    def backup_to_share(self) -> Path:
        self.script("backup-assets.sh", "assets/assets.dump.gz", BACKUP_COMPRESSION="smallest")
        return self.checkout.default_backup

    def backup_small(self) -> Path:
        self.script("backup-assets.sh", self.small_file, BACKUP_COMPRESSION="small")
        return self.small_file

    def backup_by_name(self) -> Path:
        self.script("backup-assets.sh", self.fast_file, BACKUP_COMPRESSION="fast")
        return self.fast_file

    def backup_as_sql(self) -> Path:
        self.shell(f"{self.inside} pg_dump -U tumblebug -d {DATABASE} | gzip >plain.sql.gz")
        return self.directory / "plain.sql.gz"

    def backup_as_directory(self) -> None:
        dump = f"pg_dump -U tumblebug -d {DATABASE} -F d -j $(nproc) -f /tmp/bench.directory"
        self.shell(f"{self.inside} sh -c 'rm -rf /tmp/bench.directory; {dump}'")

    def copy_to_nowhere(self) -> None:
        copies = "; ".join(f"COPY {table} TO '/dev/null'" for table in assets.tables(1))
        self.container.client("psql", "-d", DATABASE, "-c", copies)

    # --- restores ---

    def restore_by_guide(self) -> None:
        self.shell(
            "gunzip -c guide.dump.gz >guide.dump"
            f" && {self.inside} psql -q -U tumblebug -d postgres"
            ' -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ='
            f" '{DATABASE}'\""
            f" -c 'DROP DATABASE {DATABASE}' -c 'CREATE DATABASE {DATABASE}'"
            f" && docker exec -i {self.container.name} pg_restore -U tumblebug"
            f" -d {DATABASE} -v <guide.dump"
            " && rm guide.dump"
        )

    def restore_shared(self) -> None:
        self.script("restore-assets.sh")

    def restore_with_copy(self) -> None:
        """Load the backup and keep a copy; or clone the copy that an earlier call has kept."""
        self.script("restore-assets.sh", RESTORE_KEEP_COPY="yes")

    def restore_small(self) -> None:
        """Like restore_shared, but of rows that are not sorted."""
        self.script("restore-assets.sh", self.small_file)

    def restore_by_name(self) -> None:
        self.script("restore-assets.sh", self.fast_file)

    def restore_only_load(self) -> None:
        """Only create a database and load a file that is in the container already."""
        for command in ("DROP DATABASE IF EXISTS bench_floor", "CREATE DATABASE bench_floor"):
            self.container.client("psql", "-d", "postgres", "-c", command)
        jobs = str(os.cpu_count())
        self.container.client("pg_restore", "-d", "bench_floor", "-j", jobs, "/tmp/bench.archive")

    def prepare_floor(self) -> None:
        self.shell(
            f"gunzip -c fast.dump.gz | docker exec -i {self.container.name} sh -c 'cat"
            " >/tmp/bench.archive'"
        )

    # --- other commands ---

    def backup_unchanged(self) -> None:
        self.script("backup-assets.sh", FORCE="no")

    def verify(self) -> None:
        self.script("verify-backup.sh")

    def diff(self) -> None:
        self.script("diff-backup.sh")

    def doctor(self) -> None:
        self.script("doctor.sh")

    # --- running ---

    def shell(self, command: str) -> None:
        subprocess.run(["sh", "-c", command], cwd=self.directory, check=True, capture_output=True)

    def script(self, name: str, *arguments: str | Path, **environment: str) -> None:
        run = self.checkout.run(f"./scripts/{name}", *arguments, timeout=3600, **environment)
        assert run.status == 0, run


BACKUPS: dict[str, Callable[[Bench], Path | None]] = {
    GUIDE: Bench.backup_by_guide,
    "make backup-assets": Bench.backup_to_share,
    SMALL: Bench.backup_small,
    "backup-assets.sh NAME": Bench.backup_by_name,
    "pg_dump | gzip, plain SQL": Bench.backup_as_sql,
    "pg_dump -Fd -j, into the container": Bench.backup_as_directory,
    "floor: COPY … TO /dev/null": Bench.copy_to_nowhere,
}
RESTORES: dict[str, Callable[[Bench], None]] = {
    GUIDE: Bench.restore_by_guide,
    "make restore-assets": Bench.restore_shared,
    COPYING: Bench.restore_with_copy,
    COPIED: Bench.restore_with_copy,
    "restore-assets.sh, rows not sorted": Bench.restore_small,
    "restore-assets.sh backups/…": Bench.restore_by_name,
    "floor: pg_restore -j alone": Bench.restore_only_load,
}
OTHERS: dict[str, Callable[[Bench], None]] = {
    "make backup-assets, nothing changed": Bench.backup_unchanged,
    "make verify-backup": Bench.verify,
    "make diff-backup": Bench.diff,
    "make doctor": Bench.doctor,
}
OURS = ("make backup-assets", "make restore-assets")
SHOWN = (GUIDE, *OURS, SMALL, "backup-assets.sh NAME")  # at every scale; the others at scale 1
Results = dict[str, Figures]
Measured = tuple[Results, Results, Results]


@contextmanager
def filled_bench(version: str, scale: float) -> Iterator[Bench]:
    """Yield a new container of that version with a filled database, and the commands for it."""
    with (
        tempfile.TemporaryDirectory(prefix="tumblebug-bench.") as directory,
        started_container(version, measured=True) as container,
    ):
        bench = Bench(container, new_checkout(Path(directory)))
        bench.checkout.use_python()
        with container.connect(DATABASE) as connection:
            assets.load(connection, scale)
        yield bench


def measure(scale: float, rounds: int) -> Measured:
    """Return the figures of the backups, the restores and other commands at that scale."""
    with filled_bench(VERSION, scale) as bench:
        all_commands = scale == 1
        backups: Results = {name: Figures() for name in BACKUPS if all_commands or name in SHOWN}
        restores: Results = {name: Figures() for name in RESTORES if all_commands or name in SHOWN}
        others: Results = {name: Figures() for name in OTHERS if all_commands}
        for _ in range(rounds):
            for name, figures in backups.items():
                path = timed(bench, figures, BACKUPS[name])
                figures.file = path.stat().st_size if path else 0
            if all_commands:
                bench.prepare_floor()
            for name, figures in restores.items():
                with swap_watched(bench, figures):
                    timed(bench, figures, RESTORES[name])
            bench.script("drop-copy.sh")
            for name, figures in others.items():
                timed(bench, figures, OTHERS[name])
        for results, commands in ((backups, BACKUPS), (restores, RESTORES)):
            for name in SHOWN if all_commands else OURS:
                if name in results:
                    watch_peaks(bench, results[name], commands[name])
        for name, figures in others.items():
            watch_peaks(bench, figures, OTHERS[name])
        return backups, restores, others


def timed(bench: Bench, figures: Figures, command: Callable[[Bench], T]) -> T:
    """Run one command, note its seconds, and return what it returns."""
    bench.container.client("psql", "-d", "postgres", "-c", "CHECKPOINT")
    os.sync()
    started = time.monotonic()
    result = command(bench)
    figures.seconds.append(time.monotonic() - started)
    return result


@contextmanager
def swap_watched(bench: Bench, figures: Figures) -> Iterator[None]:
    """Note after how many seconds a restore swaps the databases, if it does."""
    query = "SELECT oid FROM pg_database WHERE datname = %s"
    done = threading.Event()
    seconds: list[float] = []

    def watch(connection: psycopg.Connection) -> None:
        before = connection.execute(query, [DATABASE]).fetchone()
        started = time.monotonic()
        while not seconds and not done.wait(0.02):
            found = connection.execute(query, [DATABASE]).fetchone()
            if not found:
                return  # dropped, as by the guide's commands
            if found != before:
                seconds.append(time.monotonic() - started)

    with bench.container.connect() as connection:
        watcher = threading.Thread(target=watch, args=[connection])
        watcher.start()
        yield
        done.set()
        watcher.join()
    figures.answers_after += seconds


def measure_version(version: str) -> list[tuple[str, ...]]:
    """Return the rows of one version at scale 1: the seconds of each command, and its speed-up."""
    rows = []
    with filled_bench(version, 1.0) as bench:
        for title, commands, ours in (
            ("backup", BACKUPS, [*OURS[:1], SMALL, "backup-assets.sh NAME"]),
            ("restore", RESTORES, [*OURS[1:], COPYING, COPIED]),
        ):
            results = {name: Figures() for name in (GUIDE, *ours)}
            for name, figures in results.items():
                timed(bench, figures, commands[name])
            for name, figures in results.items():
                speed_up = results[GUIDE].median / figures.median
                rows.append(
                    (version, f"{title}: {name}", f"{figures.median:.2f} s", f"{speed_up:.2f}")
                )
    return rows


# --- memory and disk: in runs of their own, which are not timed ---


def watch_peaks(bench: Bench, figures: Figures, command: Callable[[Bench], object]) -> None:
    """Run one command again; note its peaks of memory and disk, in bytes."""
    done = threading.Event()
    disk_before = host_disk(bench), container_disk(bench)
    peaks = {"memory": 0, "host_disk": 0, "container_disk": 0}

    def watch() -> None:
        while not done.wait(0.05):
            peaks["memory"] = max(peaks["memory"], children_memory())
            peaks["host_disk"] = max(peaks["host_disk"], host_disk(bench) - disk_before[0])
            peaks["container_disk"] = max(
                peaks["container_disk"], container_disk(bench) - disk_before[1]
            )

    watcher = threading.Thread(target=watch)
    watcher.start()
    command(bench)
    done.set()
    watcher.join()
    for name, peak in peaks.items():
        setattr(figures, name, peak)


def children_memory() -> int:
    """Return the proportional memory of all processes that we have started, in bytes."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = status.read_text().rpartition(")")[2].split()
            parents[int(status.parent.name)] = int(fields[1])
    ours = set()
    for process in parents:
        ancestor = parents.get(process)
        while ancestor and ancestor != os.getpid():
            ancestor = parents.get(ancestor)
        if ancestor:
            ours.add(process)
    return sum(proportional_memory(process) for process in ours)


def proportional_memory(process: int) -> int:
    with suppress(OSError):
        found = re.search(
            r"^Pss:\s+(\d+) kB", Path(f"/proc/{process}/smaps_rollup").read_text(), re.MULTILINE
        )
        return int(found[1]) * 1024 if found else 0
    return 0


def host_disk(bench: Bench) -> int:
    """Return the bytes of all files that a run may write on the host."""
    sizes = 0
    for path in (*bench.checkout.path.rglob("*"), *bench.checkout.temporary.rglob("*")):
        with suppress(OSError):
            sizes += path.lstat().st_size if path.is_file() else 0
    return sizes


def container_disk(bench: Bench) -> int:
    """Return the bytes in the container's temporary directory, which holds the archives."""
    done = bench.container.client("sh", "-c", "du -sk /tmp | cut -f 1", text=True)
    return int(done.stdout) * 1024


# --- what is shown ---


def report(scale: float, backups: Results, restores: Results, others: Results) -> str:
    """Return one scale's tables as Markdown."""
    specs, images = (assets.rows_at(scale, kind) for kind in ("spec", "image"))
    title = f"### Scale {scale:g}: {specs:,} specs, {images:,} images"
    named = {"backup": backups, "restore": restores, "other command": others}
    return "\n\n".join(
        [title, *(table(name, results) for name, results in named.items() if results)]
    )


def table(title: str, results: Results) -> str:
    guide = results.get(GUIDE)
    rows = [
        (
            name,
            f"{figures.median:.2f} s",
            f"{guide.median / figures.median:.2f}" if guide else "",
            f"{statistics.median(figures.answers_after):.2f} s" if figures.answers_after else "",
            f"{figures.file / 1e6:.1f} MB" if figures.file else "",
            f"{figures.file / guide.file:.3f}" if figures.file and guide else "",
            megabytes(figures.memory),
            megabytes(figures.host_disk),
            megabytes(figures.container_disk),
        )
        for name, figures in results.items()
    ]
    headers = (
        title,
        "median",
        "speed-up",
        "new data after",
        "file",
        "size / guide's",
        "host memory",
        "host disk",
        "container disk",
    )
    used = [column for column in range(len(headers)) if any(row[column] for row in rows)]
    return tabulate(
        [[row[column] for column in used] for row in rows],
        [headers[column] for column in used],
        tablefmt="github",
        disable_numparse=True,
        colalign=["left"] + ["right"] * (len(used) - 1),
    )


def megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB" if size else ""


def growth(measured: dict[float, Measured]) -> str:
    """Return how the seconds grow with the scale."""
    rows = [
        (title, *(f"{results[index][name].median:.1f} s" for results in measured.values()))
        for index, commands in enumerate((BACKUPS, RESTORES))
        for name in SHOWN
        if name in commands
        for title in [f"{('backup', 'restore')[index]}: {name}"]
    ]
    headers = ("", *(f"scale {scale:g}" for scale in measured))
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)


def draw(backups: Results, restores: Results, path: Path) -> None:
    """Draw the medians at scale 1 as bars."""
    chart = pygal.HorizontalBar(
        title="Seconds at scale 1, less is better",
        js=[],
        show_legend=False,
        print_values=True,
        formatter=lambda seconds: f"{seconds:.1f} s",
        height=420,
    )
    bars = [(f"restore: {name}", figures) for name, figures in restores.items()]
    bars += [(f"backup: {name}", figures) for name, figures in backups.items()]
    chart.x_labels = [name for name, _ in reversed(bars)]
    chart.add("seconds", [round(figures.median, 2) for _, figures in reversed(bars)])
    chart.render_to_file(str(path))


def main() -> None:
    measured = {}
    for scale in scales_of(sys.argv[1:]) or SCALES:
        measured[scale] = measure(scale, ROUNDS.get(scale, 1))
        print(report(scale, *measured[scale]), end="\n\n", flush=True)
    if len(measured) == len(SCALES):
        write_page(
            measured, [row for version in OTHER_VERSIONS for row in measure_version(version)]
        )


def scales_of(arguments: list[str]) -> list[float]:
    """Return the scales on the command line; end with 2 if one is not a positive number."""
    for argument in arguments:
        if not re.fullmatch(r"\d*\.?\d+", argument) or float(argument) == 0:
            print(f"error: SCALE must be a number above 0, not '{argument}'", file=sys.stderr)
            sys.exit(2)
    return [float(argument) for argument in arguments]


def write_page(measured: dict[float, Measured], versions: list[tuple[str, ...]]) -> None:
    """Write the figures between the marks of docs/benchmarks.md, and draw its chart.

    ``versions`` are the rows of measure_version.
    """
    page = DOCS / "benchmarks.md"
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    parts = [report(scale, *results) for scale, results in measured.items()]
    headers = ("PostgreSQL", "scale 1, one round", "time", "speed-up")
    figures = "\n\n".join(
        [
            *parts,
            "### Other versions of PostgreSQL",
            tabulate(versions, headers, tablefmt="github", disable_numparse=True),
            "### How the cost grows",
            growth(measured),
        ]
    )
    page.write_text(f"{before}{BEGIN}\n\n{figures}\n\n{END}{after}")
    backups, restores, _ = measured[1.0]
    draw(backups, restores, DOCS / "benchmarks.svg")


if __name__ == "__main__":
    main()
