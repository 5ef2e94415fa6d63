"""What is measured: blood pressure with within-person noise and digit preference, pulse, body, habits, blood tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casefinding.synthetic.codes import C
from casefinding.synthetic.contacts import CHECK, CHEST, HEART, INFECTION, ROUTINE, Contacts, Habits
from casefinding.synthetic.events import Events
from casefinding.synthetic.illness import Illness
from casefinding.synthetic.network import Network
from casefinding.synthetic.people import People
from casefinding.synthetic.priors import BP_AT_CONTACT, WITHIN_PERSON_SD, band_of

_READING = (3.0, 0.0, -1.0)  # first reading of a visit stands higher


@dataclass
class Pressures:
    """Occasions on which blood pressure was taken in the practice; mmHg, as it would be without treatment."""

    person: np.ndarray
    day: np.ndarray
    systolic: np.ndarray  # level of the visit
    diastolic: np.ndarray
    noise: np.ndarray  # 3 readings x 2, on top of the level

    def take(self, keep: np.ndarray) -> Pressures:
        return Pressures(*(getattr(self, name)[keep] for name in Pressures.__dataclass_fields__))

    @staticmethod
    def join(parts: list[Pressures]) -> Pressures:
        return Pressures(
            *(np.concatenate([getattr(part, name) for part in parts]) for name in Pressures.__dataclass_fields__)
        )

    def settled(self, lowered: np.ndarray | float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """The lower of the last two readings of the visit."""
        second = self.noise[:, 1:, :].min(axis=1)
        return self.systolic - lowered + second[:, 0], self.diastolic - lowered * 0.55 + second[:, 1]


def usual_diastolic(
    people: People, illness: Illness, person: np.ndarray, day: np.ndarray, systolic: np.ndarray
) -> np.ndarray:
    """Usual diastolic pressure: goes with systolic, falls after the age of 58."""
    age = people.age_at(person, day)
    level = 76.0 + 0.42 * (systolic - 130) - 0.3 * np.maximum(age - 58, 0) + 2.0 * ~people.woman[person]
    return level + illness.diastolic[person]


def draw_pressures(
    rng: np.random.Generator, people: People, illness: Illness, person: np.ndarray, day: np.ndarray
) -> Pressures:
    """A visit's level is the usual one, this person's white-coat effect, and noise of SD 8 to 12 mmHg by person."""
    n = len(person)
    usual = illness.systolic(people, person, day)
    low, high = WITHIN_PERSON_SD
    own = low + (high - low) * ((person * 7919) % 1000) / 1000
    swing = rng.normal(0, 1, n) * own
    systolic = usual + illness.white_coat[person] + swing
    diastolic = usual_diastolic(people, illness, person, day, usual) + 0.45 * illness.white_coat[person] + 0.4 * swing
    diastolic = diastolic + rng.normal(0, 4, n)
    noise = rng.normal(0, 1, (n, 3, 2)).astype(np.float32) * np.array([4.0, 3.0], dtype=np.float32)
    noise += np.array(_READING, dtype=np.float32)[None, :, None] * np.array([1.0, 0.5], dtype=np.float32)
    return Pressures(person, day, systolic, diastolic, noise)


def pressure_chance(
    people: People, habit: Habits, person: np.ndarray, age: np.ndarray, pill: float = 0.10
) -> np.ndarray:
    """Chance that a routine face-to-face contact includes a blood pressure."""
    young_woman = people.woman[person] & (age >= 16) & (age < 42)
    return np.minimum((BP_AT_CONTACT[band_of(age)] + pill * young_woman) * habit.planned[person], 0.92)


def draw_occasions(
    rng: np.random.Generator, people: People, illness: Illness, habit: Habits, contacts: Contacts
) -> Pressures:
    """Blood pressures taken at contacts: a share of routine ones, every health check, many symptomatic ones."""
    age = people.age_at(contacts.person, contacts.day)
    chance = pressure_chance(people, habit, contacts.person, age)
    chance = np.select(
        [contacts.why == ROUTINE, contacts.why == CHECK, contacts.why == HEART],
        [chance, np.full(len(age), 0.98), chance + 0.3],
        default=chance * 0.35,
    )  # fmt: skip
    taken = contacts.face_to_face & (rng.random(len(age)) < chance)
    return draw_pressures(rng, people, illness, contacts.person[taken], contacts.day[taken])


def write_pressures(
    rng: np.random.Generator,
    people: People,
    network: Network,
    pressures: Pressures,
    lowered: np.ndarray,
    events: Events,
) -> None:
    """One to three pairs on the day: more are taken where the first is raised; digits are preferred by practice."""
    n = len(pressures.person)
    practices = network.practices
    practice = people.practice[pressures.person]
    round_to_ten = rng.random(n) < practices.digit[practice]
    sys_code = np.where(practices.style[practice] == 1, C["sbp_other"], C["sbp"])
    dia_code = np.where(practices.style[practice] == 1, C["dbp_other"], C["dbp"])
    taken = np.ones(n, dtype=bool)
    for number in range(3):
        systolic = np.clip(pressures.systolic - lowered + pressures.noise[:, number, 0], 72, 258)
        diastolic = np.clip(pressures.diastolic - 0.55 * lowered + pressures.noise[:, number, 1], 36, 148)
        diastolic = np.minimum(diastolic, systolic - 14)
        high = (systolic >= 140) | (diastolic >= 90)
        systolic = np.where(round_to_ten, np.rint(systolic / 10) * 10, np.rint(systolic / 2) * 2)
        diastolic = np.where(round_to_ten, np.rint(diastolic / 10) * 10, np.rint(diastolic / 2) * 2)
        here = np.flatnonzero(taken)
        events.add(sys_code[here], pressures.person[here], pressures.day[here], systolic[here])
        events.add(dia_code[here], pressures.person[here], pressures.day[here], diastolic[here])
        taken = taken & (rng.random(n) < np.where(high, (0.55, 0.3, 0)[number], (0.04, 0.02, 0)[number]))
    raised = (pressures.systolic - lowered >= 150) & (rng.random(n) < 0.05)
    events.add(C["bp_raised"], pressures.person[raised], pressures.day[raised])


def write_body(
    rng: np.random.Generator, people: People, network: Network, pressures: Pressures, contacts: Contacts, events: Events
) -> None:
    """Pulse, weight, body mass index, height, smoking and alcohol, taken along with blood pressure or at a check."""
    check = contacts.why == CHECK
    person = np.concatenate([pressures.person, contacts.person[check]])
    day = np.concatenate([pressures.day, contacts.day[check]])
    always = np.arange(len(person)) >= len(pressures.person)
    n = len(person)
    adult = people.age_at(person, day) >= 18

    pulsed = rng.random(n) < np.where(always, 0.9, 0.32)
    rate = np.clip(rng.normal(73, 10, n), 44, 132)
    events.add(C["pulse"], person[pulsed], day[pulsed], np.rint(rate[pulsed]))

    weighed = (rng.random(n) < np.where(always, 0.95, 0.24)) & adult
    drift = 1 + rng.normal(0, 0.015, n) - 0.002 * (network.end - day) / 365.25
    bmi = np.clip(people.bmi[person] * drift, 13, 62)
    height = people.height[person]
    weight = bmi * (height / 100) ** 2
    events.add(C["weight"], person[weighed], day[weighed], np.clip(np.rint(weight[weighed] * 2) / 2, 32, 220))
    events.add(C["bmi"], person[weighed], day[weighed], np.rint(bmi[weighed] * 10) / 10)
    tall = weighed & (rng.random(n) < 0.35)
    events.add(C["height"], person[tall], day[tall], np.rint(height[tall]))

    asked = (rng.random(n) < np.where(always, 0.97, 0.22)) & (people.age_at(person, day) >= 15)
    _write_smoking(rng, people, person[asked], day[asked], events)
    drink = adult & (rng.random(n) < np.where(always, 0.9, 0.06))
    units = np.rint(np.where(rng.random(n) < 0.25, 0, rng.gamma(1.3, 8, n)))
    events.add(C["alcohol"], person[drink], day[drink], np.minimum(units[drink], 120))


def _write_smoking(
    rng: np.random.Generator, people: People, person: np.ndarray, day: np.ndarray, events: Events
) -> None:
    status = people.smoking[person].copy()
    status = np.where((status == 1) & (day < people.quit_day[person]), 2, status)
    draw = rng.random(len(person))
    now = np.where(draw < 0.55, C["smoker"], np.where(draw < 0.85, C["smoker_moderate"], C["smoker_heavy"]))
    ex = np.where(draw < 0.93, C["ex_smoker"], np.where(draw < 0.98, C["non_smoker"], C["never_smoked"]))
    never = np.where(draw < 0.86, C["never_smoked"], np.where(draw < 0.985, C["non_smoker"], C["ex_smoker"]))
    code = np.select([status == 2, status == 1], [now, ex], default=never)
    events.add(code, person, day, summary=True)
    counted = (status > 0) & (draw > 0.9)
    pack_years = np.rint(np.clip(people.pack_years[person] * 1.0, 1, 140))
    events.add(C["pack_years"], person[counted], day[counted], pack_years[counted])


def write_bloods(
    rng: np.random.Generator,
    people: People,
    illness: Illness,
    network: Network,
    contacts: Contacts,
    reviews: tuple[np.ndarray, np.ndarray],
    events: Events,
) -> None:
    """Blood tests at some contacts, at every check and review; values follow age, sex and illness."""
    age = people.age_at(contacts.person, contacts.day)
    chance = np.interp(age, [15, 18, 30, 45, 60, 70, 80, 95], [0.0, 0.06, 0.08, 0.11, 0.15, 0.17, 0.18, 0.15])
    chance = np.where(contacts.why == CHECK, 0.95, np.where(contacts.why == INFECTION, 0.03, chance))
    bled = rng.random(len(age)) < chance
    person = np.concatenate([contacts.person[bled], reviews[0]])
    day = np.concatenate([contacts.day[bled], reviews[1]])
    n, age = len(person), people.age_at(person, day)
    has = {
        name: illness.onset[name][person] <= day for name in ("diabetes", "ndh", "ckd3", "hypothyroid", "hyperthyroid")
    }
    woman = people.woman[person]
    own = ((person * 104729) % 1000) / 1000 - 0.5  # a person's own level, the same every time

    asked = rng.random(n) < 0.82
    years = (day - illness.onset["ckd3"][person]) / 365.25
    egfr = np.where(has["ckd3"], 57 - 1.2 * np.clip(years, 0, 15), np.maximum(113 - 0.75 * np.maximum(age - 25, 0), 64))
    egfr = np.clip(egfr + own * 16 + rng.normal(0, 5, n), 8, 130)
    capped = (egfr > 90) & (network.practices.laboratory[people.practice[person]] == 1)
    k, a, s = np.where(woman, 0.7, 0.9), np.where(woman, -0.329, -0.411), np.where(woman, 144, 141)
    ratio = (s * 0.993**age / egfr) ** (1 / 1.209)
    creatinine = np.where(ratio > 1, ratio, np.maximum(ratio, 0.5) ** (1.209 / -a)) * k * 88.42
    creatinine = np.clip(creatinine, 30, 900)
    events.add(C["creatinine"], person[asked], day[asked], np.rint(creatinine[asked]))
    events.add(C["egfr"], person[asked], day[asked], np.rint(np.where(capped, 90, egfr))[asked], above=capped[asked])
    salts = asked & (rng.random(n) < 0.55)
    events.add(C["sodium"], person[salts], day[salts], np.rint(np.clip(rng.normal(139.5, 2.6, n), 120, 152))[salts])
    count = rng.random(n) < 0.6
    haemoglobin = np.where(woman, 131, 146) - 0.25 * np.maximum(age - 65, 0) + own * 18 + rng.normal(0, 6, n)
    events.add(C["haemoglobin"], person[count], day[count], np.rint(np.clip(haemoglobin, 70, 195))[count])

    fats = rng.random(n) < 0.42
    cholesterol = np.clip(5.1 + 0.5 * own + rng.normal(0, 0.75, n) - 0.9 * has["diabetes"], 2.0, 11.0)
    events.add(C["cholesterol"], person[fats], day[fats], np.rint(cholesterol * 10)[fats] / 10)
    good = fats & (rng.random(n) < 0.85)
    hdl = np.clip(1.45 + 0.25 * woman - 0.018 * (people.bmi[person] - 27) + rng.normal(0, 0.28, n), 0.5, 3.4)
    events.add(C["hdl"], person[good], day[good], np.rint(hdl * 10)[good] / 10)
    sugar = rng.random(n) < np.where(has["diabetes"], 0.9, 0.38)
    level = np.where(has["diabetes"], 57 + 20 * own, np.where(has["ndh"], 43.5, 36.5 + 3 * own)) + rng.normal(0, 3.2, n)
    level = np.clip(level + 0.05 * (people.bmi[person] - 27), 22, 140)
    percent = sugar & (rng.random(n) < 0.03)  # some laboratories' old reports come as per cent
    sugar &= ~percent
    events.add(C["hba1c"], person[sugar], day[sugar], np.rint(level)[sugar])
    events.add(C["hba1c_percent"], person[percent], day[percent], np.rint((level / 10.929 + 2.15) * 10)[percent] / 10)
    thyroid = rng.random(n) < np.where(has["hypothyroid"] | has["hyperthyroid"], 0.75, 0.26)
    tsh = (
        np.exp(rng.normal(np.log(1.9), 0.45, n))
        * np.where(has["hypothyroid"], 1.8, 1)
        * np.where(has["hyperthyroid"], 0.08, 1)
    )
    events.add(C["tsh"], person[thyroid], day[thyroid], np.clip(np.rint(tsh * 100) / 100, 0.02, 60)[thyroid])
    kidney = rng.random(n) < np.where(has["diabetes"] | has["ckd3"], 0.5, 0.015)
    acr = np.exp(rng.normal(0.2, 0.9, n)) * np.where(has["ckd3"], 2.5, 1)
    events.add(C["acr"], person[kidney], day[kidney], np.clip(np.rint(acr * 10) / 10, 0.3, 250)[kidney])


def write_symptoms(rng: np.random.Generator, people: People, contacts: Contacts, events: Events) -> None:
    """What was complained of: the chest, the heart, infections of the lower airways."""

    def some(why: int, share: float) -> np.ndarray:
        return np.flatnonzero((contacts.why == why) & (rng.random(len(contacts.why)) < share))

    for why, table in {
        CHEST: (
            ("breathless", 0.26), ("breathless_exertion", 0.12), ("cough", 0.38), ("cough_chronic", 0.10),
            ("cough_productive", 0.08), ("sputum", 0.06), ("wheeze", 0.16),
        ),
        INFECTION: (("lrti", 0.55), ("bronchitis", 0.12), ("cough", 0.3), ("wheeze", 0.07), ("breathless", 0.06)),
        HEART: (("palpitations", 0.48), ("dizziness", 0.26), ("syncope", 0.10), ("breathless", 0.10)),
        ROUTINE: (("dizziness", 0.008), ("cough", 0.022), ("breathless", 0.006), ("palpitations", 0.003)),
    }.items():  # fmt: skip
        for key, share in table:
            here = some(why, share)
            events.add(C[key], contacts.person[here], contacts.day[here])
    here = np.concatenate([some(CHEST, 0.25), some(INFECTION, 0.3), some(ROUTINE, 0.02)])
    low = np.where(rng.random(len(here)) < 0.03, 91, 97)
    events.add(C["spo2"], contacts.person[here], contacts.day[here], np.clip(np.rint(rng.normal(low, 1.2)), 86, 100))
    blood = some(CHEST, 0.004)
    events.add(C["haemoptysis"], contacts.person[blood], contacts.day[blood])
