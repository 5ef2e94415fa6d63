"""The files of an extract by their tables: short names, which hold people, and of which too much was refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from casefinding.records.quality.findings import Finding, Kind

FEWEST_REFUSED = 20
"""Rows: fewer are odd rows, not a fault of the file."""
REFUSED_SHARE = 0.01
"""Of a file's rows: what is refused beyond this is a question to whoever made the extract."""

_EMIS = re.compile(r"(?:^|_)([A-Z][A-Za-z]*_[A-Z][A-Za-z]*)_(\d{8}|\d{12}|\d{14})_[0-9A-Fa-f-]{32,36}$")
_ENDING = re.compile(r"(\.(csv|parquet|json|ndjson|jsonl|xml|txt|gz|zip))+$", re.IGNORECASE)
_PART = re.compile(r"[-_.]?(part[-_]?\w+|\d+)$", re.IGNORECASE)
_PEOPLE = re.compile(
    r"patient|person|registration|gppracticehistory|death|deceased|observation_period|subject|demographic",
    re.IGNORECASE,
)
_ENTRIES = re.compile(r"event|contact|measurement|medication", re.IGNORECASE)


class Table(NamedTuple):
    """What a file holds: its table's name, and the day or stamp in the file's name ("" where there is none)."""

    name: str
    stamp: str

    @property
    def of_people(self) -> bool:
        """Whether a row is about one person as such, so that a count of rows counts people."""
        return bool(_PEOPLE.search(self.name)) and not _ENTRIES.search(self.name)

    @property
    def label(self) -> str:
        """Table and stamp, for the page."""
        return f"{self.name}, {self.stamp}" if self.stamp else self.name


def table_of(file: str) -> Table:
    """The table of a file by its name, without the id that a vendor adds; parts of one table give the same.

    >>> table_of("event/part-00000.parquet"), table_of("practice.parquet")
    (Table(name='event', stamp=''), Table(name='practice', stamp=''))
    >>> table_of("291_Admin_Patient_20260131120000_0F0F0F0F-0F0F-0F0F-0F0F-0F0F0F0F0F0F.csv")
    Table(name='Admin_Patient', stamp='2026-01-31 12:00')
    >>> table_of("Patient.000.ndjson").of_people, table_of("person.csv").of_people, table_of("event.csv").of_people
    (True, True, False)
    """
    folder, _, name = file.replace("\\", "/").rpartition("/")
    stem = _ENDING.sub("", name)
    if vendor := _EMIS.search(stem):
        stamp = vendor[2]
        clock = f" {stamp[8:10]}:{stamp[10:12]}" if len(stamp) > 8 else ""
        return Table(vendor[1], f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}{clock}")
    if folder and _PART.fullmatch(stem):
        return Table(folder.rpartition("/")[2], folder.rpartition("/")[0])
    return Table(_PART.sub("", stem) or stem, folder)


def balances(counts: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """File -> rows `read`, `kept`, `refused`, and `left` by reason; worked out for a store of an earlier version."""
    balance = counts.get("balance")
    if balance is None:
        by_file = counts.get("refused_by_file", {})
        lost = {file: sum(by_file.get(file, {}).values()) for file in counts["files"]}
        balance = {
            file: {"read": read, "kept": read - lost[file], "refused": lost[file], "left": {}}
            for file, read in counts["files"].items()
        }
    return balance


def by_table(files: Mapping[str, Any]) -> dict[Table, list[str]]:
    """Table -> its files, both in order of their names."""
    groups: dict[Table, list[str]] = {}
    for file in sorted(files):
        groups.setdefault(table_of(file), []).append(file)
    return dict(sorted(groups.items()))


def refused(counts: Mapping[str, Any]) -> list[Finding]:
    """Tables, or else single files of them, of which more than REFUSED_SHARE of the rows were refused."""
    files, reasons = balances(counts), counts.get("refused_by_file", {})
    findings = []
    for table, names in by_table(files).items():
        whole = _finding(table.label, table, names, files, reasons)
        parts = [_finding(f"{table.label}: {one}", table, [one], files, reasons) for one in names]
        findings += [whole] if whole else [part for part in parts if part]
    return findings


def _finding(
    label: str, table: Table, names: list[str], files: Mapping[str, Any], reasons: Mapping[str, Mapping[str, int]]
) -> Finding | None:
    read, lost = (sum(files[name][what] for name in names) for what in ("read", "refused"))
    if lost < FEWEST_REFUSED or lost <= REFUSED_SHARE * read:
        return None
    why: dict[str, int] = {}
    for name in names:
        for reason, rows in reasons.get(name, {}).items():
            why[reason] = why.get(reason, 0) + rows
    facts = {"table": label, "people": table.of_people, "read": read, "refused": lost, "reasons": why}
    return Finding(Kind.REFUSED, "", (), facts)
