"""The ways of learning side by side, with yardsticks, scores in use and rules: whom do lists of one length find?

Every way writes a list of 5% of the people of each practice, ties broken by the same seeded lot. Coded diagnoses say
who was noticed; the truth (made-up people, or measured ones) says who was ill. Rules write their list in the order of
their rank, the rest of the places by lot. Lists are written anew in every resample.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from casefinding.judge.beside import SHARE, Beside, places_for_share
from casefinding.judge.bootstrap import estimate
from casefinding.judge.calibrated import Calibration
from casefinding.judge.groups import CONTACT, FIFTH_OF_CONTACT, Grouping, enough_people, too_few
from casefinding.judge.measures import Replicates
from casefinding.judge.rows import Floats, Ints, Rows, ratio
from casefinding.judge.soft import SoftCells, soft_auroc
from casefinding.judge.tables import Draw
from casefinding.judge.yields import Lists

CODED = "coded"
FAIR = ("deprivation", "sex", "ethnicity")
"""Groupings in which the least found group is compared with the most found."""
_UNKNOWN = ("not known", "unknown")
Estimate = dict[str, float | None]


class Ways:
    """Counts cases and the truly ill on every way's list, resample by resample."""

    def __init__(self, rows: Rows, beside: Beside, groupings: tuple[Grouping, ...], ill: Floats | None) -> None:
        self._rows, self._beside, self._ill = rows, beside, ill
        self._places = places_for_share(rows)
        self._lists = {
            name: Lists(rows.slot, self._places, order, rows.tiebreak) for name, order in beside.orders.items()
        }
        everyone = np.arange(len(rows))
        self._short = too_few(rows, everyone)
        case_weight = rows.case * rows.weight
        sought = {"codes": (rows.case, rows.weight)} if not self._short else {}
        self._ill_enough = ill is not None and enough_people(self._rows, np.flatnonzero(ill > 0))
        if ill is not None and self._ill_enough:
            sought["truth"] = (ill, np.ones(len(rows)))
        self._cells = {
            (about, name): SoftCells(share, weight, score, [everyone], of_chance=False)
            for about, (share, weight) in sought.items()
            for name, score in beside.scores.items()
        }
        self._sought, self._case_weight = sought, case_weight
        self._parts: list[tuple[str, str, Ints]] = []
        for grouping in groupings:
            if grouping.name in (FIFTH_OF_CONTACT, *FAIR):
                self._parts += [(grouping.name, name, part) for name, part in grouping.parts()]
        self._truth = self._calibration = None
        if ill is not None and self._ill_enough:
            self._truth = self._indicator(ill)
            self._calibration = Calibration(rows, ill, np.ones(len(rows)), groupings)
        self._replicates = Replicates()

    def add(self, draw: Draw) -> None:
        """Measure some resamples."""
        for key, values in self._measure(draw.counts).items():
            self._replicates.add(key, values)
        if self._calibration is not None:
            self._calibration.add(draw)

    def result(self, draw: Draw) -> dict[str, Any]:
        """The comparison as plain dicts; `draw` holds the rows as they are."""
        found: dict[str, Any] = {
            "shipped": self._beside.shipped,
            "not_trained": list(self._beside.not_trained),
            "share": SHARE,
            "listed": int(np.minimum(self._places, np.bincount(self._rows.slot)).sum()),
            "scored": [
                {"way": name, "scored": int(np.isfinite(score).sum())} for name, score in self._beside.scores.items()
            ],
        }
        values = self._measure(draw.counts)
        found["codes"] = None if self._short else self._about_codes(values)
        found["truth"] = None if self._ill is None else self._about_truth(values, draw)
        return found

    # ------------------------------------------------------------------------------------------------ measuring

    def _indicator(self, ill: Floats) -> Floats:
        """Which of the ill belong to which part: (all and the parts) x ill, as 0 and 1."""
        where = np.flatnonzero(ill > 0)
        place = np.full(len(ill), -1)
        place[where] = np.arange(len(where))
        found = np.zeros((1 + len(self._parts), len(where)))
        found[0] = 1
        for number, (_, _, part) in enumerate(self._parts, start=1):
            inside = place[part]
            found[number, inside[inside >= 0]] = 1
        return found

    def _measure(self, counts: Floats) -> dict[tuple[str, ...], dict[str, Floats]]:
        found: dict[tuple[str, ...], dict[str, Floats]] = {}
        all_cases = self._case_weight @ counts
        place = np.full(len(self._rows), -1)
        all_ill = np.zeros(0)
        if self._truth is not None and self._ill is not None:
            where = np.flatnonzero(self._ill > 0)
            place[where] = np.arange(len(where))
            all_ill = self._truth @ counts[where]
        for name, lists in self._lists.items():
            taken = lists.taken(counts)
            if not self._short:
                found["codes", name] = {"share": ratio(taken.total(self._case_weight), all_cases)}
            if self._truth is not None:
                here = np.flatnonzero(place[taken.rows] >= 0)
                held = self._truth[:, place[taken.rows[here]]] @ taken.times[here]
                for number, key in enumerate(self._keys()):
                    found["truth", *key, name] = {"share": ratio(held[number], all_ill[number]), "held": held[number]}
        for (about, name), cells in self._cells.items():
            found[f"{about} auroc", name] = {"auroc": cells.of(counts)[0]["auroc"]}
        return found

    def _keys(self) -> list[tuple[str, str]]:
        return [("all", ""), *((grouping, name) for grouping, name, _ in self._parts)]

    # ------------------------------------------------------------------------------------------------ telling

    def _about_codes(self, values: dict) -> dict[str, Any]:
        """Against what was coded: share of later cases on each way's list, and AUROC."""
        rows = self._rows
        table: dict[str, Any] = {
            "cases": len(np.unique(rows.person[self._case_weight > 0])),
            "ways": self._side_by_side(("codes",), values, "share"),
        }
        for name, lists in self._lists.items():
            on_list = lists.taken(np.ones((len(rows), 1))).listed(len(rows))
            cases = np.flatnonzero(on_list & (self._case_weight > 0))
            table["ways"][name]["listed_cases"] = len(np.unique(rows.person[cases]))
        table["auroc"] = self._auroc("codes", values)
        return table

    def _about_truth(self, values: dict, draw: Draw) -> dict[str, Any]:
        """Against the truth: share of the ill and uncoded on each way's list, overall and by group."""
        assert self._ill is not None
        is_ill = np.flatnonzero(self._ill > 0)
        table: dict[str, Any] = {"rows": len(self._rows), "ill": len(is_ill), "too_few": not self._ill_enough}
        if self._calibration is None:
            return table
        table["calibration"] = self._calibration.result(draw)
        table["ways"] = self._found(("all", ""), values)
        table["random"] = estimate(self._random()[is_ill].mean())
        table["auroc"] = self._auroc("truth", values)
        groups: dict[str, list[dict[str, Any]]] = {}
        for grouping, name, part in self._parts:
            ill_here = part[self._ill[part] > 0]
            entry: dict[str, Any] = {"group": name, "rows": len(part), "ill": len(ill_here)}
            entry["too_few"] = not enough_people(self._rows, ill_here)
            if not entry["too_few"]:
                entry["ways"] = self._found((grouping, name), values)
            groups.setdefault(grouping, []).append(entry)
        table["groups"] = groups
        table["low_contact"] = _lowest(groups.get(FIFTH_OF_CONTACT))
        table["fairness"] = {name: self._fairness(name, groups[name], values) for name in FAIR if name in groups}
        return table

    def _found(self, key: tuple[str, str], values: dict) -> dict[str, Any]:
        table = self._side_by_side(("truth", *key), values, "share")
        for name in table:
            table[name]["ill_listed"] = int(values["truth", *key, name]["held"][0])
        return table

    def _side_by_side(self, key: tuple[str, ...], values: dict, measure: str) -> dict[str, Any]:
        """Each way's value with its interval, and what the shipped way finds more (paired, from the same resamples)."""
        shipped = self._beside.shipped
        table: dict[str, Any] = {}
        for name in self._lists:
            value, replicates = float(values[*key, name][measure][0]), self._replicates.of(*key, name, measure)
            # where none or all are found, resamples know no other share: no interval rather than a false one
            table[name] = {measure: estimate(value, replicates if 0 < value < 1 else None)}
            if name != shipped:
                ours = float(values[*key, shipped][measure][0])
                apart = self._replicates.of(*key, shipped, measure) - replicates
                table[name]["shipped_minus"] = estimate(ours - value, apart)
        return table

    def _auroc(self, about: str, values: dict) -> dict[str, Estimate]:
        share, weight = self._sought[about]
        found = {}
        for name, score in self._beside.scores.items():
            known = np.isfinite(score)
            exact = soft_auroc(share[known], score[known], weight[known])
            key = (f"{about} auroc", name)
            found[name] = self._replicates.estimates(key, {"auroc": exact}, values[key])["auroc"]
        return found

    def _fairness(self, grouping: str, table: list[dict[str, Any]], values: dict) -> dict[str, Any]:
        """The least found group's share of its ill beside the most found group's, for coded and shipped.

        Which groups these are is settled on the rows as they are, and they are followed through the resamples: an
        interval above 1 in part says that the two need not differ. Unknown groups and those with few ill are left out.
        """
        named = [entry["group"] for entry in table if not entry["too_few"] and entry["group"] not in _UNKNOWN]
        found: dict[str, Any] = {}
        ratios: dict[str, tuple[float, Floats]] = {}
        if len(named) < 2:
            return found
        for way in dict.fromkeys((CODED, self._beside.shipped)):
            if way not in self._lists:
                continue
            shares = {name: float(values["truth", grouping, name, way]["share"][0]) for name in named}
            low, high = min(named, key=lambda name: shares[name]), max(named, key=lambda name: shares[name])
            if shares[high] <= 0:
                continue
            below, above = (self._replicates.of("truth", grouping, name, way, "share") for name in (low, high))
            ratios[way] = shares[low] / shares[high], ratio(below, above)
            found[way] = {"least_found": low, "most_found": high, "ratio": estimate(*ratios[way])}
        if len(ratios) == 2:
            (before, resampled_before), (after, resampled_after) = ratios[CODED], ratios[self._beside.shipped]
            found["shipped_minus_coded"] = estimate(after - before, resampled_after - resampled_before)
        return found

    def _random(self) -> Floats:
        """Each row's chance of a place if its slot's list were drawn at random."""
        sizes = np.bincount(self._rows.slot, minlength=len(self._places))
        return np.minimum(1.0, self._places / np.maximum(sizes, 1))[self._rows.slot]


def _lowest(fifths: list[dict[str, Any]] | None) -> dict[str, Any] | None:
    return fifths[0] if fifths and fifths[0]["group"] == CONTACT[0] else None
