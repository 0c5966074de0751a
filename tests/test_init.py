"""make init: the menu, restoring, and fetching by CB-Tumblebug's REST interface."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.backups import content_of, remove_manifest
from support.databases import Database
from support.fakes import fake, without_python
from support.run import CLEAN, INIT, PROJECT, Run
from support.sampling import only_with_all, sampled
from support.tumblebug import Handler, Tumblebug, drops, replies, running_tumblebug
from support.waiting import until

from helpers import menu, terminal

pytestmark = pytest.mark.python

DAY = 86_400


@pytest.fixture
def tumblebug(direct: Database) -> Iterator[Tumblebug]:
    """A fake CB-Tumblebug server that the test's scripts use; their waits are shorter."""
    direct.checkout.environment["TUMBLEBUG_WAIT_SECONDS"] = "1"
    with running_tumblebug() as server:
        direct.checkout.environment["TUMBLEBUG_SERVER"] = server.address
        yield server


def init(database: Database, *arguments: str, **environment: str) -> Run:
    return database.checkout.run(INIT, *arguments, **environment)


def damaged_after_backup(database: Database) -> dict[str, object]:
    """Back up, damage the database, and return what it held before."""
    database.sample_backup()
    before = database.content()
    database.execute("DELETE FROM pricing_info")
    return before


def documented(beginning: str) -> str:
    """Return the sample output in the documentation that begins like this."""
    page = (PROJECT / "docs/initialization.md").read_text()
    return re.search(rf"```\n({re.escape(beginning)}.*?)```", page, re.DOTALL)[1]


def first_words(output: str) -> list[str]:
    """Return the first word of each line that is not a row of a table."""
    rows = re.compile(r" {2,}[\d,.]+( [kMG]?B)?( {2,}|$)")
    lines = [line for line in output.splitlines() if line != "…" and not rows.search(line)]
    return [line.split()[0] for line in lines]


# --- a and a+ ---


def test_option_a_restores_and_initialises_the_server(
    direct: Database, tumblebug: Tumblebug
) -> None:
    before = direct.content()
    direct.backed_up()  # not the sample, which names another database
    direct.checkout.key.unlink()  # the shared backup is somebody else's
    direct.execute("DELETE FROM pricing_info")
    tumblebug.assets = {"aws": (70, 1234)}
    run = direct.checkout.run("sh", "-c", "exec make init 2>&1", INIT_OPTION="a")
    assert run.status == 0, run
    assert direct.content() == before
    assert tumblebug.namespace and tumblebug.initialised
    assert "created the namespace 'system'" in run.out
    assert "aws" in run.out and "1,234" in run.out and "617" in run.out
    assert first_words(run.out) == first_words(documented("checking ")), run


def test_option_a_needs_no_server_and_says_what_it_skipped(direct: Database) -> None:
    before = damaged_after_backup(direct)
    run = init(direct, "-y", TUMBLEBUG_SERVER="127.0.0.1:9")
    assert run.status == 0, run
    assert direct.content() == before
    assert "does not answer at 127.0.0.1:9: Connection refused; skipped: " in run.err


@only_with_all
def test_option_a_skips_a_server_that_accepts_no_connections(direct: Database) -> None:
    direct.sample_backup()
    direct.checkout.edit("helpers/tumblebug/client.py", "ANSWER_SECONDS = 30", "ANSWER_SECONDS = 1")
    with socket.socket() as full, socket.socket() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)  # the next connection fills its queue
        waiting.connect(full.getsockname())
        server = f"127.0.0.1:{full.getsockname()[1]}"
        run = init(direct, "-y", TUMBLEBUG_SERVER=server)
    assert run.status == 0 and f"does not answer at {server}: timed out; skipped" in run.err, run


def test_password_in_any_encoding_is_sent(direct: Database, tumblebug: Tumblebug) -> None:
    direct.sample_backup()
    run = init(direct, "-y", TB_API_PASSWORD=os.fsdecode(b"\xe9"))
    assert run.status == 3 and "refuses the user or the password\n" in run.err, run
    assert run.err.count("hint: set TB_API_USERNAME and TB_API_PASSWORD\n") == 1, run


