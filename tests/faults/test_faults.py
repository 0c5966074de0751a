"""Whatever happens, at whatever moment: the database is whole, old or new, and the next run mends the rest.

A sample of each campaign by default, all of it with TEST_FAULTS=all (make faults).
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from support.ground import Container, Database, Server, started_container

from faults.faults import (
    ALL,
    BACKUP,
    BIG,
    CHANGE,
    CHANGE_BIG,
    RESTORE,
    ROLLBACK,
    SLOW_TO_LOAD,
    Patient,
    assert_done,
    assert_refused,
    docker,
    ended,
    errors,
    fill,
    free,
    kill,
    killing_programs,
    manifest_of,
    new_checkout,
    paused,
    read_pair,
    sampled,
    small_disk,
    start_again,
    until,
    until_line,
    until_load_is_slow,
    write_pair,
)

RESTORE_STEPS = ["checking", "backup ", "warning: every", "loading", "proving", "swapping"]
BACKUP_STEPS = ["backing up", "checking", "wrote"]
MOMENTS = range(30)
WAYS = [((), moment) for moment in MOMENTS]
WAYS += [(way, moment) for way in (("--data-only",), ("--table", "big")) for moment in MOMENTS[::3]]


def calls(most: int) -> list[tuple[int, str]]:
    """Return a moment before and after each program that a run calls, of which there are so many at most."""
    return [(number, when) for number in range(1, most + 1) for when in ("before", "after")]


def together(group: str) -> pytest.MarkDecorator:
    """Run the tests that share a patient in one process, which makes it once."""
    return pytest.mark.xdist_group(f"faults-{group}")


def admitted(
    place: Server | Container, folder: Path, change: str, more: str = ""
) -> Iterator[Patient]:
    database = Database(place, new_checkout(folder))
    database.create()
    database.execute(more)
    yield Patient(database, change)
    database.drop()


@pytest.fixture(
    scope="module",
    params=[pytest.param(place, marks=together(place)) for place in ("direct", "docker")],
)
def patient(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Patient]:
    """A database whose backup and restore take seconds, on each backend."""
    place = request.getfixturevalue("direct_server" if request.param == "direct" else "container")
    yield from admitted(place, tmp_path_factory.mktemp("faults"), CHANGE + CHANGE_BIG, BIG)


@pytest.fixture(scope="module")
def small(direct_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patient]:
    """A small database, for faults in which time plays no part."""
    yield from admitted(direct_server, tmp_path_factory.mktemp("faults"), CHANGE)


@pytest.fixture(scope="module")
def mortal(
    container: Container, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Container, Patient]]:
    """A container of its own, to be stopped, killed and paused, and a database in it."""
    with started_container() as own:
        for patient in admitted(own, tmp_path_factory.mktemp("faults"), CHANGE, SLOW_TO_LOAD):
            yield own, patient


# --- kill -9 of the whole process group ---


@pytest.mark.parametrize(("way", "moment"), sampled(WAYS, 3))
def test_restore_killed_at_any_moment_leaves_the_old_or_the_new_database(
    patient: Patient, way: tuple[str, ...], moment: int
) -> None:
    new = patient.content_after(way)
    delay = patient.seconds(RESTORE) * moment / len(MOMENTS)
    patient.make_old()
    process = patient.start(RESTORE, *way, patient.path)
    time.sleep(delay)
    kill(process)
    assert patient.state(new) in ("old", "new")
    patient.assert_mended()


@pytest.mark.parametrize("step", sampled(RESTORE_STEPS, 2))
def test_restore_killed_at_the_beginning_of_a_step_leaves_the_old_or_the_new_database(
    patient: Patient, step: str
) -> None:
    patient.make_old()
    process = patient.start(RESTORE, patient.path)
    until_line(process, step)
    kill(process)
    assert patient.state() in ("old", "new")
    patient.assert_mended()


@pytest.mark.parametrize(("number", "when"), sampled(calls(28), 1))
def test_restore_killed_around_any_program_that_it_runs_leaves_the_old_or_the_new_database(
    patient: Patient, tmp_path: Path, number: int, when: str
) -> None:
    patient.make_old()
    dying = killing_programs(tmp_path, patient.database, number, when)
    ended(patient.start(RESTORE, patient.path, **dying))
    assert patient.state() in ("old", "new")
    patient.assert_mended()


@together("direct")
@pytest.mark.parametrize(("number", "when"), sampled(calls(6), 1))
def test_rollback_killed_around_any_program_that_it_runs_leaves_the_old_or_the_new_database(
    small: Patient, tmp_path: Path, number: int, when: str
) -> None:
    small.make_old()
    assert_done(small.database.restore(small.path, RESTORE_KEEP_PREVIOUS="yes"))
    try:
        ended(small.start(ROLLBACK, **killing_programs(tmp_path, small.database, number, when)))
        before = small.state()
        assert before in ("old", "new")
        assert_done(small.database.checkout.run(ROLLBACK))
        assert small.state() == {"old": "new", "new": "old"}[before]
    finally:
        drop_previous(small.database)
    small.assert_mended()


def drop_previous(database: Database) -> None:
    with database.place.connect() as connection:
        connection.autocommit = True
        for name in database.databases():
            assert name.startswith("assets_previous_")
            connection.execute(f"DROP DATABASE {name}")


@pytest.mark.parametrize("moment", sampled(MOMENTS, 1))
def test_backup_killed_at_any_moment_leaves_the_earlier_or_the_new_pair(
    patient: Patient, moment: int
) -> None:
    delay = patient.seconds(BACKUP) * moment / len(MOMENTS)
    prepare_backup(patient)
    process = patient.start(BACKUP, patient.path)
    time.sleep(delay)
    kill(process)
    assert_earlier_or_new_pair(patient)


@pytest.mark.parametrize("step", sampled(BACKUP_STEPS, 1))
def test_backup_killed_at_the_beginning_of_a_step_leaves_the_earlier_or_the_new_pair(
    patient: Patient, step: str
) -> None:
    prepare_backup(patient)
    process = patient.start(BACKUP, patient.path)
    until_line(process, step)
    kill(process)
    assert_earlier_or_new_pair(patient)


@pytest.mark.parametrize(("number", "when"), sampled(calls(30), 1))
def test_backup_killed_around_any_program_that_it_runs_leaves_the_earlier_or_the_new_pair(
    patient: Patient, tmp_path: Path, number: int, when: str
) -> None:
    prepare_backup(patient)
    ended(
        patient.start(
            BACKUP, patient.path, **killing_programs(tmp_path, patient.database, number, when)
        )
    )
    assert_earlier_or_new_pair(patient)


def prepare_backup(patient: Patient) -> None:
    write_pair(patient.path, patient.pair)
    patient.make_old()


def assert_earlier_or_new_pair(patient: Patient) -> None:
    """The earlier backup holds the patient's new content, the killed one would hold the old one."""
    assert patient.state() == "old"
    run = patient.database.restore(patient.path)
    assert_done(run)
    assert "no manifest" not in run.err
    published = read_pair(patient.path)
    assert patient.state() == ("new" if published[0] == patient.pair[0] else "old")
    assert (published[0] == patient.pair[0]) == (published[1] == patient.pair[1])
    patient.make_old()
    assert_done(patient.database.backup(patient.path))
    assert patient.database.leftovers() == []
    write_pair(patient.path, patient.pair)


