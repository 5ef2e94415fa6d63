"""Planted people: one for every rule of the catalogue, with a record made by hand, so that none can be lost unseen.

`planted.parquet` names them: pseudonym, kind ("rule", "fault" or "cell"), what (the rule's id or the reason).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from casefinding.synthetic.codes import CODES, C
from casefinding.synthetic.faults import NOTHING, Instead, plant_cells, plant_faults
from casefinding.synthetic.native import IMD_VINTAGE, TRUTH, schema, write_parquet
from casefinding.synthetic.network import Network
from casefinding.synthetic.pseudonyms import pseudonyms

FIRST_NUMBER = 1 << 40
"""Numbers of planted people start here, far from everybody else's."""
FAULTS = 48
"""Pseudonyms kept for planted faults."""
PLANTED = pa.schema([("pseudonym", pa.string()), ("kind", pa.string()), ("what", pa.string())])


@dataclass
class Plan:
    """A rule, the person and the record that meets it. Records are (key, days before the index day, value).

    The index day is the day after the last day of data. `truth`: condition that the person truly has, uncoded.
    """

    what: str
    age: int
    records: tuple[tuple[str, int, float | None], ...]
    sex: str = "female"
    ethnicity: str = "White British"
    truth: str = ""


def _bp(ago: int, systolic: float, diastolic: float) -> tuple[tuple[str, int, float | None], ...]:
    return (("sbp", ago, systolic), ("dbp", ago, diastolic), ("contact_seen", ago, None))


def _monthly(key: str, issues: int = 6, latest: int = 12) -> tuple[tuple[str, int, float | None], ...]:
    return tuple((key, latest + 28 * number, None) for number in range(issues))


_CALM = (*_bp(240, 124, 76), ("pulse", 240, 72.0), ("pulse_regular", 240, None))
_SMOKER = (("smoker", 700, None),)

