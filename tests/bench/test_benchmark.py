"""The benchmark runs, and its page is written between the marks. No test asserts a time."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.sampling import ALL
from support.servers import Container

from bench import benchmark
from bench.benchmark import BACKUPS, GUIDE, OTHERS, OURS, RESTORES, SCALES, SHOWN, Figures, Results


@pytest.mark.skipif(not ALL, reason="TEST_ALL=yes runs it: half a minute")
def test_every_shown_command_is_measured(container: Container) -> None:
    backups, restores, others = benchmark.measure(0.01, 1)
    assert not others
    assert set(backups) | set(restores) == set(SHOWN)
    for results in (backups, restores):
        assert all(len(figures.seconds) == 1 for figures in results.values())
    assert 0 < backups[OURS[0]].file < backups[GUIDE].file
    assert restores[OURS[1]].memory > 0


def results(commands: dict[str, object], seconds: float) -> Results:
    return {name: Figures([seconds], file=1_000_000) for name in commands}


def test_page_and_chart_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "DOCS", tmp_path)
    page = tmp_path / "benchmarks.md"
    page.write_text(f"before\n{benchmark.BEGIN}\nold\n{benchmark.END}\nafter\n")
    measured = {
        scale: (results(BACKUPS, scale), results(RESTORES, 2 * scale), results(OTHERS, scale))
        for scale in SCALES
    }
    benchmark.write_page(measured, [("17", "backup: x", "1.00 s", "2.00")])
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert "| make backup-assets " in text and "### How the cost grows" in text and "20.0 s" in text
    assert "| 17 " in text
    assert (tmp_path / "benchmarks.svg").read_text().count("restore: ") >= len(RESTORES)
