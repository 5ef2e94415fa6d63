"""Small identifiable extracts in their real layouts, with canaries that may appear nowhere in the output."""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from casefinding.job.pseudonymise import Asked, pseudonymise
from casefinding.synthetic.lookups import kept_numbers
from tests.writers.layouts import EMIS, SYSTMONE

KEY = bytes(range(32))
NUMBERS = [str(number) for number in kept_numbers(11)[:40]]
CANARIES = ("Quillfeather", "Zebedee", "Larkspur Cottage", "07700900123", "01632 960961", "owl@example.org", "ZZ99 3WZ")
DISSENT, WITHDRAWN = "827241000000103", "827261000000102"
STAMP = "20261001233000"
AGREEMENT = "8b7f2c1e-5d34-4c7a-9f60-2e1d0c9b8a77"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text(KEY.hex())
    path.chmod(0o600)
    return path


@pytest.fixture
def run(tmp_path: Path, key_file: Path, capsys) -> Callable[..., Path]:
    """Pseudonymise an extract into tmp/out, the lookups into tmp/practice/lookups; gives the output."""

    def work(kind: str, extract: Path, **asked) -> Path:
        out = asked.pop("out", tmp_path / "out")
        given = {"lookups": tmp_path / "practice" / "lookups", "key_file": key_file} | asked
        pseudonymise(extract, Asked(kind, out, **given), quiet=True)
        return out

    return work


