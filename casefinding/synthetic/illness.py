"""True disease: liability curves pinned to published prevalence, and from them the day on which each illness began.

Everybody has a fixed liability z (log odds from characteristics, plus a logistic draw). A curve a(age, sex) rises with
age; the person falls ill at the age where a(age) + z passes 0. Prevalence at any age is then the mean of
sigmoid(a + log odds), and the onset hazard is the slope of prevalence with age, in all ten years alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casefinding.synthetic.network import Network
from casefinding.synthetic.people import NEVER, People, draw_people
from casefinding.synthetic.priors import (
    AF_ODDS,
    CONDITIONS,
    COPD_ODDS,
    DIED_LOG_ODDS,
    EXCESS_DEATHS,
    HTN_ODDS,
    NODES,
    SYSTOLIC_PER_LOGIT,
    TRUE_PERCENT,
    band_of,
)

_AGES = np.concatenate([[16.0], NODES, [104.0]])

# Other illnesses: per cent by band (sexes together) [M, QOF-like], then log odds by characteristic.
OTHERS: dict[str, tuple[tuple[float, ...], dict[str, float]]] = {
    "diabetes": ((0.5, 1.2, 3, 6.5, 12, 17, 20, 17), {"bmi": 0.11, "asian": 1.0, "black": 0.6, "deprived": 0.05}),
    "ndh": ((0.6, 1.5, 4, 7, 10, 13, 13, 9), {"bmi": 0.07, "asian": 0.6, "deprived": 0.03}),
    "ckd3": ((0.05, 0.2, 0.5, 1.2, 3.5, 10, 22, 33), {"deprived": 0.03, "bmi": 0.02}),
    "ihd": ((0.02, 0.1, 0.4, 1.8, 4.5, 9.5, 15, 18), {"man": 0.8, "smoker": 0.5, "deprived": 0.06, "asian": 0.4}),
    "heart_failure": ((0.02, 0.05, 0.15, 0.4, 1, 2.3, 5.5, 12), {"man": 0.3, "bmi": 0.04, "deprived": 0.05}),
    "pad": ((0.01, 0.03, 0.1, 0.4, 1.2, 2.8, 4.5, 5), {"man": 0.4, "smoker": 1.1, "deprived": 0.06}),
    "asthma": ((8, 7.5, 6.5, 6.5, 6.5, 6.5, 6, 5), {"deprived": 0.03}),
    "hypothyroid": ((0.5, 1.5, 2.5, 4, 6, 8, 10, 11), {"man": -1.3}),
    "hyperthyroid": ((0.1, 0.2, 0.4, 0.5, 0.6, 0.8, 0.9, 1), {"man": -1.2}),
    "sleep_apnoea": ((0.1, 0.3, 0.8, 1.3, 1.7, 1.5, 1, 0.5), {"man": 0.8, "bmi": 0.15}),
    "dementia": ((0.01, 0.01, 0.02, 0.05, 0.3, 1.5, 7, 20), {}),
    "smi": ((0.4, 0.8, 1.2, 1.4, 1.4, 1.4, 1.4, 1.4), {"deprived": 0.1}),
    "learning_disability": ((0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5), {"man": 0.4, "deprived": 0.05}),
    "housebound": ((0.02, 0.03, 0.05, 0.1, 0.3, 0.8, 3, 12), {"deprived": 0.04}),
    "care_home": ((0.01, 0.01, 0.02, 0.05, 0.1, 0.4, 2.5, 13), {}),
    "palliative": ((0.02, 0.03, 0.05, 0.12, 0.3, 0.7, 1.6, 3.5), {"smoker": 0.4}),
    "bronchiectasis": ((0.02, 0.03, 0.05, 0.1, 0.3, 0.7, 1.2, 1.2), {}),
    "lung_cancer": ((0.01, 0.01, 0.01, 0.05, 0.15, 0.4, 0.5, 0.5), {"smoker": 2.2}),
    "homeless": ((0.3, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4), {"man": 0.8, "deprived": 0.3}),
    "interpreter": ((0.6, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8), {"asian": 2.2, "other": 2.2, "black": 1.2}),
    "lvh": ((0.01, 0.02, 0.05, 0.1, 0.3, 0.6, 1, 1.3), {"man": 0.4}),
    "fh_htn": ((3, 5, 8, 10, 12, 12, 12, 12), {}),
    "gestational_htn": ((0.8, 3, 5, 5.5, 5.5, 5.5, 5.5, 5.5), {"man": -30.0, "bmi": 0.06}),
}


@dataclass
class Illness:
    """Day of true onset by condition and by other illness (NEVER if not), and what follows from liability."""

    onset: dict[str, np.ndarray]
    chance: dict[str, np.ndarray]  # of being ill at the end, given age, sex and characteristics
    liability: np.ndarray  # z of hypertension
    white_coat: np.ndarray  # mmHg that this person's clinic readings stand above the usual level
    diastolic: np.ndarray  # this person's own diastolic deviation
    permanent: np.ndarray  # AF is present at every moment once begun
    symptomatic: np.ndarray  # AF is felt
    curves: Curves

    def ill(self, condition: str, person: np.ndarray, day: np.ndarray) -> np.ndarray:
        return self.onset[condition][person] <= day

    def systolic(self, people: People, person: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Usual untreated systolic pressure (mmHg) of persons on days, white-coat effect not included."""
        height = self.curves.at("hypertension", people.woman[person], people.age_at(person, day))
        return np.clip(140 + SYSTOLIC_PER_LOGIT * (height + self.liability[person]), 95, 215)


