"""How much is known is said in words, once, and nothing is said where nothing is known about it."""

from casefinding.definitions.shapes import KnownBy
from casefinding.recall.known import known_words

WEIGHED = KnownBy(readings="w", reading_is="weight in 5 years", readings_are="weights in 5 years", contacts="c")
HEIGHTS = KnownBy(readings="h", reading_is="height in 5 years", readings_are="heights in 5 years", contacts="c")


def test_readings_contacts_and_years_in_that_order():
    assert known_words([WEIGHED], {"w": 3.0, "c": 12.0}, 3000) == (
        "3 weights in 5 years", "12 contacts in 12 months", "8 years on record"
    )  # fmt: skip


def test_one_and_none_have_their_own_words():
    assert known_words([WEIGHED], {"w": 1.0, "c": 1.0}, 400) == (
        "1 weight in 5 years", "1 contact in 12 months", "1 year on record"
    )  # fmt: skip
    assert known_words([WEIGHED], {"w": 0.0, "c": 0.0}, 364) == (
        "no weights in 5 years", "no contacts in 12 months", "less than a year on record"
    )  # fmt: skip


def test_conditions_on_one_line_share_their_contacts():
    assert known_words([WEIGHED, HEIGHTS], {"w": 2.0, "h": 0.0, "c": 4.0}, 4000) == (
        "2 weights in 5 years", "no heights in 5 years", "4 contacts in 12 months", "10 years on record"
    )  # fmt: skip


def test_nothing_is_told_where_the_definition_asks_for_nothing_or_the_value_is_missing():
    assert known_words([None], {}, 3000) == ()
    assert known_words([WEIGHED], {"w": float("nan"), "c": 2.0}, None) == ("2 contacts in 12 months",)
