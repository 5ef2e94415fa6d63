"""Who is asked for training, on which days, what their records said then, and what came to light afterwards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from casefinding.cohort.eligible import asked_on, eligible, register_status, registered, states_of
from casefinding.cohort.outcome import USED, outcomes, training_index_days
from casefinding.cohort.registration import EPOCH, number_of
from casefinding.definitions.config import Config
from casefinding.definitions.evidence import Verification
from casefinding.definitions.shapes import Definitions, Model, features_in
from casefinding.definitions.words import Span
from casefinding.disclosure import people_words
from casefinding.errors import CohortError, LearnError
from casefinding.job.loop import from_lists, last_days
from casefinding.job.progress import Stages
from casefinding.learn.sentinel.lagged import gap_shifted, own_gap
from casefinding.learn.verify import Evidence, evidence_of
from casefinding.recall.loop.ledger import Ledger
from casefinding.records.store import Store
from casefinding.rules.evaluate import evaluate
from casefinding.signals.matrix import build_matrix

CONTACTS = "contact_count_12m"
"""The feature by which the judge tells frequent from infrequent attenders, where the definitions have it."""
AHEAD, AT_THE_VISIT = "looking ahead", "at the visit"


@dataclass(frozen=True)
class Asked:
    """Row for row: people on index days, their features then, what happened, what was found, who may be learned from.

    `design`: "looking ahead" (index days fixed, the verification in the horizon after them) or "at the visit" (the
    index day is the day of the verification, whose own values are hidden; index days of the tables are nominal).
    """

    base: pa.Table
    after: pa.Table
    matrix: pa.Table
    evidence: Evidence | None
    usable: np.ndarray
    design: str
    shifted: Mapping[str, pa.Table] = field(default_factory=dict)  # what happened, by the length of the gap
    selection: Mapping[str, int] = field(default_factory=dict)  # rows told by outcomes of earlier lists

    @property
    def columns(self) -> dict[str, np.ndarray]:
        return {name: self.matrix[name].to_numpy() for name in self.matrix.column_names[2:]}


def ask(
    condition: str,
    definitions: Definitions,
    store: Store,
    config: Config,
    stages: Stages,
    facts: dict[str, Any],
    ledger: Ledger | None = None,
) -> Asked:
    """The rows to learn from: looking ahead; at the visit where the records are too thin to look ahead.

    What earlier lists found out (`ledger`) speaks before the readings of the horizon, where looking ahead; a visit has
    its own result.

    Too thin: of the people looked at within the horizon, too few cases had anything on record before their index day
    (one contact a person, with the verification among it). `facts` is told counts.
    """
    model = definitions.models[condition]
    ahead = looking_ahead(condition, definitions, store, config, stages, facts, ledger)
    if ahead.evidence is None or model.verification is None:
        return ahead
    fewest = model.learner.fewest_cases
    found = (ahead.evidence.chance >= 0.5) & ahead.usable
    told = found & something_known(model, definitions, ahead.columns)
    if told.sum() >= fewest or told.sum() > 0.5 * found.sum():  # rich records with few cases are refused by learning
        return ahead
    visits = _at_the_visit(condition, definitions, store, config, stages)
    if visits is not None and visits.evidence is not None:
        found = (visits.evidence.chance >= 0.5) & visits.usable
        if (found & something_known(model, definitions, visits.columns)).sum() < fewest:
            visits = None
    if visits is None:
        facts["design"] = (
            "hardly anything on record before the people were looked at: age, sex and the like speak alone"
        )
        return ahead
    facts["design"] = "records too thin to look ahead: learned on the day of the verification, its own values hidden"
    return visits


def something_known(model: Model, definitions: Definitions, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Rows of which any event is on record that a feature of the model asks for."""
    known = np.zeros(len(next(iter(columns.values()))), dtype=bool)
    for name in model.features:
        if not definitions.features[name].about_person:
            known |= np.nan_to_num(columns[name]) != 0
    return known


def only_practices(base: pa.Table, config: Config) -> pa.Table:
    """The rows of the practices that the config asks for."""
    if not config.practices:
        return base
    return base.filter(pa.array(np.isin(base["practice"].to_numpy(zero_copy_only=False), config.practices)))


def horizon_end(model: Model, day: dt.date) -> dt.date:
    """The day after the horizon of an index day: everything in the horizon is visible on it."""
    return model.outcome.horizon.after(model.outcome.gap.after(day)) + dt.timedelta(days=1)


