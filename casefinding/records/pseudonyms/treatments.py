"""What becomes of one cell: kept if it has the form of what its column is for, else emptied."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache

from casefinding.nhs_number import holds_one
from casefinding.records.cells import SYSTEMS
from casefinding.records.pseudonyms.vocabulary import OTHER_UNIT, plain_words, unit_words


class Treatment(StrEnum):
    """What a column of the allow-list is; a column that has none is emptied."""

    PATIENT = "the vendor's id of a patient: replaced by a digest, the same in every table"
    NUMBER_OF_PATIENT = "the NHS number: replaced by the pseudonym"
    MONTH = "date of birth: moved to the first of its month"
    ROW = "id of a row of a patient: replaced by a digest, the same in every table"
    ID = "id of an organisation or a dictionary entry"
    CODE = "a clinical code"
    DAY = "a day, with or without the time"
    TIME = "a time of the day"
    FLAG = "yes or no"
    NUMBER = "a number, with or without a comparator"
    YEAR = "a year"
    WORD = "a pick of a list: kept if it is made of plain words"
    UNIT = "a unit of measurement"
    TERM = "the name of what a code in the same row stands for"
    COMMON = "text in the row of a patient: kept if it stands with at least 8 people of the extract"
    NAME = "the name of a definition"
    SYSTEM = "a code system"


UNREADABLE = "?"
"""Written where a cell held something that its column cannot say (140/90 as a value, a day that is none): it is refused
and counted at the ingest, as it would have been, and does not look like a cell that was empty."""
_ID = re.compile(r"(?=[^0-9]*[0-9])[A-Za-z0-9{}_.:-]{1,64}")
_CODE = re.compile(r"(?=[^0-9]*[0-9])[A-Za-z0-9^_.:/+-]{1,40}|[A-Za-z0-9.]{5}|[A-Z]{1,3}")
_CLOCK = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
_DATE = (
    r"(?:[0-9]{4}-[0-9]{1,2}(?:-[0-9]{1,2})?|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}"
    r"|[0-9]{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4}|(?:19|20)[0-9]{2}[01][0-9][0-3][0-9])"
)
_DAY = re.compile(rf"{_DATE}(?:[T ]{_CLOCK}(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}})?)?", re.IGNORECASE)
_TIME = re.compile(_CLOCK)
_FLAG = re.compile(r"true|false|yes|no|y|n|t|f|0|1", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?:<=|>=|[<>=~≤≥])? ?[+-]?(?:[0-9]{1,8}\.?|[0-9]{0,8}\.[0-9]{1,8})(?:[eE][+-]?[0-9]{1,2})?|[<>=~≤≥]=?"
)
_YEAR = re.compile(r"[0-9]{1,4}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}", re.IGNORECASE)
_TELEPHONE = re.compile(r"(?<![0-9])(?:\+44|\(?0)[0-9() -]{8,14}[0-9](?![0-9])")
_POSTCODE = re.compile(r"\b[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][ABD-HJLNP-UW-Z]{2}\b", re.IGNORECASE)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def identifies(text: str) -> bool:
    """Whether a text holds what looks like an NHS number, a telephone number, a postcode or an e-mail address.

    >>> identifies("ring 01632 960961"), identifies("LS1 5HT"), identifies("Vitamin B12 5mg tablets")
    (True, True, False)
    """
    return "@" in text or holds_one(text) or _TELEPHONE.search(text) is not None or _POSTCODE.search(text) is not None


def first_of_month(text: str) -> str:
    """A date moved to the first of its month, written as it was but for the day; empty where it is no date.

    >>> first_of_month("1961-07-23"), first_of_month("23 Jul 1961 10:15"), first_of_month("23/07/1961")
    ('1961-07-01', '01 Jul 1961', '01/07/1961')
    >>> first_of_month("1961-07"), first_of_month("in July")
    ('1961-07', '')
    """
    if not _DAY.fullmatch(text):
        return ""
    date = text.split("T")[0]
    if re.fullmatch(r"[0-9]{4}-[0-9]{1,2}", date):
        return date
    if date[4:5] == "-":
        return date[:8].rsplit("-", 1)[0] + "-01" if date[6:7] == "-" else date[:7] + "-01"
    if "/" in date:
        return "01/" + date.split(" ")[0].split("/", 1)[1]
    if date[:8].isdigit() and len(date.split(" ")[0]) == 8:
        return date[:6] + "01"
    return "01 " + " ".join(date.split(" ")[1:3])


def without_time(text: str) -> str:
    """A day without the time of the day.

    >>> without_time("02 Jan 2020 10:00:00"), without_time("2020-01-02T10:00:00Z"), without_time("2/1/2020")
    ('02 Jan 2020', '2020-01-02', '2/1/2020')
    """
    return re.split(r"[T ](?=[0-9]{1,2}:)", text, maxsplit=1)[0]


def day_of(text: str) -> str:
    """A date as YYYY-MM-DD, to be compared and written; empty where it is no date.

    >>> day_of("02 Jan 2020 10:00:00"), day_of("2/1/2020"), day_of("2020-01-02"), day_of("unknown")
    ('2020-01-02', '2020-01-02', '2020-01-02', '')
    """
    if not _DAY.fullmatch(text):
        return ""
    parts = re.split(r"[T ]", text)
    if text[4:5] == "-":
        year, month, day = (*parts[0].split("-"), "1")[:3]
    elif "/" in text:
        day, month, year = parts[0].split("/")
    elif len(parts[0]) == 8:
        year, month, day = parts[0][:4], parts[0][4:6], parts[0][6:]
    else:
        day, month, year = parts[0], str(MONTHS.index(parts[1].lower()) + 1), parts[2]
    return f"{year}-{int(month):02d}-{int(day):02d}"


def _kept(form: re.Pattern[str], instead: str = "") -> Callable[[str], str]:
    return lambda text: text if form.fullmatch(text) else instead


def _system(text: str) -> str:
    return text if any(text.lower() in spellings for spellings in SYSTEMS.values()) else ""


def _unit(text: str) -> str:
    return text if unit_words(text) else OTHER_UNIT


def _word(text: str) -> str:
    return text if plain_words(text) else UNREADABLE


def _term(text: str) -> str:
    damaged = "\ufffd" in text  # bytes of another encoding
    return text if len(text) <= 300 and text.isprintable() and not damaged and not identifies(text) else ""


TREATED: dict[Treatment, Callable[[str], str]] = {
    Treatment.MONTH: lambda text: first_of_month(text) or UNREADABLE,
    Treatment.ID: _kept(_ID),
    Treatment.CODE: lru_cache(100_000)(_kept(_CODE, UNREADABLE)),
    Treatment.DAY: lru_cache(100_000)(_kept(_DAY, UNREADABLE)),
    Treatment.TIME: _kept(_TIME),
    Treatment.FLAG: lru_cache(100)(_kept(_FLAG)),
    Treatment.NUMBER: lru_cache(100_000)(_kept(_NUMBER, UNREADABLE)),
    Treatment.YEAR: _kept(_YEAR),
    Treatment.WORD: lru_cache(10_000)(_word),
    Treatment.UNIT: lru_cache(10_000)(_unit),
    Treatment.TERM: lru_cache(100_000)(_term),
    Treatment.NAME: lru_cache(1_000)(_kept(_NAME)),
    Treatment.SYSTEM: lru_cache(1_000)(_system),
}
"""What each treatment makes of a cell that is not empty; those that need the key are made where the key is."""
