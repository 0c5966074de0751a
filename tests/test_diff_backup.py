"""diff-backup: what changed since a backup, or between two, by table, provider and key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.backups import manifest_of, remove_manifest
from support.databases import Database
from support.fakes import fake
from support.run import DIFF, Checkout
from support.running import kill
from support.sampling import only_with_all
from support.servers import Server
from support.waiting import until

SUPPORT = Path(__file__).parent / "support"
NO_DIFFERENCES = "no differences in tables, columns or rows\n"


@pytest.fixture
def tumblebug(direct_server: Server, checkout: Checkout) -> Iterator[Database]:
    """A database with CB-Tumblebug's schema and rows."""
    database = Database(direct_server, checkout)
    database.create_empty()
    for name in ("schema", "rows"):
        database.execute((SUPPORT / f"tumblebug-{name}.sql").read_text())
    yield database
    database.drop()


def diff(database: Database, *arguments: str | Path, **environment: str) -> str:
    """Return the result of a run, which must succeed and leave nothing behind."""
    run = database.checkout.run(DIFF, *arguments, **environment)
    assert run.status == 0 and "DIFF_IGNORE" not in run.err, run
    assert database.left_behind() == []
    return run.out


@pytest.mark.parametrize("backend", ["direct", "docker"])
def test_live_database_is_compared_and_unchanged(
    request: pytest.FixtureRequest, backend: str
) -> None:
    database = request.getfixturevalue(backend)
    database.sample_backup()
    database.execute("DELETE FROM image_info WHERE id <> 'image-1'")
    before = database.content()
    run = database.checkout.run("make", "diff-backup", "ARGS=--rows 1")
    assert run.status == 0, run
    assert run.out == EXPECTED_OF_SAMPLE
    assert "compared assets/assets.dump.gz with database 'test_" in run.err
    assert database.content() == before
    assert database.left_behind() == []


EXPECTED_OF_SAMPLE = """\
table       added  removed  changed  price up  price down
image_info      0   -1,999        0         0           0
  aws           0     -666        0         0           0
  azure         0     -666        0         0           0
  gcp           0     -667        0         0           0
total           0   -1,999        0         0           0

image_info
  removed  image-10
"""

# --- what is compared ---

CHANGES = """
UPDATE spec_infos SET uid = 'another';
UPDATE image_infos SET fetched_time = 'now';
UPDATE spec_infos SET cost_per_hour = 0.0116, v_cpu = 4, details = repeat('0123456789', 5)
    WHERE csp_spec_name = 'type.3';
UPDATE spec_infos SET cost_per_hour = 0.001 WHERE csp_spec_name = 'type.6';
UPDATE spec_infos SET cost_per_hour = 5 WHERE csp_spec_name = 'type.30'; -- it was -1
DELETE FROM spec_infos WHERE csp_spec_name = 'type.1';
INSERT INTO spec_infos (id, namespace, provider_name)
    SELECT 'new' || n, 'system', CASE WHEN n > 1 THEN 'gcp' END FROM generate_series(1, 1234) AS n;
DELETE FROM latency_infos WHERE source_region = 'region-9';
"""
TABLE = """\
table           added  removed  changed  price up  price down
latency_infos       0       -9        0         0           0
spec_infos     +1,234       -1        3         1           1
  -                +1        0        0         0           0
  aws               0        0        3         1           1
  azure             0       -1        0         0           0
  gcp          +1,233        0        0         0           0
total          +1,234      -10        3         1           1
"""
EXAMPLES = """
latency_infos
  removed  region-9, region-1
  removed  region-9, region-2

spec_infos
  added    new1, system
  added    new10, system
  removed  aws+region-1+type.1, system
  changed  aws+region-3+type.3, system
    cost_per_hour 0.00300000000000000000 -> 0.0116
    details null -> 0123456789012345678901234567890123456789...
    v_cpu 3 -> 4
  changed  aws+region-3+type.30, system
    cost_per_hour -1 -> 5
"""
MESSAGE = """\
Update assets (rows): +1,234 -10, 3 changed

latency_infos: -9
spec_infos: +1,234 -1, 3 changed, 1 price up, 1 price down

gcp: +1,233
aws: 3 changed, 1 price up, 1 price down
azure: -1
"""


