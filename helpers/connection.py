"""Connecting to the database server that is meant, from this host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import psycopg
from psycopg.rows import dict_row

CONNECT_TIMEOUT_SECONDS = 3


class ServerUnavailable(Exception):
    """None of the addresses leads to the server that is meant."""


class Identity(NamedTuple):
    """A server and the live database on it: the key that identify.sql computes, and the name."""

    key: str
    live: str


def connect(addresses: Sequence[str], server: Identity) -> psycopg.Connection:
    """Return a connection to ``server``, whose rows are dictionaries, each statement committed.

    ``addresses`` are ``host:port``, tried in order; user, password and database come from the
    ``PG*`` variables that libpq reads. Raises ServerUnavailable when no address leads to ``server``.
    """
    for address in addresses:
        host, _, port = address.rpartition(":")
        try:
            connection = psycopg.connect(
                host=host.strip("[]"),
                port=port,
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                row_factory=dict_row,
                autocommit=True,
            )
        except psycopg.OperationalError:
            continue
        if key_of(connection, server.live) == server.key:
            return connection
        connection.close()
    raise ServerUnavailable


def key_of(connection: psycopg.Connection, live: str) -> str:
    """Return the key that identify.sql computes of this server and the live database ``live``.

    Raises psycopg.Error when the server refuses the query.
    """
    row = connection.execute(
        "SELECT substr(md5(system_identifier || '/' || %s), 1, 12) AS key FROM pg_control_system()",
        [live],
    ).fetchone()
    return row["key"]