def test_option_a_waits_for_a_server_that_is_not_ready_yet(
    direct: Database, tumblebug: Tumblebug
) -> None:
    direct.sample_backup()
    answers = iter([replies(503, {"message": "not yet"})])
    tumblebug.faults["/readyz"] = lambda handler: next(answers, replies(200, {}))(handler)
    run = init(direct, "-y")
    assert run.status == 0 and tumblebug.namespace and tumblebug.initialised, run


@only_with_all
def test_option_a_says_why_a_server_that_answers_was_not_informed(
    direct: Database, tumblebug: Tumblebug
) -> None:
    direct.sample_backup()
    tumblebug.faults["/readyz"] = replies(503, {"message": "not yet"})
    run = init(direct, "-y", "-q")
    assert run.status == 3, run
    assert "answered 503: not yet; skipped: creating namespace 'system'" in run.err
    assert not tumblebug.namespace


def test_option_a_without_python_says_what_is_missing(direct: Database) -> None:
    before = damaged_after_backup(direct)
    run = init(direct, "-y", **without_python(direct.checkout))
    assert run.status == 0, run
    assert direct.content() == before
    assert "Python 3.10 or later is required to reach CB-Tumblebug; skipped" in run.err
    assert "does not answer" not in run.err


def test_init_without_statistics_is_complete(direct: Database, tumblebug: Tumblebug) -> None:
    before = damaged_after_backup(direct)
    (direct.checkout.path / "helpers" / "stats.py").write_text("raise ImportError")
    fails = 'case " $* " in *border=0*) exit 1 ;; esac; exec "$REAL" "$@"'
    run = init(
        direct,
        "--option",
        "a",
        **fake(direct.checkout, psql=fails),
    )
    assert run.status == 0, run
    assert "the restore is complete; could not show the table statistics" in run.err
    assert direct.content() == before
    assert tumblebug.namespace and tumblebug.initialised


def test_option_a_plus_updates_images_after_the_restore(
    direct: Database, tumblebug: Tumblebug
) -> None:
    before = damaged_after_backup(direct)
    run = init(direct, "--option", "a+")
    assert run.status == 0, run
    assert direct.content() == before
    assert "POST /updateImagesFromAsset" in tumblebug.asked


@only_with_all
def test_images_that_could_not_be_updated_are_exit_3(
    direct: Database, tumblebug: Tumblebug
) -> None:
    before = damaged_after_backup(direct)
    tumblebug.faults["/updateImagesFromAsset"] = replies(500, {"message": "no cloudimage.csv"})
    run = init(direct, "--option", "a+")
    assert run.status == 3, run
    assert "skipped: the latest images" in run.err and "no cloudimage.csv" in run.err
    assert direct.content() == before


def test_failed_restore_changes_and_fetches_nothing(direct: Database, tumblebug: Tumblebug) -> None:
    path = direct.sample_backup()
    path.write_bytes(content_of(path)[:-100])
    direct.execute("DELETE FROM pricing_info")
    before = direct.content()
    run = init(direct, "-y")
    assert run.status == 1, run
    assert run.err.count("error:") == 1 and "cut short" in run.err
    assert direct.content() == before
    assert tumblebug.asked == []


FAILS = 'echo "pg_restore: error: injected error" >&2; exit 1'


def test_failed_restore_on_a_terminal_offers_to_fetch(
    direct: Database, tumblebug: Tumblebug
) -> None:
    direct.sample_backup()
    failing = fake(direct.checkout, pg_restore=FAILS)
    run = direct.checkout.run_on_terminal(INIT, answer=b"a\nyes\nno\n", **failing)
    assert run.status == 1, run
    assert "instead" in run.err and "GET /loadAssets" not in tumblebug.asked
    run = direct.checkout.run_on_terminal(INIT, answer=b"a\nyes\nyes\nno\nno\n", **failing)
    assert run.status == 0, run
    assert "GET /loadAssets" in tumblebug.asked