@pytest.mark.parametrize("step", sampled(["loading", "swapping"], 1))
def test_backup_after_a_killed_restore_mends_what_that_left(patient: Patient, step: str) -> None:
    patient.make_old()
    process = patient.start(RESTORE, patient.path)
    until_line(process, step)
    kill(process)
    assert_done(patient.database.backup(patient.path.with_name("other.dump.gz")))
    assert patient.state() in ("old", "new")
    assert patient.database.leftovers() == []


# --- the container stops, dies or stands still ---

ENDS = [
    (end, step)
    for step in ("loading", "swapping", "proving", "backup ")
    for end in ("stop", "kill")
]


@together("mortal")
@pytest.mark.parametrize(("end", "step"), sampled(ENDS, 2))
def test_container_that_ends_in_mid_restore_comes_back_with_the_old_or_the_new_database(
    mortal: tuple[Container, Patient], end: str, step: str
) -> None:
    container, patient = mortal
    patient.make_old()
    process = patient.start(RESTORE, patient.path)
    until_line(process, step)
    docker(end, container.name)
    run = ended(process)
    assert run.status in (0, 1, 3) and len(errors(run.err)) <= 1, run
    start_again(container)
    assert patient.state() == ("old" if run.status == 1 else "new")
    patient.assert_mended()


