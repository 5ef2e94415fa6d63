"""What training promises: the planted truth is found, nothing else is, and how many threads does not matter."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from learn_world import CONDITION, DAYS, FEATURES, World, config, definitions, trained_on, world
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from casefinding.errors import LearnError
from casefinding.learn.calibrate import SMALLEST_SLOPE, fit_calibration, sigmoid
from casefinding.learn.fit import OUT_OF_FOLD, Trained
from casefinding.learn.trees import canonical_text


def judged(w: World, trained: Trained) -> dict[str, np.ndarray]:
    columns = {name: trained.out_of_fold[name].to_numpy() for name in OUT_OF_FOLD.names}
    last = w.base["index_day"].to_numpy() == DAYS[-1]
    assert (columns["person"] == w.base["person"].to_numpy()[last]).all()
    return columns | {"true": w.true_log_odds[last]}


@pytest.fixture(scope="module")
def large() -> tuple[World, dict[str, np.ndarray]]:
    w = world(14_000, seed=5)
    return w, judged(w, trained_on(w))


def test_planted_truth_is_found(large: tuple[World, dict[str, np.ndarray]]) -> None:
    _, rows = large
    best = roc_auc_score(rows["case"], rows["true"])
    assert roc_auc_score(rows["case"], rows["chance"]) > best - 0.02
    assert roc_auc_score(rows["case"], rows["chance_logistic"]) > best - 0.02
    assert roc_auc_score(rows["case"], rows["chance_age_sex"]) < best - 0.05


def test_chances_are_calibrated_in_unseen_practices(large: tuple[World, dict[str, np.ndarray]]) -> None:
    _, rows = large
    for name in ("chance", "chance_logistic", "chance_age_sex"):
        log_odds = np.log(rows[name] / (1 - rows[name]))
        slope = LogisticRegression(C=np.inf).fit(log_odds[:, None], rows["case"], rows["weight"]).coef_[0, 0]
        assert 0.9 <= slope <= 1.1, name
        expected, seen = (np.average(rows[part], weights=rows["weight"]) for part in (name, "case"))
        assert abs(expected / seen - 1) < 0.06, name


def test_shuffled_labels_teach_nothing() -> None:
    w = world(8000, shuffled=True, seed=9)
    rows = judged(w, trained_on(w))
    for name in ("chance", "chance_age_sex", "chance_logistic"):
        assert abs(roc_auc_score(rows["case"], rows[name]) - 0.5) < 0.03, name


def test_only_the_last_day_is_judged_and_each_row_once(planted: World, trained: Trained) -> None:
    rows = trained.out_of_fold
    assert rows.schema.equals(OUT_OF_FOLD)
    assert set(rows["index_day"].to_pylist()) == {DAYS[-1].astype(object)}
    assert rows.num_rows == len(set(rows["person"].to_pylist())) == planted.base.num_rows // len(DAYS)
    assert rows["person"].to_numpy().tolist() == sorted(rows["person"].to_numpy().tolist())


def test_a_model_never_sees_the_practices_or_the_day_it_is_judged_on() -> None:
    """A column that names the practice's secret outcome rate helps only who has seen that practice."""
    w = world(3000, practices=3, seed=2)
    secret = w.outcomes["outcome"].to_numpy(zero_copy_only=False) == "case"
    other = world(3000, practices=3, seed=2)
    turned = other.outcomes["outcome"].to_numpy(zero_copy_only=False) == "case"
    last = w.base["index_day"].to_numpy() == DAYS[-1]
    turned[last] = ~turned[last]  # all outcomes of the judged day change: no judged prediction may
    other.outcomes = other.outcomes.set_column(2, "outcome", pa.array(np.where(turned, "case", "control")))
    defs = definitions(trees=30)
    first, second = trained_on(w, defs).out_of_fold, trained_on(other, defs).out_of_fold
    assert secret.sum() != turned.sum()
    for name in ("raw", "chance", "chance_age_sex", "chance_logistic"):
        assert first[name].equals(second[name]), name
    # and of a practice's own outcomes on the earlier days, none reaches its trees or its yardsticks
    own = (w.base["practice"].to_numpy(zero_copy_only=False) == "Y99001") & ~last
    changed = np.where(own, ~secret, secret)
    other.outcomes = other.outcomes.set_column(2, "outcome", pa.array(np.where(changed, "case", "control")))
    third = trained_on(other, defs).out_of_fold
    there = first["practice"].to_numpy(zero_copy_only=False) == "Y99001"
    for name in ("raw", "chance_age_sex", "chance_logistic"):
        assert (first[name].to_numpy()[there] == third[name].to_numpy()[there]).all(), name
        assert (first[name].to_numpy()[~there] != third[name].to_numpy()[~there]).any(), name


