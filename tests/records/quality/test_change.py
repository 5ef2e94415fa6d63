"""Change points: steps are found where they are, noise and lasting levels are not steps."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding.records.quality.change import PENALTY, SHORTEST, rates, shares


@given(seed=st.integers(0, 10_000), level=st.floats(0.5, 200), months=st.integers(12, 60))
@settings(max_examples=150, deadline=None)
def test_chance_alone_is_no_change(seed, level, months):
    entries = np.random.default_rng(seed).poisson(level, months)
    assert rates(entries, np.ones(months)) == []


@given(
    seed=st.integers(0, 10_000), before=st.integers(60, 300), times=st.sampled_from([0.0, 0.2, 0.4, 2.5, 5.0]),
    at=st.integers(6, 54),
)  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_a_large_step_is_found_within_two_months_and_with_its_size(seed, before, times, at):
    level = np.where(np.arange(60) < at, before, before * times)
    found = rates(np.random.default_rng(seed).poisson(level), np.ones(60))
    nearest = min(found, key=lambda change: abs(change.at - at))
    assert abs(nearest.at - at) <= 2
    assert abs(nearest.after - before * times) < 6 * np.sqrt(before * max(times, 0.1) / SHORTEST) + 1


@given(seed=st.integers(0, 10_000), share=st.floats(0.05, 0.95), values=st.integers(5, 300))
@settings(max_examples=100, deadline=None)
def test_a_share_that_stays_is_no_change(seed, share, values):
    part = np.random.default_rng(seed).binomial(values, share, 48)
    assert shares(part, np.full(48, values)) == []


def test_a_practice_that_grows_is_no_change_of_its_rate():
    people = np.linspace(1000, 4000, 60)
    entries = np.random.default_rng(1).poisson(people / 20)
    assert rates(entries, people / 1000) == []


def test_medicines_that_one_person_gets_every_month_do_not_make_a_change():
    """Three people begin in one month: thirty entries more, and still only three people."""
    entries = np.array([2.0] * 20 + [5.0] * 20)
    assert rates(entries, np.ones(40), each=20.0) == []


def test_months_without_anybody_are_no_months_to_compare():
    exposure = np.concatenate([np.zeros(20), np.ones(20)])
    entries = np.concatenate([np.zeros(20), np.full(20, 30.0)])
    assert rates(entries, exposure) == []
    assert rates(np.zeros(0), np.zeros(0)) == rates(np.zeros(3), np.ones(3)) == []


def test_no_part_is_shorter_than_it_may_be():
    entries = np.array([50.0] * 10 + [0.0] * 2 + [50.0] * 10)
    assert PENALTY > 0
    assert all(min(change.months_before, change.months_after) >= SHORTEST for change in rates(entries, np.ones(22)))
