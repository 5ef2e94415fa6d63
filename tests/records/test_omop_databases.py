"""OMOP in every form: folders, DuckDB files and a real PostgreSQL give the same records, and nothing is changed."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from omop_helpers import put, small

from casefinding.errors import RecordsError
from casefinding.records.sources import ingest
from casefinding.records.sources.omop import find
from casefinding.records.store import Store
from casefinding.synthetic.simulate import simulate
from tests.writers.omop import write_omop, write_omop_duckdb, write_omop_postgres

THROUGH = dt.date(2026, 9, 30)


# The whole synthetic population, in every form


@pytest.fixture(scope="module")
def population(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("omop")
    simulate(600, 2, 7, home / "native", home / "truth", data_through=THROUGH)
    write_omop(home / "native", home / "csv")
    return home


@pytest.fixture(scope="module")
def native(population) -> Store:
    return ingest("native", population / "native", population / "store-native")


@pytest.fixture(scope="module")
def from_csv(population) -> Store:
    return ingest("omop", population / "csv", population / "store", data_through=THROUGH)


def everything(store: Store) -> set[tuple[object, ...]]:
    """Events without what OMOP cannot carry: the day of recording."""
    people = store.people_table()["pseudonym"].to_pylist()
    codes = {row["code"]: (row["system"], row["id"], row["term"]) for row in store.codes().to_pylist()}
    units = store.units()["text"].to_pylist()
    return {
        (people[e["person"]], e["day"], *codes[e["code"]], e["value"], units[e["unit"]], e["comparator"])
        for shard in range(store.shards)
        for e in store.events(shard).to_pylist()
    }


def test_through_omop_the_people_and_events_are_those_of_the_native_layout(native, from_csv, population):
    """Everybody but those with a planted fault, which the two layouts cannot say alike."""
    planted = pq.read_table(population / "truth" / "planted.parquet").to_pylist()
    faulty = {row["pseudonym"] for row in planted if row["kind"] == "fault"}
    same = ("pseudonym", "birth_month", "sex", "ethnicity", "died_on")
    ours, theirs = (
        {tuple(row[name] for name in same) for row in store.people_table().to_pylist()} for store in (native, from_csv)
    )
    assert len({row for row in ours if row[0] not in faulty}) > 600
    assert {row for row in ours ^ theirs if row[0] not in faulty} == set()
    assert {row for row in everything(native) ^ everything(from_csv) if row[0] not in faulty} == set()


def test_through_omop_a_registration_keeps_its_days_and_only_the_last_practice(native, from_csv):
    def spells(store: Store) -> tuple[set[tuple[object, ...]], dict[object, object]]:
        names = store.people_table()["pseudonym"].to_pylist()
        rows = [{**row, "person": names[row["person"]]} for row in store.registrations().to_pylist()]
        rows = [row for row in rows if row["practice"] != "OMOP"]
        latest = {row["person"]: row["practice"] for row in sorted(rows, key=lambda row: row["started_on"])}
        return {(row["person"], row["started_on"], row["ended_on"]) for row in rows}, latest

    assert spells(native) == spells(from_csv)


def test_parquet_and_bare_source_values_say_the_same(population, from_csv):
    write_omop(population / "native", population / "parquet", form="parquet")
    again = ingest("omop", population / "parquet", population / "store-parquet", data_through=THROUGH)
    assert again.digest == from_csv.digest
    write_omop(population / "native", population / "bare", concepts=False)
    bare = ingest("omop", population / "bare", population / "store-bare", data_through=THROUGH)
    without = [{(*row[:4], *row[5:]) for row in everything(store) if row[2] != "other"} for store in (bare, from_csv)]
    assert without[0] == without[1]


def test_a_duckdb_file_says_the_same_and_is_not_changed(population, from_csv):
    path = write_omop_duckdb(population / "csv", population / "cdm.duckdb")
    before = hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns, sorted(os.listdir(population))
    store = ingest("omop", path, population / "store", data_through=THROUGH)
    assert store.digest == from_csv.digest
    assert (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns) == before[:2]
    assert sorted(os.listdir(population)) == before[2]


def test_a_duckdb_file_cannot_make_us_open_other_files(population, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("person_id\nsomebody\n", encoding="utf-8")
    path = write_omop_duckdb(put(tmp_path / "csv", small()), tmp_path / "view.duckdb")
    with duckdb.connect(str(path)) as made:
        made.execute("DROP TABLE condition_occurrence")
        made.execute(
            f"""CREATE VIEW condition_occurrence AS SELECT person_id, 0 AS condition_concept_id,
                DATE '2024-01-01' AS condition_start_date FROM read_csv('{secret}')"""
        )
    with pytest.raises(RecordsError) as caught:
        ingest("omop", path, tmp_path / "store")
    assert "somebody" not in str(caught.value)


def test_a_duckdb_file_of_which_only_part_arrived_is_refused(tmp_path):
    path = write_omop_duckdb(put(tmp_path / "csv", small()), tmp_path / "part.duckdb")
    for size in (path.stat().st_size // 2, 100, 0):
        with open(path, "r+b") as handle:
            handle.truncate(size)
        with pytest.raises(RecordsError):
            ingest("omop", path, tmp_path / "store")


def test_packed_tables_with_tabs_of_which_only_part_arrived_are_refused(tmp_path):
    folder = put(tmp_path / "omop", small(), tab=("concept",), packed=True)
    content = (folder / "concept.csv.gz").read_bytes()
    (folder / "concept.csv.gz").write_bytes(content[:-20])
    with pytest.raises(RecordsError, match="only part of it arrived"):
        ingest("omop", folder, tmp_path / "store")


# A real PostgreSQL


def _programs() -> Path | None:
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").exists() and (place / "postgres").exists()), None)


PASSWORD = "quiet-" + secrets.token_hex(8)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A PostgreSQL of the test's own, on a socket in a folder of its own; gives the address of an empty database."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL's initdb is not installed")
    as_user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}
    home = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # short: a socket's path holds about 100 letters
    port = 20_000 + secrets.randbelow(20_000)
    try:
        (home / "word").write_text(PASSWORD, encoding="ascii")
        if as_user:
            shutil.chown(home, "nobody", "nogroup")
            shutil.chown(home / "word", "nobody", "nogroup")
        quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": home, **as_user}
        subprocess.run(
            [programs / "initdb", "-D", home / "data", "-U", "owner", "--auth=scram-sha-256", f"--pwfile={home}/word",
             "--encoding=UTF8", "--locale=C", "--no-sync"], **quiet,
        )  # fmt: skip
        options = f"-c listen_addresses='' -c unix_socket_directories={home} -c port={port} -c fsync=off"
        subprocess.run(
            [programs / "pg_ctl", "-D", home / "data", "-w", "-l", home / "log", "-o", options, "start"], **quiet
        )
        try:
            yield f"postgresql://owner:{PASSWORD}@/postgres?host={home}&port={port}"
        finally:
            subprocess.run([programs / "pg_ctl", "-D", home / "data", "-m", "immediate", "stop"], **quiet)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def cdm(server, population) -> str:
    """The synthetic population in the schema `cdm`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{_programs()}{os.pathsep}{os.environ['PATH']}")
        write_omop_postgres(population / "csv", server)
    return server


