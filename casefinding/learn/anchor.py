"""The anchor: how high the chances are, held against what published prevalence leaves once the register is taken off.

A model learns its level from who was found, or from who was tested. Neither need be the level among everybody who may
be asked. Published prevalence, less the register, says how many there should be. The correction is one number for a
condition, added to every log-odds: it changes how high chances are and never who comes before whom. It is bounded, it
is shown, and the config can switch it off (`anchor chances: shown`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from casefinding.definitions.shapes import Expected
from casefinding.disclosure import rounded
from casefinding.learn.calibrate import sigmoid
from casefinding.rules.expected import SEX_WORDS, band_of, band_words, expected_chance, sex_of

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
_STEPS = 200


@dataclass(frozen=True)
class Band:
    """People of one age band and sex; `expected`, `to_find`, `expected_eligible` and `chances` are numbers of people.

    `to_find`: expected and not on the register, times what a test would confirm, never below 0. `expected_eligible`:
    the share of those that falls to the eligible, by their share of the people not on the register. `chances`: the sum
    over the eligible, before any correction.
    """

    ages: str
    sex: str
    registered: int
    on_register: int
    eligible: int
    expected: float
    to_find: float
    expected_eligible: float
    chances: float


@dataclass(frozen=True)
class Anchor:
    """One condition held against published prevalence.

    `shift` is what would be (and, where `applied`, has been) added to all log-odds; `held`: the bound stopped it short.
    `of_testing`: the chances are of being found on testing; those of being coded in usual care are never moved.
    """

    bands: tuple[Band, ...]
    shift: float
    at_most: float
    held: bool
    applied: bool
    of_testing: bool = True

    @property
    def expected_eligible(self) -> float:
        return sum(band.expected_eligible for band in self.bands)

    @property
    def chances(self) -> float:
        return sum(band.chances for band in self.bands)

    def published(self) -> dict[str, Any]:
        """What may leave the job: numbers of people rounded or withheld, ratios worked out from those."""
        rows = [_published(band) for band in self.bands]
        whole = Band("All ages", "", *(sum(getattr(band, name) for band in self.bands) for name in _NUMBERS))  # type: ignore[arg-type]
        return {
            "bands": rows,
            "all": _published(whole),
            "times the odds": round(float(np.exp(self.shift)), 2),
            "at most": self.at_most,
            "held at the bound": self.held,
            "applied": self.applied,
            "of testing": self.of_testing,
        }


_NUMBERS = ("registered", "on_register", "eligible", "expected", "to_find", "expected_eligible", "chances")


def anchor(
    expected: Expected,
    base: pa.Table,
    on_register: Bools,
    log_odds: Floats,
    *,
    apply: bool,
    of_testing: bool = True,
    published: Floats | None = None,
) -> Anchor:
    """Hold the chances of the eligible against what is expected, and find the one shift that would meet it.

    `base`: the cohort's table of one index day; `on_register`: who is on the register (bool, n); `log_odds` of the
    chance, NaN for whoever is not eligible (n); `apply`: the config asks for it; `of_testing`: the chances are of being
    found on testing. `published`: `expected_chance` of these people, if it is known already.

    People younger than the first age band, or of unknown age, are in no band: nothing was published for them. Over
    the bands the expected cases among the eligible are added up; the shift is found by bisection on that sum, within
    plus and minus log(at_most). Where nothing is expected or nobody eligible, there is no shift.
    """
    chance = expected_chance(expected, base) if published is None else published
    band, sex = band_of(expected, base), sex_of(base)
    asked = ~np.isnan(log_odds)
    chances = np.where(asked, sigmoid(np.where(asked, log_odds, 0.0)), 0.0)
    found = []
    for place, ages in enumerate(band_words(expected)):
        for group, words in enumerate(SEX_WORDS):
            here = (band == place) & (sex == group)
            if not here.any():
                continue
            known, may = here & on_register, here & asked
            cases = float(chance[here].sum())
            to_find = max(0.0, cases - int(known.sum())) * expected.confirmable
            others = int(here.sum()) - int(known.sum())
            found.append(
                Band(
                    ages, words, int(here.sum()), int(known.sum()), int(may.sum()), cases, to_find,
                    to_find * int(may.sum()) / others if others else 0.0, float(chances[may].sum()),
                )
            )  # fmt: skip
    inside = log_odds[asked & (band >= 0)]
    shift, held = _shift(inside, sum(one.expected_eligible for one in found), float(np.log(expected.at_most)))
    return Anchor(tuple(found), shift, expected.at_most, held, apply and of_testing, of_testing)


def _shift(log_odds: Floats, target: float, bound: float) -> tuple[float, bool]:
    """The shift within [-bound, bound] whose sum of chances is nearest the target, and whether the bound stopped it."""
    if not log_odds.size or target <= 0:
        return 0.0, False
    if float(sigmoid(log_odds + bound).sum()) <= target:
        return bound, True
    if float(sigmoid(log_odds - bound).sum()) >= target:
        return -bound, True
    low, high = -bound, bound
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if float(sigmoid(log_odds + middle).sum()) < target:
            low = middle
        else:
            high = middle
    return high, False


def _published(band: Band) -> dict[str, Any]:
    """A row with its numbers rounded; the ratio is of the rounded numbers, so that it tells no more than they do."""
    shown: dict[str, Any] = {"ages": band.ages, "sex": band.sex}
    for name in _NUMBERS:
        shown[name.replace("_", " ")] = rounded(round(getattr(band, name)))
    expected, chances = shown["expected eligible"], shown["chances"]
    shown["ratio"] = round(chances / expected, 2) if expected and chances is not None else None
    return shown
