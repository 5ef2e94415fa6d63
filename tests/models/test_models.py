"""What the definitions of the three conditions promise to a clinician and a safety officer."""

from __future__ import annotations

import itertools
import math
import re
from pathlib import Path

import numpy as np
import pytest

from casefinding.definitions.read import read_definitions
from casefinding.definitions.shapes import AnyOf, Definitions, Feature, Model, Rule, Test
from casefinding.definitions.words import ZERO_WHEN_NONE, Span
from casefinding.explain.wording import fill
from casefinding.rules.evaluate import evaluate
from casefinding.signals.examples import Case, matrix_of

ROOT = Path(__file__).parents[2]
CONDITIONS = ("hypertension", "atrial_fibrillation", "copd")
T0 = {
    "hypertension": {"HTN-U1", "HTN-U2", "HTN-U3", "HTN-U4"},
    "atrial_fibrillation": {"AF-U1", "AF-U2", "AF-U3"},
    "copd": {"COPD-U1", "COPD-U2", "COPD-U3"},
}
OTHER_PARTS = {"hypertension": {"HTN-U1a", "HTN-U1b", "HTN-U2b"}}  # T0 rules split by the age or kind of the reading
URGENCY = {
    1: {"HTN-U3", "COPD-U2", "AF-U3"}, 2: {"HTN-U1", "HTN-U1a", "HTN-U2", "HTN-U2b", "COPD-U1"},
    3: {"HTN-U1b", "HTN-U4", "COPD-U3", "AF-U1"}, 4: {"AF-U2"},
}  # fmt: skip
CONCERNS = {
    "COPD-U1": "Possible lung cancer", "COPD-U3": "Possible lung cancer", "COPD-U2": "Low oxygen",
    "COPD-C1": "Low oxygen", "HTN-U3": "Blood pressure in pregnancy",
}  # fmt: skip
TO_CHECK = {"hypertension": {"HTN-C1", "HTN-C2"}, "copd": {"COPD-C1"}}
LANES = {
    "HTN-1": "review the record", "HTN-2": "review the record", "HTN-4": "invite", "HTN-6": "invite",
    "HTN-7": "invite", "HTN-8": "never measured", "HTN-11": "note",
    "AF-1": "review the record", "AF-4": "invite", "AF-5": "invite", "AF-6": "never measured",
    "COPD-1": "review the record", "COPD-2": "review the record", "COPD-4": "invite", "COPD-6": "invite",
    "COPD-8": "note", "COPD-9": "note",
    "HTN-P1": "chase the result", "AF-P1": "chase the result", "COPD-P1": "chase the result",
}  # fmt: skip
WORDS = {
    "hypertension": {"lower of last two", "highest", "lowest", "mean", "spread", "days since first"},
    "atrial_fibrillation": {"highest", "lowest", "mean", "spread", "courses", "days since first"},
    "copd": {"highest", "lowest", "courses", "days since first"},
}
# The leakage register: what a model may never read, and what it may read only if it is older than the gap.
NEVER = {
    "hypertension": {
        "abpm_or_home_done", "hypertension_referral", "hypertension_admin", "hypertension_register",
        "hypertension_core", "qrisk", "drug_ace_inhibitor", "drug_arb", "drug_ccb", "drug_thiazide",
        "drug_beta_blocker",
    },
    "atrial_fibrillation": {
        "ecg_af_finding", "irregular_pulse", "af_admin", "af_referral", "af_register", "af_core", "drug_anticoagulant",
        "drug_digoxin", "drug_antiarrhythmic",
    },
    "copd": {
        "fev1_fvc", "fev1_fvc_post", "fev1_fvc_obstructed", "fev1_fvc_post_obstructed", "ratio_abnormal_finding",
        "drug_lama", "drug_laba_lama", "drug_triple", "copd_admin", "copd_register", "copd_core", "spirometry_referral",
    },
}  # fmt: skip
ONLY_OLDER = {
    "hypertension": {"systolic_home", "diastolic_home", "systolic_abpm", "diastolic_abpm", "lvh", "white_coat"},
    "atrial_fibrillation": {"ecg_done", "ambulatory_ecg", "stroke_tia"},
    "copd": {
        "drug_saba", "drug_ics", "drug_ics_laba", "drug_laba", "drug_carbocisteine", "drug_theophylline",
        "drug_smoking_cessation", "spirometry_done", "spirometry_procedure", "mrc_grade", "mrc_grade_3_or_more",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return read_definitions(ROOT)


def rules(definitions: Definitions) -> dict[str, Rule]:
    return {rule.id: rule for condition in CONDITIONS for rule in definitions.models[condition].rules}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_all_urgent_rules_are_there_and_in_the_lane_that_nothing_hides(definitions, condition):
    model = definitions.models[condition]
    urgent = T0[condition] | OTHER_PARTS.get(condition, set())
    assert {rule.id for rule in model.rules if rule.lane == "act now"} == urgent
    assert {rule.id for rule in model.rules if rule.lane == "check the reading"} == TO_CHECK.get(condition, set())


def test_the_urgent_rules_stand_in_the_order_that_was_asked_for(definitions):
    found: dict[int, set[str]] = {}
    for rule in rules(definitions).values():
        if rule.lane == "act now":
            found.setdefault(rule.priority, set()).add(rule.id)
    assert found == URGENCY


def test_a_rule_that_is_not_about_the_condition_stands_under_its_own_heading(definitions):
    assert {rule.id: rule.concerns for rule in rules(definitions).values() if rule.concerns} == CONCERNS


def test_only_an_opt_out_can_hide_an_urgent_rule(definitions):
    everyone = [*definitions.leave_outs, *(one for m in definitions.models.values() for one in m.leave_out)]
    assert everyone
    for leave_out in everyone:
        assert not {"act now", "check the reading"} & set(leave_out.drop_from)
    hiding = [one for one in everyone if "everything" in one.drop_from]
    assert [one.name for one in hiding] == ["opt_out"]
    assert "training" in hiding[0].drop_from


def test_who_is_hard_to_reach_is_never_left_out_and_has_an_urgent_note(definitions):
    routed = [one for one in definitions.leave_outs if not one.drop_from]
    assert len(routed) == 8
    for leave_out in routed:
        assert leave_out.note, leave_out.name
        assert leave_out.urgent_note, leave_out.name


def test_severe_readings_by_their_age_leave_no_gap_and_do_not_overlap(definitions):
    there = rules(definitions)
    readings = [
        (math.nan, math.nan),
        *itertools.product((119.0, 120.0, 179.0, 180.0, 220.0), (1.0, 14.0, 15.0, 90.0, 91.0, 365.0)),
    ]
    pairs = list(itertools.product(readings, readings))
    columns = {
        f"{which}_clinic_{word}": np.array([pair[place][part] for pair in pairs])
        for place, which in enumerate(("systolic", "diastolic"))
        for part, word in enumerate(("latest_365d", "valued_days_since_latest_365d"))
    }
    parts = np.array([evaluate(there[name].when, columns) for name in ("HTN-U1", "HTN-U1a", "HTN-U1b")])
    whole = AnyOf(
        any=(
            Test(feature="systolic_clinic_latest_365d", at_least=180),
            Test(feature="diastolic_clinic_latest_365d", at_least=120),
        )
    )
    assert parts.any(axis=1).all()
    assert parts.sum(axis=0).max() == 1
    assert np.array_equal(parts.any(axis=0), evaluate(whole, columns))


@pytest.mark.parametrize(
    ("rule_id", "least", "below"),
    [
        ("HTN-U1", (200.0, 130.0), (199.0, 129.0)),
        ("HTN-U1a", (200.0, 130.0), (199.0, 129.0)),
        ("HTN-U4", (200.0, 130.0), (199.0, 129.0)),
        ("HTN-U3", (160.0, 110.0), (159.0, 109.0)),
    ],
)
def test_either_component_alone_makes_a_reading_come_first(definitions, rule_id, least, below):
    rule = rules(definitions)[rule_id]
    window = "any_raised_latest_364d" if rule_id == "HTN-U3" else "clinic_latest_365d"
    systolic = np.array([least[0], below[0], math.nan, below[0]])
    diastolic = np.array([below[1], least[1], least[1], below[1]])
    columns = {name: np.full(4, math.nan) for name in rule.features}
    columns |= {f"systolic_{window}": systolic, f"diastolic_{window}": diastolic}
    assert rule.severe is not None
    assert evaluate(rule.severe, columns).tolist() == [True, True, True, False]


def test_in_pregnancy_a_reading_from_before_it_never_makes_it_severe(definitions):
    rule = rules(definitions)["HTN-U3"]
    columns = {name: np.full(2, math.nan) for name in rule.features}
    columns["pregnant_days_since_first_364d"] = np.array([100.0, 100.0])
    columns["systolic_any_raised_latest_364d"] = np.array([170.0, 170.0])
    columns["systolic_any_raised_days_since_latest_364d"] = np.array([101.0, 100.0])
    assert rule.severe is not None
    assert evaluate(rule.severe, columns).tolist() == [False, True]
    columns["systolic_any_raised_latest_364d"] = np.array([142.0, 142.0])  # the emergency was earlier
    columns["systolic_any_at_160_days_since_latest_364d"] = np.array([101.0, 100.0])
    assert evaluate(rule.severe, columns).tolist() == [False, True]


def test_the_rules_that_were_asked_for_stand_in_their_lanes(definitions):
    there = rules(definitions)
    assert {rule_id: there[rule_id].lane for rule_id in LANES} == LANES


def test_every_rule_names_its_source_its_action_and_that_it_awaits_sign_off(definitions):
    for rule in rules(definitions).values():
        assert rule.source, rule.id
        assert "specification 2.2" in rule.source, rule.id
        assert rule.do.endswith((".", "?")), rule.id
        assert rule.status.startswith("draft"), rule.id


def test_every_rule_has_two_examples_each_way(definitions):
    for rule in rules(definitions).values():
        for wanted in ("flagged", "not flagged"):
            assert sum(example.gives == wanted for example in rule.examples) >= 2, (rule.id, wanted)


def test_every_urgent_rule_shows_that_a_late_record_is_not_seen(definitions):
    for rule in rules(definitions).values():
        if rule.lane in ("act now", "check the reading"):
            late = [
                example
                for example in rule.examples
                if any(entry.recorded == example.on for entries in example.records.values() for entry in entries)
            ]
            assert late, rule.id
            assert all(example.gives == "not flagged" for example in late), rule.id


def test_the_reason_of_every_rule_shows_a_value_of_the_person(definitions):
    for rule in rules(definitions).values():
        assert "{" in rule.say, rule.id


def test_no_reason_of_a_rule_ever_says_not_recorded(definitions):
    """For every example that is flagged: the record holds what the sentence must name, and brackets keep the rest."""
    asked = [(rule, example) for rule in rules(definitions).values() for example in rule.examples]
    asked = [(rule, example) for rule, example in asked if example.gives == "flagged"]
    names = list(dict.fromkeys(name for rule, _ in asked for name in rule.features))
    values = matrix_of(definitions, names, [Case(one.records, one.person, one.on) for _, one in asked])
    assert len(asked) > 90
    for row, (rule, example) in enumerate(asked):
        held = {name: float(values[name][row]) for name in rule.features}
        days = {name: example.on if holds(definitions.features[name], held[name]) else None for name in rule.features}
        said = fill(rule.say, held, days, definitions)
        assert "not recorded" not in said, (rule.id, said)
        assert not {"[", "]", "{", "}"} & set(said), (rule.id, said)
        assert not said[0].islower(), (rule.id, said)


def test_a_slash_joins_only_the_two_of_a_pair_in_the_rules_that_ask_for_pairs(definitions):
    """The two features ask the same of two signals that are each other's partner."""
    joined = re.compile(r"\{(\w+)\}/\{(\w+)\}")
    found = {rule.id: joined.findall(rule.say) for rule in rules(definitions).values() if "}/{" in rule.say}
    assert set(found) == {"HTN-4", "HTN-5", "HTN-6", "HTN-7", "HTN-10", "HTN-11"}
    for upper, lower in (pair for pairs in found.values() for pair in pairs):
        one, two = definitions.features[upper], definitions.features[lower]
        assert (one.ask, one.within, one.same_day) == (two.ask, two.within, two.same_day)
        first, second = definitions.signals[one.of], definitions.signals[two.of]
        assert (first.pair, second.pair) == ("higher", "lower")
        assert (first.codes, second.codes) == tuple(
            definitions.signals[name].codes for name in (second.paired_with, first.paired_with)
        )


def test_a_pair_never_crosses_from_one_setting_to_another(definitions):
    paired = {name: one for name, one in definitions.signals.items() if one.pair is not None}
    assert len(paired) == 8
    for name, signal in paired.items():
        setting = name.removeprefix("systolic_").removeprefix("diastolic_").removesuffix("_pair")
        assert all(setting in one for one in (*signal.codes, signal.paired_with or ""))


def test_no_feature_counts_days_in_its_sentence(definitions):
    for feature in definitions.features.values():
        assert "{value} days ago" not in feature.say, feature.name


def test_what_a_clinician_cannot_act_on_has_no_sentence(definitions):
    for name, feature in definitions.features.items():
        silent = feature.ask in ("spread", "trend") or name.startswith(("contact_", "systolic_clinic_days_"))
        if silent or feature.of in ("height", "weight", "sodium", "hdl", "cholesterol", "haemoglobin", "tsh"):
            assert not feature.say, name
    assert not definitions.features["deprivation"].say


def test_levels_speak_only_from_where_they_matter(definitions):
    limits = {"egfr": (None, 60), "bmi": (30, None), "hba1c": (42, None)}
    for feature in definitions.features.values():
        if feature.of in limits and feature.say:
            assert (feature.say_at_least, feature.say_below) == limits[feature.of], feature.name


def test_what_the_gap_hides_is_never_listed_as_missing(definitions):
    for name, feature in definitions.features.items():
        if "_before_" in name:
            assert not feature.if_missing, name


def test_smoking_is_silent_for_blood_pressure(definitions):
    model = definitions.models["hypertension"]
    assert set(model.silent) == {name for name in model.features if name.startswith("smoking_")}
    assert model.silent


def test_urgent_reasons_show_the_day_of_the_reading(definitions):
    for rule in rules(definitions).values():
        if rule.lane in ("act now", "check the reading"):
            assert ".when}" in rule.say, rule.id


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_model_has_40_to_120_features_and_knows_the_person(definitions, condition):
    model = definitions.models[condition]
    assert 40 <= len(model.features) <= 120
    assert {"age", "sex", "ethnicity", "deprivation", "days_registered"} <= set(model.features)
    asked = {definitions.features[name].ask for name in model.features}
    assert {"latest", "trend", "count", "days with", "days since latest", "ever"} <= asked
    assert WORDS[condition] <= asked


@pytest.mark.parametrize("condition", CONDITIONS)
def test_no_banned_signal_reaches_a_model(definitions, condition):
    model = definitions.models[condition]
    assert set(model.banned) >= NEVER[condition]
    for name in model.features:
        reads = set(definitions.features[name].signals)
        assert not reads & set(model.banned), name


@pytest.mark.parametrize("condition", CONDITIONS)
def test_no_feature_of_a_model_shares_a_code_with_the_diagnosis(definitions, condition):
    model = definitions.models[condition]
    label = codes(definitions, model.register_.diagnosis) | codes(definitions, model.outcome.diagnosis)
    assert label
    for name in model.features:
        for signal in definitions.features[name].signals:
            assert not codes(definitions, signal) & label, (name, signal)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_work_up_items_reach_a_model_only_if_they_are_older_than_the_gap(definitions, condition):
    model = definitions.models[condition]
    lagged = 0
    for name in model.features:
        feature = definitions.features[name]
        if set(feature.signals) & ONLY_OLDER[condition]:
            assert feature.leaving_out_the_last is not None, name
            assert feature.leaving_out_the_last >= model.outcome.gap, name
            lagged += 1
    assert lagged  # there are some, or this test would prove nothing


def test_gap_horizon_and_age_are_the_defaults_of_the_specification(definitions):
    def of(condition: str) -> tuple[Span, Span, int]:
        model: Model = definitions.models[condition]
        return model.outcome.gap, model.outcome.horizon, model.eligible.age_at_least

    assert of("hypertension") == (Span(days=90), Span(months=12), 18)
    assert of("atrial_fibrillation") == (Span(days=30), Span(months=6), 30)
    assert of("copd") == (Span(days=180), Span(months=24), 35)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_pending_work_up_and_uncoded_disease_are_kept_out_of_training(definitions, condition):
    by_name = {one.name: one for one in definitions.models[condition].leave_out}
    assert {"training", "chance", "invite"} <= set(by_name["work_up_pending"].drop_from)
    assert "review the record" not in by_name["work_up_pending"].drop_from
    assert by_name["known_but_not_coded"].drop_from == ("training",)
    assert set(by_name["declined"].drop_from) == {"invite", "chance", "never measured"}


def test_higher_blood_pressure_never_makes_hypertension_less_likely(definitions):
    levels = ("latest", "highest", "lowest", "mean", "lower of last two")
    for name in definitions.models["hypertension"].features:
        feature = definitions.features[name]
        if feature.ask in levels and (feature.of or "").startswith(("systolic", "diastolic")):
            assert feature.higher_means == "more likely", name


def test_af_is_not_made_likelier_by_diastolic_pressure(definitions):
    # CHARGE-AF gives diastolic pressure a negative weight; the shared features are constrained for hypertension.
    for name in definitions.models["atrial_fibrillation"].features:
        feature = definitions.features[name]
        assert not ((feature.of or "").startswith("diastolic") and feature.higher_means), name


def holds(feature: Feature, value: float) -> bool:
    return not math.isnan(value) and not (feature.ask in ZERO_WHEN_NONE and value == 0)


def codes(definitions: Definitions, signal: str) -> set[tuple[str, str]]:
    lists = [definitions.codelists[name] for name in definitions.signals[signal].codes]
    return {(code.system, code.id) for one in lists for code in one.codes}
