"""Every measure equals its reference: scikit-learn, scipy, dcurves; and the celled values equal the exact ones."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from casefinding.judge import calibration, decision
from casefinding.judge.cells import Cells
from casefinding.judge.measures import measures

OF_CHANCE = tuple(measures([0, 1], [0.1, 0.2]))


@pytest.fixture(scope="module", params=["smooth", "ties"])
def scored(request):
    rng = np.random.default_rng(5)
    chance = np.clip(rng.beta(1, 9, 3000), 1e-4, 0.98)
    if request.param == "ties":
        chance = np.clip(np.round(chance, 2), 0.01, 0.98)  # many stand exactly at a threshold
    case = (rng.random(3000) < chance**0.9).astype(float)
    return case, chance, rng.integers(0, 3, 3000) * rng.uniform(0.5, 2, 3000)


def test_discrimination_and_brier_are_those_of_scikit_learn(scored):
    case, chance, weight = scored
    found = measures(case, chance, weight)
    assert found["auroc"] == pytest.approx(roc_auc_score(case, chance, sample_weight=weight), abs=1e-12)
    assert found["average_precision"] == pytest.approx(
        average_precision_score(case, chance, sample_weight=weight), abs=1e-12
    )
    assert found["brier"] == pytest.approx(brier_score_loss(case, chance, sample_weight=weight), abs=1e-12)


def test_calibration_slope_is_that_of_an_unpenalised_logistic_regression(scored):
    case, chance, weight = scored
    at = np.log(chance / (1 - chance))
    fit = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(at[:, None], case, sample_weight=weight)
    assert calibration.slope(case, chance, weight) == pytest.approx(fit.coef_[0, 0], abs=1e-5)


def test_calibration_in_the_large_makes_expected_equal_observed(scored):
    case, chance, weight = scored
    at = np.log(chance / (1 - chance))
    shift = brentq(lambda move: weight @ (case - 1 / (1 + np.exp(-(at + move)))), -5, 5, xtol=1e-13)
    assert calibration.in_the_large(case, chance, weight) == pytest.approx(shift, abs=1e-9)


def test_a_well_calibrated_chance_has_slope_1_and_an_overstated_one_less():
    rng = np.random.default_rng(1)
    at = rng.normal(-2, 1.2, 60_000)
    case = (rng.random(60_000) < 1 / (1 + np.exp(-at))).astype(float)
    true, overstated = 1 / (1 + np.exp(-at)), 1 / (1 + np.exp(-2 * at))
    assert calibration.slope(case, true) == pytest.approx(1, abs=0.03)
    assert calibration.slope(case, overstated) == pytest.approx(0.5, abs=0.02)
    assert calibration.observed_expected(case, true) == pytest.approx(1, abs=0.03)
    assert calibration.in_the_large(case, 1 / (1 + np.exp(-(at - 0.7)))) == pytest.approx(0.7, abs=0.05)


@pytest.mark.parametrize("case", [[0, 0, 0, 0], [1, 1, 1, 1]])
def test_measures_that_need_both_outcomes_are_undefined_without_them(case):
    found = measures(case, [0.1, 0.2, 0.3, 0.4])
    assert found["auroc"] is found["calibration_slope"] is found["calibration_in_the_large"] is None
    assert found["brier"] is not None


def test_one_chance_for_everyone_has_no_slope():
    found = measures([0, 1, 0, 1], [0.2] * 4)
    assert found["calibration_slope"] is None
    assert found["auroc"] == 0.5


def test_a_separated_outcome_has_no_slope_rather_than_a_huge_one():
    assert measures([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4])["calibration_slope"] is None


def test_chances_of_exactly_0_and_1_are_borne():
    found = measures([0, 1, 0, 1, 1, 0], [0, 1, 0.3, 0.4, 0.2, 1])
    assert all(value is None or np.isfinite(value) for value in found.values())


def test_rows_of_weight_0_count_for_nothing(scored):
    case, chance, weight = scored
    used = weight > 0
    assert measures(case, chance, weight) == pytest.approx(measures(case[used], chance[used], weight[used]))


def test_integer_weights_are_repeated_rows():
    rng = np.random.default_rng(2)
    chance = rng.uniform(0.05, 0.6, 300)
    case, weight = (rng.random(300) < chance).astype(float), rng.integers(0, 4, 300)
    again = np.repeat(np.arange(300), weight)
    once, repeated = measures(case, chance, weight), measures(case[again], chance[again])
    assert once == pytest.approx(repeated, abs=1e-9)
    grid = [0.1, 0.2, 0.4]
    assert decision.net_benefit(case, chance, grid, weight) == pytest.approx(
        decision.net_benefit(case[again], chance[again], grid), abs=1e-12
    )


def test_deciles_hold_everyone_once_and_never_part_equal_chances(scored):
    case, chance, weight = scored
    used = weight > 0
    table = calibration.deciles(case, chance, weight)
    assert sum(row["rows"] for row in table) == used.sum()
    assert sum(row["cases"] for row in table) == case[used].sum()
    assert [row["expected"] for row in table] == sorted(row["expected"] for row in table)
    assert set(table[0]) == {"part", "rows", "cases", "expected", "observed"}
    tied = calibration.deciles([0, 1] * 50, [0.1] * 60 + [0.2] * 40)
    assert [row["rows"] for row in tied] == [60, 40]


def test_deciles_are_tenths():
    rng = np.random.default_rng(0)
    assert [row["rows"] for row in calibration.deciles(rng.integers(0, 2, 1000), rng.random(1000))] == [100] * 10


# ------------------------------------------------------------------------------------------- net benefit


def test_net_benefit_is_that_of_dcurves():
    dcurves = pytest.importorskip("dcurves")
    rng = np.random.default_rng(8)
    chance = rng.beta(1, 6, 800)
    frame = pd.DataFrame({"cancer": (rng.random(800) < chance).astype(int), "model": chance})
    for data, model in ((frame, "model"), (_dcurves_own(dcurves), "cancerpredmarker")):
        grid = np.array([0, 1, 2, 3, 5, 8, 10, 15, 20, 25, 35, 50, 75, 99]) / 100
        table = dcurves.dca(data=data, outcome="cancer", modelnames=[model], thresholds=grid)
        theirs = table.set_index(["model", "threshold"])["net_benefit"]
        case = data["cancer"].to_numpy(float)
        ours = decision.net_benefit(case, data[model].to_numpy(), grid)
        assert ours == pytest.approx(theirs[model].to_numpy(), abs=1e-12)
        assert decision.treat_all(case, grid) == pytest.approx(theirs["all"].to_numpy(), abs=1e-12)


def _dcurves_own(dcurves) -> pd.DataFrame:
    """The package's own example data, on which its authors compare it with their R package."""
    from pathlib import Path

    return pd.read_csv(Path(dcurves.__file__).parent / "data" / "df_binary.csv")