RULES: tuple[Plan, ...] = (
    Plan("HTN-U1", 61, _bp(8, 192, 118), "male", truth="hypertension"),
    Plan("HTN-U1b", 58, (("sbp", 200, 186.0), ("contact_seen", 200, None)), truth="hypertension"),  # no diastolic
    Plan("HTN-U1c", 47, (("sbp", 500, 188.0), ("contact_seen", 500, None)), truth="hypertension"),
    Plan("HTN-U2", 66, (*_bp(70, 158, 96), ("sbp_abpm", 40, 176.0), ("dbp_abpm", 40, 112.0)), truth="hypertension"),
    Plan("HTN-U3", 31, (("pregnant", 120, None), *_bp(100, 118, 72), *_bp(9, 148, 94))),
    Plan(
        "HTN-U4", 54, (("health_check", 30, None), ("sbp", 30, 188.0), ("dbp", 30, 110.0)), "male",
        truth="hypertension",
    ),
    Plan("AF-U1", 73, (*_CALM, ("ecg", 50, None), ("ecg_af", 50, None)), "male", truth="atrial_fibrillation"),
    Plan("AF-U2", 76, (*_bp(30, 132, 78), ("pulse_irregular", 30, None)), truth="atrial_fibrillation"),
    Plan(
        "AF-U3", 79, (*_CALM, ("stroke", 100, None), ("ecg", 90, None), ("ecg_af", 90, None)),
        truth="atrial_fibrillation",
    ),
    Plan("COPD-U1", 62, (*_CALM, ("haemoptysis", 14, None), ("contact_symptom", 14, None))),
    Plan("COPD-U2", 69, (*_CALM, ("spo2", 10, 89.0), ("contact_symptom", 10, None)), "male"),
    Plan("COPD-U3", 58, (*_CALM, *_SMOKER, ("cough", 30, None), ("haemoptysis", 24, None)), "male"),
    Plan("HTN-1", 57, (*_bp(160, 152, 94), ("sbp_abpm", 120, 143.0), ("dbp_abpm", 120, 88.0)), truth="hypertension"),
    Plan(
        "HTN-2", 64, (*_bp(900, 156, 96), *_bp(60, 134, 80), *_monthly("amlodipine_5"), *_monthly("ramipril_5")),
        "male", truth="hypertension",
    ),
    Plan("HTN-3", 60, (*_bp(400, 150, 92), *_bp(90, 134, 82), ("htn_plan", 200, None)), truth="hypertension"),
    Plan("HTN-4", 55, _bp(60, 168, 102), "male", truth="hypertension"),
    Plan(
        "HTN-5", 52, (*_bp(100, 148, 92), ("diabetes", 1100, None), ("bmi", 100, 36.2)), ethnicity="African",
        truth="hypertension",
    ),
    Plan("HTN-6", 59, (*_bp(400, 148, 92), *_bp(60, 152, 90)), "male", truth="hypertension"),
    Plan("HTN-7", 50, _bp(90, 146, 88)),
    Plan("HTN-8", 57, (("contact_telephone", 800, None),), "male"),
    Plan("HTN-9", 39, (("gestational_htn_history", 2900, None), *_bp(800, 122, 76))),
    Plan("HTN-10", 51, (*_bp(500, 136, 86), ("bmi", 500, 33.1)), "male"),
    Plan(
        "HTN-11", 33, (*_bp(200, 150, 96), ("sbp_home", 150, 141.0), ("dbp_home", 150, 89.0)), "male",
        truth="hypertension",
    ),
    Plan("AF-1", 71, (*_CALM, *_monthly("apixaban")), truth="atrial_fibrillation"),
    Plan("AF-2", 74, (*_CALM, ("af_monitoring", 100, None)), "male", truth="atrial_fibrillation"),
    Plan("AF-3", 70, (*_CALM, ("af", 2200, None), ("af_resolved", 1100, None), *_monthly("apixaban"))),
    Plan("AF-4", 68, (*_CALM, ("stroke", 120, None)), "male"),
    Plan("AF-5", 72, (*_CALM, ("palpitations", 60, None), ("contact_symptom", 60, None))),
    Plan("AF-6", 73, (("contact_telephone", 300, None), ("sbp", 400, 128.0), ("dbp", 400, 74.0)), "male"),
    Plan("COPD-1", 61, (*_CALM, *_SMOKER, ("spirometry_post", 90, None), ("fev1_fvc_post", 90, 0.58)), truth="copd"),
    Plan("COPD-1b", 63, (*_CALM, *_SMOKER, ("ratio_abnormal", 120, None)), truth="copd"),
    Plan("COPD-2", 66, (*_CALM, *_SMOKER, *_monthly("tiotropium", 5)), "male", truth="copd"),
    Plan("COPD-3", 67, (*_CALM, *_SMOKER, ("copd_review", 100, None)), truth="copd"),
    Plan("COPD-4", 53, (*_CALM, *_SMOKER, ("cough", 200, None), *_monthly("beclometasone_formoterol", 2)), "male"),
    Plan(
        "COPD-5", 60,
        (
            *_CALM, *_SMOKER, ("lrti", 60, None), ("amoxicillin", 60, None), ("lrti", 250, None),
            ("doxycycline", 250, None),
        ),
    ),
    Plan("COPD-6", 50, (*_CALM, *_SMOKER, ("cough_chronic", 60, None)), "male"),
    Plan("COPD-7", 56, (*_CALM, *_SMOKER, *_monthly("salbutamol", 4))),
    Plan("COPD-8", 58, (*_CALM, *_SMOKER, ("pack_years", 700, 32.0), ("asthma", 2000, None)), "male"),
    Plan("COPD-9", 63, (*_CALM, *_SMOKER, ("bronchitis", 500, None), ("contact_symptom", 500, None))),
    Plan("AF-U2b", 77, (*_bp(600, 134, 76), ("pulse_irregular", 600, None), *_bp(90, 128, 74))),
    # Readings that cannot be right, and that would be urgent if they were: "check this reading".
    Plan("HTN-C1", 64, (("sbp", 35, 320.0), ("dbp", 35, 210.0), ("contact_seen", 35, None)), "male"),
    Plan("HTN-C2", 62, (*_bp(90, 138, 84), ("sbp_home", 45, 415.0), ("dbp_home", 45, 92.0))),
    Plan("COPD-C1", 65, (*_CALM, ("spo2", 9, 9.0), ("contact_symptom", 9, None))),
    Plan("HTN-U1a", 56, _bp(40, 188, 112), truth="hypertension"),
    Plan(
        "HTN-U2b", 63,
        (*_bp(90, 156, 94), ("sbp_home_told", 30, 182.0), ("sbp_home_told", 29, 178.0), ("sbp_home_told", 28, 162.0)),
        truth="hypertension",
    ),
    # A test under way whose result never came: chased.
    Plan("HTN-P1", 52, (*_bp(60, 148, 92), ("abpm_done", 30, None)), "male", truth="hypertension"),
    Plan("AF-P1", 70, (*_CALM, ("ecg", 45, None))),
    Plan("COPD-P1", 62, (*_CALM, *_SMOKER, ("spirometry_referral", 80, None)), "male"),
)  # fmt: skip


