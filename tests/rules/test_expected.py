"""Published prevalence, person by person: means as published, nobody last for want of an entry."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from casefinding.definitions.shapes import Expected
from casefinding.rules.expected import (
    FEWEST_TO_SCALE,
    HIGHEST,
    band_of,
    band_words,
    expected_chance,
    sex_of,
    still_to_find,
)

ETHNICITIES = ("unknown", "white", "mixed", "asian", "black", "other")


def published(**more) -> Expected:
    return Expected.model_validate(
        {
            "bands": [
                {"ages": [16, 44], "women": 2, "men": 6},
                {"ages": [45, 64], "women": 30, "men": 40},
                {"ages": [65, 120], "women": 60, "men": 70},
            ],
            "ethnicity_times": {"black": 1.75, "asian": 0.5},
            "deprivation_times": {"1": 1.3, "2": 1.2},
            "source": "made up",
            **more,
        }
    )


def people(rows) -> pa.Table:
    age, sex, ethnicity, tenth = zip(*rows, strict=True) if rows else ((), (), (), ())
    return pa.table(
        {
            "age": pa.array(age, pa.int16()),
            "sex": pa.array(sex, pa.string()),
            "ethnicity": pa.array(ethnicity, pa.string()),
            "imd_decile": pa.array(tenth, pa.int8()),
        }
    )


one_person = st.tuples(
    st.none() | st.integers(0, 110),
    st.sampled_from(["female", "male", "unknown", None]),
    st.sampled_from([*ETHNICITIES, None]),
    st.none() | st.integers(1, 10),
)


@settings(deadline=None, max_examples=200)
@given(st.lists(one_person, min_size=1, max_size=30), st.integers(1, 20))
def test_everybody_has_a_chance_between_none_and_the_highest(rows, copies):
    chance = expected_chance(published(), people(rows * copies))
    assert chance.dtype == np.float64
    assert ((chance >= 0) & (chance <= HIGHEST)).all()


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from([(30, "female", 0.02), (30, "male", 0.06), (50, "male", 0.4), (80, "male", 0.7), (80, None, 0.65)]),
    st.lists(st.tuples(st.sampled_from(ETHNICITIES), st.none() | st.integers(1, 10)), min_size=1, max_size=20),
)
def test_a_band_has_on_average_what_was_published_for_it_whatever_its_mix(group, mix):
    age, sex, mean = group
    chance = expected_chance(published(), people([(age, sex, *one) for one in mix] * FEWEST_TO_SCALE))
    assert chance.mean() == pytest.approx(mean, rel=1e-9)


@settings(deadline=None, max_examples=100)
@given(st.lists(one_person, min_size=1, max_size=20), st.integers(1, 10))
def test_among_people_of_one_age_and_sex_the_times_alone_decide_the_order(rows, copies):
    rows = [(50, "male", ethnicity, tenth) for _, _, ethnicity, tenth in rows] * copies
    chance = expected_chance(published(), people(rows))
    times = [{"black": 1.75, "asian": 0.5}.get(e, 1.0) * {1: 1.3, 2: 1.2}.get(d, 1.0) for _, _, e, d in rows]
    order = np.argsort(times, kind="stable")
    assert (np.diff(chance[order]) >= 0).all()


def test_without_times_the_chance_is_what_was_published():
    plain = published(ethnicity_times={}, deprivation_times={})
    rows = [(44, "female", "black", 1), (45, "male", "white", 10), (110, "female", None, None)]
    assert expected_chance(plain, people(rows)).tolist() == pytest.approx([0.02, 0.4, 0.6])


def test_what_is_not_known_counts_as_the_mean_and_never_as_nothing():
    rows = [
        (50, "female", "white", 5),
        (50, "male", "white", 5),
        (50, "unknown", "white", 5),
        (None, "male", "white", 5),
    ]
    chance = expected_chance(published(), people(rows))
    assert chance[2] == pytest.approx((chance[0] + chance[1]) / 2)
    assert chance[3] == pytest.approx(chance[:3].mean())
    alone = expected_chance(published(), people([(None, None, None, None)]))
    assert alone[0] > 0


def test_younger_than_the_first_band_is_nothing_and_older_than_the_last_is_as_the_last():
    rows = [(15, "male", "white", 5), (16, "male", "white", 5), (121, "male", "white", 5)]
    assert band_of(published(), people(rows)).tolist() == [-1, 0, 2]
    assert expected_chance(published(), people(rows)).tolist() == pytest.approx([0, 0.06, 0.7])


def test_one_person_in_a_band_keeps_their_times():
    """Scaled by themselves a person alone would lose them."""
    rows = [(50, "male", "white", 5)] * 500 + [(80, "female", "black", 5), (80, "female", "white", 5)]
    chance = expected_chance(published(), people(rows))
    assert chance[-2] > 1.5 * chance[-1]


def test_the_order_of_people_does_not_matter():
    rows = [(age, sex, ethnicity, 1 + age % 10) for age in range(16, 90) for sex in ("female", "male")
            for ethnicity in ("white", "black", "asian")]  # fmt: skip
    chance = expected_chance(published(), people(rows))
    order = np.random.default_rng(1).permutation(len(rows))
    assert np.allclose(expected_chance(published(), people([rows[n] for n in order])), chance[order], rtol=1e-12)


def test_nobody_gives_nothing():
    assert expected_chance(published(), people([])).tolist() == []


def test_bands_and_sexes_in_words_and_numbers():
    assert band_words(published()) == ("16 to 44", "45 to 64", "65 and over")
    rows = [(20, sex, "white", 5) for sex in ("female", "male", "unknown", None)]
    assert sex_of(people(rows)).tolist() == [0, 1, 2, 2]


@pytest.mark.parametrize(
    "bands",
    [
        [{"ages": [44, 16], "women": 1, "men": 1}],
        [{"ages": [16, 44], "women": 1, "men": 1}, {"ages": [46, 60], "women": 1, "men": 1}],
        [{"ages": [16, 44], "women": 1, "men": 1}, {"ages": [40, 60], "women": 1, "men": 1}],
        [{"ages": [16, 44], "women": 101, "men": 1}],
        [],
    ],
)
def test_bands_that_leave_a_gap_overlap_or_run_backwards_are_refused(bands):
    with pytest.raises(ValidationError):
        published(bands=bands)


@pytest.mark.parametrize(
    "wrong",
    [{"deprivation_times": {"11": 1.0}}, {"ethnicity_times": {"martian": 1.0}}, {"ethnicity_times": {"black": 0}}],
)
def test_times_for_nobody_there_is_or_of_nothing_are_refused(wrong):
    with pytest.raises(ValidationError):
        published(**wrong)


def test_those_not_on_the_register_share_what_is_left_of_their_band_and_sex() -> None:
    each = 20_000
    base, told = people([(30, "male", "white", 5)] * each + [(70, "female", "white", 5)] * each), published()
    chance = expected_chance(told, base)
    old = np.arange(2 * each) >= each
    on_register = np.zeros(2 * each, dtype=bool)
    on_register[-round(0.98 * float(chance[old].sum())) :] = True
    found = still_to_find(told, base, on_register, chance)
    assert (found[on_register] == 0).all()
    assert found[~old].sum() == pytest.approx(chance[~old].sum(), rel=0.02)
    assert found[old].sum() == pytest.approx(0.02 * chance[old].sum(), rel=0.1)
    # Nearly all of the old are known: the young come first, though far fewer of them are ill.
    assert chance[old].max() > chance[~old].max()
    assert found[~old].min() > found[old].max()


def test_a_band_of_few_cases_is_held_near_everybody() -> None:
    rows = [(30, "female", "white", 5)] * 5_000 + [(70, "male", "white", 5)] * 110
    base, told = people(rows), published()
    chance = expected_chance(told, base)
    on_register = np.arange(len(rows)) >= len(rows) - int(np.ceil(chance[5_000:].sum()))
    found = still_to_find(told, base, on_register, chance)
    assert (found[5_000:][~on_register[5_000:]] > 0).all()  # not nobody, because the register happens to be full
