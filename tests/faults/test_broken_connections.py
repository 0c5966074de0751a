"""A connection to a pod or to a remote Docker engine that breaks, at any moment and either way.

kubectl exec and docker exec take a stream for complete if its connection is closed in good order,
so half of the connections here are. TEST_ALL=yes (make faults) runs them.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest
from support.backups import read_pair, write_pair
from support.engines import (
    FROM_ENGINE,
    TO_ENGINE,
    EngineCut,
    RemoteContainer,
    RemoteEngine,
    remote_engine,
)
from support.kubernetes import STDIN, STDOUT, Cluster, Cut, PodServer
from support.run import BACKUP, RESTORE, Run
from support.running import ended
from support.sampling import sampled
from support.servers import Container
from support.waiting import until, until_line

from faults.faults import CHANGE, Target, assert_done, new_target

# Does not compress, so that most bytes of a stream are those of the archive.
WIDE = """
CREATE TABLE wide AS SELECT n, sha512(n::text::bytea) AS hash FROM generate_series(1, 20000) AS n
"""
IN, OUT = 0, 1  # to the server, and from it
CUTS = list(product((IN, OUT), range(20)))


@dataclass
class Wire:
    """A connection that breaks, and a target at its end.

    ``link`` counts the bytes that pass each of the two ``ways``, and cuts the connection by a
    ``cut``. ``lost`` is in the error of a run whose connection broke.
    """

    target: Target
    link: Cluster | RemoteEngine
    ways: tuple
    cut: type
    lost: str

    def passed(self, script: str, way: int) -> int:
        """Return how many bytes a whole run of the script passes that way."""
        measured = self.target.measured
        if (script, way) not in measured:
            self.target.make_old()
            self.link.forget()
            assert_done(self.run(script))
            for each in (IN, OUT):
                measured[script, each] = self.link.passed[self.ways[each]]
        return measured[script, way]

    def run(self, script: str) -> Run:
        return ended(self.target.start(script, self.target.path, BACKUP_COMPRESSION="small"))

    def run_with_cut(self, script: str, way: int, point: int) -> Run:
        """Run the script on the old content, where there is the earlier backup."""
        after = self.passed(script, way) * point // 20
        self.target.make_old()
        write_pair(self.target.path, self.target.pair)
        self.link.forget()
        self.link.cut = self.cut(self.ways[way], after, point % 2 == 0)
        run = self.run(script)
        self.link.cut = None
        assert run.status in (0, 1, 3) and len(run.errors) == (run.status == 1), run
        if run.status == 1:
            assert self.lost in run.err, run
        return run

    def assert_clean(self) -> None:
        """Nothing is left here, in the server, or in its container."""
        server = self.target.database.server
        until(lambda: server.programs() == [])
        self.target.assert_clean()
        assert server.temporary_files() == []


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=pytest.mark.xdist_group(f"faults-{name}"))
        for name in ("pod", "engine")
    ],
)
def wire(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Wire]:
    directory = tmp_path_factory.mktemp("faults")
    with ExitStack() as stack:
        if request.param == "pod":
            yield from wire_to_pod(request.getfixturevalue("pod_server"), directory)
        else:
            engine = stack.enter_context(remote_engine())
            yield from wire_to_engine(request.getfixturevalue("container"), engine, directory)


def wire_to_pod(server: PodServer, directory: Path) -> Iterator[Wire]:
    server.reset()
    lost = "lost the connection to pod 'postgres-0' in namespace 'default' of"
    for target in wide_target(server, directory):
        yield Wire(target, server.cluster, (STDIN, STDOUT), Cut, lost)


def wire_to_engine(container: Container, engine: RemoteEngine, directory: Path) -> Iterator[Wire]:
    server = RemoteContainer(container.name, container.address, engine)
    for target in wide_target(server, directory):
        yield Wire(target, engine, (TO_ENGINE, FROM_ENGINE), EngineCut, engine.host)


def wide_target(server: Container | PodServer, directory: Path) -> Iterator[Target]:
    return new_target(server, directory, CHANGE + "DELETE FROM wide WHERE n % 1000 = 7;", WIDE)


@pytest.mark.parametrize(("way", "point"), sampled(CUTS, 0))
def test_restore_whose_connection_breaks_leaves_old_or_new(
    wire: Wire, way: int, point: int
) -> None:
    run = wire.run_with_cut(RESTORE, way, point)
    state = "old" if "the database is unchanged" in run.err else "new"
    assert wire.target.state() == state, run
    wire.assert_clean()
    wire.target.assert_recovers()


@pytest.mark.parametrize(("way", "point"), sampled(CUTS, 0))
def test_backup_whose_connection_breaks_keeps_the_earlier_one(
    wire: Wire, way: int, point: int
) -> None:
    target = wire.target
    run = wire.run_with_cut(BACKUP, way, point)
    if run.status == 1:
        assert "the existing backup is unchanged" in run.err
        is_same = read_pair(target.path) == target.pair  # no diff of the bytes
        assert is_same
    wire.assert_clean()
    assert_done(target.database.restore(target.path))
    assert target.state() == ("new" if run.status == 1 else "old")
    write_pair(target.path, target.pair)


@pytest.mark.parametrize("number", sampled([signal.SIGKILL, signal.SIGTERM], 0))
def test_signal_ends_a_restore_and_its_programs_at_the_other_end(
    wire: Wire, number: signal.Signals
) -> None:
    target = wire.target
    target.make_old()
    process = target.start(RESTORE, target.path)
    until_line(process, "loading")
    os.killpg(process.pid, number)
    process.communicate(timeout=30)
    until(lambda: target.database.server.programs() == [])
    if number == signal.SIGTERM:
        wire.assert_clean()
    assert target.state() == "old"
    target.assert_recovers()
