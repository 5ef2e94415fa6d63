"""The boundary table: one row an edge, the answer worked out by hand; held by kernel and oracle alike."""

from __future__ import annotations

import datetime as dt
import math

import pytest

from casefinding.definitions.shapes import Code, CodeList, Conversion, Definitions, Feature, Guess, Signal
from tests.oracle.ask import ask
from tests.oracle.record import Event, Person
from tests.signals import compare, worlds

MISSING = math.nan
LISTS = {
    name: CodeList(
        name=name, source="test", release="1", reviewed_by="test", codes=(Code(system="emis", id=code, label=name),)
    )
    for name, code in (("reading", "c0"), ("answer", "c1"))
}
PRESSURE = {"unit": "mmHg", "plausible": (50, 300), "units": {"kPa": Conversion(times=7.50062)}}
SIGNALS = {
    "pressure": Signal(name="pressure", label="", codes=("reading",), **PRESSURE),
    "raised": Signal(name="raised", label="", codes=("reading",), at_least=140, **PRESSURE),
    "over": Signal(name="over", label="", codes=("reading",), above=140, **PRESSURE),
    "odd": Signal(name="odd", label="", codes=("reading",), keep="implausible", **PRESSURE),
    "odd_high": Signal(name="odd_high", label="", codes=("reading",), keep="implausible", at_least=180, **PRESSURE),
    "ratio": Signal(name="ratio", label="", codes=("reading",), unit="ratio", plausible=(0.1, 1), below=0.7),
    "ratio_of_percent": Signal(
        name="ratio_of_percent", label="", codes=("reading",), unit="ratio", plausible=(0.1, 1), at_most=0.69,
        unitless=(Guess(at_least=1.000001, below=101, times=0.01),),
    ),
    "sugar": Signal(
        name="sugar", label="", codes=("reading",), unit="mmol/mol", plausible=(15, 200),
        units={"%": Conversion(times=10.929, plus=-23.49735)},
        unitless=(Guess(at_least=3, below=15, times=10.929, plus=-23.49735),),
    ),
    "plain": Signal(name="plain", label="", codes=("reading",)),
    "answer": Signal(name="answer", label="", codes=("answer",)),
}  # fmt: skip

D = dt.date
LEAP = D(2024, 2, 29)

