"""Draw docs/demo.svg: run `make demo` on a terminal of 80 columns and draw what it shows.

    python scripts/dev/draw_demo.py

The picture holds the steps SHOWN, in at most MAXIMUM_LINES lines. If they have more, lines after
the command of the longest step are replaced by one line `…`.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

PROJECT = Path(__file__).resolve().parents[2]
PICTURE = PROJECT / "docs" / "demo.svg"
COLUMNS, MAXIMUM_LINES = 80, 40
SHOWN = ("--- Back it up", "--- Damage it", "--- Restore it", "--- Compare it")
COMMAND = "$ "
Step = list[Text]


def recorded(command: list[str]) -> str:
    """Run a command on a terminal of its own and return what it writes, with its colours.

    Raises CalledProcessError if it fails.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", MAXIMUM_LINES, COLUMNS, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env=environment | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    written = b""
    try:
        while piece := os.read(ours, 65536):
            written += piece
    except OSError:  # Linux's way to say that nobody holds the terminal any more
        pass
    os.close(ours)
    if process.wait() != 0:
        raise subprocess.CalledProcessError(process.returncode, command, written.decode())
    return written.decode()


def steps(written: str) -> list[Step]:
    """Return the lines of each step that is shown, as they are at the end."""
    found: list[Step] = []
    for line in written.split("\n"):
        line = line.rstrip("\r").rpartition("\r")[2]  # a progress line is overwritten
        text = Text.from_ansi(line.replace("\033[K", ""))
        if text.plain.startswith("--- "):
            found.append([])
        if found:
            found[-1].append(text)
    shown = [step for step in found if step[0].plain.startswith(SHOWN)]
    return [step[: first_empty(step)] for step in shown]


def first_empty(step: Step) -> int:
    """Return the number of the first empty line; what follows belongs to no step."""
    return next((number for number, line in enumerate(step) if not line.plain), len(step))


def shortened(steps: list[Step]) -> list[Step]:
    """Skip lines after commands until all steps, with a line between two, fit in the picture."""
    steps = [list(step) for step in steps]
    with_command = [step for step in steps if step[1].plain.startswith(COMMAND)]
    while sum(map(height, steps)) + len(steps) - 1 > MAXIMUM_LINES:
        longest = max(reversed(with_command), key=height)
        if longest[2].plain == "…":
            del longest[3]
        else:
            longest[2] = Text("…")
    return steps


def height(step: Step) -> int:
    return sum(max(1, -(-line.cell_len // COLUMNS)) for line in step)


def drawn(steps: list[Step]) -> str:
    """Return the picture as SVG."""
    console = Console(
        record=True,
        width=COLUMNS,
        file=io.StringIO(),
        force_terminal=True,
        color_system="standard",
        legacy_windows=False,
    )
    for number, step in enumerate(steps):
        if number:
            console.print()
        for line in step:
            for row in line.divide(range(COLUMNS, max(1, line.cell_len), COLUMNS)):
                console.print(row, no_wrap=True, highlight=False)
    picture = console.export_svg(title="make demo", unique_id="demo")
    # A picture loads nothing: rich names fonts on the web.
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    return picture.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, monospace")


def main() -> int:
    try:
        written = recorded([sys.executable, "-m", "helpers", "demo"])
    except subprocess.CalledProcessError as failure:
        print(f"error: the demo failed:\n{failure.output}", file=sys.stderr)
        return 1
    PICTURE.write_text(drawn(shortened(steps(written))))
    print(f"wrote {PICTURE.relative_to(PROJECT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
