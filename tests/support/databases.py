"""Databases of the tests' own, and the scripts' runs on them."""

from __future__ import annotations

import gzip
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support.backups import read_pair, write_pair
from support.run import BACKUP, RESTORE, Checkout, Run
from support.servers import Server

SAMPLE = Path(__file__).parent / "sample.sql"
PASSWORD = f"secret {secrets.token_hex(8)}"  # of roles that are not the server's own
TEMPLATE = "sample"  # the database of each server that new ones are copied from


@dataclass
class Database:
    """A database of a test's own. Its checkout's scripts use it."""

    server: Server
    checkout: Checkout
    name: str = ""

    def __post_init__(self) -> None:
        self.name = self.name or f"test_{secrets.token_hex(6)}"
        self.checkout.environment |= {
            **self.server.environment(),
            "TB_POSTGRES_DATABASE": self.name,
        }

    def create(self) -> None:
        """Create it with the content of sample.sql."""
        if not self.server.execute(f"SELECT 1 FROM pg_database WHERE datname = '{TEMPLATE}'"):
            self.server.execute(f"CREATE DATABASE {TEMPLATE}")
            self.server.execute(SAMPLE.read_text(), database=TEMPLATE)
        self.create_empty(f"TEMPLATE {TEMPLATE}")

    def create_empty(self, options: str = "") -> None:
        """Create it without tables; ``options`` are those of CREATE DATABASE."""
        self.server.execute(f"CREATE DATABASE {self.name} {options}")

    def drop(self) -> None:
        """Drop it and the databases that runs on it have made."""
        for name in {self.name} | self.databases():
            self.server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def execute(self, query: str) -> list[tuple]:
        """Run statements in one transaction; return the rows of the last one."""
        return self.server.execute(query, database=self.name)

    def content(self) -> dict[str, object]:
        """Return all that a restore must restore: each table's rows, and the schema as SQL."""
        with self.server.connect(self.name) as connection:
            tables = connection.execute(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname"
                " <> 'information_schema' AND schemaname NOT LIKE 'pg\\_%' ORDER BY 1"
            ).fetchall()
            rows = {
                table: connection.execute(
                    f"SELECT count(*), md5(string_agg(t, E'\\n' ORDER BY t COLLATE \"C\"))"
                    f" FROM (SELECT (r.*)::text AS t FROM ONLY {table} AS r) AS texts"
                ).fetchall()
                for (table,) in tables
            }
        return {**rows, "schema": self.schema()}

    def schema(self) -> str:
        """Return the schema as SQL, without comments and psql's commands."""
        command = ("pg_dump", "--schema-only", "--dbname", self.name)
        dump = self.server.client(*command, text=True).stdout
        return "\n".join(line for line in dump.splitlines() if not line.startswith(("--", "\\")))

    def key(self) -> str:
        """Return what the names of the databases and directories of its runs hold."""
        key = "substr(md5(system_identifier || '/' || current_database()), 1, 12)"
        return self.execute(f"SELECT {key} FROM pg_control_system()")[0][0]

    def databases(self) -> set[str]:
        """Return the databases that runs have made on this server and not dropped."""
        rows = self.server.execute("SELECT datname FROM pg_database WHERE datname LIKE 'assets%'")
        return {name for (name,) in rows}

    def backup(self, *arguments: str | Path, **environment: str) -> Run:
        return self.checkout.run(BACKUP, *arguments, **environment)

    def restore(self, *arguments: str | Path, **environment: str) -> Run:
        return self.checkout.run(
            RESTORE, *arguments, **{"RESTORE_SKIP_CONFIRM": "yes", **environment}
        )

    def backed_up(self, path: Path | None = None) -> Path:
        """Back it up, for tests of what comes after, and return the file."""
        path = path or self.checkout.default_backup
        run = self.backup(path)
        assert run.status == 0, run
        return path

    def sample_backup(self) -> Path:
        """Return a backup of the database, which must be unchanged since its creation.

        The first one of each server is made; the others are copies of it and of the key that
        signs it.
        """
        if not self.server.sample_backup:
            self.server.sample_backup = read_pair(self.backed_up()), self.checkout.key.read_text()
            return self.checkout.default_backup
        pair, key = self.server.sample_backup
        write_pair(self.checkout.default_backup, pair)
        self.checkout.key.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        self.checkout.key.write_text(key)
        self.checkout.key.chmod(0o600)
        return self.checkout.default_backup

    def left_behind(self) -> list[str]:
        """Return what a finished run must have removed: files here and on the server, databases."""
        files = self.checkout.left_behind() + [
            path for path in self.server.temporary_files() if "tumblebug-assets" in path
        ]
        return files + sorted(self.databases())


