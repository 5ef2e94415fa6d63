"""The Integrated Calibration Index is nothing where chances are right, and the size of the error where they are not."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from casefinding.judge.bootstrap import interval, resamples
from casefinding.judge.flexible import FIVE_KNOTS_FROM, NAMES, Flexible, Spline, recentred
from casefinding.judge.soft import SoftCells


def expit(at):
    return 1 / (1 + np.exp(-at))


def draw(n, shift=0.0, slope=1.0, seed=1):
    """People whose true log-odds are shift + slope x those that they are given; their true ICI with them."""
    rng = np.random.default_rng(seed)
    at = rng.normal(-2, 1.1, n)
    true = expit(shift + slope * at)
    return (rng.random(n) < true).astype(float), expit(at), float(np.abs(true - expit(at)).mean())


def test_right_chances_have_an_index_of_nearly_nothing():
    case, chance, _ = draw(60_000)
    found = Flexible.of(case, chance).values
    assert found["ici"] < 0.005
    assert found["e50"] <= found["e90"] <= found["e_max"]


@pytest.mark.parametrize(("shift", "slope"), [(0.7, 1.0), (0.0, 0.5), (-0.5, 1.4)])
def test_shifted_chances_have_the_index_of_their_shift(shift, slope):
    case, chance, true = draw(60_000, shift, slope)
    assert Flexible.of(case, chance).values["ici"] == pytest.approx(true, abs=0.006)


def test_a_bend_is_seen_where_slope_and_intercept_see_nothing():
    rng = np.random.default_rng(2)
    at = rng.normal(0, 1.2, 60_000)
    true = expit(at + 0.5 * (np.abs(at) - np.abs(at).mean()))
    case = (rng.random(60_000) < true).astype(float)
    found = Flexible.of(case, expit(at)).values["ici"]
    assert found == pytest.approx(np.abs(true - expit(at)).mean(), abs=0.012)


def test_the_curve_is_an_unpenalised_logistic_regression_on_the_spline():
    case, chance, _ = draw(5000, 0.4, 0.8)
    weight = np.random.default_rng(1).uniform(0, 2, 5000)
    found = Flexible.of(case, chance, weight)
    design = found.spline.design(np.log(chance / (1 - chance)))
    fit = LogisticRegression(C=np.inf, tol=1e-10, max_iter=5000).fit(design[:, 1:], case, sample_weight=weight)
    theirs = fit.predict_proba(design[:, 1:])[:, 1]
    assert found.at(chance) == pytest.approx(theirs, abs=1e-4)
    assert found.values["ici"] == pytest.approx(np.average(np.abs(theirs - chance), weights=weight), abs=1e-4)
    apart = np.sort(np.abs(theirs - chance))
    assert found.values["e_max"] == pytest.approx(apart[-1], abs=1e-4)


def test_the_spline_is_straight_beyond_its_knots_and_smooth_between():
    spline = Spline.of(np.random.default_rng(0).normal(size=500), 200, 300)
    assert len(spline.knots) == 5
    grid = np.linspace(-9, 9, 3601)
    columns = spline.design(grid)
    bend = np.diff(columns, n=2, axis=0)
    z = (grid[1:-1] - spline.centre) / spline.spread
    outside = (z < spline.knots[0] - 0.01) | (z > spline.knots[-1] + 0.01)
    assert np.abs(bend[outside]).max() < 1e-9
    assert np.abs(bend[~outside]).max() > 1e-6
    assert np.abs(np.diff(bend, axis=0)).max() < 1e-6  # no corner


def test_few_cases_have_three_knots_and_one_chance_has_no_curve():
    at = np.random.default_rng(0).normal(size=500)
    assert len(Spline.of(at, FIVE_KNOTS_FROM - 1, 400).knots) == 3
    assert Flexible.of([0, 1, 0, 1], [0.2] * 4) is None
    assert Flexible.of(np.zeros(50), np.linspace(0.1, 0.5, 50)) is None


def test_integer_weights_are_repeated_rows():
    case, chance, _ = draw(2000, 0.5)
    times = np.random.default_rng(1).integers(0, 3, 2000)
    again = np.repeat(np.arange(2000), times)
    once, repeated = Flexible.of(case, chance, times), Flexible.of(case[again], chance[again])
    for name in NAMES:  # the knots lie at quantiles of rows, so the curves differ a little
        assert once.values[name] == pytest.approx(repeated.values[name], abs=0.006)


def test_intervals_of_the_index_hold_its_true_value():
    """200 sets of 1,500 people, miscalibrated by half a log-odd."""
    held = 0
    for number in range(200):
        case, chance, true = draw(1500, 0.5, 1.0, seed=100 + number)
        cells = SoftCells(case, np.ones(1500), chance, [np.arange(1500)], curve=True, fine=False)
        counts = np.concatenate(list(resamples(np.arange(1500), 1500, 100, number)), axis=1)
        value = Flexible.of(case, chance).values["ici"]
        low, high = interval(recentred(value, cells.of(counts)[0]["ici"]))
        held += low <= true <= high
    assert 0.9 <= held / 200 <= 0.98, held / 200


def test_moved_resamples_stand_about_the_value_and_not_below_nothing():
    moved = recentred(0.01, np.linspace(0.02, 0.2, 101))
    assert np.median(moved) == pytest.approx(0.01)
    assert moved.min() == 0
