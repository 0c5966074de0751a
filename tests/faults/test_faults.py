"""Whatever fails, and when: the database is the old or the new one, and the next run cleans up.

A sample of each campaign by default, all of it with TEST_ALL=yes (make faults).
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from support.backups import manifest_of, read_pair, remove_manifest, write_pair
from support.databases import Database
from support.disks import small_disk
from support.kubernetes import PodServer
from support.run import BACKUP, CONFIRMED, DROP, RESTORE, ROLLBACK
from support.running import ended, kill
from support.sampling import ALL, only_with_all, sampled
from support.servers import BACKENDS, Container, docker, started_container
from support.waiting import until, until_line

from faults.faults import (
    BIG,
    CHANGE,
    CHANGE_BIG,
    SLOW_TO_LOAD,
    Target,
    assert_done,
    assert_refused,
    fill,
    free,
    killing_programs,
    new_target,
    paused,
    start_again,
    until_load_is_slow,
)

RESTORE_STEPS = ["checking", "backup ", "warning: every", "loading", "verifying", "swapping"]
KEEP = {"RESTORE_KEEP_COPY": "yes"}
IN_PLACE = {"RESTORE_IN_PLACE": "yes"}
CLONES = [(step, delay / 20) for step in ("copying", "cloning") for delay in range(8)]
BACKUP_STEPS = ["backing up", "restoring", "verifying", "wrote"]
MOMENTS = range(30)
SERVERS = {**BACKENDS, "kubectl": "pod_server"}
MODES = [((), moment) for moment in MOMENTS]
MODES += [
    (mode, moment) for mode in (("--data-only",), ("--table", "big")) for moment in MOMENTS[::3]
]


def calls(most: int) -> list[tuple[int, str]]:
    """Return a moment before and after each of the programs that a run calls, at most so many."""
    return [(number, when) for number in range(1, most + 1) for when in ("before", "after")]


def together(group: str) -> pytest.MarkDecorator:
    """Run the tests that share a target in one process, which creates it once."""
    return pytest.mark.xdist_group(f"faults-{group}")


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=together(name)) for name in sampled(list(SERVERS), 1)],
)
def target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    """A database whose backup and restore take seconds, on each backend; the sample's is docker."""
    server = request.getfixturevalue(SERVERS[request.param])
    if isinstance(server, PodServer):
        server.reset()
    yield from new_target(server, tmp_path_factory.mktemp("faults"), CHANGE + CHANGE_BIG, BIG)


@pytest.fixture(scope="module")
def own_container(
    container: Container, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Container, Target]]:
    """A container of its own, to be stopped, killed and paused, and a database in it."""
    with started_container() as own:
        for target in new_target(own, tmp_path_factory.mktemp("faults"), CHANGE, SLOW_TO_LOAD):
            yield own, target


# --- kill -9 of the whole process group ---


@pytest.mark.parametrize(("mode", "moment"), sampled(MODES, 0))
def test_restore_killed_at_any_moment_leaves_old_or_new(
    target: Target, mode: tuple[str, ...], moment: int
) -> None:
    new = target.content_after(mode)
    delay = target.seconds(RESTORE) * moment / len(MOMENTS)
    target.make_old()
    process = target.start(RESTORE, *mode, target.path)
    time.sleep(delay)
    kill(process)
    assert target.state(new) in ("old", "new")
    target.assert_recovers()


@pytest.mark.parametrize(("mode", "moment"), sampled(MODES, 0))
def test_restore_in_place_killed_at_any_moment_leaves_old_or_new(
    target: Target, mode: tuple[str, ...], moment: int
) -> None:
    new = target.content_after(mode)
    delay = target.seconds(RESTORE, **IN_PLACE) * moment / len(MOMENTS)
    target.make_old()
    process = target.start(RESTORE, *mode, target.path, **IN_PLACE)
    time.sleep(delay)
    kill(process)
    assert target.state(new) in ("old", "new")
    assert_done(target.database.restore(target.path, **IN_PLACE))
    target.assert_recovers()