@dataclass
class Rows:
    """Native rows under way, as text."""

    tables: dict[str, list[dict[str, str | None]]] = field(
        default_factory=lambda: {"person": [], "registration": [], "event": [], "contact": []}
    )

    def person(self, name: str, birth: dt.date, sex: str, ethnicity: str, died: dt.date | None = None) -> None:
        self.tables["person"].append(
            {
                "person": name, "birth_month": birth.isoformat()[:7], "sex": sex, "ethnicity": ethnicity,
                "imd_decile": "5", "imd_vintage": IMD_VINTAGE, "died_on": died and died.isoformat(),
            }
        )  # fmt: skip

    def registration(self, name: str, practice: str, started: dt.date) -> None:
        self.tables["registration"].append({"person": name, "practice": practice, "started_on": started.isoformat()})

    def event(self, name: str, key: str, day: dt.date, value: float | None = None, instead: Instead = NOTHING) -> None:
        entry = CODES[C[key]]
        row = {
            "person": name, "happened_on": day.isoformat(), "recorded_on": day.isoformat(), "system": entry.system,
            "code": entry.id, "term": entry.term, "value": None if value is None else f"{value:g}",
            "unit": entry.unit or None,
        }  # fmt: skip
        self.tables["event"].append({**row, **instead})

    def table(self, name: str) -> pa.Table:
        return pa.Table.from_pylist(self.tables[name], schema=schema(name))


@dataclass(frozen=True)
class Planted:
    people: int
    events: int


def write_planted(
    folder: Path, truth_folder: Path, truth_file: pq.ParquetWriter, network: Network, end: dt.date
) -> Planted:
    """Write the planted people's parts, their truth, and planted.parquet."""
    rows, listed, truth = Rows(), [], []
    index = end + dt.timedelta(days=1)
    practices = network.practices.code
    names = pseudonyms(network.seed, FIRST_NUMBER + np.arange(len(RULES) + 64)).astype("U11").tolist()
    for number, plan in enumerate(RULES):
        name = names[number]
        birth = dt.date(index.year - plan.age - (1 if index.month < 4 else 0), 3, 1)
        rows.person(name, birth, plan.sex, plan.ethnicity)
        rows.registration(name, practices[number % len(practices)], index - dt.timedelta(days=365 * 14))
        for key, ago, value in plan.records:
            rows.event(name, key, index - dt.timedelta(days=ago), value)
        listed.append({"pseudonym": name, "kind": "rule", "what": plan.what})
        if plan.truth:
            onset = index - dt.timedelta(days=max(ago for _, ago, _ in plan.records) + 400)
            treated = plan.what in ("HTN-2", "AF-1", "COPD-2")
            truth.append(
                {
                    "pseudonym": name, "condition": plan.truth, "onset_on": onset, "coded_on": None,
                    "state": "treated but uncoded" if treated else "measured but uncoded", "willingness": 0.0,
                }
            )  # fmt: skip
    spare = names[len(RULES) :]
    for name, reason in plant_faults(rows, spare[:FAULTS], practices[0], end):
        listed.append({"pseudonym": name, "kind": "fault", "what": reason})
    for name, reason in plant_cells(rows, spare[FAULTS:], practices[0], end):
        listed.append({"pseudonym": name, "kind": "cell", "what": reason})
    for table in rows.tables:
        if rows.tables[table]:
            write_parquet(rows.table(table), folder / table / "part-planted.parquet")
    truth_file.write_table(pa.Table.from_pylist(truth, schema=TRUTH))
    write_parquet(pa.Table.from_pylist(listed, schema=PLANTED), truth_folder / "planted.parquet")
    return Planted(len({row["pseudonym"] for row in listed}), len(rows.tables["event"]))
