"""The writers of OMOP, FHIR and MEDS say every row of a native extract, each in its own words."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from casefinding.synthetic.simulate import simulate
from tests.writers.fhir import write_fhir
from tests.writers.meds import write_meds
from tests.writers.omop import write_omop, write_omop_duckdb

EVENT_TABLES = {
    "condition_occurrence": "condition", "measurement": "measurement", "observation": "observation",
    "drug_exposure": "drug", "procedure_occurrence": "procedure", "visit_occurrence": "visit",
}  # fmt: skip


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small population."""
    here = tmp_path_factory.mktemp("population")
    simulate(150, 2, 7, here / "native", here / "truth")
    return here / "native"


@pytest.fixture(scope="module")
def said(native: Path) -> Counter[tuple[str, str, str]]:
    """(person, day, code) of every native event with a known person and a day."""
    rows = duckdb.sql(
        f"""SELECT person, happened_on, code FROM '{native}/event/*.parquet' WHERE code IS NOT NULL AND person IN
            (SELECT person FROM '{native}/person/*.parquet') AND try_cast(happened_on AS DATE) IS NOT NULL"""
    ).fetchall()
    return Counter(rows)


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("concepts", [True, False])
def test_omop_holds_every_event_in_the_table_of_its_kind(native, said, tmp_path, form, concepts):
    folder = write_omop(native, tmp_path / "omop", form=form, concepts=concepts)
    con = duckdb.connect(str(write_omop_duckdb(folder, tmp_path / "omop.duckdb")))
    found: Counter[tuple[str, str, str]] = Counter()
    for table, kind in EVENT_TABLES.items():
        day = {"condition": "condition_start", "drug": "drug_exposure_start", "visit": "visit_start"}.get(kind, kind)
        code = "concept_code" if concepts else f"{kind}_source_value"
        join = f"LEFT JOIN concept ON concept_id = {kind}_source_concept_id" if concepts else ""
        found.update(
            con.execute(
                f"""SELECT person_source_value, {day}_date::VARCHAR, coalesce({code}, {kind}_source_value)
                FROM {table} JOIN person USING (person_id) {join} WHERE {kind}_source_value IS NOT NULL
                AND {day}_date IS NOT NULL"""
            ).fetchall()
        )
    people = {person for (person,) in con.execute("SELECT person_source_value FROM person").fetchall()}
    assert found == Counter({row: number for row, number in said.items() if row[0] in people})
    assert (folder / f"concept.{form}").exists() is concepts


@pytest.mark.parametrize("form", ["ndjson", "gpconnect"])
def test_fhir_holds_every_event_once_and_a_header_for_some_pairs(native, said, tmp_path, form):
    folder = write_fhir(native, tmp_path / "fhir", form=form)
    found: Counter[str] = Counter()
    headers = 0
    for resource in _resources(folder):
        kind = resource["resourceType"]
        if kind in ("Patient", "Organization", "Practitioner", "EpisodeOfCare"):
            continue
        codes = _codes(resource)
        headers += "75367002" in codes
        found.update(code for code in codes if code != "75367002")
    expected: Counter[str] = Counter()
    for (_, _, code), number in said.items():
        expected[code] += number
    lost = {code: number - found[code] for code, number in expected.items() if found[code] < number}
    assert sum(lost.values()) <= 5  # of people without a registration, who have no bundle
    assert headers > 100


def test_meds_is_sorted_by_subject_and_time_and_names_every_code(native, said, tmp_path):
    numbers = write_meds(native, tmp_path / "meds")
    files = sorted((tmp_path / "meds" / "data").rglob("*.parquet"))
    assert len(files) == 2
    events = 0
    codes = set(pq.read_table(tmp_path / "meds" / "metadata" / "codes.parquet")["code"].to_pylist())
    for file in files:
        rows = pq.read_table(file).select(["subject_id", "time", "code"]).to_pylist()
        keys = [(row["subject_id"], row["time"] is not None, row["time"]) for row in rows]
        assert all(one[:2] <= other[:2] and (one[:2] < other[:2] or not one[1] or one <= other)
                   for one, other in pairwise(keys))  # fmt: skip
        assert {row["code"] for row in rows} <= codes
        events += sum(not row["code"].startswith(("MEDS_", "GENDER", "ETHN", "IMD_", "REGIS")) for row in rows)
    assert events == sum(number for row, number in said.items() if row[0] in numbers)


def _resources(folder: Path) -> list[dict[str, Any]]:
    found = []
    for file in sorted(folder.iterdir()):
        for line in file.read_text(encoding="utf-8").splitlines():
            one = json.loads(line)
            entries = [entry["resource"] for entry in one.get("entry", [])]
            found.extend(entries if one["resourceType"] == "Bundle" else [one])
    return found


def _codes(resource: dict[str, Any]) -> list[str]:
    concepts = [resource.get("code"), resource.get("medicationCodeableConcept"), *resource.get("type", [])]
    concepts += [part["code"] for part in resource.get("component", [])]
    concepts += [inner["code"] for inner in resource.get("contained", [])]
    return [one["coding"][0]["code"] for one in concepts if one and "code" in one["coding"][0]]
