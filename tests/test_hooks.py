"""Commands after a backup, and what makes it run every night."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from support.databases import Database
from support.disks import small_disk
from support.fakes import HASTY, fake, path_without
from support.run import BACKUP, Checkout, run_as_nobody
from support.running import ended, waiting_run
from support.sampling import sampled
from support.waiting import until

REPORT = 'echo "$BACKUP_STATUS|$BACKUP_FILE|$BACKUP_BYTES|$BACKUP_ERROR" >>"$HOME/{}"'
HOOKS = {f"BACKUP_ON_{end}": REPORT.format(end) for end in ("SUCCESS", "FAILURE")}


def reported(checkout: Checkout, end: str) -> list[str]:
    path = checkout.home / end
    return path.read_text().splitlines() if path.exists() else []


def test_hook_gets_the_outcome(direct: Database) -> None:
    checkout = direct.checkout
    path = checkout.default_backup
    assert direct.backup(path, **HOOKS).status == 0
    assert reported(checkout, "SUCCESS") == [f"0|{path}|{path.stat().st_size}|"]
    run = direct.backup(path, **HOOKS, TB_POSTGRES_DATABASE="absent")
    assert run.status == 1 and len(run.errors) == 1, run
    message = run.errors[0].removeprefix("error: ")
    assert reported(checkout, "FAILURE") == [f"1|{path}|{path.stat().st_size}|{message}"]
    assert len(reported(checkout, "SUCCESS")) == 1


def test_hook_runs_after_a_signal(direct: Database) -> None:
    run = waiting_run(direct.checkout, BACKUP, program="pg_dump", arguments="*--snapshot*", **HOOKS)
    with run as (process, go_on):
        os.kill(process.pid, signal.SIGTERM)
        go_on.touch()
        assert ended(process).status == 143
    assert reported(direct.checkout, "FAILURE")[0].endswith("|0|ended by signal 15")
    assert direct.checkout.left_behind() == []


def test_hook_runs_when_a_run_cannot_even_begin(checkout: Checkout) -> None:
    run = checkout.run(BACKUP, TMPDIR="/nowhere", **HOOKS)
    assert run.status == 1 and len(run.errors) == 1, run
    message = run.errors[0].removeprefix("error: ")
    assert reported(checkout, "FAILURE") == [f"1|{checkout.default_backup}|0|{message}"]
    assert reported(checkout, "SUCCESS") == []


def test_hook_gets_the_error_if_the_temporary_directory_is_full(
    direct: Database, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "full", "8k") as full:
        (full / "ballast").write_bytes(bytes(4096))  # beside the directory itself
        run = direct.backup(TMPDIR=str(full), **HOOKS)
    message = f"could not write to the temporary directory '{full}'; no backup was written"
    assert run.status == 1 and run.errors == [f"error: {message}"], run
    assert reported(direct.checkout, "FAILURE") == [
        f"1|{direct.checkout.default_backup}|0|{message}"
    ]


def test_hook_in_the_env_file_learns_of_a_missing_program(direct: Database) -> None:
    settings = [f"{name}='{command}'\n" for name, command in HOOKS.items()]
    (direct.checkout.path / ".env").write_text("".join(settings))
    run = direct.backup(PATH=path_without(direct.checkout, "cmp"))
    assert run.status == 1, run
    assert "|there is no 'cmp' on this machine" in reported(direct.checkout, "FAILURE")[0]


def test_hook_after_success_gets_no_error(direct: Database) -> None:
    """There is none, although the run has looked for a container in vain."""
    no_engine = fake(direct.checkout, docker="exit 1") | {"TB_POSTGRES_CONTAINER": ""}
    run = direct.backup(ASSETS_PG_BACKEND="auto", **no_engine, **HOOKS)
    assert run.status == 0, run
    assert reported(direct.checkout, "SUCCESS")[0].endswith("|"), run


def test_hook_gets_no_error_of_a_server_that_was_only_tried(direct: Database) -> None:
    failing = fake(
        direct.checkout, mv='case "$*" in *.dump.gz.info) exit 1 ;; esac; exec "$REAL" "$@"'
    )
    run = direct.backup(
        ASSETS_PG_BACKEND="auto", CONTAINER_CLI="no-such-program", **failing, **HOOKS
    )
    assert run.status == 3 and "the new backup is complete, its manifest included" in run.err, run
    assert reported(direct.checkout, "FAILURE")[0].endswith("|"), run


def test_run_that_ends_before_it_has_begun_took_no_time(checkout: Checkout) -> None:
    environment = {
        "PATH": path_without(checkout, "df"),
        "BACKUP_ON_FAILURE": "echo $BACKUP_SECONDS",
    }
    run = checkout.run(BACKUP, **environment)
    assert run.status == 1 and run.err.splitlines()[-1] == "0", run


def test_failed_hook_makes_a_backup_incomplete(direct: Database) -> None:
    for hook in ("exit 7", "no-such-program", "kill -9 $$"):
        run = direct.backup(BACKUP_ON_SUCCESS=hook)
        assert run.status == 3, run
        assert re.search(
            r"^warning: BACKUP_ON_SUCCESS failed: (exit code \d+|Killed); the backup itself is",
            run.err,
            re.M,
        )
    run = direct.backup(TB_POSTGRES_DATABASE="absent", BACKUP_ON_FAILURE="exit 7")
    assert run.status == 1 and "warning: BACKUP_ON_FAILURE failed: exit code 7" in run.err, run


@pytest.mark.parametrize(
    "timeout", sampled([HASTY, HASTY.replace('"$REAL"', "busybox timeout")], 1)
)
def test_hook_that_hangs_is_ended(direct: Database, timeout: str) -> None:
    hasty = fake(direct.checkout, timeout=timeout)
    for hook in ("exec sleep 1000", 'trap "echo no" TERM; while :; do sleep 1; done'):
        run = direct.backup(BACKUP_ON_SUCCESS=f"echo begun; {hook}", **hasty)
        assert run.status == 3 and "begun\n" in run.err, run
        assert "warning: BACKUP_ON_SUCCESS failed" in run.err, run


def test_what_a_hanging_hook_has_started_is_ended(direct: Database) -> None:
    """With busybox too, whose timeout ends only its child: what is left would keep cron waiting."""
    hasty = fake(direct.checkout, timeout=HASTY.replace('"$REAL"', "busybox timeout"))
    run = direct.backup(BACKUP_ON_SUCCESS="sleep 1003; echo done", **hasty)
    assert run.status == 3 and "warning: BACKUP_ON_SUCCESS failed" in run.err, run
    commands = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert "sleep 1003" not in commands.stdout.splitlines()


@pytest.mark.parametrize("code", [7, 127])
def test_what_a_failed_hook_has_started_goes_on(
    direct: Database, tmp_path: Path, code: int
) -> None:
    run = direct.backup(BACKUP_ON_SUCCESS=f"(sleep 1; touch '{tmp_path}/done') & exit {code}")
    assert run.status == 3, run
    until((tmp_path / "done").exists)


def test_hook_runs_even_where_there_is_no_directory_for_temporary_files(
    open_directory: Path,
) -> None:
    environment = {"PATH": os.environ["PATH"], "TMPDIR": "/nonexistent"}
    environment |= {"BACKUP_ON_FAILURE": f"echo ran >{open_directory}/hook"}
    run = run_as_nobody([str(open_directory / BACKUP), "x"], environment)
    assert run.status == 1 and "BACKUP_ON_FAILURE failed" not in run.err, run
    assert (open_directory / "hook").read_text() == "ran\n"


def test_hook_has_no_variables_of_the_run_and_an_ordinary_pipe(direct: Database) -> None:
    hook = 'env | grep "^PG" >"$HOME/pg"; (while :; do echo x; done) | head -n 1 >/dev/null'
    run = direct.backup("auto", BACKUP_ON_SUCCESS=hook)
    assert run.status == 0, run
    names = {line.partition("=")[0] for line in (direct.checkout.home / "pg").read_text().split()}
    assert names <= {"PGHOST", "PGPORT", "PG_BINDIR"}


def test_hook_gets_an_absolute_path(direct: Database) -> None:
    hook = 'cd / && cp "$BACKUP_FILE" "$HOME/copied"'
    run = direct.backup("auto", BACKUP_ON_SUCCESS=hook)
    assert run.status == 0 and (direct.checkout.home / "copied").is_file(), run
