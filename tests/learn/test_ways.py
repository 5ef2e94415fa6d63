"""Four ways of learning from one world, in which a practice notices some of the ill and measures some of the people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from learn_world import CONDITION, DAYS, World, config, definitions, world

from casefinding.definitions.shapes import Definitions
from casefinding.errors import LearnError
from casefinding.learn.calibrate import fit_calibration, sigmoid
from casefinding.learn.fit import Trained, train
from casefinding.learn.trees import Forest, blended
from casefinding.learn.verify import Evidence, verification_weights
from casefinding.learn.ways import SHARPEST, map_to_chance, ways_of


def graded(known: Definitions, learn_from: str = "graded") -> Definitions:
    """The world's condition with a verification (evidence is handed over ready) and visits as attendance."""
    verification = {"label": "a test", "when": {"feature": "visits", "is": "present"}, "source": "made up"}
    changed = known.models[CONDITION].model_dump(by_alias=True) | {
        "verification": verification, "learn from": learn_from, "attendance": ["visits"],
    }  # fmt: skip
    model = type(known.models[CONDITION]).model_validate(changed)
    visits = known.features["visits"].model_copy(update={"higher_means": None})  # frequent attenders may look ill
    return known.model_copy(update={"models": {CONDITION: model}, "features": {**known.features, "visits": visits}})


def noticed(people: int = 6000, seed: int = 5, looked_share: float = 0.4) -> tuple[World, Evidence, np.ndarray]:
    """A world where only those who come often are coded, and a part of everybody is tested: evidence with scatter."""
    made = world(people, seed=seed)
    rng = np.random.default_rng(seed)
    visits = made.matrix["visits"].to_numpy()
    usual = made.true_log_odds + rng.logistic(size=len(visits))
    ill = usual > 0
    coded = ill & (rng.random(len(visits)) < np.clip(0.12 * visits, 0, 0.9))
    looked = rng.random(len(visits)) < np.clip(looked_share * (0.4 + 0.2 * visits), 0.02, 0.95)
    distance = usual + rng.normal(0, 1, len(visits))
    from scipy.special import ndtr

    chance = np.where(looked, ndtr(distance), np.nan)
    chance[coded] = 1.0
    outcome = np.where(coded, "case", "control")
    outcomes = made.outcomes.set_column(
        made.outcomes.schema.get_field_index("outcome"), "outcome", pa.array(outcome.tolist())
    )
    return replace(made, outcomes=outcomes), Evidence(looked, (looked & (distance > 0)) | coded, chance), ill


@pytest.fixture(scope="module")
def learned() -> tuple[Trained, World, np.ndarray]:
    made, evidence, ill = noticed()
    return (
        train(CONDITION, graded(definitions()), made.matrix, made.base, made.outcomes, config(), evidence=evidence),
        made,
        ill,
    )


def truth_of(trained: Trained, made: World, ill: np.ndarray) -> np.ndarray:
    last = made.matrix["index_day"].to_numpy().astype("datetime64[D]") == DAYS[-1]
    where = dict(zip(made.matrix["person"].to_numpy()[last], ill[last], strict=True))
    return np.array([where[person] for person in trained.out_of_fold["person"].to_numpy()])


def test_every_way_is_reported_beside_the_one_that_ships(learned: tuple[Trained, World, np.ndarray]) -> None:
    trained, _, _ = learned
    assert trained.learned_from == "graded"
    assert set(trained.ways) == {"coded", "verified", "verified and weighted", "graded"}
    table = trained.out_of_fold
    assert table["chance"].equals(table["chance_graded"])
    for name in ("chance_coded", "chance_verified", "chance_verified_weighted"):
        assert table[name].null_count == 0
    overlap = trained.ways["verified and weighted"]["overlap"]
    assert overlap["verified"] <= overlap["eligible"]
    assert overlap["effective"] <= overlap["verified"] + 1e-6


def test_graded_evidence_finds_more_of_the_ill_than_codes_and_of_those_who_seldom_come(
    learned: tuple[Trained, World, np.ndarray],
) -> None:
    trained, made, ill = learned
    truth, table = truth_of(trained, made, ill), trained.out_of_fold
    last = made.matrix["index_day"].to_numpy().astype("datetime64[D]") == DAYS[-1]
    by_person = dict(zip(made.matrix["person"].to_numpy()[last], made.matrix["visits"].to_numpy()[last], strict=True))
    seldom = np.array([by_person[person] for person in table["person"].to_numpy()]) <= 1
    listed = {}
    for way in ("graded", "coded"):
        chance = table[f"chance_{way}"].to_numpy()
        on_list = chance >= np.quantile(chance, 0.9)
        listed[way] = on_list[truth].mean(), on_list[truth & seldom].mean()
    assert listed["graded"][0] > listed["coded"][0]
    assert listed["graded"][1] > 1.5 * listed["coded"][1]


def test_the_chance_is_that_of_being_ill_though_every_test_scatters(learned: tuple[Trained, World, np.ndarray]) -> None:
    trained, made, ill = learned
    truth, chance = truth_of(trained, made, ill).astype(float), trained.out_of_fold["chance"].to_numpy()
    slope = fit_calibration(np.log(chance / (1 - chance)), truth, np.ones(len(truth))).slope
    assert 0.85 < slope < 1.15
    assert abs(chance.mean() - truth.mean()) < 0.03


