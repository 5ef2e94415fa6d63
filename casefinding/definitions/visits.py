"""The visits that a person can be offered, and what each uses of what a practice can do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from casefinding.definitions.basics import Name, Shape

Amount = Annotated[float, Field(gt=0)]
Uses = dict[str, Amount]
"""Kind of capacity -> how much of it."""


class Visit(Shape):
    """One contact with a person, and the tests it can hold; or the work that a line of some lanes is (`lanes`).

    `holds`: test (a model's `test`) -> kinds of capacity that it uses. A kind that a practice does not state it does
    not have. `also_uses`: test -> kinds that count only where a practice states them. `lanes`: what the review of a
    record uses; such work is added up beside what is stated, and nobody is left out for want of it.
    """

    name: Name
    label: str
    holds: dict[str, Annotated[Uses, Field(min_length=1)]] = Field(default_factory=dict)
    also_uses: dict[str, Uses] = Field(default_factory=dict)
    lanes: dict[Literal["act now", "check the reading", "review the record", "chase the result"], Uses] = Field(
        default_factory=dict
    )
    age_at_least: int = Field(default=0, ge=0)
    source: str = ""
    unverified: str = ""

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if bool(self.holds) == bool(self.lanes):
            raise ValueError("a visit needs 'holds' (tests) or 'lanes' (work on records), one of them")
        for test in self.also_uses:
            if test not in self.holds:
                raise ValueError(f"'also uses' names {test!r}, which the visit does not hold")
        return self

    @property
    def kinds(self) -> tuple[str, ...]:
        """Every kind of capacity it names, each once."""
        uses = (*self.holds.values(), *self.also_uses.values(), *self.lanes.values())
        return tuple(dict.fromkeys(kind for one in uses for kind in one))


def offered(visits: Iterable[Visit], tests: Iterable[str]) -> tuple[Visit, ...]:
    """The visits with every test held by at least one: a test that none holds is a visit of its own.

    Such a visit uses one of a kind of capacity called as the test, so that a new condition needs no entry here.

    >>> [(one.name, one.holds) for one in offered((), ["blood test"])]
    [('blood_test', {'blood test': {'blood test': 1.0}})]
    """
    found = list(visits)
    held = {test for visit in found for test in visit.holds}
    for test in dict.fromkeys(tests):
        if test not in held:
            name = re.sub("[^a-z0-9]+", "_", test.lower()).strip("_") or "test"
            found.append(Visit.model_construct(name=name, label=test.capitalize(), holds={test: {test: 1.0}}))
    return tuple(found)


def kinds_of(visits: Sequence[Visit]) -> tuple[str, ...]:
    """Every kind of capacity that some visit uses, each once, in the order of the visits."""
    return tuple(dict.fromkeys(kind for visit in visits for kind in visit.kinds))
