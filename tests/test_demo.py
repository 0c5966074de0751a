"""``make demo``, and the private server: no setting of the user's own server reaches them."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
from support.databases import Database
from support.disks import small_disk
from support.run import PROJECT, VERIFY, Checkout, run_as_nobody
from support.running import until

from helpers.demo.run import USUAL

MAKE_VENV = "scripts/dev/make-venv.sh"
OTHER_SERVER = """
PGSSLMODE=verify-full
PGSSLROOTCERT=system
TB_POSTGRES_SERVICE=another
TB_POSTGRES_ENDPOINT=db.example.com:5432
BACKUP_REMOTE=nowhere:backups
BACKUP_ON_SUCCESS='touch "$HOME/called/success"'
BACKUP_ON_FAILURE='touch "$HOME/called/failure"'
RESTORE_IN_PLACE=yes
"""
SMALL_DEMO = """
import tempfile
from functools import partial
from pathlib import Path
from helpers.demo import catalogue, private_server, run
with private_server.private_server() as server, tempfile.TemporaryDirectory() as directory:
    run.run_steps(server, Path(directory), partial(catalogue.load, scale=0.01))
"""
LIBPQ = {
    "PGSERVICE": "nowhere",
    "PGSSLMODE": "verify-full",
    "PGOPTIONS": "-c statement_timeout=1",
    "PGTZ": "nowhere",
    "PGHOSTADDR": "192.0.2.1",
}


def use_other_server(checkout: Checkout) -> None:
    (checkout.path / ".env").write_text(OTHER_SERVER)
    service = "[another]\nhost=db.example.com\nsslmode=verify-full\n"
    (checkout.home / ".pg_service.conf").write_text(service)
    (checkout.home / "called").mkdir()


@pytest.mark.python
def test_demo_uses_no_setting_of_the_user(checkout: Checkout) -> None:
    use_other_server(checkout)
    run = checkout.run(".venv/bin/python", "-c", SMALL_DEMO, **LIBPQ)
    assert run.status == 0, run
    assert "checksums of all 4 tables are the same as before" in run.err, run
    assert "copying to" not in run.err and not any((checkout.home / "called").iterdir()), run


def test_demo_resets_every_setting_of_backups_and_restores() -> None:
    settings = (PROJECT / "scripts/lib/settings.sh").read_text()
    names = re.findall(r"^    : \"\$\{((?:BACKUP|RESTORE)_\w+):=", settings, re.MULTILINE)
    assert len(names) > 10
    assert set(names) - {"RESTORE_SKIP_CONFIRM"} <= set(USUAL)


@pytest.mark.python
def test_private_server_is_used_without_the_settings_of_another(direct: Database) -> None:
    path = direct.sample_backup()
    use_other_server(direct.checkout)
    run = direct.checkout.run(VERIFY, "--private", path, **LIBPQ)
    assert run.status == 0, run


@pytest.mark.python
@pytest.mark.parametrize("size", ["20m", "80m"])
def test_full_temporary_directory_is_why_a_private_server_does_not_start(
    direct: Database, open_directory: Path, size: str
) -> None:
    path = direct.sample_backup()
    with small_disk(open_directory / "small", size) as small:
        small.chmod(0o1777)
        run = direct.checkout.run(VERIFY, "--private", path, TMPDIR=str(small))
    assert run.status == 1 and len(run.errors) == 1, run
    assert f"error: the temporary directory '{small}' is full" in run.errors[0], run
    assert " hint: free some space there, or set TMPDIR to another directory\n" in run.err


# --- the Python packages ---


def test_interrupted_installation_says_so_and_leaves_nothing(checkout: Checkout) -> None:
    checkout.remove_venv()
    process = checkout.start(MAKE_VENV, "python3", "setup")
    until(lambda: list((checkout.path / ".venv").glob("bin/python*")))
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert (out, err) == ("", "installing Python packages into .venv (once)\ninterrupted\n")
    assert checkout.left_behind() == []


def test_checkout_of_another_user_is_why_nothing_is_installed(open_directory: Path) -> None:
    script = open_directory / MAKE_VENV
    open_directory.chmod(0o755)
    run = run_as_nobody([str(script), "python3", "setup"], {"PATH": os.environ["PATH"]})
    assert run.status == 1 and len(run.errors) == 1, run
    assert f"directory '{open_directory}' is not writable for user 'nobody'" in run.err
    assert "run this as its owner, or change the mode" in run.err and "apt" not in run.err
