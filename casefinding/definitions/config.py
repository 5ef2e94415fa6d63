"""The config: where the records are, for whom, on which day, and what a practice can do."""

from __future__ import annotations

import datetime as dt
import re
from typing import Literal

from pydantic import Field, field_validator

from casefinding.definitions.capacity import Capacities, Equity
from casefinding.definitions.first import First
from casefinding.definitions.flow import Flow
from casefinding.definitions.impact import Impact
from casefinding.definitions.quality import QualityRules
from casefinding.definitions.recall import Holdout, Invitations
from casefinding.definitions.shapes import Length, Name, Shape
from casefinding.definitions.words import Span


class Simulate(Shape):
    """Make the records: a population whose truth is known."""

    people: int = Field(ge=100)
    practices: int = Field(ge=1, le=400)
    seed: int = 20261101


class Records(Shape):
    """Where the records come from: exactly one of `path` (with `kind`) and `simulate`."""

    kind: Literal["native", "emis", "systmone", "omop", "fhir", "meds", "synthea"] = "native"
    path: str | None = None  # a folder, a file, or the address of a database (omop)
    at_practice: bool = False  # the store stays in the practice: rows marked confidential come in
    areas: tuple[str, ...] = ()  # measures by LSOA or practice: CSV files, each with its declaration beside it
    simulate: Simulate | None = None
    shard_people: int = Field(default=20_000, ge=100)

    @field_validator("path")
    @classmethod
    def _without_password(cls, path: str | None) -> str | None:
        """A config is copied into every manifest: an address with a password has no place in it."""
        if path and re.search(r"://[^/?@]*:[^/?@]+@|password=", path, re.IGNORECASE):
            raise ValueError("the address holds a password; name a file that holds the address, or use PGPASSFILE")
        return path


class Training(Shape):
    """Index days on which people are asked for training: `every` apart, `times` of them, the latest one such that
    gap and horizon end by the last day of the data."""

    times: int = Field(default=3, ge=1, le=12)
    every: Length = Span(months=12)
    folds: int = Field(default=3, ge=2, le=10)  # practices are split into so many groups; each is judged unseen
    threads: int = Field(default=2, ge=1, le=64)


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
    flow: Flow | None = None  # for what the records leave the practices; `casefinding pseudonymise --config` reads it
    ledger: str | None = None  # the folder of earlier lists and what came of them; --ledger goes before it
    training: Training = Training()
    capacity: Capacities = Capacities()
    equity: Equity = Equity()
    invitations: Invitations = Invitations()
    holdout: Holdout = Holdout()
    anchor_chances: Literal["shown", "applied"] = "applied"  # moved to what is expected, or held beside it only
    first: First | None = None  # whom to reach first, by a declared weighting of unmet need
    impact: dict[Name, Impact] = Field(default_factory=dict)  # by condition: what a list may lead to
    treatment_gap_lists: Literal["none", "for each practice"] = "none"  # people, beside the rates of `casefinding gaps`
    quality: QualityRules = QualityRules()  # when the quality page calls something a finding
    bootstrap: int = Field(default=200, ge=20, le=5000)
    seed: int = 20261101

    @property
    def direct_care(self) -> bool:
        """Whether the records serve people's own care, of which nobody opts out by a Type 1 opt-out."""
        return self.flow is not None and self.flow.purpose == "direct care"

    @field_validator("conditions")
    @classmethod
    def _each_once(cls, conditions: tuple[Name, ...]) -> tuple[Name, ...]:
        for condition in conditions:
            if conditions.count(condition) > 1:
                raise ValueError(f"a condition is named twice: {condition}")
        return conditions
