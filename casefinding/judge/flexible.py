"""Flexible calibration: how far the chances lie, on average, from what a smooth curve says happened.

The curve is a logistic regression of the outcome on a restricted cubic spline of the log-odds of the chance (Harrell's
truncated powers, straight beyond the outer knots), the alternative to loess that Austin, Harrell and van Klaveren used
(Stat Med 2020;39:2714); loess itself would need a library more. From the curve: the Integrated Calibration Index (mean
absolute difference between chance and curve over the people; Austin and Steyerberg, Stat Med 2019;38:4051), E50 and
E90 (that difference at the middle and at the ninth tenth of people) and Emax (where it is largest).

All four are sums of absolute values, so chance alone makes them larger than 0, and in resamples larger still; their
intervals are therefore moved back until the middle of the resampled values stands at the value (see `recentred`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from casefinding.judge.bootstrap import plain
from casefinding.judge.calibration import log_odds, sigmoid
from casefinding.judge.rows import Floats

NAMES = ("ici", "e50", "e90", "e_max")
_KNOTS = {5: (0.05, 0.275, 0.5, 0.725, 0.95), 3: (0.1, 0.5, 0.9)}  # Harrell, Regression Modeling Strategies, 2.4.6
FIVE_KNOTS_FROM = 100
"""With fewer cases (or fewer who are not) than this the curve has three knots."""


@dataclass(frozen=True)
class Spline:
    """A restricted cubic spline of log-odds: where its knots lie, on the scale (at - centre) / spread."""

    knots: Floats
    centre: float
    spread: float

    @classmethod
    def of(cls, at: Floats, cases: float, others: float) -> Spline | None:
        """The spline for people at these log-odds; None where all stand at one point."""
        spread = float(np.std(at)) if len(at) else 0.0
        if spread < 1e-9:
            return None
        centre = float(np.mean(at))
        places = _KNOTS[5 if min(cases, others) >= FIVE_KNOTS_FROM else 3]
        return cls(np.unique(np.quantile((at - centre) / spread, places)), centre, spread)

    def design(self, at: Floats) -> Floats:
        """One row a person: 1, the log-odds, and the bent terms (none with fewer than three different knots)."""
        z = (at - self.centre) / self.spread
        columns = [np.ones_like(z), z]
        if len(self.knots) >= 3:
            *inner, before, last = self.knots

            def cube(knot: float) -> Floats:
                return np.maximum(z - knot, 0.0) ** 3

            for knot in inner:
                bent = (
                    cube(knot)
                    - cube(before) * (last - knot) / (last - before)
                    + cube(last) * (before - knot) / (last - before)
                )
                columns.append(bent / (last - inner[0]) ** 2)
        return np.column_stack(columns)


def fit(design: Floats, weight: Floats, cases: Floats, start: Floats | None = None) -> Floats:
    """Logistic regressions by Newton's method, one for each column (weighting); NaN where one does not settle.

    `design`: cells x terms. `weight`, `cases` (cells x weightings): the weight of everybody and of the cases in a cell.
    Gives terms x weightings.
    """
    terms, weightings = design.shape[1], weight.shape[1]
    everybody, all_cases = weight.sum(axis=0), cases.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = all_cases / everybody
    defined = (share > 1e-12) & (share < 1 - 1e-12)
    if start is None:
        found = np.zeros((terms, weightings))
        found[0] = log_odds(np.where(defined, share, 0.5))
    else:
        found = np.repeat(start[:, None], weightings, axis=1)
    upper = np.triu_indices(terms)
    products = design[:, upper[0]] * design[:, upper[1]]
    given, size = design.T @ cases, np.full(weightings, np.inf)
    hessian = np.empty((weightings, terms, terms))
    ridge = 1e-9 * np.maximum(everybody, 1e-300)[:, None] * np.ones(terms)
    for _ in range(40) if defined.any() else ():
        fitted = sigmoid(design @ found)
        expected = weight * fitted
        slopes = given - design.T @ expected
        bend = (products.T @ (expected * (1 - fitted))).T
        hessian[:, upper[0], upper[1]] = bend
        hessian[:, upper[1], upper[0]] = bend
        hessian[:, np.arange(terms), np.arange(terms)] += ridge
        move = np.linalg.solve(hessian, slopes.T[:, :, None])[:, :, 0].T
        size = np.abs((design @ move) * (weight > 0)).max(axis=0)  # how far the curve moves, in log-odds
        found = found + move * np.minimum(1.0, 4.0 / np.maximum(size, 1e-300))  # a long step overshoots
        if not (size[defined] > 1e-3).any():  # the error left is about its square
            break
    return np.where(defined & (size < 0.05), found, np.nan)


def differences(chance: Floats, fitted: Floats, weight: Floats) -> dict[str, Floats]:
    """ICI, E50, E90 and Emax, one for each column; `chance` by cell, the others cells x weightings."""
    apart = np.abs(fitted - chance[:, None])
    total = weight.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = {"ici": (apart * weight).sum(axis=0) / total}
    order = np.argsort(apart, axis=0)
    ranked, running = np.take_along_axis(apart, order, 0), np.cumsum(np.take_along_axis(weight, order, 0), axis=0)
    column = np.arange(apart.shape[1])
    for name, part in (("e50", 0.5), ("e90", 0.9)):
        place = (running < part * total * (1 - 1e-12)).sum(axis=0)
        found[name] = ranked[np.minimum(place, len(ranked) - 1), column]
    found["e_max"] = np.where(weight > 0, apart, -np.inf).max(axis=0) if len(apart) else np.full(len(total), np.nan)
    settled = np.isfinite(fitted).all(axis=0) & (total > 0)
    return {name: np.where(settled, values, np.nan) for name, values in found.items()}


@dataclass(frozen=True)
class Flexible:
    """The fitted curve of one set of rows, and what it gives."""

    spline: Spline
    terms: Floats
    values: dict[str, float | None]

    @classmethod
    def of(cls, share: ArrayLike, chance: ArrayLike, weight: ArrayLike | None = None) -> Flexible | None:
        """Fit the curve; `share` is the outcome (0, 1 or the chance in between that a person is a case).

        None where it is not defined: one outcome only, one chance for all, or no settled fit.
        """
        share, chance = np.asarray(share, float), np.asarray(chance, float)
        weight = np.ones(len(share)) if weight is None else np.asarray(weight, float)
        used = weight > 0
        share, chance, weight, at = share[used], chance[used], weight[used], log_odds(chance[used])
        spline = Spline.of(at, share.sum(), (1 - share).sum())
        if spline is None:
            return None
        design = spline.design(at)
        terms = fit(design, weight[:, None], (weight * share)[:, None])[:, 0]
        if not np.isfinite(terms).all():
            return None
        found = differences(chance, sigmoid(design @ terms)[:, None], weight[:, None])
        return cls(spline, terms, {name: plain(values[0]) for name, values in found.items()})

    def at(self, chance: ArrayLike) -> Floats:
        """What the curve says of people given these chances."""
        return sigmoid(self.spline.design(log_odds(np.asarray(chance, float))) @ self.terms)


def recentred(value: float | None, replicates: Floats) -> Floats:
    """Resampled absolute differences moved so that their middle stands at the value; none is less than 0."""
    finite = replicates[np.isfinite(replicates)]
    if value is None or not len(finite):
        return replicates
    return np.maximum(replicates + (value - float(np.median(finite))), 0.0)
