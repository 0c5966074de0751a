"""Fixtures of several campaigns."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.servers import Server

from faults.faults import CHANGE, Target, new_target


@pytest.fixture(scope="module")
def small_target(
    direct_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    """A small database, for faults in which time plays no part."""
    yield from new_target(direct_server, tmp_path_factory.mktemp("faults"), CHANGE)
