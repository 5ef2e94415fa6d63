"""Waves of invitation: who was asked how often without an answer, and which invitation would be the next."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from casefinding.cohort.registration import EPOCH, number_of
from casefinding.definitions.recall import NEARBY, Invitations

ASKED = "invited"
ANSWERS = ("seen", "tested", "declined", "opted out", "already known", "not appropriate")
"""Kinds of contact that answer every invitation up to that day."""
EVERY_CONDITION = ("", "all")


@dataclass(frozen=True)
class Waves:
    """What earlier invitations mean for each of n people and one condition.

    `wave` (int8): which invitation the next one would be, 1 for whoever was never asked; `lately`: asked so little
    ago that it is too soon to ask again; `enough`: asked as often as is done, without an answer. Nobody is both.
    """

    wave: np.ndarray
    lately: np.ndarray
    enough: np.ndarray


def invited_lately(invitations: Invitations) -> str:
    """The leave-out of those who may still answer.

    >>> invited_lately(Invitations())
    'invited less than 6 weeks ago'
    """
    return f"invited less than {invitations.pause} ago"


def invited_enough(invitations: Invitations) -> str:
    """The leave-out of those who were asked as often as is done.

    >>> invited_enough(Invitations())
    'invited 3 times without an answer'
    """
    often = {1: "once", 2: "twice"}.get(invitations.times, f"{invitations.times} times")
    return f"invited {often} without an answer"


def waves(
    people: np.ndarray, contacts: pa.Table, condition: str, index_day: dt.date, invitations: Invitations
) -> Waves:
    """The state of each person's invitations about one condition, as known before the index day.

    `people` are person numbers (n); `contacts` is of records.tables.CONTACT, in any order; contacts about
    another condition and on or after the index day are of no account. Invitations within NEARBY days of the first of
    them are one: a row for each condition, or what the practice recorded itself beside what it sent back. A series
    begins with the first invitation that nothing has answered, and is over `anew after` that day.
    """
    wave = np.ones(len(people), dtype=np.int8)
    lately, enough = np.zeros(len(people), dtype=bool), np.zeros(len(people), dtype=bool)
    told = _told(contacts, condition, index_day)
    for row in np.flatnonzero(np.isin(people, [person for person, (asked, _) in told.items() if asked])):
        asked, answered = told[int(people[row])]
        wave[row], lately[row], enough[row] = _next(asked, answered, index_day, invitations)
    return Waves(wave, lately, enough)


def rows_about(contacts: pa.Table, condition: str, index_day: dt.date) -> np.ndarray:
    """Which contacts (bool) speak about a condition, or about everything, and happened before a day."""
    on = contacts["on"].to_numpy().astype("datetime64[D]")
    about = contacts["condition"].fill_null("").to_numpy(zero_copy_only=False)
    return np.isin(about, (*EVERY_CONDITION, condition)) & (on < np.datetime64(index_day))


def _told(contacts: pa.Table, condition: str, index_day: dt.date) -> dict[int, tuple[list[int], int]]:
    """By person: the days of invitations, ascending, and the day of the latest answer (-1 none), since 1970."""
    mine = contacts.filter(pa.array(rows_about(contacts, condition, index_day)))
    days = mine["on"].cast(pa.int32()).to_pylist()
    found: dict[int, tuple[list[int], int]] = {}
    for person, kind, day in sorted(zip(mine["person"].to_pylist(), mine["kind"].to_pylist(), days, strict=True)):
        asked, answered = found.get(person, ([], -1))
        if kind == ASKED:
            asked = [*asked, day]
        elif kind in ANSWERS:
            answered = max(answered, day)
        found[person] = sorted(asked), answered
    return found


def _next(asked: list[int], answered: int, index_day: dt.date, invitations: Invitations) -> tuple[int, bool, bool]:
    """Wave, lately, enough of one person, from days since 1970."""
    once: list[tuple[int, int]] = []  # first and last day of what is one invitation
    for day in asked:
        if once and day - once[-1][0] <= NEARBY:
            once[-1] = once[-1][0], day
        else:
            once.append((day, day))
    open_ones = [(first, last) for first, last in once if first > answered]
    if not open_ones:
        return 1, False, False
    begun, used = open_ones[0][0], 0
    for first, _ in open_ones:
        if first >= _moved(begun, invitations, "anew_after"):
            begun, used = first, 0
        used += 1
    today = number_of(index_day)
    over = today >= _moved(begun, invitations, "anew_after")
    if today < _moved(open_ones[-1][1], invitations, "again_after"):
        return (1 if over else min(used + 1, invitations.times)), True, False
    if over:
        return 1, False, False
    return (invitations.times, False, True) if used >= invitations.times else (used + 1, False, False)


def _moved(day: int, invitations: Invitations, which: str) -> int:
    return number_of(getattr(invitations, which).after(EPOCH + dt.timedelta(days=day)))
