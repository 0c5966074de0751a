"""Measure what a client sees of a restore's swap: PYTHONPATH=tests python -m bench.downtime [RUNS]

A client runs `SELECT 1` on a new connection every 2 ms, over TCP, while a restore runs in a new
container. A run's downtime is the time from the last answer before the first failed or slow one to
the next answer. Prints each run and the median, in milliseconds.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import psycopg
from support.databases import Database
from support.run import new_checkout
from support.servers import Container, started_container

INTERVAL_SECONDS = 0.002
IDLE_CLIENTS = 12


def longest_gap(answers: list[float]) -> float:
    """Return the longest time between two good answers, in milliseconds."""
    return max(later - earlier for earlier, later in itertools.pairwise(answers)) * 1000


def poll(container: Container, name: str, answers: list[float], done: threading.Event) -> None:
    """Note the time of every good answer until done."""
    while not done.is_set():
        try:
            with container.connect(name) as connection:
                connection.execute("SELECT 1")
            answers.append(time.monotonic())
        except psycopg.OperationalError:
            pass
        time.sleep(INTERVAL_SECONDS)


def reconnect(container: Container, name: str, done: threading.Event) -> None:
    """Be a client that holds a connection, and takes a new one when it is lost."""
    while not done.is_set():
        try:
            with container.connect(name) as connection:
                while not done.is_set():
                    connection.execute("SELECT count(*) FROM spec_info")
                    time.sleep(0.01)
        except psycopg.Error:
            continue


def measure(container: Container, database: Database) -> float:
    """Return the downtime of one restore, in milliseconds."""
    answers: list[float] = []
    done = threading.Event()
    clients = [threading.Thread(target=poll, args=(container, database.name, answers, done))] + [
        threading.Thread(target=reconnect, args=(container, database.name, done))
        for _ in range(IDLE_CLIENTS)
    ]
    for client in clients:
        client.start()
    time.sleep(0.5)
    run = database.restore()
    time.sleep(0.5)
    done.set()
    for client in clients:
        client.join()
    assert run.status == 0, run
    return longest_gap(answers)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as directory, started_container() as container:
        database = Database(container, new_checkout(Path(directory)))
        database.create()
        database.backed_up()
        downtimes = [measure(container, database) for _ in range(runs)]
    print("downtime in ms:", *(round(downtime) for downtime in downtimes))
    print("median:", round(statistics.median(downtimes)))


if __name__ == "__main__":
    main()
