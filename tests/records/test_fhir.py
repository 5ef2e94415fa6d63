"""FHIR as it arrives: GP Connect bundles, UK Core resources in XML, bulk ndjson, and what each gives."""

from __future__ import annotations

import copy
import datetime as dt
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from fhir_helpers import (
    NHS,
    REAL,
    THROUGH,
    brought,
    bundle,
    concept,
    content,
    events,
    good,
    ndjson,
)

from casefinding.errors import RecordsError
from casefinding.records.reasons import Left, Refusal
from casefinding.records.sources import ingest
from casefinding.records.store import Store
from casefinding.synthetic.simulate import simulate
from tests.writers.fhir import write_fhir

EXAMPLES = Path(__file__).parents[3] / "shared" / "data" / "fhir"
needs_examples = pytest.mark.skipif(not EXAMPLES.exists(), reason="the public examples do not lie beside this checkout")


# --- the public examples -------------------------------------------------------------------------------------------


@needs_examples
def test_the_gp_connect_example_comes_in_as_one_person_with_components_and_issues(tmp_path):
    shutil.copy(EXAMPLES / "gpconnect_structured_bundle.json", tmp_path / "one.json")
    store = ingest("fhir", tmp_path / "one.json", tmp_path / "store")
    assert store.people_table()["pseudonym"].to_pylist() == ["9999999999"]
    assert store.practices().to_pylist()[0] == {
        "practice": "O001",
        "name": "The Trevelyan Practice",
        "pcn": "",
        "place": "",
    }
    assert store.registrations()["started_on"].to_pylist() == [dt.date(1962, 7, 13)]
    drugs = [one for one in events(store) if one[3] == "dmd"]
    # One issue names a Medication that the example does not hold: it is refused, and the plan behind it stands for it.
    assert sorted(one[1] for one in drugs) == ["2019-03-28", "2019-03-28", "2019-03-28", "2019-05-01", "2019-06-01"]
    assert store.counts()["refused"][Refusal.MISSING] >= 1
    balance = store.counts()["balance"]["one.json"]
    assert balance["read"] == 123
    assert balance["left"][Left.SAID_AGAIN] == 9  # four plans and five statements behind five issues
    # The example's references to three people it does not hold are not guessed at.
    assert store.counts()["refused"][Refusal.UNKNOWN_PERSON] > 0


@needs_examples
def test_the_gp_connect_medication_example_gives_each_issue_once(tmp_path):
    shutil.copy(EXAMPLES / "gpconnect_medication_bundle.json", tmp_path / "one.json")
    store = ingest("fhir", tmp_path / "one.json", tmp_path / "store", data_through=THROUGH)
    assert [(one[1], one[3]) for one in events(store)] == [
        ("2016-05-10", "dmd"), ("2016-08-11", "dmd"), ("2016-09-11", "dmd")]  # fmt: skip


@needs_examples
def test_the_uk_core_examples_are_stopped_by_the_number_in_them_and_read_without_it(tmp_path):
    folder = tmp_path / "ukcore"
    shutil.copytree(EXAMPLES / "ukcore_r4", folder)
    patient = folder / "UKCore-Patient-RichardSmith-Example.xml"
    with pytest.raises(RecordsError, match="NHS number") as caught:
        brought(folder)
    number = re.search(r'"(\d{10})"', patient.read_text())[1]
    assert number not in str(caught.value)
    patient.chmod(0o600)
    patient.write_text(patient.read_text().replace(number, "p-richard"))
    stay = good()["episode"]
    stay["patient"]["reference"] = "Patient/UKCore-Patient-RichardSmith-Example"
    ndjson(folder, [stay, good()["organisation"]], "more.ndjson")
    store = brought(folder)
    person = store.people_table().to_pylist()[0]
    assert (person["pseudonym"], person["sex"], person["ethnicity"]) == ("p-richard", "male", "mixed")
    assert person["birth_month"] == dt.date(1970, 9, 1)
    found = {one[4]: (one[1], one[5], one[7]) for one in events(store)}
    assert found["72313002"] == ("2023-08-10", 142.0, "mm[Hg]")
    assert found["1091811000000102"] == ("2023-08-10", 94.0, "mm[Hg]")
    assert "75367002" not in found  # the header says nothing that its readings do not
    assert found["314464000"] == ("2023-03-10", 102.0, "mm[Hg]")
    assert found["60621009"][1] == 46.0
    assert found["230058003"] == ("2023-08-10", 5.0, "/d")
    assert found["41946511000001109"][0] == "2023-06-15"


