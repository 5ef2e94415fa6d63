"""Whether the records are fit to make lists from, and to train on: a verdict for each condition, with its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from casefinding.definitions.quality import Fitness, Key, QualityRules
from casefinding.definitions.shapes import Definitions
from casefinding.definitions.words import Span
from casefinding.records.quality.counted import Counted
from casefinding.records.quality.days import Days
from casefinding.records.quality.findings import Finding, Kind
from casefinding.records.quality.who import FOREVER, Who, number_of
from casefinding.records.store import Store

FIT, CARE, NOT = "fit", "with care", "not fit"
HARDLY_ANY = 1 / 3
"""Of the people expected on a register: with fewer, its codes were not read, and the known would be invited."""
TRAINING = Span(months=36)
"""Newly recorded diagnoses of this time are learned from: three index days, a year apart."""


@dataclass(frozen=True)
class Reason:
    """Why records are not fit, or with care: a word for the kind, and its facts; the sentence is the report's."""

    kind: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """For one condition and practice ("" = all of them): fit to score, fit to train, each with reasons."""

    condition: str
    practice: str
    score: str
    train: str
    score_why: tuple[Reason, ...] = ()
    train_why: tuple[Reason, ...] = ()
    cases: int = 0  # newly recorded diagnoses of the last three years among people registered now


def verdicts(
    store: Store,
    definitions: Definitions,
    counted: Counted,
    who: Who,
    told: Sequence[Days],
    findings: Sequence[Finding],
    rules: QualityRules,
) -> list[Verdict]:
    """The verdict for every model, of every practice and of all together.

    Not fit to score: nothing has come for a month, too short a history, a key signal missing or lost, a register that
    was hardly read. Not fit to train: besides, too short a history to follow people, or too few newly diagnosed people.
    """
    fitness = {one.name: one for one in definitions.quality}
    found = []
    for name, model in definitions.models.items():
        known = fitness.get(name) or Fitness(name=name)
        cases = _cases(store, counted, who, name, model.outcome.ignore_after_registration)
        each = [
            _practice(name, known, place, practice, counted, who, told[place], findings, rules, int(cases[place]))
            for place, practice in enumerate(who.codes)
            if (who.practice == place).any()
        ]
        found.append(_together(name, each, model.learner.fewest_cases, findings, rules))
        found.extend(each)
    return found


def _cases(store: Store, counted: Counted, who: Who, name: str, settle: Span) -> np.ndarray:
    """Newly diagnosed people by practice; a diagnosis recorded soon after registration is a summary of the past."""
    first = counted.diagnosed[name]
    since = number_of(TRAINING.before(store.data_through))
    settled = who.since.astype(np.int64) + settle.days + 30 * settle.months
    here = (who.practice >= 0) & (first > since) & (first < FOREVER) & (first > settled)
    return np.bincount(who.practice[here], minlength=len(who.codes))


def _practice(
    name: str,
    known: Fitness,
    place: int,
    practice: str,
    counted: Counted,
    who: Who,
    told: Days,
    findings: Sequence[Finding],
    rules: QualityRules,
    cases: int,
) -> Verdict:
    mine = [one for one in findings if one.practice in (practice, "")]
    why: list[Reason] = []
    care: list[Reason] = []
    if not told.last:
        why.append(Reason("nothing"))
    why += [Reason("stopped", one.facts) for one in mine if one.kind == Kind.STOPPED]
    if told.last and told.months < rules.months_to_score:
        why.append(Reason("short history", {"months": told.months, "needed": rules.months_to_score}))
    for key in known.keys:
        why += _key(key, place, counted, who, mine, rules)
    for one in mine:
        if one.kind == Kind.FIGURE and one.facts["condition"] == name and one.practice:
            register = next(figure for figure in known.figures if figure.label == one.facts["figure"])
            worst = not register.recorded and one.facts["ratio"] < HARDLY_ANY
            (why if worst else care).append(Reason("register" if worst else "figure", one.facts))
    care += [Reason("gap", one.facts) for one in mine if one.kind == Kind.GAP and one.facts["to the end"]]
    train_why = list(why)
    if told.last and rules.months_to_score <= told.months < rules.months_to_train:
        train_why.append(Reason("short history", {"months": told.months, "needed": rules.months_to_train}))
    train_care = [*care, *(Reason("one date") for one in mine if one.kind == Kind.ONE_DATE)]
    train_care += [Reason("late", one.facts) for one in mine if one.kind == Kind.LATE]
    train_care += [Reason("gap", one.facts) for one in mine if one.kind == Kind.GAP and not one.facts["to the end"]]
    return Verdict(
        name,
        practice,
        NOT if why else CARE if care else FIT,
        NOT if train_why else CARE if train_care else FIT,
        tuple(why or care),
        tuple(train_why or train_care),
        cases,
    )


def _key(
    key: Key, place: int, counted: Counted, who: Who, mine: Sequence[Finding], rules: QualityRules
) -> list[Reason]:
    here = (who.practice == place) & (who.age >= key.age_at_least)
    people = int(here.sum())
    facts = {"label": key.label, "why": key.why, "age": key.age_at_least, "needed": key.at_least}
    if people >= rules.fewest_people:
        have = int(counted.recorded[key.any_of][here].sum())
        chance = (key.at_least * (1 - key.at_least) / people) ** 0.5
        if have / people < key.at_least - 2 * chance:
            return [Reason("key seldom", {**facts, "people": people, "have": have})]
    for one in mine:
        lost = one.kind == Kind.RATE and not one.facts["rose"] and one.facts["to the end"]
        if lost and set(key.any_of) <= set(one.signals):
            return [Reason("key lost", {**facts, "month": one.facts["month"]})]
    return []


def _together(
    name: str, each: Sequence[Verdict], fewest: int, findings: Sequence[Finding], rules: QualityRules
) -> Verdict:
    """All practices: a model is trained on those that are fit, and a list made where it is."""
    amiss = [one.practice for one in each if one.score == NOT]
    untrained = [one.practice for one in each if one.train == NOT]
    cases = sum(one.cases for one in each if one.train != NOT)
    far = [one for one in findings if one.kind == Kind.FIGURE and not one.practice and one.facts["condition"] == name]
    score_why = [Reason("practices", {"practices": amiss, "of": len(each)})] if amiss else []
    score = FIT if not amiss else NOT if len(amiss) > rules.practices_amiss * len(each) else CARE
    train_why = [Reason("practices", {"practices": untrained, "of": len(each)})] if untrained else []
    train = FIT if not untrained else CARE
    if cases < fewest:
        train, train_why = NOT, [*train_why, Reason("few cases", {"needed": fewest})]
    if any(one.kind == Kind.ONE_DATE and not one.practice for one in findings):
        train, train_why = (NOT if train == NOT else CARE), [*train_why, Reason("one date")]
    if far:
        why = [Reason("figure", one.facts) for one in far]
        score_why, train_why = [*score_why, *why], [*train_why, *why]
        score, train = (NOT if one == NOT else CARE for one in (score, train))
    if not each:
        score = train = NOT
        score_why = train_why = [Reason("nothing")]
    return Verdict(name, "", score, train, tuple(score_why), tuple(train_why), cases)
