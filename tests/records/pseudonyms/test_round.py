"""What is read from an extract is the same with and without its identifiers: the ingest loses nothing by pseudonyms."""

import shutil
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from casefinding.records import bringing_in
from casefinding.records.sources import ingest
from casefinding.synthetic.simulate import simulate
from tests.writers.emis import write_emis
from tests.writers.systmone import write_systmone

SHARED = Path(__file__).parents[4] / "shared" / "data" / "fhir"


@pytest.fixture(scope="module")
def native(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("native")
    simulate(300, 2, 5, folder / "extract", folder / "truth")
    return folder / "extract"


@pytest.fixture(autouse=True)
def names_are_let_in(monkeypatch):
    """The ingest refuses an extract that names its patients: for the comparison alone it must read one."""
    monkeypatch.setattr(bringing_in.identifiers, "refuse_people_by_name", lambda engine, parts: None)


def said(store) -> Counter:
    """Every entry of a store; whose it is is told by sex, month of birth and day of death alone."""
    here = store.folder
    rows = duckdb.sql(
        f"""SELECT p.sex, p.birth_month, p.ethnicity, p.died_on, c.system, c.id, e.day, e.recorded_day, e.value,
                e.comparator, u.* EXCLUDE (unit) FROM '{here}/events/*.parquet' AS e
            JOIN '{here}/person.parquet' AS p USING (person) JOIN '{here}/code.parquet' AS c USING (code)
            LEFT JOIN '{here}/unit.parquet' AS u USING (unit)"""
    ).fetchall()
    return Counter((*row[:-1], "(other unit)" if row[-1] == "cubits" else row[-1]) for row in rows)  # no unit of ours


@pytest.mark.parametrize(("kind", "write"), [("emis", write_emis), ("systmone", write_systmone)])
def test_the_ingest_reads_the_same_with_and_without_identifiers(tmp_path, run, native, kind, write):
    write(native, tmp_path / "in", deltas=True, pseudonymised=False, others=False)
    out = run(kind, tmp_path / "in")
    before = ingest(kind, tmp_path / "in", tmp_path / "before", at_practice=True)
    after = ingest(kind, out, tmp_path / "after", at_practice=True)
    assert after.people == before.people
    assert after.data_through == before.data_through
    assert sorted(map(repr, (said(after) - said(before)).items())) == []
    assert sum(said(before).values()) == sum(said(after).values())
    lost = "person not in the person table"  # such a row stays at home
    one, two = before.counts()["refused"], after.counts()["refused"]
    assert {name: n for name, n in one.items() if name != lost} == {name: n for name, n in two.items() if name != lost}


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public GP Connect examples are not beside this checkout")
def test_public_gp_connect_bundles_read_the_same_with_and_without_identifiers(tmp_path, run):
    extract = tmp_path / "in"
    extract.mkdir()
    for path in SHARED.glob("gpconnect_*.json"):
        shutil.copy(path, extract)
    out = run("fhir", extract)
    before, after = ingest("fhir", extract, tmp_path / "before"), ingest("fhir", out, tmp_path / "after")
    assert after.counts()["rows"] == before.counts()["rows"]
    content = "".join(path.read_text() for path in out.iterdir()).lower()
    for text in ("jackson", "gilbert", "nichole", "01454587554", "ls1 5ht", "roundhay", "cable place", "notes for"):
        assert text not in content
