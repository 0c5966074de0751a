"""Help, and usage errors: exit 2 before any effect."""

from __future__ import annotations

import pytest
from support.databases import Database
from support.run import PROJECT, RESTORE

SCRIPTS = sorted(
    path.name for path in (PROJECT / "scripts").glob("*.sh") if "usage()" in path.read_text()
)


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_goes_to_stdout(checkout, script: str) -> None:
    run = checkout.run(f"./scripts/{script}", "--help")
    assert run.status == 0, run
    assert run.out.startswith("Usage: ./scripts/" + script)
    assert run.err == ""


@pytest.mark.parametrize(
    "script", ["backup-assets", "restore-assets", "rollback-assets", "clean-db", "init", "stats"]
)
def test_help_that_could_not_be_shown_does_nothing_else(direct: Database, script: str) -> None:
    direct.sample_backup()
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


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("arguments", [["--nonsense"], ["-x"], ["a", "b"]])
def test_usage_error_ends_the_run_before_any_effect(
    checkout, script: str, arguments: list[str]
) -> None:
    run = checkout.run(f"./scripts/{script}", *arguments)
    assert run.status == 2, run
    assert "--help' to see the usage" in run.err
    assert checkout.left_behind() == []


@pytest.mark.parametrize("script", ["backup-assets.sh", "restore-assets.sh"])
def test_empty_name_is_a_usage_error(checkout, script: str) -> None:
    run = checkout.run(f"./scripts/{script}", "")
    assert run.status == 2, run
    assert "is empty" in run.err


@pytest.mark.parametrize(
    "name", ["RESTORE_SKIP_CONFIRM", "RESTORE_KEEP_PREVIOUS", "RESTORE_TRUST", "CLEAN_SKIP_CONFIRM"]
)
def test_setting_must_be_yes_or_no(direct: Database, name: str) -> None:
    run = direct.checkout.run(RESTORE, **{name: "true"})
    assert run.status == 2, run
    assert f"{name} must be yes or no, not 'true'" in run.err


def test_output_that_could_not_be_written_is_one_error(direct: Database) -> None:
    run = direct.checkout.run("sh", "-c", "./scripts/stats.sh >/dev/full")
    assert run.status != 0, run
    assert "Traceback" not in run.err and "could not" in run.err


@pytest.mark.parametrize(
    ("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colour_is_for_terminals_that_have_it(checkout, environment: dict, coloured: bool) -> None:
    messages = ". scripts/lib/messages.sh; say_done 'all is done'; warn 'look out'"
    run = checkout.run_on_terminal("sh", "-c", messages, **environment)
    if coloured:
        assert run.err == "\x1b[32mall is done\x1b[0m\r\n\x1b[33mwarning:\x1b[0m look out\r\n"
    else:
        assert run.err == "all is done\r\nwarning: look out\r\n"
    run = checkout.run("sh", "-c", messages, TERM="xterm")
    assert "\x1b" not in run.err
