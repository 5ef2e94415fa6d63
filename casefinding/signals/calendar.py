"""Calendar days as numbers: windows worked out once an index day, and months added inside the kernel."""

from __future__ import annotations

import datetime as dt

import numpy as np

from casefinding.definitions.words import Span
from casefinding.signals.compiled import compiled

EPOCH = dt.date(1970, 1, 1).toordinal()
ALWAYS = -(2**31) + 1
"""The first day of a window that is never closed: earlier than any day of a record."""
NONE = -(2**31)
"""No day at all; what numpy calls NaT, cut to 32 bits."""

Window = tuple[Span | None, Span | None]
"""`within` (None: ever) and `leaving out the last` (None: nothing is left out)."""


def number_of(day: dt.date) -> int:
    """Days since 1 January 1970.

    >>> number_of(dt.date(1970, 1, 2))
    1
    """
    return day.toordinal() - EPOCH


def edges(windows: list[Window], index_days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First day inside and first day after, as int32 arrays (windows, index days), for sorted distinct index days."""
    shape = (len(windows), len(index_days))
    first, stop = np.empty(shape, np.int32), np.empty(shape, np.int32)
    for at, number in enumerate(index_days):
        day = dt.date.fromordinal(int(number) + EPOCH)
        for row, (within, leaving_out) in enumerate(windows):
            first[row, at] = ALWAYS if within is None else _before(within, day)
            stop[row, at] = number if leaving_out is None else _before(leaving_out, day)
    return first, stop


def _before(span: Span, day: dt.date) -> int:
    try:
        return number_of(span.before(day))
    except (ValueError, OverflowError):  # before the year 1: nothing is that old
        return ALWAYS


@compiled
def shifted(day: int, months: int, days: int) -> int:
    """The day so many months and days later, as Span.after: 31 January and one month is the end of February.

    Days to year, month and day and back are the civil calendar algorithms of Howard Hinnant (2013).
    """
    if months == 0:
        return day + days
    shift = day + 719468
    era = shift // 146097
    of_era = shift - era * 146097
    year_of_era = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    from_march = (5 * of_year + 2) // 153
    date = of_year - (153 * from_march + 2) // 5 + 1
    month = from_march + 3 if from_march < 10 else from_march - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)

    total = year * 12 + month - 1 + months
    year = total // 12
    month = total - year * 12 + 1
    if month == 2:
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        longest = 29 if leap else 28
    elif month == 4 or month == 6 or month == 9 or month == 11:
        longest = 30
    else:
        longest = 31
    date = min(date, longest)

    if month <= 2:
        year -= 1
    era = year // 400
    year_of_era = year - era * 400
    from_march = month - 3 if month > 2 else month + 9
    of_year = (153 * from_march + 2) // 5 + date - 1
    of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + of_year
    return era * 146097 + of_era - 719468 + days
