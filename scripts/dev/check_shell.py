"""Check how the shell scripts are built: layers, headers, names and lengths.

    python scripts/dev/check_shell.py [--count] [ROOT]

Prints one line for each violation, `FILE:LINE: what`, and exits with status 1 if there is any.
With `--count` it checks nothing, and prints how many functions and variables cross files.

- LAYERS lists every library. A library calls only functions of libraries that are listed before it.
- A variable in lower case that one file sets and another one reads is named in both headers:
  in `Sets:` where a library sets it, in `Needs:` where a library reads it. Scripts need no header.
- A header names only what its file reads or sets.
- Two files of a run that set the same variable, one of them a library, name it in `Sets:`.
- A function is defined once, except what every script has: main, usage, parse_options.
- A library has at most 220 lines; a line of shell, awk, SQL or Python has at most 100 columns.

A header is part of the comment at the top of a library. A list may continue on the next line:

    # Needs: backup_file server_version
    #   load_jobs
    # Sets: staging

A function `f() ( ... )` is a subshell: what it sets is its own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from shell_code import NAME, functions

LAYERS = {
    "base": "use text hash messages options programs env-file service-file settings work json"
    " process python",
    "server": "time-limit call-input verified-call container-engine backends/docker"
    " backends/direct backends/kubectl backend session errors compose",
    "things": "lock clean-up confirmation client-programs databases rights gzip"
    " backup-file embedded-manifest signature manifest fingerprints schema publish rclone",
    "workflow": "progress report off-site upload contents columns modes untrusted"
    " pg-restore owners kept-schema load kept-copy preflight verify verification-result compare"
    " restore-test catalog guards tables in-place hooks private-server tumblebug",
}
LISTED = " ".join(LAYERS.values()).split()
MOST_LINES = 220
MOST_COLUMNS = 100
SUFFIXES = (".sh", ".awk", ".sql", ".py")
PREDICATE = re.compile(r"(is|has|have|needs|may|lacks)_|\w+_(exists?|differ)$")
IN_EVERY_SCRIPT = ("main", "usage", "parse_options", "take_option")


@dataclass
class Source:
    """A shell file: its functions, its header, what it calls, sets and reads, each with its line.

    ``assigns`` are the variables that an assignment sets, not `for` or `read`;
    ``set_by_predicates`` are functions that ask a question, and the variables that they set.
    """

    path: str
    library: str | None
    lines: list[str]
    header: dict[str, dict[str, int]]
    functions: dict[str, list[int]] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    sets: dict[str, int] = field(default_factory=dict)
    assigns: dict[str, int] = field(default_factory=dict)
    reads: dict[str, int] = field(default_factory=dict)
    set_by_predicates: list[tuple[str, str, int]] = field(default_factory=list)


# --- reading the files ---


def header_of(lines: list[str]) -> dict[str, dict[str, int]]:
    """Return the names in the lists of a library's header, each with its line."""
    header: dict[str, dict[str, int]] = {"Needs": {}, "Sets": {}}
    current = None
    for number, line in enumerate(lines, 1):
        match = re.match(r"# (Needs|Sets):(.*)", line)
        if not line.startswith("#"):
            break
        if match:
            current = match[1]
        elif not line.startswith("#   "):
            current = None
        if current:
            names = re.findall(NAME, match[2] if match else line)
            header[current].update(dict.fromkeys(names, number))
    return header


def read_source(path: Path, root: Path) -> Source:
    """Return what a shell file below ``root`` defines, calls, sets and reads."""
    text = path.read_text()
    directory = root / "scripts" / "lib"
    is_library = directory in path.parents
    library = path.relative_to(directory).with_suffix("").as_posix() if is_library else None
    lines = text.splitlines()
    source = Source(path.relative_to(root).as_posix(), library, lines, header_of(lines))
    for body, is_subshell in functions(text):
        changed = {name for kind, name, _ in body if kind in ("set", "assign")}
        function = next((name for kind, name, _ in body if kind == "function"), "")
        for kind, name, line in body:
            if kind == "function":
                source.functions.setdefault(name, []).append(line)
            elif kind == "call":
                source.calls.setdefault(name, line)
            elif not (is_subshell and name in changed):
                if kind == "assign":
                    source.assigns.setdefault(name, line)
                if kind in ("assign", "set"):
                    source.sets.setdefault(name, line)
                    if PREDICATE.match(function):
                        source.set_by_predicates.append((function, name, line))
                if kind == "read":
                    source.reads.setdefault(name, line)
    return source


# --- the rules: each yields the file, the line, and what is wrong ---

Violation = tuple[str, int, str]


def long_files_and_lines(root: Path, sources: list[Source]) -> Iterator[Violation]:
    for source in sources:
        if source.library and len(source.lines) > MOST_LINES:
            yield source.path, MOST_LINES + 1, f"the library has more than {MOST_LINES} lines"
    for path in (root / "scripts").rglob("*.*"):
        if path.suffix in SUFFIXES:
            name = path.relative_to(root).as_posix()
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if len(line) > MOST_COLUMNS:
                    yield name, number, f"the line has more than {MOST_COLUMNS} columns"


def unlisted_libraries(sources: list[Source]) -> Iterator[Violation]:
    for source in sources:
        if source.library and source.library not in LISTED:
            yield source.path, 1, "LAYERS does not list this library"