def test_the_coded_part_cannot_see_how_often_somebody_comes() -> None:
    rng = np.random.default_rng(0)
    x, case = rng.normal(size=(400, 3)), (rng.random(400) < 0.3).astype(float)
    forest = Forest(x, case, np.ones(400), ("a", "b", "visits"), {}, [0, 0, 0], definitions().models[CONDITION].learner)
    looked = rng.random(400) < 0.5
    evidence = Evidence(looked, looked & (case > 0), np.where(looked, case, np.nan))
    weights = verification_weights(np.full(400, 0.5), looked)
    beside = ways_of(forest, case, np.ones(400, dtype=bool), np.ones(400), evidence, weights, [2])["graded"].forests[1]
    assert np.isnan(beside.x[:, 2]).all()
    assert not np.isnan(beside.x[:, :2]).any()
    assert not np.isnan(x).any()


def test_a_way_that_cannot_be_learned_says_why_and_takes_nothing_else_down() -> None:
    made, evidence, _ = noticed()
    nobody_coded = made.outcomes.set_column(
        made.outcomes.schema.get_field_index("outcome"), "outcome", pa.array(["control"] * made.outcomes.num_rows)
    )
    without = replace(evidence, found=np.zeros_like(evidence.found))
    trained = train(CONDITION, graded(definitions()), made.matrix, made.base, nobody_coded, config(), evidence=without)
    assert "0 cases among" in trained.ways["coded"]["why not"]
    assert "0 cases among" in trained.ways["verified"]["why not"]
    assert trained.out_of_fold["chance_coded"].null_count == trained.out_of_fold.num_rows
    assert trained.out_of_fold["chance"].null_count == 0


def test_nobody_verified_is_refused_with_the_count() -> None:
    made, evidence, _ = noticed(2000)
    nobody = Evidence(
        np.zeros_like(evidence.verified), np.zeros_like(evidence.found), np.full(len(evidence.chance), np.nan)
    )
    with pytest.raises(LearnError, match="nobody was looked at"):
        train(CONDITION, graded(definitions()), made.matrix, made.base, made.outcomes, config(), evidence=nobody)


def test_weights_without_overlap_are_refused_where_they_were_chosen() -> None:
    made, evidence, _ = noticed()
    old = made.matrix["age"].to_numpy() > 75
    few = Evidence(evidence.verified & old, evidence.found, np.where(old, evidence.chance, np.nan))
    chosen = graded(definitions(), "verified and weighted")
    with pytest.raises(LearnError, match="no weighted model"):
        train(CONDITION, chosen, made.matrix, made.base, made.outcomes, config(), evidence=few)


def test_one_practice_is_judged_on_unseen_people_and_says_so() -> None:
    made, evidence, _ = noticed(3000)
    alone = made.base.set_column(
        made.base.schema.get_field_index("practice"), "practice", pa.array(["Y99001"] * made.base.num_rows)
    )
    trained = train(CONDITION, graded(definitions()), made.matrix, alone, made.outcomes, config(), evidence=evidence)
    assert not trained.by_practice
    assert trained.folds == 3


def test_earlier_days_with_nothing_to_teach_do_not_stop_the_last_one() -> None:
    made, evidence, _ = noticed()
    last = made.matrix["index_day"].to_numpy().astype("datetime64[D]") == DAYS[-1]
    only_last = Evidence(evidence.verified & last, evidence.found & last, np.where(last, evidence.chance, np.nan))
    outcomes = made.outcomes.set_column(
        made.outcomes.schema.get_field_index("outcome"), "outcome", pa.array(["control"] * made.outcomes.num_rows)
    )
    trained = train(CONDITION, graded(definitions()), made.matrix, made.base, outcomes, config(), evidence=only_last)
    assert not trained.by_time


def test_a_map_to_chance_sharpens_by_what_one_test_scatters_and_no_further() -> None:
    rng = np.random.default_rng(1)
    raw = rng.normal(0, 1, 40_000)
    usual = 0.8 * raw + rng.normal(0, 0.7, raw.size)
    from scipy.special import ndtr

    label = ndtr(usual + rng.normal(0, 1, raw.size))
    chance = map_to_chance(raw, label, np.ones(raw.size)).chance(raw)
    slope = fit_calibration(np.log(chance / (1 - chance)), (usual > 0).astype(float), np.ones(raw.size)).slope
    assert 0.9 < slope < 1.1
    only_scatter = ndtr(rng.normal(0, 1, raw.size))
    plain = fit_calibration(raw, (only_scatter >= 0.5).astype(float), np.ones(raw.size))
    assert abs(map_to_chance(raw, only_scatter, np.ones(raw.size)).slope) <= SHARPEST * abs(plain.slope) + 1e-9


def test_blended_trees_add_up_in_scores_and_in_contributions() -> None:
    import lightgbm as lgb

    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 4))
    x[rng.random(x.shape) < 0.1] = np.nan
    settings = {"objective": "cross_entropy", "verbosity": -1, "num_threads": 1}
    first = lgb.train(settings, lgb.Dataset(x, label=sigmoid(np.nan_to_num(x[:, 0]))), 20)
    second = lgb.train({**settings, "num_leaves": 4}, lgb.Dataset(x, label=sigmoid(-np.nan_to_num(x[:, 1]))), 10)
    both = blended([(first, 1.0), (second, 0.25)])
    for ask in ({"raw_score": True}, {"pred_contrib": True}):
        parts = [np.asarray(one.predict(x, **ask)) for one in (first, second)]
        assert np.abs(np.asarray(both.predict(x, **ask)) - parts[0] - 0.25 * parts[1]).max() < 1e-12