def test_failed_restore_offers_no_fetch_from_a_server_that_is_not_there(direct: Database) -> None:
    direct.sample_backup()
    nowhere = {"TUMBLEBUG_SERVER": "127.0.0.1:9", **fake(direct.checkout, pg_restore=FAILS)}
    run = direct.checkout.run_on_terminal(INIT, answer=b"a\nyes\n", **nowhere)
    assert run.status == 1 and "instead" not in run.err, run
    assert run.err.count("error:") == 1 and "injected error" in run.err


# --- b, c and d ---


@pytest.mark.parametrize(
    ("arguments", "request_line"),
    [
        (["--option", "b"], "GET /loadAssets"),
        (["--option=C"], "GET /loadAssets?includeAzure=true"),
        (["--providers", "gcp, aws"], "GET /loadAssets?providers=aws,gcp"),
        (["--option", "d", "--providers=1,gcp"], "GET /loadAssets?providers=aws,gcp"),
    ],
    ids=["b", "c", "d by name", "d by number"],
)
def test_fetching_asks_for_what_was_chosen(
    direct: Database, tumblebug: Tumblebug, arguments: list[str], request_line: str
) -> None:
    run = init(direct, *arguments)
    assert run.status == 0, run
    assert request_line in tumblebug.asked
    assert "POST /fetchPrice" not in tumblebug.asked
    assert tumblebug.namespace and tumblebug.initialised
    assert "total" in run.out and "1,500" in run.out
    assert "run 'make backup-assets' to back up the database" in run.err
    assert not direct.checkout.default_backup.exists()


def test_without_a_backup_b_is_the_default(direct: Database, tumblebug: Tumblebug) -> None:
    run = direct.checkout.run("make", "init", "ARGS=-y")
    assert run.status == 0, run
    assert "GET /loadAssets" in tumblebug.asked


def test_prices_are_a_step_of_their_own(direct: Database, tumblebug: Tumblebug) -> None:
    run = init(direct, "--option", "b", "--with-prices")
    assert run.status == 0, run
    assert tumblebug.asked.index("POST /fetchPrice") > tumblebug.asked.index("GET /loadAssets")
    tumblebug.faults["/fetchPrice"] = replies(500, {"message": "no price list"})
    run = init(direct, "--option", "b", "--with-prices")
    assert run.status == 3, run
    assert "skipped: prices" in run.err and "no price list" in run.err


def test_terminal_asks_for_providers_prices_and_a_backup(
    direct: Database, tumblebug: Tumblebug
) -> None:
    run = direct.checkout.run_on_terminal(INIT, answer=b"x\nD\nmars\n\n1, NCP\nno\n")
    assert run.status == 0, run
    assert "there is no option 'x'" in run.err and "there is no provider 'mars'" in run.err
    assert " 2  azure" in run.err and "enter at least one number or name" in run.err
    assert "GET /loadAssets?providers=aws,ncp" in tumblebug.asked
    run = direct.checkout.run_on_terminal(INIT, answer=b"b\nyes\nyes\n")
    assert run.status == 0, run
    assert "POST /fetchPrice" in tumblebug.asked
    assert direct.checkout.default_backup.is_file()


def test_providers_are_found_by_the_tr_of_busybox(direct: Database, tumblebug: Tumblebug) -> None:
    run = init(direct, "--providers", "gcp, aws", **fake(direct.checkout, tr='busybox tr "$@"'))
    assert run.status == 0 and "GET /loadAssets?providers=aws,gcp" in tumblebug.asked, run


def test_backup_without_its_copy_is_no_skipped_backup(
    direct: Database, tumblebug: Tumblebug
) -> None:
    run = direct.checkout.run_on_terminal(INIT, answer=b"b\nno\nyes\n", BACKUP_ON_SUCCESS="exit 1")
    assert run.status == 3 and "skipped: the backup" not in run.err, run
    assert direct.checkout.default_backup.is_file()


