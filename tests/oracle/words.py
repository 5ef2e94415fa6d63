"""What each word makes of what it sees: a list of (day, value), by day and then by value.

Each gives (answer, day). The day is that of the latest event, unless the answer speaks of one event in particular;
where there is no answer there is no day.
"""

from __future__ import annotations

import datetime as dt
import functools
import operator
import statistics
from collections.abc import Callable
from fractions import Fraction
from itertools import groupby, pairwise

from casefinding.definitions.shapes import Feature
from tests.oracle.sight import Seen

Answer = tuple[float | None, dt.date | None]
NOTHING: Answer = (None, None)


def ever(found: list[Seen], feature: Feature, index_day: dt.date) -> Answer:
    return (1.0, found[-1][0]) if found else (0.0, None)


def count(found: list[Seen], feature: Feature, index_day: dt.date) -> Answer:
    return (float(len(found)), found[-1][0]) if found else (0.0, None)


def days_with(found: list[Seen], feature: Feature, index_day: dt.date) -> Answer:
    return (float(len({day for day, _ in found})), found[-1][0]) if found else (0.0, None)


def courses(found: list[Seen], feature: Feature, index_day: dt.date) -> Answer:
    """The first event begins a course; so does every one that comes more than the gap after the one before it."""
    if not found:
        return 0.0, None
    assert feature.gap is not None
    days = [day for day, _ in found]
    new = sum(day > feature.gap.after(before) for before, day in pairwise(days))
    return float(1 + new), days[-1]


def latest(found: list[Seen], feature: Feature, index_day: dt.date) -> Answer:
    return (found[-1][1], found[-1][0]) if found else NOTHING


def earliest(found: list[Seen], feature: Feature, index_day: dt.date) -> Answer:
    return (found[0][1], found[0][0]) if found else NOTHING


def highest(found: list[Seen], feature: Feature, index_day: dt.date) -> Answer:
    """If several days share it, the latest of them."""
    if not found:
        return NOTHING
    top = max(_values(found))
    return top, max(day for day, value in found if value == top)


def lowest(found: list[Seen], feature: Feature, index_day: dt.date) -> Answer:
    """If several days share it, the latest of them."""
    if not found:
        return NOTHING
    bottom = min(_values(found))
    return bottom, max(day for day, value in found if value == bottom)


def mean(found: list[Seen], feature: Feature, index_day: dt.date) -> Answer:
    return (float(statistics.mean(_exact(found))), found[-1][0]) if found else NOTHING


def spread(found: list[Seen], feature: Feature, index_day: dt.date) -> Answer:
    """The sample standard deviation; one value has none."""
    return (statistics.stdev(_exact(found)), found[-1][0]) if len(found) > 1 else NOTHING


def trend(found: list[Seen], feature: Feature, index_day: dt.date) -> Answer:
    """The slope per 365.25 days of the straight line nearest to the values; one day has none."""
    days = [Fraction(day.toordinal()) for day, _ in found]
    values = _exact(found)
    if len(set(days)) < 2:
        return NOTHING
    middle_day, middle = statistics.mean(days), statistics.mean(values)
    together = sum((day - middle_day) * (value - middle) for day, value in zip(days, values, strict=True))
    slope = together / sum((day - middle_day) ** 2 for day in days)
    return float(slope * Fraction("365.25")), found[-1][0]


def lower_of_last_two(found: list[Seen], feature: Feature, index_day: dt.date) -> Answer:
    """Of one only, that one."""
    return (min(_values(found[-2:])), found[-1][0]) if found else NOTHING


def days_since_latest(found: list[Seen], feature: Feature, index_day: dt.date) -> Answer:
    return (float((index_day - found[-1][0]).days), found[-1][0]) if found else NOTHING


def days_since_first(found: list[Seen], feature: Feature, index_day: dt.date) -> Answer:
    return (float((index_day - found[0][0]).days), found[0][0]) if found else NOTHING


def days_from_first_to_latest(found: list[Seen], feature: Feature, index_day: dt.date) -> Answer:
    return (float((found[-1][0] - found[0][0]).days), found[-1][0]) if found else NOTHING


def days_since_unanswered(found: list[Seen], feature: Feature, index_day: dt.date, answers: list[Seen]) -> Answer:
    """Since the latest event that nothing answered: on its day, or in the `answered in` after it (or ever after)."""
    for day, _ in reversed(found):
        last = index_day if feature.answered_in is None else feature.answered_in.after(day)
        if not any(day <= answer <= last for answer, _ in answers):
            return float((index_day - day).days), day
    return NOTHING


def one_a_day(found: list[Seen], how: str) -> list[Seen]:
    """`same day`: a day's values reduced to one."""
    one_of = {"lowest": min, "highest": max, "mean": plain_mean}[how]
    return [(day, one_of(_values(list(group)))) for day, group in groupby(found, key=lambda one: one[0])]


def plain_mean(values: list[float]) -> float:
    """Added up from the lowest, in floating point, so that two days with the same values have the same mean."""
    return functools.reduce(operator.add, values) / len(values)


WORDS: dict[str, Callable[[list[Seen], Feature, dt.date], Answer]] = {
    "ever": ever,
    "count": count,
    "days with": days_with,
    "courses": courses,
    "latest": latest,
    "earliest": earliest,
    "highest": highest,
    "lowest": lowest,
    "mean": mean,
    "spread": spread,
    "trend": trend,
    "lower of last two": lower_of_last_two,
    "days since latest": days_since_latest,
    "days since first": days_since_first,
    "days from first to latest": days_from_first_to_latest,
}


def _values(found: list[Seen]) -> list[float]:
    return [value for _, value in found if value is not None]


def _exact(found: list[Seen]) -> list[Fraction]:
    return [Fraction(value) for value in _values(found)]