def calls_of_later_files(sources: list[Source]) -> Iterator[Violation]:
    places = {library: place for place, library in enumerate(LISTED)} | {None: len(LISTED)}
    known = [source for source in sources if source.library in places]
    owners = owners_of_functions(known)
    for source in known:
        for name, line in source.calls.items():
            owner = owners.get(name, source)
            if name not in source.functions and places[owner.library] > places[source.library]:
                what = f"calls {name} of {owner.path}, which the layers list later"
                yield source.path, line, what


def owners_of_functions(sources: list[Source]) -> dict[str, Source]:
    """Return the file that defines each function, the first where several do."""
    owners = {name: source for source in reversed(sources) for name in source.functions}
    return {name: owner for name, owner in owners.items() if name not in IN_EVERY_SCRIPT}


def functions_defined_twice(sources: list[Source]) -> Iterator[Violation]:
    first: dict[str, Source] = {}
    for source in sources:
        for name, lines in source.functions.items():
            other = first.setdefault(name, source)
            is_usual = name in IN_EVERY_SCRIPT and not other.library and other is not source
            for line in lines if other is not source and not is_usual else lines[1:]:
                yield source.path, line, f"defines the function {name}, as {other.path} does"


def crossings(sources: list[Source]) -> list[tuple[str, Source, Source]]:
    """Return each variable that one file sets for another, with the two files, libraries first.

    A variable that both set is local to each, unless the first assigns it and does not read it.
    """
    return [
        (name, setter, reader)
        for reader in sources
        for name in reader.reads
        for setter in sources
        if name.islower()
        and setter is not reader
        and (setter.library or reader.library)
        and name in setter.sets
        and (name not in reader.sets or (name in setter.assigns and name not in setter.reads))
    ]


def reads_without_header(sources: list[Source]) -> Iterator[Violation]:
    setters = {(name, reader.path): setter for name, setter, reader in reversed(crossings(sources))}
    for reader in sources:
        for name, line in reader.reads.items():
            setter = setters.get((name, reader.path))
            if setter and reader.library and name not in reader.header["Needs"]:
                what = f"reads {name}, which {setter.path} sets, without naming it in Needs:"
                yield reader.path, line, what


def sets_without_header(sources: list[Source]) -> Iterator[Violation]:
    crossing = crossings(sources)
    readers = {(name, setter.path): reader for name, setter, reader in reversed(crossing)}
    for name in {name for name, _, _ in crossing}:
        setters = [source for source in sources if name in source.sets]
        for setter in setters:
            other = next((each for each in setters if each is not setter), None)
            reader = readers.get((name, setter.path))
            use = f"{reader.path} reads" if reader else ""
            if other and (other.library or not reader):
                use = f"{other.path} sets too"
            if setter.library and name not in setter.header["Sets"]:
                what = f"sets {name}, which {use}, without naming it in Sets:"
                yield setter.path, setter.sets[name], what


def variables_set_twice(sources: list[Source]) -> Iterator[Violation]:
    """A name that a library and another file of the same run both set has two meanings.

    Unless the libraries name it in `Sets:`: then it is one variable.
    """
    of_a_run = [each for each in sources if each.library or each.path.count("/") == 1]
    reported = {name for name, _, _ in crossings(sources)}
    for source in of_a_run:
        for name, line in source.sets.items():
            others = [each for each in of_a_run if name in each.sets and each is not source]
            libraries = [each for each in [source, *others] if each.library]
            is_shared = all(name in each.header["Sets"] for each in libraries)
            if name.islower() and others and libraries and not (is_shared or name in reported):
                yield source.path, line, f"sets {name}, as {others[0].path} does"


def predicates_that_set(sources: list[Source]) -> Iterator[Violation]:
    for source in sources:
        for function, name, line in source.set_by_predicates:
            yield source.path, line, f"{function} asks a question, and sets {name}"


def headers_without_variable(sources: list[Source]) -> Iterator[Violation]:
    for source in sources:
        for title, used, verb in (("Needs", source.reads, "read"), ("Sets", source.sets, "set")):
            for name, line in source.header[title].items():
                if source.library and name not in used:
                    what = f"{title}: names {name}, which the file does not {verb}"
                    yield source.path, line, what


def counts(sources: list[Source]) -> dict[str, int]:
    """Return how many functions and variables one file defines and another one uses."""
    owners = owners_of_functions(sources)
    called = {(name, source.path) for source in sources for name in source.calls}
    used = {name for name, path in called if name in owners and owners[name].path != path}
    return {
        "functions": sum(len(source.functions) for source in sources),
        "functions used across files": len(used),
        "variables used across files": len({name for name, _, _ in crossings(sources)}),
        "lines of shell": sum(1 for source in sources for line in source.lines if line.strip()),
    }


def read_sources(root: Path) -> list[Source]:
    """Return all shell files, the libraries first."""
    paths = sorted((root / "scripts").rglob("*.sh"))
    return sorted((read_source(path, root) for path in paths), key=lambda each: not each.library)


def main(arguments: list[str]) -> int:
    places = [each for each in arguments if each != "--count"]
    root = Path(places[0] if places else ".")
    sources = read_sources(root)
    if "--count" in arguments:
        for what, number in counts(sources).items():
            print(f"{number:5} {what}")
        return 0
    found = [
        *long_files_and_lines(root, sources),
        *unlisted_libraries(sources),
        *calls_of_later_files(sources),
        *functions_defined_twice(sources),
        *reads_without_header(sources),
        *sets_without_header(sources),
        *variables_set_twice(sources),
        *predicates_that_set(sources),
        *headers_without_variable(sources),
    ]
    for path, line, what in sorted(found):
        print(f"{path}:{line}: {what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
