"""Rates of treatment: nothing is lost between the whole and its parts, and expected is what the neighbours do."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding.judge.treated import expected_lacking, rates

PRACTICES = [
    {"practice": "A", "name": "Ash", "pcn": "North", "place": "Marsh"},
    {"practice": "B", "name": "Beech", "pcn": "North", "place": "Marsh"},
    {"practice": "C", "name": "Cedar", "pcn": "South", "place": "Marsh"},
]


def table(practice: list[str], age: list[int | None], sex: list[str]) -> pa.Table:
    rows = len(practice)
    return pa.table(
        {
            "practice": practice, "age": pa.array(age, pa.int16()), "sex": sex, "ethnicity": ["white"] * rows,
            "imd_decile": pa.array([5] * rows, pa.int8()),
        }
    )  # fmt: skip


@settings(max_examples=100, derandomize=True)
@given(data=st.data())
def test_parts_add_up_to_the_whole_and_expected_to_what_was_found(data):
    rows = data.draw(st.integers(1, 60))

    def column(of):
        return data.draw(st.lists(of, min_size=rows, max_size=rows))

    base = table(
        column(st.sampled_from("ABC")), column(st.one_of(st.none(), st.integers(0, 100))),
        column(st.sampled_from(["female", "male", "unknown"])),
    )  # fmt: skip
    counted = np.array(column(st.booleans()))
    lacking = np.array(column(st.booleans())) & counted
    found = rates(counted, lacking, base, PRACTICES)
    whole = found[0]
    assert (whole.level, whole.people, whole.lacking) == ("everybody", int(counted.sum()), int(lacking.sum()))
    for level in ("place", "network", "practice"):
        units = [one for one in found if one.level == level]
        assert sum(one.people for one in units) == whole.people
        assert sum(one.lacking for one in units) == whole.lacking
        assert sum(one.expected for one in units) == pytest.approx(whole.lacking)


def test_an_older_practice_is_held_against_older_people():
    """The old lack it twice as often everywhere: neither practice stands out."""
    age = [40] * 80 + [80] * 20 + [40] * 20 + [80] * 80
    base = table(["A"] * 100 + ["B"] * 100, age, ["female"] * 200)
    lacking = np.zeros(200, dtype=bool)
    for start, size, share in ((0, 80, 0.2), (80, 20, 0.4), (100, 20, 0.2), (120, 80, 0.4)):
        lacking[start : start + round(size * share)] = True
    found = {one.code: one for one in rates(np.ones(200, dtype=bool), lacking, base, PRACTICES)}
    for code, number in (("A", 24), ("B", 36)):
        assert found[code].lacking == number
        assert found[code].expected == pytest.approx(number)


def test_nothing_is_expected_of_people_who_are_not_counted():
    base = table(["A", "A"], [50, 50], ["male", "male"])
    counted = np.array([True, False])
    assert expected_lacking(counted, np.array([True, False]), base).tolist() == [1.0, 0.0]
