"""A person with evidence p counts p as a case and 1 - p as none: every measure equals that of rows written twice."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score

from casefinding.judge import decision
from casefinding.judge.measures import measures
from casefinding.judge.soft import SoftCells, soft_auroc, soft_measures

OF_CHANCE = ("auroc", "brier", "calibration_slope", "calibration_in_the_large", "observed_expected", "ici")


@pytest.fixture(scope="module", params=["smooth", "ties"])
def scored(request):
    rng = np.random.default_rng(5)
    chance = np.clip(rng.beta(2, 9, 3000), 1e-4, 0.98)
    if request.param == "ties":
        chance = np.clip(np.round(chance, 2), 0.01, 0.98)
    share = np.clip(rng.beta(4 * chance + 0.05, 4 * (1 - chance) + 0.05), 0, 1)
    share = np.where(rng.random(3000) < 0.3, np.round(share), share)
    return share, chance, rng.integers(0, 3, 3000) * rng.uniform(0.5, 2, 3000)


def twice(share, score, weight):
    case = np.repeat([1, 0], len(share))
    return case, np.tile(score, 2), np.concatenate([weight * share, weight * (1 - share)])


def test_soft_measures_are_those_of_scikit_learn_on_rows_written_twice(scored):
    case, chance, weight = twice(*scored)
    found = soft_measures(*scored)
    used = weight > 0
    auroc = roc_auc_score(case[used], chance[used], sample_weight=weight[used])
    assert found["auroc"] == pytest.approx(auroc, abs=1e-12)
    assert soft_auroc(*scored) == pytest.approx(auroc, abs=1e-12)
    assert found["brier"] == pytest.approx(brier_score_loss(case, chance, sample_weight=weight), abs=1e-12)
    at = np.log(chance / (1 - chance))
    fit = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(at[:, None], case, sample_weight=weight)
    assert found["calibration_slope"] == pytest.approx(fit.coef_[0, 0], abs=1e-5)
    hard = measures(case, chance, weight)
    for name in ("calibration_slope", "calibration_in_the_large", "observed_expected"):
        assert found[name] == pytest.approx(hard[name], abs=1e-9)


def test_evidence_of_0_and_1_is_an_ordinary_outcome(scored):
    share, chance, weight = scored
    case = (share > 0.5).astype(float)
    soft, hard = soft_measures(case, chance, weight), measures(case, chance, weight)
    for name in set(soft) & set(hard):
        assert soft[name] == pytest.approx(hard[name], abs=1e-9)


def test_net_benefit_of_soft_evidence_is_that_of_rows_written_twice(scored):
    grid = [0.05, 0.1, 0.2]
    case, chance, weight = twice(*scored)
    expected = decision.net_benefit(case, chance, grid, weight)
    share, chance, weight = scored
    assert decision.net_benefit(share, chance, grid, weight) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("fine", [True, False])
def test_celled_measures_follow_the_exact_ones_in_every_resample(scored, fine):
    share, chance, weight = scored
    rng = np.random.default_rng(3)
    counts = rng.multinomial(3000, np.full(3000, 1 / 3000), size=25).T.astype(float)
    cells = SoftCells(share, weight, chance, [np.arange(3000)], curve=True, fine=fine, thresholds=(0.1, 0.2))
    many, as_it_is = cells.of(counts)[0], cells.of(np.ones((3000, 1)))[0]
    again, exact = [soft_measures(share, chance, weight * drawn) for drawn in counts.T], soft_measures(*scored)
    for name in OF_CHANCE if fine else OF_CHANCE[2:]:
        moved = many[name] + exact[name] - as_it_is[name][0]
        true = np.array([found[name] for found in again])
        assert np.sqrt(np.mean((moved - true) ** 2)) < (0.2 if name == "ici" else 0.05) * true.std(), name
    for drawn, *worth in zip(counts.T, many["net_benefit_0.1"], many["net_benefit_0.2"], strict=True):
        true = decision.net_benefit(share, chance, [0.1, 0.2], weight * drawn)
        assert worth == pytest.approx(true, abs=1e-12)


def test_cells_measure_each_group_as_if_it_stood_alone_and_skip_missing_scores(scored):
    share, chance, weight = scored
    rng = np.random.default_rng(4)
    part = rng.integers(0, 3, 3000)
    score = np.where(rng.random(3000) < 0.1, np.nan, chance)
    counts = rng.poisson(1, (3000, 4)).astype(float)
    parts = [np.flatnonzero(part == number) for number in range(2)]
    together = SoftCells(share, weight, score, parts).of(counts)
    for rows, found in zip(parts, together, strict=True):
        kept = rows[np.isfinite(score[rows])]
        alone = SoftCells(share[kept], weight[kept], score[kept], [np.arange(len(kept))]).of(counts[kept])[0]
        for name, values in alone.items():
            assert found[name] == pytest.approx(values, abs=1e-12)


def test_only_the_order_of_a_score_counts(scored):
    share, chance, weight = scored
    counts = np.random.default_rng(4).poisson(1, (3000, 4)).astype(float)
    points = SoftCells(share, weight, 100 * chance - 7, [np.arange(3000)], of_chance=False).of(counts)[0]
    assert set(points) == {"auroc"}
    true = [soft_auroc(share, chance, weight * drawn) for drawn in counts.T]
    assert points["auroc"] == pytest.approx(true, abs=2e-3)


def test_nobody_who_counts_gives_nothing_rather_than_a_failure():
    cells = SoftCells(np.zeros(5), np.zeros(5), np.full(5, 0.2), [np.arange(5)], curve=True, thresholds=(0.1,))
    found = cells.of(np.ones((5, 3)))[0]
    assert np.isnan(found["auroc"]).all()
    assert np.isnan(found["calibration_slope"]).all()
