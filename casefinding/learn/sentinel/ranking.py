"""How well a score ranks, with its error: the AUROC of soft or hard labels, by person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Z95 = 1.959963984540054
FEWEST_CASES = 20
"""With fewer cases an AUROC says nothing that may be told."""


@dataclass(frozen=True)
class Auroc:
    """An AUROC, or a difference of two on the same rows, and how much each row's being there moves it.

    `influence`: one a row; its sum of squares by person is the variance (DeLong 1988, for clustered rows Obuchowski
    1997). Weights are taken as given.
    """

    value: float
    influence: np.ndarray

    def __sub__(self, other: Auroc) -> Auroc:
        """The difference on the same rows: what the rows have in common cancels out."""
        return Auroc(self.value - other.value, self.influence - other.influence)

    def error(self, person: np.ndarray) -> float:
        """The standard error; `person`: 0 .. people-1, one a row."""
        return float(np.sqrt(np.square(np.bincount(person, weights=self.influence)).sum()))

    def as_dict(self, person: np.ndarray) -> dict[str, float]:
        """Value with its 95% interval, to four decimals."""
        half = Z95 * self.error(person)
        return {
            name: round(float(number), 4)
            for name, number in (("value", self.value), ("low", self.value - half), ("high", self.value + half))
        }


def auroc(label: np.ndarray, score: np.ndarray, weight: np.ndarray) -> Auroc:
    """The weighted chance that a case is ranked above somebody else, ties one half.

    `label` in [0, 1]: a row counts with weight * label as a case and with weight * (1 - label) as none. Value is NaN
    where one of them is empty.

    >>> auroc(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.4, 0.35, 0.8]), np.ones(4)).value
    0.75
    """
    case, other = weight * label, weight * (1.0 - label)
    cases, others = case.sum(), other.sum()
    if not (cases > 0 and others > 0):
        return Auroc(float("nan"), np.zeros(len(label)))
    order = np.argsort(score, kind="stable")
    ordered = score[order]
    tie = np.concatenate([[0], np.cumsum(ordered[1:] != ordered[:-1])])
    below: list[np.ndarray] = []
    for amount in (case, other):
        each = np.bincount(tie, weights=amount[order])
        place = np.empty(len(score))
        place[order] = (np.cumsum(each) - each / 2)[tie]
        below.append(place)
    beats, beaten = below[1] / others, 1.0 - below[0] / cases
    value = float((case * beats).sum() / cases)
    return Auroc(value, case / cases * (beats - value) + other / others * (beaten - value))


def two_sided(column: np.ndarray, label: np.ndarray, weight: np.ndarray) -> float:
    """How far one column alone ranks, in whichever direction and at whichever end its missing values serve best.

    From 0.5 to 1. As `auroc`, with one sort.
    """
    case, other = weight * label, weight * (1.0 - label)
    total = case.sum() * other.sum()
    if not total > 0:
        return float("nan")
    there = ~np.isnan(column)
    c, o = case[there], other[there]
    order = np.argsort(column[there], kind="stable")
    values, c, o = column[there][order], c[order], o[order]
    tie = np.concatenate([[0], np.cumsum(values[1:] != values[:-1])]) if len(values) else np.zeros(0, dtype=int)
    each = np.bincount(tie, weights=o)
    known = float((c * (np.cumsum(each) - each / 2)[tie]).sum()) if len(values) else 0.0
    absent = case[~there].sum(), other[~there].sum()
    known += absent[0] * absent[1] / 2
    lowest, highest = known + c.sum() * absent[1], known + absent[0] * o.sum()
    return float(max(max(one, total - one) for one in (lowest, highest)) / total)