def test_who_stands_exactly_at_a_threshold_is_tested():
    assert decision.net_benefit([1, 0], [0.2, 0.1], [0.2, 0.21]).tolist() == [0.5, 0.0]


def test_a_threshold_of_1_is_refused():
    with pytest.raises(ValueError, match="threshold"):
        decision.net_benefit([0, 1], [0.1, 0.2], [1.0])


# --------------------------------------------------------------------------- many weightings at once


def test_celled_measures_follow_the_exact_ones_in_every_resample(scored):
    case, chance, weight = scored
    rng = np.random.default_rng(3)
    counts = rng.multinomial(3000, np.full(3000, 1 / 3000), size=30).T.astype(float)
    cells = Cells(case, weight, chance, [np.arange(3000)], decision.TABLE_THRESHOLDS)
    many, as_it_is, exact = cells.of(counts)[0], cells.of(np.ones((3000, 1)))[0], measures(case, chance, weight)
    again = [measures(case, chance, weight * drawn) for drawn in counts.T]
    for name in OF_CHANCE:
        moved = many[name] + exact[name] - as_it_is[name][0]
        true = np.array([found[name] for found in again])
        assert np.sqrt(np.mean((moved - true) ** 2)) < 0.05 * true.std(), name  # of what an interval is made of
    for drawn, *worth in zip(counts.T, *(many[f"net_benefit_{at}"] for at in decision.TABLE_THRESHOLDS), strict=True):
        true = decision.net_benefit(case, chance, decision.TABLE_THRESHOLDS, weight * drawn)
        assert worth == pytest.approx(true, abs=1e-12)


def test_cells_measure_each_group_as_if_it_stood_alone(scored):
    case, chance, weight = scored
    rng = np.random.default_rng(4)
    part = rng.integers(0, 3, 3000)
    parts = [np.flatnonzero(part == number) for number in range(2)]  # the third group is not asked for
    counts = rng.poisson(1, (3000, 5)).astype(float)
    together = Cells(case, weight, chance, parts).of(counts)
    for rows, found in zip(parts, together, strict=True):
        alone = Cells(case[rows], weight[rows], chance[rows], [np.arange(len(rows))]).of(counts[rows])[0]
        for name in OF_CHANCE:
            assert found[name] == pytest.approx(alone[name], abs=1e-12)


def test_resamples_without_cases_give_nothing_to_count():
    case, chance = np.array([1.0, 0, 0, 0]), np.array([0.4, 0.3, 0.2, 0.1])
    counts = np.array([[0, 1], [2, 1], [1, 1], [1, 1]], dtype=float)
    found = Cells(case, np.ones(4), chance, [np.arange(4)]).of(counts)[0]
    assert np.isnan(found["auroc"][0])
    assert found["auroc"][1] == 1
