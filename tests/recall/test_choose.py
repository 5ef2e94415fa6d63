"""Capacity in tests, not in people: the best choice there is, one visit a person, and never more than there is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding.definitions.capacity import Capacities, Capacity, Equity, Pool
from casefinding.definitions.shapes import Expected
from casefinding.definitions.visits import Visit, offered
from casefinding.recall.choice.candidates import PARTS, candidates
from casefinding.recall.choice.choose import choose
from casefinding.recall.choice.chosen import Chosen
from casefinding.recall.choice.greedy import greedy
from casefinding.recall.choice.offers import offers, places
from casefinding.recall.loop.holdout import without_held_out
from casefinding.recall.view import View
from tests.recall import plain_choice
from tests.recall.conftest import model, people

WATER, BREAD = "water test", "bread test"
KITCHEN = Visit.model_validate(
    {"name": "kitchen", "label": "In the kitchen", "holds": {WATER: {WATER: 1}, BREAD: {BREAD: 1}}}
)
WELL = Visit.model_validate(
    {"name": "well", "label": "At the well", "holds": {WATER: {"bucket": 1}}, "age at least": 40}
)
VISITS = (KITCHEN, WELL)
NO_FLOOR = Equity(floor=0)


def seen(chance, condition="thirst", test=WATER, never=(), soon=(), later=(), urgent=(), expected=None) -> View:
    """A view: chances by row (NaN: none), rows never measured, named by a rule of priority 1 or 3, to act on now."""
    chance = np.asarray(chance, dtype=float)
    made = model(condition, test)
    rows = {"X-4": never, "X-2": soon, "X-3": later, "X-U1": urgent}
    flags = {rule.id: np.isin(np.arange(len(chance)), list(rows.get(rule.id, ()))) for rule in made.rules}
    if expected is not None:
        shape = Expected.model_validate({"bands": [{"ages": [16, 120], "women": 1, "men": 1}], "source": "s"})
        made = made.model_copy(update={"expected": shape})
        expected = np.asarray(expected, dtype=float)
    status = np.array(["never"] * len(chance), dtype=object)
    return View(made, status, np.ones(len(chance), bool), flags, {}, {}, (), chance, chance, {}, expected)


def chosen(views, practice, numbers, share=0.0, equity=NO_FLOOR, pool=None, visits=VISITS, **more) -> Chosen:
    """A choice where every practice has the same numbers, or numbers by practice."""
    attendance = more.pop("attendance", 1.0)
    by_practice = numbers if isinstance(next(iter(numbers.values()), 0), dict) else dict.fromkeys(practice, numbers)
    stated = {
        code: Capacity(a_month=number, never_measured_share=share, expected_attendance=attendance)
        for code, number in by_practice.items()
    }
    networks = {"N": Pool(a_month=pool, never_measured_share=share)} if pool else {}
    return choose(
        views, people(practice, **more), visits, Capacities(practices=stated, networks=networks), equity,
        dict.fromkeys(practice, "N"),
    )  # fmt: skip


# ----------------------------------------------------------------- what one visit is


def test_two_conditions_share_a_visit_and_one_contact():
    both = chosen([seen([0.4, 0.5]), seen([0.1, 0.3], "hunger", BREAD)], "AA", {WATER: 1, BREAD: 1})
    assert both.places["thirst"].tolist() == [0, 1]
    assert both.places["hunger"].tolist() == [0, 1]
    assert both.visit.tolist() == ["", "kitchen"]
    assert both.visit_labels() == ["", "In the kitchen"]


def test_nobody_is_asked_to_come_twice():
    apart = (replace_holds(KITCHEN, WATER), replace_holds(KITCHEN, BREAD))
    found = chosen([seen([0.5]), seen([0.6], "hunger", BREAD)], "A", {WATER: 1, BREAD: 1}, visits=apart)
    assert (found.places["thirst"].tolist(), found.places["hunger"].tolist()) == ([0], [1])


def replace_holds(visit: Visit, test: str) -> Visit:
    return visit.model_copy(update={"name": test.replace(" ", "_"), "holds": {test: visit.holds[test]}})


def test_a_visit_with_an_age_is_not_offered_to_the_younger():
    found = chosen([seen([0.9, 0.5])], "AA", {"bucket": 2}, age=[39, 40])
    assert found.visit.tolist() == ["", "well"]


def test_a_kind_that_is_used_besides_counts_only_where_it_is_stated():
    visit = KITCHEN.model_copy(update={"also_uses": {WATER: {"kit": 0.4}}})
    view = seen([0.5, 0.4, 0.3, 0.2])
    assert np.count_nonzero(chosen([view], "AAAA", {WATER: 4}, visits=(visit,)).places["thirst"]) == 4
    found = chosen([view], "AAAA", {WATER: 4, "kit": 1}, visits=(visit,))
    assert found.places["thirst"].tolist() == [1, 2, 0, 0]
    assert found.used("A", "kit") == pytest.approx(0.8)


def test_a_test_that_no_visit_holds_is_a_visit_of_its_own():
    found = chosen([seen([0.5, 0.4], test="sand test")], "AA", {"sand test": 1})
    assert found.visit.tolist() == ["sand_test", ""]
    assert [one.name for one in offered(VISITS, [WATER, "sand test"])] == ["kitchen", "well", "sand_test"]


def test_conditions_that_share_a_test_share_its_place():
    found = chosen([seen([0.5, 0.2]), seen([0.1, 0.45], "drought")], "AA", {WATER: 1})
    assert [found.places[name].tolist() for name in ("thirst", "drought")] == [[0, 1], [0, 1]]


# ----------------------------------------------------------------- what there is


def test_an_invitation_uses_what_attendance_says():
    view = seen(np.linspace(0.9, 0.1, 9))
    found = chosen([view], "A" * 9, {WATER: 2}, attendance=0.4)
    assert np.count_nonzero(found.places["thirst"]) == 5
    assert found.used("A", WATER) == pytest.approx(2.0)
    assert places((KITCHEN,), Pool(a_month={WATER: 2}), WATER, 0.4) == 5


def test_a_network_lends_to_whichever_practice_finds_most():
    practice = "AAABBB"
    found = chosen([seen([0.3, 0.2, 0.1, 0.9, 0.8, 0.7])], practice, {WATER: 1}, pool={WATER: 2})
    assert found.places["thirst"].tolist() == [1, 0, 0, 1, 2, 3]
    (shared,) = [one for one in found.use if one.of_network and one.kind == WATER]
    assert (shared.owner, shared.stated, shared.used) == ("N", 2, 2.0)
    assert shared.one_more == pytest.approx(0.2)


def test_the_work_of_reviews_is_added_up_and_caps_nobody():
    review = Visit.model_validate({"name": "review", "label": "r", "lanes": {"act now": {"minutes": 10}}})
    found = chosen([seen([0.5] * 3, urgent=[0, 1])], "AAA", {"minutes": 5, WATER: 1}, visits=(*VISITS, review))
    (work,) = [one for one in found.use if one.kind == "minutes"]
    assert (work.stated, work.used, work.one_more) == (5, 20.0, None)
    assert found.places["thirst"].tolist() == [0, 0, 1]


def test_held_out_people_have_no_place_and_leave_it_to_others():
    view = without_held_out(seen([0.9, 0.5, 0.4]), np.array([True, False, False]))
    assert chosen([view], "AAA", {WATER: 1}).places["thirst"].tolist() == [0, 1, 0]


def test_with_nothing_stated_nobody_is_invited():
    found = chosen([seen([0.9])], "A", {"bucket": 0})
    assert not found.places["thirst"].any()
    assert found.expected == {"thirst": 0.0}
    assert {one.kind: one.one_more for one in found.use} == {WATER: pytest.approx(0.9), "bucket": pytest.approx(0.9)}


def test_nobody_registered_at_all_is_an_empty_choice():
    found = chosen([seen([])], "", {})
    assert found.places["thirst"].tolist() == []
    assert found.gap == 0.0


# ----------------------------------------------------------------- the best there is


@st.composite
def small(draw):
    """A handful of people of two practices, two conditions, two visits; numbers that are tight."""
    n = draw(st.integers(1, 5))
    rows = st.lists(st.integers(0, n - 1), max_size=n, unique=True)
    chance = st.lists(
        st.one_of(st.just(float("nan")), st.integers(1, 99).map(lambda x: x / 100)), min_size=n, max_size=n
    )
    views = [
        seen(draw(chance), condition, test, draw(rows), draw(rows), draw(rows), (), draw(
            st.none() | st.lists(st.integers(1, 60).map(lambda x: x / 100), min_size=n, max_size=n)
        ))
        for condition, test in (("thirst", WATER), ("hunger", BREAD))
    ]  # fmt: skip
    number = st.integers(0, 2)
    numbers = {code: {WATER: draw(number), BREAD: draw(number), "bucket": draw(st.integers(0, 1))} for code in "AB"}
    practice = draw(st.lists(st.sampled_from("AB"), min_size=n, max_size=n))
    age = draw(st.lists(st.sampled_from([30, 50]), min_size=n, max_size=n))
    pool = draw(st.sampled_from([{}, {WATER: 1}, {BREAD: 1, "bucket": 1}]))
    return views, practice, age, numbers, pool, draw(st.sampled_from([0.0, 0.5, 1.0]))


def by_hand(views, practice, age) -> list[plain_choice.Person]:
    """The same people for the oracle."""
    found = []
    for row, code in enumerate(practice):
        person = plain_choice.Person(code, age[row], {}, {}, {})
        for view in views:
            test, chance = view.model.test, view.chance[row]
            if not np.isnan(chance):
                person.chance[test] = round(chance * PARTS)
            if view.flags["X-4"][row]:
                known = 0.0 if np.isnan(chance) else chance
                person.need[test] = round((known if view.expected is None else view.expected[row]) * PARTS)
            if view.flags["X-2"][row] or view.flags["X-3"][row]:
                person.rule[test] = 1 if view.flags["X-2"][row] else 3
        found.append(person)
    return found


def reached(found: Chosen, views) -> tuple[int, int, int]:
    """Priority-1 people, worth in PARTS, tests given."""
    first = sum(int((view.flags["X-2"] & (found.places[view.condition] > 0)).sum()) for view in views)
    tests = sum(int((found.places[view.condition] > 0).sum()) for view in views)
    return first, round(sum(found.expected.values()) * PARTS), tests


@settings(max_examples=150, derandomize=True, deadline=None)
@given(small())
def test_no_other_choice_is_better(given_):
    views, practice, age, numbers, pool, share = given_
    found = chosen(views, practice, numbers, share, pool=pool, age=age)
    visits = {visit.name: (visit.age_at_least, visit.holds) for visit in VISITS}
    has = {code: Capacity(a_month=numbers[code], never_measured_share=share) for code in "AB"}
    kept = {code: {test: round(places(VISITS, has[code], test) * share) for test in (WATER, BREAD)} for code in "AB"}
    for test in (WATER, BREAD):  # what a network keeps could go to either practice: only where it keeps none
        if round(places(VISITS, Pool(a_month=pool), test) * share):
            return
    best = plain_choice.best(by_hand(views, practice, age), visits, numbers, pool, kept)
    first, worth, _ = reached(found, views)
    assert (first, worth) == best[2:4]
    assert found.gap == 0.0


@settings(max_examples=150, derandomize=True, deadline=None)
@given(small())
def test_no_capacity_is_exceeded_and_nobody_comes_twice(given_):
    views, practice, age, numbers, pool, share = given_
    found = chosen(views, practice, numbers, share, pool=pool, age=age)
    used: dict[tuple[str, str], float] = {}
    for row, name in enumerate(found.visit):
        tests = {view.model.test for view in views if found.places[view.condition][row]}
        assert bool(name) == bool(tests)
        if name:
            visit = next(visit for visit in VISITS if visit.name == name)
            assert tests <= set(visit.holds)
            assert age[row] >= visit.age_at_least
            for test in tests:
                for kind, amount in visit.holds[test].items():
                    used[practice[row], kind] = used.get((practice[row], kind), 0) + amount
    for kind in (WATER, BREAD, "bucket"):
        beyond = sum(max(0, used.get((code, kind), 0) - numbers[code][kind]) for code in "AB")
        assert beyond <= pool.get(kind, 0)
    for (code, kind), amount in used.items():
        assert found.used(code, kind) == pytest.approx(amount)


def plain_list(views, practice, age, numbers, pool, share) -> tuple:
    """What the list by chance alone reaches by each aim."""
    capacity = Capacities(
        practices={code: Capacity(a_month=number, never_measured_share=share) for code, number in numbers.items()},
        networks={"N": Pool(a_month=pool, never_measured_share=share)},
    )
    rows = {code: np.flatnonzero(np.array(practice) == code) for code in set(practice)}
    made = offers(candidates(views), VISITS, capacity, rows, "N", np.array(age))
    taken = greedy(made)
    return tuple(int(aim.of[taken].sum()) for aim in made.aims()), made


@settings(max_examples=150, derandomize=True, deadline=None)
@given(small())
def test_never_worse_than_a_list_by_chance(given_):
    from casefinding.recall.choice.exact import Search

    by_chance, made = plain_list(*given_)
    search = Search(made.columns, made.start)
    for aim in made.aims():
        search.best(aim)
    assert tuple(search.result().reached.values()) >= by_chance


@settings(max_examples=60, derandomize=True, deadline=None)
@given(small())
def test_one_more_of_a_kind_never_gives_more_than_is_said(given_):
    views, practice, age, numbers, pool, _ = given_
    before = chosen(views, practice, numbers, 0.0, pool=pool, age=age)
    prices = {(one.owner, one.kind): one.one_more for one in before.use if not one.of_network}
    for (code, kind), price in prices.items():
        more = {**numbers, code: {**numbers[code], kind: numbers[code][kind] + 1}}
        after = chosen(views, practice, more, 0.0, pool=pool, age=age)
        assert sum(after.expected.values()) - sum(before.expected.values()) <= price + 1e-6


def test_one_more_place_is_worth_the_next_in_line():
    found = chosen([seen([0.9, 0.7, 0.4, 0.2])], "AAAA", {WATER: 2})
    assert {one.kind: one.one_more for one in found.use} == {WATER: pytest.approx(0.4), "bucket": pytest.approx(0.4)}


def test_a_price_knows_that_more_people_of_priority_1_come_first():
    found = chosen([seen([0.9, 0.7, 0.4, 0.2], soon=[2, 3])], "AAAA", {WATER: 1})
    assert found.places["thirst"].tolist() == [0, 0, 1, 0]
    price = next(one.one_more for one in found.use if one.kind == WATER)
    assert 0.2 <= price <= 0.4  # row 3 would be asked next, not row 0, whose chance is 0.9


@settings(max_examples=40, derandomize=True, deadline=None)
@given(small())
def test_the_same_records_give_the_same_list(given_):
    views, practice, age, numbers, pool, share = given_
    one, other = (chosen(views, practice, numbers, share, pool=pool, age=age) for _ in range(2))
    assert one.visit.tolist() == other.visit.tolist()
    assert all(np.array_equal(one.places[name], other.places[name]) for name in one.places)


def test_of_people_who_are_alike_the_first_rows_are_asked():
    found = chosen([seen([0.5] * 6, never=range(6))], "AAAAAA", {WATER: 4}, share=0.5)
    assert np.flatnonzero(found.places["thirst"]).tolist() == [0, 1, 2, 3]


def test_what_is_left_goes_by_the_priority_of_rules():
    found = chosen([seen([np.nan] * 4, never=[0, 1], later=[2])], "AAAA", {WATER: 2})
    assert found.places["thirst"].tolist() == [2, 0, 1, 0]


def test_a_person_never_measured_stands_by_chance_where_that_finds_more():
    """Row 0 has the highest need and the highest chance: on a kept place only one of the two would count."""
    view = seen([0.8, 0.1, 0.3], never=[0, 1], expected=[0.5, 0.4, 0.3])
    found = chosen([view], "AAA", {WATER: 2}, share=0.5)
    assert found.places["thirst"].tolist() == [1, 2, 0]
    assert found.expected["thirst"] == pytest.approx(1.2)


def test_no_candidate_is_worth_more_than_a_case_however_need_is_shared():
    view = seen([0.9, 0.001], never=[0, 1], expected=[0.9, 0.9])
    shape = view.model.expected.model_copy(update={"never_measured": "by expected shared by chance"})
    view = replace(view, model=view.model.model_copy(update={"expected": shape}))
    assert candidates([view]).need.max() <= PARTS
