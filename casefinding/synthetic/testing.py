"""Tests after a raised reading, a symptom or an irregular pulse: ambulatory pressure, ECG, spirometry."""

from __future__ import annotations

import numpy as np

from casefinding.synthetic.codes import C
from casefinding.synthetic.contacts import CHECK, CHEST, HEART, INFECTION, Contacts, yearly_contacts
from casefinding.synthetic.diagnosis import Found, World, before, decide
from casefinding.synthetic.events import first_day
from casefinding.synthetic.people import NEVER
from casefinding.synthetic.readings import Pressures, draw_pressures, pressure_chance, usual_diastolic

ABPM_BELOW_CLINIC = 5.0  # mmHg: 135/85 out of the practice answers to 140/90 in it
IN_HOSPITAL = 0.40  # a year: AF found on admission, at a clinic or before an operation
_GAP = 300  # days in which a work-up is not begun again


def _normal_share(x: np.ndarray) -> np.ndarray:
    """Standard normal distribution function (logistic approximation, within 0.01)."""
    return 1 / (1 + np.exp(-1.702 * x))


def _spaced(person: np.ndarray, day: np.ndarray, gap: int) -> np.ndarray:
    """Which entries (sorted by person, day) lie more than `gap` days after the one before of the same person."""
    keep = np.ones(len(person), dtype=bool)
    keep[1:] = (person[1:] != person[:-1]) | (day[1:] - day[:-1] > gap)
    return keep


def find_hypertension(rng: np.random.Generator, world: World, taken: Pressures) -> tuple[Found, Pressures]:
    """Raised readings that are acted on lead to ambulatory or home pressures or a second visit (given too)."""
    people, illness, events = world.people, world.illness, world.events

    def hazard(person: np.ndarray, day: np.ndarray) -> np.ndarray:
        age = people.age_at(person, day)
        visits = 0.62 * yearly_contacts(people, world.habit, person, age)
        visits = visits * pressure_chance(people, world.habit, person, age) + 0.06 * ((age >= 40) & (age < 74))
        usual = illness.systolic(people, person, day)
        excess = usual + illness.white_coat[person] - 0.8 - 140
        raised = _normal_share(excess / 10.6)
        chance = np.minimum(world.act("hypertension", person, day) * (1 + 0.06 * np.maximum(excess + 4, 0)), 0.95)
        return visits * raised * chance * (0.15 + 0.75 * _normal_share((usual - 139.0) / 3.6))

    early = before(rng, world, "hypertension", hazard)

    order = np.lexsort((taken.day, taken.person))
    taken = taken.take(order)
    systolic, diastolic = taken.settled()
    raised = (systolic >= 140) | (diastolic >= 90)
    adult = people.age_at(taken.person, taken.day) >= 16
    chance = np.minimum(
        world.act("hypertension", taken.person, taken.day) * (1 + 0.06 * np.maximum(systolic - 140, 0)), 0.95
    )
    acted = raised & adult & (rng.random(len(raised)) < chance) & (taken.day >= people.joined[taken.person])
    acted &= early[taken.person] >= NEVER
    work = np.flatnonzero(acted)
    work = work[_spaced(taken.person[work], taken.day[work], _GAP)]
    person, day, high = taken.person[work], taken.day[work].astype(np.int64), systolic[work]
    n = len(work)

    route = rng.choice(3, n, p=[0.58, 0.22, 0.20])  # ambulatory, home, second visit in the practice
    tested = day + rng.integers(6, 60, n)
    usual = illness.systolic(people, person, day)
    average = usual - ABPM_BELOW_CLINIC + rng.normal(0, 3.5, n)
    below = usual_diastolic(people, illness, person, day, usual) - 4 + rng.normal(0, 2.5, n)
    again = draw_pressures(rng, people, illness, person, tested)
    still = (again.settled()[0] >= 140) & (high >= 146) & (usual > 135)
    positive = np.where(route == 2, still, (average >= 135) | (below >= 90))

    first = first_day(people.n, person[positive], tested[positive])
    confirmed = np.minimum(early, first)
    done = tested <= first[person]  # nothing is worked up after it has been established
    for number, systolic_key, diastolic_key, procedure in (
        (0, "sbp_abpm", "dbp_abpm", "abpm_done"), (1, "sbp_home", "dbp_home", "home_bp_done")
    ):  # fmt: skip
        here = done & (route == number)
        events.add(C[systolic_key], person[here], tested[here], np.rint(average[here]), summary=False)
        events.add(C[diastolic_key], person[here], tested[here], np.rint(np.clip(below[here], 40, 130)))
        written = here & (rng.random(n) < 0.7)
        events.add(C[procedure], person[written], tested[written])
    referred = done & (rng.random(n) < 0.03)
    events.add(C["htn_referral"], person[referred], day[referred])
    harmless = done & ~positive & (route != 2) & (rng.random(n) < 0.15)
    events.add(C["white_coat"], person[harmless], tested[harmless] + 7)

    found = decide(rng, world, confirmed, coding=0.95, later=10.0, treated=0.86, treated_uncoded=0.65, lag=6.0)
    return found, again.take(done & (route == 2))