def test_rows_that_are_not_usable_change_nothing(planted: World) -> None:
    w = planted.rows(planted.base["person"].to_numpy() < 2000)
    defs, mask = definitions(trees=20), w.base["person"].to_numpy() % 5 != 0
    kept = trained_on(w.rows(mask), defs)
    masked = trained_on(w, defs, usable=mask)
    kinds = np.where(mask, w.outcomes["outcome"].to_numpy(zero_copy_only=False), "censored")
    left = World(w.matrix, w.base, w.outcomes.set_column(2, "outcome", pa.array(kinds)), w.true_log_odds)
    assert kept.text == masked.text == trained_on(left, defs).text
    assert kept.out_of_fold.equals(masked.out_of_fold)


def test_same_text_and_predictions_on_one_thread_and_on_four(planted: World) -> None:
    w = planted.rows(planted.base["person"].to_numpy() < 2000)
    defs = definitions(trees=40)
    one, four, many = (trained_on(w, defs, config(threads=number)) for number in (1, 4, 16))
    assert one.text == four.text == many.text
    assert one.out_of_fold.equals(four.out_of_fold)
    assert one.model.calibration == four.model.calibration
    assert one.importance.equals(four.importance)


def test_progress_ends_at_its_total(planted: World) -> None:
    told: list[tuple[int, int]] = []
    w = planted.rows(planted.base["person"].to_numpy() < 1000)
    trained_on(w, definitions(trees=10), progress=lambda done, total: told.append((done, total)))
    assert told == [(n, 40) for n in range(1, 41)]


def test_an_interrupted_training_stops_at_once(planted: World) -> None:
    told: list[int] = []

    def interrupt(done: int, total: int) -> None:
        told.append(done)
        if done >= 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained_on(planted.rows(planted.base["person"].to_numpy() < 1000), definitions(trees=500), progress=interrupt)
    assert len(told) < 30


