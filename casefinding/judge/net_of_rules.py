"""Net of rules: what the model adds to the rules at the same number of invitations.

Three lists of one length in every practice: *rules* (those with a rule first, in the order of the rules; the places
left go by lot), *rules_then_model* (the places left go by chance) and *model* (rules play no part). Where rules fill
the places, the first two are the same. What the model finds among people whom no rule names is given by itself.

Found are, per 100 invited: later coded (weighted by the outcome weight), evidence (among the invited who were looked
at, weighted by the inverse chance of that), and the truly ill where the truth is known.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from casefinding.judge.beside import Beside, places_for_share
from casefinding.judge.bootstrap import estimate
from casefinding.judge.measures import Replicates
from casefinding.judge.rows import Floats, Ints, Rows, ratio
from casefinding.judge.tables import Draw
from casefinding.judge.yields import Lists, Taken

LISTS = ("rules", "rules_then_model", "model")
LENGTHS = ("capacity", "share")


class NetOfRules:
    """Counts what the three lists find, resample by resample, at the practices' capacity and at 5% of their people."""

    def __init__(self, rows: Rows, beside: Beside, capacity_places: Ints, ill: Floats | None) -> None:
        assert beside.rank is not None
        self._rows, self._named = rows, np.isfinite(beside.rank)
        self._places = {"capacity": capacity_places, "share": places_for_share(rows)}
        model = rows.scores["model"]
        first = 2.0 + _finite(beside.rank).max() - _finite(beside.rank)  # above every chance, lower ranks higher
        orders = {
            "rules": -beside.rank,
            "rules_then_model": np.where(self._named, first, model),
            "model": model,
        }
        self._lists = {
            (length, name): Lists(rows.slot, places, orders[name], rows.tiebreak)
            for length, places in self._places.items()
            for name in LISTS
        }
        self._sought: dict[str, tuple[Floats, Floats]] = {"coded": (rows.case * rows.weight, rows.weight)}
        if beside.share is not None and beside.looked_at is not None and (beside.looked_at > 0).any():
            self._sought["evidence"] = (beside.share * beside.looked_at, beside.looked_at)
        if ill is not None:
            self._sought["truth"] = (ill, np.ones(len(rows)))
        self._replicates = Replicates()

    def add(self, draw: Draw) -> None:
        """Measure some resamples."""
        for key, lists in self._lists.items():
            for part, found in self._measure(lists.taken(draw.counts)).items():
                self._replicates.add((*key, part), found)

    def result(self, _: Draw) -> dict[str, Any]:
        """By length: how many are invited, what each list finds per 100 of them, and the differences."""
        rows = self._rows
        table: dict[str, Any] = {"rows": len(rows), "with_rule": int(self._named.sum())}
        for length in LENGTHS:
            taken = {name: self._lists[length, name].taken(np.ones((len(rows), 1))) for name in LISTS}
            values = {name: self._measure(taken[name]) for name in LISTS}
            table[length] = {
                name: self._list(taken[name], values[name], (length, name)) for name in LISTS
            } | {"more_than_rules": self._more(length, values)}  # fmt: skip
        return table

    def _measure(self, taken: Taken) -> dict[str, dict[str, Floats]]:
        """What a list finds per 100 invited: of all on it, and of those on it whom no rule names."""
        return {
            part: {name: 100 * ratio(some.total(found), some.total(of)) for name, (found, of) in self._sought.items()}
            for part, some in (("everybody", taken), ("no_rule", taken.within(~self._named)))
        }

    def _list(self, taken: Taken, values: dict[str, dict[str, Floats]], key: tuple[str, str]) -> dict[str, Any]:
        entry: dict[str, Any] = {}
        for part, some in (("everybody", taken), ("no_rule", taken.within(~self._named))):
            on_list = some.listed(len(self._rows))
            entry[part] = {"invited": int(on_list.sum()), "per_100": {}}
            for name in self._sought:
                of, found = self._people(on_list, name)
                resampled = self._replicates.of(*key, part, name) if 0 < found < of else None  # else a false one
                entry[part]["per_100"][name] = {
                    **estimate(float(values[part][name][0]), resampled),
                    "known": of,
                    "found": found,
                }
        return entry

    def _people(self, on_list: np.ndarray, name: str) -> tuple[int, int]:
        """Of those on a list: how many are known in this respect, and how many (shares rounded) were found."""
        found, of = self._sought[name]
        here = on_list & (of > 0)
        return int(here.sum()), round(float((found[here] / of[here]).sum()))

    def _more(self, length: str, values: dict[str, dict[str, dict[str, Floats]]]) -> dict[str, Any]:
        """What the other lists find more per 100 invited than rules and the lot: of all, and of those with no rule."""
        found: dict[str, Any] = {}
        for name in LISTS[1:]:
            for part in ("everybody", "no_rule"):
                entry = found.setdefault(name, {}).setdefault(part, {})
                for measure in self._sought:
                    value = float(values[name][part][measure][0] - values["rules"][part][measure][0])
                    ours = self._replicates.of(length, name, part, measure)
                    entry[measure] = estimate(value, ours - self._replicates.of(length, "rules", part, measure))
        return found


def _finite(rank: Floats) -> Floats:
    """Ranks with 0 for those who have none."""
    return np.where(np.isfinite(rank), rank, 0.0)
