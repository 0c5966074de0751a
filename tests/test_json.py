"""--json: one object on standard output, whatever happens; messages stay on standard error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.backups import manifest_of, write_backup
from support.databases import Database
from support.fakes import fake
from support.run import CLEAN, LIST, RESTORE, STATS, Checkout, Run
from support.servers import Container

DIFF, DOCTOR, VERIFY = (
    f"./scripts/{name}.sh" for name in ("diff-backup", "doctor", "verify-backup")
)


def result(run: Run, status: int = 0) -> dict:
    """Return the result in a run's JSON; the run must end with that status."""
    assert run.status == status, run
    answer = json.loads(run.out)
    assert answer["schema"] == 1 and answer["exit_code"] == status
    return answer["result"]


def error(run: Run, status: int = 1) -> dict:
    """Return the error in a run's JSON, which has nothing else."""
    assert run.status == status, run
    answer = json.loads(run.out)
    assert set(answer) == {"schema", "command", "exit_code", "error"}
    return answer["error"]


def test_list_has_every_field_of_the_catalog(checkout: Checkout) -> None:
    name = 'a "b"\\\t\N{HANGUL SYLLABLE GA}'
    write_backup(checkout.named_backups / f"{name}.dump.gz", "2026-01-01 00:00:00")
    (checkout.default_backup).touch()
    empty, odd = result(checkout.run(LIST, "--json"))["backups"]
    assert odd["path"] == f"./backups/postgres/{name}.dump.gz"
    assert odd["created"] == "2026-01-01 00:00:00 UTC"
    assert (odd["rows"], odd["tables"], odd["server"]) == (100, 2, "16.14")
    assert (odd["state"], odd["trust"], odd["verified_level"]) == ("ok", "unsigned", None)
    assert (empty["state"], empty["bytes"], empty["rows"]) == ("empty", 0, None)


def test_no_backups_are_an_empty_list(checkout: Checkout) -> None:
    assert result(checkout.run(LIST, "--json")) == {"backups": []}


@pytest.mark.parametrize("backend", ["direct", "docker"])
def test_statistics_are_numbers(request: pytest.FixtureRequest, backend: str) -> None:
    database = request.getfixturevalue(backend)
    found = result(database.checkout.run(STATS, "--json"))
    assert found["database"] == database.name and "'" in found["server"]
    tables = {table["table"]: table for table in found["tables"]}
    assert tables["image_info"]["rows"] == 2000 and tables["image_info"]["bytes"] > 100_000
    assert found["bytes"] > sum(table["bytes"] for table in tables.values())
    assert found["kept_copy_bytes"] is None
    size = result(database.checkout.run(STATS, "--size", "--json"))
    assert size["bytes"] == found["bytes"] and "tables" not in size


def test_verification_names_its_levels(direct: Database) -> None:
    path = direct.sample_backup()
    found = result(direct.checkout.run(VERIFY, "--json"))
    assert found["backup"] == "./assets/assets.dump.gz"
    levels = [(level["level"], level["result"]) for level in found["levels"]]
    assert levels == [("hash", "ok"), ("read", "ok"), ("restore", "ok")]
    fails = 'case "$*" in *--jobs*) exit 1 ;; esac; exec "$REAL" "$@"'
    run = direct.checkout.run(VERIFY, "--json", **fake(direct.checkout, pg_restore=fails))
    unfinished = {"level": "restore", "result": "unfinished", "seconds": None}
    assert result(run, 1)["levels"][2] == unfinished
    path.write_bytes(b"\x1f\x8b" + path.read_bytes()[2:20] + b"x" + path.read_bytes()[21:])
    found = result(direct.checkout.run(VERIFY, "--json"), status=1)
    assert found["levels"] == [{"level": "hash", "result": "failed", "seconds": None}]


