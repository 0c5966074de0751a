"""A full or unusable temporary directory, and closed or full standard streams."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.backups import digest
from support.databases import Database, make_big
from support.disks import small_disk
from support.fakes import fake
from support.run import CONFIRMED, STATS, VERIFY, Checkout
from support.sampling import sampled

SCRIPTS = ["backup-assets.sh", "restore-assets.sh", "stats.sh", "clean-db.sh", "rollback-assets.sh"]
SHELLS = ["dash", "busybox sh", "bash"]


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "full", "1m") as directory:
        subprocess.run(
            ["dd", "if=/dev/zero", f"of={directory}/ballast", "bs=4k"],
            capture_output=True,
            check=False,
        )
        yield directory


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
    path = direct.sample_backup()
    before, backup = direct.content(), digest(path)
    run = direct.checkout.run(f"./scripts/{script}", shell=shell, TMPDIR=str(full), **CONFIRMED)
    assert run.status == 1, run
    unchanged = {
        "backup-assets.sh": "; no backup was written",
        "stats.sh": "",
    }.get(script, "; the database is unchanged")
    assert run.err == (
        f"error: could not write to the temporary directory '{full}'{unchanged}\n"
        " hint: free some space there, or set TMPDIR to another directory\n"
    )
    assert run.out == ""
    assert [entry.name for entry in full.iterdir()] == ["ballast"]
    assert direct.content() == before and digest(path) == backup


def test_temporary_directory_that_does_not_exist_is_named(checkout: Checkout) -> None:
    run = checkout.run(STATS, TMPDIR="/nowhere")
    assert run.status == 1, run
    assert run.err == (
        "error: could not write to the temporary directory '/nowhere': No such file or directory\n"
        " hint: set TMPDIR to a directory in which you may create files\n"
    )


def test_temporary_directory_that_fills_up_later_is_one_sentence(
    direct: Database, full: Path
) -> None:
    """The directory is full as soon as the run has begun."""
    path = direct.sample_backup()
    before, backup = direct.content(), digest(path)
    (full / "ballast").write_bytes(b"")
    fills = f'dd if=/dev/zero of=\'{full}/ballast\' bs=4k 2>/dev/null; exec "$REAL" "$@"'
    for script in ("backup-assets.sh", "restore-assets.sh"):
        faked = fake(direct.checkout, od=fills)
        run = direct.checkout.run(f"./scripts/{script}", TMPDIR=str(full), **faked, **CONFIRMED)
        (full / "ballast").write_bytes(b"")
        assert run.status == 1, run
        assert len(run.errors) == 1, run
        assert "I/O error" not in run.err, run
        assert f"the temporary directory '{full}'" in run.err, run
        assert direct.content() == before and digest(path) == backup


def test_temporary_directory_too_small_for_the_archive_is_named(
    direct: Database, full: Path
) -> None:
    """With a server that is reached directly, it is this machine's, and not the server's."""
    make_big(direct)
    path = direct.backed_up()
    (full / "ballast").write_bytes(b"")
    run = direct.restore(path, TMPDIR=str(full))
    assert run.status == 1 and f"error: the temporary directory '{full}' has " in run.err, run
    run = direct.checkout.run(VERIFY, path, TMPDIR=str(full))
    assert run.status == 1 and run.err.count("hint: ") == 1, run
    assert f"hint: the temporary directory '{full}' is full" in run.err, run


@pytest.mark.parametrize("shell", sampled(SHELLS, 1))
def test_nobody_listening_does_not_fail_a_run(direct: Database, shell: str) -> None:
    path = direct.sample_backup()
    for script, redirections in (
        ("restore-assets", "2>/dev/full"),
        ("restore-assets", ">&- 2>&- <&-"),
        ("stats", ">&-"),
        ("stats", "<&-"),
        ("stats", "2>&-"),
    ):
        argument = "" if script == "stats" else '"$1"'
        command = f"exec {shell} ./scripts/{script}.sh {argument} {redirections}"
        run = direct.checkout.run("sh", "-c", command, "sh", path, **CONFIRMED)
        if redirections == ">&-":  # its result is lost
            assert run.status == 1, run
            assert run.errors == ["error: could not write the result"], run
            continue
        assert run.status == 0, (redirections, run)
        if script == "stats":
            named = f"(database '{direct.name}' of server .*\n)?"
            assert re.fullmatch(named, run.err), (redirections, run)
        assert direct.left_behind() == []


def test_temporary_files_that_could_not_be_removed_are_a_warning(direct: Database) -> None:
    path = direct.sample_backup()
    rm = (
        "for each; do case $each in */tumblebug-assets.*.??????) exit 1 ;; esac; done;"
        ' exec "$REAL" "$@"'
    )
    run = direct.restore(path, **fake(direct.checkout, rm=rm))
    assert run.status == 0, run
    assert "could not remove '" in run.err and "the next run will" in run.err
    assert direct.restore(path).status == 0
    assert direct.left_behind() == []


def test_errors_are_understood_with_coloured_clients(direct: Database) -> None:
    run = direct.checkout.run(STATS, PG_COLOR="always", TB_POSTGRES_PASSWORD="wrong")
    assert run.status == 1, run
    assert "wrong password for user" in run.err and "\x1b" not in run.err
