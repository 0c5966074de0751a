"""Inputs that nobody would make: each gets an answer in bounded time and memory.

A fixed sample by default; with TEST_ALL=yes (make faults) some hundred cases with fresh seeds.
A failure names its seed, and FAULT_SEED=SEED repeats that case of each kind.

Inputs are changed by their structure, each case by a seed: the fields and table lines of a
manifest, the gzip members that carry it (also a gzip bomb of 1 GB), header, table of contents and
blocks of an archive, lines of .env, file names, names of databases, schemas, tables, columns and
roles, and answers of psql, pg_dump and pg_restore. Restore (trusted or not), verify, list, diff,
prune, doctor, the menu of init, and a backup over the changed one must end within 30 seconds, with
a documented exit code, at most one error, and no process above 500 MB. They run nothing that the
input holds, change no backup that they only read, and leave the old database or the one that the
manifest describes.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import resource
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import psycopg
import pytest
from psycopg import sql
from support.backups import content_of, manifest_of, members, read_pair, with_checksum, write_pair
from support.databases import Database
from support.fakes import fake
from support.run import (
    BACKUP,
    CONFIRMED,
    DIFF,
    DOCTOR,
    INIT,
    LIST,
    PRUNE,
    RESTORE,
    VERIFY,
    Checkout,
    Run,
    new_checkout,
)
from support.sampling import ALL, only_with_all
from support.servers import Server

from faults import mutations
from faults.faults import CHANGE, RAW, Target, assert_done

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
SECONDS = 30
MEGABYTES = 500
FRESH = secrets.randbelow(10**9)

pytestmark = [
    pytest.mark.xdist_group("faults-fuzzing"),
    pytest.mark.timeout(3600 if ALL else 120),
]


def seeds(count: int, sample: int) -> list[int]:
    """Return the seed of FAULT_SEED; or ``count`` fresh ones with TEST_ALL=yes, else the sample."""
    if "FAULT_SEED" in os.environ:
        return [int(os.environ["FAULT_SEED"])]
    return [FRESH + n for n in range(count)] if ALL else list(range(1, sample + 1))


@dataclass
class Fuzzed:
    """A database with a backup, and the file that only an attack makes."""

    target: Target
    canary: Path
    archive: bytes
    tidy: bool = True  # must a run leave nothing behind?

    @property
    def checkout(self) -> Checkout:
        return self.target.database.checkout

    def run(self, *command: str | Path | bytes, **environment: str) -> tuple[Run, str | None]:
        """Run a command; return how it ended, and what is wrong with that whatever the input."""
        run, seconds, megabytes = bounded(self.checkout, *command, **environment)
        return run, self.problem_with(run, seconds, megabytes)

    def left_behind(self) -> str | None:
        left = self.target.database.left_behind()
        return f"left behind: {left}" if left else None

    def problem_with(self, run: Run, seconds: float, megabytes: float) -> str | None:
        if seconds > SECONDS:
            return f"no end after {seconds:.0f} s"
        if megabytes > MEGABYTES:
            return f"{megabytes:.0f} MB of memory"
        if self.canary.exists():
            self.canary.unlink()
            return "an attack ran"
        if run.status not in (0, 1, 2, 3):
            return "undocumented exit code"
        cancelled = run.status == 1 and ("cancelled; " in run.err or run.out)
        if len(run.errors) != (run.status in (1, 2)) and not (cancelled and not run.errors):
            return "not one error"
        if RAW.search(run.err):
            return "a raw error"
        if CONTROL.search(run.out + run.err):
            return "a control character"
        if len(run.err) > 100_000 or len(run.out) > 20_000_000:  # a manifest may list many tables
            return "endless messages"
        if self.tidy and "the next run will" not in run.err:
            return self.left_behind()
        return None


def bounded(
    checkout: Checkout, *command: str | Path | bytes, **environment: str
) -> tuple[Run, float, float]:
    """Run a command; return how it ended, its seconds, and the MB of its largest process.

    It is killed after SECONDS. No process of it gets more than 4 GB of memory or writes a larger
    file than 2 GB, so that a failure harms only the test.
    """

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 30, 2 << 30))

    started = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            [each if isinstance(each, bytes) else str(each) for each in command],
            cwd=checkout.path,
            env={**checkout.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
            preexec_fn=limit,
        )
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        while not ended:
            if time.monotonic() - started > SECONDS:
                os.killpg(process.pid, signal.SIGKILL)
            time.sleep(0.01)
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - started
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read(1 << 20).decode(errors="surrogateescape"))
    return Run(process.returncode, *texts), seconds, usage.ru_maxrss / 1024


@pytest.fixture(scope="module")
def fuzzed(direct_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    database = Database(direct_server, new_checkout(tmp_path_factory.mktemp("fuzzing")))
    database.create()
    archive = database.checkout.home / "plain.dump"
    database.server.client("pg_dump", "-Fc", "-Z0", "-d", database.name, "-f", str(archive))
    target = Target(database, CHANGE)
    target.after["untrusted",] = content_of_untrusted(target)
    yield Fuzzed(target, database.checkout.home / "canary", archive.read_bytes())
    database.drop()


def content_of_untrusted(target: Target) -> dict:
    """Return what the database holds after an untrusted restore, which skips grants."""
    key = target.database.checkout.key
    signed = key.read_text()
    key.write_text("0" * 64)
    assert_done(target.database.restore(target.path))
    found = target.database.content()
    target.make_old()
    key.write_text(signed)
    return found


def assert_answers(kind: str, problem_of: Callable[[Random], str | None], *numbers: int) -> None:
    """Each seed's case has no problem."""
    tried, problems = seeds(*numbers), []
    for seed in tried:
        if problem := problem_of(Random(f"{kind} {seed}")):
            problems.append(f"FAULT_SEED={seed}: {problem}")
    print(f"{kind}: {len(problems)} of {len(tried)} cases")
    assert not problems, "\n\n".join([f"{len(problems)} of {len(tried)}:", *problems])


