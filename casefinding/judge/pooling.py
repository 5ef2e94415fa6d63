"""Random effects: one figure from many practices, how much they differ, and what a further practice may expect.

Restricted maximum likelihood for the spread between practices, Hartung and Knapp's interval for the mean (Stat Med
2001;20:3875), and the prediction interval of Higgins, Thompson and Spiegelhalter (JRSS A 2009;172:137; t with two
degrees of freedom fewer than practices), as advised for prediction models by Debray and others (BMJ 2017;356:i6460).
With few practices a prediction interval promises a little too much: where practices differed 1.5 times as much as their
sampling errors, it held a further one 90, 92 and 94 times in 100 from 6, 12 and 30 practices (simulated).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from casefinding.judge.rows import Floats

FEWEST_PLACES = 3
"""With fewer practices than this nothing can be said about how practices differ."""


@dataclass(frozen=True)
class Pooled:
    """The mean over practices with its 95% interval, the 95% prediction interval, and the spread (`tau`, an SD)."""

    mean: float
    low: float
    high: float
    predicted_low: float
    predicted_high: float
    tau: float
    practices: int


def pool(values: ArrayLike, variances: ArrayLike) -> Pooled | None:
    """Sum up the practices' estimates, given their sampling variances; None with fewer than three that are defined.

    >>> found = pool([0.0, 1.0, 2.0], [0.25, 0.25, 0.25])  # equal variances: tau^2 = 1 - 0.25, SE^2 = 1 / 3
    >>> round(found.mean, 6), round(found.tau**2, 6), round(found.high, 4)
    (1.0, 0.75, 3.4841)
    """
    from scipy.stats import t

    values, variances = np.asarray(values, float), np.asarray(variances, float)
    known = np.isfinite(values) & np.isfinite(variances) & (variances > 0)
    y, v = values[known], variances[known]
    k = len(y)
    if k < FEWEST_PLACES:
        return None
    between = _reml(y, v)
    weight = 1 / (v + between)
    mean = float(weight @ y / weight.sum())
    error = float(weight @ (y - mean) ** 2 / (k - 1) / weight.sum())  # Hartung and Knapp
    wide = t.ppf(0.975, k - 1) * np.sqrt(error)
    wider = t.ppf(0.975, k - 2) * np.sqrt(between + error)
    return Pooled(
        mean=mean,
        low=float(mean - wide),
        high=float(mean + wide),
        predicted_low=float(mean - wider),
        predicted_high=float(mean + wider),
        tau=float(np.sqrt(between)),
        practices=k,
    )


def _reml(y: Floats, v: Floats) -> float:
    """The variance between practices by restricted maximum likelihood (Fisher scoring, not below 0)."""
    between = max(0.0, float(np.var(y, ddof=1) - v.mean()))
    for _ in range(500):
        weight = 1 / (v + between)
        total, square, cube = weight.sum(), (weight**2).sum(), (weight**3).sum()
        mean = weight @ y / total
        score = weight**2 @ (y - mean) ** 2 - total + square / total
        information = square - 2 * cube / total + (square / total) ** 2
        moved = max(0.0, between + score / information)
        if abs(moved - between) < 1e-12 * (1 + between):
            return float(moved)
        between = moved
    return float(between)