@dataclass(frozen=True)
class Curves:
    """Log odds by condition, sex (0 man, 1 woman) and age node, and the same made to rise with age."""

    exact: dict[str, np.ndarray]
    rising: dict[str, np.ndarray]

    def at(self, condition: str, woman: np.ndarray, age: np.ndarray, rising: bool = True) -> np.ndarray:
        table = (self.rising if rising else self.exact)[condition]
        return np.where(woman, np.interp(age, _AGES, table[1]), np.interp(age, _AGES, table[0]))


def _logit(share: np.ndarray) -> np.ndarray:
    share = np.clip(share, 5e-5, 0.995)
    return np.log(share / (1 - share))


def _pin(target: np.ndarray, age: np.ndarray, log_odds: np.ndarray) -> np.ndarray:
    """Node heights such that the mean of sigmoid(curve + log odds) over each band is the target share."""
    band = band_of(age)
    heights = _logit(target) - 0.3
    for _ in range(12):
        risk = 1 / (1 + np.exp(-(np.interp(age, _AGES, _outward(heights)) + log_odds)))
        mean = np.array([risk[band == number + 1].mean() for number in range(8)])
        heights = heights + (_logit(target) - _logit(mean))
    return _outward(heights)


def _outward(heights: np.ndarray) -> np.ndarray:
    """Add the ends, 16 and 104 years, by going on at the slope of the outer bands."""
    first = heights[0] - max(heights[1] - heights[0], 0) * 0.4
    return np.concatenate([[first], heights, [heights[-1] + max(heights[-1] - heights[-2], 0) * 0.5]])


def make_curves(network: Network) -> Curves:
    """Pin the curves of the three conditions on a pilot population of this network (the same for every shard)."""
    rng = np.random.default_rng(np.random.SeedSequence(network.seed, spawn_key=(2,)))
    pilot = draw_people(rng, 36_000, network, evenly=True)
    others = _others(rng, pilot)
    exact: dict[str, np.ndarray] = {}
    curves = Curves(exact, {})
    for condition in CONDITIONS:
        log_odds, target = _log_odds(condition, pilot, others), TRUE_PERCENT[condition]
        heights = []
        for woman in (False, True):
            here = (pilot.woman == woman) & (pilot.age >= 16)
            heights.append(_pin(np.array(target[0 if woman else 1]) / 100, pilot.age[here], log_odds[here]))
        exact[condition] = np.array(heights)
        climb = np.maximum.accumulate(exact[condition], axis=1) + 1e-6 * np.arange(len(_AGES))
        curves.rising[condition] = climb
        others[condition] = _onset(curves, condition, pilot, log_odds - _logit(rng.random(pilot.n)))
    return curves


