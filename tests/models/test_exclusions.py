"""The exclusions matrix (specification 1.2), row by row and lane by lane, asked of the engine on worked records.

A row is a state of the record; it says from which lanes the person is dropped, for each condition. T0 "act now", T1
"review the record", T2 "invite" (a rule), T3 the chance (the model), T4 "never measured". Every record here also holds
an urgent finding, so that T0 is not only allowed but seen to speak.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest

from casefinding.cohort.eligible import eligible
from casefinding.definitions.read import read_definitions
from casefinding.definitions.shapes import Definitions, Entry, Person
from casefinding.definitions.words import Span
from casefinding.recall.leave_out import leave_outs
from casefinding.recall.view import View
from casefinding.rules.evaluate import flag
from casefinding.signals.examples import Case, matrix_of

ROOT = Path(__file__).parents[2]
INDEX = dt.date(2024, 1, 1)
HTN, AF, COPD = "hypertension", "atrial_fibrillation", "copd"
CONDITIONS = (HTN, AF, COPD)
STAGES = {"T1": "review the record", "T2": "invite", "T3": "chance", "T4": "never measured", "learning": "training"}
URGENT = {
    HTN: {"systolic_clinic": {"2023-11-01": 200}},
    AF: {"ecg_af_finding": ["2023-06-01"]},
    COPD: {"haemoptysis": ["2023-12-20"]},
}
EVERYBODY = Person(born="1960-01")
MOTHER = Person(born="1992-01")

NONE: tuple[str, ...] = ()
FROM_T2 = ("T2", "T3", "T4")
FROM_T1 = ("T1", "T2", "T3", "T4")
PENDING = (*FROM_T2, "learning")
ALL_BUT_T0 = (*FROM_T1, "learning")


class Row(NamedTuple):
    """A state of the record, and what it drops a person from where that is not nothing."""

    about: str
    records: dict
    drops: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    person: Person = EVERYBODY
    status: str = "never"
    contact: tuple[str, str, str] | None = None  # kind, condition, day


def every(*lanes: str) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(CONDITIONS, lanes)


ROWS = [
    Row("nothing but the urgent finding", {}),
    # Palliative care: T0 stays, with its flag
    Row("palliative care", {"palliative": ["2023-06-01"]}, every(*ALL_BUT_T0)),
    Row("palliative care, later no longer indicated",
        {"palliative": ["2021-06-01"], "palliative_not_indicated": ["2022-06-01"]}),
    Row("palliative care again", {"palliative": ["2021-06-01", "2023-06-01"],
                                  "palliative_not_indicated": ["2022-06-01"]}, every(*ALL_BUT_T0)),
    # Dissent of this condition, and procedures declined: 12 months, this condition only
    Row("declined care for blood pressure", {"hypertension_dissent": ["2023-01-01"]}, {HTN: FROM_T2}),
    Row("declined care for blood pressure 366 days ago", {"hypertension_dissent": ["2022-12-31"]}),
    Row("declined a blood pressure check", {"bp_declined": ["2023-01-01"]}, {HTN: FROM_T2}),
    Row("declined a blood pressure check 366 days ago", {"bp_declined": ["2022-12-31"]}),
    Row("declined care for AF", {"af_declined": ["2023-01-01"]}, {AF: FROM_T2}),
    Row("declined care for AF 366 days ago", {"af_declined": ["2022-12-31"]}),
    Row("declined spirometry", {"spirometry_declined": ["2023-01-01"]}, {COPD: FROM_T2}),
    Row("declined spirometry 366 days ago", {"spirometry_declined": ["2022-12-31"]}),
    # Unsuitable: COPD only (the code is a yearly exception, so it counts for 12 months)
    Row("spirometry not suitable", {"spirometry_unsuitable": ["2023-01-01"]}, {COPD: FROM_T2}),
    Row("blood pressure care not suitable", {"hypertension_unsuitable": ["2023-06-01"]}),
    # Pregnant or up to 84 days after: blood pressure only
    Row("pregnant", {"pregnant": ["2023-09-01"]}, {HTN: ALL_BUT_T0}, MOTHER),
    Row("84 days after a birth", {"pregnant": ["2023-04-01"], "pregnancy_ended": ["2023-10-09"]},
        {HTN: ALL_BUT_T0}, MOTHER),
    Row("85 days after a birth", {"pregnant": ["2023-04-01"], "pregnancy_ended": ["2023-10-08"]}, {}, MOTHER),
    Row("pregnant more than 308 days ago, no end coded", {"pregnant": ["2023-02-26"]}, {}, MOTHER),
    # Work-up pending: chased, not ranked
    Row("monitoring 60 days ago, no average yet", {"abpm_or_home_done": ["2023-11-02"]}, {HTN: PENDING}),
    Row("monitoring 61 days ago", {"abpm_or_home_done": ["2023-11-01"]}),
    Row("a blood pressure clinic, no average yet", {"hypertension_referral": ["2023-12-01"]}, {HTN: PENDING}),
    Row("monitoring with its average", {"abpm_or_home_done": ["2023-11-02"], "systolic_abpm": {"2023-11-10": 150}},
        {HTN: ("learning",)}),  # an average over the line is evidence of its own
    Row("an ECG 90 days ago, not read", {"ecg_done": ["2023-10-03"]}, {AF: PENDING}),
    Row("an ECG 91 days ago, not read", {"ecg_done": ["2023-10-02"]}),
    Row("a monitor, not read", {"ambulatory_ecg": ["2023-12-01"]}, {AF: PENDING}),
    Row("a rhythm clinic, nothing since", {"af_referral": ["2023-12-01"]}, {AF: PENDING}),
    Row("an ECG that was read", {"ecg_done": ["2023-10-03"], "ecg_sinus": ["2023-10-04"]}),
    Row("spirometry asked for 183 days ago", {"spirometry_referral": ["2023-07-02"]}, {COPD: PENDING}),
    Row("spirometry asked for 184 days ago", {"spirometry_referral": ["2023-07-01"]}),
    Row("spirometry done, no ratio", {"spirometry_procedure": ["2023-12-01"]}, {COPD: PENDING}),
    Row("spirometry asked for, obstructed since",
        {"spirometry_referral": ["2023-07-02"], "fev1_fvc_post": {"2023-08-01": 0.6}}, {COPD: ("learning",)}),
    # Recently normal: T0 stays
    Row("a normal day average", {"systolic_abpm": {"2023-12-01": 128}, "diastolic_abpm": {"2023-12-01": 78}},
        {HTN: FROM_T2}),
    Row("a normal home average",
        {"systolic_home_average": {"2023-12-01": 128}, "diastolic_home_average": {"2023-12-01": 78}}, {HTN: FROM_T2}),
    Row("a normal day average 366 days ago",
        {"systolic_abpm": {"2022-12-31": 128}, "diastolic_abpm": {"2022-12-31": 78}}),
    Row("a normal day average, 160 in the practice since",
        {"systolic_abpm": {"2023-06-01": 128}, "diastolic_abpm": {"2023-06-01": 78}}),  # the urgent reading is later
    Row("a systolic average that is normal alone",
        {"systolic_abpm": {"2023-12-01": 128}, "diastolic_abpm": {"2023-12-01": 92}}, {HTN: ("learning",)}),
    Row("a monitor in sinus rhythm is said, not left out",
        {"ambulatory_ecg": ["2023-06-01"], "ecg_sinus": ["2023-06-03"]}),
    Row("a normal ratio after a bronchodilator", {"fev1_fvc_post": {"2022-06-01": 0.75}}, {COPD: FROM_T2}),
    Row("a normal ratio, and a symptom since", {"fev1_fvc_post": {"2022-06-01": 0.75}, "cough": ["2023-03-01"]}),
    Row("a normal ratio more than 24 months ago", {"fev1_fvc_post": {"2021-12-30": 0.75}}),
    Row("a normal ratio before a bronchodilator", {"fev1_fvc": {"2022-06-01": 0.75}}),
    # Invited by this programme
    Row("invited in the last 6 weeks", {}, {HTN: FROM_T2}, contact=("invited", HTN, "2023-12-01")),
    Row("invited for everything", {}, every(*FROM_T2), contact=("invited", "all", "2023-12-01")),
    Row("invited once, more than 6 weeks ago", {}, contact=("invited", HTN, "2023-03-01")),
    Row("seen in the last 12 months", {}, {HTN: FROM_T2}, contact=("seen", HTN, "2023-03-01")),
    Row("seen more than 12 months ago", {}, contact=("seen", HTN, "2022-12-31")),
    Row("declined the invitation", {}, {COPD: FROM_T2}, contact=("declined", COPD, "2023-03-01")),
    # Never excluded, routed differently
    *(Row(name, {name: ["2015-01-01"]}) for name in
      ("dementia", "frailty", "care_home", "housebound", "learning_disability", "smi", "interpreter", "homeless")),
    # Registered for less than 365 days: the model alone does not speak
    Row("registered 364 days ago", {}, every("T3"), Person(born="1960-01", registered=dt.date(2023, 1, 2))),
    Row("registered 365 days ago", {}, {}, Person(born="1960-01", registered=dt.date(2023, 1, 1))),
    # Resolved: the model alone does not speak
    Row("the diagnosis was resolved", {}, every("T3"), status="resolved"),
]  # fmt: skip


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return read_definitions(ROOT)


def entries(records: dict) -> dict[str, tuple[Entry, ...]]:
    return {
        name: tuple(
            Entry(on=dt.date.fromisoformat(day), value=None if isinstance(days, list) else days[day]) for day in days
        )
        for name, days in records.items()
    }


def view_of(definitions: Definitions, condition: str, rows: list[Row], urgent: bool = True) -> View:
    """What the engine knows of these people for one condition, each with a chance of one half."""
    model = definitions.models[condition]
    also = entries(URGENT[condition] if urgent else {})
    cases = [Case(_together(also, entries(row.records)), row.person, INDEX) for row in rows]
    names = [name for rule in model.rules for name in rule.features]
    names += [name for name in definitions.features_for(condition) if name not in names]
    columns = matrix_of(definitions, list(dict.fromkeys(names)), cases)
    said = [(number, *row.contact) for number, row in enumerate(rows) if row.contact]
    contacts = pa.table({
        "person": pa.array([one[0] for one in said], pa.int64()),
        "kind": pa.array([one[1] for one in said], pa.string()),
        "condition": pa.array([one[2] for one in said], pa.string()),
        "on": pa.array([dt.date.fromisoformat(one[3]) for one in said], pa.date32()),
    })  # fmt: skip
    held, drops = leave_outs(definitions, condition, columns, np.arange(len(rows)), contacts, INDEX)
    status = np.array([row.status for row in rows], dtype=object)
    base = pa.table({
        "person": pa.array(range(len(rows)), pa.int64()),
        "index_day": pa.array([INDEX] * len(rows), pa.date32()),
        "age": pa.array(columns["age"].astype(int)),
        "registered_on": pa.array([row.person.registered for row in rows], pa.date32()),
    })  # fmt: skip
    asked, _ = eligible(base, model, status)
    half = np.full(len(rows), 0.5)
    flags = flag(model, columns, status)
    return View(model, status, asked, flags, held, drops, definitions.leave_outs_for(condition), half, half)


def _together(one: dict[str, tuple[Entry, ...]], other: dict[str, tuple[Entry, ...]]) -> dict[str, tuple[Entry, ...]]:
    return {name: (*one.get(name, ()), *other.get(name, ())) for name in {**one, **other}}


def dropped(view: View) -> list[set[str]]:
    """For each person the lanes from which the engine drops them; T0 if nothing urgent is told of them any more."""
    found: list[set[str]] = [set() for _ in view.status]
    for lane, stage in STAGES.items():
        kept = view.allowed(stage) if lane != "T3" else ~np.isnan(view.ranked())
        for person in np.flatnonzero(~kept):
            found[person].add(lane)
    urgent = np.any(list(view.fired("act now").values()), axis=0)
    for person in np.flatnonzero(~urgent):
        found[person].add("T0")
    return found


@pytest.fixture(scope="module")
def asked(definitions) -> dict[str, tuple[View, list[set[str]]]]:
    views = {condition: view_of(definitions, condition, ROWS) for condition in CONDITIONS}
    return {condition: (view, dropped(view)) for condition, view in views.items()}


def expected(row: Row, condition: str) -> set[str]:
    lanes = set(row.drops.get(condition, ()))
    if condition == AF:
        lanes |= {"learning"}  # the urgent finding of AF is evidence: nobody who has it is learned from
    return lanes


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("number", range(len(ROWS)), ids=[row.about for row in ROWS])
def test_a_state_of_the_record_drops_from_the_lanes_of_the_matrix_and_from_no_other(asked, number, condition):
    row = ROWS[number]
    if row.person is MOTHER and condition == COPD:
        urgent = {"T0"}  # the urgent finding of COPD needs 40 years of age, the model 35
        assert asked[condition][1][number] == urgent | {"T3"} | expected(row, condition)
        return
    assert asked[condition][1][number] == expected(row, condition)


def test_nobody_but_an_opted_out_person_loses_an_urgent_finding(definitions):
    rows = [
        Row("opted out", {"opt_out": ["2020-01-01"]}),
        Row("opted out and back", {"opt_out": ["2020-01-01"], "opt_out_withdrawn": ["2021-01-01"]}),
    ]
    for condition in CONDITIONS:
        out, back = dropped(view_of(definitions, condition, rows))
        assert out == {"T0", "T1", "T2", "T3", "T4", "learning"}
        assert back == expected(rows[1], condition)


def test_several_states_at_once_drop_from_all_their_lanes_and_never_from_t0(definitions):
    together: dict = {}
    for row in ROWS:
        if row.person is EVERYBODY and not row.about.startswith(("palliative care, later", "a normal")):
            together |= row.records
    for condition in CONDITIONS:
        (found,) = dropped(view_of(definitions, condition, [Row("all at once", together)]))
        assert found == {"T1", "T2", "T3", "T4", "learning"}


def test_on_the_register_only_what_is_not_about_the_condition_is_told(definitions):
    rows = [Row("on the register", {"pregnant": ["2023-09-01"]}, person=MOTHER, status="on register"),
            Row("on the register", {}, status="on register")]  # fmt: skip
    allowed = {HTN: [{"HTN-U3"}, set()], AF: [set(), set()], COPD: [set(), {"COPD-U1"}]}
    for condition in CONDITIONS:
        view = view_of(definitions, condition, rows)
        told = [{rule for rule, who in view.flags.items() if who[person]} for person in range(2)]
        assert told == allowed[condition]
        assert np.isnan(view.ranked()).all()


def test_resolved_people_still_meet_the_rules_of_every_lane(definitions):
    records = {"bp_raised_finding": ["2015-01-01"], "hypertension_admin": ["2023-01-01"]}
    view = view_of(definitions, HTN, [Row("resolved", records, status="resolved")])
    for lane in ("act now", "review the record", "invite"):
        kept = view.allowed(lane) if lane != "act now" else np.any(list(view.fired(lane).values()), axis=0)
        assert kept.all()
    assert view.fired("review the record")["HTN-3"].all()
    without = Row("resolved, never measured", {}, status="resolved")
    view = view_of(definitions, COPD, [without])
    assert view.allowed("never measured").all()


TWICE = ["2023-09-01", "2023-11-01"]
EVIDENCE = {
    HTN: [{"hypertension_admin": ["2023-06-01"]}, {"systolic_abpm": {"2022-06-01": 135}},
          {"diastolic_abpm": {"2022-06-01": 85}}, {"systolic_home_average": {"2022-06-01": 135}},
          {"diastolic_home_average": {"2022-06-01": 85}},
          *({drug: TWICE, "drug_thiazide": TWICE, "systolic_clinic": {"2019-06-01": 140}} for drug in
            ("drug_ace_inhibitor", "drug_arb", "drug_ccb", "drug_beta_blocker", "drug_alpha_blocker",
             "drug_central_antihypertensive"))],
    AF: [{"ecg_af_finding": ["2015-06-01"]}, {"drug_anticoagulant": TWICE}, {"drug_digoxin": TWICE},
         {"drug_flecainide_propafenone": TWICE}, {"af_admin": ["2015-06-01"]}],
    COPD: [{"fev1_fvc": {"2015-06-01": 0.6}}, {"fev1_fvc_post": {"2015-06-01": 0.6}},
           {"ratio_abnormal_finding": ["2015-06-01"]}, {"lama_containing": TWICE}, {"copd_admin": ["2015-06-01"]}],
}  # fmt: skip


@pytest.mark.parametrize("condition", CONDITIONS)
def test_who_has_evidence_without_a_code_is_shown_and_never_learned_from(definitions, condition):
    """The items marked as evidence in the leakage register, each as a record."""
    rows = [Row("nothing", {}), *(Row(" ".join(records), records) for records in EVIDENCE[condition])]
    view = view_of(definitions, condition, rows, urgent=False)
    shown = np.any([who for lane in ("act now", "review the record") for who in view.fired(lane).values()], axis=0)
    assert shown.tolist() == [False, *(True for _ in rows[1:])]
    assert view.allowed("training").tolist() == [True, *(False for _ in rows[1:])]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_the_model_alone_asks_for_a_year_of_registration(definitions, condition):
    assert definitions.models[condition].eligible.registered == Span(days=365)


def test_who_still_appears_is_flagged_in_the_words_of_the_matrix(definitions):
    states = {one.name: one for condition in CONDITIONS for one in definitions.leave_outs_for(condition)}
    assert "discretion" in states["palliative"].note.lower()
    assert "maternity" in states["pregnant"].note.lower()
    for condition in CONDITIONS:
        own = {one.name: one for one in definitions.models[condition].leave_out}
        assert "chase the result" in own["work_up_pending"].note.lower()
        assert "offer again" in own["declined"].note.lower()
    for name in ("dementia", "frailty", "care_home", "housebound", "learning_disability", "smi"):
        assert states[name].note
        assert states[name].urgent_note
        assert not states[name].drop_from