# --- manifests and archives ---


def problem_with_pair(fuzzed: Fuzzed, random: Random, pair: tuple[bytes, bytes]) -> str | None:
    """Return what is wrong with the verbs' answers to this backup."""
    path = fuzzed.checkout.named_backups / "odd.dump.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    good = path.with_name("good.dump.gz")
    write_pair(good, fuzzed.target.pair)
    write_pair(path, pair)
    if not pair[1]:
        manifest_of(path).unlink()
    before = files(path.parent)
    key = fuzzed.checkout.key.read_text()
    try:
        problem = random.random() < 0.6 and problem_with_restore(fuzzed, random, path)
        command = random.choice(reading(path, good))
        if command == [INIT]:
            return problem or problem_with_menu(fuzzed, pair)
        run, wrong = fuzzed.run(*command, **CONFIRMED)
        problem = problem or (wrong and f"{wrong}: {command}: {run}")
        for remembered in path.parent.glob("*.verified"):
            remembered.unlink()
        if files(path.parent) != before:
            problem = problem or f"files have changed: {command}"
        return problem or (random.random() < 0.2 and problem_with_replacing(fuzzed, path)) or None
    finally:
        fuzzed.checkout.key.write_text(key)
        shutil.rmtree(path.parent)


def files(directory: Path) -> dict[str, str]:
    return {
        each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in directory.iterdir()
    }


def reading(path: Path, good: Path) -> list[list[str | Path]]:
    """Return the commands that only read a backup."""
    return [
        [LIST],
        [LIST, "--json"],
        *([VERIFY, "--level", level, path] for level in ("hash", "read", "restore")),
        [DIFF, path],
        [DIFF, good, "--with", path],
        [PRUNE, "--keep", "1", "--dry-run"],
        [DOCTOR],
        [RESTORE, "--dry-run", path],
        [INIT],
    ]


