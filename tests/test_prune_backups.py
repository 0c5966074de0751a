"""prune-backups: old backups in backups/postgres/ are deleted, and nothing else is."""

from __future__ import annotations

import os
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from time import sleep

import pytest
from support.backups import manifest_of, remove_manifest, write_backup
from support.fakes import fake
from support.run import LIST, PRUNE, Checkout, run_as_nobody

NOW = datetime.now(timezone.utc)


def write(checkout: Checkout, name: str, days: float, **more: str | int) -> None:
    created = f"{NOW - timedelta(days=days):%Y-%m-%d %H:%M:%S}"
    write_backup(checkout.named_backups / f"{name}.dump.gz", created, **more)


def at(checkout: Checkout, *times: str) -> None:
    """Write backups with these times as names."""
    for time in times:
        write_backup(checkout.named_backups / f"{time}.dump.gz", f"{time}:00")


def verify(checkout: Checkout, name: str, result: str = "ok") -> None:
    path = checkout.named_backups / f"{name}.dump.gz"
    sha256 = re.search("^sha256: (.*)$", manifest_of(path).read_text(), re.MULTILINE)[1]
    line = f"2026-01-01 00:00:00 UTC\thash\t{result}\t{sha256}\n"
    sleep(0.05)  # file systems tell times in steps
    path.with_name(path.name + ".verified").write_text(line)


def files(checkout: Checkout) -> set[str]:
    return {path.name for path in checkout.named_backups.iterdir()}


def left(checkout: Checkout) -> set[str]:
    """Return the names of the backups that are there."""
    return {name[: -len(".dump.gz")] for name in files(checkout) if name.endswith(".dump.gz")}


@pytest.mark.parametrize("shell", ["dash", "busybox sh", "bash"])
def test_the_newest_stay_and_the_others_go_with_their_manifests(
    checkout: Checkout, shell: str
) -> None:
    for name, days in (("a b", 0), ("'$(x)", 1), ("c\td", 2), ("-e", 3)):
        write(checkout, name, days)
    verify(checkout, "c\td", "failed")
    write(checkout, "c\td", 2.1)  # not the content that was verified
    write_backup(checkout.default_backup, "2020-01-01 00:00:00")
    run = checkout.run(PRUNE, "--keep", "2", "-y", shell=shell)
    assert run.status == 0, run
    assert files(checkout) == {
        *("a b.dump.gz", "a b.dump.gz.info", "'$(x).dump.gz", "'$(x).dump.gz.info"),
    }
    assert checkout.default_backup.exists() and checkout.left_behind() == []
    assert run.err.splitlines()[-1].startswith("deleted 2 backups, "), run
    again = checkout.run("make", "prune-backups", "KEEP=2")
    assert again.status == 0 and "nothing to delete" in again.err, again
    asked = checkout.run_on_terminal(PRUNE, "--keep", "1", answer=b"no\n")
    assert asked.status == 1 and "cancelled; no backup was deleted" in asked.err, asked
    assert re.search(r"Delete 1 of 2 backups \([0-9]+ B\)\? Type yes to continue: ", asked.err), (
        asked
    )
    quiet = checkout.run(PRUNE, "-q", "-y", KEEP="1", shell=shell)
    assert (quiet.status, quiet.out, quiet.err) == (0, "", ""), quiet
    assert left(checkout) == {"a b"}


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        ({"KEEP": "1"}, {"2026-03-02 09:00": "newest unsigned, last 1"}),
        (
            {"KEEP_DAILY": "3"},
            {
                "2026-03-02 09:00": "newest unsigned, daily",
                "2026-03-01 23:59": "daily",
                "2026-02-28 12:00": "daily",
            },
        ),
        (
            {"KEEP_WEEKLY": "3"},  # 2026-03-02 is a Monday
            {
                "2026-03-02 09:00": "newest unsigned, weekly",
                "2026-03-01 23:59": "weekly",
                "2026-02-22 12:00": "weekly",
            },
        ),
        (
            {"KEEP_MONTHLY": "9", "KEEP": "2"},
            {
                "2026-03-02 09:00": "newest unsigned, last 2, monthly",
                "2026-03-02 08:00": "last 2",
                "2026-02-28 12:00": "monthly",
                "2025-02-28 12:00": "monthly",
            },
        ),
    ],
)
def test_each_rule_keeps_the_newest_of_its_periods(
    checkout: Checkout, rules: dict[str, str], kept: dict[str, str]
) -> None:
    at(checkout, "2026-03-02 09:00", "2026-03-02 08:00", "2026-03-01 23:59", "2026-03-01 00:00")
    at(checkout, "2026-02-28 12:00", "2026-02-23 00:00", "2026-02-22 12:00", "2025-02-28 12:00")
    run = checkout.run(PRUNE, "--dry-run", **rules)
    assert run.status == 0, run
    plan = re.findall(r"^(\S+ \S+) .* (keep|delete) *(.*)$", run.out, re.MULTILINE)
    assert {name: reasons for name, what, reasons in plan if what == "keep"} == kept
    assert len(plan) == len(left(checkout)) == 8
    assert "no backup was deleted" in run.err


