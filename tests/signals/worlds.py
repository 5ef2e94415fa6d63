"""Random definitions and random people, with the edges that matter made likely: window edges, ties, late records,
units, implausible values, comparators, pairs. Everything follows from one seed."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from casefinding.definitions.shapes import Code, CodeList, Conversion, Definitions, Feature, Guess, Signal
from casefinding.definitions.words import ETHNICITIES, EVENT_WORDS, PERSON_WORDS, VALUE_WORDS, Span
from tests.oracle.record import Event, Person

UNITS = ("", "mmHg", "kPa", "mm Hg", "KPA", "furlongs", "%")
COMPARATORS = ("", "<", ">")  # by the number that the store keeps of them
WITHIN = ("ever", Span(days=30), Span(days=365), Span(months=12), Span(months=60), Span(months=1), Span(days=14))
LEAVING_OUT = (None, None, Span(days=30), Span(months=3), Span(days=1))
GAPS = (Span(days=0), Span(days=14), Span(months=1))
NEAR = (0, 1, 2, 14)
LISTS = 6
CODES = [f"emis:c{number}" for number in range(10)]
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class World:
    """Definitions, people and who is asked when: (place of the person, index day), sorted."""

    definitions: Definitions
    people: tuple[Person, ...]
    asked: tuple[tuple[int, dt.date], ...]

    @property
    def features(self) -> list[str]:
        return list(self.definitions.features)


def world(seed: int, people: int = 12, features: int = 16) -> World:
    """A random world."""
    rng = random.Random(seed)
    definitions = random_definitions(rng, features)
    index_days = [_index_day(rng) for _ in range(2)]
    crowd = tuple(_person(rng, definitions, index_days) for _ in range(people))
    times = [rng.choice((1, 1, 2, 2)) for _ in range(people)]
    asked = sorted({(place, rng.choice(index_days)) for place in range(people) for _ in range(times[place])})
    return World(definitions, crowd, tuple(asked))


def random_definitions(rng: random.Random, features: int) -> Definitions:
    lists = {}
    for number in range(LISTS):
        ids = rng.sample(CODES[:-2], rng.choice((1, 1, 2, 3)))  # two codes belong to no list
        if rng.random() < 0.5 and "emis:c0" not in ids:
            ids[0] = "emis:c0"  # the busiest code
        codes = tuple(Code(system="emis", id=one.removeprefix("emis:"), label=one) for one in ids)
        name = f"list_{number}"
        lists[name] = CodeList(name=name, source="test", release="1", reviewed_by="test", codes=codes)
    signals = {name: _signal(rng, name) for name in ("plain", "sparse")}
    signals |= {name: _signal(rng, name, measured=True) for name in ("reading", "other_reading", "third_reading")}
    for name, measured in (("pair", True), ("other_pair", True), ("near", False), ("near_reading", True)):
        signals[name] = _paired(rng, _signal(rng, name, measured), signals)
    asked = [_feature(rng, f"f{number}", signals) for number in range(features)]
    return Definitions(codelists=lists, signals=signals, features={feature.name: feature for feature in asked})


def _signal(rng: random.Random, name: str, measured: bool = False) -> Signal:
    lists = tuple(rng.sample([f"list_{number}" for number in range(LISTS)], rng.choice((1, 1, 2))))
    if not measured:
        return Signal(name=name, label=name, codes=lists)
    guesses = (
        (),
        (Guess(at_least=0, below=35, times=7.50062),),
        (Guess(at_least=0, below=1.5, times=100), Guess(at_least=1.5, below=30, times=10.929, plus=-23.5)),
    )
    kpa = Conversion(times=7.50062)
    limits = {}
    for limit, share in (("at_least", 0.25), ("above", 0.1), ("at_most", 0.1), ("below", 0.15)):
        if rng.random() < share:
            limits[limit] = rng.choice((90, 120, 140, 139.5, 0.7, 200))
    return Signal(
        name=name,
        label=name,
        codes=lists,
        unit="mmHg",
        plausible=rng.choice(((50, 300), (0.1, 150), (60, 140))),
        units=rng.choice(({}, {"kPa": kpa}, {"kPa": kpa, "%": Conversion(times=0.01, plus=2)})),
        unitless=rng.choice(guesses),
        keep=rng.choice(("plausible", "plausible", "plausible", "implausible")),
        **limits,
    )


def _paired(rng: random.Random, signal: Signal, signals: dict[str, Signal]) -> Signal:
    """The signal paired with one that is not; where values are compared, both are often plain readings."""
    by_value = signal.unit is not None and signal.name != "near_reading"
    others = [name for name, other in signals.items() if other.paired_with is None and (other.unit or not by_value)]
    changes: dict[str, object] = {"paired_with": rng.choice(others)}
    if by_value:
        changes["pair"] = rng.choice(("higher", "lower"))
    else:
        changes["within_days"] = rng.choice(NEAR)
    if rng.random() < 0.5:
        changes |= {limit: None for limit in ("at_least", "above", "at_most", "below")} | {"keep": "plausible"}
    return signal.model_copy(update=changes)


def _feature(rng: random.Random, name: str, signals: dict[str, Signal]) -> Feature:
    word = rng.choice((*EVENT_WORDS, *EVENT_WORDS, *PERSON_WORDS, "days since unanswered", "courses"))
    if word in PERSON_WORDS:
        return Feature(name=name, label=name, ask=word)
    measured = [signal for signal in signals if signals[signal].unit]
    more: dict[str, object] = {}
    if word in VALUE_WORDS:
        more["same_day"] = rng.choice((None, None, "lowest", "highest", "mean"))
    if word in ("days with", "days since latest") and rng.random() < 0.5:
        more["same_day"] = rng.choice(("lowest", "highest", "mean"))
        more["at_least"] = rng.choice((95, 120, 140))
    if word == "courses":
        more["gap"] = rng.choice(GAPS)
    if word == "days since unanswered":
        more["answered_by"] = tuple(rng.sample(list(signals), rng.choice((1, 2))))
        more["answered_in"] = rng.choice((None, Span(days=0), Span(days=60), Span(months=1)))
    return Feature(
        name=name,
        label=name,
        ask=word,
        of=rng.choice(measured if word in VALUE_WORDS or "at_least" in more else list(signals)),
        within=rng.choice(WITHIN),
        leaving_out_the_last=rng.choice(LEAVING_OUT),
        **more,
    )


def _index_day(rng: random.Random) -> dt.date:
    return rng.choice(
        (
            dt.date(2024, 2, 29),
            dt.date(2023, 3, 1),
            dt.date(2021, 1, 1),
            dt.date(1900, 3, 1),
            dt.date(2020, 1, 1) + dt.timedelta(days=rng.randrange(2000)),
        )
    )


def _person(rng: random.Random, definitions: Definitions, index_days: list[dt.date]) -> Person:
    edges = set(index_days)
    for feature in definitions.features.values():
        for day in index_days:
            if isinstance(feature.within, Span):
                edges.add(feature.within.before(day))
            if feature.leaving_out_the_last is not None:
                edges.add(feature.leaving_out_the_last.before(day))
    before = rng.choice(index_days)
    events: list[Event] = []
    for _ in range(rng.choice((0, 1, 3, 8, 20, 20, 40))):
        events.append(_event(rng, sorted(edges), before, events[-1].day if events else before))
        if rng.random() < 0.3:  # the other half of a pair, on its day or near it, and perhaps recorded late
            day = events[-1].day + rng.choice((0, 0, 0, -1, 1, 2, 3, -2, -3, 14, 15)) * DAY
            recorded = rng.choice((day, day, before - DAY, before))
            events.append(Event(day, recorded, rng.choice(CODES[:-2]), rng.choice((62, 88, 119, 141, 148)), "mmHg"))
    if rng.random() < 0.35:  # measured so often, and lately, that the kernel halves its way through
        for _ in range(70):
            day = max(index_days) - dt.timedelta(days=rng.randrange(40, 75))
            events.append(Event(day, day, "emis:c0", rng.choice((91, 121, 141, 142, 149, 149)), "mmHg"))
    return Person(
        birth_month=rng.choice((None, dt.date(1960, 1, 1), dt.date(1960, 3, 1), before.replace(day=1, year=1896))),
        sex=rng.choice(("female", "male", "unknown", None)),
        ethnicity=rng.choice((*ETHNICITIES, None, "not a group")),
        imd_decile=rng.choice((None, 1, 10)),
        registered_on=rng.choice((None, dt.date(1899, 12, 31), before)),
        events=tuple(events),
    )


def _event(rng: random.Random, edges: list[dt.date], before: dt.date, last: dt.date) -> Event:
    day = rng.choice(
        (
            rng.choice(edges) + rng.choice((-1, 0, 0, 1)) * DAY,
            last,
            last + rng.choice((0, 1, 14, 15, 31)) * DAY,
            before - dt.timedelta(days=rng.randrange(1, 2500)),
        )
    )
    recorded = rng.choice((day, day, day, day + 3 * DAY, before - DAY, before, before + DAY, day - 5 * DAY))
    value = rng.choice((None, 120, 140, 139, 141, 90, 95, 200, 20, 400, 18.7, 12.5, 0.7, 0.69, 1.2, 139.5, 1e7, -3))
    if value is None or rng.random() < 0.3:
        value = rng.choice((None, float(rng.randrange(40, 320)), round(rng.uniform(0, 200), rng.choice((1, 2, 3)))))
    comparator = rng.choice(("", "", "", "<", ">")) if value is not None else ""
    return Event(day, recorded, rng.choice(CODES), value, rng.choice(UNITS), comparator)


# --------------------------------------------------------------------------- as the store would hold it


def code_table(codes: list[str] | None = None) -> pa.Table:
    codes = CODES if codes is None else codes
    system, ids = zip(*(code.split(":") for code in codes), strict=True)
    numbers = pa.array(range(len(codes)), pa.int32())
    return pa.table({"code": numbers, "system": list(system), "id": list(ids), "term": [""] * len(codes)})


def unit_table(units: Sequence[str] = UNITS) -> pa.Table:
    return pa.table({"unit": pa.array(range(len(units)), pa.int16()), "text": list(units)})


def event_table(people: dict[int, Person], codes: list[str] | None = None, units: Sequence[str] = UNITS) -> pa.Table:
    """Events in the order of the store: by every column from left to right."""
    number_of = {code: number for number, code in enumerate(CODES if codes is None else codes)}
    rows = [
        (
            number, event.day, event.recorded, number_of[event.code], event.value, units.index(event.unit),
            COMPARATORS.index(event.comparator),
        )
        for number, person in people.items()
        for event in person.events
    ]  # fmt: skip
    rows.sort(key=lambda row: (*row[:4], np.inf if row[4] is None else row[4], *row[5:]))
    columns = list(zip(*rows, strict=True)) if rows else [[] for _ in range(7)]
    kinds = (pa.int64(), pa.date32(), pa.date32(), pa.int32(), pa.float32(), pa.int16(), pa.int8())
    names = ("person", "day", "recorded_day", "code", "value", "unit", "comparator")
    return pa.table({name: pa.array(column, kind) for name, column, kind in zip(names, columns, kinds, strict=True)})


def base_table(people: dict[int, Person], asked: list[tuple[int, dt.date]]) -> pa.Table:
    """Who is asked when; `asked` by number of the person."""
    whole = [people[number] for number, _ in asked]
    return pa.table(
        {
            "person": pa.array([number for number, _ in asked], pa.int64()),
            "index_day": pa.array([day for _, day in asked], pa.date32()),
            "birth_month": pa.array([person.birth_month for person in whole], pa.date32()),
            "sex": pa.array([person.sex for person in whole], pa.string()),
            "ethnicity": pa.array([person.ethnicity for person in whole], pa.string()),
            "imd_decile": pa.array([person.imd_decile for person in whole], pa.int8()),
            "registered_on": pa.array([person.registered_on for person in whole], pa.date32()),
        }
    )


def with_event(person: Person, event: Event) -> Person:
    return replace(person, events=(*person.events, event))
