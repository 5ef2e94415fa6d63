"""Treatment gaps, held to what exists: models, features and scores by name, examples of all three kinds."""

from __future__ import annotations

from casefinding.definitions.checks import Checks
from casefinding.definitions.treatment_gaps import PLACEHOLDERS, Gap


def check_treatment_gaps(checks: Checks) -> None:
    """Every problem of models/treatment_gaps.yaml with the rest of the tree, each at its own line."""
    for gap in checks.definitions.treatment_gaps:
        _check(checks, gap)


def _check(checks: Checks, gap: Gap) -> None:
    at = ("treatment gap", gap.name)
    if gap.on_register is not None:
        checks.known("model", gap.on_register, (*at, "on register"))
    for key, clause in (("among", gap.among), ("gap", gap.gap), ("first", gap.first)):
        if clause is not None:
            checks.clause(clause, (*at, key))
    if gap.score is not None:
        checks.known("score", gap.score.name, (*at, "score", "name"))
    for name in dict.fromkeys(PLACEHOLDERS.findall(gap.say)):
        checks.known("feature", name, (*at, "say"))
    if "{" in PLACEHOLDERS.sub("", gap.say) or "}" in PLACEHOLDERS.sub("", gap.say):
        checks.say((*at, "say"), "a brace stands alone", "placeholders are written {feature_name}")
    for wanted in ("a gap", "no gap", "not counted"):
        if not any(example.gives == wanted for example in gap.examples):
            checks.say((*at, "examples"), f"{gap.name!r} has no example that gives: {wanted}", "one of each kind")
    for position, example in enumerate(gap.examples):
        for name in example.records:
            checks.known("signal", name, (*at, "examples", position, "records", name))
