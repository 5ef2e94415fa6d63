"""Opt-outs: who said that nothing about them may leave the practice for anything but their own care."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from casefinding import nhs_number
from casefinding.errors import UsageError
from casefinding.records.engine import Engine, lit

TYPE_1 = "type 1 opt-out"
NATIONAL = "national data opt-out"
NOT_CHECKED = "no NHS number: the national data opt-out cannot be checked"
DISSENT, WITHDRAWN = "dissent", "withdrawn"


@lru_cache(1)
def codes() -> dict[tuple[str, str], str]:
    """(code system, code) -> dissent or withdrawn, from type_1_codes.csv beside this file; they await validation."""
    text = (files("casefinding.records.pseudonyms") / "type_1_codes.csv").read_text(encoding="utf-8")
    return {(row["system"], row["code"]): row["says"] for row in csv.DictReader(text.splitlines())}


def says(system: str, code: str) -> str | None:
    """What a code says about a Type 1 opt-out: dissent, withdrawn or nothing (None).

    Read codes are compared by their first five signs: exports add the number of a synonym.

    >>> says("snomed", "827241000000103"), says("read2", "9Nu0.00"), says("ctv3", "XaZ8A"), says("snomed", "38341003")
    ('dissent', 'dissent', 'withdrawn', None)
    """
    return codes().get((system, code[:5] if system in ("read2", "ctv3") else code))


@dataclass
class Decisions:
    """What people said, and when: the latest of dissent and withdrawal decides."""

    said: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, whose: str, day: str, what: str) -> None:
        """One entry; `day` is YYYY-MM-DD, or empty where nobody knows: a dissent then counts as the latest."""
        self.said.append((whose, day or ("9999-12-31" if what == DISSENT else "0001-01-01"), what))

    def out(self, person_of) -> set[str]:
        """The people whose latest entry is a dissent; of two on one day the dissent counts.

        `person_of` maps whose entry it is to the person, so that what somebody told one practice counts in another.
        """
        latest: dict[str, tuple[str, bool]] = {}
        for whose, day, what in self.said:
            person = person_of(whose)
            latest[person] = max(latest.get(person, ("", False)), (day, what == DISSENT))
        return {person for person, (_, dissent) in latest.items() if dissent}


def type_1_people(engine: Engine, events: str) -> int:
    """How many people of a SELECT of events (person, happened_on, system, code) have opted out: it must be none.

    `happened_on` is a day or text as YYYY-MM-DD, `system` any spelling of the layout. The latest of dissent and
    withdrawal decides, as in Decisions. For the ingest, which refuses an extract that still holds any of them.
    """
    from casefinding.records.cells import SYSTEMS

    known = []
    for (system, code), what in codes().items():
        for spelling in {system, *SYSTEMS.get(system, ())}:
            known.append(f"({lit(spelling)}, {lit(code)}, {'true' if what == DISSENT else 'false'})")
    ((number,),) = engine.rows(
        f"""WITH known(system, code, dissent) AS (VALUES {", ".join(known)}),
        said AS (SELECT e.person, known.dissent, coalesce(left(e.happened_on::VARCHAR, 10),
                CASE WHEN known.dissent THEN '9999-12-31' ELSE '0001-01-01' END) AS day
            FROM ({events}) AS e JOIN known ON lower(e.system) = known.system
            AND known.code = CASE WHEN known.system IN ('read2', 'ctv3') THEN left(e.code, 5) ELSE e.code END)
        SELECT count(*) FROM (SELECT max((day, dissent)) AS latest FROM said GROUP BY person) WHERE latest[2]"""
    )
    return number


def not_allowed(file: Path, numbers: Iterable[str]) -> set[str]:
    """Those of the extract's NHS numbers that are not among the numbers that the national service returned.

    The service (NHS England's Check for National Data Opt-outs) returns the numbers that may be used. UsageError if
    fewer than half of the extract's stand there: then it is probably a list of those who opted out.
    """
    here = set(numbers)
    out = here - _listed(file)
    if 2 * len(out) > len(here):
        raise UsageError(
            "fewer than half of the people are on the list of those who may be used",
            where=str(file),
            hint="is it a list of those who opted out (--national-opted-out), or the answer for another extract?",
        )
    return out


def opted_out(file: Path, numbers: Iterable[str]) -> set[str]:
    """Those of the extract's NHS numbers that stand in a list of people who opted out.

    UsageError if they are more than a fifth: then it is probably what the service returned, who may be used.
    """
    here = set(numbers)
    out = here & _listed(file)
    if 5 * len(out) > len(here):
        raise UsageError(
            "more than 20% of the people are on the list of those who opted out",
            where=str(file),
            hint="the national service returns who MAY be used: is that this list? then say --national-allowed",
        )
    return out


def _listed(file: Path) -> set[str]:
    """The NHS numbers of a file, one a line; a header, and the commas that end a line of the service, are allowed.

    UsageError for a line that is no NHS number, or a file without any: a spoilt file would let people through.
    """
    found: set[str] = set()
    try:
        with open(file, encoding="utf-8-sig", newline=None) as handle:
            for place, line in enumerate(handle, start=1):
                digits = nhs_number.digits_of(line.strip().strip('", '))
                if not digits or (place == 1 and not any(sign.isdigit() for sign in digits)):
                    continue
                if not nhs_number.valid(digits):
                    raise UsageError(
                        f"a line is no NHS number: {nhs_number.what_is_wrong(digits)}",
                        where=f"{file}:{place}",
                        hint="one NHS number a line, as text; a spreadsheet that opens the file spoils them",
                    )
                found.add(digits)
    except (OSError, UnicodeDecodeError):
        raise UsageError(
            "the list of the national data opt-out cannot be read", where=str(file), hint="a text file"
        ) from None
    if not found:
        raise UsageError(
            "the list of the national data opt-out holds no NHS number", where=str(file), hint="fetch it again"
        )
    return found