@pytest.mark.parametrize("step", sampled(RESTORE_STEPS, 1))
def test_restore_killed_at_a_step_leaves_old_or_new(target: Target, step: str) -> None:
    target.make_old()
    process = target.start(RESTORE, target.path)
    until_line(process, step)
    kill(process)
    assert target.state() in ("old", "new")
    target.assert_recovers()


@pytest.mark.parametrize(
    ("number", "when", "how"),
    [(*moment, {}) for moment in sampled(calls(28), 1)]
    + [(*moment, IN_PLACE) for moment in sampled(calls(40), 0)],
)
def test_restore_killed_at_any_program_leaves_old_or_new(
    target: Target, tmp_path: Path, number: int, when: str, how: dict[str, str]
) -> None:
    target.make_old()
    dying = killing_programs(tmp_path, target.database, number, when)
    ended(target.start(RESTORE, target.path, **dying, **how))
    assert target.state() in ("old", "new")
    target.assert_recovers()


@together("direct")
@pytest.mark.parametrize(("number", "when"), sampled(calls(6), 1))
def test_rollback_killed_at_any_program_leaves_old_or_new(
    small_target: Target, tmp_path: Path, number: int, when: str
) -> None:
    small_target.make_old()
    assert_done(small_target.database.restore(small_target.path, RESTORE_KEEP_PREVIOUS="yes"))
    try:
        ended(
            small_target.start(
                ROLLBACK,
                **CONFIRMED,
                **killing_programs(tmp_path, small_target.database, number, when),
            )
        )
        before = small_target.state()
        assert before in ("old", "new")
        assert_done(small_target.database.checkout.run(ROLLBACK, **CONFIRMED))
        assert small_target.state() == {"old": "new", "new": "old"}[before]
    finally:
        drop_previous(small_target.database)
    small_target.assert_recovers()


def drop_previous(database: Database) -> None:
    for name in database.databases():
        assert name.startswith("assets_previous_")
        database.server.execute(f"DROP DATABASE {name}")


@pytest.mark.parametrize(("step", "delay"), sampled(CLONES, 0))
def test_restore_killed_while_it_clones_leaves_old_or_new(
    target: Target, step: str, delay: float
) -> None:
    with restore_that_clones(target, step) as process:
        time.sleep(delay)
        kill(process)
        assert target.state() in ("old", "new")


@contextmanager
def restore_that_clones(target: Target, step: str) -> Iterator[subprocess.Popen]:
    """Yield a restore that is copying its staging database, or cloning a copy. Later ones work."""
    if step == "cloning":
        assert_done(target.database.restore(target.path, **KEEP))
    target.make_old()
    process = target.start(RESTORE, target.path, **KEEP)
    until_line(process, step)
    yield process
    target.make_old()
    assert_done(target.database.restore(target.path, **KEEP))
    assert target.state() == "new"
    assert [name[:12] for name in target.database.left_behind()] == ["assets_copy_"]
    assert_done(target.database.checkout.run(DROP))
    target.assert_recovers()


@pytest.mark.parametrize("moment", sampled(MOMENTS, 0))
def test_backup_killed_at_any_moment_leaves_one_whole_pair(target: Target, moment: int) -> None:
    delay = target.seconds(BACKUP) * moment / len(MOMENTS)
    prepare_backup(target)
    process = target.start(BACKUP, target.path)
    time.sleep(delay)
    kill(process)
    assert_earlier_or_new_pair(target)


@pytest.mark.parametrize("step", sampled(BACKUP_STEPS, 0))
def test_backup_killed_at_a_step_leaves_one_whole_pair(target: Target, step: str) -> None:
    prepare_backup(target)
    process = target.start(BACKUP, target.path)
    until_line(process, step)
    kill(process)
    assert_earlier_or_new_pair(target)


