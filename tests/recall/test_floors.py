"""Equity floors: each group's share of what is expected, as good as can be had, and what that costs said beside it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding.definitions.capacity import Equity
from casefinding.recall.choice.candidates import PARTS
from casefinding.recall.choice.floors import CORE20
from tests.recall import plain_choice
from tests.recall.test_choose import VISITS, WATER, by_hand, chosen, reached, seen

FLOOR = Equity(floor=0.8, group_of_at_least=1)


def of(found, group):
    return next(one for one in found.floors if one.group == group)


def test_a_group_that_the_chances_pass_over_gets_its_share():
    """Two groups with as much expected; the chances of one are lower throughout."""
    view = seen([0.9, 0.8, 0.7, 0.6, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5], expected=[0.2] * 10)
    ethnicity = ["white"] * 5 + ["black"] * 5
    without = chosen([view], "A" * 10, {WATER: 5}, ethnicity=ethnicity)
    assert np.flatnonzero(without.places["thirst"]).tolist() == [0, 1, 2, 3, 4]
    found = chosen([view], "A" * 10, {WATER: 5}, equity=FLOOR, ethnicity=ethnicity)
    black = of(found, "black")
    assert (black.people, black.expected_undiagnosed) == (5, pytest.approx(1.0))
    assert black.share_without == 0
    assert black.needed == pytest.approx(0.8 * 1.0 * 3.5 / 2.0)
    assert np.flatnonzero(found.places["thirst"]).tolist() == [0, 1, 5, 6, 7]
    assert black.listed == pytest.approx(1.5)
    assert black.met
    assert of(found, "white").met
    assert found.floors_cost["thirst"] == pytest.approx(3.5 - 3.2)


def test_nobody_is_taken_off_the_list_to_look_fair():
    """A group without a candidate stays below its floor; the others lose nothing for it."""
    view = seen([0.9, 0.8, 0.7, np.nan, np.nan], expected=[0.2] * 5)
    ethnicity = ["white"] * 3 + ["asian"] * 2
    found = chosen([view], "A" * 5, {WATER: 3}, equity=FLOOR, ethnicity=ethnicity)
    assert np.count_nonzero(found.places["thirst"]) == 3
    asian = of(found, "asian")
    assert not asian.met
    assert asian.shortfall == pytest.approx(asian.needed)
    assert found.floors_cost == {"thirst": 0.0}


def test_what_is_owed_is_measured_by_what_is_published_and_not_by_the_chances():
    low = seen([0.5, 0.4, 0.001, 0.001], expected=[0.2] * 4)
    found = chosen([low], "AAAA", {WATER: 2}, equity=FLOOR, ethnicity=["white", "white", "black", "black"])
    assert of(found, "black").expected_undiagnosed == of(found, "white").expected_undiagnosed


def test_small_groups_and_a_floor_of_nothing_ask_for_nothing():
    view = seen([0.9, 0.8, 0.1], expected=[0.2] * 3)
    ethnicity = pa.array(["white", "white", None], pa.string())
    few = chosen([view], "AAA", {WATER: 2}, equity=Equity(floor=0.8, group_of_at_least=2), ethnicity=ethnicity)
    assert [one.group for one in few.floors] == ["white"]
    none = chosen([view], "AAA", {WATER: 2}, equity=Equity(floor=0), ethnicity=ethnicity)
    assert none.floors == ()


def test_not_known_is_a_group_and_so_is_the_most_deprived_fifth():
    view = seen([0.9, 0.8, 0.7], expected=[0.2] * 3)
    ethnicity = pa.array(["white", None, "mixed"], pa.string())
    decile = pa.array([1, 2, None], pa.int8())
    found = chosen([view], "AAA", {WATER: 3}, equity=FLOOR, ethnicity=ethnicity, imd_decile=decile)
    assert {(one.grouping, one.group, one.people) for one in found.floors} == {
        ("core20", CORE20, 2), ("ethnicity", "white", 1), ("ethnicity", "unknown", 1), ("ethnicity", "mixed", 1)
    }  # fmt: skip
    assert all(one.met and one.share_with == one.share_without for one in found.floors)


@st.composite
def divided(draw):
    """A handful of people of two ethnic groups, one condition, published chances."""
    n = draw(st.integers(2, 6))
    chance = draw(st.lists(st.integers(1, 99).map(lambda x: x / 100), min_size=n, max_size=n))
    expected = draw(st.lists(st.integers(1, 60).map(lambda x: x / 100), min_size=n, max_size=n))
    soon = draw(st.lists(st.integers(0, n - 1), max_size=2, unique=True))
    groups = draw(st.lists(st.sampled_from(["white", "black"]), min_size=n, max_size=n))
    practice = draw(st.lists(st.sampled_from("AB"), min_size=n, max_size=n))
    return seen(chance, soon=soon, expected=expected), practice, groups, draw(st.integers(0, 3))


@settings(max_examples=120, derandomize=True, deadline=None)
@given(divided())
def test_floors_are_met_or_as_good_as_possible_and_then_the_list_is_the_best(given_):
    view, practice, groups, number = given_
    numbers = {code: {WATER: number, "bucket": 1} for code in "AB"}
    found = chosen([view], practice, numbers, equity=FLOOR, ethnicity=groups)
    people = by_hand([view], practice, [50] * len(practice))
    for person, group in zip(people, groups, strict=True):
        person.group = group
    visits = {visit.name: (visit.age_at_least, visit.holds) for visit in VISITS}
    needed = {one.group: round(one.needed * PARTS) for one in found.floors}
    kept = {code: {} for code in "AB"}
    free = plain_choice.best(people, visits, numbers, {}, kept)
    best = plain_choice.best(people, visits, numbers, {}, kept, needed)
    assert sum(found.without_floors.values()) == pytest.approx(free[3] / PARTS)
    first, worth, _ = reached(found, [view])
    assert (first, worth) == best[2:4]
    assert -best[1] == sum(-(-round(one.shortfall * PARTS) // 1000) for one in found.floors)
    for one in found.floors:
        owed = sum(e for e, group in zip(view.expected, groups, strict=True) if group == one.group)
        assert one.met == (one.shortfall == 0)
        assert one.expected_undiagnosed == pytest.approx(owed)
    assert found.gap == 0.0
