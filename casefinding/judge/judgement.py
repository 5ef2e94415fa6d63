"""Judge a model on people whom the model that scored them had never seen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from casefinding.errors import UsageError
from casefinding.judge.bootstrap import FEWEST, resamples
from casefinding.judge.capture import Capture
from casefinding.judge.drawing import curves
from casefinding.judge.groups import groupings
from casefinding.judge.publishing import published
from casefinding.judge.rows import Rows
from casefinding.judge.tables import Dealer, Parts, Whole
from casefinding.judge.truth import Truth
from casefinding.judge.yields import places


@dataclass(frozen=True)
class Judgement:
    """What was measured: plain dicts, lists, text, whole numbers and floats; None where a measure is not defined.

    Its counts are exact and stay in memory: what leaves the job is `published`, from which `as_dict` and `numbers` are
    made too.

    `overall`: rows, people, cases (people), listed, listed_cases, too_few, rates {measure: {value, low, high}},
    net_benefit [{threshold, value, low, high, everybody, nobody}]. `yardsticks`: the same for "age_sex" and "logistic",
    with model_minus_this. `groups`: by grouping a list of {group, counts, too_few, rates}. `truth`: see capture.py;
    None for real people. `curves`: see drawing.py. `method`: how all this was reached.
    """

    condition: str
    overall: dict[str, Any]
    groups: dict[str, list[dict[str, Any]]]
    yardsticks: dict[str, dict[str, Any]]
    truth: dict[str, Any] | None
    curves: dict[str, Any]
    method: dict[str, Any]

    def published(self) -> Judgement:
        """The same with counts of 1 to 7 people withheld (None), the rest rounded, and rates that rest on them gone."""
        return self if "counts" in self.method else Judgement(**published(asdict(self)))

    def as_dict(self) -> dict[str, Any]:
        """The published form as JSON can hold it."""
        return asdict(self.published())

    def numbers(self) -> dict[str, float]:
        """The headline figures by flat name, for a tracker: `auroc`, `auroc_low`, `auroc_high`, `age_sex_auroc` ..."""
        shown = self.published()
        found: dict[str, float | None] = {}
        for prefix, table in (("", shown.overall), *((f"{name}_", table) for name, table in shown.yardsticks.items())):
            for measure, entry in table["rates"].items():
                for part, suffix in (("value", ""), ("low", "_low"), ("high", "_high")):
                    if entry[part] is not None and (not prefix or part == "value"):
                        found[f"{prefix}{measure}{suffix}"] = entry[part]
        if shown.truth and not shown.truth["too_few"]:
            for length in ("capacity", "top_tenth"):
                for name in ("model", "age_sex", "logistic", "random"):
                    found[f"truth_{length}_{name}"] = shown.truth[length][name]["share"]["value"]
        return {name: float(value) for name, value in found.items() if value is not None and math.isfinite(value)}


def judge(
    condition: str,
    out_of_fold: pa.Table,
    *,
    capacity: Mapping[str, int],
    bootstrap: int,
    seed: int,
    groups: pa.Table,
    truth: Truth | None = None,
    people: pa.Table | None = None,
) -> Judgement:
    """Judge the out-of-fold chances of one condition.

    `out_of_fold`: person, index_day, practice, case (0/1), weight, chance, chance_age_sex, chance_logistic, each row
    predicted by a model that had not seen its practice (nor its time, where it learnt from earlier index days; see
    learn.fit.train). `capacity`: practice -> length of its list on one index day. `groups`: age, sex, ethnicity,
    imd_decile and optionally contacts (in the year before), row for row. `bootstrap`: resamples of people (20 or more).
    `truth` (made-up people only) needs `people`, the store's person table. The same input and seed give the same
    figures. LearnError, ConfigError, RecordsError, UsageError.
    """
    if bootstrap < FEWEST:
        raise UsageError(f"at least {FEWEST} resamples are needed", where="bootstrap")
    rows = Rows.read(out_of_fold, seed)
    found_groups = groupings(groups, rows)
    length = places(rows, capacity)
    dealer = Dealer(rows.slot, length, rows)
    whole, parts = Whole(rows), Parts(rows, found_groups)
    ill = capture = None
    if truth is not None:
        if people is None:
            raise UsageError("the truth is by pseudonym: the person table is needed to join it", where="judge")
        ill = truth.about(condition, rows.number, rows.day, people)
        capture = Capture(rows, ill, length, found_groups)
    for counts in resamples(rows.person, rows.people, bootstrap, seed):
        draw = dealer.deal(counts)
        for table in (whole, parts, *([capture] if capture else [])):
            table.add(draw)
    as_it_is = dealer.deal(np.ones((len(rows), 1)))
    results = whole.results(as_it_is)
    return Judgement(
        condition=condition,
        overall=results.pop("model"),
        groups=parts.results(as_it_is),
        yardsticks=results,
        truth=capture.result(as_it_is) if capture else None,
        curves=curves(rows, None if ill is None else ill.ill),
        method={
            "bootstrap": bootstrap,
            "seed": seed,
            "resampled": "people, with all their rows; practices and index days as they are",
            "interval": "95%, percentile",
            "weights": "outcome weight (inverse chance of not being censored)",
            "lists": "in each practice on each index day its capacity of people with the highest chances",
            "places": int(as_it_is.taken["model"].times.sum()),
            "index_days": len(np.unique(rows.day)),
            "practices": len(rows.practices),
        },
    )
