"""Shapes of treatment gaps: people already diagnosed, what they are due, and who of them does not have it."""

from __future__ import annotations

import datetime as dt
import re
from typing import Literal, Self

from pydantic import Field, model_validator

from casefinding.definitions.basics import Name, Shape
from casefinding.definitions.clauses import Clause, features_in
from casefinding.definitions.worked import Entry, Person

PLACEHOLDERS = re.compile(r"\{([a-z0-9_]+)(?:\.when)?\}")


class ScoreTest(Shape):
    """A published score of one of the models, and from how much on somebody is due the treatment."""

    name: Name
    at_least: float


class GapExample(Shape):
    """Records, an index day, and whether the person has the gap, has it not, or is not asked about at all."""

    about: str = ""
    records: dict[Name, tuple[Entry, ...]] = Field(default_factory=dict)
    person: Person = Person()
    on: dt.date
    gives: Literal["a gap", "no gap", "not counted"]


class Gap(Shape):
    """One kind of treatment or check that people who are diagnosed are due, and what it is to lack it.

    Counted is whoever stands on the register of `on_register` (the name of a model), meets `among`, and has a `score`
    of so many points; what is left out applies to all of them. `gap` says who of them lacks it, `met` what the others
    are called. `first` marks who stands first on a practice's list. `say` is filled in like that of a rule.
    """

    name: Name
    label: str
    met: str  # "Anticoagulant issued"
    on_register: Name | None = None
    among: Clause | None = None
    score: ScoreTest | None = None
    gap: Clause
    first: Clause | None = None
    say: str
    do: str
    do_first: str = ""  # instead of `do`, for those who stand first
    source: str
    status: str = "draft: needs sign-off by the clinical safety officer"
    unverified: str = ""  # what of this was taken from memory and must be checked
    examples: tuple[GapExample, ...] = ()

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.on_register is None and self.among is None:
            raise ValueError("a gap needs 'on register' or 'among': whose treatment is asked about")
        if self.do_first and self.first is None:
            raise ValueError("'do first' belongs to 'first'")
        return self

    @property
    def features(self) -> tuple[str, ...]:
        """Every feature that it names, once; not those of its score."""
        clauses = (self.among, self.gap, self.first)
        named = [name for clause in clauses for name in features_in(clause)]
        return tuple(dict.fromkeys((*named, *PLACEHOLDERS.findall(self.say))))