# ask, feature's other keys, events (day or (day, value), unit after it), index day, answer
TABLE = [
    # exactly five years: the first day of the window counts, the day before does not
    ("count", {"within": "5 years"}, [D(2019, 3, 1)], D(2024, 3, 1), 1),
    ("count", {"within": "5 years"}, [D(2019, 2, 28)], D(2024, 3, 1), 0),
    # 29 February: five years before it is 28 February
    ("count", {"within": "5 years"}, [D(2019, 2, 28)], LEAP, 1),
    ("count", {"within": "5 years"}, [D(2019, 2, 27)], LEAP, 0),
    ("count", {"within": "1 month"}, [D(2024, 2, 29)], D(2024, 3, 31), 1),
    ("days since latest", {}, [LEAP], D(2025, 2, 28), 365),
    # the index day itself, and the day before
    ("ever", {}, [D(2024, 3, 1)], D(2024, 3, 1), 0),
    ("ever", {}, [D(2024, 2, 29)], D(2024, 3, 1), 1),
    # the part left out begins with its first day
    ("ever", {"leaving_out_the_last": "30 days"}, [D(2024, 1, 31)], D(2024, 3, 1), 0),
    ("ever", {"leaving_out_the_last": "30 days"}, [D(2024, 1, 30)], D(2024, 3, 1), 1),
    ("count", {"within": "30 days", "leaving_out_the_last": "1 year"}, [D(2024, 2, 20)], D(2024, 3, 1), 0),
    # 1900 and the far past
    ("days since first", {}, [D(1900, 1, 1)], D(1900, 3, 1), 59),  # 1900 was no leap year
    ("days since first", {}, [D(1900, 1, 1)], D(2024, 1, 1), 45290),
    ("count", {"within": "300 years"}, [D(1800, 1, 1)], D(2024, 1, 1), 1),
    # same-day ties
    ("latest", {"of": "pressure"}, [(D(2024, 1, 1), 150), (D(2024, 1, 1), 138)], LEAP, 150),
    ("earliest", {"of": "pressure"}, [(D(2024, 1, 1), 150), (D(2024, 1, 1), 138)], LEAP, 138),
    ("latest", {"of": "pressure", "same_day": "lowest"}, [(D(2024, 1, 1), 150), (D(2024, 1, 1), 138)], LEAP, 138),
    ("latest", {"of": "pressure", "same_day": "mean"}, [(D(2024, 1, 1), 150), (D(2024, 1, 1), 139)], LEAP, 144.5),
    ("count", {}, [D(2024, 1, 1), D(2024, 1, 1)], LEAP, 2),
    ("days with", {}, [D(2024, 1, 1), D(2024, 1, 1)], LEAP, 1),
    (
        "lower of last two", {"of": "pressure"},
        [(D(2023, 1, 1), 120), (D(2024, 1, 1), 150), (D(2024, 1, 1), 160)], LEAP, 150,
    ),
    (
        "lower of last two", {"of": "pressure", "same_day": "highest"},
        [(D(2023, 1, 1), 120), (D(2024, 1, 1), 150), (D(2024, 1, 1), 160)], LEAP, 120,
    ),
    ("lower of last two", {"of": "pressure"}, [(D(2024, 1, 1), 150)], LEAP, 150),
    # what needs two
    ("spread", {"of": "pressure"}, [(D(2024, 1, 1), 150)], LEAP, MISSING),
    ("spread", {"of": "pressure"}, [(D(2024, 1, 1), 150), (D(2024, 1, 1), 150)], LEAP, 0),
    ("spread", {"of": "pressure"}, [(D(2024, 1, 1), 140), (D(2024, 1, 2), 150)], LEAP, math.sqrt(50)),
    ("trend", {"of": "pressure"}, [(D(2024, 1, 1), 140), (D(2024, 1, 1), 150)], LEAP, MISSING),
    ("trend", {"of": "pressure"}, [(D(2023, 1, 1), 140), (D(2024, 1, 1), 150)], LEAP, 10 / 365 * 365.25),
    ("days from first to latest", {}, [D(2024, 1, 1)], LEAP, 0),
    ("days from first to latest", {}, [], LEAP, MISSING),
    # a new course begins more than the gap after the event before
    ("courses", {"gap": "14 days"}, [D(2024, 1, 1), D(2024, 1, 15)], LEAP, 1),
    ("courses", {"gap": "14 days"}, [D(2024, 1, 1), D(2024, 1, 16)], LEAP, 2),
    ("courses", {"gap": "1 month"}, [D(2023, 1, 31), D(2023, 2, 28), D(2023, 3, 29)], LEAP, 2),
    ("courses", {"gap": "14 days", "within": "30 days"}, [D(2024, 1, 25), D(2024, 1, 31)], LEAP, 1),
    # answers: on the day, on the last day, too late, recorded too late
    ("days since unanswered", {"answered_by": ("answer",), "answered_in": "60 days"}, [D(2023, 1, 1)], LEAP, 424),
    ("days since unanswered", {"answered_by": ("answer",)}, [D(2023, 1, 1), ("answer", D(2023, 1, 1))], LEAP, MISSING),
    (
        "days since unanswered", {"answered_by": ("answer",), "answered_in": "60 days"},
        [D(2023, 1, 1), ("answer", D(2023, 3, 2))], LEAP, MISSING,
    ),
    (
        "days since unanswered", {"answered_by": ("answer",), "answered_in": "60 days"},
        [D(2023, 1, 1), ("answer", D(2023, 3, 3))], LEAP, 424,
    ),
    (
        "days since unanswered", {"answered_by": ("answer",)},
        [D(2023, 1, 1), D(2023, 6, 1), ("answer", D(2023, 3, 3))], LEAP, 273,
    ),
    ("days since unanswered", {"answered_by": ("answer",)}, [D(2023, 1, 1), ("answer", LEAP)], LEAP, 424),
    # units: own, converted, guessed, unknown; and what is written as 0.70 is not below 0.70
    ("latest", {"of": "pressure"}, [(D(2024, 1, 1), 18.6651, "kPa")], LEAP, 140),
    ("ever", {"of": "raised"}, [(D(2024, 1, 1), 18.6651, "K Pa")], LEAP, 1),
    ("latest", {"of": "pressure"}, [(D(2024, 1, 1), 140, "stone")], LEAP, MISSING),
    ("count", {"of": "pressure"}, [(D(2024, 1, 1), 140, "stone")], LEAP, 1),
    ("count", {"of": "raised"}, [(D(2024, 1, 1), 140, "stone")], LEAP, 0),
    ("ever", {"of": "ratio"}, [(D(2024, 1, 1), 0.7)], LEAP, 0),
    ("ever", {"of": "ratio"}, [(D(2024, 1, 1), 0.69)], LEAP, 1),
    ("ever", {"of": "ratio_of_percent"}, [(D(2024, 1, 1), 69)], LEAP, 1),
    ("latest", {"of": "ratio_of_percent"}, [(D(2024, 1, 1), 0.68)], LEAP, 0.68),
    ("latest", {"of": "sugar"}, [(D(2024, 1, 1), 6.5, "%")], LEAP, 47.5412),  # (6.5 - 2.15) * 10.929
    ("latest", {"of": "sugar"}, [(D(2024, 1, 1), 48, "mmol/mol")], LEAP, 48),
    ("latest", {"of": "sugar"}, [(D(2024, 1, 1), 6.5)], LEAP, 47.5412),
    ("latest", {"of": "sugar"}, [(D(2024, 1, 1), 48)], LEAP, 48),
    # ranges: both ends belong; filters: "at least" includes, "above" does not
    ("latest", {"of": "pressure"}, [(D(2024, 1, 1), 300)], LEAP, 300),
    ("latest", {"of": "pressure"}, [(D(2024, 1, 1), 300.1)], LEAP, MISSING),
    ("ever", {"of": "pressure"}, [(D(2024, 1, 1), 301)], LEAP, 1),
    ("ever", {"of": "odd"}, [(D(2024, 1, 1), 300)], LEAP, 0),
    ("latest", {"of": "odd"}, [(D(2024, 1, 1), 301)], LEAP, 301),
    ("ever", {"of": "odd"}, [(D(2024, 1, 1), None)], LEAP, 0),
    # a unit that is not known: held, but a signal for checking reads the number as written, plausible or not
    ("latest", {"of": "odd"}, [(D(2024, 1, 1), 215, "mmHg (sitting)")], LEAP, 215),
    ("latest", {"of": "odd_high"}, [(D(2024, 1, 1), 215, "mmHg (sitting)")], LEAP, 215),
    ("latest", {"of": "odd_high"}, [(D(2024, 1, 1), 180, "stone")], LEAP, 180),
    ("ever", {"of": "odd_high"}, [(D(2024, 1, 1), 179.9, "stone")], LEAP, 0),
    ("ever", {"of": "odd_high"}, [(D(2024, 1, 1), 301)], LEAP, 1),
    ("ever", {"of": "odd_high"}, [(D(2024, 1, 1), 215)], LEAP, 0),
    ("ever", {"of": "odd_high"}, [(D(2024, 1, 1), 215, "mm Hg")], LEAP, 0),
    ("ever", {"of": "odd_high"}, [(D(2024, 1, 1), 40)], LEAP, 0),
    ("ever", {"of": "odd_high"}, [(D(2024, 1, 1), None, "stone")], LEAP, 0),
    ("ever", {"of": "raised"}, [(D(2024, 1, 1), 215, "mmHg (sitting)")], LEAP, 0),
    # less than and more than: just beside the number, after conversion, and after the range was asked
    ("ever", {"of": "ratio"}, [(D(2024, 1, 1), 0.7, "ratio", "<")], LEAP, 1),
    ("ever", {"of": "ratio"}, [(D(2024, 1, 1), 0.7, "ratio", ">")], LEAP, 0),
    ("latest", {"of": "ratio"}, [(D(2024, 1, 1), 0.7, "ratio", "<")], LEAP, math.nextafter(0.7, 0)),
    ("latest", {"of": "sugar"}, [(D(2024, 1, 1), 6.5, "%", ">")], LEAP, math.nextafter(47.5412, 48)),
    ("ever", {"of": "raised"}, [(D(2024, 1, 1), 140, "", "<")], LEAP, 0),
    ("ever", {"of": "over"}, [(D(2024, 1, 1), 140, "", ">")], LEAP, 1),
    ("ever", {"of": "over"}, [(D(2024, 1, 1), 18.6651, "kPa", ">")], LEAP, 1),
    ("latest", {"of": "pressure"}, [(D(2024, 1, 1), 300, "", ">")], LEAP, math.nextafter(300, 301)),
    ("latest", {"of": "pressure"}, [(D(2024, 1, 1), 300.1, "", "<")], LEAP, MISSING),
    ("ever", {"of": "odd_high"}, [(D(2024, 1, 1), 300, "", ">")], LEAP, 0),
    ("ever", {"of": "odd_high"}, [(D(2024, 1, 1), 180, "stone", "<")], LEAP, 0),
    # the filter's own edges
    ("ever", {"of": "raised"}, [(D(2024, 1, 1), 140)], LEAP, 1),
    ("ever", {"of": "over"}, [(D(2024, 1, 1), 140)], LEAP, 0),
    ("ever", {"of": "pressure"}, [(D(2024, 1, 1), None)], LEAP, 1),
    ("latest", {"of": "pressure"}, [(D(2024, 1, 1), None)], LEAP, MISSING),
]  # fmt: skip


