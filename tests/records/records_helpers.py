"""A small native extract that is right in every row, and helpers to spoil it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from casefinding.records.layout import LAYOUTS
from casefinding.records.store import Store

COLUMNS = {layout.name: layout.names for layout in LAYOUTS}

GOOD: dict[str, list[list[str]]] = {
    "practice": [
        ["Y99001", "Practice One", "Example Network", "Example Place"],
        ["Y99002", "Practice Two", "Example Network", "Example Place"],
    ],
    "person": [
        ["p1", "1950-03", "female", "white", "1", "2019", ""],
        ["p2", "1961-07", "M", "Asian or Asian British - Indian", "10", "2019", "2023-05-01"],
        ["p3", "1975-12-24", "2", "N", "", "", ""],
        ["p4", "2000-02", "", "", "5", "2019", ""],
    ],
    "registration": [
        ["p1", "Y99001", "2010-01-01", "2019-12-31"],
        ["p1", "Y99002", "2020-01-01", ""],
        ["p2", "Y99002", "2005-05-05", "2023-05-01"],
        ["p3", "Y99001", "1999-09-09", ""],
        ["p4", "Y99001", "2015-01-01", ""],
    ],
    "event": [
        ["p1", "2021-03-01", "2021-03-05", "snomed", "271649006", "Systolic blood pressure", "152", "mmHg"],
        ["p1", "2021-03-01", "2021-03-05", "SNOMED-CT", "271650006", "Diastolic blood pressure", "91.5", "mmHg"],
        ["p1", "2022-06-09", "", "snomed", "1011481000000105", "eGFR", ">90", "mL/min/1.73m2"],
        ["p2", "2020-02-29", "2020-03-02", "dm+d", "39113611000001102", "Amlodipine 5mg tablets", "", ""],
        ["p2", "2020-05-29", "2020-05-29", "snomed", "271649006", "Systolic arterial pressure", "18.7", "kPa"],
        ["p3", "2023-11-11 10:15:00", "2023-11-12", "snomed", "271649006", "Systolic blood pressure", "139", ""],
        ["p3", "2024-01-31", "2024-01-31", "loinc", "8480-6", "Systolic blood pressure", "400", "mm[Hg]"],
        ["p3", "2024-01-31", "2024-01-31", "snomed", "38341003", "", "", ""],
    ],
    "contact": [["p3", "ckd", "Invited", "2023-12-01"]],
    "extract": [["2024-03-31", "example"]],
}  # fmt: skip

Rows = dict[str, list[list[str]]]


def good() -> Rows:
    """A fresh copy of the rows that are right."""
    return {table: [list(row) for row in rows] for table, rows in GOOD.items()}


def write(folder: Path, rows: Rows, columns: dict[str, Sequence[str]] = COLUMNS) -> Path:
    """Write an extract as CSV."""
    folder.mkdir(parents=True, exist_ok=True)
    for table, lines in rows.items():
        with open(folder / f"{table}.csv", "w", encoding="utf-8", newline="") as handle:
            csv.writer(handle).writerows([columns[table], *lines])
    return folder


def content(store: Store) -> dict[str, bytes]:
    """The bytes of every file of the current generation, by name."""
    return {p.relative_to(store.folder).as_posix(): p.read_bytes() for p in store.folder.rglob("*") if p.is_file()}
