"""Net benefit (Vickers and Elkin 2006): is acting on the chance better than testing everybody or nobody?

Testing everyone whose chance is at least t is worth (true positives - false positives x t / (1 - t)) / everybody:
a practice that would test at t holds one case found to be worth (1 - t) / t tests of healthy people.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from casefinding.disclosure import tellable
from casefinding.judge.rows import Floats, Ints, Rows

TABLE_THRESHOLDS = (0.01, 0.02, 0.05, 0.1, 0.2)
CURVE_THRESHOLDS = tuple(round(0.005 * step, 3) for step in range(61))
"""Stated before any data are seen: 0 to 0.30 in steps of 0.005."""


def net_benefit(case: ArrayLike, chance: ArrayLike, thresholds: ArrayLike, weight: ArrayLike | None = None) -> Floats:
    """Net benefit of testing everyone whose chance is at least each threshold, weighted.

    >>> [round(float(value), 3) for value in net_benefit([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.8], [0.2, 0.5])]
    [0.438, 0.0]
    """
    case, chance, thresholds = np.asarray(case, float), np.asarray(chance, float), np.asarray(thresholds, float)
    weight = np.ones(len(case)) if weight is None else np.asarray(weight, float)
    if ((thresholds < 0) | (thresholds >= 1)).any():
        raise ValueError("a threshold lies in [0, 1)")
    order = np.argsort(chance, kind="stable")
    below = np.searchsorted(chance[order], thresholds, side="left")
    true, false = (
        np.concatenate([np.cumsum(part[order][::-1])[::-1], [0.0]])[below]
        for part in (weight * case, weight * (1 - case))
    )
    return (true - false * thresholds / (1 - thresholds)) / weight.sum()


def treat_all(case: ArrayLike, thresholds: ArrayLike, weight: ArrayLike | None = None) -> Floats:
    """Net benefit of testing everybody; testing nobody is worth 0."""
    return net_benefit(case, np.ones(len(np.asarray(case))), thresholds, weight)


def may_be_told(rows: Rows, score: Floats, thresholds: ArrayLike) -> NDArray[np.bool_]:
    """At which thresholds the net benefit of a score may be published.

    Not where the people tested who are cases, or who are not, or those left untested of either kind, are 1 to 7.
    """
    used = rows.weight > 0
    person, case, score = rows.person[used], rows.case[used] > 0, score[used]

    thresholds = np.asarray(thresholds, float)
    alone = len(np.unique(person)) == len(person)  # one row a person, as `learn` hands them over: rows are people

    def people(mask: NDArray[np.bool_]) -> int:
        return int(np.count_nonzero(mask)) if alone else len(np.unique(person[mask]))

    return np.array(
        [
            tellable(*(people(tested & kind) for tested in (score >= at, score < at) for kind in (case, ~case)))
            for at in thresholds
        ],
        dtype=bool,
    )


def tellable_at(person: Ints, share: Floats, score: Floats, thresholds: ArrayLike) -> NDArray[np.bool_]:
    """As `may_be_told` where the outcome is a share: nobody's parts, summed over people, may round to 1 to 7."""
    _, code, rows = np.unique(person, return_inverse=True, return_counts=True)
    each = 1 / rows[code]  # a person counts once, however many rows there are
    tested = score >= np.asarray(thresholds, float)[:, None]
    sums = [mask @ (each * part) for mask in (tested, ~tested) for part in (share, 1 - share)]
    return np.array([tellable(*(round(float(value)) for value in parts)) for parts in zip(*sums, strict=True)], bool)
