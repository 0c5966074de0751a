"""Whatever system call fails: the files and the database are old or new, and the next run works.

Two faults of a backup by default, all with TEST_ALL=yes (make faults).

strace makes calls fail in the real programs, on files in the directory of the backup and in
temporary directories: openat, write, mkdir and mknodat with "No space left on device", fsync,
rename and unlink with "Input/output error". Each call on each file fails once; of many calls by one
process, the first two and the last. Then all calls of a kind fail in one directory. The scripts are
those for backup, restore, rollback, deletion of rows, verification and pruning, with client
programs on this host.
"""

from __future__ import annotations

from support.databases import Database
from support.sampling import only_with_all

from faults import verbs
from faults.faults import CHANGE, Target, assert_done
from faults.syscalls import WITH_STRACE, faults_of, traced
from faults.verbs import SETTINGS, Verb

pytestmark = WITH_STRACE


def assert_survives_faults(verb: Verb) -> None:
    checkout = verb.target.database.checkout
    verb.prepare()
    run, calls = traced(checkout, *verb.command, **SETTINGS)
    assert_done(run)
    assert verb.state() == "new"
    verb.assert_survives(faults_of(calls, *verb.directories, checkout.temporary), 2)


def test_backup_with_a_failing_call_leaves_the_old_or_the_new_pair(small_target: Target) -> None:
    assert_survives_faults(verbs.backup(small_target))


@only_with_all
def test_restore_with_a_failing_call_leaves_old_or_new(small_target: Target) -> None:
    assert_survives_faults(verbs.restore(small_target))


@only_with_all
def test_rollback_with_a_failing_call_swaps_or_does_not(small_target: Target) -> None:
    with verbs.rollback(small_target) as verb:
        assert_survives_faults(verb)


@only_with_all
def test_deletion_with_a_failing_call_deletes_all_rows_or_none(direct: Database) -> None:
    assert_survives_faults(verbs.deletion(Target(direct, CHANGE)))


@only_with_all
def test_verification_with_a_failing_call_records_no_failure(small_target: Target) -> None:
    assert_survives_faults(verbs.verification(small_target, failure="a failure"))


@only_with_all
def test_pruning_with_a_failing_call_deletes_a_whole_backup_or_none(small_target: Target) -> None:
    with verbs.pruning(small_target) as verb:
        assert_survives_faults(verb)
