"""The index day: who is registered, what their records say, which rules fire, what the models give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from casefinding.cohort.eligible import eligible, register_status, registered, states_of
from casefinding.definitions.config import Config
from casefinding.definitions.shapes import Definitions
from casefinding.errors import CohortError
from casefinding.explain.reasons import Reasons, reasons
from casefinding.job.asking import only_practices
from casefinding.job.progress import Stages
from casefinding.learn.anchor import Anchor, anchor
from casefinding.learn.calibrate import sigmoid
from casefinding.recall.build import lines
from casefinding.recall.choice.choose import choose
from casefinding.recall.choice.chosen import Chosen
from casefinding.recall.known import DAYS_IN_A_YEAR
from casefinding.recall.leave_out import leave_outs
from casefinding.recall.lines import Line, who_and_why
from casefinding.recall.loop.holdout import held_out, without_held_out
from casefinding.recall.loop.ledger import Ledger
from casefinding.recall.loop.received import standing
from casefinding.recall.loop.waves import waves
from casefinding.recall.view import EVERYTHING, View
from casefinding.records.store import Store
from casefinding.rules.evaluate import evaluate, flag
from casefinding.rules.expected import expected_chance, still_to_find
from casefinding.signals.matrix import build_matrix


@dataclass(frozen=True)
class Scored:
    """Everybody registered on the index day, seen by every condition, and the lines that came of it."""

    base: pa.Table
    views: Sequence[View]
    flows: Mapping[str, Any]
    lines: Sequence[Line]
    scores: pa.Table
    chosen: Chosen  # who is invited to what, what that uses, floors, prices
    anchors: Mapping[str, Anchor]  # of the conditions that have one
    columns: Mapping[str, np.ndarray]  # every feature of the conditions, a row each
    contacts: pa.Table  # what earlier lists led to, by the records and by the ledger
    held_out: np.ndarray  # a row each


def score(
    definitions: Definitions,
    store: Store,
    config: Config,
    bundles: Mapping[str, Any],
    stages: Stages,
    ledger: Ledger | None = None,
) -> Scored:
    """Rules for everybody, chances for those whom a bundle may rank, reasons for those on a list.

    What earlier lists led to (`ledger`) counts beside the contacts that the records hold.
    """
    names = list(dict.fromkeys(name for condition in config.conditions for name in definitions.features_for(condition)))
    with stages.stage("Index day: who is registered"):
        base = only_practices(registered(store, [config.index_day]), config)
        if base.num_rows == 0:
            raise CohortError(
                f"nobody is registered on {config.index_day}",
                where="index day",
                hint=f"the records run from {store.data_from} to {store.data_through}",
            )
        pseudonyms = store.people_table()["pseudonym"].take(base["person"])
        base = base.append_column("pseudonym", pseudonyms)
    with stages.stage("Index day: features") as tick:
        matrix = build_matrix(store, definitions, names, base, threads=config.training.threads, progress=tick)
        columns = {name: matrix[name].to_numpy() for name in names}
    contacts = store.contacts()
    if ledger is not None:
        contacts = pa.concat_tables(
            [contacts, ledger.contacts(store.people_table(), config.index_day, standing(ledger))]
        )
    with stages.stage("Index day: rules and chances"):
        views, flows, anchors = [], {}, {}
        for condition in config.conditions:
            view, flows[condition] = _view(
                condition, definitions, store, config, base, matrix, columns, bundles, contacts
            )
            if condition in bundles and view.model.expected is not None and view.expected is not None:
                view, anchors[condition] = _anchored(view, bundles[condition], base, config)
            views.append(view)
        out = held_out(base, config.holdout)
        views = [without_held_out(view, out) for view in views]
    with stages.stage("Lists: who, why and in which order"):
        networks = {row["practice"]: row["pcn"] or "" for row in store.practices().to_pylist()}
        chosen = choose(views, base, definitions.visits, config.capacity, config.equity, networks)
        spoken = who_and_why(views, chosen.places, chosen.visit_labels())
        listed = base.take(pa.array([person.row for person in spoken], pa.int64()))
        evidence = build_matrix(store, definitions, names, listed, threads=config.training.threads, with_days=True)
        row_of = {person.row: position for position, person in enumerate(spoken)}

        def explain(view: View, rows: Sequence[int]) -> Mapping[int, Reasons]:
            return _reasons(view, rows, row_of, definitions, evidence, bundles[view.condition], config)

        found = lines(spoken, views, definitions, base, evidence, explain)
    scores = _scores(base, views, columns, out)
    return Scored(base, views, flows, found, scores, chosen, anchors, columns, contacts, out)


def _view(
    condition: str,
    definitions: Definitions,
    store: Store,
    config: Config,
    base: pa.Table,
    matrix: pa.Table,
    columns: Mapping[str, np.ndarray],
    bundles: Mapping[str, Any],
    contacts: pa.Table,
) -> tuple[View, Any]:
    model = definitions.models[condition]
    status = states_of(register_status(store, definitions, condition, base))
    asked, flow = eligible(base, model, status)
    people, day = base["person"].to_numpy(), config.index_day
    left_out, drops = leave_outs(definitions, condition, columns, people, contacts, day, config.invitations)
    wave = waves(people, contacts, condition, day, config.invitations).wave
    chance = np.full(base.num_rows, np.nan)
    raw = np.full(base.num_rows, np.nan)
    if condition in bundles and asked.any():
        rows = matrix.filter(pa.array(asked))
        raw[asked] = bundles[condition].raw(rows)
        chance[asked] = bundles[condition].calibration.chance(raw[asked])
    flags = flag(model, columns, status)
    severe = {rule.id: evaluate(rule.severe, columns) & flags[rule.id] for rule in model.rules if rule.severe}
    rules = definitions.leave_outs_for(condition)
    expected = None
    if model.expected is not None:
        published = expected_chance(model.expected, base)
        expected = still_to_find(model.expected, base, states_of(status) == "on register", published)
    view = View(model, status, asked, flags, left_out, drops, rules, chance, raw, severe, expected, wave=wave)
    return view, flow


def _anchored(view: View, bundle: Any, base: pa.Table, config: Config) -> tuple[View, Anchor]:
    """The condition held against published prevalence; its chances moved only where the config asks for it.

    A chance of being coded in usual care is no chance of being found on testing: that of a model which learned from
    codes is held against what is expected, and never moved to it.
    """
    assert view.model.expected is not None
    learned = bundle.definition["lock"]["models"][view.condition].get("learn from", "coded")
    log_odds = bundle.calibration.log_odds(view.raw)
    held = anchor(
        view.model.expected, base, view.status == "on register", log_odds,
        apply=config.anchor_chances == "applied", of_testing=learned != "coded",
    )  # fmt: skip
    if not held.applied:
        return view, held
    return replace(view, chance=sigmoid(log_odds + held.shift), shift=held.shift), held


def _reasons(
    view: View,
    rows: Sequence[int],
    row_of: Mapping[int, int],
    definitions: Definitions,
    evidence: pa.Table,
    bundle: Any,
    config: Config,
) -> dict[int, Reasons]:
    """Reasons for some rows by every feature's exact contribution to the log-odds; an anchor's shift is in the base."""
    mine = evidence.take(pa.array([row_of[row] for row in rows], pa.int64()))
    contributions, start = bundle.contributions(mine)
    start += view.shift
    features = list(bundle.features)
    values = np.column_stack([mine[name].to_numpy() for name in features])
    days = np.column_stack([_days(mine, name) for name in features])
    extra = {name: mine[name].to_numpy() for name in view.model.missing_notes}
    log_odds = bundle.calibration.log_odds(view.raw[rows]) + view.shift
    said = reasons(
        log_odds, contributions, start, definitions, features, values, days,
        config.index_day, model=view.model, noted=extra,
    )  # fmt: skip
    return dict(zip(rows, said, strict=True))


def _days(table: pa.Table, feature: str) -> np.ndarray:
    """The day a feature's value speaks of; none for features about the person."""
    if f"{feature}__day" not in table.column_names:
        return np.full(table.num_rows, np.datetime64("NaT", "D"))
    return table[f"{feature}__day"].to_numpy().astype("datetime64[D]")


