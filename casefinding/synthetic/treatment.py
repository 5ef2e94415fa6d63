"""Drugs: who is given what, from when, issued monthly or every two months; issues reach back seven years."""

from __future__ import annotations

import numpy as np

from casefinding.synthetic.codes import C
from casefinding.synthetic.contacts import CHEST, INFECTION, ROUTINE, Contacts
from casefinding.synthetic.diagnosis import Found, World
from casefinding.synthetic.events import repeats
from casefinding.synthetic.people import NEVER

ISSUES_REACH_BACK = 7 * 365
LOWERED_BY_A_DRUG = 9.0  # mmHg systolic


def _issue(
    rng: np.random.Generator,
    world: World,
    code: np.ndarray | int,
    person: np.ndarray,
    start: np.ndarray,
    every: np.ndarray | int | None = None,
    stop: np.ndarray | None = None,
) -> None:
    """Write issues from start to stop (exclusive), one in 25 left out."""
    if len(person) == 0:
        return
    last = world.people.seen_to[person]
    last = last if stop is None else np.minimum(last, stop)
    step = np.where((person * 31) % 5 < 2, 56, 28) if every is None else np.broadcast_to(every, person.shape)
    earliest = np.maximum(world.network.end - ISSUES_REACH_BACK, world.people.joined[person])
    begin = np.maximum(start, earliest + (person * 17) % 28)
    which, day = repeats(rng, begin, last, step)
    given = rng.random(len(which)) > 0.04
    codes = np.broadcast_to(np.asarray(code), person.shape)[which]
    world.events.add(codes[given], person[which][given], day[given])


def _pick(rng: np.random.Generator, n: int, keys: tuple[str, ...], shares: tuple[float, ...]) -> np.ndarray:
    return np.array([C[key] for key in keys])[rng.choice(len(keys), n, p=shares)]


def antihypertensives(rng: np.random.Generator, world: World, found: Found) -> np.ndarray:
    """Write antihypertensive issues; gives the start days of up to three drugs (people x 3)."""
    people, n = world.people, world.people.n
    starts = np.full((n, 3), NEVER, dtype=np.int64)
    treated = found.treated & (found.confirmed < NEVER)
    starts[:, 0] = np.where(treated, found.confirmed + rng.integers(0, 35, n), NEVER)
    second = treated & (rng.random(n) < 0.52)
    starts[:, 1] = np.where(second, starts[:, 0] + rng.integers(60, 900, n), NEVER)
    third = second & (rng.random(n) < 0.3)
    starts[:, 2] = np.where(third, starts[:, 1] + rng.integers(90, 1500, n), NEVER)

    everyone = np.arange(n)
    age = people.age_at(everyone, np.minimum(starts[:, 0], world.network.end))
    calcium = (age >= 55) | (people.group == 3)
    ace = _pick(
        rng, n, ("ramipril_2", "ramipril_5", "lisinopril", "losartan", "candesartan"), (0.3, 0.34, 0.12, 0.14, 0.1)
    )
    ccb = _pick(rng, n, ("amlodipine_5", "amlodipine_10", "felodipine"), (0.6, 0.3, 0.1))
    last = _pick(rng, n, ("doxazosin", "spironolactone", "bisoprolol_2"), (0.45, 0.3, 0.25))
    for number, code in enumerate((np.where(calcium, ccb, ace), np.where(calcium, ace, ccb), last)):
        here = np.flatnonzero(starts[:, number] < world.network.end)
        _issue(rng, world, code[here], here, starts[here, number])
    return starts


