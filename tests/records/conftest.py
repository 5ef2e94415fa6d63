"""Fixtures of the records' tests."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for records_helpers, which every file here shares

from records_helpers import Rows, write

from casefinding.records.sources import ingest
from casefinding.records.store import Store


@pytest.fixture
def bring(tmp_path: Path) -> Callable[..., Store]:
    """Bring rows in as a native extract; every call takes a fresh folder."""
    calls = iter(range(1000))

    def run(rows: Rows, **options) -> Store:
        here = tmp_path / f"try-{next(calls)}"
        return ingest("native", write(here / "extract", rows), here / "store", **options)

    return run
