"""What counts as treated once a condition is known: the last stage of the funnel, asked of worked records."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from casefinding.definitions.read import read_definitions
from casefinding.definitions.shapes import Entry, Person, features_in
from casefinding.rules.evaluate import evaluate
from casefinding.signals.examples import Case, matrix_of

ROOT = Path(__file__).parents[2]
INDEX = dt.date(2024, 1, 1)
HALF_A_YEAR, A_YEAR = dt.date(2023, 7, 1), dt.date(2023, 1, 1)
TREATED = {
    "hypertension": (
        ("drug_ace_inhibitor", "drug_arb", "drug_ccb", "drug_thiazide", "drug_beta_blocker", "drug_alpha_blocker",
         "drug_central_antihypertensive", "drug_mra", "drug_vasodilator"),
        HALF_A_YEAR, ("drug_statin", "drug_loop", "systolic_clinic"),
    ),
    "atrial_fibrillation": (
        ("drug_anticoagulant",), HALF_A_YEAR, ("drug_antiplatelet", "drug_beta_blocker", "drug_digoxin"),
    ),
    "copd": (
        ("drug_saba", "drug_lama", "drug_laba", "drug_laba_lama", "drug_ics", "drug_ics_laba", "drug_triple"),
        A_YEAR, ("drug_prednisolone", "drug_antibiotic_lrti"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("condition", TREATED)
def test_each_treatment_counts_within_its_time_and_others_do_not(condition):
    definitions = read_definitions(ROOT)
    counts, since, others = TREATED[condition]
    cases = [(name, since, True) for name in counts]
    cases += [(name, since - dt.timedelta(days=1), False) for name in counts]
    cases += [(name, dt.date(2023, 12, 1), False) for name in others]
    cases += [(name, INDEX, False) for name in counts]  # on the index day itself nothing is seen
    treated = definitions.models[condition].treated
    assert treated is not None
    columns = matrix_of(
        definitions,
        list(features_in(treated)),
        [Case({name: (Entry(on=day),)}, Person(), INDEX) for name, day, _ in cases],
    )
    assert evaluate(treated, columns).tolist() == [wanted for _, _, wanted in cases]


def test_what_counts_as_treated_awaits_sign_off_as_an_open_question():
    asked = {question.name for question in read_definitions(ROOT).questions}
    assert {"treated_blood_pressure", "treated_af", "treated_copd"} <= asked
