"""Whatever a power loss leaves of a run's files: the old or the new backup, and the next run works.

The states are computed from the calls of real runs (power.py). A sample by default, all with
TEST_ALL=yes (make faults).

The calls of a traced backup give each state that may be left. Until a file is synced, its content
may be whole, empty, cut in half, or zeros. Until a directory is synced, any of its new names and
renames may be missing. In each state the backup is the old or the new one, it can be verified, and
the next backup works and removes what is left.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from support.backups import manifest_of, read_pair, write_pair
from support.databases import Database
from support.run import BACKUP, LIST, RESTORE, VERIFY
from support.sampling import sampled

from faults.faults import Target, assert_done
from faults.power import State, read_state, states_of, write_state
from faults.syscalls import WITH_STRACE, Call, traced

pytestmark = WITH_STRACE


def traced_states(target: Target, *command: str | Path) -> tuple[State, list[State], list[Call]]:
    """Run a command; return what it leaves, and what a power loss during it may leave."""
    directory = target.path.parent
    before = read_state(directory)
    run, calls = traced(target.database.checkout, *command)
    assert_done(run)
    after = read_state(directory)
    inside = [call for call in calls if any(is_in(path, directory) for path in call.paths)]
    return after, states_of(directory, before, after, inside), inside


def is_in(path: str, directory: Path) -> bool:
    return Path(path) == directory or Path(path).parent == directory


def problem_of_backup(target: Target, state: State, new: tuple[bytes, bytes]) -> str | None:
    """Use what is left; return what is wrong."""
    checkout = target.database.checkout
    write_state(target.path.parent, state)
    shown = {name: len(content) for name, content in state.items()}
    if target.path.read_bytes() not in (target.pair[0], new[0]):
        return f"{shown}: neither the old nor the new file"
    for command in ([LIST], [VERIFY, "--level", "hash"], [RESTORE, "--dry-run", target.path]):
        run = checkout.run(*command)
        if run.status != 0:
            return f"{shown}: {command}: {run}"
    pair = read_pair(target.path)
    if pair not in (target.pair, new):
        half = manifest_of(target.path).read_bytes() in (target.pair[1], new[1])
        return None if half else f"{shown}: FILE.info is neither"
    write_state(target.path.parent, state)
    run = target.database.backup(target.path)
    if run.status != 0 or target.database.left_behind():
        return f"{shown}: the next backup: {run} {target.database.left_behind()}"
    return None


def test_backup_leaves_the_old_or_the_new_one(small_target: Target) -> None:
    small_target.make_old()
    write_pair(small_target.path, small_target.pair)
    _, states, _ = traced_states(small_target, BACKUP, small_target.path)
    new = read_pair(small_target.path)
    assert len(states) > 10
    chosen = sampled(states, 1)
    problems = [problem_of_backup(small_target, state, new) for state in chosen]
    problems = [problem for problem in problems if problem]
    print(f"{len(problems)} of {len(chosen)} states of a backup")
    assert not problems, "\n\n".join(problems)


def test_new_directories_and_key_are_on_the_disk_before_the_backup(direct: Database) -> None:
    """Otherwise a power loss could take the whole new backup away, or what it is trusted by."""
    checkout = direct.checkout
    new = checkout.path / "new"
    run, calls = traced(checkout, BACKUP, new / "deep" / "x.dump.gz")
    assert_done(run)
    (renamed,) = [
        place
        for place, call in enumerate(calls)
        if call.name.startswith("rename") and call.paths[-1].endswith("x.dump.gz")
    ]
    synced = {call.paths[0] for call in calls[:renamed] if call.name == "fsync"}
    expected = [new / "deep", new, checkout.path, checkout.key, checkout.key.parent]
    expected += [checkout.home / ".config", checkout.home]
    assert [path for path in expected if str(path) not in synced] == []


def test_cut_result_of_a_verification_counts_as_none(small_target: Target) -> None:
    """FILE.verified is not synced."""
    checkout = small_target.database.checkout
    path = checkout.named_backups / "x.dump.gz"
    path.parent.mkdir(parents=True)
    write_pair(path, small_target.pair)
    assert_done(checkout.run(VERIFY, "--level", "hash", path))
    remembered = path.with_name(f"{path.name}.verified")
    whole = remembered.read_bytes()
    assert re.search("^x .* hash 0m$", checkout.run(LIST).out, re.MULTILINE)
    for content in sampled([b"", whole[:-10], whole[: len(whole) // 2], bytes(len(whole))], 1):
        remembered.write_bytes(content)
        run = checkout.run(LIST)
        assert run.status == 0 and re.search("^x .* -$", run.out, re.MULTILINE), run
        assert run.err == ""
    assert_done(checkout.run(VERIFY, "--level", "hash", path))
    assert remembered.read_bytes().count(b"\t") == 3
    shutil.rmtree(path.parent)
