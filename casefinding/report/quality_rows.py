"""Rows and held cells of the quality page as they may travel: rows of tables of people are people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from casefinding.disclosure import FEWEST, rounded
from casefinding.records.quality.files import Table, balances, by_table, table_of
from casefinding.records.quality.held import Quality
from casefinding.records.reasons import Cell, Held, Left, Refusal
from casefinding.report.counts import published

FEWER = f"fewer than {FEWEST}"
WITHHELD = "withheld"
Shown = int | str
"""A count, exact or rounded, or FEWER, or WITHHELD where it would tell a small one."""


def rows(counts: Mapping[str, Any], quality: Quality) -> dict[str, Any]:
    """Rows by table and file, refused and left by reason and practice.

    Where a table of people has refused or left 1 to 7 rows, all of its numbers are rounded, and so are the sums over
    tables: no difference tells the small one.
    """
    files = balances(counts)
    small = any(table_of(name).of_people and _any_small(one) for name, one in files.items())
    practices = sorted(quality.by_practice)
    refused = {
        reason: {code: quality.by_practice[code].get(reason, 0) for code in practices} for reason in quality.refused
    }
    lost = sum(one["refused"] for one in files.values())
    return {
        "tables": {name: _table(name, one) for name, one in counts["rows"].items()},
        "refused in all": _less(lost) if small else lost,
        "files": [_group(table, {name: files[name] for name in names}) for table, names in by_table(files).items()],
        "practices": practices,
        "refused": [
            {"reason": reason, "about": _about(Refusal, reason), **_split(number, refused[reason], small)}
            for reason, number in _most(quality.refused)
        ],
        "left": [
            {"reason": reason, "rows": _less(number) if small else number, "about": _about(Left, reason)}
            for reason, number in _most(counts.get("left", {}))
        ],
    }


def held(quality: Quality) -> dict[str, dict[str, Shown]]:
    """Practice -> reason -> held values and cells; of a reason with a small count all are rounded."""
    told: dict[str, dict[str, Shown]] = {code: {} for code in quality.held_by_practice}
    reasons = {reason for one in quality.held_by_practice.values() for reason in one}
    for reason in sorted(reasons):
        by = {code: one[reason] for code, one in quality.held_by_practice.items() if reason in one}
        exact = reason in {Cell.VALUE, *Held} and not any(0 < number < FEWEST for number in by.values())
        for code, number in by.items():
            told[code][reason] = number if exact else _less(number)
    return told


def _any_small(one: Mapping[str, Any]) -> bool:
    return any(0 < number < FEWEST for number in (one["read"], one["kept"], one["refused"], *one["left"].values()))


def _group(table: Table, files: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """All files of one table, summed, and each by itself."""
    reasons = sorted({reason for one in files.values() for reason in one["left"]})
    flat = {
        name: {
            "read": one["read"], "kept": one["kept"], "refused": one["refused"],
            **{("left", reason): one["left"].get(reason, 0) for reason in reasons},
        }
        for name, one in files.items()
    }  # fmt: skip
    columns: list[Any] = ["read", "kept", "refused", *(("left", reason) for reason in reasons)]
    total = {column: sum(one[column] for one in flat.values()) for column in columns}
    every = [total, *flat.values()]
    hide = table.of_people and any(0 < number < FEWEST for one in every for number in one.values())
    shown: dict[str | None, dict[Any, Shown]] = {None: {}, **{name: {} for name in files}}
    for column in columns:
        parts = {name: flat[name][column] for name in flat}
        told = _beside(total[column], parts) if hide else {None: total[column], **parts}
        for name, number in told.items():
            shown[name][column] = number
    return {
        "table": table.name, "stamp": table.stamp, "label": table.label, "people": table.of_people, "exact": not hide,
        **_row(shown[None]),
        "parts": [{"file": name, **_row(shown[name])} for name in files],
    }  # fmt: skip


def _row(one: Mapping[Any, Shown]) -> dict[str, Any]:
    left = {key[1]: number for key, number in one.items() if isinstance(key, tuple) and number}
    return {"read": one["read"], "kept": one["kept"], "refused": one["refused"], "left": left}


def _table(name: str, one: Mapping[str, int]) -> dict[str, Shown]:
    hide = table_of(name).of_people and any(0 < number < FEWEST for number in one.values())
    return {what: _less(number) if hide else number for what, number in one.items()}


def _split(number: int, by: Mapping[str, int], hide: bool) -> dict[str, Any]:
    """The rows of a reason and by practice; rounded together where one of them is small."""
    if not hide and not any(0 < count < FEWEST for count in (number, *by.values())):
        return {"rows": number, "by practice": dict(by)}
    told = _beside(number, by)
    return {"rows": told.pop(None), "by practice": told}


def _beside(total: int, parts: Mapping[str, int]) -> dict[str | None, Shown]:
    """Parts and their total (None), so that none of them tells a small one."""
    if len(parts) == 1:  # total and part are one number
        return {None: _less(total), **{name: _less(number) for name, number in parts.items()}}
    counts: dict[str | None, int] = {**parts, None: total}
    shown = published(counts, [(None, list(parts))])
    told: dict[str | None, Shown] = {}
    for name, number in shown.items():
        told[name] = number if number is not None else FEWER if counts[name] < FEWEST else WITHHELD
    return told


def _less(number: int) -> Shown:
    less = rounded(number)
    return FEWER if less is None else less


def _most(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))


def _about(kind: type[Refusal] | type[Left], reason: str) -> str:
    return kind(reason).explanation if reason in list(kind) else ""
