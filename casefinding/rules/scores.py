"""Published scores on columns: what they give, and whose inputs are missing. Nothing is filled in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casefinding.definitions.read import Problem
from casefinding.definitions.shapes import Definitions, Score
from casefinding.rules.evaluate import Columns, column, evaluate
from casefinding.signals.examples import agrees


@dataclass(frozen=True)
class ScoreValues:
    """One score over n rows.

    `values`: float64, points, or a risk from 0 to 1 where the score has a baseline; NaN where an input is missing.
    `lacks`: bool, a row of the array for each term: where that term's input is missing.
    """

    score: Score
    values: np.ndarray
    lacks: np.ndarray

    def missing(self, row: int) -> tuple[str, ...]:
        """The inputs that a row lacks, by the labels of their terms, each once; empty where there is a value."""
        labels = (term.label for term, lacks in zip(self.score.terms, self.lacks[:, row], strict=True) if lacks)
        return tuple(dict.fromkeys(labels))


@dataclass(frozen=True)
class Completeness:
    """How often a score can be given: shares from 0 to 1 of `rows`; NaN where there are no rows."""

    rows: int
    whole: float  # every input on record
    by_input: dict[str, float]  # the label of each input that can be missing -> on record


def evaluate_score(score: Score, columns: Columns) -> ScoreValues:
    """A score for every row: the sum of its terms, or 1 - baseline ^ exp(sum - centre) where it has a baseline.

    `columns`: feature name -> float64, NaN where missing (or a matrix as an Arrow table). KeyError for a feature that
    is no column. A disease or a drug that is not on record counts as absent, because comparisons with a missing value
    are false; what a term `needs` does not.
    """
    parts, lacks = [], []
    for term in score.terms:
        missing = [np.isnan(column(columns, name)) for name in term.needs]
        if term.missing_when is not None:
            missing.append(evaluate(term.missing_when, columns))
        if term.feature is not None:
            values = column(columns, term.feature)
            missing.append(np.isnan(values))
            parts.append(term.times * values / term.per)
        else:
            assert term.when is not None  # a term has one or the other
            parts.append(np.where(evaluate(term.when, columns), term.adds, 0.0))
        lacks.append(np.logical_or.reduce(missing) if missing else np.zeros(parts[-1].shape, dtype=bool))
    total = np.add.reduce(parts)
    if score.baseline is not None:
        with np.errstate(over="ignore"):  # a hazard beyond all numbers is a risk of 1
            total = -np.expm1(np.exp(total - score.centre) * np.log(score.baseline))
    told = np.array(lacks)
    return ScoreValues(score, np.where(told.any(axis=0), np.nan, total), told)


def completeness(score: Score, columns: Columns) -> Completeness:
    """The share of rows with every input of a score, and with each input that can be missing at all."""
    given = evaluate_score(score, columns)
    rows = given.values.size
    lacks: dict[str, np.ndarray] = {}
    for term, missing in zip(score.terms, given.lacks, strict=True):
        if term.feature is not None or term.needs or term.missing_when is not None:
            lacks[term.label] = lacks.get(term.label, False) | missing
    if not rows:
        return Completeness(0, float("nan"), dict.fromkeys(lacks, float("nan")))
    whole = 1.0 - float(given.lacks.any(axis=0).mean())
    return Completeness(rows, whole, {label: 1.0 - float(missing.mean()) for label, missing in lacks.items()})


def run_examples(definitions: Definitions) -> list[Problem]:
    """Every worked example of the scores whose answer is not what it says, to the decimals it is written with."""
    found = []
    for model in definitions.models.values():
        for score in model.scores:
            columns = {
                name: np.array([_number(example.values.get(name, "missing")) for example in score.examples])
                for name in score.features
            }
            given = evaluate_score(score, columns)
            for row, example in enumerate(score.examples):
                said = float(given.values[row])
                if not agrees(said, example.gives):
                    about = f" ({example.about})" if example.about else ""
                    lacks = ", ".join(given.missing(row))
                    found.append(
                        Problem(
                            f"score {score.name} of {model.condition}, example {row + 1}{about}",
                            f"gives {_text(example.gives)}, but its inputs come to {_text(said)}",
                            f"missing here: {lacks}" if lacks else "mend the example or the score",
                        )
                    )
    return found


def _number(value: float | str) -> float:
    return float("nan") if isinstance(value, str) else float(value)


def _text(answer: float | str) -> str:
    return "missing" if isinstance(answer, str) or np.isnan(answer) else f"{answer:.10g}"
