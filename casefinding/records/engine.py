"""DuckDB, locked down: it reads the declared files as text, computes and sorts in bounded memory, and no more."""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from casefinding.errors import RecordsError, WriteError
from casefinding.files import writing
from casefinding.records.diagnose import broken, explain_csv, open_bytes, parquet_is_damaged
from casefinding.records.staging import readable_csv

MEMORY = "1GB"
THREADS = 2
BATCH = 250_000
_ENDINGS = {".csv": "csv", ".csv.gz": "csv", ".parquet": "parquet"}
ENDINGS = tuple(_ENDINGS)


@dataclass(frozen=True)
class Part:
    """One file of a table: where it is, how reports name it, and its columns in their order."""

    path: Path
    name: str
    form: str  # csv, parquet, or other: what a source reads by itself and stages
    columns: tuple[str, ...]
    encoding: str = "utf-8"  # of CSV
    seen: tuple[int, int] = (-1, 0)  # size in bytes and time of the last change, when it was looked at

    @classmethod
    def look(cls, path: Path, name: str, encoding: str = "utf-8") -> Part:
        """Read a file's header only; raises RecordsError if it is empty, broken or not text in its encoding."""
        form = next(form for ending, form in _ENDINGS.items() if path.name.endswith(ending))
        try:
            seen = size_and_change(path)
            if not seen[0]:
                raise RecordsError("the file is empty", where=name, hint="export the table again, with its header")
            columns = _parquet_columns(path, name) if form == "parquet" else _csv_columns(path, name, encoding)
            return cls(path, name, form, columns, encoding, seen)
        except (OSError, EOFError, zlib.error):
            raise broken(name) from None

    @classmethod
    def other(cls, path: Path, name: str) -> Part:
        """A file that a source reads by itself; raises RecordsError if it is empty or cannot be read."""
        try:
            seen = size_and_change(path)
        except OSError:
            raise broken(name) from None
        if not seen[0]:
            raise RecordsError("the file is empty", where=name, hint="export it again")
        return cls(path, name, "other", (), seen=seen)

    def refuse_if_changed(self) -> None:
        """Raise RecordsError if the file is no longer what it was when it was looked at."""
        try:
            same = self.seen[0] < 0 or size_and_change(self.path) == self.seen
        except OSError:
            same = False
        if not same:
            raise RecordsError(
                "the file changed while it was read",
                where=self.name,
                hint="wait until the export has ended, then again",
            )


def size_and_change(path: Path) -> tuple[int, int]:
    """The size of a file in bytes, and when it was last changed (ns)."""
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _parquet_columns(path: Path, name: str) -> tuple[str, ...]:
    try:
        schema = pq.read_schema(path)
    except pa.ArrowException:
        raise broken(name) from None
    for field in schema:
        column = field.name
        if pa.types.is_floating(field.type) and column.lower() in {"code", "person", "practice"}:
            raise RecordsError(
                f"column '{column}' is stored as a floating-point number, which rounds long ids",
                where=name,
                hint="write the column as text",
            )
        if pa.types.is_timestamp(field.type) and field.type.tz is not None:
            raise RecordsError(
                f"column '{column}' holds times of a time zone, which may be another day here",
                where=name,
                hint="write the column as a date",
            )
        if pa.types.is_nested(field.type) or pa.types.is_binary(field.type):
            raise RecordsError(f"column '{column}' holds no text, number or date", where=name, hint="write it as text")
    return tuple(schema.names)


def _csv_columns(path: Path, name: str, encoding: str) -> tuple[str, ...]:
    with open_bytes(path) as handle:
        line = handle.readline(1_000_000)
    try:
        text = line.decode("utf-8-sig" if encoding == "utf-8" else encoding)
        header = next(csv.reader(io.StringIO(text, newline=""), strict=True), [])
    except UnicodeDecodeError:
        hint = "save it as 'CSV UTF-8'" if encoding == "utf-8" else "export it again as the system writes it"
        raise RecordsError(f"the file is not text in {encoding.upper()}", where=name, hint=hint) from None
    except csv.Error:
        raise broken(name) from None
    if "\r" in text.removesuffix("\n").removesuffix("\r"):
        raise RecordsError("lines end in CR alone", where=name, hint="save the file again, with LF or CR LF")
    if len(header) == 1:
        for separator, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if separator in header[0]:
                raise RecordsError(
                    f"the columns are separated by {word}", where=name, hint="save the file with commas between columns"
                )
    return tuple(column.strip() for column in header)