@pytest.mark.parametrize("address", ["localhost:abc", "localhost:132399", "local host:1323"])
def test_impossible_address_is_named(direct: Database, address: str) -> None:
    run = init(direct, "--option", "b", TUMBLEBUG_SERVER=address)
    assert run.status == 2 and len(run.errors) == 1, run
    assert f"TUMBLEBUG_SERVER must be host:port, not '{address}'" in run.err
    assert "waiting" not in run.err


def test_unknown_provider_is_refused_before_fetching(
    direct: Database, tumblebug: Tumblebug
) -> None:
    run = init(direct, "--providers", ",")
    assert run.status == 2 and "error: --providers names no provider\n" in run.err, run
    run = init(direct, "--providers", "aws,mars")
    assert run.status == 2, run
    assert "unknown provider 'mars'" in run.err and "aws, azure, gcp, ncp" in run.err
    assert not any("loadAssets" in line for line in tumblebug.asked)


@only_with_all
def test_live_line_shows_time_and_rows_by_provider(direct: Database, tumblebug: Tumblebug) -> None:
    tumblebug.fetching_seconds = 3
    run = direct.checkout.run_on_terminal(INIT, "--option", "b", answer=b"", COLUMNS="200")
    assert run.status == 0, run
    assert "0:02 of about 20 to 30 minutes" in run.err
    assert "1,200 specs, 2,000 images" in run.err
    assert "aws 400/666" in run.err
    assert "\r" not in run.out


# --- when the server fails ---


@pytest.mark.parametrize("option", sampled(["a+", "b", "c"], 1))
def test_server_that_is_not_there_is_a_clear_error(
    direct: Database, tumblebug: Tumblebug, option: str
) -> None:
    before = damaged_after_backup(direct)
    damaged = direct.content()
    run = init(direct, "--option", option, TUMBLEBUG_SERVER="127.0.0.1:9")
    assert run.status == 1, run
    assert "waiting up to 1 s" in run.err
    assert (
        "CB-Tumblebug does not answer at 127.0.0.1:9: Connection refused; the database is unchanged"
        in run.err
    )
    assert "TUMBLEBUG_SERVER=host:port" in run.err
    assert direct.content() == damaged != before


def test_no_python_is_told_before_anything_is_done(direct: Database, tumblebug: Tumblebug) -> None:
    run = init(direct, "--option", "b", **without_python(direct.checkout))
    assert run.status == 1, run
    assert "Python 3.10 or later" in run.err and run.err.count("error:") == 1
    assert tumblebug.asked == []


def test_server_that_becomes_ready_is_waited_for(direct: Database, tumblebug: Tumblebug) -> None:
    tries = iter([replies(503, {"message": "not yet"})])

    def first(handler: Handler) -> None:
        next(tries, replies(200, {}))(handler)

    tumblebug.faults["/readyz"] = first
    assert init(direct, "--option", "b").status == 0


FAULTS = {
    "500": (
        replies(500, {"message": "no credentials for aws"}),
        "answered 500: no credentials for aws",
    ),
    "text": (replies(502, b"Bad \x1b[2J Gateway"), "answered 502: Bad ?[2J Gateway"),
    "not JSON": (replies(200, b"<html>"), "is not JSON"),
    "dropped": (drops, "was lost, and its summary shows nothing new"),
    "redirect": (replies(302, b"", Location="http://127.0.0.1:9/"), "answered 302"),
}


@pytest.mark.parametrize(("fault", "message"), FAULTS.values(), ids=FAULTS)
def test_fetching_that_fails_says_why(
    direct: Database, tumblebug: Tumblebug, fault: Callable[[Handler], None], message: str
) -> None:
    tumblebug.faults["/loadAssets"] = fault
    run = init(direct, "--option", "b")
    assert run.status == 1, run
    assert "error: fetching failed: " in run.err and message in run.err
    assert "; the data that has arrived stays\n hint: 'make stats' shows" in run.err
    assert "Traceback" not in run.err and not tumblebug.initialised


