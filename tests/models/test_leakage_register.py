"""Every item of the leakage register (specification 1.3) stands in the models, handled as there or more strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from casefinding.definitions.read import read_definitions
from casefinding.definitions.shapes import Definitions

ROOT = Path(__file__).parents[2]
ABPM, HOME = ("systolic_abpm", "diastolic_abpm"), ("systolic_home_average", "diastolic_home_average")
# condition -> (item, what is done with it, its signals)
ITEMS = {
    "hypertension": [
        ("monitoring, clinic, recall", {"pending", "banned"}, ("abpm_or_home_done", "hypertension_referral")),
        ("care plan, maximal treatment, monitoring invitation", {"evidence", "banned"}, ("hypertension_admin",)),
        ("averages", {"evidence", "lagged"}, (*ABPM, *HOME)),
        ("raised findings", {"allowed"}, ("bp_raised_finding",)),
        ("practice values", {"allowed"}, ("systolic_clinic", "diastolic_clinic")),
        ("antihypertensives", {"evidence", "banned"},
         ("drug_ace_inhibitor", "drug_arb", "drug_ccb", "drug_thiazide", "drug_beta_blocker", "drug_alpha_blocker",
          "drug_central_antihypertensive")),
        ("antihypertensives with another use", {"banned"}, ("drug_mra", "drug_loop", "drug_vasodilator")),
        ("QRISK", {"banned"}, ("qrisk",)),
        ("LVH", {"lagged"}, ("lvh",)),
    ],
    "atrial_fibrillation": [
        ("ECG and monitor", {"pending", "lagged"}, ("ecg_done", "ambulatory_ecg")),
        ("clinic referral", {"pending", "banned"}, ("af_referral",)),
        ("ECG that shows it", {"evidence", "banned"}, ("ecg_af_finding",)),
        ("medicines", {"evidence", "banned"}, ("drug_anticoagulant", "drug_digoxin", "drug_flecainide_propafenone")),
        ("rhythm medicines that no rule counts", {"banned"}, ("drug_antiarrhythmic",)),
        ("monitoring and review", {"evidence", "banned"}, ("af_admin",)),
        ("irregular pulse", {"banned"}, ("irregular_pulse",)),
        ("stroke or TIA", {"lagged"}, ("stroke_tia", "recent_stroke_tia")),
    ],
    "copd": [
        ("spirometry asked for or missed", {"pending", "banned"}, ("spirometry_referral",)),
        ("spirometry done", {"pending", "lagged"}, ("spirometry_procedure",)),
        ("reversibility", {"lagged"}, ("spirometry_done", "reversibility_test")),
        ("obstruction", {"evidence", "banned"},
         ("fev1_fvc_obstructed", "fev1_fvc_post_obstructed", "ratio_abnormal_finding")),
        ("antimuscarinics", {"evidence", "banned"}, ("lama_containing",)),
        ("their parts", {"banned"}, ("drug_lama", "drug_laba_lama", "drug_triple")),
        ("review and monitoring", {"evidence", "banned"}, ("copd_admin",)),
        ("reliever", {"lagged"}, ("drug_saba",)),
        ("steroids, mucolytic, theophylline", {"lagged"},
         ("drug_ics", "drug_ics_laba", "drug_carbocisteine", "drug_theophylline")),
        ("help to stop smoking", {"lagged"}, ("drug_smoking_cessation",)),
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return read_definitions(ROOT)


@pytest.mark.parametrize(("condition", "item"), [(name, item) for name, items in ITEMS.items() for item in items])
def test_an_item_of_the_register_is_handled_as_the_specification_says(definitions, condition, item):
    _, handling, signals = item
    model = definitions.models[condition]
    for signal in signals:
        (entry,) = [leak for leak in model.leakage if signal in leak.signals]
        assert set(entry.handling) == handling, signal
        assert entry.why.endswith(".")
        assert "specification" in entry.source.lower()


@pytest.mark.parametrize("condition", ITEMS)
def test_the_label_and_what_takes_it_back_are_banned_by_name(definitions, condition):
    model = definitions.models[condition]
    assert {model.register_.diagnosis, model.register_.resolved, model.outcome.diagnosis} <= set(model.banned)


@pytest.mark.parametrize("condition", ITEMS)
def test_how_often_somebody_comes_is_on_record_as_weighed(definitions, condition):
    model = definitions.models[condition]
    assert "contact" in model.leaking("allowed")
    assert model.attendance
    for name in model.attendance:
        assert name in model.features
