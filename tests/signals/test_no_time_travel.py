"""What happened, or was recorded, on or after the index day cannot be seen: shown by a thousand additions."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace

import numpy as np

from tests.oracle.record import Event
from tests.signals import compare, worlds

MUTATIONS = 1_000


def test_no_record_from_the_index_day_on_changes_anything() -> None:
    """Each addition is a record that happened or was recorded on or after the index day, as large and as tempting as
    it can be; 25 worlds of 40 people get one each."""
    added = 0
    for seed in range(25):
        world = _asked_once(worlds.world(seed, people=40, features=20))
        before = compare.kernel(world)
        rng = random.Random(seed)
        people = list(world.people)
        for place, index_day in world.asked:
            people[place] = worlds.with_event(people[place], _unseen(rng, index_day))
            added += 1
        after = compare.kernel(worlds.World(world.definitions, tuple(people), world.asked))
        np.testing.assert_array_equal(after.value, before.value)
        np.testing.assert_array_equal(after.day, before.day)
    assert added == MUTATIONS


def test_no_partner_from_the_index_day_on_makes_a_pair() -> None:
    """Every event that is there gets a partner that happened or was recorded too late; nothing changes. Asked again
    long after, many answers do."""
    changed = 0
    for seed in range(15):
        world = _asked_once(worlds.world(seed, people=20, features=20))
        paired = [name for name, signal in world.definitions.signals.items() if signal.paired_with is not None]
        features = {name: one for name, one in world.definitions.features.items() if one.of in paired}
        world = replace(world, definitions=world.definitions.model_copy(update={"features": features}))
        rng = random.Random(seed)
        people = list(world.people)
        for place, index_day in world.asked:
            for event in world.people[place].events:
                late = max(event.day, index_day + rng.choice((0, 1, 30)) * worlds.DAY)
                partner = rng.choice(
                    (Event(event.day, late, "", 60.0, "mmHg"), Event(late, min(event.day, late), "", 145.0, "mmHg"))
                )
                people[place] = worlds.with_event(people[place], replace(partner, code=rng.choice(worlds.CODES[:-2])))
        world_after = replace(world, people=tuple(people))
        before, after = compare.kernel(world), compare.kernel(world_after)
        np.testing.assert_array_equal(after.value, before.value)
        np.testing.assert_array_equal(after.day, before.day)
        later = tuple((place, day + dt.timedelta(days=60)) for place, day in world.asked)
        then, then_after = (compare.kernel(replace(one, asked=later)) for one in (world, world_after))
        changed += int((~np.isclose(then_after.value, then.value, equal_nan=True)).sum())
    assert changed > 100


def test_the_same_additions_do_change_answers_once_the_index_day_has_passed() -> None:
    """Otherwise the test above could not fail."""
    changed = 0
    for seed in range(5):
        world = _asked_once(worlds.world(seed, people=40, features=20))
        later = tuple((place, day + dt.timedelta(days=60)) for place, day in world.asked)
        rng = random.Random(seed)
        people = list(world.people)
        for place, index_day in world.asked:
            people[place] = worlds.with_event(people[place], _unseen(rng, index_day))
        before = compare.kernel(worlds.World(world.definitions, world.people, later))
        after = compare.kernel(worlds.World(world.definitions, tuple(people), later))
        changed += int((~np.isclose(after.value, before.value, equal_nan=True)).any(axis=0).sum())
    assert changed > 40


def test_a_later_index_day_never_takes_away_from_ever_and_count_without_a_window() -> None:
    for seed in range(25):
        world = _asked_once(worlds.world(seed, people=20, features=20))
        asked = [
            at
            for at, feature in enumerate(world.definitions.features.values())
            if feature.ask in ("ever", "count") and feature.within == "ever"
        ]
        later = tuple((place, day + dt.timedelta(days=200)) for place, day in world.asked)
        now, then = compare.kernel(world), compare.kernel(worlds.World(world.definitions, world.people, later))
        assert (then.value[asked] >= now.value[asked]).all()


def _asked_once(world: worlds.World) -> worlds.World:
    first = {place: day for place, day in reversed(world.asked)}
    return worlds.World(world.definitions, world.people, tuple(sorted(first.items())))


def _unseen(rng: random.Random, index_day: dt.date) -> Event:
    late = index_day + dt.timedelta(days=rng.choice((0, 1, 30)))
    happened, recorded = rng.choice(
        (
            (late, late),
            (late, index_day - dt.timedelta(days=5)),  # dated ahead: recorded before it happened
            (index_day - dt.timedelta(days=rng.choice((1, 20, 900))), late),
        )
    )
    value = rng.choice((60.0, 139.0, 149.0, 400.0, None))
    return Event(happened, recorded, rng.choice(worlds.CODES[:-2]), value, "mmHg")
