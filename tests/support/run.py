"""Copies of the project, and runs of their scripts in an environment made from nothing."""

from __future__ import annotations

import fcntl
import os
import pty
import shlex
import shutil
import struct
import subprocess
import termios
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent
TIMEOUT_SECONDS = 120
CONFIRMED = {f"{verb}_SKIP_CONFIRM": "yes" for verb in ("RESTORE", "CLEAN", "ROLLBACK", "PRUNE")}
BACKUP = "./scripts/backup-assets.sh"
RESTORE = "./scripts/restore-assets.sh"
ROLLBACK = "./scripts/rollback-assets.sh"
CLEAN = "./scripts/clean-db.sh"
DROP = "./scripts/drop-copy.sh"
STATS = "./scripts/stats.sh"
LIST = "./scripts/list-backups.sh"
PRUNE = "./scripts/prune-backups.sh"
UP = "./scripts/up.sh"
DOWN = "./scripts/down.sh"
VERIFY = "./scripts/verify-backup.sh"
DIFF = "./scripts/diff-backup.sh"
DOCTOR = "./scripts/doctor.sh"
INIT = "./scripts/init.sh"
SCHEDULE = "./scripts/schedule.sh"


@dataclass(repr=False)
class Run:
    """How a run of a script ended."""

    status: int
    out: str
    err: str

    def __repr__(self) -> str:
        return f"exit {self.status}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"

    @property
    def errors(self) -> list[str]:
        """The lines of stderr that are errors."""
        return [line for line in self.err.splitlines() if line.startswith("error:")]


@dataclass
class Checkout:
    """A copy of the project, and the environment its scripts run in."""

    path: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home = self.path.parent
        self.temporary = self.home / "tmp"
        self.temporary.mkdir()
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "LANG": "C.UTF-8",
            "BACKUP_COMPRESSION": "small",  # the default takes longer: it restores the backup
            "FORCE": "yes",  # most tests replace a backup, by one of the same content or of less
            "TB_POSTGRES_CONTAINER": "tumblebug-assets-test-none",
            "DOCKER_CONFIG": os.environ.get("DOCKER_CONFIG", str(Path.home() / ".docker")),
            **{name: os.environ[name] for name in ("DOCKER_HOST",) if name in os.environ},
        }

    @property
    def default_backup(self) -> Path:
        return self.path / "assets" / "assets.dump.gz"

    def use_python(self, *, without_packages: bool = False) -> None:
        """Give it the project's .venv, or one without packages: runs are then faster."""
        self.remove_venv()
        venv = self.path / ".venv"
        if without_packages:
            (venv / "bin").mkdir(parents=True)
            (venv / "bin" / "python").write_text("#!/bin/sh\nexit 69\n")
            (venv / "bin" / "python").chmod(0o755)
        else:
            venv.symlink_to(PROJECT / ".venv")

    def remove_venv(self) -> None:
        venv = self.path / ".venv"
        if venv.is_symlink():
            venv.unlink()
        else:
            shutil.rmtree(venv, ignore_errors=True)

    @property
    def named_backups(self) -> Path:
        return self.path / "backups" / "postgres"

    @property
    def key(self) -> Path:
        """The file with the key that signs this checkout's backups."""
        return self.home / ".config" / "tumblebug-assets" / "key"

    def run(
        self,
        *command: str | Path,
        shell: str = "",
        cwd: Path | None = None,
        timeout: float = TIMEOUT_SECONDS,
        **environment: str,
    ) -> Run:
        """Run a command in the checkout, without a terminal, and return how it ended."""
        done = subprocess.run(
            [*shell.split(), *map(str, command)],
            cwd=cwd or self.path,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=timeout,
        )
        return Run(done.returncode, done.stdout, done.stderr)

    def start(
        self, *command: str | Path, stderr: int = subprocess.PIPE, **environment: str
    ) -> subprocess.Popen:
        """Start a command in a process group of its own and return it running."""
        return subprocess.Popen(
            list(map(str, command)),
            cwd=self.path,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )

    def run_on_80_columns(self, *command: str) -> Run:
        """Run a command whose standard output is a terminal of that width, without its messages."""
        line = f"stty cols 80; exec {shlex.join(command)} 2>/dev/null"
        return self.run("script", "-qec", line, "/dev/null")

    def run_on_terminal(
        self,
        *command: str | Path,
        answer: bytes = b"",
        at_prompt: Callable[[bytes], object] = bytes,
        columns: int = 80,
        **environment: str,
    ) -> Run:
        """Run a command on a pseudo-terminal and return how it ended.

        ``answer`` holds lines; one is typed at each prompt, after ``at_prompt`` was called with it.
        The run's ``err`` is what the terminal showed.
        """
        lines = answer.splitlines(keepends=True)
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=self.path,
            env={**self.environment, "TERM": "xterm", **environment},
            stdin=slave,
            stdout=subprocess.PIPE,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C is a signal
        )
        os.close(slave)
        screen = b""
        while chunk := read_terminal(master):
            screen += chunk
            if screen.endswith(b": ") and lines:
                at_prompt(lines[0])
                os.write(master, lines.pop(0))
        out = process.stdout.read().decode()
        status = process.wait(TIMEOUT_SECONDS)
        os.close(master)
        return Run(status, out, screen.decode())

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace text in this checkout's copy of a file."""
        text = (self.path / name).read_text()
        assert old in text
        (self.path / name).write_text(text.replace(old, new))

    def left_behind(self) -> list[str]:
        """Return the temporary directories and partial files that runs have not removed."""
        partial = self.path.rglob("*.partial.*")
        return [str(path) for path in [*self.temporary.iterdir(), *partial]]


def new_checkout(parent: Path) -> Checkout:
    """Return a copy of the project in a new directory whose name has spaces and quotes."""
    path = parent / 'it\'s a "check out"'
    path.mkdir()
    for name in ("scripts", "helpers"):
        shutil.copytree(PROJECT / name, path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "docker-compose.yaml", "pyproject.toml"):
        shutil.copy(PROJECT / name, path / name)
    shutil.copytree(PROJECT / "docs" / "schedules", path / "docs" / "schedules")
    (path / "assets").mkdir()
    checkout = Checkout(path)
    checkout.use_python(without_packages=True)
    return checkout


def run_as_nobody(command: list[str], environment: dict[str, str]) -> Run:
    """Run a command as a user whom file modes bind."""
    user = ["setpriv", "--reuid=nobody", "--clear-groups"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*user, *command], env=environment, cwd="/", capture_output=True, text=True, timeout=20
    )
    return Run(done.returncode, done.stdout, done.stderr)


def read_terminal(master: int) -> bytes:
    """Return what a pseudo-terminal shows next; nothing once the other side has closed it."""
    try:
        return os.read(master, 65536)
    except OSError:
        return b""
