"""A file that came back, opened: sheets of cells, whatever program saved it; nothing is computed, nothing believed."""

from __future__ import annotations

import datetime as dt
import io
import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casefinding.errors import RecordsError
from casefinding.nhs_number import holds_one
from casefinding.recall.text_table import is_formula, read_text_table

_PACKED = b"PK\x03\x04"
_MOST_BYTES, _MOST_UNPACKED = 50_000_000, 60_000_000
"""Bytes of a file, and of a workbook once unpacked: a list of a thousand people has 2 million, and reading a workbook
takes thirty times what it holds."""
_TOO_LARGE = "a list has a few million bytes: is it the right file? Save it without pictures and added sheets"
_DAY = re.compile(r"(?<!\d)(?:\d{4}-\d{2}-\d{2}|\d{2}-\d{2}-\d{4})(?!\d)")


class Formula(str):
    """What a cell holds that computes instead of saying: never evaluated, never believed."""


@dataclass(frozen=True)
class Sheet:
    """A sheet as it stands: row numbers and cells; `margins` is what its page header and footer say."""

    name: str
    rows: list[tuple[int, list[Any]]]
    margins: str = ""
    notes: tuple[str, ...] = ()  # comments on cells


@dataclass(frozen=True)
class Opened:
    """Every sheet of a file (one, without a name, of a CSV) and what the file says of itself."""

    content: bytes
    sheets: list[Sheet]
    properties: str = ""

    @property
    def is_workbook(self) -> bool:
        return self.content.startswith(_PACKED)


def open_file(path: Path) -> Opened:
    """Open a workbook (.xlsx) or a CSV, told apart by its content; RecordsError if it is neither."""
    if path.is_dir():
        raise RecordsError("is a folder", where=path.name, hint=f"name the files in it: {path.name}/*")
    if not path.is_file():
        raise RecordsError("there is no such file", where=path.name, hint="name the workbooks or CSVs that came back")
    if path.stat().st_size > _MOST_BYTES:
        raise RecordsError("too large for a list that came back", where=path.name, hint=_TOO_LARGE)
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise RecordsError("may not be read", where=path.name, hint="is it open elsewhere, or not yours?") from problem
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise RecordsError(
            "an old workbook (.xls), or one with a password", where=path.name, hint="save it as .xlsx without password"
        )
    if content.startswith(_PACKED):
        return Opened(content, *_workbook(content, path.name))
    return Opened(content, [_csv(content, path.name)])


def plain(text: object) -> str:
    """A header or a word as it is compared: case, underscores, spaces and what stands in brackets do not matter.

    >>> plain("Outcome_date "), plain("Outcome date (dd/mm/yyyy)")
    ('outcome date', 'outcome date')
    """
    words = re.sub(r"\([^)]*\)", " ", str(text)).replace("_", " ").replace("\u00a0", " ")
    return " ".join(words.lower().split()).rstrip(":*")


def looks_identified(text: str) -> bool:
    """Whether a text holds an NHS number; days, which have as many digits with an hour behind them, do not count.

    Numbers kept for tests count as well: whoever returns one has sent the wrong file.

    >>> looks_identified("Ring 999 000 0018"), looks_identified("2026-10-01 12:30"), looks_identified("14-10-2026 00")
    (True, False, False)
    """
    return holds_one(_DAY.sub(" ", text))


def text_of(cell: Any) -> str:
    """A cell as text: whole numbers without a point, a quoted sign without its quote."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    text = str(cell).strip()
    return text[1:] if text.startswith("'") and is_formula(text[1:]) else text


def _workbook(content: bytes, file: str) -> tuple[list[Sheet], str]:
    """Every sheet of a workbook, hidden ones too, and what its properties say; formulas stay formulas."""
    import openpyxl

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            names = package.namelist()
            if "xl/workbook.xml" not in names:
                raise RecordsError("not a workbook", where=file, hint="save it as .xlsx (Excel workbook) or as CSV")
            if sum(part.file_size for part in package.infolist()) > _MOST_UNPACKED:
                raise RecordsError("too large for a list that came back", where=file, hint=_TOO_LARGE)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what openpyxl would not write again; we only read
            book = openpyxl.load_workbook(io.BytesIO(content), data_only=False, keep_links=False)
            sheets = [_of_sheet(sheet) for sheet in book.worksheets]
    except RecordsError:
        raise
    except Exception as problem:  # whatever a broken package brings about inside the library
        raise RecordsError("cannot be read as a workbook", where=file, hint="open it and save it as .xlsx") from problem
    told = book.properties
    return sheets, " ".join(str(text) for text in (told.title, told.description, told.subject, told.keywords) if text)


def _of_sheet(sheet: Any) -> Sheet:
    by_row: dict[int, dict[int, Any]] = {}
    notes = []
    # Cells that are there, not the rectangle around them: a border drawn down to the last row would make it endless.
    for (row, column), cell in sheet._cells.items():
        if cell.comment is not None:
            notes.append(str(cell.comment.text))
        value = cell.value
        if value is None:
            continue
        if cell.data_type == "f" or not isinstance(value, str | int | float | bool | dt.date | dt.time | dt.timedelta):
            value = Formula(value) if isinstance(value, str) else Formula()
        elif isinstance(value, str) and is_formula(value):  # typed as text; another program may compute it
            value = Formula(value)
        by_row.setdefault(row, {})[column - 1] = value
    rows = [(row, _padded(cells)) for row, cells in sorted(by_row.items())]
    margins = []
    for part in (sheet.oddHeader, sheet.oddFooter, sheet.evenHeader, sheet.firstHeader):
        margins += [str(place.text) for place in (part.left, part.center, part.right) if place.text]
    return Sheet(str(sheet.title), rows, " ".join(margins), tuple(notes))


def _padded(cells: Mapping[int, Any]) -> list[Any]:
    return [cells.get(column) for column in range(max(cells) + 1)]


def _csv(content: bytes, file: str) -> Sheet:
    table = read_text_table(content, file)
    rows = [
        (1, [*table.header]),
        *((number, [_of_csv(cell) for cell in row]) for number, row in zip(table.numbers, table.rows, strict=True)),
    ]
    return Sheet("", rows)


def _of_csv(cell: str) -> str | None:
    text = cell.strip()
    return Formula(text) if is_formula(text) else text or None
