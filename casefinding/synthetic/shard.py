"""One shard: people, their illness, their care, their records, and the truth about them; no shard knows another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casefinding.synthetic import treatment
from casefinding.synthetic.codes import C
from casefinding.synthetic.contacts import CHEST, INFECTION, draw_contacts, habits, write_contacts
from casefinding.synthetic.diagnosis import Found, World
from casefinding.synthetic.events import Events, Table, first_day, repeats
from casefinding.synthetic.illness import OTHERS, Curves, Illness, draw_illness
from casefinding.synthetic.network import Network
from casefinding.synthetic.people import NEVER, People, draw_people
from casefinding.synthetic.priors import CONDITIONS
from casefinding.synthetic.readings import (
    Pressures,
    draw_occasions,
    draw_pressures,
    write_bloods,
    write_body,
    write_pressures,
    write_symptoms,
)
from casefinding.synthetic.testing import find_copd, find_fibrillation, find_hypertension, lung_ratio, write_spirometry

DIAGNOSES = {
    "hypertension": (("htn", 0.35), ("htn_essential", 0.55), ("htn_benign", 0.06), ("htn_systolic", 0.04)),
    "atrial_fibrillation": (
        ("af", 0.6), ("af_paroxysmal", 0.2), ("af_persistent", 0.09), ("af_permanent", 0.07), ("af_flutter", 0.04)
    ),
    "copd": (
        ("copd", 0.68), ("copd_mild", 0.1), ("copd_moderate", 0.13), ("copd_severe", 0.05), ("copd_emphysema", 0.04)
    ),
}  # fmt: skip
_MEASURES = {
    "hypertension": ("sbp", "sbp_other", "sbp_home", "sbp_abpm"),
    "atrial_fibrillation": (
        "ecg",
        "ecg_ambulatory",
        "ecg_af",
        "pulse_irregular",
        "pulse_irregularly_irregular",
        "pulse_regular",
    ),
    "copd": ("spirometry", "spirometry_post", "fev1_fvc", "fev1_fvc_post"),
}
STATES = ("coded", "treated but uncoded", "measured but uncoded", "never measured")


@dataclass
class Truth:
    """What is so, by condition and person: day of onset, day on which the code was entered (NEVER if not), state."""

    onset: dict[str, np.ndarray]
    coded: dict[str, np.ndarray]
    state: dict[str, np.ndarray]  # position in STATES; -1 for the well


@dataclass
class Shard:
    """One shard's people, their illness, their rows and the truth about them."""

    people: People
    illness: Illness
    table: Table
    truth: Truth
    contact: list[tuple[np.ndarray, str, np.ndarray, np.ndarray]]  # person, condition, kind, day


CONTACT_KINDS = ("invited", "seen", "tested", "declined", "opted out")


def simulate_shard(number: int, n: int, network: Network, curves: Curves, action: dict[str, np.ndarray]) -> Shard:
    """Simulate shard `number` of `n` people; depends on the seed and the number alone."""
    seeds = np.random.SeedSequence(network.seed, spawn_key=(3, number)).spawn(8)
    streams = [np.random.Generator(np.random.SFC64(seed)) for seed in seeds]
    people = draw_people(streams[0], n, network)
    illness = draw_illness(streams[1], people, curves)
    habit = habits(people, illness, network)
    world = World(network, people, illness, habit, Events(), action)
    contacts = draw_contacts(streams[2], people, illness, habit, network)
    write_contacts(streams[2], contacts, world.events)
    write_symptoms(streams[2], people, contacts, world.events)

    taken = draw_occasions(streams[3], people, illness, habit, contacts)
    hypertension, again = find_hypertension(streams[4], world, taken)
    fibrillation, _ = find_fibrillation(streams[4], world, contacts, taken)
    copd = find_copd(streams[4], world, contacts)
    found = {"hypertension": hypertension, "atrial_fibrillation": fibrillation, "copd": copd}

    starts = treatment.antihypertensives(streams[5], world, hypertension)
    treatment.for_fibrillation(streams[5], world, fibrillation)
    chest = (contacts.why == CHEST) | (contacts.why == INFECTION)
    treatment.for_copd(streams[5], world, copd, first_day(n, contacts.person[chest], contacts.day[chest]))
    treatment.for_infections(streams[5], world, contacts)
    treatment.for_other_illness(streams[5], world, hypertension)

    reviews = _reviews(streams[6], world, found)
    visits = Pressures.join([taken, again, draw_pressures(streams[6], people, illness, *reviews)])
    write_pressures(
        streams[6], people, network, visits, treatment.lowered(starts, visits.person, visits.day), world.events
    )
    write_body(streams[6], people, network, visits, contacts, world.events)
    write_bloods(streams[6], people, illness, network, contacts, _yearly(streams[6], world, found), world.events)
    _diagnoses(streams[7], world, found)
    _others(streams[7], world)
    contact = _programme(streams[7], world)
    table = world.events.finish(streams[7], people, network.start, network.end)
    return Shard(people, illness, table, _truth(world, found, table), contact)


