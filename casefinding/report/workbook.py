"""One workbook a practice: a cover, the sheets of people, what has changed, who was never coded, and the rules."""

from __future__ import annotations

import datetime as dt
import io

import xlsxwriter

from casefinding.explain.wording import date_words
from casefinding.report.shapes import SHEET_WORDS, Edition, PracticeLists
from casefinding.report.workbook_cover import cover, rules_sheet, since_sheet, unfinished_sheets
from casefinding.report.workbook_lane import COLUMNS, lane_sheet
from casefinding.report.workbook_style import styles

__all__ = ["COLUMNS", "workbook"]


def workbook(lists: PracticeLists, edition: Edition) -> bytes:
    """The workbook as bytes; the same lists give the same bytes.

    Every text is written as text, never as a formula; what is filled in can be read back by the names of COLUMNS.
    """
    buffer = io.BytesIO()
    options = {
        "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
        # columns are measured in digits of this font, and a theme must not put another in its place
        "default_format_properties": {"font_name": "Arial", "font_size": 10, "font_scheme": "none"},
    }  # fmt: skip
    book = xlsxwriter.Workbook(buffer, options)
    book.set_properties(
        {
            "title": f"Recall list, {lists.name}",
            "subject": f"Data to {date_words(edition.data_through)}",
            "author": "casefinding",
            "comments": f"List {edition.list_id}",
            "created": dt.datetime.combine(edition.index_day, dt.time(12)),
        }
    )
    looks = styles(book)
    cover(book, looks, lists, edition)
    for name in SHEET_WORDS:
        lane_sheet(book, looks, lists, edition, name)
    since_sheet(book, looks, lists, edition)
    unfinished_sheets(book, looks, lists, edition)
    rules_sheet(book, looks, lists, edition)
    book.close()
    return buffer.getvalue()