@pytest.mark.parametrize(("word", "more", "events", "index_day", "answer"), TABLE)
def test_edges(word: str, more: dict, events: list, index_day: dt.date, answer: float) -> None:
    feature = Feature(name="asked", label="", ask=word, **{"of": "plain", **more})
    person = Person(events=tuple(_event(entry) for entry in events))
    _hold(feature, person, index_day, answer)


def _event(entry: object) -> Event:
    if isinstance(entry, dt.date):
        return Event(entry, entry, "emis:c0")
    assert isinstance(entry, tuple)
    if entry[0] == "answer":
        return Event(entry[1], entry[1], "emis:c1")
    return Event(entry[0], entry[0], "emis:c0", *entry[1:])


@pytest.mark.parametrize(
    ("born", "index_day", "age"),
    [
        (D(1960, 3, 1), D(2024, 2, 29), 63),  # the day before the birthday
        (D(1960, 3, 1), D(2024, 3, 1), 64),  # the birthday, which we take to be the first of the month
        (D(1960, 12, 1), D(2024, 1, 1), 63),
        (D(1960, 2, 1), D(1960, 2, 1), 0),
        (D(1896, 2, 1), D(1900, 1, 31), 3),
        (None, D(2024, 3, 1), MISSING),
    ],
)
def test_birthdays(born: dt.date | None, index_day: dt.date, age: float) -> None:
    _hold(Feature(name="asked", label="", ask="age"), Person(birth_month=born), index_day, age)