def draw_illness(rng: np.random.Generator, people: People, curves: Curves) -> Illness:
    """Draw every illness of these people."""
    onset = _others(rng, people)
    chance: dict[str, np.ndarray] = {}
    liability = np.zeros(people.n)
    for condition in CONDITIONS:
        log_odds = _log_odds(condition, people, onset)
        z = log_odds - _logit(rng.random(people.n))
        z = z + DIED_LOG_ODDS[condition] * (people.died < NEVER)
        onset[condition] = _more_recent(rng, condition, people, _onset(curves, condition, people, z))
        height = curves.at(condition, people.woman, people.age, rising=False)
        chance[condition] = np.where(people.age >= 16, 1 / (1 + np.exp(-(height + log_odds))), 0.0)
        if condition == "hypertension":
            liability = z
    _strokes(rng, people, onset)
    n = people.n
    marked = rng.random(n) < 0.13
    return Illness(
        onset=onset,
        chance=chance,
        liability=liability,
        white_coat=np.where(marked, rng.uniform(6, 20, n), np.maximum(rng.normal(0.5, 1.5, n), -2)),
        diastolic=rng.normal(0, 4.5, n),
        permanent=rng.random(n) < 0.55,
        symptomatic=rng.random(n) < 0.6,
        curves=curves,
    )


def _onset(curves: Curves, condition: str, people: People, z: np.ndarray) -> np.ndarray:
    """The day on which curve + z passes 0: who is ill at the end by the exact curve, since when by the rising one."""
    now = curves.at(condition, people.woman, people.age, rising=False)
    shift = now - curves.at(condition, people.woman, people.age)  # below 0 where prevalence falls in old age
    ill = (now + z > 0) & (people.age >= 16)
    age = np.empty(people.n)
    for woman in (0, 1):
        here = people.woman == woman
        age[here] = np.interp(-(z + shift)[here], curves.rising[condition][woman], _AGES)
    later = ~ill & (people.age >= 16) & (-(z + shift) < np.where(people.woman, *curves.rising[condition][::-1, -1]))
    day = people.birth + (age * 365.25).astype(np.int64)
    return np.where(ill | later, day, NEVER).astype(np.int32)


def _more_recent(rng: np.random.Generator, condition: str, people: People, onset: np.ndarray) -> np.ndarray:
    """Those ill for long have died more often: among the living an illness is more recent than prevalence says."""
    excess = EXCESS_DEATHS[condition]
    if excess == 0:
        return onset
    end = people.birth + (people.age * 365.25).astype(np.int64)
    latest = end - (rng.exponential(1 / excess, people.n) * 365.25).astype(np.int64)
    return np.where(onset <= end, np.maximum(onset, latest), onset).astype(np.int32)


def _others(rng: np.random.Generator, people: People) -> dict[str, np.ndarray]:
    """Other illnesses, each by its own curve of age (adults), with the log odds of OTHERS."""
    traits = {
        "bmi": people.bmi - 27.5,
        "asian": people.group == 2,
        "black": people.group == 3,
        "other": people.group == 4,
        "deprived": 5.5 - people.decile,
        "man": ~people.woman,
        "smoker": people.smoking > 0,
    }
    average = {
        "bmi": 0.0, "asian": 0.1, "black": 0.05, "other": 0.02, "deprived": 0.0, "man": 0.5, "smoker": 0.45
    }  # fmt: skip
    onset: dict[str, np.ndarray] = {}
    for name, (percent, weights) in OTHERS.items():
        heights = _outward(_logit(np.array(percent) / 100))
        heights = np.maximum.accumulate(heights) + 1e-6 * np.arange(len(_AGES))
        z = -_logit(rng.random(people.n))
        for trait, weight in weights.items():
            z = z + weight * (traits[trait] - (average[trait] if abs(weight) < 10 else 0))
        age = np.interp(-z, heights, _AGES)
        early = -z <= heights[0]  # before 16: at some age of childhood or youth
        age = np.where(early, 3 + rng.random(people.n) * 13, age)
        happens = -z < heights[-1]
        onset[name] = np.where(happens, people.birth + (age * 365.25).astype(np.int64), NEVER).astype(np.int32)
    return onset


