"""Treatment gaps on columns: who is due a treatment, who of them lacks it, who stands first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from casefinding.cohort.eligible import ON_REGISTER, states_of
from casefinding.definitions.read import Problem
from casefinding.definitions.shapes import Definitions, Gap, LeaveOut, features_in
from casefinding.rules.evaluate import Columns, evaluate
from casefinding.rules.examples import register_features, register_states
from casefinding.rules.scores import ScoreValues, evaluate_score
from casefinding.signals.examples import Case, matrix_of

LEFT_OUT_BY = frozenset({"review the record", "everything"})
"""Whoever is dropped from these is not asked about: the same people whose record nobody reviews."""


@dataclass(frozen=True)
class Found:
    """One gap over n people; every array is bool, one a row.

    `counted`: due the treatment and asked about; `gap` and `first` only among those. `left_out`: would be counted, but
    for a state of the record. `score`: the score's values where the gap asks for one; `unscored`: not counted because
    an input of the score is missing.
    """

    gap: Gap
    counted: np.ndarray
    lacking: np.ndarray
    first: np.ndarray
    left_out: np.ndarray
    unscored: np.ndarray
    score: ScoreValues | None = None


def gap_features(definitions: Definitions, gap: Gap) -> tuple[str, ...]:
    """Every feature that a gap needs: its own, its score's, and those of what is left out."""
    score = _score(definitions, gap)
    states = (name for one in leaving_out(definitions, gap) for name in features_in(one.when))
    return tuple(dict.fromkeys((*gap.features, *(score.features if score is not None else ()), *states)))


def leaving_out(definitions: Definitions, gap: Gap) -> list[LeaveOut]:
    """The states of the record, common to all conditions or to that of the gap, whose people are not asked about."""
    return [
        one
        for one in definitions.leave_outs
        if LEFT_OUT_BY & set(one.drop_from) and (not one.only_for or gap.on_register in one.only_for)
    ]


def find_gap(
    definitions: Definitions, gap: Gap, columns: Columns, status: Mapping[str, np.ndarray | list[str]]
) -> Found:
    """Who has a gap: the register's state by model (as `cohort.register_status` gives it), features by name.

    A score with an input that is missing is no score: such a person is not counted, and told in `unscored`. KeyError
    for a feature that is no column.
    """
    lacks = evaluate(gap.gap, columns)
    due = np.ones(lacks.shape, dtype=bool)
    if gap.on_register is not None:
        due &= states_of(status[gap.on_register]) == ON_REGISTER
    if gap.among is not None:
        due &= evaluate(gap.among, columns)
    score, unscored = _score(definitions, gap), np.zeros(lacks.shape, dtype=bool)
    given = None
    if score is not None and gap.score is not None:
        given = evaluate_score(score, columns)
        unscored = due & np.isnan(given.values)
        due &= given.values >= gap.score.at_least  # NaN compares false
    out = np.zeros(lacks.shape, dtype=bool)
    for one in leaving_out(definitions, gap):
        out |= evaluate(one.when, columns)
    counted = due & ~out
    lacking = counted & lacks
    first = lacking & evaluate(gap.first, columns) if gap.first is not None else np.zeros(lacks.shape, dtype=bool)
    return Found(gap, counted, lacking, first, due & out, unscored & ~out, given)


def run_examples(definitions: Definitions) -> list[Problem]:
    """Every worked example of the treatment gaps that does not come out as it says."""
    asked = [
        (gap, number, example) for gap in definitions.treatment_gaps for number, example in enumerate(gap.examples, 1)
    ]
    if not asked:
        return []
    models = [definitions.models[name] for name in dict.fromkeys(gap.on_register for gap, _, _ in asked) if name]
    registers = register_features(models)
    features = dict.fromkeys(name for gap in definitions.treatment_gaps for name in gap_features(definitions, gap))
    columns = matrix_of(
        definitions.model_copy(update={"features": {**definitions.features, **registers}}),
        [*features, *registers],
        [Case(example.records, example.person, example.on) for _, _, example in asked],
    )
    status = {model.condition: register_states(model, columns) for model in models}
    found = {gap.name: find_gap(definitions, gap, columns, status) for gap in definitions.treatment_gaps}
    wrong = []
    for row, (gap, number, example) in enumerate(asked):
        one = found[gap.name]
        said = "a gap" if one.lacking[row] else "no gap" if one.counted[row] else "not counted"
        if said != example.gives:
            about = f" ({example.about})" if example.about else ""
            values = (f"{name} = {columns[name][row]:.6g}" for name in gap.features)
            wrong.append(
                Problem(
                    f"treatment gap {gap.name}, example {number}{about}",
                    f"gives {example.gives}, but the records come to: {said}",
                    "mend the example or the gap; here " + ", ".join(values),
                )
            )
    return wrong


def _score(definitions: Definitions, gap: Gap):  # the score of any model by its name
    if gap.score is None:
        return None
    for model in definitions.models.values():
        for score in model.scores:
            if score.name == gap.score.name:
                return score
    raise KeyError(gap.score.name)
