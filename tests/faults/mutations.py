"""Inputs changed by their structure: manifests, archives, settings, names, answers.

Every choice is that of the given random.Random, so that a seed repeats a case.
"""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path
from random import Random

from support.backups import members, with_checksum
from support.fakes import count_calls

NUMBERS = ["-1", "0", "1.5", "1e9", "00012", "0x10", "9" * 15, "9" * 16, "9" * 400, str(2**63)]
TEXTS = ["", " ", "yes", "NaN", "한글 😀", "\u202ex", "\x1b[31m", "a\tb", "\r", "x" * 5000, "%s%n"]
LENGTHS = [0, 1, 255, 2**16, 2**24, 2**31 - 1, 2**31, 2**32 - 1]


def attacks(canary: str) -> list[str]:
    """Return texts that make the file, if a shell or psql takes them for code."""
    return [
        f"$(touch {canary})",
        f"`touch {canary}`",
        f"'; touch {canary}; '",
        f'"; touch {canary}; "',
        f"\\! touch {canary}",
        f"PATH[$(touch${{IFS}}{canary})0]",
        f"'; COPY (SELECT 1) TO PROGRAM 'touch {canary}'; --",
    ]


def odd_value(random: Random, canary: str) -> str:
    return random.choice(random.choice([NUMBERS, TEXTS, attacks(canary)]))


# --- manifests ---


def mutated_manifest(random: Random, manifest: str, canary: str) -> str:
    """Return a manifest with one to three changes; its checksum is right most of the time."""
    lines = [line for line in manifest.splitlines() if not line.startswith("manifest: ")]
    for _ in range(random.randint(1, 3)):
        lines = random.choice(MANIFEST_CHANGES)(random, lines, canary)
    text = "".join(f"{line}\n" for line in lines)
    if random.random() < 0.8:
        return with_checksum(text)
    return text + random.choice(["", "manifest: \n", f"manifest: {'0' * 64}\n", "manifest: x"])


def any_line(random: Random, lines: list[str]) -> int:
    return random.randrange(len(lines)) if lines else 0


def drop_line(random: Random, lines: list[str], _: str) -> list[str]:
    where = any_line(random, lines)
    return lines[:where] + lines[where + 1 :]


def double_line(random: Random, lines: list[str], _: str) -> list[str]:
    where = any_line(random, lines)
    return lines[:where] + lines[where : where + 1] * random.choice([2, 3, 1000]) + lines[where:]


def reorder(random: Random, lines: list[str], _: str) -> list[str]:
    start = any_line(random, lines)
    some = lines[start : start + random.randint(2, 8)]
    random.shuffle(some)
    return lines[:start] + some + lines[start + len(some) :]


def rename_field(random: Random, lines: list[str], canary: str) -> list[str]:
    where = any_line(random, lines)
    name = random.choice(["sha256", "bytes", "tables", "signature", odd_value(random, canary)])
    changed = [re.sub("^[^:]*", lambda _: name, line, count=1) for line in lines[where : where + 1]]
    return lines[:where] + changed + lines[where + 1 :]


def set_field(random: Random, lines: list[str], canary: str) -> list[str]:
    fields = [number for number, line in enumerate(lines) if re.match("[a-z][a-z0-9-]*: ", line)]
    if not fields:
        return lines
    where = random.choice(fields)
    name = lines[where].partition(": ")[0]
    return [*lines[:where], f"{name}: {odd_value(random, canary)}", *lines[where + 1 :]]


def change_table(random: Random, lines: list[str], canary: str) -> list[str]:
    tables = [number for number, line in enumerate(lines) if re.match(r"\d+ -?\d+ ", line)]
    if not tables:
        return lines
    where = random.choice(tables)
    parts = lines[where].split(" ", 2)
    parts[random.randrange(3)] = odd_value(random, canary)
    return [*lines[:where], " ".join(parts), *lines[where + 1 :]]


def add_tables(random: Random, lines: list[str], _: str) -> list[str]:
    count = random.choice([1, 100, 20_000])
    return lines + [f"{number} {number * 7} public.t{number}" for number in range(count)]


def cut_lines(random: Random, lines: list[str], _: str) -> list[str]:
    return lines[: any_line(random, lines)]


