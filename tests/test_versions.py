"""PostgreSQL 14 to 18: a round trip on each, and from each to the next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ground import Checkout, Container, Database, started_container

VERSIONS = ["14", "15", "16", "17", "18"]


@pytest.fixture(scope="module")
def majors(container: Container) -> Iterator[dict[str, Container]]:
    """A running container of each major version."""
    with (
        started_container("14") as of_14,
        started_container("15") as of_15,
        started_container("17") as of_17,
        started_container("18") as of_18,
    ):
        yield {"14": of_14, "15": of_15, "16": container, "17": of_17, "18": of_18}


@pytest.mark.parametrize("version", VERSIONS)
def test_round_trip_on_each_version_and_on_to_the_next(
    majors: dict[str, Container], checkout: Checkout, tmp_path: Path, version: str
) -> None:
    path = tmp_path / "assets.dump.gz"
    database = Database(majors[version], checkout)
    database.create()
    rows = {**database.content(), "schema": ""}
    before = database.content()
    assert database.backup(path).status == 0
    database.execute("DELETE FROM pricing_info")
    run = database.restore(path)
    assert run.status == 0, run
    assert database.content() == before
    database.drop()
    for later in VERSIONS[VERSIONS.index(version) + 1 :][:1]:
        upgraded = Database(majors[later], checkout)
        run = upgraded.restore(path)
        assert run.status == 0, run
        assert "proving its content by the manifest" in run.err
        assert {**upgraded.content(), "schema": ""} == rows
        assert upgraded.leftovers() == []
        upgraded.drop()


def test_archive_of_a_newer_version_says_what_to_do(
    majors: dict[str, Container], checkout: Checkout, tmp_path: Path
) -> None:
    path = tmp_path / "assets.dump.gz"
    newer = Database(majors["18"], checkout)
    newer.create()
    assert newer.backup(path).status == 0
    newer.drop()
    older = Database(majors["14"], checkout)
    older.create()
    before = older.content()
    run = older.restore(path)
    assert run.status == 1, run
    assert "was made by a newer PostgreSQL" in run.err
    assert older.content() == before
    assert older.leftovers() == []
    older.drop()
