"""Clauses: comparisons of features, and any, all, none or some of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from casefinding.definitions.basics import Name, Shape


class OtherFeature(Shape):
    feature: Name


Operand = float | OtherFeature


class Test(Shape):
    """One comparison; a comparison with a missing value is false. `is_`: present = known and at least 1,
    absent = missing or 0, missing / known = whether there is a value."""

    __test__ = False  # not a pytest class

    feature: Name
    at_least: Operand | None = None
    more_than: Operand | None = None
    at_most: Operand | None = None
    less_than: Operand | None = None
    is_: Literal["present", "absent", "missing", "known"] | None = Field(default=None, alias="is")

    @model_validator(mode="after")
    def _one(self) -> Self:
        asked = [self.at_least, self.more_than, self.at_most, self.less_than, self.is_]
        if all(part is None for part in asked):
            raise ValueError("a test needs 'at least', 'more than', 'at most', 'less than' or 'is'")
        return self


class AnyOf(Shape):
    any: tuple[Clause, ...] = Field(min_length=1)


class AllOf(Shape):
    all: tuple[Clause, ...] = Field(min_length=1)


class NoneOf(Shape):
    none: tuple[Clause, ...] = Field(min_length=1)


class AtLeastOf(Shape):
    """At least `number` of the clauses hold."""

    number: int = Field(alias="at least", ge=1)
    of: tuple[Clause, ...] = Field(min_length=1)


def _kind_of_clause(value: Any) -> str:
    """Which clause a mapping means, by the keys that only it has; so that a mistake is told once, of that clause."""
    if isinstance(value, Shape):
        return type(value).__name__
    keys = value if isinstance(value, dict) else ()
    for key, kind in (("feature", "Test"), ("any", "AnyOf"), ("all", "AllOf"), ("none", "NoneOf"), ("of", "AtLeastOf")):
        if key in keys:
            return kind
    return "Test"


Clause = Annotated[
    Annotated[Test, Tag("Test")]
    | Annotated[AnyOf, Tag("AnyOf")]
    | Annotated[AllOf, Tag("AllOf")]
    | Annotated[NoneOf, Tag("NoneOf")]
    | Annotated[AtLeastOf, Tag("AtLeastOf")],
    Discriminator(_kind_of_clause),
]
for _shape in (AnyOf, AllOf, NoneOf, AtLeastOf):
    _shape.model_rebuild()


def parts_of(clause: AnyOf | AllOf | NoneOf | AtLeastOf) -> tuple[str, tuple[Clause, ...]]:
    """The key under which a compound clause keeps its parts, and the parts."""
    if isinstance(clause, AnyOf):
        return "any", clause.any
    if isinstance(clause, AllOf):
        return "all", clause.all
    if isinstance(clause, NoneOf):
        return "none", clause.none
    return "of", clause.of


def features_in(clause: Clause | None) -> tuple[str, ...]:
    """Every feature a clause reads, in order, once.

    >>> features_in(AllOf(all=(Test(feature="a", at_least=1), Test(feature="b", at_most=OtherFeature(feature="c")))))
    ('a', 'b', 'c')
    """
    if clause is None:
        return ()
    found: list[str] = []
    if isinstance(clause, Test):
        found.append(clause.feature)
        for operand in (clause.at_least, clause.more_than, clause.at_most, clause.less_than):
            if isinstance(operand, OtherFeature):
                found.append(operand.feature)
    else:
        for part in parts_of(clause)[1]:
            found.extend(features_in(part))
    return tuple(dict.fromkeys(found))
