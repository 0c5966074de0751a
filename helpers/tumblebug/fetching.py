"""Waiting while CB-Tumblebug fetches from the clouds: 20 to 40 minutes in which it says nothing."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable

from helpers.terminal import clock, printable
from helpers.tumblebug import client

LOOK_SECONDS = 2
LOG_SECONDS = 300  # between two lines where there is no terminal
SETTLED_SECONDS = 30  # a summary that has not changed for so long is final
Arrivals = Callable[[], list[tuple[str, int, int]]]  # of each cloud, its name, specs, images


def fetch(server: client.Server, expected: str, arrivals: Arrivals, **options: object) -> str:
    """Let the server fetch, show what arrives meanwhile, and return a warning, or nothing when all is well.

    ``expected`` is how long it usually takes, for people; ``options`` are those of client.fetch. Whatever the
    answer was, the server's summary decides. Raises ServerError.
    """
    before = client.summary(server)
    ended: list[client.ServerError | None] = []
    thread = threading.Thread(target=lambda: ended.append(outcome(server, options)), daemon=True)
    thread.start()
    show(thread, expected, arrivals)
    if ended[0] is None:
        after, warning = client.summary(server), ""
    elif isinstance(ended[0], client.ConnectionLost):
        after, warning = settled(server), f"{ended[0]}, but what it had begun has arrived"
        if not (after.specs > before.specs or after.images > before.images):
            raise client.ServerError(f"{ended[0]}, and its summary shows nothing new")
    else:
        raise ended[0]
    if not after.specs or not after.images:
        raise client.ServerError(
            f"{server.address} has fetched, but its summary shows no specs or no images"
        )
    return warning


def outcome(server: client.Server, options: dict) -> client.ServerError | None:
    """Return how the fetching failed, or None."""
    try:
        client.fetch(server, **options)
    except client.ServerError as error:
        return error
    return None


def settled(server: client.Server) -> client.Summary:
    """Return the summary when it no longer changes. Raises ServerError."""
    found = client.summary(server)
    while True:
        time.sleep(SETTLED_SECONDS)
        later = client.summary(server)
        if later == found:
            return later
        found = later


def show(thread: threading.Thread, expected: str, arrivals: Arrivals) -> None:
    """Draw one live line on a terminal, or a line now and then elsewhere, until the thread has ended."""
    started = time.monotonic()
    terminal = sys.stderr.isatty()
    pause = LOOK_SECONDS if terminal else LOG_SECONDS
    while True:
        if terminal:
            width = shutil.get_terminal_size().columns - 1
            text = line(time.monotonic() - started, expected, arrivals())[:width]
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
        thread.join(pause)
        if not thread.is_alive():
            break
        if not terminal:
            print(
                line(time.monotonic() - started, expected, arrivals()), file=sys.stderr, flush=True
            )
    if terminal:
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def line(seconds: float, expected: str, clouds: list[tuple[str, int, int]]) -> str:
    """Return what stands on the line: time passed, what is expected, what has arrived, by cloud."""
    parts = [f"{clock(seconds)} of {expected}"]
    if clouds:
        specs, images = (sum(cloud[column] for cloud in clouds) for column in (1, 2))
        parts.append(f"{specs:,} specs, {images:,} images")
        parts.append(
            ", ".join(f"{printable(name)} {specs:,}/{images:,}" for name, specs, images in clouds)
        )
    return "  ".join(parts)
