"""A native extract as FHIR: bulk ndjson in the style of UK Core (R4), or GP Connect structured bundles. For tests only.

What FHIR has no place for is lost: deprivation, network and place of a practice, contacts of earlier lists, and the
day of recording of what is prescribed and of encounters. A value that is no number is a valueString.
Added: a header without a value for each pair of pressures that is written as components or as related observations.
Of three pairs one is written as components, one as related observations, one as two plain observations.
"""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.writers.omop import load_native

SYSTEMS = {
    "snomed": "http://snomed.info/sct", "dmd": "https://dmd.nhs.uk", "loinc": "http://loinc.org",
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm", "read": "http://example.org/no-such-system",
}  # fmt: skip
NHS = "https://fhir.nhs.uk/Id/nhs-number"
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
UCUM = {"mmHg": "mm[Hg]", "mL/min/1.73m2": "mL/min/{1.73_m2}"}
GPC = "https://fhir.nhs.uk/STU3/StructureDefinition/"
SYSTOLIC = {"72313002": "1091811000000102", "271649006": "271650006"}
HEADER = {"coding": [
    {"system": "http://snomed.info/sct", "code": "75367002", "display": "Blood pressure"},
    {"system": "http://loinc.org", "code": "85354-9", "display": "Blood pressure panel with all children optional"},
]}  # fmt: skip
SERVER = "https://fhir.example.org/r4"

Resource = dict[str, Any]


def write_fhir(native: Path, out: Path, *, form: str = "ndjson", gz: bool = False) -> Path:
    """Write to the folder `out` bulk ndjson, a file for each type of resource, or (`gpconnect`) a bundle for each
    stretch of a person at a practice. `gz` packs ndjson."""
    con = load_native(native)
    out.mkdir(parents=True, exist_ok=True)
    (_ndjson if form == "ndjson" else _gpconnect)(con, out, gz)
    con.close()
    return out


def _ndjson(con: Any, out: Path, gz: bool) -> None:
    handles: dict[str, Any] = {}

    def put(resource: Resource) -> None:
        kind = resource["resourceType"]
        if kind not in handles:
            path = out / f"{kind}.ndjson{'.gz' if gz else ''}"
            opened = gzip.open if gz else open
            handles[kind] = opened(path, "wt", encoding="utf-8")
        handles[kind].write(json.dumps(resource) + "\n")

    for practice, name in con.execute("SELECT practice, name FROM practice ORDER BY 1").fetchall():
        put(_organization(practice, name))
    registrations = con.execute("SELECT * FROM registration ORDER BY ALL").fetchall()
    latest = {person: practice for person, practice, *_ in sorted(registrations, key=lambda r: (str(r[0]), str(r[2])))}
    for number, row in enumerate(con.execute("SELECT DISTINCT * FROM person ORDER BY ALL").fetchall()):
        put(_patient(row, f"pat-{number}" if row[0] is None else row[0], latest.get(row[0])))
    for number, (person, practice, start, end) in enumerate(registrations):
        period = {"start": start, "end": end}
        put({
            "resourceType": "EpisodeOfCare", "id": f"reg-{number}", "status": "finished" if end else "active",
            "type": [{"coding": [{"system": "https://fhir.hl7.org.uk/CareConnect-RegistrationType-1", "code": "R",
                                  "display": "Regular/GMS"}]}],
            "patient": {"reference": f"Patient/{person}"},
            "managingOrganization": {"reference": f"Organization/{practice}"}, "period": _filled(period),
        })  # fmt: skip
    for kind, rows in _entries(con):
        for resource in _resources(kind, rows):
            put(resource)
    for handle in handles.values():
        handle.close()


