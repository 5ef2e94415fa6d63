"""What one file cannot know alone: names that must exist elsewhere, lists that must not overlap, examples that lack."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from casefinding.definitions.clauses import parts_of
from casefinding.definitions.complaints import did_you_mean
from casefinding.definitions.evidence_check import check_evidence
from casefinding.definitions.leakage import check_leakage, days_of
from casefinding.definitions.pairs_check import check_pairs
from casefinding.definitions.quality_check import check_quality
from casefinding.definitions.scores_check import check_scores
from casefinding.definitions.segments_check import check_segments
from casefinding.definitions.shapes import (
    AtLeastOf,
    Definitions,
    Example,
    Feature,
    LeaveOut,
    Model,
    Rule,
    RuleExample,
    Signal,
    Test,
)
from casefinding.definitions.strict import Parsed, Problem
from casefinding.definitions.treatment_gaps_check import check_treatment_gaps
from casefinding.definitions.visits_check import check_visits

_BRACES = re.compile(r"\{([^{}]*)\}")


class Places:
    """Where each named thing is written; a thing that was refused still has a place, so its users are not blamed."""

    def __init__(self) -> None:
        self._by_kind: dict[str, dict[str, tuple[Parsed, tuple[Any, ...]]]] = {}
        self.unreadable: set[str] = set()  # kinds of which a file could not be read: names may be missing for that

    def add(self, kind: str, name: str, parsed: Parsed, path: tuple[Any, ...]) -> str:
        """Note a place; gives the earlier place of the same name, or ""."""
        known = self._by_kind.setdefault(kind, {})
        if name in known:
            return self.where(kind, name)
        known[name] = (parsed, path)
        return ""

    def names(self, kind: str) -> Iterable[str]:
        return self._by_kind.get(kind, {}).keys()

    def where(self, kind: str, name: str, *inner: Any) -> str:
        parsed, path = self._by_kind[kind][name]
        return parsed.where((*path, *inner))


def crosscheck(definitions: Definitions, places: Places) -> list[Problem]:
    """Every problem between definitions that are each valid alone."""
    checks = _Checks(definitions, places)
    for signal in definitions.signals.values():
        checks.signal(signal)
    for feature in definitions.features.values():
        checks.feature(feature)
    for leave_out in definitions.leave_outs:
        checks.leave_out(leave_out, ("leave out", leave_out.name))
    for model in definitions.models.values():
        checks.model(model)
    check_pairs(checks)
    check_segments(checks)
    check_treatment_gaps(checks)
    if set(places.names("model")) == set(definitions.models):  # else a test may be missing for a model that was refused
        check_visits(checks)
        check_quality(checks)
    return checks.found


class _Checks:
    def __init__(self, definitions: Definitions, places: Places) -> None:
        self.definitions, self.places = definitions, places
        self.found: list[Problem] = []

    def say(self, at: tuple[Any, ...], what: str, hint: str = "") -> None:
        self.found.append(Problem(self.places.where(*at), what, hint))

    def known(self, kind: str, name: str, at: tuple[Any, ...]) -> bool:
        names = self.places.names(kind)
        if name in names:
            return True
        if kind not in self.places.unreadable:
            self.say(at, f"there is no {kind} called {name!r}", did_you_mean(name, names))
        return False

    # ------------------------------------------------------------------ signals

    def signal(self, signal: Signal) -> None:
        at = ("signal", signal.name)
        for position, name in enumerate(signal.codes):
            self.known("code list", name, (*at, "codes", position))
        for word in ("plausible", "warn"):
            limits = getattr(signal, word)
            if limits is not None and limits[0] >= limits[1]:
                self.say((*at, word), f"{word!r} must go from the lower to the higher end")
        if (
            signal.plausible
            and signal.warn
            and not (signal.plausible[0] <= signal.warn[0] and signal.warn[1] <= signal.plausible[1])
        ):
            self.say(
                (*at, "warn"), "'warn' must lie within 'plausible'", "what is implausible is refused, not warned of"
            )
        if signal.keep == "implausible" and signal.plausible is None:
            self.say((*at, "keep"), "'keep: implausible' needs a 'plausible' range")
        for position, guess in enumerate(signal.unitless):
            if guess.at_least >= guess.below:
                self.say((*at, "unitless", position), "'at least' must be lower than 'below'")
        for unit, conversion in signal.units.items():
            if conversion.times == 0:
                self.say((*at, "units", unit), "a conversion cannot be 'times: 0'")
        floor = max((v for v in (signal.at_least, signal.above) if v is not None), default=None)
        roof = min((v for v in (signal.at_most, signal.below) if v is not None), default=None)
        if floor is not None and roof is not None and floor > roof:
            self.say(at, f"no value can be both over {floor:g} and under {roof:g}")
        if signal.but_not and not signal.substances:
            self.say((*at, "but not"), "'but not' belongs to 'substances'")

    # ------------------------------------------------------------------ features

    def feature(self, feature: Feature) -> None:
        at = ("feature", feature.name)
        if feature.of is not None:
            exists = self.known("signal", feature.of, (*at, "of"))
            signal = self.definitions.signals.get(feature.of)
            if exists and signal is not None and feature.reads_values and signal.unit is None:
                self.say((*at, "ask"), f"{feature.ask!r} reads values, but signal {signal.name!r} has no unit")
        for position, name in enumerate(feature.answered_by):
            self.known("signal", name, (*at, "answered by", position))
        self._window(feature, at)
        if feature.higher_means is not None and feature.ask in ("sex", "ethnicity"):
            self.say(
                (*at, "higher means"), f"'higher means' has no meaning for {feature.ask!r}", "its values have no order"
            )
        for name in self._placeholders(feature.say, (*at, "say")):
            if name not in ("value", "when"):
                self.say((*at, "say"), f"{{{name}}} means nothing here", "a feature's words are {value} and {when}")
        if len(feature.examples) < 2:
            count = "no worked example" if not feature.examples else "one worked example only"
            self.say((*at, "examples"), f"{feature.name!r} has {count}", "at least two, one of them missing or an edge")
        self._examples(feature.examples, at, feature.of)

    def _window(self, feature: Feature, at: tuple[Any, ...]) -> None:
        within = None if feature.within == "ever" else days_of(feature.within)
        if within == 0:
            self.say((*at, "within"), "the window is empty")
        last = feature.leaving_out_the_last
        if feature.about_person and (within is not None or last is not None):
            word = "within" if within is not None else "leaving out the last"
            self.say((*at, word), f"{feature.ask!r} asks about the person and takes no {word!r}")
        elif within is not None and last is not None and within <= days_of(last):
            self.say((*at, "within"), "the window is not longer than what 'leaving out the last' takes from it")
        if within is not None and feature.gap is not None and within <= days_of(feature.gap):
            self.say((*at, "gap"), "the window is not longer than the gap, so there is never a second course")

    def _examples(
        self, examples: tuple[Example, ...] | tuple[RuleExample, ...], at: tuple[Any, ...], of: str | None = None
    ) -> None:
        """`of`: the feature's own signal, whose absence is told where it is named."""
        for position, example in enumerate(examples):
            here = (*at, "examples", position)
            if not re.fullmatch(r"[12][0-9]{3}-(0[1-9]|1[0-2])", example.person.born):
                self.say(
                    (*here, "person", "born"), f"{example.person.born!r} is not a year and month", "write '1960-01'"
                )
            for name, entries in example.records.items():
                if name == of or self.known("signal", name, (*here, "records", name)):
                    signal = self.definitions.signals.get(name)
                    for entry in entries if signal is not None else ():
                        self._entry_unit(signal, entry.unit, (*here, "records", name))

    def _entry_unit(self, signal: Signal | None, unit: str | None, at: tuple[Any, ...]) -> None:
        if unit is not None and signal is not None and signal.unit is None:
            self.say(at, f"signal {signal.name!r} has no unit, but the example gives it one")

    def _placeholders(self, text: str, at: tuple[Any, ...]) -> list[str]:
        if "{" in _BRACES.sub("", text) or "}" in _BRACES.sub("", text):
            self.say(at, "a brace stands alone", "placeholders are written {value}")
        return _BRACES.findall(text)

    # ------------------------------------------------------------------ clauses, rules, leave-outs

    def clause(self, clause: Any, at: tuple[Any, ...]) -> None:
        """Names in a clause exist, each told at its own line."""
        if isinstance(clause, Test):
            self.known("feature", clause.feature, (*at, "feature"))
            for key in ("at least", "more than", "at most", "less than"):
                operand = getattr(clause, key.replace(" ", "_"))
                if operand is not None and not isinstance(operand, float | int):
                    self.known("feature", operand.feature, (*at, key, "feature"))
            return
        key, parts = parts_of(clause)
        if isinstance(clause, AtLeastOf) and clause.number > len(parts):
            self.say((*at, "at least"), f"{clause.number} of {len(parts)} clauses can never hold")
        for position, part in enumerate(parts):
            self.clause(part, (*at, key, position))

    def rule(self, rule: Rule) -> None:
        at = ("rule", rule.id)
        self.clause(rule.when, (*at, "when"))
        if rule.severe is not None:
            self.clause(rule.severe, (*at, "severe"))
        for placeholder in self._placeholders(rule.say, (*at, "say")):
            name = placeholder.removesuffix(".when")
            if name not in self.places.names("feature") and "feature" not in self.places.unreadable:
                hint = did_you_mean(name, self.places.names("feature"))
                self.say(
                    (*at, "say"), f"{{{placeholder}}} names no feature", hint or "{feature_name} or {feature_name.when}"
                )
        for wanted, word in (("flagged", "positive"), ("not flagged", "negative")):
            if not any(example.gives == wanted for example in rule.examples):
                self.say((*at, "examples"), f"rule {rule.id!r} has no {word} example", f"one that gives: {wanted}")
        self._examples(rule.examples, at)

    def leave_out(self, leave_out: LeaveOut, at: tuple[Any, ...]) -> None:
        self.clause(leave_out.when, (*at, "when"))
        for position, condition in enumerate(leave_out.only_for):
            self.known("model", condition, (*at, "only for", position))

    # ------------------------------------------------------------------ models

    def model(self, model: Model) -> None:
        at = ("model", model.condition)
        for section, shape in (("register", model.register_), ("outcome", model.outcome)):
            self.known("signal", shape.diagnosis, (*at, section, "diagnosis"))
        if model.register_.resolved is not None:
            self.known("signal", model.register_.resolved, (*at, "register", "resolved"))
        self._names("feature", model.features, (*at, "features"))
        self._names("feature", model.missing_notes, (*at, "missing notes"))
        self._names("feature", model.silent, (*at, "silent"))
        if not model.features:
            self.say((*at, "features"), "a model needs features")
        if days_of(model.outcome.horizon) == 0:
            self.say((*at, "outcome", "horizon"), "the horizon is empty")
        low, high = model.eligible.age_at_least, model.eligible.age_at_most
        if high is not None and high < low:
            self.say((*at, "eligible"), f"nobody is at least {low} and at most {high} years old")
        check_leakage(self, model)
        check_evidence(self, model)
        check_scores(self, model)
        if model.treated is not None:
            self.clause(model.treated, (*at, "treated"))
        for rule in model.rules:
            self.rule(rule)
        common = {
            one.name for one in self.definitions.leave_outs if not one.only_for or model.condition in one.only_for
        }
        for leave_out in model.leave_out:
            here = (f"leave out of {model.condition}", leave_out.name)
            if leave_out.name in common:
                first = self.places.where("leave out", leave_out.name)
                self.say(here, f"there are two leave outs called {leave_out.name!r}", f"the first is at {first}")
            self.leave_out(leave_out, here)

    def _names(self, kind: str, names: tuple[str, ...], at: tuple[Any, ...]) -> None:
        for position, name in enumerate(names):
            self.known(kind, name, (*at, position))
            if name in names[:position]:
                self.say((*at, position), f"{name!r} stands twice in {at[-1]!r}")