MANIFEST_CHANGES = [
    drop_line,
    double_line,
    reorder,
    rename_field,
    set_field,
    set_field,
    change_table,
    add_tables,
    cut_lines,
]


# --- the members with the manifest, at the end of a file ---


def mutated_members(random: Random, content: bytes, manifest: bytes) -> bytes:
    """Return the file with its manifest in it, whose gzip members are changed."""
    whole = members(manifest)
    match random.choice(["cut", "doubled", "followed", "length", "header", "swapped", "bomb"]):
        case "cut":
            return content + whole[: random.randrange(len(whole))]
        case "doubled":
            return content + whole * random.choice([2, 3])
        case "followed":
            other = random.choice([gzip.compress(b"x"), b"\0" * 512, b"\n", random.randbytes(99)])
            return content + whole + other
        case "length":
            length = random.choice([b"0000000000", b"9999999999", b"0000000019", b"0010000000"])
            return content + re.sub(rb"length: \d{10}", b"length: " + length, whole)
        case "header":
            return content + changed_bytes(random, whole, 0, min(len(whole), 40))
        case "swapped":
            return content + members(manifest[::-1])
    bomb = zlib.compressobj(9, wbits=31)
    many = 1024 if random.random() < 0.3 else 64
    packed = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(many)) + bomb.flush()
    return content + packed + random.choice([b"", whole])


def changed_bytes(random: Random, data: bytes, start: int, end: int) -> bytes:
    changed = bytearray(data)
    for _ in range(random.randint(1, 4)):
        changed[random.randrange(start, end)] = random.choice([0, 1, 127, 128, 255])
    return bytes(changed)


# --- archives in PostgreSQL's custom format ---


def number(value: int) -> bytes:
    """Return a number as an archive has it: a sign, then four bytes, the low one first."""
    return bytes([value < 0]) + (abs(value) % 2**32).to_bytes(4, "little")


def header_end(archive: bytes) -> int:
    """Return where the count of the table of contents is."""
    at = 11 + (1 if archive[6] >= 15 else 5) + 7 * 5
    for _ in range(3):
        at += 5 + int.from_bytes(archive[at + 1 : at + 5], "little")
    return at


def blocks(archive: bytes) -> dict[int, int]:
    """Return the places of the offsets of data in the table of contents, with the offsets."""
    found = {}
    for match in re.finditer(rb"(?=\x02(.{8}))", archive, re.DOTALL):
        offset = int.from_bytes(match[1], "little")
        if match.start() < offset < len(archive) and archive[offset] in (1, 3):
            found[match.start()] = offset
    return found


def mutated_archive(random: Random, archive: bytes) -> bytes:
    """Return an archive with one change."""
    count, places = header_end(archive), blocks(archive)
    start = min(places.values())
    match random.choice(
        ["magic", "version", "count", "length", "integer", "text", "offset", "cut", "swap", "data"]
    ):
        case "magic":
            return changed_bytes(random, archive, 5, 11)
        case "version":
            return archive[:5] + bytes(random.choices(range(20), k=3)) + archive[8:]
        case "count":
            value = number(random.choice([*LENGTHS, -1]))
            return archive[:count] + value + archive[count + 5 :]
        case "length" | "integer":
            numbers = re.finditer(rb"(?=\x00.\x00\x00\x00)", archive[count:start], re.DOTALL)
            where = count + random.choice([match.start() for match in numbers])
            value = number(random.choice([*LENGTHS, -1]))
            return archive[:where] + value + archive[where + 5 :]
        case "text":
            return changed_bytes(random, archive, count, start)
        case "offset":
            place = random.choice(list(places))
            other = random.choice([0, 1, len(archive), 2**62, *places.values()])
            return archive[: place + 1] + other.to_bytes(8, "little") + archive[place + 9 :]
        case "cut":
            return archive[: random.randrange(5, len(archive))]
        case "swap":
            one, two = sorted(random.sample(sorted(set(places.values())), 2))
            return archive[:one] + archive[two:] + archive[one:two]
    return changed_bytes(random, archive, start, len(archive))


# --- settings, names ---


