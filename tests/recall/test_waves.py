"""Who is invited again, and when: three times at most in a year, never twice in six weeks, never after an answer."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from casefinding.definitions.recall import Invitations
from casefinding.definitions.words import Span
from casefinding.recall.lines import who_and_why
from casefinding.recall.loop.waves import ANSWERS, invited_enough, invited_lately, waves
from casefinding.records.tables import CONTACT, CONTACT_KINDS

TODAY = dt.date(2026, 10, 1)
USUAL = Invitations()


def contacts(*rows: tuple[int, str, str, dt.date]) -> pa.Table:
    columns = [list(column) for column in zip(*rows, strict=True)] or [[]] * 4
    return pa.table(columns, schema=CONTACT)


def ago(days: int) -> dt.date:
    return TODAY - dt.timedelta(days=days)


def state(*told: tuple[str, int], invitations: Invitations = USUAL) -> tuple[int, str]:
    """The next wave of one person, and why they are left out now, from (kind, days ago)."""
    found = waves(
        np.array([7]), contacts(*((7, "thirst", kind, ago(days)) for kind, days in told)), "thirst", TODAY, invitations
    )
    why = "lately" if found.lately[0] else "enough" if found.enough[0] else ""
    return int(found.wave[0]), why


def test_whoever_was_never_asked_gets_the_first_invitation():
    assert state() == (1, "")
    assert state(("seen", 3)) == (1, "")


def test_the_second_invitation_is_due_six_weeks_after_the_first_and_not_a_day_before():
    assert state(("invited", 41)) == (2, "lately")
    assert state(("invited", 42)) == (2, "")


def test_the_third_follows_the_second_and_there_is_no_fourth():
    assert state(("invited", 100), ("invited", 50)) == (3, "")
    assert state(("invited", 150), ("invited", 100), ("invited", 20)) == (3, "lately")
    assert state(("invited", 150), ("invited", 100), ("invited", 50))[1] == "enough"


def test_a_year_after_the_first_invitation_everything_begins_anew():
    asked = [("invited", 364), ("invited", 300), ("invited", 200)]
    assert state(*asked)[1] == "enough"
    assert state(*((kind, days + 1) for kind, days in asked)) == (1, "")


def test_even_then_nobody_is_asked_twice_in_six_weeks():
    assert state(("invited", 400), ("invited", 20)) == (2, "lately")  # the later one has begun a series of its own
    assert state(("invited", 366), ("invited", 300), ("invited", 10)) == (1, "lately")


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_of_any_kind_ends_the_series(answer):
    assert state(("invited", 60), (answer, 60)) == (1, "")
    assert state(("invited", 60), ("invited", 10), (answer, 8)) == (1, "")
    assert state((answer, 61), ("invited", 60)) == (2, "")


def test_invitations_on_nearby_days_are_one():
    assert state(("invited", 60), ("invited", 60), ("invited", 55)) == (2, "")
    assert state(("invited", 60), ("invited", 52)) == (3, "")
    assert state(("invited", 60), ("invited", 54), ("invited", 48)) == (3, "")  # the third is too far from the first
    assert state(("invited", 45), ("invited", 40)) == (2, "lately")  # counted from the later of them
    assert state(("invited", 60), ("seen", 58), ("invited", 57)) == (1, "")  # the same invitation, sent back late


def test_what_happens_on_the_index_day_or_later_is_not_known_yet():
    assert state(("invited", 0)) == (1, "")
    assert state(("invited", 60), ("seen", 0)) == (2, "")
    assert state(("invited", 60), ("declined", -5)) == (2, "")


def test_other_conditions_are_counted_apart_and_what_is_about_all_counts_for_each():
    told = contacts((1, "thirst", "invited", ago(10)), (2, "all", "invited", ago(10)), (3, "", "invited", ago(10)))
    people = np.array([3, 2, 1, 0])
    assert waves(people, told, "thirst", TODAY, USUAL).lately.tolist() == [True, True, True, False]
    assert waves(people, told, "hunger", TODAY, USUAL).lately.tolist() == [True, True, False, False]


def test_the_labels_say_what_the_config_says():
    assert invited_lately(USUAL) == "invited less than 6 weeks ago"
    assert invited_enough(USUAL) == "invited 3 times without an answer"
    other = Invitations.model_validate({"times": 1, "again after": "2 months", "anew after": "2 years"})
    assert invited_lately(other) == "invited less than 2 months ago"
    assert invited_enough(other) == "invited once without an answer"
    assert invited_lately(Invitations(again_after=Span(days=10))) == "invited less than 10 days ago"


@pytest.mark.parametrize(
    "written",
    [
        {"again after": "1 week"},
        {"times": 0},
        {"times": 3, "again after": "6 months"},
        {"anew after": "1 month"},
        {"again": "6 weeks"},
    ],
)
def test_a_way_of_inviting_that_cannot_be_kept_is_refused(written):
    with pytest.raises(ValidationError):
        Invitations.model_validate(written)


def test_what_is_urgent_or_evident_stays_whatever_was_sent(view):
    told = contacts(*((row, "all", "invited", ago(5)) for row in range(3)))
    found = waves(np.arange(4), told, "thirst", TODAY, USUAL)
    left_out = {invited_lately(USUAL): (np.flatnonzero(found.lately), ("invite", "chance", "never measured"))}
    seen = view([0.5] * 4, {"X-U1": [0], "X-1": [1], "X-2": [2]}, left_out)
    assert np.isnan(seen.ranked()).tolist() == [True, True, True, False]
    assert {one.row: one.lane for one in who_and_why([seen], {"thirst": np.zeros(4, dtype=np.int32)})} == {
        0: "act now", 1: "review the record"
    }  # fmt: skip


# -------------------- a slow oracle: one person at a time, one day at a time, straight from the words of the issue

KINDS = st.sampled_from(CONTACT_KINDS)
ABOUT = st.sampled_from(["thirst", "hunger", "all", ""])
ROWS = st.lists(st.tuples(st.integers(0, 2), ABOUT, KINDS, st.integers(-20, 100) | st.integers(-20, 900)), max_size=14)
WAYS = st.builds(
    lambda times, pause, more: Invitations(
        times=times, again_after=Span(days=pause), anew_after=Span(days=pause * times + more)
    ),
    st.integers(1, 4), st.integers(8, 70), st.integers(0, 300),
)  # fmt: skip


def day_by_day(rows: list, person: int, invitations: Invitations) -> tuple[int, str]:
    mine = [(ago(days), kind) for who, about, kind, days in rows if who == person and about != "hunger"]
    pause, anew = dt.timedelta(days=invitations.again_after.days), dt.timedelta(days=invitations.anew_after.days)
    one_of: dict[dt.date, dt.date] = {}  # the day of a row -> the first day of the invitation that it is part of
    begun = None
    for day in sorted({day for day, kind in mine if kind == "invited" and day < TODAY}):
        if begun is None or (day - begun).days > 7:
            begun = day
        one_of[day] = begun
    series: list[dt.date] = []  # first days of the invitations in the series that is open
    latest = None
    day = ago(901)
    while day < TODAY:
        if one_of.get(day) == day:
            if series and day >= series[0] + anew:
                series = []
            series.append(day)
        if day in one_of and one_of[day] in series:
            latest = day
        if any(when == day and kind in ANSWERS for when, kind in mine):
            series, latest = [], None
        day += dt.timedelta(days=1)
    over = not series or series[0] + anew <= TODAY
    following = 1 if over else min(len(series) + 1, invitations.times)
    if latest is not None and latest + pause > TODAY:
        return following, "lately"
    return following, "enough" if not over and len(series) >= invitations.times else ""


@settings(max_examples=300, deadline=None)
@given(ROWS, WAYS)
def test_the_engine_agrees_with_somebody_who_reads_the_diary_day_by_day(rows, invitations):
    told = contacts(*((who, about, kind, ago(days)) for who, about, kind, days in rows))
    found = waves(np.arange(3), told, "thirst", TODAY, invitations)
    for person in range(3):
        why = "lately" if found.lately[person] else "enough" if found.enough[person] else ""
        assert (int(found.wave[person]), why) == day_by_day(rows, person, invitations)


@settings(max_examples=100, deadline=None)
@given(ROWS, WAYS, st.randoms())
def test_the_order_of_the_contacts_is_of_no_account_and_the_wave_is_one_that_there_is(rows, invitations, lot):
    told = [(who, about, kind, ago(days)) for who, about, kind, days in rows]
    mixed = list(told)
    lot.shuffle(mixed)
    one, other = (waves(np.arange(3), contacts(*these), "thirst", TODAY, invitations) for these in (told, mixed))
    assert one.wave.tolist() == other.wave.tolist()
    assert one.lately.tolist() == other.lately.tolist()
    assert one.wave.dtype == np.int8
    assert (one.wave >= 1).all()
    assert (one.wave <= invitations.times).all()
    assert not (one.lately & one.enough).any()
