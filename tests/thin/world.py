"""Thin records with a truth of their own: one contact a person, as a national health examination survey has them.

Age, sex, ethnicity, deprivation, body mass index, smoking, bloods, pulse, a few diagnoses told by a doctor; a blood
pressure (or a ratio of spirometry) for a part of the people only. Whether somebody is ill follows a logistic model of
age, sex, body mass index, diabetes, smoking and ethnicity; whether a doctor ever told them, and whether they were
measured, hangs on how often they attend (seldom 25%, often 70%). None of it is taken from `casefinding/synthetic/`.

By hand: `python -m tests.thin.world A FOLDER` writes FOLDER/extract, FOLDER/config.yaml and FOLDER/truth.parquet.
"""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

THROUGH = dt.date(2024, 12, 31)
INDEX = dt.date(2025, 1, 1)
FIRST = np.datetime64("2010-01-01")

PRESSURE, LUNGS = "hypertension", "copd"
GAP = {PRESSURE: 90, LUNGS: 181}  # days; the earliest day of a test after the day of the features, in designs that wait
HORIZON = {PRESSURE: 365, LUNGS: 731}
TEST = {PRESSURE: "blood pressure check", LUNGS: "spirometry"}

CODES = {
    "systolic": ("271649006", "Systolic pressure", "mmHg"),
    "diastolic": ("271650006", "Diastolic pressure", "mmHg"),
    "ratio": ("407603001", "FEV1/FVC after a bronchodilator", ""),
    "bmi": ("60621009", "BMI", "kg/m2"),
    "hba1c": ("999791000000106", "HbA1c, IFCC", "mmol/mol"),
    "cholesterol": ("1005671000000105", "Cholesterol, serum", "mmol/L"),
    "hdl": ("1005681000000107", "HDL, serum", "mmol/L"),
    "egfr": ("1011481000000105", "eGFR, CKD-EPI creatinine", "mL/min/1.73m2"),
    "pulse": ("78564009", "Pulse rate", "/min"),
    "smokes": ("77176002", "Smokes", ""),
    "smoked": ("8517006", "Used to smoke", ""),
    "never": ("266919005", "Has not smoked, ever", ""),
    "diabetes": ("44054006", "Diabetes, type 2", ""),
    "heart": ("53741008", "Coronary artery disease", ""),
    "statin": ("39733211000001101", "Atorvastatin 20mg tablets", ""),
    "contact": ("185202000", "Seen at the surgery", ""),
    PRESSURE: ("10725009", "Benign hypertension", ""),
    LUNGS: ("13645005", "COPD", ""),
}
GROUPS = ("white", "black", "asian", "mixed", "other")
BLOODS = ("hba1c", "cholesterol", "hdl", "egfr")


@dataclass(frozen=True)
class Design:
    """How the records of the same people are laid out in time and space."""

    about: str
    condition: str = PRESSURE
    people: int = 6_000
    practices: int = 6  # codes at random: nothing in a record hangs on them
    waits: bool = True  # the test comes after gap, within the horizon; else everything is of one day
    one_day: bool | None = None  # one day of the features for everyone; default: where the test `waits`
    coded_later: float = 0.25  # of the ill who were measured, the share given a code after it, within the horizon
    told: Literal["before", "within", "not"] = (
        "before"  # when those told get their code: years ago, in the horizon, never
    )
    told_measured: float = 0.0  # of those told within the horizon, the share with a test in it (treated, so lower)
    visits: bool = False  # further contacts of the year before, by attendance; else one contact each
    held_back: float = 0.0  # share of people whose one contact is just before the index day, unmeasured
    without: tuple[str, ...] = ()  # kinds of event never recorded
    registered_years: float = 15.0  # before the day of the features
    times: int = 1
    measured: tuple[float, float] = (0.25, 0.70)  # chance of being measured: seldom, often


NO_LIFE_STYLE = ("smokes", "smoked", "never", *BLOODS)
BARE = (*NO_LIFE_STYLE, "bmi", "pulse", "diabetes", "heart", "statin", "contact")
LUNG = {"condition": LUNGS, "people": 8_000, "measured": (0.15, 0.45)}

