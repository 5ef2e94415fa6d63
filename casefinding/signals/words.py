"""The words, one small function each: what a signal's events in a window come to, and the day this speaks of.

Every word is given one person's events of one signal, `[first, stop)` in the order (day, value ascending), and skips
what it cannot see: outside the window, or recorded on or after the index day. It returns `(value, day)`: `day` is the
day of the latest event used, but for highest, lowest, earliest and days since first the day of that very event;
`NONE` where there is nothing to tell (a missing value never has a day). No events: "ever", "count", "days with" and
"courses" give 0, all others missing (NaN).

Where the vocabulary leaves a choice, this is it:

* **latest / earliest**: several values on that day: latest takes the highest of them, earliest the lowest, unless
  `same day` says otherwise. Every event counts, also equal ones.
* **highest / lowest**: if the same value occurs on several days, the day is the latest of them.
* **mean / spread / trend**: every event counts once, not every day, unless `same day` makes one of each day.
  Spread is the sample standard deviation (n - 1) and needs two values. Trend is the least-squares slope per 365.25
  days and needs two different days.
* **lower of last two**: the last two events in the order (day, value), or the last two days after `same day`;
  with one only, that one. Its day is the latest event's.
* **courses**: counts only events in the window; the first of them begins a course, whatever came before the window.
  The gap is counted from the event before, not from the start of the course.
* **days from first to latest**: both within the window; 0 if there is one day only.
* **days since unanswered**: the events asked about are those in the window, the latest unanswered one is taken. An
  answer may lie outside the window, but must be seen: happened and recorded before the index day. It answers from
  the event's own day to the last day of `answered in`, both included. Day: that of the unanswered event.
* **age at first / age at latest**: whole years from the first of the birth month to that event's day; missing if the
  birth month is not known.
* **age**: whole years since the first of the birth month. **deprivation**: the decile as recorded.
  **days registered**: from the start of the registration to the index day.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from casefinding.signals.calendar import NONE, shifted
from casefinding.signals.compiled import compiled

EVER, COUNT, DAYS_WITH, COURSES, LATEST, EARLIEST, HIGHEST, LOWEST = range(8)
MEAN, SPREAD, TREND, LOWER_OF_LAST_TWO, DAYS_SINCE_LATEST, DAYS_SINCE_FIRST, DAYS_BETWEEN, UNANSWERED = range(8, 16)

NUMBER_OF = {
    "ever": EVER,
    "count": COUNT,
    "days with": DAYS_WITH,
    "courses": COURSES,
    "latest": LATEST,
    "earliest": EARLIEST,
    "highest": HIGHEST,
    "lowest": LOWEST,
    "mean": MEAN,
    "spread": SPREAD,
    "trend": TREND,
    "lower of last two": LOWER_OF_LAST_TWO,
    "days since latest": DAYS_SINCE_LATEST,
    "days since first": DAYS_SINCE_FIRST,
    "days from first to latest": DAYS_BETWEEN,
    "days since unanswered": UNANSWERED,
    "age at first": DAYS_SINCE_FIRST,
    "age at latest": DAYS_SINCE_LATEST,
}
"""The number the kernel knows a word by; words up to COURSES give 0 where there are no events. The ages are worked out
from the days by signals/shard.py, which knows the month of birth."""

NO_REDUCTION, DAY_LOWEST, DAY_HIGHEST, DAY_MEAN = range(4)
SAME_DAY = {None: NO_REDUCTION, "lowest": DAY_LOWEST, "highest": DAY_HIGHEST, "mean": DAY_MEAN}

DAYS_A_YEAR = 365.25
MISSING = math.nan


class Sight(NamedTuple):
    """What a feature can see on an index day: the window [first, stop), and nothing recorded on the day or later.

    With it goes the span of the words that have one: the gap of courses, the `answered in` of answers.
    """

    first: int
    stop: int
    index: int
    months: int
    days: int


@compiled
def seen(day, recorded, sight):
    """Whether an event is in the window and was known; all three are asked at once, without branching."""
    return (day >= sight.first) & (day < sight.stop) & (recorded < sight.index)


@compiled
def upwards(first, stop):
    """The places of a slice, in order; as unsigned numbers, or every look-up would test for "from the end" first."""
    return range(np.uintp(first), np.uintp(stop))


@compiled
def ever(day, recorded, value, first, stop, sight):
    """1 if there is an event."""
    for i in range(stop - 1, first - 1, -1):
        if seen(day[i], recorded[i], sight):
            return 1.0, day[i]
    return 0.0, NONE


@compiled
def count(day, recorded, value, first, stop, sight):
    """How many events."""
    number, last = 0, NONE
    for i in upwards(first, stop):
        if seen(day[i], recorded[i], sight):
            number += 1
            last = day[i]
    return float(number), last


@compiled
def days_with(day, recorded, value, first, stop, sight):
    """On how many different days."""
    number, last = 0, NONE
    for i in upwards(first, stop):
        if seen(day[i], recorded[i], sight) and day[i] != last:
            number += 1
            last = day[i]
    return float(number), last


@compiled
def courses(day, recorded, value, first, stop, sight):
    """How many courses: a new one starts more than the gap after the event before it."""
    number, last = 0, NONE
    for i in upwards(first, stop):
        if seen(day[i], recorded[i], sight):
            if last == NONE or day[i] > shifted(last, sight.months, sight.days):
                number += 1
            last = day[i]
    return float(number), last


@compiled
def latest(day, recorded, value, first, stop, sight):
    """The last value."""
    for i in range(stop - 1, first - 1, -1):
        if seen(day[i], recorded[i], sight):
            return value[i], day[i]
    return MISSING, NONE


@compiled
def earliest(day, recorded, value, first, stop, sight):
    """The first value."""
    for i in upwards(first, stop):
        if seen(day[i], recorded[i], sight):
            return value[i], day[i]
    return MISSING, NONE


@compiled
def highest(day, recorded, value, first, stop, sight):
    """The highest value, and the latest day that had it."""
    best, when = MISSING, NONE
    for i in upwards(first, stop):
        if seen(day[i], recorded[i], sight) and (when == NONE or value[i] >= best):
            best, when = value[i], day[i]
    return best, when


@compiled
def lowest(day, recorded, value, first, stop, sight):
    """The lowest value, and the latest day that had it."""
    best, when = MISSING, NONE
    for i in upwards(first, stop):
        if seen(day[i], recorded[i], sight) and (when == NONE or value[i] <= best):
            best, when = value[i], day[i]
    return best, when


@compiled
def mean(day, recorded, value, first, stop, sight):
    """The mean of the values."""
    number, total, last = 0, 0.0, NONE
    for i in upwards(first, stop):
        if seen(day[i], recorded[i], sight):
            number += 1
            total += value[i]
            last = day[i]
    return (total / number if number else MISSING), last


@compiled
def spread(day, recorded, value, first, stop, sight):
    """The sample standard deviation; counted from the first value, so that equal values give exactly 0."""
    number, total, start, last = 0, 0.0, 0.0, NONE
    for i in upwards(first, stop):
        if seen(day[i], recorded[i], sight):
            if number == 0:
                start = value[i]
            number += 1
            total += value[i] - start
            last = day[i]
    if number < 2:
        return MISSING, NONE
    middle, squares = total / number, 0.0
    for i in upwards(first, stop):
        if seen(day[i], recorded[i], sight):
            away = (value[i] - start) - middle
            squares += away * away
    return math.sqrt(squares / (number - 1)), last


@compiled
def trend(day, recorded, value, first, stop, sight):
    """The least-squares slope per year; days are summed as whole numbers, so that no digits are lost in them."""
    number, start_day, start, last = 0, 0, 0.0, NONE
    days, squares = 0, 0
    for i in upwards(first, stop):
        if seen(day[i], recorded[i], sight):
            if number == 0:
                start_day, start = day[i], value[i]
            since = day[i] - start_day
            number += 1
            days += since
            squares += since * since
            last = day[i]
    below = number * squares - days * days
    if below <= 0:  # fewer than two different days
        return MISSING, NONE
    above = 0.0
    for i in upwards(first, stop):
        if seen(day[i], recorded[i], sight):
            above += float(number * (day[i] - start_day) - days) * (value[i] - start)
    return above / below * DAYS_A_YEAR, last


@compiled
def lower_of_last_two(day, recorded, value, first, stop, sight):
    """The lower of the last two values."""
    lower, last = MISSING, NONE
    for i in range(stop - 1, first - 1, -1):
        if seen(day[i], recorded[i], sight):
            if last != NONE:
                return min(lower, value[i]), last
            lower, last = value[i], day[i]
    return lower, last


@compiled
def days_since_latest(day, recorded, value, first, stop, sight):
    """Days from the latest event to the index day."""
    for i in range(stop - 1, first - 1, -1):
        if seen(day[i], recorded[i], sight):
            return float(sight.index - day[i]), day[i]
    return MISSING, NONE


@compiled
def days_since_first(day, recorded, value, first, stop, sight):
    """Days from the first event to the index day; its day is the first event's."""
    for i in upwards(first, stop):
        if seen(day[i], recorded[i], sight):
            return float(sight.index - day[i]), day[i]
    return MISSING, NONE


@compiled
def days_between(day, recorded, value, first, stop, sight):
    """Days from the first event to the latest."""
    start, last = NONE, NONE
    for i in upwards(first, stop):
        if seen(day[i], recorded[i], sight):
            if start == NONE:
                start = day[i]
            last = day[i]
    return (float(last - start) if last != NONE else MISSING), last


@compiled
def any_seen(day, recorded, first, stop, from_day, to_day, index):
    """Whether an event lies in [from day, to day] and was there to be seen before the index day."""
    found = False
    for i in upwards(first, stop):
        found |= (day[i] >= from_day) & (day[i] <= to_day) & (day[i] < index) & (recorded[i] < index)
    return found
