"""Who the people are: age, sex, ethnicity, deprivation, practice, habits, and their hidden willingness to attend."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casefinding.synthetic.network import Network
from casefinding.synthetic.priors import (
    AGE_SHARE,
    DIED_SHARE,
    LEFT_SHARE,
    SMOKING_DEPRIVATION,
    SMOKING_NOW,
    WOMEN_SHARE,
)

NEVER = 2**30
"""A day that does not come."""

ETHNIC_GROUPS = ("white", "mixed", "asian", "black", "other")
# The 16 groups of the 2001 census: text as written in the extract, group, share within the group [M].
ETHNICITIES = (
    ("White British", 0, 0.88), ("White Irish", 0, 0.02), ("Other White", 0, 0.10),
    ("White and Black Caribbean", 1, 0.35), ("White and Black African", 1, 0.15), ("White and Asian", 1, 0.25),
    ("Other Mixed", 1, 0.25),
    ("Indian", 2, 0.40), ("Pakistani", 2, 0.22), ("Bangladeshi", 2, 0.16), ("Other Asian", 2, 0.22),
    ("Caribbean", 3, 0.28), ("African", 3, 0.60), ("Other Black", 3, 0.12),
    ("Chinese", 4, 0.35), ("Any other ethnic group", 4, 0.65),
)  # fmt: skip
_GROUP_SHARE = np.array([0.86, 0.025, 0.065, 0.035, 0.015])


@dataclass
class People:
    """One entry a person, in every array; days are days since 1970, NEVER where it does not happen."""

    n: int
    practice: np.ndarray
    woman: np.ndarray
    age: np.ndarray  # years on the last day of data (or that it would have been)
    birth: np.ndarray  # day, the first of a month
    group: np.ndarray  # position in ETHNIC_GROUPS
    ethnicity: np.ndarray  # position in ETHNICITIES
    ethnicity_known: np.ndarray
    decile: np.ndarray
    decile_known: np.ndarray
    smoking: np.ndarray  # 0 never, 1 ex, 2 current
    pack_years: np.ndarray
    quit_day: np.ndarray
    bmi: np.ndarray
    height: np.ndarray
    willingness: np.ndarray
    joined: np.ndarray  # first day of the first registration
    moved: np.ndarray  # day of a move to `second`
    second: np.ndarray
    left: np.ndarray
    died: np.ndarray
    seen_from: np.ndarray  # first day of the ten years on which this person lives
    seen_to: np.ndarray  # day after the last one on which there can be an event

    def age_at(self, person: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Age in years of `person` (positions) on `day` (float32)."""
        return (day - self.birth[person]).astype(np.float32) / np.float32(365.25)


