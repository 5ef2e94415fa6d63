"""Shapes of a population sorted for planning: levels, what counts towards them, and flags of who is often missed."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Self

from pydantic import Field, model_validator

from casefinding.definitions.basics import Name, Shape
from casefinding.definitions.clauses import Clause, features_in
from casefinding.definitions.worked import Entry, Person


class Flag(Shape):
    """Something that is true of a person on the index day, with the words and the source to show."""

    label: str
    when: Clause
    about: str = ""
    source: str = ""
    unverified: str = ""


class Part(Shape):
    """A piece of a level: so many conditions, so many risks, or a clause; all that are given must hold.

    Parts are asked in their order, over all levels; the first that holds takes the person. The very last one asks
    nothing and takes everybody else, so that each person is in exactly one part, and so in exactly one level.
    """

    label: str
    conditions_at_least: int | None = Field(default=None, ge=1)
    risks_at_least: int | None = Field(default=None, ge=1)
    when: Clause | None = None
    about: str = ""

    @property
    def asks(self) -> bool:
        return any(part is not None for part in (self.conditions_at_least, self.risks_at_least, self.when))


class Level(Shape):
    """One level of need, in parts."""

    label: str
    about: str = ""
    parts: dict[Name, Part] = Field(min_length=1)


class Area(Shape):
    """A clinical area: whom it concerns, and which of them lack something (`gaps`: label -> clause among those).

    `when` is left out where these records cannot tell; then `not_told` says what is missing.
    """

    label: str
    when: Clause | None = None
    gaps: dict[str, Clause] = Field(default_factory=dict)
    not_told: str = ""
    source: str = ""
    unverified: str = ""

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.when is None and (self.gaps or not self.not_told):
            raise ValueError("an area without 'when' has no 'gaps' and says in 'not told' what the records lack")
        return self


class SegmentExample(Shape):
    """Records, an index day, and the part of a level that the person is sorted into."""

    about: str = ""
    records: dict[Name, tuple[Entry, ...]] = Field(default_factory=dict)
    person: Person = Person()
    on: dt.date
    gives: Name


class Segments(Shape):
    """models/segments.yaml: how a population is sorted for planning, in aggregates only.

    `conditions` and `risks` are counted a person, each once; `core20` and `plus` flag people whom services often miss;
    `age_bands` are the ages at which bands begin; `not_told` names what a reader would look for and will not find.
    """

    about: str = ""
    title: str
    source: str
    status: str = "draft: needs sign-off by the clinical safety officer"
    unverified: str = ""
    levels: dict[Name, Level] = Field(min_length=1)
    conditions: dict[Name, Flag] = Field(min_length=1)
    risks: dict[Name, Flag] = Field(default_factory=dict)
    core20: Flag
    plus: dict[Name, Flag] = Field(default_factory=dict)
    areas: dict[Name, Area] = Field(default_factory=dict)
    age_bands: tuple[int, ...] = (0, 18, 40, 65, 80)
    not_told: dict[str, str] = Field(default_factory=dict)  # what -> why not
    examples: tuple[SegmentExample, ...] = ()

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        names = [name for level in self.levels.values() for name in level.parts]
        if len(set(names)) < len(names):
            raise ValueError("two parts of levels have one name")
        if not all(part.asks for part in self.parts[:-1]):
            raise ValueError("only the last part of the last level asks nothing: it takes everybody else")
        if self.parts[-1].asks:
            raise ValueError("the last part of the last level asks nothing: it takes everybody else")
        ages = self.age_bands
        if not ages or ages[0] != 0 or any(after <= age for age, after in pairwise(ages)):
            raise ValueError("'age bands' begin at 0 and rise")
        for example in self.examples:
            if example.gives not in names:
                raise ValueError(f"an example gives {example.gives!r}, which is no part of a level")
        return self

    @property
    def part_names(self) -> tuple[str, ...]:
        """The names of `parts`, in the same order."""
        return tuple(name for level in self.levels.values() for name in level.parts)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts of all levels, in the order in which they are asked."""
        return tuple(part for level in self.levels.values() for part in level.parts.values())

    @property
    def clauses(self) -> tuple[tuple[tuple[str, ...], Clause], ...]:
        """Where each clause stands (a path of keys), and the clause."""
        found: list[tuple[tuple[str, ...], Clause | None]] = []
        for level, one in self.levels.items():
            found += [(("levels", level, "parts", name, "when"), part.when) for name, part in one.parts.items()]
        for section in ("conditions", "risks", "plus"):
            found += [((section, name, "when"), flag.when) for name, flag in getattr(self, section).items()]
        found.append((("core20", "when"), self.core20.when))
        for name, area in self.areas.items():
            found.append((("areas", name, "when"), area.when))
            found += [(("areas", name, "gaps", label), clause) for label, clause in area.gaps.items()]
        return tuple((path, clause) for path, clause in found if clause is not None)

    @property
    def features(self) -> tuple[str, ...]:
        """Every feature that sorting needs, once."""
        return tuple(dict.fromkeys(name for _, clause in self.clauses for name in features_in(clause)))