def test_after_a_dropped_connection_the_summary_decides(
    direct: Database, tumblebug: Tumblebug
) -> None:
    def drops_and_goes_on(handler: Handler) -> None:
        drops(handler)
        for specs in (10, 20, 30):
            tumblebug.assets = {"aws": (5, specs)}
            time.sleep(0.2)

    tumblebug.faults["/loadAssets"] = drops_and_goes_on
    run = init(direct, "--option", "b")
    assert run.status == 0, run
    assert "warning: the connection to" in run.err and "has arrived" in run.err
    assert " 30 " in run.out


def test_fetching_without_any_rows_is_an_error(direct: Database, tumblebug: Tumblebug) -> None:
    tumblebug.faults["/loadAssets"] = replies(200, {"output": None})
    run = init(direct, "--option", "b")
    assert run.status == 1, run
    assert "its summary shows no specs or no images" in run.err


def test_wrong_password_is_told_and_never_shown(direct: Database, tumblebug: Tumblebug) -> None:
    tumblebug.password = "other"
    run = init(direct, "--option", "b", TB_API_PASSWORD="s3cret")
    assert run.status == 1, run
    assert run.errors[0].endswith(" refuses the user or the password; the database is unchanged")
    assert "hint: set TB_API_USERNAME and TB_API_PASSWORD\n" in run.err
    assert "start CB-Tumblebug" not in run.err
    assert "s3cret" not in run.out + run.err


def test_server_that_could_not_be_marked_is_a_warning(
    direct: Database, tumblebug: Tumblebug
) -> None:
    tumblebug.faults["/readyz/init"] = replies(500, {"message": "injected error"})
    run = init(direct, "--option", "b")
    assert run.status == 0, run
    assert (
        "could not tell CB-Tumblebug that it is initialised" in run.err
        and "injected error" in run.err
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_stops_waiting_and_says_that_the_server_goes_on(
    direct: Database, tumblebug: Tumblebug, number: signal.Signals
) -> None:
    tumblebug.fetching_seconds = 4
    process = direct.checkout.start(INIT, "--option", "b")
    deadline = time.monotonic() + 20
    while "GET /loadAssets" not in tumblebug.asked and time.monotonic() < deadline:
        time.sleep(0.05)
    commands = subprocess.run(
        ["ps", "-eo", "args"], capture_output=True, text=True, check=True
    ).stdout
    assert "TB_API" not in commands and "Basic " not in commands
    os.kill(process.pid, number)
    started = time.monotonic()
    _, errors = process.communicate(timeout=20)
    assert time.monotonic() - started < 3
    assert process.returncode == 128 + number, errors
    assert "stopped waiting; CB-Tumblebug is still fetching" in errors
    assert direct.left_behind() == []


def test_signal_ends_an_update_of_the_images(direct: Database, tumblebug: Tumblebug) -> None:
    direct.sample_backup()
    tumblebug.faults["/updateImagesFromAsset"] = lambda _: time.sleep(20)
    process = direct.checkout.start(INIT, "--option", "a+")
    until(lambda: any("updateImages" in request for request in tumblebug.asked))
    started = time.monotonic()
    process.terminate()
    _, err = process.communicate(timeout=30)
    assert time.monotonic() - started < 10
    assert process.returncode == 143 and "interrupted" in err, err


# --- the menu and the choice ---


def test_menu_tells_what_the_backup_holds(direct: Database) -> None:
    path = direct.sample_backup()
    shown = menu.menu(
        path, "90000 specs (88% priced), 203000 images across 3 CSPs", "3 tables, 9 kB"
    )
    assert re.search(r"assets\.dump\.gz: [\d.]+ kB, made today", shown)
    assert "      90,000 specs (88% priced), 203,000 images\n" in shown
    assert "now: 3 tables, 9 kB\n" in shown
    assert "~20-30 minutes" in shown and "~40+ minutes" in shown and "recommended" in shown


@pytest.mark.parametrize(
    ("days", "age", "warning"),
    [
        (-40, "its date is in the future", ""),
        (0, "made today", ""),
        (1, "1 day old", ""),
        (8, "8 days old", "more than 7"),
        (31, "31 days", "more than 30"),
    ],
)
def test_menu_warns_of_an_old_backup(tmp_path: Path, days: int, age: str, warning: str) -> None:
    path = tmp_path / "assets.dump.gz"
    path.write_bytes(b"x")
    old = time.time() - days * DAY - 60
    os.utime(path, (old, old))
    shown = menu.menu(path)
    assert age in shown
    assert ("warning" in shown) == bool(warning) and warning in shown


def test_menu_is_the_documented_one(tmp_path: Path) -> None:
    path = tmp_path / "assets.dump.gz"
    with path.open("wb") as file:
        file.truncate(31_300_000)
    os.utime(path, (time.time() - 3 * DAY - 60,) * 2)
    holds = "90000 specs (88% priced), 203000 images across 3 CSPs"
    shown = menu.menu(path, holds, "0 specs (0% priced), 0 images across 0 CSPs")
    assert f"{shown}\nChoose a, a+, b, c or d (Ctrl-C to leave):\n" == documented("How should")


def test_age_is_that_in_the_manifest_or_that_of_the_commit(tmp_path: Path) -> None:
    path = tmp_path / "assets.dump.gz"
    path.write_bytes(b"x")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=test", "-c", "user.email=test@example.org"]
    old = str(int(time.time() - 12 * DAY))
    dates = {**os.environ, "GIT_COMMITTER_DATE": f"{old} +0000", "GIT_AUTHOR_DATE": f"{old} +0000"}
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "backup"]):
        subprocess.run([*git, *command], check=True, env=dates)
    assert "12 days old" in menu.menu(path)
    three_days_ago = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(time.time() - 3 * DAY))
    assert "3 days old" in menu.menu(path, created=three_days_ago)
    path.write_bytes(b"newer")
    assert "made today" in menu.menu(path)


