"""Lists of two made-up practices as they are issued, and hands that fill them in: for tests of what comes back."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping
from pathlib import Path

import openpyxl
import pyarrow as pa

from casefinding.recall.lines import ORDER, Item, Line
from casefinding.recall.loop.ledger import LISTED, Ledger
from casefinding.report.practice import table
from casefinding.report.shapes import Edition, PracticeLists
from casefinding.report.workbook import workbook

INDEX_DAY = dt.date(2026, 10, 1)
TODAY = dt.date(2026, 11, 22)
LIST_ID = "0123abcd"
LABELS = {"thirst": "Thirst", "hunger": "Hunger and want"}
EVERYBODY = {
    (practice, f"p{practice[-1]}{lane[:2]}{number}"): (lane, ("thirst",) if number % 2 else ("thirst", "hunger"))
    for practice in ("Y99001", "Y99002")
    for lane in ORDER
    for number in range(4)
}
"""(practice, pseudonym) -> lane and conditions; odd numbers are about one condition, even ones about two."""

Answers = Mapping[str, tuple[object, object, object]]
"""Pseudonym -> outcome, diagnosed with, outcome date, as they are typed into cells."""


def listed(list_id: str = LIST_ID, index_day: dt.date = INDEX_DAY, *, wave: int = 1) -> pa.Table:
    """The list as the ledger remembers it."""
    rows = [
        {
            "list_id": list_id, "index_day": index_day, "practice": practice, "pseudonym": pseudonym,
            "condition": condition, "label": LABELS[condition], "line_lane": lane, "lane": lane, "rules": "X-1",
            "test": "", "visit": "", "wave": wave if lane in ("invite", "never measured") else 0, "place": 0,
            "chance": 0.1, "sex": "female", "age_band": "45 to 54", "ethnicity": "asian", "deprivation": "Core20",
        }
        for (practice, pseudonym), (lane, conditions) in EVERYBODY.items()
        for condition in conditions
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=LISTED)


def ledger(folder: Path) -> Ledger:
    """A ledger that holds the list."""
    made = Ledger.open(folder)
    made.record_list(listed())
    return made


def issued(practice: str = "Y99001") -> tuple[PracticeLists, Edition]:
    """What one practice receives."""
    lines = [
        Line(pseudonym, practice, 1960, "female", lane, tuple(_item(condition, lane) for condition in conditions))
        for (where, pseudonym), (lane, conditions) in EVERYBODY.items()
        if where == practice
    ]
    lists = PracticeLists(practice, "Marsh Lane (fictional)", 900, lines, {}, {}, {}, {}, labels=LABELS)
    edition = Edition(
        network="Saltmarsh (fictional)", contact="the recall lead", index_day=INDEX_DAY,
        data_through=dt.date(2026, 9, 30), list_id=LIST_ID, version="0.1.0", made_up=True,
    )  # fmt: skip
    return lists, edition


def book(practice: str = "Y99001") -> openpyxl.Workbook:
    """A practice's workbook, open."""
    return openpyxl.load_workbook(io.BytesIO(workbook(*issued(practice))))


def header(sheet) -> tuple[int, dict[str, int]]:
    """The row and the columns of a sheet's headers, counted from 1."""
    for row in sheet.iter_rows(max_row=10):
        names = {str(cell.value): cell.column for cell in row if cell.value is not None}
        if "Pseudonym" in names and "Outcome" in names:
            return row[0].row, names
    raise AssertionError(sheet.title)


def lanes(opened: openpyxl.Workbook) -> list:
    """The sheets that are to be filled in."""
    found = []
    for sheet in opened.worksheets:
        try:
            header(sheet)
        except AssertionError:
            continue
        found.append(sheet)
    return found


def fill(opened: openpyxl.Workbook, answers: Answers) -> None:
    """Type answers into an open workbook."""
    for sheet in lanes(opened):
        top, names = header(sheet)
        for row in range(top + 1, sheet.max_row + 1):
            said = answers.get(str(sheet.cell(row, names["Pseudonym"]).value))
            for name, value in zip(("Outcome", "Diagnosed with", "Outcome date"), said or (), strict=False):
                if value is not None:
                    sheet.cell(row, names[name]).value = value


def save(opened: openpyxl.Workbook, path: Path) -> Path:
    opened.save(path)
    return path


def sent_back(path: Path, answers: Answers, practice: str = "Y99001") -> Path:
    """A practice's workbook with answers, saved."""
    opened = book(practice)
    fill(opened, answers)
    return save(opened, path)


def csv_sent_back(path: Path, answers: Answers, practice: str = "Y99001", *, delimiter=",", encoding="utf-8") -> Path:
    """A practice's CSV with answers, saved."""
    rows = list(csv.DictReader(io.StringIO(table(*issued(practice)), newline="")))
    for row in rows:
        if row["pseudonym"] in answers:
            said = ["" if value is None else str(value) for value in answers[row["pseudonym"]]]
            row["outcome"], row["diagnosed_with"], row["outcome_date"] = said
    buffer = io.StringIO()
    out = csv.DictWriter(buffer, list(rows[0]), delimiter=delimiter, lineterminator="\r\n")
    out.writeheader()
    out.writerows(rows)
    path.write_bytes(buffer.getvalue().encode(encoding))
    return path


def _item(condition: str, lane: str) -> Item:
    return Item(
        condition=condition, label=LABELS[condition], lane=lane, rule="X-1", priority=2, severe=False,
        say="Dry since 3 March 2026", do=f"Offer {condition} a test", source="NICE", evidence_on=dt.date(2026, 3, 3),
        chance=0.1, chance_words="1 in 10", chance_of=f"of {condition}", place=1, wave=1,
    )  # fmt: skip