# --- one population -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("population")
    simulate(250, 2, 11, here / "native", here / "truth", data_through=THROUGH)
    ingest("native", here / "native", here / "store", data_through=THROUGH)
    return here


@pytest.mark.parametrize("form", ["ndjson", "gpconnect"])
def test_a_population_written_as_fhir_is_the_population(population, tmp_path, form):
    folder = write_fhir(population / "native", tmp_path / form, form=form, gz=form == "ndjson")
    written, native = brought(folder), Store.open(population / "store")
    mine = {row["pseudonym"]: row for row in written.people_table().to_pylist()}
    theirs = {row["pseudonym"]: row for row in native.people_table().to_pylist()}
    # Differences: somebody of an unknown practice is known, as the practice is by its id.
    assert set(theirs) <= set(mine)
    assert len(set(mine) - set(theirs)) <= 1
    for person, row in theirs.items():
        same = ("birth_month", "sex", "ethnicity", "ethnicity_detail", "died_on", "imd_decile", "imd_vintage")
        assert {key: mine[person][key] for key in same} == {key: row[key] for key in same}
    stays = _registrations(written, set(theirs))
    assert stays == _registrations(native, set(theirs))
    # Differences: the day of entry of drugs and encounters; UCUM's spelling of units; text for a number.
    codes = native.codes().to_pylist()
    met = {one["id"] for one in codes if re.search("encounter|consultation", one["term"].lower())}
    ours = Counter(_comparable(row, met) for row in events(written) if row[0] in theirs)
    expected = Counter(_comparable(row, met) for row in events(native))
    # FHIR may say more: a value that is no number leaves its row, a row of a strange vocabulary has a place.
    assert list((expected - ours).items()) == []
    assert sum((ours - expected).values()) <= 5


def _comparable(row: tuple[Any, ...], met: set[str]) -> tuple[Any, ...]:
    unit = {"mm[Hg]": "mmHg", "mL/min/{1.73_m2}": "mL/min/1.73m2"}.get(row[7], row[7])
    recorded = None if row[3] == "dmd" or row[4] in met else row[2]
    return row[0], row[1], recorded, row[3], row[4], row[5], row[6], unit


def _registrations(store: Store, people: set[str]) -> set[tuple[Any, ...]]:
    names = store.people_table()["pseudonym"].to_pylist()
    rows = store.registrations().to_pylist()
    return {(names[row["person"]], row["practice"], row["started_on"], row["ended_on"]) for row in rows
            if names[row["person"]] in people}  # fmt: skip


def test_the_order_of_lines_and_files_changes_nothing(tmp_path):
    resources = list(good().values())
    one = brought(ndjson(tmp_path / "a", resources))
    two = ndjson(tmp_path / "b", resources[::-1][:4], "z.ndjson")
    ndjson(two / "deeper", resources[::-1][4:], "a.json")
    assert content(one) == content(brought(two))


# --- references -----------------------------------------------------------------------------------------------------


def test_everything_of_one_person_comes_in(tmp_path):
    store = brought(ndjson(tmp_path / "a", list(good().values())))
    assert events(store) == [
        ("p1", "2015-01-01", "2023-03-03", "snomed", "38341003", None, 0, ""),
        ("p1", "2022-06-09", "2022-06-11", "snomed", "1011481000000105", 90.5, 2, "mL/min/{1.73_m2}"),
        ("p1", "2023-01-02", "2023-01-02", "snomed", "1091811000000102", 94.0, 0, "mmHg"),
        ("p1", "2023-01-02", "2023-01-02", "snomed", "72313002", 142.0, 0, "mmHg"),
        ("p1", "2023-04-01", "2023-04-01", "dmd", "39113611000001102", None, 0, ""),
        ("p1", "2023-04-01", "2023-04-01", "snomed", "185347001", None, 0, ""),
    ]
    assert store.counts()["left"] == {Left.DICTIONARY.value: 1}


