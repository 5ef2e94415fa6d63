"""Calibration: of people given a chance of 1 in 10, are 1 in 10 diagnosed?

Slope and intercept are those of a logistic regression of the outcome on the log-odds of the chance (Cox 1958): a
slope under 1 means that chances are too extreme; calibration in the large is the intercept with the slope held at 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from casefinding.judge.rows import Floats

_LIMIT = 1e-12  # a chance of exactly 0 or 1 has no log-odds


def brier(case: ArrayLike, chance: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Mean squared difference between chance and outcome, weighted (0 best).

    >>> brier([0, 1], [0.0, 0.5])
    0.125
    """
    case, chance, weight = _arrays(case, chance, weight)
    return float(np.average((chance - case) ** 2, weights=weight)) if weight.sum() > 0 else float("nan")


def observed_expected(case: ArrayLike, chance: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Cases observed for every case expected (sum of the chances), weighted (1 best)."""
    case, chance, weight = _arrays(case, chance, weight)
    expected = float(weight @ chance)
    return float(weight @ case) / expected if expected > 0 else float("nan")


def slope(case: ArrayLike, chance: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Calibration slope (1 best); NaN where it is not defined (one outcome only, or one chance for all)."""
    case, chance, weight = _arrays(case, chance, weight)
    used = weight > 0
    at, weight, case = log_odds(chance[used]), weight[used], case[used]
    return float(cox_slopes(at, weight[:, None], np.array([weight @ case]), np.array([at * weight @ case]), 1e-12)[0])


def in_the_large(case: ArrayLike, chance: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Calibration in the large, in log-odds (0 best; above 0 = more cases than expected)."""
    case, chance, weight = _arrays(case, chance, weight)
    used = weight > 0
    at, weight = log_odds(chance[used]), weight[used]
    return float(cox_shifts(at, weight[:, None], np.array([weight @ case[used]]), 1e-12)[0])


def log_odds(chance: Floats) -> Floats:
    """The log-odds of chances, kept finite."""
    clipped = np.clip(chance, _LIMIT, 1 - _LIMIT)
    return np.log(clipped) - np.log1p(-clipped)


def cox_slopes(at: Floats, cells: Floats, cases: Floats, cases_at: Floats, tolerance: float = 1e-4) -> Floats:
    """Calibration slope of many weightings at once, by Newton's method; NaN where undefined.

    `cells` (cells x weightings): the weight at each log-odds `at`. `cases`: the weight of all cases; `cases_at`: their
    weight x log-odds, summed. `tolerance` is the last step's length; the error left is about its square.
    """
    weightings = cells.shape[1]
    defined = _both(cells, cases)
    if not defined.any() or np.ptp(at) < 1e-9:
        return np.full(weightings, np.nan)
    centre = float(at @ cells.sum(axis=1) / cells.sum())  # steadies the sums; the slope stays as it is
    z = at - centre
    powers = np.stack([np.ones_like(z), z, z * z])
    intercept, slope, size = np.full(weightings, centre), np.ones(weightings), np.full(weightings, np.inf)
    for _ in range(50):
        fitted = sigmoid(intercept + z[:, None] * slope)
        expected = cells * fitted
        g0, g1 = cases - expected.sum(axis=0), cases_at - centre * cases - z @ expected
        h00, h01, h11 = np.einsum("pc,cb->pb", powers, expected * (1 - fitted))
        with np.errstate(divide="ignore", invalid="ignore"):
            determinant = h00 * h11 - h01 * h01
            move0, move1 = (h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant
            size = np.maximum(np.abs(move0), np.abs(move1))
            damp = np.minimum(1.0, 2.0 / np.maximum(size, 1e-300))  # a long step from a poor start overshoots
        intercept, slope = intercept + damp * move0, slope + damp * move1
        if not (size > tolerance).any():
            break
    return np.where(defined & (size < 1e-3) & (np.abs(slope) < 100), slope, np.nan)


def cox_shifts(at: Floats, cells: Floats, cases: Floats, tolerance: float = 1e-4) -> Floats:
    """Calibration in the large of many weightings at once; arguments as `cox_slopes`."""
    defined = _both(cells, cases)
    shift, size = np.zeros(cells.shape[1]), np.full(cells.shape[1], np.inf)
    for _ in range(100) if defined.any() else ():
        fitted = sigmoid(at[:, None] + shift)
        expected = cells * fitted
        with np.errstate(divide="ignore", invalid="ignore"):
            move = (cases - expected.sum(axis=0)) / (expected * (1 - fitted)).sum(axis=0)
        size = np.abs(move)
        shift = shift + np.clip(move, -2.0, 2.0)
        if not (size > tolerance).any():
            break
    return np.where(defined & (size < 1e-3), shift, np.nan)


def deciles(case: ArrayLike, chance: ArrayLike, weight: ArrayLike | None = None, parts: int = 10) -> list[dict]:
    """Tenths of the rows by chance: how many, how many expected to be cases and how many were.

    Counts are plain; `expected` and `observed` are mean chance and share of cases, weighted. Equal chances are
    never parted, so there may be fewer than ten; no boundary (somebody's own chance) is given.
    """
    case, chance, weight = _arrays(case, chance, weight)
    counts = weight > 0
    case, chance, weight = case[counts], chance[counts], weight[counts]
    if not len(case):
        return []
    cuts = np.sort(chance)[[-(-len(chance) * number // parts) - 1 for number in range(1, parts)]]
    part = np.searchsorted(np.unique(cuts), chance, side="left")
    table = []
    for number, label in enumerate(np.unique(part), start=1):
        here = part == label
        table.append(
            {
                "part": number,
                "rows": int(here.sum()),
                "cases": int(case[here].sum()),
                "expected": float(np.average(chance[here], weights=weight[here])),
                "observed": float(np.average(case[here], weights=weight[here])),
            }
        )
    return table


def _both(cells: Floats, cases: Floats) -> NDArray[np.bool_]:
    return (cases > 0) & (cases < cells.sum(axis=0) * (1 - 1e-12))


def sigmoid(log_odds: Floats) -> Floats:
    """The chance that belongs to log-odds."""
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-log_odds))


def _arrays(case: ArrayLike, chance: ArrayLike, weight: ArrayLike | None) -> tuple[Floats, Floats, Floats]:
    case, chance = np.asarray(case, float), np.asarray(chance, float)
    return case, chance, np.ones(len(case)) if weight is None else np.asarray(weight, float)
