"""Records that this project did not write: the CSV layout of Synthea's own exporter."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import random
from collections import Counter
from pathlib import Path

import pytest

from casefinding.errors import RecordsError
from casefinding.records.sources import ingest
from casefinding.records.sources.synthea import COLUMNS, SMOKING
from casefinding.records.store import Store

EXPORT = Path(__file__).parents[3] / "shared" / "data" / "synthea"
pytestmark = pytest.mark.skipif(
    not (EXPORT / "patients.csv.gz").exists(), reason="the Synthea export does not lie beside this checkout"
)
PERSON = {"patients": "Id", "organizations": ""}
SOME = {f"tt-{i:06d}" for i in range(0, 2000, 20)}
Tables = dict[str, list[dict[str, str]]]


@pytest.fixture(scope="module")
def tables() -> Tables:
    """The rows of 100 people."""
    found: Tables = {}
    for table in COLUMNS:
        with gzip.open(EXPORT / f"{table}.csv.gz", "rt", encoding="utf-8", newline="") as handle:
            key = PERSON.get(table, "PATIENT")
            found[table] = [row for row in csv.DictReader(handle) if not key or row[key] in SOME]
    return found


def put(folder: Path, tables: Tables) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for table, rows in tables.items():
        with open(folder / f"{table}.csv", "w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    return folder


@pytest.fixture(scope="module")
def store(tables, tmp_path_factory) -> Store:
    folder = tmp_path_factory.mktemp("synthea")
    return ingest("synthea", put(folder / "export", tables), folder / "store")


def test_events_are_those_of_the_files(store, tables):
    expected: Counter = Counter()
    died = {row["Id"]: row["DEATHDATE"] for row in tables["patients"]}
    seen = {row["PATIENT"] for row in tables["encounters"]}
    for table in ("encounters", "observations", "conditions", "medications", "procedures"):
        for row in tables[table]:
            day = row["DATE" if table == "observations" else "START"][:10]
            if row["PATIENT"] not in seen or (died[row["PATIENT"]] and day > died[row["PATIENT"]]):
                continue
            code, value = row["CODE"], ""
            system = {"observations": "loinc", "medications": "rxnorm"}.get(table, "snomed")
            if table == "observations":
                value = row["VALUE"]
                if row["TYPE"] == "text":
                    system, code, value = "snomed", SMOKING[row["VALUE"].lower()], ""
            expected[(row["PATIENT"], day, system, code, f"{float(value):.3f}" if value else "")] = 1
    names = store.people_table()["pseudonym"].to_pylist()
    codes = {row["code"]: (row["system"], row["id"]) for row in store.codes().to_pylist()}
    events = store.events(0).to_pylist()
    found = Counter(
        (names[e["person"]], str(e["day"]), *codes[e["code"]], "" if e["value"] is None else f"{e['value']:.3f}")
        for e in events
    )
    assert found == expected
    assert all(event["day"] == event["recorded_day"] for event in events)


def test_a_person_is_registered_where_most_primary_care_is(store, tables):
    own = {"ambulatory", "wellness", "outpatient", "virtual", "home"}
    visits: dict[str, Counter] = {}
    first: dict[str, str] = {}
    for row in tables["encounters"]:
        visits.setdefault(row["PATIENT"], Counter())[row["ORGANIZATION"]] += row["ENCOUNTERCLASS"] in own
        first[row["PATIENT"]] = min(first.get(row["PATIENT"], "9"), row["START"][:10])
    names = store.people_table()["pseudonym"].to_pylist()
    practice = {row["practice"]: row["name"] for row in store.practices().to_pylist()}
    died = {row["Id"]: row["DEATHDATE"] for row in tables["patients"]}
    rows = store.registrations().to_pylist()
    assert {names[row["person"]] for row in rows} == set(visits)
    for row in rows:
        person = names[row["person"]]
        most = max(visits[person].values())
        assert practice[row["practice"]] == min(org for org, n in visits[person].items() if n == most)
        assert str(row["started_on"]) == first[person]
        assert str(row["ended_on"] or "") == died[person]
    assert all(code.startswith("S") and len(code) == 3 for code in practice)


def test_people_are_those_with_encounters_and_their_groups_are_the_census_ones(store, tables):
    people = {row["pseudonym"]: row for row in store.people_table().to_pylist()}
    groups = {"white": "white", "black": "black", "asian": "asian", "other": "other", "native": "other"}
    for row in tables["patients"]:
        if row["Id"] in people:
            assert people[row["Id"]]["ethnicity"] == groups[row["RACE"]]
            assert people[row["Id"]]["sex"] == {"F": "female", "M": "male"}[row["GENDER"]]
            assert str(people[row["Id"]]["birth_month"])[:7] == row["BIRTHDATE"][:7]
            assert people[row["Id"]]["imd_decile"] is None
    without = len(tables["patients"]) - len(people)
    assert store.counts()["rows"]["person"]["refused"] == without > 0


def test_what_the_layout_cannot_say_is_said(store):
    notes = " ".join(store.counts()["notes"])
    for word in ("one date", "no registrations", "Hispanic", "Deprivation is unknown"):
        assert word in notes


def test_the_data_end_with_the_last_entry(store, tables):
    rows = [row for table in COLUMNS if table not in PERSON for row in tables[table]]
    days = [row.get("START") or row["DATE"] for row in rows]
    assert store.data_through == dt.date.fromisoformat(max(days)[:10])


def test_order_of_rows_changes_nothing(store, tables, tmp_path):
    draw = random.Random(5)
    shuffled = {table: draw.sample(rows, len(rows)) for table, rows in tables.items()}
    assert ingest("synthea", put(tmp_path / "export", shuffled), tmp_path / "store").digest == store.digest


def test_a_missing_file_or_column_is_named(tables, tmp_path):
    folder = put(tmp_path / "export", tables)
    (folder / "procedures.csv").unlink()
    with pytest.raises(RecordsError, match="'procedures' is missing"):
        ingest("synthea", folder, tmp_path / "store")
    rows = [{"BEGIN": row["START"], **row} for row in tables["procedures"]]
    for row in rows:
        del row["START"]
    put(folder, {"procedures": rows})
    with pytest.raises(RecordsError, match="'START' is missing"):
        ingest("synthea", folder, tmp_path / "store")


def test_the_file_of_true_onsets_is_not_opened(tables, tmp_path, store):
    folder = put(tmp_path / "export", tables)
    (folder / "truth.csv").write_bytes(b"\xff not readable \0")
    assert ingest("synthea", folder, tmp_path / "store").digest == store.digest


def test_the_whole_export_comes_in(tmp_path):
    store = ingest("synthea", EXPORT, tmp_path / "store")
    counts = store.counts()
    assert counts["rows"]["person"] == {"read": 2000, "kept": 1733, "refused": 267}
    assert counts["rows"]["event"]["read"] == 85_623 + 239_432 + 190_248 + 57_304 + 174_310
    assert counts["rows"]["event"]["kept"] == store.events(0).num_rows
    assert set(counts["refused"]) == {"after death", "duplicate row", "person without registration"}
    assert store.data_through == dt.date(2026, 3, 31)
    assert store.practices().num_rows == 5