@together("mortal")
@pytest.mark.parametrize(
    ("moment", "end"), sampled([(moment, end) for moment in MOMENTS for end in ("stop", "kill")], 1)
)
def test_container_that_ends_at_any_moment_comes_back_with_the_old_or_the_new_database(
    mortal: tuple[Container, Patient], moment: int, end: str
) -> None:
    container, patient = mortal
    delay = patient.seconds(RESTORE) * moment / len(MOMENTS)
    patient.make_old()
    process = patient.start(RESTORE, patient.path)
    time.sleep(delay)
    docker(end, container.name)
    ended(process)
    start_again(container)
    assert patient.state() in ("old", "new")
    patient.assert_mended()


@together("mortal")
@pytest.mark.parametrize("seconds", sampled([0, 0.3, 0.6], 1))
def test_restore_goes_on_when_a_paused_container_does(
    mortal: tuple[Container, Patient], seconds: float
) -> None:
    container, patient = mortal
    patient.make_old()
    process = patient.start(RESTORE, patient.path)
    until_load_is_slow(patient.database)
    time.sleep(seconds)
    with paused(container):
        time.sleep(1)
        run = patient.database.restore(patient.path)
        assert_refused(run)
        assert "is paused" in run.err
    assert_done(ended(process))
    assert patient.state() == "new"
    assert patient.database.leftovers() == []


@together("mortal")
@pytest.mark.parametrize("seconds", sampled([0, 0.3, 0.6], 1))
def test_restore_killed_while_its_container_is_paused_leaves_the_old_database(
    mortal: tuple[Container, Patient], seconds: float
) -> None:
    container, patient = mortal
    patient.make_old()
    process = patient.start(RESTORE, patient.path)
    until_load_is_slow(patient.database)
    time.sleep(seconds)
    with paused(container):
        kill(process)
    assert patient.state() == "old"
    patient.assert_mended()


# --- the server's disk is full ---

DATA = "/var/lib/postgresql/data"
WIDE = "CREATE TABLE wide AS SELECT n, repeat(md5(n::text), 20) AS a FROM generate_series(1, 60000) AS n"


@pytest.fixture(scope="module")
def cramped(
    container: Container, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Container, Patient]]:
    """A container whose data folder and /tmp are small, and a database that is large in it."""
    folder = tmp_path_factory.mktemp("faults")
    with (
        small_disk(folder / "disk", 300) as disk,
        started_container(
            "16",
            *("--tmpfs", "/tmp:size=16m,mode=1777", "-v", f"{disk}:{DATA}"),
            *("-e", "POSTGRES_INITDB_ARGS=--waldir=/var/lib/postgresql/wal"),
        ) as own,
    ):
        for patient in admitted(own, folder, CHANGE + "TRUNCATE wide", WIDE):
            patient.make_old()
            own.client("psql", "-d", "tumblebug", "-c", "CHECKPOINT")
            yield own, patient


def without_manifest(patient: Patient, archive: bytes) -> Path:
    """Return a backup file of someone else's, which tells nobody how much room it needs."""
    path = patient.path.with_name("foreign.dump")
    path.write_bytes(archive)
    packed = path.with_name("foreign.dump.gz")
    with packed.open("wb") as target:
        subprocess.run(["gzip", "-c", path], check=True, stdout=target)
    path.unlink()
    return packed


