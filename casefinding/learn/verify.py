"""Who was looked at, what was found, and how likely it was that somebody like them would be looked at.

A coded diagnosis is disease that was noticed. A model that learns from codes learns whom the practice notices, and
ranks low those whom it never measures. What disease looks like can be learned without that fault from the people who
were looked at: verified, in the language of diagnostic studies (Begg & Greenes, Biometrics 1983). Where being looked at
depends on what the record tells, and on nothing else that goes with the disease, chances learned among them hold for
everyone (missing at random); weighting each by the inverse of the chance of being looked at then guards against a model
too simple to follow (Robins, Rotnitzky & Zhao, JASA 1994).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from casefinding.definitions.evidence import Graded, Verification
from casefinding.disclosure import people_words
from casefinding.errors import LearnError

LARGEST_WEIGHT = 10.0
"""Nobody stands for more than ten people of average weight (truncation; Cole & Hernan, Am J Epidemiol 2008)."""
FEWEST_EFFECTIVE = 0.05
"""Below this share of the verified, their effective number is too small: a few people would speak for all."""
LARGEST_OUTSIDE = 0.5
"""More of the eligible than this without a match among the verified: nothing is known about them, weights or not."""


@dataclass(frozen=True)
class Evidence:
    """Row for row: `verified` (looked at within the horizon, with a result), `found` (yes or no, the code included),
    and `chance` (0 to 1) that what came to light is the disease: NaN for people who were neither looked at nor coded.
    """

    verified: np.ndarray
    found: np.ndarray
    chance: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """Looked at with a result, or coded."""
        return ~np.isnan(self.chance)

    def rows(self, mask: np.ndarray) -> Evidence:
        """Of some rows only."""
        return Evidence(self.verified[mask], self.found[mask], self.chance[mask])

    def told(self, result: np.ndarray, coded: np.ndarray) -> Evidence:
        """With results that somebody sent back after a list (1 found, 0 not, NaN none): they speak before readings.

        `coded` in the horizon stays found: whoever was tested and not diagnosed, and coded later, has it by then.
        """
        there = ~np.isnan(result)
        chance = np.where(there & ~coded, result, self.chance)
        return Evidence(self.verified | there, np.where(there, coded | (result == 1), self.found), chance)

    @classmethod
    def joined(cls, parts: Sequence[Evidence]) -> Evidence:
        """Of several tables, one after the other."""
        columns = [(part.verified, part.found, part.chance) for part in parts]
        return cls(*(np.concatenate(column) for column in zip(*columns, strict=True)))


def evidence_of(verification: Verification, columns: Mapping[str, np.ndarray], coded: np.ndarray) -> Evidence:
    """What the horizon brought to light; `columns` are the verification's features on the day after the horizon.

    A code within the horizon counts as found, for whoever was looked at or not. Of graded values the first group that
    has any speaks, by the value that tells most for the disease; where values are graded and somebody has none, there
    is no result, and the person counts as not looked at. Without graded values `found` alone decides (1 or 0).
    """
    from casefinding.rules.evaluate import evaluate

    verified = evaluate(verification.when, columns)
    found = np.zeros(len(verified), dtype=bool)
    if verification.found is not None:
        found = evaluate(verification.found, columns) & verified
    chance = np.full(len(verified), np.nan)
    for group in reversed(verification.graded):
        values = np.stack([beyond(one, columns[one.feature]) for one in group])
        there = ~np.isnan(values).all(axis=0)
        chance[there] = np.nanmax(values[:, there], axis=0)
    chance = np.where(found & np.isnan(chance) if verification.graded else True, found.astype(np.float64), chance)
    verified = verified & ~np.isnan(chance)
    chance[~verified] = np.nan
    chance[coded] = 1.0
    return Evidence(verified, found | coded, chance)


def beyond(graded: Graded, value: np.ndarray) -> np.ndarray:
    """The normal distribution's share beyond the line, for values that lie `give or take` about the usual one.

    >>> one = Graded(feature="weight", at_least=100, give_or_take=10)
    >>> [round(float(p), 3) for p in beyond(one, np.array([90.0, 100.0, 110.0]))]
    [0.159, 0.5, 0.841]
    """
    from scipy.special import ndtr

    if graded.at_least is not None:
        z = (value - graded.at_least) / graded.give_or_take
    else:
        assert graded.less_than is not None
        z = (graded.less_than - value) / graded.give_or_take
    return np.asarray(ndtr(z), dtype=np.float64)


@dataclass(frozen=True)
class Overlap:
    """How far the verified can speak for everyone eligible."""

    eligible: int
    verified: int
    effective: float  # verified people's effective number under the weights (Kish)
    truncated: float  # share of the verified whose weight was cut
    outside: float  # share of the eligible less likely to be looked at than nearly all (99%) of the verified
    largest_weight: float
    why_not: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers and text."""
        return asdict(self)


def verification_weights(chance: np.ndarray, verified: np.ndarray) -> tuple[np.ndarray, Overlap]:
    """Stabilised, truncated weights of the verified rows (0 elsewhere), and how far they reach.

    `chance`: each eligible row's fitted chance of being verified. Weight: share verified / chance, at most
    LARGEST_WEIGHT. `why_not` of the overlap says why the weights must not be used, where they must not.
    """
    rows, number = len(verified), int(verified.sum())
    if number == 0:
        return np.zeros(rows), Overlap(rows, 0, 0.0, 0.0, 1.0, 0.0, "nobody was looked at within the horizon")
    if number == rows:
        return np.ones(rows), Overlap(rows, rows, float(rows), 0.0, 0.0, 1.0)
    share = number / rows
    free = np.where(verified, share / np.clip(chance, 1e-9, 1.0), 0.0)
    weight = np.minimum(free, LARGEST_WEIGHT)
    effective = float(weight.sum() ** 2 / (weight**2).sum())
    outside = float((chance < np.quantile(chance[verified], 0.01)).mean())
    why = ""
    if effective < FEWEST_EFFECTIVE * number:
        why = (
            f"the {people_words(number)} people looked at count as {people_words(round(effective))} under the weights: "
            "a few would speak for all"
        )
    elif outside > LARGEST_OUTSIDE:
        why = f"{outside:.0%} of the eligible are less likely to be looked at than 99% of those who were"
    cut = float((free[verified] > LARGEST_WEIGHT).mean())
    return weight, Overlap(rows, number, effective, cut, outside, float(weight.max()), why)


def check_overlap(overlap: Overlap, condition: str) -> None:
    """Raise LearnError where weights must not be used."""
    if overlap.why_not:
        raise LearnError(
            f"no weighted model of {condition}: {overlap.why_not}",
            hint="choose another way to learn (learn from: graded), or more index days (training: times)",
        )
