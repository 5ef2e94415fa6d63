"""Extracts in EMIS Web's layout: what each table becomes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from emis_helpers import (
    TWO,
    balanced,
    bringing,
    code,
    consultation,
    digest,
    good,
    history,
    ids,
    left,
    observation,
    only,
    patient,
    put,
    stays,
    told,
)

from casefinding.errors import RecordsError
from casefinding.records.sources import ingest
from casefinding.records.store import Store


@pytest.fixture
def bring(tmp_path: Path) -> Callable[..., Store]:
    return bringing(tmp_path)


def test_every_table_becomes_what_it_says(bring):
    store = bring(good())
    seen = ("2021-02-02", "2021-02-05")
    assert told(store) == {
        ("p1", *seen, "snomed", "38341003", "Hypertension", "", ""),
        ("p1", *seen, "snomed", "271649006", "Systolic", "152", "mmHg"),
        ("p1", *seen, "snomed", "271650006", "Diastolic", "91.5", "mmHg"),
        ("p1", "2021-02-02", "2021-02-02", "snomed", "185202000", "Seen at the surgery", "", ""),
        ("p1", "2021-03-03", "2021-03-03", "dmd", "39113611000001102", "Amlodipine 5mg tablets", "", ""),
        ("{P2}@{ORG-1}", *seen, "read2", "451E.", "eGFR", ">90", ""),
        ("{P2}@{ORG-1}", *seen, "emis", "16", "Local code", "", ""),
        ("{P2}@{ORG-1}", *seen, "read2", "G20..", "Short Read code", "", ""),
        ("{P2}@{ORG-1}", "2021-03-03", "2021-03-03", "emis", "22", "Dressing", "", ""),
    }
    assert store.practices().to_pylist() == [
        {"practice": "Y99001", "name": "Practice Ön", "pcn": "North Network", "place": "Saltmarsh"}
    ]
    people = {row["pseudonym"]: row for row in store.people_table().to_pylist()}
    assert (people["p1"]["birth_month"], people["p1"]["sex"]) == (dt.date(1950, 3, 1), "female")
    assert people["{P2}@{ORG-1}"]["died_on"] == dt.date(2022, 10, 9)
    assert (
        stays(store) == [("p1", "Y99001", "2010-01-01", "None"), ("{P2}@{ORG-1}", "Y99001", "2010-01-01", "None")][::1]
        or len(stays(store)) == 2
    )
    assert store.data_through == dt.date(2024, 3, 31)
    assert store.counts()["left"] == {
        "kind of row that is not asked for": 2,
        "nobody is concerned": 3,
        "row of a dictionary": 11,
        "said by another row too": 2,
    }
    assert not store.counts()["refused"]


def test_a_code_that_the_dictionary_lacks_is_refused_as_missing(bring):
    tables = only("Prescribing_IssueRecord", "Coding_DrugCode")
    tables["CareRecord_Observation"][0]["CodeId"] = "999"
    tables["CareRecord_Observation"][1]["CodeId"] = ""
    tables["Prescribing_IssueRecord"][0]["CodeId"] = "999"
    store = bring(tables)
    assert store.counts()["refused"] == {"missing value": 3}


@pytest.mark.parametrize("concept", ["38341004", "3.8341E+07", "-1", "1234"])
def test_a_concept_that_cannot_be_one_gives_way_to_the_read_code(bring, concept):
    tables = only()
    tables["Coding_ClinicalCode"][0]["SnomedCTConceptId"] = concept
    assert "G20.." in ids(bring(tables))


@pytest.mark.parametrize("how", [{"DummyType": "TRUE"}, {"PatientTypeDescription": "Dummy"}])
def test_test_patients_are_left_with_all_their_rows(bring, how):
    tables = good()
    tables["Admin_Patient"][1] |= how
    store = bring(tables)
    assert store.counts()["left"]["test patient"] == 5
    assert store.people_table()["pseudonym"].to_pylist() == ["p1"]


@pytest.mark.parametrize("kind", ["Temporary", "Private", "Immediately Necessary", "Walk-In Patient", "Something new"])
def test_who_is_not_registered_is_left_with_all_their_rows(bring, kind):
    tables = good()
    tables["Admin_Patient"][1]["PatientTypeDescription"] = kind
    store = bring(tables)
    assert store.counts()["left"]["not a registered patient"] == 5
    assert not store.counts()["refused"]


@pytest.mark.parametrize("kind", ["", " Regular", "REGULAR"])
def test_regular_patients_count_however_it_is_written(bring, kind):
    tables = good()
    tables["Admin_Patient"][1]["PatientTypeDescription"] = kind
    assert bring(tables).people == 2


def test_a_visitor_who_is_registered_elsewhere_keeps_the_entries_of_the_visit(bring):
    tables = only()
    tables["Admin_Organisation"].append({"OrganisationGuid": TWO, "ODSCode": "Y99002", "OrganisationName": "Two"})
    tables["Admin_Patient"].append(patient("{P9}", "p1", org=TWO, PatientTypeDescription="Temporary"))
    tables["CareRecord_Observation"].append(observation("{O9}", "{P9}", "13", org=TWO, Value="177"))
    store = bring(tables)
    assert ("p1", "177") in {(row[0], row[6]) for row in told(store)}
    assert left(store, "Admin_Patient") == {"not a registered patient": 1}
    assert {row[1] for row in stays(store)} == {"Y99001"}


def test_one_person_at_two_practices_is_one_person_with_two_registrations(bring):
    tables = only()
    tables["Admin_Organisation"].append({"OrganisationGuid": TWO, "ODSCode": "Y99002", "OrganisationName": "Two"})
    tables["Admin_Patient"][0] |= {
        "DateofDeactivation": "2019-12-31",
        "Sex": "I",
        "ImdDecile": "4",
        "ImdVintage": "2019",
    }
    tables["Admin_Patient"].append(
        patient("{P9}", "p1", org=TWO, DateOfRegistration="2020-01-01", DateOfBirth="1950-03-14")
    )
    store = bring(tables)
    assert [stay[1:] for stay in stays(store) if stay[0] == "p1"] == [
        ("Y99001", "2010-01-01", "2019-12-31"),
        ("Y99002", "2020-01-01", "None"),
    ]
    (person,) = (row for row in store.people_table().to_pylist() if row["pseudonym"] == "p1")
    assert (person["sex"], person["imd_decile"], person["imd_vintage"]) == ("female", 4, "2019")
    assert not store.counts()["refused"]


def test_earlier_registrations_come_from_the_history(bring):
    tables = only()
    tables["Admin_Patient"][0]["DateOfRegistration"] = "2015-05-05"
    tables["Admin_PatientHistory"] = [
        history("Patient has presented", "1999-12-20"),
        history("Notification of registration", "2000-01-01"),
        history("Record Received", "2000-02-02"),
        history("Internal transfer within partnership", "2001-01-01"),
        history("Left Practice. Still Registered", "2002-02-02"),
        history("Deduction at patient's request", "2003-03-03"),
        history("Records sent back to FHSA", "2003-04-04"),
        history("Notification of registration", "2010-10-10"),
        history("Notification of registration", "2010-10-10"),
        history("Notification of registration", "2015-05-05"),
        history("Notification of registration", "not a day"),
        history("Notification of registration", "2000-01-01", who="{nobody}"),
    ]
    store = bring(tables)
    assert [stay[2:] for stay in stays(store) if stay[0] == "p1"] == [
        ("2000-01-01", "2003-03-03"),
        ("2010-10-10", "2015-05-05"),
        ("2015-05-05", "None"),
    ]
    assert store.counts()["refused"] == {"impossible date": 1, "person not in the person table": 1}
    assert left(store, "Admin_PatientHistory") == {"replaced by a later row": 1, "said by another row too": 7}


def test_without_a_history_earlier_files_tell_of_registrations_that_ended(tmp_path):
    tables = only()
    tables["Admin_Patient"][0] |= {"DateOfRegistration": "2001-01-01", "DateofDeactivation": "2005-05-05"}
    folder = put(tmp_path / "extract", tables)
    late = {"first": 200, "last": 200, "stamp": "20240430233000"}
    put(folder, {"Admin_Patient": [patient("{P1}", "p1", DateOfRegistration="2023-03-03")]}, **late)
    store = ingest("emis", folder, tmp_path / "store")
    assert [stay[2:] for stay in stays(store) if stay[0] == "p1"] == [
        ("2001-01-01", "2005-05-05"),
        ("2023-03-03", "None"),
    ]
    assert balanced(store)


def test_what_is_confidential_stays_at_the_practice_and_comes_in_there(bring):
    tables = good()
    tables["CareRecord_Observation"][0]["IsConfidential"] = "true"
    tables["CareRecord_Observation"][2]["ConsultationGuid"] = "{C1}"
    tables["CareRecord_Consultation"][0]["IsConfidential"] = "TRUE"
    tables["Prescribing_IssueRecord"][0]["IsConfidential"] = "1"
    tables["Admin_Patient"][1]["SpineSensitive"] = "true"
    store = bring(tables)
    assert store.counts()["left"]["confidential: stays at the practice"] == 9
    assert ids(store) == {"271650006"}
    there = bring(tables, at_practice=True)
    assert digest(there) == digest(bring(good()))
    tables = good()
    tables["Admin_Patient"][1]["IsConfidential"] = "true"
    assert bring(tables).people_table()["pseudonym"].to_pylist() == ["p1"]


def test_a_person_marked_sensitive_is_so_at_every_practice(bring):
    tables = only()
    tables["Admin_Organisation"].append({"OrganisationGuid": TWO, "ODSCode": "Y99002", "OrganisationName": "Two"})
    tables["Admin_Patient"].append(patient("{P9}", "p1", org=TWO, SpineSensitive="true"))
    assert bring(tables).people_table()["pseudonym"].to_pylist() == ["{P2}@{ORG-1}"]


@pytest.mark.parametrize(
    ("day", "precise", "happened"),
    [
        ("2015-01-01", "Y", "2015-01-01"),
        ("2015-06-01", "YM", "2015-06-01"),
        ("1950-01-01", "Y", "1950-03-01"),
        ("1950-02-01", "ym", None),
        ("", "U", "2021-02-05"),
        ("1900-01-01", "U", "2021-02-05"),
        ("2015-06-07", "YMDT", "2015-06-07"),
        ("", "YMD", None),
        ("1950-02-28", "YMD", None),
    ],
)  # fmt: skip
def test_a_day_that_is_known_by_its_year_alone_still_counts(bring, day, precise, happened):
    tables = only()
    tables["CareRecord_Observation"][0] |= {"EffectiveDate": day, "EffectiveDatePrecision": precise}
    store = bring(tables)
    found = [row[1] for row in told(store) if row[4] == "38341003"]
    assert found == ([happened] if happened else [] if precise == "YMD" else ["1950-03-01"])
    vague = [note for note in store.counts()["notes"] if note.startswith("1 entries")]
    assert len(vague) == (precise.upper() in ("Y", "YM", "U"))


def test_a_value_in_words_costs_the_value_and_not_the_code(bring):
    tables = only()
    tables["CareRecord_Observation"][2]["Value"] = "140/90"
    tables["CareRecord_Observation"][3]["Value"] = "high"
    store = bring(tables)
    assert {(row[4], row[6]) for row in told(store)} >= {("271649006", ""), ("271650006", "")}
    assert not store.counts()["refused"]


def test_the_latest_coded_ethnicity_wins_and_any_answer_beats_none(bring):
    tables = only()
    tables["Coding_ClinicalCode"] += [
        code("31", "British", "92391000000108"),
        code("32", "Pakistani", "", "EMISX1", NationalCode="J", NationalCodeCategory="ETHNIC CATEGORY CODE"),
        code("33", "Not stated", "92531000000104"),
        code("34", "Not about ethnicity", "", "EMISX2", NationalCode="N", NationalCodeCategory="WARD CODE"),
    ]
    for i, (number, day) in enumerate(
        (("31", "2010-01-01"), ("32", "2011-01-01"), ("33", "2012-01-01"), ("34", "2013-01-01"))
    ):
        tables["CareRecord_Observation"].append(observation(f"{{E{i}}}", "{P1}", number, EffectiveDate=day))
    store = bring(tables)
    groups = {row["pseudonym"]: row["ethnicity_detail"] for row in store.people_table().to_pylist()}
    assert groups == {"p1": "Pakistani", "{P2}@{ORG-1}": ""}


def test_permissions_to_prescribe_count_only_where_there_are_no_issues_at_all(bring):
    tables = good()
    del tables["Prescribing_IssueRecord"]
    store = bring(tables)
    assert [row[1] for row in told(store) if row[3] == "dmd"] == ["2021-01-01"]
    assert any("Prescribing_IssueRecord" in note for note in store.counts()["notes"])
    tables["Prescribing_IssueRecord"] = []
    assert not [row for row in told(bring(tables)) if row[3] == "dmd"]


@pytest.mark.parametrize(
    ("words", "concept", "found"),
    [
        ("Telephone call to a patient", "", "386472008"),
        ("Video consultation", "", "448337001"),
        ("Home visit", "1777541000006104", "439708006"),
        ("G.P.Surgery", "", "185202000"),
        ("Some other place", "", "308335008"),
        ("", "", "308335008"),
        ("Telephone call to a patient", "185317003", "185317003"),
        ("Administration note", "", "99"),
        ("Letter from hospital", "", "99"),
    ],
)  # fmt: skip
def test_a_consultation_is_known_by_its_code_or_by_its_words(bring, words, concept, found):
    tables = only("CareRecord_Consultation")
    tables["CareRecord_Observation"] = []
    tables["Coding_ClinicalCode"] = [code("99", words, concept, "EMISNQC1")]
    tables["CareRecord_Consultation"] = [
        consultation("{C1}", "{P1}", ConsultationSourceCodeId="99", ConsultationSourceTerm=words, Complete="false")
    ]
    assert ids(bring(tables)) == {found}


def test_an_administrative_consultation_without_a_code_is_left(bring):
    tables = only("CareRecord_Consultation")
    tables["CareRecord_Consultation"] = [consultation("{C1}", "{P1}", ConsultationSourceTerm="Administration")]
    assert left(bring(tables), "CareRecord_Consultation") == {"kind of row that is not asked for": 1}


def test_a_disease_of_a_relative_is_not_the_persons_own(bring):
    tables = only()
    tables["Coding_ClinicalCode"].append(code("41", "FH: Hypertension", "160357008"))
    tables["CareRecord_Observation"] = [
        observation("{O1}", "{P1}", "11", ObservationType="Family history"),
        observation("{O2}", "{P1}", "41", ObservationType="Family History"),
    ]
    store = bring(tables)
    assert ids(store) == {"160357008"}
    assert left(store, "CareRecord_Observation") == {"kind of row that is not asked for": 1}


@pytest.mark.parametrize("kind", ["false", "true"])
def test_a_real_nhs_number_stops_the_ingest_even_of_somebody_who_is_left(tmp_path, kind):
    tables = good()
    number = "94347" + "65919"  # passes the check; in two pieces, so that no such number stands in this file
    tables["Admin_Patient"][0] |= {"NhsNumber": number, "DummyType": kind}
    with pytest.raises(RecordsError, match="NHS numbers") as failed:
        ingest("emis", put(tmp_path / "extract", tables), tmp_path / "store")
    assert number not in str(failed.value)


def test_deprivation_and_area_that_the_practice_wrote_beside_the_patient_come_in(bring):
    tables = only()
    tables["Admin_Patient"][0] |= {"Lsoa": "E01000001", "ImdDecile": "3", "ImdVintage": "2019"}
    (row,) = (row for row in bring(tables).people_table().to_pylist() if row["pseudonym"] == "p1")
    assert (row["imd_decile"], row["imd_vintage"]) == (3, "2019")