def test_postgresql_says_the_same(cdm, population, from_csv):
    store = ingest("omop", cdm, population / "store", data_through=THROUGH)
    assert store.digest == from_csv.digest
    assert {name.removeprefix("PostgreSQL/"): one for name, one in store.counts()["balance"].items()} == {
        name.removesuffix(".csv"): one for name, one in from_csv.counts()["balance"].items()
    }
    assert PASSWORD.encode() not in b"".join(p.read_bytes() for p in store.folder.rglob("*") if p.is_file())


def test_the_address_may_stand_in_a_file_and_name_the_schema(cdm, population, tmp_path, from_csv):
    import psycopg

    with psycopg.connect(cdm, autocommit=True) as made:
        made.execute("DROP SCHEMA IF EXISTS other CASCADE")
        made.execute("CREATE SCHEMA other")
        made.execute("CREATE TABLE other.person (person_id integer)")
    with pytest.raises(RecordsError, match="several schemas hold a table 'person': cdm, other"):
        find(cdm)
    (tmp_path / "address").write_text(f"{cdm}&options=-csearch_path%3Dcdm\n", encoding="utf-8")
    assert ingest("omop", tmp_path / "address", tmp_path / "store", data_through=THROUGH).digest == from_csv.digest
    with pytest.raises(RecordsError, match="'observation_period' is missing"):
        find(f"{cdm}&options=-csearch_path%3Dother")
    with psycopg.connect(cdm, autocommit=True) as made:
        made.execute("DROP SCHEMA other CASCADE")


