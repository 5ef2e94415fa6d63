"""Intervals by resampling people: all of a person's rows come or stay away together.

Practices and index days stay as they are: the intervals speak of other people at these practices, not of other
practices. The percentile method (Efron 1979) on order statistics k / (B + 1).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from casefinding.judge.rows import Floats, Ints

_CELLS = 6_000_000  # rows x resamples held at once: about 50 MB a matrix
FEWEST = 20  # fewer resamples than this give no interval


def resamples(person: Ints, people: int, times: int, seed: int) -> Iterator[Floats]:
    """How often each row is drawn, as matrices (rows x some resamples), `times` columns in all.

    Every resample draws as many people as there are, with replacement. The same seed gives the same draws however
    the columns are dealt out.
    """
    width = max(1, min(times, _CELLS // max(1, len(person))))
    rng = np.random.default_rng(seed)
    for start in range(0, times, width):
        columns = min(width, times - start)
        drawn = np.empty((people, columns))
        for column in range(columns):
            drawn[:, column] = np.bincount(rng.integers(0, people, people), minlength=people)
        yield drawn[person]


def interval(replicates: Floats, level: float = 0.95) -> tuple[float, float] | None:
    """The middle `level` of the resampled values; None where too many of them are undefined.

    >>> low, high = interval(np.arange(1.0, 200.0))
    >>> round(low, 6), round(high, 6)
    (5.0, 195.0)
    """
    values = np.asarray(replicates, float)
    finite = values[np.isfinite(values)]
    if len(finite) < FEWEST or len(finite) < 0.9 * len(values):
        return None
    tail = (1 - level) / 2
    low, high = np.quantile(finite, [tail, 1 - tail], method="weibull")
    return float(low), float(high)


def estimate(value: float, replicates: Floats | None = None) -> dict[str, float | None]:
    """A measure as JSON holds it: value, low, high; None for what is not defined."""
    bounds = None if replicates is None or not math.isfinite(value) else interval(replicates)
    low, high = bounds if bounds else (None, None)
    return {"value": plain(value), "low": low, "high": high}


def plain(value: float) -> float | None:
    """A plain float, or None where it is not finite."""
    value = float(value)
    return value if math.isfinite(value) else None