DESIGNS = {
    "A": Design("features on one day, the test months later"),
    "A3": Design("as A, with the usual three index days (two of which hold nothing)", times=3),
    "A+": Design("as A, with the visits of the year before", visits=True),
    "B": Design("everything on one day, days over a year", waits=False),
    "B3": Design("as B, with the usual three index days", waits=False, times=3),
    "B0": Design("as B, everyone on the very same day, nobody coded", waits=False, one_day=True, coded_later=0.0),
    "C": Design("as A, one practice", practices=1),
    "CD": Design(
        "one practice, nobody coded in a horizon, days over months", practices=1, coded_later=0.0, one_day=False
    ),
    "D": Design("as A, nobody coded in any horizon", coded_later=0.0),
    "D0": Design("as D, and nobody coded at all", coded_later=0.0, told="not"),
    "E": Design("spirometry instead of pressure", **LUNG),
    "E1": Design("as E, everything on one day", waits=False, **LUNG),
    "F": Design("as A, no smoking and no bloods ever recorded", without=NO_LIFE_STYLE),
    "F0": Design("age, sex and ethnicity, a test for some: nothing else", without=BARE),
    "G": Design("as A, registered on the day of the contact", registered_years=0.0),
    "T": Design("as A, and those told are coded within the horizon, without a test", told="within"),
    "T+": Design("as T, half of those told with a test, treated", told="within", told_measured=0.5),
    "H": Design("as D, a third held back, their contact is just before the index day", coded_later=0.0, held_back=0.33),
}


@dataclass(frozen=True)
class People:
    """Arrays over people; `usual` is the pressure or the ratio that tests scatter about."""

    age: np.ndarray
    man: np.ndarray
    ethnicity: np.ndarray
    imd: np.ndarray
    bmi: np.ndarray
    smoking: np.ndarray  # 0 never, 1 ex, 2 current
    diabetes: np.ndarray
    heart: np.ndarray
    seldom: np.ndarray
    ill: np.ndarray
    usual: np.ndarray
    told: np.ndarray


def make_people(design: Design, rng: np.random.Generator) -> People:
    """Draw people, their illness, and whether a doctor ever told them."""
    n = design.people
    if design.condition == PRESSURE:
        age = np.clip(rng.gamma(6.0, 5.0, n) + 17, 18, 88).round()
    else:
        age = rng.integers(35, 86, n).astype(float)
    man = rng.random(n) < 0.49
    ethnicity = rng.choice(GROUPS, n, p=[0.55, 0.2, 0.15, 0.05, 0.05])
    imd = rng.integers(1, 11, n)
    bmi = np.clip(rng.normal(27.5 + 0.02 * (age - 45) - 0.12 * (imd - 5), 5, n), 16, 55).round(1)
    smoking = np.where(rng.random(n) < 0.30 - 0.02 * (imd - 5), 2, np.where(rng.random(n) < 0.35, 1, 0))
    diabetes = rng.random(n) < _chance(-5.6 + 0.045 * age + 0.07 * (bmi - 27) + 0.6 * (ethnicity == "asian"))
    heart = rng.random(n) < _chance(-8.5 + 0.085 * age + 0.5 * man + 0.4 * (smoking > 0))
    often = 0.03 * (age - 45) - 0.7 * man + 1.2 * diabetes + 1.0 * heart - 0.3 * (smoking == 2)
    seldom = rng.random(n) < _chance(0.4 - often)
    if design.condition == PRESSURE:
        line = -1.7 + 0.055 * (age - 50) + 0.5 * man + 0.13 * (bmi - 27) + 0.9 * diabetes
        line = line + 0.5 * (smoking == 2) + 1.2 * (ethnicity == "black")
        slip = rng.logistic(0, 1, n)
        usual = np.clip(140 + 8.0 * (line + slip), 90, 230)
        told_line = 0.6 - 1.6 * seldom + 1.4 * diabetes + 1.6 * heart + 0.08 * (bmi - 29) + 0.025 * (age - 55)
        told_line = told_line - 0.6 * man - 0.5 * (smoking == 2) + 0.3 * (usual - 150) / 8
    else:
        line = -4.2 + 0.055 * (age - 55) + 0.3 * man + 1.3 * (smoking == 1) + 2.3 * (smoking == 2) - 0.06 * (bmi - 27)
        slip = rng.logistic(0, 1, n)
        usual = np.clip(0.70 - 0.035 * (line + slip), 0.30, 0.92)
        told_line = 0.2 - 1.8 * seldom + 0.5 * heart + 0.5 * (0.65 - usual) / 0.05
    ill = line + slip > 0
    told = ill & (rng.random(n) < _chance(told_line))
    return People(age, man, ethnicity, imd, bmi, smoking, diabetes, heart, seldom, ill, usual, told)


