"""Who is seen, when and why: routine contacts, health checks, and contacts that symptoms bring about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casefinding.synthetic.codes import C
from casefinding.synthetic.events import Events
from casefinding.synthetic.illness import Illness
from casefinding.synthetic.network import Network
from casefinding.synthetic.people import ETHNIC_GROUPS, People
from casefinding.synthetic.priors import CONTACTS, band_of

_BURDEN = (
    "diabetes",
    "ckd3",
    "ihd",
    "heart_failure",
    "asthma",
    "dementia",
    "smi",
    "stroke",
    "lung_cancer",
    "palliative",
)


@dataclass
class Habits:
    """How often a person attends, and how readily planned care reaches them (both relative, mean about 1)."""

    attending: np.ndarray
    planned: np.ndarray


@dataclass
class Contacts:
    """One entry a contact."""

    person: np.ndarray
    day: np.ndarray
    face_to_face: np.ndarray
    why: np.ndarray  # ROUTINE, CHECK, CHEST, HEART, INFECTION


ROUTINE, CHECK, CHEST, HEART, INFECTION = range(5)


def habits(people: People, illness: Illness, network: Network) -> Habits:
    """A person's own rates: willingness by the regime's spread, illness that brings people in, and inequality."""
    regime, end = network.regime, network.end
    spread = regime.willingness
    own = np.exp(spread * people.willingness - spread**2 / 2)
    burden = sum((illness.onset[name] <= end - 1500).astype(np.float64) for name in _BURDEN)
    attending = own * (0.86 + 0.30 * np.minimum(burden, 4)) * np.exp(0.015 * (5.5 - people.decile))
    planned = np.array([regime.planned[group] for group in ETHNIC_GROUPS])[people.group]
    planned = planned * np.where(people.decile <= 2, regime.planned_deprived, 1.0)
    planned = planned * np.where(~people.woman & (people.age < 45), regime.planned_young_men, 1.0)
    planned = planned * np.where(illness.onset["homeless"] <= end, 0.4, 1.0)
    planned = planned * np.exp(0.35 * spread * people.willingness) * network.practices.measuring[people.practice]
    return Habits(attending, planned)


def yearly_contacts(people: People, habit: Habits, person: np.ndarray, age: np.ndarray) -> np.ndarray:
    """Expected routine contacts a year of persons at ages."""
    band = band_of(age)
    return np.where(people.woman[person], CONTACTS[0][band], CONTACTS[1][band]) * habit.attending[person]


def spread_events(
    rng: np.random.Generator, people: People, network: Network, rate: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Persons and days of events at `rate` (people x 10 years, a year) within the days on which each person is seen."""
    edges = network.start + np.arange(11) * 365.25
    low = np.maximum(edges[None, :-1], people.seen_from[:, None])
    high = np.minimum(edges[None, 1:], people.seen_to[:, None])
    length = np.maximum(high - low, 0)
    counts = rng.poisson(rate * length / 365.25)
    flat = np.repeat(np.arange(counts.size, dtype=np.int32), counts.ravel())
    person = flat // counts.shape[1]
    day = (low.ravel()[flat] + rng.random(len(flat)) * length.ravel()[flat]).astype(np.int32)
    return person, day


def weekdays(day: np.ndarray) -> np.ndarray:
    """Saturday and Sunday move to the Friday before (1 January 1970 was a Thursday)."""
    weekday = (day + 3) % 7  # Monday is 0
    return day - np.maximum(weekday - 4, 0)


def year_grid(people: People, network: Network) -> tuple[np.ndarray, np.ndarray]:
    """Mid-year days (10) and ages at them (people x 10)."""
    middle = network.start + (np.arange(10) + 0.5) * 365.25
    return middle, (middle[None, :] - people.birth[:, None]) / 365.25


def draw_contacts(
    rng: np.random.Generator, people: People, illness: Illness, habit: Habits, network: Network
) -> Contacts:
    """Every contact that does not follow from a diagnosis of the three conditions."""
    middle, age = year_grid(people, network)
    everyone = np.arange(people.n)
    rate = {ROUTINE: yearly_contacts(people, habit, everyone[:, None], age)}
    due = (
        (age >= 40)
        & (age < 74)
        & ~(illness.onset["diabetes"][:, None] <= middle)
        & ~(illness.onset["ihd"][:, None] <= middle)
    )
    rate[CHECK] = 0.085 * due * np.minimum(habit.planned * habit.attending, 3)[:, None]

    ask = np.minimum(habit.attending, 4)[:, None] ** 0.7  # symptoms bring in the unwilling less
    smoker = (people.smoking > 0)[:, None]
    began = illness.onset["copd"][:, None]
    years = np.clip((middle - began) / 365.25, 0, 12)
    breathing = (0.030 + 0.022 * smoker + 0.0009 * np.maximum(age - 40, 0)) * np.ones_like(age)
    breathing = (
        breathing
        + 0.12 * (illness.onset["asthma"][:, None] <= middle)
        + 0.25 * (illness.onset["heart_failure"][:, None] <= middle)
    )
    breathing = breathing + np.where(began <= middle, 0.30 + 0.06 * years, 0)
    rate[CHEST] = np.where(age >= 14, breathing, 0.02) * ask
    infection = (0.03 + 0.015 * smoker + 0.0007 * np.maximum(age - 45, 0)) * np.ones_like(age)
    infection = infection + 0.05 * (illness.onset["asthma"][:, None] <= middle)
    infection = infection + np.where(began <= middle, 0.22 + 0.04 * years, 0)
    rate[INFECTION] = infection * ask
    fibrillating = illness.onset["atrial_fibrillation"][:, None] <= middle
    heart = 0.012 + 0.0006 * np.maximum(age - 30, 0) + 0.015 * people.woman[:, None]
    heart = heart + np.where(fibrillating, np.where(illness.symptomatic[:, None], 0.9, 0.1), 0)
    rate[HEART] = np.where(age >= 14, heart, 0.003) * ask

    persons, days, whys = [], [], []
    for why, yearly in rate.items():
        person, day = spread_events(rng, people, network, yearly)
        persons.append(person)
        days.append(weekdays(day))
        whys.append(np.full(len(person), why, dtype=np.int8))
    person, day, why = np.concatenate(persons), np.concatenate(days), np.concatenate(whys)
    near = np.where(why == CHECK, 1.0, np.where(why == ROUTINE, 0.64, 0.78))
    return Contacts(person, day, rng.random(len(person)) < near, why)


def write_contacts(rng: np.random.Generator, contacts: Contacts, events: Events) -> None:
    """A contact is itself an event, typed in with one of a few codes."""
    n = len(contacts.person)
    usual = np.array(
        [C["contact_seen"], C["contact_problem"], C["contact_symptom"], C["contact_follow_up"], C["examination"]]
    )
    code = usual[rng.choice(5, n, p=[0.5, 0.2, 0.12, 0.15, 0.03])]
    code = np.where(contacts.face_to_face, code, C["contact_telephone"])
    written = rng.random(n) < 0.94
    events.add(code[written], contacts.person[written], contacts.day[written])
    check = contacts.why == CHECK
    events.add(C["health_check"], contacts.person[check], contacts.day[check])
