"""Yield: of those on a list as long as a practice can work, how many become cases; of all cases, how many are on it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casefinding.errors import ConfigError
from casefinding.judge.rows import Floats, Ints, Rows


def places(rows: Rows, capacity: Mapping[str, int]) -> Ints:
    """The length of each slot's list (a slot is one practice on one index day); ConfigError if none is stated."""
    absent = [practice for practice in rows.practices if practice not in capacity]
    if absent:
        raise ConfigError(
            f"no capacity is stated for practice {absent[0]}", where="capacity", hint="0 means that it has none"
        )
    by_practice = np.array([capacity[practice] for practice in rows.practices], dtype=np.int64)
    return by_practice[rows.slot_practice]


@dataclass(frozen=True)
class Taken:
    """How often some rows are listed (`times`: rows x resamples); all other rows are never listed."""

    rows: Ints
    times: Floats

    def total(self, of: Floats) -> Floats:
        """Sum of a row-for-row array over the list, resample by resample."""
        return of[self.rows] @ self.times

    def within(self, member: NDArray[np.bool_]) -> Taken:
        """The listed among some rows (a mask over all rows)."""
        here = member[self.rows]
        return Taken(self.rows[here], self.times[here])

    def listed(self, rows: int) -> NDArray[np.bool_]:
        """Who is listed in the first resample, row for row."""
        found = np.zeros(rows, dtype=bool)
        found[self.rows] = self.times[:, 0] > 0
        return found


class Lists:
    """The lists that one score would write: in every slot the `places` people with the highest chances.

    In a resample a person drawn twice stands on the list twice, and the list is as long as before.
    """

    def __init__(self, slot: Ints, places: NDArray[np.number], score: Floats, tiebreak: Floats) -> None:
        order = np.lexsort((tiebreak, -score, slot))
        starts = np.flatnonzero(np.r_[True, slot[order][1:] != slot[order][:-1]])
        lengths = np.diff(np.r_[starts, len(order)])
        at = np.asarray(places, np.float64)[slot[order][starts]]
        # far down a slot nobody is listed in any resample: looking at the first rows is enough, and is checked
        enough = np.ceil(1.5 * at + 6 * np.sqrt(at) + 20).astype(np.int64)
        self._head = self._part(order, starts, np.where(at > 0, np.minimum(lengths, enough), 1), at)
        self._whole = self._part(order, starts, lengths, at)
        self._cut = lengths > self._head[1]

    @staticmethod
    def _part(order: Ints, starts: Ints, lengths: Ints, places: Floats) -> tuple[Ints, Ints, Ints, Floats]:
        begin = np.cumsum(lengths) - lengths
        rows = order[np.repeat(starts - begin, lengths) + np.arange(lengths.sum())]
        return rows, lengths, begin, places

    def taken(self, counts: Floats) -> Taken:
        """Who is listed how often when every row is drawn `counts` times (rows x resamples)."""
        taken, drawn = self._take(self._head, counts)
        short = drawn[self._cut] < self._head[3][self._cut][:, None]
        return self._take(self._whole, counts)[0] if short.any() else taken

    @staticmethod
    def _take(part: tuple[Ints, Ints, Ints, Floats], counts: Floats) -> tuple[Taken, Floats]:
        rows, lengths, begin, places = part
        drawn = counts[rows]
        running = np.cumsum(drawn, axis=0)
        earlier = running[begin] - drawn[begin]  # drawn in all slots before
        in_slot = running[begin + lengths - 1] - earlier
        left = np.repeat(places[:, None] + earlier, lengths, axis=0) - (running - drawn)
        return Taken(rows, np.clip(left, 0.0, drawn)), in_slot
