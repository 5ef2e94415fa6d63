"""The tables of a judgement: overall, beside the yardsticks, and by group; each resampled piece by piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casefinding.judge import decision
from casefinding.judge.bootstrap import estimate, plain
from casefinding.judge.cells import Cells
from casefinding.judge.groups import Grouping, counts, too_few
from casefinding.judge.measures import Replicates, at_capacity, measures
from casefinding.judge.rows import SCORES, Floats, Ints, Rows
from casefinding.judge.yields import Lists, Taken

COMPARED = ("auroc", "average_precision", "brier", "ppv", "sensitivity")
"""Measures whose difference from a yardstick is given, from the same resamples."""


@dataclass(frozen=True)
class Draw:
    """Some resamples: how often each row is drawn (rows x resamples), and who is then on each score's lists."""

    counts: Floats
    taken: dict[str, Taken]


class Dealer:
    """Turns resamples of rows into lists, one of each score for every slot."""

    def __init__(self, slot: Ints, places: NDArray[np.number], rows: Rows) -> None:
        self._lists = {name: Lists(slot, places, score, rows.tiebreak) for name, score in rows.scores.items()}

    def deal(self, counts: Floats) -> Draw:
        """The lists that would be written if each row were there so many times."""
        return Draw(counts, {name: lists.taken(counts) for name, lists in self._lists.items()})


class Whole:
    """Every measure of the model and the yardsticks over all rows."""

    def __init__(self, rows: Rows) -> None:
        self._rows, self._everyone = rows, np.arange(len(rows))
        self._cells = {
            name: Cells(rows.case, rows.weight, score, [self._everyone], decision.TABLE_THRESHOLDS)
            for name, score in rows.scores.items()
        }
        self._replicates = Replicates()

    def add(self, draw: Draw) -> None:
        """Measure some resamples."""
        for name in SCORES:
            self._replicates.add((name,), self._measure(name, draw))

    def results(self, draw: Draw) -> dict[str, dict[str, Any]]:
        """By score: counts, measures with intervals, net benefit by threshold; `draw` holds the rows as they are."""
        short = too_few(self._rows, self._everyone)
        celled = {name: self._measure(name, draw) for name in SCORES}
        values = {name: _values(self._rows, self._everyone, name, celled[name]) for name in SCORES}
        tables: dict[str, dict[str, Any]] = {}
        for name in SCORES:
            table: dict[str, Any] = counts(self._rows, self._everyone, draw.taken[name].listed(len(self._rows)))
            table["too_few"] = short
            table["rates"] = {} if short else self._replicates.estimates((name,), values[name], celled[name])
            table["net_benefit"] = [] if short else self._net_benefit(name)
            if name != "model":
                table["model_minus_this"] = {} if short else self._difference(name, values, celled)
            tables[name] = table
        return tables

    def _measure(self, name: str, draw: Draw) -> dict[str, Floats]:
        found = self._cells[name].of(draw.counts)[0]
        return found | at_capacity(draw.taken[name], self._rows, found["cases"])

    def _net_benefit(self, name: str) -> list[dict[str, Any]]:
        rows, thresholds = self._rows, decision.TABLE_THRESHOLDS
        worth = decision.net_benefit(rows.case, rows.scores[name], thresholds, rows.weight)
        everybody = decision.treat_all(rows.case, thresholds, rows.weight)
        worth = np.where(decision.may_be_told(rows, rows.scores[name], thresholds), worth, np.nan)
        return [
            {
                "threshold": threshold,
                **estimate(worth[place], self._replicates.of(name, f"net_benefit_{threshold}")),
                "everybody": float(everybody[place]),
                "nobody": 0.0,
            }
            for place, threshold in enumerate(thresholds)
        ]

    def _difference(
        self, name: str, values: dict[str, dict[str, float | None]], celled: dict[str, dict[str, Floats]]
    ) -> dict[str, Any]:
        found = {}
        for measure in COMPARED:
            ours, theirs = values["model"][measure], values[name][measure]
            value = float("nan") if ours is None or theirs is None else ours - theirs
            resampled = self._replicates.of("model", measure) - self._replicates.of(name, measure)
            move = value - float(celled["model"][measure][0] - celled[name][measure][0])
            found[measure] = estimate(value, resampled + move)
        return found


class Parts:
    """Every measure of the model in each group; its list is the one that its practice would work."""

    def __init__(self, rows: Rows, groupings: tuple[Grouping, ...]) -> None:
        self._rows, self._groupings, self._replicates = rows, groupings, Replicates()
        self._enough = {
            grouping.name: [(name, part) for name, part in grouping.parts() if not too_few(rows, part)]
            for grouping in groupings
        }
        self._cells = {
            grouping: Cells(rows.case, rows.weight, rows.scores["model"], [part for _, part in parts])
            for grouping, parts in self._enough.items()
        }

    def add(self, draw: Draw) -> None:
        """Measure some resamples."""
        for key, found in self._measure(draw).items():
            self._replicates.add(key, found)

    def results(self, draw: Draw) -> dict[str, list[dict[str, Any]]]:
        """By grouping: a list of groups with counts and either rates or `too_few`."""
        celled, on_list = self._measure(draw), draw.taken["model"].listed(len(self._rows))
        tables: dict[str, list[dict[str, Any]]] = {}
        for grouping in self._groupings:
            table = tables.setdefault(grouping.name, [])
            for name, part in grouping.parts():
                key = (grouping.name, name)
                entry: dict[str, Any] = {"group": name, **counts(self._rows, part, on_list)}
                entry["too_few"] = key not in celled
                entry["rates"] = {}
                if key in celled:
                    values = _values(self._rows, part, "model", celled[key])
                    entry["rates"] = self._replicates.estimates(key, values, celled[key])
                table.append(entry)
        return tables

    def _measure(self, draw: Draw) -> dict[tuple[str, str], dict[str, Floats]]:
        measured = {}
        for grouping, parts in self._enough.items():
            for (name, part), found in zip(parts, self._cells[grouping].of(draw.counts), strict=True):
                member = np.zeros(len(self._rows), dtype=bool)
                member[part] = True
                listed = at_capacity(draw.taken["model"].within(member), self._rows, found["cases"])
                measured[grouping, name] = found | listed
        return measured


def _values(rows: Rows, part: Ints, name: str, celled: dict[str, Floats]) -> dict[str, float | None]:
    """The exact measures of some rows; those of lists are exact already."""
    used = part[rows.weight[part] > 0]
    case, weight = rows.case[used], rows.weight[used]
    values = measures(case, rows.scores[name][used], weight)
    values |= {measure: plain(celled[measure][0]) for measure in ("ppv", "sensitivity", "number_needed_to_test")}
    values["prevalence"] = plain(np.average(case, weights=weight)) if len(used) else None
    return values
