"""Waiting while CB-Tumblebug fetches from providers: 20 to 40 minutes without an answer."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

from helpers.terminal import clear_line, clock, draw_line, is_screen, printable
from helpers.tumblebug import client

LOOK_SECONDS = 2  # between two updates of the progress line
LOG_SECONDS = 300  # between two lines without a terminal
ReadArrivals = Callable[[], list[tuple[str, int, int]]]  # of each provider: name, specs, images


def fetch(
    server: str,
    expected: str,
    read_arrivals: ReadArrivals,
    settled_seconds: float,
    **options: object,
) -> str:
    """Make the server fetch, show what arrives, and return a warning, or "" if there is none.

    ``expected`` is the usual duration, as text to show; ``options`` are those of client.fetch.
    If the connection is lost, the server's summary decides whether anything was fetched, once it
    has been unchanged for ``settled_seconds``.
    Raises ServerError.
    """
    before = client.summary(server)
    errors: list[client.ServerError | None] = []
    thread = threading.Thread(target=lambda: errors.append(outcome(server, options)), daemon=True)
    thread.start()
    show_until_ended(thread, expected, read_arrivals)
    error = errors[0]
    if error is None:
        after, warning = client.summary(server), ""
    elif isinstance(error, client.ConnectionLost):
        after = settled_summary(server, settled_seconds)
        warning = f"{error}, but the fetched data has arrived"
        if not (after.specs > before.specs or after.images > before.images):
            raise client.ServerError(f"{error}, and its summary shows nothing new")
    else:
        raise error
    if not after.specs or not after.images:
        reason = "but its summary shows no specs or no images"
        raise client.ServerError(f"{server} has finished fetching, {reason}")
    return warning


def outcome(server: str, options: dict) -> client.ServerError | None:
    """Fetch, and return the error, or None."""
    try:
        client.fetch(server, **options)
    except client.ServerError as error:
        return error
    return None


def settled_summary(server: str, settled_seconds: float) -> client.Summary:
    """Return the summary once it is unchanged for ``settled_seconds``. Raises ServerError."""
    found = client.summary(server)
    while True:
        time.sleep(settled_seconds)
        later = client.summary(server)
        if later == found:
            return later
        found = later


def show_until_ended(thread: threading.Thread, expected: str, read_arrivals: ReadArrivals) -> None:
    """Show what has arrived until the thread has ended.

    A terminal gets one progress line; anything else gets a line every LOG_SECONDS.
    """
    started = time.monotonic()
    terminal = is_screen(sys.stderr)
    pause = LOOK_SECONDS if terminal else LOG_SECONDS
    while True:
        if terminal:
            draw_line(line(time.monotonic() - started, expected, read_arrivals()))
        thread.join(pause)
        if not thread.is_alive():
            break
        if not terminal:
            text = line(time.monotonic() - started, expected, read_arrivals())
            print(text, file=sys.stderr, flush=True)
    if terminal:
        clear_line()


def line(seconds: float, expected: str, arrivals: list[tuple[str, int, int]]) -> str:
    """Return the progress line: time passed, usual duration, and what has arrived."""
    parts = [f"{clock(seconds)} of {expected}"]
    if arrivals:
        specs, images = (sum(arrival[column] for arrival in arrivals) for column in (1, 2))
        parts.append(f"{specs:,} specs, {images:,} images")
        parts.append(
            ", ".join(f"{printable(name)} {specs:,}/{images:,}" for name, specs, images in arrivals)
        )
    return "  ".join(parts)
