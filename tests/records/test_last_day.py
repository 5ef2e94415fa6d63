"""How far an extract reaches: as it says, or as its dates say, never as a clock says."""

from __future__ import annotations

import datetime as dt

import pytest
from records_helpers import good

from casefinding.errors import RecordsError


def silent():
    """The good rows without the table that says how far they reach."""
    rows = good()
    del rows["extract"]
    return rows


def test_the_extract_table_says_it(bring):
    assert bring(good()).data_through == dt.date(2024, 3, 31)


def test_an_option_outranks_the_table(bring):
    store = bring(good(), data_through=dt.date(2024, 1, 31))
    assert store.data_through == dt.date(2024, 1, 31)
    assert store.counts()["refused"] == {}
    store = bring(good(), data_through=dt.date(2024, 1, 30))
    assert store.counts()["refused"] == {"date in the future": 2}


def test_without_either_it_is_the_last_recorded_day_and_the_page_says_so(bring):
    store = bring(silent())
    assert store.data_through == dt.date(2024, 1, 31)
    assert any("2024-01-31 is taken from the recorded dates" in note for note in store.counts()["notes"])
    assert store.kind == "native"


def test_a_table_without_a_day_says_nothing(bring):
    rows = good()
    rows["extract"] = [["", "example"]]
    store = bring(rows)
    assert (store.data_through, store.kind) == (dt.date(2024, 1, 31), "example")
    rows["extract"] = []
    assert bring(rows).kind == "native"


def test_lone_dates_in_the_far_future_do_not_move_it(bring):
    rows = silent()
    start = dt.date(2023, 1, 1)
    # 20 people a day for 60 days, then two quieter days, then three slips of the pen.
    rows["person"] = [[f"p{i:02d}", "1950-01", "F", "", "", "", ""] for i in range(20)]
    rows["registration"] = [[f"p{i:02d}", "Y99001", "2000-01-01", ""] for i in range(20)]
    days = [start + dt.timedelta(days=i) for i in range(60)]
    rows["event"] = [[f"p{i:02d}", str(day), "", "snomed", "38341003", "", "", ""] for day in days for i in range(20)]
    quiet = [days[-1] + dt.timedelta(days=3), days[-1] + dt.timedelta(days=9)]
    slips = [dt.date(2023, 3, 30), dt.date(2032, 1, 5), dt.date(2203, 1, 5)]
    rows["event"] += [["p03", str(day), "", "snomed", "38341003", "", "", ""] for day in (*quiet, *slips)]
    rows["contact"] = []
    store = bring(rows)
    assert store.data_through == quiet[1]
    assert store.counts()["refused"] == {"date in the future": 3}


@pytest.mark.parametrize("text", ["31/03/2024", "2024-02-30", "soon"])
def test_a_table_with_something_else_is_refused(bring, text):
    rows = good()
    rows["extract"] = [[text, ""]]
    with pytest.raises(RecordsError, match="'data_through' is not a day"):
        bring(rows)


def test_two_rows_in_the_table_are_refused(bring):
    rows = good()
    rows["extract"] *= 2
    with pytest.raises(RecordsError, match="more than one row"):
        bring(rows)
