"""The one door, ``python -m helpers VERB``, and the one place that prints and exits."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

EXIT_UNAVAILABLE = 69  # EX_UNAVAILABLE of sysexits.h: the caller shows the result another way
BESIDE_SERVER = ("table-statistics", "database-size", "progress")
ASKING = {
    "ready": "whether CB-Tumblebug is ready",
    "ensure-namespace": "make the namespace of the assets where it is missing",
    "providers": "the clouds that CB-Tumblebug knows, one a line",
    "fetch": "let it fetch specs and images",
    "fetch-prices": "let it fetch prices",
    "update-images": "let it put its newest list of images on top",
    "summary": "what its database holds, as a table",
    "mark-initialised": "tell it that it has been initialised",
}


def main() -> int:
    """Run one verb and return the exit status."""
    if sys.version_info < (3, 10):  # noqa: UP036 - whatever Python a user has is tried
        return EXIT_UNAVAILABLE
    options = parse()
    if options.verb == "demo":
        from helpers.demo import run

        return run.run()
    if options.verb == "menu":
        from helpers import menu

        print(menu.menu(options.backup))
        return 0
    if options.verb in ASKING:
        return ask_tumblebug(options)
    return look_at_database(options)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m helpers", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name in BESIDE_SERVER:
        verb = verbs.add_parser(name, help=f"print the result of {name}.sql for people")
        add_place(verb)
        if name == "progress":
            verb.add_argument("--script", type=int, required=True, help="the process that shows it")
            verb.add_argument("--totals", type=Path, help="a manifest's lines of tables")
    verb = verbs.add_parser("menu", help="print the option menu of make init")
    verb.add_argument("backup", type=Path, help="the backup that option A restores")
    verbs.add_parser("demo", help="back up, damage and restore a sample catalogue")
    for name, help_text in ASKING.items():
        verb = verbs.add_parser(name, help=help_text)
        verb.add_argument("--server", required=True, help="CB-Tumblebug's host:port or URL")
        if name == "fetch":
            verb.add_argument("--azure", action="store_true", help="Azure too")
            verb.add_argument("--providers", default="", help="only these, with commas between")
            verb.add_argument("--expected", required=True, help="how long it usually takes")
            add_place(verb)
    return parser.parse_args()


def add_place(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--server-key", required=True, help="refuse a server other than this one")
    verb.add_argument("--live", required=True, help="the live database, which is part of that key")
    verb.add_argument("query", type=Path, help="the SQL text to run")
    verb.add_argument("addresses", nargs="*", help="host:port to try, in this order")


def look_at_database(options: argparse.Namespace) -> int:
    """Print what a query finds, for people; EXIT_UNAVAILABLE where that cannot be."""
    try:
        import psycopg

        from helpers import connection, progress, stats
    except ImportError:
        return EXIT_UNAVAILABLE
    server = connection.Identity(options.server_key, options.live)
    try:
        if options.verb == "progress":
            progress.draw(options.query, options.totals, options.addresses, server, options.script)
        else:
            print(stats.report(options.verb, options.query, options.addresses, server))
    except (connection.ServerUnavailable, psycopg.Error):
        return EXIT_UNAVAILABLE
    return 0


def ask_tumblebug(options: argparse.Namespace) -> int:
    """Print what CB-Tumblebug answers, or why it does not, on standard output; 1 when it does not."""
    from helpers.tumblebug import client, fetching

    server = client.Server(options.server)
    answers: dict[str, Callable[[], object]] = {
        "ready": lambda: client.is_ready(server),
        "ensure-namespace": lambda: "made" if client.ensure_namespace(server) else None,
        "providers": lambda: "\n".join(client.providers(server)),
        "fetch": lambda: fetching.fetch(
            server,
            options.expected,
            arrivals(options),
            azure=options.azure,
            chosen=[name for name in options.providers.split(",") if name],
        ),
        "fetch-prices": lambda: client.fetch_prices(server),
        "update-images": lambda: client.update_images(server),
        "summary": lambda: client.summary(server).text(),
        "mark-initialised": lambda: client.mark_initialised(server),
    }
    try:
        answer = answers[options.verb]()
    except client.ServerError as error:
        print(error)
        return 1
    if answer:
        print(answer)
    return 0


def arrivals(options: argparse.Namespace) -> Callable[[], list[tuple[str, int, int]]]:
    """Return a function that reads what has arrived in the database; nothing where that cannot be read."""
    try:
        import psycopg

        from helpers import connection
    except ImportError:
        return list
    server = connection.Identity(options.server_key, options.live)

    def look() -> list[tuple[str, int, int]]:
        try:
            with connection.connect(options.addresses, server) as session:
                rows = session.execute(options.query.read_bytes()).fetchall()
        except (connection.ServerUnavailable, psycopg.Error):
            return []
        return [(row["cloud"], row["specs"], row["images"]) for row in rows]

    return look


def run() -> int:
    """Run main, and say in one sentence where its result cannot be written."""
    try:
        status = main()
        sys.stdout.flush()
    except OSError as error:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # for what Python flushes at its end
        print(f"error: the result cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    return status


if __name__ == "__main__":
    sys.exit(run())
