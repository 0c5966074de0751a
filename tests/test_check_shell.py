"""The check of the shell scripts' structure: it finds each kind of violation, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
CHECK = PROJECT / "scripts/dev/check_shell.py"

SCRIPT = """#!/bin/sh
# A script.

usage() {
    echo "usage: $0"
}

main() {
    parse_options "$@"
    work=/tmp
    say "hello"
}

parse_options() {
    words=$#
}

main "$@"
"""
MESSAGES = """\
# shellcheck shell=sh
# Messages to the user.
# Needs: work
#   words
# Sets: spoken

say() {
    spoken="$1 $words"
    echo "$1" >>"$work/said"
}
"""
SESSION = """\
# shellcheck shell=sh
# A session on the server.
# Needs: spoken

ask() {
    [ -n "$spoken" ] || say "asking"
}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small tree that breaks no rule: two scripts, a base library and a server library."""
    library = tmp_path / "scripts/lib"
    library.mkdir(parents=True)
    (library.parent / "first.sh").write_text(SCRIPT)
    (library.parent / "second.sh").write_text(SCRIPT)
    (library / "messages.sh").write_text(MESSAGES)
    (library / "session.sh").write_text(SESSION)
    return tmp_path


def add(root: Path, name: str, text: str) -> None:
    """Append text to a file below scripts, which may be new."""
    with (root / "scripts" / name).open("a") as file:
        file.write(text)


def check(root: Path, *options: str) -> tuple[int, str]:
    """Return the exit status and the output of the check."""
    run = subprocess.run(
        [sys.executable, CHECK, *options, root], capture_output=True, text=True, check=False
    )
    assert run.stderr == ""
    return run.returncode, run.stdout


def test_clean_tree_passes(root: Path) -> None:
    assert check(root) == (0, "")


def test_call_of_a_higher_layer_fails(root: Path) -> None:
    add(root, "lib/messages.sh", 'shout() {\n    say "$(ask)"\n}\n')
    assert check(root) == (
        1,
        "scripts/lib/messages.sh:12: calls ask of scripts/lib/session.sh, "
        "which the layers list later\n",
    )


def test_call_of_a_later_file_of_the_same_layer_fails(root: Path) -> None:
    add(root, "lib/settings.sh", "# Settings.\nload() {\n    true\n}\n")
    add(root, "lib/messages.sh", "reload() {\n    if load; then say again; fi\n}\n")
    assert check(root) == (
        1,
        "scripts/lib/messages.sh:12: calls load of scripts/lib/settings.sh, "
        "which the layers list later\n",
    )


def test_call_of_an_earlier_file_of_the_same_layer_passes(root: Path) -> None:
    add(root, "lib/settings.sh", "# Settings.\nload() {\n    say loading\n}\n")
    assert check(root) == (0, "")


def test_library_that_calls_a_script_fails(root: Path) -> None:
    add(root, "first.sh", "finish() {\n    true\n}\n")
    add(root, "lib/session.sh", "close() {\n    usage && finish\n}\n")
    assert check(root) == (
        1,
        "scripts/lib/session.sh:9: calls finish of scripts/first.sh, which the layers list later\n",
    )


def test_predicate_that_sets_a_variable_fails(root: Path) -> None:
    add(root, "lib/session.sh", 'is_open() {\n    state=$(ask)\n    [ "$state" = open ]\n}\n')
    assert check(root) == (
        1,
        "scripts/lib/session.sh:9: is_open asks a question, and sets state\n",
    )


def test_predicate_in_a_subshell_may_set_variables(root: Path) -> None:
    add(root, "lib/session.sh", 'is_open() (\n    state=$(ask)\n    [ "$state" = open ]\n)\n')
    assert check(root) == (0, "")


@pytest.mark.parametrize(
    "call",
    [
        "ask",
        "! ask",
        "true && ask",
        "true | ask",
        "(ask)",
        'answer="$(ask)"',
        'echo "${answer:-"$(ask)"}"',
        "LC_ALL=C ask",
        "background ask",
        'background_from "$1" ask',
        "pipe say ask",
        "trap 'ask' EXIT",
        "case $1 in\n        a | b) ask ;;\n    esac",
        "cat <<END\n$(ask)\nEND",
    ],
)
def test_every_form_of_a_call_is_recognised(root: Path, call: str) -> None:
    add(root, "lib/messages.sh", f"shout() {{\n    {call}\n}}\n")
    status, out = check(root)
    assert (status, "calls ask of scripts/lib/session.sh" in out) == (1, True)


@pytest.mark.parametrize(
    "words",
    [
        "echo ask # ask",
        'echo "ask; ask"',
        "echo 'ask\nask\n'",
        "say '#' ask",
        "cat <<END\nask\nEND",
        "cat <<'END'\n$(ask)\nEND",
        "ask=1",
        "background_from ask say ask",
        "for ask in ask; do true; done",
        "case ask in\n        ask) true ;;\n        (x | ask) true ;;\n    esac",
        'echo ask >ask "$((ask + 1))" "${ask#ask}" \\\n        ask',
    ],
)
def test_word_that_is_no_command_is_not_a_call(root: Path, words: str) -> None:
    add(root, "lib/messages.sh", f"shout() {{\n    {words}\n}}\n")
    assert check(root) == (0, "")


def test_unlisted_library_fails(root: Path) -> None:
    add(root, "lib/surprise.sh", "# A surprise.\n")
    assert check(root) == (1, "scripts/lib/surprise.sh:1: LAYERS does not list this library\n")


def test_variable_that_needs_does_not_name_fails(root: Path) -> None:
    add(root, "lib/lock.sh", "# The lock.\nlock() {\n    echo\n    echo $((spoken + 1))\n}\n")
    assert check(root) == (
        1,
        "scripts/lib/lock.sh:4: reads spoken, which scripts/lib/messages.sh sets, "
        "without naming it in Needs:\n",
    )


def test_variable_of_a_script_that_needs_does_not_name_fails(root: Path) -> None:
    add(root, "first.sh", "finished=yes\n")
    add(root, "lib/session.sh", 'close() {\n    [ -n "${finished-}" ]\n}\n')
    assert check(root) == (
        1,
        "scripts/lib/session.sh:9: reads finished, which scripts/first.sh sets, "
        "without naming it in Needs:\n",
    )


def test_default_of_a_variable_that_a_script_sets_is_no_excuse(root: Path) -> None:
    add(root, "first.sh", "finished=yes\n")
    add(root, "lib/session.sh", 'close() {\n    finished=\n    [ -n "$finished" ]\n}\n')
    assert check(root) == (
        1,
        "scripts/lib/session.sh:9: sets finished, which scripts/first.sh sets too, "
        "without naming it in Sets:\n"
        "scripts/lib/session.sh:10: reads finished, which scripts/first.sh sets, "
        "without naming it in Needs:\n",
    )


def test_variable_that_sets_does_not_name_fails(root: Path) -> None:
    add(root, "lib/session.sh", "open() {\n    read -r _ answer\n}\n")
    add(root, "first.sh", 'echo "$answer"\n')
    assert check(root) == (
        1,
        "scripts/lib/session.sh:9: sets answer, which scripts/first.sh reads, "
        "without naming it in Sets:\n",
    )


def test_cross_file_variable_that_a_second_library_sets_fails(root: Path) -> None:
    add(root, "lib/lock.sh", "# The lock.\nlock() {\n    for spoken in a b; do true; done\n}\n")
    assert check(root) == (
        1,
        "scripts/lib/lock.sh:3: sets spoken, which scripts/lib/messages.sh sets too, "
        "without naming it in Sets:\n",
    )


def test_cross_file_variable_that_two_headers_name_passes(root: Path) -> None:
    add(root, "lib/lock.sh", "# The lock.\n# Sets: spoken\nlock() {\n    spoken=\n}\n")
    assert check(root) == (0, "")


@pytest.mark.parametrize(
    "function",
    [
        'lock() {\n    answer=1\n    echo "$answer"\n}\n',
        'lock() (\n    words=1\n    echo "$words"\n)\n',
        'lock() {\n    while read -r answer; do echo "$answer"; done\n}\n',
        "lock() {\n    echo '$spoken' \\$spoken\n}\n",
        'lock() {\n    echo "$TB_POSTGRES_USER"\n}\n',
    ],
)
def test_variable_that_stays_in_its_file_passes(root: Path, function: str) -> None:
    add(root, "lib/lock.sh", "# The lock.\n" + function)
    assert check(root) == (0, "")


def test_variable_that_two_libraries_set_fails(root: Path) -> None:
    add(root, "lib/session.sh", 'close() {\n    answer=0\n    echo "$answer"\n}\n')
    add(root, "lib/lock.sh", '# The lock.\nlock() {\n    answer=1\n    echo "$answer"\n}\n')
    assert check(root) == (
        1,
        "scripts/lib/lock.sh:3: sets answer, as scripts/lib/session.sh does\n"
        "scripts/lib/session.sh:9: sets answer, as scripts/lib/lock.sh does\n",
    )


def test_subshell_function_sets_nothing_for_others(root: Path) -> None:
    add(root, "lib/lock.sh", "# The lock.\n# Sets: spoken\nlock() (\n    spoken=\n)\n")
    assert check(root) == (
        1,
        "scripts/lib/lock.sh:2: Sets: names spoken, which the file does not set\n",
    )


def test_header_that_names_what_the_file_does_not_use_fails(root: Path) -> None:
    add(root, "lib/lock.sh", "# The lock.\n# Needs: work\n#   PATH\n# Sets: key\n# And more.\n")
    assert check(root) == (
        1,
        "scripts/lib/lock.sh:2: Needs: names work, which the file does not read\n"
        "scripts/lib/lock.sh:3: Needs: names PATH, which the file does not read\n"
        "scripts/lib/lock.sh:4: Sets: names key, which the file does not set\n",
    )


@pytest.mark.parametrize(
    ("file", "name", "expected"),
    [
        (
            "lib/lock.sh",
            "ask",
            "scripts/lib/session.sh:5: defines the function ask, as scripts/lib/lock.sh does\n",
        ),
        (
            "lib/lock.sh",
            "main",
            "scripts/first.sh:8: defines the function main, as scripts/lib/lock.sh does\n"
            "scripts/second.sh:8: defines the function main, as scripts/lib/lock.sh does\n",
        ),
        (
            "first.sh",
            "ask",
            "scripts/first.sh:19: defines the function ask, as scripts/lib/session.sh does\n",
        ),
        (
            "first.sh",
            "main",
            "scripts/first.sh:19: defines the function main, as scripts/first.sh does\n",
        ),
    ],
    ids=["two libraries", "main in a library", "a library and a script", "one file"],
)
def test_function_that_is_defined_twice_fails(
    root: Path, file: str, name: str, expected: str
) -> None:
    add(root, file, f"{name}() {{\n    true\n}}\n")
    assert check(root) == (1, expected)


def test_function_that_two_scripts_define_fails(root: Path) -> None:
    for script in ("first.sh", "second.sh"):
        add(root, script, "finish() {\n    true\n}\n")
    assert check(root) == (
        1,
        "scripts/second.sh:19: defines the function finish, as scripts/first.sh does\n",
    )


def test_library_of_more_than_220_lines_fails(root: Path) -> None:
    add(root, "lib/session.sh", "\n" * 214)
    assert check(root) == (1, "scripts/lib/session.sh:221: the library has more than 220 lines\n")


def test_script_of_more_than_220_lines_passes(root: Path) -> None:
    add(root, "first.sh", "\n" * 214)
    assert check(root) == (0, "")


@pytest.mark.parametrize("file", ["first.sh", "lib/a.awk", "sql/a.sql", "dev/a.py", "remote/a.sh"])
def test_line_of_more_than_100_columns_fails(root: Path, file: str) -> None:
    (root / "scripts" / file).parent.mkdir(exist_ok=True)
    add(root, file, "#" + "é" * 99 + "\n#" + "é" * 100 + "\n")
    line = len((root / "scripts" / file).read_text().splitlines())
    assert check(root) == (1, f"scripts/{file}:{line}: the line has more than 100 columns\n")


def test_count_counts_what_crosses_files(root: Path) -> None:
    assert check(root, "--count") == (
        0,
        "    8 functions\n"
        "    1 functions used across files\n"
        "    3 variables used across files\n"
        "   43 lines of shell\n",
    )


def test_programs_that_compare_bytes_run_in_the_locale_c() -> None:
    """In other locales, busybox's awk rejects ranges of bytes as invalid expressions."""
    text = "".join(path.read_text() for path in (PROJECT / "scripts").rglob("*.sh"))
    commands = text.replace("\\\n", " ").splitlines()
    of_bytes = [command for command in commands if "awk/formats.awk" in command]
    assert of_bytes and all("LC_ALL=C" in command for command in of_bytes)
