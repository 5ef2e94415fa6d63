"""A small extract of EMIS Web that is right in every row, how it is written, and what a store holds of it."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from casefinding.records.sources import ingest
from casefinding.records.store import Store
from tests.writers.layouts import EMIS, OURS

Row = dict[str, str]
Tables = dict[str, list[Row]]

AGREEMENT = "8b7f2c1e-5d34-4c7a-9f60-2e1d0c9b8a77"
STAMP = "20240331233000"
ONE, TWO = "{ORG-1}", "{ORG-2}"
NEEDED = ("Admin_Organisation", "Admin_Patient", "CareRecord_Observation", "Coding_ClinicalCode")


def patient(guid: str, number: str = "", org: str = ONE, **more: str) -> Row:
    return {
        "PatientGuid": guid, "OrganisationGuid": org, "NhsNumber": number, "Sex": "F", "DateOfBirth": "1950-03-01",
        "DateOfRegistration": "2010-01-01", "PatientTypeDescription": "Regular", "DummyType": "false",
        "Deleted": "false", "SpineSensitive": "false", "IsConfidential": "false", "ProcessingId": "1", **more,
    }  # fmt: skip


def observation(guid: str, who: str, code: str, org: str = ONE, **more: str) -> Row:
    return {
        "ObservationGuid": guid, "PatientGuid": who, "OrganisationGuid": org, "CodeId": code, "ProcessingId": "1",
        "EffectiveDate": "2021-02-02", "EffectiveDatePrecision": "YMD", "EnteredDate": "2021-02-05",
        "ObservationType": "Observation", "Deleted": "false", "IsConfidential": "false", **more,
    }  # fmt: skip


def consultation(guid: str, who: str, **more: str) -> Row:
    return {
        "ConsultationGuid": guid, "PatientGuid": who, "OrganisationGuid": ONE, "EffectiveDate": "2021-02-02",
        "EffectiveDatePrecision": "YMD", "EnteredDate": "2021-02-02", "Complete": "true", "Deleted": "false",
        "IsConfidential": "false", "ProcessingId": "1", **more,
    }  # fmt: skip


def issue(guid: str, who: str, code: str, **more: str) -> Row:
    return {
        "IssueRecordGuid": guid, "PatientGuid": who, "OrganisationGuid": ONE, "CodeId": code, "ProcessingId": "1",
        "EffectiveDate": "2021-03-03", "EffectiveDatePrecision": "YMD", "EnteredDate": "2021-03-03",
        "Deleted": "false", "IsConfidential": "false", **more,
    }  # fmt: skip


def code(number: str, term: str, concept: str = "", read: str = "", **more: str) -> Row:
    return {
        "CodeId": number,
        "Term": term,
        "SnomedCTConceptId": concept,
        "ReadTermId": read,
        "ProcessingId": "1",
        **more,
    }


def drug(number: str, term: str, product: str = "") -> Row:
    return {"CodeId": number, "Term": term, "DmdProductCodeId": product, "ProcessingId": "1"}


def good() -> Tables:
    """Two people at one practice, with an entry of every kind."""
    return {
        "Admin_Organisation": [
            {"OrganisationGuid": ONE, "OrganisationName": "Practice Ön", "ODSCode": "Y99001", "ProcessingId": "1",
             "ParentOrganisationGuid": "{PCN}", "CCGOrganisationGuid": "{CCG}"},
            {"OrganisationGuid": "{PCN}", "OrganisationName": "North Network",
             "OrganisationType": "Primary Care Network"},
            {"OrganisationGuid": "{CCG}", "OrganisationName": "Saltmarsh", "OrganisationType": "CCG"},
            {"OrganisationGuid": "{H}", "OrganisationName": "A hospital", "ODSCode": "X9X01", "ProcessingId": "1"},
        ],
        "Admin_Patient": [patient("{P1}", "p1"), patient("{P2}", Sex="M", DateOfDeath="2022-10-09")],
        "CareRecord_Observation": [
            observation("{O1}", "{P1}", "11"),
            observation("{O2}", "{P1}", "12"),
            observation("{O3}", "{P1}", "13", Value="152", NumericUnit="mmHg", ParentObservationGuid="{O2}"),
            observation("{O4}", "{P1}", "14", Value="91.5", NumericUnit="mmHg", ParentObservationGuid="{O2}"),
            observation("{O5}", "{P2}", "15", Value=">90"),
            observation("{O6}", "{P2}", "16"),
            observation("{O7}", "{P2}", "17"),
        ],
        "CareRecord_Consultation": [consultation("{C1}", "{P1}", ConsultationSourceCodeId="18")],
        "Prescribing_IssueRecord": [issue("{I1}", "{P1}", "21"), issue("{I2}", "{P2}", "22")],
        "Prescribing_DrugRecord": [
            {"DrugRecordGuid": "{D1}", "PatientGuid": "{P1}", "OrganisationGuid": ONE, "CodeId": "21",
             "EffectiveDate": "2021-01-01", "EffectiveDatePrecision": "YMD", "EnteredDate": "2021-01-01",
             "Deleted": "false", "IsConfidential": "false"},
        ],
        "CareRecord_Problem": [{"ObservationGuid": "{O1}", "PatientGuid": "{P1}", "OrganisationGuid": ONE}],
        "CareRecord_Diary": [{"DiaryGuid": "{Y1}", "PatientGuid": "{P1}", "OrganisationGuid": ONE, "CodeId": "11"}],
        "Admin_UserInRole": [{"UserInRoleGuid": "{U1}", "OrganisationGuid": ONE}],
        "Coding_ClinicalCode": [
            code("11", "Hypertension", "38341003", "G20..00"),
            code("12", "Blood pressure", "75367002"),
            code("13", "Systolic", "271649006"),
            code("14", "Diastolic", "271650006"),
            code("15", "eGFR", "", "451E.00"),
            code("16", "Local code", "", "EMISNQLO12"),
            code("17", "Short Read code", "0", "G20-1"),
            code("18", "Seen at the surgery", "185202000"),
        ],
        "Coding_DrugCode": [drug("21", "Amlodipine 5mg tablets", "39113611000001102"), drug("22", "Dressing")],
    }  # fmt: skip


def name_of(table: str, first: int = 100, last: int = 199, stamp: str = STAMP, agreement: str = AGREEMENT) -> str:
    return f"{first}-{last}_{table}_{stamp}_{agreement}.csv"


def put(folder: Path, tables: Tables, version: str = "8.2", zipped: bool = False, **name) -> Path:
    """Write tables with the headers of a version; those that every extract holds are there in any case."""
    folder.mkdir(parents=True, exist_ok=True)
    for table in dict.fromkeys((*tables, *(() if name else NEEDED))):
        header = [*EMIS[version].get(table, EMIS["8.2"].get(table, ("Something",)))]
        header += OURS if table == "Admin_Patient" else ()
        path = folder / (name_of(table, **name) + (".gz" if zipped else ""))
        with (gzip.open if zipped else open)(path, "wt", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, header, restval="", extrasaction="ignore", lineterminator="\r\n")
            writer.writeheader()
            writer.writerows(tables.get(table, ()))
    return folder


def only(*tables: str) -> Tables:
    """The good rows of the tables needed and of these."""
    return {name: rows for name, rows in good().items() if name in (*NEEDED, *tables)}


def told(store: Store) -> set[tuple[str, ...]]:
    """Every event: pseudonym, day, day of entry, system, code, term, value with its comparator, unit."""
    people = dict(enumerate(store.people_table()["pseudonym"].to_pylist()))
    codes = {row["code"]: row for row in store.codes().to_pylist()}
    units = dict(enumerate(store.units()["text"].to_pylist()))
    found = set()
    for shard in range(store.shards):
        for row in store.events(shard).to_pylist():
            one = codes[row["code"]]
            value = (
                ""
                if row["value"] is None
                else f"{'<>'[row['comparator'] - 1] if row['comparator'] else ''}{row['value']:g}"
            )
            found.add((people[row["person"]], str(row["day"]), str(row["recorded_day"]), one["system"], one["id"],
                       one["term"], value, units[row["unit"]]))  # fmt: skip
    return found


def ids(store: Store) -> set[str]:
    return {row[4] for row in told(store)}


def stays(store: Store) -> list[tuple]:
    people = dict(enumerate(store.people_table()["pseudonym"].to_pylist()))
    return [(people[row["person"]], row["practice"], str(row["started_on"]), str(row["ended_on"]))
            for row in store.registrations().to_pylist()]  # fmt: skip


def balanced(store: Store) -> bool:
    one = store.counts()["balance"].values()
    return all(row["read"] == row["kept"] + row["refused"] + sum(row["left"].values()) for row in one)


def left(store: Store, table: str) -> dict[str, int]:
    total: Counter[str] = Counter()
    for name, row in store.counts()["balance"].items():
        if f"_{table}_" in name:
            total.update(row["left"])
    return dict(total)


def digest(store: Store) -> dict[str, bytes]:
    names = ("person", "registration", "practice", "code", "unit", "contact")
    return {
        path.name: path.read_bytes()
        for path in store.folder.rglob("*.parquet")
        if path.stem in names or "shard" in path.name
    }


def history(status: str, day: str, time: str = "09:00:00", who: str = "{P1}", number: str = "1") -> Row:
    return {
        "PatientGuid": who, "OrganisationGuid": ONE, "HistoryDate": day, "HistoryTime": time,
        "StatusDescription": status, "ProcessingId": number,
    }  # fmt: skip


def bringing(tmp_path: Path) -> Callable[..., Store]:
    """A function that brings tables in, every time from a fresh folder, and holds the counts to balance."""
    calls = iter(range(1000))

    def run(tables: Tables, **options) -> Store:
        here = tmp_path / f"try-{next(calls)}"
        after = ingest("emis", put(here / "extract", tables), here / "store", **options)
        assert balanced(after)
        return after

    return run
