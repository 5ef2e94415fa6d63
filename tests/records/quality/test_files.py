"""The files of an extract by their tables, and which of them lost too many rows."""

from __future__ import annotations

import pytest

from casefinding.records.quality.files import by_table, refused, table_of
from casefinding.records.quality.findings import Kind


def counts_of(**files: tuple[int, int]) -> dict:
    names = {name.replace("__", "/") + ".csv": numbers for name, numbers in files.items()}
    return {
        "balance": {
            name: {"read": read, "kept": read - lost, "refused": lost, "left": {}}
            for name, (read, lost) in names.items()
        },
        "refused_by_file": {name: {"impossible date": lost} for name, (_, lost) in names.items() if lost},
    }


@pytest.mark.parametrize(
    ("read", "lost", "found"), [(1000, 20, True), (1000, 19, False), (2000, 20, False), (1900, 20, True)]
)
def test_more_than_one_row_in_a_hundred_and_twenty_rows_are_a_finding(read, lost, found):
    assert bool(refused(counts_of(event=(read, lost)))) is found


def test_parts_of_a_table_are_one_finding_and_one_bad_part_is_not_drowned_by_the_others():
    (one,) = refused(counts_of(**{"event__part-1": (500, 30), "event__part-2": (500, 30)}))
    assert (one.kind, one.facts["table"], one.facts["refused"]) == (Kind.REFUSED, "event", 60)
    (one,) = refused(counts_of(**{"event__part-1": (500, 30), "event__part-2": (50_000, 0)}))
    assert one.facts["table"] == "event: event/part-1.csv"


@pytest.mark.parametrize("name", ["SRPatient.csv", "person/part-0.parquet", "Patient.ndjson", "registration.csv.gz"])
def test_tables_of_people_are_known_by_their_names(name):
    assert table_of(name).of_people


@pytest.mark.parametrize("name", ["event/part-0.parquet", "SRCode.csv", "contact.csv", "practice.parquet"])
def test_tables_of_entries_are_not_taken_for_people(name):
    assert not table_of(name).of_people


def test_files_of_another_day_are_another_table():
    names = [
        f"1_Admin_Patient_{day}233000_8b7f2c1e-5d34-4c7a-9f60-2e1d0c9b8a77.csv" for day in ("20260901", "20260930")
    ]
    assert [table.label for table in by_table(dict.fromkeys(names, 0))] == [
        "Admin_Patient, 2026-09-01 23:30", "Admin_Patient, 2026-09-30 23:30",
    ]  # fmt: skip