def lowered(starts: np.ndarray, person: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Fall of systolic pressure (mmHg) by the drugs that a person takes on a day, with a person's own response."""
    drugs = (starts[person] <= day[:, None] - 14).sum(axis=1)
    response = 0.55 + 0.9 * ((person * 6151) % 1000) / 1000
    return LOWERED_BY_A_DRUG * drugs * response


def for_fibrillation(rng: np.random.Generator, world: World, found: Found) -> None:
    """Anticoagulants, rate control."""
    here = np.flatnonzero(found.treated & (found.confirmed < world.network.end))
    start = found.confirmed[here] + rng.integers(0, 30, len(here))
    age = world.people.age_at(here, found.confirmed[here])
    thin = rng.random(len(here)) < np.where(age >= 65, 0.9, 0.55)
    drug = _pick(rng, len(here), ("apixaban", "edoxaban", "rivaroxaban", "warfarin"), (0.52, 0.25, 0.13, 0.10))
    _issue(rng, world, drug[thin], here[thin], start[thin])
    slow = rng.random(len(here)) < 0.6
    drug = _pick(rng, len(here), ("bisoprolol_2", "bisoprolol_5"), (0.6, 0.4))
    _issue(rng, world, drug[slow], here[slow], start[slow])
    for key, share in (("digoxin", 0.07), ("amiodarone", 0.03), ("flecainide", 0.04)):
        some = rng.random(len(here)) < share
        _issue(rng, world, C[key], here[some], start[some])


def for_copd(rng: np.random.Generator, world: World, found: Found, first_symptom: np.ndarray) -> None:
    """Inhalers once established; before that, some of those with symptoms are given a reliever."""
    here = np.flatnonzero(found.treated & (found.confirmed < world.network.end))
    start = found.confirmed[here] + rng.integers(0, 25, len(here))
    drug = _pick(
        rng,
        len(here),
        ("tiotropium", "umeclidinium", "umeclidinium_vilanterol", "beclometasone_formoterol"),
        (0.3, 0.2, 0.38, 0.12),
    )
    _issue(rng, world, drug, here, start)
    reliever = rng.random(len(here)) < 0.8
    _issue(rng, world, C["salbutamol"], here[reliever], start[reliever], 75)
    mucus = rng.random(len(here)) < 0.14
    _issue(rng, world, C["carbocisteine"], here[mucus], start[mucus], 56)

    onset = world.illness.onset["copd"]
    begun = np.maximum(first_symptom, onset + 200)
    early = np.flatnonzero(
        (onset < NEVER) & (begun < np.minimum(found.confirmed, world.network.end)) & (rng.random(len(onset)) < 0.38)
    )
    _issue(rng, world, C["salbutamol"], early, begun[early], 110, np.minimum(found.confirmed[early], NEVER))
    some = early[rng.random(len(early)) < 0.15]
    _issue(rng, world, C["beclometasone"], some, begun[some] + 60, 70, np.minimum(found.confirmed[some], NEVER))


def for_infections(rng: np.random.Generator, world: World, contacts: Contacts) -> None:
    """Courses: antibiotics and steroids for chest infections, and a few for other contacts."""
    chest = np.flatnonzero((contacts.why == INFECTION) & (rng.random(len(contacts.why)) < 0.72))
    person, day = contacts.person[chest], contacts.day[chest]
    drug = _pick(rng, len(chest), ("amoxicillin", "doxycycline", "clarithromycin"), (0.55, 0.33, 0.12))
    world.events.add(drug, person, day)
    obstructive = world.illness.ill("copd", person, day) | world.illness.ill("asthma", person, day)
    steroid = rng.random(len(chest)) < np.where(obstructive, 0.4, 0.06)
    world.events.add(C["prednisolone"], person[steroid], day[steroid])
    for key, why, share in (("amoxicillin", ROUTINE, 0.022), ("naproxen", ROUTINE, 0.02), ("salbutamol", CHEST, 0.06)):
        here = np.flatnonzero((contacts.why == why) & (rng.random(len(contacts.why)) < share))
        world.events.add(C[key], contacts.person[here], contacts.day[here])


def for_other_illness(rng: np.random.Generator, world: World, hypertension: Found) -> None:
    """Drugs for what else people have: the other indications that rules must not mistake."""
    people, end = world.people, world.network.end

    def give(key: str, who: str, share: float, every: int | None = None) -> None:
        onset = world.illness.onset[who]
        here = np.flatnonzero((onset < end) & (rng.random(people.n) < share))
        _issue(rng, world, C[key], here, onset[here] + rng.integers(10, 200, len(here)), every)

    for key, who, share in (
        ("atorvastatin", "diabetes", 0.62), ("atorvastatin", "ihd", 0.72), ("atorvastatin", "stroke", 0.6),
        ("atorvastatin", "tia", 0.6), ("simvastatin", "pad", 0.4), ("bisoprolol_2", "heart_failure", 0.6),
        ("ramipril_2", "heart_failure", 0.6), ("furosemide", "heart_failure", 0.6),
        ("spironolactone", "heart_failure", 0.2),
        ("bisoprolol_5", "ihd", 0.5), ("ramipril_5", "ihd", 0.4), ("ramipril_2", "ckd3", 0.15),
        ("levothyroxine", "hypothyroid", 0.9), ("propranolol", "hyperthyroid", 0.15),
    ):  # fmt: skip
        give(key, who, share)
    give("salbutamol", "asthma", 0.75, 110)
    give("beclometasone", "asthma", 0.4, 75)
    give("beclometasone_formoterol", "asthma", 0.25, 60)
    give("carbimazole", "hyperthyroid", 0.25, 56)
    here = np.flatnonzero(
        hypertension.treated & (hypertension.confirmed < end) & (rng.random(people.n) < 0.3) & (people.age > 45)
    )
    _issue(rng, world, C["atorvastatin"], here, hypertension.confirmed[here] + rng.integers(30, 700, len(here)))

    everyone = np.arange(people.n)
    when = world.network.start + (rng.random(people.n) * (end - world.network.start)).astype(np.int64)
    age = people.age_at(everyone, when)
    for key, mask, share, length in (
        ("propranolol", (age > 18) & (age < 50), 0.025, 500),
        ("doxazosin", ~people.woman & (age > 60), 0.03, 4000),
        ("atorvastatin", (age > 55) & (age < 85), 0.10, 4000),
        ("naproxen", age > 40, 0.02, 400),
    ):
        here = np.flatnonzero(mask & (rng.random(people.n) < share))
        _issue(rng, world, C[key], here, when[here], None, when[here] + length)