def test_menu_without_a_backup_says_so_and_recommends_b(tmp_path: Path) -> None:
    shown = menu.menu(tmp_path / "assets.dump.gz", problem="there is no assets.dump.gz")
    assert "not available: there is no assets.dump.gz" in shown
    assert "~20-30 minutes, recommended" in shown
    assert "\nChoose b, or c if you need Azure too.\n" in shown


def test_unavailable_option_asks_again_and_end_of_input_cancels(direct: Database) -> None:
    run = direct.checkout.run_on_terminal(INIT, answer=b"a\n\x04")
    assert run.status == 1, run
    assert "option a is not available" in run.err
    assert "cancelled; the database is unchanged" in run.err


def test_menu_shows_the_backup_and_takes_an_answer(direct: Database, tumblebug: Tumblebug) -> None:
    before = damaged_after_backup(direct)
    run = direct.checkout.run_on_terminal(INIT, answer=b"A\nyes\n")
    assert run.status == 0, run
    assert re.search(r"\x1b\[2m +assets\.dump\.gz: [\d.]+ kB, made today\x1b\[0m", run.err)
    assert "\x1b[1mHow should" in run.err
    assert "1,200 specs (80% priced), 2,000 images\x1b" in run.err
    assert direct.content() == before


def test_menu_shows_a_backup_without_a_manifest(direct: Database) -> None:
    remove_manifest(direct.sample_backup())
    run = direct.checkout.run_on_terminal(INIT, answer=b"\x04")
    assert "assets.dump.gz: " in run.err and "How should" in run.err, run
    assert "unexpectedly" not in run.err


def test_file_that_is_no_backup_is_not_recommended(direct: Database) -> None:
    direct.checkout.default_backup.write_text("version https://git-lfs.github.com/spec/v1\n")
    run = direct.checkout.run_on_terminal(INIT, answer=b"a\n\x04")
    pointer = "'./assets/assets.dump.gz' is a Git LFS pointer, not the backup itself"
    assert f"not available: {pointer}\x1b" in run.err, run
    assert f"option a is not available: {pointer}" in run.err
    assert "~20-30 minutes, recommended" in run.err
    run = init(direct, "-y")
    assert run.status == 1 and "hint: get the file with 'git lfs pull'\n" in run.err, run
    run = direct.backup()
    assert run.status == 1 and "away, or write the backup to another file" in run.err, run


