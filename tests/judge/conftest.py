"""Made-up predictions: rows of people at practices, whose true chances are known."""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest

from casefinding.judge.judgement import Judgement, judge
from casefinding.judge.truth import Truth


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


def make_beside(people=2400, practices=3, seed=0, intercept=-1.5, places=12, shipped="graded") -> Made:
    """One index day, with the four ways of learning, a refit, a score with gaps, evidence and rules."""
    made = make(people=people, days=1, practices=practices, seed=seed, intercept=intercept, places=places)
    rng = np.random.default_rng([seed, 5])
    table, n = made.out_of_fold, made.out_of_fold.num_rows
    at = np.log(table["chance"].to_numpy() / (1 - table["chance"].to_numpy()))

    def way(noise, shift=0.0):
        return 1 / (1 + np.exp(-(at + shift + noise * rng.normal(size=n))))

    ways = {
        "chance_coded": way(1.5, -1),
        "chance_verified": way(0.8),
        "chance_verified_weighted": way(0.7),
        "chance_graded": way(0.3),
    }
    seen = rng.random(n) < 0.4
    share = np.clip(np.round(rng.beta(1 + 3 * table["chance"].to_numpy(), 3), 2), 0, 1)
    rank = np.full(n, np.nan)
    ruled = rng.choice(n, n // 50, replace=False)
    rank[ruled] = rng.permutation(len(ruled)) // 2 + 1.0  # some share a place
    points = np.where(rng.random(n) < 0.3, np.nan, np.round(4 * at))
    case = np.where(table["weight"].to_numpy() > 0, table["case"].fill_null(0).to_numpy(), 0)
    more = {
        **ways,
        "chance_refit_1": way(2.0),
        "score_points": points,
        "verified": seen.astype(np.int8),
        "evidence": np.where(seen, share, np.nan),
        "verify_weight": np.where(seen, 0.5 + rng.random(n), 0.0),
        "rule_rank": rank,
    }
    table = made.changed(case=case.astype(np.int8), chance=ways.get(f"chance_{shipped}", way(0.1)))
    for name, values in more.items():
        table = table.append_column(name, pa.array(values))
    contacts = pa.array(np.where(rng.random(n) < 0.02, np.nan, rng.poisson(2, n)))
    groups = made.groups.set_column(made.groups.column_names.index("contacts"), "contacts", contacts)
    return Made(table, groups, made.capacity, made.people)


def make_truth(made: Made, ill: np.ndarray) -> Truth:
    """A truth in which these rows' people are ill and uncoded, the others well."""
    names = dict(zip(made.people["person"].to_pylist(), made.people["pseudonym"].to_pylist(), strict=True))
    number = made.out_of_fold["person"].to_numpy()[ill]
    return Truth(
        pa.table(
            {
                "pseudonym": [names[person] for person in number],
                "condition": ["x"] * len(number),
                "onset_on": [dt.date(2018, 1, 1)] * len(number),
                "coded_on": pa.array([None] * len(number), pa.date32()),
                "state": ["never measured"] * len(number),
            }
        )
    )


@pytest.fixture(scope="session")
def beside_maker():
    return make_beside


@pytest.fixture(scope="session")
def truth_maker():
    return make_truth


@dataclass
class Judged:
    made: Made
    ill: np.ndarray
    found: Judgement


@pytest.fixture(scope="session")
def beside() -> Judged:
    """2,400 people judged in every way there is, a fifth or so of them ill."""
    made = make_beside()
    chance = made.out_of_fold["raw"].to_numpy()
    ill = np.random.default_rng(3).random(len(chance)) < 1 / (1 + np.exp(-chance))
    found = judge(
        "x", made.out_of_fold, capacity=made.capacity, bootstrap=40, seed=1, groups=made.groups,
        truth=make_truth(made, ill), people=made.people,
    )  # fmt: skip
    return Judged(made, ill, found)