def _scores(base: pa.Table, views: Sequence[View], columns: Mapping[str, np.ndarray], out: np.ndarray) -> pa.Table:
    """Every eligible person's chance for each condition, the raw score, what is published, and how much was known."""
    parts = []
    for view in views:
        asked = view.eligible & view.allowed(EVERYTHING)
        rows = base.filter(pa.array(asked))
        known = np.mean([~np.isnan(columns[name][asked]) for name in view.model.features], axis=0)
        ranked = ~np.isnan(view.ranked()[asked])
        parts.append(
            pa.table(
                {
                    "pseudonym": rows["pseudonym"],
                    "practice": rows["practice"],
                    "condition": pa.array([view.condition] * rows.num_rows, pa.string()),
                    "chance": pa.array(view.chance[asked], from_pandas=True),
                    "raw_score": pa.array(view.raw[asked], from_pandas=True),
                    "may_be_ranked": pa.array(ranked),
                    "held_out": pa.array(out[asked]),
                    "share_of_features_known": pa.array(known),
                    "expected_chance": pa.array(_expected(view)[asked], from_pandas=True),
                    "readings": _count(view, columns, "readings", asked),
                    "contacts": _count(view, columns, "contacts", asked),
                    "years_on_record": pa.array(np.round(rows["days_registered"].to_numpy() / DAYS_IN_A_YEAR, 2)),
                }
            )
        )
    return pa.concat_tables(parts)


def _expected(view: View) -> np.ndarray:
    return np.full(len(view.chance), np.nan) if view.expected is None else view.expected


def _count(view: View, columns: Mapping[str, np.ndarray], which: str, asked: np.ndarray) -> pa.Array:
    """The readings or contacts of the eligible by the feature that the condition names; missing where it names none."""
    known_by = view.model.known_by
    if known_by is None:
        return pa.nulls(int(asked.sum()), pa.int32())
    return pa.array(columns[getattr(known_by, which)][asked], from_pandas=True).cast(pa.int32())
