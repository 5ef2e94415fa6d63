"""What one person's record holds."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Event:
    """Something that happened, when it was recorded, and perhaps a number with the unit that was written beside it."""

    day: dt.date
    recorded: dt.date
    code: str  # "system:id"
    value: float | None = None
    unit: str = ""
    comparator: str = ""  # "<" or ">" if it stood before the number


@dataclass(frozen=True)
class Person:
    """Who it is, as far as it is known."""

    birth_month: dt.date | None = dt.date(1960, 1, 1)
    sex: str | None = "female"
    ethnicity: str | None = "white"
    imd_decile: int | None = 5
    registered_on: dt.date | None = dt.date(2000, 1, 1)
    events: tuple[Event, ...] = field(default=())