def quoted(name: str) -> str:
    """An identifier for SQL.

    >>> quoted('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def lit(text: str) -> str:
    """A text for SQL, where a statement takes no parameter.

    >>> lit("it's")
    "'it''s'"
    """
    if "\0" in text:
        raise RecordsError("a name holds a null character", hint="rename the file")
    return "'" + text.replace("'", "''") + "'"


class Engine:
    """A DuckDB that can open the declared files and its own work folder, and nothing else.

    `rows_read`: how many rows each file holds, by its number, as far as it was read.
    """

    def __init__(self, parts: Sequence[Part], work: Path, *, memory: str = MEMORY) -> None:
        self.parts = tuple(parts)
        self.rows_read: dict[int, int] = {}
        self._work = work
        self._staged = work / "staged"
        self._seen: dict[tuple[int, tuple[tuple[str, str | None], ...]], tuple[Path, str]] = {}
        with writing():
            self._staged.mkdir(mode=0o700)
        # Rows need not stay in order: every file numbers its own.
        self._duckdb = _connected(work, "work", memory, in_order=False)
        with _translated():
            files = ",".join(lit(str(part.path)) for part in self.parts)
            self._duckdb.execute(f"SET allowed_paths=[{files}]")
            self._duckdb.execute(f"SET allowed_directories=[{lit(f'{self._staged}/')}]")
            self._duckdb.execute("SET enable_external_access=false")
            self._duckdb.execute("SET lock_configuration=true")

    def close(self) -> None:
        """Close the connection; the work folder may then be removed."""
        self._duckdb.close()

    def run(self, sql: str, values: Sequence[Any] | None = None) -> None:
        """Run a statement."""
        with _translated(self.parts):
            self._duckdb.execute(sql, values)

    def rows(self, sql: str, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a small answer."""
        with _translated(self.parts):
            return self._duckdb.execute(sql, values).fetchall()

    def table(self, sql: str, schema: pa.Schema) -> pa.Table:
        """A small answer as an Arrow table of that schema."""
        with _translated(self.parts):
            return self._duckdb.sql(sql).to_arrow_table().cast(schema)

    def take(self, name: str, table: pa.Table) -> None:
        """Copy an Arrow table of ours into the engine, as a table of that name."""
        with _translated(self.parts):
            self._duckdb.register("taken", table)
            self._duckdb.execute(f"CREATE TABLE {quoted(name)} AS SELECT * FROM taken")
            self._duckdb.unregister("taken")

    def batches(self, sql: str) -> Iterator[pa.RecordBatch]:
        """A large answer, a batch at a time; the rest waits in the engine's bounded memory or on disk."""
        with _translated(self.parts):
            reader = self._duckdb.sql(sql).to_arrow_reader(BATCH)
        while True:
            with _translated(self.parts):
                try:
                    batch = reader.read_next_batch()
                except StopIteration:
                    return
            yield batch

    def read(self, part: Part, columns: Sequence[tuple[str, str | None]], number: int) -> str:
        """SQL that reads one file: each (name, column of the file or None) as trimmed text, NULL where empty,
        then `file` (the number given) and `row` (1 = the first after the header)."""
        key = (number, tuple(columns))
        if key not in self._seen:
            how = self._parquet if part.form == "parquet" else self._staged_csv
            self._seen[key] = how(part, columns, f"{number}-{len(self._seen)}")
            with _translated(self.parts):
                self.rows_read[number] = pq.read_metadata(self._seen[key][0]).num_rows
        place, cells = self._seen[key]
        return (
            f"SELECT {cells}, {number}::INTEGER AS file, (file_row_number + 1)::BIGINT AS row"
            f" FROM read_parquet([{lit(str(place))}], file_row_number=true)"
        )

    def staged_path(self, name: str) -> Path:
        """Where a staged table of that name is written."""
        return self._staged / f"{name}.parquet"

    def see_staged(self, name: str, columns: Sequence[str]) -> None:
        """Make a staged table known under its name: trimmed text, NULL where empty, then `file` and `row`."""
        cells = ", ".join(f"nullif(trim({quoted(column)}), '') AS {quoted(column)}" for column in columns)
        place = lit(str(self.staged_path(name)))
        self.run(f"CREATE VIEW {quoted(name)} AS SELECT {cells}, file, row FROM read_parquet([{place}])")

    def _parquet(self, part: Part, columns: Sequence[tuple[str, str | None]], _: str) -> tuple[Path, str]:
        """Where to read, and the cells to take from there."""
        cells = (
            f"nullif(trim({quoted(column)}::VARCHAR), '') AS {quoted(name)}" if column else _nothing(name)
            for name, column in columns
        )
        return part.path, ", ".join(cells)

    def _staged_csv(self, part: Part, columns: Sequence[tuple[str, str | None]], name: str) -> tuple[Path, str]:
        """Write the columns asked for as Parquet, in the order of the file; then the same answer as `_parquet`."""
        target = self.staged_path(name)
        # The dialect is fixed, never guessed: a guess from the first rows misreads a quote that comes later.
        types = ", ".join(f"{lit(_unique(i))}: 'VARCHAR'" for i in range(len(part.columns)))
        there = [column for _, column in columns if column] or [part.columns[0]]
        cells = ", ".join(
            f"nullif(trim({_unique(part.columns.index(column))}), '') AS {_unique(part.columns.index(column))}"
            for column in dict.fromkeys(there)
        )
        place = readable_csv(part, self._staged / f"{name}.csv")
        try:
            with _translated([part], {str(place): str(part.path)}):
                ordered = _connected(self._work, f"staging-{name}", MEMORY, in_order=True)
                with closing(ordered):
                    ordered.execute(
                        f"""COPY (SELECT {cells} FROM read_csv([{lit(str(place))}], auto_detect=false, delim=',',
                        quote='"', escape='"', header=true, columns={{{types}}}, nullstr='', strict_mode=true))
                        TO {lit(str(target))} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"""
                    )
        finally:
            if place != part.path:
                place.unlink(missing_ok=True)
        taken = (
            f"{_unique(part.columns.index(column))} AS {quoted(name)}" if column else _nothing(name)
            for name, column in columns
        )
        return target, ", ".join(taken)


