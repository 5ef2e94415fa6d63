"""Why a row is refused, a cell left unread or a reading held: each reason has a name and a plain explanation."""

from __future__ import annotations

from enum import StrEnum


class Refusal(StrEnum):
    """Why a row of the extract does not enter the store; it goes to quarantine instead.

    >>> Refusal("impossible date").explanation
    'A date that is not a real day written as YYYY-MM-DD, or a day before 1900.'
    """

    MISSING = "missing value"
    IMPOSSIBLE_DATE = "impossible date"
    FUTURE = "date in the future"
    BEFORE_BIRTH = "before birth"
    AFTER_DEATH = "after death"
    ENDS_BEFORE_START = "ends before it starts"
    TEXT_IN_NUMBER = "text in a number"
    NUMBER_TOO_LARGE = "number too large"
    UNKNOWN_SYSTEM = "unknown code system"
    BAD_CODE = "code is not a valid id"
    UNKNOWN_PRACTICE = "unknown practice"
    UNKNOWN_PERSON = "person not in the person table"
    UNREGISTERED = "person without registration"
    PERSON_REFUSED = "person refused"
    TWO_ROWS = "two different rows for one person"
    UNKNOWN_KIND = "unknown kind of contact"
    DUPLICATE = "duplicate row"
    UNREADABLE = "row cannot be read"

    @property
    def explanation(self) -> str:
        """One sentence for the quality page."""
        return EXPLANATIONS[self]


class Left(StrEnum):
    """Why a row of the extract is left out on purpose: nothing is wrong with it, and it is counted.

    >>> Left("deleted at the source").explanation
    'A row that the system it comes from has deleted since, or the deletion itself.'
    """

    DELETED = "deleted at the source"
    REPLACED = "replaced by a later row"
    NEVER_SEEN = "deletion of a row that never came"
    DICTIONARY = "row of a dictionary"
    NOT_ASKED = "kind of row that is not asked for"
    CONFIDENTIAL = "confidential: stays at the practice"
    OPTED_OUT = "opted out"
    TEST_PATIENT = "test patient"
    NOT_REGISTERED = "not a registered patient"
    SAID_AGAIN = "said by another row too"
    NOBODY = "nobody is concerned"

    @property
    def explanation(self) -> str:
        """One sentence for the quality page."""
        return EXPLANATIONS[self]


class Cell(StrEnum):
    """Why a cell says nothing while its row stays: nobody is lost for what the extract need not even say.

    >>> Cell("unknown sex").note(2)
    '2 people have a sex that could not be read; they are kept with sex unknown.'
    """

    SEX = "unknown sex"
    ETHNICITY = "ethnicity not understood"
    DECILE = "not a deprivation decile"
    DEATH = "impossible date of death"
    START = "registered before birth"
    VALUE = "value is not a plain number"

    @property
    def explanation(self) -> str:
        """One sentence on the cell and on what is taken instead."""
        return EXPLANATIONS[self]

    def note(self, count: int) -> str:
        """One sentence for the quality page, on this many rows."""
        one, many, what = _NOTES[self]
        return f"{count:,} {one if count == 1 else many} {what}"


class Held(StrEnum):
    """Why a reading that is in the store is not used as a value; a person can be asked to check it."""

    UNKNOWN_UNIT = "unknown unit"
    IMPLAUSIBLE = "value outside the plausible range"
    NO_VALUE = "no value"

    @property
    def explanation(self) -> str:
        """One sentence for the quality page."""
        return EXPLANATIONS[self]


