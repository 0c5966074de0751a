"""A hostile server: whatever it answers, it runs nothing on this host and removes nothing here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.backups import manifest_of, remove_manifest, rewrite_manifest
from support.databases import Database, new_database
from support.fakes import fake
from support.run import BACKUP, DOCTOR, PROJECT, RESTORE, Checkout, Run
from support.servers import DirectServer

from helpers.demo.private_server import private_server

pytestmark = pytest.mark.python

ANSWERS = {
    "version": (RESTORE, r"s#^[0-9]*\(|[^|]*|[0-9a-f]*|[0-9]*|[tf]|[tf]|.*\)$#{lie}\1#"),
    "key": (RESTORE, r"s#^\([0-9]*|[^|]*|\)[0-9a-f]*\(|[0-9]*|[tf]|[tf]|.*\)$#\1{lie}\2#"),
    "process": (RESTORE, r"s#^\([0-9]*|[^|]*|[0-9a-f]*|\)[0-9]*\(|[tf]|[tf]|.*\)$#\1{lie}\2#"),
    "size": (RESTORE, r"s#^UTF8|[0-9]*$#UTF8|{lie}#"),
    "jobs": (RESTORE, r"s#^\([tf]|[tf]|\)[0-9]*|#\1{lie}|#"),
    "size when backed up": (BACKUP, r"s#^UTF8|[0-9]*$#UTF8|{lie}#"),
}
FACTS = [
    ("tmp-free", RESTORE),
    ("data-free", RESTORE),
    ("pg_restore", RESTORE),
    ("pg_dump", BACKUP),
]


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """A file that only an attack makes."""
    return tmp_path / "pwned"


def lying_psql(database: Database, lie: str) -> dict[str, str]:
    """Return an environment in which psql's answers go through this sed script."""
    lies = f"""LIE='{lie}' exec bash -o pipefail -c '"$0" "$@" | sed -u "$LIE"' "$REAL" "$@\""""
    return fake(database.checkout, psql=lies)


def assert_nothing_ran(database: Database, run: Run, marker: Path) -> None:
    assert not marker.exists(), run
    assert run.status == 1, run
    assert len(run.errors) == 1, run
    assert not re.search(r"line \d+:|integer|arithmetic", run.err), run
    assert database.left_behind() == []


@pytest.mark.parametrize("answer", ANSWERS)
def test_number_that_is_a_program_is_not_run_by_bash(
    direct: Database, marker: Path, answer: str
) -> None:
    path = direct.sample_backup()
    remove_manifest(path)
    script, lie = ANSWERS[answer]
    lie = lie.replace("{lie}", f"PATH[$(touch${{IFS}}{marker})0]")
    run = direct.checkout.run(
        script, path, shell="bash", RESTORE_SKIP_CONFIRM="yes", **lying_psql(direct, lie)
    )
    assert_nothing_ran(direct, run, marker)
    assert "unexpected answer from " in run.err and " is unchanged" in run.err


def lying_mkdir(database: Database, fact: str, marker: Path) -> dict[str, str]:
    """Return an environment in which a program on the server prints a fact that is a program."""
    lie = f"{fact} PATH[$(touch${{IFS}}{marker})0]"
    mkdir = f"""
        "$REAL" "$@" || exit
        case "$*" in *.{database.key()}.*) echo '{lie}' ;; esac
    """
    return fake(database.checkout, mkdir=mkdir)


@pytest.mark.parametrize(("fact", "script"), FACTS)
def test_fact_that_is_a_program_is_not_run_by_bash(
    direct: Database, marker: Path, fact: str, script: str
) -> None:
    path = direct.sample_backup()
    lies = lying_mkdir(direct, fact, marker)
    run = direct.checkout.run(script, path, shell="bash", RESTORE_SKIP_CONFIRM="yes", **lies)
    assert_nothing_ran(direct, run, marker)
    assert "unexpected answer from " in run.err and " is unchanged" in run.err


@pytest.mark.parametrize("fact", [fact for fact, _ in FACTS])
def test_fact_that_is_a_program_is_not_run_by_a_check(
    direct: Database, marker: Path, fact: str
) -> None:
    lies = lying_mkdir(direct, fact, marker)
    run = direct.checkout.run(DOCTOR, shell="bash", **lies)
    assert_nothing_ran(direct, run, marker)
    assert f"expected a number for '{fact}', got" in run.err