def test_no_error_repeats_the_password_or_a_cell(cdm, tmp_path, monkeypatch):
    import psycopg

    wrong = cdm.replace(PASSWORD, PASSWORD + "x")
    for address in (wrong, cdm.replace("/postgres?", "/nowhere?"), cdm.replace("port=", "port=1"), f"{cdm}&nonsense=1"):
        with pytest.raises(RecordsError, match="cannot connect") as caught:
            ingest("omop", address, tmp_path / "store")
        whole = str(caught.value) + repr(caught.value.__cause__) + str(caught.value.__suppress_context__)
        assert PASSWORD not in whole
        assert "owner" not in whole
        assert caught.value.__suppress_context__
    with psycopg.connect(cdm, autocommit=True) as made:
        made.execute("CREATE ROLE poor LOGIN PASSWORD 'word'")
        made.execute("GRANT USAGE ON SCHEMA cdm TO poor")
    try:
        with pytest.raises(RecordsError, match="may not read this table"):
            ingest("omop", cdm.replace(f"owner:{PASSWORD}", "poor:word"), tmp_path / "store")
    finally:
        with psycopg.connect(cdm, autocommit=True) as made:
            made.execute("DROP OWNED BY poor")
            made.execute("DROP ROLE poor")


def test_nothing_can_be_written_through_our_connection(cdm):
    import psycopg

    from casefinding.records.databases import open_postgres

    with open_postgres(cdm) as database, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        database._connection.execute("DELETE FROM cdm.person")  # pyright: ignore


def test_a_connection_that_breaks_is_said_and_leaves_the_old_store(cdm, population, from_csv):
    """The server ends our session in the middle of a table."""
    import psycopg

    from casefinding.records.databases import Table, open_postgres

    with psycopg.connect(cdm, autocommit=True) as made:
        made.execute("CREATE TABLE IF NOT EXISTS public.long AS SELECT generate_series(1, 3000000) AS n")
        with open_postgres(cdm) as database:
            batches = database.batches(Table("public", "long", ("n",)), ["n"])
            next(batches)
            made.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'casefinding%'"
            )
            with pytest.raises(RecordsError, match="connection to the database was lost"):
                list(batches)
        made.execute("DROP TABLE public.long")
    assert Store.open(from_csv.path).digest == from_csv.digest


def test_all_tables_are_read_in_one_state(cdm, from_csv):
    """What another user adds while we read is seen in no table."""
    import psycopg

    from casefinding.records.databases import open_postgres

    with open_postgres(cdm) as database:
        tables = database.tables("person")
        seen = sum(batch.num_rows for batch in database.batches(tables["person"], ["person_id"]))
        with psycopg.connect(cdm, autocommit=True) as made:
            made.execute("INSERT INTO cdm.death (person_id, death_date) VALUES (-1, '2020-01-01')")
        later = [
            cell for batch in database.batches(tables["death"], ["person_id"]) for cell in batch.column(0).to_pylist()
        ]
    with psycopg.connect(cdm, autocommit=True) as made:
        made.execute("DELETE FROM cdm.death WHERE person_id = -1")
    assert seen == from_csv.counts()["balance"]["person.csv"]["read"]
    assert "-1" not in later


def test_without_psycopg_the_hint_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(RecordsError, match="psycopg") as caught:
        find("postgresql://reader:word@db.example/cdm")
    assert "casefinding[postgres]" in str(caught.value)
    assert "word" not in str(caught.value)
