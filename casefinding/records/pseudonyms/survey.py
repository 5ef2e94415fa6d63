"""Who is in an extract: read once before anything is written, so that every table agrees about everybody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from casefinding import nhs_number
from casefinding.errors import RecordsError, UsageError
from casefinding.records.pseudonyms import digests
from casefinding.records.pseudonyms.columns import PEOPLE
from casefinding.records.pseudonyms.files_in import Folder, Source
from casefinding.records.pseudonyms.keys import Key
from casefinding.records.pseudonyms.opt_outs import NATIONAL, NOT_CHECKED, TYPE_1
from casefinding.records.pseudonyms.treatments import day_of
from casefinding.records.reasons import Left

GONE = {"emis": "deleted", "systmone": "removeddata"}
"""The column that says that a row takes an earlier one away."""
YES = ("true", "1", "yes", "y", "t")
CONFIDENTIAL = ("spinesensitive", "isconfidential")
"""Columns that mark a patient, or a row, as not to be shared."""
UNKNOWN = "not in the table of people"
"""Why rows about somebody whom the extract does not hold stay at home: nobody can tell what they opted out of."""


class Patient(NamedTuple):
    """What a practice's lookup needs of one patient, and what their pseudonym is made from."""

    number: str  # ten digits, or empty
    wrong: bool  # there was a number, and it was none
    order: tuple[int, int, int]
    practice: str
    born: str
    local: str
    phone: str
    postcode: str
    confidential: bool = False


@dataclass
class Survey:
    """Everybody in an extract by the vendor's id, and why some of them stay at home.

    Memory grows with the people (about half a kilobyte each), never with their entries.
    """

    kind: str
    key: Key
    patients: dict[str, Patient] = field(default_factory=dict)
    type_1: set[str] = field(default_factory=set)
    national: set[str] = field(default_factory=set)
    only_checked: bool = False  # whoever has no NHS number stays: the national service cannot know them
    confidential: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)  # ids of rows that are marked confidential
    common: frozenset[str] = frozenset()  # texts that stand with enough people to say nothing of one
    removes: bool = True
    people: Counter[str] = field(default_factory=Counter)

    def person(self, whose: str) -> str:
        """The NHS number of a vendor's id, or that id itself where there is no valid number."""
        patient = self.patients.get(whose)
        return patient.number if patient is not None and patient.number else whose

    def stays(self, whose: str) -> str:
        """Why the rows of a vendor's id stay at home; empty where they go out."""
        if not self.removes:
            return ""
        person = self.person(whose)
        if person in self.type_1:
            return TYPE_1
        if person in self.national:
            return NATIONAL
        if person in self.confidential:
            return Left.CONFIDENTIAL.value
        patient = self.patients.get(whose)
        if patient is None:
            return UNKNOWN
        return NOT_CHECKED if self.only_checked and not patient.number else ""

    def stay_confidential(self) -> None:
        """Keep at home whoever is marked confidential or sensitive in any practice of the extract."""
        self.confidential = {self.person(whose) for whose, one in self.patients.items() if one.confidential}

    def pseudonym(self, whose: str) -> str:
        """The pseudonym of a vendor's id: of the NHS number if there is a valid one, else of the id."""
        patient = self.patients.get(whose)
        number = patient.number if patient is not None else ""
        if not number and self.kind == "native" and nhs_number.valid(whose):  # somebody of whom no row of theirs came
            number = whose
        if number:
            return digests.of_number(self.key, number)
        ids = whose.split("\t")[1 if self.kind == "fhir" else 0 :]
        if self.kind == "omop" and patient is not None and patient.local:
            ids = [patient.local]  # the id of the system that the records come from; person_id is OMOP's own
        return digests.of_vendor(self.key, self.kind, *ids)

    def count(self) -> None:
        """Count people (not vendor's ids) once it is known who stays: with a number, without, by reason of staying."""
        seen: set[str] = set()
        for whose, patient in self.patients.items():
            person = self.person(whose)
            if person in seen:
                continue
            seen.add(person)
            self.people["people"] += 1
            self.people["with an NHS number" if patient.number else "without an NHS number"] += 1
            self.people["with a number that is no NHS number"] += patient.wrong
            self.people[self.stays(whose) or "in the output"] += 1


