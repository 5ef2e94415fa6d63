"""Numbers, dates and chances read as the NHS writes them, and a sentence never says more than is known."""

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casefinding.definitions.shapes import Definitions, Feature
from casefinding.errors import DefinitionError
from casefinding.explain.wording import chance_words, date_words, fill, number_words, say, value_words


def worth(words: str) -> float:
    part, _, whole = words.removeprefix("less than ").removeprefix("more than ").partition(" in ")
    return int(part) / int(whole.replace(",", ""))


@pytest.mark.parametrize(
    ("chance", "words"),
    [
        (0, "less than 1 in 1,000"), (0.0008, "less than 1 in 1,000"), (0.001, "1 in 1,000"), (0.0032, "1 in 300"),
        (0.01, "1 in 100"), (0.021, "1 in 50"), (0.05, "1 in 20"), (0.09, "1 in 12"), (0.143, "1 in 7"),
        (1 / 6, "1 in 6"), (0.22, "1 in 5"), (0.3, "1 in 3"), (0.5, "1 in 2"), (0.55, "1 in 2"), (0.65, "2 in 3"),
        (0.76, "3 in 4"), (0.81, "4 in 5"), (0.9, "9 in 10"), (0.95, "more than 9 in 10"), (1, "more than 9 in 10"),
    ],
)  # fmt: skip
def test_a_chance_is_said_as_1_in_n(chance, words):
    assert chance_words(chance) == words


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_higher_chance_never_reads_as_a_lower_one(one, other):
    low, high = sorted((one, other))
    assert worth(chance_words(low)) <= worth(chance_words(high)) or chance_words(low) == chance_words(high)


@given(st.floats(0.0009, 0.93))
def test_the_words_are_near_the_chance(chance):
    assert worth(chance_words(chance)) == pytest.approx(chance, rel=0.25)
    if chance <= 0.2:
        assert worth(chance_words(chance)) == pytest.approx(chance, rel=0.16)


@pytest.mark.parametrize("chance", [-0.01, 1.01, math.nan])
def test_what_is_no_chance_is_refused(chance):
    with pytest.raises(ValueError, match="between 0 and 1"):
        chance_words(chance)


@pytest.mark.parametrize(
    ("value", "decimals", "words"),
    [(999, 0, "999"), (1000, 0, "1,000"), (1234567.5, 0, "1,234,568"), (6.25, 1, "6.3"), (0.705, 2, "0.71"),
     (-3, 0, "−3"), (-0.4, 0, "0"), (27.0, 1, "27.0"), (151.5, 0, "152"), (152.49, 0, "152")],
)  # fmt: skip
def test_numbers_have_commas_over_999_and_their_own_decimals(value, decimals, words):
    assert number_words(value, decimals) == words


def test_dates_are_in_full_without_leading_zero():
    assert date_words(dt.date(2026, 3, 3)) == "3 March 2026"
    assert date_words(dt.date(2024, 12, 31)) == "31 December 2024"
    assert {date_words(dt.date(2024, month, 1)).split()[1] for month in range(1, 13)} == {
        dt.date(2024, month, 1).strftime("%B") for month in range(1, 13)
    }


def test_values_are_rounded_to_the_signals_decimals_unless_the_feature_says_otherwise(definitions):
    def words(name, value):
        return value_words(definitions.features[name], value, definitions)

    assert words("systolic_latest", 152.4) == "152"
    assert words("bmi_latest", 31.26) == "31.3"
    assert words("bmi_trend", 0.456) == "0.46"
    assert words("ratio_latest", 0.666) == "0.67"
    assert words("inhaler_count", 1200) == "1,200"
    assert words("contact_days", 45.0) == "45"
    assert words("sex", 1) == "male"
    assert words("sex", 0) == "female"
    assert words("ethnicity", 4) == "Black"
    assert words("ethnicity", 0) == "not recorded"
    assert words("cough_ever", 1) == "yes"
    assert words("cough_ever", 0) == "no"
    assert words("systolic_latest", math.nan) == "not recorded"
    assert words("systolic_latest", None) == "not recorded"


def test_a_rules_sentence_takes_values_and_dates_of_several_features(definitions):
    text = fill(
        "Last reading {systolic_latest} mmHg on {systolic_latest.when}, BMI {bmi_latest}; ratio {ratio_latest} "
        "({ratio_latest.when}).",
        {"systolic_latest": 182.0, "bmi_latest": 31.26, "ratio_latest": math.nan},
        {"systolic_latest": dt.date(2026, 3, 3), "ratio_latest": None},
        definitions,
    )
    assert text == "Last reading 182 mmHg on 3 March 2026, BMI 31.3; ratio not recorded (date not recorded)."


@pytest.mark.parametrize("text", ["{sistolic}", "{systolic_latest.then}", "{Systolic}", "{", "a } b", "{bmi_latest}"])
def test_a_placeholder_that_names_nothing_at_hand_is_an_error(definitions, text):
    with pytest.raises(DefinitionError):
        fill(text, {"systolic_latest": 1.0}, {}, definitions)


@pytest.mark.parametrize(
    ("template", "value", "words"),
    [
        ("{value} readings", "1", "1 reading"),
        ("{value} raised blood pressure readings on record", "1", "1 raised blood pressure reading on record"),
        ("{value} readings", "11", "11 readings"),
        ("{value} readings", "0.1", "0.1 readings"),
        ("Last reading {value} days ago", "1", "Last reading 1 day ago"),
        ("{value} on 3 days", "1", "1 on 3 days"),
        ("{value} in days gone by", "1", "1 in days gone by"),
        ("Grade {value}, 2 tests", "1", "Grade 1, 2 tests"),
        ("Type 1, {value} prescriptions", "2", "Type 1, 2 prescriptions"),
    ],
)
def test_one_of_a_thing_is_said_in_the_singular(template, value, words):
    assert say(template, value, None) == words


def test_one_of_a_thing_is_said_in_the_singular_in_rules_too(definitions):
    assert fill("{inhaler_count} prescriptions, {systolic_count} readings",
                {"inhaler_count": 1, "systolic_count": 3}, {}, definitions) == "1 prescription, 3 readings"  # fmt: skip


def test_a_value_is_never_read_as_a_placeholder(definitions):
    assert say("{value} ({when})", "{when}", None).startswith("{when}")


@pytest.fixture
def two_features():
    features = {
        "pressure": Feature(name="pressure", label="p", ask="latest", of="s"),
        "times": Feature(name="times", label="t", ask="count", of="s"),
    }
    return Definitions(features=features)


@pytest.mark.parametrize(
    ("text", "pressure", "times", "said"),
    [
        ("Severe[: systolic {pressure} on {pressure.when}]", 180.0, 0.0, "Severe: systolic 180 on 3 March 2026"),
        ("Severe[: systolic {pressure} on {pressure.when}]", float("nan"), 0.0, "Severe"),
        ("[Last {pressure}][; {times} visits]", float("nan"), 2.0, "2 visits"),
        ("[Last {pressure}][; {times} visits]", 150.0, 0.0, "Last 150"),
        ("None coded for:[ {pressure};][ {times} visits;]", 150.0, 1.0, "None coded for: 150; 1 visit"),
        ("Plain {pressure}", float("nan"), 0.0, "Plain not recorded"),
    ],
)
def test_a_bracketed_part_is_said_only_where_the_record_holds_it(two_features, text, pressure, times, said):
    day = None if pressure != pressure else dt.date(2026, 3, 3)
    values, days = {"pressure": pressure, "times": times}, {"pressure": day, "times": None}
    assert fill(text, values, days, two_features) == said