@pytest.mark.parametrize(("number", "when"), sampled(calls(45), 1))
def test_backup_killed_at_any_program_leaves_one_whole_pair(
    target: Target, tmp_path: Path, number: int, when: str
) -> None:
    prepare_backup(target)
    ended(
        target.start(
            BACKUP, target.path, **killing_programs(tmp_path, target.database, number, when)
        )
    )
    assert_earlier_or_new_pair(target)


def prepare_backup(target: Target) -> None:
    write_pair(target.path, target.pair)
    target.make_old()


def assert_earlier_or_new_pair(target: Target) -> None:
    """The earlier backup holds the target's new content, the killed one would hold the old one."""
    assert target.state() == "old"
    run = target.database.restore(target.path)
    assert_done(run)
    assert "no manifest" not in run.err
    published = read_pair(target.path)
    assert target.state() == ("new" if published[0] == target.pair[0] else "old")
    assert (published[0] == target.pair[0]) == (published[1] == target.pair[1])
    target.make_old()
    assert_done(target.database.backup(target.path))
    target.assert_clean()
    write_pair(target.path, target.pair)


@only_with_all
@pytest.mark.parametrize("step", sampled(["loading", "swapping"], 1))
def test_backup_cleans_up_after_a_killed_restore(target: Target, step: str) -> None:
    target.make_old()
    process = target.start(RESTORE, target.path)
    until_line(process, step)
    kill(process)
    assert_done(target.database.backup(target.path.with_name("other.dump.gz")))
    assert target.state() in ("old", "new")
    target.assert_clean()


# --- the container is stopped, killed or paused ---

ENDS = [
    (end, step)
    for step in ("loading", "swapping", "verifying", "backup ")
    for end in ("stop", "kill")
]


@together("own_container")
@pytest.mark.parametrize(("end", "step"), sampled(ENDS, 0))
def test_container_ended_at_a_step_keeps_old_or_new(
    own_container: tuple[Container, Target], end: str, step: str
) -> None:
    container, target = own_container
    target.make_old()
    process = target.start(RESTORE, target.path)
    until_line(process, step)
    docker(end, container.name)
    run = ended(process)
    assert run.status in (0, 1, 3) and len(run.errors) <= 1, run
    start_again(container)
    assert target.state() == ("old" if run.status == 1 else "new")
    target.assert_recovers()


@together("own_container")
@pytest.mark.parametrize(
    ("moment", "end"), sampled([(moment, end) for moment in MOMENTS for end in ("stop", "kill")], 0)
)
def test_container_ended_at_any_moment_keeps_old_or_new(
    own_container: tuple[Container, Target], moment: int, end: str
) -> None:
    container, target = own_container
    delay = target.seconds(RESTORE) * moment / len(MOMENTS)
    target.make_old()
    process = target.start(RESTORE, target.path)
    time.sleep(delay)
    docker(end, container.name)
    ended(process)
    start_again(container)
    assert target.state() in ("old", "new")
    target.assert_recovers()


@together("own_container")
@pytest.mark.parametrize(("step", "delay"), sampled([*CLONES, ("cloning", None)], 0))
def test_container_killed_while_a_restore_clones_keeps_old_or_new(
    own_container: tuple[Container, Target], step: str, delay: float | None
) -> None:
    container, target = own_container
    with restore_that_clones(target, step) as process:
        if delay is None:  # right after the run
            assert_done(ended(process))
        else:
            time.sleep(delay)
        docker("kill", container.name)
        run = ended(process)
        start_again(container)
        states = [state for state in ("old", "new") if f"the {state} content" in run.err]
        states = states or ["old" if run.status == 1 else "new"]
        assert target.state() in states, run


def restore_that_loads_for(target: Target, seconds: float) -> subprocess.Popen:
    """Start a restore and return it when SLOW_TO_LOAD has been loading for so long."""
    target.make_old()
    process = target.start(RESTORE, target.path)
    until_load_is_slow(target.database)
    time.sleep(seconds)
    return process


