"""Databases as an extract: a DuckDB file or a PostgreSQL database, read only, streamed table by table as text."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from casefinding.errors import CasefindingError, RecordsError
from casefinding.records.diagnose import broken
from casefinding.records.engine import BATCH, quoted

_ADDRESS = re.compile(r"\s*postgres(?:ql)?://", re.IGNORECASE)
_PAIRS = re.compile(r"\s*(?:host|hostaddr|port|dbname|service|user|options)\s*=", re.IGNORECASE)
_LONGEST_ADDRESS = 4_096
_BLOCK = 1 << 22
_INSTALL = "install it with: pip install 'casefinding[postgres]'"


@dataclass(frozen=True)
class Table:
    """A table of a database: its own spelling, and its columns in their order."""

    schema: str
    name: str
    columns: tuple[str, ...]


class Database(Protocol):
    """An open database: what it holds, and its rows as text."""

    def tables(self, sign: str) -> Mapping[str, Table]:
        """The tables of the one schema that holds a table called `sign`, by their names in lower case."""
        ...

    def batches(self, table: Table, columns: Sequence[str | None]) -> Iterator[pa.RecordBatch]:
        """All rows; each column as text (None: a column of nothing), named c0, c1 and so on."""
        ...


def postgres_address(path: str | Path) -> str | None:
    """The address of a PostgreSQL database that `path` is, or that the small file of that name holds; else None.

    >>> postgres_address("postgresql://reader@db.example/cdm") is not None, postgres_address("/a/folder")
    (True, None)
    """
    text = str(path)
    if _ADDRESS.match(text):
        return text.strip()
    try:
        file = Path(path)
        if not file.is_file() or file.stat().st_size > _LONGEST_ADDRESS:
            return None
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
    return text if _ADDRESS.match(text) or _PAIRS.match(text) else None


@contextmanager
def open_duckdb(path: Path) -> Iterator[Database]:
    """Open a DuckDB file so that nothing can be written, fetched or loaded; raises RecordsError if it is none."""
    import duckdb

    with _duckdb_words(path.name):
        made = duckdb.connect(
            str(path),
            read_only=True,
            config={
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "allow_community_extensions": "false",
                "python_enable_replacements": "false",
                "threads": "1",  # rows come in the order in which they lie
                "memory_limit": "500MB",
                "temp_directory": "",  # nothing is written beside the file
            },
        )
    try:
        with _duckdb_words(path.name):
            made.execute("SET enable_external_access=false")
            made.execute("SET lock_configuration=true")
        yield _DuckDB(made, path.name)
    finally:
        made.close()


class _DuckDB:
    def __init__(self, connection: Any, name: str) -> None:
        self._connection, self._name = connection, name

    def tables(self, sign: str) -> Mapping[str, Table]:
        with _duckdb_words(self._name):
            rows = self._connection.execute(
                """SELECT table_schema, table_name, column_name FROM information_schema.columns
                   WHERE table_catalog = current_database() ORDER BY table_schema, table_name, ordinal_position"""
            ).fetchall()
        return _choose(rows, sign, self._name, "main")

    def batches(self, table: Table, columns: Sequence[str | None]) -> Iterator[pa.RecordBatch]:
        cells = ", ".join(
            f"{f'{quoted(column)}::VARCHAR' if column else 'NULL::VARCHAR'} AS c{i}" for i, column in enumerate(columns)
        )
        with _duckdb_words(f"{self._name}/{table.name}"):
            answer = self._connection.sql(f"SELECT {cells} FROM {quoted(table.schema)}.{quoted(table.name)}")
            reader = answer.to_arrow_reader(BATCH)
        while True:
            with _duckdb_words(f"{self._name}/{table.name}"):
                try:
                    batch = reader.read_next_batch()
                except StopIteration:
                    return
            yield batch


@contextmanager
def _duckdb_words(where: str) -> Iterator[None]:
    """DuckDB's messages may quote a cell: only the kind of failure is passed on."""
    import duckdb

    try:
        yield
    except duckdb.IOException as problem:
        if "lock" in str(problem).lower():
            raise RecordsError(
                "another program has the database open for writing", where=where, hint="close it there, then again"
            ) from None
        raise RecordsError(
            "the file cannot be opened as a DuckDB database",
            where=where,
            hint="it may be broken, or written by a later version of DuckDB; export it again, or as Parquet",
        ) from None
    except (duckdb.Error, pa.ArrowException):
        raise RecordsError(
            "the database cannot be read",
            where=where,
            hint="export the table again; views of files outside the database are not opened",
        ) from None


@contextmanager
def open_postgres(address: str) -> Iterator[Database]:
    """Connect to PostgreSQL for reading alone, in one transaction that sees one state of all tables.

    `address` is a URI or key=value pairs, as psql takes them. Neither it nor any word of the server is ever repeated.
    Raises RecordsError if psycopg is not installed, the server cannot be reached or refuses.
    """
    try:
        import psycopg
    except ImportError:
        raise RecordsError("reading PostgreSQL needs the package psycopg", hint=_INSTALL) from None
    try:
        made = psycopg.connect(address, client_encoding="utf8", application_name="casefinding (reads only)")
    except (psycopg.Error, UnicodeError):
        raise RecordsError(
            "cannot connect to the PostgreSQL database",
            hint="try the same address with psql; see that host, database, user and password are right",
        ) from None
    try:
        made.read_only = True
        made.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with _postgres_words("PostgreSQL"):
            made.execute("SET LOCAL datestyle TO 'ISO, YMD'")
            made.execute("SET LOCAL extra_float_digits TO 1")
        yield _Postgres(made)
    finally:
        made.close()  # the transaction ends unfinished: nothing was to be kept


