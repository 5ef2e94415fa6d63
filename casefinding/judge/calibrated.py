"""Calibration of the shipped chance, overall and by group, against the truth or against what was found."""

from __future__ import annotations

from typing import Any

import numpy as np

from casefinding.judge.bootstrap import estimate, plain
from casefinding.judge.flexible import NAMES, Flexible, recentred
from casefinding.judge.groups import Grouping
from casefinding.judge.measures import FEWEST_CASES, Replicates
from casefinding.judge.rows import Floats, Ints, Rows
from casefinding.judge.soft import SoftCells, soft_calibration
from casefinding.judge.tables import Draw

RATES = ("calibration_slope", "calibration_in_the_large", "observed_expected", "ici")
BY = ("age_band", "sex", "ethnicity", "deprivation", "contact")
"""The groupings in which calibration is given."""
GRID = tuple(round(0.01 * step, 2) for step in range(61))
"""The chances at which the smooth calibration curve is drawn."""


class Calibration:
    """Calibration of the shipped chance against some outcome (a share), overall and by group, with intervals."""

    def __init__(self, rows: Rows, share: Floats, weight: Floats, groupings: tuple[Grouping, ...]) -> None:
        self._rows, self._share, self._weight = rows, share, weight
        self._chance = rows.scores["model"]
        everyone = Grouping("all", ("all",), np.zeros(len(rows), np.int64))
        self._parts = {
            grouping.name: [(name, part, enough(rows, share, weight, part)) for name, part in grouping.parts()]
            for grouping in (everyone, *(grouping for grouping in groupings if grouping.name in BY))
        }
        self._cells = {
            name: SoftCells(
                share, weight, self._chance, [part for _, part, good in parts if good], curve=True, fine=False
            )
            for name, parts in self._parts.items()
        }
        self._replicates = Replicates()

    def add(self, draw: Draw) -> None:
        """Measure some resamples."""
        for key, found in self._measure(draw.counts).items():
            self._replicates.add(key, found)

    def result(self, draw: Draw) -> dict[str, Any]:
        """`overall`: rates with intervals. `groups`: by grouping a list of {group, rows, too_few, rates}. `curve`."""
        celled = self._measure(draw.counts)
        tables: dict[str, list[dict[str, Any]]] = {}
        for grouping, parts in self._parts.items():
            for name, part, good in parts:
                used = part[self._weight[part] > 0]
                entry: dict[str, Any] = {"group": name, "rows": len(used), "too_few": not good, "rates": {}}
                if good:
                    entry["rates"] = self._rates((grouping, name), used, celled[grouping, name])
                tables.setdefault(grouping, []).append(entry)
        (overall,) = tables.pop("all")
        return {"overall": overall["rates"], "groups": tables, "curve": self._curve(), "too_few": overall["too_few"]}

    def _rates(self, key: tuple[str, str], used: Ints, celled: dict[str, Floats]) -> dict[str, Any]:
        values = soft_calibration(self._share[used], self._chance[used], self._weight[used])
        wanted = (*RATES, *NAMES) if key[0] == "all" else RATES
        found = self._replicates.estimates(key, {n: values[n] for n in wanted if n not in NAMES}, celled)
        for name in wanted:
            if name in NAMES:
                value = values[name]
                resampled = recentred(value, self._replicates.of(*key, name))
                found[name] = estimate(float("nan") if value is None else value, resampled)
        return found

    def _curve(self) -> dict[str, Any] | None:
        """The smooth curve on a grid of chances, between the hundredth and the hundredth last of the people."""
        used = self._weight > 0
        fitted = Flexible.of(self._share[used], self._chance[used], self._weight[used])
        if fitted is None or not self._parts["all"][0][2]:
            return None
        low, high = np.quantile(self._chance[used], [0.01, 0.99])
        grid = np.array([chance for chance in GRID if low <= chance <= high])
        if not len(grid):
            return None
        return {"expected": [plain(x) for x in grid], "observed": [plain(x) for x in fitted.at(grid)]}

    def _measure(self, counts: Floats) -> dict[tuple[str, str], dict[str, Floats]]:
        measured = {}
        for grouping, cells in self._cells.items():
            names = [name for name, _, good in self._parts[grouping] if good]
            for name, found in zip(names, cells.of(counts), strict=True):
                measured[grouping, name] = found
        return measured


def enough(rows: Rows, share: Floats, weight: Floats, part: Ints) -> bool:
    """Whether 8 people or more are cases among some rows, and 8 or more are not, people counting by their share."""
    used = part[weight[part] > 0]
    people, code, times = np.unique(rows.person[used], return_inverse=True, return_counts=True)
    cases = float((share[used] / times[code]).sum())
    return min(cases, len(people) - cases) >= FEWEST_CASES - 1e-9
