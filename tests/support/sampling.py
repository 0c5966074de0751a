"""Which tests run: a sample, or with TEST_ALL=yes every one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

import pytest

ALL = os.environ.get("TEST_ALL") == "yes"
Case = TypeVar("Case")

only_with_all = pytest.mark.skipif(not ALL, reason="runs only with TEST_ALL=yes")


def sampled(cases: Sequence[Case], count: int) -> list[Case]:
    """Return all cases with TEST_ALL=yes, otherwise ``count`` of them, evenly spread.

    With 1, this is the middle one; with 0, the test runs only with TEST_ALL=yes.
    """
    if ALL or len(cases) <= count:
        return list(cases)
    return [cases[(2 * index + 1) * len(cases) // (2 * count)] for index in range(count)]
