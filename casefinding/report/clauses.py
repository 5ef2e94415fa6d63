"""A clause in words, so that a reader sees on the page what was asked of a record and nothing is hidden."""

from __future__ import annotations

import numpy as np

from casefinding.definitions.clauses import AllOf, AnyOf, AtLeastOf, Clause, NoneOf, OtherFeature, Test
from casefinding.definitions.shapes import Definitions
from casefinding.definitions.words import ETHNICITIES, SEXES, ZERO_WHEN_NONE
from casefinding.explain.wording import number_words
from casefinding.rules.evaluate import evaluate

_COMPARISONS = (
    ("at_least", "at least"),
    ("more_than", "more than"),
    ("at_most", "at most"),
    ("less_than", "less than"),
)


def clause_words(clause: Clause, definitions: Definitions) -> str:
    """A clause as a sentence fragment, features by their labels.

    A feature that is only counted reads "none" or "on record"; brackets hold together what belongs together.
    """
    return _words(clause, definitions, outermost=True)


def _words(clause: Clause, definitions: Definitions, *, outermost: bool = False) -> str:
    if isinstance(clause, Test):
        return _test(clause, definitions)
    if isinstance(clause, NoneOf):
        return "not (" + " or ".join(_words(part, definitions) for part in clause.none) + ")"
    if isinstance(clause, AtLeastOf):
        return f"at least {clause.number} of (" + "; ".join(_words(part, definitions) for part in clause.of) + ")"
    parts, joint = (clause.any, " or ") if isinstance(clause, AnyOf) else (clause.all, " and ")
    assert isinstance(clause, AnyOf | AllOf)
    text = joint.join(_words(part, definitions) for part in parts)
    return text if outermost or len(parts) == 1 else f"({text})"


def _test(test: Test, definitions: Definitions) -> str:
    feature = definitions.features[test.feature]
    if feature.ask in ("sex", "ethnicity"):  # their numbers are positions in a list of names
        names = SEXES if feature.ask == "sex" else ETHNICITIES
        held = evaluate(test, {test.feature: np.arange(len(names), dtype=np.float64)})
        return (
            f"{feature.label}: {' or '.join(name.capitalize() for name, here in zip(names, held, strict=True) if here)}"
        )
    counted = feature.ask in ZERO_WHEN_NONE
    said = {
        "present": "on record",
        "absent": "none on record",
        "missing": "not on record",
        "known": "on record",
    }
    found = []
    for word, text in _COMPARISONS:
        operand = getattr(test, word)
        if isinstance(operand, OtherFeature):
            found.append(f"{text} that of {definitions.features[operand.feature].label}")
        elif operand is not None:
            found.append(f"{text} {number_words(operand, 0 if float(operand).is_integer() else 1)}")
    if test.is_ is not None:
        found.append("none" if test.is_ == "absent" and counted and feature.ask != "ever" else said[test.is_])
    return f"{feature.label}: {' and '.join(found)}"
