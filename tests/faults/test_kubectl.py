"""A connection to a pod that breaks, at any moment and in either direction.

kubectl exec takes a stream for complete if its connection is closed in good order, so half of the
connections here are. A sample by default, all of it with TEST_FAULTS=all (make faults).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from support.backups import read_pair, write_pair
from support.databases import Database
from support.kubernetes import STDIN, STDOUT, Cut, PodServer
from support.run import BACKUP, RESTORE, Run, new_checkout
from support.running import ended
from support.waiting import until, until_line

from faults.faults import CHANGE, Target, assert_done, sampled

CUTS_OF_RESTORE = [(channel, point) for point in range(20) for channel in (STDIN, STDOUT)]
CUTS_OF_BACKUP = [(channel, point) for point in range(20) for channel in (STDOUT, STDIN)]
# Does not compress, so that most bytes of a stream are those of the archive.
WIDE = """
CREATE TABLE wide AS SELECT n, sha512(n::text::bytea) AS hash FROM generate_series(1, 20000) AS n
"""


@pytest.fixture(scope="module")
def target(pod_server: PodServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    pod_server.reset()
    database = Database(pod_server, new_checkout(tmp_path_factory.mktemp("faults")))
    database.create()
    database.execute(WIDE)
    yield Target(database, CHANGE + "DELETE FROM wide WHERE n % 1000 = 7;")
    database.drop()


pytestmark = pytest.mark.xdist_group("faults-kubectl")


def passed(target: Target, script: str, channel: int) -> int:
    """Return how many bytes of a channel a whole run of the script passes."""
    cluster = target.database.server.cluster
    if (script, channel) not in target.measured:
        target.make_old()
        cluster.forget()
        assert_done(ended(target.start(script, target.path, BACKUP_COMPRESSION="small")))
        for each in (STDIN, STDOUT):
            target.measured[script, each] = cluster.passed[each]
    return target.measured[script, channel]


def run_with_cut(target: Target, script: str, cut: Cut) -> Run:
    cluster = target.database.server.cluster
    cluster.forget()
    cluster.cut = cut
    run = ended(target.start(script, target.path, BACKUP_COMPRESSION="small"))
    cluster.cut = None
    return run


def assert_one_sentence(run: Run) -> None:
    """The run has failed because of the connection, or had done its work before."""
    assert run.status in (0, 1, 3) and len(run.errors) == (run.status == 1), run
    if run.status == 1:
        assert "lost the connection to pod 'postgres-0' in namespace 'default' of" in run.err, run


def assert_clean(target: Target) -> None:
    """Nothing is left here, in the server, or in the pod, and the server has not crashed."""
    server = target.database.server
    until(lambda: server.programs() == [])
    assert target.database.left_behind() == []
    assert server.temporary_files() == []
    assert server.crashes() == []


@pytest.mark.parametrize(("channel", "point"), sampled(CUTS_OF_RESTORE, 0), ids=str)
def test_restore_whose_connection_breaks_leaves_old_or_new(
    target: Target, channel: int, point: int
) -> None:
    cut = Cut(channel, passed(target, RESTORE, channel) * point // 20, point % 2 == 0)
    target.make_old()
    run = run_with_cut(target, RESTORE, cut)
    assert_one_sentence(run)
    assert target.state() == ("old" if "the database is unchanged" in run.err else "new"), run
    assert_clean(target)
    target.assert_recovers()


@pytest.mark.parametrize(("channel", "point"), sampled(CUTS_OF_BACKUP, 0), ids=str)
def test_backup_whose_connection_breaks_keeps_the_earlier_one(
    target: Target, channel: int, point: int
) -> None:
    cut = Cut(channel, passed(target, BACKUP, channel) * point // 20, point % 2 == 0)
    target.make_old()
    write_pair(target.path, target.pair)
    run = run_with_cut(target, BACKUP, cut)
    assert_one_sentence(run)
    if run.status == 1:
        assert "the existing backup is unchanged" in run.err
        assert read_pair(target.path) == target.pair
    assert_clean(target)
    assert_done(target.database.restore(target.path))
    assert target.state() == ("new" if run.status == 1 else "old")
    write_pair(target.path, target.pair)


@pytest.mark.parametrize("number", sampled([signal.SIGKILL, signal.SIGTERM], 0))
def test_signal_ends_a_restore_and_its_programs_in_the_pod(
    target: Target, number: signal.Signals
) -> None:
    target.make_old()
    process = target.start(RESTORE, target.path)
    until_line(process, "loading")
    os.killpg(process.pid, number)
    process.communicate(timeout=30)
    until(lambda: target.database.server.programs() == [])
    if number == signal.SIGTERM:
        assert_clean(target)
    assert target.state() == "old"
    target.assert_recovers()
    assert target.database.server.crashes() == []