@together("cramped")
def test_disk_full_while_the_archive_is_copied_changes_nothing(
    cramped: tuple[Container, Patient],
) -> None:
    container, patient = cramped
    assert_done(patient.database.restore(patient.path))
    uncompressed = container.client("pg_dump", "-Fc", "-Z0", "-d", patient.database.name).stdout
    patient.make_old()
    run = patient.database.restore(without_manifest(patient, uncompressed))
    assert_refused(run)
    assert "the archive cannot be copied to the server" in run.err
    assert patient.state() == "old"
    assert patient.database.leftovers() == []
    patient.assert_mended()


@together("cramped")
def test_disk_full_while_an_archive_without_a_manifest_is_loaded_changes_nothing(
    cramped: tuple[Container, Patient],
) -> None:
    container, patient = cramped
    patient.make_old()
    container.client("psql", "-d", "tumblebug", "-c", "CHECKPOINT")
    fill(container, DATA, leave=40)
    archive = subprocess.run(["gzip", "-dc", patient.path], check=True, capture_output=True).stdout
    run = patient.database.restore(without_manifest(patient, archive))
    free(container, DATA)
    assert_refused(run)
    assert "No space left on device" in run.err
    assert patient.state() == "old"
    assert patient.database.leftovers() == []
    patient.assert_mended()


@together("cramped")
@pytest.mark.parametrize("step", sampled(["loading", "proving", "swapping"], 1))
def test_disk_that_becomes_full_changes_nothing_or_comes_too_late(
    cramped: tuple[Container, Patient], step: str
) -> None:
    container, patient = cramped
    patient.make_old()
    process = patient.start(RESTORE, patient.path)
    until_line(process, step)
    fill(container, DATA)
    run = ended(process)
    free(container, DATA)
    assert run.status in (0, 1, 3) and len(errors(run.err)) == (run.status == 1), run
    assert patient.state() == ("old" if run.status == 1 else "new"), run
    patient.assert_mended()


@together("cramped")
def test_restore_that_has_no_room_is_refused_before_anything_is_done(
    cramped: tuple[Container, Patient],
) -> None:
    container, patient = cramped
    for folder, name in ((DATA, "data folder"), ("/tmp", "temporary folder")):
        patient.make_old()
        fill(container, folder)
        run = patient.database.restore(patient.path)
        free(container, folder)
        assert_refused(run)
        assert f"the server's {name} has" in run.err
        assert patient.state() == "old"
        assert patient.database.leftovers() == []


@together("cramped")
def test_backup_from_a_server_whose_disk_is_full_is_whole_or_is_not_there(
    cramped: tuple[Container, Patient],
) -> None:
    container, patient = cramped
    prepare_backup(patient)
    for folder in (DATA, "/tmp"):
        fill(container, folder)
    run = patient.database.backup(patient.path)
    for folder in (DATA, "/tmp"):
        free(container, folder)
    assert run.status in (0, 1, 3) and len(errors(run.err)) == (run.status == 1), run
    assert_earlier_or_new_pair(patient)


