"""Clients and runs from two hosts at random, at the same time: what all of them see is possible.

A sample by default, with TEST_ALL=yes (make faults) several long histories. FAULT_SEED=N repeats
the choices of one.

For a minute, two hosts run backups, restores (also --data-only and --table), rollbacks and
statistics at random. Meanwhile one client writes the next generation of all tables in one
transaction, one changes columns and indexes, and two read. The hosts have different names, keys and
temporary directories, so each restores the other's backups as untrusted ones. Afterwards the test
checks every read and the rows in every backup. All tables of a read or a backup must show the same
generation, complete. It must be one that the database could have held then: written before the read
ended, by the writer or by a restore that reported success, and not replaced before the read began.
A run that failed has written nothing. Every run ends within a minute, with a documented exit code
and at most one error, and every statement of a client within 30 s. Clients may lose their
connection or be the victim of a deadlock; any other error is a failure. At the end nothing is left
behind, and a backup and a restore work.

Not tested in histories: the order of changes of the schema, kills (other tests have them), two
databases on one server, and RESTORE_IN_PLACE=yes. After a rollback, the test accepts any earlier
generation. Readers in a REPEATABLE READ transaction lock the tables before they take their
snapshot, as backups do: --table uses TRUNCATE, and a transaction with an older snapshot finds these
tables empty.
"""

from __future__ import annotations

import os
import secrets
import time
from collections import Counter

import pytest
from support.databases import Database
from support.fakes import fake
from support.run import BACKUP, DROP, RESTORE, ROLLBACK, new_checkout
from support.sampling import ALL
from support.servers import BACKENDS

from faults.histories import (
    SECONDS_OF_RUN,
    SECONDS_OF_STATEMENT,
    TABLES,
    Client,
    History,
    Host,
    Migrator,
    Reader,
    Writer,
    fill,
)

SEED = os.environ.get("FAULT_SEED")
HISTORIES = 10 if ALL and not SEED else 1
SECONDS = 60 if ALL else 3
OTHER_HOST = """[ "$*" != -n ] || { echo other-host; exit; }; exec "$REAL" "$@\""""

pytestmark = pytest.mark.timeout(600 if ALL else 120)


def seed_of(number: int) -> int:
    """Return that of the user, or the same one in each sample, or a random one."""
    if SEED or not ALL:
        return int(SEED or 18)
    return 2 * secrets.randbelow(10**6) + number % 2


def new_hosts(request: pytest.FixtureRequest, history: History) -> list[Host]:
    """Return two hosts of one database, whose content is generation 0. The seed says which server.

    Each has a key and temporary directories of its own.
    """
    server = request.getfixturevalue(list(BACKENDS.values())[history.seed % 2])
    directory = request.getfixturevalue("tmp_path")
    hosts = []
    for name in ("host-1", "host-2"):
        (directory / name).mkdir()
        checkout = new_checkout(directory / name)
        database = Database(server, checkout, hosts[0].database.name if hosts else "")
        hosts.append(Host(name, history, database))
    checkout.environment |= fake(checkout, uname=OTHER_HOST)
    return hosts


def create(database: Database, history: History) -> None:
    database.create_empty()
    first = history.begin("test", "create")
    for table in TABLES:
        database.execute(
            f"CREATE TABLE {table} (generation int, n int, text text); {fill(table, 0)}"
        )
    first.written = [{"group": 0, "apart": 0}]
    history.end(first, "done")


def wait_for(history: History, clients: list[Client]) -> None:
    for client in clients:
        client.stopping.set()
    for client in clients:
        client.join(SECONDS_OF_RUN + SECONDS_OF_STATEMENT)
        if client.is_alive():
            history.problems.append(f"{client.name} waits without end")


@pytest.mark.parametrize("number", range(HISTORIES))
def test_what_clients_and_runs_see_at_the_same_time_is_possible(
    request: pytest.FixtureRequest, number: int
) -> None:
    history = History(seed_of(number))
    hosts = new_hosts(request, history)
    database = hosts[0].database
    create(database, history)
    try:
        clients = [Writer("writer", history, database), Migrator("migrator", history, database)]
        clients += [Reader(f"reader-{number}", history, database) for number in (1, 2)]
        for each in (*clients, *hosts):
            each.start()
        time.sleep(SECONDS)
        wait_for(history, [*hosts, clients[1]])
        if ALL and not history.problems:
            complete(history, hosts)
        wait_for(history, clients)
        if not history.problems:
            finish(history, hosts if ALL else hosts[1:])
        history.check()
        print(history.summary())
        if history.problems:
            pytest.fail(str(history), pytrace=False)
    finally:
        database.drop()


def complete(history: History, hosts: list[Host]) -> None:
    """Every kind of run succeeds while clients read and write: what has not yet, is tried now."""
    succeeded = sum((host.succeeded for host in hosts), Counter())
    hosts[0].complete([kind for kind in hosts[0].kinds if not succeeded[kind]])
    succeeded = sum((host.succeeded for host in hosts), Counter())
    missing = [kind for kind in hosts[0].kinds if not succeeded[kind]]
    if missing:
        history.problems.append(f"no success of: {missing}")


def finish(history: History, hosts: list[Host]) -> None:
    """Without clients, a last restore restores the last backup, and nothing is left behind."""
    for host in hosts:
        path = host.database.checkout.home / "last.dump.gz"
        content = host.database.content()
        for command in ((BACKUP, path), (RESTORE, path)):
            _, run = host.run_script("last", *command)
            if run.status != 0:
                history.problems.append(f"a last run fails: {run}")
        if host.database.content() != content:
            history.problems.append("the last restore does not restore the last backup")
    if any("previous" in name for name in host.database.databases()):
        host.run_script("drop", ROLLBACK, "--drop")
    if any("copy" in name for name in host.database.databases()):
        host.run_script("drop", DROP)
    for each in (host, hosts[0]):
        left = each.database.left_behind()
        if left:
            history.problems.append(f"left behind: {left}")
    crashes = host.database.server.crashes()
    if crashes:
        history.problems.append(f"crashes: {crashes}")
