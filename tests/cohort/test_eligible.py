"""Who is asked: registered and alive as known before the day, with every exclusion counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pytest

from casefinding.cohort.eligible import BASE, eligible, register_status, registered
from casefinding.definitions.shapes import Definitions
from casefinding.errors import CohortError
from casefinding.records.store import Store
from tests.cohort.small import BROAD, DIAGNOSIS, OTHER, RESOLVED, definitions_of, pairs_of

MakeStore = Callable[..., Store]
D = dt.date
DAY = D(2024, 1, 1)
EARLY = D(2010, 1, 1)


def test_a_registration_counts_from_the_day_after_it_began_to_its_last_day(make_store: MakeStore) -> None:
    store = make_store(
        people=6,
        registrations=[
            (0, "A", D(2023, 12, 31), None),
            (1, "A", D(2024, 1, 1), None),  # begins on the day itself: not known before it
            (2, "A", EARLY, D(2024, 1, 1)),  # its last day
            (3, "A", EARLY, D(2023, 12, 31)),  # ended the day before
            (4, "A", EARLY, D(2030, 1, 1)),
        ],
    )
    base = registered(store, DAY)
    assert base.schema == BASE
    assert base["person"].to_pylist() == [0, 2, 4]
    assert base["days_registered"].to_pylist()[0] == 1


def test_only_the_living_are_asked_as_far_as_it_was_known(make_store: MakeStore) -> None:
    store = make_store(
        people=3,
        registrations=[(n, "A", EARLY, None) for n in range(3)],
        died={0: D(2023, 12, 31), 1: D(2024, 1, 1)},
    )
    assert registered(store, DAY)["person"].to_pylist() == [1, 2]


def test_somebody_in_two_practices_counts_in_the_one_joined_later(make_store: MakeStore) -> None:
    store = make_store(
        people=2,
        registrations=[
            (0, "A", D(2012, 1, 1), None), (0, "B", D(2020, 1, 1), None), (0, "C", D(2024, 1, 1), None),
            (1, "B", D(2020, 1, 1), None), (1, "A", D(2020, 1, 1), None),
        ],
    )  # fmt: skip
    assert registered(store, DAY)["practice"].to_pylist() == ["B", "B"]


@pytest.mark.parametrize(("joined", "since"), [(D(2022, 7, 1), D(2010, 1, 1)), (D(2022, 7, 2), D(2022, 7, 2))])
def test_a_move_within_thirty_days_does_not_start_the_registration_anew(
    make_store: MakeStore, joined: dt.date, since: dt.date
) -> None:
    store = make_store(people=1, registrations=[(0, "A", EARLY, D(2022, 6, 1)), (0, "B", joined, None)])
    base = registered(store, DAY)
    assert base["practice"].to_pylist() == ["B"]
    assert base["registered_on"].to_pylist() == [since]
    assert base["days_registered"].to_pylist() == [(DAY - since).days]


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (D(1964, 1, 1), D(2024, 1, 1), 60),
        (D(1964, 2, 1), D(2024, 1, 31), 59),
        (D(1964, 2, 1), D(2024, 2, 1), 60),
        (D(2004, 2, 1), D(2024, 2, 29), 20),
        (D(1931, 12, 1), D(2024, 11, 30), 92),
        (None, D(2024, 1, 1), None),
    ],
)
def test_age_is_whole_years_from_the_first_of_the_birth_month(
    make_store: MakeStore, born: dt.date | None, day: dt.date, age: int | None
) -> None:
    store = make_store(people=1, registrations=[(0, "A", EARLY, None)], born={0: born})
    assert registered(store, day)["age"].to_pylist() == [age]


def test_several_days_are_sorted_by_person_and_day_and_asked_once(make_store: MakeStore) -> None:
    store = make_store(people=30, registrations=[(n, "A", D(2010 + n % 14, 1, 1), None) for n in range(30)])
    days = [D(2024, 1, 1), D(2020, 1, 1), D(2022, 1, 1), D(2020, 1, 1)]
    base = registered(store, days)
    rows = list(zip(base["person"].to_pylist(), base["index_day"].to_pylist(), strict=True))
    assert rows == sorted(set(rows))
    expected = sum(D(2010 + n % 14, 1, 1) < day for n in range(30) for day in set(days))
    assert len(rows) == expected


def test_the_day_after_the_data_is_the_latest_to_ask_on(make_store: MakeStore) -> None:
    store = make_store(people=1, registrations=[(0, "A", EARLY, None)], data_through=D(2023, 12, 31))
    assert registered(store, D(2024, 1, 1)).num_rows == 1
    with pytest.raises(CohortError, match="lies after the end of the records"):
        registered(store, D(2024, 1, 2))


def test_a_day_on_which_nobody_is_registered_is_said_so(make_store: MakeStore) -> None:
    store = make_store(people=1, registrations=[(0, "A", EARLY, None)])
    with pytest.raises(CohortError, match="nobody is registered"):
        registered(store, D(2009, 1, 1))
    with pytest.raises(CohortError, match="nobody is registered"):
        registered(store, [])


# --------------------------------------------------------------------------- the register


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([], "never"),
        ([(D(2023, 12, 31), D(2023, 12, 31), DIAGNOSIS)], "on register"),
        ([(D(2024, 1, 1), D(2024, 1, 1), DIAGNOSIS)], "never"),  # the index day itself is not seen
        ([(D(2020, 1, 1), D(2024, 1, 1), DIAGNOSIS)], "never"),  # not recorded before the day
        ([(D(2024, 1, 5), D(2020, 1, 1), DIAGNOSIS)], "never"),  # booked ahead: has not happened
        ([(D(2020, 1, 1), D(2020, 1, 1), BROAD)], "on register"),
        ([(D(2020, 1, 1), D(2020, 1, 1), OTHER)], "never"),
        ([(D(2020, 1, 1), D(2020, 1, 1), RESOLVED)], "never"),
        ([(D(2020, 1, 1), D(2020, 1, 1), DIAGNOSIS), (D(2021, 1, 1), D(2021, 1, 1), RESOLVED)], "resolved"),
        ([(D(2020, 1, 1), D(2020, 1, 1), DIAGNOSIS), (D(2020, 1, 1), D(2020, 1, 1), RESOLVED)], "resolved"),
        ([(D(2022, 1, 1), D(2022, 1, 1), DIAGNOSIS), (D(2021, 1, 1), D(2021, 1, 1), RESOLVED)], "on register"),
        ([(D(2020, 1, 1), D(2020, 1, 1), DIAGNOSIS), (D(2021, 1, 1), D(2024, 2, 1), RESOLVED)], "on register"),
        # a diagnosis written in late but older than the resolution does not bring the disease back
        ([(D(2020, 1, 1), D(2022, 5, 5), DIAGNOSIS), (D(2021, 1, 1), D(2021, 1, 1), RESOLVED)], "resolved"),
        ([(D(1935, 1, 1), D(2001, 5, 5), DIAGNOSIS)], "on register"),
    ],
)
def test_the_state_is_what_was_known_before_the_day(
    make_store: MakeStore, definitions: Definitions, events: list, status: str
) -> None:
    store = make_store(
        people=9,
        registrations=[(n, "A", EARLY, None) for n in range(9)],
        events=[(4, *event) for event in events] + [(3, EARLY, EARLY, DIAGNOSIS), (5, EARLY, EARLY, DIAGNOSIS)],
    )
    states = register_status(store, definitions, "kidney", pairs_of((3, DAY), (4, DAY), (5, DAY), (6, DAY)))
    assert states.to_pylist() == ["on register", status, "on register", "never"]


def test_states_come_in_the_order_of_the_pairs_for_several_days(
    make_store: MakeStore, definitions: Definitions
) -> None:
    store = make_store(
        people=2,
        registrations=[(n, "A", EARLY, None) for n in range(2)],
        events=[(1, D(2022, 1, 1), D(2022, 1, 1), DIAGNOSIS), (1, D(2023, 1, 1), D(2023, 1, 1), RESOLVED)],
    )
    days = (D(2021, 1, 1), D(2022, 6, 1), D(2023, 6, 1))
    pairs = pairs_of(*[(1, day) for day in reversed(days)], *[(0, day) for day in days])
    states = register_status(store, definitions, "kidney", pairs).to_pylist()
    assert states == ["resolved", "on register", "never", "never", "never", "never"]


def test_a_store_without_the_codes_has_nobody_on_the_register(make_store: MakeStore) -> None:
    store = make_store(people=2, registrations=[(n, "A", EARLY, None) for n in range(2)])
    states = register_status(store, definitions_of(), "kidney", pairs_of((0, DAY), (1, DAY)))
    assert states.to_pylist() == ["never", "never"]


# --------------------------------------------------------------------------- the flow


def test_everybody_left_out_is_counted_once_in_the_first_step_that_fits(make_store: MakeStore) -> None:
    model = definitions_of(eligible={"age at least": 40, "age at most": 80, "registered": "12 months"}).models["kidney"]
    store = make_store(
        people=8,
        registrations=[(n, "A", D(2023, 6, 1) if n in (2, 3) else EARLY, None) for n in range(8)],
        born={0: D(2000, 1, 1), 1: D(1930, 1, 1), 2: D(2001, 1, 1), 7: None},
    )
    base = registered(store, DAY)
    status = ["never", "never", "on register", "on register", "on register", "resolved", "never", "never"]
    mask, flow = eligible(base, model, status)
    assert mask.tolist() == [False, False, False, False, False, False, True, False]
    assert [(row["label"], row["left_out"], row["remaining"]) for row in flow.rows()] == [
        ("Registered and alive on the index day", 0, 8),
        ("Age not known", 1, 7),
        ("Younger than 40", 2, 5),
        ("Older than 80", 1, 4),
        ("Registered for less than 12 months", 1, 3),
        ("On the register already", 1, 2),
        ("Diagnosis resolved", 1, 1),
    ]


@pytest.mark.parametrize(("joined", "fits"), [(D(2023, 2, 28), True), (D(2023, 3, 1), False)])
def test_registered_long_enough_is_counted_by_the_calendar(make_store: MakeStore, joined: dt.date, fits: bool) -> None:
    model = definitions_of(eligible={"registered": "12 months"}).models["kidney"]
    store = make_store(people=1, registrations=[(0, "A", joined, None)])
    mask, _ = eligible(registered(store, D(2024, 2, 29)), model, ["never"])
    assert mask.tolist() == [fits]


def test_the_steps_of_a_flow_add_up(make_store: MakeStore) -> None:
    random = np.random.default_rng(5)
    people = 200
    store = make_store(
        people=people,
        registrations=[(n, "A", D(2005 + int(random.integers(19)), 6, 1), None) for n in range(people)],
        born={n: D(1930 + int(random.integers(90)), 1, 1) for n in range(people)},
    )
    base = registered(store, [DAY, D(2020, 1, 1)])
    status = random.choice(["never", "on register", "resolved"], base.num_rows)
    mask, flow = eligible(base, definitions_of().models["kidney"], status)
    assert flow.steps[0].remaining == base.num_rows
    assert flow.steps[-1].remaining == mask.sum()
    for before, after in zip(flow.steps, flow.steps[1:], strict=False):
        assert before.remaining - after.left_out == after.remaining
    with pytest.raises(ValueError, match="states for"):
        eligible(base, definitions_of().models["kidney"], status[1:])


def test_an_end_written_as_the_year_9999_is_open_and_touches_nobody_else(make_store: MakeStore) -> None:
    """The far end of one person's registration once reached into the next person's."""
    store = make_store(
        people=2,
        registrations=[
            (0, "A", D(2010, 1, 1), D(9999, 12, 31)),
            (1, "A", D(2000, 1, 1), D(2005, 1, 1)),
            (1, "A", D(2023, 6, 1), None),
        ],
    )
    base = registered(store, [DAY])
    assert base["registered_on"].to_pylist() == [D(2010, 1, 1), D(2023, 6, 1)]