def test_file_size_that_is_a_program_is_not_run_by_bash(direct: Database, marker: Path) -> None:
    path = direct.sample_backup()
    lie = f"echo - - - - 'PATH[$(touch${{IFS}}{marker})0]'"
    run = direct.checkout.run(
        RESTORE,
        path,
        shell="bash",
        RESTORE_SKIP_CONFIRM="yes",
        **fake(direct.checkout, ls=lie),
    )
    assert_nothing_ran(direct, run, marker)
    assert "expected a number for the size of the copy" in run.err


@pytest.mark.parametrize("size", ["PATH[$(touch${IFS}{marker})0]", "0123", "09", "", "9" * 16])
def test_manifest_whose_size_is_no_number_is_refused(
    direct: Database, marker: Path, size: str
) -> None:
    path = direct.sample_backup()
    size = size.replace("{marker}", str(marker))
    text = re.sub(
        "^database-bytes: .*",
        lambda _: f"database-bytes: {size}",
        manifest_of(path).read_text(),
        flags=re.MULTILINE,
    )
    rewrite_manifest(path, text)
    run = direct.checkout.run(RESTORE, path, shell="bash", RESTORE_SKIP_CONFIRM="yes")
    assert_nothing_ran(direct, run, marker)
    assert "has no number as database-bytes" in run.err


@pytest.mark.parametrize(
    "lie",
    [
        r"s#^public.pricing_info (.*#public.pricing_info \\! touch {marker}#",
        r"s#^aws.*#\\.\n\\! touch {marker}#",
    ],
)
def test_copied_row_or_name_is_no_command_to_psql(direct: Database, marker: Path, lie: str) -> None:
    direct.execute(
        "CREATE TABLE codes AS SELECT 'aws' || n AS code FROM generate_series(1, 9) AS n"
    )
    path = direct.backed_up()
    before = direct.content()
    run = direct.restore(
        "--table",
        "pricing_info" if "pricing_info" in lie else "codes",
        path,
        **lying_psql(direct, lie.replace("{marker}", str(marker))),
    )
    assert_nothing_ran(direct, run, marker)
    assert direct.content() == before


def test_statement_to_give_rights_back_is_no_command_to_psql(
    direct: Database, marker: Path
) -> None:
    direct.execute("CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'")
    path = direct.backed_up()
    direct.checkout.key.unlink()
    lie = rf"s#.*ALTER ROUTINE.*#\\! touch {marker}#"
    run = direct.restore("--data-only", path, **lying_psql(direct, lie))
    assert_nothing_ran(direct, run, marker)


@pytest.mark.parametrize("shell", ["dash", "busybox sh", "bash"])
def test_zero_bytes_of_an_answer_are_not_printed(checkout: Checkout, shell: str) -> None:
    print_lines = ". scripts/lib/text.sh; printf 'a\\000b\\033c\\n' | printable_lines"
    run = checkout.run("-c", print_lines, shell=shell)
    assert run.out == "a?b?c\n", run


@pytest.mark.parametrize("answer", ["-p", "-f"], ids=["in a session", "in a file"])
def test_endless_answer_ends_the_run(direct: Database, answer: str) -> None:
    """The limit of a file is a lower one here."""
    path = direct.sample_backup()
    before = direct.content()
    endless = f'[ {answer} /dev/stdout ] || exec "$REAL" "$@"; exec yes'
    direct.checkout.edit("scripts/lib/session.sh", "ulimit -f 524288", "ulimit -f 2048")
    run = direct.restore(path, timeout=30, **fake(direct.checkout, psql=endless))
    assert run.status == 1 and len(run.errors) == 1, run
    assert "; the database is unchanged" in run.errors[0], run
    assert direct.content() == before


# --- a server whose own functions lie: answers that stay inside psql ---


own_server = pytest.mark.xdist_group("lying server")  # one worker starts it


@pytest.fixture(scope="module")
def lying_server() -> Iterator[DirectServer]:
    with private_server(settings={"allow_system_table_mods": "on"}) as private:
        yield DirectServer(private)


@pytest.fixture
def lied_to(lying_server: DirectServer, checkout: Checkout) -> Iterator[Database]:
    """A backed up database on a server whose functions can be replaced."""
    for database in new_database(lying_server, checkout):
        database.sample_backup()
        yield database


