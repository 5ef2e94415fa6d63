"""One workbook a practice: a cover, then one sheet a lane, one row a person, ready to print and to fill in."""

from __future__ import annotations

import datetime as dt
import io
import math

import xlsxwriter

from casefinding.explain.wording import date_words, number_words
from casefinding.report.shapes import DRAFT, LANE_WORDS, OUTCOMES, Edition, PracticeLists
from casefinding.report.words import against, bullets, chance_of, missing, safe_cell, why

COLUMNS = (
    ("No.", 4),
    ("Pseudonym", 13),
    ("Born, sex", 9),
    ("For", 14),
    ("What to do", 30),
    ("Chance, if tested", 11),
    ("Why", 38),
    ("Against, and missing", 22),
    ("What is known", 14),
    ("Scores in use", 20),
    ("Please note", 14),
    ("Outcome", 15),
    ("Outcome date", 11),
)
"""Header and width of each column of a lane's sheet."""
_TEXT_LIMIT = 32_000  # a cell of a workbook holds 32,767 characters


def workbook(lists: PracticeLists, edition: Edition) -> bytes:
    """The workbook as bytes; the same lists give the same bytes.

    Every text is written as text, never as a formula; the outcome column has a drop-down that can be read back in.
    """
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(buffer, options)
    book.set_properties(
        {
            "title": f"Recall list, {lists.name}",
            "subject": f"Data to {date_words(edition.data_through)}",
            "author": "casefinding",
            "comments": f"List {edition.list_id}",
            "created": _noon(edition),
        }
    )
    styles = {
        "title": book.add_format({"bold": True, "font_size": 16, "font_name": "Arial"}),
        "text": book.add_format({"font_name": "Arial", "font_size": 10, "text_wrap": True, "valign": "top"}),
        "strong": book.add_format({"font_name": "Arial", "font_size": 10, "bold": True, "valign": "top"}),
        "warning": book.add_format(
            {"font_name": "Arial", "font_size": 11, "bold": True, "text_wrap": True, "border": 2, "valign": "top"}
        ),
        "head": book.add_format(
            {
                "font_name": "Arial", "font_size": 10, "bold": True, "text_wrap": True, "valign": "top",
                "bg_color": "#005EB8", "font_color": "#FFFFFF", "border": 1,
            }
        ),
        "cell": book.add_format(
            {"font_name": "Arial", "font_size": 9, "text_wrap": True, "valign": "top", "border": 1, "num_format": "@"}
        ),
        "whole": book.add_format({"font_name": "Arial", "font_size": 9, "valign": "top", "border": 1}),
        "date": book.add_format(
            {"font_name": "Arial", "font_size": 9, "valign": "top", "border": 1, "num_format": "dd/mm/yyyy"}
        ),
    }  # fmt: skip
    _cover(book, styles, lists, edition)
    for lane in LANE_WORDS:
        _lane(book, styles, lists, edition, lane)
    book.close()
    return buffer.getvalue()


def _noon(edition: Edition) -> dt.datetime:
    return dt.datetime.combine(edition.index_day, dt.time(12))


def _cover(book, styles, lists: PracticeLists, edition: Edition) -> None:
    sheet = book.add_worksheet("Cover")
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 80)
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.write_string(0, 0, safe_cell(f"Recall list: {lists.name}"), styles["title"])
    sheet.merge_range(1, 0, 1, 1, "", styles["warning"])
    sheet.write_string(
        1, 0,
        "This is not a real-time alert and not a diagnosis. It prioritises people for the offer of a test or a review "
        f"from records up to {date_words(edition.data_through)}; look at the record before you act.",
        styles["warning"],
    )  # fmt: skip
    sheet.set_row(1, 46)
    facts = [
        ("Practice", f"{lists.name} ({lists.practice})"),
        ("Network", edition.network),
        ("Index day", f"{date_words(edition.index_day)}: nothing that happened or was recorded on or after it is used"),
        ("Who to ask", edition.contact),
        ("People registered", number_words(lists.registered)),
        ("List", f"{edition.list_id} (casefinding {edition.version})"),
    ]
    if edition.made_up:
        facts.insert(0, ("Made-up records", "Everybody on this list is simulated."))
    row = 3
    for name, value in facts:
        sheet.write_string(row, 0, name, styles["strong"])
        sheet.write_string(row, 1, safe_cell(value), styles["text"])
        row += 1
    row += 1
    for lane, (heading, about) in LANE_WORDS.items():
        sheet.write_string(row, 0, f"{heading}: {number_words(len(lists.lane(lane)))}", styles["strong"])
        sheet.write_string(row, 1, about, styles["text"])
        row += 1
    row += 1
    for test, places in lists.capacity.items():
        filled = lists.used.get(test, 0)
        sheet.write_string(row, 0, safe_cell(test.capitalize()), styles["strong"])
        sheet.write_string(row, 1, f"{number_words(filled)} of {number_words(places)} places filled", styles["text"])
        row += 1
    for label, cases in lists.expected.items():
        many = f"About {number_words(cases)}" if cases >= 1 else "Fewer than 1"
        sheet.write_string(row, 0, safe_cell(label), styles["strong"])
        sheet.write_string(
            row, 1, f"{many} of those invited would be found to have it, if all were tested", styles["text"]
        )
        row += 1
    row += 1
    sheet.write_string(row, 0, "When you have finished", styles["strong"])
    sheet.write_string(
        row, 1, "Choose an outcome from the list in the column 'Outcome' of each sheet, and send the workbook back.",
        styles["text"],
    )  # fmt: skip


