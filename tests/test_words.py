"""The words that the project has given up: the check finds each of them, and none is left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
CHECK = PROJECT / "scripts/dev/check_words.py"


def check(root: Path, *options: str) -> tuple[int, list[str]]:
    """Return the exit status and the lines that the check prints."""
    run = subprocess.run(
        [sys.executable, CHECK, *options, root], capture_output=True, text=True, check=False
    )
    assert run.stderr == ""
    return run.returncode, run.stdout.splitlines()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("drop the companions", "companions"),
        ("assets_former_$key", "former"),
        ("mend_leftovers", "mend"),
        ("leftovers that a run has left", "leftovers that"),
        ("a dead\n# run's lock", "dead run"),
        ("Prove it", "prove"),
        ("a stranger's file", "stranger"),
        ("choose_way", "way"),
        ("echo ${way}", "way"),
        ("way=rows", "way"),
        ("create_loader", "loader"),
        ("beside_server psql", "beside server"),
        ("next to\nthe server", "next to the server"),
        ("next to $server", "next to $server"),
        ("far_path", "far"),
        ("$FAR_PREFIX", "far"),
        ("lock.far.errors", "far"),
        ("seal_of", "seal"),
        ("is_our_own", "our own"),
        ("three clouds", "clouds"),
        ("from CSPs", "csps"),
        ("what_matters", "what matters"),
        ("data flows", "flows"),
        ("left_out", "left out"),
        ("the file cannot be replaced", "cannot be replaced"),
        ("the file cannot be read", "cannot be read"),
        ("rows cannot be verified", "cannot be verified"),
        ("it stands", "stands"),
        ("as it was", "as it was"),
        ("a folder", "folder"),
        ("links laid there", "laid"),
        ("it brings", "brings"),
        ("put_in_place", "put in place"),
    ],
)
def test_forbidden_word_is_found(tmp_path: Path, text: str, word: str) -> None:
    (tmp_path / "README.md").write_text(f"One line.\n\n{text}\n")
    status, lines = check(tmp_path)
    assert status == 1
    assert [line.partition(" (use: ")[0] for line in lines] == [f"README.md:3: {word}"]


@pytest.mark.parametrize(
    "text",
    [
        "provide, approve, layer, layout, workflow, understands, download, unfolded, formerly",
        "find a way to bringup",
        "csp_spec_name",
        "across 3 CSPs",
        "a flow chart",
        "from all cloud providers",
        "as far as we know",
        "the database could not be reached",
    ],
)
def test_words_that_only_look_alike_pass(tmp_path: Path, text: str) -> None:
    (tmp_path / "README.md").write_text(text)
    assert check(tmp_path) == (0, [])


def test_name_of_a_file_is_searched(tmp_path: Path) -> None:
    (tmp_path / "scripts/sql").mkdir(parents=True)
    (tmp_path / "scripts/sql/make-folder.sql").write_text("SELECT 1\n")
    assert check(tmp_path) == (
        1,
        ["scripts/sql/make-folder.sql:1: folder in the file's name (use: directory, path)"],
    )


def test_count_counts_each_word(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("folder mend Folder\n")
    assert check(tmp_path, "--count") == (0, ["    2 folder", "    1 mend"])


def test_no_such_word_is_left() -> None:
    assert check(PROJECT) == (0, [])
