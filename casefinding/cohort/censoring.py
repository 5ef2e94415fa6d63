"""Inverse-probability-of-censoring weights, so that people who left early do not make a disease look rarer.

Method: Kaplan-Meier of the time to censoring (Robins & Rotnitzky 1992; Graf et al. 1999 for a fixed horizon).
"""

from __future__ import annotations

import numpy as np

CENSORED, CASE, CONTROL = 0, 1, 2


def censoring_weights(time: np.ndarray, state: np.ndarray) -> np.ndarray:
    """1/G(t-) for a case at t, 1/G(end) for a control, 0 for the censored; G is the chance of not being censored yet.

    `time`: days under observation (controls: any value, they were seen to the end); `state`: CENSORED, CASE, CONTROL.
    Somebody censored at t was observed on day t, so a case at t comes before a censoring at t. The weights add up to
    the number of people, and the weighted share of cases is Kaplan-Meier's.

    >>> censoring_weights(np.array([1, 2, 3, 9]), np.array([0, 1, 0, 2])).round(4).tolist()
    [0.0, 1.3333, 0.0, 2.6667]
    """
    weights = np.zeros(time.size, dtype=np.float64)
    if time.size == 0:
        return weights
    moments, left = np.unique(time[state == CENSORED], return_counts=True)
    observed = np.sort(np.where(state == CONTROL, np.iinfo(np.int64).max, time.astype(np.int64)))
    cases_there = np.sort(time[state == CASE])
    at_risk = observed.size - np.searchsorted(observed, moments, side="left")
    at_risk -= np.searchsorted(cases_there, moments, side="right") - np.searchsorted(cases_there, moments, side="left")
    still_here = np.concatenate([[1.0], np.cumprod(1.0 - left / at_risk)])
    cases, controls = state == CASE, state == CONTROL
    weights[cases] = 1.0 / still_here[np.searchsorted(moments, time[cases], side="left")]
    if controls.any():
        weights[controls] = 1.0 / still_here[-1]
    return weights
