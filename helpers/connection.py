"""Connections to the server that the calling script uses, and to no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg.rows import dict_row

CONNECT_TIMEOUT_SECONDS = 3


class ServerUnavailable(Exception):
    """None of the addresses leads to the expected server."""


class Identity(NamedTuple):
    """A server and its live database.

    ``key`` is what identify.sql computes of both; ``live`` is the name of the database.
    """

    key: str
    live: str


def query_rows(
    query: Path,
    addresses: Sequence[str],
    server: Identity,
    settings: Mapping[str, str] | None = None,
) -> list[dict]:
    """Run the SQL file ``query``; return the rows of its last statement, as dictionaries.

    ``settings`` are made in the session first. ``addresses`` and ``server`` are those of connect.
    Raises ServerUnavailable as connect does, and psycopg.Error if the query fails.
    """
    with connect(addresses, server) as connection:
        for name, value in (settings or {}).items():
            connection.execute("SELECT set_config(%s, %s, false)", [name, value])
        cursor = connection.execute(query.read_bytes())
        while cursor.nextset():
            pass
        return cursor.fetchall()


def connect(addresses: Sequence[str], server: Identity) -> psycopg.Connection:
    """Return a connection to ``server`` in autocommit mode; its rows are dictionaries.

    ``addresses`` are ``host:port`` and tried in order. User, password and database come from the
    ``PG*`` variables that libpq reads. Raises ServerUnavailable if no address leads to ``server``.
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
    """Return the key of this server and its live database ``live``, as identify.sql computes it.

    Raises psycopg.Error if the server refuses the query.
    """
    row = connection.execute(
        "SELECT substr(md5(system_identifier || '/' || %s), 1, 12) AS key FROM pg_control_system()",
        [live],
    ).fetchone()
    return row["key"]