def test_days_newest_verified_and_data_only_backups(checkout: Checkout) -> None:
    for name, days in (("today", 0), ("a-week", 7), ("none", 20), ("good", 30), ("old-good", 40)):
        write(checkout, name, days)
    for name, days in (("rows", 50), ("older-rows", 60)):
        write(checkout, name, days, holds="data only")
    verify(checkout, "good")
    verify(checkout, "old-good")
    run = checkout.run(PRUNE, PRUNE_SKIP_CONFIRM="yes", KEEP_DAYS="8")
    assert run.status == 0, run
    assert left(checkout) == {"today", "a-week", "good", "rows"}
    assert re.search("^a-week .* keep .* last 8 days$", run.out, re.MULTILINE), run
    assert re.search("^good .* keep .* newest verified unsigned$", run.out, re.MULTILINE), run
    rules = ("--dry-run", "--keep=1", "--keep-days=9", "--keep-daily=9", "--keep-weekly=9")
    shown = checkout.run_on_80_columns(PRUNE, *rules)
    assert max(map(len, shown.out.splitlines())) <= 80 and shown.status == 0, shown


def test_backups_without_rows_do_not_displace_one_with_rows(checkout: Checkout) -> None:
    write(checkout, "good", 3)
    for name, days in (("empty", 1), ("older-empty", 2)):
        write(checkout, name, days, rows=0)
    run = checkout.run(PRUNE, "-y", KEEP="1")
    assert run.status == 0, run
    assert left(checkout) == {"empty", "good"}


def test_backups_that_this_machine_did_not_sign_do_not_displace_its_own(
    checkout: Checkout,
) -> None:
    key = b"0" * 64
    checkout.key.parent.mkdir(parents=True)
    checkout.key.write_bytes(key)
    checkout.key.chmod(0o600)
    for name, days in (("mine", 3), ("older", 4)):
        write(checkout, name, days, key=key)
    for name, days in (("unsigned", 1), ("also unsigned", 2)):
        write(checkout, name, days)
    run = checkout.run(PRUNE, "-y", "--keep", "1")
    assert run.status == 0 and left(checkout) == {"mine", "unsigned"}, run


@pytest.mark.parametrize("date", ["2926-01-01 00:00:00", "2026-13-45 00:00:00"])
def test_an_impossible_date_displaces_no_backup(checkout: Checkout, date: str) -> None:
    for name, days in (("new", 0), ("old", 1)):
        write(checkout, name, days)
    write_backup(checkout.named_backups / "odd.dump.gz", date)
    run = checkout.run(PRUNE, "-y", "--keep", "1")
    assert run.status == 0 and left(checkout) == {"new", "odd"}, run
    listed = checkout.run(LIST).out
    assert re.search(r"^odd +(future|-) ", listed, re.MULTILINE), listed


def test_backups_of_each_database_are_counted_apart_and_named(checkout: Checkout) -> None:
    for name, days, database in (
        ("assets-2", 0, "tumblebug"),
        ("assets-1", 1, "tumblebug"),
        ("other-2", 2, "a name of over sixteen"),
        ("other-1", 3, "a name of over sixteen"),
    ):
        write(checkout, name, days, database=database)
    run = checkout.run(PRUNE, "-y", "--keep", "1")
    assert run.status == 0, run
    assert left(checkout) == {"assets-2", "other-2"}
    assert re.search(
        "^assets-2 .* B  tumblebug         keep    newest unsigned, last 1$", run.out, re.MULTILINE
    ), run
    assert re.search(r"^other-1 .* B  a name of ove\.\.\.  delete$", run.out, re.MULTILINE), run


