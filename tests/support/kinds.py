"""A database with an object of every kind, and what a backup of it must restore."""

from __future__ import annotations

import re
from pathlib import Path

from support.databases import Database

KINDS = Path(__file__).parent / "kinds.sql"
QUERIES = {
    "sequences": "SELECT schemaname, sequencename, last_value, start_value, increment_by, cycle,"
    " cache_size, data_type::text FROM pg_sequences ORDER BY 1, 2",
    "large objects": "SELECT m.oid::bigint, lomowner::regrole::text, lomacl::text,"
    " md5(lo_get(m.oid)), obj_description(m.oid, 'pg_largeobject')"
    " FROM pg_largeobject_metadata AS m ORDER BY 1",
    "database": "SELECT datdba::regrole::text, encoding, datcollate, datctype, datconnlimit,"
    " datistemplate, datacl::text, shobj_description(oid, 'pg_database')"
    " FROM pg_database WHERE datname = current_database()",
    "settings": "SELECT setrole::regrole::text, setconfig FROM pg_db_role_setting"
    " WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " ORDER BY 1",
}


def create_kinds(database: Database) -> str:
    """Add an object of each kind to the database; return the role that owns one of them.

    drop_kinds drops both.
    """
    role = f"kinds_{database.name}"
    database.server.execute(f"CREATE ROLE {role}")
    database.execute(KINDS.read_text().replace(":role", role))
    database.server.execute(
        f"COMMENT ON DATABASE {database.name} IS E'it''s\\na database'",
        f"ALTER DATABASE {database.name} CONNECTION LIMIT 77",
        f"ALTER DATABASE {database.name} SET work_mem = '5MB'",
        f"ALTER DATABASE {database.name} SET search_path = kinds, public",
        f"ALTER ROLE {role} IN DATABASE {database.name} SET statement_timeout = '7s'",
        f"REVOKE TEMPORARY ON DATABASE {database.name} FROM PUBLIC",
        f"GRANT CREATE ON DATABASE {database.name} TO {role}",
    )
    return role


def drop_kinds(database: Database, role: str) -> None:
    """Drop the database and the role of create_kinds."""
    database.drop()
    database.server.execute(f"DROP ROLE {role}")


def everything(database: Database) -> dict[str, object]:
    """Return the content of the database and what it has besides."""
    found = {**database.content(), **{name: database.execute(q) for name, q in QUERIES.items()}}
    # from PostgreSQL 18 on, a restored table may get another name for a NOT NULL constraint
    return found | {"schema": re.sub(r"CONSTRAINT \S+ (?=NOT NULL)", "", found["schema"])}
