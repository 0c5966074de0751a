"""list-backups: every backup in assets/ and backups/postgres/, without a server."""

from __future__ import annotations

import gzip
import json
import os
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unicodedata import east_asian_width

import pytest
from support.backups import (
    Pair,
    manifest_of,
    read_pair,
    remove_manifest,
    rewrite_manifest,
    separate_manifest,
    write_backup,
    write_pair,
)
from support.databases import Database
from support.fakes import fake
from support.run import BACKUP, LIST, PRUNE, Checkout

KEY = b"0123456789abcdef" * 4


@pytest.fixture
def signing(checkout: Checkout) -> Checkout:
    """A checkout on a machine with a key."""
    checkout.key.parent.mkdir(parents=True)
    checkout.key.write_bytes(KEY)
    checkout.key.chmod(0o600)
    checkout.named_backups.mkdir(parents=True)
    return checkout


def ago(**time: float) -> str:
    """Return the time so long ago, in UTC, as a manifest has it."""
    return f"{datetime.now(timezone.utc) - timedelta(**time):%Y-%m-%d %H:%M:%S}"


def write(
    checkout: Checkout,
    name: str,
    key: bytes | None = KEY,
    holds: str = "schema and data",
    **time: float,
) -> Path:
    path = checkout.named_backups / f"{name}.dump.gz"
    return write_backup(path, ago(**time), key=key, holds=holds)


def cells(out: str) -> dict[str, list[str]]:
    """Return the cells of the table's lines, by the name in the first one."""
    lines = [line.split("  ") for line in out.splitlines()[1:]]
    return {line[0]: [cell.strip() for cell in line[1:] if cell.strip()] for line in lines}


def states(checkout: Checkout) -> dict[str, str]:
    run = checkout.run(LIST)
    assert run.status == 0, run
    return {name: line[-2] for name, line in cells(run.out).items()}


def test_a_backup_is_listed_as_its_manifest_says(direct: Database) -> None:
    direct.sample_backup()
    run = direct.checkout.run(LIST)
    assert run.status == 0, run
    title, line = run.out.splitlines()
    assert title.split() == ["name", "age", "size", "rows", "server", "state", "verified"]
    name, age, size, unit, rows, server, state, verified = line.split()
    assert (name, state, verified) == ("assets/assets.dump.gz", "ok", "-")
    assert age[-1] in "mh" and unit in ("kB", "MB") and float(size) > 0
    tables = manifest_of(direct.checkout.default_backup).read_text().split("\ntables: ")[1]
    counted = [int(each.split()[0]) for each in tables.splitlines()[1:] if each[0].isdigit()]
    assert rows == f"{sum(counted):,}"
    assert server in direct.execute("SHOW server_version")[0][0]
    assert run.err == "" and direct.checkout.left_behind() == []


@pytest.mark.parametrize("shell", ["dash", "busybox sh", "bash"])
def test_newest_is_first_and_names_are_what_the_commands_take(
    signing: Checkout, shell: str
) -> None:
    write(signing, "b", days=3)
    write(signing, "tumblebug_db_20240115_143022", days=800)
    write(signing, "a=1 \N{HANGUL SYLLABLE GA}'\"$(x)", hours=7)
    write(signing, " tab\there", minutes=5)
    write(signing, "line\nbreak", days=1)
    write_backup(signing.default_backup, ago(hours=50), rows=1234567, key=KEY)
    run = signing.run(LIST, shell=shell)
    assert run.status == 0, run
    lines = run.out.splitlines()
    assert [line[:29].rstrip() for line in lines] == [
        "name",
        " tab?here",
        "a=1 \N{HANGUL SYLLABLE GA}'\"$(x)",
        "assets/assets.dump.gz",
        "b",
        "tumblebug_db_20240115_143022",
    ]
    for line, age in zip(lines[1:], ["5m", "7h", "2d", "3d", "2y"], strict=True):
        assert f" {age} " in line and "  16.14  ok  " in line
    assert " 1,234,567 " in lines[3]
    assert max(map(len, lines)) <= 80