def table(path: Path, header: tuple[str, ...], rows: list[dict[str, str]], encoding: str = "utf-8") -> Path:
    """Write a CSV by column names; packed if its name ends in .gz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    opened = gzip.open if path.name.endswith(".gz") else open
    with opened(path, "wt", encoding=encoding, newline="") as handle:
        out = csv.DictWriter(handle, header, restval="")
        out.writeheader()
        out.writerows(rows)
    return path


def read(path: Path, encoding: str = "utf-8") -> list[dict[str, str]]:
    opened = gzip.open if path.name.endswith(".gz") else open
    with opened(path, "rt", encoding=encoding, newline="") as handle:
        return list(csv.DictReader(handle))


def all_bytes(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file with its bytes, unpacked; its name too."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            yield path.name, path.name.encode() + (gzip.decompress(content) if path.suffix == ".gz" else content)


def emis_name(name: str, batch: int = 0, ending: str = ".csv") -> str:
    return f"{1 + batch * 1000}-{999 + batch * 1000}_{name}_{STAMP}_{AGREEMENT}{ending}"


def emis_rows() -> dict[str, list[dict[str, str]]]:
    """Four patients of one practice: with a number, without, with a wrong one, and one who has opted out."""
    own = {"OrganisationGuid": "{A-1}", "PatientTypeDescription": "Regular", "DummyType": "false", "Deleted": "false"}
    people = [
        {"PatientGuid": f"{{P-{n}}}", "NhsNumber": number, "DateOfBirth": f"196{n}-07-23", "Sex": "F",
         "PatientNumber": f"10{n}", "MobilePhone": "07700900456", "Postcode": "ZZ99 3AB", "ProcessingId": str(n), **own}
        for n, number in enumerate((f"{NUMBERS[0][:3]} {NUMBERS[0][3:6]} {NUMBERS[0][6:]}", "", "9990000019",
                                    NUMBERS[1]), start=1)
    ]  # fmt: skip
    seen = {"OrganisationGuid": "{A-1}", "EffectiveDate": "2020-03-01", "EnteredDate": "2020-03-02", "Deleted": "false"}
    entries = [
        {"ObservationGuid": f"{{O-{n}}}", "PatientGuid": f"{{P-{n}}}", "CodeId": "1001", "Value": "142",
         "NumericUnit": "mmHg", "ObservationType": "Value", "ProcessingId": str(100 + n), **seen} for n in range(1, 5)
    ]  # fmt: skip
    entries.append({**entries[3], "ObservationGuid": "{O-9}", "CodeId": "1002", "Value": "", "ProcessingId": "109"})
    return {
        "Admin_Patient": people,
        "Admin_Organisation": [{"OrganisationGuid": "{A-1}", "ODSCode": "Y99001", "OrganisationName": "Practice One"}],
        "Admin_UserInRole": [{"UserInRoleGuid": "{U-1}", "Surname": "Quillfeather", "OrganisationGuid": "{A-1}"}],
        "CareRecord_Observation": entries,
        "Coding_ClinicalCode": [
            {"CodeId": "1001", "Term": "Body weight", "SnomedCTConceptId": "27113001"},
            {"CodeId": "1002", "Term": "Dissent", "SnomedCTConceptId": DISSENT},
            {"CodeId": "1003", "Term": "Withdrawn", "SnomedCTConceptId": WITHDRAWN},
        ],
    }


def write_emis(folder: Path, rows: dict[str, list[dict[str, str]]] | None = None, *, ending: str = ".csv") -> Path:
    for name, lines in (rows or emis_rows()).items():
        header = EMIS["8.2"][name]
        more = tuple(dict.fromkeys(column for line in lines for column in line if column not in header))
        table(folder / emis_name(name, ending=ending), (*header, *more), lines)
    return folder


def systmone_rows() -> dict[str, list[dict[str, str]]]:
    own = {"IDOrganisationVisibleTo": "Y99001", "RemovedData": "0"}
    people = [
        {"RowIdentifier": f"70{n}", "NHSNumber": number, "DateBirth": f"23 Jul 196{n} 10:15", "Gender": "M",
         "TestPatient": "FALSE", **own} for n, number in enumerate((NUMBERS[0], "", NUMBERS[1]), start=1)
    ]  # fmt: skip
    entries = [
        {"RowIdentifier": f"80{n}", "IDPatient": f"70{n}", "CTV3Code": "22A..", "SNOMEDCode": "27113001",
         "DateEvent": "01 Mar 2020 09:00:00", "DateEventRecorded": "02 Mar 2020 09:00:00", "NumericValue": "82",
         "NumericUnit": "kg", **own} for n in range(1, 4)
    ]  # fmt: skip
    entries.append({**entries[2], "RowIdentifier": "809", "SNOMEDCode": "", "CTV3Code": "XaZ89"})
    homes = [{"IDPatient": "701", "FullPostCode": "ZZ99 3AB", "DateEvent": "01 Jan 2010", **own}]
    drugs = [
        {"RowIdentifier": "901", "IDPatient": "701", "DateEvent": "01 Mar 2020", "DateEventRecorded": "01 Mar 2020",
         "IDMultiLexDMD": "39113611000001102", "NameOfMedication": "Amlodipine 5mg tablets", **own}
    ]  # fmt: skip
    return {
        "SRPatient": people,
        "SROrganisation": [{"RowIdentifier": "1", "ID": "Y99001", "Name": "Practice One"}],
        "SRCode": entries,
        "SRPatientAddressHistory": homes,
        "SRPrimaryCareMedication": drugs,
    }


def write_systmone(folder: Path, rows: dict[str, list[dict[str, str]]] | None = None, *, ending: str = ".csv") -> Path:
    for name, lines in (rows or systmone_rows()).items():
        table(folder / f"{name}{ending}", SYSTMONE[93][name], lines, "cp1252")
    return folder


def bundle(number: str = NUMBERS[0], code: str = "27113001", patient: str = "04603d77-1a4e-4d63-b246-d7504f8bd833"):
    """A GP Connect bundle as JSON: an organisation, a patient, an observation, a medication request and a doctor."""
    about = {"reference": f"Patient/{patient}"}
    return {
        "resourceType": "Bundle", "type": "collection", "entry": [
            {"resource": {
                "resourceType": "Patient", "id": patient, "gender": "female", "birthDate": "1952-05-31", "active": True,
                "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": number}],
                "name": [{"text": "QUILLFEATHER Zebedee"}], "telecom": [{"system": "phone", "value": "01632 960961"}],
                "address": [{"line": ["Larkspur Cottage"], "postalCode": "ZZ99 3AB"}],
                "managingOrganization": {"reference": "Organization/o1"}}},
            {"resource": {
                "resourceType": "Organization", "id": "o1", "name": "Practice One",
                "identifier": [{"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "Y99001"}]}},
            {"resource": {
                "resourceType": "Observation", "id": "Weight-of-Zebedee", "status": "final", "subject": about,
                "code": {"coding": [{"system": "http://snomed.info/sct", "code": code, "display": "Body weight"}],
                         "text": "Zebedee weighed"},
                "effectiveDateTime": "2019-03-28T10:30:00+00:00", "comment": "Quillfeather, of Larkspur Cottage",
                "valueQuantity": {"value": 82.5, "unit": "kg"},
                "performer": [{"reference": "Practitioner/p1", "display": "Dr Quillfeather"}]}},
            {"resource": {
                "resourceType": "Practitioner", "id": "p1", "name": [{"family": "Quillfeather"}]}},
        ],
    }  # fmt: skip


def write_bundle(path: Path, content) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path.parent


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    os.chmod(path, 0o600)
    return path
