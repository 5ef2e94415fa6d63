"""SystmOne's deliveries: later rows replace and remove earlier ones, and organisations share what they see."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from systmone_helpers import (
    CODE,
    HEADERS,
    VISIBLE,
    balanced,
    deliver,
    entry,
    good,
    ids,
    kept,
    only,
    person,
    put,
    registered,
    removed,
    said,
    second,
    two_practices,
)  # fmt: skip

from casefinding.errors import RecordsError
from casefinding.records.sources import ingest
from casefinding.records.store import Store

DAYS = ("2021-02-02", "2021-02-05")


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Store:
    folder = tmp_path_factory.mktemp("systmone")
    return ingest("systmone", put(folder / "extract", good()), folder / "store")


def test_a_later_row_replaces_an_earlier_one_and_a_removal_removes(tmp_path):
    after = deliver(
        tmp_path,
        second(
            SRCode=[
                entry("32", "11", **CODE | {"CTV3Code": "2469.", "IsNumeric": "TRUE", "NumericValue": "140"}),
                removed("34"),
                removed("3999"),
            ]
        ),
        second(SRCode=[removed("33"), entry("36", "12", **CODE | {"SNOMEDCode": "44054006"})]),
        second(SRCode=[entry("33", "11", **CODE | {"CTV3Code": "XaK8Y"})]),
    )
    assert {row[5:7] for row in said(after) if row[4] == "271649006"} == {("", "140")}
    assert {"44054006", "XaK8Y"} <= ids(after)
    assert "1011481000000105" not in ids(after)
    balance = after.counts()["balance"]
    assert balanced(after)
    assert balance["2024-01-01/SRCode.csv"]["left"] == {
        "deleted at the source": 1, "replaced by a later row": 2,
    }  # fmt: skip
    assert balance["2024-01-02/SRCode.csv"]["left"] == {
        "deleted at the source": 1, "deletion of a row that never came": 1,
    }  # fmt: skip
    assert balance["2024-01-03/SRCode.csv"]["left"] == {"replaced by a later row": 1}
    assert balance["2024-01-04/SRCode.csv"]["kept"] == 1


def test_the_same_delivery_twice_changes_nothing(tmp_path, store):
    again = deliver(tmp_path, good())
    assert said(again) == said(store)
    assert again.people_table() == store.people_table()
    assert again.registrations() == store.registrations()
    assert kept(again).keys() == {f"2024-01-02/{name}" for name in kept(store)}
    assert balanced(again)


def test_the_order_of_deliveries_is_that_of_their_dates_not_of_their_names(tmp_path):
    manifest = [{"FileName": "SRCode", "IsDelta": "Y", "DateExtractFrom": "20240101_0000"}]
    folder = tmp_path / "extract"
    changed = second(
        SRCode=[entry("32", "11", **CODE | {"CTV3Code": "2469.", "IsNumeric": "TRUE", "NumericValue": "140"})]
    )
    put(folder / "a", {**changed, "SRManifest": [manifest[0] | {"DateExtractTo": "20240202_1707"}]})
    put(folder / "b", {**good(), "SRManifest": [manifest[0] | {"DateExtractTo": "20240201_0930"}]})
    after = ingest("systmone", folder, tmp_path / "store")
    assert {row[6] for row in said(after) if row[4] == "271649006"} == {"140"}
    assert after.data_through == dt.date(2024, 2, 2)
    assert not any("recorded dates" in note for note in after.counts()["notes"])


def test_deliveries_without_dates_are_refused_only_if_they_contradict_each_other(tmp_path):
    put(tmp_path / "extract" / "January", good())
    put(tmp_path / "extract" / "copy", good())
    assert ingest("systmone", tmp_path / "extract", tmp_path / "store").people == 2
    put(tmp_path / "extract" / "copy", second(SRCode=[removed("34")]))
    with pytest.raises(RecordsError, match="nothing says which came first: January and copy"):
        ingest("systmone", tmp_path / "extract", tmp_path / "store")


def test_a_full_table_replaces_what_came_before_for_its_organisations_only(tmp_path):
    manifest = {"FileName": "SRCode", "IsDelta": "N", "DateExtractTo": "20240101_0000"}
    other = only()
    other["SRPatient"] = [person("13", "p13", **{VISIBLE: "Y99002"})]
    other["SRPatientRegistration"] = [registered("23", "13", **{VISIBLE: "Y99002", "IDOrganisation": "Y99002"})]
    other["SROrganisation"] = [{"RowIdentifier": "3", "ID": "Y99002", "Name": "Other"}]
    other["SRCode"] = [entry("39", "13", **CODE | {VISIBLE: "Y99002", "SNOMEDCode": "195967001"})]
    folder = tmp_path / "extract"
    put(folder / "2024-01-01", {**good(), "SRManifest": [manifest]})
    put(folder / "2024-01-01b", {**other, "SRManifest": [manifest]})
    full = second(SRCode=[entry("36", "12", **CODE | {"SNOMEDCode": "44054006"})])
    put(folder / "2024-02-01", {**full, "SRManifest": [manifest | {"DateExtractTo": "20240201_0000"}]})
    after = ingest("systmone", folder, tmp_path / "store")
    assert {"44054006", "195967001"} <= ids(after)
    assert "38341003" not in ids(after)
    assert balanced(after)
    assert after.counts()["balance"]["2024-01-01/SRCode.csv"]["left"] == {"replaced by a later row": 5}


def test_a_gap_between_deliveries_and_a_missing_table_are_said(tmp_path):
    manifest = {
        "FileName": "SRCode",
        "IsDelta": "Y",
        "DateExtractFrom": "20231231_0000",
        "DateExtractTo": "20240101_0000",
    }
    put(tmp_path / "extract" / "a", {**good(), "SRManifest": [manifest, manifest | {"FileName": "SRImmunisation"}]})
    later = manifest | {"DateExtractFrom": "20240105_0000", "DateExtractTo": "20240106_0000"}
    put(tmp_path / "extract" / "b", {**second(), "SRManifest": [later]})
    (tmp_path / "extract" / "b" / "readme.csv").write_text("a\n1\n")
    notes = " ".join(ingest("systmone", tmp_path / "extract", tmp_path / "store").counts()["notes"])
    assert "Between 2024-01-01 and 2024-01-05" in notes
    assert "srimmunisation" in notes
    assert "were not read" in notes


def test_one_person_in_two_practices_is_one_person_and_each_entry_is_one_event(tmp_path, store):
    after = ingest(
        "systmone", put(tmp_path / "extract", two_practices()), tmp_path / "store", data_through=dt.date(2024, 6, 1)
    )
    assert said(after) == said(store)
    assert balanced(after)
    people = {row["pseudonym"]: row for row in after.people_table().to_pylist()}
    assert people["p11"]["sex"] == "female"
    assert str(people["p11"]["died_on"]) == "2024-02-01"
    assert sorted(row["practice"] for row in after.registrations().to_pylist()) == ["Y99001", "Y99001", "Y99002"]
    assert after.counts()["balance"]["SRCode.csv"]["left"] == {"said by another row too": 5}


def test_who_leaves_one_of_two_practices_stays_at_the_other(tmp_path, store):
    gone = [removed(row["RowIdentifier"], "Y99002") for row in good()["SRCode"]]
    put(tmp_path / "extract" / "20240101", two_practices())
    put(tmp_path / "extract" / "20240201", second(SRCode=gone, SRPatient=[removed("19", "Y99002")]))
    after = ingest("systmone", tmp_path / "extract", tmp_path / "store", data_through=dt.date(2024, 6, 1))
    assert said(after) == said(store)
    assert balanced(after)


def test_two_months_of_birth_under_one_pseudonym_are_two_people_and_neither_comes_in(tmp_path):
    tables = two_practices()
    tables["SRPatient"][-1]["DateBirth"] = "01 Jun 1990 00:00"
    after = ingest("systmone", put(tmp_path / "extract", tables), tmp_path / "store")
    assert after.people == 1
    assert after.counts()["refused"]["two different rows for one person"] == 2


def test_a_problem_whose_entry_was_deleted_does_not_bring_it_back(tmp_path):
    after = deliver(tmp_path, second(SRCode=[removed("31")]))
    assert "38341003" not in ids(after)
    assert ("p11", *DAYS, "ctv3", "XE0Ub", "", "", "") not in said(after)
    assert after.counts()["balance"]["2024-01-01/SRProblem.csv"]["left"] == {"deleted at the source": 1}


def test_order_of_rows_and_of_columns_changes_nothing(tmp_path, store):
    draw = random.Random(7)
    tables = {name: draw.sample(rows, len(rows)) for name, rows in two_practices().items()}
    one = ingest("systmone", put(tmp_path / "one", tables), tmp_path / "one-store")
    headers = dict(HEADERS)
    try:
        for name, header in headers.items():
            HEADERS[name] = " ".join(draw.sample(header.split(), len(header.split())))
        two = ingest("systmone", put(tmp_path / "two", two_practices()), tmp_path / "two-store")
    finally:
        HEADERS.update(headers)
    assert one.digest == two.digest


def test_a_packed_extract_and_a_table_that_is_twice_in_one_delivery_are_refused(tmp_path):
    (tmp_path / "SRExtract.zip").write_bytes(b"PK")
    with pytest.raises(RecordsError, match="still packed"):
        ingest("systmone", tmp_path, tmp_path / "store")
    folder = put(tmp_path / "extract", good())
    put(folder, {"SRCode": good()["SRCode"]}, zipped=True)
    with pytest.raises(RecordsError, match="'SRCode' is there more than once"):
        ingest("systmone", folder, tmp_path / "store")
    with pytest.raises(RecordsError, match="no such folder"):
        ingest("systmone", tmp_path / "nowhere", tmp_path / "store")


def test_a_later_row_of_one_file_wins(tmp_path):
    tables = only()
    tables["SRCode"] += [removed("31"), entry("34", "12", **CODE | {"SNOMEDCode": "44054006"})]
    after = ingest("systmone", put(tmp_path / "extract", tables), tmp_path / "store")
    assert "44054006" in ids(after)
    assert not ids(after) & {"38341003", "XaK8Y"}
    assert balanced(after)


def test_what_was_written_about_a_patient_who_was_removed_is_left(tmp_path):
    after = deliver(tmp_path, second(SRPatient=[removed("12")]))
    assert {row[0] for row in said(after)} == {"p11"}
    assert balanced(after)
    assert not after.counts()["refused"]
