"""Counts of people as they may leave for the integrated care board: rounded, small ones withheld, none solvable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from casefinding.disclosure import rounded
from casefinding.judge.funnel_plot import Funnel, funnel, poisson_interval
from casefinding.recall.network.completeness import Recorded, Register
from casefinding.recall.network.impact import Between
from casefinding.recall.network.units import Unit, Units
from casefinding.suppression import published

Key = tuple[str, str]
Cell = tuple[Key, str]
TOTAL = "total"


@dataclass(frozen=True)
class Rate:
    """One unit's register as it may be published: both counts rounded, the rate and its interval from them."""

    unit: Unit
    recorded: int | None
    expected: int | None
    ratio: Between | None


def across(units: Units, columns: Mapping[str, Mapping[Key, int]]) -> dict[Cell, int | None]:
    """A table of units by columns that part them (lanes ...), with each unit's TOTAL; None is withheld.

    Units whose count is not given in every column (Core20 groups of what is only known by practice) are left out. A
    total is the sum of what is shown. Nothing that is withheld can be worked out from the rest (see suppression).
    """
    there = [unit.key for unit in units.units if all(unit.key in column for column in columns.values())]
    counts: dict[Cell, int] = {(key, name): int(column[key]) for name, column in columns.items() for key in there}
    counts.update({(key, TOTAL): sum(counts[key, name] for name in columns) for key in there})
    rows: list[tuple[Cell, list[Cell]]] = [((key, TOTAL), [(key, name) for name in columns]) for key in there]
    lowest = [row for row in rows if row[0][0][0] in ("practice", "core20")]
    return published(counts, [*lowest, *_upwards(units, there, [*columns, TOTAL]), *rows])


def alone(units: Units, counts: Mapping[Key, int]) -> dict[Key, int | None]:
    """One column of units that add up; None is withheld. Levels whose parts are not given are the finest."""
    there = [unit.key for unit in units.units if unit.key in counts]
    cells = {(key, ""): int(counts[key]) for key in there}
    return {key: value for (key, _), value in published(cells, _upwards(units, there, [""])).items()}


def rates(units: Units, register: Register) -> list[Rate]:
    """One condition's register completeness of every unit, from rounded counts."""
    rows = {row.unit.key: row for row in register.rows}
    recorded = {key: row.recorded for key, row in rows.items()}
    others = {key: row.registered - row.recorded for key, row in rows.items()}
    shown = across(units, {"recorded": recorded, "others": others})
    expected = _added(units, {key: rounded(round(row.expected)) for key, row in rows.items()})
    return [_rate(row, shown[row.unit.key, "recorded"], expected[row.unit.key]) for row in register.rows]


def board_funnel(found: Sequence[Rate]) -> tuple[Funnel, list[str]]:
    """The funnel of the practices whose two counts are shown, and their codes."""
    practices = [rate for rate in found if rate.unit.level == "practice" and rate.ratio is not None]
    held = funnel([rate.recorded or 0 for rate in practices], [rate.expected or 0 for rate in practices])
    return held, [rate.unit.code for rate in practices]


def _rate(row: Recorded, recorded: int | None, expected: int | None) -> Rate:
    if recorded is None or not expected:
        return Rate(row.unit, recorded, expected, None)
    low, high = poisson_interval(np.array([recorded]))
    return Rate(
        row.unit, recorded, expected, Between(float(low[0]) / expected, recorded / expected, float(high[0]) / expected)
    )


def _upwards(units: Units, there: Sequence[Key], columns: Sequence[str]) -> list[tuple[Cell, list[Cell]]]:
    """What adds up from unit to unit, for each column; sums whose parts are not all given are left out."""
    known = set(there)
    return [
        ((whole, name), [(part, name) for part in parts])
        for name in columns
        for whole, parts in units.sums()
        if whole in known and parts and known.issuperset(parts)
    ]


def _added(units: Units, values: dict[Key, int | None]) -> dict[Key, int | None]:
    """Expected cases, rounded, with totals that are sums of what is shown."""
    found: dict[Key, Any] = dict(values)
    for whole, parts in units.sums():
        if parts[0][0] != "core20":
            known = [value for part in parts if (value := found[part]) is not None]
            found[whole] = sum(known) if any(known) or len(known) == len(parts) else None
    return found
