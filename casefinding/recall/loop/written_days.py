"""Days as people write them: day before month, in figures or with the month in letters; nothing is guessed."""

from __future__ import annotations

import datetime as dt
import re

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_WEEKDAY = re.compile(r"^(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+", re.IGNORECASE)
_HOUR = re.compile(r"[T\s]\s*\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?Z?$")
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_DAY_FIRST = re.compile(r"(\d{1,2})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{4}|\d{2})")
_LETTERS = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?(?:\s+of)?[\s./-]*([a-z]{3,9})\.?,?[\s./-]*(\d{4}|\d{2})")
_MONTH_FIRST = re.compile(r"([a-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})")


def written_day(text: str) -> dt.date | None:
    """The day that a text says; None where it says none, or one that is not in the calendar.

    Figures are day, month, year, as the drop-down asks for, or year, month, day with a year of four; a year of two is
    of this century. A day that only makes sense month first is no day: whoever writes so may mean either elsewhere.

    >>> [str(written_day(text)) for text in ("14/10/2026", "2026-10-14", "Wed 14th Oct 2026", "3.2.26", "Oct 14, 2026")]
    ['2026-10-14', '2026-10-14', '2026-10-14', '2026-02-03', '2026-10-14']
    >>> [written_day(text) for text in ("10/14/2026", "31/11/2026", "14 Oct", "October 2026", "last week", "20261014")]
    [None, None, None, None, None, None]
    """
    plain = _HOUR.sub("", _WEEKDAY.sub("", " ".join(text.split()))).lower().strip()
    if match := _YEAR_FIRST.fullmatch(plain):
        return _day(match[1], match[2], match[3])
    if match := _DAY_FIRST.fullmatch(plain):
        return _day(match[3], match[2], match[1])
    if match := _LETTERS.fullmatch(plain):
        return _day(match[3], _month(match[2]), match[1])
    if match := _MONTH_FIRST.fullmatch(plain):
        return _day(match[3], _month(match[1]), match[2])
    return None


def _month(word: str) -> str:
    """The number of a month, "0" if the word is none; "sept" is written as often as "sep"."""
    known = [str(number) for number, name in enumerate(_MONTHS, 1) if word in (name, name[:3], name[:4])]
    return known[0] if known else "0"


def _day(year: str, month: str, day: str) -> dt.date | None:
    try:
        return dt.date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        return None
