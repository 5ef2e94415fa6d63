"""What earlier lists found out reaches the rows that it happened after, and says who was chosen."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from casefinding.cohort.eligible import registered
from casefinding.cohort.registration import number_of
from casefinding.job.loop import from_lists
from casefinding.recall.loop.ledger import ALREADY_KNOWN, DIAGNOSED, INVITED, LISTED, NOT_DIAGNOSED, OUTCOME, Ledger
from casefinding.records.store import Store
from tests.cohort.small import write_store

DAY = dt.date(2023, 1, 1)
END = number_of(dt.date(2023, 12, 31))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    spells = [(person, "Y99001", dt.date(2010, 1, 1), None) for person in range(5)]
    return write_store(tmp_path_factory.mktemp("loop") / "store", people=5, registrations=spells)


def ledger(path: Path, *said: tuple[int, str, dt.date], condition: str = "wasting", lane: str = "invite") -> Ledger:
    """A ledger in which everybody was listed on DAY, and this came back (person, outcome, day)."""
    people = sorted({person for person, _, _ in said})
    made = Ledger.open(path / "ledger")
    blank = {field.name: None for field in LISTED}
    about = {"list_id": "l1", "index_day": DAY, "practice": "Y99001", "condition": condition, "lane": lane}
    made.record_list(pa.Table.from_pylist([blank | about | {"pseudonym": f"p{n:06d}"} for n in people], schema=LISTED))
    rows = [
        {
            "list_id": "l1", "practice": "Y99001", "pseudonym": f"p{n:06d}", "condition": condition,
            "outcome": outcome, "on": on, "file": "f", "file_sha256": "", "row": 1,
        }
        for n, outcome, on in said
    ]  # fmt: skip
    made.record_outcomes(pa.Table.from_pylist(rows, schema=OUTCOME))
    return Ledger.open(path / "ledger")


def told(store: Store, book: Ledger, condition: str = "wasting"):
    base = registered(store, [DAY])
    return from_lists(book, condition, base, np.full(base.num_rows, END), store)


def test_a_result_within_the_horizon_reaches_the_row_and_no_other(tmp_path: Path, store: Store) -> None:
    march = dt.date(2023, 3, 1)
    found = told(store, ledger(tmp_path, (0, DIAGNOSED, march), (1, NOT_DIAGNOSED, march), (2, INVITED, march)))
    np.testing.assert_array_equal(found.result, [1, 0, np.nan, np.nan, np.nan])


def test_results_before_the_index_day_or_after_the_horizon_are_not_used(tmp_path: Path, store: Store) -> None:
    before, after = dt.date(2022, 12, 31), dt.date(2024, 1, 1)
    found = told(store, ledger(tmp_path, (0, DIAGNOSED, before), (1, DIAGNOSED, after)))
    assert np.isnan(found.result).all()


def test_the_index_day_and_the_last_day_of_the_horizon_count(tmp_path: Path, store: Store) -> None:
    found = told(store, ledger(tmp_path, (0, DIAGNOSED, DAY), (1, NOT_DIAGNOSED, dt.date(2023, 12, 31))))
    assert found.result[:2].tolist() == [1, 0]


def test_somebody_diagnosed_once_stays_so_in_whatever_order_it_came_back(tmp_path: Path, store: Store) -> None:
    early, late = dt.date(2023, 2, 1), dt.date(2023, 5, 1)
    one = told(store, ledger(tmp_path / "a", (0, NOT_DIAGNOSED, early), (0, DIAGNOSED, late)))
    other = told(store, ledger(tmp_path / "b", (0, DIAGNOSED, early), (0, NOT_DIAGNOSED, late)))
    assert one.result[0] == other.result[0] == 1


def test_whoever_was_known_already_is_neither_found_nor_a_control(tmp_path: Path, store: Store) -> None:
    book = ledger(tmp_path, (0, ALREADY_KNOWN, dt.date(2024, 6, 1)), (1, NOT_DIAGNOSED, dt.date(2023, 6, 1)))
    found = told(store, book)
    _, usable = found.onto(None, np.zeros(5, dtype=bool), np.ones(5, dtype=bool))
    assert usable.tolist() == [False, True, True, True, True]


def test_other_conditions_say_nothing(tmp_path: Path, store: Store) -> None:
    found = told(store, ledger(tmp_path, (0, DIAGNOSED, dt.date(2023, 3, 1)), condition="fading"))
    assert np.isnan(found.result).all()
    assert found.selection == {}


def test_it_is_recorded_which_lane_had_chosen_those_who_were_tested(tmp_path: Path, store: Store) -> None:
    march = dt.date(2023, 3, 1)
    book = ledger(tmp_path, (0, DIAGNOSED, march), (1, NOT_DIAGNOSED, march), lane="never measured")
    assert told(store, book).selection == {
        "listed as never measured": 2,
        "rows": 2,
        "found": 1,
        "left out: already known": 0,
    }