def problem_with_menu(fuzzed: Fuzzed, pair: tuple[bytes, bytes]) -> str | None:
    """The menu of make init shows the backup, and asks before it restores it."""
    write_pair(fuzzed.target.path, pair)
    try:
        started = time.monotonic()
        run = fuzzed.checkout.run_on_terminal(
            INIT, answer=b"a\nno\n", TUMBLEBUG_SERVER="127.0.0.1:1", NO_COLOR="yes"
        )
        run.err = CONTROL.sub("", run.err)
        problem = fuzzed.problem_with(run, time.monotonic() - started, 0)
        return problem and f"{problem}: the menu: {run}"
    finally:
        write_pair(fuzzed.target.path, fuzzed.target.pair)


def problem_with_restore(fuzzed: Fuzzed, random: Random, path: Path) -> str | None:
    """The database is the old one, or the restore says that it is done and it is."""
    trusted = random.random() < 0.5
    if not trusted:
        fuzzed.checkout.key.write_text("0" * 64)
    trust = {"RESTORE_TRUST": "yes"} if trusted else {}
    run, problem = fuzzed.run(RESTORE, path, **CONFIRMED, **trust)
    try:
        found = fuzzed.target.database.content()
    except (psycopg.Error, subprocess.CalledProcessError) as error:
        found = {"": error}
    verified = "no manifest found" not in run.err
    expected = fuzzed.target.after[() if trusted else ("untrusted",)]
    if found != fuzzed.target.old:
        if run.status != 0 or (verified and found != expected):
            problem = problem or f"the database is neither: {differences(found, expected)}"
        fuzzed.target.database.restore(fuzzed.target.path, RESTORE_TRUST="yes")
        fuzzed.target.make_old()
    elif run.status == 0:
        problem = problem or "done, but the database is the old one"
    return problem and f"{problem}: {'trusted' if trusted else 'untrusted'} {run}"


def differences(found: dict, expected: dict) -> list[str]:
    return [key for key in {**found, **expected} if found.get(key) != expected.get(key)]


def problem_with_replacing(fuzzed: Fuzzed, path: Path) -> str | None:
    """A backup over an odd one replaces it by a good one, or leaves it."""
    before = files(path.parent)
    run, problem = fuzzed.run(BACKUP, path, FORCE="yes")
    if run.status != 0 and files(path.parent) != before:
        problem = problem or "the existing backup has changed"
    if run.status == 0 and fuzzed.checkout.run(VERIFY, "--level", "hash", path).status != 0:
        problem = problem or "the new backup is damaged"
    return problem and f"{problem}: {run}"


def test_changed_manifest_gets_an_answer(fuzzed: Fuzzed) -> None:
    content = content_of(fuzzed.target.path)
    manifest = fuzzed.target.pair[1].decode()

    def problem_of(random: Random) -> str | None:
        text = mutations.mutated_manifest(random, manifest, str(fuzzed.canary)).encode()
        inside = random.random() < 0.6
        pair = (content + members(text), text) if inside else (content, text)
        problem = problem_with_pair(fuzzed, random, pair)
        changed = "\n".join(sorted(set(text.decode().split("\n")) - set(manifest.split("\n"))))
        return problem and f"{problem}\n--- changed lines\n{changed[:2000]!r}"

    assert_answers("manifest", problem_of, 100, 1)


@only_with_all
def test_changed_member_with_the_manifest_gets_an_answer(fuzzed: Fuzzed) -> None:
    content, manifest = content_of(fuzzed.target.path), fuzzed.target.pair[1]

    def problem_of(random: Random) -> str | None:
        file = mutations.mutated_members(random, content, manifest)
        beside = random.choice([manifest, manifest, b"", with_checksum("bytes: 1\n").encode()])
        return problem_with_pair(fuzzed, random, (file, beside))

    assert_answers("member", problem_of, 30, 0)


