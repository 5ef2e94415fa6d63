"""The lock: what the definitions meant, in one canonical form with one SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from casefinding.definitions.shapes import Definitions, Model, Shape, features_in
from casefinding.files import canonical_json

LOCK_FORMAT = 1


def lock(definitions: Definitions, features: Iterable[str] | None = None, *, condition: str | None = None) -> dict:
    """Everything that a set of features reaches, as plain JSON values: features, signals and code lists.

    With `condition` also that model with its rules and leave-outs, and the features it needs beside those named.
    Without either, the whole tree. Worked examples are left out: they test the meaning and are no part of it.
    Defaults are written out, so that a changed default changes the lock. KeyError for a name that does not exist.
    """
    whole = features is None and condition is None
    names = set(definitions.features) if whole else set(features or ())
    models = sorted(definitions.models) if whole else [condition] if condition is not None else []
    for name in models:
        names.update(definitions.features_for(name))
        names.update(_learned_with(definitions.models[name]))
    if whole:
        for leave_out in definitions.leave_outs:
            names.update(features_in(leave_out.when))
        names.update(definitions.segments.features if definitions.segments is not None else ())
        names.update(name for gap in definitions.treatment_gaps for name in gap.features)
    signals = {signal for name in names for signal in definitions.signals_read(definitions.features[name])}
    for name in models:
        signals.update(_signals_of_model(definitions, name))
    if whole:
        signals.update(definitions.signals)
    lists = {one for name in signals for one in definitions.signals[name].codes}
    if whole:
        lists.update(definitions.codelists)
    locked: dict[str, Any] = {
        "format": LOCK_FORMAT,
        "features": {name: _plain(definitions.features[name]) for name in sorted(names)},
        "signals": {name: _plain(definitions.signals[name]) for name in sorted(signals)},
        "codelists": {name: _codelist(definitions, name) for name in sorted(lists)},
    }
    if models:
        locked["models"] = {name: _plain(definitions.models[name]) for name in models}
    common = definitions.leave_outs if whole else _common(definitions, condition)
    if common:
        locked["leave outs"] = {one.name: _plain(one) for one in common}
    if whole and definitions.visits:
        locked["visits"] = {one.name: _plain(one) for one in definitions.visits}
    if whole and definitions.treatment_gaps:
        locked["treatment gaps"] = {gap.name: _plain(gap) for gap in definitions.treatment_gaps}
    if whole and definitions.quality:
        locked["quality"] = {one.name: _plain(one) for one in definitions.quality}
    if whole and definitions.segments is not None:
        locked["segments"] = _plain(definitions.segments)
    return locked


def lock_sha256(
    definitions: Definitions, features: Iterable[str] | None = None, *, condition: str | None = None
) -> str:
    """The SHA-256 of the canonical JSON of `lock`, as hex."""
    return sha256_of_lock(lock(definitions, features, condition=condition))


def sha256_of_lock(locked: dict) -> str:
    """The SHA-256 of a lock, for one that was read back from a bundle as well as for a fresh one."""
    return hashlib.sha256(canonical_json(locked).encode("utf-8")).hexdigest()


def _signals_of_model(definitions: Definitions, condition: str) -> set[str]:
    model = definitions.models[condition]
    named = {model.register_.diagnosis, model.outcome.diagnosis}
    named.update(name for leak in model.leakage for name in leak.signals)
    if model.register_.resolved is not None:
        named.add(model.register_.resolved)
    return named


def _learned_with(model: Model) -> tuple[str, ...]:
    """Features that a list never needs but the training does: what being looked at means."""
    return model.verification.features if model.verification is not None else ()


def _common(definitions: Definitions, condition: str | None) -> list[Any]:
    if condition is None:
        return []
    return [one for one in definitions.leave_outs if not one.only_for or condition in one.only_for]


def _plain(shape: Shape) -> Any:
    return _without_examples(shape.model_dump(mode="json", by_alias=True))


def _without_examples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_examples(part) for key, part in value.items() if key != "examples"}
    if isinstance(value, list):
        return [_without_examples(part) for part in value]
    return value


def _codelist(definitions: Definitions, name: str) -> dict[str, Any]:
    codelist = definitions.codelists[name]
    codes = sorted(([code.system, code.id, code.label] for code in codelist.codes), key=lambda code: code[:2])
    return {
        "source": codelist.source,
        "release": codelist.release,
        "reviewed by": codelist.reviewed_by,
        "absence means": codelist.absence_means,
        "unverified": codelist.unverified,
        "codes": codes,
    }
