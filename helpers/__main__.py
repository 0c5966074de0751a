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
    for name in ("table-statistics", "database-size"):
        verb = verbs.add_parser(name, help=f"print the result of {name}.sql as a table")
        verb.add_argument("--server-key", help="refuse a server other than this one")
        verb.add_argument("query", type=Path, help="the SQL text to run")
        verb.add_argument("addresses", nargs="*", help="host:port to try, in this order")
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
    from helpers import statistics

    try:
        print(statistics.report(options.verb, options.query, options.addresses, options.server_key))
    except statistics.ServerUnavailable:
        return EXIT_UNAVAILABLE
    return 0


if __name__ == "__main__":
    sys.exit(main())
