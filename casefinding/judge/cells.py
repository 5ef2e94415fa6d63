"""Many weightings of the same rows at the price of one sparse product: rows of like chance are gathered first.

A resample only changes how much each row weighs. Controls (nearly all rows) are therefore added up in cells of like
chance, some hundreds a group, before anything else is done; cases stay as they are. Within a cell, controls count at
their mean chance, and a case and a control as tied. What this changes, in the fifth decimal or so, is taken out again:
`measures.Replicates` moves the resampled values by the difference between the exact value and the celled one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix

from casefinding.judge.calibration import cox_shifts, cox_slopes, log_odds
from casefinding.judge.rows import Floats, Ints, ratio

_WIDTH = 0.03  # log-odds
_QUANTILES = 200


@dataclass(frozen=True)
class _Part:
    """One group's cells, highest chance first, and its cases."""

    cells: slice
    at: Floats  # mean log-odds of a cell's rows
    chance: Floats  # mean chance of its controls
    square: Floats  # mean squared chance of its controls
    case_rows: Ints
    case_weight: Floats
    case_chance: Floats
    case_at: Floats
    to_cell: csr_matrix  # cells x cases
    floor: Ints  # for each threshold: how many cells lie at or above it


class Cells:
    """Some rows in groups that do not overlap; `of` measures every group under many weightings."""

    def __init__(
        self,
        case: Floats,
        weight: Floats,
        chance: Floats,
        parts: Sequence[Ints],
        thresholds: Sequence[float] = (),
    ) -> None:
        self._thresholds = np.asarray(thresholds, float)
        self._parts: list[_Part] = []
        rows, cells, begin = [], [], 0
        for part in parts:
            used = part[weight[part] > 0]
            at = log_odds(chance[used])
            key, height = cut(at, self._thresholds)
            number = len(height)
            is_case = case[used] > 0
            controls, case_rows = used[~is_case], used[is_case]
            control_key, case_key = key[~is_case], key[is_case]
            rows.append(controls)
            cells.append(begin + control_key)
            in_cell = np.maximum(np.bincount(control_key, minlength=number), 1)
            mean = np.bincount(control_key, chance[controls], number) / in_cell
            self._parts.append(
                _Part(
                    cells=slice(begin, begin + number),
                    at=np.bincount(key, at, number) / np.maximum(np.bincount(key, minlength=number), 1),
                    chance=mean,
                    square=np.bincount(control_key, chance[controls] ** 2, number) / in_cell,
                    case_rows=case_rows,
                    case_weight=weight[case_rows],
                    case_chance=chance[case_rows],
                    case_at=at[is_case],
                    to_cell=_gather(case_key, np.arange(len(case_key)), np.ones(len(case_key)), number, len(case_key)),
                    floor=np.searchsorted(-height, -log_odds(self._thresholds), side="right"),
                )
            )
            begin += number
        controls = np.concatenate([np.zeros(0, np.int64), *rows])
        self._gather = _gather(
            np.concatenate([np.zeros(0, np.int64), *cells]), controls, weight[controls], begin, len(case)
        )

    def of(self, counts: Floats) -> list[dict[str, Floats]]:
        """Each group's measures with every row drawn `counts` times (all rows x resamples)."""
        controls = self._gather @ counts
        return [self._measure(part, controls[part.cells], counts) for part in self._parts]

    def _measure(self, part: _Part, controls: Floats, counts: Floats) -> dict[str, Floats]:
        drawn = counts[part.case_rows] * part.case_weight[:, None]
        cases = part.to_cell @ drawn
        cases_above, controls_above = np.cumsum(cases, axis=0), np.cumsum(controls, axis=0)  # own cell included
        all_cases, all_controls = drawn.sum(axis=0), controls.sum(axis=0)
        total = all_cases + all_controls
        better = np.einsum("cb,cb->b", cases, all_controls - controls_above + 0.5 * controls)
        above = cases_above + controls_above
        precision = np.einsum("cb,cb->b", cases, ratio(cases_above, above, 0.0))
        squares = part.square @ controls + (1 - part.case_chance) ** 2 @ drawn
        everybody = cases + controls
        found = {
            "auroc": ratio(better, all_cases * all_controls),
            "average_precision": ratio(precision, all_cases),
            "brier": ratio(squares, total),
            "calibration_slope": cox_slopes(part.at, everybody, all_cases, part.case_at @ drawn),
            "calibration_in_the_large": cox_shifts(part.at, everybody, all_cases),
            "observed_expected": ratio(all_cases, part.chance @ controls + part.case_chance @ drawn),
            "cases": all_cases,
        }
        for threshold, floor in zip(self._thresholds, part.floor, strict=True):
            worth = 0.0
            if floor:
                worth = cases_above[floor - 1] - controls_above[floor - 1] * threshold / (1 - threshold)
            found[f"net_benefit_{threshold}"] = ratio(worth + np.zeros_like(total), total)
        return found


def cut(
    at: Floats, thresholds: ArrayLike = (), width: float = _WIDTH, quantiles: int = _QUANTILES
) -> tuple[Ints, Floats]:
    """Each row's cell by its log-odds, and each cell's lower edge, highest first.

    A cell is at most `width` wide and holds about 1 in `quantiles` rows at most; none lies on both sides of a
    threshold (a chance).
    """
    if not len(at):
        return np.zeros(0, np.int64), np.zeros(0)
    low, high = np.floor(at.min() / width), np.ceil(at.max() / width)
    edges = np.unique(
        np.concatenate(
            [
                width * np.arange(low - 1, high + 1),
                np.quantile(at, np.linspace(0, 1, quantiles + 1), method="inverted_cdf"),
                log_odds(np.asarray(thresholds, float)),
            ]
        )
    )
    key = np.searchsorted(edges, at, side="right") - 1
    kept, key = np.unique(-key, return_inverse=True)
    return key, edges[-kept]


def _gather(to: Ints, of: Ints, times: Floats, rows: int, columns: int) -> csr_matrix:
    return csr_matrix((times, (to, of)), (rows, columns))
