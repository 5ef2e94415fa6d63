"""The config: where the records are, for whom, on which day, and what a practice can do."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field, field_validator

from casefinding.definitions.shapes import Length, Name, Shape
from casefinding.definitions.words import Span


class Simulate(Shape):
    """Make the records: a population whose truth is known."""

    people: int = Field(ge=100)
    practices: int = Field(ge=1, le=400)
    seed: int = 20261101


class Records(Shape):
    """Where the records come from: exactly one of `path` (with `kind`) and `simulate`."""

    kind: Literal["native", "synthea"] = "native"
    path: str | None = None
    simulate: Simulate | None = None
    shard_people: int = Field(default=20_000, ge=100)


class Training(Shape):
    """Index days on which people are asked for training: `every` apart, `times` of them, the latest one such that
    gap and horizon end by the last day of the data."""

    times: int = Field(default=3, ge=1, le=12)
    every: Length = Span(months=12)
    folds: int = Field(default=3, ge=2, le=10)  # practices are split into so many groups; each is judged unseen
    threads: int = Field(default=2, ge=1, le=64)


class Capacity(Shape):
    """What one practice can do in a month: invitations by kind of test (the `test:` of a model)."""

    tests: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    never_measured_share: float = Field(default=0.2, ge=0, le=1)  # of each test, kept for people never measured


class Capacities(Shape):
    every_practice: Capacity = Capacity()
    practices: dict[str, Capacity] = Field(default_factory=dict)  # by practice code, instead of every_practice

    def of(self, practice: str) -> Capacity:
        """What one practice can do."""
        return self.practices.get(practice, self.every_practice)


class Network(Shape):
    name: str
    contact: str = "the practice's own recall lead"


class Config(Shape):
    """configs/*.yaml."""

    about: str = ""
    network: Network
    index_day: dt.date
    conditions: tuple[Name, ...] = Field(min_length=1)
    practices: tuple[str, ...] = ()  # only these; empty = all in the records
    records: Records
    training: Training = Training()
    capacity: Capacities = Capacities()
    anchor_chances: Literal["shown", "applied"] = "applied"  # moved to what is expected, or held beside it only
    bootstrap: int = Field(default=200, ge=20, le=5000)
    seed: int = 20261101

    @field_validator("conditions")
    @classmethod
    def _each_once(cls, conditions: tuple[Name, ...]) -> tuple[Name, ...]:
        for condition in conditions:
            if conditions.count(condition) > 1:
                raise ValueError(f"a condition is named twice: {condition}")
        return conditions
