"""One condition learnt: who is asked on which days, what happened after, the matrix, the model, its judgement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from casefinding.cohort.eligible import eligible, pair_keys, register_status, registered
from casefinding.cohort.outcome import outcomes, training_index_days
from casefinding.definitions.config import Config
from casefinding.definitions.shapes import Definitions, features_in
from casefinding.errors import LearnError
from casefinding.job.progress import Stages
from casefinding.judge.judgement import Judgement, judge
from casefinding.judge.truth import Truth
from casefinding.records.store import Store
from casefinding.rules.evaluate import evaluate
from casefinding.signals.matrix import build_matrix

CONTACTS = "contact_count_12m"
"""The feature by which the judge tells frequent from infrequent attenders, where the definitions have it."""


@dataclass(frozen=True)
class Learnt:
    """A trained and judged model, or the reason why there is none."""

    condition: str
    trained: Any = None
    judgement: Judgement | None = None
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
) -> Learnt:
    """Train and judge one condition; too little to learn from is an answer (`why_not`), not a failure."""
    from casefinding.learn.fit import train

    model = definitions.models[condition]
    label = model.label
    facts: dict[str, Any] = {}
    try:
        days = training_index_days(config.index_day, store.data_through, model, config.training)
        facts["index days"] = [day.isoformat() for day in days]
        with stages.stage(f"{label}: who was asked, and what happened"):
            base = only_practices(registered(store, days), config)
            status = register_status(store, definitions, condition, base)
            asked, _ = eligible(base, model, status)
            base = base.filter(pa.array(asked))
            after = outcomes(store, definitions, condition, base)
            facts["outcomes"] = _counts(after)
            used = np.isin(after["outcome"].to_numpy(zero_copy_only=False), ("case", "control", "censored"))
            base, after = base.filter(pa.array(used)), after.filter(pa.array(used))
        with stages.stage(f"{label}: features") as tick:
            dropped = {"training", "everything"}
            leave_outs = [rule for rule in definitions.leave_outs_for(condition) if dropped & set(rule.drop_from)]
            names = dict.fromkeys(model.features)
            for rule in leave_outs:
                names.update(dict.fromkeys(features_in(rule.when)))
            if CONTACTS in definitions.features:
                names[CONTACTS] = None
            matrix = build_matrix(store, definitions, list(names), base, threads=config.training.threads, progress=tick)
            columns = {name: matrix[name].to_numpy() for name in names}
            usable = np.ones(base.num_rows, dtype=bool)
            for rule in leave_outs:
                held = evaluate(rule.when, columns)
                facts.setdefault("left out of training", {})[rule.label] = int((held & usable).sum())
                usable &= ~held
        with stages.stage(f"{label}: learn") as tick:
            trained = train(
                condition, definitions, matrix, base, after, config,
                usable=usable, data_digest=store.digest, resolution=resolution, progress=tick,
            )  # fmt: skip
    except LearnError as refusal:
        return Learnt(condition, why_not=str(refusal), facts=facts)
    with stages.stage(f"{label}: judge"):
        judgement = _judged(condition, trained.out_of_fold, base, columns, store, config, model.test, truth)
    return Learnt(condition, trained, judgement, facts=facts)


def only_practices(base: pa.Table, config: Config) -> pa.Table:
    """The rows of the practices that the config asks for."""
    if not config.practices:
        return base
    return base.filter(pa.array(np.isin(base["practice"].to_numpy(zero_copy_only=False), config.practices)))


def places_of(config: Config, practices: list[str], test: str) -> dict[str, int]:
    """Each practice's places a month for a test."""
    return {code: config.capacity.of(code).tests.get(test, 0) for code in practices}


def _counts(after: pa.Table) -> dict[str, int]:
    kinds, numbers = np.unique(after["outcome"].to_numpy(zero_copy_only=False), return_counts=True)
    return {str(kind): int(number) for kind, number in zip(kinds, numbers, strict=True)}


def _judged(
    condition: str,
    out_of_fold: pa.Table,
    base: pa.Table,
    columns: Mapping[str, np.ndarray],
    store: Store,
    config: Config,
    test: str,
    truth: Path | None,
) -> Judgement:
    """The judgement of the out-of-fold rows, with the groups each row belongs to."""
    key = ["person", "index_day"]
    about = base.select([*key, "age", "sex", "ethnicity", "imd_decile", "practice"])
    if CONTACTS in columns:
        about = about.append_column("contacts", pa.array(columns[CONTACTS]))
    rows = _positions(about, out_of_fold)
    groups = about.take(pa.array(rows))
    practices = sorted(set(groups["practice"].to_pylist()))
    return judge(
        condition,
        out_of_fold,
        capacity=places_of(config, practices, test),
        bootstrap=config.bootstrap,
        seed=config.seed,
        groups=groups,
        truth=Truth.read(truth / "truth.parquet") if truth else None,
        people=store.people_table(),
    )


def _positions(table: pa.Table, wanted: pa.Table) -> np.ndarray:
    """Where each (person, index_day) of `wanted` stands in `table`, which is sorted by them."""
    have, want = (person * 100_000 + day for person, day in (pair_keys(table), pair_keys(wanted)))
    return np.searchsorted(have, want)


def latest_possible(store: Store) -> dt.date:
    """The latest index day the records allow: the day after their last day."""
    return store.data_through + dt.timedelta(days=1)
