"""Shapes of worked examples: records, an index day, and what a feature or a rule gives."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field

from casefinding.definitions.basics import Name, Shape


class Entry(Shape):
    """One record of a worked example; `recorded` and `unit` default to the day itself and the signal's unit."""

    on: dt.date
    value: float | None = None
    recorded: dt.date | None = None
    unit: str | None = None


class Person(Shape):
    """The person of a worked example."""

    born: str = "1960-01"  # year-month
    sex: Literal["female", "male", "unknown"] = "female"
    ethnicity: Literal["unknown", "white", "mixed", "asian", "black", "other"] = "white"
    deprivation: int | None = 5
    registered: dt.date = dt.date(2000, 1, 1)


class Example(Shape):
    """Records, an index day, and what the feature gives; records are by signal name, already spread out.

    In YAML a feature of one signal may leave the signal's name out:
    `records: {2021-03-01: 152, 2023-06-09: [144, 138]}` or, without values, `records: [2021-03-01, 2022-01-01]`;
    with names: `records: {visit: [2023-01-01], weight: {2023-01-02: 82}}`;
    in full: `records: {weight: [{on: 2023-01-02, value: 13, unit: stone, recorded: 2023-02-01}]}`.
    """

    about: str = ""
    records: dict[Name, tuple[Entry, ...]] = Field(default_factory=dict)
    person: Person = Person()
    on: dt.date
    gives: float | Literal["missing"]


class RuleExample(Shape):
    """Records, an index day, and whether the rule fires; register status follows from the records."""

    about: str = ""
    records: dict[Name, tuple[Entry, ...]] = Field(default_factory=dict)
    person: Person = Person()
    on: dt.date
    gives: Literal["flagged", "not flagged"]