class _Postgres:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def tables(self, sign: str) -> Mapping[str, Table]:
        with _postgres_words("PostgreSQL"):
            rows = self._connection.execute(
                """SELECT n.nspname, c.relname, a.attname FROM pg_catalog.pg_attribute AS a
                   JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
                   JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped
                   AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY n.nspname, c.relname, a.attnum"""
            ).fetchall()
            path = self._connection.execute("SELECT unnest(current_schemas(false))").fetchall()
        for (schema,) in path:  # the first schema of the search path that holds the tables, as for any other query
            mine = [row for row in rows if row[0] == schema]
            if any(name.lower() == sign for _, name, _ in mine):
                return _choose(mine, sign, "PostgreSQL", schema)
        return _choose(rows, sign, "PostgreSQL", "")

    def batches(self, table: Table, columns: Sequence[str | None]) -> Iterator[pa.RecordBatch]:
        cells = ", ".join(
            f"{f'{quoted(column)}::text' if column else 'NULL::text'} AS c{i}" for i, column in enumerate(columns)
        )
        sql = f"COPY (SELECT {cells} FROM {quoted(table.schema)}.{quoted(table.name)}) TO STDOUT (FORMAT csv)"
        with _postgres_words(f"PostgreSQL/{table.name}"), self._connection.cursor().copy(sql) as rows:
            yield from text_batches(
                _Stream(rows), [f"c{i}" for i in range(len(columns))], f"PostgreSQL/{table.name}", quotes=True
            )


@contextmanager
def _postgres_words(where: str) -> Iterator[None]:
    """The server's messages may name users or quote cells: only the kind of failure is passed on."""
    import psycopg

    try:
        yield
    except psycopg.errors.InsufficientPrivilege:
        raise RecordsError(
            "the user may not read this table", where=where, hint="GRANT SELECT on the tables of the schema"
        ) from None
    except psycopg.OperationalError:
        raise RecordsError(
            "the connection to the database was lost", where=where, hint="start again; nothing has been changed"
        ) from None
    except psycopg.Error:
        raise RecordsError(
            "the database cannot be read", where=where, hint="see that a SELECT of the same table works in psql"
        ) from None


class _Stream(io.RawIOBase):
    """What COPY sends, row by row, as one stream of bytes."""

    def __init__(self, rows: Any) -> None:
        self._rows, self._waiting = iter(rows), b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        wanted = _BLOCK if size is None or size < 0 else size
        pieces, have = [self._waiting], len(self._waiting)
        while have < wanted:
            piece = next(self._rows, None)
            if piece is None:
                break
            pieces.append(bytes(piece))
            have += len(piece)
        whole = b"".join(pieces)
        self._waiting = whole[wanted:]
        return whole[:wanted]


def text_batches(
    source: Any, names: Sequence[str], where: str, *, separator: str = ",", quotes: bool = True, header: bool = False
) -> Iterator[pa.RecordBatch]:
    """Rows of separated text as Arrow, all columns text, empty cells null; `source` is a stream or a path.

    Raises RecordsError for a row with more or fewer columns and for bytes that are not UTF-8.
    """
    from pyarrow import csv

    try:
        reader = csv.open_csv(
            source,
            read_options=csv.ReadOptions(
                use_threads=False, block_size=_BLOCK, column_names=list(names), skip_rows=1 if header else 0
            ),
            parse_options=csv.ParseOptions(
                delimiter=separator, quote_char='"' if quotes else False, newlines_in_values=quotes
            ),
            convert_options=csv.ConvertOptions(
                column_types={name: pa.string() for name in names},
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
        yield from reader
    except (pa.ArrowException, OSError, EOFError) as problem:
        if header and str(problem).lower().startswith("empty csv"):  # a header alone: no rows
            return
        if not header and "empty csv" in str(problem).lower():
            return
        raise broken(where) from None


def _choose(rows: Sequence[tuple[str, str, str]], sign: str, where: str, first: str) -> Mapping[str, Table]:
    """The tables of the schema that holds `sign`: `first` if that does, else the only one."""
    schemas = sorted({schema for schema, name, _ in rows if name.lower() == sign})
    if not schemas:
        raise RecordsError(
            f"no table '{sign}'", where=where, hint="see that the schema is right and that this user may see its tables"
        )
    if len(schemas) > 1 and first not in schemas:
        raise _several(schemas, sign, where)
    chosen = first if first in schemas else schemas[0]
    columns: dict[str, list[str]] = {}
    for schema, name, column in rows:
        if schema == chosen:
            columns.setdefault(name, []).append(column)
    found: dict[str, Table] = {}
    for name, its in columns.items():
        if name.lower() in found and name.lower() == sign:
            raise RecordsError(f"the table '{sign}' is there twice", where=where, hint="rename one of them")
        found.setdefault(name.lower(), Table(chosen, name, tuple(its)))
    return found


def _several(schemas: Sequence[str], sign: str, where: str) -> CasefindingError:
    return RecordsError(
        f"several schemas hold a table '{sign}': {', '.join(schemas)}",
        where=where,
        hint="name one, for PostgreSQL with ?options=-csearch_path%3DSCHEMA at the end of the address",
    )
