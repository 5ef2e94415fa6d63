"""Change points in monthly counts: large and lasting ones only, with their month and size.

Binary segmentation: the split of a series that raises the likelihood most (Poisson counts with an exposure, or binomial
shares) is taken if twice the gain, divided by the series' own overdispersion, exceeds PENALTY; then each part is split
again (Scott and Knott, Biometrics 1974;30:507; Fryzlewicz, Annals of Statistics 2014;42:2243, on its consistency). No
part is shorter than SHORTEST months. Of the splits found, a caller keeps those that are large and lasting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

PENALTY = 25.0
"""Twice the gain in log-likelihood: about five standard errors, so that thousands of series give none by chance."""
SHORTEST = 3
"""Months; one odd month is no change point."""
_MEDIAN_OF_CHI_SQUARE = 0.455  # with one degree of freedom

Gain = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Change:
    """A change at the start of month `at`, from the level before to the level after, each over its own segment.

    `before`, `after`: entries over exposure (a rate, or a share); `months_before`, `months_after`: how long.
    `lasts`: the segment after goes on to the end of the series. `expected`: the entries of the shorter side at
    the higher rate, or the values of the smaller side where levels are shares.
    """

    at: int
    before: float
    after: float
    months_before: int
    months_after: int
    lasts: bool
    expected: float

    @property
    def times(self) -> float:
        """How many times the higher level is the lower one; infinite if one is none."""
        low, high = sorted((self.before, self.after))
        return high / low if low else float("inf")


def rates(entries: np.ndarray, exposure: np.ndarray, each: float = 1.0) -> list[Change]:
    """Changes in the rate of monthly counts (float or int, (months,)) over an exposure (same shape, not negative).

    `each`: entries of one person, on average. They come and go together, as repeat medicines do, so that counts spread
    at least so much more than chance (the variance of a compound Poisson sum).

    >>> months = np.array([50, 48, 53, 49, 52, 50, 0, 0, 0, 0, 1, 0])
    >>> [(change.at, round(change.before, 2)) for change in rates(months, np.full(12, 10.0))]
    [(6, 5.03)]
    """
    spread = max(each, _spread(entries, exposure, share=False))
    return _changes(entries, exposure, _poisson, spread, share=False)


def shares(part: np.ndarray, whole: np.ndarray) -> list[Change]:
    """Changes in the share that a part is of a whole, by month.

    >>> part, whole = np.array([9, 10, 9, 10, 9, 0, 1, 0, 0]), np.full(9, 10)
    >>> [(change.at, round(change.after, 3)) for change in shares(part, whole)]
    [(5, 0.025)]
    """
    return _changes(part, whole, _binomial, _spread(part, whole, share=True), share=True)


def _changes(y: np.ndarray, e: np.ndarray, gain: Gain, spread: float, *, share: bool) -> list[Change]:
    y, e = np.asarray(y, dtype=np.float64), np.asarray(e, dtype=np.float64)
    cuts = sorted(_split(y, e, gain, spread, 0, len(y)))
    ends = [0, *cuts, len(y)]
    found = []
    for start, at, end in zip(ends, ends[1:], ends[2:], strict=False):
        (y1, y2), (e1, e2) = (y[start:at].sum(), y[at:end].sum()), (e[start:at].sum(), e[at:end].sum())
        before, after = float(y1 / e1), float(y2 / e2)
        expected = min(e1, e2) * (1.0 if share else max(before, after))
        found.append(Change(at, before, after, at - start, end - at, end == len(y), float(expected)))
    return found


def _split(y: np.ndarray, e: np.ndarray, gain: Gain, spread: float, start: int, end: int) -> list[int]:
    """Cuts inside [start, end), of months with any exposure on both sides."""
    waiting, cuts = [(start, end)], []
    while waiting:
        start, end = waiting.pop()
        if end - start < 2 * SHORTEST:
            continue
        left_y, left_e = np.cumsum(y[start:end])[:-1], np.cumsum(e[start:end])[:-1]
        all_y, all_e = y[start:end].sum(), e[start:end].sum()
        right_y, right_e = all_y - left_y, all_e - left_e
        length = np.arange(1, end - start)
        may = (length >= SHORTEST) & (end - start - length >= SHORTEST) & (left_e > 0) & (right_e > 1e-9)
        if not may.any():
            continue
        raised = gain(left_y, left_e) + gain(right_y, right_e) - gain(np.array([all_y]), np.array([all_e]))[0]
        best = int(np.argmax(np.where(may, raised, -np.inf)))
        if 2 * raised[best] / spread > PENALTY:
            cut = start + best + 1
            cuts.append(cut)
            waiting += [(start, cut), (cut, end)]
    return cuts


def _poisson(y: np.ndarray, e: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(y > 0, y * np.log(np.maximum(y, 1e-300) / np.maximum(e, 1e-300)), 0.0)


def _binomial(y: np.ndarray, e: np.ndarray) -> np.ndarray:
    rest = np.maximum(e - y, 0.0)
    return _poisson(y, e) + _poisson(rest, e)


def _spread(y: np.ndarray, e: np.ndarray, *, share: bool) -> float:
    """How much more neighbouring months differ than chance alone would make them; at least 1.

    From differences of neighbours, by their median: a step is one difference among many and does not count.
    """
    y, e = np.asarray(y, dtype=np.float64), np.asarray(e, dtype=np.float64)
    both = (e[1:] > 0) & (e[:-1] > 0)
    if both.sum() < 4:
        return 1.0
    pooled = np.clip((y[1:] + y[:-1])[both] / (e[1:] + e[:-1])[both], 0, 1 if share else np.inf)
    chance = pooled * (1 - pooled) if share else pooled
    level = np.divide(y, e, out=np.zeros_like(y), where=e > 0)
    apart = np.diff(level)[both]
    var = chance * (1 / e[1:][both] + 1 / e[:-1][both])
    squares = apart[var > 0] ** 2 / var[var > 0]
    return max(1.0, float(np.median(squares)) / _MEDIAN_OF_CHI_SQUARE) if len(squares) >= 4 else 1.0
