"""A small OMOP extract that is right in every row, ways to write it, and what a store says of it."""

from __future__ import annotations

import csv
import gzip
import tempfile
from pathlib import Path

from casefinding.records.sources import ingest
from casefinding.records.store import Store

REAL = "".join(("943", "476", "5919"))  # passes the check of an NHS number, and so stands nowhere in one piece
Rows = dict[str, list[dict[str, object]]]

SYSTOLIC, DIAGNOSIS, DRUG, QUESTION, NEVER, NO, READ = range(2_000_000_001, 2_000_000_008)
CONCEPTS = [
    (SYSTOLIC, "Systolic blood pressure", "Measurement", "SNOMED", "Observable Entity", "271649006"),
    (DIAGNOSIS, "Hypertensive disorder", "Condition", "SNOMED", "Clinical Finding", "38341003"),
    (DRUG, "Amlodipine 5mg tablets", "Drug", "dm+d", "AMP", "39113611000001102"),
    (QUESTION, "Tobacco smoking status", "Observation", "LOINC", "Clinical Observation", "72166-2"),
    (NEVER, "Never smoked tobacco", "Observation", "SNOMED", "Clinical Finding", "266919005"),
    (NO, "No", "Meas Value", "SNOMED", "Qualifier Value", "373067005"),
    (READ, "Essential hypertension", "Condition", "Read", "Read", "G20..00"),
    (8876, "millimeter mercury column", "Unit", "UCUM", "Unit", "mm[Hg]"),
]


def small() -> Rows:
    """One person in one practice, with one entry in each table; every test spoils or adds what it asks about."""
    who = {"person_id": 1}
    return {
        "person": [
            {**who, "gender_concept_id": 8532, "year_of_birth": 1961, "month_of_birth": 7, "race_concept_id": 8527,
             "race_source_value": "", "person_source_value": "p1", "gender_source_value": "F", "care_site_id": 5,
             "location_id": ""},
        ],
        "care_site": [{"care_site_id": 5, "care_site_name": "Practice One", "care_site_source_value": "Y99001"}],
        "observation_period": [
            {**who, "observation_period_start_date": "2015-01-01", "observation_period_end_date": "2024-01-31"}
        ],
        "condition_occurrence": [
            {**who, "condition_concept_id": DIAGNOSIS, "condition_start_date": "2024-01-02",
             "condition_source_value": "", "condition_source_concept_id": 0},
        ],
        "measurement": [
            {**who, "measurement_concept_id": SYSTOLIC, "measurement_date": "2024-01-03",
             "operator_concept_id": 4172704, "value_as_number": 152.0, "value_as_concept_id": 0,
             "unit_concept_id": 8876, "unit_source_value": "mmHg",
             "measurement_source_value": "", "measurement_source_concept_id": 0, "value_source_value": ""},
        ],
        "observation": [
            {**who, "observation_concept_id": QUESTION, "observation_date": "2024-01-04", "value_as_number": "",
             "value_as_string": "", "value_as_concept_id": NEVER, "observation_source_value": "",
             "observation_source_concept_id": 0},
        ],
        "drug_exposure": [
            {**who, "drug_concept_id": DRUG, "drug_exposure_start_date": "2024-01-05", "drug_source_value": "",
             "drug_source_concept_id": 0},
        ],
        "concept": [
            dict(zip(("concept_id", "concept_name", "domain_id", "vocabulary_id", "concept_class_id", "concept_code"),
                     row, strict=True))
            for row in CONCEPTS
        ],
    }  # fmt: skip


def put(folder: Path, rows: Rows, *, upper: bool = False, tab: tuple[str, ...] = (), packed: bool = False) -> Path:
    """Write tables as CSV, in upper case, with tabs or packed as asked."""
    folder.mkdir(parents=True, exist_ok=True)
    for table, lines in rows.items():
        name = f"{table.upper() if upper else table}.csv{'.gz' if packed else ''}"
        opened = gzip.open if packed else open
        with opened(folder / name, "wt", encoding="utf-8", newline="") as handle:
            header = [column.upper() if upper else column for column in lines[0]]
            if table in tab:
                for line in [header, *(row.values() for row in lines)]:
                    handle.write("\t".join(map(str, line)) + "\n")
            else:
                csv.writer(handle).writerows([header, *(row.values() for row in lines)])
    return folder


def said(store: Store) -> list[tuple[str, str, str, float | None, str, int]]:
    """Events as (day, system, code, value, unit, comparator)."""
    codes = {row["code"]: (row["system"], row["id"]) for row in store.codes().to_pylist()}
    units = store.units()["text"].to_pylist()
    return [
        (str(e["day"]), *codes[e["code"]], e["value"], units[e["unit"]], e["comparator"])
        for e in store.events(0).to_pylist()
    ]


def bring(tmp_path: Path, rows: Rows, **how) -> Store:
    here = Path(tempfile.mkdtemp(dir=tmp_path))
    return ingest("omop", put(here / "omop", rows, **how), here / "store")


def one_more(rows: Rows, table: str, **cells: object) -> Rows:
    rows[table].append({**rows[table][0], **cells})
    return rows
