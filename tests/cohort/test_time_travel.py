"""Nothing that happened or was recorded on or after the index day can change who is asked or in which state."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np

from casefinding.cohort.eligible import eligible, register_status, registered
from casefinding.cohort.outcome import outcomes
from casefinding.definitions.shapes import Definitions
from casefinding.records.store import Store
from tests.cohort.small import BROAD, DIAGNOSIS, OTHER, RESOLVED

MakeStore = Callable[..., Store]
D = dt.date
PEOPLE, DAY, THROUGH = 120, D(2022, 1, 1), D(2024, 12, 31)
FIRST = D(2012, 1, 1)


def _world(random: np.random.Generator) -> dict:
    registrations = [
        (n, "AB"[n % 2], FIRST + dt.timedelta(days=int(random.integers(0, 4000))), None) for n in range(PEOPLE)
    ]
    events = []
    for _ in range(PEOPLE):
        day = FIRST + dt.timedelta(days=int(random.integers(0, (THROUGH - FIRST).days)))
        late = dt.timedelta(days=int(random.choice([0, 5, 300])))
        code = int(random.choice([DIAGNOSIS, BROAD, RESOLVED, OTHER]))
        events.append((int(random.integers(PEOPLE)), day, min(day + late, THROUGH), code))
    return {"people": PEOPLE, "registrations": registrations, "events": events, "data_through": THROUGH}


def _unseen(random: np.random.Generator, latest: dt.date) -> tuple[int, dt.date, dt.date, int]:
    """A record of which at least one of both days lies on or after the index day."""
    early = DAY - dt.timedelta(days=int(random.integers(1, 3000)))
    late = DAY + dt.timedelta(days=int(random.integers(0, (latest - DAY).days)))
    later = DAY + dt.timedelta(days=int(random.integers(0, (latest - DAY).days)))
    kind = int(random.integers(3))
    day, recorded = [(early, late), (late, early), (min(late, later), max(late, later))][kind]
    return int(random.integers(PEOPLE)), day, recorded, int(random.choice([DIAGNOSIS, BROAD, RESOLVED]))


def _seen(store: Store, definitions: Definitions) -> tuple:
    base = registered(store, DAY)
    status = register_status(store, definitions, "kidney", base)
    mask, flow = eligible(base, definitions.models["kidney"], status)
    return base.to_pylist(), status.to_pylist(), mask.tolist(), flow


def test_a_thousand_added_records_from_the_future_change_nothing(
    make_store: MakeStore, definitions: Definitions
) -> None:
    random = np.random.default_rng(20261101)
    world = _world(random)
    before = _seen(make_store(**world), definitions)
    assert {"never", "on register", "resolved"} == set(before[1])
    added = [_unseen(random, THROUGH) for _ in range(1000)]
    for part in range(0, 1000, 100):  # a few at a time and all of them: none hides another
        changed = make_store(**{**world, "events": [*world["events"], *added[part : part + 100]]})
        assert _seen(changed, definitions) == before
    assert _seen(make_store(**{**world, "events": [*world["events"], *added]}), definitions) == before


def test_registrations_leavings_and_deaths_from_the_future_change_nothing(
    make_store: MakeStore, definitions: Definitions
) -> None:
    random = np.random.default_rng(7)
    world = _world(random)
    before = _seen(make_store(**world), definitions)

    def later() -> dt.date:
        return DAY + dt.timedelta(days=int(random.integers(0, 1000)))

    ended = [(p, practice, start, later() if start < DAY else None) for p, practice, start, _ in world["registrations"]]
    joined = [(p, "C", later(), None) for p in range(0, PEOPLE, 2)]
    died = {p: later() for p in range(0, PEOPLE, 3)}
    assert _seen(make_store(**{**world, "registrations": [*ended, *joined], "died": died}), definitions) == before


def test_a_record_from_before_the_day_does_change_something(make_store: MakeStore, definitions: Definitions) -> None:
    """The opposite, so that the promises above could fail."""
    world = _world(np.random.default_rng(7))
    before = _seen(make_store(**world), definitions)
    yesterday = DAY - dt.timedelta(days=1)
    states = dict(zip([row["person"] for row in before[0]], before[1], strict=True))
    healthy = next(person for person, state in states.items() if state == "never")
    events = [*world["events"], (healthy, yesterday, yesterday, DIAGNOSIS)]
    assert _seen(make_store(**{**world, "events": events}), definitions) != before


def test_what_is_known_only_after_the_horizon_changes_no_outcome(
    make_store: MakeStore, definitions: Definitions
) -> None:
    random = np.random.default_rng(9)
    world = _world(random)
    end = D(2023, 1, 31)  # 30 days and 12 months after the index day
    base = registered(make_store(**world), DAY)
    before = outcomes(make_store(**world), definitions, "kidney", base).to_pylist()
    added = []
    for _ in range(300):
        known = end + dt.timedelta(days=int(random.integers(1, 600)))
        day = known - dt.timedelta(days=int(random.choice([0, 10, 700])))
        added.append((int(random.integers(PEOPLE)), day, known, int(random.choice([DIAGNOSIS, BROAD, RESOLVED]))))
    died = {p: end + dt.timedelta(days=1 + p) for p in range(0, PEOPLE, 5)}
    changed = make_store(**{**world, "events": [*world["events"], *added], "died": died})
    assert outcomes(changed, definitions, "kidney", base).to_pylist() == before


def test_other_people_s_records_never_change_mine(make_store: MakeStore, definitions: Definitions) -> None:
    random = np.random.default_rng(13)
    world = _world(random)
    base = registered(make_store(**world), DAY)
    before = outcomes(make_store(**world), definitions, "kidney", base).to_pylist()
    mine = 17
    others = [event for event in world["events"] if event[0] == mine]
    alone = make_store(**{**world, "events": others})
    after = outcomes(alone, definitions, "kidney", base).to_pylist()
    keys = ("person", "outcome", "day", "follow_days")
    assert [[row[k] for k in keys] for row in after if row["person"] == mine] == [
        [row[k] for k in keys] for row in before if row["person"] == mine
    ]


def test_shards_are_only_a_way_of_storing(make_store: MakeStore, definitions: Definitions) -> None:
    world = _world(np.random.default_rng(21))
    tables = []
    for shard_people in (1, 7, 1000):
        store = make_store(**world, shard_people=shard_people)
        tables.append(outcomes(store, definitions, "kidney", registered(store, DAY)))
    assert tables[0] == tables[1] == tables[2]
