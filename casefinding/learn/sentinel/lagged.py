"""Definitions bent for the sentinel: the label at other gaps, and features that do not see the last days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from casefinding.definitions.basics import span_text
from casefinding.definitions.evidence import SOME_DAY
from casefinding.definitions.shapes import Definitions, Feature
from casefinding.definitions.words import Span

GAPS = (Span(days=30), Span(days=90), Span(days=180))
"""Specification 1.3: "move G 30 -> 90 -> 180 days"."""


def gap_shifted(definitions: Definitions, condition: str) -> dict[str, Definitions]:
    """The definitions with the condition's gap at 30, 90, 180 days and its own, by the gap as text, shortest first.

    For cohort.outcome.outcomes; nothing but the gap is changed.
    """
    model = definitions.models[condition]
    spans = {span.before(SOME_DAY): span for span in (*GAPS, model.outcome.gap)}
    shifted = {}
    for day in sorted(spans, reverse=True):
        outcome = model.outcome.model_copy(update={"gap": spans[day]})
        models = {**definitions.models, condition: model.model_copy(update={"outcome": outcome})}
        shifted[span_text(spans[day])] = definitions.model_copy(update={"models": models})
    return shifted


def own_gap(definitions: Definitions, condition: str) -> str:
    """The key of the condition's own gap in `gap_shifted`."""
    return span_text(definitions.models[condition].outcome.gap)


@dataclass(frozen=True)
class Twins:
    """Features of a model as they would be without the last days before the index day.

    `definitions` hold the twins beside everything else; `names` are those to build. `of`: a feature's twin, None where
    its whole window lies in those days. `signals`: the features with a twin, by the signal they read.
    """

    definitions: Definitions
    names: tuple[str, ...]
    of: Mapping[str, str | None]
    signals: Mapping[str, tuple[str, ...]]
    hidden: str  # how long before the index day is hidden, as text


def lagged_twins(definitions: Definitions, condition: str) -> Twins:
    """A twin for every feature of the model that can see events of the last `gap` days before the index day.

    The twin is the same feature with `leaving out the last: gap`. Features about the person, and those that already
    leave out as much, have none.
    """
    model = definitions.models[condition]
    gap = model.outcome.gap
    since = gap.before(SOME_DAY)
    of: dict[str, str | None] = {}
    signals: dict[str, list[str]] = {}
    added: dict[str, Feature] = {}
    for name in model.features:
        feature = definitions.features[name]
        last = feature.leaving_out_the_last
        if feature.of is None or (last is not None and last.before(SOME_DAY) <= since):
            continue
        signals.setdefault(feature.of, []).append(name)
        within = feature.within
        if isinstance(within, Span) and within.before(SOME_DAY) >= since:
            of[name] = None
            continue
        twin = f"{name}__before_the_gap"
        of[name] = twin
        added[twin] = feature.model_copy(update={"name": twin, "leaving_out_the_last": gap, "examples": ()})
    return Twins(
        definitions=definitions.model_copy(update={"features": {**definitions.features, **added}}),
        names=tuple(added),
        of=of,
        signals={signal: tuple(names) for signal, names in signals.items()},
        hidden=span_text(gap),
    )
