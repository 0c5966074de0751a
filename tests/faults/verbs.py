"""The scripts that write, for campaigns in which something fails: what each may leave."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from support.backups import manifest_of, read_pair, write_backup, write_pair
from support.run import BACKUP, CLEAN, CONFIRMED, PRUNE, RESTORE, ROLLBACK, VERIFY, Checkout, Run
from support.sampling import sampled

from faults.faults import RAW, Target, assert_done

SETTINGS = {**CONFIRMED, "RESTORE_KEEP_PREVIOUS": ""}

FINISHED = re.compile("interrupted; .* (complete|swapped|empty)")


class Fault(Protocol):
    """What goes wrong in a run; ``is_reported`` if a program says that it has failed."""

    is_reported: bool

    def run(self, checkout: Checkout, *command: str | Path, **environment: str) -> Run:
        """Run a command with this fault; raise TimeoutExpired if it does not end."""


@dataclass
class Verb:
    """A script, what makes the state before it, and what state it may leave.

    ``state`` returns "old", "new" or what is wrong. With ``additional``, the new state is a result
    besides: without it, a warning is enough. ``directories`` are those in which it writes.
    """

    target: Target
    command: list[str | Path]
    prepare: Callable[[], object]
    state: Callable[[], str]
    directories: tuple[Path, ...] = ()
    additional: bool = False

    def problem_with(self, fault: Fault) -> str | None:
        """Run it with the fault, then without; return what is wrong."""
        checkout = self.target.database.checkout
        self.prepare()
        try:
            run = fault.run(checkout, *self.command, **SETTINGS)
        except subprocess.TimeoutExpired:
            return f"{fault}: it hangs"
        state = self.state()
        if state == "old" and self.is_excused(run, fault):
            state = "new"
        problem = problem_of(run, state)
        left = self.target.database.left_behind()
        if left and fault.is_reported and "the next run will" not in run.err:
            problem = problem or f"left behind: {left}"
        if left or state != "old":
            self.prepare_next(state)
            again = checkout.run(*self.command, **SETTINGS)
            if again.status != 0 or self.state() != "new" or self.target.database.left_behind():
                left = self.target.database.left_behind()
                problem = problem or f"the next run: {again}\n{self.state()} {left}"
        return problem and f"{fault}: {problem}\n{run}"

    def is_excused(self, run: Run, fault: Fault) -> bool:
        """Say whether a run may succeed without the new state.

        A program that lies may make it say that there is nothing to do.
        """
        if self.additional and run.status in (0, 143):
            return "warning: " in run.err or "the verification is complete" in run.err
        return not fault.is_reported and "nothing to delete" in run.err

    def prepare_next(self, state: str) -> None:
        """A run that has replaced or deleted all has nothing more to do."""
        if state == "new":
            self.prepare()

    def assert_survives(self, faults: list[Fault], count: int) -> None:
        """Run it with each of the faults; by default with so many of them."""
        problems = list(filter(None, map(self.problem_with, sampled(faults, count))))
        print(f"{len(problems)} of {len(faults)} faults of {self.command[0]}")
        assert not problems, "\n\n".join([f"{len(problems)} of {len(faults)}:", *problems])


def problem_of(run: Run, state: str) -> str | None:
    if run.status not in (0, 1, 3, 143):
        return "undocumented exit code"
    if state not in ("old", "new"):
        return f"state {state}"
    says_nothing = "the old content or the new" in run.err
    says_old = run.status == 1 or (run.status == 143 and not FINISHED.search(run.err))
    if says_old != (state == "old") and not says_nothing:
        return f"exit {run.status}, but the state is {state}"
    if len(run.errors) != (run.status == 1) or (run.status == 3 and "warning: " not in run.err):
        return "not one sentence"
    if RAW.search(run.err):
        return "a raw error"
    return None


# --- the scripts ---


def backup(target: Target) -> Verb:
    """The state is the pair of files: "new" if it is verified by its manifest."""
    old = target.pair

    def prepare() -> None:
        write_pair(target.path, old)

    def state() -> str:
        pair = read_pair(target.path)
        if pair == old:
            return "old"
        run = target.database.checkout.run(VERIFY, "--quiet", "--level", "hash", target.path)
        target.path.with_name(f"{target.path.name}.verified").unlink(missing_ok=True)
        if (
            run.status == 0
            and pair[0] != old[0]
            and (pair[1] == old[1] or pair[1][-90:] in pair[0])
        ):
            return "new"
        return f"neither: {run}"

    target.make_old()
    return Verb(target, [BACKUP, target.path], prepare, state, (target.path.parent,))


def restore(target: Target) -> Verb:
    write_pair(target.path, target.pair)
    return Verb(
        target, [RESTORE, target.path], target.make_old, target.state, (target.path.parent,)
    )


@contextmanager
def rollback(target: Target) -> Iterator[Verb]:
    """The state is which of the two databases is live."""
    database = target.database
    write_pair(target.path, target.pair)
    target.make_old()
    assert_done(database.restore(target.path, RESTORE_KEEP_PREVIOUS="yes"))
    previous = database.databases()
    number = "SELECT oid::text FROM pg_database WHERE datname = current_database()"
    before = {}

    def remember() -> None:
        before["live"] = database.execute(number)

    def state() -> str:
        return "old" if database.execute(number) == before["live"] else "new"

    left = database.left_behind
    database.left_behind = lambda: [each for each in left() if each not in previous]
    try:
        yield Verb(target, [ROLLBACK], remember, state)
    finally:
        vars(database).pop("left_behind")
        for name in previous:
            database.server.execute(f"DROP DATABASE IF EXISTS {name}")


def deletion(target: Target) -> Verb:
    """The state is whether the rows are there; the content is no longer that of the target."""
    database = target.database
    query = "SELECT count(*) FROM region_info"

    def prepare() -> None:
        if database.execute(query) == [(0,)]:
            database.execute(
                "INSERT INTO region_info (provider_name, region_name) VALUES ('a', 'b')"
            )

    return Verb(
        target, [CLEAN], prepare, lambda: "new" if database.execute(query) == [(0,)] else "old"
    )


def verification(target: Target, failure: str) -> Verb:
    """Its result is remembered in a file: the state is whether that is a success.

    ``failure`` is the state in which the file says that the backup is bad.
    """
    write_pair(target.path, target.pair)
    path = target.path.with_name(f"{target.path.name}.verified")

    def state() -> str:
        assert read_pair(target.path) == target.pair
        if not path.exists():
            return "old"
        if "\tfailed\t" in path.read_text():
            return failure
        return "new" if path.read_text().count("\t") == 3 else f"cut: {path.read_text()}"

    return Verb(
        target,
        [VERIFY, "--level", "hash", target.path],
        lambda: path.unlink(missing_ok=True),
        state,
        (target.path.parent,),
        additional=True,
    )


@contextmanager
def pruning(target: Target) -> Iterator[Verb]:
    """Of two backups the older one is deleted, with its FILE.info."""
    directory = target.database.checkout.named_backups
    older, newer = directory / "older.dump.gz", directory / "newer.dump.gz"

    def prepare() -> None:
        write_backup(older, "2026-01-01 00:00:00")
        write_backup(newer, "2026-02-01 00:00:00")

    def state() -> str:
        assert newer.exists() and manifest_of(newer).exists()
        if older.exists() and manifest_of(older).exists():
            return "old"
        return "new" if not older.exists() else "a backup without FILE.info"

    yield Verb(target, [PRUNE, "--keep", "1"], prepare, state, (directory,))
    shutil.rmtree(directory)
