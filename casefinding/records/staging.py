"""Staging: what the engine cannot read as it stands is first written, row for row, as Parquet in the work folder.

CSV is read once, in the order of the file, so that every row keeps its number while all later reading runs on several
threads and in any order. JSON, XML and databases come through `Staging`, a batch at a time.
"""

from __future__ import annotations

import codecs
import gzip
import shutil
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from casefinding.errors import RecordsError
from casefinding.files import writing
from casefinding.records.diagnose import broken, open_bytes

if TYPE_CHECKING:
    from casefinding.records.engine import Engine, Part

BATCH = 50_000
"""Rows that wait in memory, a table, before they are written."""
_CHUNK = 1 << 22


class Staging:
    """Tables of text written a batch at a time, which the engine then reads under their names.

    `tables`: name -> columns. Every table also gets `file` and `row`. Use it with `with`; the tables are there after.

        with Staging(engine, {"patient": ("id", "born")}) as staged:
            staged.add("patient", file=0, row=1, cells={"id": "a", "born": "1950-01-01"})
            staged.read(file=0, rows=1)
    """

    def __init__(self, engine: Engine, tables: Mapping[str, Sequence[str]]) -> None:
        self._engine = engine
        self._columns = {name: tuple(columns) for name, columns in tables.items()}
        self._waiting: dict[str, list[tuple[str | None, ...]]] = {name: [] for name in tables}
        self._numbered: dict[tuple[str, int], int] = {}
        self._writers: dict[str, pq.ParquetWriter] = {}

    def __enter__(self) -> Staging:
        for name, columns in self._columns.items():
            schema = pa.schema([*((column, pa.string()) for column in columns), *_PLACE])
            with writing():
                self._writers[name] = pq.ParquetWriter(self._engine.staged_path(name), schema, compression="zstd")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for name in self._columns:
                self._write(name)
        for writer in self._writers.values():
            # After a failure the file is thrown away with the work folder: whether it can be closed says nothing new.
            with suppress(OSError) if kind else writing():
                writer.close()
        if kind is None:
            for name, columns in self._columns.items():
                self._engine.see_staged(name, columns)

    def add(self, name: str, file: int, row: int, cells: Mapping[str, str | None]) -> None:
        """One row of a table: cells by column, empty where none is named, and where it stood (row from 1)."""
        rows = self._waiting[name]
        rows.append((*(cells.get(column) for column in self._columns[name]), str(file), str(row)))
        if len(rows) >= BATCH:
            self._write(name)

    def batch(self, name: str, file: int, batch: pa.RecordBatch) -> None:
        """A batch of rows with the table's columns by name, of any type; they are numbered on from those before."""
        done = self._numbered.get((name, file), 0)
        self._numbered[name, file] = done + batch.num_rows
        cells = [batch.column(column).cast(pa.string()) for column in self._columns[name]]
        where = [
            pa.array([file] * batch.num_rows, pa.int32()),
            pa.array(range(done + 1, done + 1 + batch.num_rows), pa.int64()),
        ]
        writer = self._writers[name]
        with writing():
            writer.write_table(pa.Table.from_arrays([*cells, *where], schema=writer.schema))

    def read(self, file: int, rows: int) -> None:
        """Say how many rows a file holds, whatever became of them: the balance is held against it."""
        self._engine.rows_read[file] = self._engine.rows_read.get(file, 0) + rows

    def _write(self, name: str) -> None:
        rows = self._waiting[name]
        if not rows:
            return
        columns = list(zip(*rows, strict=True))
        arrays = [pa.array(column, pa.string()) for column in columns[:-2]]
        arrays += [
            pa.array(columns[-2], pa.string()).cast(pa.int32()),
            pa.array(columns[-1], pa.string()).cast(pa.int64()),
        ]
        writer = self._writers[name]
        with writing():
            writer.write_table(pa.Table.from_arrays(arrays, schema=writer.schema))
        rows.clear()


_PLACE: tuple[tuple[str, Any], ...] = (("file", pa.int32()), ("row", pa.int64()))


def readable_csv(part: Part, copy: Path) -> Path:
    """A CSV file as the engine can read it: itself if it is plain UTF-8, else a copy that is.

    What is packed is unpacked here, since the engine does not look at the sum that tells whether it is what was packed.

    A file is decoded a stretch at a time. Raises RecordsError for bytes that its encoding does not know.
    """
    packed = part.path.name.endswith(".gz")
    if part.encoding == "utf-8" and not packed:
        return part.path
    decode = codecs.getincrementaldecoder(part.encoding)()
    try:
        with open_bytes(part.path) as source, writing(), open(copy, "wb") as out:
            if part.encoding == "utf-8":
                shutil.copyfileobj(source, out, _CHUNK)
                return copy
            while chunk := source.read(_CHUNK):
                out.write(decode.decode(chunk).encode())
            out.write(decode.decode(b"", final=True).encode())
    except UnicodeDecodeError:
        raise RecordsError(
            f"the file is not text in {part.encoding}", where=part.name, hint="export it again as the system writes it"
        ) from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise broken(part.name) from None
    return copy