@only_with_all
def test_changed_archive_gets_an_answer(fuzzed: Fuzzed) -> None:
    """In half of the cases, the manifest has the hash of the changed file."""
    manifest = re.sub("^manifest: .*\n", "", fuzzed.target.pair[1].decode(), flags=re.MULTILINE)

    def problem_of(random: Random) -> str | None:
        archive = mutations.mutated_archive(random, fuzzed.archive)
        file = gzip.compress(archive, 1) if random.random() < 0.7 else archive
        if random.random() < 0.5:
            return problem_with_pair(fuzzed, random, (file, b""))
        text = re.sub("^bytes: .*", f"bytes: {len(file)}", manifest, flags=re.MULTILINE)
        found = hashlib.sha256(file).hexdigest()
        text = re.sub("^sha256: .*", f"sha256: {found}", text, flags=re.MULTILINE)
        text = with_checksum(text)
        return problem_with_pair(fuzzed, random, (file + members(text.encode()), text.encode()))

    assert_answers("archive", problem_of, 80, 0)


# --- settings and names ---


@only_with_all
def test_changed_settings_get_an_answer(fuzzed: Fuzzed) -> None:
    text = (fuzzed.checkout.path / "scripts" / "lib" / "settings.sh").read_text()
    names = [name for name in re.findall(r': "\$\{(\w+):=', text) if "_ON_" not in name]

    def problem_of(random: Random) -> str | None:
        content = mutations.mutated_env(random, names, str(fuzzed.canary))
        path = fuzzed.checkout.path / ".env"
        path.write_bytes(content)
        command = random.choice(
            [[LIST], [DOCTOR], [RESTORE, "--dry-run", fuzzed.target.path], [PRUNE, "--dry-run"]]
        )
        try:
            run, problem = fuzzed.run(*command)
        finally:
            path.unlink()
        return problem and f"{problem}: {command}: {run}\n--- .env\n{content[:2000]!r}"

    assert_answers(".env", problem_of, 80, 0)


@only_with_all
def test_odd_file_name_gets_an_answer(fuzzed: Fuzzed) -> None:
    def problem_of(random: Random) -> str | None:
        directory = os.fsencode(fuzzed.checkout.named_backups)
        name = mutations.odd_file_name(random) + b".dump.gz"
        path = directory + b"/" + name
        problem = None
        try:
            run, wrong = fuzzed.run(BACKUP, "--", path)
            problem = wrong and f"{wrong}: {run}"
            if not problem and run.status == 0:
                commands = [
                    [VERIFY, "--level", "hash", "--", path],
                    [RESTORE, "--", path],
                    [DIFF, "--", path],
                    [RESTORE, "--dry-run", "--", path],
                    [LIST],
                ]
                for command in random.sample(commands, 2):
                    run, wrong = fuzzed.run(*command, **CONFIRMED)
                    if wrong or run.status != 0:
                        problem = f"{wrong}: {command[0]}: {run}"
                        break
                found = {os.fsencode(each.name) for each in fuzzed.checkout.named_backups.iterdir()}
                if not problem and found - {name + b".verified"} != {name, name + b".info"}:
                    problem = f"other files: {found}"
            if (fuzzed.checkout.path / "x").exists():
                problem = "an attack ran"
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        fuzzed.target.make_old()
        return problem and f"{name!r}: {problem}"

    assert_answers("file name", problem_of, 20, 0)


@only_with_all
def test_odd_names_in_a_database_survive(fuzzed: Fuzzed) -> None:
    """Names of the database, schemas, tables, columns and roles, through backup and restore."""
    server = fuzzed.target.database.server
    canary = str(fuzzed.canary)
    attacks = tuple(attack[:63] for attack in mutations.attacks(canary))

    def problem_of(random: Random) -> str | None:
        live, role, schema, table, column = (
            mutations.odd_name(random, 63 - 4 * (n == 0), more=attacks) for n in range(5)
        )
        live = f"fuz {live}"
        names = {
            "live": sql.Identifier(live),
            "role": sql.Identifier(f"r{role}"[:40]),
            "schema": sql.Identifier(f"s{schema}"[:40]),
            "table": sql.Identifier(table),
            "column": sql.Identifier(column),
        }
        path = fuzzed.checkout.path / "names.dump.gz"
        execute(server, "postgres", "CREATE DATABASE {live}", names)
        execute(server, "postgres", "CREATE ROLE {role}", names)
        try:
            execute(server, live, MAKE_NAMES, names)
            before = execute(server, live, READ_NAMES, names)
            run, problem = fuzzed.run(BACKUP, path, TB_POSTGRES_DATABASE=live)
            if not problem and run.status == 0:
                execute(server, live, "DELETE FROM {schema}.{table}", names)
                trust = random.choice(["yes", "no"])
                settings = {"TB_POSTGRES_DATABASE": live, "RESTORE_TRUST": trust, **CONFIRMED}
                run, problem = fuzzed.run(RESTORE, path, **settings)
                after = execute(server, live, READ_NAMES, names)
                if run.status != 0 or after != before:
                    problem = problem or "not restored"
            return problem and f"{problem}: {[live, role, schema, table, column]}: {run}"
        finally:
            path.unlink(missing_ok=True)
            manifest_of(path).unlink(missing_ok=True)
            execute(server, "postgres", "DROP DATABASE {live} WITH (FORCE)", names)
            execute(server, "postgres", "DROP ROLE {role}", names)

    assert_answers("names", problem_of, 20, 0)