def replace_function(database: Database, name: str, arguments: str, answer: str) -> None:
    """Let a function of the server return this text, in the database and in postgres."""
    for each in (database.name, "postgres"):
        database.server.execute(
            f"ALTER FUNCTION pg_catalog.{name}({arguments}) RENAME TO {name}_honest",
            f"CREATE FUNCTION pg_catalog.{name}({arguments}) RETURNS text LANGUAGE sql"
            f" AS $lie$SELECT '{answer}'$lie$",
            database=each,
        )


@own_server
def test_lock_key_is_no_command_to_psql(lied_to: Database, marker: Path) -> None:
    replace_function(lied_to, "hashtextextended", "text, bigint", f"0) \\! touch {marker}\n")
    run = lied_to.restore()
    assert not marker.exists(), run
    assert run.status == 1, run


@own_server
def test_list_of_tables_is_no_command_to_psql(lied_to: Database, marker: Path) -> None:
    for each in (lied_to.name, "postgres"):
        lied_to.server.execute(
            "CREATE FUNCTION pg_catalog.format(text, text) RETURNS text LANGUAGE sql"
            f" AS $lie$SELECT E'1) \\\\! touch {marker}\\n'$lie$",
            database=each,
        )
    run = lied_to.backup("x.dump.gz")
    assert not marker.exists(), run


def test_value_of_a_sequence_is_no_command_to_psql(direct: Database, marker: Path) -> None:
    direct.execute("CREATE SEQUENCE numbers; SELECT nextval('numbers')")
    path = direct.backed_up()
    lie = rf"s#SELECT setval[^\"]*#\\! touch {marker}#"
    run = direct.restore("--data-only", path, **lying_psql(direct, lie))
    assert not marker.exists(), run


def test_answers_of_the_server_are_values_to_psql() -> None:
    """psql executes commands that it finds in an unquoted variable.

    The server names the variables that \\gset sets, so none set before it is certain to be ours.
    """
    directory = PROJECT / "scripts/sql"
    files = list(directory.rglob("*.sql"))
    pieces = {file.stem for file in files if file.parents[2] == directory}
    assert {"user_tables", "objects"} <= pieces
    for file in files:
        first, *others = file.read_text().split("\\gset")
        ours = set(re.findall(r"^ *\\set (\w+)", [first, *others][-1], re.MULTILINE))
        assert unquoted(first) <= (pieces if others else pieces | ours), file
        for sql in others:
            assert unquoted(sql) <= (ours if sql is others[-1] else set()), file


def test_answers_of_the_server_replace_no_pieces_of_sql() -> None:
    """Where several files go to psql, a \\gset in one could change the pieces of the next."""
    directory = PROJECT / "scripts/sql"
    calls = []
    for script in (PROJECT / "scripts").rglob("*.sh"):
        calls += re.findall(r"print_sql ([a-z][\w/ -]*)", script.read_text())
    assert len(calls) > 40
    for call in calls:
        known = set()
        for name in call.split():
            if (directory / name).is_dir():
                known |= {file.stem for file in (directory / name).iterdir()}
            elif (directory / f"{name}.sql").exists():
                first, *others = (directory / f"{name}.sql").read_text().split("\\gset")
                assert unquoted(first) - set(re.findall(r"\\set (\w+)", first)) <= known, call
                known = set() if others else known


def unquoted(sql: str) -> set[str]:
    """Return the variables of psql that are used unquoted."""
    code = re.sub(r"--.*|^ *\\(if|elif|setenv) .*|'[^']*'", "", sql, flags=re.MULTILINE)
    return set(re.findall(r"(?<![:\w\[]):([A-Za-z_]\w*)", code))


@own_server
def test_key_stays_inside_the_temporary_directory(lied_to: Database, tmp_path: Path) -> None:
    """The server, here on this host, does not choose what a run removes."""
    precious = tmp_path / "v" / ".precious"
    precious.mkdir(parents=True)
    (lied_to.checkout.temporary / "tumblebug-assets.x").mkdir()
    replace_function(lied_to, "md5", "text", "x/../../v/")
    run = lied_to.restore()
    assert precious.exists()
    assert run.status == 1 and "expected the database key" in run.err, run
