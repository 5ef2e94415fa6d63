"""What is said of a person is in their record, points the way it moves the chance, and speaks once a group."""

import datetime as dt
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding.errors import BundleError, DefinitionError
from casefinding.explain.reasons import reasons

DAY = dt.date(2026, 3, 3)
NAN = float("nan")


def test_a_reason_carries_the_value_and_the_date_of_the_record(tell):
    found = tell({"systolic_latest": (152.0, 0.9, DAY), "bmi_latest": (31.26, 0.4, dt.date(2025, 12, 24))})
    assert found.supporting == ("Last systolic reading 152 mmHg (3 March 2026)", "BMI 31.3 (24 December 2025)")
    assert found.against == ()


def test_what_raises_supports_and_what_lowers_speaks_against(tell):
    found = tell({"systolic_latest": (118.0, -0.9, DAY), "inhaler_count": (4.0, 0.5, DAY)})
    assert found.supporting == ("4 prescriptions of a reliever in the last year",)
    assert found.against == ("Last systolic reading 118 mmHg (3 March 2026)",)


def test_correlated_features_speak_once_through_the_member_that_adds_most(tell):
    found = tell({
        "systolic_latest": (152.0, 0.3, DAY), "systolic_highest": (171.0, 0.8, DAY), "systolic_count": (3.0, 0.2),
        "bmi_latest": (40.0, 0.9, DAY),
    })  # fmt: skip
    assert found.supporting == ("Highest systolic reading 171 mmHg (3 March 2026)", "BMI 40.0 (3 March 2026)")
    assert found.parts[0].contribution == pytest.approx(1.3)
    assert found.parts[0].group == "blood pressure"


def test_a_group_speaks_for_its_sum_and_through_a_member_of_the_same_sign(tell):
    found = tell({"systolic_latest": (138.0, -0.7, DAY), "systolic_highest": (171.0, 0.6, DAY)})
    assert found.supporting == ()
    assert found.against == ("Last systolic reading 138 mmHg (3 March 2026)",)


def test_a_missing_value_is_missing_and_never_evidence(tell):
    found = tell({"systolic_latest": (NAN, 0.9), "bmi_latest": (NAN, -0.9)})
    assert found.supporting == found.against == ()
    assert found.missing == ("No blood pressure reading in the last 5 years", "No BMI in the last 5 years")


def test_missing_is_what_can_be_measured_not_what_was_never_coded(tell):
    found = tell({"contact_days": (NAN, -0.9), "bmi_latest": (NAN, 0.1), "systolic_latest": (NAN, -0.2)})
    assert found.missing == (
        "No blood pressure reading in the last 5 years",
        "No BMI in the last 5 years",
    )


def test_a_group_moved_by_a_missing_value_speaks_through_what_is_there(tell):
    found = tell({"systolic_latest": (NAN, 0.9), "systolic_count": (2.0, 0.1)})
    assert found.supporting == ("2 raised readings in the last 2 years",)
    assert found.missing == ()  # the group has spoken


def test_none_of_something_is_no_support_and_against_only_as_not_recorded(tell):
    found = tell({"inhaler_count": (0.0, 0.8), "cough_ever": (0.0, -0.4), "systolic_count": (0.0, 0.3)})
    assert found.supporting == ()
    assert found.against == ("No cough recorded",)
    assert found.missing == ()


def test_something_that_happened_is_said_without_a_number(tell):
    assert tell({"cough_ever": (1.0, 0.4, DAY)}).supporting == ("Cough recorded (3 March 2026)",)


def test_a_feature_that_adds_nothing_or_has_no_sentence_is_silent(tell):
    found = tell({"systolic_latest": (180.0, 0.0, DAY), "stroke_ever": (1.0, 2.0, DAY), "bmi_latest": (NAN, 0.0)})
    assert found.parts == ()


