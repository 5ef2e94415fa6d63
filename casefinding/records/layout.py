"""The native layout: the tables an extract brings, their columns, and what a cell may say."""

from __future__ import annotations

from dataclasses import dataclass

from casefinding.records.tables import CONTACT_KINDS


@dataclass(frozen=True)
class Column:
    """A column: the header must name it unless it may be `missing`; `filled` says whether every cell must be."""

    name: str
    filled: bool
    about: str
    example: str
    missing: bool = False


@dataclass(frozen=True)
class Layout:
    """One table of the native layout; `needed` tables must be there and hold rows."""

    name: str
    needed: bool
    about: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that every header names."""
        return tuple(column.name for column in self.columns if not column.missing)

    @property
    def maybe(self) -> tuple[str, ...]:
        """The columns that a header may name."""
        return tuple(column.name for column in self.columns if column.missing)


_PERSON = Column("person", True, "The pseudonym, as text; never an NHS number", "p000017")

PERSON = Layout(
    "person",
    True,
    "One row a person.",
    (
        _PERSON,
        Column(
            "birth_month", True, "Year and month of birth (YYYY-MM); of a full date only the month is kept", "1961-07"
        ),
        Column("sex", False, "female, male or unknown (also F, M, U, I; 2, 1, 0, 9)", "female"),
        Column(
            "ethnicity",
            False,
            "Group (white, mixed, asian, black, other, unknown), or the 16+1 group by its name or letter (A to S, Z)",
            "white",
        ),
        Column("imd_decile", False, "Deprivation decile of the home, 1 = most deprived, to 10", "3"),
        Column("imd_vintage", False, "The release that the decile was taken from", "2019"),
        Column("died_on", False, "Date of death, empty for the living", ""),
        Column(
            "lsoa",
            False,
            "Small area of the home (LSOA code), to join measures of areas with; never stored. A header may lack it",
            "",
            missing=True,
        ),
    ),
)
REGISTRATION = Layout(
    "registration",
    True,
    "One row for each stretch of time that a person was registered at a practice.",
    (
        _PERSON,
        Column("practice", True, "Practice code, as in the practice table", "Y99001"),
        Column(
            "started_on",
            True,
            "First day of the registration; before the birth, it counts as the month of birth",
            "2014-02-03",
        ),
        Column("ended_on", False, "Last day; empty, or any day after the end of the extract, while it goes on", ""),
    ),
)
PRACTICE = Layout(
    "practice",
    True,
    "One row a practice.",
    (
        Column("practice", True, "Practice code: letters and digits, up to 20", "Y99001"),
        Column("name", False, "Name of the practice", "Practice One"),
        Column("pcn", False, "Primary care network", "Example Network"),
        Column("place", False, "Place or borough", "Example Place"),
    ),
)
EVENT = Layout(
    "event",
    True,
    "One row for each coded entry of the record: a reading, a diagnosis, an issue of a drug, a contact.",
    (
        _PERSON,
        Column("happened_on", True, "The day it happened", "2024-03-12"),
        Column("recorded_on", False, "The day it was entered; empty means the same day", "2024-03-12"),
        Column("system", True, "snomed, dmd, loinc, rxnorm, emis, read2, ctv3, icd10, opcs4 or other", "snomed"),
        Column("code", True, "The id, as text; never through a spreadsheet", "27113001"),
        Column(
            "term",
            False,
            "What the id stands for; needed for drugs, which are found by substance",
            "Body weight",
        ),
        Column("value", False, "A plain number with a full stop as decimal mark; may begin with <, <=, > or >=", "82"),
        Column("unit", False, "The unit as recorded", "kg"),
    ),
)
CONTACT = Layout(
    "contact",
    False,
    "What came of earlier lists, one row each.",
    (
        _PERSON,
        Column("condition", True, "The condition, by the name of its file in models/, or all", "all"),
        Column("kind", True, "One of: " + ", ".join(CONTACT_KINDS), "invited"),
        Column("on", True, "The day", "2024-05-01"),
    ),
)
EXTRACT = Layout(
    "extract",
    False,
    "One row about the extract as a whole.",
    (
        Column(
            "data_through",
            True,
            "The last day that the extract speaks of; anything dated later is refused",
            "2024-10-31",
        ),
        Column("kind", False, "A word on where the extract comes from", "example"),
    ),
)
LAYOUTS = (PERSON, REGISTRATION, PRACTICE, EVENT, CONTACT, EXTRACT)
