"""Why a file could not be read, found by reading it again slowly: which line and what is wrong, never its text."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from casefinding.errors import RecordsError


def broken(where: str) -> RecordsError:
    """The error for a file that stops in its middle, or is not what its name says."""
    return RecordsError(
        "the file cannot be read: it is broken or only part of it arrived", where=where, hint="copy or export it again"
    )


def open_bytes(path: Path) -> BinaryIO:
    """The bytes of a file, unpacked if its name ends in .gz."""
    return cast(BinaryIO, gzip.open(path)) if path.name.endswith(".gz") else open(path, "rb")


@dataclass
class _Faulty(Exception):
    what: str
    line: int
    hint: str


def explain_csv(path: Path, name: str, encoding: str = "utf-8") -> RecordsError:
    """The first thing that CSV does not allow in this file, with its line.

    `where` of the error is `name:line`; lines count from 1, the header's.
    """
    try:
        with open_bytes(path) as handle:
            endings: dict[str, int] = {}
            rows = csv.reader(_lines(handle, endings, encoding), strict=True)
            try:
                header = next(rows, [])
                started = rows.line_num + 1
                for row in rows:
                    if row and len(row) != len(header):
                        return RecordsError(
                            f"a row has {len(row)} columns where the header has {len(header)}",
                            where=f"{name}:{started}",
                            hint='put text that holds commas into double quotes ("), as CSV asks',
                        )
                    started = rows.line_num + 1
            except csv.Error:
                return RecordsError(
                    "a quote is opened and not closed, or text stands beside a closed quote",
                    where=f"{name}:{rows.line_num if rows.line_num < started else started}",
                    hint='write " inside a quoted cell as ""; the file may also be cut off',
                )
    except _Faulty as fault:
        return RecordsError(fault.what, where=f"{name}:{fault.line}", hint=fault.hint)
    except (OSError, EOFError, zlib.error):
        return broken(name)
    if len(endings) > 1:
        return RecordsError(
            "some lines end in CR LF and others in LF", where=f"{name}:{max(endings.values())}", hint="make them alike"
        )
    return broken(name)


def _lines(handle: BinaryIO, endings: dict[str, int], encoding: str) -> Iterator[str]:
    """Decoded lines; notes the first line of each kind of ending."""
    for number, line in enumerate(handle, start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 and encoding == "utf-8" else encoding)
        except UnicodeDecodeError:
            raise _Faulty(f"the text is not {encoding.upper()}", number, "save the file as 'CSV UTF-8'") from None
        if "\0" in text:
            raise _Faulty("the line holds null characters", number, "export the file again as plain text")
        if text.endswith("\n"):
            endings.setdefault("\r\n" if text.endswith("\r\n") else "\n", number)
        yield text


def parquet_is_damaged(path: Path) -> bool:
    """Whether some page of a Parquet file cannot be read."""
    try:
        with pq.ParquetFile(path) as file:
            for _ in file.iter_batches():
                pass
    except (pa.ArrowException, OSError):
        return True
    return False