def test_at_most_five_support_two_speak_against_and_three_are_missing(definitions, model):
    names = [name for name, feature in definitions.features.items() if feature.say and not feature.about_person]
    wide = definitions.model_copy(
        update={"features": {name: definitions.features[name].model_copy(update={"group": name}) for name in names}
                | {"ratio_latest": definitions.features["ratio_latest"]}}
    )  # fmt: skip
    n = len(names)
    days = np.full((3, n), np.datetime64("2026-01-01"))
    adds = np.stack([np.full(n, 0.3), np.full(n, -0.3), np.full(n, 0.3)])
    values = np.stack([np.full(n, 2.0), np.full(n, 2.0), np.full(n, NAN)])
    on = dt.date(2026, 11, 1)
    up, down, unknown = reasons(adds.sum(axis=1), adds, 0.0, wide, names, values, days, on, model=model)
    assert (len(up.supporting), len(up.against)) == (5, 0)
    assert (len(down.supporting), len(down.against)) == (0, 2)
    assert (len(unknown.supporting), len(unknown.missing)) == (0, 3)
    first = (adds[:1].sum(axis=1), adds[:1], 0.0, wide, names, values[:1], days[:1], on)
    fewer = reasons(*first, model=model, limit=3)[0]
    assert len(fewer.supporting) == 3


def test_trifles_are_left_out_once_three_are_said(tell):
    found = tell({"systolic_latest": (152.0, 0.9, DAY), "bmi_latest": (31.0, 0.04, DAY), "cough_ever": (1.0, 0.03, DAY),
                  "inhaler_count": (2.0, 0.02), "ratio_latest": (0.6, -0.03, DAY)})  # fmt: skip
    assert len(found.supporting) == 3
    assert found.against == ()


def test_the_strongest_comes_first(tell):
    found = tell({"bmi_latest": (31.0, 0.2, DAY), "systolic_latest": (152.0, 0.9, DAY), "cough_ever": (1.0, 0.5, DAY)})
    assert [part.feature for part in found.parts] == ["systolic_latest", "cough_ever", "bmi_latest"]


def test_notes_of_the_model_are_missing_even_where_it_does_not_use_them(tell):
    noted = {"ratio_latest": np.array([NAN])}
    assert tell({"bmi_latest": (31.0, 0.4, DAY)}, noted=noted).missing == ("No ratio on record",)
    assert tell({"bmi_latest": (31.0, 0.4, DAY)}, noted={"ratio_latest": np.array([0.7])}).missing == ()
    assert tell({"ratio_latest": (NAN, 0.0)}).missing == ("No ratio on record",)
    assert tell({"bmi_latest": (31.0, 0.4, DAY)}).missing == ()


# ------------------------------------------------------------------------- who a person is


def test_age_and_sex_speak_once(tell):
    assert tell({"age": (67, 0.8), "sex": (1, 0.3)}).supporting == ("Aged 67",)
    assert tell({"age": (67, 0.2), "sex": (0, 0.3)}).supporting == ("Recorded sex: female",)


def test_age_may_speak_against_but_not_sex_ethnic_group_or_deprivation(tell):
    found = tell({"age": (31, -0.8), "sex": (0, -0.9), "ethnicity": (4, -0.7), "deprivation": (2, -0.6)})
    assert found.against == ("Aged 31",)
    assert tell({"sex": (0, -0.9), "ethnicity": (3, -0.7), "deprivation": (1, -0.6)}).against == ()


def test_who_a_person_is_is_stated_plainly(tell):
    found = tell({"ethnicity": (4, 0.5), "deprivation": (2, 0.4), "sex": (1, 0.3)})
    assert found.supporting == (
        "Ethnic group: Black",
        "Lives in an area among the most deprived fifth in England",
        "Recorded sex: male",
    )


def test_only_the_most_deprived_fifth_is_named(tell):
    assert tell({"deprivation": (3, 0.4)}).supporting == ()


def test_not_recorded_is_no_ethnic_group_and_no_sex(tell):
    found = tell({"ethnicity": (0, 0.5), "sex": (NAN, 0.4)})
    assert found.supporting == ()
    assert found.missing == ("Ethnic group not recorded", "Sex not recorded")


# ----------------------------------------------------------------------------- what is refused


def test_contributions_that_do_not_add_up_are_never_shown(definitions, model):
    adds, values, days = np.array([[0.5]]), np.array([[150.0]]), np.array([["2026-01-01"]], "datetime64[D]")
    given = (definitions, ["systolic_latest"], values, days, dt.date(2026, 11, 1))
    reasons(np.array([-1.5 + 5e-10]), adds, -2.0, *given, model=model)
    for wrong in (-1.5 + 1e-8, NAN):
        with pytest.raises(BundleError, match="add up"):
            reasons(np.array([wrong]), adds, -2.0, *given, model=model)


