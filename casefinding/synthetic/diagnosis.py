"""From a finding to a code: action on what was measured, confirmation, delay, and codes that are never entered.

The same rules hold in the ten years (event by event) and before them (as a yearly hazard, `before`), so that the rate
of diagnosis hardly changes over time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from casefinding.synthetic.contacts import Habits
from casefinding.synthetic.events import Events
from casefinding.synthetic.illness import Illness
from casefinding.synthetic.network import Network
from casefinding.synthetic.people import NEVER, People
from casefinding.synthetic.priors import ACTION, BEFORE, NODES

YEARS_BEFORE = 44
_STEP = 2


@dataclass
class World:
    """Everything that one shard's simulation reads and writes."""

    network: Network
    people: People
    illness: Illness
    habit: Habits
    events: Events
    action: dict[str, np.ndarray]

    def act(self, condition: str, person: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Chance that an occasion which calls for action is acted on: by age, and by the practice's readiness."""
        age = self.people.age_at(person, day)
        usual = np.exp(np.interp(age, NODES, np.log(self.action[condition])))
        return usual * self.network.practices.action[self.people.practice[person]]


@dataclass
class Found:
    """One condition in one shard, by person; days NEVER where it does not come to that."""

    confirmed: np.ndarray  # day on which it was established, whether or not coded
    coded: np.ndarray  # day that the code carries
    recorded: np.ndarray  # day on which the code was entered
    treated: np.ndarray  # whether drugs are given from then on


def default_action() -> dict[str, np.ndarray]:
    """The calibrated chances of `priors`."""
    return {condition: values.copy() for condition, values in ACTION.items()}


def before(
    rng: np.random.Generator, world: World, condition: str, hazard: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> np.ndarray:
    """Day on which people were found before the ten years (NEVER if not), at `hazard(person, day)` a year."""
    onset, start = world.illness.onset[condition], world.network.start
    found = np.full(world.people.n, NEVER, dtype=np.int64)
    person = np.flatnonzero(onset < start)
    patience = rng.exponential(1.0, len(person))
    for back in range(YEARS_BEFORE, 0, -_STEP):
        low, high = start - int(back * 365.25), start - int((back - _STEP) * 365.25)
        exposed = np.clip(high - np.maximum(onset[person], low), 0, None) / 365.25
        rate = BEFORE[condition] * hazard(person, np.full(len(person), (low + high) // 2))
        used = rate * exposed
        crosses = (patience > 0) & (patience <= used)
        share = np.divide(patience, used, out=np.zeros_like(used), where=used > 0)
        found[person[crosses]] = (high - exposed[crosses] * 365.25 * (1 - share[crosses])).astype(np.int64)
        patience = np.where(patience > 0, patience - used, patience)
    return np.minimum(found, NEVER)


def decide(
    rng: np.random.Generator,
    world: World,
    confirmed: np.ndarray,
    *,
    coding: float,
    later: float,
    treated: float,
    treated_uncoded: float,
    lag: float,
    letter: np.ndarray | None = None,
) -> Found:
    """Which of the established are coded, when, and who is treated.

    `coding`: chance of a code where the practice codes perfectly; `later`: mean years until a missing code is put
    right; `lag`: mean days from establishing to coding; `letter`: established in hospital, so the code is backdated.
    """
    n, people = world.people.n, world.people
    known = confirmed < NEVER
    quality = coding * world.network.practices.coding[people.practice]
    at_once = rng.random(n) < quality
    wait = np.where(at_once, rng.exponential(lag, n), 60 + rng.exponential(later * 365.25, n)).astype(np.int64)
    recorded = np.where(known, confirmed + wait, NEVER)
    # One code in eight carries the day on which the disease was established, not the day of entry.
    backdated = rng.random(n) < 0.12
    if letter is not None:
        backdated |= letter
        recorded = np.where(letter & known, recorded + rng.integers(4, 45, n), recorded)
    coded = np.where(backdated, confirmed, recorded)
    treats = known & (rng.random(n) < np.where(at_once, treated, treated_uncoded))
    return Found(
        confirmed.astype(np.int64),
        np.minimum(coded, NEVER).astype(np.int64),
        np.minimum(recorded, NEVER).astype(np.int64),
        treats,
    )
