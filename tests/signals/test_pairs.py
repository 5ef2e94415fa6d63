"""Paired signals: what makes a pair and from which day on it is known; and the two words that give an age."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path

import numpy as np
import pytest

from casefinding.definitions.read import problems
from casefinding.definitions.shapes import Code, CodeList, Definitions, Feature, Signal
from casefinding.errors import DefinitionError
from casefinding.signals.plan import compile_plan
from tests.oracle.ask import ask
from tests.oracle.record import Event, Person
from tests.signals import compare, worlds
from tests.signals.test_boundaries import _hold

D = dt.date
LATE, DAY, ASKED = D(2024, 1, 8), D(2024, 1, 5), D(2024, 3, 1)
MISSING = math.nan
UPPER = {"codes": ("upper",), "unit": "mmHg", "plausible": (50, 300)}
LOWER = {"codes": ("lower",), "unit": "mmHg", "plausible": (20, 200)}
PAIRED = {
    "upper": Signal(name="upper", label="", **UPPER),
    "lower": Signal(name="lower", label="", **LOWER),
    "upper_pair": Signal(name="upper_pair", label="", **UPPER, paired_with="lower", pair="higher"),
    "lower_pair": Signal(name="lower_pair", label="", **LOWER, paired_with="upper", pair="lower"),
    "raised_pair": Signal(name="raised_pair", label="", **UPPER, at_least=140, paired_with="lower", pair="higher"),
    "near": Signal(name="near", label="", codes=("upper",), paired_with="lower", within_days=2),
}
LISTS = {
    name: CodeList(name=name, source="t", release="1", reviewed_by="t", codes=(Code(system="emis", id=code, label=""),))
    for name, code in (("upper", "c0"), ("lower", "c1"))
}


def asked(word: str, of: str, **more: object) -> Feature:
    return Feature(name="asked", label="", ask=word, of=of, **more)  # type: ignore[arg-type]


def above(day: dt.date, value: float | None, recorded: dt.date | None = None) -> Event:
    return Event(day, recorded or day, "emis:c0", value, "mmHg" if value else "")


def under(day: dt.date, value: float | None, recorded: dt.date | None = None) -> Event:
    return Event(day, recorded or day, "emis:c1", value, "mmHg" if value else "")


def hold(feature: Feature, events: list[Event], answer: float, on: dt.date = ASKED) -> None:
    """Kernel and oracle both give the answer."""
    person = Person(events=tuple(events))
    definitions = Definitions(codelists=LISTS, signals=PAIRED, features={"asked": feature})
    columns = compare.kernel(worlds.World(definitions, (person,), ((0, on),)))
    truth, day = ask(feature, definitions, person, on)
    assert compare.same(None if math.isnan(answer) else answer, columns.value[0, 0], feature.ask)
    assert compare.same(truth, columns.value[0, 0], feature.ask)
    assert compare.same_day(day, columns.day[0, 0])


@pytest.mark.parametrize(
    ("events", "higher", "lower"),
    [
        ([above(DAY, 150), under(DAY, 90)], 150, 90),
        ([above(DAY, 150)], MISSING, MISSING),
        ([above(DAY, 150), under(DAY + worlds.DAY, 90)], MISSING, MISSING),
        ([above(DAY, 90), under(DAY, 90)], MISSING, MISSING),  # equal is no pair
        ([above(DAY, 80), under(DAY, 90)], MISSING, MISSING),  # upper below lower is no pair
        ([above(DAY, 150), under(DAY, 12)], MISSING, MISSING),  # a value that cannot be right makes no pair
        ([above(DAY, 150), under(DAY, None)], MISSING, MISSING),
        ([above(DAY, 400), under(DAY, 90)], MISSING, MISSING),
        ([above(DAY, 150), above(DAY, 80), under(DAY, 90)], 150, 90),  # only the one that is higher
        ([above(DAY, 150), above(DAY, 85), under(DAY, 90), under(DAY, 80)], 150, 90),  # one such partner is enough
        ([above(DAY, 150), under(DAY, 90), above(LATE, 130)], 150, 90),  # the later one has no partner
    ],
)
def test_a_pair_of_values_is_two_of_one_day_on_the_right_sides(
    events: list[Event], higher: float, lower: float
) -> None:
    hold(asked("latest", "upper_pair"), events, higher)
    hold(asked("latest", "lower_pair"), events, lower)


def test_every_word_reads_a_pair_as_it_reads_any_event() -> None:
    events = [
        above(DAY, 150),
        above(DAY, 138),
        under(DAY, 90),
        above(LATE, 160),
        under(LATE, 85),
        above(D(2024, 2, 1), 170),
    ]
    for word, more, answer in (
        ("ever", {}, 1),
        ("count", {}, 3),
        ("days with", {}, 2),
        ("highest", {}, 160),
        ("latest", {"same_day": "lowest"}, 160),
        ("earliest", {"same_day": "lowest"}, 138),
        ("lower of last two", {"same_day": "lowest"}, 138),
        ("days since latest", {}, (ASKED - LATE).days),
    ):
        hold(asked(word, "upper_pair", **more), events, answer)
    hold(asked("count", "raised_pair"), events, 2)
    hold(asked("days since unanswered", "upper", answered_by=("upper_pair",)), events, (ASKED - D(2024, 2, 1)).days)


def test_a_word_that_reads_no_value_still_asks_for_the_values_of_the_pair() -> None:
    hold(asked("count", "upper_pair"), [above(DAY, None), under(DAY, 90)], 0)
    hold(asked("count", "upper"), [above(DAY, None), under(DAY, 90)], 1)


@pytest.mark.parametrize("late", ["the event", "the partner"])
def test_a_pair_is_known_once_both_of_its_records_are(late: str) -> None:
    first, second = (LATE, None) if late == "the event" else (None, LATE)
    events = [above(DAY, 150, first), under(DAY, 90, second)]
    hold(asked("latest", "upper_pair"), events, MISSING, on=LATE)
    hold(asked("latest", "upper_pair"), events, 150, on=LATE + worlds.DAY)
    hold(asked("latest", "lower_pair"), events, MISSING, on=LATE)
    hold(asked("latest", "lower_pair"), events, 90, on=LATE + worlds.DAY)


def test_the_earliest_partner_that_makes_the_pair_decides_when_it_is_known() -> None:
    events = [above(DAY, 150), under(DAY, 90, D(2024, 1, 20)), under(DAY, 80, LATE), under(DAY, 160)]
    hold(asked("latest", "upper_pair"), events, MISSING, on=LATE)  # the one that was there is higher
    hold(asked("latest", "upper_pair"), events, 150, on=LATE + worlds.DAY)


@pytest.mark.parametrize(("away", "answer"), [(-3, 0), (-2, 1), (0, 1), (2, 1), (3, 0)])
def test_a_pair_in_time_is_two_events_so_many_days_apart_whatever_their_values(away: int, answer: float) -> None:
    other = DAY + dt.timedelta(days=away)
    hold(asked("count", "near"), [above(DAY, None), under(other, None)], answer)


def test_a_partner_in_time_that_has_not_happened_yet_is_no_partner() -> None:
    dated_ahead = under(LATE, None, DAY)  # in the record before its day
    events = [above(LATE - worlds.DAY, None), dated_ahead]
    hold(asked("count", "near"), events, 0, on=LATE)
    hold(asked("count", "near"), events, 1, on=LATE + worlds.DAY)


def test_courses_of_paired_events_begin_with_a_paired_event() -> None:
    """Three courses of one, of which the first and the last go with the other."""
    starts = [D(2023, 1, 1), D(2023, 6, 1), D(2023, 11, 1)]
    events = [above(day, None) for day in starts] + [under(D(2022, 12, 31), None), under(D(2023, 11, 3), None)]
    hold(asked("courses", "near", gap="14 days"), events, 2)


@pytest.mark.parametrize(("how", "count", "since"), [("lowest", 1, 31), ("highest", 2, 5), ("mean", 2, 5)])
def test_days_of_a_value_count_by_the_one_value_of_the_day(how: str, count: float, since: float) -> None:
    events = [above(D(2024, 1, 30), 140), above(D(2024, 2, 25), 144), above(D(2024, 2, 25), 138)]
    hold(asked("days with", "upper", same_day=how, at_least=140), events, count)
    hold(asked("days since latest", "upper", same_day=how, at_least=140), events, since)


def test_ages_are_whole_years_on_the_day_of_the_event() -> None:
    for word, answer in (("age at first", 39), ("age at latest", 40)):
        events = (Event(D(2024, 1, 31), D(2024, 1, 31), "emis:c0"), Event(D(2024, 2, 1), D(2024, 2, 1), "emis:c0"))
        feature = Feature(name="asked", label="", ask=word, of="plain")  # type: ignore[arg-type]
        _hold(feature, Person(birth_month=D(1984, 2, 1), events=events), ASKED, answer)
        _hold(feature, Person(birth_month=None, events=events), ASKED, MISSING)
        _hold(feature, Person(birth_month=D(1984, 2, 1)), ASKED, MISSING)


def test_a_plan_without_paired_signals_has_no_pairs_and_one_with_them_lays_out_the_partner_once() -> None:
    codes, units = worlds.code_table(), worlds.unit_table()
    features = {
        name: Feature(name=name, label="", ask="latest", of=of)
        for name, of in (("a", "upper"), ("b", "upper_pair"), ("c", "lower_pair"))
    }
    definitions = Definitions(codelists=LISTS, signals=PAIRED, features=features)
    assert compile_plan(definitions, ["a"], codes, units).pairs.slot.size == 0
    plan = compile_plan(definitions, ["a", "b", "c"], codes, units)
    assert (plan.slots, plan.pairs.slot.size) == (4, 2)
    assert np.intersect1d(plan.pairs.slot, plan.pairs.partner).size == 0


def test_a_pair_of_a_pair_is_refused() -> None:
    twice = PAIRED["near"].model_copy(update={"paired_with": "upper_pair"})
    feature = asked("count", "near")
    definitions = Definitions(codelists=LISTS, signals={**PAIRED, "near": twice}, features={"asked": feature})
    with pytest.raises(DefinitionError, match="'upper_pair' is itself paired"):
        compile_plan(definitions, ["asked"], worlds.code_table(), worlds.unit_table())


SOUND = """
upper: {label: U, codes: [one], unit: mmHg, plausible: [50, 300]}
lower: {label: L, codes: [two], unit: mmHg, plausible: [20, 200]}
other: {label: O, codes: [two], unit: kPa, plausible: [20, 200]}
plain: {label: P, codes: [two]}
odd: {label: Q, codes: [two], unit: mmHg, plausible: [20, 200], keep: implausible}
pair: {label: R, codes: [one], unit: mmHg, plausible: [50, 300], paired with: lower, pair: higher}
near: {label: near by, codes: [one], paired with: plain, within days: 2}
"""
FEATURE = """
pair_count:
  label: C
  ask: count
  of: pair
  examples:
    - {records: {upper: {2023-01-01: 150}, lower: {2023-01-01: 90}}, on: 2024-01-01, gives: 1}
    - {records: {upper: {2023-01-01: 150}}, on: 2024-01-01, gives: 0}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    lists = tmp_path / "features" / "codelists"
    lists.mkdir(parents=True)
    (tmp_path / "features" / "signals").mkdir()
    (tmp_path / "models").mkdir()
    for name, code in (("one", "c0"), ("two", "c1")):
        text = f"# source: t\n# release: 1\n# reviewed by: t\nid,label,system\n{code},x,emis\n"
        (lists / f"{name}.csv").write_text(text)
    (tmp_path / "features" / "signals" / "all.yaml").write_text(SOUND)
    (tmp_path / "features" / "all.yaml").write_text(FEATURE)
    return tmp_path


