"""From practice to practice: each practice's own figures, small ones counted and left out, and their summary."""

import numpy as np
import pytest
from scipy.special import expit, logit

from casefinding.judge.judgement import judge
from casefinding.judge.pooling import pool
from casefinding.judge.practices import FEWEST_IN_PRACTICE, MEASURES
from casefinding.judge.soft import soft_measures


def test_every_practice_has_its_own_figures(beside):
    table = beside.made.out_of_fold.to_pandas()
    for about, share, weight in (("coded", table.case.astype(float), table.weight),
                                 ("verified", table.evidence.fillna(0), table.verify_weight)):  # fmt: skip
        found = beside.found.practices[about]
        assert (found["practices"], found["too_small"]) == (3, 0)
        for measure in MEASURES:
            assert [row["value"] for row in found[measure]["each"]] == sorted(
                (row["value"] for row in found[measure]["each"]), reverse=True
            )
            for row in found[measure]["each"]:
                here = (table.practice == row["practice"]).to_numpy()
                exact = soft_measures(share[here], table.chance[here], weight[here])[measure]
                assert row["value"] == pytest.approx(exact, abs=1e-9)
                assert row["low"] < row["value"] < row["high"]


def test_the_summary_pools_log_odds_of_auroc(beside):
    found = beside.found.practices["verified"]["auroc"]
    values = [logit(row["value"]) for row in found["each"]]
    errors = [(logit(row["high"]) - logit(row["low"])) / 2 / 1.959964 for row in found["each"]]
    pooled = pool(values, np.square(errors))
    assert found["summary"]["mean"] == pytest.approx(expit(pooled.mean), abs=1e-6)
    assert found["summary"]["predicted_low"] == pytest.approx(expit(pooled.predicted_low), abs=1e-6)
    assert found["summary"]["practices"] == 3
    shown = beside.found.practices["verified"]["auroc"]["summary"]
    assert shown["predicted_low"] <= shown["low"] <= shown["mean"] <= shown["high"] <= shown["predicted_high"]


def test_a_practices_sampling_error_is_about_hanley_and_mcneils(beside):
    """Hanley and McNeil (Radiology 1982;143:29), for an ordinary outcome with nearly equal weights."""
    table = beside.made.out_of_fold.to_pandas()
    for row in beside.found.practices["coded"]["auroc"]["each"]:
        here = table[(table.practice == row["practice"]) & (table.weight > 0)]
        a, cases, others = row["value"], here.case.sum(), (1 - here.case).sum()
        q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
        variance = (a * (1 - a) + (cases - 1) * (q1 - a * a) + (others - 1) * (q2 - a * a)) / cases / others
        ours = (logit(row["high"]) - logit(row["low"])) / 2 / 1.959964
        assert ours == pytest.approx(np.sqrt(variance) / (a * (1 - a)), rel=0.4)


def test_small_practices_are_left_out_and_counted(beside_maker):
    made = beside_maker(people=600, practices=8)
    practice = np.array(made.out_of_fold["practice"].to_pylist())
    small = practice == "Y99001"
    case = made.out_of_fold["case"].to_numpy().copy()
    case[small] = 0
    case[np.flatnonzero(small)[: FEWEST_IN_PRACTICE - 1]] = 1
    found = judge("x", made.changed(case=case, weight=np.ones(600)), capacity=made.capacity, bootstrap=20, seed=1,
                  groups=made.groups).practices["coded"]  # fmt: skip
    assert found["too_small"] >= 1
    assert "Y99001" not in {row["practice"] for row in found["auroc"]["each"]}
    assert len(found["auroc"]["each"]) + found["too_small"] == 8


def test_fewer_than_three_practices_have_no_summary(beside_maker):
    made = beside_maker(people=600, practices=2)
    found = judge("x", made.out_of_fold, capacity=made.capacity, bootstrap=20, seed=1, groups=made.groups)
    assert all(found.practices["coded"][measure]["summary"] is None for measure in MEASURES)
    assert len(found.practices["coded"]["auroc"]["each"]) == 2
    assert not any(name.startswith("practices") for name in found.numbers())
