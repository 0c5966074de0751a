"""Runs that cannot be undone ask first: only yes on a terminal, or a setting, lets them go on."""

from __future__ import annotations

import re

import pytest
from support.backups import read_pair, remove_manifest, write_pair
from support.databases import Database
from support.run import BACKUP, CLEAN, RESTORE, ROLLBACK, STATS
from support.sampling import sampled


@pytest.mark.parametrize(
    ("script", "answer"),
    [(RESTORE, b"yes\n"), (CLEAN, b"yes\n"), (CLEAN, b"y\n"), (CLEAN, b"YES\n")],
)
def test_yes_on_a_terminal_goes_on(direct: Database, script: str, answer: bytes) -> None:
    direct.sample_backup()
    direct.execute("DELETE FROM pricing_info")
    run = direct.checkout.run_on_terminal(script, answer=answer)
    assert run.status == 0, run
    assert f"database '{direct.name}' of server" in run.err
    assert re.search(r"(  now        |deleted:) \d+ tables, \d,\d+ rows", run.err)
    priced = direct.execute("SELECT count(*) FROM pricing_info")[0][0]
    assert priced == (960 if script == RESTORE else 0)


def test_run_that_does_not_ask_logs_the_same(direct: Database) -> None:
    path = direct.sample_backup()
    direct.execute("DELETE FROM pricing_info")
    run = direct.restore(path)
    assert run.status == 0, run
    now, later = re.search(
        rf"warning: everything in database '{direct.name}' of server .* will be replaced"
        r"\n  now         \d+ tables, ([\d,]+) rows\n  afterwards  \d+ tables, ([\d,]+) rows\n",
        run.err,
    ).groups()
    assert int(later.replace(",", "")) - int(now.replace(",", "")) == 960
    remove_manifest(path)
    run = direct.restore("-y", path)
    assert run.status == 0, run
    assert re.search(r" rows\n  afterwards  \d+ tables\n", run.err), run


@pytest.mark.parametrize("answer", sampled([b"no\n", b"\n", b"yes please\n", b"\x04"], 2))
@pytest.mark.parametrize("script", [RESTORE, CLEAN])
def test_any_other_answer_changes_nothing(direct: Database, script: str, answer: bytes) -> None:
    direct.sample_backup()
    direct.execute("CREATE TABLE later (n int)")
    before = direct.content()
    run = direct.checkout.run_on_terminal(script, answer=answer)
    assert run.status == 1, run
    assert "cancelled; the database is unchanged" in run.err
    assert "error" not in run.err
    assert direct.content() == before
    assert direct.left_behind() == []


@pytest.mark.parametrize(
    ("script", "setting"), [(RESTORE, "RESTORE_SKIP_CONFIRM"), (CLEAN, "CLEAN_SKIP_CONFIRM")]
)
def test_without_terminal_and_setting_the_run_is_refused(
    direct: Database, script: str, setting: str
) -> None:
    direct.sample_backup()
    before = direct.content()
    run = direct.checkout.run(script, timeout=20)
    assert run.status == 1, run
    assert "the database is unchanged" in run.err
    assert f"{setting}=yes" in run.err
    assert direct.content() == before
    assert direct.left_behind() == []


@pytest.mark.parametrize("script", [RESTORE, CLEAN])
def test_open_prompt_stops_no_other_run(direct: Database, script: str) -> None:
    """Another run may do anything meanwhile; the answer counts only if it changed nothing."""
    direct.sample_backup()

    def run_others(_: str) -> None:
        assert [path for path in direct.left_behind() if direct.key() in path] == []
        assert direct.backup("meanwhile").status == 0

    run = direct.checkout.run_on_terminal(script, answer=b"yes\n", at_prompt=run_others)
    assert run.status == 0, run
    assert run.err.count("replaced") <= 1 and "crashed run" not in run.err
    assert direct.left_behind() == []


@pytest.mark.parametrize("script", [RESTORE, CLEAN])
def test_answer_to_what_is_no_longer_true_changes_nothing(direct: Database, script: str) -> None:
    direct.sample_backup()
    run = direct.checkout.run_on_terminal(
        script,
        answer=b"yes\n",
        at_prompt=lambda _: direct.execute("INSERT INTO image_info (id) VALUES ('new')"),
    )
    assert run.status == 1, run
    assert "the database or the backup has changed while the question was open" in run.err
    assert direct.execute("SELECT count(*) FROM image_info WHERE id = 'new'") == [(1,)]
    assert direct.left_behind() == []


