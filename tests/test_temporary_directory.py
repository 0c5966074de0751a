"""A full or unusable temporary directory, and standard descriptors that are closed or full."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.faults import small_disk
from support.ground import Database, digest

SCRIPTS = ["backup-assets.sh", "restore-assets.sh", "stats.sh", "clean-db.sh", "rollback-assets.sh"]
SHELLS = ["dash", "busybox sh", "bash"]


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "full", 1) as folder:
        subprocess.run(
            ["dd", "if=/dev/zero", f"of={folder}/ballast", "bs=4k"],
            capture_output=True,
            check=False,
        )
        yield folder


@pytest.mark.parametrize(
    ("script", "shell"),
    [
        *((script, "dash") for script in SCRIPTS),
        ("backup-assets.sh", "busybox sh"),
        ("restore-assets.sh", "bash"),
    ],
)
def test_full_temporary_directory_is_one_sentence(
    direct: Database, full: Path, script: str, shell: str
) -> None:
    path = direct.backed_up()
    before, backup = direct.content(), digest(path)
    run = direct.checkout.run(f"./scripts/{script}", shell=shell, TMPDIR=str(full), **YES)
    assert run.status == 1, run
    assert run.err == (
        f"error: could not write to the temporary directory '{full}';"
        " the database and the existing backup are unchanged\n"
        " hint: free some space there, or set TMPDIR to another directory\n"
    )
    assert run.out == ""
    assert [entry.name for entry in full.iterdir()] == ["ballast"]
    assert direct.content() == before and digest(path) == backup


YES = {"RESTORE_SKIP_CONFIRM": "yes", "CLEAN_SKIP_CONFIRM": "yes"}


def test_temporary_directory_that_fills_up_later_is_one_sentence(
    direct: Database, full: Path
) -> None:
    """The directory is full as soon as the run has begun."""
    path = direct.backed_up()
    before, backup = direct.content(), digest(path)
    (full / "ballast").write_bytes(b"")
    fills = f"dd if=/dev/zero of='{full}/ballast' bs=4k 2>/dev/null; exec /usr/bin/od \"$@\""
    for script in ("backup-assets.sh", "restore-assets.sh"):
        path_variable = direct.checkout.path_with(od=fills)
        run = direct.checkout.run(
            f"./scripts/{script}", TMPDIR=str(full), PATH=path_variable, **YES
        )
        (full / "ballast").write_bytes(b"")
        assert run.status == 1, run
        assert len([line for line in run.err.splitlines() if line.startswith("error: ")]) == 1, run
        assert "I/O error" not in run.err, run
        assert direct.content() == before and digest(path) == backup


@pytest.mark.parametrize("shell", SHELLS)
def test_nobody_listening_does_not_fail_a_run(direct: Database, shell: str) -> None:
    path = direct.backed_up()
    for redirections in ("2>/dev/full", ">&- 2>&- <&-"):
        command = f'exec {shell} ./scripts/restore-assets.sh "$1" {redirections}'
        run = direct.checkout.run("sh", "-c", command, "sh", path, **YES)
        assert run.status == 0, (redirections, run)
        assert direct.leftovers() == []


def test_temporary_files_that_cannot_be_removed_do_not_fail_a_run(direct: Database) -> None:
    path = direct.backed_up()
    rm = 'for each; do case $each in */tumblebug-assets.*.??????) exit 1 ;; esac; done; exec /bin/rm "$@"'
    run = direct.restore(path, PATH=direct.checkout.path_with(rm=rm))
    assert run.status == 0, run
    assert "could not remove '" in run.err and "the next run will" in run.err
    assert direct.restore(path).status == 0
    assert direct.leftovers() == []


def test_errors_are_understood_with_coloured_clients(direct: Database) -> None:
    run = direct.checkout.run("./scripts/stats.sh", PG_COLOR="always", TB_POSTGRES_PASSWORD="wrong")
    assert run.status == 1, run
    assert "wrong password for user" in run.err and "\x1b" not in run.err