def find_fibrillation(
    rng: np.random.Generator, world: World, contacts: Contacts, taken: Pressures
) -> tuple[Found, np.ndarray]:
    """ECGs after palpitations, dizziness or an irregular pulse; some are found in hospital. Gives who was (bool)."""
    people, illness, events = world.people, world.illness, world.events
    condition = "atrial_fibrillation"

    def hazard(person: np.ndarray, day: np.ndarray) -> np.ndarray:
        age = people.age_at(person, day)
        act = np.minimum(world.act(condition, person, day), 0.95)
        shows = np.where(illness.permanent[person], 0.93, 0.5)
        ask = np.minimum(world.habit.attending[person], 4) ** 0.7
        felt = np.where(illness.symptomatic[person], 0.9, 0.1) * ask * 0.55 * shows
        visits = (
            0.62 * yearly_contacts(people, world.habit, person, age) * pressure_chance(people, world.habit, person, age)
        )
        pulse = visits * _palpated(age) * np.where(illness.permanent[person], 0.8, 0.12) * 0.75 * shows
        return act * (felt + pulse + IN_HOSPITAL)

    early = before(rng, world, condition, hazard)

    # Pulse felt when blood pressure is taken: regular is sometimes written down, irregular mostly.
    ill = illness.ill(condition, taken.person, taken.day)
    felt = rng.random(len(ill)) < _palpated(people.age_at(taken.person, taken.day))
    shows = np.where(ill, np.where(illness.permanent[taken.person], 0.8, 0.12), 0.003)
    irregular = felt & (rng.random(len(ill)) < shows)
    regular = felt & ~irregular & (rng.random(len(ill)) < 0.55)
    events.add(C["pulse_regular"], taken.person[regular], taken.day[regular])
    kind = np.where(rng.random(len(ill)) < 0.4, C["pulse_irregularly_irregular"], C["pulse_irregular"])
    written = irregular & (rng.random(len(ill)) < 0.62)
    events.add(kind[written], taken.person[written], taken.day[written])

    symptom = contacts.why == HEART
    person = np.concatenate([taken.person[irregular], contacts.person[symptom]])
    day = np.concatenate([taken.day[irregular], contacts.day[symptom]]).astype(np.int64)
    share = np.concatenate([np.full(irregular.sum(), 0.75), np.full(symptom.sum(), 0.55)])
    share = share * np.minimum(world.act(condition, person, day), 0.95)
    # ECGs for other reasons: seldom, from 40.
    other = (rng.random(len(contacts.why)) < 0.012) & (people.age_at(contacts.person, contacts.day) >= 40)
    person, day = np.concatenate([person, contacts.person[other]]), np.concatenate([day, contacts.day[other]])
    share = np.concatenate([share, np.ones(other.sum())])
    done = (rng.random(len(person)) < share) & (day >= people.joined[person])
    person, day = person[done], day[done] + rng.integers(0, 22, int(done.sum()))
    ill = illness.ill(condition, person, day)
    shows = ill & (rng.random(len(person)) < np.where(illness.permanent[person], 0.93, 0.5))

    first = first_day(people.n, person[shows], day[shows])
    hospital, onset = np.full(people.n, NEVER, dtype=np.int64), illness.onset[condition]
    begin = np.maximum(onset, world.network.start).astype(np.int64)
    act = np.minimum(world.act(condition, np.arange(people.n), begin), 0.95)
    wait = rng.exponential(1.0, people.n) / (IN_HOSPITAL * act) * 365.25
    hospital = np.where(onset < NEVER, begin + wait.astype(np.int64), NEVER)
    confirmed = np.minimum(np.minimum(early, first), hospital)
    letter = (hospital <= first) & (hospital < early)

    ambulatory = rng.random(len(person)) < 0.12
    known = day > confirmed[person]
    seen = (~known | (rng.random(len(person)) < 0.3)) & (rng.random(len(person)) < 0.85)
    code = np.where(ambulatory, C["ecg_ambulatory"], C["ecg"])
    events.add(code[seen], person[seen], day[seen])
    wrote = shows & seen & (rng.random(len(person)) < 0.22)
    events.add(C["ecg_af"], person[wrote], day[wrote])
    sinus = seen & ~shows & (rng.random(len(person)) < 0.12)
    events.add(C["ecg_sinus"], person[sinus], day[sinus])
    odd = seen & ~shows & (rng.random(len(person)) < 0.05)
    events.add(C["ecg_abnormal"], person[odd], day[odd])

    confirmed = np.where(people.age >= 16, np.minimum(confirmed, NEVER), NEVER)
    found = decide(
        rng, world, confirmed, coding=0.98, later=4.0, treated=0.9, treated_uncoded=0.55, lag=8.0, letter=letter
    )
    return found, letter


