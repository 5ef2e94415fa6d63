"""Funnel plots: which practices differ from the others by more than chance, and by more than practices do.

The figure is an indirectly standardised ratio, cases recorded over cases expected, drawn against the expected. The
centre is the ratio of all practices together. Methods:

* limits for chance alone: exact Poisson, interpolated (Spiegelhalter, Stat Med 2005;24:1185, appendix). A register
  holds a person once, so that where the condition is common they are a little too wide;
* limits for practices as they differ: the spread between practices is added to chance, on the scale of square roots,
  by the moments of scores winsorised at 10% (Spiegelhalter, Qual Saf Health Care 2005;14:347; as in the NHS's SHMI).
  With fewer than FEWEST_FOR_SPREAD practices a spread cannot be told, and chance alone is used;
* shrinkage: recorded cases are Poisson, practices' true ratios gamma (Clayton and Kaldor, Biometrics 1987;43:671). The
  mean and the spread of the gamma are not plugged in but weighed by their likelihood over a grid, flat in the spread
  (coefficient of variation 0 to 1) and in the logarithm of the mean, so that few practices give wide intervals. From 3
  to 40 simulated practices the 95% intervals held the truth 94 to 95 times in 100, 99 where practices did not differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

FEWEST_FOR_SPREAD = 5
"""With fewer practices nothing is said about how practices differ."""
FEWEST_TO_SHRINK = 3
FEWEST_EXPECTED = 1.0
"""With fewer cases expected nothing is said of a practice."""
LEVELS = (0.95, 0.998)
WITHIN, OUTSIDE, FAR_OUTSIDE = "within", "outside 95%", "outside 99.8%"
WINSORISED = 0.1


@dataclass(frozen=True)
class Funnel:
    """Practices that stand in one funnel, in the order given; every array has their number.

    `ratio` with its exact 95% interval (`low`, `high`), `shrunk` with its own, `chance` and `adjusted` the limits as
    (n, 4): 99.8% low, 95% low, 95% high, 99.8% high. A ratio, a shrunken ratio or limits that cannot be told are NaN.
    `spread`: standard deviation between practices on the scale of square roots; `dispersion`: mean squared score, 1 if
    practices differ by chance alone.
    """

    recorded: Floats
    expected: Floats
    target: float
    ratio: Floats
    low: Floats
    high: Floats
    chance: Floats
    adjusted: Floats
    dispersion: float
    spread: float
    shrunk: Floats
    shrunk_low: Floats
    shrunk_high: Floats

    @property
    def adjusts(self) -> bool:
        """Whether the limits in use allow for how practices differ."""
        return self.spread > 0

    @property
    def limits(self) -> Floats:
        """The limits that flags go by."""
        return self.adjusted if self.adjusts else self.chance

    def standing(self, *, by_chance: bool = False) -> list[str]:
        """WITHIN, OUTSIDE or FAR_OUTSIDE for each practice, "" where too little is expected."""
        limits = self.chance if by_chance else self.limits
        found = []
        for value, (far_low, low, high, far_high) in zip(self.ratio, limits, strict=True):
            if np.isnan(value):
                found.append("")
            elif value < far_low or value > far_high:
                found.append(FAR_OUTSIDE)
            else:
                found.append(OUTSIDE if value < low or value > high else WITHIN)
        return found


def funnel(recorded: ArrayLike, expected: ArrayLike) -> Funnel:
    """Hold recorded cases against expected ones, practice by practice; ValueError for a negative number.

    >>> found = funnel([50, 60, 40, 200], [100, 100, 100, 200])
    >>> found.target, found.ratio.tolist(), found.standing()
    (0.7, [0.5, 0.6, 0.4, 1.0], ['outside 95%', 'within', 'outside 99.8%', 'outside 99.8%'])
    """
    seen, due = np.asarray(recorded, dtype=float), np.asarray(expected, dtype=float)
    if seen.shape != due.shape or (seen < 0).any() or (due < 0).any():
        raise ValueError("recorded and expected must be as many, and none negative")
    there = due >= FEWEST_EXPECTED
    target = float(seen[there].sum() / due[there].sum()) if there.any() else np.nan
    dispersion, spread = _spread(seen[there], due[there], target)
    ratio = np.where(there, seen / np.where(there, due, 1), np.nan)
    low, high = poisson_interval(seen)
    shrunk = np.full((3, len(seen)), np.nan)
    if int(there.sum()) >= FEWEST_TO_SHRINK and target > 0:
        shrunk[:, there] = _shrink(seen[there], due[there], target)
    scale = np.where(there, due, np.nan)
    return Funnel(
        recorded=seen, expected=due, target=target, ratio=ratio, low=low / scale, high=high / scale,
        chance=chance_limits(target, due), adjusted=adjusted_limits(target, due, spread),
        dispersion=dispersion, spread=spread, shrunk=shrunk[0], shrunk_low=shrunk[1], shrunk_high=shrunk[2],
    )  # fmt: skip


def poisson_interval(recorded: ArrayLike) -> tuple[Floats, Floats]:
    """The exact 95% interval of a Poisson mean (Garwood, Biometrika 1936;28:437).

    >>> [round(float(end), 2) for end in poisson_interval(10)]
    [4.8, 18.39]
    """
    from scipy.stats import gamma

    seen = np.asarray(recorded, dtype=float)
    low = np.where(seen > 0, gamma.ppf(0.025, np.maximum(seen, 1)), 0.0)
    return np.asarray(low, dtype=float), np.asarray(gamma.ppf(0.975, seen + 1), dtype=float)


def chance_limits(target: float, expected: ArrayLike) -> Floats:
    """Limits of the ratio for chance alone, (n, 4); NaN where too little is expected.

    The r-th count is the lowest with a cumulative probability of p or more; the limit lies between it and the count
    before, so that it moves smoothly with the expected number.
    """
    from scipy.stats import poisson

    due = np.asarray(expected, dtype=float)
    limits = np.full((len(due), 4), np.nan)
    there = (due >= FEWEST_EXPECTED) & np.isfinite(target)
    if not there.any():
        return limits
    mean = target * due[there]
    for place, p in enumerate(_tails()):
        r = poisson.ppf(p, mean)
        at, before = poisson.cdf(r, mean), np.where(r > 0, poisson.cdf(r - 1, mean), 0.0)
        limits[there, place] = np.maximum(0.0, r - (at - p) / np.maximum(at - before, 1e-300)) / due[there]
    return limits


def adjusted_limits(target: float, expected: ArrayLike, spread: float) -> Floats:
    """Limits of the ratio that allow for the spread between practices, (n, 4); NaN where too little is expected."""
    from scipy.stats import norm

    due = np.asarray(expected, dtype=float)
    limits = np.full((len(due), 4), np.nan)
    there = (due >= FEWEST_EXPECTED) & np.isfinite(target)
    error = np.sqrt(1 / (4 * due[there]) + spread**2)
    for place, p in enumerate(_tails()):
        limits[there, place] = np.maximum(0.0, np.sqrt(target) + norm.ppf(p) * error) ** 2
    return limits


def _tails() -> tuple[float, float, float, float]:
    inner, outer = ((1 - level) / 2 for level in LEVELS)
    return outer, inner, 1 - inner, 1 - outer


def _spread(seen: Floats, due: Floats, target: float) -> tuple[float, float]:
    """Mean squared score (1 if by chance alone) and the standard deviation between practices, by moments."""
    n = len(seen)
    if n < FEWEST_FOR_SPREAD or not target > 0:
        return np.nan, 0.0
    weight = 4 * due  # the inverse of the variance of the square root of a ratio
    score = (np.sqrt(seen / due) - np.sqrt(target)) * np.sqrt(weight)
    ends = np.quantile(score, [WINSORISED, 1 - WINSORISED])
    dispersion = float((np.clip(score, *ends) ** 2).mean())
    room = weight.sum() - (weight**2).sum() / weight.sum()
    return dispersion, float(np.sqrt(max(0.0, (n * dispersion - (n - 1)) / room)))


_SPREADS = np.linspace(0.03, 1.0, 40) ** 2
"""Coefficients of variation of practices' true ratios that are weighed, denser where small."""
_MEANS = np.linspace(-4, 4, 17)
"""Means that are weighed for each, in standard errors of the logarithm."""