def test_damaged_backup_is_not_recommended(direct: Database) -> None:
    path = direct.sample_backup()
    path.write_bytes(path.read_bytes()[:20_000])
    run = direct.checkout.run_on_terminal(INIT, answer=b"a\n\x04", columns=200)
    damaged = "backup file './assets/assets.dump.gz' is damaged or cut short"
    assert f"not available: {damaged}" in run.err, run
    assert f"option a is not available: {damaged}" in run.err
    assert "~20-30 minutes, recommended" in run.err and run.err.count("specs (") == 1  # now
    run = init(direct, "-y")
    assert run.status == 1 and f"error: {damaged}" in run.err, run


def test_backup_without_rows_is_not_recommended(direct: Database) -> None:
    direct.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    direct.execute('DROP SCHEMA "Odd ""schema""; --" CASCADE')
    direct.backed_up()
    run = direct.checkout.run_on_terminal(INIT, answer=b"a\n\x04", columns=200)
    assert "not available: the backup './assets/assets.dump.gz' contains no rows" in run.err, run
    run = init(direct, "-y")
    assert run.status == 1 and "contains no rows; the database is unchanged" in run.err, run


def test_option_a_replaces_no_rows_without_asking(direct: Database, tumblebug: Tumblebug) -> None:
    backup = direct.content()
    damaged_after_backup(direct)
    before = direct.content()
    run = direct.checkout.run_on_terminal(INIT, answer=b"a\nno\n")
    assert run.status == 1, run
    assert "now: 1,200 specs" in run.err
    assert re.search(rf"database '{direct.name}' of .* has \d+ tables, [\d,]+ rows", run.err)
    assert direct.content() == before
    direct.execute("DROP TABLE spec_info CASCADE")  # other tables have rows
    assert direct.checkout.run_on_terminal(INIT, answer=b"a\nno\n").status == 1
    assert direct.checkout.run(CLEAN, CLEAN_SKIP_CONFIRM="yes").status == 0
    run = direct.checkout.run_on_terminal(INIT, answer=b"a\n")
    assert run.status == 0 and direct.content() == backup, run


def test_menu_warns_of_a_server_that_does_not_answer(direct: Database) -> None:
    direct.sample_backup()
    direct.checkout.environment["TB_POSTGRES_ENDPOINT"] = "127.0.0.1:1"
    run = direct.checkout.run_on_terminal(INIT, answer=b"\x04")
    assert run.status == 1, run
    below = run.err.partition("provider credentials.")[2].partition("Choose a,")[0]
    assert "warning:" in below and "127.0.0.1:1" in below and "hint:" in below, run
    assert "unchanged" not in below, run


def test_option_a_asks_if_the_server_was_started_after_the_menu(direct: Database) -> None:
    damaged_after_backup(direct)
    before = direct.content()
    direct.checkout.edit(
        "scripts/init.sh", "    show_menu\n", "    show_menu\n    current_content=\n"
    )
    run = direct.checkout.run_on_terminal(INIT, answer=b"a\nno\n")
    assert run.status == 1 and "Replace them?" in run.err, run
    assert direct.content() == before


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 1, "-y, --option or INIT_OPTION"),
        (["--option", "x"], 2, "choose one of a, a+, b, c, d"),
        (["--option", "d"], 2, "option d needs --providers"),
        (["--option", "b", "--providers", "aws"], 2, "option b takes no --providers"),
        (["--option"], 2, "--option needs a value"),
        (["--option", "a"], 1, "to restore; the database is unchanged\n hint: fetch the assets"),
        (["b"], 2, "unexpected argument"),
    ],
)
def test_wrong_choice_is_refused_at_once(
    direct: Database, arguments: list[str], status: int, message: str
) -> None:
    before = direct.content()
    run = direct.checkout.run(INIT, *arguments, timeout=20)
    assert run.status == status, run
    assert message in run.err
    assert direct.content() == before


def test_printable_text_has_no_control_characters() -> None:
    assert terminal.printable("a\x1b[2Jb\r\n") == "a?[2Jb??"
