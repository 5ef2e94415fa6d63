"""What stands beside a model's features, held to what exists: verification, attendance, how much is known."""

from __future__ import annotations

from typing import Any

from casefinding.definitions.basics import span_text
from casefinding.definitions.checks import Checks
from casefinding.definitions.evidence import Verification
from casefinding.definitions.leakage import days_of
from casefinding.definitions.shapes import Feature, Model

NEED_VERIFICATION = ("verified", "verified and weighted", "graded")
"""What can only be learned where the definition says what it is to be looked at."""
COUNTING = ("count", "days with", "courses")
"""Words whose answer is a number of records."""


def check_evidence(checks: Checks, model: Model) -> None:
    """Every problem of a model's verification, attendance and "known by", each at its own line."""
    at = ("model", model.condition)
    for position, name in enumerate(model.attendance):
        here = (*at, "attendance", position)
        if name in model.attendance[:position]:
            checks.say(here, f"{name!r} stands twice in 'attendance'")
        elif checks.known("feature", name, here) and name not in model.features:
            checks.say(here, f"{name!r} is no feature of this model", "attendance names some of 'features'")
    if model.known_by is not None:
        for word in ("readings", "contacts"):
            name = getattr(model.known_by, word)
            if checks.known("feature", name, (*at, "known by", word)) and name in checks.definitions.features:
                ask = checks.definitions.features[name].ask
                if ask not in COUNTING:
                    what = f"{name!r} asks {ask!r}, and only a count says how much is known"
                    checks.say((*at, "known by", word), what, f"one of: {', '.join(COUNTING)}")
    if model.verification is not None:
        _verification(checks, model, model.verification, (*at, "verification"))
    if model.learn_from in NEED_VERIFICATION and model.verification is None:
        checks.say((*at, "learn from"), f"{model.learn_from!r} needs 'verification'", "say what being looked at means")


def _verification(checks: Checks, model: Model, verification: Verification, at: tuple[Any, ...]) -> None:
    checks.clause(verification.when, (*at, "when"))
    if verification.found is not None:
        checks.clause(verification.found, (*at, "found"))
    for group, values in enumerate(verification.graded):
        for position, value in enumerate(values):
            here = (*at, "graded", group, position, "feature")
            checks.known("feature", value.feature, here)
            feature = checks.definitions.features.get(value.feature)
            if feature is not None and not feature.reads_values:
                what = f"{value.feature!r} is graded, but {feature.ask!r} reads no values"
                checks.say(here, what, "a mean, a lowest or a latest value")
    for name in verification.features:
        feature = checks.definitions.features.get(name)
        if feature is not None and not feature.about_person:
            _window(checks, model, feature, at)


def _window(checks: Checks, model: Model, feature: Feature, at: tuple[Any, ...]) -> None:
    """The features are asked at the end of the horizon: what they see must have happened within it."""
    horizon, within, last = model.outcome.horizon, feature.within, feature.leaving_out_the_last
    if within == "ever" or days_of(within) > days_of(horizon):
        checks.say(
            at,
            f"feature {feature.name!r} looks back {'for ever' if within == 'ever' else span_text(within)}, which is "
            f"further than the horizon of {span_text(horizon)}",
            "what was there before the index day would count as found after it",
        )
    if last is not None:
        checks.say(
            at,
            f"feature {feature.name!r} leaves out the last {span_text(last)}, which belong to the horizon",
            "take a feature without 'leaving out the last'",
        )