def hyperparameters(seen: Floats, due: Floats, target: float) -> tuple[Floats, Floats, Floats]:
    """Shape and rate of the gamma over the grid, and how much each pair weighs (sums to 1)."""
    from scipy.special import gammaln

    variance = _SPREADS[:, None] ** 2 + 1 / (target * due)[None, :]  # of log ratios, roughly: it only places the grid
    centre = np.log(((seen / due)[None, :] / variance).sum(1) / (1 / variance).sum(1))
    error = np.sqrt(1 / (1 / variance).sum(1))
    mean = np.exp(centre[:, None] + error[:, None] * _MEANS[None, :]).ravel()
    shape = np.repeat(1 / _SPREADS**2, len(_MEANS))
    rate = shape / mean
    a, b = shape[:, None], rate[:, None]
    logs = gammaln(a + seen) - gammaln(a) + a * np.log(b / (b + due)) + seen * np.log(due / (b + due))
    volume = np.repeat(np.gradient(_SPREADS) * error, len(_MEANS))
    likely = logs.sum(1)
    weight = np.exp(likely - likely.max()) * volume
    kept = weight > weight.max() * 1e-5
    return shape[kept], rate[kept], weight[kept] / weight[kept].sum()


def _shrink(seen: Floats, due: Floats, target: float) -> Floats:
    """Posterior mean and 95% interval of each practice's true ratio, (3, n)."""
    shape, rate, weight = hyperparameters(seen, due, target)
    mean = weight @ ((shape[:, None] + seen) / (rate[:, None] + due))
    return np.vstack([mean, *(_quantile(p, seen, due, shape, rate, weight) for p in (0.025, 0.975))])


def _quantile(p: float, seen: Floats, due: Floats, shape: Floats, rate: Floats, weight: Floats) -> Floats:
    """The quantile of a mixture of gammas for each practice, by bisection."""
    from scipy.special import gammainc, gammaincinv

    a, b = shape[:, None] + seen, rate[:, None] + due
    each: Any = gammaincinv(a, p) / b
    low, high = each.min(0), each.max(0)
    for _ in range(40):
        middle = (low + high) / 2
        under = weight @ gammainc(a, b * middle) < p
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return (low + high) / 2
