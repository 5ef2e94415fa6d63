"""How many of the ill and uncoded a list holds: the model's, the yardsticks' and one drawn at random."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from casefinding.judge.bootstrap import estimate, plain
from casefinding.judge.cells import Cells
from casefinding.judge.discrimination import auroc
from casefinding.judge.drawing import tenths
from casefinding.judge.groups import Grouping, enough_people
from casefinding.judge.measures import Replicates
from casefinding.judge.rows import SCORES, Floats, Ints, Rows, ratio
from casefinding.judge.tables import Dealer, Draw
from casefinding.judge.truth import Ill

Bools = NDArray[np.bool_]
LENGTHS = ("capacity", "top_tenth")
"""A list as long as the practices can work, and the tenth of all people of the index day with the highest chances."""


class Capture:
    """Counts the ill on lists of two lengths, unweighted, in all the rows that are judged.

    Judged are fewer than were asked: who was diagnosed or gone in the gap, diagnosed on joining a practice, lost to
    follow-up or left out of training is no row here (see rows.Rows), though ill and uncoded on the index day perhaps.
    """

    def __init__(self, rows: Rows, ill: Ill, capacity_places: Ints, groupings: tuple[Grouping, ...]) -> None:
        self._rows, self._ill, self._places = rows, ill, capacity_places
        self._people = {
            "capacity": (rows.slot, np.asarray(capacity_places, float)),
            "top_tenth": _tenth(rows),
        }
        slot, tenth = self._people["top_tenth"]
        self._tenth = Dealer(slot, tenth, rows)
        everyone, alike = np.arange(len(rows)), np.ones(len(rows))
        self._cells = {name: Cells(ill.ill, alike, score, [everyone]) for name, score in rows.scores.items()}
        by_state = Grouping("state", ill.states, ill.state) if ill.states else None
        self._parts = {
            (grouping.name, name): part[ill.ill[part] > 0]
            for grouping in (*groupings, *([by_state] if by_state else []))
            for name, part in grouping.parts()
        }
        self._sizes = {(grouping.name, name): len(part) for grouping in groupings for name, part in grouping.parts()}
        self._replicates = Replicates()

    def add(self, draw: Draw) -> None:
        """Measure some resamples."""
        ill = self._ill.ill
        everyone = ill @ draw.counts
        for length, taken in (("capacity", draw.taken), ("top_tenth", self._tenth.deal(draw.counts).taken)):
            for name in SCORES:
                self._replicates.add((length, name), {"share": ratio(taken[name].total(ill), everyone)})
            for key, part in self._parts.items():
                if enough_people(self._rows, part):
                    held = taken["model"].within(self._mask(part)).times.sum(axis=0)
                    self._replicates.add((length, *key), {"share": ratio(held, draw.counts[part].sum(axis=0))})
        for name, cells in self._cells.items():
            self._replicates.add(("all", name), {"auroc": cells.of(draw.counts)[0]["auroc"]})

    def result(self, draw: Draw) -> dict[str, Any]:
        """The whole comparison; `draw` holds the rows as they are."""
        rows, ill = self._rows, self._ill.ill
        is_ill = np.flatnonzero(ill > 0)
        people = len(np.unique(rows.person[is_ill]))
        found: dict[str, Any] = {"rows": len(rows), "ill": len(is_ill), "ill_people": people}
        found["too_few"] = not enough_people(self._rows, is_ill)
        if found["too_few"]:
            return found
        dealt = {"capacity": draw.taken, "top_tenth": self._tenth.deal(draw.counts).taken}
        listed = {
            length: {name: taken.listed(len(rows)) for name, taken in lists.items()} for length, lists in dealt.items()
        }
        for length in LENGTHS:
            found[length] = self._length(length, listed[length], is_ill)
        found["auroc"] = {
            name: self._replicates.estimates(
                ("all", name), {"auroc": auroc(ill, score)}, self._cells[name].of(draw.counts)[0]
            )["auroc"]
            for name, score in rows.scores.items()
        }
        model = rows.scores["model"]
        found["chance"] = {
            "ill_share": plain(ill.mean()),
            "mean_chance": plain(model.mean()),
            "ill_for_each_expected_diagnosis": plain(ill.sum() / model.sum()) if model.sum() > 0 else None,
            "deciles": [{**row, "ill": row.pop("cases")} for row in tenths(ill, model)],
        }
        found["groups"], found["states"] = self._by_group(listed)
        return found

    def _length(self, length: str, taken: dict[str, Bools], is_ill: Ints) -> dict[str, Any]:
        shares = {name: taken[name][is_ill].mean() for name in SCORES}
        replicates = {name: self._replicates.of(length, name, "share") for name in SCORES}
        table: dict[str, Any] = {"listed": int(taken["model"].sum())}
        for name in SCORES:
            ill_listed = int(taken[name][is_ill].sum())
            table[name] = {"ill_listed": ill_listed, "share": estimate(shares[name], replicates[name])}
        table["random"] = {"share": estimate(self._random(length)[is_ill].mean())}
        table["model_minus"] = {
            name: estimate(shares["model"] - shares[name], replicates["model"] - replicates[name])
            for name in SCORES
            if name != "model"
        }
        return table

    def _by_group(self, listed: dict[str, dict[str, Bools]]) -> tuple[dict[str, list], list]:
        tables: dict[str, list[dict[str, Any]]] = {}
        random = {length: self._random(length) for length in LENGTHS}
        for (grouping, name), part in self._parts.items():
            entry: dict[str, Any] = {"group": name, "ill": len(part), "too_few": not enough_people(self._rows, part)}
            if (grouping, name) in self._sizes:
                entry["rows"] = self._sizes[grouping, name]
            for length in LENGTHS if not entry["too_few"] else ():
                taken = listed[length]
                replicates = self._replicates.of(length, grouping, name, "share")
                entry[length] = {
                    "model": estimate(taken["model"][part].mean(), replicates),
                    **{other: estimate(taken[other][part].mean()) for other in SCORES if other != "model"},
                    "random": estimate(random[length][part].mean()),
                }
            tables.setdefault(grouping, []).append(entry)
        states = tables.pop("state", [])
        return tables, states

    def _random(self, length: str) -> Floats:
        """Each row's chance of a place if its slot's list were drawn at random."""
        slot, places = self._people[length]
        sizes = np.bincount(slot, minlength=len(places))
        return np.minimum(1.0, places / np.maximum(sizes, 1))[slot]

    def _mask(self, part: Ints) -> Bools:
        member = np.zeros(len(self._rows), dtype=bool)
        member[part] = True
        return member


def _tenth(rows: Rows) -> tuple[Ints, Floats]:
    _, slot = np.unique(rows.day, return_inverse=True)
    return slot, np.ceil(0.1 * np.bincount(slot))
