"""Judge a model on people whom the model that scored them had never seen."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from casefinding.errors import UsageError
from casefinding.judge.beside import Beside
from casefinding.judge.bootstrap import FEWEST, resamples
from casefinding.judge.capture import Capture
from casefinding.judge.drawing import curves
from casefinding.judge.groups import Grouping, fifths_of_contact, groupings
from casefinding.judge.headlines import headlines
from casefinding.judge.net_of_rules import NetOfRules
from casefinding.judge.practices import Practices
from casefinding.judge.publishing import published
from casefinding.judge.rows import Floats, Ints, Rows
from casefinding.judge.tables import Dealer, Draw, Parts, Whole
from casefinding.judge.truth import Truth
from casefinding.judge.verified import Verified
from casefinding.judge.ways import Ways
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

    None for a table without ways of learning: `ways` (see ways.py), `verified` (verified.py; None too where nobody can
    be said to have been looked at), `practices` (practices.py), `net_of_rules` (net_of_rules.py; None too where no
    rule speaks).
    """

    condition: str
    overall: dict[str, Any]
    groups: dict[str, list[dict[str, Any]]]
    yardsticks: dict[str, dict[str, Any]]
    truth: dict[str, Any] | None
    curves: dict[str, Any]
    method: dict[str, Any]
    ways: dict[str, Any] | None = None
    verified: dict[str, Any] | None = None
    practices: dict[str, Any] | None = None
    net_of_rules: dict[str, Any] | None = None

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
        found |= headlines(shown.ways, shown.verified, shown.practices, shown.net_of_rules)
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
    labels: Mapping[str, str] | None = None,
) -> Judgement:
    """Judge the out-of-fold chances of one condition.

    `out_of_fold`: person, index_day, practice, case (0/1), weight, chance, chance_age_sex, chance_logistic, each row
    predicted by a model that had not seen its practice (nor its time, where it learnt from earlier index days; see
    learn.fit.train). It may hold other ways of learning, scores in use, rules and what was found in those looked at:
    see beside.py. `capacity`: practice -> length of its list on one index day. `groups`: age, sex, ethnicity,
    imd_decile and optionally contacts (in the year before), row for row. `bootstrap`: resamples of people (20 or more).
    `truth` (made-up people only) needs `people`, the store's person table. `labels`: what a page calls a way, by the
    names of beside.py ("refit_1", "score_NAME"); kept in `method`. The same input and seed give the same
    figures. LearnError, ConfigError, RecordsError, UsageError.
    """
    from threadpoolctl import threadpool_limits

    if bootstrap < FEWEST:
        raise UsageError(f"at least {FEWEST} resamples are needed", where="bootstrap")
    rows = Rows.read(out_of_fold, seed)
    found_groups = groupings(groups, rows)
    length = places(rows, capacity)
    dealer = Dealer(rows.slot, length, rows)
    whole, parts = Whole(rows), Parts(rows, found_groups)
    ill = capture = None
    sick = None
    if truth is not None:
        if people is None:
            raise UsageError("the truth is by pseudonym: the person table is needed to join it", where="judge")
        ill = truth.about(condition, rows.number, rows.day, people)
        sick = ill.ill
        capture = Capture(rows, ill, length, found_groups)
    parted = (*found_groups, *fifths_of_contact(groups, rows))
    more = _Sections.of(rows, Beside.read(out_of_fold, rows), parted, length, sick)
    with threadpool_limits(1, user_api="blas"):  # the products are small: threads would wait for each other
        for counts in resamples(rows.person, rows.people, bootstrap, seed):
            draw = dealer.deal(counts)
            for table in (whole, parts, *([capture] if capture else []), *more.tables):
                table.add(draw)
        as_it_is = dealer.deal(np.ones((len(rows), 1)))
        results = whole.results(as_it_is)
        return Judgement(
            condition=condition,
            overall=results.pop("model"),
            groups=parts.results(as_it_is),
            yardsticks=results,
            truth=capture.result(as_it_is) if capture else None,
            curves=curves(rows, sick, more.with_rule),
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
                **({"labels": dict(labels)} if labels else {}),
            },
            **more.results(as_it_is),
        )


@dataclass(frozen=True)
class _Sections:
    """The tables of a judgement that only a table with ways of learning allows."""

    ways: Ways | None = None
    verified: Verified | None = None
    practices: Practices | None = None
    net_of_rules: NetOfRules | None = None
    with_rule: NDArray[np.bool_] | None = None

    @classmethod
    def of(
        cls, rows: Rows, beside: Beside | None, groupings: tuple[Grouping, ...], places: Ints, ill: Floats | None
    ) -> _Sections:
        if beside is None:
            return cls()
        ruled = beside.with_rule is not None and bool(beside.with_rule.any())
        return cls(
            ways=Ways(rows, beside, groupings, ill),
            verified=Verified(rows, beside, groupings) if beside.looked_at is not None else None,
            practices=Practices(rows, beside),
            net_of_rules=NetOfRules(rows, beside, places, ill) if ruled else None,
            with_rule=beside.with_rule if ruled else None,
        )

    @property
    def tables(self) -> list[Any]:
        return [table for table in (self.ways, self.verified, self.practices, self.net_of_rules) if table is not None]

    def results(self, draw: Draw) -> dict[str, Any]:
        return {
            name: table.result(draw)
            for name in ("ways", "verified", "practices", "net_of_rules")
            if (table := getattr(self, name)) is not None
        }
