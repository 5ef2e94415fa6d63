"""Nobody is lost for a cell that may be empty: it is left unread, counted, said, and the person stays."""

from __future__ import annotations

import datetime as dt

import pytest
from records_helpers import good, write

from casefinding.definitions.shapes import Definitions
from casefinding.records.quality.held import assess
from casefinding.records.reasons import Cell
from casefinding.records.sources import ingest

PERSON = {"birth_month": 1, "sex": 2, "ethnicity": 3, "imd_decile": 4, "died_on": 6}
DAY = dt.date

# (reason, column, text, what stands in the store)
HELD = [
    (Cell.SEX, "sex", "X", "unknown"),
    (Cell.SEX, "sex", "3", "unknown"),
    (Cell.ETHNICITY, "ethnicity", "Martian", "unknown"),
    (Cell.DECILE, "imd_decile", "11", None),
    (Cell.DECILE, "imd_decile", "0", None),
    (Cell.DECILE, "imd_decile", "3.5", None),
    (Cell.DECILE, "imd_decile", "most deprived", None),
    (Cell.DEATH, "died_on", "9999-12-31", None),
    (Cell.DEATH, "died_on", "2024-04-01", None),  # the day after the extract ends
    (Cell.DEATH, "died_on", "1900-01-01", None),
    (Cell.DEATH, "died_on", "2023-02-30", None),
]


@pytest.mark.parametrize(("reason", "column", "text", "taken"), HELD)
def test_an_optional_cell_that_cannot_be_read_costs_nobody_anything_else(bring, reason, column, text, taken):
    rows = good()
    rows["person"][0][PERSON[column]] = text
    store, clean = bring(rows), bring(good())
    counts = store.counts()
    assert counts["refused"] == {}
    assert counts["held_cells"] == {reason: 1}
    assert counts["held_cells_by_practice"] == {"Y99002": {reason: 1}}  # that of the latest registration
    assert counts["notes"] == [reason.note(1)]
    assert store.people_table()[column].to_pylist() == [taken, *clean.people_table()[column].to_pylist()[1:]]
    assert store.registrations().equals(clean.registrations())
    assert store.events(0).equals(clean.events(0))


@pytest.mark.parametrize(
    ("column", "text", "taken"),
    [("imd_decile", "3.0", 3), ("imd_decile", "10.00", 10), ("imd_decile", "03", 3), ("sex", "1.0", "male"),
     ("sex", "2.0", "female"), ("died_on", "2024-03-31", DAY(2024, 3, 31)), ("died_on", "1950-03-01", DAY(1950, 3, 1))],
)  # fmt: skip
def test_whole_numbers_written_with_a_point_and_deaths_within_bounds_are_read(bring, column, text, taken):
    rows = good()
    rows["person"][0][PERSON[column]] = text
    rows["event"], rows["registration"] = rows["event"][3:], rows["registration"][2:]
    rows["registration"].append(["p1", "Y99001", "1950-03-01", ""])
    store = bring(rows)
    assert store.people_table()[column].to_pylist()[0] == taken
    assert store.counts()["held_cells"] == {}


@pytest.mark.parametrize("start", ["1900-01-01", "1999-12-31", "1753-01-01", "0001-01-01 00:00:00"])
def test_a_registration_before_birth_starts_in_the_month_of_birth(bring, start):
    rows = good()
    rows["registration"][4][2] = start  # the only one of p4, born in February 2000
    store = bring(rows)
    assert store.counts()["refused"] == {}
    assert store.registrations()["started_on"].to_pylist()[-1] == DAY(2000, 2, 1)
    assert store.counts()["held_cells_by_practice"] == {"Y99001": {"registered before birth": 1}}
    assert store.counts()["notes"] == ["1 registration starts before the month of birth; that month is taken instead."]


def test_registrations_that_become_the_same_are_one(bring):
    rows = good()
    rows["registration"] += [["p4", "Y99001", "1900-01-01", ""], ["p4", "Y99001", "2000-02-01", ""]]
    store = bring(rows)
    assert store.counts()["refused"] == {"duplicate row": 1}
    assert store.quarantine()["row"].to_pylist() == [6]  # the placeholder goes, what was written down stays
    assert store.counts()["held_cells"] == {}


@pytest.mark.parametrize(
    ("end", "taken"),
    [("9999-12-31", None), ("2999-12-31 00:00:00", None), ("2024-04-01", None), ("2024-03-31", DAY(2024, 3, 31))],
)
def test_a_registration_that_ends_after_the_extract_is_open(bring, end, taken):
    rows = good()
    rows["registration"][4][3] = end
    store = bring(rows)
    assert store.registrations()["ended_on"].to_pylist()[-1] == taken
    assert (store.counts()["refused"], store.counts()["notes"]) == ({}, [])


