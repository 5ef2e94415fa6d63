"""A column put into a sheet, or taken out, with everything that speaks of columns moved along: the library moves cells.

Source of what there is to move: ECMA-376, part 1, 18.3 (worksheets).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_WIDEST = 200  # columns whose width is kept; a program may say "all to the end"


def add_column(sheet: Any, at: int, width: float) -> None:
    """Put an empty column before column `at` (from 1) of an openpyxl sheet."""
    _move(sheet, lambda first, last: (first + (first >= at), last + (last >= at)), lambda: sheet.insert_cols(at), at)
    sheet.column_dimensions[_letter(at)].width = width


def drop_column(sheet: Any, at: int) -> None:
    """Take column `at` (from 1) out of an openpyxl sheet; what spoke of it alone goes with it."""
    _move(sheet, lambda first, last: (first - (first > at), last - (last >= at)), lambda: sheet.delete_cols(at), at)


def _move(sheet: Any, span: Callable[[int, int], tuple[int, int]], cells: Callable[[], None], at: int) -> None:
    """`span` moves (first, last) columns; a span that ends before it begins is gone."""
    from openpyxl.formatting.formatting import ConditionalFormattingList
    from openpyxl.worksheet.cell_range import CellRange, MultiCellRange

    def moved(text: str) -> str:
        area = CellRange(text)
        first, last = span(area.min_col, area.max_col)
        if last < first:
            return ""
        return CellRange(min_col=first, max_col=last, min_row=area.min_row, max_row=area.max_row).coord

    merged = [str(area) for area in sheet.merged_cells.ranges]
    for area in merged:
        sheet.unmerge_cells(area)
    widths = _widths(sheet)
    cells()
    for area in filter(None, map(moved, merged)):
        if ":" in area:
            sheet.merge_cells(area)
    sheet.column_dimensions.clear()
    for column, (wide, hidden) in widths.items():
        first, last = span(column, column)
        if last >= first:
            sheet.column_dimensions[_letter(first)].width = wide
            sheet.column_dimensions[_letter(first)].hidden = hidden
    kept = []
    for rule in sheet.data_validations.dataValidation:
        areas = [area for one in str(rule.sqref).split() if (area := moved(one))]
        if areas:
            rule.sqref = MultiCellRange(" ".join(areas))
            kept.append(rule)
    sheet.data_validations.dataValidation = kept
    looks = ConditionalFormattingList()
    for look in sheet.conditional_formatting:
        areas = [area for one in str(look.sqref).split() if (area := moved(one))]
        for rule in look.rules if areas else ():
            looks.add(" ".join(areas), rule)
    sheet.conditional_formatting = looks
    _move_filter(sheet, span, moved)
    if sheet.freeze_panes:
        pane = CellRange(str(sheet.freeze_panes))
        column = span(pane.min_col, pane.min_col)[0]
        sheet.freeze_panes = f"{_letter(column)}{pane.min_row}"
    for name in list(sheet.tables):  # a look of the program it was saved with; its cells stay
        del sheet.tables[name]
    for cell in sheet._cells.values():
        if cell.hyperlink is not None:
            cell.hyperlink.ref = cell.coordinate


def _move_filter(sheet: Any, span: Callable[[int, int], tuple[int, int]], moved: Callable[[str], str]) -> None:
    from openpyxl.worksheet.cell_range import CellRange

    asked = sheet.auto_filter
    if not asked.ref:
        return
    before = CellRange(asked.ref).min_col
    asked.ref = moved(asked.ref)
    after = CellRange(asked.ref).min_col
    kept = []
    for one in asked.filterColumn:
        first, last = span(before + one.colId, before + one.colId)
        if last >= first:
            one.colId = first - after
            kept.append(one)
    asked.filterColumn = kept
    asked.sortState = None  # rows stay as they stand


def _widths(sheet: Any) -> dict[int, tuple[float, bool]]:
    from openpyxl.utils import column_index_from_string

    found: dict[int, tuple[float, bool]] = {}
    for letter, column in sheet.column_dimensions.items():
        first = column.min or column_index_from_string(letter)
        last = min(column.max or first, _WIDEST)
        for number in range(first, last + 1):
            found[number] = (column.width, bool(column.hidden))
    return found


def _letter(column: int) -> str:
    from openpyxl.utils import get_column_letter

    return get_column_letter(column)