def test_dry_run_for_a_missing_database_creates_none(direct: Database) -> None:
    direct.sample_backup()
    run = direct.restore("--dry-run", TB_POSTGRES_DATABASE="absent")
    assert run.status == 0 and "this was a dry run; no database was created\n" in run.err, run


def test_misspelt_database_gets_a_suggestion_before_the_question(direct: Database) -> None:
    direct.sample_backup()
    misspelt = direct.name[:-1]
    run = direct.checkout.run_on_terminal(RESTORE, answer=b"no\n", TB_POSTGRES_DATABASE=misspelt)
    assert f"if you meant '{direct.name}', set TB_POSTGRES_DATABASE" in run.err, run
    assert run.status == 1 and "cancelled; no database was created" in run.err, run
    run = direct.restore("--quiet", "--dry-run", TB_POSTGRES_DATABASE=misspelt)
    assert run.status == 0 and f"if you meant '{direct.name}'" in run.err, run
    run = direct.backup("x", TB_POSTGRES_DATABASE=misspelt)
    assert run.status == 1 and f"did you mean {direct.name}?" in run.err, run


def test_column_added_during_the_question_ends_the_restore(direct: Database) -> None:
    direct.sample_backup()
    run = direct.checkout.run_on_terminal(
        RESTORE,
        "--data-only",
        answer=b"yes\n",
        at_prompt=lambda _: direct.execute("ALTER TABLE image_info ADD COLUMN later int"),
    )
    assert run.status == 1, run
    assert "it would now say: " in run.err and "public.image_info later" in run.err, run


def test_backup_of_another_database_says_so(direct: Database) -> None:
    path = direct.backed_up()
    assert "\ndatabase  " not in direct.restore("--dry-run", path).err
    run = direct.restore("--dry-run", path, TB_POSTGRES_DATABASE="other")
    assert run.status == 0, run
    assert f"\ndatabase  '{direct.name}', not 'other'\n" in run.err


def test_role_that_may_not_read_the_tables_is_refused_before_the_question(direct: Database) -> None:
    assert direct.restore(direct.sample_backup(), RESTORE_KEEP_PREVIOUS="yes").status == 0
    role = f"reader_{direct.name}"
    direct.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x' CREATEDB")
    try:
        for script, refused in (
            (CLEAN, "cannot read the database: permission denied for "),
            (ROLLBACK, "may not rename databases; "),
        ):
            run = direct.checkout.run(script, TB_POSTGRES_USER=role, TB_POSTGRES_PASSWORD="x")
            assert run.status == 1 and len(run.errors) == 1, run
            assert f"user '{role}' {refused}" in run.err
        for script in (STATS, BACKUP):
            run = direct.checkout.run(script, TB_POSTGRES_USER=role, TB_POSTGRES_PASSWORD="x")
            assert run.status == 1 and "permission denied for" in run.err, run
            assert f"hint: set TB_POSTGRES_USER to the owner of database '{direct.name}'" in run.err
    finally:
        direct.execute(f"DROP ROLE {role}")


def test_backup_replaced_during_the_question_is_not_restored(direct: Database) -> None:
    path = direct.sample_backup()
    direct.execute("UPDATE region_info SET latitude = 1")
    other = direct.backed_up(direct.checkout.path / "other.dump.gz")
    before = direct.content()
    run = direct.checkout.run_on_terminal(
        RESTORE, answer=b"yes\n", at_prompt=lambda _: write_pair(path, read_pair(other))
    )
    assert run.status == 1 and "has changed while the question was open" in run.err, run
    assert direct.content() == before


def test_database_kept_during_the_question_is_not_dropped(direct: Database) -> None:
    path = direct.sample_backup()
    direct.execute("UPDATE region_info SET latitude = 1")
    run = direct.checkout.run_on_terminal(
        RESTORE,
        answer=b"yes\n",
        at_prompt=lambda _: direct.restore(path, RESTORE_KEEP_PREVIOUS="yes"),
        RESTORE_KEEP_PREVIOUS="yes",
    )
    assert run.status == 1 and "has changed while the question was open" in run.err, run
    assert len(direct.databases()) == 1
