"""Treatment gaps: who is asked about, who lacks it, and that nobody is asked about who should be left in peace."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding.definitions.clauses import Test as Compare
from casefinding.definitions.lock import lock
from casefinding.definitions.read import read_definitions
from casefinding.definitions.shapes import Definitions, LeaveOut
from casefinding.definitions.sign_off import awaiting_sign_off
from casefinding.rules.treatment_gaps import find_gap, gap_features, leaving_out, run_examples

ROOT = Path(__file__).parents[2]
STATES = ("never", "on register", "resolved")


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return read_definitions(ROOT)


def test_every_worked_example_comes_out_as_it_says(definitions):
    assert run_examples(definitions) == []
    assert sum(len(gap.examples) for gap in definitions.treatment_gaps) >= 6 * len(definitions.treatment_gaps)


def test_a_wrong_example_is_named_with_what_the_records_come_to(definitions):
    first = definitions.treatment_gaps[0]
    wrong = first.examples[0].model_copy(update={"gives": "no gap"})
    bent = first.model_copy(update={"examples": (wrong,)})
    (problem,) = run_examples(definitions.model_copy(update={"treatment_gaps": (bent,)}))
    assert f"treatment gap {first.name}, example 1" in problem.where
    assert "gives no gap, but the records come to: a gap" in problem.what


def test_the_gaps_that_were_asked_for_are_there(definitions):
    there = {gap.name: gap for gap in definitions.treatment_gaps}
    assert set(there) == {
        "anticoagulant_in_af", "blood_pressure_above_target", "blood_pressure_not_measured", "statin_at_high_risk",
    }  # fmt: skip
    score = there["anticoagulant_in_af"].score
    assert score is not None
    assert (score.name, score.at_least) == ("cha2ds2_vasc", 2)
    assert there["statin_at_high_risk"].on_register is None


def test_gaps_are_locked_and_await_sign_off(definitions):
    names = {gap.name for gap in definitions.treatment_gaps}
    assert set(lock(definitions)["treatment gaps"]) == names
    assert {row.name for row in awaiting_sign_off(definitions) if row.kind == "treatment gap"} == names


def test_whose_record_nobody_reviews_is_not_asked_about(definitions):
    for gap in definitions.treatment_gaps:
        out = {one.name for one in leaving_out(definitions, gap)}
        assert {"palliative", "opt_out"} <= out
        assert ("pregnant" in out) == (gap.on_register == "hypertension")


@settings(max_examples=60, derandomize=True, deadline=None)
@given(data=st.data())
def test_whatever_the_records_a_gap_is_only_of_people_who_are_due(definitions, data):
    gap = data.draw(st.sampled_from(definitions.treatment_gaps))
    rows = data.draw(st.integers(1, 8))
    value = st.one_of(st.just(float("nan")), st.sampled_from([0.0, 1.0, 2.0, 12.0, 79.0, 80.0, 95.0, 145.0, 190.0]))
    columns = {
        name: np.array(data.draw(st.lists(value, min_size=rows, max_size=rows)))
        for name in gap_features(definitions, gap)
    }
    states = np.array(data.draw(st.lists(st.sampled_from(STATES), min_size=rows, max_size=rows)), dtype=object)
    found = find_gap(definitions, gap, columns, dict.fromkeys(definitions.models, states))
    assert not (found.lacking & ~found.counted).any()
    assert not (found.first & ~found.lacking).any()
    assert not (found.counted & found.left_out).any()
    if gap.on_register is not None:
        assert not (found.counted & (states != "on register")).any()
    if found.score is not None:
        assert (found.score.values[found.counted] >= 2).all()
        assert np.isnan(found.score.values[found.unscored]).all()


def test_a_state_that_only_drops_from_invitations_hides_nobody(definitions):
    gap = definitions.treatment_gaps[0]
    state = LeaveOut(name="shy", label="x", when=Compare(feature="age", at_least=0), drop_from=("invite", "chance"))
    more = definitions.model_copy(update={"leave_outs": (*definitions.leave_outs, state)})
    assert leaving_out(more, gap) == leaving_out(definitions, gap)
