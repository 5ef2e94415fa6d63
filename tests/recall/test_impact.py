"""Impact: published shares, chained; the lists' own cases; a claim shown beside our arithmetic, never instead of it."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from casefinding.definitions.impact import Impact
from casefinding.definitions.read import read_config
from casefinding.recall.network.impact import WHOLE, Listed, beside, listed_of, outlook, point_worth

CONFIGS = Path(__file__).parents[2] / "configs"


def share(low, mid, high):
    return {"low": low, "mid": mid, "high": high, "source": "made up"}


def impact(**more) -> Impact:
    """Half come, nine in ten are coded, two thirds treated, one in 50 is helped; all exactly known."""
    said = {
        "attend": share(0.5, 0.5, 0.5), "code": share(0.9, 0.9, 0.9), "treat": share(2 / 3, 2 / 3, 2 / 3),
        "events": [{"label": "faints", "horizon": "5 years", "number needed to treat": share(50, 50, 50)}],
    }  # fmt: skip
    return Impact.model_validate({**said, **more})


def listed(practice="A", review=0, invited=100, cases=20.0) -> Listed:
    return Listed(practice, "thirst", 3, review, invited, cases)


def test_every_step_is_the_share_of_those_who_got_as_far():
    (one, whole) = outlook("Thirst", impact(), [listed()], {"A": 900.0})
    assert one.attended.mid == 50
    assert one.confirmed.mid == 10  # of the cases among those invited, not of the people
    assert one.coded.mid == pytest.approx(9)
    assert one.treated.mid == pytest.approx(6)
    assert one.events[0][:2] == ("faints", "5 years")
    assert one.events[0][2].mid == pytest.approx(6 / 50)
    assert one.points.mid == pytest.approx(1.0)  # 9 of 900
    assert (whole.listed.practice, whole.coded) == (WHOLE, one.coded)


def test_what_is_exactly_known_has_no_width_and_what_is_not_holds_95_of_100_draws():
    exact = outlook("Thirst", impact(), [listed()])[0]
    assert exact.coded.low == exact.coded.high
    wide = outlook("Thirst", impact(attend=share(0.1, 0.3, 0.5)), [listed()])[0]
    assert wide.attended.mid == pytest.approx(30, abs=0.7)
    assert wide.attended.low == pytest.approx(10, abs=0.7)
    assert wide.attended.high == pytest.approx(50, abs=0.7)


def test_nobody_is_promised_for_a_review_unless_a_published_yield_is_configured():
    assert outlook("Thirst", impact(), [listed(review=40)])[0].confirmed.mid == 10
    said = impact(**{"review finds": share(0.25, 0.25, 0.25)})
    assert outlook("Thirst", said, [listed(review=40)])[0].confirmed.mid == 20
    assert outlook("Thirst", said, [listed(review=40)])[0].listed.urgent == 3  # counted, and promises nothing


def test_the_whole_is_drawn_with_the_practices_so_that_they_add_up():
    said = impact(attend=share(0.1, 0.3, 0.5), code=share(0.2, 0.8, 0.9))
    *practices, whole = outlook("Thirst", said, [listed("A", cases=20), listed("B", cases=5), listed("C", cases=1)])
    for step in ("attended", "confirmed", "coded", "treated"):
        for end in ("low", "mid", "high"):
            parts = sum(getattr(getattr(one, step), end) for one in practices)
            assert getattr(getattr(whole, step), end) == pytest.approx(parts)
    assert outlook("Thirst", said, [listed("B", cases=5)])[0] == practices[1]  # whoever else is there


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(0.01, 1), min_size=3, max_size=3).map(sorted),
    st.lists(st.floats(0.01, 1), min_size=3, max_size=3).map(sorted),
    st.floats(0, 200),
)
def test_no_step_ever_holds_more_than_the_one_before(attend, code, cases):
    said = impact(attend=share(*attend), code=share(*code))
    one = outlook("Thirst", said, [listed(invited=300, cases=cases)])[0]
    for end in ("low", "mid", "high"):
        steps = [getattr(step, end) for step in (one.attended, one.confirmed, one.coded, one.treated, one.events[0][2])]
        assert all(more >= less - 1e-9 for more, less in itertools.pairwise(steps))
        assert steps[0] <= 300 + 1e-9


def test_the_cases_are_the_sum_of_the_lists_own_chances(view):
    one = view([0.5, 0.2, np.nan, 0.9, 0.4], {"X-U1": [3], "X-1": [4], "X-4": [2]})
    place = np.array([1, 2, 3, 0, 0])
    (found,) = listed_of(one, place, np.array(["A"] * 5, dtype=object))
    assert (found.urgent, found.review, found.invited) == (1, 1, 3)
    assert found.cases == pytest.approx(0.7)  # no published prevalence, so that the third counts nothing
    assert found.by_published == 1


@pytest.mark.parametrize(
    ("chances", "due", "said"), [(220.0, 100.0, 2.2), (110.0, 100.0, None), (50.0, 100.0, 0.5), (9.0, 0.0, None)]
)
def test_chances_are_held_against_what_is_expected_for_the_whole_and_spoken_of_where_they_are_far_off(
    chances, due, said
):
    parts = [replace(listed(name), chances=chances / 2, due=due / 2) for name in ("A", "B")]
    *_, whole = outlook("Thirst", impact(), parts)
    assert whole.listed.times_due == (None if said is None else pytest.approx(said))


def test_a_point_of_the_register_counts_only_those_who_are_treated():
    ((event, worth),) = point_worth(impact(), 3000.0)
    assert event.label == "faints"
    assert worth.mid == pytest.approx(30 * (2 / 3) / 50)


def test_events_need_a_share_that_is_treated_and_ranges_must_not_fall():
    with pytest.raises(ValidationError, match="treat"):
        impact(treat=None)
    with pytest.raises(ValidationError, match="must not fall"):
        impact(attend=share(0.5, 0.4, 0.6))
    with pytest.raises(ValidationError):
        impact(attend=share(0.5, 0.6, 1.2))
    with pytest.raises(ValidationError, match="source"):
        impact(attend={"low": 0.1, "mid": 0.2, "high": 0.3})


@pytest.fixture(params=["demo", "example-pcn", "example-ics"])
def configured(request):
    return read_config(CONFIGS / f"{request.param}.yaml").impact


def test_the_published_claim_of_65_is_about_3_6_by_our_arithmetic(configured):
    found = beside(configured["hypertension"])
    assert found is not None
    assert (found.claim.number, found.people) == (65, 400)
    assert found.ours.mid == pytest.approx(3.6, abs=0.05)
    assert found.ours.high < 65 / 5
    assert found.points_needed == pytest.approx(18, abs=0.5)
    assert found.treated_needed == pytest.approx(7260, abs=10)


def test_nothing_that_is_computed_uses_the_claim(configured):
    with_claim = configured["hypertension"]
    without = with_claim.model_copy(update={"published_claim": None})
    lists = [listed(review=40)]
    assert outlook("x", with_claim, lists, {"A": 900.0}) == outlook("x", without, lists, {"A": 900.0})
    assert point_worth(with_claim, 40_000) == point_worth(without, 40_000)
    assert beside(without) is None


def test_every_share_that_is_configured_says_where_it_comes_from(configured):
    for one in configured.values():
        figures = [one.attend, one.confirm, one.review_finds, one.code, one.treat]
        figures += [event.number_needed_to_treat for event in one.events]
        assert all(len(figure.source) > 20 for figure in figures if figure is not None)
        assert one.attend.high < 0.6  # published uptake, never everybody
