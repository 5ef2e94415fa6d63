"""What practices say became of the people on their lists: checked against the lists, row by row."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from casefinding.recall.loop.ledger import (
    ALREADY_KNOWN,
    AWAITED,
    DIAGNOSED,
    DID_NOT_ATTEND,
    INVITED,
    NOT_DIAGNOSED,
    OUTCOME,
    OUTCOMES,
)
from casefinding.recall.loop.opened import plain
from casefinding.recall.loop.returned import Returned, Row
from casefinding.recall.loop.written_days import written_day

NAMES_CONDITIONS = (DIAGNOSED, ALREADY_KNOWN)
"""Outcomes that, on a row about several conditions, need to say which."""
_BEFORE_THE_END = (INVITED, DID_NOT_ATTEND, AWAITED)
"""Outcomes that another one may follow on a later day."""
_BETWEEN = re.compile(r"[;,/+&\s•.]|\band\b")


@dataclass(frozen=True)
class Refused:
    """One row that was not taken and why; never what it says, since the file itself still holds that."""

    sheet: str
    row: int
    reason: str


@dataclass(frozen=True)
class Checked:
    """What a file says, checked: `outcomes` is of ledger.OUTCOME, one row a person and condition.

    `rows` counts the rows taken (a row that stands there twice counts twice), `blank` those nobody has filled in.
    """

    outcomes: pa.Table
    refused: tuple[Refused, ...]
    rows: int
    blank: int


@dataclass(frozen=True)
class _Listed:
    """What one person stands on a list for."""

    index_day: dt.date
    labels: Mapping[str, str]  # condition -> its label, in the order of the list
    about: tuple[str, ...]  # the conditions that the row is about; a note alone is not
    twice: bool  # two people bear one pseudonym


@dataclass(frozen=True)
class _Taken:
    """A row that is right by itself: what it says of which condition, and when."""

    row: Row
    outcome: str
    on: dt.date
    by_condition: Mapping[str, str]


class Lists:
    """Everybody who was listed, by list, practice and pseudonym."""

    def __init__(self, lists: pa.Table) -> None:
        """`lists` is of ledger.LISTED: one row a person and condition."""
        entries: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        names = ("list_id", "practice", "pseudonym", "index_day", "condition", "label", "lane", "sex", "age_band")
        for one in lists.select(names).to_pylist():
            entries.setdefault((one["list_id"], one["practice"], one["pseudonym"]), []).append(one)
        self._people = {key: _listed(rows) for key, rows in entries.items()}
        self._anywhere = {(list_id, pseudonym) for list_id, _, pseudonym in self._people}

    def find(self, row: Row) -> _Listed | str:
        """What the person of a row stands on their list for, or why they cannot be told."""
        if not row.pseudonym:
            return "no pseudonym: whose outcome it is cannot be told"
        if not row.list_id or not row.practice:
            return "the row does not say which list or practice it is of"
        found = self._people.get((row.list_id, row.practice, row.pseudonym))
        if found is None and (row.list_id, row.pseudonym) in self._anywhere:
            return "stands on the list of another practice"
        if found is None:
            return "an outcome for a person never listed: the pseudonym is not on this list"
        return "two people bear this pseudonym on the list itself" if found.twice else found


def check_outcomes(returned: Returned, lists: Lists, today: dt.date, undated: dt.date | None = None) -> Checked:
    """Check every row of a file that came back; each is taken or refused by itself, with its reason.

    A row is refused if its person was not listed or cannot be told, if a cell of it computes, if the outcome is none of
    ledger.OUTCOMES (case, dashes and spaces do not matter), if its day is missing (unless `undated` gives one),
    impossible, before the list's index day or after `today`, if "Diagnosed with" does not fit, or if another row of the
    file says otherwise about the same person. An outcome counts for every condition that the row is about; with "Seen –
    diagnosed" those named are diagnosed and the others not; with "Already known" nothing is said of the others.
    """
    refused: list[Refused] = []
    taken: dict[tuple[str, str, str], list[_Taken]] = {}
    two = _two_people(returned.rows)
    for row in returned.rows:
        if not row.filled:
            continue
        key = (row.list_id, row.practice, row.pseudonym)
        found = _two_people_words(two[key], row) if key in two else _check(row, lists, today, undated)
        if isinstance(found, str):
            refused.append(Refused(row.sheet, row.row, found))
        else:
            taken.setdefault(key, []).append(found)
    records: list[dict[str, Any]] = []
    rows = 0
    for about in taken.values():
        against = _contradiction(about)
        if against:
            refused += [Refused(one.row.sheet, one.row.row, _otherwise(one, about)) for one in about]
            continue
        rows += len(about)
        records += [record for one in about for record in _records(one, returned)]
    order = {(row.sheet, row.row): place for place, row in enumerate(returned.rows)}
    refused.sort(key=lambda one: order[(one.sheet, one.row)])
    blank = sum(not row.filled for row in returned.rows)
    table = pa.Table.from_pylist(records, schema=OUTCOME)
    return Checked(table, tuple(refused), rows, blank)


def _listed(rows: list[dict[str, Any]]) -> _Listed:
    labels = {one["condition"]: one["label"] for one in rows}
    about = tuple(dict.fromkeys(one["condition"] for one in rows if one["lane"] != "note")) or tuple(labels)
    people = {(one["sex"], one["age_band"]) for one in rows}
    # a list that was issued twice under one id, changed in between, is in the ledger twice: that is still one person
    return _Listed(rows[0]["index_day"], labels, about, twice=len(people) > 1)


def _check(row: Row, lists: Lists, today: dt.date, undated: dt.date | None) -> _Taken | str:
    if row.formula:
        return f"a formula stands in '{row.formula.capitalize()}': type what it should say"
    found = lists.find(row)
    if isinstance(found, str):
        return found
    if not row.outcome:
        return "a date or a diagnosis without an outcome"
    outcome = _WORDS.get(_word(row.outcome))
    if outcome is None:
        return "the outcome is none of the drop-down"
    on = _day(row.on, found.index_day, today, undated)
    if isinstance(on, str):
        return on
    named = _named(row.diagnosed, found)
    if isinstance(named, str):
        return named
    if named and outcome not in NAMES_CONDITIONS:
        return f"'Diagnosed with' is filled in, but the outcome is '{outcome}'"
    if outcome not in NAMES_CONDITIONS:
        return _Taken(row, outcome, on, dict.fromkeys(found.about, outcome))
    if not named and len(found.about) > 1:
        return f"'{outcome}' on a row about several conditions: say which in 'Diagnosed with'"
    named = named or found.about
    others = {condition: NOT_DIAGNOSED for condition in found.about if outcome == DIAGNOSED and condition not in named}
    return _Taken(row, outcome, on, {**dict.fromkeys(named, outcome), **others})


def _word(text: str) -> str:
    """An outcome without what programs and people do to it: case, spaces, and dashes of every kind.

    >>> _word("SEEN - diagnosed") == _word("Seen – diagnosed") == _word("seen_diagnosed")
    True
    """
    # the last three are what is left of a dash that was read in the wrong encoding
    return " ".join(re.sub(r"[\s_\-\u00ad\u2010-\u2015\u2212]|â€“|â€”|\ufffd", " ", text).lower().rstrip(".").split())


_WORDS = {_word(outcome): outcome for outcome in OUTCOMES}


def _day(said: dt.date | float | str | None, first: dt.date, today: dt.date, undated: dt.date | None) -> dt.date | str:
    if said is None or said == "":
        if undated is None:
            return "no date: when did it happen?"
        said = undated
    if isinstance(said, float | int):
        return "the date is a number: give the cell the format of a date, or type day/month/year"
    day = said if isinstance(said, dt.date) else written_day(said)
    if day is None:
        return "the date is none, or cannot be told for certain: type day/month/year"
    if day < first:
        return "the date is before the list was made"
    return "the date is in the future" if day > today else day


def _named(text: str, found: _Listed) -> tuple[str, ...] | str:
    """The conditions that "Diagnosed with" names, by label or by name; a label may itself hold an "and"."""
    left, named = _word(text), []
    names = {_word(name): condition for condition, label in found.labels.items() for name in (condition, label)}
    for name in sorted(names, key=len, reverse=True):  # the longest first: one label may hold another
        left, times = re.subn(rf"(?<!\w){re.escape(name)}(?!\w)", " ; ", left)
        named += [names[name]] * bool(times)
    return "'Diagnosed with' names what the row is not about" if _BETWEEN.sub("", left) else tuple(dict.fromkeys(named))


def _two_people(rows: Iterable[Row]) -> dict[tuple[str, str, str], list[Row]]:
    """Rows of one pseudonym that are about different people, by what the list says of them: born, sex."""
    same: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        if row.pseudonym:
            same.setdefault((row.list_id, row.practice, row.pseudonym), []).append(row)
    return {
        key: found for key, found in same.items() if len({plain(row.born_sex) for row in found if row.born_sex}) > 1
    }


def _two_people_words(rows: Sequence[Row], row: Row) -> str:
    other = next(one for one in rows if one is not row)
    return f"two people with one pseudonym: see {_place(other, row)}"


def _contradiction(about: Sequence[_Taken]) -> bool:
    """Whether the rows of one person cannot all be true: two things on one day, or two ends."""
    by_day: dict[dt.date, set[tuple[tuple[str, str], ...]]] = {}
    for one in about:
        by_day.setdefault(one.on, set()).add(tuple(sorted(one.by_condition.items())))
    ends = {tuple(sorted(one.by_condition.items())) for one in about if one.outcome not in _BEFORE_THE_END}
    return len(ends) > 1 or any(len(said) > 1 for said in by_day.values())


def _otherwise(one: _Taken, about: Sequence[_Taken]) -> str:
    other = next(
        (two for two in about if (two.outcome, two.on, two.by_condition) != (one.outcome, one.on, one.by_condition)),
        one,
    )
    return f"{_place(other.row, one.row)} says otherwise about the same person: keep the one that is right"


def _place(row: Row, beside: Row) -> str:
    return f"row {row.row}" + (f" of '{row.sheet}'" if row.sheet != beside.sheet else "")


def _records(one: _Taken, returned: Returned) -> list[dict[str, Any]]:
    row = one.row
    return [
        {
            "list_id": row.list_id, "practice": row.practice, "pseudonym": row.pseudonym, "condition": condition,
            "outcome": outcome, "on": one.on, "file": returned.file, "file_sha256": returned.sha256, "row": row.row,
        }
        for condition, outcome in one.by_condition.items()
    ]  # fmt: skip