def test_heavy_libraries_are_not_imported_before_they_are_used() -> None:
    code = (
        "import sys, casefinding.learn.fit, casefinding.learn.bundle, casefinding.learn.track\n"
        "print(sorted({'mlflow', 'lightgbm', 'sklearn', 'pandas', 'duckdb', 'numba'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_directions_are_kept_everywhere(trained: Trained, planted: World) -> None:
    """trust.md 12: 0 violations on a grid, around many people."""
    x = trained.model.numbers(planted.matrix)
    people = x[np.random.default_rng(3).choice(len(x), 300, replace=False)]
    for feature, sign in zip(FEATURES, trained.constraints, strict=True):
        if sign == 0:
            continue
        place = FEATURES.index(feature)
        grid = np.quantile(x[:, place], np.linspace(0, 1, 15))
        tables = []
        for value in grid:
            row = people.copy()
            row[:, place] = value
            tables.append(trained.model.raw_of(row))
        steps = sign * np.diff(np.stack(tables), axis=0)
        assert steps.min() >= 0
        assert steps.max() > 0


def test_every_leaf_rests_on_ten_people(trained: Trained, planted: World) -> None:
    """Counted by leaf from the data itself, not as LightGBM says: its own setting is an estimate."""
    x, person = trained.model.numbers(planted.matrix), planted.base["person"].to_numpy()
    leaves = trained.model.booster.predict(x, pred_leaf=True)
    for tree in leaves.T:
        for leaf in np.unique(tree):
            rows = tree == leaf
            assert rows.sum() >= 40
            assert len(np.unique(person[rows])) >= 10


def test_the_leaf_guard_is_needed() -> None:
    """LightGBM alone breaks its own smallest leaf where the chance is high in a small group."""
    import lightgbm as lgb

    from casefinding.definitions.shapes import Learner
    from casefinding.learn.trees import Forest, smallest_leaf

    rng = np.random.default_rng(0)
    x = rng.normal(size=(20_000, 6))
    case = (rng.random(20_000) < sigmoid(-6 + 2.5 * x[:, 0] + 2 * x[:, 1])).astype(float)
    forest = Forest(x, case, np.ones(20_000), [f"f{i}" for i in range(6)], {}, [0] * 6, Learner(smallest_leaf=40))
    guarded = forest.grow(np.arange(20_000))
    assert min(smallest_leaf(guarded, k) for k in range(guarded.current_iteration())) >= 40
    bare = lgb.train(forest.settings(1), lgb.Dataset(x, case, params=forest.settings(1)), 200)
    assert min(smallest_leaf(bare, k) for k in range(200)) < 40


def test_the_text_tells_nothing_of_extreme_people(trained: Trained) -> None:
    assert "[" not in trained.text.split("Tree=0")[0]
    assert "parameters" not in trained.text
    assert "num_threads" not in trained.text
    assert "pandas_categorical:null" in trained.text
    assert canonical_text(trained.model.booster) == trained.text


def refusal(w: World, **more: object) -> str:
    with pytest.raises(LearnError) as caught:
        trained_on(w, **more)
    return str(caught.value)


def test_too_little_to_learn_from_is_said_with_counts(planted: World) -> None:
    w = planted.rows(planted.base["person"].to_numpy() < 300)
    none = World(
        w.matrix, w.base, w.outcomes.set_column(2, "outcome", pa.array(["control"] * w.base.num_rows)), w.true_log_odds
    )
    assert "0 cases among 900 rows, and 50 are needed" in refusal(none)
    every = w.outcomes.set_column(2, "outcome", pa.array(["case"] * w.base.num_rows))
    assert "0 rows without the disease among 900" in refusal(World(w.matrix, w.base, every, w.true_log_odds))
    assert "nobody can be learned from" in refusal(w, usable=np.zeros(900, dtype=bool))
    assert "Hint:" in refusal(none)
    assert CONDITION in refusal(none)


def test_cases_in_one_group_of_practices_only_is_refused(planted: World) -> None:
    w = planted.rows(planted.base["person"].to_numpy() < 2000)
    at = w.base["practice"].to_numpy(zero_copy_only=False)
    kinds = np.where(at == "Y99001", w.outcomes["outcome"].to_numpy(zero_copy_only=False), "control")
    alone = World(w.matrix, w.base, w.outcomes.set_column(2, "outcome", pa.array(kinds)), w.true_log_odds)
    assert "would be judged by a model of 0 cases" in refusal(alone)


def test_misaligned_tables_are_refused(planted: World) -> None:
    w = planted.rows(planted.base["person"].to_numpy() < 300)
    with pytest.raises(LearnError, match="same people and days"):
        trained_on(World(w.matrix, w.base.slice(1), w.outcomes, w.true_log_odds))
    turned = w.outcomes.take(pa.array(np.arange(w.base.num_rows)[::-1]))
    with pytest.raises(LearnError, match="same people and days"):
        trained_on(World(w.matrix, w.base, turned, w.true_log_odds))


def test_one_index_day_is_split_by_practice_alone(planted: World) -> None:
    w = planted.rows(planted.base["index_day"].to_numpy() == DAYS[-1])
    trained = trained_on(w, definitions(trees=20), config(times=1))
    assert not trained.by_time
    assert trained.out_of_fold.num_rows == w.base.num_rows
    assert np.isfinite(trained.out_of_fold["chance"].to_numpy()).all()


def test_a_map_never_turns_the_order_round() -> None:
    rng = np.random.default_rng(1)
    raw = rng.normal(size=4000)
    backwards = (rng.random(4000) < sigmoid(-raw)).astype(float)
    fitted = fit_calibration(raw, backwards, np.ones(4000))
    assert fitted.slope == pytest.approx(SMALLEST_SLOPE)
    assert fitted.chance(raw).mean() == pytest.approx(backwards.mean(), abs=1e-6)


def test_the_map_is_the_weighted_logistic_regression() -> None:
    rng = np.random.default_rng(2)
    raw, weight = rng.normal(2, 3, 3000), rng.uniform(0.5, 2, 3000)
    case = (rng.random(3000) < sigmoid(0.7 * raw - 2)).astype(float)
    ours = fit_calibration(raw, case, weight)
    theirs = LogisticRegression(C=np.inf, tol=1e-10, solver="newton-cholesky").fit(raw[:, None], case, weight)
    assert ours.slope == pytest.approx(theirs.coef_[0, 0], rel=1e-5)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], rel=1e-5)


def test_one_outcome_only_cannot_be_calibrated() -> None:
    with pytest.raises(LearnError, match="same outcome"):
        fit_calibration(np.arange(5.0), np.zeros(5), np.ones(5))
