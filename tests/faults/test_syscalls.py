"""Whatever system call fails: the files and the database are old or new, and the next run works.

Two faults of a backup by default, all with TEST_FAULTS=all (make faults).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.backups import Pair, manifest_of, read_pair, write_backup, write_pair
from support.databases import Database
from support.run import BACKUP, CLEAN, CONFIRMED, PRUNE, RESTORE, ROLLBACK, Run
from support.servers import Server

from faults.faults import ALL, CHANGE, Target, assert_done, new_target, sampled
from faults.syscalls import WITH_STRACE, Fault, faults_of, run_with, traced

VERIFY = "./scripts/verify-backup.sh"
SETTINGS = {**CONFIRMED, "RESTORE_KEEP_PREVIOUS": ""}
RAW = re.compile(r"(?:\.sh|\bsh|dash|bash): (?:line )?\d+: |Traceback", re.MULTILINE)

pytestmark = WITH_STRACE


campaign = pytest.mark.skipif(not ALL, reason="TEST_FAULTS=all runs it; the sample is of backups")


@pytest.fixture(scope="module")
def target(direct_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    yield from new_target(direct_server, tmp_path_factory.mktemp("faults"), CHANGE)


@dataclass
class Verb:
    """A script, what makes the state before it, and what state it may leave.

    ``state`` returns "old", "new" or what is wrong. With ``additional``, the new state is a result
    besides: without it, a warning is enough.
    """

    target: Target
    command: list[str | Path]
    prepare: Callable[[], object]
    state: Callable[[], str]
    additional: bool = False

    def problem_with(self, fault: Fault) -> str | None:
        """Run it with the fault, then without; return what is wrong."""
        checkout = self.target.database.checkout
        self.prepare()
        try:
            run = run_with(fault, checkout, *self.command, **SETTINGS)
        except subprocess.TimeoutExpired:
            return f"{fault}: it hangs"
        state = self.state()
        expected = "new" if self.additional and "warning: " in run.err else state
        problem = problem_of(run, state if run.status else expected)
        left = self.target.database.left_behind()
        if left and "the next run will" not in run.err:
            problem = problem or f"left behind: {left}"
        if left or state != "old":
            self.prepare_next(state)
            again = checkout.run(*self.command, **SETTINGS)
            if again.status != 0 or self.state() != "new" or self.target.database.left_behind():
                left = self.target.database.left_behind()
                problem = problem or f"the next run: {again}\n{self.state()} {left}"
        return problem and f"{fault}: {problem}\n{run}"

    def prepare_next(self, state: str) -> None:
        """A run that has replaced or deleted all has nothing more to do."""
        if state == "new":
            self.prepare()


def problem_of(run: Run, state: str) -> str | None:
    if run.status not in (0, 1, 3):
        return "undocumented exit code"
    if state not in ("old", "new"):
        return f"state {state}"
    if (state == "old") != (run.status == 1):
        return f"exit {run.status}, but the state is {state}"
    if len(run.errors) != (run.status == 1) or (run.status == 3 and "warning: " not in run.err):
        return "not one sentence"
    if RAW.search(run.err):
        return "a raw error"
    return None


def assert_survives_faults(verb: Verb, *directories: Path) -> None:
    checkout = verb.target.database.checkout
    verb.prepare()
    run, calls = traced(checkout, *verb.command, **SETTINGS)
    assert_done(run)
    assert verb.state() == "new"
    faults = faults_of(calls, *directories, checkout.temporary)
    problems = list(filter(None, map(verb.problem_with, sampled(faults, 2))))
    print(f"{len(problems)} of {len(faults)} faults of {verb.command[0]}")
    assert not problems, "\n\n".join([f"{len(problems)} of {len(faults)}:", *problems])


def pair_state(target: Target, path: Path, old: Pair) -> str:
    """Return "old", "new" if it is verified by its manifest, or what is wrong."""
    pair = read_pair(path)
    if pair == old:
        return "old"
    run = target.database.checkout.run(VERIFY, "--quiet", "--level", "hash", path)
    path.with_name(f"{path.name}.verified").unlink(missing_ok=True)
    if run.status == 0 and pair[0] != old[0] and (pair[1] == old[1] or pair[1][-90:] in pair[0]):
        return "new"
    return f"neither: {run}"


def test_backup_with_a_failing_call_leaves_the_old_or_the_new_pair(target: Target) -> None:
    def prepare() -> None:
        write_pair(target.path, target.pair)

    target.make_old()
    verb = Verb(
        target,
        [BACKUP, target.path],
        prepare,
        lambda: pair_state(target, target.path, target.pair),
    )
    assert_survives_faults(verb, target.path.parent)
    prepare()


@campaign
def test_restore_with_a_failing_call_leaves_old_or_new(target: Target) -> None:
    verb = Verb(target, [RESTORE, target.path], target.make_old, target.state)
    assert_survives_faults(verb, target.path.parent)


@campaign
def test_rollback_with_a_failing_call_swaps_or_does_not(target: Target) -> None:
    """The state is which of the two databases is live."""
    database = target.database
    target.make_old()
    assert_done(database.restore(target.path, RESTORE_KEEP_PREVIOUS="yes"))
    previous = database.databases()
    try:
        number = "SELECT oid::text FROM pg_database WHERE datname = current_database()"
        before = {}

        def remember() -> None:
            before["live"] = database.execute(number)

        verb = Verb(
            target,
            [ROLLBACK],
            remember,
            lambda: "old" if database.execute(number) == before["live"] else "new",
        )
        left = database.left_behind
        database.left_behind = lambda: [each for each in left() if each not in previous]
        assert_survives_faults(verb)
    finally:
        vars(database).pop("left_behind", None)
        for name in previous:
            database.server.execute(f"DROP DATABASE IF EXISTS {name}")


@campaign
def test_deletion_with_a_failing_call_deletes_all_rows_or_none(direct: Database) -> None:
    target = Target(direct, CHANGE)
    query = "SELECT count(*) FROM region_info"

    def prepare() -> None:
        if direct.execute(query) == [(0,)]:
            direct.execute("INSERT INTO region_info (provider_name, region_name) VALUES ('a', 'b')")

    verb = Verb(
        target, [CLEAN], prepare, lambda: "new" if direct.execute(query) == [(0,)] else "old"
    )
    assert_survives_faults(verb)


@campaign
def test_verification_with_a_failing_call_records_no_failure(target: Target) -> None:
    """Its result is remembered in a file: the state is what was remembered, if it is whole."""
    write_pair(target.path, target.pair)
    path = target.path.with_name(f"{target.path.name}.verified")

    def state() -> str:
        assert read_pair(target.path) == target.pair
        if not path.exists():
            return "old"
        return "new" if path.read_text().count("\t") == 3 else f"cut: {path.read_text()}"

    verb = Verb(
        target,
        [VERIFY, "--level", "hash", target.path],
        lambda: path.unlink(missing_ok=True),
        state,
        additional=True,
    )
    assert_survives_faults(verb, target.path.parent)


@campaign
def test_pruning_with_a_failing_call_deletes_a_whole_backup_or_none(target: Target) -> None:
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

    verb = Verb(target, [PRUNE, "--keep", "1"], prepare, state)
    assert_survives_faults(verb, directory)
    shutil.rmtree(directory)