def _reviews(rng: np.random.Generator, world: World, found: dict[str, Found]) -> tuple[np.ndarray, np.ndarray]:
    """Visits for blood pressure once hypertension is established: after one and three months, then about twice a year;
    and the yearly reviews of AF and COPD."""
    people, events, end = world.people, world.events, world.network.end
    persons, days = [], []

    def every(who: np.ndarray, start: np.ndarray, step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        begin = np.maximum(start, world.network.start + (who * 37) % 180)
        which, day = repeats(rng, begin, people.seen_to[who].astype(np.int64), step.astype(np.int64), 25)
        comes = rng.random(len(which)) < np.clip(0.82 * world.habit.planned[who[which]] ** 0.5, 0.2, 0.97)
        return who[which][comes], day[comes]

    here = np.flatnonzero(
        (found["hypertension"].confirmed < end)
        & (found["hypertension"].treated | (found["hypertension"].recorded < end))
    )
    start = found["hypertension"].confirmed[here]
    for who, day in (
        every(here, start + 40, np.full(len(here), 215)),
        (here[start > world.network.start], (start + 30)[start > world.network.start]),
    ):
        persons.append(who)
        days.append(day)
    for condition, keys, share in (
        ("atrial_fibrillation", ("af_review", "af_monitoring"), 0.5), ("copd", ("copd_review", "copd_monitoring"), 0.8)
    ):  # fmt: skip
        one = found[condition]
        # Without the code nobody is called for a review, but one in thirty of those known is.
        known = (one.recorded < end) | ((one.confirmed < end) & (rng.random(people.n) < 0.03))
        here = np.flatnonzero(known)
        start = np.where(one.recorded[here] < end, one.recorded[here], one.confirmed[here])
        who, day = every(here, start + 150, np.full(len(here), 365))
        written = rng.random(len(who)) < share
        main = rng.random(len(who)) < 0.85
        for key, mask in ((keys[0], written & main), (keys[1], written & ~main)):
            events.add(C[key], who[mask], day[mask])
        if condition == "atrial_fibrillation":
            felt = rng.random(len(who)) < np.where(world.illness.permanent[who], 0.3, 0.08)
            events.add(C["pulse_irregularly_irregular"], who[felt], day[felt])
        else:
            years = np.clip((day - world.illness.onset["copd"][who]) / 365.25, 0, 20)
            grade = np.clip(np.rint(1.4 + 0.12 * years + rng.normal(0, 0.7, len(who))), 1, 5).astype(int)
            graded = rng.random(len(who)) < 0.7
            scale = np.array([C[f"mrc{number}"] for number in range(1, 6)])
            events.add(scale[grade - 1][graded], who[graded], day[graded])
            blown = rng.random(len(who)) < 0.25
            write_spirometry(rng, world, who, day, lung_ratio(rng, world, who, day), blown)
        persons.append(who)
        days.append(day)
    return np.concatenate(persons), np.concatenate(days).astype(np.int64)


def _yearly(rng: np.random.Generator, world: World, found: dict[str, Found]) -> tuple[np.ndarray, np.ndarray]:
    """Yearly blood tests of those with a long-term illness that asks for them."""
    people, end = world.people, world.network.end
    begins = np.full(people.n, NEVER, dtype=np.int64)
    for days in (world.illness.onset["diabetes"], world.illness.onset["ckd3"], found["hypertension"].recorded):
        begins = np.minimum(begins, days)
    here = np.flatnonzero(begins < end)
    start = np.maximum(begins[here] + 60, world.network.start + (here * 53) % 365)
    which, day = repeats(rng, start, people.seen_to[here].astype(np.int64), np.full(len(here), 365), 40)
    comes = rng.random(len(which)) < np.clip(0.72 * world.habit.planned[here[which]] ** 0.5, 0.2, 0.95)
    return here[which][comes], day[comes]


def _diagnoses(rng: np.random.Generator, world: World, found: dict[str, Found]) -> None:
    """The codes of the three conditions, and of the few that are later coded as resolved."""
    people, end = world.people, world.network.end
    for condition, kinds in DIAGNOSES.items():
        one = found[condition]
        here = np.flatnonzero(one.recorded <= end)
        keys = np.array([C[key] for key, _ in kinds])
        code = keys[rng.choice(len(kinds), len(here), p=[share for _, share in kinds])]
        world.events.add(code, here, one.coded[here], recorded=one.recorded[here], summary=True)
        twice = rng.random(len(here)) < 0.10  # a second code, when it is next looked at
        later = one.recorded[here] + rng.integers(60, 1500, len(here))
        world.events.add(keys[0], here[twice], later[twice], summary=True)
    for condition, key, share in (
        ("hypertension", "htn_resolved", 0.012),
        ("atrial_fibrillation", "af_resolved", 0.025),
    ):
        here = np.flatnonzero((found[condition].recorded < end - 800) & (rng.random(people.n) < share))
        day = np.maximum(found[condition].recorded[here], world.network.start) + rng.integers(400, 3000, len(here))
        world.events.add(C[key], here, day, summary=True)
    # Uncoded, but called to a clinic or given a plan.
    one = found["hypertension"]
    here = np.flatnonzero((one.confirmed < end - 60) & (one.recorded > end) & (rng.random(people.n) < 0.06))
    day = one.confirmed[here] + 45
    half = rng.random(len(here)) < 0.6
    world.events.add(C["htn_plan"], here[half], day[half])
    world.events.add(C["htn_max_therapy"], here[~half], day[~half] + 300)


def _others(rng: np.random.Generator, world: World) -> None:
    """Codes of everything else, some months after it began, nine in ten of them entered; and pregnancies."""
    people, onset, end = world.people, world.illness.onset, world.network.end
    quality = world.network.practices.coding[people.practice]
    for name in (*OTHERS, "stroke", "tia"):
        wait = 8 if name in ("stroke", "tia") else 180
        day = onset[name] + rng.exponential(wait, people.n).astype(np.int64)
        share = 0.35 if name == "fh_htn" else 0.98
        here = np.flatnonzero((onset[name] < end) & (rng.random(people.n) < share * quality))
        code = C["gestational_htn_history"] if name == "gestational_htn" else C[name]
        letter = day[here] + rng.integers(3, 30, len(here)) if wait == 8 else None
        world.events.add(code, here, day[here], recorded=letter, summary=True)
    heart_attack = np.flatnonzero((onset["ihd"] < end) & (rng.random(people.n) < 0.4))
    world.events.add(C["mi"], heart_attack, onset["ihd"][heart_attack] + 40, summary=True)
    family = np.flatnonzero(rng.random(people.n) < 0.015)
    joined = np.maximum(people.joined[family], world.network.start) + rng.integers(10, 2500, len(family))
    world.events.add(C["fh_stroke"], family, joined, summary=True)

    start = world.network.start
    for year in range(10):
        day = start + year * 365 + rng.integers(0, 365, people.n)
        age = people.age_at(np.arange(people.n), day)
        here = np.flatnonzero(people.woman & (age > 18) & (age < 43) & (rng.random(people.n) < 0.055))
        world.events.add(C["pregnant"], here, day[here])
    refused = np.flatnonzero((people.age > 30) & (rng.random(people.n) < 0.006))
    day = end - rng.integers(20, 1400, len(refused))
    world.events.add(C["bp_declined"], refused, day)
    dissent = np.flatnonzero((people.age > 40) & (rng.random(people.n) < 0.002))
    world.events.add(C["htn_dissent"], dissent, end - rng.integers(20, 900, len(dissent)))


def _programme(rng: np.random.Generator, world: World) -> list[tuple[np.ndarray, str, np.ndarray, np.ndarray]]:
    """What an earlier recall programme left behind: invitations of the last two years and what came of them."""
    people, end = world.people, world.network.end
    rows = []
    for condition, share, youngest in (
        ("hypertension", 0.02, 40),
        ("atrial_fibrillation", 0.008, 65),
        ("copd", 0.008, 40),
    ):
        here = np.flatnonzero(
            (people.age > youngest)
            & (people.seen_to > end)
            & (rng.random(people.n) < share)
            & (people.joined < end - 800)
        )
        day = end - rng.integers(30, 720, len(here))
        rows.append((here, condition, np.zeros(len(here), dtype=np.int8), day))
        answer = rng.choice(4, len(here), p=[0.5, 0.28, 0.15, 0.07])  # no answer, seen, tested, declined
        for kind in (1, 2, 3):
            some = answer == kind
            after = np.minimum(day[some] + rng.integers(5, 29, int(some.sum())), end)
            rows.append((here[some], condition, np.full(int(some.sum()), kind, dtype=np.int8), after))
        out = np.flatnonzero((people.seen_to > end) & (people.age > 18) & (rng.random(people.n) < 0.0015))
        rows.append((out, condition, np.full(len(out), 4, dtype=np.int8), end - rng.integers(10, 1500, len(out))))
    return [row for row in rows if len(row[0])]


def _truth(world: World, found: dict[str, Found], table: Table) -> Truth:
    """When the code was entered is read from the record itself; the state from what else is in it since the onset."""
    n, end = world.people.n, world.network.end
    truth = Truth({}, {}, {})
    for condition in CONDITIONS:
        onset = np.minimum(world.illness.onset[condition], NEVER).astype(np.int64)
        ill = onset <= end
        dx = np.isin(table.code, [C[key] for key, _ in DIAGNOSES[condition]])
        coded = first_day(n, table.person[dx], table.recorded[dx])
        measure = np.isin(table.code, [C[key] for key in _MEASURES[condition]])
        measure &= table.day >= onset[table.person]
        measured = np.zeros(n, dtype=bool)
        measured[table.person[measure]] = True
        treated = found[condition].treated & (found[condition].confirmed <= end)
        state = np.select([coded <= end, ill & treated, ill & measured, ill], [0, 1, 2, 3], default=-1).astype(np.int8)
        truth.onset[condition] = np.where(ill, onset, NEVER)
        truth.coded[condition] = coded
        truth.state[condition] = state
    return truth
