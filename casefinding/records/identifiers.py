"""What must not come in: NHS numbers, wherever they hide, and people who opted out of leaving their practice."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from casefinding.errors import RecordsError
from casefinding.nhs_number import holds_real, looks_real
from casefinding.records.engine import Engine, Part, lit, quoted
from casefinding.records.events import TEN
from casefinding.records.extract import read_all

SECONDARY_USE, DIRECT_CARE, AT_THE_PRACTICE = "secondary use", "direct care", "at the practice"
"""For what a store is made. People may have opted out of the first, and of neither of the others."""
_HEADER = re.compile(r"nhs_?(number|num|no)|^nhs(_?id)?$", re.IGNORECASE)
_OF_PATIENTS = frozenset({"dateofbirth", "datebirth", "addresstype"})
_NAMING = frozenset(
    (
        "surname", "givenname", "middlenames", "firstname", "previoussurname", "emailaddress", "homephone",
        "mobilephone", "postcode", "fullpostcode", "numberandstreet", "housenameflatnumber", "nameofroad",
    )
)  # fmt: skip
_SAID = {
    "practice": ("practice", "name", "pcn", "place"), "registration": ("practice",),
    "person": ("ethnicity", "imd_vintage", "imd_decile", "sex"),
}  # fmt: skip
"""Cells that are kept or shown as they stand."""
_TAKE_THEM_OUT = "run 'casefinding pseudonymise' where the records are kept"


def refuse_named(engine: Engine, parts: Sequence[Part], tables: Mapping[str, str]) -> None:
    """Raise RecordsError if an NHS number stands in a file's name, among pseudonyms, practices or what is said of
    people, or in a column that is named after it, whether or not anybody reads that.

    Ten digits that pass the check (modulus 11) outside 999, the range kept for tests, are taken for one.
    """
    for number, part in enumerate(parts):
        if holds_real(part.name):
            raise RecordsError("a file's name holds what looks like an NHS number", hint="rename it")
        for column in part.columns:
            if _HEADER.search(column.strip().replace(" ", "")):
                read = read_all(engine, [part], (column,), number)
                _refuse(engine, f"SELECT DISTINCT {quoted(column)} FROM ({read})", f"column '{column}'", part.name)
    _refuse(engine, f"SELECT DISTINCT person FROM ({tables['person']})", "the person column", "person")
    for table, columns in _SAID.items():
        for column in columns:
            every = f"SELECT DISTINCT {column} FROM ({tables[table]})"
            _refuse(engine, every, f"column '{column}'", table, within=True)


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


def refuse_people_by_name(engine: Engine, parts: Sequence[Part]) -> None:
    """Raise RecordsError if a table of patients still holds names, addresses or telephones: nobody asked for them."""
    for number, part in enumerate(parts):
        header = {column.strip().lower(): column for column in part.columns}
        if not (header.keys() & _OF_PATIENTS):
            continue
        for name in sorted(header.keys() & _NAMING):
            read = read_all(engine, [part], (header[name],), number)
            ((filled,),) = engine.rows(f"SELECT count({quoted(header[name])}) FROM ({read})")
            if filled:
                raise RecordsError(
                    f"column '{header[name].strip()}' is filled ({filled:,} rows): the extract names its patients",
                    where=part.name,
                    hint=_TAKE_THEM_OUT,
                )


def refuse_another_flow(folder: Path, flow: str) -> dict[str, Any]:
    """What the manifest of `casefinding pseudonymise` beside an extract says of flow, opt-outs and key; {} without one.

    Raises RecordsError if the extract was made for direct care and is brought in for another purpose: its opt-outs were
    never acted on.
    """
    try:
        said = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(said, dict) or said.get("what") != "pseudonymised":
        return {}
    if str(said.get("flow", "")).startswith("direct") and flow == SECONDARY_USE:
        raise RecordsError(
            "the extract was made for direct care, so no opt-out was acted on",
            where=str(folder / "manifest.json"),
            hint="say --flow direct-care, or pseudonymise it again for a secondary use",
        )
    return {name: said[name] for name in ("flow", "opt-outs applied", "key fingerprint") if name in said}


def refuse_opted_out(engine: Engine) -> None:
    """Raise RecordsError if somebody in `event_in` has a Type 1 opt-out that stands: it is acted on at the practice.

    Rows that are refused for another reason (a dissent without a day) count too.
    """
    from casefinding.records.pseudonyms.opt_outs import type_1_people

    number = type_1_people(
        engine,
        """SELECT coalesce(person::VARCHAR, 'row ' || file || ' ' || row) AS person, day AS happened_on, system,
            id AS code FROM event_in""",
    )
    if number:
        people = "1 person has" if number == 1 else f"{number:,} people have"
        raise RecordsError(
            f"{people} a type 1 opt-out, so nothing about them may leave the practice for a secondary use",
            where="event",
            hint=f"{_TAKE_THEM_OUT}; for direct care or inside the practice say --flow direct-care or --at-practice",
        )