def test_backups_whose_verification_failed_stay_and_are_not_counted(checkout: Checkout) -> None:
    for name, days in (("broken", 0), ("good", 1), ("older-broken", 2), ("old", 3)):
        write(checkout, name, days)
    verify(checkout, "broken", "failed")
    verify(checkout, "older-broken", "failed")
    run = checkout.run(PRUNE, "-y", "--keep", "1")
    assert run.status == 0, run
    assert left(checkout) == {"broken", "good", "older-broken"}
    for name in ("broken", "older-broken"):
        assert re.search(f"^{name} .* keep    verification failed$", run.out, re.MULTILINE), run
    assert re.search("^good .* keep    newest unsigned, last 1$", run.out, re.MULTILINE), run


def test_files_without_a_whole_manifest_of_this_tool_stay(checkout: Checkout) -> None:
    for name, days in (("new", 0), ("foreign", 1), ("cut", 2), ("old", 3)):
        write(checkout, name, days)
    remove_manifest(checkout.named_backups / "foreign.dump.gz")
    cut = checkout.named_backups / "cut.dump.gz"
    cut.write_bytes(cut.read_bytes()[:-1])
    (checkout.named_backups / "empty.dump").touch()
    (checkout.named_backups / ".x.dump.gz.partial.1").touch()
    run = checkout.run(PRUNE, "--keep=1", "--yes")
    assert run.status == 0, run
    assert left(checkout) == {"new", "foreign", "cut"}
    assert "skipped: 3 files without an intact manifest" in run.err
    assert {"empty.dump", ".x.dump.gz.partial.1"} < files(checkout)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "choose which backups to keep"),
        (["--dry-run", "-y"], "choose which backups to keep"),
        (["--keep", "0"], "--keep must be from 1 to 9999, not '0'"),
        (["--keep-daily=x"], "--keep-daily must be from 1 to 9999, not 'x'"),
        (["--keep-monthly"], "--keep-monthly needs a number"),
        (["--keep-hourly=1"], "unknown option: --keep-hourly"),
    ],
)
def test_no_rule_and_bad_numbers_are_usage_errors(
    checkout: Checkout, arguments: list[str], error: str
) -> None:
    write(checkout, "a", 0)
    write(checkout, "b", 1)
    run = checkout.run(PRUNE, *arguments)
    assert run.status == 2 and error in run.err, run
    assert left(checkout) == {"a", "b"} and run.out == ""


def test_rules_of_make_are_for_this_target_only(checkout: Checkout) -> None:
    run = checkout.run("make", "restore-assets", "KEEP=1")
    assert run.status == 2 and "KEEP has no effect here: it is for prune-backups" in run.err, run


def test_it_asks_and_only_yes_deletes(checkout: Checkout) -> None:
    write(checkout, "a", 0)
    write(checkout, "b", 1)
    run = checkout.run(PRUNE, "--keep", "1")
    assert run.status == 1 and "PRUNE_SKIP_CONFIRM=yes" in run.err, run
    run = checkout.run_on_terminal(PRUNE, "--keep", "1", answer=b"no\n")
    assert run.status == 1 and "cancelled; no backup was deleted" in run.err, run
    assert left(checkout) == {"a", "b"}
    run = checkout.run_on_terminal(PRUNE, "--keep", "1", answer=b"yes\n")
    assert run.status == 0 and left(checkout) == {"a"}, run


def test_a_backup_that_was_replaced_or_verified_meanwhile_stays(checkout: Checkout) -> None:
    for name, days in (("new", 0), ("replaced", 1), ("verified", 2), ("old", 3)):
        write(checkout, name, days)

    def meanwhile(_: bytes) -> None:
        write(checkout, "replaced", 0.5)
        verify(checkout, "verified")

    run = checkout.run_on_terminal(PRUNE, "--keep", "1", answer=b"yes\n", at_prompt=meanwhile)
    assert run.status == 1, run
    assert left(checkout) == {"new", "replaced", "verified"}
    assert run.err.count("has changed meanwhile; it stays") == 2
    assert "some backups were not deleted; deleted 1 of 3 backups" in run.err


