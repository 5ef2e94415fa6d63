"""Planted faults: one for every reason for which a row can be refused, a reading held or a cell left unread."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Protocol

Instead = Mapping[str, str | None]
"""Cells to write instead of what belongs there."""
NOTHING: Instead = {}


class Rows(Protocol):
    """Where rows go; see `planted.Rows`."""

    tables: dict[str, list[dict[str, str | None]]]

    def person(self, name: str, birth: dt.date, sex: str, ethnicity: str, died: dt.date | None = None) -> None: ...
    def registration(self, name: str, practice: str, started: dt.date) -> None: ...
    def event(
        self, name: str, key: str, day: dt.date, value: float | None = None, instead: Instead = NOTHING
    ) -> None: ...


def plant_faults(rows: Rows, names: list[str], practice: str, end: dt.date) -> list[tuple[str, str]]:
    """Add a person for every fault, otherwise without fault; gives (pseudonym, reason as `records` names it)."""
    birth, started, day = dt.date(end.year - 52, 3, 1), dt.date(end.year - 12, 5, 2), end - dt.timedelta(days=200)
    planted: list[tuple[str, str]] = []
    remaining = iter(names)

    def someone(reason: str, sex: str = "female", registered: bool = True, died: dt.date | None = None) -> str:
        name = next(remaining)
        planted.append((name, reason))
        rows.person(name, birth, sex, "White British", died)
        if registered:
            rows.registration(name, practice, started)
        rows.event(name, "contact_seen", end - dt.timedelta(days=500))
        return name

    rows.event(someone("impossible date"), "sbp", day, 128, {"happened_on": f"{end.year - 1}-02-30"})
    rows.event(
        someone("impossible date"), "weight", day, 71, {"happened_on": day.strftime("%d/%m/%Y"), "recorded_on": None}
    )
    rows.event(someone("date in the future"), "sbp", end + dt.timedelta(days=400), 131)
    rows.event(someone("before birth"), "asthma", birth - dt.timedelta(days=400))
    rows.event(someone("after death", died=end - dt.timedelta(days=300)), "contact_seen", end - dt.timedelta(days=100))
    rows.event(someone("unknown unit"), "weight", day, 71, {"unit": "cubits"})
    rows.event(someone("value outside the plausible range"), "bmi", day, 950)
    rows.event(someone("no value"), "sbp", day, None)
    twice = someone("duplicate row")
    rows.event(twice, "sbp", day, 134)
    rows.event(twice, "sbp", day, 134)
    stranger = next(remaining)
    planted.append((stranger, "person not in the person table"))
    rows.event(stranger, "contact_seen", day)
    someone("person without registration", registered=False)
    elsewhere = someone("unknown practice", registered=False)
    rows.registration(elsewhere, "Z00000", started)
    rows.event(someone("code is not a valid id"), "sbp", day, 128, {"code": "271649007"})  # wrong check digit
    rows.event(someone("code is not a valid id"), "sbp", day, 128, {"code": "2.71649E+08"})  # spoilt by a spreadsheet
    rows.event(someone("unknown code system"), "sbp", day, 128, {"system": "local"})
    rows.event(someone("missing value"), "sbp", day, 128, {"code": None})
    backwards = someone("ends before it starts")
    rows.registration(backwards, practice, started)
    rows.tables["registration"][-1]["ended_on"] = (started - dt.timedelta(days=30)).isoformat()
    ageless = someone("missing value")
    rows.tables["person"][-1]["birth_month"] = None
    planted.append((ageless, "person refused"))
    two = someone("two different rows for one person")
    rows.person(two, dt.date(birth.year - 9, 6, 1), "female", "White British")
    odd = someone("unknown kind of contact")
    rows.tables["contact"].append(
        {"person": odd, "condition": "hypertension", "kind": "telegraphed", "on": day.isoformat()}
    )
    return planted


def plant_cells(rows: Rows, names: list[str], practice: str, end: dt.date) -> list[tuple[str, str]]:
    """Add a person for every cell that can say nothing; each stays, and gives (pseudonym, reason as in `records`)."""
    birth, started = dt.date(end.year - 47, 9, 1), dt.date(end.year - 9, 3, 7)
    planted: list[tuple[str, str]] = []
    for name, (reason, table, column, text) in zip(names, CELLS, strict=False):
        rows.person(name, birth, "female", "White British")
        rows.registration(name, practice, started)
        rows.event(name, "contact_seen", end - dt.timedelta(days=430))
        rows.tables[table][-1][column] = text
        planted.append((name, reason))
    return planted


CELLS = (
    ("unknown sex", "person", "sex", "X"),
    ("ethnicity not understood", "person", "ethnicity", "see notes"),
    ("not a deprivation decile", "person", "imd_decile", "11"),
    ("impossible date of death", "person", "died_on", "1900-01-01"),
    ("registered before birth", "registration", "started_on", "1900-01-01"),
    ("value is not a plain number", "event", "value", "see letter"),
)
"""Reason, table, column and what stands in it."""