SERVER = "https://fhir.example.org/r4"
UUID = "0c3f1a52-0000-4000-8000-00000000abcd"
WAYS = {
    "absolute, found by its address": (f"{SERVER}/Patient/one", {"Patient/one": f"{SERVER}/Patient/one"}),
    "absolute, found by its id": (f"{SERVER}/Patient/one", {}),
    "of a version": ("Patient/one/_history/7", {}),
    "urn": (f"urn:uuid:{UUID.upper()}", {"Patient/one": f"urn:uuid:{UUID}"}),
    "urn of an id": (f"urn:uuid:{UUID}", {"id": UUID}),
}


@pytest.mark.parametrize(
    ("way", "write"),
    [
        (way, write)
        for way in WAYS
        for write in (ndjson, bundle)
        if write is bundle or ("address" not in way and way != "urn")
    ],
)
def test_a_reference_finds_its_person_however_it_is_written(tmp_path, way, write):
    plain = brought(ndjson(tmp_path / "plain", list(good().values())))
    said, urls = WAYS[way]
    resources = good()
    for one in resources.values():
        for key in ("subject", "patient"):
            if key in one:
                one[key] = {"reference": said}
    resources["patient"]["id"] = urls.get("id", "one")
    folder = tmp_path / "other"
    store = brought(bundle(folder, list(resources.values()), urls) if write is bundle
                    else ndjson(folder, list(resources.values())))  # fmt: skip
    assert events(store) == events(plain)


def test_an_address_of_another_server_finds_nobody(tmp_path):
    resources = good()
    resources["condition"]["subject"] = {"reference": "https://elsewhere.example.org/Patient/one"}
    urls = {"Patient/one": f"{SERVER}/Patient/one"}
    store = brought(bundle(tmp_path / "a", list(resources.values()), urls))
    assert store.counts()["refused"] == {Refusal.UNKNOWN_PERSON.value: 1}


def test_contained_patients_drugs_and_readings_are_found(tmp_path):
    resources = good()
    inside = {**resources["patient"], "id": "p"}
    request, pressure = resources["request"], resources["pressure"]
    request.update(contained=[inside, resources["drug"]], subject={"reference": "#p"},
                   medicationReference={"reference": "#drug"})  # fmt: skip
    members = [{"resourceType": "Observation", "id": f"m{i}", "status": "final", **part}
               for i, part in enumerate(pressure.pop("component"))]  # fmt: skip
    pressure.update(contained=members, hasMember=[{"reference": "#m0"}, {"reference": "#m1"}])
    plain = brought(ndjson(tmp_path / "plain", list(good().values())))
    store = brought(ndjson(tmp_path / "other", [one for key, one in resources.items() if key != "drug"]))
    assert events(store) == events(plain)
    assert store.people_table().num_rows == 1


def test_two_bundles_with_the_same_ids_are_two_people(tmp_path):
    folder = tmp_path / "both"
    for name, number in (("a", "p1"), ("b", "p2")):
        resources = good()
        resources["patient"]["identifier"][0]["value"] = number
        bundle(folder / name, list(resources.values()))
    store = brought(folder)
    assert Counter(row[0] for row in events(store)) == {"p1": 6, "p2": 6}


# --- what is left and what is refused --------------------------------------------------------------------------------


def test_unknown_resources_are_counted_and_left(tmp_path):
    strange = [{"resourceType": kind, "id": "x"} for kind in ("Practitioner", "List", "Spaceship", "OperationOutcome")]
    store = brought(ndjson(tmp_path / "a", [*good().values(), *strange]))
    assert store.counts()["left"][Left.NOT_ASKED] == 4
    assert store.counts()["balance"]["all.ndjson"]["read"] == 13


def test_a_spoilt_line_is_refused_and_the_others_come_in(tmp_path):
    folder = ndjson(tmp_path / "a", list(good().values()))
    spoilt = b'{"resourceType": "Observation", "id": \n\n[1, 2]\n"text"\n\xff\xfe\n' + b'{"a":' * 100_000 + b"\n"
    (folder / "b.ndjson").write_bytes(spoilt)
    store = brought(folder)
    assert store.counts()["refused"] == {Refusal.UNREADABLE.value: 5}
    assert len(events(store)) == 6


