"""A population sorted for planning: each person into exactly one part of one level, with flags beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from casefinding.definitions.read import Problem
from casefinding.definitions.segments import Part, Segments
from casefinding.definitions.shapes import Definitions
from casefinding.rules.evaluate import Columns, evaluate
from casefinding.signals.examples import Case, matrix_of


@dataclass(frozen=True)
class Sorted:
    """What sorting found, row for row.

    `part`: the position in `Segments.parts`, one a row; `level`: the position of its level. `conditions`, `risks`,
    `plus`, `areas`: name -> bool, one a row; `gaps`: (area, label) -> bool, true only among those of the area.
    """

    part: np.ndarray
    level: np.ndarray
    conditions: Mapping[str, np.ndarray]
    risks: Mapping[str, np.ndarray]
    core20: np.ndarray
    plus: Mapping[str, np.ndarray]
    areas: Mapping[str, np.ndarray]
    gaps: Mapping[tuple[str, str], np.ndarray]


def sort_people(segments: Segments, columns: Columns) -> Sorted:
    """Each row of the features sorted: the first part that holds takes it, the last part everybody else.

    `columns`: feature name -> float64, NaN where missing (or a matrix as an Arrow table). KeyError for a feature that
    is no column.
    """
    conditions = {name: evaluate(flag.when, columns) for name, flag in segments.conditions.items()}
    risks = {name: evaluate(flag.when, columns) for name, flag in segments.risks.items()}
    core20 = evaluate(segments.core20.when, columns)
    ill = _how_many(conditions)
    at_risk = _how_many(risks) if risks else np.zeros_like(ill)
    part = np.full(ill.size, len(segments.parts) - 1, dtype=np.int64)
    for position, one in reversed(list(enumerate(segments.parts[:-1]))):  # the earliest is asked last, and wins
        part[_holds(one, ill, at_risk, columns)] = position
    level_of = np.array([at for at, level in enumerate(segments.levels.values()) for _ in level.parts], dtype=np.int64)
    areas = {name: evaluate(area.when, columns) for name, area in segments.areas.items() if area.when is not None}
    return Sorted(
        part=part,
        level=level_of[part],
        conditions=conditions,
        risks=risks,
        core20=core20,
        plus={name: evaluate(flag.when, columns) for name, flag in segments.plus.items()},
        areas=areas,
        gaps={
            (name, label): areas[name] & evaluate(clause, columns)
            for name, area in segments.areas.items()
            for label, clause in area.gaps.items()
        },
    )


def _how_many(flags: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.stack(list(flags.values())).astype(np.int64).sum(axis=0)


def _holds(part: Part, ill: np.ndarray, at_risk: np.ndarray, columns: Columns) -> np.ndarray:
    holds = np.ones(ill.size, dtype=bool)
    if part.conditions_at_least is not None:
        holds &= ill >= part.conditions_at_least
    if part.risks_at_least is not None:
        holds &= at_risk >= part.risks_at_least
    if part.when is not None:
        holds &= evaluate(part.when, columns)
    return holds


def run_examples(definitions: Definitions) -> list[Problem]:
    """Every worked example of models/segments.yaml whose person is sorted elsewhere than it says."""
    segments = definitions.segments
    if segments is None or not segments.examples:
        return []
    cases = [Case(example.records, example.person, example.on) for example in segments.examples]
    found = sort_people(segments, matrix_of(definitions, segments.features, cases))
    names = segments.part_names
    problems = []
    for row, example in enumerate(segments.examples):
        said = names[found.part[row]]
        if said != example.gives:
            about = f" ({example.about})" if example.about else ""
            counted = [*_true(found.conditions, row), *_true(found.risks, row)]
            problems.append(
                Problem(
                    f"segments, example {row + 1}{about}",
                    f"gives {example.gives}, but the records come to {said}",
                    f"mend the example or a clause; counted here: {', '.join(counted) or 'nothing'}",
                )
            )
    return problems


def _true(flags: Mapping[str, np.ndarray], row: int) -> list[str]:
    return [name for name, held in flags.items() if held[row]]
