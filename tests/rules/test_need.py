"""Unmet need stacked: points are the plain sum that the weighting declares, and the order is told in words."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding.definitions.first import First
from casefinding.rules.need import rank, stack

NEEDS = {
    "smokes": {"label": "Smokes", "points": 2, "when": {"feature": "smokes", "is": "present"}, "why": "w"},
    "heavy": {"label": "Heavy", "points": 1, "when": {"feature": "weight", "at least": 35}, "why": "w"},
    "unmeasured": {"label": "Not weighed", "points": 1, "when": {"feature": "weight", "is": "missing"}, "why": "w"},
    "likely": {"label": "Likely", "points": 3, "chance of": "thirst", "at least": 0.2, "why": "w"},
}
PERSON = st.fixed_dictionaries(
    {
        "smokes": st.sampled_from([0.0, 1.0, math.nan]),
        "weight": st.sampled_from([20.0, 34.9, 35.0, 50.0, math.nan]),
        "chance": st.sampled_from([0.0, 0.19, 0.2, 0.9, math.nan]),
        "may": st.booleans(),
    }
)


def first(**changed) -> First:
    return First.model_validate({"weighting": NEEDS, **changed}, by_alias=True, by_name=False)


def oracle(person: dict) -> list[int]:
    """The points of one person, need by need, by plain reading."""
    found = []
    if person["smokes"] == 1:
        found.append(2)
    if person["weight"] >= 35:
        found.append(1)
    if math.isnan(person["weight"]):
        found.append(1)
    if person["chance"] >= 0.2:
        found.append(3)
    return found


@given(st.lists(PERSON, min_size=1, max_size=40), st.integers(1, 20), st.randoms())
@settings(max_examples=150, deadline=None)
def test_points_and_order_are_those_of_a_plain_reading(people, places, shuffle):
    columns = {name: np.array([one[name] for one in people]) for name in ("smokes", "weight")}
    chances = {"thirst": np.array([one["chance"] for one in people])}
    found = stack(first(), columns, chances, len(people))
    assert found.points.tolist() == [sum(oracle(one)) for one in people]
    assert found.needs.tolist() == [len(oracle(one)) for one in people]

    may = np.array([one["may"] for one in people])
    names = [f"p{number}" for number in range(len(people))]
    order = rank(found, may, names, places)
    keys = [(-found.points[row], -found.needs[row]) for row in order]
    assert keys == sorted(keys)
    assert all(may[row] and found.points[row] > 0 for row in order)
    assert len(order) == min(places, int((may & (found.points > 0)).sum()))
    if len(order):
        left_out = [row for row in np.flatnonzero(may & (found.points > 0)) if row not in order]
        assert all((-found.points[row], -found.needs[row]) >= keys[-1] for row in left_out)

    rows = list(range(len(people)))
    shuffle.shuffle(rows)  # in another order of rows the same people come first, in the same order
    again = stack(
        first(),
        {name: values[rows] for name, values in columns.items()},
        {"thirst": chances["thirst"][rows]},
        len(rows),
    )
    other = rank(again, may[rows], [names[row] for row in rows], places)
    assert [names[rows[row]] for row in other] == [names[row] for row in order]


def test_households_are_refused_with_what_the_extract_would_need():
    with pytest.raises(ValueError, match="household key"):
        first(by="household")


@pytest.mark.parametrize(
    ("need", "said"),
    [
        ({"label": "x", "points": 1, "why": "w"}, "exactly one"),
        ({**NEEDS["likely"], "when": {"feature": "a", "is": "known"}}, "exactly one"),
        ({"label": "x", "points": 1, "chance of": "thirst", "why": "w"}, "belong together"),
        ({**NEEDS["smokes"], "points": 0}, "points"),
        ({key: value for key, value in NEEDS["smokes"].items() if key != "why"}, "why"),
    ],
)
def test_a_need_that_is_not_declared_in_full_is_refused(need, said):
    with pytest.raises(ValueError, match=said):
        first(weighting={"x": need})
