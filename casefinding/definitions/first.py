"""The config of "the first so many": a declared weighting of unmet need, with nothing hidden."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from casefinding.definitions.basics import Name, Shape
from casefinding.definitions.clauses import Clause, features_in


class Need(Shape):
    """One unmet need and how many points it gives: where a clause holds, or where a run's chance is high enough.

    `when`: a clause over features. `chance of` and `at least`: a condition, and the chance of it being found (0 to 1)
    from which somebody counts; these are read from a finished run.
    """

    label: str
    points: int = Field(ge=1, le=100)
    when: Clause | None = None
    chance_of: Name | None = None
    at_least: float | None = Field(default=None, gt=0, lt=1)
    why: str
    source: str = ""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.when is None) == (self.chance_of is None):
            raise ValueError("a need has exactly one of 'when' and 'chance of'")
        if (self.chance_of is None) != (self.at_least is None):
            raise ValueError("'chance of' and 'at least' belong together")
        return self


class First(Shape):
    """Whom to reach first: people ranked by the sum of the points of their needs.

    `by` is people. Households cannot be ranked: the records hold no address and no household key. `leave out` names
    leave-outs of models/leave_outs.yaml whose people are not ranked.
    """

    people: int = Field(default=5000, ge=1)
    by: Literal["people"] = "people"
    title: str = ""
    status: str = "draft: the weighting is a proposal, to be agreed locally and signed off"
    source: str = ""
    leave_out: tuple[Name, ...] = ()
    age_at_least: int = Field(default=18, ge=0)
    weighting: dict[Name, Need] = Field(min_length=1)

    @field_validator("by", mode="before")
    @classmethod
    def _people(cls, by: object) -> object:
        if by in ("household", "households"):
            raise ValueError(
                "households cannot be ranked: the records hold no address and no household key, so nobody can tell "
                "who lives together. The extract would need a pseudonymised household key (such as a hashed UPRN) for "
                "each registration. Write 'by: people'"
            )
        return by

    @property
    def features(self) -> tuple[str, ...]:
        """Every feature that the weighting reads, once."""
        return tuple(dict.fromkeys(name for need in self.weighting.values() for name in features_in(need.when)))

    @property
    def chances_of(self) -> tuple[str, ...]:
        """The conditions whose chances it reads from a run, once."""
        return tuple(dict.fromkeys(need.chance_of for need in self.weighting.values() if need.chance_of))
