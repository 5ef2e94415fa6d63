"""The closed vocabulary: every word a definition may use, and what it needs."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal

EventWord = Literal[
    "ever",
    "count",
    "days with",
    "courses",
    "latest",
    "earliest",
    "highest",
    "lowest",
    "mean",
    "spread",
    "trend",
    "lower of last two",
    "days since latest",
    "days since first",
    "days from first to latest",
    "days since unanswered",
    "age at first",
    "age at latest",
]
PersonWord = Literal["age", "sex", "ethnicity", "deprivation", "days registered"]

EVENT_WORDS: tuple[str, ...] = EventWord.__args__  # type: ignore[attr-defined]
PERSON_WORDS: tuple[str, ...] = PersonWord.__args__  # type: ignore[attr-defined]
VALUE_WORDS = frozenset({"latest", "earliest", "highest", "lowest", "mean", "spread", "trend", "lower of last two"})
"""Words that read the value of an event; the others need only its day."""
AGE_WORDS = frozenset({"age at first", "age at latest"})
"""Words that need the month of birth beside the event."""
ZERO_WHEN_NONE = frozenset({"ever", "count", "days with", "courses"})
"""Words that give 0 where there are no events; the others give missing."""

SameDay = Literal["lowest", "highest", "mean"]
Direction = Literal["more likely", "less likely"]
Lane = Literal[
    "act now", "check the reading", "review the record", "chase the result", "invite", "never measured", "note"
]
LANES: tuple[str, ...] = Lane.__args__  # type: ignore[attr-defined]

SEXES = ("female", "male")
"""`sex` gives the position: 0 female, 1 male; anything else is missing."""
ETHNICITIES = ("unknown", "white", "mixed", "asian", "black", "other")
"""`ethnicity` gives the position in the 5+1 groups of the 2001 census; unknown is a group of its own."""

_SPAN = re.compile(r"^(\d+) (day|week|month|year)s?$")


@dataclass(frozen=True, order=True)
class Span:
    """A length of calendar time: whole months and whole days."""

    months: int = 0
    days: int = 0

    @classmethod
    def parse(cls, text: str) -> Span | None:
        """Read "90 days", "2 weeks", "6 months" or "5 years"; None if it is none of these.

        >>> Span.parse("5 years")
        Span(months=60, days=0)
        """
        match = _SPAN.match(text)
        if not match:
            return None
        number, unit = int(match[1]), match[2]
        if unit == "day":
            return cls(days=number)
        if unit == "week":
            return cls(days=7 * number)
        return cls(months=number * (12 if unit == "year" else 1))

    def before(self, day: dt.date) -> dt.date:
        """The day this long before another; 29 February falls back to 28 February.

        >>> Span(months=12).before(dt.date(2024, 2, 29))
        datetime.date(2023, 2, 28)
        """
        return _shift(day, -self.months) - dt.timedelta(days=self.days)

    def after(self, day: dt.date) -> dt.date:
        """The day this long after another."""
        return _shift(day, self.months) + dt.timedelta(days=self.days)


def _shift(day: dt.date, months: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def age_on(birth_month: dt.date, day: dt.date) -> int:
    """Whole years from the first of the birth month to a day."""
    return day.year - birth_month.year - ((day.month, day.day) < (birth_month.month, birth_month.day))