@pytest.mark.parametrize(
    ("word", "known", "answer"),
    [
        ("sex", {"sex": "female"}, 0),
        ("sex", {"sex": "male"}, 1),
        ("sex", {"sex": "unknown"}, MISSING),
        ("ethnicity", {"ethnicity": "black"}, 4),
        ("ethnicity", {"ethnicity": None}, 0),
        ("deprivation", {"imd_decile": 1}, 1),
        ("deprivation", {"imd_decile": None}, MISSING),
        ("days registered", {"registered_on": D(2023, 2, 28)}, 366),
        ("days registered", {"registered_on": None}, MISSING),
    ],
)
def test_what_is_known_of_the_person(word: str, known: dict, answer: float) -> None:
    _hold(Feature(name="asked", label="", ask=word), Person(**known), LEAP, answer)


def test_a_record_made_on_the_index_day_is_not_seen_even_if_it_happened_long_before() -> None:
    feature = Feature(name="asked", label="", ask="ever", of="plain")
    happened = D(2020, 1, 1)
    _hold(feature, Person(events=(Event(happened, LEAP, "emis:c0"),)), LEAP, 0)
    _hold(feature, Person(events=(Event(happened, LEAP - worlds.DAY, "emis:c0"),)), LEAP, 1)


def _hold(feature: Feature, person: Person, index_day: dt.date, answer: float) -> None:
    definitions = Definitions(codelists=LISTS, signals=SIGNALS, features={"asked": feature})
    units = sorted({event.unit for event in person.events} - {""})
    world = worlds.World(definitions, (person,), ((0, index_day),))
    said = compare.kernel(world, units=["", *units]).value[0, 0]
    assert _same(feature.ask, said, answer)
    truth, _ = ask(feature, definitions, person, index_day)
    assert _same(feature.ask, math.nan if truth is None else truth, answer)


def _same(word: str, said: float, answer: float) -> bool:
    """To the last bit, so that "just below" is seen; but not for what is worked out by a formula."""
    allowed = 1e-12 if word in compare.INEXACT else 0
    return said == pytest.approx(answer, rel=allowed, abs=0, nan_ok=True)