def test_a_day_on_or_after_the_index_day_is_never_named(tell):
    with pytest.raises(ValueError, match="before the index day"):
        tell({"systolic_latest": (152.0, 0.9, dt.date(2026, 11, 1))})
    assert tell({"systolic_latest": (152.0, 0.9, dt.date(2026, 10, 31))}).supporting


def test_an_unknown_feature_and_a_wrong_shape_are_refused(tell, definitions, model):
    with pytest.raises(DefinitionError, match="'sistolic'"):
        tell({"sistolic": (152.0, 0.9, DAY)})
    with pytest.raises(ValueError, match="rows x features"):
        reasons(np.zeros(1), np.zeros((1, 2)), 0.0, definitions, ["bmi_latest"], np.zeros((1, 1)),
                np.zeros((1, 1), "datetime64[D]"), dt.date(2026, 11, 1), model=model)  # fmt: skip


def test_days_may_be_whole_numbers_with_the_smallest_for_none(definitions, model):
    days = np.array([[(DAY - dt.date(1970, 1, 1)).days, np.iinfo(np.int32).min]], np.int32)
    found = reasons(np.array([1.1]), np.array([[0.6, 0.5]]), 0.0, definitions, ["systolic_latest", "bmi_latest"],
                    np.array([[152.0, 30.0]]), days, dt.date(2026, 11, 1), model=model)[0]  # fmt: skip
    assert found.supporting == ("Last systolic reading 152 mmHg (3 March 2026)", "BMI 30.0 (date not recorded)")


def test_nobody_has_no_reasons(definitions, model):
    empty = np.zeros((0, 1))
    assert reasons(np.zeros(0), empty, 0.0, definitions, ["bmi_latest"], empty, empty.astype("datetime64[D]"),
                   dt.date(2026, 11, 1), model=model) == []  # fmt: skip


# ---------------------------------------------------------------------------------- any person


@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=st.data())
def test_whatever_the_record_only_what_it_holds_is_said(data, definitions, model):
    names = data.draw(st.lists(st.sampled_from(sorted(definitions.features)), min_size=1, unique=True))
    span = st.one_of(st.floats(-2, 2), st.just(0.0))
    adds = np.array([[data.draw(span) for _ in names]])
    values, days = np.full((1, len(names)), NAN), np.full((1, len(names)), np.datetime64("NaT"), "datetime64[D]")
    for place, name in enumerate(names):
        ask = definitions.features[name].ask
        kinds = {"ever": st.sampled_from([0, 1]), "count": st.integers(0, 40), "sex": st.sampled_from([0, 1, NAN]),
                 "ethnicity": st.integers(0, 5), "deprivation": st.sampled_from([*range(1, 11), NAN]),
                 "age": st.integers(18, 105), "days since latest": st.integers(1, 4000)}  # fmt: skip
        values[0, place] = data.draw(kinds.get(ask, st.one_of(st.floats(0, 300), st.just(NAN))))
        if not np.isnan(values[0, place]) and data.draw(st.booleans()):
            days[0, place] = np.datetime64("2026-10-31") - data.draw(st.integers(0, 3000))
    found = reasons(adds.sum(axis=1), adds, 0.0, definitions, names, values, days, dt.date(2026, 11, 1), model=model)[0]
    assert len(found.supporting) <= 5
    assert len(found.against) <= 2
    assert len(found.missing) <= 3
    sentences = [part.sentence for part in found.parts]
    assert len(sentences) == len(set(sentences))
    spoken = [part.group for part in found.parts if part.side != "missing"]
    assert len(spoken) == len(set(spoken))
    for part in found.parts:
        place = names.index(part.feature)
        value, add = values[0, place], adds[0, place]
        if part.side == "missing":
            assert np.isnan(value) or value == 0
            continue
        assert add != 0
        assert (add > 0) == (part.contribution > 0) == (part.side == "supporting")
        assert not np.isnan(value)
        if part.side == "supporting":
            counted = definitions.features[part.feature].ask in ("ever", "count")
            assert value > 0 or not counted
        assert not re.search(r"[{}]|nan|None|1970", part.sentence)
        for year in re.findall(r"\b\d+ [A-Z][a-z]+ (\d{4})\b", part.sentence):
            assert year == str(days[0, place])[:4]
