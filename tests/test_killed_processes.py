"""One process of a run is killed: the script, or a program that it has started."""

from __future__ import annotations

import os
import pty
import shlex
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from support.backups import digest
from support.databases import Database, make_big
from support.run import PROJECT, RESTORE, read_terminal
from support.running import loads, processes, processes_of, sessions
from support.sampling import sampled
from support.waiting import until

SCRIPTS = ["backup-assets.sh", "restore-assets.sh"]


def start(database: Database, script: str, *, terminal: bool) -> subprocess.Popen:
    """Start a run and return it once it is dumping or loading."""
    path = database.checkout.default_backup
    run = [f"./scripts/{script}", str(path)]
    master, slave = pty.openpty() if terminal else (None, subprocess.PIPE)
    settings = {"RESTORE_SKIP_CONFIRM": "yes", "BACKUP_COMPRESSION": "smallest", "TERM": "xterm"}
    process = database.checkout.start(*run, stderr=slave, **settings)
    if terminal:
        os.close(slave)
        threading.Thread(target=drain, args=[master], daemon=True).start()
    if script == "backup-assets.sh":
        until(lambda: sessions(database, script) >= 2)
    else:
        until(lambda: loads(database) >= 1)
    return process


def drain(terminal: int) -> None:
    """Read what a terminal shows until the run has ended."""
    while read_terminal(terminal):
        pass
    os.close(terminal)


@pytest.mark.parametrize(
    ("backend", "terminal"), sampled([("direct", True), ("docker", False), ("direct", False)], 1)
)
@pytest.mark.parametrize("script", sampled(SCRIPTS, 1))
def test_killed_script_frees_its_lock_and_its_processes_end(
    request: pytest.FixtureRequest, backend: str, script: str, terminal: bool
) -> None:
    database = request.getfixturevalue(backend)
    path = database.sample_backup()
    make_big(database)
    if script == "restore-assets.sh":
        database.backed_up(path)
    before = database.content()
    process = start(database, script, terminal=terminal)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    run = database.checkout.run(RESTORE, path, RESTORE_SKIP_CONFIRM="yes")
    assert run.status == 0, run
    until(lambda: not processes(database.checkout), 20)
    if script == "restore-assets.sh":
        assert database.content() == before
    assert database.left_behind() == []


def is_busy(process: int) -> bool:
    """Say whether it runs, and is not a pg_restore that ends at once, as all but the load do."""
    try:
        command = Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False
    return command != b"" and (b"pg_restore" not in command or b"--jobs" in command)


@pytest.mark.parametrize(
    ("script", "program", "which"),
    sampled(
        [
            ("backup-assets.sh", "psql", -1),
            ("backup-assets.sh", "pg_dump", 0),
            ("backup-assets.sh", "psql", 0),
            ("backup-assets.sh", "pigz", 0),
            ("backup-assets.sh", "pg_restore", 0),
            ("restore-assets.sh", "psql", 0),
            ("restore-assets.sh", "pg_restore", 0),
        ],
        1,
    ),
)
def test_killed_program_of_a_run_ends_it_and_changes_nothing(
    direct: Database, script: str, program: str, which: int
) -> None:
    """Of a backup's sessions, the first holds the lock, and the last the snapshot."""
    make_big(direct)
    path = direct.backed_up()
    before, backup = direct.content(), digest(path)
    process = start(direct, script, terminal=False)
    found: list[int] = []
    until(lambda: found.extend(filter(is_busy, processes_of(direct.checkout, program))) or found)
    os.kill(found[which], signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    lines = err.splitlines()
    assert len([line for line in lines if line.startswith("error: ")]) == 1, err
    assert "ended unexpectedly: cat" not in err and "sha256" not in err, err
    assert "Killed" not in lines and not [line for line in lines if line.endswith(": ")], err
    assert direct.content() == before
    assert digest(path) == backup
    run = direct.restore(path)
    assert run.status == 0, run
    until(lambda: not processes(direct.checkout), 20)
    assert direct.left_behind() == []


# Where a signal comes while the script starts a child: the script does not know the child yet, or
# the child still has the script's own traps.
WINDOWS = {
    "in the script": "clone,fork,vfork:delay_exit",
    "in the child": "set_robust_list:delay_enter",
}


@pytest.mark.parametrize("shell", ["dash", "busybox sh", "bash"])
@pytest.mark.parametrize("window", sampled(list(WINDOWS), 1))
def test_signal_while_a_child_is_started_ends_both(tmp_path: Path, shell: str, window: str) -> None:
    if not shutil.which("strace"):
        pytest.skip("there is no strace")
    script = f"""
        set -eu
        root={shlex.quote(str(PROJECT))}
        . "$root/scripts/lib/use.sh"
        begin
        explained=yes # a message would start slow programs, and the signal find the child started
        echo "$work" >&3
        read -r go
        background sleep 30
        wait
    """
    process = subprocess.Popen(
        [*shell.split(), "-c", script, "snippet"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    work = process.stdout.readline().strip()
    slowly = ["strace", "-f", "-o/dev/null", f"-einject={WINDOWS[window]}=700000"]
    with subprocess.Popen(
        [*slowly, "-p", str(process.pid)], stderr=subprocess.PIPE, text=True
    ) as tracer:
        assert "attached" in tracer.stderr.readline()
        process.stdin.write("go\n")
        process.stdin.flush()
        time.sleep(0.35)
        process.send_signal(signal.SIGHUP)
        assert process.wait(timeout=30) == 129
        tracer.terminate()
    assert not Path(work).exists()
