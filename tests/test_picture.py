"""make picture: it draws what the terminal shows at the end, shortened, and loads nothing."""

from __future__ import annotations

import runpy
from pathlib import Path

PROJECT = Path(__file__).parent.parent
DRAW = runpy.run_path(str(PROJECT / "scripts/dev/draw_demo.py"))
RESULT = "image_info    40,600\r\n\r\n"
WRITTEN = (
    "\033[1m--- Start a server\033[0m\r\nholds rows\r\n\r\n"
    "--- Back it up\r\n$ backup\r\nbacking up\r\n\r\033[K 63 %\r\033[Kverifying\r\n"
    + RESULT
    + "--- "
    "Restore it\r\n$ restore\r\n" + "message\r\n" * 50 + RESULT + "--- Compare it\r\n\033[32mequal"
    "\033[0m\r\n\r\nnext steps\r\n"
)


def picture(written: str) -> str:
    drawn = DRAW["drawn"](DRAW["shortened"](DRAW["steps"](written)))
    return drawn.replace("&#160;", " ")


def test_overwritten_lines_and_other_steps_are_not_drawn() -> None:
    drawn = picture(WRITTEN)
    assert "verifying</text>" in drawn and "63 %" not in drawn
    assert "holds rows" not in drawn and "next steps" not in drawn


def test_long_steps_are_shortened_after_the_command() -> None:
    drawn = picture(WRITTEN)
    assert drawn.count("clipPath id=") - 2 <= DRAW["MAXIMUM_LINES"]
    assert drawn.index("$ restore<") < drawn.index("…<") < drawn.rindex("image_info    40,600<")
    assert "backing up<" in drawn and "equal<" in drawn


def test_terminal_has_80_columns_and_colours() -> None:
    written = DRAW["recorded"](["sh", "-c", r"stty size; test -t 1; printf '\033[32mgreen\n'"])
    assert written == "40 80\r\n\033[32mgreen\r\n"


def test_picture_of_the_readme_loads_nothing() -> None:
    drawn = (PROJECT / "docs" / "demo.svg").read_text()
    assert "the same as before" in drawn.replace("&#160;", " ")
    for loading in ("@font-face", "url(&", "url(h", 'url("', "href", "<script", "<image"):
        assert loading not in drawn