def write_world(name: str, folder: Path, seed: int = 1) -> Path:
    """Write `folder`/extract, /config.yaml, and /truth.parquet, which no command is shown; gives the config.

    The truth, one row a person: person, never_told, measured, seldom, ill, held_back, and what they are ill from.
    """
    design = DESIGNS[name]
    rng = np.random.default_rng(seed)
    people = make_people(design, rng)
    n, condition = design.people, design.condition
    told = people.told & (design.told != "not")
    measured = (rng.random(n) < np.where(people.seldom, *design.measured)) & ~told
    measured |= told & (rng.random(n) < design.told_measured)
    held = rng.random(n) < design.held_back
    measured &= ~held
    latest = np.datetime64(INDEX)
    if design.waits:
        first = latest - (GAP[condition] + HORIZON[condition] + 12)  # a few days inside the training index day
        day = first - (rng.integers(0, 150, n) if design.one_day is False else 0)
        day = np.where(held, latest - 10, day)
        tested = first + 12 + GAP[condition] + rng.integers(5, HORIZON[condition] - 90, n)
    else:
        day = latest - (30 if design.one_day else rng.integers(10, 375, n)) + np.zeros(n, int)
        tested = day
    ids = np.array([f"t{i:05d}" for i in rng.permutation(n)])  # the order of the ids says nothing
    events = _events(design, people, ids, day, tested, measured, told, rng)
    _write(folder, design, people, ids, day, events, rng)
    truth = {
        "person": ids, "never_told": ~told, "measured": measured, "seldom": people.seldom, "ill": people.ill,
        "held_back": held, "age": people.age.astype(float), "man": people.man.astype(float), "bmi": people.bmi,
        "diabetes": people.diabetes.astype(float), "heart": people.heart.astype(float), "imd": people.imd.astype(float),
        "smoked": (people.smoking == 1).astype(float), "smokes": (people.smoking == 2).astype(float),
        **{group: (people.ethnicity == group).astype(float) for group in GROUPS[1:]},
    }  # fmt: skip
    pq.write_table(pa.table(truth), folder / "truth.parquet")
    config = folder / "config.yaml"
    config.write_text(_config(design, folder), encoding="utf-8")
    return config


