"""Judged on people who were looked at: more is known of them than the code, and each counts for people like them.

A person looked at within the horizon stands for 1 / chance of being looked at (stabilised, truncated) people. What was
found is a share (soft.py). This is as near as real records come to the truth: it rests on all that tells who is looked
at being in the features, and on nobody being without any chance of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from casefinding.judge import decision
from casefinding.judge.beside import RULES, Beside
from casefinding.judge.bootstrap import estimate, plain
from casefinding.judge.calibrated import Calibration, enough
from casefinding.judge.flexible import NAMES, recentred
from casefinding.judge.groups import Grouping
from casefinding.judge.measures import Replicates
from casefinding.judge.rows import Floats, Rows
from casefinding.judge.soft import SoftCells, soft_auroc, soft_measures
from casefinding.judge.tables import Draw

COMPARED = ("auroc", "brier")


class Verified:
    """Every way on the people who were looked at; None of it where fewer than 8 of them are cases, or are not."""

    def __init__(self, rows: Rows, beside: Beside, groupings: tuple[Grouping, ...]) -> None:
        assert beside.looked_at is not None
        assert beside.share is not None
        self._rows, self._beside = rows, beside
        self._weight, self._share = beside.looked_at, beside.share
        everyone = np.arange(len(rows))
        self.enough = enough(rows, self._share, self._weight, everyone)
        self._cells: dict[str, SoftCells] = {}
        self._replicates = Replicates()
        if self.enough:
            self._calibration = Calibration(rows, self._share, self._weight, groupings)
            self._cells = {
                name: SoftCells(
                    self._share, self._weight, score, [everyone], of_chance=name in beside.chances,
                    curve=name in beside.chances,
                    thresholds=decision.TABLE_THRESHOLDS if name in beside.chances else (),
                )
                for name, score in beside.scores.items()
            }  # fmt: skip

    def add(self, draw: Draw) -> None:
        """Measure some resamples."""
        if not self.enough:
            return
        self._calibration.add(draw)
        for name, cells in self._cells.items():
            self._replicates.add((name,), cells.of(draw.counts)[0])
        if self._beside.rank is not None:
            self._replicates.add((RULES,), self._rules(draw.counts))

    def result(self, draw: Draw) -> dict[str, Any]:
        """The comparison as plain dicts; `draw` holds the rows as they are."""
        rows, used = self._rows, self._weight > 0
        weight = self._weight[used]
        found: dict[str, Any] = {
            "people": len(np.unique(rows.person)),
            "looked_at": len(np.unique(rows.person[used])),
            "too_few": not self.enough,
        }
        if not self.enough:
            return found
        found["effective"] = plain(weight.sum() ** 2 / (weight @ weight))
        found["found_share"] = plain(np.average(self._share[used], weights=weight))
        found["shipped"] = self._beside.shipped
        celled = {name: cells.of(draw.counts)[0] for name, cells in self._cells.items()}
        values = {name: self._values(name) for name in self._cells}
        found["ways"] = {name: self._way(name, values, celled) for name in self._cells}
        found["calibration"] = self._calibration.result(draw)
        found["net_benefit"] = self._net_benefit()
        found["curve"] = self._decision_curve()
        return found

    def _values(self, name: str) -> dict[str, float | None]:
        score = self._beside.scores[name]
        used = (self._weight > 0) & np.isfinite(score)
        given = self._share[used], score[used], self._weight[used]
        return soft_measures(*given) if name in self._beside.chances else {"auroc": plain(soft_auroc(*given))}

    def _way(self, name: str, values: dict, celled: dict) -> dict[str, Any]:
        used = (self._weight > 0) & np.isfinite(self._beside.scores[name])
        shipped = self._beside.shipped
        plainly = {measure: value for measure, value in values[name].items() if measure not in NAMES}
        rates = self._replicates.estimates((name,), plainly, celled[name])
        for measure in NAMES if name in self._beside.chances else ():
            value = values[name][measure]
            resampled = recentred(value, self._replicates.of(name, measure))
            rates[measure] = estimate(float("nan") if value is None else value, resampled)
        entry: dict[str, Any] = {"scored": len(np.unique(self._rows.person[used])), "rates": rates}
        if name != shipped:
            entry["shipped_minus"] = {}
            for measure in COMPARED if name in self._beside.chances else COMPARED[:1]:
                ours, theirs = values[shipped][measure], values[name][measure]
                value = float("nan") if ours is None or theirs is None else ours - theirs
                apart = self._replicates.of(shipped, measure) - self._replicates.of(name, measure)
                move = value - float(celled[shipped][measure][0] - celled[name][measure][0])
                entry["shipped_minus"][measure] = estimate(value, apart + move)
        return entry

    # ------------------------------------------------------------------------------------------------ net benefit

    def _rules(self, counts: Floats) -> dict[str, Floats]:
        """Net benefit of testing those with a rule, in every resample."""
        named = np.isfinite(self._beside.rank) if self._beside.rank is not None else np.zeros(0, bool)
        weight = self._weight * named
        true, tested, all_weight = (weight * self._share) @ counts, weight @ counts, self._weight @ counts
        with np.errstate(divide="ignore", invalid="ignore"):
            return {
                f"net_benefit_{t}": (true - (tested - true) * t / (1 - t)) / all_weight
                for t in decision.TABLE_THRESHOLDS
            }

    def _worth(self, score: Floats, thresholds: Floats) -> Floats:
        used = self._weight > 0
        worth = decision.net_benefit(self._share[used], score[used], thresholds, self._weight[used])
        told = decision.tellable_at(self._rows.person[used], self._share[used], score[used], thresholds)
        return np.where(told, worth, np.nan)

    def _testers(self) -> dict[str, Floats]:
        """Whose net benefit is compared: the shipped way, coded, age and sex, and rules (no threshold moves these)."""
        names = dict.fromkeys((self._beside.shipped, "coded", "age_sex"))
        found = {name: self._beside.scores[name] for name in names if name in self._beside.scores}
        if self._beside.rank is not None:
            found[RULES] = np.where(np.isfinite(self._beside.rank), 1.0, -1.0)
        return found

    def _net_benefit(self) -> list[dict[str, Any]]:
        thresholds = np.array(decision.TABLE_THRESHOLDS)
        testers, used = self._testers(), self._weight > 0
        worth = {name: self._worth(score, thresholds) for name, score in testers.items()}
        everybody = decision.treat_all(self._share[used], thresholds, self._weight[used])
        shipped, table = self._beside.shipped, []
        for place, threshold in enumerate(decision.TABLE_THRESHOLDS):
            measure = f"net_benefit_{threshold}"
            resampled = {name: self._replicates.of(name, measure) for name in testers}
            row: dict[str, Any] = {"threshold": threshold, "everybody": float(everybody[place])}
            row["ways"] = {name: estimate(worth[name][place], resampled[name]) for name in testers}
            row["shipped_minus"] = {
                name: estimate(worth[shipped][place] - worth[name][place], resampled[shipped] - resampled[name])
                for name in testers
                if name != shipped
            }
            table.append(row)
        return table

    def _decision_curve(self) -> dict[str, Any]:
        thresholds, used = np.array(decision.CURVE_THRESHOLDS), self._weight > 0
        found: dict[str, Any] = {"threshold": [plain(t) for t in thresholds]}
        for name, score in self._testers().items():
            found[name] = [plain(value) for value in self._worth(score, thresholds)]
        everybody = decision.treat_all(self._share[used], thresholds, self._weight[used])
        return found | {"everybody": [plain(value) for value in everybody], "nobody": [0.0] * len(thresholds)}
