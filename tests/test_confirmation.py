"""Runs that cannot be undone ask first: only yes on a terminal, or a setting, lets them go on."""

from __future__ import annotations

import pytest
from support.databases import Database
from support.run import CLEAN, RESTORE


@pytest.mark.parametrize(
    ("script", "answer"),
    [(RESTORE, b"yes\n"), (CLEAN, b"yes\n"), (CLEAN, b"y\n"), (CLEAN, b"YES\n")],
)
def test_yes_on_a_terminal_goes_on(direct: Database, script: str, answer: bytes) -> None:
    direct.sample_backup()
    direct.execute("DELETE FROM pricing_info")
    run = direct.checkout.run_on_terminal(script, answer=answer)
    assert run.status == 0, run
    priced = direct.execute("SELECT count(*) FROM pricing_info")[0][0]
    assert priced == (960 if script == RESTORE else 0)


@pytest.mark.parametrize("answer", [b"no\n", b"\n", b"yes please\n", b"\x04"])
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
