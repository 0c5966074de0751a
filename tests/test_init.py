"""make init: the menu, and option A."""

from __future__ import annotations

import pytest
from ground import Database

INIT = "./scripts/init.sh"


def test_option_a_restores_the_default_backup(direct: Database) -> None:
    direct.backed_up()
    before = direct.content()
    direct.execute("DELETE FROM pricing_info")
    run = direct.checkout.run("make", "init", INIT_OPTION="a")
    assert run.status == 0, run
    assert direct.content() == before


def test_menu_on_a_terminal_shows_the_backup_and_takes_the_answer(direct: Database) -> None:
    direct.backed_up()
    before = direct.content()
    direct.execute("DELETE FROM pricing_info")
    run = direct.checkout.run_on_terminal(INIT, answer=b"A\n")
    assert run.status == 0, run
    assert "assets.dump.gz: 0.0 MB, written today" in run.err
    assert "~20-30 minutes" in run.err
    assert direct.content() == before


def test_end_of_input_cancels(direct: Database) -> None:
    run = direct.checkout.run_on_terminal(INIT, answer=b"\x04")
    assert run.status == 1, run
    assert "cancelled; nothing was changed" in run.err


def test_no_terminal_and_no_choice_is_refused(direct: Database) -> None:
    run = direct.checkout.run(INIT, timeout=20)
    assert run.status == 1, run
    assert "INIT_OPTION=a" in run.err


@pytest.mark.parametrize(("option", "status"), [("b", 1), ("c", 1), ("x", 2)])
def test_other_options_say_what_they_are(direct: Database, option: str, status: int) -> None:
    before = direct.content()
    run = direct.checkout.run(INIT, INIT_OPTION=option)
    assert run.status == status, run
    assert direct.content() == before
