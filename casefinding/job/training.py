"""One condition learnt: who is asked on which days, what happened after, the matrix, the model, its judgement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from casefinding.cohort.eligible import pair_keys, register_status
from casefinding.definitions.config import Config
from casefinding.definitions.shapes import Definitions, Model
from casefinding.definitions.visits import offered
from casefinding.errors import CohortError, LearnError
from casefinding.job.asking import AHEAD, CONTACTS, Asked, ask
from casefinding.job.progress import Stages
from casefinding.judge.judgement import Judgement, judge
from casefinding.judge.truth import Truth
from casefinding.recall.choice.offers import places
from casefinding.recall.loop.ledger import Ledger
from casefinding.records.store import Store
from casefinding.rules.evaluate import flag
from casefinding.signals.matrix import build_matrix

RANKED = ("act now", "review the record", "invite")
"""Lanes of rules that a model must add to: T0, T1 and T2."""


@dataclass(frozen=True)
class Learnt:
    """A trained and judged model, or the reason why there is none."""

    condition: str
    trained: Any = None
    judgement: Judgement | None = None
    certificate: Any = None  # of the leakage sentinel
    why_not: str = ""
    facts: Mapping[str, Any] | None = None


def learn(
    condition: str,
    definitions: Definitions,
    store: Store,
    config: Config,
    resolution: Mapping[str, Any],
    truth: Path | None,
    stages: Stages,
    ledger: Ledger | None = None,
) -> Learnt:
    """Train and judge one condition; too little to learn from is an answer (`why_not`), not a failure."""
    from casefinding.learn.fit import train

    model = definitions.models[condition]
    label = model.label
    facts: dict[str, Any] = {}
    try:
        asked = ask(condition, definitions, store, config, stages, facts, ledger)
        with stages.stage(f"{label}: learn") as tick:
            trained = train(
                condition, definitions, asked.matrix, asked.base, asked.after, config, evidence=asked.evidence,
                usable=asked.usable, design=asked.design, selection=asked.selection, data_digest=store.digest,
                resolution=resolution, progress=tick,
            )  # fmt: skip
        with stages.stage(f"{label}: look for leaks") as tick:
            certificate = _certificate(condition, definitions, asked, store, config, tick)
        certificate.refuse_a_leak()
    except (LearnError, CohortError) as refusal:
        return Learnt(condition, why_not=str(refusal), facts=facts)
    with stages.stage(f"{label}: judge"):
        known = Truth.read(truth / "truth.parquet") if truth else None
        judgement = judged(condition, definitions, trained.out_of_fold, asked, store, config, known)
    return Learnt(condition, trained, judgement, certificate, facts=facts)


def _certificate(
    condition: str, definitions: Definitions, asked: Asked, store: Store, config: Config, tick: Any
) -> Any:
    """What the leakage sentinel says; at the visit there is one index day a person and no gap to shift."""
    from casefinding.learn.sentinel.certificate import sentinel
    from casefinding.learn.sentinel.lagged import gap_shifted, lagged_twins

    hidden = lagged_twins(definitions, condition)

    def twins(rows: pa.Table) -> pa.Table:
        names = list(hidden.names)
        return build_matrix(store, hidden.definitions, names, rows, threads=config.training.threads)

    ahead = asked.design == AHEAD
    return sentinel(
        condition, definitions, asked.matrix, asked.base,
        asked.shifted if ahead else dict.fromkeys(gap_shifted(definitions, condition), asked.after), config,
        evidence=asked.evidence, usable=asked.usable, progress=tick, twins=twins if ahead else None,
    )  # fmt: skip


def places_of(config: Config, known: Definitions, practices: list[str], test: str) -> dict[str, int]:
    """How many people each practice can invite for a test in a month with what it has, by any visit that holds it."""
    visits = offered(known.visits, [test])
    stated = {code: config.capacity.of(code) for code in practices}
    return {code: places(visits, has, test, has.expected_attendance) for code, has in stated.items()}


def _with_rules(
    condition: str,
    definitions: Definitions,
    out_of_fold: pa.Table,
    asked: Asked,
    rows: np.ndarray,
    store: Store,
    config: Config,
) -> pa.Table:
    """The judged rows with `rule_rank` (order among the rules T0 to T2 that fire, 1 first; NaN: none) and a column
    `score_<name>` for each published score that is a comparator (NaN where an input is missing)."""
    from casefinding.rules.scores import evaluate_score

    model = definitions.models[condition]
    # At the visit rules and scores would see the very reading that is to be told: nothing is compared with them there.
    rules = [rule for rule in model.rules if rule.lane in RANKED and asked.design == AHEAD]
    scores = [score for score in model.scores if score.use == "comparator" and asked.design == AHEAD]
    names = dict.fromkeys(name for one in (*rules, *scores) for name in one.features)
    base = asked.base.take(pa.array(rows))
    matrix = build_matrix(store, definitions, list(names), base, threads=config.training.threads)
    columns = {name: matrix[name].to_numpy() for name in names}
    ranked = model.model_copy(update={"rules": tuple(rules)})
    flags = flag(ranked, columns, register_status(store, definitions, condition, base))
    rank = np.full(base.num_rows, np.nan)
    for rule in rules:
        order = 100.0 * RANKED.index(rule.lane) + rule.priority
        rank = np.where(flags[rule.id], np.fmin(rank, order), rank)
    out_of_fold = out_of_fold.append_column("rule_rank", pa.array(rank))
    for score in scores:
        values = evaluate_score(score, columns).values
        out_of_fold = out_of_fold.append_column(f"score_{score.name}", pa.array(values))
    return out_of_fold


def judged(
    condition: str,
    definitions: Definitions,
    out_of_fold: pa.Table,
    asked: Asked,
    store: Store,
    config: Config,
    truth: Truth | None,
) -> Judgement:
    """The judgement of the out-of-fold rows, with the groups each row belongs to and the rules and scores beside."""
    rows = _positions(asked.base, out_of_fold)
    about = asked.base.select(["person", "index_day", "age", "sex", "ethnicity", "imd_decile", "practice"])
    if CONTACTS in asked.columns:
        about = about.append_column("contacts", pa.array(asked.columns[CONTACTS]))
    groups = about.take(pa.array(rows))
    practices = sorted(set(groups["practice"].to_pylist()))
    return judge(
        condition,
        _with_rules(condition, definitions, out_of_fold, asked, rows, store, config),
        capacity=places_of(config, definitions, practices, definitions.models[condition].test),
        bootstrap=config.bootstrap,
        seed=config.seed,
        groups=groups,
        truth=truth,
        people=store.people_table(),
        labels=_labels(definitions.models[condition]),
    )


def _labels(model: Model) -> dict[str, str]:
    """What the page calls a refitted model and a score that is a comparator."""
    refits = {f"refit_{number}": label for number, label in enumerate(model.refit, start=1)}
    return refits | {f"score_{score.name}": score.label for score in model.scores}


def _positions(table: pa.Table, wanted: pa.Table) -> np.ndarray:
    """Where each (person, index_day) of `wanted` stands in `table`, which is sorted by them."""
    have, want = (person * 100_000 + day for person, day in (pair_keys(table), pair_keys(wanted)))
    return np.searchsorted(have, want)


def latest_possible(store: Store) -> dt.date:
    """The latest index day the records allow: the day after their last day."""
    return store.data_through + dt.timedelta(days=1)
