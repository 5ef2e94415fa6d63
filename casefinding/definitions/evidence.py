"""Shapes of what stands beside the features of a model: leakage, verification, expected disease, scores in use."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from casefinding.definitions.basics import Name, Shape
from casefinding.definitions.clauses import Clause, features_in

Handling = Literal["banned", "pending", "lagged", "evidence", "allowed"]
"""What the leakage register says of an item. Banned: no feature of the model may read it. Pending: while it is open,
nobody is ranked (a leave-out drops them). Lagged: a feature may read it only up to the gap before the index day.
Evidence: a rule shows those who have it, and nobody who has it is learned from. Allowed: a feature may read it up to
the index day; that it was weighed, and why, stands on record."""

Learning = Literal["coded", "verified", "verified and weighted", "graded"]
"""What a model learns from: see learn/verify.py."""


class Leak(Shape):
    """One item of the leakage register: signals that belong to the work-up, the treatment or the label itself."""

    signals: tuple[Name, ...] = Field(min_length=1)
    handling: tuple[Handling, ...] = Field(min_length=1)
    why: str
    source: str
    unverified: str = ""  # what of this was taken from memory and must be checked

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if "allowed" in self.handling and len(self.handling) > 1:
            raise ValueError("'allowed' stands alone: what is allowed is not also banned, pending, lagged or evidence")
        if {"banned", "lagged"} <= set(self.handling):
            raise ValueError("'banned' and 'lagged' contradict each other: older than the gap is allowed, or it is not")
        return self


class Graded(Shape):
    """A measured value as evidence: the chance that the usual value lies beyond the line.

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

    label: str  # "a blood sugar reading"
    when: Clause
    found: Clause | None = None
    graded: tuple[tuple[Graded, ...], ...] = ()
    source: str
    unverified: str = ""  # what of this was taken from memory and must be checked

    @property
    def features(self) -> tuple[str, ...]:
        values = [one.feature for group in self.graded for one in group]
        return tuple(dict.fromkeys((*features_in(self.when), *features_in(self.found), *values)))


Tenth = Literal["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]
"""A national tenth of deprivation, 1 being the most deprived; a word, as every key of a YAML file is."""


class ExpectedBand(Shape):
    """Per cent of the people of one age band who have the condition, known or not."""

    ages: tuple[int, int]  # both included
    women: float = Field(ge=0, le=100)
    men: float = Field(ge=0, le=100)


class Expected(Shape):
    """Published prevalence by age and sex: what the chances are held against, and the order of those never measured.

    `bands` follow each other without a gap; see rules/expected.py for ages below the first and above the last.
    `confirmable`: of those expected and not on the register, the share that a test would confirm.
    `times`: how many times as often as published for an ethnicity ("black") or a tenth of deprivation ("1" to "10");
    1 where none is given. `at_most`: the correction of the chances multiplies or divides their odds by no more.
    `never_measured`: the order of those never measured; "shared by chance" where the lane's rule asks for something on
    record, which then says who of equal age, sex, ethnicity and deprivation comes first.
    """

    bands: tuple[ExpectedBand, ...] = Field(min_length=1)
    confirmable: float = Field(default=1.0, gt=0, le=1)
    ethnicity_times: dict[Literal["white", "mixed", "asian", "black", "other"], Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict
    )
    deprivation_times: dict[Tenth, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    at_most: float = Field(default=2.0, ge=1)
    never_measured: Literal["by expected", "by expected shared by chance"] = "by expected"
    source: str
    unverified: str = ""  # what of this was taken from memory or constructed and must be checked

    @model_validator(mode="after")
    def _in_a_row(self) -> Self:
        if any(band.ages[0] > band.ages[1] or band.ages[0] < 0 for band in self.bands):
            raise ValueError("an age band must go from the younger to the older age")
        for one, other in zip(self.bands, self.bands[1:], strict=False):
            if other.ages[0] != one.ages[1] + 1:
                raise ValueError(f"the band after {one.ages[0]} to {one.ages[1]} must begin at {one.ages[1] + 1}")
        return self


class KnownBy(Shape):
    """Which features say how much of a person is known; years on record come from the registration.

    Both features count; `reading_is` and `contact_is` are the words for one, the others for none or many.
    """

    readings: Name
    reading_is: str  # "blood sugar in 5 years"
    readings_are: str  # "blood sugars in 5 years"
    contacts: Name
    contact_is: str = "contact in 12 months"
    contacts_are: str = "contacts in 12 months"


class Term(Shape):
    """One part of a score: `times` x feature / `per`, or `adds` where a clause holds.

    `label` is the input as it reads after "no": "height", "smoking status". A term is missing where its feature or one
    of `needs` is, or where `missing_when` holds (a group that stands for "unknown"); diseases and drugs that are not on
    record count as absent, as in the published validations.
    """

    label: str
    feature: Name | None = None
    times: float = 1.0
    per: float = 1.0
    when: Clause | None = None
    adds: float = 0.0
    needs: tuple[Name, ...] = ()
    missing_when: Clause | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.feature is None) == (self.when is None):
            raise ValueError("a term needs either 'feature' (with 'times' and 'per') or 'when' (with 'adds')")
        if self.feature is not None and self.adds:
            raise ValueError("'adds' belongs to 'when'; a feature is multiplied: 'times', 'per'")
        if self.when is not None and not (self.times == self.per == 1.0):
            raise ValueError("'times' and 'per' belong to 'feature'; a clause 'adds'")
        if self.per == 0 or (self.times == 0 if self.feature is not None else self.adds == 0):
            raise ValueError("a term that adds nothing, or divides by 0, is no part of a score")
        return self

    @property
    def features(self) -> tuple[str, ...]:
        own = (self.feature,) if self.feature else ()
        return tuple(dict.fromkeys((*own, *features_in(self.when), *self.needs, *features_in(self.missing_when))))


class ScoreExample(Shape):
    """A worked example of a score in its own inputs: feature name -> value, and what it gives.

    A feature of the score that is not named is missing, as where nothing is on record.
    """

    about: str = ""
    values: dict[Name, float | Literal["missing"]]
    gives: float | Literal["missing"]


class Score(Shape):
    """A published score: the sum of its terms, or, with `baseline`, the risk 1 - baseline ^ exp(sum - centre).

    Where a needed input is missing there is no score, and the inputs that lack are told; nothing is filled in.
    A comparator says how likely the condition is, so it is meant for those never diagnosed; it is not shown beside what
    is urgent or evident already. Nobody younger than `age_at_least` is shown a score.
    """

    name: Name
    label: str  # the name that clinicians know it by
    meaning: str = ""  # "risk in 5 years", said after the label where there is a value
    use: Literal["comparator", "for the clinician"]  # judged beside the model, or shown only
    age_at_least: int = Field(default=18, ge=0)
    terms: tuple[Term, ...] = Field(min_length=1)
    baseline: float | None = Field(default=None, gt=0, lt=1)
    centre: float = 0.0
    decimals: int = Field(default=0, ge=0, le=6)  # of the points, or of the risk in per cent
    source: str
    unverified: str = ""
    examples: tuple[ScoreExample, ...] = ()

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.baseline is None and self.centre:
            raise ValueError("'centre' belongs to 'baseline'")
        return self

    @property
    def features(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for term in self.terms for name in term.features))


class Question(Shape):
    """What the lists or their use rest on and nobody has confirmed, where no rule, list or signal is its place."""

    name: Name
    label: str
    unverified: str
    source: str


SOME_DAY = dt.date(2023, 1, 1)
"""A day from which lengths of time are compared."""
