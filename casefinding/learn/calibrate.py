"""From raw score to chance: a logistic map with two numbers, which keeps every rank and every contribution."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from casefinding.errors import LearnError

SMALLEST_SLOPE = 0.05
"""A map may flatten the raw score but never turn its order round, whatever the sample says."""


@dataclass(frozen=True)
class Calibration:
    """chance = 1 / (1 + exp(-(slope * raw + intercept))).

    >>> float(Calibration(slope=1.0, intercept=0.0).chance(np.array([0.0]))[0])
    0.5
    """

    slope: float
    intercept: float

    def log_odds(self, raw: np.ndarray) -> np.ndarray:
        return self.slope * raw + self.intercept

    def chance(self, raw: np.ndarray) -> np.ndarray:
        return sigmoid(self.log_odds(raw))

    def as_json(self) -> dict[str, object]:
        return {"kind": "logistic map of the raw score", **asdict(self)}


def sigmoid(log_odds: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)) without overflow.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    size = np.exp(-np.abs(log_odds))
    return np.where(log_odds >= 0, 1.0, size) / (1.0 + size)


def fit_calibration(raw: np.ndarray, case: np.ndarray, weight: np.ndarray) -> Calibration:
    """Slope and intercept of a weighted logistic regression of `case` (0 to 1) on `raw`, by Newton's method.

    Cox's recalibration (1958). Where the best slope is below SMALLEST_SLOPE, that slope is held and only the intercept
    is fitted. Raises LearnError if only one class is there: no map can be fitted.
    """
    case = case.astype(np.float64)
    if not (0 < float((weight * case).sum()) < float(weight.sum())):
        raise LearnError(
            "the chance cannot be calibrated: all people in the part kept for it have the same outcome",
            hint="more practices or index days (training: times) would bring more cases into it",
        )
    slope, intercept = _newton(raw, case, weight, None)
    if slope < SMALLEST_SLOPE:
        slope, intercept = _newton(raw, case, weight, SMALLEST_SLOPE)
    return Calibration(slope=slope, intercept=intercept)


def _newton(raw: np.ndarray, case: np.ndarray, weight: np.ndarray, slope: float | None) -> tuple[float, float]:
    """Damped Newton steps on the weighted log-likelihood; `slope` given: only the intercept moves."""
    shift, spread = float(np.average(raw, weights=weight)), float(np.std(raw)) or 1.0
    x = (raw - shift) / spread
    share = float(np.average(case, weights=weight))
    held = slope is not None
    at = np.array([0.0 if slope is None else slope * spread, np.log(share / (1 - share))])

    def loss(point: np.ndarray) -> float:
        z = point[0] * x + point[1]
        return float((weight * (np.logaddexp(0.0, z) - case * z)).sum())

    now = loss(at)
    for _ in range(100):
        p = sigmoid(at[0] * x + at[1])
        gap, bend = weight * (case - p), weight * p * (1 - p)
        gradient = np.array([(gap * x).sum(), gap.sum()])
        hessian = np.array([[(bend * x * x).sum(), (bend * x).sum()], [(bend * x).sum(), bend.sum()]])
        if held:
            step = np.array([0.0, gradient[1] / max(hessian[1, 1], 1e-12)])
        else:
            step = np.linalg.solve(hessian + 1e-9 * np.eye(2), gradient)
        size = 1.0
        while (then := loss(at + size * step)) > now and size > 1e-6:
            size /= 2
        if size <= 1e-6:
            break
        at, gained, now = at + size * step, now - then, then
        if gained <= 1e-12 * max(1.0, abs(now)):
            break
    return float(at[0] / spread), float(at[1] - at[0] * shift / spread)
