from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from casefinding.synthetic.simulate import Summary, simulate


@dataclass(frozen=True)
class Made:
    """One simulated population on disk."""

    records: Path
    truths: Path
    summary: Summary

    def table(self, name: str) -> pa.Table:
        single = self.records / f"{name}.parquet"
        return pq.read_table(single if single.exists() else self.records / name)

    def truth(self, name: str = "truth") -> pa.Table:
        return pq.read_table(self.truths / f"{name}.parquet")


def make(folder: Path, people: int, practices: int = 6, seed: int = 11, **options: object) -> Made:
    summary = simulate(people, practices, seed, folder / "records", folder / "truth", **options)
    return Made(folder / "records", folder / "truth", summary)


@pytest.fixture(scope="session")
def population(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """20,000 people, one shard."""
    return make(tmp_path_factory.mktemp("population"), 20_000)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """1,500 people in three shards."""
    return make(tmp_path_factory.mktemp("small"), 1_500, shard_people=500)
