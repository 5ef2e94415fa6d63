"""Stacked unmet need by a declared weighting: points are plain sums, and who comes before whom can be told in words."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from casefinding.definitions.first import First
from casefinding.rules.evaluate import Columns, evaluate

TIES = "Of equally many points, more needs come first; of equally many needs a lot decides, the same every time."
"""How ties are broken; printed wherever an order is shown. The lot is the SHA-256 of the pseudonym: no age, no name."""


@dataclass(frozen=True)
class Stacked:
    """Points and needs, row for row: `held`: name of a need -> bool; `points`, `needs` (how many): int64."""

    held: Mapping[str, np.ndarray]
    points: np.ndarray
    needs: np.ndarray


def stack(first: First, columns: Columns, chances: Mapping[str, np.ndarray], rows: int) -> Stacked:
    """The needs that each row has and the sum of their points.

    `columns`: feature name -> float64, NaN where missing; `chances`: condition -> float64 from 0 to 1, NaN where no
    model was asked, which counts as no need. KeyError for a feature or a condition that is not there.
    """
    held: dict[str, np.ndarray] = {}
    points = np.zeros(rows, dtype=np.int64)
    for name, need in first.weighting.items():
        if need.when is not None:
            held[name] = evaluate(need.when, columns)
        else:
            assert need.chance_of is not None
            with np.errstate(invalid="ignore"):
                held[name] = chances[need.chance_of] >= need.at_least  # NaN compares false
        points += need.points * held[name]
    return Stacked(held, points, np.stack(list(held.values())).astype(np.int64).sum(axis=0))


def rank(stacked: Stacked, may: np.ndarray, pseudonym: Sequence[str], places: int) -> np.ndarray:
    """Rows in order of need, at most `places`: only those who `may` and have a need at all; ties as TIES says.

    `may`: bool, one a row. The order does not depend on the order of the rows.
    """
    rows = np.flatnonzero(may & (stacked.points > 0)).astype(np.int64)
    lot = np.array([hashlib.sha256(pseudonym[row].encode("utf-8")).hexdigest() for row in rows.tolist()], dtype="U64")
    order = np.lexsort((lot, -stacked.needs[rows], -stacked.points[rows]))
    return rows[order][:places]
