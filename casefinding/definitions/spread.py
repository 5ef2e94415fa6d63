"""Worked examples are written short; here they become full lists of entries (see `shapes.Example`)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from casefinding.definitions.strict import Parsed, Path, Problem


def spread_records(records: Any, own_signal: str | None, parsed: Parsed, path: Path) -> tuple[Any, list[Problem]]:
    """A mapping of signal name to a list of entries, from any of the short forms.

    `own_signal` is the signal meant where no name is written; None if a name is needed (rules).

    >>> import datetime as dt
    >>> written = {dt.date(2023, 6, 9): [144, 138]}
    >>> spread_records(written, "weight", Parsed("x.yaml"), ())[0]["weight"][1]["value"]
    138
    """
    problems: list[Problem] = []
    if records is None or records in ({}, []):
        return {}, problems
    if _unnamed(records):
        if own_signal is None:
            problems.append(parsed.problem(path, "the records do not say of which signal they are", _NAMES))
            return {}, problems
        return {own_signal: _entries(records, parsed, path, problems)}, problems
    if not isinstance(records, dict):
        problems.append(parsed.problem(path, "records are a list of days, or a mapping of days or signals", _NAMES))
        return {}, problems
    spread: dict[str, Any] = {}
    for name, entries in records.items():
        if isinstance(name, dt.date):
            problems.append(parsed.problem((*path, name), "days and names of signals stand side by side", _NAMES))
        else:
            spread[name] = _entries(entries, parsed, (*path, name), problems)
    return spread, problems


_NAMES = "write 'records: {name_of_signal: [2023-01-01]}' or 'records: {name_of_signal: {2023-01-01: 150}}'"


def _unnamed(records: Any) -> bool:
    if isinstance(records, dict):
        return isinstance(next(iter(records)), dt.date)
    return isinstance(records, list | dt.date)


def _entries(written: Any, parsed: Parsed, path: Path, problems: list[Problem]) -> list[dict[str, Any]]:
    """The entries of one signal: a day, a list of days or full entries, or a mapping of day to value(s)."""
    entries: list[dict[str, Any]] = []
    if isinstance(written, dt.date):
        return [{"on": written}]
    if isinstance(written, dict) and "on" in written:
        return [written]
    if isinstance(written, list):
        for position, item in enumerate(written):
            if isinstance(item, dt.date):
                entries.append({"on": item})
            elif isinstance(item, dict) and "on" in item:
                entries.append(item)
            else:
                problems.append(parsed.problem((*path, position), "a record needs a day, written 2023-01-01"))
        return entries
    if not isinstance(written, dict):
        problems.append(parsed.problem(path, "records are a list of days or a mapping of days to values", _NAMES))
        return entries
    for day, values in written.items():
        if not isinstance(day, dt.date):
            problems.append(parsed.problem((*path, day), f"{day!r} is not a day", "days are written 2023-01-01"))
            continue
        for position, value in enumerate(values if isinstance(values, list) else [values]):
            if isinstance(value, dict):
                if "on" in value:
                    where = (*path, day, position) if isinstance(values, list) else (*path, day)
                    problems.append(parsed.problem(where, "'on' stands twice: the day is written before it"))
                entries.append({**value, "on": day})
            else:
                entries.append({"on": day, "value": value})
    return entries
