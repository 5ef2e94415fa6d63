"""Worked examples of rules: records in, flagged or not out; the register's state comes from the same records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from casefinding.definitions.read import Problem
from casefinding.definitions.shapes import Definitions, Feature, Model
from casefinding.rules.evaluate import flag
from casefinding.signals.examples import Case, matrix_of

_DIAGNOSED, _RESOLVED = "register_of_{}_diagnosed", "register_of_{}_resolved"


def run_examples(definitions: Definitions, names: Iterable[str] | None = None) -> list[Problem]:
    """Every worked example of these conditions' rules (None: of all) that does not come out as it says."""
    models = [definitions.models[name] for name in (definitions.models if names is None else names)]
    asked = [
        (model, rule, number, example)
        for model in models
        for rule in model.rules
        for number, example in enumerate(rule.examples, 1)
    ]
    if not asked:
        return []
    registers = register_features(models)
    features = dict.fromkeys(name for model in models for rule in model.rules for name in rule.features)
    matrix = matrix_of(
        definitions.model_copy(update={"features": {**definitions.features, **registers}}),
        [*features, *registers],
        [Case(example.records, example.person, example.on) for _, _, _, example in asked],
    )
    flagged = {model.condition: flag(model, matrix, register_states(model, matrix)) for model in models}
    found = []
    for row, (model, rule, number, example) in enumerate(asked):
        said = "flagged" if flagged[model.condition][rule.id][row] else "not flagged"
        if said != example.gives:
            about = f" ({example.about})" if example.about else ""
            found.append(
                Problem(
                    f"rule {rule.id} of {model.condition}, example {number}{about}",
                    f"gives {example.gives}, but the records come to {said}",
                    _why(rule.features, matrix, row),
                )
            )
    return found


def register_states(model: Model, matrix: Mapping[str, np.ndarray]) -> np.ndarray:
    """ "never", "on register" or "resolved", a row: resolved if that was coded on or after the latest diagnosis."""
    diagnosed = matrix[_DIAGNOSED.format(model.condition)]  # days since the latest
    states = np.where(np.isnan(diagnosed), "never", "on register")
    if model.register_.resolved is not None:
        resolved = matrix[_RESOLVED.format(model.condition)]
        states = np.where(resolved <= diagnosed, "resolved", states)  # NaN compares false
    return states


def register_features(models: list[Model]) -> dict[str, Feature]:
    """What tells the register's state, as features: the kernel then sees only what was known before the index day."""
    made = {}
    for model in models:
        signals = ((_DIAGNOSED, model.register_.diagnosis), (_RESOLVED, model.register_.resolved))
        for pattern, signal in signals:
            if signal is not None:
                name = pattern.format(model.condition)
                made[name] = Feature(name=name, label=name, ask="days since latest", of=signal)
    return made


def _why(features: tuple[str, ...], matrix: Mapping[str, np.ndarray], row: int) -> str:
    said = (f"{name} = {'missing' if np.isnan(value := matrix[name][row]) else f'{value:.6g}'}" for name in features)
    return "mend the example or the rule; here " + ", ".join(said)