def test_a_name_that_is_too_long_has_a_line_of_its_own(signing: Checkout) -> None:
    write(signing, "x" * 70)
    lines = signing.run_on_80_columns(LIST).out.splitlines()
    assert lines[1] == "x" * 70 and max(map(len, lines)) <= 80 and "ok" in lines[2]
    assert re.search(f"^{'x' * 70} .* ok ", signing.run(LIST).out, re.MULTILINE)


def test_the_state_says_what_does_not_agree(signing: Checkout) -> None:
    pairs: dict[str, Pair] = {}
    for name in (
        *("ok", "no-info", "other-info", "edited-info"),
        *("cut", "nearly-whole", "longer", "beside", "older"),
    ):
        pairs[name] = read_pair(write(signing, name, days=1))
    backup = {name: signing.named_backups / f"{name}.dump.gz" for name in pairs}
    manifest_of(backup["no-info"]).unlink()
    manifest_of(backup["other-info"]).write_bytes(pairs["ok"][1] + b"\n")
    manifest_of(backup["edited-info"]).write_bytes(
        pairs["edited-info"][1].replace(b"99 5", b"98 5")
    )
    backup["cut"].write_bytes(pairs["cut"][0][:-40])
    backup["nearly-whole"].write_bytes(pairs["nearly-whole"][0][:-1])
    backup["longer"].write_bytes(pairs["longer"][0] + b"\n")
    separate_manifest(backup["beside"])
    separate_manifest(backup["older"])
    backup["older"].write_bytes(backup["older"].read_bytes() + b"\n")
    edited = write(signing, "edited", days=1)
    rewrite_manifest(edited, manifest_of(edited).read_text().replace("99 5", "98 5"))
    broken = write(signing, "broken", days=1)
    content, manifest = read_pair(broken)
    write_pair(broken, (content.replace(b"99 5", b"98 5"), manifest.replace(b"99 5", b"98 5")))
    write(signing, "theirs", key=b"another")
    write(signing, "nobodys", key=None)
    remove_manifest(write(signing, "foreign"))
    (signing.named_backups / "empty.dump").touch()
    os.utime(signing.named_backups / "empty.dump", (0, 0))
    write(signing, "rows", holds="data only")
    (signing.named_backups / "empty.dump.gz.info").mkdir()
    (signing.named_backups / "directory.dump.gz").mkdir()
    (signing.named_backups / ".x.dump.gz.partial.1").touch()
    assert states(signing) == {
        "ok": "ok",
        "no-info": "no info",
        "other-info": "other info",
        "edited-info": "other info",
        "cut": "mismatch",
        "nearly-whole": "damaged",
        "longer": "mismatch",
        "beside": "ok",
        "older": "mismatch",
        "edited": "untrusted",
        "broken": "damaged",
        "theirs": "untrusted",
        "nobodys": "unsigned",
        "foreign": "unknown",
        "backups/postgres/empty.dump": "empty",
        "rows": "data only",
    }
    last = signing.run(LIST).out.splitlines()[-1].split()
    assert last[0] == "backups/postgres/empty.dump" and last[1].endswith("y")
    assert last[2:] == ["0", "B", "-", "-", "empty", "-"]


def test_a_foreign_backup_has_the_age_of_its_file(signing: Checkout) -> None:
    foreign = signing.named_backups / "foreign.dump.gz"
    foreign.write_bytes(gzip.compress(b"x"))
    manifest_of(foreign).write_text("created: then\nsummary: 3 specs, 1 CSPs\n")
    os.utime(foreign, (0, 86400 * 365))
    line = signing.run(LIST).out.splitlines()[1]
    assert line.split()[0] == "foreign" and line.split()[1].endswith("y") and "unknown" in line


@pytest.mark.parametrize("copy", [KEY + b"\n", KEY.upper() + b"\r\n"])
def test_line_end_and_upper_case_do_not_change_the_key(signing: Checkout, copy: bytes) -> None:
    signing.key.write_bytes(copy)
    write(signing, "mine")
    write(signing, "theirs", key=KEY[::-1])
    assert states(signing) == {"mine": "ok", "theirs": "untrusted"}


