"""Shapes of what the quality page holds records to: published figures, key signals, and when a finding is one."""

from __future__ import annotations

from itertools import pairwise
from typing import Self

from pydantic import Field, model_validator

from casefinding.definitions.basics import Length, Name, Shape
from casefinding.definitions.words import Span


class FigureBand(Shape):
    """Per cent of the people of these ages (both included), as published."""

    ages: tuple[int, int]
    per_cent: float = Field(ge=0, le=100)

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if not 0 <= self.ages[0] <= self.ages[1]:
            raise ValueError("an age band must go from the younger to the older age")
        return self


class Figure(Shape):
    """A published national figure: who is on the register, or (`recorded`) has an entry of any of these signals in the
    window of the quality page.

    The bands are applied to the ages of the practice, so that its age structure is no difference. `times`: outside
    expected / times to expected * times the page says so.
    """

    label: str
    recorded: tuple[Name, ...] = ()  # empty: on the register of the condition
    bands: tuple[FigureBand, ...] = Field(min_length=1)
    times: float = Field(gt=1)
    year: str
    source: str
    unverified: str = ""  # what of this was taken from memory or constructed and must be checked

    @model_validator(mode="after")
    def _apart(self) -> Self:
        spans = sorted(band.ages for band in self.bands)
        if any(one[1] >= other[0] for one, other in pairwise(spans)):
            raise ValueError("two age bands overlap")
        return self


class Key(Shape):
    """What a condition cannot do without: a usable entry of any of these signals in so large a share of people."""

    label: str  # "weight", as it is asked for
    any_of: tuple[Name, ...] = Field(min_length=1)
    age_at_least: int = Field(default=18, ge=0)
    at_least: float = Field(gt=0, le=1)
    why: str


class Fitness(Shape):
    """models/quality.yaml, by the name of a model: what its records are compared with, and what makes them fit."""

    name: Name
    figures: tuple[Figure, ...] = ()
    keys: tuple[Key, ...] = ()


class QualityRules(Shape):
    """When the quality page calls something a finding; `quality:` in a config changes a number.

    The defaults are chosen so that a practice of a thousand people raises none by chance; the reason stands beside.
    """

    window: Length = Span(months=60)  # what the features look back on at most, "ever" apart
    change_of: float = Field(default=2.0, gt=1)  # monthly rate: seasons and growth stay below a doubling
    change_of_share: float = Field(default=0.3, gt=0, le=1)  # a unit, or usable values: this much of all in one month
    lasting: int = Field(default=6, ge=2)  # months; shorter swings are seasons, holidays, a campaign
    lasting_at_end: int = Field(default=3, ge=1)  # months, where the change reaches the end of the data
    fewest_entries: int = Field(default=40, ge=5)  # expected on the smaller side of a change: fewer is chance
    gap: int = Field(default=5, ge=2)  # working days in a row; Christmas and Easter close for at most 4
    stopped: int = Field(default=31, ge=7)  # days without entries before the last day of the data
    late: float = Field(default=0.2, gt=0, le=1)  # share recorded more than 30 days late: a list is then out of date
    low: float = Field(default=0.67, gt=0, lt=1)  # of what people of that age and sex have elsewhere
    fewest_people: int = Field(default=50, ge=10)  # expected with a value, before a group or practice is compared
    unusable: float = Field(default=0.1, gt=0, le=1)  # share of values without a number, unit or plausible size
    unitless: float = Field(default=0.5, gt=0, le=1)  # share of a practice's values; others write one
    fewest_values: int = Field(default=50, ge=10)  # values, before a share of them is a finding
    months_to_score: int = Field(default=24, ge=1)  # the shorter windows of the features (12 and 24 months) are full
    months_to_train: int = Field(default=48, ge=1)  # three index days a year apart, 15 months to follow, 9 to look back
    practices_amiss: float = Field(default=0.34, gt=0, le=1)  # share of practices unfit to score: not fit as a whole
