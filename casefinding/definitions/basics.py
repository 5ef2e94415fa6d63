"""What every shape of a definition is made of: frozen objects, names, lengths of time."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from casefinding.definitions.words import Span


def _span(value: Any) -> Any:
    if isinstance(value, str):
        parsed = Span.parse(value)
        if parsed is None:
            raise ValueError(f"{value!r} is not a length of time; write it like '90 days', '6 months' or '5 years'")
        return parsed
    return value


def span_text(span: Span) -> str:
    """A length of time as definitions and pages write it: whole months, else days."""
    return f"{span.months} months" if span.months else f"{span.days} days"


Length = Annotated[
    Span,
    BeforeValidator(_span),
    PlainSerializer(span_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+ (day|week|month|year)s?$"}),
]
"""A length of time written in words."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Shape(BaseModel):
    """Base of every shape: frozen, no unknown keys; `same_day` is written `same day` in YAML."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        alias_generator=lambda name: name.replace("_", " "),
        arbitrary_types_allowed=True,
    )