def _events(
    design: Design,
    people: People,
    ids: np.ndarray,
    day: np.ndarray,
    tested: np.ndarray,
    measured: np.ndarray,
    told: np.ndarray,
    rng: np.random.Generator,
) -> pa.Table:
    parts: list[pa.Table] = []
    n = len(ids)

    def put(kind: str, who: np.ndarray, when: np.ndarray, value: np.ndarray | None = None) -> None:
        if kind in design.without or not who.any():
            return
        code, term, unit = CODES[kind]
        rows = int(who.sum())
        text = [""] * rows if value is None else [f"{number:g}" for number in value[who]]
        columns = {
            "person": ids[who], "happened_on": _text(when[who]), "recorded_on": _text(when[who]),
            "system": ["dmd" if kind == "statin" else "snomed"] * rows, "code": [code] * rows,
            "term": [term] * rows, "value": text, "unit": [unit] * rows,
        }  # fmt: skip
        parts.append(pa.table(columns))

    everyone = np.ones(n, bool)
    put("contact", everyone, day)
    if design.visits:
        visits = np.where(people.seldom, rng.integers(0, 2, n), 2 + rng.poisson(3, n))
        for number in range(1, 9):
            put("contact", visits >= number, day - rng.integers(5, 330, n))
    put("bmi", rng.random(n) < 0.95, day, people.bmi)
    for level, kind in enumerate(("never", "smoked", "smokes")):
        put(kind, people.smoking == level, day)
    drawn = rng.random(n) < np.where(told, 0.98, 0.8)
    put("hba1c", drawn, day, (rng.normal(36, 3, n) + 18 * people.diabetes).round())
    put("cholesterol", drawn, day, np.clip(rng.normal(5.1, 1, n) - 0.8 * people.heart, 2, 9).round(1))
    put("hdl", drawn, day, np.clip(rng.normal(1.5, 0.3, n) - 0.02 * (people.bmi - 27), 0.5, 3).round(1))
    put("egfr", drawn, day, np.clip(rng.normal(118 - 0.7 * people.age, 12, n), 15, 140).round())
    put("pulse", rng.random(n) < 0.9, day, rng.normal(72, 10, n).round())
    past = day - rng.integers(400, 3000, n)
    put("diabetes", people.diabetes, past)
    put("heart", people.heart, past)
    put("statin", rng.random(n) < np.where(people.heart | people.diabetes, 0.7, np.where(told, 0.5, 0.03)), day)
    put(design.condition, told, past if design.told == "before" else np.minimum(tested, np.datetime64(THROUGH)))
    if design.condition == PRESSURE:
        pairs = rng.integers(1, 4, n)
        low = np.clip(82 + 0.35 * (people.usual - 135) + rng.normal(0, 4, n), 45, np.where(people.ill, 140, 88))
        for number in range(1, 4):
            who = measured & (pairs >= number)
            put("systolic", who, tested, (people.usual - 14 * told + rng.normal(0, 6, n)).round())
            put("diastolic", who, tested, (low - 6 * told + rng.normal(0, 3, n)).round())
    else:
        put("ratio", measured, tested, np.clip(people.usual + rng.normal(0, 0.02, n), 0.25, 0.95).round(3))
    coded = measured & ~told & people.ill & (rng.random(n) < design.coded_later)
    put(design.condition, coded, np.minimum(tested + 20, np.datetime64(THROUGH)))
    return pa.concat_tables(parts)


def _write(
    folder: Path,
    design: Design,
    people: People,
    ids: np.ndarray,
    day: np.ndarray,
    events: pa.Table,
    rng: np.random.Generator,
) -> None:
    extract = folder / "extract"
    extract.mkdir(parents=True, exist_ok=True)
    n = len(ids)
    born = (day.astype("datetime64[M]") - (people.age * 12).astype(int) - rng.integers(0, 12, n)).astype(str)
    codes = np.array([f"Y9{number:04d}" for number in range(1, design.practices + 1)])
    started = day - int(design.registered_years * 365)
    tables = {
        "person": {
            "person": ids, "birth_month": born, "sex": np.where(people.man, "male", "female"),
            "ethnicity": people.ethnicity, "imd_decile": people.imd.astype(str),
            "imd_vintage": ["2019"] * n, "died_on": [""] * n,
        },
        "registration": {
            "person": ids, "practice": codes[rng.integers(0, design.practices, n)],
            "started_on": _text(started), "ended_on": [""] * n,
        },
        "practice": {"practice": codes, "name": codes, "pcn": codes, "place": codes},
        "extract": {"data_through": [THROUGH.isoformat()], "kind": ["survey"]},
    }  # fmt: skip
    for name, columns in tables.items():
        pyarrow.csv.write_csv(pa.table(columns), extract / f"{name}.csv")
    pyarrow.csv.write_csv(events, extract / "event.csv")


def _config(design: Design, folder: Path) -> str:
    return (
        "network:\n  name: Survey (made up)\n"
        f"index day: {INDEX}\n"
        f"conditions: [{design.condition}]\n"
        f"records: {{kind: native, path: {folder / 'extract'}}}\n"
        f"training: {{times: {design.times}, every: 12 months, folds: 3}}\n"
        f"capacity: {{every practice: {{a month: {{{TEST[design.condition]}: 50}}, never measured share: 0.2}}}}\n"
        "bootstrap: 20\nseed: 7\n"
    )


def _chance(line: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-line))


def _text(days: np.ndarray) -> np.ndarray:
    return days.astype("datetime64[D]").astype(str)


if __name__ == "__main__":
    print(write_world(sys.argv[1], Path(sys.argv[2])))
