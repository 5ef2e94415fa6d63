"""Reasons are shown only if they add up: base + contributions = log-odds of the chance that the list shows.

The contributions come from the bundle: exact Shapley values of its trees (tree-path-dependent, Lundberg 2018), scaled
by the calibration, which is linear in the raw score and so keeps them exact. Tests hold them against brute force.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from casefinding.errors import BundleError

Floats = NDArray[np.float64]
TOLERANCE = 1e-9


def check_sum(log_odds: Floats, contributions: Floats, base: float) -> None:
    """BundleError unless base + contributions give every row's log-odds, to 1e-9 of their size (of 1 if smaller).

    >>> check_sum(np.array([-1.5]), np.array([[0.75, -0.25]]), -2.0)
    """
    off = np.abs(base + contributions.sum(axis=1) - log_odds)
    if not (off <= TOLERANCE * np.maximum(1.0, np.abs(log_odds))).all():  # not: a NaN must not pass
        raise BundleError(
            "the contributions do not add up to the chances",
            where="reasons",
            hint="they must come from the bundle that gave the chances, for the same rows",
        )