EXPLANATIONS: dict[StrEnum, str] = {
    Refusal.MISSING: "A cell that must be filled is empty.",
    Refusal.IMPOSSIBLE_DATE: "A date that is not a real day written as YYYY-MM-DD, or a day before 1900.",
    Refusal.FUTURE: "A date after the last day of the extract.",
    Refusal.BEFORE_BIRTH: "A date before the person's month of birth.",
    Refusal.AFTER_DEATH: "A date after the person died.",
    Refusal.ENDS_BEFORE_START: "A registration that ends before it starts, or before the person's month of birth.",
    Refusal.TEXT_IN_NUMBER: "A measure of an area that is not a plain number.",
    Refusal.NUMBER_TOO_LARGE: "A measure of an area too large to hold as a number.",
    Refusal.UNKNOWN_SYSTEM: "A code system that is none of those of the layout.",
    Refusal.BAD_CODE: "A code that cannot be an id of its system: a wrong check digit, or a number that a spreadsheet "
    "has rounded or written with a decimal point or an exponent.",
    Refusal.UNKNOWN_PRACTICE: "A practice that the practice table does not hold.",
    Refusal.UNKNOWN_PERSON: "A row about somebody whom the person table does not hold.",
    Refusal.UNREGISTERED: "Somebody, or a row about somebody, with no accepted registration at a practice.",
    Refusal.PERSON_REFUSED: "A row about somebody whose own row in the person table was refused.",
    Refusal.TWO_ROWS: "Two rows of the person table that disagree about one person; both are refused.",
    Refusal.UNKNOWN_KIND: "A kind of contact that is not in the list of the layout.",
    Refusal.DUPLICATE: "A row that says the same as another row, which is kept.",
    Refusal.UNREADABLE: "A row that is not written as its file's format asks.",
    Left.DELETED: "A row that the system it comes from has deleted since, or the deletion itself.",
    Left.REPLACED: "An earlier state of a row that came again; the latest state counts.",
    Left.NEVER_SEEN: "A deletion of a row that is in none of the files.",
    Left.DICTIONARY: "A row that only says what codes, staff or places are called; what refers to it uses it.",
    Left.NOT_ASKED: "A kind of row that no list here asks for, such as staff, documents or permissions to prescribe.",
    Left.CONFIDENTIAL: "A row marked confidential or sensitive: only the practice itself may bring it in.",
    Left.OPTED_OUT: "A row about somebody who has opted out of this use of the record.",
    Left.TEST_PATIENT: "A row about a patient made up by the practice to try its system.",
    Left.NOT_REGISTERED: "A row about somebody whom the practice sees without registering them, such as a visitor.",
    Left.SAID_AGAIN: "A row whose content another row, which is kept, says too.",
    Left.NOBODY: "A row of a table of areas or practices with nobody in this extract.",
    Cell.SEX: "A sex that is none of female, male and unknown, nor one of their usual codes: taken as unknown.",
    Cell.ETHNICITY: "An ethnicity in words that are not understood: taken as unknown.",
    Cell.DECILE: "A deprivation decile that is not a whole number from 1 to 10: taken as not known.",
    Cell.DEATH: "A date of death that is not a real day, lies before the birth or after the last day of the extract: "
    "the person is taken to be alive, so that somebody looks.",
    Cell.START: "A registration that starts before the person's month of birth: it is taken to start in that month.",
    Cell.VALUE: 'A value that is not a plain number, such as "140/90", "1,5", "high" or "NaN", or one too large to '
    "hold: the entry stays with its code and without a value.",
    Held.UNKNOWN_UNIT: "A reading in a unit that the signal does not know.",
    Held.IMPLAUSIBLE: "A reading outside the range that the signal takes as possible.",
    Held.NO_VALUE: "A reading without a number.",
}

_NOTES: dict[Cell, tuple[str, str, str]] = {
    Cell.SEX: ("person has", "people have", "a sex that could not be read; they are kept with sex unknown."),
    Cell.ETHNICITY: (
        "person has", "people have", "an ethnicity in words that are not understood; it counts as unknown.",
    ),
    Cell.DECILE: (
        "person has", "people have", "a deprivation decile that is not 1 to 10; they are kept with it unknown.",
    ),
    Cell.DEATH: (
        "person has", "people have",
        "a date of death that cannot be right; they are kept as living, and their practice should check it.",
    ),
    Cell.VALUE: (
        "entry has", "entries have",
        "a value that is not a plain number; the code counts, the value does not, and somebody should look.",
    ),
    Cell.START: (
        "registration starts", "registrations start",
        "before the month of birth; that month is taken instead.",
    ),
}  # fmt: skip
