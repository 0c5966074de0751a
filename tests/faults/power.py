"""What a power loss may leave in a directory, computed from the system calls of a run.

The model: what was written to a file is whole only after a sync of the file; before, the file may
be empty, cut, or of zeros. A new name, a rename or a removal is certain only after a sync of the
directory; before, any choice of them may be undone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from faults.syscalls import Call

State = dict[str, bytes]


@dataclass(eq=False)
class File:
    """A file under any name: its content in the end, and whether that is on the disk."""

    content: bytes
    synced: bool = False

    def remains(self) -> list[bytes]:
        """Return what it may hold after a power loss."""
        if self.synced or not self.content:
            return [self.content]
        return [
            self.content,
            b"",
            self.content[: len(self.content) // 2],
            bytes(len(self.content)),
        ]


@dataclass
class Directory:
    """A directory while a run changes it: the names on the disk, and the changes since."""

    path: Path
    certain: dict[str, File]
    contents: dict[str, bytes]
    pending: list[dict[str, File | None]] = field(default_factory=list)

    def now(self) -> dict[str, File]:
        return applied(self.certain, self.pending)

    def follow(self, call: Call) -> None:
        """Apply a call."""
        if "dir" in call.name:  # an empty directory, which is removed again, is no file
            return
        names = [Path(path).name for path in call.paths if Path(path).parent == self.path]
        if call.name in ("fsync", "fdatasync"):
            if Path(call.paths[0]) == self.path:
                self.certain, self.pending = self.now(), []
            for name in names:
                self.now()[name].synced = True
        elif call.name.startswith("rename") and len(names) == 2:
            self.pending.append({names[1]: self.now()[names[0]], names[0]: None})
        elif call.name.startswith("unlink") and names[0] in self.now():
            self.pending.append({names[0]: None})
        elif call.name == "openat" and call.writes and names and names[0] not in self.now():
            content = self.contents.get(names[0], b"")  # empty: a file that is removed again
            self.pending.append({names[0]: File(content)})
        elif names and call.writes and (call.name != "openat" or "O_TRUNC" in call.arguments):
            self.now()[names[-1]].synced = False

    def states(self) -> Iterator[State]:
        """Yield what a power loss now may leave."""
        for chosen in product((True, False), repeat=len(self.pending)):
            kept = [change for change, keep in zip(self.pending, chosen, strict=True) if keep]
            files = applied(self.certain, kept)
            for contents in product(*(file.remains() for file in files.values())):
                yield dict(zip(files, contents, strict=True))


def applied(files: dict[str, File], changes: Iterable[dict[str, File | None]]) -> dict[str, File]:
    files = dict(files)
    for change in changes:
        for name, file in change.items():
            if file is None:
                files.pop(name, None)
            else:
                files[name] = file
    return files


def states_of(path: Path, before: State, after: State, calls: list[Call]) -> list[State]:
    """Return each state that a power loss during these calls may leave in the directory.

    ``before`` is what it holds before them, ``after`` what it holds then, under the last names.
    """
    contents = dict(after)
    for call in reversed(calls):  # a partial file ends under another name
        if call.name.startswith("rename") and len(call.paths) == 2:
            old, new = (Path(each) for each in call.paths)
            if old.parent == new.parent == path and new.name in contents:
                contents[old.name] = contents[new.name]
    files = {name: File(content, synced=True) for name, content in before.items()}
    directory = Directory(path, files, contents)
    states: dict[tuple, State] = {}
    for call in calls:
        directory.follow(call)
        for state in directory.states():
            states[tuple(sorted(state.items()))] = state
    return list(states.values())


def read_state(path: Path) -> State:
    return {file.name: file.read_bytes() for file in path.iterdir() if file.is_file()}


def write_state(path: Path, state: State) -> None:
    """Make this what the directory holds."""
    for file in path.iterdir():
        file.unlink()
    for name, content in state.items():
        (path / name).write_bytes(content)
