"""The rows that the benchmark measures have the shape of CB-Tumblebug's."""

from __future__ import annotations

import itertools
from collections import defaultdict

import pytest

from bench import assets

SCALE = 0.02
Rows = dict[str, list[tuple]]


@pytest.fixture(scope="module")
def rows() -> Rows:
    return {table: list(rows) for table, rows in assets.tables(SCALE).items()}


def test_same_scale_gives_the_same_rows(rows: Rows) -> None:
    assert rows == {table: list(again) for table, again in assets.tables(SCALE).items()}


def test_there_are_as_many_rows_as_cb_tumblebug_has(rows: Rows) -> None:
    for kind, rows_at_scale_1 in (("spec", 89_962), ("image", 203_161)):
        assert assets.rows_at(1, kind) == rows_at_scale_1
        assert assets.rows_at(SCALE, kind) == len(rows[f"{kind}_infos"])


def test_an_image_is_there_once_in_most_regions(rows: Rows) -> None:
    regions = defaultdict(list)  # of each image
    for _, _, provider, _, region_list, *more in rows["image_infos"]:
        if provider == "aws":
            regions[more[17]].append(region_list)  # os_distribution
    assert all(len(each) == len(set(each)) for each in regions.values())
    assert sum(map(len, regions.values())) / len(regions) > 18  # of 21


def test_a_machine_type_differs_between_regions_in_the_region_only(rows: Rows) -> None:
    details = defaultdict(set)  # of each machine type
    for _, _, name, _, _, _, provider, region, *_, text in rows["spec_infos"]:
        assert "$" not in text
        if provider == "gcp":
            details[name].add(text.replace(region, "REGION"))
    assert all(len(texts) == 1 for texts in details.values())


def test_rows_are_in_the_order_of_a_fetch(rows: Rows) -> None:
    azure = [row for row in rows["spec_infos"] if row[6] == "azure"]
    assert azure != sorted(azure, key=lambda row: row[2])
    regions = [row[7] for row in azure]
    changes = sum(before != after for before, after in itertools.pairwise(regions))
    assert changes < len(azure) / 10
