"""What must hold between published scores and the other definitions: features, worked examples, refitted models."""

from __future__ import annotations

from typing import Any

from casefinding.definitions.checks import Checks
from casefinding.definitions.complaints import did_you_mean
from casefinding.definitions.shapes import Definitions, Model, Score
from casefinding.definitions.words import ZERO_WHEN_NONE


def check_scores(checks: Checks, model: Model) -> None:
    """Every problem of a model's scores and of the models that it refits, each at its own line."""
    for score in model.scores:
        _score(checks, score)
    for label, names in model.refit.items():
        at = ("model", model.condition, "refit", label)
        if not names:
            checks.say(at, f"{label!r} names no feature")
        for position, name in enumerate(names):
            if name in names[:position]:
                checks.say((*at, position), f"{name!r} stands twice in {label!r}")
            elif checks.known("feature", name, (*at, position)) and name not in model.features:
                # so that whatever is said of the model's features (banned, lagged) holds for the comparator too
                checks.say((*at, position), f"{name!r} is no feature of this model", "add it to 'features' first")


def _score(checks: Checks, score: Score) -> None:
    at = ("score", score.name)
    for position, term in enumerate(score.terms):
        here = (*at, "terms", position)
        if term.feature is not None:
            checks.known("feature", term.feature, (*here, "feature"))
        for key, clause in (("when", term.when), ("missing when", term.missing_when)):
            if clause is not None:
                checks.clause(clause, (*here, key))
        for place, name in enumerate(term.needs):
            checks.known("feature", name, (*here, "needs", place))
    _examples(checks, score, at)


def _examples(checks: Checks, score: Score, at: tuple[Any, ...]) -> None:
    for position, example in enumerate(score.examples):
        for name in example.values:
            if name not in score.features:
                hint = did_you_mean(name, score.features)
                checks.say((*at, "examples", position, "values", name), f"{name!r} is no input of this score", hint)
    if len(score.examples) < 2:
        count = "no worked example" if not score.examples else "one worked example only"
        checks.say((*at, "examples"), f"{score.name!r} has {count}", "at least two, one of them missing an input")
    elif not any(example.gives == "missing" for example in score.examples) and can_be_missing(
        score, checks.definitions
    ):
        checks.say((*at, "examples"), f"{score.name!r} has no example with a missing input", "one that gives: missing")


def can_be_missing(score: Score, definitions: Definitions) -> bool:
    """Whether any input of a score can be missing: counts, "ever" and the ethnic group always have a value."""
    read = [name for term in score.terms for name in (*((term.feature,) if term.feature else ()), *term.needs)]
    features = [definitions.features[name] for name in read if name in definitions.features]
    always = (*ZERO_WHEN_NONE, "ethnicity")
    return any(term.missing_when is not None for term in score.terms) or any(f.ask not in always for f in features)
