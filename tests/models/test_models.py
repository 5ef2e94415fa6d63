"""What the definitions of the three conditions promise to a clinician and a safety officer."""

from __future__ import annotations

from pathlib import Path

import pytest

from casefinding.definitions.read import read_definitions
from casefinding.definitions.shapes import Definitions, Model, Rule
from casefinding.definitions.words import Span

ROOT = Path(__file__).parents[2]
CONDITIONS = ("hypertension", "atrial_fibrillation", "copd")
T0 = {
    "hypertension": {"HTN-U1", "HTN-U2", "HTN-U3", "HTN-U4"},
    "atrial_fibrillation": {"AF-U1", "AF-U2", "AF-U3"},
    "copd": {"COPD-U1", "COPD-U2", "COPD-U3"},
}
TO_CHECK = {"hypertension": {"HTN-C1", "HTN-C2"}, "copd": {"COPD-C1"}}
LANES = {
    "HTN-1": "review the record", "HTN-2": "review the record", "HTN-4": "invite", "HTN-6": "invite",
    "HTN-7": "invite", "HTN-8": "never measured", "HTN-11": "note",
    "AF-1": "review the record", "AF-4": "invite", "AF-5": "invite", "AF-6": "never measured",
    "COPD-1": "review the record", "COPD-2": "review the record", "COPD-4": "invite", "COPD-6": "invite",
    "COPD-8": "note", "COPD-9": "never measured",
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
    assert {rule.id for rule in model.rules if rule.lane == "act now"} == T0[condition]
    assert {rule.id for rule in model.rules if rule.lane == "check the reading"} == TO_CHECK.get(condition, set())


def test_no_leave_out_can_hide_an_urgent_rule(definitions):
    everyone = [*definitions.leave_outs, *(one for m in definitions.models.values() for one in m.leave_out)]
    assert everyone
    for leave_out in everyone:
        assert not {"act now", "check the reading"} & set(leave_out.drop_from)


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


def codes(definitions: Definitions, signal: str) -> set[tuple[str, str]]:
    lists = [definitions.codelists[name] for name in definitions.signals[signal].codes]
    return {(code.system, code.id) for one in lists for code in one.codes}
