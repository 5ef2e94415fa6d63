"""Whose records they are: who is registered where on the last day, in which group, and where each entry was made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from casefinding.definitions.words import ETHNICITIES, SEXES, Span
from casefinding.records.store import Store

AGE_EDGES = (0, 18, 30, 40, 50, 60, 70, 80)
GROUPS: dict[str, tuple[str, ...]] = {
    "age": ("0 to 17", "18 to 29", "30 to 39", "40 to 49", "50 to 59", "60 to 69", "70 to 79", "80 and over"),
    "sex": (*SEXES, "unknown"),
    "ethnicity": (*ETHNICITIES[1:], ETHNICITIES[0]),
    "deprivation": ("1 (most deprived)", "2", "3", "4", "5 (least deprived)", "unknown"),
}
"""Grouping -> its groups in order; the deprivation fifths are pairs of the national tenths."""
FOREVER = np.iinfo(np.int32).max
_EPOCH = dt.date(1970, 1, 1)


def number_of(day: dt.date) -> int:
    """A day as a number: days since 1970-01-01, as the store keeps it."""
    return (day - _EPOCH).days


def day_of(number: int) -> dt.date:
    """The day of a number."""
    return _EPOCH + dt.timedelta(days=int(number))


def days_in(column: pa.ChunkedArray, empty: int) -> np.ndarray:
    """A column of days as numbers (int32), `empty` where there is none."""
    return column.cast(pa.int32()).fill_null(empty).to_numpy()


@dataclass(frozen=True)
class Months:
    """Whole calendar months inside a window: their first days, and the month of each day (-1 outside)."""

    firsts: list[dt.date]
    start: int  # first day of the window, as a number
    of_day: np.ndarray = field(repr=False)  # by day - start

    @classmethod
    def within(cls, start: dt.date, through: dt.date) -> Months:
        """The months that begin and end inside a window, both days included.

        >>> [str(day) for day in Months.within(dt.date(2024, 1, 2), dt.date(2024, 3, 31)).firsts]
        ['2024-02-01', '2024-03-01']
        """
        month = start if start.day == 1 else Span(months=1).after(start.replace(day=1))
        firsts = []
        while Span(months=1).after(month) - dt.timedelta(days=1) <= through:
            firsts.append(month)
            month = Span(months=1).after(month)
        ends = np.array([number_of(day) for day in (*firsts, month)])
        days = np.arange(number_of(start), number_of(through) + 1)
        place = np.searchsorted(ends, days, side="right") - 1
        return cls(firsts, number_of(start), np.where(place < len(firsts), place, -1))

    def __len__(self) -> int:
        return len(self.firsts)


@dataclass(frozen=True)
class Who:
    """Everybody of a store, for counting.

    `practice`: place in `codes` of the practice where somebody is registered, alive, on the last day; -1 for nobody's.
    `since`: the day that registration began.
    `age`: whole years on that day. `group`: grouping -> place in GROUPS. `stay_*`: registrations by person and start.
    """

    codes: list[str]
    names: list[str]
    practice: np.ndarray
    since: np.ndarray
    age: np.ndarray
    group: dict[str, np.ndarray]
    stay_person: np.ndarray = field(repr=False)
    stay_start: np.ndarray = field(repr=False)
    stay_end: np.ndarray = field(repr=False)
    stay_practice: np.ndarray = field(repr=False)

    @classmethod
    def of(cls, store: Store) -> Who:
        """Read people, practices and registrations."""
        practices, stays, people = store.practices(), store.registrations(), store.people_table()
        codes = practices["practice"].to_pylist()
        names = [name or code for name, code in zip(practices["name"].to_pylist(), codes, strict=True)]
        through = number_of(store.data_through)
        place = _places(stays["practice"], codes).astype(np.int32)
        person = stays["person"].to_numpy()
        died = days_in(people["died_on"], FOREVER)
        start = days_in(stays["started_on"], 0)
        end = np.minimum(days_in(stays["ended_on"], FOREVER), died[person])
        practice = np.full(store.people, -1, dtype=np.int32)
        here = (start <= through) & (end >= through)
        practice[person[here]] = place[here]  # by person and start: the latest stays
        since = np.full(store.people, FOREVER, dtype=np.int32)
        since[person[here]] = start[here]
        practice[died <= through] = -1
        born = days_in(people["birth_month"], 0).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        last = store.data_through
        age = ((last.year - 1970) * 12 + last.month - 1 - born) // 12  # born on the first of the month
        decile = people["imd_decile"].cast(pa.int32()).fill_null(11).to_numpy()
        group = {
            "age": np.searchsorted(AGE_EDGES, np.maximum(age, 0), side="right") - 1,
            "sex": _places(people["sex"], GROUPS["sex"]),
            "ethnicity": _places(people["ethnicity"], GROUPS["ethnicity"]),
            "deprivation": (decile - 1) // 2,
        }
        return cls(codes, names, practice, since, age, group, person, start, end, place)

    def practice_then(self, person: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Where each person was registered on a day, as a place in `codes`; -1 where nowhere.

        Of registrations that overlap, the one that started last speaks.
        """
        if not len(self.stay_person):
            return np.full(len(person), -1, dtype=np.int32)
        far = 1 << 22  # more than all days since 1900, moved to be positive
        key = self.stay_person.astype(np.int64) * far + (self.stay_start.astype(np.int64) + far // 2)
        at = np.searchsorted(key, person.astype(np.int64) * far + (day.astype(np.int64) + far // 2), side="right") - 1
        safe = np.maximum(at, 0)
        held = (at >= 0) & (self.stay_person[safe] == person) & (self.stay_end[safe] >= day)
        return np.where(held, self.stay_practice[safe], -1)

    def registered_by_month(self, months: Months) -> np.ndarray:
        """People registered in the middle of each month, by practice: float64 (practices, months)."""
        found = np.zeros((len(self.codes), len(months)))
        for at, first in enumerate(months.firsts):
            middle = number_of(first) + 14
            here = (self.stay_start <= middle) & (self.stay_end >= middle)
            found[:, at] = np.bincount(self.stay_practice[here], minlength=len(self.codes))
        return found


def _places(column: pa.ChunkedArray, names: Sequence[str]) -> np.ndarray:
    """The place of each word among names (int64); the last one ("unknown", in groups) for any other."""
    words = column.unique().to_pylist()
    known = {name: place for place, name in enumerate(names)}
    place = np.array([known.get(word, len(names) - 1) for word in words], dtype=np.int64)
    encoded = [chunk.dictionary_encode() for chunk in column.chunks]
    found = [
        place[[words.index(word) for word in chunk.dictionary.to_pylist()]][chunk.indices.to_numpy()]
        for chunk in encoded
        if len(chunk)
    ]
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
