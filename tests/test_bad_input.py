"""Bad files and bad words: one clear sentence, exit 1 or 2, the database untouched, nothing left."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from support.ground import Database

SCRIPTS = sorted(
    path.name
    for path in (Path(__file__).parent.parent / "scripts").glob("*.sh")
    if "usage()" in path.read_text()
)


def refused(database: Database, path: Path | str, *sentences: str) -> None:
    before = database.content()
    run = database.restore(path)
    assert run.status == 1, run
    for sentence in sentences:
        assert sentence in run.err, run
    assert run.out == ""
    assert len(re.findall("^error: ", run.err, re.MULTILINE)) == 1, run
    assert "Traceback" not in run.err and "line " not in run.err, run
    assert database.content() == before
    assert database.leftovers() == []


def test_missing_file_lists_the_backups_that_exist(direct: Database) -> None:
    direct.backed_up()
    refused(direct, "nowhere.dump.gz", "there is no backup file", "assets/assets.dump.gz")


def test_missing_file_without_any_backup_says_how_to_make_one(direct: Database) -> None:
    refused(direct, "nowhere.dump.gz", "there is no backup file", "make backup-assets")


def test_folder_is_refused(direct: Database, tmp_path: Path) -> None:
    refused(direct, tmp_path, "is a folder")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"hello", "is not a backup"),
        (b"-- SQL\nDROP DATABASE tumblebug;\n", "is not a backup"),
        (gzip.compress(b"hello", mtime=0), "is not a whole PostgreSQL archive"),
        (gzip.compress(b"", mtime=0), "is not a whole PostgreSQL archive"),
        (gzip.compress(b"hello", mtime=0)[:-6], "damaged or cut short"),
        (b"\x1f\x8bnonsense", "damaged or cut short"),
        (b"PGDMP", "is not a whole PostgreSQL archive"),
        (b"PGDMP\x01\x63\x00\x04\x08\x01" + bytes(100), "was made by a newer PostgreSQL"),
    ],
)
def test_what_is_no_backup_is_refused(
    direct: Database, tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "bad.dump.gz"
    path.write_bytes(content)
    refused(direct, path, sentence)


@pytest.mark.parametrize("percent", [1, 30, 60, 90, 99])
def test_truncated_backup_is_refused(direct: Database, percent: int) -> None:
    path = direct.backed_up()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * percent // 100])
    refused(direct, path, "damaged or cut short")


@pytest.mark.parametrize("percent", [5, 30, 60, 90, 99])
@pytest.mark.parametrize("wrapped", [True, False])
def test_archive_that_was_cut_before_gzip_is_refused(
    direct: Database, tmp_path: Path, percent: int, wrapped: bool
) -> None:
    archive = gzip.decompress(direct.backed_up().read_bytes())
    cut = archive[: len(archive) * percent // 100]
    path = tmp_path / "cut.dump"
    path.write_bytes(gzip.compress(cut) if wrapped else cut)
    refused(direct, path, "is not a whole PostgreSQL archive")


def test_unreadable_file_is_refused(direct: Database, tmp_path: Path) -> None:
    path = tmp_path / "loop.dump.gz"
    path.symlink_to(path)
    refused(direct, path, "there is no backup file")


ODD_NAMES = [
    "it's",
    'a "quote"',
    "a$HOME",
    "a;touch x",
    "a b",
    "-n",
    "--help",
    "a\nb",
    "`x`",
    "$(touch x)",
    "%s",
    "한글",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_do_no_harm(direct: Database, name: str) -> None:
    folder = direct.checkout.folder / "backups" / "postgres"
    path = folder / f"{name}.dump.gz"
    before = direct.content()
    run = direct.backup("--", name)
    assert run.status == 0, run
    assert set(folder.iterdir()) == {path, folder / f"{name}.dump.gz.info"}
    direct.execute("DELETE FROM pricing_info")
    assert direct.restore("--", path.relative_to(direct.checkout.folder)).status == 0
    assert direct.content() == before
    assert "x" not in {entry.name for entry in direct.checkout.folder.iterdir()}
    assert direct.leftovers() == []


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_do_no_harm_through_make(direct: Database, name: str) -> None:
    if "\n" in name:
        pytest.skip("make itself takes no newline in a variable")
    before = direct.content()
    run = direct.checkout.run("make", "backup-assets", f"NAME={name}")
    assert run.status == 0, run
    path = f"./backups/postgres/{name}.dump.gz"
    assert (direct.checkout.folder / path).is_file()
    direct.execute("DELETE FROM pricing_info")
    run = direct.checkout.run("make", "restore-assets", f"FILE={path}", RESTORE_SKIP_CONFIRM="yes")
    assert run.status == 0, run
    assert direct.content() == before
    assert "x" not in {entry.name for entry in direct.checkout.folder.iterdir()}


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_is_the_result_of_asking_for_it(checkout, script: str) -> None:
    run = checkout.run(f"./scripts/{script}", "--help")
    assert run.status == 0, run
    assert run.out.startswith("Usage: ./scripts/" + script)
    assert run.err == ""


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("arguments", [["--nonsense"], ["-x"], ["a", "b"]])
def test_wrong_usage_is_said_before_any_effect(checkout, script: str, arguments: list[str]) -> None:
    run = checkout.run(f"./scripts/{script}", *arguments)
    assert run.status == 2, run
    assert "--help shows the usage" in run.err
    assert checkout.leftovers() == []


@pytest.mark.parametrize("script", ["backup-assets.sh", "restore-assets.sh"])
def test_empty_name_is_wrong_usage(checkout, script: str) -> None:
    run = checkout.run(f"./scripts/{script}", "")
    assert run.status == 2, run
    assert "is empty" in run.err


def test_backup_needs_the_folder_it_is_to_be_written_into(direct: Database) -> None:
    run = direct.backup("./nowhere/x.dump.gz")
    assert run.status == 1, run
    assert "there is no folder './nowhere/'" in run.err


def test_backup_is_not_written_over_a_folder(direct: Database) -> None:
    (direct.checkout.folder / "a.dump.gz").mkdir()
    run = direct.backup("a.dump.gz")
    assert run.status == 1, run
    assert "is a folder" in run.err
