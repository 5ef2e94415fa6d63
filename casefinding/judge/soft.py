"""Outcomes that are shares: somebody whose evidence says 0.7 counts 0.7 as a case and 0.3 as none.

Every measure equals the usual one on rows written twice, once as a case with weight x share and once as no case with
weight x (1 - share). As in cells.py, rows of like chance are gathered before they are weighted anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix

from casefinding.judge import flexible
from casefinding.judge.bootstrap import plain
from casefinding.judge.calibration import (
    brier,
    cox_shifts,
    cox_slopes,
    in_the_large,
    log_odds,
    observed_expected,
    sigmoid,
    slope,
)
from casefinding.judge.cells import cut
from casefinding.judge.discrimination import auroc
from casefinding.judge.rows import Floats, Ints, ratio

_RANKS = 400
_FINE: tuple[float, int] = (0.03, 200)
_COARSE: tuple[float, int] = (0.15, 40)
_MERGED = 5  # neighbouring cells taken together for the smooth curve, which has five terms at most


def soft_measures(share: ArrayLike, chance: ArrayLike, weight: ArrayLike) -> dict[str, float | None]:
    """AUROC, Brier and `soft_calibration`; None where undefined."""
    share, chance, weight = (np.asarray(values, float) for values in (share, chance, weight))
    spread = np.average(share * (1 - share), weights=weight) if weight.sum() > 0 else np.nan
    return {
        "auroc": plain(soft_auroc(share, chance, weight)),
        "brier": plain(brier(share, chance, weight) + spread),
        **soft_calibration(share, chance, weight),
    }


def soft_calibration(share: ArrayLike, chance: ArrayLike, weight: ArrayLike) -> dict[str, float | None]:
    """Calibration slope and intercept, observed/expected, ICI, E50, E90 and Emax; None where undefined."""
    curve = flexible.Flexible.of(share, chance, weight)
    return {
        "calibration_slope": plain(slope(share, chance, weight)),
        "calibration_in_the_large": plain(in_the_large(share, chance, weight)),
        "observed_expected": plain(observed_expected(share, chance, weight)),
        **(curve.values if curve else dict.fromkeys(flexible.NAMES)),
    }


def soft_auroc(share: ArrayLike, score: ArrayLike, weight: ArrayLike) -> float:
    """Area under the ROC curve of rows written twice; NaN where nobody is a case or everybody is.

    >>> soft_auroc([0.0, 1.0, 0.5], [0.1, 0.3, 0.2], [1.0, 1.0, 1.0])
    0.9444444444444444
    """
    share, score, weight = (np.asarray(values, float) for values in (share, score, weight))
    case = np.repeat([1.0, 0.0], len(share))
    return auroc(case, np.concatenate([score, score]), np.concatenate([weight * share, weight * (1 - share)]))


@dataclass(frozen=True)
class _Part:
    cells: slice
    at: Floats
    chance: Floats
    square: Floats
    floor: Ints
    merge: Ints  # where each of the wider cells of the smooth curve begins
    merged_chance: Floats
    design: Floats | None
    start: Floats | None


class SoftCells:
    """Some rows in groups that do not overlap; `of` measures every group under many weightings.

    `of_chance`: the score is a chance; otherwise only its order counts, and only AUROC is given. Rows without a score
    (NaN) are left out. `curve`: whether ICI and its like are given. `fine`: cells narrow enough for AUROC.
    """

    def __init__(
        self,
        share: Floats,
        weight: Floats,
        score: Floats,
        parts: Sequence[Ints],
        *,
        of_chance: bool = True,
        curve: bool = False,
        fine: bool = True,
        thresholds: Sequence[float] = (),
    ) -> None:
        self._of_chance, self._thresholds = of_chance, tuple(thresholds)
        self._parts: list[_Part] = []
        keys, rows, begin = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], 0
        for part in parts:
            used = part[(weight[part] > 0) & np.isfinite(score[part])]
            at = log_odds(score[used]) if of_chance else score[used]
            key, height = cut(at, thresholds, *(_FINE if fine else _COARSE)) if of_chance else _ranks(at)
            number = len(height)
            heavy = np.maximum(np.bincount(key, weight[used], number), 1e-300)
            mean = np.bincount(key, weight[used] * at, number) / heavy
            chance = np.bincount(key, weight[used] * score[used], number) / heavy
            design = start = None
            merge = np.arange(0, number, _MERGED if fine else 1)
            if curve:
                whole = flexible.Flexible.of(share[used], score[used], weight[used])
                if whole is not None:
                    design, start = whole.spline.design(_merged(mean, heavy, merge)), whole.terms
            self._parts.append(
                _Part(
                    cells=slice(begin, begin + number),
                    at=mean,
                    chance=chance,
                    square=np.bincount(key, weight[used] * score[used] ** 2, number) / heavy,
                    floor=np.searchsorted(-height, -log_odds(np.asarray(thresholds, float)), side="right"),
                    merge=merge,
                    merged_chance=_merged(chance, heavy, merge) if number else chance,
                    design=design,
                    start=start,
                )
            )
            keys.append(begin + key)
            rows.append(used)
            begin += number
        key, row = np.concatenate(keys), np.concatenate(rows)
        shape = (begin, len(share))
        self._everybody = csr_matrix((weight[row], (key, row)), shape)
        self._cases = csr_matrix((weight[row] * share[row], (key, row)), shape)
        self._cases.eliminate_zeros()

    def of(self, counts: Floats) -> list[dict[str, Floats]]:
        """Each group's measures with every row drawn `counts` times (all rows x resamples)."""
        everybody, cases = self._everybody @ counts, self._cases @ counts
        return [self._measure(part, everybody[part.cells], cases[part.cells]) for part in self._parts]

    def _measure(self, part: _Part, everybody: Floats, cases: Floats) -> dict[str, Floats]:
        others = everybody - cases
        all_cases, all_others = cases.sum(axis=0), others.sum(axis=0)
        others_above = np.cumsum(others, axis=0)  # own cell included
        better = np.einsum("cb,cb->b", cases, all_others - others_above + 0.5 * others)
        found = {"auroc": ratio(better, all_cases * all_others)}
        if not self._of_chance:
            return found
        total = all_cases + all_others
        found["brier"] = ratio(part.square @ everybody - 2 * (part.chance @ cases) + all_cases, total)
        found["calibration_slope"] = cox_slopes(part.at, everybody, all_cases, part.at @ cases)
        found["calibration_in_the_large"] = cox_shifts(part.at, everybody, all_cases)
        found["observed_expected"] = ratio(all_cases, part.chance @ everybody)
        if part.design is not None:
            wide, wide_cases = (np.add.reduceat(values, part.merge, axis=0) for values in (everybody, cases))
            fitted = sigmoid(part.design @ flexible.fit(part.design, wide, wide_cases, part.start))
            found |= flexible.differences(part.merged_chance, fitted, wide)
        cases_above = np.cumsum(cases, axis=0)
        for threshold, floor in zip(self._thresholds, part.floor, strict=True):
            worth = np.zeros_like(total)
            if floor:
                worth = cases_above[floor - 1] - others_above[floor - 1] * threshold / (1 - threshold)
            found[f"net_benefit_{threshold}"] = ratio(worth, total)
        return found


def _ranks(score: Floats) -> tuple[Ints, Floats]:
    """Cells of a score of which only the order counts."""
    if not len(score):
        return np.zeros(0, np.int64), np.zeros(0)
    edges = np.unique(np.quantile(score, np.linspace(0, 1, _RANKS + 1), method="inverted_cdf"))
    kept, key = np.unique(-(np.searchsorted(edges, score, side="right") - 1), return_inverse=True)
    return key, edges[-kept]


def _merged(value: Floats, heavy: Floats, begin: Ints) -> Floats:
    """The mean of some cells' values over wider cells."""
    return np.add.reduceat(value * heavy, begin) / np.add.reduceat(heavy, begin)