def _gpconnect(con: Any, out: Path, _: bool) -> None:
    """One bundle for each registration; entries of the record are in that of the latest one. References are urn:uuid,
    absolute and relative by turns, and the drug is a Medication beside or inside the request."""
    names = dict(con.execute("SELECT practice, name FROM practice").fetchall())
    people: dict[str, list[tuple[Any, ...]]] = {}
    for row in con.execute("SELECT DISTINCT * FROM person WHERE person IS NOT NULL ORDER BY ALL").fetchall():
        people.setdefault(row[0], []).append(row)
    entries: dict[str, list[tuple[str, list[tuple[Any, ...]]]]] = {}
    for kind, rows in _entries(con):
        entries.setdefault(rows[0][1], []).append((kind, rows))
    registrations = con.execute("SELECT DISTINCT * FROM registration ORDER BY person, started_on").fetchall()
    latest = {person: place for place, (person, *_) in enumerate(registrations)}
    for number, (person, practice, start, end) in enumerate(registrations):
        for copy, row in enumerate(people.get(person, [])):
            way, last = number % 3, latest[person] == number
            patient = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{person} {practice} {start}"))
            found = _patient(row, patient, practice)
            found["extension"].append({"url": f"{GPC}Extension-CareConnect-GPC-RegistrationDetails-1", "extension": [
                {"url": "registrationPeriod", "valuePeriod": _filled({"start": start, "end": end})},
                {"url": "preferredBranchSurgery", "valueReference": {"reference": "Location/1"}}]})  # fmt: skip
            reference = (f"Patient/{patient}", f"{SERVER}/Patient/{patient}", f"urn:uuid:{patient}")[way]
            bundle = [found, _organization(practice, names.get(practice)), {"resourceType": "Practitioner", "id": "gp"}]
            if last:
                for kind, rows in entries.get(person, []):
                    bundle.extend(_stu3(resource, reference) for resource in _resources(kind, rows, contained=way == 1))
            full = ({}, {"fullUrl": SERVER}, {"fullUrl": "urn:uuid"})[way]
            whole = {"resourceType": "Bundle", "type": "collection",
                     "meta": {"profile": [f"{GPC}GPConnect-StructuredRecord-Bundle-1"]},
                     "entry": [_entry(resource, full.get("fullUrl")) for resource in bundle]}  # fmt: skip
            with open(out / f"{number:06d}-{copy}.json", "w", encoding="utf-8") as handle:
                json.dump(whole, handle)


def _entry(resource: Resource, url: str | None) -> Resource:
    if not url:
        return {"resource": resource}
    place = f"{url}/{resource['resourceType']}" if url == SERVER else url
    return {"fullUrl": f"{place}{'/' if url == SERVER else ':'}{resource.get('id')}", "resource": resource}


def _stu3(resource: Resource, subject: str) -> Resource:
    """What STU3 says otherwise: the day of assertion, members, and a plan before the issues of a drug."""
    resource = {**resource, "subject": {"reference": subject}}
    if "recordedDate" in resource:
        resource["assertedDate"] = resource.pop("recordedDate")
    if "hasMember" in resource:
        resource["related"] = [{"type": "has-member", "target": target} for target in resource.pop("hasMember")]
    return resource


def _entries(con: Any) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """(kind, rows) of what belongs together: one row, or a systolic and a diastolic reading of one moment.

    A row is number, person, happened, recorded, system, code, term, value, unit.
    """
    pairs = ", ".join(f"('{one}', '{other}')" for one, other in SYSTOLIC.items())
    rows = con.execute(
        f"""WITH e AS (SELECT row_number() OVER (ORDER BY person, happened_on, recorded_on, code, value, system)
                 AS number, person, happened_on, recorded_on, system, code, term, value, unit FROM event),
            pair AS (SELECT * FROM (VALUES {pairs}) AS p(one, other)),
            named AS (SELECT e.*, coalesce(a.one, b.one) AS pair FROM e LEFT JOIN pair AS a ON a.one = code
                 LEFT JOIN pair AS b ON b.other = code),
            placed AS (SELECT *, CASE WHEN pair IS NOT NULL AND try_cast(value AS DOUBLE) IS NOT NULL
                 AND system = 'snomed' THEN row_number() OVER
                 (PARTITION BY person, happened_on, recorded_on, pair, code ORDER BY number) END
                 AS nth FROM named)
        SELECT number, person, happened_on, recorded_on, system, code, term, value, unit,
            CASE WHEN nth IS NULL THEN number ELSE min(number) OVER
            (PARTITION BY person, happened_on, recorded_on, pair, nth) END AS together
        FROM placed ORDER BY person, together, number"""
    ).fetchall()
    waiting: list[tuple[Any, ...]] = []
    for row in [*rows, None]:
        if waiting and (row is None or row[9] != waiting[0][9] or row[1] != waiting[0][1]):
            yield _kind(waiting), [entry[:9] for entry in waiting]
            waiting = []
        if row is not None:
            waiting.append(row)


def _kind(rows: list[tuple[Any, ...]]) -> str:
    """The type of resource for rows that belong together."""
    _, _, _, _, system, _, term, value, unit, *_ = rows[0]
    if len(rows) == 2:
        return ("plain", "component", "related")[rows[0][0] % 3]
    if system in ("dmd", "rxnorm"):
        return "MedicationRequest"
    said = (term or "").lower()
    if value is None and ("encounter" in said or "consultation" in said):
        return "Encounter"
    finding = ("smok", "history", "pulse", "mrc ", "examin", "review", "refused", "gram", "check", "monitor")
    return "Observation" if value is not None or unit or any(word in said for word in finding) else "Condition"