MAKE_NAMES = """
CREATE SCHEMA {schema}; CREATE TABLE {schema}.{table} ({column} text);
INSERT INTO {schema}.{table} VALUES ('a'), (NULL);
CREATE INDEX ON {schema}.{table} ({column});
GRANT USAGE ON SCHEMA {schema} TO {role}; GRANT SELECT ON {schema}.{table} TO {role};
ALTER TABLE {schema}.{table} OWNER TO {role}
"""
READ_NAMES = """
SELECT {column}, c.relname, n.nspname, relowner::regrole::text
FROM {schema}.{table} AS t JOIN pg_class AS c ON c.oid = t.tableoid
JOIN pg_namespace AS n ON n.oid = relnamespace ORDER BY 1
"""


def execute(server: Server, database: str, text: str, names: dict) -> list[tuple]:
    with server.connect(database) as connection:
        for statement in text.split(";\n"):
            cursor = connection.execute(sql.SQL(statement).format(**names))
        return cursor.fetchall() if cursor.description else []


# --- answers of the server ---


@only_with_all
def test_changed_answers_of_a_server_get_an_answer(fuzzed: Fuzzed) -> None:
    """A server that lies may also get the tool to believe it; it runs and destroys nothing.

    If it says that a database was dropped, the next run drops it.
    """
    database = fuzzed.target.database
    path = fuzzed.checkout.path / "answers.dump.gz"
    programs = {"psql": 12, "pg_dump": 2, "pg_restore": 4}

    def problem_of(random: Random) -> str | None:
        write_pair(path, fuzzed.target.pair)
        calls = Path(tempfile.mkdtemp(prefix="calls.", dir=fuzzed.checkout.home))
        program = random.choice(["psql", *programs])
        script, what = mutations.mutated_answers(
            random,
            str(fuzzed.canary),
            calls,
            programs[program],
            endless=program == "psql",
        )
        fakes = fake(fuzzed.checkout, **{program: script})
        command = random.choice(
            [[RESTORE, path], [BACKUP, path], [VERIFY, path], [DIFF, path], [DOCTOR]]
        )
        run, problem = fuzzed.run(*command, **CONFIRMED, **fakes)
        state = fuzzed.target.state()
        pair = read_pair(path)
        if state not in ("old", "new"):
            problem = problem or state
        if pair != fuzzed.target.pair and (command[0] != BACKUP or run.status == 1):
            problem = problem or "the backup has changed"
        shutil.rmtree(calls)
        path.with_name(f"{path.name}.verified").unlink(missing_ok=True)
        if state != "old" or database.left_behind():
            again = database.restore(fuzzed.target.path)
            if again.status != 0 or database.left_behind():
                problem = problem or f"the next run: {again} {database.left_behind()}"
            fuzzed.target.make_old()
        return problem and f"{problem}: {program} {what}: {command}: {run}"

    fuzzed.tidy = False
    try:
        assert_answers("answers", problem_of, 80, 0)
    finally:
        fuzzed.tidy = True
        path.unlink(missing_ok=True)
        manifest_of(path).unlink(missing_ok=True)
