"""Shapes of what stands beside the features of a model: leakage, verification, expected disease, scores in use."""

from __future__ import annotations

import datetime as dt
from typing import Literal, Self

from pydantic import Field, model_validator

from casefinding.definitions.basics import Name, Shape
from casefinding.definitions.clauses import Clause, features_in

Handling = Literal["banned", "pending", "lagged", "evidence"]
"""What the leakage register says of an item. Banned: no feature of the model may read it. Pending: while it is open,
nobody is ranked (a leave-out drops them). Lagged: a feature may read it only up to the gap before the index day.
Evidence: a rule shows those who have it, and nobody who has it is learned from."""

Learning = Literal["coded", "verified", "verified and weighted", "verified and coded"]
"""What a model learns from: see learn/verify.py."""


class Leak(Shape):
    """One item of the leakage register: signals that belong to the work-up, the treatment or the label itself."""

    signals: tuple[Name, ...] = Field(min_length=1)
    handling: tuple[Handling, ...] = Field(min_length=1)
    why: str
    source: str


class Graded(Shape):
    """A measured value as evidence: the chance that a new test would find what the line stands for.

    The value lies `give or take` (a standard deviation, in the value's own unit) about the usual one, so the chance is
    the normal distribution's share beyond the line: one half on it, 84% one `give or take` beyond.
    """

    feature: Name
    at_least: float | None = None
    less_than: float | None = None
    give_or_take: float = Field(gt=0)

    @model_validator(mode="after")
    def _one_line(self) -> Self:
        if (self.at_least is None) == (self.less_than is None):
            raise ValueError("a graded value needs one line: 'at least' or 'less than'")
        return self


class Verification(Shape):
    """What it is to be looked at within the horizon, and what of it counts as found, beyond the code.

    The features are asked on the day after the horizon and may look back no further than the horizon.
    `graded`: groups of values of one kind in order of trust; the first group with a value speaks, by its highest
    chance. Where nothing is graded, somebody looked at without `found` counts as not found.
    """

    label: str  # "a blood pressure reading"
    when: Clause
    found: Clause | None = None
    graded: tuple[tuple[Graded, ...], ...] = ()
    source: str
    unverified: str = ""  # what of this was taken from memory and must be checked

    @property
    def features(self) -> tuple[str, ...]:
        values = [one.feature for group in self.graded for one in group]
        return tuple(dict.fromkeys((*features_in(self.when), *features_in(self.found), *values)))


class ExpectedBand(Shape):
    """Per cent of the people of one age band who have the condition, known or not."""

    ages: tuple[int, int]  # both included
    women: float = Field(ge=0, le=100)
    men: float = Field(ge=0, le=100)


class Expected(Shape):
    """Published prevalence by age and sex: what the chances are held against, and the order of those never measured.

    `confirmable`: of those expected and not on the register, the share that a test would confirm.
    `times`: how many times as often as published for an ethnicity ("black") or a tenth of deprivation ("1" to "10").
    `at_most`: the correction of the chances multiplies or divides their odds by no more than this.
    """

    bands: tuple[ExpectedBand, ...] = Field(min_length=1)
    confirmable: float = Field(default=1.0, gt=0, le=1)
    ethnicity_times: dict[Literal["white", "mixed", "asian", "black", "other"], float] = Field(default_factory=dict)
    deprivation_times: dict[int, float] = Field(default_factory=dict)
    at_most: float = Field(default=2.0, ge=1)
    source: str
    unverified: str = ""


class KnownBy(Shape):
    """Which features say how much of a person is known; years on record come from the registration."""

    readings: Name
    readings_are: str  # "blood pressures in 5 years"
    contacts: Name
    contacts_are: str = "contacts in 12 months"


class Term(Shape):
    """One part of a score: `times` x feature / `per`, or `adds` where a clause holds.

    A term with `feature` is missing where the feature is. A term with `when` is missing where a feature of `needs` is;
    diseases and drugs that are not on record count as absent, as in the published validations.
    """

    label: str
    feature: Name | None = None
    times: float = 1.0
    per: float = 1.0
    when: Clause | None = None
    adds: float = 0.0
    needs: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.feature is None) == (self.when is None):
            raise ValueError("a term needs either 'feature' (with 'times' and 'per') or 'when' (with 'adds')")
        return self

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(((self.feature,) if self.feature else ()) + features_in(self.when) + self.needs))


class ScoreExample(Shape):
    """A worked example of a score in its own inputs: feature name -> value, and what it gives."""

    about: str = ""
    values: dict[Name, float | Literal["missing"]]
    gives: float | Literal["missing"]


class Score(Shape):
    """A published score: the sum of its terms, or, with `baseline`, the risk 1 - baseline ^ exp(sum - centre).

    Where a needed input is missing there is no score, and the inputs that lack are told; nothing is filled in.
    """

    name: Name
    label: str  # "CHARGE-AF, risk in 5 years"
    use: Literal["comparator", "for the clinician"]  # judged beside the model, or shown only
    terms: tuple[Term, ...] = Field(min_length=1)
    baseline: float | None = Field(default=None, gt=0, lt=1)
    centre: float = 0.0
    decimals: int = 0
    source: str
    unverified: str = ""
    examples: tuple[ScoreExample, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for term in self.terms for name in term.features))


SOME_DAY = dt.date(2023, 1, 1)
"""A day from which lengths of time are compared."""
