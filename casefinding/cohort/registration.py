"""Spells of registration: who was whose patient on a day, since when without a break, and until when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from casefinding.errors import CohortError
from casefinding.records.store import Store

LONGEST_BREAK = 30
"""Days between leaving one practice of the network and joining another that do not end a registration."""
FOREVER = np.int64(1 << 18)
"""A day after every day that a record can hold (the year 2687), in days since 1970."""

EPOCH = dt.date(1970, 1, 1)


def number_of(day: dt.date) -> int:
    """Days since 1 January 1970."""
    return (day - EPOCH).days


def day_numbers(column: pa.ChunkedArray | pa.Array, when_null: int) -> np.ndarray:
    """A date column as int64 days since 1970, nulls replaced."""
    numbers = column.cast(pa.date32()).cast(pa.int32())
    return numbers.fill_null(int(when_null)).to_numpy().astype(np.int64)


def shifted(numbers: np.ndarray, shift: Callable[[dt.date], dt.date]) -> np.ndarray:
    """Days moved by the calendar (`Span.after`, `Span.before`), each different day once."""
    different, where = np.unique(numbers, return_inverse=True)
    moved = [number_of(shift(EPOCH + dt.timedelta(days=int(number)))) for number in different]
    return np.array(moved, dtype=np.int64)[where]


def check_index_day(store: Store, day: dt.date) -> None:
    """CohortError if the records end before the day, so that nobody's state on it is known."""
    latest = store.data_through + dt.timedelta(days=1)
    if day > latest:
        raise CohortError(
            f"the index day {day} lies after the end of the records ({store.data_through})",
            hint=f"choose {latest} or an earlier day, or bring in a newer extract",
        )


@dataclass(frozen=True)
class Spells:
    """Registrations sorted by person, start and practice; days are int64 since 1970, `end` is the last day of it.

    `since` and `until` are the first and last day of the unbroken registration in the network that a spell belongs
    to: moves with at most LONGEST_BREAK days between do not break it.
    """

    person: np.ndarray
    practice: pa.Array
    start: np.ndarray
    end: np.ndarray
    since: np.ndarray
    until: np.ndarray

    @classmethod
    def of(cls, store: Store) -> Spells:
        table = store.registrations()
        person = table["person"].to_numpy().astype(np.int64)
        start = day_numbers(table["started_on"], when_null=int(FOREVER))  # an unknown start never began
        # "still open" may be written as 9999-12-31: no later than FOREVER, lest it reach into the next person's rows
        end = np.minimum(day_numbers(table["ended_on"], when_null=int(FOREVER)), FOREVER)
        practice = table["practice"].combine_chunks()
        order = np.lexsort((_ranks(practice), start, person))
        person, start, end = person[order], start[order], end[order]
        since, until = _unbroken(person, start, end)
        return cls(person, practice.take(pa.array(order)), start, end, since, until)

    def on(self, day: dt.date) -> np.ndarray:
        """Rows of the spell that each registered person is in as seen before the day: one a person, by person.

        A spell counts if it started before the day and did not end before it; of two, the later start.
        """
        number = number_of(day)
        rows = np.flatnonzero((self.start < number) & (self.end >= number))
        if rows.size == 0:
            return rows
        last = np.append(self.person[rows][1:] != self.person[rows][:-1], True)
        return rows[last]


def _ranks(practice: pa.Array) -> np.ndarray:
    """The place of each practice's code in their order."""
    coded = practice.dictionary_encode()
    codes = np.array(coded.dictionary.to_pylist(), dtype=object)
    rank = np.empty(codes.size, dtype=np.int64)
    rank[np.argsort(codes)] = np.arange(codes.size)
    return rank[coded.indices.to_numpy()]


def _unbroken(person: np.ndarray, start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if person.size == 0:
        return start.copy(), end.copy()
    # Persons ascend, so the running maximum of person and end together never looks across persons.
    width = 2 * FOREVER
    latest_end = np.maximum.accumulate(person * width + end + FOREVER) - person * width - FOREVER
    new = np.ones(person.size, dtype=bool)
    new[1:] = (person[1:] != person[:-1]) | (start[1:] - latest_end[:-1] > LONGEST_BREAK)
    group = np.cumsum(new) - 1
    first = np.flatnonzero(new)
    return start[first][group], np.maximum.reduceat(end, first)[group]