@together("own_container")
@pytest.mark.parametrize("seconds", sampled([0, 0.3, 0.6], 0))
def test_restore_goes_on_when_a_paused_container_does(
    own_container: tuple[Container, Target], seconds: float
) -> None:
    container, target = own_container
    process = restore_that_loads_for(target, seconds)
    with paused(container):
        time.sleep(1)
        run = target.database.restore(target.path)
        assert_refused(run)
        assert "is paused" in run.err
    assert_done(ended(process))
    assert target.state() == "new"
    target.assert_clean()


@together("own_container")
@pytest.mark.parametrize("seconds", sampled([0, 0.3, 0.6], 0))
def test_restore_killed_in_a_paused_container_leaves_old(
    own_container: tuple[Container, Target], seconds: float
) -> None:
    container, target = own_container
    process = restore_that_loads_for(target, seconds)
    with paused(container):
        kill(process)
    assert target.state() == "old"
    target.assert_recovers()


# --- the server's disk is full ---

DATA = "/var/lib/postgresql/data"
WIDE = (
    "CREATE TABLE wide AS SELECT n, repeat(md5(n::text), 20) AS a"
    " FROM generate_series(1, 60000) AS n"
)


@pytest.fixture(scope="module")
def full_container(
    container: Container, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Container, Target]]:
    """A container with a small data directory and /tmp, and a database that is large in it."""
    directory = tmp_path_factory.mktemp("faults")
    with (
        small_disk(directory / "disk", "300m") as disk,
        started_container(
            "16",
            *("--tmpfs", "/tmp:size=16m,mode=1777", "-v", f"{disk}:{DATA}"),
            *("-e", "POSTGRES_INITDB_ARGS=--waldir=/var/lib/postgresql/wal"),
        ) as own,
    ):
        for target in new_target(own, directory, CHANGE + "TRUNCATE wide", WIDE):
            target.may_crash = True
            target.make_old()
            own.client("psql", "-d", "tumblebug", "-c", "CHECKPOINT")
            yield own, target


def without_manifest(target: Target, archive: bytes) -> Path:
    """Return a backup file without a manifest: its size is unknown to the restore."""
    path = target.path.with_name("foreign.dump")
    path.write_bytes(archive)
    packed = path.with_name("foreign.dump.gz")
    with packed.open("wb") as target:
        subprocess.run(["gzip", "-c", path], check=True, stdout=target)
    path.unlink()
    return packed


@together("full_container")
@only_with_all
def test_disk_full_while_uploading_changes_nothing(
    full_container: tuple[Container, Target],
) -> None:
    container, target = full_container
    assert_done(target.database.restore(target.path))
    uncompressed = container.client("pg_dump", "-Fc", "-Z0", "-d", target.database.name).stdout
    target.make_old()
    run = target.database.restore(without_manifest(target, uncompressed))
    assert_refused(run)
    assert "could not copy the archive to the temporary directory of" in run.err
    assert target.state() == "old"
    target.assert_clean()
    target.assert_recovers()


@together("full_container")
@only_with_all
def test_disk_full_while_loading_changes_nothing(
    full_container: tuple[Container, Target],
) -> None:
    container, target = full_container
    target.make_old()
    container.client("psql", "-d", "tumblebug", "-c", "CHECKPOINT")
    fill(container, DATA, leave=40)
    archive = subprocess.run(["gzip", "-dc", target.path], check=True, capture_output=True).stdout
    run = target.database.restore(without_manifest(target, archive))
    free(container, DATA)
    assert_refused(run)
    assert "No space left on device" in run.err
    assert target.state() == "old"
    target.assert_clean()
    target.assert_recovers()


