"""What must not come in: NHS numbers, wherever they hide, and people who opted out of leaving their practice."""

from __future__ import annotations

import re
from collections.abc import Sequence

from casefinding.errors import RecordsError
from casefinding.nhs_number import holds_real, looks_real
from casefinding.records.engine import Engine, Part, lit, quoted
from casefinding.records.events import TEN
from casefinding.records.extract import read_all

_HEADER = re.compile(r"nhs_?(number|no|num|id)?", re.IGNORECASE)
_TAKE_THEM_OUT = "run 'casefinding pseudonymise' where the records are kept"


def refuse_named(engine: Engine, parts: Sequence[Part], person: str) -> None:
    """Raise RecordsError if an NHS number stands in the person column (`person`: the table's SQL), or in a column that
    is named after it, whether or not anybody reads that.

    Ten digits that pass the check (modulus 11) outside 999, the range kept for tests, are taken for one.
    """
    for number, part in enumerate(parts):
        for column in part.columns:
            if _HEADER.fullmatch(column.strip().replace(" ", "")):
                read = read_all(engine, [part], (column,), number)
                _refuse(engine, f"SELECT DISTINCT {quoted(column)} FROM ({read})", f"column '{column}'", part.name)
    _refuse(engine, f"SELECT DISTINCT person FROM ({person})", "the person column", "person")


def refuse_written(engine: Engine) -> None:
    """Raise RecordsError if a value of `event_in` is an NHS number, or a term or a unit holds one."""
    _refuse(engine, "SELECT DISTINCT ten_digits FROM event_in", "column 'value'", "event")
    _refuse(engine, "SELECT DISTINCT term FROM seen", "column 'term'", "event", within=True)
    _refuse(engine, "SELECT text FROM unit", "column 'unit'", "event", within=True)


def _refuse(engine: Engine, distinct: str, what: str, where: str, *, within: bool = False) -> None:
    """`within`: ten digits among other text too; else a cell that is nothing else, as a number may hold ten."""
    match = "regexp_matches" if within else "regexp_full_match"
    found = engine.rows(f"SELECT x FROM ({distinct}) AS every(x) WHERE {match}(x, {lit(TEN)})")
    numbers = sum(holds_real(text) if within else looks_real(text) for (text,) in found)
    if numbers:
        raise RecordsError(
            f"{what} holds what look like NHS numbers ({numbers:,} different), which must not enter the store",
            where=where,
            hint=f"{_TAKE_THEM_OUT}; pseudonyms of ten digits are taken for them",
        )


def refuse_opted_out(engine: Engine) -> None:
    """Raise RecordsError if somebody in `event_in` has a Type 1 opt-out that stands: it is acted on at the practice."""
    from casefinding.records.pseudonyms.opt_outs import type_1_people

    number = type_1_people(
        engine, "SELECT person, day AS happened_on, system, id AS code FROM event_in WHERE fault IS NULL"
    )
    if number:
        people = "1 person has" if number == 1 else f"{number:,} people have"
        raise RecordsError(
            f"{people} a type 1 opt-out, so nothing about them may leave the practice for a secondary use",
            where="event",
            hint=f"{_TAKE_THEM_OUT}; for direct care or inside the practice say --flow direct-care or --at-practice",
        )
