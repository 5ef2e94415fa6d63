"""Made-up predictions: rows of people at practices, whose true chances are known."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest


@dataclass
class Made:
    out_of_fold: pa.Table
    groups: pa.Table
    capacity: dict[str, int]
    people: pa.Table

    def changed(self, **columns) -> pa.Table:
        table = self.out_of_fold
        for name, values in columns.items():
            table = table.set_column(table.column_names.index(name), name, pa.array(values))
        return table


def make(people=600, days=2, practices=3, seed=0, intercept=-2.0, places=15) -> Made:
    rng = np.random.default_rng(seed)
    n = people * days
    person = np.repeat(np.arange(people), days) + 1000  # the store's numbers need not begin at 0
    day = pa.array([dt.date(2022 + number, 1, 1) for number in range(days)] * people)
    practice = np.repeat(rng.integers(0, practices, people), days)
    age = np.repeat(rng.integers(30, 95, people), days)
    signal = np.repeat(rng.normal(size=people), days) + 0.5 * rng.normal(size=n)
    by_age = intercept + 0.04 * (age - 60)
    true = 1 / (1 + np.exp(-(by_age + 1.2 * signal)))
    case = (rng.random(n) < true).astype(int)
    weight = np.where(rng.random(n) < 0.06, 0.0, 1 + 0.3 * rng.random(n))
    codes = [f"Y{99001 + number}" for number in practice]
    table = pa.table(
        {
            "person": person,
            "index_day": day,
            "practice": codes,
            "case": pa.array(case, mask=weight == 0),
            "weight": weight,
            "raw": by_age + 1.2 * signal,
            "chance": true,
            "chance_age_sex": 1 / (1 + np.exp(-by_age)),
            "chance_logistic": 1 / (1 + np.exp(-(by_age + 1.2 * signal + 0.5 * rng.normal(size=n)))),
        }
    )
    groups = pa.table(
        {
            "age": age,
            "sex": np.repeat(rng.choice(["female", "male", "unknown"], people, p=[0.5, 0.49, 0.01]), days),
            "ethnicity": np.repeat(rng.choice(["white", "asian", "black", "mixed", "other", "unknown"], people), days),
            "imd_decile": pa.array(np.repeat(rng.integers(1, 11, people), days), mask=rng.random(n) < 0.03),
            "practice": codes,
            "contacts": rng.poisson(2, n),
        }
    )
    numbers = np.unique(person)
    store = pa.table({"person": numbers, "pseudonym": [f"p{number:05d}" for number in numbers]})
    return Made(table, groups, {f"Y{99001 + number}": places for number in range(practices)}, store)


@pytest.fixture(scope="session")
def made() -> Made:
    return make()


@pytest.fixture(scope="session")
def maker():
    return make