def _palpated(age: np.ndarray) -> np.ndarray:
    """Chance that the pulse is felt for rhythm when blood pressure is taken."""
    return np.interp(age, [16, 40, 65, 75, 95], [0.03, 0.06, 0.18, 0.24, 0.26])


def find_copd(rng: np.random.Generator, world: World, contacts: Contacts) -> Found:
    """Spirometry after chest symptoms and infections, more readily in smokers; a few are coded without it."""
    people, illness, events = world.people, world.illness, world.events
    smoker = people.smoking > 0
    ready = np.where(smoker, 1.0, 0.4) * np.clip(world.habit.planned, 0.3, 2)

    def hazard(person: np.ndarray, day: np.ndarray) -> np.ndarray:
        age = people.age_at(person, day)
        years = np.clip((day - illness.onset["copd"][person]) / 365.25, 0, 12)
        ask = np.minimum(world.habit.attending[person], 4) ** 0.7
        base = 0.07 + 0.0016 * np.maximum(age - 40, 0)
        visits = (base + 0.52 + 0.10 * years) * ask
        return visits * np.minimum(world.act("copd", person, day) * ready[person], 0.95) * 0.78

    early = before(rng, world, "copd", hazard)

    why = (contacts.why == CHEST) | (contacts.why == INFECTION)
    person, day = contacts.person[why], contacts.day[why].astype(np.int64)
    order = np.lexsort((day, person))
    person, day = person[order], day[order]
    age = people.age_at(person, day)
    chance = np.minimum(world.act("copd", person, day) * ready[person], 0.95)
    asked = (age >= 30) & (rng.random(len(person)) < chance) & (early[person] >= NEVER) & (day >= people.joined[person])
    person, day = person[asked], day[asked]
    spaced = _spaced(person, day, _GAP)
    person, day = person[spaced], day[spaced]
    n = len(person)
    referred = rng.random(n) < 0.45
    attends = rng.random(n) < np.clip(0.8 * world.habit.planned[person] ** 0.3, 0.3, 0.95)
    tested = day + rng.integers(10, 150, n)
    ratio = lung_ratio(rng, world, person, tested)
    obstructed = ratio < 0.70
    ill = illness.ill("copd", person, tested)
    asthma = illness.onset["asthma"][person] <= tested
    plain = ~attends & ill & (rng.random(n) < 0.25)  # coded on symptoms alone
    positive = (attends & obstructed & (ill | ~asthma & (ratio < 0.68))) | plain
    first = first_day(people.n, person[positive], tested[positive])
    confirmed = np.minimum(early, first)

    open_still = tested <= first[person]
    sent = open_still & referred
    events.add(C["spirometry_referral"], person[sent], day[sent])
    write_spirometry(rng, world, person, tested, ratio, open_still & attends)
    return decide(rng, world, confirmed, coding=0.93, later=8.0, treated=0.85, treated_uncoded=0.55, lag=10.0)


def lung_ratio(rng: np.random.Generator, world: World, person: np.ndarray, day: np.ndarray) -> np.ndarray:
    """FEV1/FVC after bronchodilator on a day: falls from 0.68 with years of disease; about 0.78 without."""
    onset = world.illness.onset["copd"][person]
    years = np.clip((day - onset) / 365.25, 0, 30)
    own = ((person * 15485863) % 1000) / 1000 - 0.5
    ill = np.maximum(0.67 - 0.011 * years + 0.06 * own, 0.32)
    age = world.people.age_at(person, day)
    asthma = world.illness.onset["asthma"][person] <= day
    well = np.maximum(0.81 - 0.0012 * np.maximum(age - 40, 0) + 0.06 * own - 0.035 * asthma, 0.715)
    return np.clip(np.where(onset <= day, ill, well) + rng.normal(0, 0.016, len(person)), 0.28, 0.95)


def write_spirometry(
    rng: np.random.Generator, world: World, person: np.ndarray, day: np.ndarray, ratio: np.ndarray, here: np.ndarray
) -> None:
    """A test's codes and values."""
    person, day, ratio = person[here], day[here], ratio[here]
    n, events = len(person), world.events
    post = rng.random(n) < 0.72
    events.add(np.where(post, C["spirometry_post"], C["spirometry"]), person, day)
    numbers = rng.random(n) < 0.9
    code = np.where(post, C["fev1_fvc_post"], C["fev1_fvc"])
    events.add(code[numbers], person[numbers], day[numbers], np.rint(ratio[numbers] * 100) / 100)
    percent = np.clip(np.where(ratio < 0.7, 78 - (0.7 - ratio) * 130, 96) + rng.normal(0, 8, n), 18, 130)
    litres = np.clip(percent / 100 * np.where(world.people.woman[person], 2.4, 3.3), 0.4, 6.0)
    some = numbers & (rng.random(n) < 0.6)
    events.add(C["fev1_percent"], person[some], day[some], np.rint(percent[some]))
    events.add(C["fev1"], person[some], day[some], np.rint(litres[some] * 100) / 100)


def checked(contacts: Contacts) -> np.ndarray:
    """Contacts that were health checks."""
    return contacts.why == CHECK
