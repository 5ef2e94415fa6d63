"""Practices into groups: balanced, seeded, and no person on both sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding.errors import LearnError
from casefinding.learn.split import folds_of_practices, split

DAYS = np.array(["2023-01-01", "2024-01-01", "2025-01-01"], dtype="datetime64[D]")


def test_groups_are_balanced_by_rows() -> None:
    practices = np.repeat([f"P{k:02d}" for k in range(12)], np.arange(1, 13) * 10)
    group = folds_of_practices(practices, 3, seed=1)
    sizes = np.bincount([group[name] for name in practices])
    assert sizes.max() - sizes.min() <= 20


def test_groups_do_not_depend_on_row_order_but_on_the_seed() -> None:
    practices = np.repeat([f"P{k:02d}" for k in range(12)], 10)
    shuffled = np.random.default_rng(1).permutation(practices)
    assert folds_of_practices(practices, 3, seed=1) == folds_of_practices(shuffled, 3, seed=1)
    assert any(folds_of_practices(practices, 3, seed=s) != folds_of_practices(practices, 3, seed=1) for s in range(5))


def test_fewer_practices_than_groups_gives_one_group_a_practice() -> None:
    assert sorted(folds_of_practices(np.array(["A", "B", "B"]), 5, seed=1).values()) == [0, 1]


def test_where_practices_are_no_structure_people_are_put_into_groups() -> None:
    person, day = np.arange(400), np.repeat(DAYS[:1], 400)
    one = split(person, day, np.repeat("A", 400), np.ones(400, dtype=bool), folds=3, seed=1)
    uneven = split(person, day, np.array(["A"] * 399 + ["B"]), np.ones(400, dtype=bool), folds=3, seed=1)
    even = split(person, day, np.repeat(["A", "B"], 200), np.ones(400, dtype=bool), folds=3, seed=1)
    assert [one.by_practice, uneven.by_practice, even.by_practice] == [False, False, True]
    assert sorted(np.bincount(one.fold)) == [133, 133, 134]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    rows=st.lists(st.tuples(st.integers(0, 25), st.integers(0, 2), st.integers(0, 4), st.booleans()), min_size=8),
    folds=st.integers(2, 4),
)
def test_nobody_is_learned_from_and_judged(rows: list[tuple[int, int, int, bool]], folds: int) -> None:
    rows = sorted({(person, day): (person, day, at, used) for person, day, at, used in rows}.values())
    person, day = np.array([r[0] for r in rows]), DAYS[[r[1] for r in rows]]
    practice, used = np.array([f"P{r[2]}" for r in rows]), np.array([r[3] for r in rows])
    if len(set(person[used])) < 2:
        with pytest.raises(LearnError, match="fewer than two people"):
            split(person, day, practice, used, folds=folds, seed=3)
        return
    parts = split(person, day, practice, used, folds=folds, seed=3)
    judged = np.zeros(len(rows), dtype=int)
    for part in parts.judged():
        assert not set(person[part.learned_from]) & set(person[part.own])
        if parts.by_practice:
            assert not set(practice[part.learned_from]) & set(practice[part.own])
        assert not (part.learned_from & ~used).any()
        if parts.by_time and part.latest.any() and part.learned_from.any():
            assert day[part.learned_from].max() < day[part.latest].min()
        judged += part.latest
    last = used & (day == day[used].max())
    assert (judged == last).all()  # every used row of the last day is judged, once
