"""A connection to a remote Docker engine that breaks, at any moment and in either direction.

docker exec takes a stream for complete if its connection is closed in good order, so half of the
connections here are. A sample by default, all of it with TEST_FAULTS=all (make faults).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from support.backups import read_pair, write_pair
from support.databases import Database
from support.engines import FROM_ENGINE, TO_ENGINE, EngineCut, RemoteContainer, remote_engine
from support.run import BACKUP, RESTORE, Run, new_checkout
from support.running import ended
from support.servers import Container
from support.waiting import until, until_line

from faults.faults import CHANGE, Target, assert_done, sampled
from faults.test_kubectl import WIDE

CUTS = [(direction, point) for point in range(20) for direction in (TO_ENGINE, FROM_ENGINE)]

pytestmark = pytest.mark.xdist_group("faults-remote-engine")


@pytest.fixture(scope="module")
def target(container: Container, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with remote_engine() as engine:
        server = RemoteContainer(container.name, container.address, engine)
        database = Database(server, new_checkout(tmp_path_factory.mktemp("faults")))
        database.create()
        database.execute(WIDE)
        yield Target(database, CHANGE + "DELETE FROM wide WHERE n % 1000 = 7;")
        database.drop()


def passed(target: Target, script: str, direction: str) -> int:
    """Return how many bytes a whole run of the script passes in a direction."""
    engine = target.database.server.engine
    if (script, direction) not in target.measured:
        target.make_old()
        engine.forget()
        assert_done(ended(target.start(script, target.path, BACKUP_COMPRESSION="small")))
        for each in (TO_ENGINE, FROM_ENGINE):
            target.measured[script, each] = engine.passed[each]
    return target.measured[script, direction]


def run_with_cut(target: Target, script: str, direction: str, point: int) -> Run:
    """Run the script on the old content, where there is the earlier backup."""
    engine = target.database.server.engine
    after = passed(target, script, direction) * point // 20
    target.make_old()
    write_pair(target.path, target.pair)
    engine.forget()
    engine.cut = EngineCut(direction, after, point % 2 == 0)
    run = ended(target.start(script, target.path, BACKUP_COMPRESSION="small"))
    engine.cut = None
    return run


def assert_one_sentence(target: Target, run: Run) -> None:
    """The run has failed and names the engine, or it had done its work before."""
    assert run.status in (0, 1, 3) and len(run.errors) == (run.status == 1), run
    if run.status == 1:
        assert target.database.server.engine.host in run.err, run


def assert_clean(target: Target) -> None:
    """Nothing is left here, in the server, or in the container; the server has not crashed."""
    until(lambda: target.database.server.programs() == [])
    target.assert_clean()
    assert target.database.server.temporary_files() == []


@pytest.mark.parametrize(("direction", "point"), sampled(CUTS, 0), ids=str)
def test_restore_whose_connection_breaks_leaves_old_or_new(
    target: Target, direction: str, point: int
) -> None:
    run = run_with_cut(target, RESTORE, direction, point)
    assert_one_sentence(target, run)
    assert target.state() == ("old" if "the database is unchanged" in run.err else "new"), run
    assert_clean(target)
    target.assert_recovers()


@pytest.mark.parametrize(("direction", "point"), sampled(CUTS, 0), ids=str)
def test_backup_whose_connection_breaks_keeps_the_earlier_one(
    target: Target, direction: str, point: int
) -> None:
    run = run_with_cut(target, BACKUP, direction, point)
    assert_one_sentence(target, run)
    if run.status == 1:
        assert "the existing backup is unchanged" in run.err
        is_same = read_pair(target.path) == target.pair  # no diff of the bytes
        assert is_same
    assert_clean(target)
    assert_done(target.database.restore(target.path))
    assert target.state() == ("new" if run.status == 1 else "old")
    write_pair(target.path, target.pair)


@pytest.mark.parametrize("number", sampled([signal.SIGKILL, signal.SIGTERM], 0))
def test_signal_ends_a_restore_and_its_programs_in_the_container(
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