def _log_odds(condition: str, people: People, onset: dict[str, np.ndarray]) -> np.ndarray:
    """Log odds of a condition from what a person is and has by the end, by the tables of `priors`."""
    end = people.birth + (people.age * 365.25).astype(np.int64)
    has = {name: days <= end for name, days in onset.items()}
    black, asian, deprived = people.group == 3, people.group == 2, 5.5 - people.decile
    bmi = np.clip(people.bmi - 27.5, -8, 15)
    if condition == "hypertension":
        w = HTN_ODDS
        extra = w["diabetes"] * has["diabetes"] + w["ckd"] * has["ckd3"] + w["family_history"] * has["fh_htn"]
        extra = extra + w["gestational"] * has["gestational_htn"] + w["sleep_apnoea"] * has["sleep_apnoea"]
        return w["black"] * black + w["asian"] * asian + w["deprivation"] * deprived + w["bmi"] * bmi + extra
    if condition == "atrial_fibrillation":
        w = AF_ODDS
        extra = (
            w["hypertension"] * has["hypertension"] + w["heart_failure"] * has["heart_failure"] + w["ihd"] * has["ihd"]
        )
        extra = extra + w["hyperthyroid"] * has["hyperthyroid"] + w["sleep_apnoea"] * has["sleep_apnoea"]
        body = w["bmi"] * bmi + w["height"] * (people.height - np.where(people.woman, 162, 176))
        return (
            w["black"] * black
            + w["asian"] * asian
            + w["deprivation"] * deprived
            + w["ever_smoker"] * (people.smoking > 0)
            + body
            + extra
        )
    w = COPD_ODDS
    smoke = w["ex"] * (people.smoking == 1) + w["current"] * (people.smoking == 2)
    smoke = smoke + w["woman_ever_smoker"] * (people.woman & (people.smoking > 0))
    smoke = smoke + w["pack_years"] * np.minimum(people.pack_years, 60)
    return w["black"] * black + w["asian"] * asian + w["deprivation"] * deprived + smoke + w["asthma"] * has["asthma"]


def _strokes(rng: np.random.Generator, people: People, onset: dict[str, np.ndarray]) -> None:
    """First stroke or TIA: a yearly hazard that rises with age, threefold with true AF, half as much again with raised
    pressure; simulated over the last 25 years in steps of one."""
    first = np.full(people.n, NEVER, dtype=np.int64)
    end = people.birth + (people.age * 365.25).astype(np.int64)
    for back in range(25, 0, -1):
        day = end - back * 365
        age = (day - people.birth) / 365.25
        hazard = np.interp(age, [16, 40, 50, 60, 70, 80, 90], [1e-5, 2e-4, 7e-4, 0.0016, 0.004, 0.009, 0.016])
        hazard = hazard * np.where(onset["atrial_fibrillation"] <= day, 3.0, 0.85)
        hazard = hazard * np.where(onset["hypertension"] <= day, 1.5, 0.8) * np.exp(0.04 * (5.5 - people.decile))
        struck = (rng.random(people.n) < hazard) & (first == NEVER) & (age >= 16)
        first[struck] = (day + rng.integers(0, 365, people.n))[struck]
    kind = rng.random(people.n) < 0.35
    onset["tia"] = np.where(kind, first, NEVER).astype(np.int32)
    onset["stroke"] = np.where(~kind, first, NEVER).astype(np.int32)
