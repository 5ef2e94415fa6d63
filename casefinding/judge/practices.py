"""From practice to practice: internal-external validation (Royston, Parmar and Sylvester, Stat Med 2004;23:907).

Every practice's people were scored by models that had never seen the practice. So its AUROC, calibration slope and
observed/expected are those of a model carried to a new place; `pooling.py` sums them up over practices and says what a
further practice may expect. AUROC is pooled as log-odds and observed/expected as a logarithm (Snell and others, Stat
Methods Med Res 2018;27:3505). A practice's sampling variance comes from the resamples of people.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from casefinding.judge.beside import Beside
from casefinding.judge.bootstrap import plain
from casefinding.judge.measures import Replicates
from casefinding.judge.pooling import pool
from casefinding.judge.rows import Floats, Ints, Rows
from casefinding.judge.soft import SoftCells, soft_measures
from casefinding.judge.tables import Draw

MEASURES = ("auroc", "calibration_slope", "observed_expected")
FEWEST_IN_PRACTICE = 10
"""A practice with fewer cases (by share), or fewer who are not, is left out and counted: its estimates are no normal
variable about the true value, which pooling takes them for."""
_TO = {
    "auroc": lambda value: np.log(value) - np.log1p(-value),
    "calibration_slope": lambda value: value,
    "observed_expected": np.log,
}
_BACK = {
    "auroc": lambda value: 1 / (1 + np.exp(-value)),
    "calibration_slope": lambda value: value,
    "observed_expected": np.exp,
}


class Practices:
    """The shipped chance in every practice, against what was coded and against what was found in those looked at."""

    def __init__(self, rows: Rows, beside: Beside) -> None:
        self._rows, self._chance = rows, rows.scores["model"]
        outcomes = {"coded": (rows.case, rows.weight)}
        if beside.share is not None and beside.looked_at is not None:
            outcomes["verified"] = (beside.share, beside.looked_at)
        self._outcomes = outcomes
        self._parts = {about: self._large(share, weight) for about, (share, weight) in outcomes.items()}
        self._cells = {
            about: SoftCells(share, weight, self._chance, [part for _, part in self._parts[about]])
            for about, (share, weight) in outcomes.items()
        }
        self._replicates = Replicates()

    def add(self, draw: Draw) -> None:
        """Measure some resamples."""
        for about, cells in self._cells.items():
            for (name, _), found in zip(self._parts[about], cells.of(draw.counts), strict=True):
                self._replicates.add((about, name), {measure: found[measure] for measure in MEASURES})

    def result(self, _: Draw) -> dict[str, Any]:
        """By outcome: practices, how many of them were too small, and by measure the summary and each practice's value.

        A summary is {mean, low, high, predicted_low, predicted_high, tau, practices}; None where fewer than three
        practices have the measure. `tau` is on the pooled scale.
        """
        return {about: self._about(about) for about in self._outcomes}

    def _about(self, about: str) -> dict[str, Any]:
        share, weight = self._outcomes[about]
        found: dict[str, Any] = {
            "practices": len(self._rows.practices),
            "too_small": len(self._rows.practices) - len(self._parts[about]),
            "fewest_cases": FEWEST_IN_PRACTICE,
        }
        exact = {
            name: soft_measures(share[part], self._chance[part], weight[part]) for name, part in self._parts[about]
        }
        for measure in MEASURES:
            back = _BACK[measure]
            values, variances, each = [], [], []
            for name, _ in self._parts[about]:
                value, variance = self._estimate(about, name, measure, exact[name][measure])
                if variance is None or value is None:
                    continue
                values.append(value)
                variances.append(variance)
                half = 1.959964 * np.sqrt(variance)
                low, at, high = (plain(back(place)) for place in (value - half, value, value + half))
                each.append({"practice": name, "value": at, "low": low, "high": high})
            pooled = pool(values, variances)
            found[measure] = {"each": sorted(each, key=lambda row: -row["value"]), "summary": None}
            if pooled is not None:
                ends = ("mean", "low", "high", "predicted_low", "predicted_high")
                summary = {end: plain(back(getattr(pooled, end))) for end in ends}
                found[measure]["summary"] = {**summary, "tau": plain(pooled.tau), "practices": pooled.practices}
        return found

    def _estimate(self, about: str, name: str, measure: str, value: float | None) -> tuple[float | None, float | None]:
        """A practice's value on the pooled scale and its variance; None where they are not defined."""
        if value is None:
            return None, None
        with np.errstate(divide="ignore", invalid="ignore"):
            at = float(_TO[measure](value))
            resampled = _TO[measure](self._replicates.of(about, name, measure))
        resampled = np.where(np.isfinite(resampled), resampled, np.nan)
        if not np.isfinite(at) or np.isfinite(resampled).mean() < 0.9:
            return None, None
        return at, float(np.nanvar(resampled, ddof=1))

    def _large(self, share: Floats, weight: Floats) -> list[tuple[str, Ints]]:
        """The practices with enough cases and enough who are not, by name."""
        found = []
        for number, name in enumerate(self._rows.practices):
            part = np.flatnonzero((self._rows.practice == number) & (weight > 0))
            cases = float(share[part].sum())
            if min(cases, len(part) - cases) >= FEWEST_IN_PRACTICE:
                found.append((name, part))
        return found
