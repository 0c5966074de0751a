"""The one door, ``python -m helpers VERB``, and the one place that prints and exits."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

EXIT_UNAVAILABLE = 69  # EX_UNAVAILABLE of sysexits.h: the caller shows the result another way


def main() -> int:
    """Run one verb and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m helpers", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name in ("table-statistics", "database-size", "progress"):
        verb = verbs.add_parser(name, help=f"print the result of {name}.sql for people")
        verb.add_argument("--server-key", required=True, help="refuse a server other than this one")
        verb.add_argument("--live", required=True, help="the live database, which is part of that key")
        verb.add_argument("query", type=Path, help="the SQL text to run")
        verb.add_argument("addresses", nargs="*", help="host:port to try, in this order")
        if name == "progress":
            verb.add_argument("--totals", type=Path, help="a manifest's lines of tables")
    verb = verbs.add_parser("menu", help="print the option menu of make init")
    verb.add_argument("backup", type=Path, help="the backup that option A restores")
    verbs.add_parser("demo", help="back up, damage and restore a sample catalogue")
    options = parser.parse_args()

    if options.verb == "demo":
        from helpers import demo

        return demo.run()
    if options.verb == "menu":
        from helpers import menu

        print(menu.menu(options.backup))
        return 0
    try:
        import psycopg

        from helpers import progress, statistics
    except ImportError:
        return EXIT_UNAVAILABLE

    server = statistics.Identity(options.server_key, options.live)
    try:
        if options.verb == "progress":
            progress.draw(options.query, options.totals, options.addresses, server)
        else:
            print(statistics.report(options.verb, options.query, options.addresses, server))
    except (statistics.ServerUnavailable, psycopg.Error):
        return EXIT_UNAVAILABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
