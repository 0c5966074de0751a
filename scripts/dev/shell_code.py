"""Read shell code: the functions that it defines and calls, the variables that it sets and reads.

Enough of the grammar of POSIX sh for the project's scripts, as shfmt formats them. A call is a word
where the grammar expects a command. Not seen are commands whose names are put together at run time
("find_$backend"), and functions that are arguments of others, except for those of RUNNERS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# The project's functions whose arguments are a command, a file and a command, or functions.
RUNNERS = {
    **dict.fromkeys(["background", "background_with_messages", "exec_in_child"], "command"),
    "without_messages": "command",
    "background_from": "file",
    **dict.fromkeys(["pipe", "at_end", "clean_up_by"], "function"),
}

NAME = r"[A-Za-z_][A-Za-z0-9_]*"
TOKEN = re.compile(
    rf"""(?P<space> [ \t]+ | \\\n | \#[^\n]* )
    | (?P<document> <<-? (?P<quote>['"\\]?) (?P<end>\w+) ['"]? )
    | (?P<redirection> [0-9]* (?: <> | >> | >& | <& | >\| | < | > ) [ \t]* )
    | (?P<operator> ;; | && | \|\| | [;&|()\n] )
    | (?P<function> {NAME}\(\) )""",
    re.VERBOSE,
)
WORD_ENDS = " \t\n;&|()<>"
PARAMETER = re.compile(rf"\$(?:(?P<bare>{NAME})|\{{#?(?P<in_braces>{NAME})(?P<default>:?=)?)")

# What a command word is followed by: a command, a file and a command, or arguments, which are
# plain or are variables, functions or code. After `for` comes one variable; after `case` come a
# word, "in" and patterns.
FOLLOWS = {
    **dict.fromkeys(["if", "then", "elif", "else", "while", "until", "do", "!", "{"], "command"),
    **dict.fromkeys(["fi", "done", "esac", "}"], "argument"),
    **dict.fromkeys(["read", "export", "unset"], "name"),
    **dict.fromkeys(["eval", "trap"], "code"),
    **RUNNERS,
    "for": "variable",
    "case": "in",
}

# A piece of code, or something that it does: its kind, its text, its line.
Item = tuple[str, str, int]


def functions(code: str) -> Iterator[tuple[list[Item], bool]]:
    """Yield what each function does, and whether it is a subshell; at last the code outside.

    The kinds of what they do are function, open, close, call, read, assign, and set, which is what
    `for` and `read` do to a variable.
    """
    outside: list[Item] = []
    body, depth = outside, 0
    for item in effects(code, 1):
        kind, text, _ = item
        if kind == "function":
            body, depth = [], 0
        body.append(item)
        depth += {"open": 1, "close": -1}.get(kind, 0)
        if kind == "close" and depth == 0 and body is not outside:
            yield body, text == ")"
            body = outside
    yield outside, False


def effects(code: str, line: int) -> Iterator[Item]:
    """Yield what the code does, in its order; ``line`` is the number of its first line."""
    expected = "command"
    for kind, text, here in tokens(code, line):
        if kind == "function":
            yield kind, text.removesuffix("()"), here
        elif kind == "operator" and expected == "pattern":
            expected = "command" if text == ")" else "pattern"
        elif kind == "operator":
            if text in "()":
                yield "open" if text == "(" else "close", text, here
            expected = {";;": "pattern", ")": "argument"}.get(text, "command")
        elif kind == "document":
            yield from expansions(text, here, quoted=True)
        elif kind == "redirection":
            yield from expansions(text, here)
        elif expected == "command":
            yield from command_effects(text, here)
            expected = "command" if assigned(text) else FOLLOWS.get(text, "argument")
        elif expected == "code":
            yield from effects(unquoted(text), here)
        else:
            yield from expansions(text, here)
            if expected in ("variable", "name") and (match := re.match(NAME, text)):
                yield "set", match[0], here
            if expected == "function":
                yield "call", text, here
            if expected == "file":
                expected = "command"
            elif expected == "variable" or (expected, text) == ("pattern", "esac"):
                expected = "argument"
            elif (expected, text) == ("in", "in"):
                expected = "pattern"


def command_effects(word: str, line: int) -> Iterator[Item]:
    """Yield what a word does where a command is expected."""
    yield from expansions(word, line)
    if name := assigned(word):
        yield "assign", name, line
    elif word in "{}":
        yield "open" if word == "{" else "close", word, line
    else:
        yield "call", word, line


def assigned(word: str) -> str | None:
    match = re.match(rf"({NAME})=", word)
    return match and match[1]


def unquoted(word: str) -> str:
    return re.sub(r"\\(.)", r"\1", word[1:-1]) if word[0] in "'\"" else word


def expansions(text: str, line: int, quoted: bool = False) -> Iterator[Item]:
    """Yield what the expansions and command substitutions in a word or a document do."""
    at = 0
    while at < len(text):
        here = line + text.count("\n", 0, at)
        if text[at] == "\\":
            at += 2
        elif text[at] == "'" and not quoted:
            at = text.index("'", at + 1) + 1
        elif text[at] == '"':
            start, at = at + 1, skip_to('"', text, at + 1, quoted=True) + 1
            yield from expansions(text[start : at - 1], here, quoted=True)
        elif text.startswith("$(", at):
            start, at = at + 2, skip_to(")", text, at + 2) + 1
            substituted = arithmetic if text[start] == "(" else effects
            yield from substituted(text[start : at - 1], here)
        elif match := PARAMETER.match(text, at):
            name, at = match["bare"] or match["in_braces"], match.end()
            yield "read", name, here
            if match["default"]:
                yield "assign", name, here
        else:
            at += 1


def arithmetic(text: str, line: int) -> Iterator[Item]:
    """Yield what the inside of $((...)) does; variables need no dollar sign there."""
    yield from expansions(text, line, quoted=True)
    for name in re.findall(rf"(?<![\w$]){NAME}", re.sub(r"\$[({].*?[)}]", "", text)):
        yield "read", name, line


def tokens(code: str, line: int) -> Iterator[Item]:
    """Yield words, operators, the heads of functions, targets of redirections, here-documents."""
    at, start = 0, 0
    waiting: list[re.Match[str]] = []
    while at < len(code):
        line, start = line + code.count("\n", start, at), at
        match = TOKEN.match(code, at)
        kind = str(match.lastgroup) if match else "word"
        at = match.end() if match else at
        if kind in ("word", "redirection"):
            begin, at = at, skip_to(WORD_ENDS, code, at)
            yield kind, code[begin:at], line
        elif match and kind == "document":
            waiting.append(match)
        elif match and kind != "space":
            yield kind, match[0], line
        if code[start:at] == "\n":
            for head in waiting:
                text, at = document(head, code, at)
                yield "document", text, line + 1
            waiting.clear()


def document(head: re.Match[str], code: str, at: int) -> tuple[str, int]:
    """Return the here-document at this place, empty where nothing expands in it, and its end."""
    end = re.compile(rf"^\t*{head['end']}$", re.MULTILINE).search(code, at)
    if not end:
        raise ValueError(f"a here-document has no end '{head['end']}'")
    return "" if head["quote"] else code[at : end.start()], end.end()


def skip_to(stops: str, text: str, at: int, quoted: bool = False) -> int:
    """Return where the next of the characters ``stops`` is, past what is quoted or nested."""
    while at < len(text) and text[at] not in stops:
        if text[at] == "\\":
            at += 2
        elif text[at] == "'" and not quoted:
            at = text.index("'", at + 1) + 1
        elif text[at] == '"':
            at = skip_to('"', text, at + 1, quoted=True) + 1
        elif text.startswith("${", at):
            at = skip_to("}", text, at + 2, quoted) + 1
        elif text.startswith("$(", at) or (text[at] == "(" and not quoted):
            at = skip_to(")", text, text.index("(", at) + 1) + 1
        elif text[at] == "#" and stops == ")" and text[at - 1].isspace():
            at = text.index("\n", at)
        else:
            at += 1
    return at
