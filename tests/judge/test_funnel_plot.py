"""Funnel plots: limits that hold what they promise, and shrinkage that agrees with a second way of computing it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from casefinding.judge.funnel_plot import (
    FAR_OUTSIDE,
    OUTSIDE,
    WITHIN,
    adjusted_limits,
    chance_limits,
    funnel,
    hyperparameters,
    poisson_interval,
)


def world(rng, practices: int, spread: float, mean: float = 0.6, low: float = 60, high: float = 1500):
    """Expected cases, true ratios and recorded cases of made-up practices."""
    expected = rng.uniform(low, high, practices)
    ratio = rng.gamma(1 / spread**2, mean * spread**2, practices) if spread else np.full(practices, mean)
    return expected, ratio, rng.poisson(ratio * expected)


def test_the_ratio_is_recorded_over_expected_and_the_centre_that_of_all_together():
    found = funnel([50, 60, 40], [100, 80, 0])
    assert found.ratio[:2].tolist() == [0.5, 0.75]
    assert np.isnan(found.ratio[2])
    assert found.target == pytest.approx(110 / 180)
    assert found.standing()[2] == ""  # nothing is expected, so that nothing is said


def test_the_interval_of_a_ratio_is_garwoods():
    low, high = poisson_interval([0, 10, 100])
    assert low.round(3).tolist() == [0.0, 4.795, 81.364]  # tables of exact Poisson limits
    assert high.round(3).tolist() == [3.689, 18.390, 121.627]


@pytest.mark.parametrize("mean", [4.0, 30.0, 800.0])
def test_limits_for_chance_hold_95_and_99_8_of_100_practices_that_do_not_differ(mean):
    limits = chance_limits(1.0, [mean])[0] * mean
    counts = np.arange(0, int(mean * 4) + 20)
    weight = stats.poisson.pmf(counts, mean)
    for (low, high), share in (((limits[1], limits[2]), 0.95), ((limits[0], limits[3]), 0.998)):
        outside = weight[(counts < low) | (counts > high)].sum()
        assert outside <= (1 - share) * 1.7 + 0.001  # counts come whole, so that few cases cannot meet it exactly
        assert outside >= (1 - share) / 3 - (mean < 10)


def test_limits_for_chance_meet_the_normal_ones_where_cases_are_many():
    exact, smooth = chance_limits(0.6, [50_000.0]), adjusted_limits(0.6, [50_000.0], 0.0)
    assert np.allclose(exact, smooth, rtol=2e-4)


def test_practices_that_differ_widen_the_limits_and_practices_that_do_not_leave_them():
    rng = np.random.default_rng(4)
    expected, _, recorded = world(rng, 60, 0.2)
    differ = funnel(recorded, expected)
    assert differ.adjusts
    assert differ.dispersion > 3
    assert 0.5 * 0.2 * np.sqrt(0.6) / 2 < differ.spread < 2 * 0.2 * np.sqrt(0.6) / 2
    outside = [stands != WITHIN for stands in differ.standing()]
    by_chance = [stands != WITHIN for stands in differ.standing(by_chance=True)]
    assert sum(by_chance) > 30
    assert sum(outside) < 10
    expected, _, recorded = world(rng, 60, 0.0)
    assert funnel(recorded, expected).spread < 0.03


def test_one_practice_far_from_all_others_is_found_among_many():
    rng = np.random.default_rng(5)
    expected, _, recorded = world(rng, 40, 0.1)
    recorded[7] = int(recorded[7] * 0.3)
    assert funnel(recorded, expected).standing()[7] in (OUTSIDE, FAR_OUTSIDE)


def test_with_fewer_than_five_practices_chance_alone_is_used():
    found = funnel([10, 200, 90], [100, 100, 100])
    assert not found.adjusts
    assert found.standing()[0] == FAR_OUTSIDE


def test_shrinkage_is_that_of_a_plain_grid_in_which_every_posterior_is_integrated():
    """The oracle works on another grid, in another scale, and integrates each posterior numerically."""
    rng = np.random.default_rng(6)
    expected, _, recorded = world(rng, 8, 0.25, low=15, high=120)
    found = funnel(recorded, expected)
    spreads, means = np.linspace(0.001, 1.0, 150), np.exp(np.linspace(np.log(0.2), np.log(1.8), 241))
    likely = np.zeros((len(spreads), len(means)))
    for row, spread in enumerate(spreads):
        shape = 1 / spread**2
        for cases, due in zip(recorded, expected, strict=True):  # cases are then negative binomial
            likely[row] += stats.nbinom.logpmf(cases, shape, shape / (shape + means * due))
    weight = np.exp(likely - likely.max())
    for place in (0, 3, 7):
        cases, due = recorded[place], expected[place]
        top = weight > weight.max() * 1e-3
        rows, columns = np.nonzero(top)
        chosen = rng.choice(len(rows), 150, p=weight[top] / weight[top].sum())
        means_of = []
        for one in chosen:
            prior = stats.gamma(1 / spreads[rows[one]] ** 2, scale=means[columns[one]] * spreads[rows[one]] ** 2)
            x = np.linspace(0.05, 2.5, 4000)
            density = prior.pdf(x) * stats.poisson.pmf(cases, due * x)
            means_of.append(integrate.trapezoid(x * density, x) / integrate.trapezoid(density, x))
        error = np.std(means_of) / np.sqrt(len(means_of))
        assert found.shrunk[place] == pytest.approx(np.mean(means_of), abs=4 * error + 0.004)


def test_with_many_practices_the_gamma_is_that_of_the_method_of_moments():
    rng = np.random.default_rng(7)
    expected, _, recorded = world(rng, 400, 0.3, low=400, high=900)
    shape, rate, weight = hyperparameters(recorded.astype(float), expected, float(recorded.sum() / expected.sum()))
    ratio = recorded / expected
    mean = ratio.mean()
    variance = ratio.var(ddof=1) - (mean / expected).mean()  # what chance adds is taken off
    assert weight @ (shape / rate) == pytest.approx(mean, rel=0.01)
    assert weight @ (1 / np.sqrt(shape)) == pytest.approx(np.sqrt(variance) / mean, rel=0.1)


@pytest.mark.parametrize(("practices", "spread"), [(6, 0.15), (25, 0.3)])
def test_shrunken_intervals_hold_the_truth_95_times_in_100(practices, spread):
    rng = np.random.default_rng(8)
    held, closer, number = 0, 0.0, 0
    for _ in range(80):
        expected, truth, recorded = world(rng, practices, spread)
        found = funnel(recorded, expected)
        held += int(((found.shrunk_low <= truth) & (truth <= found.shrunk_high)).sum())
        closer += float(((found.ratio - truth) ** 2 - (found.shrunk - truth) ** 2).sum())
        number += practices
    assert 0.90 <= held / number <= 0.99  # 480 and 2,000 intervals
    assert closer > 0  # nearer to the truth than the plain ratio


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4000), st.floats(0, 5000)), min_size=0, max_size=9))
def test_any_practices_at_all_stand_in_order(rows):
    recorded, expected = [row[0] for row in rows], [row[1] for row in rows]
    found = funnel(recorded, expected)
    there = ~np.isnan(found.ratio)
    assert (found.low[there] <= found.ratio[there]).all()
    assert (found.ratio[there] <= found.high[there]).all()
    shrunk = ~np.isnan(found.shrunk)
    assert (found.shrunk_low[shrunk] <= found.shrunk[shrunk] + 1e-9).all()
    assert (found.shrunk[shrunk] <= found.shrunk_high[shrunk] + 1e-9).all()
    for limits in (found.chance, found.adjusted):
        known = limits[~np.isnan(limits).any(1)]
        assert (np.diff(known, axis=1) >= -1e-9).all()
    assert len(found.standing()) == len(rows)


def test_the_same_practices_in_another_order_are_told_the_same():
    recorded, expected = [80, 120, 300, 50, 90, 410], [150.0, 160.0, 500.0, 120.0, 100.0, 600.0]
    one, other = funnel(recorded, expected), funnel(recorded[::-1], expected[::-1])
    assert one.standing() == other.standing()[::-1]
    assert np.allclose(one.shrunk, other.shrunk[::-1])
