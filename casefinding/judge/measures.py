"""All measures of one score at once: their value, and their values under many weightings of the same rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from casefinding.disclosure import FEWEST
from casefinding.judge import calibration, discrimination
from casefinding.judge.bootstrap import estimate, plain
from casefinding.judge.rows import Floats, Rows, ratio
from casefinding.judge.yields import Taken

FEWEST_CASES = FEWEST
"""A group with fewer people who are cases, or fewer who are not, gets no rates: they would say more about those few
people than about the model (and trust.md 18: no published count of 1 to 7)."""


def measures(case: ArrayLike, chance: ArrayLike, weight: ArrayLike | None = None) -> dict[str, float | None]:
    """Every measure that needs no list, by name; None where it is not defined.

    >>> measures([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])["auroc"]
    0.75
    """
    return {
        "auroc": plain(discrimination.auroc(case, chance, weight)),
        "average_precision": plain(discrimination.average_precision(case, chance, weight)),
        "brier": plain(calibration.brier(case, chance, weight)),
        "calibration_slope": plain(calibration.slope(case, chance, weight)),
        "calibration_in_the_large": plain(calibration.in_the_large(case, chance, weight)),
        "observed_expected": plain(calibration.observed_expected(case, chance, weight)),
    }


def at_capacity(taken: Taken, rows: Rows, cases: Floats) -> dict[str, Floats]:
    """The measures of a list, given the weight of all cases, resample by resample.

    `ppv` = cases listed / people listed; `sensitivity` = cases listed / cases; both weighted by the outcome weight.
    `number_needed_to_test` = 1 / ppv.
    """
    found, known = taken.total(rows.case * rows.weight), taken.total(rows.weight)
    return {
        "ppv": ratio(found, known),
        "sensitivity": ratio(found, cases),
        "number_needed_to_test": ratio(known, found),
    }


class Replicates:
    """Resampled values by key, gathered piece by piece."""

    def __init__(self) -> None:
        self._pieces: dict[tuple[str, ...], list[Floats]] = defaultdict(list)

    def add(self, key: tuple[str, ...], values: Mapping[str, Floats]) -> None:
        """Take the values of some resamples, by measure."""
        for name, piece in values.items():
            self._pieces[(*key, name)].append(piece)

    def of(self, *key: str, move: float = 0.0) -> Floats:
        """All values of a key, moved by a constant; empty if it was never resampled."""
        pieces = self._pieces.get(key)
        return np.concatenate(pieces) + move if pieces else np.zeros(0)

    def estimates(
        self, key: tuple[str, ...], values: Mapping[str, float | None], celled: Mapping[str, Floats]
    ) -> dict[str, dict[str, float | None]]:
        """Each exact value with its interval; `celled`: the values that the cells give for the rows as they are."""
        found = {}
        for name, value in values.items():
            exact = float("nan") if value is None else value
            move = exact - float(celled[name][0]) if name in celled else 0.0
            found[name] = estimate(exact, self.of(*key, name, move=move if np.isfinite(move) else 0.0))
        return found