def whose_of(source: Source) -> Callable[[list[str]], str]:
    """A function that gives the vendor's id of a row: the columns of the table's `whose`, joined by a tab."""
    places = [source.needed(column) for column in source.table.whose]
    if len(places) == 1:
        (only,) = places
        if source.table.whose == ("person",):  # an NHS number, perhaps, which one table writes with gaps
            return lambda cells: _without_gaps(cells[only])
        return lambda cells: cells[only]
    return lambda cells: "\t".join([cells[place] for place in places])


@lru_cache(50_000)
def _without_gaps(text: str) -> str:
    digits = nhs_number.digits_of(text)
    return digits if nhs_number.valid(digits) else text


def cell_of(source: Source, *columns: str) -> Callable[[list[str]], str]:
    """A function that gives the first filled one of some columns of a row; empty where none is there."""
    places = [place for column in columns if (place := source.at(column)) is not None]
    return lambda cells: next((cells[place] for place in places if cells[place]), "")


def whole(text: str) -> int:
    """A whole number, 0 where there is none.

    >>> whole("17"), whole("")
    (17, 0)
    """
    return int(text) if text.isdecimal() and len(text) < 19 else 0


NUMBERS = {
    "emis": ("nhsnumber",), "systmone": ("nhsnumber",), "native": ("nhs_number",), "omop": ("person_source_value",),
}  # fmt: skip
BORN = {
    "emis": ("dateofbirth",), "systmone": ("datebirth",), "native": ("date_of_birth",), "omop": ("birth_datetime",),
}  # fmt: skip
PHONES = {"emis": ("mobilephone", "homephone"), "native": ("telecom_number",)}
LOCAL = {"emis": ("patientnumber",), "native": ("emis_number",), "omop": ("person_source_value",)}
POSTCODES = {"emis": ("postcode",), "native": ("postcode",)}


def read_people(survey: Survey, folder: Folder, tick: Callable[[str], None]) -> None:
    """Fill the patients of a survey from the table of the people; the latest row of each counts.

    Raises RecordsError if there is no such table, or if its numbers are pseudonyms already.
    """
    kind = folder.kind
    sources = folder.of(PEOPLE[kind])
    if not sources:
        raise RecordsError(f"the table '{PEOPLE[kind]}' is missing", hint=f"is this an extract of kind {kind}?")
    practice_of = practices(folder)
    postcode_of = _homes(folder)
    made_before = 0
    for at, source in enumerate(sources):
        tick(source.name)
        whose, number = whose_of(source), cell_of(source, *NUMBERS[kind])
        born, phone = cell_of(source, *BORN[kind]), cell_of(source, *PHONES.get(kind, ()))
        local, postcode = cell_of(source, *LOCAL.get(kind, ())), cell_of(source, *POSTCODES.get(kind, ()))
        location = cell_of(source, "location_id")
        version = cell_of(source, "processingid")
        gone = cell_of(source, GONE[kind]) if kind in GONE else cell_of(source)
        marks = [cell_of(source, column) for column in CONFIDENTIAL]
        for row, cells in enumerate(source.rows(), start=1):
            who = whose(cells)
            text = number(cells)
            digits = nhs_number.digits_of(text)
            if kind == "native" and not text and nhs_number.valid(nhs_number.digits_of(who)):
                digits = text = nhs_number.digits_of(who)
            made_before += is_pseudonym(text or who)
            order = (whole(version(cells)), at, row)
            before = survey.patients.get(who)
            if before is not None and (before.order > order or gone(cells).lower() in YES):
                continue  # a deletion may be empty but for the ids: what was known of them still holds
            right = nhs_number.valid(digits)
            wrong = bool(text) and not right and (kind != "omop" or len(digits) == 10)
            survey.patients[who] = Patient(
                digits if right else "", wrong, order, practice_of(source, cells, who),
                day_of(born(cells)), local(cells), phone(cells),
                postcode(cells) or postcode_of.get(location(cells) or who, ""),
                any(one(cells).lower() in YES for one in marks),
            )  # fmt: skip
    if made_before:
        raise UsageError(
            "the extract holds pseudonyms already", where=sources[0].name, hint="name the extract as it was exported"
        )


def is_pseudonym(text: str) -> bool:
    """Whether a text in the place of an NHS number is a pseudonym that an earlier run made."""
    return len(text) == 1 + digests.LENGTH and text[0] in "pq" and all(sign in "0123456789abcdef" for sign in text[1:])