@together("full_container")
@pytest.mark.parametrize("step", sampled(["loading", "verifying", "copying", "swapping"], 0))
def test_disk_full_at_a_step_leaves_old_or_new(
    full_container: tuple[Container, Target], step: str
) -> None:
    container, target = full_container
    target.make_old()
    process = target.start(RESTORE, target.path, **(KEEP if step == "copying" else {}))
    until_line(process, step)
    fill(container, DATA)
    run = ended(process)
    free(container, DATA)
    container.wait()
    assert run.status in (0, 1, 3) and len(run.errors) == (run.status == 1), run
    assert target.state() == ("old" if run.status == 1 else "new"), run
    assert_done(target.database.checkout.run(DROP))
    target.assert_recovers()


@together("full_container")
@only_with_all
def test_restore_without_disk_space_is_refused_at_once(
    full_container: tuple[Container, Target],
) -> None:
    container, target = full_container
    for directory, name in ((DATA, "data directory"), ("/tmp", "temporary directory")):
        target.make_old()
        fill(container, directory)
        run = target.database.restore(target.path)
        free(container, directory)
        assert_refused(run)
        assert f"the server's {name} has" in run.err
        assert target.state() == "old"
        target.assert_clean()


@together("full_container")
@only_with_all
def test_backup_on_a_full_server_disk_leaves_one_whole_pair(
    full_container: tuple[Container, Target],
) -> None:
    container, target = full_container
    prepare_backup(target)
    for directory in (DATA, "/tmp"):
        fill(container, directory)
    run = target.database.backup(target.path)
    for directory in (DATA, "/tmp"):
        free(container, directory)
    assert run.status in (0, 1, 3) and len(run.errors) == (run.status == 1), run
    assert_earlier_or_new_pair(target)


