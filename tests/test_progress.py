"""The live line: its text, and that only a terminal gets it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.databases import Database
from support.fakes import without_python
from support.run import BACKUP, RESTORE, Checkout, Run
from support.sampling import only_with_all

from helpers.progress import Line, Progress, read_totals
from helpers.terminal import clock, cut

MANY_ROWS = (
    "CREATE TABLE many AS SELECT n, repeat(md5(n::text), 8) AS t"
    " FROM generate_series(1, 400000) AS n; ALTER TABLE many ADD PRIMARY KEY (n);"
    " CREATE INDEX ON many (t, n)"
)

pytestmark = pytest.mark.python


def rows(table: str, done: int) -> dict:
    return {"kind": "rows", "table_name": table, "index_name": "", "done": done}


def progress_of(**totals: int) -> Progress:
    return Progress("loading rows", "building indexes", totals)


def test_line_has_phase_bar_and_both_times() -> None:
    progress = progress_of(a=100, b=900)
    progress.observe([rows("a", 40), rows("b", 160)], 20)
    assert (
        progress.line(20).text(79)
        == "loading rows      █████░░░░░░░░░░░░░░░░░░░  20 %  elapsed 0:20, left 1:20"
    )
    assert progress.line(0.5).left is None


@pytest.mark.parametrize("width", [39, 45, 59, 60, 79, 200])
def test_line_fits_and_its_parts_stay_where_they_are(width: int) -> None:
    lines = [
        Line("loading rows", 12, 0.07).text(width),
        Line("loading rows", 3599, 0.99).text(width),
        Line("building indexes", 65, names=("public.a_long_name_of_an_index", "b")).text(width),
    ]
    assert max(map(len, lines)) <= width
    assert len({line.index("elapsed") for line in lines}) == 1
    assert "a_long" in lines[2] and "public." not in lines[2]
    assert len(Line("loading rows", 599, 0.5, 599).text(width)) <= width


def test_table_that_is_no_longer_copied_counts_as_done() -> None:
    progress = progress_of(a=100, b=900)
    progress.observe([rows("a", 40)], 4)
    progress.observe([rows("b", 400)], 5)
    assert progress.line(5).fraction == 0.5


def test_complete_rows_are_the_next_phase_and_never_100_percent() -> None:
    progress = progress_of(a=100)
    progress.observe([rows("a", 500)], 5)  # more than were estimated
    assert progress.line(5).fraction == 0.99
    progress.observe([], 5.3)
    assert progress.line(5.3).phase == "loading rows"  # the next table may follow
    assert progress.line(6).phase == "building indexes"


def test_indexes_are_named_without_control_characters() -> None:
    progress = progress_of()
    index = {"kind": "index", "table_name": "public.a", "index_name": "bad\x1b[2J", "done": 3}
    progress.observe([index], 0)
    assert progress.line(0).text(79).startswith("building indexes  bad?[2J ")


def test_text_is_cut_where_characters_take_two_columns() -> None:
    assert cut("가나다라", 5) == "가나"
    assert cut("abc", 3) == "abc"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (65, "1:05"), (3725, "1:02:05")])
def test_durations_are_minutes_and_seconds(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_totals_are_read_from_a_manifests_lines(tmp_path: Path) -> None:
    (tmp_path / "tables").write_text('3 -12 public.a\n40 7 public."b c"\n')
    assert read_totals(tmp_path / "tables") == {"public.a": 3, 'public."b c"': 40}


def drawn(run: Run) -> list[str]:
    """Return what the terminal's progress line showed, one after the other."""
    return [text.split("\r")[0] for text in run.err.split("\r\x1b[K")[1:]]


def test_terminal_sees_one_live_line_and_output_stays_clean(direct: Database) -> None:
    direct.execute(MANY_ROWS)
    slowly = {"BACKUP_COMPRESSION": "zstd:12"}
    run_on_terminal = direct.checkout.run_on_terminal
    backup = run_on_terminal(BACKUP, "many", **slowly)
    assert backup.status == 0, backup
    assert any(" %  elapsed 0:" in line for line in drawn(backup)), backup
    path = direct.checkout.path / "backups/postgres/many.dump.gz"
    restore = run_on_terminal(RESTORE, path, answer=b"yes\n")
    assert restore.status == 0, restore
    assert any(line.startswith("loading rows ") for line in drawn(restore)), restore
    assert any(line.startswith("building indexes ") for line in drawn(restore)), restore
    for run in (backup, restore):
        lines = [line for line in drawn(run) if "elapsed" in line]
        assert max(map(len, lines)) < 80, run
        assert "█" in "".join(lines)
        assert "\r" not in run.out and "\x1b" not in run.out
        assert "Traceback" not in run.err and "erminated" not in run.err
    assert direct.left_behind() == []


@only_with_all
def test_dumb_terminal_gets_no_live_line_and_no_colour(direct: Database) -> None:
    direct.execute(MANY_ROWS)
    slowly = {"BACKUP_COMPRESSION": "zstd:12", "TERM": "dumb"}
    run = direct.checkout.run_on_terminal(BACKUP, "many", **slowly)
    assert run.status == 0, run
    assert "\x1b" not in run.err and "elapsed" not in run.err


def test_without_a_terminal_each_step_is_one_line(direct: Database) -> None:
    run = direct.backup("x.dump.gz")
    assert run.status == 0, run
    assert "\r" not in run.err and "\x1b" not in run.err


@only_with_all
def test_without_python_the_line_counts_bytes_on_a_narrow_terminal(direct: Database) -> None:
    direct.execute(MANY_ROWS)
    no_python = without_python(direct.checkout)
    run = direct.checkout.run_on_terminal(
        BACKUP, "./x.dump.gz", columns=40, **no_python, BACKUP_COMPRESSION="zstd:12"
    )
    assert run.status == 0, run
    lines = [line for line in drawn(run) if line.startswith("reading rows")]
    assert re.fullmatch(r"reading rows +[\d.]+ [kM]?B  elapsed 0:\d\d(  \(make .*)?", lines[0]), run
    assert "make setup" not in lines[0] and max(map(len, lines)) < 40


def test_line_that_does_not_fit_loses_whole_parts(checkout: Checkout) -> None:
    command = ". scripts/lib/progress.sh; first_that_fits 9 'one  two  three' 'one  two' one"
    assert checkout.run("sh", "-c", command).out == "one  two\n"