def _connected(work: Path, name: str, memory: str, *, in_order: bool) -> duckdb.DuckDBPyConnection:
    """A DuckDB of bounded memory that installs nothing and looks at no variable of ours."""
    with _translated():
        made = duckdb.connect(
            str(work / f"{name}.duckdb"),
            config={
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "allow_community_extensions": "false",
                "python_enable_replacements": "false",
                "threads": str(THREADS),
                "memory_limit": memory,
                "temp_directory": str(work / f"{name}-spill"),
                "preserve_insertion_order": "true" if in_order else "false",
            },
        )
        with suppress(duckdb.InvalidInputException):  # a notebook without widgets has no bar and refuses the word
            made.execute("SET enable_progress_bar=false")
    return made


def _nothing(name: str) -> str:
    return f"NULL::VARCHAR AS {quoted(name)}"


def _unique(position: int) -> str:
    return f"c{position}"


class _translated:
    """Turn the engine's own messages, which may quote a patient's row, into ours, which never do."""

    def __init__(self, parts: Sequence[Part] = (), copies: Mapping[str, str] | None = None) -> None:
        self.parts, self.copies = parts, copies or {}  # copies: what was read -> the file it is a copy of

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, _: object) -> None:
        # Ctrl-C comes back as an error of DuckDB's or, at times, as a plain RuntimeError("Query interrupted").
        if problem is None or not isinstance(problem, (duckdb.Error, pa.ArrowException, OSError, RuntimeError)):
            return
        message = str(problem)
        for copy, original in self.copies.items():
            message = message.replace(copy, original)
        if "INTERRUPT" in message.upper()[:40]:
            raise KeyboardInterrupt from None
        if isinstance(problem, RuntimeError) and not isinstance(problem, (duckdb.Error, pa.ArrowException)):
            return
        raise _explained(message, self.parts, problem) from None


def _explained(message: str, parts: Sequence[Part], problem: BaseException) -> Exception:
    """Only the kind of failure and the file are taken from the engine's message, never its words."""
    lower = message.lower()
    if "no space left" in lower or "disk full" in lower or "could not write" in lower:
        return WriteError(
            "cannot write: no space left on device",
            hint="free some space beside the store; nothing that was there has been changed",
        )
    if isinstance(problem, duckdb.OutOfMemoryException):
        return RecordsError(
            "the extract needs more memory, or more room on disk for sorting, than there is",
            hint="free some space beside the store, or split the extract",
        )
    named = sorted((part for part in parts if str(part.path) in message), key=lambda part: len(str(part.path)))
    if named:
        part = named[-1]  # event.csv is also in "event.csv.gz"
        return explain_csv(part.path, part.name, part.encoding) if part.form == "csv" else broken(part.name)
    for part in parts:  # a damaged page is reported without the file it is in
        if part.form == "parquet" and parquet_is_damaged(part.path):
            return broken(part.name)
    if type(problem) is duckdb.Error and any(part.form == "parquet" for part in parts):
        return broken("a Parquet file of the extract")  # damaged where only this engine looks
    return RecordsError(
        f"the records cannot be read ({type(problem).__name__})", hint="please report this with the version in use"
    )
