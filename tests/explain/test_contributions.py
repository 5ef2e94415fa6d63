"""Contributions are Shapley values: a slow sum over all subsets of features, written from the definition, agrees."""

import itertools
import math

import lightgbm as lgb
import numpy as np
import pyarrow as pa
import pytest

from casefinding.explain.contributions import check_sum
from casefinding.learn.calibrate import Calibration
from casefinding.learn.scorer import Scorer


def grow(seed, rows=400, features=8, trees=1, depth=4, leaves=12):
    """A small booster on random data with gaps, counts and weights, and some rows to explain."""
    rng = np.random.default_rng(seed)
    number = int(rng.integers(2, features + 1))
    X = rng.normal(size=(rows, number))
    X[:, 0] = np.round(3 * np.abs(X[:, 0]))
    X[rng.random(X.shape) < 0.15 * (seed % 3)] = np.nan
    at = np.nan_to_num(X[:, 0]) - np.nan_to_num(X[:, -1], nan=0.7) - 1
    y = (rng.random(rows) < 1 / (1 + np.exp(-at))).astype(float)
    data = lgb.Dataset(X, y, weight=rng.uniform(0.5, 2, rows))
    given = {"objective": "binary", "num_leaves": leaves, "max_depth": depth, "min_data_in_leaf": 10, "verbose": -1,
             "num_threads": 1, "seed": seed, "learning_rate": 0.3, "feature_fraction": 0.9}  # fmt: skip
    return lgb.train(given, data, trees), X[rng.choice(rows, 4, replace=False)]


def asked(booster, X, slope=1.0, intercept=0.0):
    """Contributions, their base and the log-odds, by the way that a list takes: the bundle's scorer."""
    names = tuple(f"f{number}" for number in range(X.shape[1]))
    scorer = Scorer(names, booster, Calibration(slope, intercept))
    table = pa.table(dict(zip(names, X.T, strict=True)))
    adds, base = scorer.contributions(table)
    return adds, base, scorer.calibration.log_odds(scorer.raw(table))


def expectation(node, x, known):
    """A tree's value where only some features are known: other splits are averaged by their training rows."""
    if "leaf_value" in node:
        return node["leaf_value"]
    left, right = node["left_child"], node["right_child"]
    if node["split_feature"] in known:
        value = x[node["split_feature"]]
        if math.isnan(value) and node["missing_type"] != "NaN":
            value = 0.0
        goes_left = node["default_left"] if math.isnan(value) else value <= node["threshold"]
        return expectation(left if goes_left else right, x, known)
    rows = [child.get("internal_count", child.get("leaf_count")) for child in (left, right)]
    values = expectation(left, x, known), expectation(right, x, known)
    return (rows[0] * values[0] + rows[1] * values[1]) / sum(rows)


def shapley(booster, x):
    """The definition (Shapley 1953): each feature's mean gain over all orders in which features become known."""
    trees = [tree["tree_structure"] for tree in booster.dump_model()["tree_info"]]
    number = len(x)
    worth = {
        frozenset(known): sum(expectation(tree, x, frozenset(known)) for tree in trees)
        for size in range(number + 1)
        for known in itertools.combinations(range(number), size)
    }
    found = np.zeros(number)
    for feature in range(number):
        for known, value in worth.items():
            if feature not in known:
                share = math.factorial(len(known)) * math.factorial(number - len(known) - 1) / math.factorial(number)
                found[feature] += share * (worth[known | {feature}] - value)
    return found, worth[frozenset()]


@pytest.mark.parametrize("seed", range(50))
def test_contributions_are_shapley_values_by_brute_force(seed):
    booster, X = grow(seed, trees=1 + seed % 3, depth=3 + seed % 3, leaves=6 + seed % 8)
    adds, base, _ = asked(booster, X)
    for row, x in enumerate(X[:2]):
        slow, slow_base = shapley(booster, x)
        assert adds[row] == pytest.approx(slow, abs=1e-9)
        assert base == pytest.approx(slow_base, abs=1e-9)


def test_contributions_are_those_of_the_shap_library():
    """With its own code for trees; asked for a LightGBM model it would only call LightGBM again."""
    shap = pytest.importorskip("shap")
    booster, X = grow(7, rows=2000, trees=30, depth=5, leaves=20)
    explainer = shap.TreeExplainer(booster, feature_perturbation="tree_path_dependent")
    explainer.model.model_type = "internal"
    adds, _, _ = asked(booster, X)
    assert np.asarray(explainer.shap_values(X)) == pytest.approx(adds, abs=1e-6)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.83, -0.41), (1.7, 2.0)])
def test_they_add_up_to_the_calibrated_log_odds(slope, intercept):
    booster, _ = grow(3, rows=3000, trees=200, depth=6, leaves=31)
    X = np.random.default_rng(0).normal(size=(500, booster.num_feature()))
    X[::7] = np.nan
    adds, base, log_odds = asked(booster, X, slope, intercept)
    assert np.abs(base + adds.sum(axis=1) - log_odds).max() <= 1e-9
    check_sum(log_odds, adds, base)


def test_a_feature_that_no_tree_uses_adds_exactly_nothing():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 3))
    X[:, 1] = 1.0  # the same for everyone: no split can use it
    given = {"objective": "binary", "verbose": -1, "num_threads": 1, "seed": 1}
    booster = lgb.train(given, lgb.Dataset(X, X[:, 0] > 0), 5)
    adds, _, _ = asked(booster, X, 0.9, 0.1)
    assert (adds[:, 1] == 0).all()
    assert (adds[:, 0] != 0).any()
