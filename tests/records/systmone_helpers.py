"""A small SystmOne extract that is right in every row, written as SystmOne writes it, and what a store says."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from pathlib import Path

from casefinding.records.sources import ingest
from casefinding.records.store import Store

Row = dict[str, str]
Tables = dict[str, list[Row]]

VISIBLE = "IDOrganisationVisibleTo"
HEADERS = {
    "SRPatient": f"RowIdentifier {VISIBLE} Title FirstName Surname NHSNumber DateBirth DateDeath Gender EmailAddress "
    "TestPatient SSRef SpineMatched",
    "SRPatientRegistration": f"RowIdentifier {VISIBLE} DateEventRecorded IDProfileEnteredBy DateRegistration "
    "DateDeRegistration RegistrationStatus PreferredPharmacy IDPatient IDOrganisation IDOrganisationRegisteredAt",
    "SRCode": f"RowIdentifier {VISIBLE} DateEventRecorded DateEvent IDProfileEnteredBy IDDoneBy IDOrganisationDoneAt "
    "CTV3Code CTV3Text SNOMEDCode SNOMEDText NumericComparator IsNumeric NumericValue NumericUnit EpisodeType IDEvent "
    "IDPatient IDOrganisation IDOrganisationRegisteredAt",
    "SRPrimaryCareMedication": f"RowIdentifier {VISIBLE} DateEventRecorded DateEvent IDMultiLexProduct IDMultiLexDMD "
    "NameOfMedication DateMedicationStart DateMedicationEnd IsRepeatMedication IsOtherMedication IsHospitalMedication "
    "IDRepeatTemplate IDEvent IDPatient IDOrganisation",
    "SREvent": f"RowIdentifier {VISIBLE} DateEventRecorded DateEvent ContactEventLocation ContactMethod "
    "EventIncomplete ClinicalEvent IDPatient IDOrganisation",
    "SRProblem": f"RowIdentifier {VISIBLE} DateEventRecorded DateEvent CTV3Code DateEnd IDCode IDEvent IDPatient",
    "SROrganisation": "RowIdentifier Name ID HouseName FullPostCode MadeObsolete IDTrust IDCcg",
    "SRCtv3ToSnomed": f"RowIdentifier {VISIBLE} Ctv3Code SnomedCode",
    "SRConfiguredListOption": "RowIdentifier ConfiguredList ConfiguredListOption CDSCode",
    "SRMedicationReadCodeDetails": "RowIdentifier IDMultiLexProduct DrugReadCode DrugReadCodeDesc",
    "SRRepeatTemplate": f"RowIdentifier {VISIBLE} DateEventRecorded DateEvent NameOfMedication IDPatient",
    "SRStaffMember": "RowIdentifier StaffName StaffUserName",
    "SRManifest": "FileName IsDelta IsReference DateExtractFrom DateExtractTo",
}
CODE = {"SNOMEDCode": "-1", "IsNumeric": "FALSE", "NumericValue": "0.0"}


def person(number: str, nhs: str = "", **more: str) -> Row:
    return {
        "RowIdentifier": number, VISIBLE: "Y99001", "NHSNumber": nhs, "DateBirth": "14 Mar 1950 00:00", "Gender": "F",
        "TestPatient": "FALSE", **more,
    }  # fmt: skip


def registered(number: str, who: str, **more: str) -> Row:
    return {
        "RowIdentifier": number, VISIBLE: "Y99001", "DateRegistration": "01 Jan 2010 00:00:00", "IDPatient": who,
        "RegistrationStatus": "GMS", "IDOrganisation": "Y99001", **more,
    }  # fmt: skip


def entry(number: str, who: str, **more: str) -> Row:
    return {
        "RowIdentifier": number, VISIBLE: "Y99001", "DateEvent": "02 Feb 2021 10:15:00", "IDPatient": who,
        "DateEventRecorded": "05 Feb 2021 11:00:00", "IDOrganisation": "Y99001", **more,
    }  # fmt: skip


def good() -> Tables:
    """Two people at one practice, with an entry of every kind."""
    return {
        "SRPatient": [person("11", "p11"), person("12", DateDeath="04 Feb 2021 00:00", Gender="M")],
        "SRPatientRegistration": [registered("21", "11"), registered("22", "12")],
        "SROrganisation": [
            {"RowIdentifier": "1", "ID": "Y99001", "Name": "Practice Ön€"},
            {"RowIdentifier": "2", "ID": "Y99777", "Name": "A hospital"},
        ],
        "SRCode": [
            entry("31", "11", **CODE | {"SNOMEDCode": "38341003", "SNOMEDText": "HT", "CTV3Code": "XE0Ub"}),
            entry("32", "11", **CODE | {"CTV3Code": "2469.", "CTV3Text": "O/E reading", "IsNumeric": "TRUE",
                  "NumericValue": "152.5", "NumericUnit": "mmHg"}),
            entry("33", "11", **CODE | {"CTV3Code": "XaK8y", "CTV3Text": "Level", "IsNumeric": "TRUE",
                  "NumericComparator": ">", "NumericValue": "90"}),
            entry("34", "12", **CODE | {"CTV3Code": "XaK8Y", "CTV3Text": "Another by case"}),
            entry("35", "12", **CODE | {"SNOMEDCode": "92461000000105", "CTV3Code": "XaJR3"}),
        ],
        "SRPrimaryCareMedication": [
            entry("41", "11", IDMultiLexDMD="39113611000001102", NameOfMedication="Amlodipine 5mg tablets"),
            entry("42", "11", IDMultiLexDMD="-1", IDMultiLexProduct="77", NameOfMedication="Old drug"),
            entry("43", "11", IDMultiLexDMD="-1", IDMultiLexProduct="78", NameOfMedication="Older drug"),
            entry("44", "11", NameOfMedication="Named drug", DateEvent="", DateMedicationStart="01 Feb 2021"),
        ],
        "SREvent": [
            entry("51", "11", ContactMethod="901", ContactEventLocation="-1", ClinicalEvent="TRUE"),
            entry("52", "11", ContactMethod="-1", ContactEventLocation="903", ClinicalEvent="TRUE"),
            entry("53", "12", ContactMethod="902", ContactEventLocation="904", ClinicalEvent="TRUE"),
            entry("54", "12", ContactMethod="902", ContactEventLocation="904", ClinicalEvent="FALSE"),
            entry("55", "12", ContactMethod="905", ClinicalEvent="TRUE"),
        ],
        "SRProblem": [
            entry("61", "11", CTV3Code="XE0Ub", IDCode="31"),
            entry("62", "12", CTV3Code="XE0Ub", IDCode="39999"),
        ],
        "SRCtv3ToSnomed": [
            {"RowIdentifier": "71", "Ctv3Code": "XaK8y", "SnomedCode": "1011481000000105"},
            {"RowIdentifier": "72", "Ctv3Code": "2469.", "SnomedCode": "271649006"},
        ],
        "SRConfiguredListOption": [
            {"RowIdentifier": number, "ConfiguredListOption": words}
            for number, words in (("901", "Telephone"), ("902", "Face to face"), ("903", "Patient's Home"),
                                  ("904", "Surgery"), ("905", "Letter"))
        ],
        "SRMedicationReadCodeDetails": [
            {"RowIdentifier": "81", "IDMultiLexProduct": "77", "DrugReadCode": "x00aa"},
        ],
        "SRRepeatTemplate": [entry("91", "11", NameOfMedication="Amlodipine 5mg tablets")],
        "SRStaffMember": [{"RowIdentifier": "95", "StaffName": "Someone"}],
    }  # fmt: skip


def put(folder: Path, tables: Tables, *, removable: bool = True, zipped: bool = False) -> Path:
    """Write tables as SystmOne does: Cp1252, CR LF, every cell in quotes; v93 knows RemovedData, others may not."""
    folder.mkdir(parents=True, exist_ok=True)
    opened: Callable[..., object] = gzip.open if zipped else open
    for table, rows in tables.items():
        header = HEADERS[table].split() + (["RemovedData"] if removable and table != "SRManifest" else [])
        header += sorted({name for row in rows for name in row} - set(header))
        path = folder / f"{table}.csv{'.gz' if zipped else ''}"
        with opened(path, "wt", encoding="cp1252", newline="") as handle:  # type: ignore[attr-defined]
            writer = csv.DictWriter(handle, header, restval="", quoting=csv.QUOTE_ALL)
            writer.writeheader()
            writer.writerows(
                [{"RemovedData": "0", **row} if removable and table != "SRManifest" else row for row in rows]
            )
    return folder


def removed(number: str, where: str = "Y99001") -> Row:
    return {"RowIdentifier": number, VISIBLE: where, "RemovedData": "1"}


def said(store: Store) -> set[tuple[str, ...]]:
    """Every event as (person, day, recorded, system, id, comparator, value, unit)."""
    names = store.people_table()["pseudonym"].to_pylist()
    codes = {row["code"]: (row["system"], row["id"]) for row in store.codes().to_pylist()}
    units = {row["unit"]: row["text"] for row in store.units().to_pylist()}
    return {
        (
            names[e["person"]], str(e["day"]), str(e["recorded_day"]), *codes[e["code"]],
            " <>"[e["comparator"]].strip(), "" if e["value"] is None else f"{e['value']:g}", units[e["unit"]],
        )
        for e in store.events(0).to_pylist()
    }  # fmt: skip


def ids(store: Store) -> set[str]:
    return {row[4] for row in said(store)}


def kept(store: Store) -> dict[str, int]:
    return {name: one["kept"] for name, one in store.counts()["balance"].items() if one["kept"]}


def balanced(store: Store) -> bool:
    return all(
        one["read"] == one["kept"] + one["refused"] + sum(one["left"].values())
        for one in store.counts()["balance"].values()
    )


def only(*tables: str) -> Tables:
    """The tables without which nothing comes in, and these."""
    needed = ("SRPatient", "SRPatientRegistration", "SROrganisation", "SRCode")
    return {name: rows for name, rows in good().items() if name in (*needed, *tables)}


def second(**tables: list[Row]) -> Tables:
    """A later delivery: headers alone but for these rows."""
    return {name: tables.get(name, []) for name in good()}


def deliver(tmp_path: Path, *later: Tables, name: str = "extract", **options: bool) -> Store:
    folder = tmp_path / name
    for number, tables in enumerate((good(), *later)):
        put(folder / f"2024-01-{number + 1:02d}", tables, **options)
    return ingest("systmone", folder, tmp_path / f"{name}-store")


def two_practices() -> Tables:
    """The person 11 seen by two organisations: the same rows, and a patient's row of their own at the second."""
    tables = good()
    tables["SROrganisation"].append({"RowIdentifier": "3", "ID": "Y99002", "Name": "Practice Two"})
    tables["SRCode"] += [{**row, VISIBLE: "Y99002"} for row in tables["SRCode"]]
    tables["SRPatient"].append(
        person("19", "p11", **{VISIBLE: "Y99002", "DateDeath": "01 Feb 2024 00:00", "Gender": "U"})
    )
    tables["SRPatientRegistration"] += [
        registered("29", "19", **{VISIBLE: "Y99002", "IDOrganisation": "Y99002"}),
        {**tables["SRPatientRegistration"][0], VISIBLE: "Y99002"},
    ]
    return tables