def test_sound_pairs_have_no_problems(small: Path) -> None:
    assert [str(problem) for problem in problems(small)] == []


@pytest.mark.parametrize(
    ("file", "piece", "instead", "what"),
    [
        ("signals/all", "paired with: lower", "paired with: lowr", "there is no signal called 'lowr'"),
        ("signals/all", "paired with: lower", "paired with: plain", "signal 'plain' has no unit"),
        ("signals/all", "paired with: lower", "paired with: other", "'mmHg' cannot be compared with the 'kPa'"),
        ("signals/all", "paired with: lower", "paired with: odd", "a value that cannot be right makes no pair"),
        ("signals/all", "paired with: plain", "paired with: pair", "'pair' is itself paired"),
        ("signals/all", ", pair: higher", "", "'paired with' goes with either 'pair' or 'within days'"),
        (
            "signals/all",
            ", within days: 2",
            ", within days: 2, pair: lower",
            "goes with either 'pair' or 'within days'",
        ),
        ("signals/all", "paired with: plain, ", "", "'paired with' goes with either 'pair' or 'within days'"),
        ("signals/all", "within days: 2", "pair: lower", "'pair' compares values"),
        (
            "all",
            "{upper: {2023-01-01: 150}}",
            "{2023-01-01: 150}",
            "'pair' is paired, so an example cannot give records",
        ),
        ("all", "ask: count", "ask: count\n  at least: 140", "'at least' needs 'same day'"),
        ("all", "ask: count", "ask: days with\n  same day: lowest", "'same day' belongs to words that read values"),
    ],
)
def test_what_cannot_be_paired_is_told(small: Path, file: str, piece: str, instead: str, what: str) -> None:
    path = small / "features" / f"{file}.yaml"
    text = path.read_text()
    assert piece in text
    path.write_text(text.replace(piece, instead))
    assert any(what in problem.what for problem in problems(small)), [str(one) for one in problems(small)]