def mutated_env(random: Random, names: list[str], canary: str) -> bytes:
    """Return the bytes of a .env file."""
    lines = []
    for _ in range(random.randint(1, 6)):
        name = random.choice([*names, *names, *names, "PATH", "IFS", "한글", "A B", "", "x'y"])
        value = odd_value(random, canary)
        quote = random.choice(["", "'", '"', "`"])
        line = (
            random.choice(["", "", "export ", "  "]) + name + random.choice(["=", "=", " = ", ""])
        )
        lines.append(f"{line}{quote}{value}{random.choice([quote, quote, ''])}")
    lines.append(random.choice(["", f"touch {canary}", "x" * 200_000, "#" * 99, "=", "\0\0=\0"]))
    random.shuffle(lines)
    end = random.choice(["\n", "\r\n", "\n\n", "\0\n"])
    text = end.join(lines) + random.choice(["", end])
    return random.choice([b"", b"\xef\xbb\xbf", b"\xff"]) + text.encode()


NAME_PARTS = [" ", "'", '"', "$HOME", "`x`", "-", "--", "\n", "*", "?", "[a]", "{a,b}", "~", "\\"]
NAME_PARTS += [
    "%s",
    "&",
    ";",
    "|",
    "<",
    "#",
    "!",
    "=",
    ":",
    "\t",
    "한글",
    "😀",
    "é",
    "\x7f",
    "a",
    "B",
]


def odd_name(random: Random, most: int, *, more: tuple[str, ...] = ()) -> str:
    """Return a name of at most so many bytes, sometimes of exactly so many."""
    name = "".join(random.choices([*NAME_PARTS, *more], k=random.randint(1, 8)))
    if random.random() < 0.2:
        name += "x" * most
    return name.encode()[:most].decode(errors="ignore")


def odd_file_name(random: Random) -> bytes:
    """Return the name of a file without its ending: no slash, at most 255 bytes with all ours."""
    name = odd_name(random, 200, more=("..", ".", "-n", "$(touch x)")).encode()
    return name + random.choice([b"", b"", b"\xff\xfe", b"\xc3"])


# --- answers of client programs ---

CODES = [1, 2, 3, 42, 126, 127, 130, 137, 141, 255]


def mutated_answers(
    random: Random, canary: str, calls: Path, latest: int, *, endless: bool
) -> tuple[str, str]:
    """Return a fake program whose n-th call, and sometimes each later one, answers otherwise.

    It counts its calls in a directory. Also returned is what it does. With ``endless``, the answer
    may be lines without end.
    """
    attack = random.choice(attacks(canary)).replace("\\", "\\\\").replace("'", "'\\''")
    attack = re.sub("([#&])", r"\\\1", attack)
    edit = random.choice(
        [
            "s/[0-9][0-9]*/-1/",
            f"s/[0-9][0-9]*/{'9' * random.choice([15, 30, 4000])}/",
            "s/[0-9]/x/g",
            "s/|/||/",
            "s/|.*//",
            "s/.*//",
            "p",
            "1d",
            "2,$d",
            "s/^/ /",
            "s/$/\\r/",
            f"s#[^|]*$#{attack}#",
            f"s#^[^|]*#{attack}#",
        ]
    )
    size, code = random.choice([1, 10, 100, 5000]), random.choice(CODES)
    edit = f"/^[0-9a-f]\\{{48\\}}$/b;{edit}"  # the end of an answer: a run would wait for it
    answer = random.choice(
        [
            "head -c 3000 /dev/urandom",
            ":",
            "echo",
            "exec yes" if endless else "echo x",
            f'timeout 5 "$REAL" "$@" | head -c {size}; exit 0',
            f'"$REAL" "$@"; exit {code}',
            "echo 'error: x' >&2; head -c 100000 /dev/urandom >&2; exit 1",
            *6 * [f"""EDIT='{edit}' exec bash -c '"$0" "$@" | sed -u "$EDIT"' "$REAL" "$@\""""],
        ]
    )
    first = random.randint(1, latest)
    compare = random.choice(["=", "="]) if "yes" in answer else random.choice(["-eq", "-ge"])
    fake = f"""{count_calls(calls)}
[ $number {compare} {first} ] || exec "$REAL" "$@"
{answer}
"""
    return fake, f"call {compare} {first}: {answer}"
