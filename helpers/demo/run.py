"""What ``make demo`` shows: the project's own scripts save a private database and repair it after damage."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import psycopg

    from helpers.demo.private_server import PrivateServer

PROJECT = Path(__file__).resolve().parents[2]
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DAMAGE = ("DELETE FROM pricing_info WHERE provider_name = 'aws'", "DROP TABLE image_info")
CONTENT = "SELECT count(*), md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM {} AS t"
BOLD, GREEN, RED = "1", "32", "31"
NEXT_STEPS = """
Next, CB-Tumblebug's own database, in Docker:
  make up                start it
  make backup-assets     write assets/assets.dump.gz
  make restore-assets    put it back
And to see each promise tried:
  make test"""


class DemonstrationFailed(Exception):
    """Something did not go as announced; the message is one sentence for the user."""


def run() -> int:
    """Run the demonstration. Return 0 when everything came back as it was, 1 when not.

    However it ends, by Ctrl-C or SIGTERM too, no process of it stays and no file.
    """
    for number in ENDING_SIGNALS:
        signal.signal(number, leave)
    try:
        import psycopg

        from helpers.demo import catalogue, private_server
    except ImportError as missing:
        return failed(
            f"the Python package '{missing.name}' is not installed; make demo installs it"
        )
    try:
        with (
            tempfile.TemporaryDirectory(prefix="tumblebug-demo.") as folder,
            private_server.private_server() as server,
        ):
            demonstrate(server, Path(folder), catalogue.load)
    except (
        DemonstrationFailed,
        private_server.PrivateServerError,
        psycopg.Error,
        OSError,
    ) as error:
        return failed(" ".join(str(error).split()))
    say(NEXT_STEPS)
    return 0


def demonstrate(
    server: PrivateServer, folder: Path, load: Callable[[psycopg.Connection], dict[str, int]]
) -> None:
    """Tell the story on a running server; ``folder`` takes the backup and the scripts' temporary files."""
    environment = {**os.environ, **server.environment(), "TMPDIR": str(folder)}
    backup = folder / "assets.dump.gz"

    title("A private PostgreSQL, with real machine types and prices of EC2, Azure and GCE")
    with server.connect() as connection:
        rows = load(connection)
        before = contents(connection)
    say(f"{server.endpoint} holds {sum(rows.values()):,} rows; the images among them are generated")

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

    title("Is everything back?")
    with server.connect() as connection:
        require_equal(before, contents(connection))
    say(
        paint(
            GREEN,
            f"yes: rows and checksum of each of the {len(before)} tables are equal to those before",
        )
    )


def contents(connection: psycopg.Connection) -> dict[str, tuple[int, str]]:
    """Return the rows and a checksum of the content, whatever its order, of each table."""
    tables = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    ).fetchall()
    return {table: connection.execute(CONTENT.format(table)).fetchone() for (table,) in tables}


def require_equal(before: dict[str, tuple[int, str]], after: dict[str, tuple[int, str]]) -> None:
    """Raise DemonstrationFailed unless each table has the rows and the content it had."""
    different = [table for table in before | after if before.get(table) != after.get(table)]
    if different:
        raise DemonstrationFailed(
            f"the restored database differs in {', '.join(sorted(different))}"
        )


def run_script(environment: dict[str, str], name: str, *arguments: Path, **settings: str) -> None:
    """Show a command as a user would type it, and run it; ``settings`` are variables before it.

    Raises DemonstrationFailed when it fails. When we are told to end, it ends first.
    """
    variables = [f"{variable}={value}" for variable, value in settings.items()]
    typed = [*variables, f"./scripts/{name}", *(f"…/{path.name}" for path in arguments)]
    say(paint(BOLD, f"$ {' '.join(typed)}"))
    process = subprocess.Popen(
        [PROJECT / "scripts" / name, *arguments],
        cwd=PROJECT,
        env={**environment, **settings},
        stdin=subprocess.DEVNULL,
    )
    try:
        status = process.wait()
    except SystemExit:
        process.terminate()
        process.wait()
        raise
    if status != 0:
        raise DemonstrationFailed(f"{name} ended with exit status {status}; its reason is above")


def leave(number: int, frame: object) -> NoReturn:
    """Turn a signal into an orderly end, which no further signal disturbs."""
    for each in ENDING_SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)


def failed(reason: str) -> int:
    say(f"{paint(RED, 'error:')} {reason}")
    return 1


def title(text: str) -> None:
    say("\n" + paint(BOLD, f"--- {text}"))


def say(text: str) -> None:
    """Print to standard error, where the scripts' messages go: standard output is for the statistics."""
    print(text, file=sys.stderr, flush=True)


def paint(colour: str, text: str) -> str:
    """Return the text in colour, on a terminal, unless NO_COLOR says otherwise."""
    if not sys.stderr.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\033[{colour}m{text}\033[0m"
