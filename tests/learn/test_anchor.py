"""The anchor changes how high chances are, within its bound, and never who comes before whom."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding.definitions.shapes import Expected
from casefinding.explain.contributions import check_sum
from casefinding.learn.anchor import Anchor, anchor
from casefinding.learn.calibrate import sigmoid


def published(**more) -> Expected:
    bands = [{"ages": [16, 44], "women": 4, "men": 8}, {"ages": [45, 120], "women": 30, "men": 40}]
    return Expected.model_validate({"bands": bands, "source": "made up", **more})


def people(n: int, seed: int = 0) -> pa.Table:
    lot = np.random.default_rng(seed)
    return pa.table(
        {
            "age": pa.array(lot.integers(0, 95, n), pa.int16()),
            "sex": pa.array(lot.choice(["female", "male", "unknown"], n, p=[0.5, 0.45, 0.05])),
            "ethnicity": pa.array(lot.choice(["white", "black"], n)),
            "imd_decile": pa.array(lot.integers(1, 11, n), pa.int8()),
        }
    )


def held(
    base: pa.Table, level: float, register: float = 0.1, seed: int = 0, apply: bool = True, **more
) -> tuple[Anchor, np.ndarray]:
    lot = np.random.default_rng(seed)
    adult = base["age"].to_numpy() >= 16
    on = adult & (lot.random(base.num_rows) < register)
    log_odds = np.where(adult & ~on, lot.normal(level, 1.5, base.num_rows), np.nan)
    return anchor(published(**more), base, on, log_odds, apply=apply), log_odds


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 400), st.floats(-6, 3), st.floats(0, 0.6), st.floats(1, 8), st.integers(0, 5))
def test_it_never_reorders_and_keeps_to_its_bound(n, level, register, at_most, seed):
    found, log_odds = held(people(n, seed), level, register, seed, at_most=at_most)
    assert abs(found.shift) <= np.log(at_most) + 1e-12
    asked = ~np.isnan(log_odds)
    order = np.argsort(log_odds[asked], kind="stable")
    assert (np.diff(sigmoid(log_odds[asked] + found.shift)[order]) >= 0).all()


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 400), st.floats(-4, 2), st.floats(0, 0.5), st.integers(0, 5))
def test_the_sum_meets_what_is_expected_where_the_bound_does_not_bind(n, level, register, seed):
    found, log_odds = held(people(n, seed), level, register, seed, at_most=1e6)
    asked = ~np.isnan(log_odds)
    if found.held or found.expected_eligible == 0 or not asked.any():
        return
    assert sigmoid(log_odds[asked] + found.shift).sum() == pytest.approx(found.expected_eligible, rel=1e-9)


def test_where_the_bound_binds_it_says_so_and_goes_the_right_way():
    base = people(2000)
    low, _ = held(base, -6.0, at_most=2)
    high, _ = held(base, 3.0, at_most=2)
    assert low.held
    assert high.held
    assert low.shift == pytest.approx(np.log(2))
    assert high.shift == pytest.approx(-np.log(2))


def test_expected_is_prevalence_less_the_register_by_what_a_test_confirms_for_the_eligible():
    base = pa.table(
        {
            "age": pa.array([50] * 100, pa.int16()), "sex": ["female"] * 100, "ethnicity": ["white"] * 100,
            "imd_decile": pa.array([5] * 100, pa.int8()),
        }
    )  # fmt: skip
    on = np.arange(100) < 10
    log_odds = np.where(np.arange(100) >= 55, -1.0, np.nan)  # 45 of the 90 not on the register
    found = anchor(published(confirmable=0.6), base, on, log_odds, apply=True)
    (band,) = found.bands
    assert (band.registered, band.on_register, band.eligible) == (100, 10, 45)
    assert band.expected == pytest.approx(30)
    assert band.to_find == pytest.approx(12)
    assert band.expected_eligible == pytest.approx(6)
    assert band.chances == pytest.approx(45 * sigmoid(np.array([-1.0]))[0])


def test_a_register_above_what_is_published_leaves_nothing_to_find_and_no_shift():
    found, _ = held(people(500), -2.0, register=0.9)
    assert all(band.to_find >= 0 for band in found.bands)
    full = anchor(published(), people(50), np.ones(50, bool), np.full(50, np.nan), apply=True)
    assert (full.shift, full.held, full.expected_eligible) == (0.0, False, 0.0)


def test_chances_of_being_coded_are_shown_and_never_moved():
    base = people(300)
    log_odds = np.where(base["age"].to_numpy() >= 16, -3.0, np.nan)
    found = anchor(published(), base, np.zeros(300, bool), log_odds, apply=True, of_testing=False)
    assert not found.applied
    assert found.shift != 0


def test_not_asked_for_it_is_shown_and_not_applied():
    assert not held(people(300), -3.0, apply=False)[0].applied
    assert held(people(300), -3.0, apply=True)[0].applied


def test_what_is_published_is_rounded_and_its_ratio_rests_on_rounded_numbers():
    found, _ = held(people(60), -2.0)
    shown = found.published()
    for row in (*shown["bands"], shown["all"]):
        counts = [row[name] for name in ("registered", "on register", "eligible", "expected", "to find", "chances")]
        assert all(count is None or count == 0 or (count >= 10 and count % 5 == 0) for count in counts)
        if row["ratio"] is not None:
            assert row["ratio"] == round(row["chances"] / row["expected eligible"], 2)
    assert shown["all"]["registered"] <= 60


def test_contributions_still_add_up_to_the_anchored_chance(planted, bundle):
    """The shift belongs to the base: no feature's contribution changes, and the sum is the anchored log-odds."""
    table = planted.matrix.slice(0, 300)
    contributions, start = bundle.contributions(table)
    raw = bundle.raw(table)
    for shift in (-0.69, 0.0, 0.4):
        log_odds = bundle.calibration.log_odds(raw) + shift
        check_sum(log_odds, contributions, start + shift)
        assert np.allclose(sigmoid(contributions.sum(axis=1) + start + shift), sigmoid(log_odds), rtol=1e-12, atol=0)


def test_no_shift_leaves_every_bit_of_a_chance_as_it_was(planted, bundle):
    table = planted.matrix.slice(0, 300)
    assert (sigmoid(bundle.calibration.log_odds(bundle.raw(table)) + 0.0) == bundle.chance(table)).all()
