"""Four ways of learning from the same people, side by side: coded, verified, verified and weighted, graded.

* coded: the coded diagnosis within the horizon, everybody asked, as the literature does.
* verified: only people who were looked at within the horizon; a case is somebody in whom it was found, yes or no.
* verified and weighted: the same, each weighted by the inverse of the chance of being looked at.
* graded: the evidence itself, a chance between 0 and 1, of everybody looked at or coded; and beside it a coded model
  that cannot see how often somebody attends. Their log-odds are added, the second with the share (0 to 3) that told
  best the evidence of people whom neither had seen.

Why graded: one raised value says less than a high one, and a threshold throws that away. Why the coded model beside it:
where few are looked at, and for a reason, the verified alone know too little of the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from casefinding.definitions.evidence import Learning
from casefinding.disclosure import people_words
from casefinding.learn.calibrate import Calibration, fit_calibration
from casefinding.learn.split import Judged
from casefinding.learn.trees import Forest, blended
from casefinding.learn.verify import Evidence, Overlap

WAYS: tuple[Learning, ...] = Learning.__args__  # type: ignore[attr-defined]
CODED, VERIFIED, WEIGHTED, GRADED = WAYS
SHARES = (0.0, 0.25, 0.5, 1.0, 2.0, 3.0)
"""Shares of the coded model beside the graded one that are tried; 0: the evidence speaks alone."""
FARTHEST, SHARPEST = 4.0, 2.0
"""Distances from a line beyond 4 times the give or take tell no more; log-odds are at most doubled."""
ENOUGH = 1e-3
"""A larger share must lower the deviance by a thousandth to be taken: the simpler model where both tell the same."""


@dataclass(frozen=True)
class Way:
    """One way of learning: which rows, what they teach, with what weight; `why_not` where it cannot be done."""

    name: Learning
    rows: np.ndarray  # bool a row
    label: np.ndarray  # 0 to 1 a row, NaN outside `rows`
    weight: np.ndarray  # for learning
    calibration_weight: np.ndarray  # for the map from raw score to chance
    forests: tuple[Forest, ...] = ()
    forest_rows: tuple[np.ndarray, ...] = ()  # bool a row, a forest
    why_not: str = ""
    overlap: Overlap | None = None

    def refused(self, why: str) -> Way:
        return replace(self, why_not=why)


@dataclass(frozen=True)
class Grown:
    """What one way gave: out-of-group raw scores of every row, chances of the judged, the shares of its parts."""

    way: Way
    raw: np.ndarray
    chance: np.ndarray  # NaN but for judged rows
    shares: tuple[float, ...]  # of the final model's forests
    calibration: Calibration

    @property
    def facts(self) -> dict[str, Any]:
        """What to say of it in the bundle: exact counts, to be rounded by whoever publishes."""
        rows = self.way.rows
        found = float(np.nansum(np.where(rows, self.way.label, 0.0)))
        facts: dict[str, Any] = {"rows": int(rows.sum()), "found": round(found, 1), "why not": self.way.why_not}
        if len(self.shares) > 1:
            facts["share of the coded model"] = self.shares[1]
        if self.way.overlap is not None:
            facts["overlap"] = self.way.overlap.as_dict()
        return facts


def ways_of(
    forest: Forest,
    case: np.ndarray,
    followed: np.ndarray,
    censoring: np.ndarray,
    evidence: Evidence | None,
    weights: tuple[np.ndarray, Overlap] | None,
    attendance: Sequence[int],
) -> dict[str, Way]:
    """The ways that a condition offers; those whose label or weights cannot be had carry `why_not`.

    `forest` holds the features of every row; `case` 0/1 with `censoring` weights counts where `followed`; `weights`
    from verify.verification_weights; `attendance`: the columns that a coded model beside the graded one must not see.
    """

    def way(name: Learning, rows: np.ndarray, label: np.ndarray, weight: np.ndarray, calibration: np.ndarray) -> Way:
        taught = np.where(rows, label, np.nan)
        own = replace(forest, case=taught, weight=weight)
        return Way(name, rows, taught, weight, calibration, (own,), (rows,))

    found = {CODED: way(CODED, followed, case, censoring, censoring)}
    if evidence is None or weights is None:
        return found
    ones = np.ones(len(case))
    weight, overlap = weights
    looked_at, sure = evidence.verified, evidence.found.astype(np.float64)
    found[VERIFIED] = way(VERIFIED, looked_at, sure, ones, ones)
    found[WEIGHTED] = replace(way(WEIGHTED, looked_at, sure, weight, weight), overlap=overlap, why_not=overlap.why_not)
    # Coded without a test on record: noticed, not looked for. They are learned from only where too few were looked at.
    told = evidence.found & (
        evidence.verified | (float(evidence.chance[looked_at].sum()) < forest.learner.fewest_cases)
    )
    known = looked_at | told
    # The chance is of being found by looking: its map rests on people who were looked at.
    reach = weight if overlap.why_not == "" else looked_at.astype(np.float64)
    graded = replace(way(GRADED, known, evidence.chance, ones, reach), overlap=overlap)
    blind = forest.x.copy() if len(attendance) else forest.x
    blind[:, list(attendance)] = np.nan
    beside = replace(forest, x=blind, case=np.where(followed, case, np.nan), weight=censoring)
    found[GRADED] = replace(graded, forests=(*graded.forests, beside), forest_rows=(known, followed))
    return found


def enough(way: Way, judged: Sequence[Judged], fewest: int) -> Way:
    """The same way, refused where it has too little to learn from, or without the part that has too little."""
    if way.why_not:
        return way
    rows, cases = int(way.rows.sum()), int((way.label[way.rows] >= 0.5).sum())
    among = people_words(rows)
    if cases < fewest:
        return way.refused(f"{people_words(cases)} cases among {among} rows, and {fewest:,} are needed")
    if rows - cases < fewest:
        others = people_words(rows - cases)
        return way.refused(f"{others} rows without the disease among {among}, and {fewest:,} are needed")
    kept = []
    for place, (forest, part) in enumerate(zip(way.forests, way.forest_rows, strict=True)):
        for group in judged:
            learned = group.learned_from & part
            cases = float(forest.case[learned].sum())
            if not 0 < cases < int(learned.sum()):
                if place == 0:
                    few = people_words(round(cases))
                    return way.refused(f"one group of practices would be judged by a model of {few} cases")
                break
        else:
            if place == 0 or float(forest.case[part].sum()) >= fewest:
                kept.append(place)
    return replace(
        way,
        forests=tuple(way.forests[place] for place in kept),
        forest_rows=tuple(way.forest_rows[place] for place in kept),
    )


def combine(way: Way, judged: Sequence[Judged], boosters: Mapping[tuple[int, int], Any], latest: np.ndarray) -> Grown:
    """Out-of-group raw scores and chances of one way; `boosters` by (place of the forest, number of the group).

    For each group of practices the share of the second forest and the map to a chance are fitted on the other groups'
    rows of earlier days, each predicted by the model that did not see its own group; for the final model on all rows.
    """
    parts = []
    for place, forest in enumerate(way.forests):
        raw = np.full(len(latest), np.nan)
        for number, group in enumerate(judged):
            raw[group.own] = boosters[place, number].predict(forest.x[group.own], raw_score=True, num_threads=1)
        parts.append(raw)
    chance, raw = np.full(len(latest), np.nan), np.full(len(latest), np.nan)
    for group in judged:
        rows = group.learned_from & way.rows
        shares = best_shares(parts, rows, way)
        here = mixed(parts, shares)
        raw[group.own] = here[group.own]
        map_ = map_to_chance(here[rows], way.label[rows], way.calibration_weight[rows])
        chance[group.latest] = map_.chance(here[group.latest])
    there = way.rows & ~np.isnan(parts[0])
    shares = best_shares(parts, there, way)
    final = mixed(parts, shares)
    calibration = map_to_chance(final[there], way.label[there], way.calibration_weight[there])
    return Grown(way, raw, chance, shares, calibration)


def map_to_chance(raw: np.ndarray, label: np.ndarray, weight: np.ndarray) -> Calibration:
    """The logistic map from raw score to chance; for graded labels, to the chance of lying beyond the line itself.

    One test scatters about a person's usual value by the `give or take` of its grade, so what one test finds tells high
    and low scores apart less than the usual value does (regression dilution). With the graded chance turned back into
    distances from the line (in units of the give or take, so that the scatter has variance 1) and v their variance
    about the raw score's line, the log-odds of what is found are multiplied by sqrt(v / (v - 1)), at most SHARPEST
    (probit scaling; Carroll et al., Measurement Error in Nonlinear Models, 2006, section 4.8). Labels of 0 and 1 are
    taken as they are.
    """
    used = weight > 0
    raw, label, weight = raw[used], label[used], weight[used]
    between = (label > 0) & (label < 1)
    calibration = fit_calibration(raw, (label >= 0.5).astype(np.float64), weight)
    if not between.any():
        return calibration
    from scipy.special import ndtri

    distance = np.clip(ndtri(np.clip(label, 1e-9, 1 - 1e-9)), -FARTHEST, FARTHEST)
    slope, level = np.polyfit(raw, distance, 1, w=np.sqrt(weight))
    scatter = float(np.average((distance - level - slope * raw) ** 2, weights=weight))
    sharper = min(SHARPEST, float(np.sqrt(scatter / max(scatter - 1.0, 1e-9))))
    return Calibration(slope=calibration.slope * sharper, intercept=calibration.intercept * sharper)


def best_shares(parts: Sequence[np.ndarray], rows: np.ndarray, way: Way) -> tuple[float, ...]:
    """Which share of the second forest's log-odds tells the evidence best (weighted deviance after recalibration)."""
    if len(parts) == 1:
        return (1.0,)
    best, lowest = 0.0, np.inf
    for share in SHARES:
        raw = mixed(parts, (1.0, share))[rows]
        label, weight = way.label[rows], way.calibration_weight[rows]
        odds = fit_calibration(raw, label, weight).log_odds(raw)
        deviance = float((weight * (np.logaddexp(0.0, odds) - label * odds)).sum() / weight.sum())
        if deviance < lowest * (1 - ENOUGH):
            best, lowest = share, deviance
    return (1.0, best)


def mixed(parts: Sequence[np.ndarray], shares: Sequence[float]) -> np.ndarray:
    """The sum of raw scores, each times its share."""
    return np.add.reduce([share * part for part, share in zip(parts, shares, strict=True)])


def shipped(grown: Grown, boosters: Sequence[Any]) -> Any:
    """The final model as one booster."""
    kept = [(booster, share) for booster, share in zip(boosters, grown.shares, strict=True) if share > 0]
    return blended(kept)