def looking_ahead(
    condition: str,
    definitions: Definitions,
    store: Store,
    config: Config,
    stages: Stages,
    facts: dict[str, Any],
    ledger: Ledger | None = None,
) -> Asked:
    """The people who may be asked on fixed index days, their features then and what happened after gap and horizon.

    LearnError or CohortError if nobody may be asked.
    """
    model = definitions.models[condition]
    label = model.label
    days = training_index_days(config.index_day, store.data_through, model, config.training)
    facts["index days"] = [day.isoformat() for day in days]
    with stages.stage(f"{label}: who was asked, and what happened"):
        base = only_practices(registered(store, days), config)
        may, flow = eligible(base, model, register_status(store, definitions, condition, base))
        if not may.any():
            most = max(flow.steps, key=lambda step: step.left_out)
            raise LearnError(
                f"no model of {condition}: nobody may be asked on {', '.join(str(day) for day in days)}; "
                f"most left out: {most.label.lower()} ({people_words(most.left_out)} of {people_words(base.num_rows)})",
                hint="the rules still run; see 'eligible' in the model, and the registrations in the records",
            )
        base = base.filter(pa.array(may))
        own = own_gap(definitions, condition)
        shifted = {
            gap: outcomes(store, bent, condition, base) for gap, bent in gap_shifted(definitions, condition).items()
        }
        kinds, numbers = np.unique(shifted[own]["outcome"].to_numpy(zero_copy_only=False), return_counts=True)
        facts["outcomes"] = {str(kind): int(number) for kind, number in zip(kinds, numbers, strict=True)}
        # Kept: who is used at any gap. Learning itself uses the model's own (fit.train leaves the others out).
        tables = [table["outcome"].to_numpy(zero_copy_only=False) for table in shifted.values()]
        used = pa.array(np.logical_or.reduce([np.isin(kind, USED) for kind in tables]))
        base, shifted = base.filter(used), {gap: table.filter(used) for gap, table in shifted.items()}
        after = shifted[own]
    with stages.stage(f"{label}: features") as tick:
        matrix, usable = _features(condition, definitions, definitions, store, base, config, tick, facts)
        evidence: Evidence | None = None
        told = None
        ends = [horizon_end(model, day) for day in base["index_day"].to_pylist()]
        coded = after["outcome"].to_numpy(zero_copy_only=False).astype(str) == "case"
        if model.verification is not None:
            later = _verification(model.verification, definitions, store, asked_on(base, ends), config)
            evidence = evidence_of(model.verification, later, coded)
        if ledger is not None:
            told = from_lists(ledger, condition, base, last_days(ends), store)
            evidence, usable = told.onto(evidence, coded, usable)
            facts["outcomes of earlier lists"] = dict(told.selection)
    return Asked(base, after, matrix, evidence, usable, AHEAD, shifted, told.selection if told else {})


def _features(
    condition: str,
    definitions: Definitions,
    asked: Definitions,
    store: Store,
    base: pa.Table,
    config: Config,
    tick: Any = None,
    facts: dict[str, Any] | None = None,
) -> tuple[pa.Table, np.ndarray]:
    """The model's features (as `asked` defines them) and those of leave-outs; who is not left out of training."""
    model = definitions.models[condition]
    dropped = {"training", "everything"}
    leave_outs = [rule for rule in definitions.leave_outs_for(condition) if dropped & set(rule.drop_from)]
    names = dict.fromkeys(model.features)
    for rule in leave_outs:
        names.update(dict.fromkeys(features_in(rule.when)))
    if CONTACTS in definitions.features:
        names[CONTACTS] = None
    matrix = build_matrix(store, asked, list(names), base, threads=config.training.threads, progress=tick)
    columns = {name: matrix[name].to_numpy() for name in names}
    usable = np.ones(base.num_rows, dtype=bool)
    for rule in leave_outs:
        held = evaluate(rule.when, columns)
        if facts is not None:
            facts.setdefault("left out of training", {})[rule.label] = int((held & usable).sum())
        usable &= ~held
    return matrix, usable


def _verification(
    verification: Verification,
    definitions: Definitions,
    store: Store,
    base: pa.Table,
    config: Config,
    days: bool = False,
) -> dict[str, np.ndarray]:
    names = list(verification.features)
    matrix = build_matrix(store, definitions, names, base, threads=config.training.threads, with_days=days)
    found = {name: matrix[name].to_numpy() for name in names}
    if days:
        for name in features_in(verification.when):
            text = matrix[f"{name}__day"].cast(pa.date32()).cast(pa.int32())
            found[f"{name}__day"] = text.fill_null(-1).to_numpy()
    return found