def test_the_last_verification_counts_for_the_content_that_was_verified(signing: Checkout) -> None:
    results = {"good": "ok", "bad": "failed", "again": "failed", "replaced": "ok", "cut": "ok"}
    for name, result in results.items():
        path = write(signing, name)
        sha256 = manifest_of(path).read_text().split("sha256: ")[1].split()[0]
        remember = (
            "root=$PWD; . scripts/lib/use.sh; use publish verification-result; "
            "work=$TMPDIR; run_name=x; "
            f'remember_verification "$1" restore {result} {sha256}'
        )
        run = signing.run("sh", "-c", remember, "sh", path)
        assert (run.status, run.err) == (0, ""), run
    write(signing, "replaced", days=1)
    path = signing.named_backups / "again.dump.gz"
    path.write_bytes(path.read_bytes())  # as if it was damaged before
    path = signing.named_backups / "cut.dump.gz"
    path.write_bytes(path.read_bytes()[:-1])
    table = cells(signing.run(LIST).out)
    assert {name: line[-1] for name, line in table.items()} == {
        "good": "restore 0m",
        "bad": "failed 0m",
        "again": "-",
        "replaced": "-",
        "cut": "-",
    }
    assert not list(signing.named_backups.glob(".*"))


def test_many_backups_start_few_processes(signing: Checkout) -> None:
    for number in range(300):
        write(signing, f"backup-{number:03}", hours=number)
    counted = {
        name: f'echo {name} >>"{signing.home}/started"; exec "$REAL" "$@"'
        for name in ("awk", "cat", "cut", "date", "head", "ls", "sed", "sha256sum", "tail", "wc")
    }
    run = signing.run(LIST, **fake(signing, **counted))
    assert run.status == 0, run
    names = list(cells(run.out))
    assert names == [f"backup-{number:03}" for number in range(300)]
    assert len((signing.home / "started").read_text().splitlines()) < 60


def test_columns_are_aligned_whatever_the_letters(signing: Checkout) -> None:
    for name in ("plain", "tabl\N{LATIN SMALL LETTER E WITH ACUTE}", "\N{HANGUL SYLLABLE GA}" * 3):
        write(signing, name)
    run = signing.run(LIST)
    before_state = [re.split(" (?:state|ok) ", line)[0] for line in run.out.splitlines()]
    columns = {sum(1 + (east_asian_width(c) == "W") for c in text) for text in before_state}
    assert run.status == 0 and len(before_state) == 4 and len(columns) == 1, run


def test_json_has_no_control_characters_and_is_utf_8(signing: Checkout) -> None:
    name = b"a\xc2\x9b31m\x7f\xff\xe2\x82.dump.gz"
    path = bytes(signing.named_backups) + b"/" + name
    signing.named_backups.mkdir(parents=True, exist_ok=True)
    Path(os.fsdecode(path)).write_bytes(gzip.compress(b"PGDMP"))
    run = signing.run(LIST, "--json")
    assert run.status == 0, run
    [backup] = json.loads(run.out)["result"]["backups"]
    assert backup["path"].endswith("/a?31m????.dump.gz"), run


def test_list_without_sizes_is_an_error(signing: Checkout) -> None:
    write(signing, "here")
    run = signing.run(LIST, **fake(signing, ls="exit 0"))
    assert (run.status, run.out) == (1, ""), run
    assert run.errors == ["error: could not list the backups with their sizes"]


def test_empty_list_says_how_to_create_a_backup(checkout: Checkout) -> None:
    run = checkout.run("make", "list-backups")
    assert (run.status, run.out) == (0, ""), run
    assert "create one with 'make backup-assets'" in run.err


def test_directory_that_is_not_mounted_is_named(direct: Database) -> None:
    direct.checkout.named_backups.parent.mkdir(exist_ok=True)
    direct.checkout.named_backups.symlink_to("/nonexistent/backups")
    error = "backups/postgres' is a symbolic link to a directory that does not exist"
    for command in ([LIST], [PRUNE, "--keep", "1", "-y"], [BACKUP, "auto"]):
        run = direct.checkout.run(*command)
        assert run.status == 1 and len(run.errors) == 1 and error in run.err, run
