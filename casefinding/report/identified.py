"""The list a practice works from: as it was received, with the NHS number beside each pseudonym; and the way back."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from copy import copy
from typing import Any

from casefinding.errors import RecordsError
from casefinding.nhs_number import holds_one, shown
from casefinding.recall.identity.practice_list import NHS_NUMBER, PracticeList
from casefinding.recall.text_table import named, plain
from casefinding.report.moved_columns import add_column, drop_column

STAMP = "Holds NHS numbers: stays in the practice."
HEADER = "NHS number"
STAMP_SHEET = "Holds NHS numbers"
NOT_FOUND = "Not in the lookup"
_HANDLING = "handling"
_WIDTH = 14
_BACK = (
    "Do not send this file back, by any way. 'casefinding reidentify THIS FILE --back' takes the NHS numbers out and "
    "keeps the outcomes: send back what it writes. Or fill in and send back the list as it was received."
)
_SEND, _SENDABLE = "send_it_back", "The NHS numbers have been taken out of this workbook: send it back."


def identified(received: PracticeList, numbers: Mapping[str, str]) -> bytes:
    """The list with NHS numbers (`numbers`: ten digits by pseudonym), as text, 3-3-4, stamped; in the form it came in.

    A pseudonym without a number keeps its row: nobody who is urgent may be lost with it.
    """
    if received.table is not None:
        return _csv_with(received, numbers)
    book = received.book
    for sheet in received.sheets:
        cells = book[sheet.title]
        at = sheet.columns["pseudonym"] + 1
        add_column(cells, at, _WIDTH)
        _put(cells, sheet.header_row, at, HEADER)
        for row, pseudonym in sheet.rows:
            digits = numbers.get(pseudonym)
            _put(cells, row, at, shown(digits) if digits else NOT_FOUND)
        cells.sheet_properties.tabColor = "D5281B"
    _stamp_cover(book)
    stamp = book.create_sheet(STAMP_SHEET, 0)
    stamp.column_dimensions["A"].width = 100
    stamp.sheet_properties.tabColor = "D5281B"
    stamp.page_setup.orientation, stamp.page_setup.paperSize = "landscape", 9
    for row, text in enumerate((STAMP, _BACK), start=1):
        _plain(stamp, row, 1, text)
        stamp.cell(row, 1).font = _font(bold=row == 1, size=16 if row == 1 else 11)
        stamp.cell(row, 1).alignment = _wrapped()
    for cells in book.worksheets:
        for part in (cells.oddHeader, cells.evenHeader, cells.firstHeader):
            part.center.text = STAMP
    book.active = 0
    for cells in book.worksheets:
        cells.sheet_view.tabSelected = cells is stamp
    book.properties.keywords = STAMP
    return _saved(book)


def without_numbers(received: PracticeList, where: str) -> bytes:
    """An identified list without its NHS numbers, with whatever was filled in: what can be sent back.

    Raises RecordsError if an NHS number stands anywhere else in it, such as in an outcome.
    """
    if received.table is not None:
        header = received.table.header
        kept = [column for column, name in enumerate(header) if named(name) not in (NHS_NUMBER, _HANDLING)]
        rows = [[row[column] for column in kept] for row in received.table.rows]
        for number, row in zip(received.table.numbers, rows, strict=True):
            if any(map(holds_one, row)):
                raise _another(f"{where}:{number}")
        return _csv([[header[column] for column in kept], *rows])
    book = received.book
    for sheet in received.sheets:
        if NHS_NUMBER in sheet.columns:
            drop_column(book[sheet.title], sheet.columns[NHS_NUMBER])
    if STAMP_SHEET in book.sheetnames:
        del book[STAMP_SHEET]
    for cells in book.worksheets:
        for part in (cells.oddHeader, cells.evenHeader, cells.firstHeader, cells.oddFooter):
            if STAMP in (part.center.text or ""):
                part.center.text = None
        cells.sheet_properties.tabColor = None
    _unstamp_cover(book)
    book.properties.keywords = None
    for cells in book.worksheets:
        for cell in list(cells._cells.values()):
            note = cell.comment.text if cell.comment is not None else ""
            if holds_one(str(cell.value or "")) or holds_one(str(note)):
                raise _another(f"{where}, sheet '{cells.title}', cell {cell.coordinate}")
    return _saved(book)


def _another(where: str) -> RecordsError:
    return RecordsError(
        "what looks like an NHS number stands outside its column", where=where, hint="take it out, then try again"
    )


def _stamp_cover(book: Any) -> None:
    for label, value in _cover_rows(book):
        if named(str(label.value or "")) == _SEND:
            value.value = _BACK
        elif label.row == 2 and label.value:  # the warning that stands across the cover
            label.value = f"{STAMP} {label.value}"
            _higher(label, 18)


def _unstamp_cover(book: Any) -> None:
    for label, value in _cover_rows(book):
        if named(str(label.value or "")) == _SEND:
            value.value = _SENDABLE
        elif isinstance(label.value, str) and label.value.startswith(STAMP):
            label.value = label.value.removeprefix(STAMP).strip()


def _cover_rows(book: Any) -> list[tuple[Any, Any]]:
    if "Cover" not in book.sheetnames:
        return []
    return list(book["Cover"].iter_rows(max_row=100, min_col=1, max_col=2))


def _higher(cell: Any, points: float) -> None:
    row = cell.parent.row_dimensions[cell.row]
    if row.height:
        row.height += points


def _put(cells: Any, row: int, column: int, text: str) -> None:
    """Text in a new cell that looks like the one to its left; always text, never a number or a formula."""
    _plain(cells, row, column, text)
    cells.cell(row, column)._style = copy(cells.cell(row, column - 1)._style)
    cells.cell(row, column).number_format = "@"


def _plain(cells: Any, row: int, column: int, text: str) -> None:
    cell = cells.cell(row, column)
    cell.value = text
    cell.data_type = "s"


def _font(*, bold: bool, size: int) -> Any:
    from openpyxl.styles import Font

    return Font(name="Arial", bold=bold, size=size)


def _wrapped() -> Any:
    from openpyxl.styles import Alignment

    return Alignment(wrap_text=True, vertical="top")


def _saved(book: Any) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _csv_with(received: PracticeList, numbers: Mapping[str, str]) -> bytes:
    table = received.table
    assert table is not None
    at = [named(name) for name in table.header].index("pseudonym") + 1
    rows: list[list[str]] = [[*table.header[:at], NHS_NUMBER, *table.header[at:], _HANDLING]]
    for row in table.rows:
        digits = numbers.get(plain(row[at - 1].strip()))
        rows.append([*row[:at], shown(digits) if digits else NOT_FOUND, *row[at:], STAMP])
    return _csv(rows)


def _csv(rows: list[list[str]]) -> bytes:
    """CSV as bytes (UTF-8, CRLF); what was read held no formula, so what is written holds none."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue().encode("utf-8")
