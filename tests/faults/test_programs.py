"""Whatever program misbehaves: the files and the database are old or new, and the next run works.

Two faults of a backup by default, all with TEST_ALL=yes (make faults).

Each program that a run calls fails, does nothing and reports success, cuts its output after 10
bytes and reports success, or hangs: in its first two calls, the middle one, the last one, and in
all of them. If a program hangs, SIGTERM to the process group ends the run. The scripts are the six
of verbs.py, with client programs on this host, which has the programs of the server's side too;
backup and restore are also tested with a docker that misbehaves. If a program claims to have
removed something and has not, the next run may have to remove it.

Not tested: readlink and dirname, by which a script finds its libraries; an rm that hangs, as a run
ignores signals while it cleans up; several programs at once. No run can notice a sync that does
nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from support.databases import Database
from support.sampling import ALL, only_with_all
from support.servers import Server

from faults import verbs
from faults.faults import CHANGE, Target, new_target
from faults.programs import misbehaviours
from faults.verbs import SETTINGS, Verb

pytestmark = [
    pytest.mark.timeout(3600 if ALL else 120),
    pytest.mark.skipif(not shutil.which("strace"), reason="there is no strace"),
]


@pytest.fixture(scope="module")
def docker_target(container: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    yield from new_target(container, tmp_path_factory.mktemp("faults"), CHANGE)


def assert_survives_misbehaviour(verb: Verb, *programs: str) -> None:
    """Try all programs that the run calls, or only these."""
    verb.prepare()
    faults = misbehaviours(verb.target.database.checkout, *verb.command, **SETTINGS)
    assert verb.state() == "new"
    verb.assert_survives(
        [each for each in faults if each.program in (programs or [each.program])], 2
    )


def test_backup_with_a_misbehaving_program_leaves_the_old_or_the_new_pair(
    small_target: Target,
) -> None:
    assert_survives_misbehaviour(verbs.backup(small_target))


@only_with_all
def test_restore_with_a_misbehaving_program_leaves_old_or_new(small_target: Target) -> None:
    assert_survives_misbehaviour(verbs.restore(small_target))


@only_with_all
def test_rollback_with_a_misbehaving_program_swaps_or_does_not(small_target: Target) -> None:
    with verbs.rollback(small_target) as verb:
        assert_survives_misbehaviour(verb)


@only_with_all
def test_deletion_with_a_misbehaving_program_deletes_all_rows_or_none(direct: Database) -> None:
    assert_survives_misbehaviour(verbs.deletion(Target(direct, CHANGE)))


@only_with_all
def test_verification_with_a_misbehaving_program_records_no_success(small_target: Target) -> None:
    assert_survives_misbehaviour(verbs.verification(small_target, failure="old"))


@only_with_all
def test_pruning_with_a_misbehaving_program_deletes_a_whole_backup_or_none(
    small_target: Target,
) -> None:
    with verbs.pruning(small_target) as verb:
        assert_survives_misbehaviour(verb)


@only_with_all
def test_backup_with_a_misbehaving_docker_leaves_the_old_or_the_new_pair(
    docker_target: Target,
) -> None:
    assert_survives_misbehaviour(verbs.backup(docker_target), "docker")


@only_with_all
def test_restore_with_a_misbehaving_docker_leaves_old_or_new(docker_target: Target) -> None:
    assert_survives_misbehaviour(verbs.restore(docker_target), "docker")