def _resources(kind: str, rows: list[tuple[Any, ...]], contained: bool = False) -> Iterator[Resource]:
    number, person, happened, recorded, system, code, term, *_ = rows[0]
    subject = {"reference": f"Patient/{person}"}
    if kind in ("Observation", "plain"):
        for row in rows:
            yield _observation(row, subject)
    elif kind in ("component", "related"):
        head = _observation((number, person, happened, recorded, "snomed", "75367002", None, None, None), subject)
        head.update(id=f"head-{number}", code=HEADER)
        members = [_observation(row, subject) for row in rows]
        if kind == "component":
            yield {**head, "component": [{key: row[key] for key in ("code", "valueQuantity")} for row in members]}
        else:
            yield {**head, "hasMember": [{"reference": f"Observation/{row['id']}"} for row in members]}
            yield from members
    elif kind == "Condition":
        yield _filled({"resourceType": "Condition", "id": f"con-{number}", "code": _concept(system, code, term),
                       "clinicalStatus": {"coding": [{"code": "active"}]}, "subject": subject,
                       "onsetDateTime": happened, "recordedDate": recorded})  # fmt: skip
    elif kind == "Encounter":
        yield {"resourceType": "Encounter", "id": f"enc-{number}", "status": "finished", "class": {"code": "AMB"},
               "type": [_concept(system, code, term)], "subject": subject,
               "period": _filled({"start": happened})}  # fmt: skip
    else:
        request = _filled({"resourceType": kind, "id": f"med-{number}", "status": "completed", "intent": "order",
                           "subject": subject, "authoredOn": happened})  # fmt: skip
        drug = {"resourceType": "Medication", "id": f"drug-{system}-{code}", "code": _concept(system, code, term)}
        if contained:
            yield {**request, "contained": [drug], "medicationReference": {"reference": f"#{drug['id']}"}}
        else:
            yield {**request, "medicationCodeableConcept": drug["code"]}


def _observation(row: tuple[Any, ...], subject: Resource) -> Resource:
    number, _, happened, recorded, system, code, term, value, unit = row
    found = {"resourceType": "Observation", "id": f"obs-{number}", "status": "final", "subject": subject,
             "code": _concept(system, code, term), "effectiveDateTime": happened,
             "issued": f"{recorded}T12:00:00+00:00" if recorded else None}  # fmt: skip
    sign = next((sign for sign in ("<=", ">=", "<", ">") if value and value.startswith(sign)), None)
    try:
        amount = json.loads(value.removeprefix(sign or "").strip()) if value else None
    except ValueError:
        amount, found["valueString"] = None, value
    if isinstance(amount, int | float):
        ucum = {"system": "http://unitsofmeasure.org", "code": UCUM.get(unit, unit)} if unit else {}
        found["valueQuantity"] = _filled({"value": amount, "comparator": sign, "unit": unit, **ucum})
    elif value is None and unit:
        found["valueQuantity"] = {"unit": unit}
    return _filled(found)


def _concept(system: str, code: str | None, term: str | None) -> Resource:
    coding = _filled({"system": SYSTEMS.get(system, system), "code": code, "display": term})
    return _filled({"coding": [coding], "text": term})


def _organization(practice: str, name: str | None) -> Resource:
    return _filled({"resourceType": "Organization", "id": practice, "identifier": [{"system": ODS, "value": practice}],
                    "name": name})  # fmt: skip


def _patient(row: tuple[Any, ...], place: str, practice: str | None) -> Resource:
    person, born, sex, ethnicity, decile, vintage, died = row
    found = {
        "resourceType": "Patient", "id": place, "active": True, "gender": sex, "birthDate": born,
        "identifier": [{"system": NHS, "value": person}] if person else None,
        "extension": [], "deceasedDateTime": died,
        "managingOrganization": {"reference": f"Organization/{practice}"} if practice else None,
    }  # fmt: skip
    if ethnicity:
        found["extension"] = [{
            "url": "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-EthnicCategory",
            "valueCodeableConcept": {"coding": [{
                "system": "https://fhir.hl7.org.uk/CodeSystem/UKCore-EthnicCategory", "display": ethnicity}]},
        }]  # fmt: skip
    # As `casefinding pseudonymise` writes what stood for the address.
    places = (("imd-decile", decile), ("imd-vintage", vintage))
    found["extension"] += [{"url": f"urn:casefinding:{name}", "valueString": said} for name, said in places if said]
    return {key: value for key, value in found.items() if value is not None}


def _filled(cells: Resource) -> Resource:
    return {key: value for key, value in cells.items() if value is not None}
