"""An assets database of CB-Tumblebug's shape: PYTHONPATH=tests python -m bench.assets SCALE DSN

Creates CB-Tumblebug's tables in an empty database and fills them. At scale 1 there are as many
specs and images of each provider as in CB-Tumblebug's own backup of August 2026.

The rows are like those of a fetch. A machine type or an image is there once in each region that
offers it, and these rows differ only in what the region makes different. The rows of a region are
in no order, in batches that mix with those of other regions. The same scale always gives the same
rows.
"""

from __future__ import annotations

import heapq
import json
import struct
import sys
import time
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from functools import cache
from itertools import count, product
from pathlib import Path
from random import Random
from string import Template

import psycopg

SCHEMA = Path(__file__).parent.parent / "support" / "tumblebug-schema.sql"
TEXTS = ConfigParser(delimiters=("=",), interpolation=None)
TEXTS.optionxform = str  # keys keep their case
TEXTS.read(Path(__file__).with_name("assets.ini"))

PROVIDERS = {  # rows at scale 1
    "aws": {"spec": 21_207, "image": 200_523, "regions": 21},
    "azure": {"spec": 46_176, "image": 850, "regions": 48},
    "gcp": {"spec": 11_946, "image": 245, "regions": 43},
    "alibaba": {"spec": 4_999, "image": 401, "regions": 32},
    "tencent": {"spec": 2_942, "image": 149, "regions": 17},
    "ibm": {"spec": 2_002, "image": 761, "regions": 13},
    "ncp": {"spec": 690, "image": 232, "regions": 8},
}
PLACES_WITH_LATENCIES = 110
FETCH_BEGIN = 1_787_320_500  # 2026-08-21 13:55 UTC
LAST_BEGIN_SECONDS, BATCH_SECONDS, BATCH_ROWS = 1800, 0.6, 100
CPUS = (1, 2, 4, 8, 16, 32, 48, 64, 96)
SERIES = list(product(("", "a", "g", "gd", "i", "n", "ad", "in", "dn"), "mcrtixpgdzhu"))
WINDOWS_DEVICES = "".join(
    f"; {{DeviceName:xvdc{letter},Ebs:null,NoDevice:null,VirtualName:ephemeral{number}}}"
    for number, letter in enumerate("abcdefghijklmnopqrstuvwxyz")
)
Item = dict[str, object]  # a machine type or an image, with details for the regions to fill in


def load(connection: psycopg.Connection, scale: float) -> None:
    """Create CB-Tumblebug's tables in an empty database and fill them."""
    with connection.transaction():
        connection.execute(SCHEMA.read_text())
        for table, rows in tables(scale).items():
            with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                for row in rows:
                    copy.write("\t".join(map(str, row)) + "\n")
            connection.execute(f"ANALYZE {table}")


def tables(scale: float) -> dict[str, Iterator[tuple]]:
    """Return the rows of each table, with values as COPY reads them."""
    return {
        "spec_infos": fetched("spec", scale, machine, spec_row),
        "image_infos": fetched("image", scale, image, image_row),
        "latency_infos": latencies(scale),
    }


def rows_at(scale: float, kind: str) -> int:
    """Return how many specs or images there are."""
    return sum(round(counts[kind] * scale) for counts in PROVIDERS.values())


def fetched(
    kind: str, scale: float, make_item: Callable[..., Item], make_row: Callable[..., tuple]
) -> Iterator[tuple]:
    """Yield the rows of all regions, in the order in which their batches come in."""
    fetches = []
    for provider, counts in PROVIDERS.items():
        chance = Random(f"{kind} {provider}")
        items = (make_item(chance, provider, number) for number in count())
        offered = offers(chance, items, regions(provider), round(counts[kind] * scale))
        fetches += [batches(provider, region, offered[region], make_row) for region in offered]
    for _, rows in heapq.merge(*fetches, key=lambda batch: batch[0]):
        yield from rows


def offers(
    chance: Random, items: Iterator[Item], regions: list[str], rows: int
) -> dict[str, list[Item]]:
    """Offer each item in most regions, until there are so many rows."""
    offered: dict[str, list[Item]] = {region: [] for region in regions}
    while rows:
        item = next(items)
        for region in [region for region in regions if chance.random() < 0.93][:rows]:
            offered[region].append(item)
            rows -= 1
    return offered


def batches(
    provider: str, region: str, items: list[Item], make_row: Callable[..., tuple]
) -> Iterator[tuple[float, list[tuple]]]:
    """Yield the batches of a region: the second in which each is written, and its rows."""
    chance = Random(f"{provider} {region} {len(items)}")
    chance.shuffle(items)
    second = FETCH_BEGIN + LAST_BEGIN_SECONDS * chance.random()
    for first in range(0, len(items), BATCH_ROWS):
        batch = items[first : first + BATCH_ROWS]
        yield second, [make_row(chance, provider, region, item, second) for item in batch]
        second += BATCH_SECONDS


def machine(chance: Random, provider: str, number: int) -> Item:
    """Return a machine type with a name of its own."""
    number, size = divmod(number, len(CPUS))
    generation, number = divmod(number, len(SERIES))
    option, letter = SERIES[number]
    cpus, series = CPUS[size], f"{letter}{generation + 3}{option}"
    item = words(chance, "spec") | {
        "name": f"Standard_{series}_{cpus}" if provider == "azure" else f"{series}.{cpus}xlarge",
        "series": series,
        "cpus": cpus,
        "valid": ",".join(map(str, range(2, cpus + 1, 4))),
        "memory": cpus * chance.choice((1, 2, 4, 4, 8)),
        "disk": chance.choice((0, 0, cpus * 59)),
        "arch": "arm64" if "g" in option else "x86_64",
        "gpu": letter in "pg",
        "price": cpus * chance.uniform(0.018, 0.06),
    }
    return item | {"details": details(provider, "spec", item)}