def _at_the_visit(
    condition: str, definitions: Definitions, store: Store, config: Config, stages: Stages
) -> Asked | None:
    """One row for everybody registered at the end of each horizon: those looked at on the day after it, the others on
    the end itself. What was seen on the day itself is known, except for the signals that the verification reads."""
    model = definitions.models[condition]
    verification = model.verification
    assert verification is not None
    days = training_index_days(config.index_day, store.data_through, model, config.training)
    parts = []
    with stages.stage(f"{model.label}: records are thin, asked on the day of the verification"):
        hidden, of_the_day = _hiding(definitions, condition), _of_one_day(definitions, verification)
        for day in days:
            end = horizon_end(model, day)
            try:
                base = only_practices(registered(store, [end]), config)
            except CohortError:  # nobody registered so early: the other ends may do
                continue
            seen = _verification(verification, definitions, store, base, config, days=True)
            looked = evaluate(verification.when, seen)
            if not looked.any():
                continue
            latest = np.max([seen[f"{name}__day"] for name in features_in(verification.when)], axis=0)
            asked = np.where(looked & (latest >= 0), latest + 1, number_of(end))
            own, before = (
                asked_on(base, [EPOCH + dt.timedelta(days=int(one)) for one in days])
                for days in (asked, asked - looked)
            )
            # On the register before the test: prevalent. Coded on its day: found by it.
            states = register_status(store, definitions, condition, before)
            may, _ = eligible(own, model, states)
            coded = states_of(register_status(store, definitions, condition, own)) != states_of(states)
            own, coded = own.filter(pa.array(may)), coded[may]
            evidence = evidence_of(verification, _verification(verification, of_the_day, store, own, config), coded)
            matrix, usable = _features(condition, definitions, hidden, store, own, config)
            parts.append((pa.array([end] * own.num_rows, pa.date32()), own, matrix, evidence, usable))
    if not parts:
        return None
    nominal = pa.chunked_array([part[0] for part in parts])
    base = pa.concat_tables([part[1] for part in parts])
    matrix = pa.concat_tables([part[2] for part in parts])
    base = base.set_column(base.schema.get_field_index("index_day"), "index_day", nominal)
    matrix = matrix.set_column(matrix.schema.get_field_index("index_day"), "index_day", nominal)
    evidence = Evidence.joined([part[3] for part in parts])
    usable = np.concatenate([part[4] for part in parts])
    order = pa.table({"person": base["person"], "index_day": nominal, "row": np.arange(base.num_rows)})
    rows = order.sort_by([("person", "ascending"), ("index_day", "ascending")])["row"]
    at = rows.to_numpy()
    nobody_coded = {"outcome": ["control"] * base.num_rows, "weight": np.ones(base.num_rows)}
    after = pa.table({"person": base["person"], "index_day": nominal, **nobody_coded})
    return Asked(base.take(rows), after.take(rows), matrix.take(rows), evidence.rows(at), usable[at], AT_THE_VISIT)


def _of_one_day(definitions: Definitions, verification: Verification) -> Definitions:
    """The definitions with the verification's features asked of the day before the index day alone: the test's day.

    What is left of the horizon is known when the test is done, and stays a feature.
    """
    one_day = {
        name: definitions.features[name].model_copy(update={"within": Span(days=1)}) for name in verification.features
    }
    return definitions.model_copy(update={"features": {**definitions.features, **one_day}})


def _hiding(definitions: Definitions, condition: str) -> Definitions:
    """The definitions with every feature of model and leave-outs that shares a code with the verification blind to the
    day before the index day: the day of the test."""
    model = definitions.models[condition]
    assert model.verification is not None

    def codes(signal: str) -> set[tuple[str, str]]:
        one = definitions.signals[signal]
        return {(code.system, code.id) for name in one.codes for code in definitions.codelists[name].codes}

    tested: set[tuple[str, str]] = set()
    for name in model.verification.features:
        for signal in definitions.features[name].signals:
            tested |= codes(signal)
    one_day, features = Span(days=1), dict(definitions.features)
    left_out = [name for rule in definitions.leave_outs_for(condition) for name in features_in(rule.when)]
    for name in dict.fromkeys((*model.features, *left_out)):
        feature = features[name]
        if feature.leaving_out_the_last is None and any(codes(signal) & tested for signal in feature.signals):
            features[name] = feature.model_copy(update={"leaving_out_the_last": one_day})
    return definitions.model_copy(update={"features": features})
