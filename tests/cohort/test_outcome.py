"""What happened after the index day: edges of gap, horizon and follow-up, and weights for those who left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pytest

from casefinding.cohort.censoring import CASE, CENSORED, CONTROL, censoring_weights
from casefinding.cohort.eligible import registered
from casefinding.cohort.outcome import OUTCOMES, TABLE, outcomes, training_index_days
from casefinding.definitions.config import Training
from casefinding.definitions.shapes import Definitions
from casefinding.errors import CohortError
from casefinding.records.store import Store
from tests.cohort.plain import World, weights
from tests.cohort.small import BROAD, DIAGNOSIS, OTHER, RESOLVED, definitions_of, pairs_of

MakeStore = Callable[..., Store]
D = dt.date
DAY = D(2023, 1, 1)  # gap ends 2023-01-31, horizon 2024-01-31, data 2024-12-31
EARLY = D(2010, 1, 1)


def one(
    make_store: MakeStore,
    definitions: Definitions,
    events: list[tuple[dt.date, dt.date, int]],
    registrations: list[tuple[str, dt.date, dt.date | None]] | None = None,
    died: dt.date | None = None,
    data_through: dt.date = D(2024, 12, 31),
) -> dict:
    store = make_store(
        people=3,
        registrations=[(1, *row) for row in registrations or [("A", EARLY, None)]] + [(2, "A", EARLY, None)],
        events=[(1, *event) for event in events],
        died={1: died} if died else {},
        data_through=data_through,
    )
    table = outcomes(store, definitions, "kidney", pairs_of((1, DAY)))
    assert table.schema == TABLE
    return table.to_pylist()[0]


@pytest.mark.parametrize(
    ("happened", "recorded", "outcome"),
    [
        (D(2022, 12, 31), D(2022, 12, 31), "prevalent"),
        (D(2023, 1, 1), D(2023, 1, 1), "in the gap"),
        (D(2023, 1, 31), D(2023, 1, 31), "in the gap"),
        (D(2023, 2, 1), D(2023, 2, 1), "case"),
        (D(2019, 1, 1), D(2023, 2, 1), "case"),  # backdated: what counts is when it was recorded
        (D(2019, 1, 1), D(2023, 1, 31), "in the gap"),
        (D(2023, 2, 1), D(2022, 1, 1), "case"),  # not known before it happened
        (D(2024, 1, 31), D(2024, 1, 31), "case"),
        (D(2024, 2, 1), D(2024, 2, 1), "control"),
        (D(2023, 6, 1), D(2024, 2, 1), "control"),
    ],
)
def test_the_label_counts_from_the_day_on_which_it_was_known(
    make_store: MakeStore, definitions: Definitions, happened: dt.date, recorded: dt.date, outcome: str
) -> None:
    row = one(make_store, definitions, [(happened, recorded, DIAGNOSIS)])
    assert row["outcome"] == outcome
    assert row["day"] == (None if outcome == "control" else max(happened, recorded))


def test_the_first_known_label_counts(make_store: MakeStore, definitions: Definitions) -> None:
    twice = [(D(2019, 1, 1), D(2023, 9, 1), DIAGNOSIS), (D(2023, 5, 1), D(2023, 5, 1), DIAGNOSIS)]
    assert one(make_store, definitions, twice)["day"] == D(2023, 5, 1)


def test_codes_that_are_no_label_make_no_case(make_store: MakeStore, definitions: Definitions) -> None:
    others = [(D(2023, 5, 1), D(2023, 5, 1), code) for code in (BROAD, OTHER, RESOLVED)]
    assert one(make_store, definitions, others)["outcome"] == "control"


@pytest.mark.parametrize("resolved", [False, True])
def test_the_diagnosed_are_prevalent_also_when_resolved(
    make_store: MakeStore, definitions: Definitions, resolved: bool
) -> None:
    events = [(D(2020, 1, 1), D(2020, 1, 1), BROAD)]
    if resolved:
        events.append((D(2021, 1, 1), D(2021, 1, 1), RESOLVED))
    row = one(make_store, definitions, [*events, (D(2023, 5, 1), D(2023, 5, 1), DIAGNOSIS)])
    assert (row["outcome"], row["day"], row["weight"]) == ("prevalent", None, 0.0)


def test_a_label_from_before_the_day_is_prevalent_even_if_the_register_list_lacks_it(make_store: MakeStore) -> None:
    definitions = definitions_of(register={"diagnosis": "resolved"})  # a list without the label's code
    row = one(make_store, definitions, [(D(2020, 1, 1), D(2020, 1, 1), DIAGNOSIS)])
    assert (row["outcome"], row["day"]) == ("prevalent", D(2020, 1, 1))


@pytest.mark.parametrize(
    ("last", "outcome", "follow"),
    [
        (D(2023, 1, 1), "left in the gap", 0),
        (D(2023, 1, 30), "left in the gap", 29),
        (D(2023, 1, 31), "censored", 30),
        (D(2024, 1, 30), "censored", 394),
        (D(2024, 1, 31), "control", 395),
        (D(2024, 6, 1), "control", 395),
    ],
)
@pytest.mark.parametrize("why", ["left", "died", "data end"])
def test_leaving_dying_and_the_end_of_the_data_end_the_follow_up(
    make_store: MakeStore, definitions: Definitions, why: str, last: dt.date, outcome: str, follow: int
) -> None:
    if why == "left":
        row = one(make_store, definitions, [], registrations=[("A", EARLY, last)])
    elif why == "died":
        row = one(make_store, definitions, [], died=last)
    else:
        row = one(make_store, definitions, [], data_through=last)
    assert (row["outcome"], row["follow_days"]) == (outcome, follow)


def test_a_diagnosis_after_leaving_or_death_was_not_observed(make_store: MakeStore, definitions: Definitions) -> None:
    after = [(D(2023, 6, 2), D(2023, 6, 2), DIAGNOSIS)]
    assert one(make_store, definitions, after, registrations=[("A", EARLY, D(2023, 6, 1))])["outcome"] == "censored"
    assert one(make_store, definitions, after, died=D(2023, 6, 1))["outcome"] == "censored"
    assert one(make_store, definitions, after, died=D(2023, 6, 2))["outcome"] == "case"


@pytest.mark.parametrize(
    ("joined", "outcome"),
    [(D(2023, 5, 31), "control"), (D(2023, 6, 1), "censored")],
)
def test_moving_inside_the_network_within_thirty_days_goes_on(
    make_store: MakeStore, definitions: Definitions, joined: dt.date, outcome: str
) -> None:
    row = one(make_store, definitions, [], registrations=[("A", EARLY, D(2023, 5, 1)), ("B", joined, None)])
    assert row["outcome"] == outcome


@pytest.mark.parametrize(
    ("recorded", "outcome"),
    [
        (D(2023, 5, 30), "case"),  # between two registrations: the latest joining was years ago
        (D(2023, 6, 1), "from registration"),
        (D(2023, 8, 29), "from registration"),
        (D(2023, 8, 30), "case"),
    ],
)
def test_a_diagnosis_in_the_ninety_days_after_joining_is_a_summary_of_the_past(
    make_store: MakeStore, definitions: Definitions, recorded: dt.date, outcome: str
) -> None:
    moved = [("A", EARLY, D(2023, 5, 25)), ("B", D(2023, 6, 1), None)]
    row = one(make_store, definitions, [(D(2015, 1, 1), recorded, DIAGNOSIS)], registrations=moved)
    assert (row["outcome"], row["day"]) == (outcome, recorded)


def test_somebody_who_is_not_registered_on_the_day_is_not_followed(
    make_store: MakeStore, definitions: Definitions
) -> None:
    row = one(make_store, definitions, [], registrations=[("A", D(2023, 1, 15), None)])
    assert (row["outcome"], row["follow_days"]) == ("left in the gap", 0)


def test_an_index_day_after_the_data_is_refused(make_store: MakeStore, definitions: Definitions) -> None:
    with pytest.raises(CohortError, match="after the end of the records"):
        one(make_store, definitions, [], data_through=D(2022, 12, 30))


def test_people_of_another_store_are_refused_and_nobody_is_no_error(
    make_store: MakeStore, definitions: Definitions
) -> None:
    store = make_store(people=2, registrations=[(0, "A", EARLY, None)])
    with pytest.raises(CohortError, match="not in the records"):
        outcomes(store, definitions, "kidney", pairs_of((0, DAY), (2, DAY)))
    assert outcomes(store, definitions, "kidney", pairs_of()).num_rows == 0


# --------------------------------------------------------------------------- weights


def test_weights_of_an_example_worked_by_hand() -> None:
    """Eight people, two of them censored: on day 2, and on day 5 after the case of that day."""
    time = np.array([1, 2, 3, 4, 5, 5, 9, 9])
    state = np.array([CASE, CENSORED, CASE, CASE, CASE, CENSORED, CASE, CONTROL])
    # day 2: there are persons 2..8 = 7 (the case of day 1 is gone), one leaves: G = 6/7
    # day 5: there are persons 5..8 = 4, less the case of that day = 3, one leaves: G = 6/7 * 2/3 = 4/7
    expected = [1, 0, 7 / 6, 7 / 6, 7 / 6, 0, 7 / 4, 7 / 4]
    assert censoring_weights(time, state) == pytest.approx(expected, rel=1e-12)


def test_weights_add_up_and_give_the_share_of_kaplan_and_meier() -> None:
    random = np.random.default_rng(3)
    for _ in range(50):
        size = int(random.integers(2, 60))
        state = random.choice([CENSORED, CASE, CONTROL], size, p=[0.4, 0.3, 0.3])
        state[0] = CONTROL
        time = np.where(state == CONTROL, 365, random.integers(0, 40, size))
        weight = censoring_weights(time, state)
        assert weight.sum() == pytest.approx(size, rel=1e-12)
        free = 1.0
        for day in np.unique(time[state == CASE]):
            there = (time >= day).sum()
            free *= 1 - ((time == day) & (state == CASE)).sum() / there
        assert weight[state == CASE].sum() / size == pytest.approx(1 - free, rel=1e-12)
        names = {CENSORED: "censored", CASE: "case", CONTROL: "control"}
        plain = weights([(names[int(s)], int(t)) for s, t in zip(state, time, strict=True)])
        assert weight == pytest.approx(plain, rel=1e-12)


def test_weights_undo_censoring_that_plain_shares_do_not() -> None:
    """20,000 people, 1 in 5 diagnosed within the year, half of all censored on the way."""
    random = np.random.default_rng(11)
    size, horizon = 20_000, 365
    disease = random.exponential(-horizon / np.log(0.8), size).astype(int) + 1
    leaving = random.integers(0, 730, size)
    state = np.where((disease <= horizon) & (disease <= leaving), CASE, np.where(leaving < horizon, CENSORED, CONTROL))
    time = np.minimum(np.minimum(disease, leaving), horizon)
    weight = censoring_weights(time, state)
    true_share = (disease <= horizon).mean()
    error = 4 * np.sqrt(0.2 * 0.8 / size)
    assert abs(weight[state == CASE].sum() / weight.sum() - true_share) < error
    known = state != CENSORED
    assert abs((state[known] == CASE).mean() - true_share) > error, "so the plain share is no substitute"


def test_nobody_to_weigh_is_no_error() -> None:
    assert censoring_weights(np.array([], dtype=int), np.array([], dtype=int)).tolist() == []
    assert censoring_weights(np.array([3]), np.array([CENSORED])).tolist() == [0.0]


# --------------------------------------------------------------------------- the same in plain Python


def _many(random: np.random.Generator, through: dt.date) -> World:
    """People who join, move, leave and die, with diagnoses at any time and many soon after joining."""
    people, start = 250, D(2019, 1, 1)

    def some_day() -> dt.date:
        return start + dt.timedelta(days=int(random.integers((through - start).days)))

    registrations, events = [], []
    for person in range(people):
        day = D(2015, 1, 1) if random.random() < 0.6 else some_day()
        for practice in random.permutation(["A", "B", "C"])[: 1 + int(random.integers(3))]:
            end = day + dt.timedelta(days=int(random.integers(100, 1500)))
            registrations.append((person, str(practice), day, None if random.random() < 0.3 else end))
            if random.random() < 0.2:
                soon = day + dt.timedelta(days=int(random.integers(0, 120)))
                events.append((person, D(2012, 1, 1), soon, DIAGNOSIS))
            day = end + dt.timedelta(days=int(random.integers(-20, 60)))
    for _ in range(people):
        day = some_day()
        recorded = day + dt.timedelta(days=int(random.choice([0, 0, 3, 40, 400])))
        events.append((int(random.integers(people)), day, recorded, int(random.choice([0, 0, 1, 2, 3]))))
    events = [event for event in events if event[2] <= through]
    died = {int(person): some_day() for person in random.integers(0, people, 25)}
    return World(list({(row[0], row[2]): row for row in registrations}.values()), events, died, through)


def test_many_people_agree_with_plain_python(make_store: MakeStore) -> None:
    days = [D(2020, 2, 29), D(2021, 3, 1), D(2022, 1, 1)]
    met: set[str] = set()
    for seed, (gap, horizon) in enumerate([(30, 365), (90, 180), (0, 365), (180, 730)]):
        definitions = definitions_of(
            outcome={"diagnosis": "core", "gap": f"{gap} days", "horizon": f"{horizon} days"},
        )
        world = _many(np.random.default_rng(seed), D(2023, 6, 30))
        store = make_store(
            people=250, registrations=world.registrations, events=world.events, died=world.died,
            data_through=world.data_through,
        )  # fmt: skip
        asked = [(person, day) for person in range(250) for day in days if world.asked(person, day)]
        assert registered(store, days).select(["person", "index_day"]).to_pylist() == [
            {"person": person, "index_day": day} for person, day in asked
        ]
        table = outcomes(store, definitions, "kidney", pairs_of(*asked))
        expected = [
            world.outcome(p, day, {DIAGNOSIS}, {DIAGNOSIS, BROAD}, {RESOLVED}, gap, horizon) for p, day in asked
        ]
        assert table["outcome"].to_pylist() == [outcome for outcome, _ in expected]
        found = np.array(table["weight"].to_pylist())
        for day in days:
            rows = [n for n, (_, asked_on) in enumerate(asked) if asked_on == day]
            assert found[rows] == pytest.approx(weights([expected[n] for n in rows]), rel=1e-12)
        met |= {outcome for outcome, _ in expected}
    assert met == set(OUTCOMES), "every outcome was generated"


# --------------------------------------------------------------------------- training days


@pytest.mark.parametrize("horizon", ["12 months", "365 days", "24 months"])
@pytest.mark.parametrize("through", [D(2026, 12, 31), D(2026, 9, 30), D(2025, 2, 28), D(2024, 2, 29)])
def test_training_days_end_in_the_data_and_before_the_day_of_the_lists(horizon: str, through: dt.date) -> None:
    model = definitions_of(outcome={"diagnosis": "core", "gap": "1 month", "horizon": horizon}).models["kidney"]
    day = D(2026, 10, 1)
    days = training_index_days(day, through, model, Training.model_validate({"times": 3, "every": "6 months"}))
    assert days == sorted(days)
    assert len(set(days)) == 3

    def end(index: dt.date) -> dt.date:
        return model.outcome.horizon.after(model.outcome.gap.after(index))

    latest = min(through, day - dt.timedelta(days=1))
    assert end(days[-1]) <= latest
    assert end(days[-1] + dt.timedelta(days=1)) > latest, "the latest that fits"
