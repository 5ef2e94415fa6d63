"""The groups in which every measure is given, and the plain counts of each.

A model that is good on the whole can be poor for people who are seldom seen; so every figure stands beside those of age
bands, sexes, ethnic groups (5+1, unknown being a group), deprivation fifths and Core20 (national deciles 1 and 2),
practices, and, where contacts are known, of people with at most one contact in the year before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from casefinding.definitions.words import ETHNICITIES, SEXES
from casefinding.errors import LearnError
from casefinding.judge.measures import FEWEST_CASES
from casefinding.judge.rows import Floats, Ints, Rows, floats, text_codes

_BAND_STARTS = (35, 45, 55, 65, 75, 85)
AGE_BANDS = ("under 35", "35 to 44", "45 to 54", "55 to 64", "65 to 74", "75 to 84", "85 and over", "not known")
FIFTHS = ("1 (most deprived)", "2", "3", "4", "5 (least deprived)", "not known")
CORE20 = ("most deprived 20%", "everyone else", "not known")
CONTACT = ("1 (fewest contacts)", "2", "3", "4", "5 (most contacts)", "not known")
ATTENDANCE = ("at most 1 contact in the last year", "2 or more contacts", "not known")

FIFTH_OF_CONTACT = "contact"


@dataclass(frozen=True)
class Grouping:
    """One way to part the rows: `of` gives each row's place in `names`."""

    name: str
    names: tuple[str, ...]
    of: Ints

    def parts(self) -> list[tuple[str, Ints]]:
        """Name and rows of each group that has any, in the order of `names`."""
        order = np.argsort(self.of, kind="stable")
        bounds = np.searchsorted(self.of[order], np.arange(len(self.names) + 1))
        return [
            (name, order[start:end])
            for name, start, end in zip(self.names, bounds[:-1], bounds[1:], strict=True)
            if end > start
        ]


def groupings(table: pa.Table, rows: Rows) -> tuple[Grouping, ...]:
    """Read the groups from a table that stands row for row beside the rows; LearnError if it does not."""
    if table.num_rows != len(rows):
        raise LearnError("the table of groups and the predictions differ in length", where="groups")
    found = [*who_they_are(table), Grouping("practice", rows.practices, rows.practice)]
    if "contacts" in table.column_names:
        contacts = floats(table["contacts"])
        seldom = np.where(np.isnan(contacts), 2, np.where(contacts <= 1, 0, 1)).astype(np.int64)
        found.append(Grouping("attendance", ATTENDANCE, seldom))
    return tuple(found)


def who_they_are(table: pa.Table) -> tuple[Grouping, ...]:
    """Age bands, sexes, ethnic groups, deprivation fifths and Core20 of a table; LearnError if it lacks a column."""
    for name in ("age", "sex", "ethnicity", "imd_decile"):
        if name not in table.column_names:
            raise LearnError(f"the table of groups lacks the column {name!r}", where="groups")
    decile = floats(table["imd_decile"])
    known = np.isfinite(decile) & (decile >= 1) & (decile <= 10)
    fifth = np.where(known, (np.where(known, decile, 1) - 1) // 2, 5).astype(np.int64)
    return (
        Grouping("age_band", AGE_BANDS, _bands(floats(table["age"]))),
        _named("sex", table["sex"], (*SEXES, "unknown")),
        _named("ethnicity", table["ethnicity"], (*ETHNICITIES[1:], "unknown")),
        Grouping("deprivation", FIFTHS, fifth),
        Grouping("core20", CORE20, np.array([0, 1, 1, 1, 1, 2])[fifth]),
    )


def fifths_of_contact(table: pa.Table, rows: Rows) -> tuple[Grouping, ...]:
    """The rows in fifths of equal size by contacts, alone in a tuple; an empty tuple where contacts are not known.

    Of people with as many contacts as each other, a seeded lot says who belongs to which fifth.
    """
    if "contacts" not in table.column_names:
        return ()
    contacts = floats(table["contacts"])
    known = np.flatnonzero(~np.isnan(contacts))
    if not len(known):
        return ()
    fifth = np.full(len(contacts), len(CONTACT) - 1, dtype=np.int64)
    fifth[known[np.lexsort((rows.tiebreak[known], contacts[known]))]] = np.arange(len(known)) * 5 // len(known)
    return (Grouping(FIFTH_OF_CONTACT, CONTACT, fifth),)


def counts(rows: Rows, part: Ints, listed: NDArray[np.bool_]) -> dict[str, int]:
    """Plain counts of some rows: rows, people, people who are cases, rows listed, people listed who are cases."""
    used = part[rows.weight[part] > 0]
    cases = used[rows.case[used] > 0]
    return {
        "rows": len(used),
        "people": len(np.unique(rows.person[used])),
        "cases": len(np.unique(rows.person[cases])),
        "listed": int(listed[part].sum()),
        "listed_cases": len(np.unique(rows.person[cases[listed[cases]]])),
    }


def enough_people(rows: Rows, part: Ints) -> bool:
    """Whether some rows are of FEWEST_CASES people or more."""
    return len(np.unique(rows.person[part])) >= FEWEST_CASES


def too_few(rows: Rows, part: Ints) -> bool:
    """Whether fewer than FEWEST_CASES people are cases, or are not, among some rows."""
    used = part[rows.weight[part] > 0]
    is_case = rows.case[used] > 0
    people = len(np.unique(rows.person[used])), len(np.unique(rows.person[used[is_case]]))
    return people[1] < FEWEST_CASES or people[0] - people[1] < FEWEST_CASES


def _bands(age: Floats) -> Ints:
    band = np.searchsorted(_BAND_STARTS, np.where(np.isnan(age), 0, age), side="right")
    return np.where(np.isnan(age), len(AGE_BANDS) - 1, band).astype(np.int64)


def _named(name: str, column: pa.ChunkedArray, order: tuple[str, ...]) -> Grouping:
    codes, found = text_codes(column)
    other = [text for text in found if text not in order]
    names = (*order, *other)
    return Grouping(name, names, np.array([names.index(text) for text in found], dtype=np.int64)[codes])
