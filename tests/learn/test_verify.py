"""Who was looked at, what was found, and the weights that let them speak for everyone."""

from __future__ import annotations

import numpy as np
import pytest

from casefinding.definitions.evidence import Verification
from casefinding.errors import LearnError
from casefinding.learn.verify import LARGEST_WEIGHT, check_overlap, evidence_of, verification_weights

NAN = np.nan
VERIFICATION = Verification.model_validate(
    {
        "label": "a weight",
        "when": {"feature": "weighings", "is": "present"},
        "found": {"feature": "heavy_days", "at least": 2},
        "graded": [
            [{"feature": "at_home", "at least": 95, "give or take": 5}],
            [
                {"feature": "in_practice", "at least": 100, "give or take": 10},
                {"feature": "girth", "at least": 90, "give or take": 10},
            ],
        ],
        "source": "made up",
    }
)


def columns(**given: list[float]) -> dict[str, np.ndarray]:
    rows = len(next(iter(given.values())))
    names = ("weighings", "heavy_days", "at_home", "in_practice", "girth")
    return {name: np.array(given.get(name, [NAN] * rows), dtype=float) for name in names}


def test_the_first_group_with_a_value_speaks_by_what_tells_most() -> None:
    evidence = evidence_of(
        VERIFICATION,
        columns(
            weighings=[1, 1, 1, 1],
            at_home=[95, NAN, NAN, 100],
            in_practice=[130, 100, 90, 60],
            girth=[NAN, 80, 100, 60],
        ),
        np.zeros(4, dtype=bool),
    )
    assert evidence.chance == pytest.approx([0.5, 0.5, 0.8413, 0.8413], abs=1e-4)
    assert evidence.verified.all()
    assert not evidence.found.any()


def test_whoever_was_not_looked_at_or_has_no_result_teaches_nothing() -> None:
    evidence = evidence_of(
        VERIFICATION, columns(weighings=[0, NAN, 1], in_practice=[120, 120, NAN]), np.zeros(3, dtype=bool)
    )
    assert not evidence.verified.any()
    assert np.isnan(evidence.chance).all()


def test_a_code_counts_as_found_whoever_was_looked_at() -> None:
    evidence = evidence_of(VERIFICATION, columns(weighings=[0, 1], in_practice=[NAN, 70]), np.array([True, True]))
    assert evidence.chance.tolist() == [1.0, 1.0]
    assert evidence.found.all()
    assert evidence.verified.tolist() == [False, True]


def test_found_without_a_graded_value_is_certain_and_with_one_the_value_speaks() -> None:
    evidence = evidence_of(
        VERIFICATION, columns(weighings=[2, 2], heavy_days=[2, 2], in_practice=[NAN, 100]), np.zeros(2, dtype=bool)
    )
    assert evidence.found.all()
    assert evidence.chance == pytest.approx([1.0, 0.5])


def test_without_graded_values_looked_at_and_not_found_is_no() -> None:
    plain = VERIFICATION.model_copy(update={"graded": ()})
    evidence = evidence_of(plain, columns(weighings=[1, 1, 0], heavy_days=[2, 0, 3]), np.zeros(3, dtype=bool))
    assert evidence.chance[:2].tolist() == [1.0, 0.0]
    assert np.isnan(evidence.chance[2])


def test_weights_give_back_the_mean_of_everyone_where_looking_depends_on_the_record() -> None:
    rng = np.random.default_rng(3)
    risk = rng.random(200_000)
    looked = rng.random(risk.size) < 0.1 + 0.6 * risk
    weight, overlap = verification_weights(0.1 + 0.6 * risk, looked)
    assert np.average(risk[looked]) > 0.58
    assert np.average(risk[looked], weights=weight[looked]) == pytest.approx(0.5, abs=0.005)
    assert (weight[~looked] == 0).all()
    assert 0 < overlap.effective < looked.sum()
    assert not overlap.why_not


def test_no_weight_is_larger_than_said() -> None:
    looked = np.arange(1000) % 2 == 0
    weight, overlap = verification_weights(np.where(np.arange(1000) < 20, 1e-6, 0.5), looked)
    assert weight.max() == LARGEST_WEIGHT
    assert overlap.truncated == pytest.approx(10 / 500)


def test_weights_are_refused_where_the_verified_cannot_speak_for_the_rest() -> None:
    looked = np.zeros(1000, dtype=bool)
    looked[:100] = True
    _, overlap = verification_weights(np.where(looked, 0.9, 0.001), looked)
    assert "less likely to be looked at" in overlap.why_not
    with pytest.raises(LearnError, match="no weighted model of lungs"):
        check_overlap(overlap, "lungs")


def test_nobody_and_everybody_looked_at_have_weights_of_their_own() -> None:
    chance = np.full(10, 0.5)
    weight, overlap = verification_weights(chance, np.zeros(10, dtype=bool))
    assert not weight.any()
    assert overlap.why_not.startswith("nobody was looked at")
    weight, overlap = verification_weights(chance, np.ones(10, dtype=bool))
    assert (weight == 1).all()
    assert not overlap.why_not
