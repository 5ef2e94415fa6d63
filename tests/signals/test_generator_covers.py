"""The meta-test: what the generative test is proud of was really generated, word by word and edge by edge."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from casefinding.definitions.shapes import Definitions, Feature, Signal
from casefinding.definitions.words import EVENT_WORDS, PERSON_WORDS, VALUE_WORDS
from tests.oracle.ask import ask
from tests.oracle.record import Event, Person
from tests.oracle.sight import belongs, has_partner, seen, window
from tests.oracle.value import as_written, in_own_unit, worth
from tests.signals import worlds

WORLDS = 80


@pytest.fixture(scope="module")
def met() -> Counter[str]:
    """How often each thing occurred in some random worlds."""
    tally: Counter[str] = Counter()
    for seed in range(WORLDS):
        world = worlds.world(seed)
        for feature in world.definitions.features.values():
            for place, index_day in world.asked:
                tally.update(_of_answer(feature, world.definitions, world.people[place], index_day))
    return tally


def _of_answer(feature: Feature, definitions: Definitions, person: Person, index_day: dt.date) -> Iterator[str]:
    value, _ = ask(feature, definitions, person, index_day)
    word = feature.ask
    yield f"{word}: {'missing' if value is None else 'zero' if value == 0 else 'answered'}"
    if feature.about_person:
        return
    signal = definitions.signals[feature.of or ""]
    from_day = "within" if feature.within != "ever" else "ever"
    yield f"{word}: {from_day}, {'leaving out' if feature.leaving_out_the_last else 'to the index day'}"
    yield f"{word}: same day {feature.same_day}"
    if word == "courses" and feature.gap is not None:
        yield f"courses: gap in {'months' if feature.gap.months else 'days'}"
    if word == "days since unanswered":
        yield f"unanswered: answered in {'ever' if feature.answered_in is None else 'a span'}"
        yield f"unanswered: {len(feature.answered_by)} signals"
    found = window(seen(person.events, signal, definitions, index_day, word in VALUE_WORDS), feature, index_day)
    if len(found) > len({day for day, _ in found}):
        yield f"{word}: tie on a day"
    if len(found) > 48:
        yield f"{word}: long enough to be halved"
    if any(event.recorded >= index_day > event.day for event in person.events if belongs(event, signal, definitions)):
        without = Person(**{**vars(person), "events": tuple(e for e in person.events if e.recorded < index_day)})
        everything = Person(**{**vars(person), "events": tuple(_known_at_once(e) for e in person.events)})
        if ask(feature, definitions, everything, index_day) != ask(feature, definitions, without, index_day):
            yield f"{word}: late record would matter"
    yield from _of_edges(feature, person, signal, definitions, index_day)
    if signal.unit is not None:
        yield from (f"value: {what}" for event in person.events for what in _of_value(event, signal))
    if feature.at_least is not None:
        yield f"{word}: at least, the {feature.same_day} of the day"
    if signal.paired_with is not None:
        yield from (f"pair: {what}" for what in _of_pairs(person, signal, definitions, index_day))


def _of_edges(
    feature: Feature, person: Person, signal: Signal, definitions: Definitions, index_day: dt.date
) -> Iterator[str]:
    days = {event.day for event in person.events if belongs(event, signal, definitions)}
    if index_day in days:
        yield "edge: event on the index day"
    if index_day - worlds.DAY in days:
        yield "edge: event on the day before"
    if feature.within != "ever":
        first = feature.within.before(index_day)
        yield from (f"edge: window {name}" for name, day in _about(first) if day in days)
    if feature.leaving_out_the_last is not None:
        stop = feature.leaving_out_the_last.before(index_day)
        yield from (f"edge: left out {name}" for name, day in _about(stop) if day in days)
    if index_day == dt.date(2024, 2, 29):
        yield "edge: index day 29 February"
    if index_day.year == 1900:
        yield "edge: index day in 1900"


def _about(day: dt.date) -> tuple[tuple[str, dt.date], ...]:
    return ("first day", day), ("day before", day - worlds.DAY)


def _of_pairs(person: Person, signal: Signal, definitions: Definitions, index_day: dt.date) -> Iterator[str]:
    kind = signal.pair or "in time"
    other = definitions.signals[signal.paired_with or ""]
    all_known = tuple(_known_at_once(event) for event in person.events)
    for event in person.events:
        if not belongs(event, signal, definitions) or event.day >= index_day or event.recorded >= index_day:
            continue
        if signal.pair is not None and worth(event, signal) is None:
            continue
        paired = has_partner(event, person.events, signal, definitions, index_day)
        yield f"{kind}, {'paired' if paired else 'alone'}"
        if not paired and has_partner(_known_at_once(event), all_known, signal, definitions, index_day):
            yield f"{kind}, the partner was recorded too late"
        near = [one for one, _ in seen(person.events, other, definitions, index_day, signal.pair is not None)]
        if signal.pair is not None and not paired and event.day in near:
            yield f"{kind}, on the wrong side"
        if signal.pair is not None and near.count(event.day) > 1:
            yield f"{kind}, several of that day"
        if signal.within_days is not None:
            away = {(day - event.day).days for day in near}
            reach = signal.within_days
            yield from (
                f"{kind}, {where}" for where, days in (("last day", reach), ("too far", reach + 1)) if days in away
            )
            yield from (
                f"{kind}, {where}" for where, days in (("first day", -reach), ("long ago", -reach - 1)) if days in away
            )


def _of_value(event: Event, signal: Signal) -> Iterator[str]:
    if event.value is None:
        yield "none"
        return
    unit = event.unit.lower().replace(" ", "")
    yield "no unit" if unit == "" else "own unit" if unit == "mmhg" else "other unit"
    if unit == "" and signal.unitless:
        yield "guessed" if any(g.at_least <= event.value < g.below for g in signal.unitless) else "no guess fits"
    converted = in_own_unit(as_written(event.value), event.unit, signal)
    if converted is None:
        yield f"unknown unit, {signal.keep} kept"
        if signal.keep == "implausible":
            assert signal.plausible is not None
            inside = signal.plausible[0] <= float(as_written(event.value)) <= signal.plausible[1]
            yield f"unknown unit, the number would be {'plausible' if inside else 'implausible'}"
            if signal.filtered:
                yield f"unknown unit, {'wanted' if worth(event, signal) is not None else 'not wanted'} by the filter"
        return
    assert signal.plausible is not None
    inside = signal.plausible[0] <= float(converted) <= signal.plausible[1]
    yield f"{'plausible' if inside else 'implausible'}, {signal.keep} kept"
    if float(converted) in signal.plausible:
        yield "on the edge of the plausible range"
    if float(converted) in (signal.at_least, signal.above, signal.at_most, signal.below):
        yield "on the edge of the filter"
        if event.comparator and inside == (signal.keep == "plausible"):
            changed = (worth(event, signal) is None) != (worth(replace(event, comparator=""), signal) is None)
            yield f"on the edge of the filter, {event.comparator} {'decides' if changed else 'changes nothing'}"
    if event.comparator:
        yield f"with {event.comparator}"
    if signal.filtered:
        yield "filtered: kept" if worth(event, signal) is not None else "filtered: not kept"
    if float(converted) != round(float(converted)):
        yield "with decimals"


def _known_at_once(event: Event) -> Event:
    return replace(event, recorded=min(event.day, event.recorded))


@pytest.mark.parametrize("word", EVENT_WORDS)
def test_every_word_met_every_kind_of_window_ties_late_records_and_nothing(met: Counter[str], word: str) -> None:
    kinds = [f"{within}, {until}" for within in ("ever", "within") for until in ("leaving out", "to the index day")]
    nothing = "zero" if word in ("ever", "count", "days with", "courses") else "missing"
    wanted = [*kinds, nothing, "answered", "tie on a day", "late record would matter", "long enough to be halved"]
    if word in VALUE_WORDS:
        wanted += [f"same day {how}" for how in (None, "lowest", "highest", "mean")]
    assert [what for what in wanted if not met[f"{word}: {what}"]] == []


@pytest.mark.parametrize("word", PERSON_WORDS)
def test_every_word_about_the_person_was_answered_and_was_unknown(met: Counter[str], word: str) -> None:
    assert met[f"{word}: answered"]
    assert met[f"{word}: {'zero' if word == 'ethnicity' else 'missing'}"]


@pytest.mark.parametrize("kind", ["higher", "lower", "in time"])
def test_pairs_came_in_every_kind(met: Counter[str], kind: str) -> None:
    wanted = ["paired", "alone", "the partner was recorded too late"]
    wanted += ["last day", "too far", "first day", "long ago"] if kind == "in time" else ["on the wrong side"]
    wanted += [] if kind == "in time" else ["several of that day"]
    assert [what for what in wanted if not met[f"pair: {kind}, {what}"]] == []


def test_days_of_a_value_came_in_every_kind(met: Counter[str]) -> None:
    words, ways = ("days with", "days since latest"), ("lowest", "highest", "mean")
    wanted = [f"{word}: at least, the {how} of the day" for word in words for how in ways]
    assert [what for what in wanted if not met[what]] == []


def test_gaps_and_answers_came_in_every_kind(met: Counter[str]) -> None:
    wanted = ["courses: gap in months", "courses: gap in days", "unanswered: answered in ever"]
    wanted += ["unanswered: answered in a span", "unanswered: 1 signals", "unanswered: 2 signals"]
    assert [what for what in wanted if not met[what]] == []


def test_every_edge_of_time_was_met(met: Counter[str]) -> None:
    wanted = ["event on the index day", "event on the day before", "window first day", "window day before"]
    wanted += ["left out first day", "left out day before", "index day 29 February", "index day in 1900"]
    assert [what for what in wanted if not met[f"edge: {what}"]] == []


def test_every_fate_of_a_value_was_met(met: Counter[str]) -> None:
    wanted = ["none", "no unit", "own unit", "other unit", "guessed", "no guess fits", "with decimals"]
    wanted += ["unknown unit, plausible kept", "unknown unit, implausible kept"]
    wanted += [f"unknown unit, the number would be {side}" for side in ("plausible", "implausible")]
    wanted += [f"unknown unit, {said} by the filter" for said in ("wanted", "not wanted")]
    wanted += ["with <", "with >"]
    wanted += [f"on the edge of the filter, {c} {what}" for c in "<>" for what in ("decides", "changes nothing")]
    wanted += [f"{side}, {keep} kept" for side in ("plausible", "implausible") for keep in ("plausible", "implausible")]
    wanted += ["on the edge of the plausible range", "on the edge of the filter"]
    wanted += ["filtered: kept", "filtered: not kept"]
    assert [what for what in wanted if not met[f"value: {what}"]] == []
