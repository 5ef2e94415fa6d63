"""Features that tell the outcome by themselves; and canaries, made from the outcome to hear the alarm ring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from casefinding.learn.sentinel.ranking import FEWEST_CASES, two_sided

CEILING = 0.98
"""No honest feature ranks a disease of the coming year so well alone; the best published models reach 0.8 to 0.9."""
PURE = 0.95
"""A group of values of whom so many are cases ..."""
PURE_CASES = 0.2
"""... and which holds so many of all cases, tells of the diagnosis and not of the disease."""
CANARY_SHARE = 0.4
"""The weakest canary knows of two cases in five and of nothing else."""
_CUTS = (0.001, 0.0025, 0.005, 0.01, 0.02, *(k / 20 for k in range(1, 20)), 0.98, 0.99, 0.995, 0.9975, 0.999)
_FEW_VALUES = 40


@dataclass(frozen=True)
class Alone:
    """One feature by itself: its AUROC in the better direction, and the cases in groups of values that are nearly all
    cases, as a share of all cases."""

    feature: str
    auroc: float
    pure: float

    @property
    def leaks(self) -> bool:
        """Whether it tells the outcome."""
        return self.auroc >= CEILING or self.pure >= PURE_CASES

    @property
    def why(self) -> str:
        """What gives it away, in words; empty where nothing does."""
        if self.auroc >= CEILING:
            return f"alone it ranks with an AUROC of {self.auroc:.3f}"
        if self.pure >= PURE_CASES:
            return f"nearly everybody with certain values of it is a case: {100 * self.pure:.0f}% of all cases"
        return ""

    def as_dict(self) -> dict[str, object]:
        """For the certificate."""
        return {"feature": self.feature, "auroc alone": round(self.auroc, 4), "told cases": round(self.pure, 4)}


def alone(feature: str, column: np.ndarray, label: np.ndarray, weight: np.ndarray) -> Alone:
    """What one column (NaN = missing) tells of `label` (0 to 1) by itself, rows weighted.

    Groups of values: each value where there are few, else between quantiles (finer at both ends); missing is one too.
    A group counts as telling only with FEWEST_CASES cases in it, and only where cases are the smaller part of all.
    """
    case, total = weight * label, float(weight.sum())
    if float(case.sum()) >= 0.5 * total:
        return Alone(feature, two_sided(column, label, weight), 0.0)
    there = ~np.isnan(column)
    known = column[there]
    values = np.unique(known)
    group = np.zeros(len(column), dtype=np.int64)
    if len(values) <= _FEW_VALUES:
        group[there] = 1 + np.searchsorted(values, known)
    else:
        group[there] = 1 + np.searchsorted(np.unique(np.quantile(known, _CUTS)), known, side="right")
    cases, everyone = np.bincount(group, weights=case), np.bincount(group, weights=weight)
    enough = np.bincount(group, weights=label * (weight > 0)) >= FEWEST_CASES
    telling = enough & (cases >= PURE * everyone)
    return Alone(
        feature, two_sided(column, label, weight), float(cases[telling].sum() / max(float(case.sum()), 1e-300))
    )


def screen(x: np.ndarray, features: Sequence[str], label: np.ndarray, weight: np.ndarray) -> list[Alone]:
    """Every column by itself, the best ranking first; rows of weight 0 do not count."""
    counts = weight > 0
    x, label, weight = x[counts], label[counts], weight[counts]
    found = [alone(name, x[:, at], label, weight) for at, name in enumerate(features)]
    return sorted(found, key=lambda one: (not one.leaks, -one.auroc, one.feature))


def canaries(label: np.ndarray, days_to_code: np.ndarray, seed: int) -> Mapping[str, np.ndarray]:
    """Columns made from the outcome, which the screen must refuse.

    `label`: 0 to 1; `days_to_code`: days from the index day to the code, NaN where there is none. The outcome itself;
    the same of CANARY_SHARE of the cases; and the code's day, as an index day that slipped would show it. The last two
    are made where they hold FEWEST_CASES cases, and the last where codes make up enough of the cases to be noticed.
    """
    outcome = (label >= 0.5).astype(np.float64)
    some = np.random.default_rng([seed, 40]).random(len(label)) < CANARY_SHARE
    made = {"the outcome itself": outcome}
    if (outcome * some).sum() >= FEWEST_CASES:
        made["the outcome of two cases in five"] = outcome * some
    if (~np.isnan(days_to_code)).sum() >= max(FEWEST_CASES, PURE_CASES * outcome.sum()):
        made["days to the code"] = days_to_code
    return made