@pytest.mark.skipif(not ALL, reason="TEST_FAULTS=all fills a whole disk")
def test_server_that_dies_of_a_full_disk_comes_back_with_the_old_or_the_new_database(
    container: Container, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Its log is on the full disk too, and a server that cannot write that one gives up."""
    folder = tmp_path_factory.mktemp("faults")
    with (
        small_disk(folder / "disk", 400) as disk,
        started_container("16", "-v", f"{disk}:{DATA}") as own,
    ):
        for patient in admitted(own, folder, CHANGE + "TRUNCATE wide", WIDE):
            patient.make_old()
            process = patient.start(RESTORE, patient.path)
            until_line(process, "loading")
            fill(own, DATA, leave=0)
            assert_refused(ended(process))
            free(own, DATA)
            assert patient.state() == "old"
            patient.assert_mended()


# --- the backup is damaged ---


def assert_refused_or_exact(patient: Patient, damage: str) -> None:
    run = patient.database.restore(patient.path)
    if run.status == 0:
        assert patient.state() == "new", (damage, run)
        patient.make_old()
    else:
        assert run.status == 1 and len(errors(run.err)) == 1, (damage, run)
        assert patient.state() == "old", (damage, run)
    assert patient.database.leftovers() == [], damage


@pytest.fixture
def damaged(small: Patient) -> Iterator[Patient]:
    """A patient in its old state whose backup may be damaged: it gets the whole one back."""
    write_pair(small.path, small.pair)
    small.make_old()
    yield small
    write_pair(small.path, small.pair)
    small.assert_mended()


@together("direct")
@pytest.mark.parametrize("percent", sampled(range(0, 100, 5), 5))
@pytest.mark.parametrize("part", ["file", "manifest"])
def test_backup_cut_short_anywhere_is_refused_or_restored_exactly(
    damaged: Patient, part: str, percent: int
) -> None:
    path = damaged.path if part == "file" else manifest_of(damaged.path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * percent // 100])
    assert_refused_or_exact(damaged, f"{part} cut at {percent} %")


@together("direct")
@pytest.mark.parametrize("seed", sampled(range(10), 1))
@pytest.mark.parametrize("parts", ["file", "manifest", "both"])
def test_backup_with_a_flipped_bit_is_refused_or_restored_exactly(
    damaged: Patient, parts: str, seed: int
) -> None:
    """Ten flips for each seed."""
    chance = random.Random(seed)
    paths = {"file": damaged.path, "manifest": manifest_of(damaged.path)}
    for _ in range(10):
        write_pair(damaged.path, damaged.pair)
        places = [flip(path, chance) for part, path in paths.items() if parts in (part, "both")]
        assert_refused_or_exact(damaged, f"bits {places} of {parts}")


@together("direct")
@pytest.mark.parametrize("seed", sampled(range(10), 1))
def test_file_without_a_manifest_with_a_flipped_bit_is_refused_or_restored_exactly(
    damaged: Patient, seed: int
) -> None:
    """Ten flips for each seed."""
    chance = random.Random(seed)
    manifest_of(damaged.path).unlink()
    for _ in range(10):
        damaged.path.write_bytes(damaged.pair[0])
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
UNDER_WAY = {BACKUP: "backing up", RESTORE: "loading"}


def name_of(script: str) -> str:
    return script.rpartition("/")[2]


@pytest.mark.parametrize(("first", "second"), sampled(PAIRS, 2), ids=name_of)
def test_second_run_is_refused_and_the_first_completes(
    patient: Patient, first: str, second: str
) -> None:
    patient.make_old()
    other = patient.path.with_name("other.dump.gz")
    process = patient.start(first, patient.path if first == RESTORE else other)
    until_line(process, UNDER_WAY[first])
    until(lambda: first == RESTORE or list(other.parent.glob(".*.partial.*")))
    os.killpg(process.pid, signal.SIGSTOP)
    run = patient.database.checkout.run(second, patient.path, RESTORE_SKIP_CONFIRM="yes")
    os.killpg(process.pid, signal.SIGCONT)
    assert_refused(run)
    assert (
        "is in use by another run" in run.err
        and name_of(first) in run.err
        and str(process.pid) in run.err
    )
    assert_done(ended(process))
    assert read_pair(patient.path) == patient.pair
    assert patient.state() == ("new" if first == RESTORE else "old")
    patient.assert_mended()


@pytest.mark.parametrize("attempt", sampled(range(10), 1))
@pytest.mark.parametrize(("first", "second"), sampled(PAIRS, 2), ids=name_of)
def test_of_two_runs_that_start_together_one_completes_and_none_is_harmed(
    patient: Patient, first: str, second: str, attempt: int
) -> None:
    prepare_backup(patient)
    runs = [
        ended(process)
        for process in [patient.start(script, patient.path) for script in (first, second)]
    ]
    refused = [run for run in runs if run.status != 0]
    assert len(refused) <= 1, runs
    for run in refused:
        assert_refused(run)
    assert patient.state() in ("old", "new")
    assert_done(patient.database.restore(patient.path))
    assert patient.state() in ("old", "new")
    assert patient.database.leftovers() == []
    write_pair(patient.path, patient.pair)


# --- clients ---

LOOK = """
SELECT to_regclass('later') IS NULL, (SELECT count(*) FROM pricing_info), (SELECT sum(latitude::numeric) FROM region_info),
       (SELECT count(*) FROM spec_info), (SELECT count(*) FROM image_info)
"""


def look_until(stop: threading.Event, database: Database, seen: set, troubles: list[str]) -> None:
    while not stop.is_set():
        try:
            seen.update(database.execute(LOOK))
        except psycopg.Error as error:
            troubles.append(f"{type(error).__name__}: {error}")
        time.sleep(0.01)  # the restore needs the processor too


def harmless(trouble: str) -> bool:
    """Whether a session was lost, or turned away because it came while the databases were swapped."""
    lost = (
        "terminating connection",
        "server closed the connection",
        "just been dropped or renamed",
    )
    return any(words in trouble for words in lost)


@pytest.mark.parametrize("attempt", range(10 if ALL else 1))
def test_clients_that_reconnect_in_a_loop_see_only_the_old_and_the_new_database(
    database: Database, attempt: int
) -> None:
    patient = Patient(database, CHANGE)
    (old,) = database.execute(LOOK)
    stop, seen, troubles = threading.Event(), set(), []
    threads = [
        threading.Thread(target=look_until, args=(stop, database, seen, troubles))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    run = database.restore(patient.path)
    stop.set()
    for thread in threads:
        thread.join()
    assert_done(run)
    (new,) = database.execute(LOOK)
    assert old in seen and seen <= {old, new} and old != new
    assert [trouble for trouble in troubles if not harmless(trouble)] == []
    assert patient.state() == "new"
    patient.assert_mended()


@pytest.mark.parametrize("locked", sampled(["image_info", "region_info"], 1))
def test_client_in_a_long_transaction_does_not_hold_up_a_restore(
    database: Database, locked: str
) -> None:
    patient = Patient(database, CHANGE)
    patient.make_old()
    with database.place.connect(database.name) as client:
        client.autocommit = False
        client.execute("INSERT INTO region_info VALUES ('not', 'committed')")
        client.execute(f"LOCK TABLE {locked}")
        assert_done(database.restore(patient.path))
        with pytest.raises(psycopg.OperationalError):
            client.execute("SELECT 1")
    assert patient.state() == "new"
    patient.assert_mended()


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


@pytest.mark.parametrize("on", sampled(["database", "both", "role"], 1))
def test_settings_of_database_and_role_change_nothing(
    database: Database, on: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They stay, and a restore is as exact as ever."""
    patient = Patient(database, CHANGE)
    patient.make_old()
    role = f"{database.name}_role"
    database.execute(f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD 'tumblebug'")
    try:
        for name, value in SETTINGS.items():
            if on != "role":
                database.execute(f"ALTER DATABASE {database.name} SET {name} = {value}")
                monkeypatch.setenv("PGOPTIONS", OWN_SETTINGS)  # ours, not the scripts'
            if on != "database":
                database.execute(f"ALTER ROLE {role} SET {name} = {value}")
        database.execute(f"ALTER ROLE {role} SET quote_all_identifiers = on")
        as_role = {"TB_POSTGRES_USER": role, "TB_POSTGRES_PASSWORD": "tumblebug"}
        settings = database.execute(SETTINGS_OF.format(database.name))
        assert_done(database.restore(patient.path, **as_role))
        assert patient.state() == "new"
        assert_done(database.backup(patient.path, **as_role))
        patient.make_old()
        assert_done(database.restore(patient.path, **as_role))
        assert patient.state() == "new"
        assert database.execute(SETTINGS_OF.format(database.name)) == settings
        assert database.leftovers() == []
    finally:
        database.execute(f"REASSIGN OWNED BY {role} TO tumblebug; DROP ROLE {role}")


OWN_SETTINGS = (
    "-c statement_timeout=0 -c lock_timeout=0 -c default_transaction_read_only=off -c search_path=public"
    " -c DateStyle=ISO,MDY -c bytea_output=hex -c default_transaction_isolation=read\\ committed"
)
SETTINGS_OF = (
    "SELECT setrole, setconfig FROM pg_db_role_setting JOIN pg_database ON oid = setdatabase"
    " WHERE datname = '{}' ORDER BY 1"
)
