"""Fixtures of the cohort's tests: stores in the real layout and a made-up condition."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from casefinding.definitions.shapes import Definitions
from casefinding.records.store import Store
from tests.cohort.small import definitions_of, write_store

MakeStore = Callable[..., Store]


@pytest.fixture
def make_store(tmp_path: Path) -> MakeStore:
    """Write a store from rows; each call writes another one."""
    made = iter(range(1_000_000))
    return lambda **rows: write_store(tmp_path / f"store{next(made)}", **rows)


@pytest.fixture
def definitions() -> Definitions:
    return definitions_of()
