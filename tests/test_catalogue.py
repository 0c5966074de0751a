"""The sample catalogue: the same rows each time, and generated ones say so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import libcloud
import psycopg
import pytest
from support.sampling import only_with_all

from helpers.demo import catalogue
from helpers.demo.catalogue import Offer
from helpers.demo.private_server import PrivateServer, private_server

pytestmark = pytest.mark.xdist_group("catalogue")  # one worker starts the server
SMALL = 0.01


@pytest.fixture(scope="module")
def own_server() -> Iterator[PrivateServer]:
    with private_server() as server:
        yield server


@pytest.fixture
def empty(own_server: PrivateServer) -> Iterator[psycopg.Connection]:
    """A connection to an empty database."""
    yield from connection_to(own_server, "empty")


@pytest.fixture
def second(own_server: PrivateServer) -> Iterator[psycopg.Connection]:
    yield from connection_to(own_server, "second")


@pytest.fixture(scope="module")
def loaded(own_server: PrivateServer) -> Iterator[psycopg.Connection]:
    """A connection to a small catalogue, for tests that only read."""
    for connection in connection_to(own_server, "loaded"):
        catalogue.load(connection, SMALL)
        yield connection


@pytest.fixture(scope="module")
def offers() -> set[Offer]:
    prices = json.loads((Path(libcloud.__file__).parent / "data" / "pricing.json").read_text())
    return set(catalogue.all_offers(prices["compute"]))


def connection_to(server: PrivateServer, name: str) -> Iterator[psycopg.Connection]:
    with server.connect() as admin:
        admin.autocommit = True
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.execute(f"CREATE DATABASE {name}")
    with server.connect(name) as connection:
        yield connection


def checksums(connection: psycopg.Connection) -> list[tuple]:
    return [
        connection.execute(
            f"SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} t"
        ).fetchone()
        for table in ("region_info", "spec_info", "pricing_info", "image_info")
    ]


@only_with_all
def test_the_same_scale_gives_the_same_rows(
    empty: psycopg.Connection, second: psycopg.Connection
) -> None:
    catalogue.load(empty, SMALL)
    catalogue.load(second, SMALL)
    assert checksums(empty) == checksums(second)


@only_with_all
def test_the_rows_are_as_many_as_the_scale_says(empty: psycopg.Connection) -> None:
    rows = catalogue.load(empty)
    assert (
        rows.items() >= {"spec_info": 18_000, "pricing_info": 5_400, "image_info": 40_600}.items()
    )
    assert list(rows.values()) == [count for count, _ in checksums(empty)]


def test_tables_that_are_there_are_left_as_they_are(empty: psycopg.Connection) -> None:
    empty.execute("CREATE TABLE spec_info AS SELECT 'precious' AS id")
    empty.commit()
    with pytest.raises(ValueError, match="exist already: spec_info"):
        catalogue.load(empty, SMALL)
    assert empty.execute("SELECT id, to_regclass('image_info') FROM spec_info").fetchall() == [
        ("precious", None)
    ]


@pytest.mark.parametrize("scale", [0, -1, 10.5, float("nan")])
def test_a_scale_out_of_bounds_changes_nothing(empty: psycopg.Connection, scale: float) -> None:
    with pytest.raises(ValueError, match="above 0 and at most 10"):
        catalogue.load(empty, scale)
    assert empty.execute("SELECT to_regclass('spec_info')").fetchone() == (None,)


@pytest.mark.parametrize(
    "offer",
    [
        Offer("aws", "us-east-1", "m5.large", "Linux", "on-demand", 0.096),
        Offer("aws", "ap-south-1", "m5.large", "Linux", "on-demand", -1),
        Offer("azure", "eastus", "Standard_D2s_v3", "Linux", "on-demand", 0.096),
        Offer("gcp", "us-central1", "n1-standard-1", "Linux", "on-demand", 0.0475),
    ],
    ids=lambda offer: f"{offer.provider} {offer.region}",
)
def test_machine_types_have_the_providers_prices(offers: set[Offer], offer: Offer) -> None:
    found = [each for each in offers if each[:5] == offer[:5]]
    assert [each.price for each in found] == [pytest.approx(offer.price, abs=0.00001)]


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("basica0", "Basic_A0"),
        ("standardds13v2", "Standard_DS13_v2"),
        ("standardd2asv4", "Standard_D2as_v4"),
        ("standardnc4ast4v3", "Standard_NC4as_T4_v3"),
        ("standardh16mrpromo", "Standard_H16mr_Promo"),
        ("lowprioritym128ms", "Standard_M128ms"),
    ],
)
def test_azure_machine_types_have_azures_names(key: str, name: str) -> None:
    assert catalogue.azure_name(key) == name


@pytest.mark.parametrize(
    ("provider", "machine", "cpus", "memory"),
    [
        ("aws", "m5.large", 2, 8),
        ("azure", "Standard_D13_v2", 8, 56),
        ("azure", "Standard_D16_v3", 16, 0),
        ("azure", "Standard_G5", 0, 0),
        ("gcp", "n1-highmem-96", 96, 624),
    ],
)
def test_hardware_is_what_is_known_of_it(
    provider: str, machine: str, cpus: int, memory: float
) -> None:
    known = catalogue.hardware(provider, machine)
    assert (known.cpus, known.memory) == (cpus, memory)


def test_rows_beyond_the_real_ones_say_that_they_are_generated(offers: set[Offer]) -> None:
    real = sorted(offer for offer in offers if offer.system == "Linux")[:3]
    rows = [catalogue.spec_row(*each) for each in catalogue.spread(real, 5)]
    assert len({row[0] for row in rows}) == 5
    assert ["generated" in row[0] for row in rows] == [False, False, False, True, True]


def test_images_say_that_they_are_generated(loaded: psycopg.Connection) -> None:
    silent = loaded.execute(
        "SELECT count(*) FROM image_info WHERE name NOT LIKE '%generated%'"
        " OR description NOT LIKE '%generated%'"
    )
    assert silent.fetchone() == (0,)


def test_details_are_lists_of_keys_and_values(loaded: psycopg.Connection) -> None:
    for table in ("spec_info", "image_info"):
        odd = loaded.execute(
            f"SELECT count(*) FROM {table}, jsonb_array_elements(details::jsonb) AS detail"
            " WHERE NOT detail ?& ARRAY['key', 'value']"
        )
        assert odd.fetchone() == (0,)


def test_unpriced_is_minus_one_as_in_cb_tumblebug(loaded: psycopg.Connection) -> None:
    kinds = loaded.execute("SELECT DISTINCT sign(cost_per_hour), cost_per_hour = -1 FROM spec_info")
    assert set(kinds.fetchall()) == {(1, False), (-1, True)}
