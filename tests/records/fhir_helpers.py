"""Small FHIR resources that are right in every element, ways to write them, and what a store made of them holds."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import duckdb

from casefinding.records.sources import ingest
from casefinding.records.store import Store

NHS, ODS = "https://fhir.nhs.uk/Id/nhs-number", "https://fhir.nhs.uk/Id/ods-organization-code"
SNOMED = "http://snomed.info/sct"
THROUGH = dt.date(2026, 9, 30)
REAL = "943476591" + "9"  # no number of the range kept for tests, and its check digit is right
Resource = dict[str, Any]


def concept(code: str, display: str = "", system: str = SNOMED) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def good() -> dict[str, Resource]:
    """One person of one practice with one of everything, right in every element."""
    subject = {"reference": "Patient/one"}
    return {
        "organisation": {"resourceType": "Organization", "id": "org", "name": "Practice One",
                         "identifier": [{"system": ODS, "value": "Y99001"}]},
        "patient": {"resourceType": "Patient", "id": "one", "gender": "female", "birthDate": "1950-03-04",
                    "identifier": [{"system": NHS, "value": "p1"}],
                    "managingOrganization": {"reference": "Organization/org"}},
        "episode": {"resourceType": "EpisodeOfCare", "id": "stay", "status": "active", "patient": subject,
                    "managingOrganization": {"reference": "Organization/org"}, "period": {"start": "2010-01-01"}},
        "reading": {"resourceType": "Observation", "id": "reading", "status": "final", "subject": subject,
                    "code": concept("1011481000000105", "eGFR"), "effectiveDateTime": "2022-06-09T10:00:00+01:00",
                    "issued": "2022-06-11T08:00:00+01:00",
                    "valueQuantity": {"value": 90.50, "comparator": ">", "unit": "mL/min", "code": "mL/min/{1.73_m2}",
                                      "system": "http://unitsofmeasure.org"}},
        "pressure": {"resourceType": "Observation", "id": "pressure", "status": "final", "subject": subject,
                     "code": concept("75367002", "Blood pressure"), "effectiveDateTime": "2023-01-02",
                     "component": [
                         {"code": concept("72313002", "Systolic"), "valueQuantity": {"value": 142, "unit": "mmHg"}},
                         {"code": concept("1091811000000102", "Diastolic"),
                          "valueQuantity": {"value": 94, "unit": "mmHg"}}]},
        "condition": {"resourceType": "Condition", "id": "condition", "subject": subject,
                      "code": concept("38341003", "Hypertension"), "onsetDateTime": "2015",
                      "recordedDate": "2023-03-03"},
        "request": {"resourceType": "MedicationRequest", "id": "request", "status": "completed", "intent": "order",
                    "subject": subject, "medicationReference": {"reference": "Medication/drug"},
                    "authoredOn": "2023-04-01"},
        "drug": {"resourceType": "Medication", "id": "drug",
                 "code": concept("39113611000001102", "Amlodipine 5mg tablets")},
        "encounter": {"resourceType": "Encounter", "id": "encounter", "status": "finished", "subject": subject,
                      "type": [concept("185347001", "Encounter for problem")], "period": {"start": "2023-04-01"}},
    }  # fmt: skip


def ndjson(folder: Path, resources: list[Resource], name: str = "all.ndjson") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("".join(json.dumps(one) + "\n" for one in resources), encoding="utf-8")
    return folder


def bundle(folder: Path, resources: list[Resource], urls: dict[str, str] | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for one in resources:
        url = (urls or {}).get(f"{one['resourceType']}/{one.get('id')}")
        entries.append({"resource": one, **({"fullUrl": url} if url else {})})
    whole = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    (folder / "bundle.json").write_text(json.dumps(whole, indent=1), encoding="utf-8")
    return folder


def brought(folder: Path, **options: Any) -> Store:
    store = folder.parent / f"store-of-{folder.name}"
    return ingest("fhir", folder, store, **{"data_through": THROUGH, **options})


def events(store: Store) -> list[tuple[Any, ...]]:
    """(person, day, recorded day, system, code, value, comparator, unit) of every event, sorted."""
    con = duckdb.connect()
    for name, table in (("p", store.people_table()), ("c", store.codes()), ("u", store.units())):
        con.register(name, table)
    parts = " UNION ALL ".join(f"SELECT * FROM '{store.event_path(shard)}'" for shard in range(store.shards))
    return con.execute(
        f"""SELECT p.pseudonym, e.day::VARCHAR, e.recorded_day::VARCHAR, c.system, c.id, e.value, e.comparator, u.text
            FROM ({parts}) AS e JOIN p USING (person) JOIN c ON c.code = e.code JOIN u ON u.unit = e.unit
            ORDER BY ALL"""
    ).fetchall()


def content(store: Store) -> dict[str, bytes]:
    return {p.relative_to(store.folder).as_posix(): p.read_bytes() for p in sorted(store.folder.rglob("*.parquet"))
            if p.name != "quarantine.parquet"}  # fmt: skip