def test_an_open_end_in_the_far_future_gives_the_same_store_as_an_empty_cell(bring):
    rows = good()
    for row in rows["registration"]:
        row[3] = row[3] or "9999-12-31"
    assert bring(rows).digest == bring(good()).digest


def test_a_cell_that_cannot_be_read_contradicts_no_other_row_of_the_person(bring):
    rows = good()
    rows["person"].insert(0, ["p1", "1950-03", "X", "white", "99", "2019", "9999-12-31"])
    store = bring(rows)
    assert store.digest == bring(good()).digest
    assert store.counts()["refused"] == {"duplicate row": 1}
    assert store.quarantine()["row"].to_pylist() == [1]
    assert store.counts()["held_cells"] == {}


def test_rows_that_are_refused_hold_no_cells(bring):
    rows = good()
    rows["person"].append(["p9", "1980-13", "X", "Martian", "99", "", "never"])
    counts = bring(rows).counts()
    assert counts["refused"] == {"impossible date": 1}
    assert (counts["held_cells"], counts["notes"]) == ({}, [])


def test_held_cells_stand_beside_held_readings_and_on_the_quality_page(bring):
    rows = good()
    rows["person"][0][2], rows["person"][3][2], rows["person"][3][4] = "X", "X", "11"
    quality = assess(bring(rows), Definitions())
    assert quality.refused == {}
    assert quality.held_cells == {"unknown sex": 2, "not a deprivation decile": 1}
    assert quality.held_by_practice == {
        "Y99001": {"not a deprivation decile": 1, "unknown sex": 1}, "Y99002": {"unknown sex": 1},
    }  # fmt: skip
    assert "2 people have a sex that could not be read; they are kept with sex unknown." in quality.notes
    assert quality.summary()["held_cells"] == quality.held_cells


def test_a_column_of_deaths_that_nobody_can_read_stops_the_ingest(bring):
    from casefinding.errors import RecordsError

    rows = good()
    rows["person"][1][6] = "01/05/2023"
    with pytest.raises(RecordsError, match="every date in column 'died_on'"):
        bring(rows)


# ------------------------------------------------------------------------------------- what a contact is about


def test_the_condition_of_a_contact_is_lower_case_and_trimmed(bring):
    rows = good()
    rows["contact"] = [["p3", " Hypertension ", "Opted Out", "2023-12-01"], ["p1", "ALL", "declined", "2023-12-02"]]
    store = bring(rows)
    assert [(row["condition"], row["kind"]) for row in store.contacts().to_pylist()] == [
        ("all", "declined"), ("hypertension", "opted out"),
    ]  # fmt: skip
    assert store.counts()["contact_conditions"] == {"all": 1, "hypertension": 1}


def test_spelling_makes_no_second_contact(bring):
    rows = good()
    rows["contact"].append(["p3", "CKD", "invited", "2023-12-01"])
    assert bring(rows).counts()["refused"] == {"duplicate row": 1}


def test_conditions_are_counted_and_odd_text_is_not_passed_on(bring):
    rows = good()
    rows["contact"] += [["p1", "high blood pressure, canary", "invited", "2023-01-01"]]
    rows["contact"] += [["p1", "hypertention", "invited", f"2023-01-0{day}"] for day in (2, 3)]
    rows["contact"] += [["p99", "copd", "invited", "2023-01-01"]]  # refused: not counted
    assert bring(rows).counts()["contact_conditions"] == {"(other text)": 1, "ckd": 1, "hypertention": 2}


def test_without_contacts_there_are_no_conditions(tmp_path):
    rows = good()
    del rows["contact"]
    store = ingest("native", write(tmp_path / "extract", rows), tmp_path / "store")
    assert store.counts()["contact_conditions"] == {}


@pytest.mark.parametrize(
    "text", ["140/90", "high", "1,5", "150 mmHg", "NaN", "inf", "0x96", "1_5", ">", "><5", "1e400", "1e39"]
)
def test_a_value_that_cannot_be_read_costs_the_value_and_not_the_code(bring, text):
    rows = good()
    rows["event"][7][6] = text  # a diagnosis with something in its value
    store, clean = bring(rows), bring(good())
    assert store.counts()["refused"] == {}
    assert store.counts()["held_cells_by_practice"] == {"Y99001": {Cell.VALUE: 1}}
    assert store.counts()["notes"] == [Cell.VALUE.note(1)]
    assert store.events(0).equals(clean.events(0))
