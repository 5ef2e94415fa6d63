"""The leakage register, enforced: what belongs to the work-up, the treatment or the label never reaches a model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from casefinding.definitions.basics import span_text
from casefinding.definitions.checks import Checks
from casefinding.definitions.clauses import features_in
from casefinding.definitions.evidence import SOME_DAY, Handling
from casefinding.definitions.shapes import Feature, Model, Signal
from casefinding.definitions.words import Span

__all__ = ["check_leakage", "days_of"]

Code = tuple[str, str]  # system, id
SHOWN_BY = ("act now", "review the record")
"""The lanes that show somebody who has evidence of the condition without its code."""


def check_leakage(checks: Checks, model: Model) -> None:
    """Every breach of a model's leakage register, each at its own line.

    A refitted model's variables are some of the model's features (scores_check.py), so they are held to it as well.
    """
    check = _Check(checks, model)
    check.names()
    check.labels_apart()
    for position, name in enumerate(model.features):
        feature = checks.definitions.features.get(name)
        if feature is not None:
            check.feature(feature, (*check.at, "features", position))
    check.answered("pending", check.seen_by_leave_outs("chance"), "no leave out that drops from 'chance' reads it")
    check.answered("evidence", check.seen_by_rules(), f"no rule in the lanes {_either(SHOWN_BY)} reads it")
    check.answered("evidence", check.seen_by_leave_outs("training"), "no leave out that drops from 'training' reads it")


class _Check:
    def __init__(self, checks: Checks, model: Model) -> None:
        self.checks, self.definitions, self.model, self.say = checks, checks.definitions, model, checks.say
        self.at = ("model", model.condition)
        self._codes: dict[str, dict[Code, str]] = {}
        outcome, register = model.outcome.diagnosis, model.register_
        self.label_signals = {outcome, register.diagnosis, *([register.resolved] if register.resolved else [])}
        self.labels: dict[Code, str] = {}
        for name in (register.resolved, register.diagnosis, outcome):
            self.labels.update(self.codes(name) if name is not None else {})

    def codes(self, signal: str) -> dict[Code, str]:
        """(system, id) -> the list it stands in, for a signal's code lists; empty where they cannot be read."""
        if signal not in self._codes:
            known = self.definitions.signals.get(signal)
            lists = [self.definitions.codelists.get(name) for name in known.codes] if known is not None else []
            self._codes[signal] = {(c.system, c.id): one.name for one in lists if one is not None for c in one.codes}
        return self._codes[signal]

    def names(self) -> None:
        first: dict[str, int] = {}
        for position, leak in enumerate(self.model.leakage):
            for place, name in enumerate(leak.signals):
                at = (*self.at, "leakage", position, "signals", place)
                self.checks.known("signal", name, at)
                if first.setdefault(name, position) != position or name in leak.signals[:place]:
                    self.say(at, f"{name!r} stands twice in the leakage register", "one entry says how it is handled")

    def labels_apart(self) -> None:
        """No code both diagnoses and resolves (specification, trap 3)."""
        register = self.model.register_
        if register.resolved is None:
            return
        diagnosed, resolved = self.codes(register.diagnosis), self.codes(register.resolved)
        for code in sorted(diagnosed.keys() & resolved.keys()):
            self.say(
                (*self.at, "register", "resolved"),
                f"{code[0]} {code[1]} is in the diagnosis list {diagnosed[code]!r} "
                f"and in the resolved list {resolved[code]!r}",
                "a code says one or the other",
            )

    # ------------------------------------------------------------------ what a model may not read

    def feature(self, feature: Feature, at: tuple[Any, ...]) -> None:
        gap = self.model.outcome.gap
        for signal in self.definitions.signals_read(feature):
            if signal in self.label_signals:
                self.say(at, f"feature {feature.name!r} reads {signal!r}, which is what the model predicts")
                continue
            if self._shares_with_label(feature, signal, at):
                continue
            banned = self._handled(signal, "banned")
            lagged = self._handled(signal, "lagged")
            if banned:
                self.say(
                    at,
                    f"feature {feature.name!r} reads {signal!r}, which is banned from this model{_as(signal, banned)}",
                    "see 'leakage'",
                )
            elif lagged and not _leaves_out(feature, gap):
                self.say(
                    at,
                    f"feature {feature.name!r} reads {signal!r} up to the index day; the leakage register allows it "
                    f"only up to {span_text(gap)} before{_as(signal, lagged)}",
                    f"'leaving out the last: {span_text(gap)}' or more, the gap of the outcome",
                )

    def _shares_with_label(self, feature: Feature, signal: str, at: tuple[Any, ...]) -> bool:
        shared = sorted(self.codes(signal).keys() & self.labels.keys())
        if shared:
            code, more = shared[0], len(shared) - 1
            self.say(
                at,
                f"feature {feature.name!r} reads list {self.codes(signal)[code]!r}, which shares {code[0]} {code[1]}"
                + (f" and {more} more" if more else "")
                + f" with the label list {self.labels[code]!r}",
                "take the code out of one of them: the model would see its own answer",
            )
        return bool(shared)

    def _handled(self, signal: str, handling: Handling) -> str:
        """The signal of the register by which this one is handled so, or "".

        A signal that the register names is judged by its own entry. Another one is judged by the entries whose events
        it shares, so that a new name for an old item does not slip through.
        """
        if any(signal in leak.signals for leak in self.model.leakage):
            return signal if signal in self.model.leaking(handling) else ""
        return next((name for name in self.model.leaking(handling) if self._akin(signal, name)), "")

    def _akin(self, signal: str, other: str) -> bool:
        if self.codes(signal).keys() & self.codes(other).keys():
            return True
        one, two = (self._substances(name) for name in (signal, other))
        return bool(one and two) and (one <= two or two <= one)

    def _substances(self, signal: str) -> frozenset[str]:
        known = self.definitions.signals.get(signal)
        return frozenset(known.substances) if known is not None else frozenset()

    # ------------------------------------------------------------------ what must be seen to

    def seen_by_leave_outs(self, stage: str) -> set[str]:
        states = self.definitions.leave_outs_for(self.model.condition)
        return self._signals(name for one in states if stage in one.drop_from for name in features_in(one.when))

    def seen_by_rules(self) -> set[str]:
        rules = [rule for rule in self.model.rules if rule.lane in SHOWN_BY]
        return self._signals(name for rule in rules for name in features_in(rule.when))

    def _signals(self, features: Iterable[str]) -> set[str]:
        there = [self.definitions.features[name] for name in features if name in self.definitions.features]
        return {feature.of for feature in there if feature.of is not None}

    def answered(self, handling: Handling, seen: set[str], what: str) -> None:
        """Every item handled so is read by one of the signals seen, by name or as a part of a wider one."""
        signals = self.definitions.signals
        for position, leak in enumerate(self.model.leakage):
            for place, name in enumerate(leak.signals if handling in leak.handling else ()):
                if name not in signals or name in seen or any(self._holds(one, name) for one in seen):
                    continue
                self.say(
                    (*self.at, "leakage", position, "signals", place),
                    f"{name!r} is {handling!r} in the leakage register, but {what}",
                    "add one, or handle it otherwise",
                )

    def _holds(self, wide: str, narrow: str) -> bool:
        """Whether every event of `narrow` is one of `wide`."""
        known = self.definitions.signals.get(wide)
        if known is None or _picky(known):
            return False
        codes, substances = self.codes(narrow).keys(), self._substances(narrow)
        return bool(codes or substances) and codes <= self.codes(wide).keys() and substances <= self._substances(wide)


def _picky(signal: Signal) -> bool:
    """Whether a signal leaves out some events of its own codes."""
    return signal.filtered or signal.keep != "plausible" or signal.paired_with is not None


def _leaves_out(feature: Feature, gap: Span) -> bool:
    last = feature.leaving_out_the_last
    return last is not None and days_of(last) >= days_of(gap)


def _as(signal: str, entry: str) -> str:
    return "" if signal == entry else f" as {entry!r}, with which it shares records"


def _either(words: Iterable[str]) -> str:
    return " and ".join(repr(word) for word in words)


def days_of(span: Span) -> int:
    """A length of time in days, counted from one day for all, so that lengths compare."""
    return (span.after(SOME_DAY) - SOME_DAY).days
