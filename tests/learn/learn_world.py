"""A made-up world with known coefficients: the definitions, and tables as the other rooms would hand them over."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from casefinding.definitions.config import Config
from casefinding.definitions.shapes import Definitions
from casefinding.definitions.words import ETHNICITIES
from casefinding.learn.fit import Trained, train

CONDITION = "hypertension"
DAYS = tuple(np.datetime64(f"{year}-07-01") for year in (2022, 2023, 2024))
FEATURES = ("age", "sex", "ethnicity", "sbp_latest", "bmi_latest", "visits", "noise_a", "noise_b")


def definitions(**learner: float) -> Definitions:
    """One condition that asks eight features, one of them a category, two with a direction."""

    def of(name: str, ask: str, signal: str, **more: object) -> dict[str, object]:
        return {"name": name, "label": name, "ask": ask, "of": signal, **more}

    features = [
        {"name": "age", "label": "Age", "ask": "age", "higher_means": "more likely"},
        {"name": "sex", "label": "Sex", "ask": "sex"},
        {"name": "ethnicity", "label": "Ethnicity", "ask": "ethnicity"},
        of("sbp_latest", "latest", "sbp", higher_means="more likely", within="5 years"),
        of("bmi_latest", "latest", "bmi"),
        of("visits", "count", "contact", higher_means="less likely"),
        of("noise_a", "days since latest", "contact"),
        of("noise_b", "days since first", "contact"),
    ]
    code = {"system": "snomed", "id": "271649006", "label": "Systolic blood pressure"}
    common = {"source": "test", "release": "1", "reviewed_by": "nobody"}
    lists = {name: {"name": name, "codes": [code], **common} for name in ("sbp", "bmi", "contact", "dx")}
    signals = {
        "sbp": {"name": "sbp", "label": "SBP", "codes": ["sbp"], "unit": "mmHg", "plausible": [60, 270]},
        "bmi": {"name": "bmi", "label": "BMI", "codes": ["bmi"], "unit": "kg/m2", "plausible": [10, 90]},
        "contact": {"name": "contact", "label": "Contact", "codes": ["contact"]},
        "dx": {"name": "dx", "label": "Diagnosis", "codes": ["dx"]},
    }
    model = {
        "condition": CONDITION, "label": "High blood pressure", "about": "", "test": "blood pressure check",
        "invite": "Invite", "chance_of": "of it", "register": {"diagnosis": "dx"},
        "outcome": {"diagnosis": "dx", "gap": "90 days", "horizon": "12 months"},
        "features": list(FEATURES), "learner": {"trees": 120, "fewest_cases": 50, **learner},
    }  # fmt: skip
    return Definitions.model_validate(
        {
            "codelists": lists,
            "signals": signals,
            "features": {str(one["name"]): one for one in features},
            "models": {CONDITION: model},
        }
    )


def config(**training: int) -> Config:
    return Config.model_validate(
        {
            "network": {"name": "Test network"},
            "index_day": dt.date(2026, 10, 1),
            "conditions": [CONDITION],
            "records": {"path": "nowhere"},
            "training": {"times": 3, "folds": 3, "threads": 2, **training},
            "seed": 7,
        }
    )


@dataclass
class World:
    """Row-aligned tables, and the true log-odds of each row."""

    matrix: pa.Table
    base: pa.Table
    outcomes: pa.Table
    true_log_odds: np.ndarray

    def rows(self, mask: np.ndarray) -> World:
        keep = pa.array(np.flatnonzero(mask))
        return World(self.matrix.take(keep), self.base.take(keep), self.outcomes.take(keep), self.true_log_odds[mask])


def world(people: int = 6000, *, practices: int = 6, shuffled: bool = False, seed: int = 1) -> World:
    """People asked on three days; logistic truth in age, sex, blood pressure, BMI, visits and one ethnicity."""
    rng = np.random.default_rng(seed)
    times = len(DAYS)
    person = np.repeat(np.arange(people, dtype=np.int64), times)
    day = np.tile(np.array(DAYS), people)
    age = np.repeat(rng.integers(18, 85, people), times) + np.tile(np.arange(times), people)
    sex = np.repeat(rng.integers(0, 2, people), times)
    ethnicity = np.repeat(rng.integers(0, len(ETHNICITIES), people), times)
    home = rng.integers(0, practices, people)
    n = people * times
    sbp, bmi = rng.normal(130, 15, n), rng.normal(27, 5, n)
    visits = rng.poisson(3, n).astype(float)
    true = (
        -2.2 + 0.03 * (age - 50) + 0.3 * (sex - 0.5) + 0.05 * (sbp - 130)
        + 0.06 * (bmi - 27) - 0.15 * (visits - 3) + 0.6 * (ethnicity == 4)
    )  # fmt: skip
    case = rng.random(n) < 1 / (1 + np.exp(-true))
    if shuffled:
        case = rng.permutation(case)
    noise = rng.normal(0, 100, (n, 2))
    noise[rng.random((n, 2)) < 0.4] = np.nan
    columns = [age, sex, ethnicity, sbp, bmi, visits, noise[:, 0], noise[:, 1]]
    matrix = pa.table(
        {"person": person, "index_day": pa.array(day, pa.date32())}
        | {name: np.asarray(values, dtype=np.float64) for name, values in zip(FEATURES, columns, strict=True)}
    )
    base = pa.table(
        {
            "person": person,
            "index_day": pa.array(day, pa.date32()),
            "practice": np.repeat([f"Y9900{k + 1}" for k in home], times),
            "age": pa.array(age, pa.int16()),
            "sex": np.where(sex == 1, "male", "female"),
        }
    )
    outcomes = pa.table(
        {
            "person": person,
            "index_day": pa.array(day, pa.date32()),
            "outcome": np.where(case, "case", "control"),
            "weight": np.where(case, 1.0, rng.uniform(1.0, 1.2, n)),
        }
    )
    return World(matrix, base, outcomes, true)


def trained_on(w: World, defs: Definitions | None = None, conf: Config | None = None, **more: object) -> Trained:
    return train(
        CONDITION, defs or definitions(), w.matrix, w.base, w.outcomes, conf or config(),
        data_digest="d" * 64, resolution={"sbp": ["snomed:271649006"]}, **more,
    )  # fmt: skip