def test_differences_and_their_examples(direct: Database) -> None:
    direct.sample_backup()
    direct.execute("ALTER TABLE spec_info ADD later int; DELETE FROM image_info WHERE id='image-1'")
    direct.execute(
        "UPDATE spec_info SET cost_per_hour = 9 WHERE id = (SELECT min(id) FROM spec_info)"
    )
    found = result(direct.checkout.run(DIFF, "--json", "--rows", "1"))
    assert found["old"] == "./assets/assets.dump.gz" and "database 'test_" in found["new"]
    counts = {(each["table"], each["provider"]): each for each in found["differences"]}
    assert counts["image_info", None]["removed"] == 1
    assert counts["spec_info", None]["changed"] == counts["spec_info", None]["price_up"] == 1
    assert found["only_in_one"] == ["column spec_info.later  only in the live database"]
    removed, changed = found["examples"]
    assert (removed["table"], removed["kind"], removed["key"]) == (
        "image_info",
        "removed",
        "image-1",
    )
    assert changed["columns"]["cost_per_hour"]["new"].startswith("9")
    direct.restore()
    assert result(direct.checkout.run(DIFF, "--json"))["differences"] == []


def test_dry_run_lists_the_tables(direct: Database) -> None:
    direct.sample_backup()
    direct.execute("DELETE FROM pricing_info")
    found = result(direct.checkout.run(RESTORE, "--dry-run", "--json"))
    assert found["mode"] == "full" and found["database"] == direct.name
    tables = {table["table"]: table for table in found["tables"]}
    assert tables["pricing_info"] == {
        **{"table": "pricing_info", "now": 0, "in_backup": 960, "difference": 960}
    }


def test_checks_have_a_level_and_what_to_do(direct: Database) -> None:
    checks = result(direct.checkout.run(DOCTOR, "--json", TB_POSTGRES_ENDPOINT="127.0.0.1:1"), 1)
    login = next(check for check in checks["checks"] if check["name"] == "login")
    assert login["level"] == "problem" and "start the server" in login["hint"]
    assert "could not" in login["text"]


@pytest.mark.parametrize(
    ("command", "status", "message", "hint"),
    [
        ([STATS, "--sise", "--json"], 2, "unknown option: --sise", "did you mean --size?"),
        ([DIFF, "--json", "none"], 1, "there is no backup file", "create one with"),
        ([RESTORE, "--json"], 2, "--json needs --dry-run", "--help"),
        ([CLEAN, "--json"], 2, "unknown option: --json", "--help"),
    ],
)
def test_errors_are_json_too(
    checkout: Checkout, command: list[str], status: int, message: str, hint: str
) -> None:
    assert_error(checkout.run(*command), status, message, hint)


def test_container_that_does_not_run_is_an_error_in_json(
    container: Container, checkout: Checkout
) -> None:
    run = checkout.run(STATS, "--json", ASSETS_PG_BACKEND="docker")
    assert_error(run, 1, "is not running", "start it with 'make up'")


def assert_error(run: Run, status: int, message: str, hint: str) -> None:
    """Assert that the run ended with this error and hint, in its JSON and in its messages."""
    found = error(run, status)
    assert message in found["message"] and any(hint in each for each in found["hints"])
    assert message in run.err


def test_result_that_could_not_be_written_is_an_error(checkout: Checkout) -> None:
    run = checkout.run("sh", "-c", f"{LIST} --json >/dev/full")
    assert run.status == 1 and "error: could not write the result" in run.err, run


def test_without_a_server_the_private_one_reports(direct: Database) -> None:
    path = direct.sample_backup()
    assert manifest_of(path).exists()
    checkout = direct.checkout
    checkout.use_python()
    run = checkout.run(VERIFY, "--private", "--json", Path(path))
    assert [level["level"] for level in result(run)["levels"]] == ["hash", "read", "restore"]


@pytest.mark.python
@pytest.mark.parametrize("last_line", ["using a private server", "loading the backup"])
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_signal_during_a_run_on_a_private_server_is_reported_once(
    direct: Database, options: tuple[str, ...], last_line: str
) -> None:
    path = direct.sample_backup()
    process = direct.checkout.start(VERIFY, "--private", *options, path)
    while last_line not in process.stderr.readline():
        assert process.poll() is None
    process.terminate()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 143 and err == "interrupted\n", err
    if options:
        assert json.loads(out)["error"]["message"] == "interrupted"