def _lane(book, styles, lists: PracticeLists, edition: Edition, lane: str) -> None:
    heading, about = LANE_WORDS[lane]
    people = lists.lane(lane)
    sheet = book.add_worksheet(heading)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(2)
    sheet.freeze_panes(3, 2)
    sheet.set_header(f"&L{lists.practice}  {heading}&R{edition.list_id}")
    sheet.set_footer(f"&LData to {date_words(edition.data_through)}. Not a real-time alert.&RPage &P of &N")
    sheet.write_string(0, 0, f"{heading}: {number_words(len(people))}", styles["title"])
    made_up = " Made-up records." if edition.made_up else ""
    data = f"Not a real-time alert: data to {date_words(edition.data_through)}."
    last = len(COLUMNS) - 1
    # across the table and no further: text that runs on would widen the printed page and shrink all of it
    sheet.merge_range(1, 0, 1, last, f"{data}{made_up} {DRAFT} {about}", styles["text"])
    sheet.set_row(1, 30)
    sheet.set_row(2, 40)
    for column, (name, width) in enumerate(COLUMNS):
        sheet.set_column(column, column, width)
        sheet.write_string(2, column, name, styles["head"])
    for row, line in enumerate(people, start=3):
        texts = (
            line.pseudonym,
            f"{line.born}\n{line.sex}",
            "\n".join(line.concerns),
            bullets(line.do),
            chance_of(line) or "–",
            bullets(why(line, edition.index_day)),
            bullets([*(f"Against: {text}" for text in against(line)), *(f"Missing: {text}" for text in missing(line))])
            or "–",
            bullets(line.known) or "–",
            bullets(line.scores) or "–",
            "\n".join(line.notes) or "–",
        )
        sheet.write_number(row, 0, row - 2, styles["whole"])
        for column, text in enumerate(texts, start=1):
            sheet.write_string(row, column, safe_cell(text[:_TEXT_LIMIT]), styles["cell"])
        widths = [width for _, width in COLUMNS[1:]]
        sheet.set_row(row, min(400, max(map(_height, texts, widths))))
        sheet.write_blank(row, last - 1, None, styles["cell"])
        sheet.write_blank(row, last, None, styles["date"])
    if people:
        end = 2 + len(people)
        sheet.autofilter(2, 0, end, last)
        sheet.data_validation(
            3, last - 1, end, last - 1,
            {"validate": "list", "source": list(OUTCOMES), "error_title": "Outcome",
             "error_message": "Choose one of the list."},
        )  # fmt: skip
        sheet.data_validation(
            3, last, end, last,
            {"validate": "date", "criteria": ">=", "value": edition.index_day, "ignore_blank": True,
             "error_title": "Date", "error_message": "A date on or after the index day, such as 14/10/2026."},
        )  # fmt: skip
    else:
        sheet.write_string(3, 0, "Nobody", styles["text"])


def _height(text: str, width: int) -> int:
    """Points that a text takes in a column so many characters wide: not every program grows a row by itself."""
    return 3 + 12 * sum(max(1, math.ceil(len(part) / (1.1 * width))) for part in text.split("\n"))
