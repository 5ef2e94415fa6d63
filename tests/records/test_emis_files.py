"""The files of an EMIS Web extract: their names, what later ones change, and that no order and no cell loses a row."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from emis_helpers import (
    ONE,
    TWO,
    balanced,
    bringing,
    code,
    digest,
    good,
    history,
    ids,
    left,
    name_of,
    observation,
    only,
    patient,
    put,
    told,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding.errors import CasefindingError, RecordsError
from casefinding.records import ethnic_codes
from casefinding.records.sources import ingest
from casefinding.records.sources.emis import entries
from casefinding.records.store import Store
from casefinding.synthetic.simulate import simulate
from tests.writers.emis import write_emis
from tests.writers.layouts import EMIS


@pytest.fixture
def bring(tmp_path: Path) -> Callable[..., Store]:
    return bringing(tmp_path)


def test_the_latest_row_of_an_id_counts_and_deletions_delete(tmp_path):
    full = only()
    full["CareRecord_Observation"] = [observation(f"{{O{i}}}", "{P1}", "13", Value=str(100 + i)) for i in range(5)]
    folder = put(tmp_path / "extract", full)
    bare = {"PatientGuid": "{P1}", "OrganisationGuid": ONE, "Deleted": "true", "ProcessingId": "300"}
    changes = [
        observation("{O0}", "{P1}", "13", Value="200", ProcessingId="201"),
        observation("{O0}", "{P1}", "13", Value="201", ProcessingId="202"),
        {**bare, "ObservationGuid": "{O1}"},
        {**bare, "ObservationGuid": "{O2}", "ProcessingId": "203"},
        observation("{O2}", "{P1}", "13", Value="202", ProcessingId="204"),
        {**bare, "ObservationGuid": "{never}"},
        observation("{O9}", "{P1}", "13", Value="209", ProcessingId="205"),
    ]
    late = {"first": 200, "last": 399, "stamp": "20240430233000"}
    put(folder, {"CareRecord_Observation": changes}, **late)
    store = ingest("emis", folder, tmp_path / "store")
    assert {row[6] for row in told(store)} == {"201", "202", "103", "104", "209"}
    assert left(store, "CareRecord_Observation") == {
        "deleted at the source": 2,
        "deletion of a row that never came": 1,
        "replaced by a later row": 4,
    }
    assert balanced(store)
    # The same delta again, in a folder of its own, changes nothing.
    put(folder / "again", {"CareRecord_Observation": random.Random(1).sample(changes, len(changes))}, **late)
    again = ingest("emis", folder, tmp_path / "again")
    assert digest(again) == digest(store)
    assert balanced(again)


def test_the_numbers_in_the_names_decide_and_not_the_folders_or_the_order_of_rows(tmp_path):
    full = only()
    for number, value in ((3, "103"), (1, "101"), (2, "102")):
        rows = [observation("{O1}", "{P1}", "13", Value=value)]  # every file numbers its rows from 1 on
        put(tmp_path / f"extract/{9 - number}", {"CareRecord_Observation": rows}, first=number, last=number)
    full.pop("CareRecord_Observation")
    put(tmp_path / "extract", full, first=1, last=1)
    store = ingest("emis", tmp_path / "extract", tmp_path / "store")
    assert {row[6] for row in told(store)} == {"103"}


def test_rows_of_overlapping_files_count_in_the_order_of_their_own_numbers(tmp_path):
    tables = only()
    tables["CareRecord_Observation"] = [observation("{O1}", "{P1}", "13", Value="1", ProcessingId="150")]
    folder = put(tmp_path / "extract", tables)
    put(folder, {"CareRecord_Observation": [observation("{O1}", "{P1}", "13", Value="2", ProcessingId="140")]},
        first=120, last=145, stamp="20240401000000")  # fmt: skip
    assert {row[6] for row in told(ingest("emis", folder, tmp_path / "store"))} == {"1"}


def test_the_same_guid_at_two_practices_is_two_rows_and_two_people(bring):
    tables = only()
    tables["Admin_Organisation"].append({"OrganisationGuid": TWO, "ODSCode": "Y99002", "OrganisationName": "Two"})
    tables["Admin_Patient"] = [patient("{P1}"), patient("{P1}", org=TWO, DateOfBirth="1960-01-01")]
    tables["CareRecord_Observation"] = [
        observation("{O1}", "{P1}", "13", Value="1"), observation("{O1}", "{P1}", "13", org=TWO, Value="2")
    ]  # fmt: skip
    store = bring(tables)
    assert {(row[0], row[6]) for row in told(store)} == {("{P1}@{ORG-1}", "1"), ("{P1}@{ORG-2}", "2")}


def test_ids_whose_hashes_agree_are_still_different_rows(tmp_path, monkeypatch):
    simulate(100, 2, 3, tmp_path / "native", tmp_path / "truth")
    write_emis(tmp_path / "native", tmp_path / "extract", deltas=True)
    before = digest(ingest("emis", tmp_path / "extract", tmp_path / "store"))
    every = "CREATE MACRO emis_hash(a) AS length(a) % 3, (a, b) AS ascii(a[2]) % 3"
    monkeypatch.setattr(entries, "MACROS", (every, *entries.MACROS[1:]))
    assert digest(ingest("emis", tmp_path / "extract", tmp_path / "store")) == before


def test_a_deleted_patient_takes_every_row_along(tmp_path):
    folder = put(tmp_path / "extract", good())
    gone = {"Admin_Patient": [patient("{P1}", Deleted="true", ProcessingId="200")]}
    put(folder, gone, first=200, last=200, stamp="20240430233000")
    store = ingest("emis", folder, tmp_path / "store")
    assert store.people_table()["pseudonym"].to_pylist() == ["{P2}@{ORG-1}"]
    assert left(store, "CareRecord_Observation") == {"deleted at the source": 4}
    assert left(store, "Prescribing_IssueRecord") == {"deleted at the source": 1}
    assert left(store, "Admin_Patient") == {"deleted at the source": 2}
    assert balanced(store)
    # Back again: the record is as it was.
    back = {"Admin_Patient": [patient("{P1}", "p1", ProcessingId="300")]}
    put(folder, back, first=300, last=300, stamp="20240430233000")
    assert len(told(ingest("emis", folder, tmp_path / "store"))) == 9


def test_the_latest_dictionary_wins_and_one_that_came_in_part_loses_no_code(tmp_path):
    tables = good()
    tables["Coding_ClinicalCode"][0]["SnomedCTConceptId"] = "59621000"
    folder = put(tmp_path / "extract", tables)
    late = {"first": 200, "last": 200, "stamp": "20240430233000"}
    put(folder, {"Coding_ClinicalCode": [code("11", "Hypertension", "38341003")]}, **late)
    store = ingest("emis", folder, tmp_path / "store")
    assert "38341003" in ids(store)
    assert "59621000" not in ids(store)
    assert "271649006" in ids(store)
    assert left(store, "Coding_ClinicalCode") == {"replaced by a later row": 8, "row of a dictionary": 1}
    assert any("Admin_Patient is of 2024-03-31" in note for note in store.counts()["notes"])
    assert store.data_through == dt.date(2024, 4, 30)


@pytest.mark.parametrize(
    "name", ["patients.csv", "1_Admin_Patient_20241331000000_ab.csv", "9-1_Admin_Patient_20240131000000_ab.csv",
             "1_Patient_20240131000000_ab.csv"],
)  # fmt: skip
def test_a_file_whose_name_is_not_of_five_parts_is_refused_with_a_hint(tmp_path, name):
    folder = put(tmp_path / "extract", good())
    (folder / name).write_text("a,b\n")
    with pytest.raises(RecordsError, match="keep the names that EMIS gave") as failed:
        ingest("emis", folder, tmp_path / "store")
    assert failed.value.where == name


def test_what_is_missing_is_named(tmp_path):
    folder = put(tmp_path / "extract", good())
    for table in ("CareRecord_Observation", "Coding_DrugCode"):
        path = folder / name_of(table)
        text = path.read_text()
        path.unlink()
        with pytest.raises(RecordsError, match=f"'{table}' is missing"):
            ingest("emis", folder, tmp_path / "store")
        path.write_text(text)
    path = folder / name_of("Admin_Patient")
    path.write_text(path.read_text().replace("SpineSensitive", "Sensitive"))
    with pytest.raises(RecordsError, match="'SpineSensitive' is missing"):
        ingest("emis", folder, tmp_path / "store")
    (tmp_path / "packed").mkdir()
    (tmp_path / "packed" / "extract.zip").write_bytes(b"PK")
    with pytest.raises(RecordsError, match="still packed"):
        ingest("emis", tmp_path / "packed", tmp_path / "store")
    for empty in (tmp_path / "nowhere", tmp_path / "packed" / "empty"):
        with pytest.raises(RecordsError, match="no such folder"):
            ingest("emis", empty, tmp_path / "store")


def test_versions_compression_folders_and_the_case_of_headers_change_nothing(tmp_path, bring):
    before = digest(bring(good()))
    for version, zipped in (("5.4", False), ("8.2", True)):
        folder = put(tmp_path / version, good(), version, zipped)
        assert digest(ingest("emis", folder, tmp_path / f"store-{version}")) == before
    folder = put(tmp_path / "other", good())
    for number, path in enumerate(sorted(folder.iterdir())):
        header, rest = path.read_text("utf-8").split("\n", 1)
        (folder / str(number)).mkdir()
        path.unlink()
        (folder / str(number) / path.name.lower()).write_text(f"\ufeff{header.upper()}\n{rest}", "utf-8", newline="")
    assert digest(ingest("emis", folder, tmp_path / "store-other")) == before


def test_tables_that_nobody_knows_are_counted_and_named(bring):
    store = bring(good() | {"Appointment_Slot": [{"Something": "x"}] * 3})
    assert left(store, "Appointment_Slot") == {"kind of row that is not asked for": 3}
    assert any("not read: Appointment_Slot" in note for note in store.counts()["notes"])


SECRET = "Zzyzx-9990000018"
cells = st.one_of(
    st.sampled_from(["", "true", "1", "2020-02-31", "2020-01-01", "U", SECRET, "38341003", "{P1}", "{P2}", "é€", "11"]),
    st.text(alphabet=st.characters(exclude_categories=("Cs",), exclude_characters="\r\n\0"), max_size=12),
)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_whatever_the_cells_hold_the_rows_balance_and_no_value_is_told(tmp_path_factory, data):
    tables = good() | {"Admin_PatientHistory": [history("Notification of registration", "2001-01-01")]}
    for name, rows in tables.items():
        for _ in range(data.draw(st.integers(0, 2))):
            row = data.draw(st.sampled_from(rows))
            row[data.draw(st.sampled_from(EMIS["8.2"][name]))] = data.draw(cells)
            if data.draw(st.booleans()):
                rows.append({**row, EMIS["8.2"][name][0]: data.draw(cells)})
    folder = tmp_path_factory.mktemp("fuzz")
    said = ""
    try:
        after = ingest("emis", put(folder / "extract", tables), folder / "store")
    except CasefindingError as problem:
        said = str(problem)
    else:
        assert balanced(after)
        # The name of a practice is no patient's, and stands in the counts by practice.
        said = str({name: value for name, value in after.counts().items() if "practice" not in name})
    assert SECRET not in said


@settings(max_examples=12, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 4))
def test_the_same_rows_give_the_same_bytes_whatever_their_order_and_their_files(tmp_path_factory, chance, pieces):
    tables = good()
    rows = tables["CareRecord_Observation"]
    for _ in range(6):
        row = chance.choice(rows)
        rows.append({**row, "Value": str(chance.randint(1, 9)), "ProcessingId": str(100 + len(rows)),
                     "Deleted": chance.choice(["true", "false", "false"])})  # fmt: skip
    here = tmp_path_factory.mktemp("order")
    before = digest(ingest("emis", put(here / "extract", tables), here / "store"))
    folder = here / "pieces"
    for table, mine in tables.items():
        mine = chance.sample(mine, len(mine))
        for piece in range(pieces):
            put(folder / str(chance.randint(0, 99)), {table: mine[piece::pieces]}, agreement=f"{piece}", first=100)
    assert digest(ingest("emis", folder, here / "again")) == before


ETHNIC = {code for system, code, _ in ethnic_codes.rows() if system == "snomed"}


@pytest.mark.parametrize("options", [{}, {"deltas": True}, {"version": "5.4", "deltas": True}])
def test_a_whole_population_says_the_same_as_in_the_native_layout(tmp_path, options):
    simulate(300, 2, 5, tmp_path / "native", tmp_path / "truth")
    native = ingest("native", tmp_path / "native", tmp_path / "native-store")
    written = write_emis(tmp_path / "native", tmp_path / "extract", **options)
    after = ingest("emis", tmp_path / "extract", tmp_path / "store")
    assert balanced(after)
    assert {name: one["read"] for name, one in after.counts()["balance"].items()} == written.rows
    assert after.registrations().num_rows == native.registrations().num_rows
    assert after.data_through == native.data_through
    assert after.practices() == native.practices()
    more = {row for row in told(after) if row[4] not in ETHNIC} - told(native)
    assert told(native) <= told(after)
    # Made-up codes of a wrong check digit are refused in the native layout; here EMIS's own id stands for them.
    assert {row[3] for row in more} <= {"emis"}
    assert after.registrations() == native.registrations()
    unread = {"see notes"}  # words that are no category have no code to stand for them
    same = [name for name in native.people_table().column_names if name != "ethnicity_detail"]
    assert after.people_table().select(same) == native.people_table().select(same)
    said = [store.people_table()["ethnicity_detail"].to_pylist() for store in (after, native)]
    assert [a == b or b in unread for a, b in zip(*said, strict=True)].count(False) == 0


def test_an_extract_that_still_names_its_patients_is_refused(tmp_path):
    simulate(300, 2, 5, tmp_path / "native", tmp_path / "truth")
    write_emis(tmp_path / "native", tmp_path / "extract", pseudonymised=False)
    with pytest.raises(RecordsError, match="names its patients"):
        ingest("emis", tmp_path / "extract", tmp_path / "store")