def draw_people(rng: np.random.Generator, n: int, network: Network, evenly: bool = False) -> People:
    """Draw n people of the network; `evenly` spreads them over the age bands alike (to pin curves)."""
    practices, end = network.practices, network.end
    share = AGE_SHARE / (1 - DIED_SHARE)
    band = rng.choice(9, n, p=np.full(9, 1 / 9) if evenly else share / share.sum())
    low = np.array([0, 16, 25, 35, 45, 55, 65, 75, 85])[band]
    width = np.array([16, 9, 10, 10, 10, 10, 10, 10, 1])[band]
    age = low + rng.random(n) * width
    age = np.where(band == 8, np.minimum(85 + rng.exponential(4.5, n), 104), age)
    birth_day = end - (age * 365.25).astype(np.int64)
    months = birth_day.astype("datetime64[D]").astype("datetime64[M]")
    birth = months.astype("datetime64[D]").astype(np.int64).astype(np.int32)

    woman = rng.random(n) < WOMEN_SHARE[band]
    practice = rng.choice(len(practices.code), n, p=practices.size).astype(np.int16)
    decile = np.clip(np.rint(rng.normal(practices.decile[practice], 1.9)), 1, 10).astype(np.int8)
    youth = np.exp(np.clip((45 - age) * 0.02, -0.8, 0.5))
    minority = practices.minority[practice] * youth
    minority = minority * (1 - _GROUP_SHARE[0]) / (minority * (1 - _GROUP_SHARE[0]) + _GROUP_SHARE[0])
    other = rng.choice(np.arange(1, 5), n, p=_GROUP_SHARE[1:] / _GROUP_SHARE[1:].sum())
    group = np.where(rng.random(n) < minority, other, 0).astype(np.int8)
    ethnicity = np.zeros(n, dtype=np.int8)
    within = rng.random(n)
    for number in range(5):
        members = [i for i, row in enumerate(ETHNICITIES) if row[1] == number]
        edges = np.cumsum([ETHNICITIES[i][2] for i in members])
        here = group == number
        ethnicity[here] = np.array(members)[np.minimum(np.searchsorted(edges, within[here]), len(members) - 1)]

    logit = np.log(SMOKING_NOW / (1 - SMOKING_NOW)) - SMOKING_DEPRIVATION * (decile - 5.5)
    logit = logit + np.where(woman, -0.15, 0.15) + np.where((group == 2) & woman, -1.2, 0)
    logit = logit + np.interp(age, [16, 25, 50, 60, 75, 90], [-0.3, 0.25, 0.15, 0, -0.7, -1.4])
    current = rng.random(n) < 1 / (1 + np.exp(-logit))
    ex_share = np.interp(age, [16, 25, 40, 60, 75, 90], [0.02, 0.10, 0.24, 0.33, 0.42, 0.42])
    ex_share = ex_share * np.where(woman, 0.85, 1.12) * np.where((group == 2) & woman, 0.3, 1) * (1.25 - 0.045 * decile)
    smoking = np.where(current, 2, np.where(rng.random(n) < ex_share, 1, 0)).astype(np.int8)
    smoking[age < 16] = 0
    years = np.maximum(age - 17, 0) * np.where(smoking == 2, 1.0, rng.beta(2, 2.5, n))
    pack_years = np.where(smoking > 0, np.clip(years * rng.gamma(3, 0.22, n), 0.1, 120), 0)
    quit_day = np.where(smoking == 1, birth + ((17 + years) * 365.25).astype(np.int64), NEVER).astype(np.int32)

    bmi = 27.4 + 5.2 * rng.gamma(6, 1 / np.sqrt(6), n) - 5.2 * np.sqrt(6) + 0.12 * (5.5 - decile)
    bmi = np.clip(bmi + np.interp(age, [16, 30, 50, 70, 90], [-3.5, -1.0, 0.7, 0.5, -2.0]), 15, 60)
    height = np.clip(np.where(woman, rng.normal(162, 6.5, n), rng.normal(176, 7, n)), 135, 208)
    willingness = rng.normal(0, 1, n)

    joined, moved, second, left, died = _registrations(rng, n, band, birth, practice, network)
    return People(
        n=n, practice=practice, woman=woman, age=age, birth=birth, group=group, ethnicity=ethnicity,
        ethnicity_known=rng.random(n) < 0.86 + 0.08 * (age > 40), decile=decile, decile_known=rng.random(n) < 0.99,
        smoking=smoking, pack_years=pack_years, quit_day=quit_day, bmi=bmi, height=height, willingness=willingness,
        joined=joined, moved=moved, second=second, left=left, died=died,
        seen_from=np.maximum(birth, network.start).astype(np.int32),
        seen_to=np.minimum(np.minimum(died, left), end + 1).astype(np.int32),
    )  # fmt: skip


def _registrations(
    rng: np.random.Generator, n: int, band: np.ndarray, birth: np.ndarray, practice: np.ndarray, network: Network
) -> tuple[np.ndarray, ...]:
    """Joining, moving between practices, leaving, dying: days, in an order that can be."""
    start, end = network.start, network.end
    span = end - start
    newcomer = rng.random(n) < np.array([0.2, 0.3, 0.32, 0.24, 0.14, 0.10, 0.08, 0.08, 0.10])[band]
    joined = np.where(newcomer, start + rng.random(n) * (span - 30), start - 30 - rng.random(n) * 9000).astype(np.int32)
    joined = np.maximum(joined, birth + 20).astype(np.int32)
    joined = np.minimum(joined, end - 5).astype(np.int32)
    fate = rng.random(n)
    when = (
        np.maximum(joined, start) + 30 + rng.random(n) * np.maximum(end - np.maximum(joined, start) - 30, 1)
    ).astype(np.int32)
    when = np.minimum(when, end)
    died = np.where(fate < DIED_SHARE[band], when, NEVER).astype(np.int32)
    left = np.where((fate >= DIED_SHARE[band]) & (fate < DIED_SHARE[band] + LEFT_SHARE[band]), when, NEVER).astype(
        np.int32
    )
    move = (fate > 0.94) & (end - np.maximum(joined, start) > 400) & (len(network.practices.code) > 1)
    moved = np.where(move, np.maximum(joined, start) + 200 + (when - np.maximum(joined, start)) // 2, NEVER)
    second = (practice + 1 + rng.integers(0, max(len(network.practices.code) - 1, 1), n)) % len(network.practices.code)
    return joined, np.minimum(moved, NEVER).astype(np.int32), second.astype(np.int16), left, died
