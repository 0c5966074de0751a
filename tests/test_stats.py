"""stats: the same numbers by the helper and, without Python, by psql."""

from __future__ import annotations

import pytest
from support.databases import Database
from support.fakes import fake, without_python
from support.run import STATS
from support.servers import Container, started_container

ROWS = {
    "spec_info": "1,200",
    "image_info": "2,000",
    "measured": "500",
    "no_columns": "1",
    "empty_table": "0",
}


def numbers(out: str) -> dict[str, str]:
    """Return the rows column by table, whatever the layout."""
    cells = (line.replace("|", " ").split() for line in out.splitlines())
    return {row[0]: row[1].replace(",", "") for row in cells if len(row) > 1 and row[0] in ROWS}


EXPECTED = {table: rows.replace(",", "") for table, rows in ROWS.items()}


def test_helper_shows_exact_rows_shares_and_totals(database: Database) -> None:
    run = database.checkout.run(STATS)
    assert run.status == 0, run
    assert numbers(run.out) == EXPECTED
    assert "█" in run.out and "9 tables" in run.out and "4,701" in run.out
    assert run.err == ""


def test_without_python_psql_shows_the_same_numbers(database: Database) -> None:
    no_python = without_python(database.checkout)
    run = database.checkout.run(STATS, **no_python)
    assert run.status == 0, run
    assert numbers(run.out) == EXPECTED
    assert "█" not in run.out
    assert run.err == ""


def test_backup_and_restore_need_no_python(direct: Database) -> None:
    no_python = without_python(direct.checkout)
    before = direct.content()
    run = direct.backup(direct.checkout.default_backup, **no_python)
    assert run.status == 0, run
    direct.execute("DELETE FROM pricing_info")
    run = direct.restore(**no_python)
    assert run.status == 0, run
    assert direct.content() == before


def test_server_that_this_host_cannot_reach_is_shown_by_psql(
    checkout, container: Container
) -> None:
    with started_container("16", "--network", "none") as other:
        database = Database(other, checkout, name="tumblebug")
        other.client("psql", "-c", "CREATE TABLE spec_info AS SELECT generate_series(1, 1200)")
        run = database.checkout.run(STATS)
    assert run.status == 0, run
    assert numbers(run.out) == {"spec_info": "1200"}


def test_published_port_of_another_server_is_not_taken_for_ours(
    docker: Database, direct_server
) -> None:
    """A Docker engine on another host publishes ports there, not here."""
    port = direct_server.private.port
    inspects = f'if [ "$1" = inspect ]; then echo "running 127.0.0.1:{port}"; exit; fi'
    faked = fake(docker.checkout, docker=f'{inspects}\nexec "$REAL" "$@"')
    run = docker.checkout.run(STATS, **faked)
    assert run.status == 0, run
    assert numbers(run.out) == EXPECTED


@pytest.mark.parametrize("plain", [False, True])
def test_db_size_names_the_database_and_its_size(database: Database, plain: bool) -> None:
    if plain:
        (database.checkout.path / "helpers" / "__main__.py").write_text("raise SystemExit(69)")
    run = database.checkout.run("make", "db-size")
    assert run.status == 0, run
    assert database.name in run.out and " kB" in run.out


def test_view_that_was_never_filled_is_shown_without_rows(direct: Database) -> None:
    direct.execute("CREATE MATERIALIZED VIEW later AS SELECT 1 AS n WITH NO DATA")
    run = direct.checkout.run(STATS)
    assert run.status == 0, run
    assert " 0 " in next(line for line in run.out.splitlines() if line.startswith("later"))


def test_database_without_tables_says_so(direct: Database) -> None:
    direct.drop()
    direct.create_empty()
    run = direct.checkout.run("make", "stats")
    assert run.status == 0, run
    assert run.out == "The database holds no tables.\n"