@pytest.mark.skipif(not ALL, reason="TEST_ALL=yes fills a whole disk")
def test_server_ended_by_a_full_disk_keeps_old_or_new(
    container: Container, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Its log is on the full disk too, and a server that cannot write that one gives up."""
    directory = tmp_path_factory.mktemp("faults")
    with (
        small_disk(directory / "disk", "400m") as disk,
        started_container("16", "-v", f"{disk}:{DATA}") as own,
    ):
        for target in new_target(own, directory, CHANGE + "TRUNCATE wide", WIDE):
            target.may_crash = True
            target.make_old()
            process = target.start(RESTORE, target.path)
            until_line(process, "loading")
            fill(own, DATA, leave=0)
            assert_refused(ended(process))
            free(own, DATA)
            assert target.state() == "old"
            target.assert_recovers()


# --- the backup is damaged ---


def assert_refused_or_exact(target: Target, damage: str) -> None:
    run = target.database.restore(target.path)
    if run.status == 0:
        assert target.state() == "new", (damage, run)
        target.make_old()
    else:
        assert run.status == 1 and len(run.errors) == 1, (damage, run)
        assert target.state() == "old", (damage, run)
    assert target.database.left_behind() == [], damage


@pytest.fixture
def damaged(small_target: Target) -> Iterator[Target]:
    """A target in its old state, whose backup the test may damage."""
    write_pair(small_target.path, small_target.pair)
    small_target.make_old()
    yield small_target
    write_pair(small_target.path, small_target.pair)
    small_target.assert_recovers()


@together("direct")
@pytest.mark.parametrize("percent", sampled(range(0, 100, 5), 1))
@pytest.mark.parametrize("part", ["file", "manifest"])
def test_truncated_pair_is_refused_or_harmless(damaged: Target, part: str, percent: int) -> None:
    path = damaged.path if part == "file" else manifest_of(damaged.path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * percent // 100])
    assert_refused_or_exact(damaged, f"{part} cut at {percent} %")


@together("direct")
@pytest.mark.parametrize("seed", sampled(range(10), 1))
@pytest.mark.parametrize("parts", sampled(["manifest", "file", "both"], 1))
def test_flipped_bit_is_refused_or_harmless(damaged: Target, parts: str, seed: int) -> None:
    """Ten flips for each seed, three in a sample."""
    chance = random.Random(seed)
    paths = {"file": damaged.path, "manifest": manifest_of(damaged.path)}
    for _ in range(10 if ALL else 3):
        write_pair(damaged.path, damaged.pair)
        flipped = [flip(path, chance) for part, path in paths.items() if parts in (part, "both")]
        assert_refused_or_exact(damaged, f"bits {flipped} of {parts}")


@together("direct")
@pytest.mark.parametrize("seed", sampled(range(10), 1))
def test_flipped_bit_without_manifest_is_refused_or_harmless(damaged: Target, seed: int) -> None:
    """Ten flips for each seed, three in a sample."""
    chance = random.Random(seed)
    remove_manifest(damaged.path)
    content = damaged.path.read_bytes()
    for _ in range(10 if ALL else 3):
        damaged.path.write_bytes(content)
        assert_refused_or_exact(damaged, f"bit {flip(damaged.path, chance)}")


def flip(path: Path, chance: random.Random) -> int:
    """Flip one bit of a file and return which."""
    content = bytearray(path.read_bytes())
    bit = chance.randrange(8 * len(content))
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    return bit


# --- two at once ---

PAIRS = [(first, second) for first in (BACKUP, RESTORE) for second in (BACKUP, RESTORE)]
IN_PROGRESS = {BACKUP: "backing up", RESTORE: "loading"}


def name_of(script: str) -> str:
    return script.rpartition("/")[2]


@pytest.mark.parametrize(("first", "second"), sampled(PAIRS, 0), ids=name_of)
def test_second_run_is_refused_and_the_first_completes(
    target: Target, first: str, second: str
) -> None:
    target.make_old()
    other = target.path.with_name("other.dump.gz")
    process = target.start(first, target.path if first == RESTORE else other)
    until_line(process, IN_PROGRESS[first])
    until(lambda: first == RESTORE or list(other.parent.glob(".*.partial.*")))
    os.killpg(process.pid, signal.SIGSTOP)
    run = target.database.checkout.run(second, target.path, RESTORE_SKIP_CONFIRM="yes")
    os.killpg(process.pid, signal.SIGCONT)
    assert_refused(run)
    assert (
        "another run is using database" in run.err
        and name_of(first) in run.err
        and str(process.pid) in run.err
    )
    assert_done(ended(process))
    assert read_pair(target.path) == target.pair
    assert target.state() == ("new" if first == RESTORE else "old")
    target.assert_recovers()


@pytest.mark.parametrize("attempt", sampled(range(10), 0))
@pytest.mark.parametrize(("first", "second"), sampled(PAIRS, 1), ids=name_of)
def test_two_runs_started_together_do_no_harm(
    target: Target, first: str, second: str, attempt: int
) -> None:
    prepare_backup(target)
    runs = [
        ended(process)
        for process in [target.start(script, target.path) for script in (first, second)]
    ]
    refused = [run for run in runs if run.status != 0]
    assert len(refused) <= 1, runs
    for run in refused:
        assert_refused(run)
    assert target.state() in ("old", "new")
    assert_done(target.database.restore(target.path))
    assert target.state() in ("old", "new")
    target.assert_clean()
    write_pair(target.path, target.pair)


# --- clients ---

LOOK = """
SELECT to_regclass('later') IS NULL, (SELECT count(*) FROM pricing_info),
       (SELECT sum(latitude::numeric) FROM region_info),
       (SELECT count(*) FROM spec_info), (SELECT count(*) FROM image_info)
"""


def look_until(stop: threading.Event, database: Database, seen: set, failures: list[str]) -> None:
    while not stop.is_set():
        try:
            seen.update(database.execute(LOOK))
        except psycopg.Error as error:
            failures.append(f"{type(error).__name__}: {error}")
        time.sleep(0.01)  # the restore needs the processor too


def harmless(failure: str) -> bool:
    """Whether a session was lost, or refused while the databases were swapped."""
    lost = (
        "terminating connection",
        "server closed the connection",
        "just been dropped or renamed",
    )
    return any(words in failure for words in lost)


@pytest.mark.parametrize("attempt", sampled(range(10), 0))
def test_reconnecting_clients_see_only_old_and_new(direct: Database, attempt: int) -> None:
    target = Target(direct, CHANGE)
    (old,) = direct.execute(LOOK)
    stop, seen, failures = threading.Event(), set(), []
    threads = [
        threading.Thread(target=look_until, args=(stop, direct, seen, failures)) for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    run = direct.restore(target.path)
    stop.set()
    for thread in threads:
        thread.join()
    assert_done(run)
    (new,) = direct.execute(LOOK)
    assert old in seen and seen <= {old, new} and old != new
    assert [failure for failure in failures if not harmless(failure)] == []
    assert target.state() == "new"
    target.assert_recovers()


@pytest.mark.parametrize("locked", sampled(["image_info", "region_info"], 0))
def test_client_in_a_long_transaction_does_not_block_a_restore(
    direct: Database, locked: str
) -> None:
    target = Target(direct, CHANGE)
    target.make_old()
    with direct.server.connect(direct.name) as client:
        client.autocommit = False
        client.execute("INSERT INTO region_info VALUES ('not', 'committed')")
        client.execute(f"LOCK TABLE {locked}")
        run = direct.restore("--schema", "backup", target.path)
        assert_done(run)
        assert "warning: could not compare the schemas: " in run.err
        with pytest.raises(psycopg.OperationalError):
            client.execute("SELECT 1")
    assert target.state() == "new"
    target.assert_recovers()


SETTINGS = {
    "statement_timeout": "'1ms'",
    "lock_timeout": "'1ms'",
    "default_transaction_read_only": "on",
    "default_transaction_isolation": "serializable",
    "search_path": "nowhere, pg_catalog",
    "DateStyle": "'German, DMY'",
    "bytea_output": "escape",
    "check_function_bodies": "on",
    "row_security": "off",
}


@only_with_all
@pytest.mark.parametrize("on", sampled(["database", "both", "role"], 1))
def test_settings_of_database_and_role_change_no_restore(
    direct: Database, on: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They stay, and a restore is as exact as ever."""
    target = Target(direct, CHANGE)
    target.make_old()
    role = f"{direct.name}_role"
    direct.execute(f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD 'tumblebug'")
    try:
        for name, value in SETTINGS.items():
            if on != "role":
                direct.execute(f"ALTER DATABASE {direct.name} SET {name} = {value}")
                monkeypatch.setenv("PGOPTIONS", OWN_SETTINGS)  # ours, not the scripts'
            if on != "database":
                direct.execute(f"ALTER ROLE {role} SET {name} = {value}")
        direct.execute(f"ALTER ROLE {role} SET quote_all_identifiers = on")
        as_role = {"TB_POSTGRES_USER": role, "TB_POSTGRES_PASSWORD": "tumblebug"}
        settings = direct.execute(SETTINGS_OF.format(direct.name))
        assert_done(direct.restore(target.path, **as_role))
        assert target.state() == "new"
        assert_done(direct.backup(target.path, **as_role))
        target.make_old()
        assert_done(direct.restore(target.path, **as_role))
        assert target.state() == "new"
        assert direct.execute(SETTINGS_OF.format(direct.name)) == settings
        assert direct.left_behind() == []
    finally:
        direct.execute(f"REASSIGN OWNED BY {role} TO tumblebug; DROP ROLE {role}")


OWN_SETTINGS = (
    "-c statement_timeout=0 -c lock_timeout=0 -c default_transaction_read_only=off -c"
    " search_path=public"
    " -c DateStyle=ISO,MDY -c bytea_output=hex -c default_transaction_isolation=read\\ committed"
)
SETTINGS_OF = (
    "SELECT setrole, setconfig FROM pg_db_role_setting JOIN pg_database ON oid = setdatabase"
    " WHERE datname = '{}' ORDER BY 1"
)
