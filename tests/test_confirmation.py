"""Asking before what cannot be undone: only a yes on a terminal, or a setting, lets it happen."""

from __future__ import annotations

import os

import pytest
from support.ground import Database

RESTORE = "./scripts/restore-assets.sh"
CLEAN = "./scripts/clean-db.sh"


@pytest.mark.parametrize("script", [RESTORE, CLEAN])
def test_yes_on_a_terminal_goes_on(direct: Database, script: str) -> None:
    direct.backed_up()
    direct.execute("DELETE FROM pricing_info")
    run = direct.checkout.run_on_terminal(script, answer=b"yes\n")
    assert run.status == 0, run
    priced = direct.execute("SELECT count(*) FROM pricing_info")[0][0]
    assert priced == (960 if script == RESTORE else 0)


@pytest.mark.parametrize("answer", [b"no\n", b"y\n", b"\n", b"YES\n", b"\x04"])
@pytest.mark.parametrize("script", [RESTORE, CLEAN])
def test_any_other_answer_changes_nothing(direct: Database, script: str, answer: bytes) -> None:
    direct.backed_up()
    direct.execute("CREATE TABLE later (n int)")
    before = direct.content()
    run = direct.checkout.run_on_terminal(script, answer=answer)
    assert run.status == 1, run
    assert "declined; nothing was changed" in run.err
    assert direct.content() == before
    assert direct.leftovers() == []


@pytest.mark.parametrize(
    ("script", "setting"), [(RESTORE, "RESTORE_SKIP_CONFIRM"), (CLEAN, "CLEAN_SKIP_CONFIRM")]
)
def test_no_terminal_and_no_setting_is_refused_at_once(
    direct: Database, script: str, setting: str
) -> None:
    direct.backed_up()
    before = direct.content()
    run = direct.checkout.run(script, timeout=20)
    assert run.status == 1, run
    assert "nothing was changed" in run.err
    assert f"{setting}=yes" in run.err
    assert direct.content() == before
    assert direct.leftovers() == []


def test_clean_db_empties_every_table_and_keeps_the_schema(database: Database) -> None:
    schema = database.schema()
    run = database.checkout.run(CLEAN, CLEAN_SKIP_CONFIRM="yes")
    assert run.status == 0, run
    content = database.content()
    assert content.pop("schema") == schema
    assert {rows[0][0] for rows in content.values()} == {0}


def test_clean_db_empties_all_tables_or_none(direct: Database) -> None:
    before = direct.content()
    direct.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;"
        "CREATE TRIGGER refuse BEFORE TRUNCATE ON spec_info EXECUTE FUNCTION refuse()"
    )
    run = direct.checkout.run(CLEAN, CLEAN_SKIP_CONFIRM="yes")
    assert run.status == 1, run
    assert "nothing was changed" in run.err
    after = direct.content()
    assert {**after, "schema": ""} == {**before, "schema": ""}


@pytest.mark.parametrize(
    "script", ["backup-assets", "restore-assets", "rollback-assets", "clean-db", "init", "stats"]
)
def test_help_that_cannot_be_shown_does_nothing_else(direct: Database, script: str) -> None:
    direct.backed_up()
    direct.execute("DELETE FROM pricing_info")
    before = direct.content()
    run = direct.checkout.run(
        "sh",
        "-c",
        f"./scripts/{script}.sh --help >/dev/full",
        RESTORE_SKIP_CONFIRM="yes",
        CLEAN_SKIP_CONFIRM="yes",
    )
    assert run.status == 1, run
    assert direct.content() == before


@pytest.mark.parametrize(
    "name", ["RESTORE_SKIP_CONFIRM", "RESTORE_KEEP_PREVIOUS", "RESTORE_TRUST", "CLEAN_SKIP_CONFIRM"]
)
def test_switch_is_yes_or_no_and_nothing_that_looks_like_it(direct: Database, name: str) -> None:
    run = direct.checkout.run("./scripts/restore-assets.sh", **{name: "true"})
    assert run.status == 2, run
    assert f"{name} is yes or no, not 'true'" in run.err


def test_target_that_is_no_file_is_not_replaced(direct: Database) -> None:
    fifo = direct.checkout.folder / "fifo"
    os.mkfifo(fifo)
    run = direct.backup(fifo)
    assert run.status == 1, run
    assert "is not a file that a backup could replace" in run.err
    assert fifo.is_fifo()


def test_result_that_cannot_be_written_is_one_sentence(direct: Database) -> None:
    run = direct.checkout.run("sh", "-c", "./scripts/stats.sh >/dev/full")
    assert run.status != 0, run
    assert "Traceback" not in run.err and "cannot be" in run.err


def test_make_takes_either_name_of_a_backup(direct: Database) -> None:
    assert direct.checkout.run("make", "backup-assets", "FILE=./mine.dump.gz").status == 0
    assert (direct.checkout.folder / "mine.dump.gz").is_file()
    assert not direct.checkout.default_backup.exists()
    assert direct.checkout.run("make", "backup-assets", "NAME=mine").status == 0
    before = direct.content()
    direct.execute("DELETE FROM pricing_info")
    run = direct.checkout.run("make", "restore-assets", "NAME=mine", RESTORE_SKIP_CONFIRM="yes")
    assert run.status == 0, run
    assert direct.content() == before