def test_rows_are_compared_by_key_without_ignored_columns(tumblebug: Database) -> None:
    tumblebug.backed_up()
    tumblebug.execute(CHANGES)
    assert diff(tumblebug, "--rows=2") == TABLE + EXAMPLES
    assert diff(tumblebug, "--commit-message") == MESSAGE
    ignored = "uid,fetched_time, cost_per_hour v_cpu details source_region"
    run = tumblebug.checkout.run(DIFF, DIFF_IGNORE=f"{ignored} cost")
    assert run.status == 0 and run.out == TABLE_OF_FEWER_COLUMNS, run
    assert "warning: DIFF_IGNORE: no table has these columns: cost\n" in run.err


# An ignored column is a part of the key of latency_infos: its rows are compared as a whole.
TABLE_OF_FEWER_COLUMNS = """\
table           added  removed  changed  price up  price down
latency_infos       0       -9        0         0           0
spec_infos     +1,234       -1        0         0           0
  -                +1        0        0         0           0
  azure             0       -1        0         0           0
  gcp          +1,233        0        0         0           0
total          +1,234      -10        0         0           0
"""

ODD = r"""
UPDATE spec_info SET provider_name = 'aws', details = '{"a": 1}' WHERE id = 'aws+aws-region-1+7';
DELETE FROM "Odd ""schema""; --"."tablé 'with' $odd$ name" WHERE r = 3;
INSERT INTO "Odd ""schema""; --"."tablé 'with' $odd$ name" VALUES (E'\x1b[31m\t\n\\.');
INSERT INTO measured VALUES ('2024-06-02', 0.5), ('2024-06-02', 0.5);
INSERT INTO no_columns DEFAULT VALUES;
UPDATE every_type SET c = 0.2, f = NULL WHERE a = 2;
ALTER TABLE image_info ADD gpu text, ALTER os_type TYPE varchar, DROP details;
ALTER TABLE region_info DROP CONSTRAINT region_info_pkey CASCADE;
ALTER TABLE image_info DROP CONSTRAINT image_info_pkey,
    ADD CONSTRAINT "a key" PRIMARY KEY (id) INCLUDE (provider_name);
INSERT INTO image_info (id, provider_name) VALUES (E'\x1b[31m\t', E'\x1b\n');
CREATE TABLE "new
line" (a int);
DROP TABLE pricing_info, empty_table;
"""
ODD_RESULT = """\
table                             added  removed  changed  price up  price down
"Odd ""schema""; --"."tablé '...     +1       -1        0         0           0
image_info                           +1        0        0         0           0
  ??                                 +1        0        0         0           0
measured                             +2        0        0         0           0
no_columns                           +1        0        0         0           0
spec_info                             0        0        1         0           0
  aws                                 0        0        1         0           0
total                                +5       -1        1         0           0

column image_info.details  only in the {old}
primary key of region_info (provider_name, region_name)  only in the {old}
table empty_table  only in the {old}
table pricing_info  only in the {old}
column image_info.gpu  only in the {new}
table "public.\\"new\\nline\\""  only in the {new}

"Odd ""schema""; --"."tablé 'with' $odd$ name"
  added    column "one" ?[31m??\\., r 8
  removed  column "one" tab?newline?backslash\\, r 3

image_info
  added    ?[31m?

measured
  added    day 2024-06-02, value 0.5
  added    day 2024-06-02, value 0.5

no_columns
  added

spec_info
  changed  aws+aws-region-1+7
    details {{"n": 7, "family": "8f14e45fceea167a5a36... -> {{"a": 1}}
"""


@only_with_all
def test_odd_names_and_values_are_compared_and_printed_safely(direct: Database) -> None:
    old = direct.sample_backup()
    direct.execute(ODD)
    expected = ODD_RESULT.format(old="backup", new="live database")
    assert diff(direct, "--rows", "5") == expected
    new = direct.backed_up(direct.checkout.path / "new.dump.gz")
    direct.checkout.key.unlink()  # from here on, both are untrusted
    direct.execute("DROP TABLE spec_info, region_info")
    expected = ODD_RESULT.format(old="old backup", new="new backup")
    assert diff(direct, "--rows", "5", old, "--with", new) == expected


def test_result_on_a_terminal_starts_a_line_of_its_own(direct: Database) -> None:
    path = direct.sample_backup()
    for options, result in (
        ((), NO_DIFFERENCES.strip()),
        (("--commit-message",), "Update assets: no rows"),
    ):
        run = direct.checkout.run_on_terminal(
            "sh", "-c", 'exec "$@" >&2', "sh", DIFF, *options, path
        )
        assert run.status == 0, run
        assert re.search(rf"[\n\x1b\r](\[K)?(\x1b\[1m)?{result}", run.err), run


