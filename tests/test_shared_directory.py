"""Other users' files in a shared temporary directory: no run reads or removes them."""

from __future__ import annotations

import os
import pwd
import re
from pathlib import Path

import pytest
from support.databases import Database
from support.fakes import fake
from support.run import STATS

only_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can give a directory to another user"
)


def prefix(database: Database) -> Path:
    """Return how the names of a run's directories begin, which are here with the backend direct."""
    endpoint = database.checkout.environment["TB_POSTGRES_ENDPOINT"]
    name = f"tumblebug-assets.{database.key()}.{re.sub('[^A-Za-z0-9]', '_', endpoint)}"
    return database.checkout.temporary / name


def of_another_user(path: Path) -> Path:
    """Make a directory there that belongs to nobody, with a file in it."""
    path.mkdir()
    (path / "file").touch()
    os.chown(path, pwd.getpwnam("nobody").pw_uid, -1)
    return path


@pytest.mark.parametrize("script", ["backup-assets.sh", "restore-assets.sh"])
def test_directory_planted_during_a_run_is_not_read_nor_removed(
    direct: Database, script: str
) -> None:
    path = direct.sample_backup()
    planted = Path(f"{prefix(direct)}.planted")
    program = "pg_dump" if script == "backup-assets.sh" else "pg_restore"
    plants = f"""mkdir -p '{planted}' && {{ [ -p '{planted}/hash' ] || mkfifo '{planted}/hash'; }}
        exec "$REAL" "$@\""""
    environment = fake(direct.checkout, **{program: plants})
    run = direct.checkout.run(
        f"./scripts/{script}", path, RESTORE_SKIP_CONFIRM="yes", timeout=30, **environment
    )
    assert run.status == 0, run
    assert (planted / "hash").is_fifo()
    (planted / "hash").unlink()
    planted.rmdir()
    assert direct.left_behind() == []


def test_clean_up_removes_only_directories(direct: Database, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    link, file = Path(f"{prefix(direct)}.linked"), Path(f"{prefix(direct)}.a_file")
    link.symlink_to(precious)
    file.touch()
    crashed = Path(f"{prefix(direct)}.crashd")
    crashed.mkdir()
    run = direct.backup("x")
    assert run.status == 0, run
    assert str(crashed) in run.err and not crashed.exists()
    assert str(link) not in run.err and str(file) not in run.err
    assert link.is_symlink() and file.exists() and (precious / "file").exists()


@only_root
def test_directory_of_another_user_stays(direct: Database) -> None:
    planted = of_another_user(Path(f"{prefix(direct)}.crashd"))
    run = direct.backup("x")
    assert run.status == 0, run
    assert (planted / "file").exists()
    assert "removed" not in run.err and "warning" not in run.err


def test_directory_that_could_not_be_removed_is_a_warning(direct: Database) -> None:
    crashed = Path(f"{prefix(direct)}.crashd")
    crashed.mkdir()
    rm = 'case "$*" in *.crashd) echo "rm: injected error" >&2; exit 1 ;; esac; exec "$REAL" "$@"'
    run = direct.backup("x", **fake(direct.checkout, rm=rm))
    assert run.status == 0, run
    assert re.search(f"^warning: .*{re.escape(str(crashed))}", run.err, re.MULTILINE), run
    assert "removed" not in run.err
    assert direct.backup("x").status == 0
    assert direct.left_behind() == []


@pytest.mark.parametrize("name", ["{precious}", "{prefix}.", "{prefix}.../../x", ""])
def test_only_a_directory_with_the_name_of_the_run_is_used(
    direct: Database, tmp_path: Path, name: str
) -> None:
    """What the server says besides: it does not choose what the run uses and removes."""
    path = direct.sample_backup()
    precious = tmp_path / "precious"
    precious.mkdir()
    name = name.format(precious=precious, prefix=prefix(direct))
    mkdir = f"""
        "$REAL" "$@" || exit
        case "$*" in *{prefix(direct).name}.*) echo 'tmp {name}' ;; esac
    """
    run = direct.restore(path, **fake(direct.checkout, mkdir=mkdir))
    assert run.status == 1, run
    assert "temporary directory" in run.err and "; the database is unchanged" in run.err
    assert list(precious.iterdir()) == []
    assert direct.left_behind() == []


@pytest.mark.parametrize("kind", ["link", pytest.param("directory", marks=only_root)])
def test_planted_directory_on_this_host_is_unchanged(
    direct: Database, tmp_path: Path, kind: str
) -> None:
    planted = direct.checkout.temporary / f"tumblebug-assets.{os.uname().nodename}.999999999.crashd"
    if kind == "link":
        (tmp_path / "precious").mkdir()
        planted.symlink_to(tmp_path / "precious")
    else:
        of_another_user(planted)
    run = direct.checkout.run(STATS)
    assert run.status == 0, run
    assert planted.exists()
    assert "crashed run" not in run.err


def test_directory_of_a_run_on_a_copy_of_the_server_stays(direct: Database) -> None:
    """A standby has the key of its primary server, but not its lock."""
    other = Path(f"{prefix(direct)}0.123456")  # at another port
    other.mkdir()
    assert direct.backup("x").status == 0
    assert other.exists()
    other.rmdir()