def new_database(server: Server, checkout: Checkout) -> Iterator[Database]:
    """Yield a database with the content of sample.sql, and drop it at the end."""
    database = Database(server, checkout)
    database.create()
    yield database
    database.drop()


def database_of_role(server: Server, checkout: Checkout, rights: str = "") -> Iterator[Database]:
    """Yield CB-Tumblebug's tables, of a role that owns the database, and drop both at the end.

    ``rights`` are options of CREATE ROLE. The checkout's scripts log in as that role.
    """
    database = Database(server, checkout)
    role = f"owner_{database.name}"
    server.execute(f"CREATE ROLE {role} LOGIN {rights} PASSWORD '{PASSWORD}'")
    database.create_empty(f"OWNER {role}")
    for name in ("schema", "rows"):
        sql = SAMPLE.with_name(f"tumblebug-{name}.sql").read_text()
        database.execute(f"SET ROLE {role};{sql}")
    checkout.environment |= {"TB_POSTGRES_USER": role, "TB_POSTGRES_PASSWORD": PASSWORD}
    yield database
    database.drop()
    server.execute(f"DROP ROLE {role}")


def make_big(database: Database) -> None:
    """Give the database so many rows that a run takes seconds."""
    database.execute(
        "CREATE TABLE big AS SELECT n, md5(n::text) AS a, md5(n::text) AS b"
        " FROM generate_series(1, 200000) AS n"
    )


def broken_backup(database: Database) -> Path:
    """Return a backup whose load fails: a view uses a function that is missing."""
    database.execute(
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
        " CREATE VIEW uses_f AS SELECT public.f()"
    )
    client = database.server.client
    archive = client("pg_dump", "-Fc", "-Z0", "-d", database.name).stdout
    database.execute("DROP VIEW uses_f; DROP FUNCTION f()")
    archive = archive.replace(b"CREATE FUNCTION public.f()", b"CREATE FUNCTION public.g()")
    path = database.checkout.path / "broken.dump.gz"
    path.write_bytes(gzip.compress(archive))
    return path


def untrusted_dump(database: Database, hostile: str = "", patched: str = "") -> Path:
    """Return a dump of another database with the sample's content and the SQL's hostile objects.

    ``patched`` is SQL that replaces an entry's definition in the archive's bytes.
    """
    name = f"{database.name}_author"
    environment = dict(database.checkout.environment)
    author = Database(database.server, database.checkout, name)
    author.checkout.environment |= environment
    author.create()
    placeholder = "x" * len(patched)
    author.execute(f"{hostile}; COMMENT ON TABLE region_info IS '{placeholder}'")
    archive = database.server.client("pg_dump", "-Fc", "-Z0", "-d", name).stdout
    if patched:
        statement = f"COMMENT ON TABLE public.region_info IS '{placeholder}';".encode()
        assert statement in archive
        archive = archive.replace(statement, patched.encode().ljust(len(statement)))
    author.drop()
    path = database.checkout.path / "assets" / "pr.dump.gz"
    path.write_bytes(gzip.compress(archive))
    return path
