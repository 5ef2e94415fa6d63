"""Where the tables of an OMOP extract lie, which columns are read, and how they reach the engine."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from casefinding.errors import RecordsError
from casefinding.records.databases import Database, Table, open_duckdb, open_postgres, postgres_address, text_batches
from casefinding.records.diagnose import open_bytes
from casefinding.records.engine import Engine, Part, size_and_change
from casefinding.records.extract import find_parts, match_columns, missing_table, read_all
from casefinding.records.staging import Staging

TABLES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # table: columns that must be there, columns that may be
    "person": (
        ("person_id", "gender_concept_id", "year_of_birth"),
        (
            "month_of_birth", "birth_datetime", "race_concept_id", "race_source_concept_id", "race_source_value",
            "gender_source_value", "person_source_value", "care_site_id", "location_id",
            "lsoa", "imd_decile", "imd_vintage",
        ),
    ),
    "observation_period": (("person_id", "observation_period_start_date", "observation_period_end_date"), ()),
    "condition_occurrence": (
        ("person_id", "condition_concept_id", "condition_start_date"),
        ("condition_source_value", "condition_source_concept_id"),
    ),
    "measurement": (
        ("person_id", "measurement_concept_id", "measurement_date", "value_as_number"),
        (
            "measurement_source_value", "measurement_source_concept_id", "operator_concept_id", "value_as_concept_id",
            "unit_concept_id", "unit_source_value", "value_source_value",
        ),
    ),
    "observation": (
        ("person_id", "observation_concept_id", "observation_date"),
        (
            "observation_source_value", "observation_source_concept_id", "value_as_number", "value_as_string",
            "value_as_concept_id", "unit_concept_id", "unit_source_value",
        ),
    ),
    "drug_exposure": (
        ("person_id", "drug_concept_id", "drug_exposure_start_date"),
        ("drug_source_value", "drug_source_concept_id"),
    ),
    "procedure_occurrence": (
        ("person_id", "procedure_concept_id", "procedure_date"),
        ("procedure_source_value", "procedure_source_concept_id"),
    ),
    "visit_occurrence": (
        ("person_id", "visit_concept_id", "visit_start_date"),
        ("visit_source_value", "visit_source_concept_id"),
    ),
    "death": (("person_id", "death_date"), ()),
    "care_site": (("care_site_id",), ("care_site_name", "care_site_source_value")),
    "location": (("location_id",), ("location_source_value", "county")),
    "concept": (
        ("concept_id", "concept_name", "vocabulary_id", "concept_code"),
        ("domain_id", "concept_class_id"),
    ),
    "cdm_source": ((), ("source_release_date",)),
}  # fmt: skip
NEEDED = ("person", "observation_period")
ENTRIES = (
    "condition_occurrence", "measurement", "observation", "drug_exposure", "procedure_occurrence", "visit_occurrence",
)  # fmt: skip
"""Tables whose rows are events; at least one must be there."""
NOT_READ = ("device_exposure", "specimen", "note", "episode", "visit_detail")
"""Tables of entries that no list here asks for."""


@dataclass(frozen=True)
class Found:
    """The tables of an extract: its parts, what is to be said of it, and `read`, which makes them views of the engine
    and gives their names by table."""

    parts: tuple[Part, ...]
    notes: tuple[str, ...]
    read: Callable[[Engine], Mapping[str, str]]


def look(path: str | Path) -> Found:
    """Find the tables in a folder, a DuckDB file or a PostgreSQL database; raises RecordsError if one is missing."""
    address = postgres_address(path)
    if address is not None:
        return _database(lambda: open_postgres(address), None, "PostgreSQL")
    file = Path(path)
    if re.match(r"postgres(ql)?:/[^/]", str(path), re.IGNORECASE):  # a path swallows the second stroke
        raise RecordsError(
            "the address of the database begins with postgresql://", hint="give it as text, not as a path"
        )
    if file.is_file():
        if file.suffix.lower() not in (".duckdb", ".ddb", ".db"):
            raise RecordsError(
                "neither a folder, nor a DuckDB file, nor a file that holds the address of a PostgreSQL database",
                where=str(path),
                hint="give a folder of tables, a file NAME.duckdb, or an address postgresql://HOST/DATABASE",
            )
        return _database(lambda: open_duckdb(file.resolve()), file.resolve(), file.name)
    return _folder(file)


def _folder(folder: Path) -> Found:
    if not folder.is_dir():
        raise missing_table(folder, "person")
    spelled: dict[str, set[str]] = {}
    for entry in folder.iterdir():
        stem = entry.name if entry.is_dir() else entry.name.split(".")[0]
        spelled.setdefault(stem.lower(), set()).add(stem)
    parts: list[Part] = []
    spans: dict[str, tuple[int, int]] = {}
    for table, (wanted, maybe) in TABLES.items():
        found = [part for stem in sorted(spelled.get(table, ())) for part in _parts(folder, stem)]
        if len(spelled.get(table, ())) > 1 and found:
            raise RecordsError(
                f"the table '{table}' is there more than once", where=str(folder), hint="leave one file, or one folder"
            )
        if not found:
            continue
        for part in found:
            match_columns(part, wanted, maybe)
        spans[table] = (len(parts), len(parts) + len(found))
        parts.extend(found)
    for table in NEEDED:
        if table not in spans:
            raise missing_table(folder, table)
    if not any(table in spans for table in ENTRIES):
        raise missing_table(folder, ENTRIES[0])

    def read(engine: Engine) -> Mapping[str, str]:
        names = {}
        for table, (start, end) in spans.items():
            wanted, maybe = TABLES[table]
            if parts[start].form == "other":
                _stage(engine, table, start, _tabs(parts[start], table))
            else:
                sql = read_all(engine, parts[start:end], wanted, start, maybe)
                engine.run(f"CREATE VIEW {_view(table)} AS {sql}")
            names[table] = _view(table)
        return names

    return Found(tuple(parts), _said(spans, spelled), read)


def _parts(folder: Path, table: str) -> list[Part]:
    """The files of a table; a file whose columns are separated by tabs, as Athena writes `concept`, is read by us."""
    for ending in (".csv", ".csv.gz", ".tsv", ".tsv.gz"):
        path = folder / f"{table}{ending}"
        if not path.is_file():
            continue
        seen = size_and_change(path)
        try:
            with open_bytes(path) as handle:
                line = handle.readline(1_000_000).decode("utf-8-sig")
        except (OSError, EOFError, UnicodeDecodeError):
            continue  # what is wrong with it is said when it is looked at as CSV
        if "\t" in line and "," not in line:
            columns = tuple(column.strip() for column in line.rstrip("\r\n").split("\t"))
            return [Part(path.resolve(), path.name, "other", columns, seen=seen)]
    return find_parts(folder, table)


def _tabs(part: Part, table: str) -> Iterator[pa.RecordBatch]:
    wanted, maybe = TABLES[table]
    pairs = dict(match_columns(part, wanted, maybe))
    names = [f"c{i}" for i in range(len(part.columns))]
    places = [
        None if column is None else part.columns.index(column) for column in (pairs[name] for name in _columns(table))
    ]
    for batch in text_batches(str(part.path), names, part.name, separator="\t", quotes=False, header=True):
        yield _named(table, [pa.nulls(batch.num_rows, pa.string()) if i is None else batch.column(i) for i in places])


def _database(opened: Callable[[], AbstractContextManager[Database]], file: Path | None, name: str) -> Found:
    with opened() as database:
        tables = database.tables("person")
    for table in NEEDED:
        if table not in tables:
            raise _missing(table, tables, name)
    if not any(table in tables for table in ENTRIES):
        raise _missing(ENTRIES[0], tables, name)
    seen = size_and_change(file) if file else (-1, 0)
    parts: list[Part] = []
    pairs: dict[str, dict[str, str | None]] = {}
    for table, (wanted, maybe) in TABLES.items():
        if table in tables:
            place = file or Path("postgresql") / table
            part = Part(place, f"{name}/{table}", "other", tables[table].columns, seen=seen)
            pairs[table] = dict(match_columns(part, wanted, maybe))
            parts.append(part)

    def read(engine: Engine) -> Mapping[str, str]:
        with opened() as database:
            for number, (table, columns) in enumerate(pairs.items()):
                asked = [columns[column] for column in _columns(table)]
                batches = database.batches(tables[table], asked)
                _stage(engine, table, number, (_named(table, batch.columns) for batch in batches))
        return {table: _view(table) for table in pairs}

    return Found(tuple(parts), _said(pairs, tables), read)


def _stage(engine: Engine, table: str, number: int, batches: Iterator[pa.RecordBatch]) -> None:
    """Copy a table into the work folder, a batch at a time."""
    rows = 0
    with Staging(engine, {_view(table): _columns(table)}) as staged:
        for batch in batches:
            staged.batch(_view(table), number, batch)
            rows += batch.num_rows
        staged.read(number, rows)


def _named(table: str, columns: Sequence[pa.Array]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(list(columns), names=list(_columns(table)))


def _columns(table: str) -> tuple[str, ...]:
    wanted, maybe = TABLES[table]
    return (*maybe, *wanted)


def _view(table: str) -> str:
    return f"omop_raw_{table}"


def _missing(table: str, tables: Mapping[str, Table], where: str) -> RecordsError:
    near = difflib.get_close_matches(table, list(tables), n=1, cutoff=0.7)
    guess = f"did you mean '{near[0]}'? " if near else ""
    return RecordsError(f"the table '{table}' is missing", where=where, hint=f"{guess}see that this user may see it")


def _said(there: Mapping[str, object], every: Mapping[str, object]) -> tuple[str, ...]:
    """Sentences on tables that are not there and on tables that are not read."""
    notes = []
    absent = [table for table in (*ENTRIES, "death", "care_site") if table not in there]
    if absent:
        notes.append(f"Not in this extract: {', '.join(absent)}.")
    if "concept" not in there:
        notes.append("No concept table: codes are taken from the source values, and what they stand for is not known.")
    unread = [table for table in NOT_READ if table in every]
    if unread:
        notes.append(f"In this extract and not read: {', '.join(unread)}.")
    return tuple(notes)
