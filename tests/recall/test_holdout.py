"""A holdout is fair, stays the same from month to month, and never hides what is urgent."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from casefinding.definitions.recall import Holdout
from casefinding.recall.lines import who_and_why
from casefinding.recall.loop.holdout import HELD_OUT, described, held_out, without_held_out, words

SALT = "made up for the tests"


def base(pseudonyms, practices=None) -> pa.Table:
    names = list(pseudonyms)
    return pa.table({"pseudonym": names, "practice": list(practices or ["A"] * len(names))})


def drawn(names, share: float, salt: str = SALT) -> set[str]:
    out = held_out(base(names), Holdout(share=share, salt=salt))
    return {name for name, held in zip(names, out, strict=True) if held}


NAMES = [f"p{number}" for number in range(20_000)]


def test_nobody_is_held_out_unless_it_is_asked_for():
    assert not held_out(base(NAMES), Holdout()).any()
    assert described(base(NAMES), Holdout(), held_out(base(NAMES), Holdout())) is None
    assert words(Holdout()) == ""


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5])
@pytest.mark.parametrize("salt", ["one", "two", "three"])
def test_the_share_is_what_was_asked_for_within_what_a_fair_lot_gives(share, salt):
    number = len(drawn(NAMES, share, salt))
    # five standard deviations of a binomial draw: nine lots in ten million are further away
    assert abs(number - share * len(NAMES)) < 5 * math.sqrt(len(NAMES) * share * (1 - share))


def test_another_salt_is_another_lot():
    both = drawn(NAMES, 0.1, "one") & drawn(NAMES, 0.1, "two")
    assert abs(len(both) - 0.01 * len(NAMES)) < 5 * math.sqrt(len(NAMES) * 0.01 * 0.99)


@settings(deadline=None)
@given(
    st.sets(st.text(min_size=1, max_size=8), max_size=40),
    st.floats(0.001, 0.5),
    st.floats(0.001, 0.5),
    st.text("ab", min_size=1),
)
def test_a_larger_share_holds_the_smaller(names, one, other, salt):
    small, large = sorted((one, other))
    names = sorted(names)
    assert drawn(names, small, salt) <= drawn(names, large, salt)


@settings(deadline=None)
@given(st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=40), st.randoms(), st.floats(0.01, 0.5))
def test_next_month_the_same_people_are_held_out_whoever_joined_left_or_stands_where(names, lot, share):
    stayed = [name for name in names if lot.random() < 0.7]
    later = [*stayed, "new 1", "new 2"]
    lot.shuffle(later)
    assert drawn(later, share) & set(stayed) == drawn(names, share) & set(stayed)


def test_whole_practices_are_held_out_or_none_of_it():
    practices = [f"Y{number % 60:05d}" for number in range(6000)]
    table = base((f"p{number}" for number in range(6000)), practices)
    holdout = Holdout(share=0.3, by="practices", salt=SALT)
    out = held_out(table, holdout)
    held = {code for code, one in zip(practices, out, strict=True) if one}
    assert 0 < len(held) < 60
    assert all(one == (code in held) for code, one in zip(practices, out, strict=True))
    told = described(table, holdout, out)
    assert told is not None
    assert told["practices"] == sorted(held)
    assert told["of practices"] == 60
    assert SALT not in str(told)


def test_what_is_urgent_or_evident_is_never_held_out_and_the_rest_is_not_invited(view):
    seen = view([0.5] * 7, {"X-U1": [0], "X-C1": [1], "X-1": [2], "X-2": [3], "X-4": [4]})
    without = without_held_out(seen, np.ones(7, dtype=bool))
    assert {one.row: one.lane for one in who_and_why([without], {"thirst": np.zeros(7, dtype=np.int32)})} == {
        0: "act now", 1: "check the reading", 2: "review the record"
    }  # fmt: skip
    for lane in ("invite", "never measured"):
        assert not any(mask.any() for mask in without.fired(lane).values())
    assert np.isnan(without.ranked()).all()
    assert without.left_out[HELD_OUT].all()
    assert HELD_OUT not in seen.left_out


def test_a_page_says_in_one_or_two_sentences_what_is_done():
    assert words(Holdout(share=0.1, salt=SALT)).startswith("About 10% of people, drawn by lot, are not invited")
    by_practice = Holdout(share=0.125, by="practices", salt=SALT)
    assert "This practice was drawn" in words(by_practice, practice_held_out=True)
    assert "12.5%" in words(by_practice)


def test_the_manifest_withholds_a_small_number():
    table = base(["p1", "p2", "p3"])
    told = described(table, Holdout(share=0.5, salt=SALT), np.array([True, False, False]))
    assert told is not None
    assert told["people"] is None


@pytest.mark.parametrize(
    "written", [{"share": 0.1}, {"share": 0.1, "salt": "  "}, {"share": 0.6, "salt": "x"}, {"by": "rows"}]
)
def test_a_holdout_that_could_not_be_kept_is_refused(written):
    with pytest.raises(ValidationError):
        Holdout.model_validate(written)