def spec_row(chance: Random, provider: str, region: str, item: Item, second: float) -> tuple:
    latitude, longitude, factor = place(region)
    identity = f"{provider}+{region}+{item['name']}".lower()
    zones = ",".join(chance.sample("123", chance.choice((0, 1, 2, 3, 3, 3))))
    return (
        *(identity, uid(chance), item["name"], identity, "system", f"{provider}-{region}"),
        *(provider, region, latitude, longitude, "node", item["arch"], "", item["cpus"]),
        *(float32(item["memory"] / 1.024), item["disk"], 0, 0),
        *(("NVIDIA A10G", 1, 24, "gpu") if item["gpu"] else ("", 0, 0, "")),
        *(float32(item["price"] * factor) if chance.random() < 0.94 else -1, "", 0, ""),
        *[-1] * 10,  # scores
        *("", item["disk"], "[]", False, "auto-gen"),
        item["details"].substitute(region=region, zones=zones),
    )


def image(chance: Random, provider: str, number: int) -> Item:
    """Return an image with a name of its own."""
    kinds = {name: kind.split(", ", 2) for name, kind in TEXTS["images"].items()}
    (form,) = chance.choices(list(kinds), [int(share) for share, *_ in kinds.values()])
    item = words(chance, "image")
    item["built"] = FETCH_BEGIN - chance.randrange(700 * 86_400)
    item["day"] = time.strftime("%Y%m%d", time.gmtime(item["built"]))
    item["hex"] = hexadecimal(chance, 24)
    windows = form.startswith("Windows")
    item["platform"] = "Windows" if windows else "Linux/UNIX"
    item["devices"] = WINDOWS_DEVICES if windows else ""
    item["name"], item["system"], item["description"] = (
        Template(text).substitute(item) for text in (form, *kinds[form][1:])
    )
    if number % 3 == 0:
        item["name"] += f"_{number}"
    return item | {"details": details(provider, "image", item)}


def image_row(chance: Random, provider: str, region: str, item: Item, second: float) -> tuple:
    identity = f"{'ami' if provider == 'aws' else 'img'}-0{hexadecimal(chance, 16)}"
    built = time.gmtime(item["built"] + chance.randrange(1800))
    created = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", built)
    name, gpu = item["name"], "GPU" in item["name"]
    details = item["details"].substitute(
        id=identity,
        snapshot=f"snap-0{hexadecimal(chance, 16)}",
        created=created,
        deprecated=f"{built.tm_year + 2}{created[4:]}",
    )
    return (
        *("image", "system", provider, identity, json.dumps([region]), identity, uid(chance)),
        *(identity, "", "", "", f"{provider}-{region}", ""),
        *(time.strftime("%Y.%m.%d %H:%M:%S %a", time.gmtime(second)), created),
        *(gpu, "eks" in name, "server" in name, gpu, item["system"], item["arch"]),
        *(item["platform"], name, "ebs", -1, "Available", details, "", item["description"]),
        *("", "", r"\N"),
    )


def latencies(scale: float) -> Iterator[tuple]:
    """Yield the latency of each pair of places."""
    chance = Random("latencies")
    places = [f"{provider}-{region}" for provider in PROVIDERS for region in regions(provider)]
    places = places[: max(2, round(PLACES_WITH_LATENCIES * scale**0.5))]
    for number, (source, target) in enumerate(product(places, places)):
        second = FETCH_BEGIN - 600 + number * 0.0007
        measured = time.strftime("%F %T", time.gmtime(second)) + f"{second % 1:.6f}"[1:] + "+00"
        yield source, target, f"{chance.uniform(0.2, 380):.3f}", measured, measured


def regions(provider: str) -> list[str]:
    sides = ("east", "west", "north", "central", "south")
    names = [f"{area}-{side}-{n}" for n, side, area in product("12", sides, ("us", "eu", "ap"))]
    names += [name.replace("-", "") for name in names]
    return names[: PROVIDERS[provider]["regions"]]


@cache
def place(region: str) -> tuple[float, float, float]:
    """Return latitude, longitude, and the factor on prices."""
    chance = Random(region)
    factor = chance.choice((1, 1, 1.05, 1.1, 1.19, 1.2, 1.25, 1.36))
    return round(chance.uniform(-45, 60), 4), round(chance.uniform(-180, 180), 4), factor


def words(chance: Random, kind: str) -> Item:
    """Choose one of the texts for each word."""
    return {word: chance.choice(texts.split()) for word, texts in TEXTS[f"{kind} words"].items()}


def details(provider: str, kind: str, item: Item) -> Template:
    """Return an item's details, as Go writes JSON, for the regions to fill in."""
    section = f"{provider} {kind}"
    pairs = TEXTS[section if section in TEXTS else kind].items()
    as_list = [{"key": key, "value": Template(text).safe_substitute(item)} for key, text in pairs]
    return Template(json.dumps(as_list, separators=(",", ":")))


def uid(chance: Random) -> str:
    return "tb" + "".join(chance.choices("0123456789abcdefghijklmnopqrstuv", k=18))


def hexadecimal(chance: Random, digits: int) -> str:
    return f"{chance.getrandbits(4 * digits):0{digits}x}"


def float32(number: float) -> float:
    """Return a number as it is after Go's float32."""
    return struct.unpack("f", struct.pack("f", number))[0]


if __name__ == "__main__":
    with psycopg.connect(sys.argv[2]) as connection:
        load(connection, float(sys.argv[1]))
