"""The learning curve rises with people, and lists learned again from much are more alike than from little."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learn_world import CONDITION, FEATURES, World, definitions, world

from casefinding.files import canonical_json
from casefinding.learn.columns import categories_of, constraints_of, read_columns
from casefinding.learn.stability import LISTED, learning_curve, listed, stability
from casefinding.learn.trees import Forest


def forest_of(made: World, trees: int = 40) -> tuple[Forest, np.ndarray, np.ndarray]:
    known = definitions(trees=trees, learning_rate=0.1)
    categories = categories_of(FEATURES, known)
    case = made.outcomes["outcome"].to_numpy(zero_copy_only=False) == "case"
    forest = Forest(
        read_columns(made.matrix, FEATURES, categories), case.astype(float), np.ones(len(case)), FEATURES, categories,
        constraints_of(FEATURES, known), known.models[CONDITION].learner, times=3, seed=7,
    )  # fmt: skip
    return forest, made.base["person"].to_numpy(), made.base["practice"].to_numpy(zero_copy_only=False).astype(str)


def test_the_curve_rises_and_its_intervals_are_told(planted: World) -> None:
    forest, person, practice = forest_of(planted)
    found = learning_curve(forest, person, practice, threads=2)
    points = found["points"]
    assert [one["share"] for one in points] == [0.1, 0.25, 0.5, 1.0]
    assert points[0]["people"] < points[1]["people"] < points[2]["people"] < points[3]["people"]
    assert points[0]["auroc"]["value"] < points[3]["auroc"]["value"]
    assert all(one["auroc"]["low"] < one["auroc"]["value"] < one["auroc"]["high"] for one in points)
    assert found["judged in"] == "practices not learned from"
    assert found["gained by the second half"]["value"] < 0.02
    assert canonical_json(found) == canonical_json(learning_curve(forest, person, practice, threads=1))


def test_soft_labels_and_rows_left_out_are_understood(planted: World) -> None:
    forest, person, practice = forest_of(planted, trees=20)
    soft = replace(forest, case=0.05 + 0.9 * forest.case)
    value = learning_curve(soft, person, practice, threads=2)["points"][-1]["auroc"]["value"]
    assert 0.55 < value < learning_curve(forest, person, practice, threads=2)["points"][-1]["auroc"]["value"]
    nobody = replace(forest, weight=np.where(person < 150, 1.0, 0.0), case=np.zeros(len(person)))
    found = learning_curve(nobody, person, practice)
    assert found["points"][-1]["auroc"] is None
    assert found["reads"] == "Too few cases for a curve."


def test_lists_learned_again_from_much_are_more_alike_than_from_little() -> None:
    made = world(8000)
    forest, person, practice = forest_of(made, trees=30)
    asked = person % 4 == 0
    asked &= np.arange(len(person)) % 3 == 2  # the last index day of a quarter of the people
    learn = person % 4 != 0
    places = {name: 10 for name in np.unique(practice)}

    def overlap(rows: np.ndarray) -> dict[str, float]:
        part = replace(forest, weight=np.where(rows, 1.0, 0.0))
        found = stability(part, person, forest.x[asked], practice[asked], places, times=4, threads=2)
        assert len(found["lists"]) == 2
        return found["lists"][f"{LISTED:.0%} of those who could be invited"]

    much, little = overlap(learn), overlap(learn & (person < 600))
    assert much["between pairs"]["mean"] > little["between pairs"]["mean"] + 0.1
    assert much["with the final list"]["mean"] > little["with the final list"]["mean"] + 0.1
    assert much["between pairs"]["least"] <= much["between pairs"]["mean"] <= much["between pairs"]["most"] <= 1
    assert much["between pairs"]["mean"] > 3 * much["by chance"]
    assert "Of 100 people listed" in much["reads"]


def test_stability_is_the_same_on_any_number_of_threads_and_knows_the_shipped_list() -> None:
    forest, person, practice = forest_of(world(1500), trees=10)
    last = np.arange(len(person)) % 3 == 2
    places = {"Y99001": 5}
    found = [
        stability(forest, person, forest.x[last], practice[last], places, times=3, threads=threads)
        for threads in (1, 2)
    ]
    assert canonical_json(found[0]) == canonical_json(found[1])
    assert found[0]["lists"]["the practices' places"]["people listed"] is None  # five people: not told
    shipped = forest.grow(np.arange(len(person))).predict(forest.x[last], raw_score=True)
    given_final = stability(forest, person, forest.x[last], practice[last], places, final=shipped, times=3)
    assert canonical_json(given_final) == canonical_json(found[0])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    scores=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=40),
    lengths=st.lists(st.integers(0, 12), min_size=4, max_size=4),
)
def test_a_list_holds_the_highest_scores_of_each_practice(scores: list[tuple[int, int]], lengths: list[int]) -> None:
    score, practice = (np.array(values) for values in zip(*scores, strict=True))
    on = listed(score.astype(float), practice, np.array(lengths))
    for number, length in enumerate(lengths):
        here = practice == number
        assert on[here].sum() == min(length, here.sum())
        if on[here].any() and not on[here].all():
            assert score[here & on].min() >= score[here & ~on].max()


def test_overlap_by_lot_is_what_lots_give() -> None:
    forest, person, practice = forest_of(world(1500), trees=1)
    last = np.arange(len(person)) % 3 == 2
    found = stability(
        forest, person, forest.x[last], practice[last], {}, final=np.random.default_rng(1).random(last.sum()), times=2
    )
    assert list(found["lists"]) == ["5% of those who could be invited"]
    only = found["lists"]["5% of those who could be invited"]
    assert only["with the final list"]["mean"] == pytest.approx(only["by chance"], abs=0.08)
