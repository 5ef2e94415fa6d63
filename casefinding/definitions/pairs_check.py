"""What must hold of paired signals (see `shapes.Signal`) and of those who use them."""

from __future__ import annotations

from typing import Any

from casefinding.definitions.checks import Checks
from casefinding.definitions.shapes import Model, Signal


def check_pairs(checks: Checks) -> None:
    """Every problem of paired signals, of labels that are paired, and of examples that give records of a pair."""
    for signal in checks.definitions.signals.values():
        if signal.paired_with is not None:
            _signal(checks, signal)
    for model in checks.definitions.models.values():
        _labels(checks, model)
        for rule in model.rules:
            _examples(checks, rule, ("rule", rule.id))
    for feature in checks.definitions.features.values():
        _examples(checks, feature, ("feature", feature.name))


def _signal(checks: Checks, signal: Signal) -> None:
    from casefinding.definitions.units import same_unit  # numpy: not for reading definitions without pairs

    at = ("signal", signal.name, "paired with")
    other = checks.definitions.signals.get(signal.paired_with or "")
    if not checks.known("signal", signal.paired_with or "", at) or other is None:
        return
    if other.paired_with is not None:
        checks.say(at, f"{other.name!r} is itself paired", "pair it with the signal whose codes are meant")
    if signal.pair is None:
        return
    if other.unit is None:
        checks.say(at, f"'pair' compares values, but signal {other.name!r} has no unit", "or 'within days' instead")
    elif same_unit(other.unit) != same_unit(signal.unit):
        checks.say(at, f"{signal.unit!r} cannot be compared with the {other.unit!r} of {other.name!r}")
    if "implausible" in (signal.keep, other.keep):
        checks.say(at, "a value that cannot be right makes no pair", "'keep: implausible' belongs to a signal alone")


def _labels(checks: Checks, model: Model) -> None:
    """Register and outcome are read by code alone, so a paired signal would say more than it means there."""
    labels = (
        (("register", "diagnosis"), model.register_.diagnosis),
        (("register", "resolved"), model.register_.resolved),
        (("outcome", "diagnosis"), model.outcome.diagnosis),
    )
    for path, name in labels:
        signal = checks.definitions.signals.get(name or "")
        if signal is not None and signal.paired_with is not None:
            checks.say(("model", model.condition, *path), f"{name!r} is paired; a diagnosis is read by its codes alone")


def _examples(checks: Checks, owner: Any, at: tuple[Any, ...]) -> None:
    """Records are given of the signals whose codes are read; what makes a pair then follows from them."""
    for position, example in enumerate(owner.examples):
        for name in example.records:
            signal = checks.definitions.signals.get(name)
            if signal is not None and signal.paired_with is not None:
                checks.say(
                    (*at, "examples", position, "records", name),
                    f"{name!r} is paired, so an example cannot give records of it",
                    f"give records of signals with the same codes, and of {signal.paired_with!r}",
                )