def test_a_signal_during_a_deletion_ends_the_run_after_it(checkout: Checkout) -> None:
    for name, days in (("new", 0), ("old", 1), ("older", 2)):
        write(checkout, name, days)
    environment = fake(checkout, rm='"$REAL" "$@"; case "$*" in *.dump.gz) kill -TERM 0 ;; esac')
    process = checkout.start(PRUNE, "-y", "--keep", "1", **environment)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 143, err
    assert err.endswith("interrupted; deleted 1 of 2 backups\n")
    assert len(left(checkout)) == 2 and len(files(checkout)) == 4


def test_a_file_that_is_not_deleted_is_named_and_the_others_go(checkout: Checkout) -> None:
    for name, days in (("new", 0), ("stuck", 1), ("old", 2)):
        write(checkout, name, days)
    refuse = 'echo "rm: stuck: Permission denied" >&2; exit 1'
    rm = f'case "$*" in *stuck*) {refuse} ;; esac; exec "$REAL" "$@"'
    run = checkout.run(PRUNE, "-y", "--keep", "1", **fake(checkout, rm=rm))
    assert run.status == 1, run
    assert "stuck.dump.gz: rm: stuck: Permission denied" in run.err
    assert "error: some backups were not deleted; deleted 1 of 2 backups" in run.err
    assert left(checkout) == {"new", "stuck"}
    assert checkout.run(LIST).status == 0


def test_a_read_only_directory_is_named_before_the_question(open_directory: Path) -> None:
    directory = open_directory / "backups" / "postgres"
    for name in ("new", "old", "older"):
        write_backup(directory / f"{name}.dump.gz", "2026-01-01 00:00:00")
    directory.chmod(0o555)
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(open_directory)}
    run = run_as_nobody([str(open_directory / PRUNE), "-y", "--keep", "1"], environment)
    assert run.status == 1 and "warning:" not in run.err, run
    assert f"error: directory '{directory}' is not writable for user 'nobody': " in run.err
    assert f"hint: to see its owner and mode: ls -ld {directory}" in run.err
    assert len(list(directory.glob("*.dump.gz"))) == 3


def test_backups_that_this_user_may_not_read_are_named(open_directory: Path) -> None:
    directory = open_directory / "backups" / "postgres"
    for name in ("new", "old", "older"):
        write_backup(directory / f"{name}.dump.gz", "2026-01-01 00:00:00")
    (directory / "older.dump.gz").chmod(0)
    if os.geteuid() == 0:
        os.chown(directory / "older.dump.gz", 0, 0)
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(open_directory)}
    run = run_as_nobody([str(open_directory / PRUNE), "-q", "-y", "--keep", "2"], environment)
    assert run.status == 3, run
    assert "warning: skipped: 1 file that user 'nobody' is not allowed to read" in run.err
    assert len(list(directory.glob("*.dump.gz"))) == 3


def test_days_count_from_the_newest_backup(checkout: Checkout) -> None:
    """A clock that is wrong, or nights without a backup, delete nothing."""
    for name, days in (("newest", 400), ("older", 405), ("oldest", 420)):
        write(checkout, name, days)
    run = checkout.run(PRUNE, "-y", "--keep-days", "14")
    assert run.status == 0 and left(checkout) == {"newest", "older"}, run


def test_backup_that_another_run_has_deleted_is_no_failure(checkout: Checkout) -> None:
    for name, days in (("new", 0), ("old", 1), ("older", 2)):
        write(checkout, name, days)
    removed = checkout.named_backups / "older.dump.gz"
    races = fake(checkout, rm=f'/bin/rm -f "{removed}" "{removed}.info"; exec "$REAL" "$@"')
    run = checkout.run(PRUNE, "-y", "--keep", "1", **races)
    assert run.status == 0 and "warning: could not" not in run.err, run
    assert left(checkout) == {"new"}
