"""``make demo``: the project's scripts back up a private database and restore it after damage."""

from __future__ import annotations

import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.demo.child import exit_on_signals, wait_for
from helpers.terminal import paint

if TYPE_CHECKING:
    import psycopg

    from helpers.demo.private_server import PrivateServer

PROJECT = Path(__file__).resolve().parents[2]
DAMAGE = ("DELETE FROM pricing_info WHERE provider_name = 'aws'", "DROP TABLE image_info")
USUAL = [
    *("BACKUP_COMPRESSION", "BACKUP_ON_FAILURE", "BACKUP_ON_SUCCESS", "BACKUP_REMOTE", "FORCE"),
    *("RESTORE_IN_PLACE", "RESTORE_JOBS", "RESTORE_KEEP_COPY", "RESTORE_KEEP_PREVIOUS"),
    *("RESTORE_MAX_BYTES", "RESTORE_MAX_SECONDS", "RESTORE_SCHEMA", "RESTORE_TRUST"),
]  # settings that are the defaults in the demo: the user's are for the user's own backups
CONTENT = "SELECT count(*), md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM {} AS t"
BOLD, GREEN, RED, CYAN = "1", "32", "31", "36"
NEXT_STEPS = """
Next, CB-Tumblebug's own database, in Docker:
  make up                start the database
  make init              fill it: restore a backup or fetch fresh data
  make backup-assets     write assets/assets.dump.gz
  make restore-assets    restore it
To test each promise:
  make test"""


class DemoFailed(Exception):
    """A step of the demo failed; the message is one sentence for the user."""


def run_demo() -> int:
    """Run the demo. Return 0 if the restored database equals the original, 1 if not.

    It ends its processes and removes its files, also after Ctrl-C or SIGTERM.
    """
    exit_on_signals()
    try:
        import psycopg

        from helpers.demo import catalogue, private_server
    except ImportError as missing:
        return failed(f"Python package '{missing.name}' is not installed; 'make demo' installs it")
    try:
        with (
            tempfile.TemporaryDirectory(prefix="tumblebug-demo.") as directory,
            private_server.private_server() as server,
        ):
            run_steps(server, Path(directory), catalogue.load)
    except psycopg.errors.DiskFull:
        full = private_server.full_disk(server.data_dir.parents[1])
        return failed(str(full), full.hint)
    except private_server.PrivateServerError as error:
        return failed(str(error), error.hint)
    except (DemoFailed, psycopg.Error, OSError) as error:
        return failed(" ".join(str(error).split()))
    say(NEXT_STEPS)
    return 0


def write_key(path: Path) -> Path:
    """Create a file with a key for signing backups, and return its path.

    The user's own key is neither used nor created.
    """
    path.touch(mode=0o600)
    path.write_text(secrets.token_hex(32))
    return path


def run_steps(
    server: PrivateServer, directory: Path, load: Callable[[psycopg.Connection], dict[str, int]]
) -> None:
    """Load the catalogue into a running server, back it up, damage and restore it.

    ``load`` is catalogue.load. The backup and the scripts' temporary files go to ``directory``.
    Raises DemoFailed, psycopg.Error or OSError.
    """
    usual = dict.fromkeys(USUAL, "")
    environment = {**server.whole_environment(), **usual, "TMPDIR": str(directory)}
    environment["TB_ASSETS_KEY_FILE"] = str(write_key(directory / "key"))
    backup = directory / "assets.dump.gz"

    title("Start a private PostgreSQL, with real machine types and prices of EC2, Azure and GCE")
    with server.connect() as connection:
        rows = load(connection)
        before = contents(connection)
    say(f"{server.endpoint} holds {sum(rows.values()):,} rows; its images are generated")

    title("Back it up")
    run_script(environment, "backup-assets.sh", backup)

    title("Damage it")
    with server.connect() as connection:
        for statement in DAMAGE:
            say(f"{server.database}=# {statement};")
            say(connection.execute(statement).statusmessage)
    run_script(environment, "stats.sh")

    title("Restore it")
    run_script(environment, "restore-assets.sh", backup, RESTORE_SKIP_CONFIRM="yes")

    title("Compare it with the original")
    with server.connect() as connection:
        require_equal(before, contents(connection))
    same = f"the rows and checksums of all {len(before)} tables are the same as before"
    say(paint(GREEN, same, sys.stderr))


def contents(connection: psycopg.Connection) -> dict[str, tuple[int, str]]:
    """Return the row count and an order-independent checksum of each table."""
    query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    tables = [table for (table,) in connection.execute(query)]
    return {table: connection.execute(CONTENT.format(table)).fetchone() for table in tables}


def require_equal(before: dict[str, tuple[int, str]], after: dict[str, tuple[int, str]]) -> None:
    """Raise DemoFailed unless both have the same tables with the same contents."""
    different = [table for table in before | after if before.get(table) != after.get(table)]
    if different:
        names = ", ".join(sorted(different))
        raise DemoFailed(f"the restored database differs from the original in {names}")


def run_script(environment: dict[str, str], name: str, *arguments: Path, **settings: str) -> None:
    """Print a command as a user would type it, and run it.

    ``settings`` are variables to set for it. If a signal ends this process, the script ends first.
    Raises DemoFailed if the script fails.
    """
    variables = [f"{variable}={value}" for variable, value in settings.items()]
    typed = [*variables, f"./scripts/{name}", *(f"…/{path.name}" for path in arguments)]
    say(paint(BOLD, f"$ {' '.join(typed)}", sys.stderr))
    process = subprocess.Popen(
        [PROJECT / "scripts" / name, *arguments],
        cwd=PROJECT,
        env={**environment, **settings},
        stdin=subprocess.DEVNULL,
    )
    status = wait_for(process)
    if status != 0:
        raise DemoFailed(f"{name} failed with exit status {status}; see its message above")


def failed(reason: str, hint: str = "") -> int:
    """Print the error and what to do, if known. Return the exit status 1."""
    say(f"{paint(RED, 'error:', sys.stderr)} {reason}")
    if hint:
        say(f"{paint(CYAN, ' hint:', sys.stderr)} {hint}")
    return 1


def title(text: str) -> None:
    """Print the title of a step."""
    say("\n" + paint(BOLD, f"--- {text}", sys.stderr))


def say(text: str) -> None:
    """Print to standard error, like the scripts' messages; standard output is for statistics."""
    print(text, file=sys.stderr, flush=True)
