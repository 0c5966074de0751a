"""stats: the same table by the helper and, without Python, by psql."""

from __future__ import annotations

import re

import pytest
from support.databases import Database
from support.fakes import fake, without_python
from support.run import RESTORE, STATS
from support.running import ended
from support.sampling import only_with_all
from support.servers import Container, started_container
from support.waiting import until

pytestmark = pytest.mark.python

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


def test_statistics_are_the_same_with_and_without_python(database: Database) -> None:
    run = database.checkout.run(STATS)
    assert run.status == 0, run
    assert numbers(run.out) == EXPECTED
    assert re.search(r"^spec_info +1,200 +[\d.]+ kB +[\d.]+%  █", run.out, re.MULTILINE), run
    assert re.search(r"^9 tables +4,701 +[\d.]+ MB +[\d.]+%$", run.out, re.MULTILINE), run
    assert re.search(r"^database +[\d.]+ MB +100\.0%\n\Z", run.out, re.MULTILINE), run
    assert run.out.startswith("table ")
    server = "container '" if database.server.environment().get("PG_BINDIR") is None else "server '"
    assert f"database '{database.name}' of {server}" in run.err
    no_python = without_python(database.checkout)
    plain = database.checkout.run(STATS, **no_python)
    assert plain.status == 0, plain
    assert (plain.out, plain.err) == (run.out, run.err)


@pytest.mark.parametrize("encoding", ["EUC-KR", "ISO-8859-1"])
def test_locale_without_blocks_gets_other_bars(direct: Database, encoding: str) -> None:
    direct.execute('CREATE TABLE "가격" (n int)')
    run = direct.checkout.run(STATS, PYTHONIOENCODING=encoding)
    assert run.status == 0, run
    assert "%  #" in run.out and "█" not in run.out
    assert "Traceback" not in run.err
    charmap = fake(direct.checkout, locale=f"echo {encoding}")
    (direct.checkout.path / "helpers" / "__main__.py").write_text("raise SystemExit(69)")
    run = direct.checkout.run(STATS, **charmap)
    assert run.status == 0, run
    assert "%  #" in run.out and "█" not in run.out


def test_heading_is_bold_only_where_a_terminal_has_colour(direct: Database) -> None:
    for environment, bold in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        run = direct.checkout.run_on_terminal("sh", "-c", f"{STATS} >&2", **environment)
        assert run.status == 0, run
        assert ("\x1b[1mtable " in run.err) == bold, run
        assert ("\x1b" in run.err) == bold, run


def test_tables_fit_a_narrow_terminal(direct: Database) -> None:
    direct.sample_backup()
    direct.execute(
        'DROP SCHEMA "Odd ""schema""; --" CASCADE;'
        " CREATE TABLE large AS SELECT generate_series(1, 100000) AS n"
    )
    for columns, has_bars in ((40, False), (80, True)):
        run = direct.checkout.run_on_terminal(
            "sh", "-c", f"{STATS} >&2", columns=columns, NO_COLOR="1"
        )
        assert run.status == 0, run
        table = run.err.splitlines()[1:]
        assert max(map(len, table)) <= columns and ("█" in run.err) == has_bars, run
    direct.execute(f'CREATE TABLE "{"가 long name " * 4}" (); CREATE TABLE "a  5 kB 3.0%  x" ()')
    run = direct.checkout.run_on_terminal("sh", "-c", f"{STATS} >&2", columns=40, NO_COLOR="1")
    assert run.status == 0, run
    lines = run.err.splitlines()[1:]
    assert [line for line in lines if len(line) > 40] == ['"' + "가 long name " * 4 + '"'], run
    assert '"a  5 kB 3.0%  x"' in lines, run
    assert any(re.fullmatch(r" {9,}0 +0 B +0\.0%", line) for line in lines), run
    command = f"{RESTORE} --dry-run >&2"
    run = direct.checkout.run_on_terminal("sh", "-c", command, columns=40, NO_COLOR="1")
    assert run.status == 0, run
    table = run.err.partition("\r\ntable ")[2].splitlines()
    numbers = [line for line in table if line.endswith((" 0", "+7"))]
    assert len(numbers) > 9 and max(map(len, numbers)) < 40, run


def test_backup_and_restore_need_no_python(direct: Database) -> None:
    no_python = without_python(direct.checkout)
    before = direct.content()
    run = direct.backup(direct.checkout.default_backup, **no_python)
    assert run.status == 0, run
    direct.execute("DELETE FROM pricing_info")
    run = direct.restore(**no_python)
    assert run.status == 0, run
    assert direct.content() == before


@only_with_all
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


def test_db_size_names_the_database_the_server_and_its_size(database: Database) -> None:
    run = database.checkout.run("make", "db-size")
    assert run.status == 0, run
    line = rf"database '{database.name}' of .*'.*': [\d.]+ MB \(\d+,\d{{3}},\d{{3}} bytes\)\n"
    assert re.fullmatch(line, run.out), run
    assert run.err == ""


def test_view_that_was_never_filled_is_shown_without_rows(direct: Database) -> None:
    direct.execute("CREATE MATERIALIZED VIEW later AS SELECT 1 AS n WITH NO DATA")
    run = direct.checkout.run(STATS)
    assert run.status == 0, run
    assert " 0 " in next(line for line in run.out.splitlines() if line.startswith("later"))


def test_table_that_others_inherit_from_is_counted_alone(direct: Database) -> None:
    """A partitioned table includes its partitions, whose rows are nowhere else."""
    direct.drop()
    direct.create_empty()
    direct.execute(
        "CREATE TABLE parent (n int); CREATE TABLE child () INHERITS (parent);"
        "INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2), (3);"
        "CREATE TABLE parts (n int) PARTITION BY LIST (n);"
        "CREATE TABLE part PARTITION OF parts DEFAULT; INSERT INTO parts VALUES (4), (5), (6), (7)"
    )
    for run in (direct.backup(), direct.checkout.run(STATS)):  # a backup has counted them already
        assert run.status == 0, run
        rows = dict(re.findall(r"^(\w+(?: tables)?) +(\d+) ", run.out, re.MULTILINE))
        assert rows == {"parent": "1", "child": "2", "parts": "4", "3 tables": "7"}, run


def test_database_without_tables_says_so(direct: Database) -> None:
    direct.drop()
    direct.create_empty()
    run = direct.checkout.run("make", "stats")
    assert run.status == 0, run
    total, database = r"0 tables +0 +0 B +0\.0%", r"database +[\d.]+ MB +100\.0%"
    assert re.fullmatch(rf"table +rows +size +share\n{total}\n{database}\n", run.out), run


@pytest.mark.parametrize("python", [True, False])
def test_table_that_is_filled_anew_meanwhile_is_not_shown_as_empty(
    direct: Database, python: bool
) -> None:
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = '{}'"
    environment = {} if python else without_python(direct.checkout)
    with direct.server.connect(direct.name) as client:
        client.execute("BEGIN; CREATE TEMPORARY TABLE kept AS SELECT * FROM measured")
        client.execute("TRUNCATE measured; INSERT INTO measured SELECT * FROM kept")
        process = direct.checkout.start(STATS, **environment)
        until(lambda: direct.server.execute(waiting.format(direct.name)))
        client.execute("COMMIT")
        run = ended(process)
    assert run.status == 0, run
    assert numbers(run.out) == EXPECTED