def practices(folder: Folder) -> Callable[[Source, list[str], str], str]:
    """A function that gives the code of the practice that holds a patient's row, empty where nobody knows."""
    kind = folder.kind
    if kind == "native":
        return _by_registration(folder)
    table, ids, code, holder = {
        "emis": ("Admin_Organisation", ("organisationguid",), ("odscode",), "organisationguid"),
        "systmone": ("SROrganisation", ("rowidentifier", "id"), ("id",), "idorganisationvisibleto"),
        "omop": ("care_site", ("care_site_id",), ("care_site_source_value", "care_site_id"), "care_site_id"),
    }[kind]
    known: dict[str, str] = {}
    for source in folder.of(table):
        said = cell_of(source, *code)
        own = [cell_of(source, column) for column in ids]
        for cells in source.rows():
            known |= {one(cells): said(cells) for one in own if one(cells) and said(cells)}
    holders: dict[str, Callable[[list[str]], str]] = {}

    def practice(source: Source, cells: list[str], _: str) -> str:
        if source.name not in holders:
            holders[source.name] = cell_of(source, holder)
        held_by = holders[source.name](cells)
        return known.get(held_by, held_by if kind != "emis" else "")

    return practice


def _by_registration(folder: Folder) -> Callable[[Source, list[str], str], str]:
    """Native: the practice of the latest registration."""
    held: dict[str, tuple[str, str]] = {}
    for source in folder.of("registration"):
        person, practice = whose_of(source), cell_of(source, "practice")
        start = cell_of(source, "started_on")
        for cells in source.rows():
            held[person(cells)] = max(held.get(person(cells), ("", "")), (day_of(start(cells)), practice(cells)))
    return lambda source, cells, whose: held.get(whose, ("", ""))[1]


def _homes(folder: Folder) -> Mapping[str, str]:
    """Vendor's id of a patient (SystmOne) or of a location (OMOP) -> postcode of the home."""
    latest: dict[str, tuple[tuple[bool, str], str]] = {}
    for source in folder.looked_at:
        if source.table.name == "location":
            own, zip_code = cell_of(source, "location_id"), cell_of(source, "zip")
            latest |= {own(cells): ((True, ""), zip_code(cells)) for cells in source.rows()}
            continue
        whose, code = whose_of(source), cell_of(source, "fullpostcode")
        until, since = cell_of(source, "dateto"), cell_of(source, "dateevent", "dateeventrecorded")
        removed = cell_of(source, "removeddata")
        for cells in source.rows():
            if code(cells) and removed(cells).lower() not in YES:
                lived = ((not until(cells), day_of(since(cells))), code(cells))
                latest[whose(cells)] = max(latest.get(whose(cells), lived), lived)
    return {who: postcode for who, (_, postcode) in latest.items()}


def entries(
    sources: list[Source],
    entry_id: tuple[str, ...],
    gone: str,
    says: Callable[[Source], Callable[[list[str]], str | None]],
) -> Iterator[tuple[str, Source, list[str], str]]:
    """The rows that say something of an opt-out and still stand: (vendor's id, file, row, what).

    Of the rows with one id the latest counts, and a deletion takes it away, in whatever order the files come.
    """
    standing: dict[str, tuple[tuple[int, int, int], str, Source, list[str], str | None]] = {}
    for again in (False, True) if len(sources) > 1 and entry_id else (False,):
        if again and not standing:
            break
        for at, source in enumerate(sources):
            what, whose = says(source), whose_of(source)
            version, removed = cell_of(source, "processingid"), cell_of(source, gone)
            parts = [place for column in entry_id if (place := source.at(column)) is not None]
            for row, cells in enumerate(source.rows(), start=1):
                said = what(cells)
                if said is None and not standing:
                    continue
                own = "\t".join([cells[place] for place in parts]) if parts else f"{at} {row}"
                if own not in standing and (said is None or again):
                    continue
                order = (whole(version(cells)), at, row)
                if own in standing and standing[own][0] > order:
                    continue
                if removed(cells).lower() in YES:
                    said = None
                standing[own] = (order, whose(cells), source, cells, said)
    for _, who, source, cells, said in standing.values():
        if said is not None:
            yield who, source, cells, said
