"""One run of the main job a design of thin records, made once and read by the tests that ask about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from .measure import casefinding, measured
from .world import write_world


@dataclass(frozen=True)
class Survey:
    """A design and what a run made of it."""

    folder: Path
    code: int
    said: str

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def found(self) -> dict[str, dict[str, float]]:
        """How the chances stand against the truth, beside age and the ceiling."""
        return measured(self.folder / "truth.parquet", self.out / "scores.parquet")


@pytest.fixture(scope="session")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Survey]:
    """`survey("A")`: the run of design A."""

    @cache
    def run(name: str) -> Survey:
        folder = tmp_path_factory.mktemp(f"thin{name.replace('+', 'plus')}")
        config = write_world(name, folder)
        return Survey(folder, *casefinding(folder, "run", "--config", config, "--out", folder / "out"))

    return run
