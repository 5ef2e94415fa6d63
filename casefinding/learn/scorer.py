"""A trained model as it is asked: raw score, calibrated chance, and what each feature adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from casefinding.learn.calibrate import Calibration
from casefinding.learn.columns import read_columns


@dataclass(frozen=True)
class Scorer:
    """Trees and calibration together. Every method takes a table with the model's columns, found by name.

    Raises BundleError for a missing, doubled or wrongly typed column (see columns.read_columns).
    """

    features: tuple[str, ...]
    booster: Any = field(repr=False)  # lightgbm.Booster
    calibration: Calibration
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def numbers(self, table: pa.Table) -> np.ndarray:
        """The columns the model reads, float64 (rows x features), in its own order."""
        return read_columns(table, self.features, self.categories)

    def raw(self, table: pa.Table) -> np.ndarray:
        """The sum of the trees (log-odds before calibration), one a row."""
        return self.raw_of(self.numbers(table))

    def chance(self, table: pa.Table) -> np.ndarray:
        """The calibrated chance, 0 to 1, one a row."""
        return self.calibration.chance(self.raw(table))

    def contributions(self, table: pa.Table) -> tuple[np.ndarray, float]:
        """What each feature adds to the calibrated log-odds (rows x features), and the base they add to.

        Exact Shapley values of the trees (Lundberg's TreeSHAP with path-dependent expectation, as LightGBM computes
        them), times the calibration's slope: row sum + base = log-odds of the chance, to rounding.
        """
        x = self.numbers(table)
        anyone = np.full((1, len(self.features)), np.nan)  # the base is the same for everyone, and for nobody
        phi = np.asarray(self.booster.predict(x if len(x) else anyone, pred_contrib=True))
        slope = self.calibration.slope
        return slope * phi[: len(x), :-1], float(slope * phi[0, -1] + self.calibration.intercept)

    def raw_of(self, x: np.ndarray) -> np.ndarray:
        """As `raw`, from the numbers themselves (rows x features, in the model's order)."""
        if not len(x):
            return np.zeros(0)
        return np.asarray(self.booster.predict(x, raw_score=True), dtype=np.float64)

    def chance_of(self, x: np.ndarray) -> np.ndarray:
        """As `chance`, from the numbers themselves."""
        return self.calibration.chance(self.raw_of(x))
