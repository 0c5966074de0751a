"""Check that the project says each thing by one word: list the words that it has given up.

    python scripts/dev/check_words.py [--count] [ROOT]

Prints `FILE:LINE: word (use: better)` for each, in text and in file names, and exits with status 1
if there is any. `--count` prints how often each word occurs instead.

A word is found in any case, and as a part of a name in code: `folder` in `sync_folder` and in
`$folder`. A phrase is found across line ends. What is too common for a pattern is left to readers:
"way" for a mode and "our own", except in names; "whole" and "rows" for a mode; "far" and "next to",
except for the server; "cannot be" with a rare participle.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

SEARCHED = (
    "scripts",
    "helpers",
    "tests",
    "docs",
    "README.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "Makefile",
)
# They name the words.
NOT_SEARCHED = ("scripts/dev/check_words.py", "tests/test_words.py")
SUFFIXES = ("", ".awk", ".md", ".py", ".sh", ".sql", ".svg", ".txt")

# What to use, and what not: regular expressions, in which a space is any gap between words.
WORDS = {
    "temporary, replaced or previous database": ["companions?", "former"],
    "clean up": ["mend(s|ed|ing)?", "left-?overs that"],
    "crashed run": ["dead runs?", "runs? (that|which) (has |have |had )?died"],
    "verify": ["prov(e|es|ed|en|ing)", "proofs?"],
    "untrusted": ["strangers?"],
    "mode": [r"(?<=_)ways?", r"(?<=\$)way", r"(?<=\$\{)way", "way(?==)"],
    "restricted role": ["loaders?", "loaded without rights"],
    "on the server": [
        r"beside (the |its |a |\$)?server",
        r"next to (the |its |a |that |\$)?server",
        "far(?=_)",
        r"far(?=\.[a-z])",
        "far side",
    ],
    "signature": ["(un)?seal(s|ed|ing)?", "(?<=_)our_own"],
    "provider": ["clouds?", "CSPs?"],
    "default compression, pg_dump features": ["what matters", "surveys?"],
    "pipe, writer, reader": ["flows?", "produced", "consumed"],
    "skipped": ["left out"],
    "could not": [
        "cannot be ([a-z]+ed|made|had|read|set|taken|told|found|sent|written|shown|given|put|known)"
    ],
    "is unchanged": ["stands", "as it was"],
    "directory, path": ["folders?"],
    "replace": ["lay(s|ing)?", "laid", "brings?", "bringing", "brought", "put in place"],
}

# Where a word is right: the names of others, or another meaning.
EXCEPTIONS = {
    "CB-Tumblebug's names of columns": r"\w*csp_\w+",
    "the guide's words": r"cloud providers?|CSP data",
    "the manifest's line `summary:`": r"(\d|%s) CSPs|`summary:`.*CSPs",
    "a field in the manifests of earlier versions": r"seal:",
    "way as a plain word": r"gives?_way|all_ways",
    "a drawing of steps": r"flow charts?",
    "a package of Alpine Linux": r"cloud-utils-growpart",
}

GAP = r"(?:[ _-]|[ \t]*\n[ \t]*(?:\#|--|//)?[ \t]*)"


def pattern_of(word: str) -> re.Pattern[str]:
    """Return the pattern that finds the word, whole, in any case."""
    return re.compile(rf"(?<![A-Za-z]){word.replace(' ', GAP)}(?![A-Za-z])", re.IGNORECASE)


PATTERNS = [(use, pattern_of(word)) for use, words in WORDS.items() for word in words]
EXCEPTION = re.compile("|".join(EXCEPTIONS.values()), re.IGNORECASE)


def words_in(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield each word of the text that is to be replaced: its line, the word, what to use."""
    excused = [match.span() for match in EXCEPTION.finditer(text)]
    for use, pattern in PATTERNS:
        for match in pattern.finditer(text):
            if not any(start <= match.start() and match.end() <= end for start, end in excused):
                line = text.count("\n", 0, match.start()) + 1
                yield line, re.sub(GAP, " ", match[0].lower()), use


def files(root: Path) -> Iterator[Path]:
    """Yield the text files that are searched."""
    for name in SEARCHED:
        paths = [root / name] if (root / name).is_file() else sorted((root / name).rglob("*"))
        for path in paths:
            skipped = path.relative_to(root).as_posix() in NOT_SEARCHED
            if path.is_file() and path.suffix in SUFFIXES and not skipped:
                yield path


def findings(root: Path) -> Iterator[tuple[str, int, str, str]]:
    """Yield the file, line, word and what to use, for file names (as line 1) and for text."""
    for path in files(root):
        name = path.relative_to(root).as_posix()
        for _, word, use in words_in(name):
            yield name, 1, f"{word} in the file's name", use
        for line, word, use in sorted(words_in(path.read_text())):
            yield name, line, word, use


def main(arguments: list[str]) -> int:
    """Print what is found; return 1 if there is anything."""
    places = [each for each in arguments if each != "--count"]
    found = list(findings(Path(places[0] if places else ".")))
    if "--count" in arguments:
        for word, count in Counter(word for _, _, word, _ in found).most_common():
            print(f"{count:5} {word}")
        return 0
    for name, line, word, use in found:
        print(f"{name}:{line}: {word} (use: {use})")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