@only_with_all
def test_names_of_backups_and_many_providers(direct: Database) -> None:
    direct.execute("INSERT INTO image_info SELECT 'x' || n, 'p' || n FROM generate_series(1, 11) n")
    direct.backed_up(direct.checkout.named_backups / "new.dump.gz")
    direct.execute("DELETE FROM image_info WHERE provider_name LIKE 'p%'")
    direct.backed_up(direct.checkout.named_backups / "old.dump.gz")
    message = ("make", "diff-backup", "NAME=old", "WITH=new", "ARGS=--commit-message")
    run = direct.checkout.run(*message)
    assert run.status == 0, run
    providers = "".join(f"p{n}: +1\n" for n in (1, 10, 11, 2, 3, 4, 5, 6, 7, 8))
    assert run.out == f"Update assets (rows): +11\n\nimage_info: +11\n\n{providers}and 1 more\n"


@only_with_all
def test_columns_that_a_data_only_backup_lacks_are_not_compared(direct: Database) -> None:
    path = direct.checkout.path / "rows.dump.gz"
    assert direct.backup("--data-only", path).status == 0
    direct.execute(
        "ALTER TABLE spec_info ADD gpu text DEFAULT 'none', DROP details;"
        "ALTER TABLE measured ADD unit text DEFAULT 'ms'; CREATE TABLE new (a int)"
    )
    only = (
        "column spec_info.details  only in the backup\n"
        "column measured.unit  only in the live database\n"
        "column spec_info.gpu  only in the live database\n"
        "table new  only in the live database\n"
    )
    subject = "Update assets: tables or columns changed\n\n"
    message = only.replace("the backup", "the previous backup").replace(
        "the live database", "the new backup"
    )
    assert diff(direct, path, "--commit-message") == subject + message
    assert diff(direct, path, "--with", path) == NO_DIFFERENCES


# --- what fails ---


def test_missing_and_damaged_backups_are_refused(direct: Database) -> None:
    path = direct.sample_backup()
    damaged = direct.checkout.path / "damaged.dump.gz"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    damaged.write_bytes(data)
    for arguments, error in [
        (["./no.dump.gz"], "there is no backup file './no.dump.gz'"),
        ([path, "--with", "no"], "backups/postgres/no.dump.gz'"),
        ([damaged], "is damaged"),
        ([path, "--with", damaged], "is damaged"),
    ]:
        run = direct.checkout.run(DIFF, *arguments)
        assert (run.status, run.out) == (1, ""), run
        assert len(run.errors) == 1 and error in run.err, run
        assert direct.left_behind() == []


def test_two_backups_need_no_live_database_and_no_manifest(direct: Database) -> None:
    path = direct.sample_backup()
    direct.drop()
    run = direct.checkout.run(DIFF)
    assert (run.status, run.out) == (1, ""), run
    assert len(run.errors) == 1 and "there is no database 'test_" in run.err
    remove_manifest(path)
    assert not manifest_of(path).exists()
    assert diff(direct, path, "--with", path, RESTORE_TRUST="yes") == NO_DIFFERENCES


@pytest.mark.parametrize(
    "arguments",
    [["--row", "1"], ["--rows"], ["--rows=many"], ["--rows=1001"], ["--with="], ["a", "b"]],
)
def test_wrong_arguments_are_usage_errors(checkout: Checkout, arguments: list[str]) -> None:
    run = checkout.run(DIFF, *arguments)
    assert (run.status, run.out) == (2, "") and len(run.errors) == 1, run


def test_next_run_removes_what_a_killed_one_left(direct: Database) -> None:
    path = direct.sample_backup()
    names = {f"assets_{kind}_{direct.key()}" for kind in ("compared", "staging")}
    query = f"SELECT 1 FROM pg_database WHERE datname = '{min(names)}'"
    slow = f"""case " $* " in *--jobs*)
        until found=$(psql -X -A -t -d postgres -c "{query}"); do sleep 0.1; done
        [ -z "$found" ] || sleep 60 ;; esac
        exec "$REAL" "$@\""""
    process = direct.checkout.start(
        DIFF, path, "--with", path, **fake(direct.checkout, pg_restore=slow)
    )
    until(lambda: direct.databases() >= names)
    kill(process)
    run = direct.checkout.run(DIFF)
    assert run.status == 0, run
    assert "removed what a crashed run left: " + ", ".join(sorted(names)) in run.err, run
    assert direct.left_behind() == []
