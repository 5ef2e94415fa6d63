"""Random effects equal a worked example from the literature, a sum by hand, and keep their promise of coverage."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import t

from casefinding.judge.pooling import pool

# Thirteen trials of BCG against tuberculosis (Colditz and others, JAMA 1994;271:698): cases and others, treated and not
TRIALS = np.array(
    [
        (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619), (33, 5036, 47, 5761),
        (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892), (29, 7470, 45, 7232),
        (17, 1699, 65, 1600), (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825),
    ],
    dtype=float,
)  # fmt: skip


def relative_risks():
    a, b, c, d = TRIALS.T
    return np.log(a / (a + b) / (c / (c + d))), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)


def test_the_worked_example_of_the_bcg_trials():
    """Viechtbauer (J Stat Softw 2010;36(3)) gives REML tau^2 = 0.3132, mean -0.7145 on these data."""
    found = pool(*relative_risks())
    assert found.tau**2 == pytest.approx(0.3132, abs=5e-5)
    assert found.mean == pytest.approx(-0.7145, abs=5e-5)
    assert found.practices == 13


def test_the_spread_has_the_greatest_restricted_likelihood():
    y, v = relative_risks()

    def loss(between):
        weight = 1 / (v + between)
        mean = weight @ y / weight.sum()
        return np.log(v + between).sum() + np.log(weight.sum()) + weight @ (y - mean) ** 2

    best = minimize_scalar(loss, bounds=(0, 3), method="bounded", options={"xatol": 1e-10}).x
    assert pool(y, v).tau ** 2 == pytest.approx(best, abs=1e-6)


def test_hartung_and_knapps_interval_is_the_formula_of_their_paper():
    y, v = relative_risks()
    found = pool(y, v)
    weight = 1 / (v + found.tau**2)
    error = np.sqrt((weight * (y - found.mean) ** 2).sum() / 12 / weight.sum())
    assert found.low == pytest.approx(found.mean - t.ppf(0.975, 12) * error)
    assert found.predicted_high == pytest.approx(found.mean + t.ppf(0.975, 11) * np.sqrt(found.tau**2 + error**2))


def test_practices_of_equal_size_are_summed_up_by_hand():
    """Equal variances v: tau^2 = variance of the values - v, mean the plain mean, its standard error s / sqrt k."""
    y = np.array([0.2, 0.5, 0.9, 1.4])
    found = pool(y, np.full(4, 0.1))
    spread = y.var(ddof=1)
    assert found.mean == pytest.approx(0.75)
    assert found.tau**2 == pytest.approx(spread - 0.1)
    assert found.high == pytest.approx(0.75 + 3.182446 * np.sqrt(spread / 4), abs=1e-6)
    assert found.predicted_low == pytest.approx(0.75 - 4.302653 * np.sqrt(spread - 0.1 + spread / 4), abs=1e-6)


def test_practices_that_agree_have_no_spread_and_few_have_no_summary():
    alike = pool([0.5, 0.5, 0.5], [0.1, 0.2, 0.3])
    assert alike.tau == 0
    assert alike.mean == pytest.approx(0.5)
    assert pool([0.1, 0.2], [0.1, 0.1]) is None
    assert pool([0.1, 0.2, np.nan, 0.3], [0.1, 0.1, 0.1, np.nan]) is None


def test_intervals_hold_the_mean_and_a_further_practice_about_95_times_in_100():
    rng = np.random.default_rng(7)
    held, foreseen, sets = 0, 0, 1000
    for _ in range(sets):
        v = rng.uniform(0.02, 0.12, 30)
        true = 1.0 + 0.4 * rng.normal(size=30)
        found = pool(true + np.sqrt(v) * rng.normal(size=30), v)
        held += found.low <= 1.0 <= found.high
        foreseen += found.predicted_low <= 1.0 + 0.4 * rng.normal() <= found.predicted_high
    assert 0.92 <= held / sets <= 0.97
    assert 0.92 <= foreseen / sets <= 0.97
