"""What a table of area measures says of itself: FILE.yaml beside FILE.csv."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError, model_validator

from casefinding.definitions.basics import Name, Shape
from casefinding.definitions.complaints import complaints
from casefinding.definitions.strict import parse_file
from casefinding.errors import RecordsError

Text = Annotated[str, Field(min_length=1, max_length=200)]
Year = Annotated[int, Field(ge=1970, le=2100)]


class AreaMeasure(Shape):
    """One measure of one vintage: the column (or the word in the column `measure`) of its key."""

    name: Name | None = None  # the id in code lists; default: the key
    label: Text
    unit: str = ""
    vintage: Year | dt.date  # the year or day that it describes
    published: dt.date | None = None  # the day from which it was known; default: the file's
    source: Text | None = None


class AreaMeasures(Shape):
    """The declaration of a file; `published` and `source` stand for every measure that states none of its own."""

    published: dt.date | None = None
    source: Text | None = None
    measures: dict[str, AreaMeasure] = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _known_when_and_from_where(self) -> Self:
        seen: set[tuple[str, dt.date]] = set()
        for key, measure in self.measures.items():
            published = measure.published or self.published
            if published is None:
                raise ValueError(f"measure {key!r} needs 'published', here or for the whole file")
            if not (measure.source or self.source):
                raise ValueError(f"measure {key!r} needs 'source', here or for the whole file")
            described = measure.vintage if isinstance(measure.vintage, dt.date) else dt.date(measure.vintage, 1, 1)
            if published < described:
                raise ValueError(f"measure {key!r} is published before what it describes")
            if (name_of(key, measure), published) in seen:
                raise ValueError(f"measure {key!r} has the name and day of publication of another one")
            seen.add((name_of(key, measure), published))
        return self


def name_of(key: str, measure: AreaMeasure) -> str:
    """The name under which a measure stands in code lists."""
    return measure.name or key.strip().lower()


def read_area_measures(path: Path) -> AreaMeasures:
    """Read a declaration; RecordsError with file and line for the first thing that is wrong."""
    if not path.is_file():
        raise RecordsError(
            "the measures are not declared", where=path.name, hint="see docs/how-to/area-measures.md for what to write"
        )
    parsed = parse_file(path)
    found = list(parsed.problems)
    declared = None
    if not found:
        try:
            declared = AreaMeasures.model_validate(parsed.value, by_alias=True, by_name=False)
        except ValidationError as error:
            found = [parsed.problem(inner, what, hint) for inner, what, hint in complaints(AreaMeasures, error)]
    if found or declared is None:
        raise RecordsError(found[0].what, where=found[0].where, hint=found[0].hint)
    for key, measure in declared.measures.items():
        if measure.name is None and not (key.isascii() and name_of(key, measure).isidentifier()):
            raise RecordsError(
                f"{key!r} cannot be the name of a measure",
                where=parsed.where(("measures", key)),
                hint="give it one with 'name: lower_case_letters_and_digits'",
            )
    return declared
