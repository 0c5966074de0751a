"""The live line: its text, and that only a terminal gets it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.databases import Database
from support.fakes import without_python
from support.run import BACKUP, RESTORE

from helpers.progress import Progress, read_totals
from helpers.terminal import clock

MANY_ROWS = (
    "CREATE TABLE many AS SELECT n, repeat(md5(n::text), 8) AS t"
    " FROM generate_series(1, 400000) AS n"
)


def rows(table: str, done: int) -> dict:
    return {"kind": "rows", "table_name": table, "index_name": "", "done": done}


def test_line_tells_table_percent_rate_and_time_left() -> None:
    progress = Progress({"public.a": 100, "public.b": 900})
    progress.observe([rows("public.a", 40), rows("public.b", 160)])
    assert progress.line(0.5) == "public.a, public.b  20 %  0:00"
    assert progress.line(20) == "public.a, public.b  20 %  10 rows/s  1:20 left  0:20"


def test_table_that_is_no_longer_copied_counts_as_done() -> None:
    progress = Progress({"public.a": 100, "public.b": 900})
    progress.observe([rows("public.a", 40)])
    progress.observe([rows("public.b", 400)])
    assert progress.line(5).startswith("public.b  50 %")


def test_more_rows_than_estimated_never_show_as_more_than_all() -> None:
    progress = Progress({"public.a": 100})
    progress.observe([rows("public.a", 500)])
    assert "100 %" in progress.line(5)


def test_indexes_are_named_without_control_characters() -> None:
    progress = Progress({})
    progress.observe(
        [{"kind": "index", "table_name": "public.a", "index_name": "bad\x1b[2J", "done": 3}]
    )
    assert progress.line(0) == "index bad?[2J  0:00"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (65, "1:05"), (3725, "1:02:05")])
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_totals_are_read_from_a_manifests_lines(tmp_path: Path) -> None:
    (tmp_path / "tables").write_text('3 -12 public.a\n40 7 public."b c"\n')
    assert read_totals(tmp_path / "tables") == {"public.a": 3, 'public."b c"': 40}


def test_terminal_sees_one_live_line_and_output_stays_clean(direct: Database) -> None:
    direct.execute(MANY_ROWS)
    slowly = {"BACKUP_COMPRESSION": "zstd:12"}
    backup = direct.checkout.run_on_terminal(BACKUP, "many", answer=b"", **slowly)
    assert backup.status == 0, backup
    assert "\r\x1b[Kpublic.many" in backup.err and " %" in backup.err
    path = direct.checkout.path / "backups/postgres/many.dump.gz"
    restore = direct.checkout.run_on_terminal(RESTORE, path, answer=b"yes\n")
    assert restore.status == 0, restore
    assert "\r\x1b[Kpublic.many" in restore.err
    for run in (backup, restore):
        assert "\r" not in run.out and "\x1b" not in run.out
        assert "Traceback" not in run.err and "erminated" not in run.err
    assert direct.left_behind() == []


def test_without_a_terminal_each_step_is_one_line(direct: Database) -> None:
    run = direct.backup("x.dump.gz")
    assert run.status == 0, run
    assert "\r" not in run.err and "\x1b" not in run.err


def test_without_python_the_line_counts_bytes(direct: Database) -> None:
    direct.execute(MANY_ROWS)
    no_python = without_python(direct.checkout)
    run = direct.checkout.run_on_terminal(
        BACKUP,
        "./x.dump.gz",
        answer=b"",
        **no_python,
        BACKUP_COMPRESSION="zstd:12",
    )
    assert run.status == 0, run
    assert " MB" in run.err.partition("wrote ")[0] and "\r" in run.err