@pytest.mark.parametrize(
    ("which", "change", "reason"),
    [
        ("condition", {"verificationStatus": concept("entered-in-error")}, Left.DELETED),
        ("condition", {"verificationStatus": "entered-in-error"}, Left.DELETED),
        ("condition", {"verificationStatus": concept("refuted")}, Left.NOT_ASKED),
        ("reading", {"status": "entered-in-error"}, Left.DELETED),
        ("request", {"status": "cancelled"}, Left.NOT_ASKED),
        ("request", {"doNotPerform": True}, Left.NOT_ASKED),
        ("encounter", {"type": [{"text": "Surgery consultation"}]}, Left.NOT_ASKED),
        ("reading", {"meta": {"security": [{"code": "R"}]}}, Left.CONFIDENTIAL),
        ("condition", {"meta": {"security": {"code": "V"}}}, Left.CONFIDENTIAL),
    ],
)
def test_what_is_not_so_or_not_for_others_is_left_with_its_reason(tmp_path, which, change, reason):
    resources = good()
    resources[which].update(change)
    store = brought(ndjson(tmp_path / "a", list(resources.values())))
    assert store.counts()["left"].get(reason.value) == 1
    assert store.counts()["refused"] == {}


def test_a_confidential_person_stays_at_the_practice_with_everything_about_them(tmp_path):
    resources, other = good(), good()
    other["patient"].update(id="two", identifier=[{"system": NHS, "value": "p2"}], meta={"security": [{"code": "R"}]})
    mine = [{**one, "id": f"two-{one['id']}"} for key, one in other.items() if "subject" in one or "patient" in one]
    for one in mine:
        one["subject" if "subject" in one else "patient"] = {"reference": "Patient/two"}
    folder = ndjson(tmp_path / "a", [*resources.values(), other["patient"], *mine])
    store = brought(folder)
    assert store.people_table()["pseudonym"].to_pylist() == ["p1"]
    assert store.counts()["left"][Left.CONFIDENTIAL] == 1 + len(mine)
    assert store.counts()["refused"] == {}
    shutil.rmtree(tmp_path / "store-of-a")
    assert brought(folder, at_practice=True).people_table().num_rows == 2


def test_a_real_nhs_number_stops_everything_and_is_not_repeated(tmp_path):
    for place in ("identifier", "id", "contained"):
        resources = good()
        held = {"system": NHS, "value": REAL}
        if place == "identifier":
            resources["patient"]["identifier"].append(held)
        elif place == "id":
            resources["patient"]["id"] = REAL
        else:
            resources["condition"]["contained"] = [{"resourceType": "Patient", "id": "x", "identifier": [held]}]
        with pytest.raises(RecordsError, match="NHS number") as caught:
            brought(ndjson(tmp_path / place, list(resources.values())))
        assert REAL not in str(caught.value)


def test_a_later_state_replaces_an_earlier_one_and_a_deletion_takes_away(tmp_path):
    resources = good()
    resources["reading"]["meta"] = {"lastUpdated": "2023-01-01T00:00:00Z"}
    later = copy.deepcopy(resources["reading"])
    later["meta"]["lastUpdated"] = "2023-02-01T00:00:00Z"
    later["valueQuantity"]["value"] = 77
    folder = ndjson(tmp_path / "a", [later, *resources.values()])
    gone = {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"request": {"method": "DELETE", "url": "Condition/condition"}},
        {"request": {"method": "DELETE", "url": "Condition/never"}}]}  # fmt: skip
    ndjson(folder, [gone], "deleted.ndjson")
    store = brought(folder)
    assert [row[5] for row in events(store) if row[4] == "1011481000000105"] == [77.0]
    assert not [row for row in events(store) if row[4] == "38341003"]
    left = store.counts()["left"]
    assert (left[Left.REPLACED], left[Left.DELETED], left[Left.NEVER_SEEN]) == (1, 2, 1)


def test_without_a_registration_the_general_practice_serves_from_the_first_entry_on(tmp_path):
    resources = good()
    del resources["episode"]
    store = brought(ndjson(tmp_path / "a", list(resources.values())))
    assert store.registrations()["started_on"].to_pylist() == [dt.date(2015, 1, 1)]
    assert store.practices()["practice"].to_pylist() == ["Y99001"]
