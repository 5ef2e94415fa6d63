"""One sheet of people: one row a person, ready to print and to fill in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from casefinding.explain.wording import date_words, number_words
from casefinding.recall.lines import REACH_DIFFERENTLY, Line
from casefinding.recall.loop.ledger import OUTCOMES
from casefinding.recall.text_table import safe_cell
from casefinding.report.shapes import DRAFT, SHEET_WORDS, Edition, PracticeLists
from casefinding.report.told import review_time
from casefinding.report.words import (
    NOTHING,
    against,
    bullets,
    chance_of,
    diagnosed_choices,
    invitation,
    missing,
    notes,
    to_do,
    why,
)
from casefinding.report.workbook_style import TEXT_LIMIT, Styles, height, highest, printed, together

COLUMNS = (
    ("No.", 4),
    ("Pseudonym", 12.5),
    ("Born, sex", 7),
    ("Group", 12),
    ("For", 10.5),
    ("What to do", 21),
    ("Chance, if tested", 7.5),
    ("Why", 31),
    ("Against, and missing", 18),
    ("What is known", 12.5),
    ("Scores in use", 13.5),
    ("Please note", 12),
    ("Rules", 8.5),
    ("Invitation", 10),
    ("Outcome", 11.5),
    ("Diagnosed with", 10),
    ("Outcome date", 9.5),
)
"""Header and width of each column of a sheet of people, in order. A workbook that comes back is read by these names."""

WHERE_SAID = ("Group", "Chance, if tested", "Against, and missing", "Scores in use", "Please note", "Invitation")
"""Columns that a sheet leaves out if nobody on it has anything there."""
TO_FILL = ("Outcome", "Diagnosed with", "Outcome date")

HEAD = 2  # the row of the headers, from 0
_CELLS: dict[str, Callable[[Line, PracticeLists, Edition], str]] = {
    "Pseudonym": lambda line, lists, edition: line.pseudonym,
    "Born, sex": lambda line, lists, edition: f"{line.born}\n{line.sex}",
    "Group": lambda line, lists, edition: "\n".join(line.reach) if line.sheet == REACH_DIFFERENTLY else "",
    "For": lambda line, lists, edition: "\n".join(line.concerns),
    "What to do": lambda line, lists, edition: bullets(to_do(line, lists)),
    "Chance, if tested": lambda line, lists, edition: chance_of(line),
    "Why": lambda line, lists, edition: bullets(why(line, edition.index_day)),
    "Against, and missing": lambda line, lists, edition: bullets(
        [*(f"Against: {text}" for text in against(line)), *(f"Missing: {text}" for text in missing(line))]
    ),
    "What is known": lambda line, lists, edition: bullets(line.known),
    "Scores in use": lambda line, lists, edition: bullets(line.scores),
    "Please note": lambda line, lists, edition: "\n".join(notes(line, lists)),
    "Rules": lambda line, lists, edition: "\n".join(line.rules),
    "Invitation": lambda line, lists, edition: "\n".join(invitation(line)),
}
_TABS = {
    "act now": "#D5281B",
    "check the reading": "#D5281B",
    "review the record": "#7C2855",
    "chase the result": "#7C2855",
    REACH_DIFFERENTLY: "#330072",
}


def lane_sheet(book: Any, styles: Styles, lists: PracticeLists, edition: Edition, name: str) -> None:
    """Write the sheet of one lane, or of those to be reached differently.

    Row 2 names the list and the practice in cells of their own, so that a sheet that comes back can be recognised; row
    3 holds the headers; from row 4 on there is one row a person. No text becomes a formula.
    """
    heading = SHEET_WORDS[name][0]
    people = lists.sheet(name)
    rows = [{column: cell(line, lists, edition) for column, cell in _CELLS.items()} for line in people]
    columns = [
        (column, width)
        for column, width in COLUMNS
        if column not in WHERE_SAID or any(row[column] for row in rows)
    ]  # fmt: skip
    sheet = book.add_worksheet(heading)
    sheet.set_tab_color(_TABS.get(name, "#005EB8"))
    printed(sheet, edition, f"{lists.practice}  {heading}", repeat=HEAD)
    sheet.freeze_panes(HEAD + 1, 2)
    sheet.write_string(0, 0, f"{heading}: {number_words(len(people))}", styles["title"])
    _second_row(sheet, styles, lists, edition, name, columns)
    place = {column: number for number, (column, _) in enumerate(columns)}
    sheet.set_row(HEAD, max(30, highest([name for name, _ in columns], [width - 1 for _, width in columns], 10)))
    for number, (column, width) in enumerate(columns):
        sheet.set_column(number, number, width)
        sheet.write_string(HEAD, number, column, styles["head to fill" if column in TO_FILL else "head"])
    fits = lists.reviews_in_time if name == "review the record" else None
    for number, row in enumerate(rows, start=1):
        end = {fits: ", last", (fits or 0) + 1: ", after"}.get(number, "") if fits is not None else ""
        _person(sheet, styles, number, row, columns, end)
    if people:
        sheet.autofilter(HEAD, 0, HEAD + len(people), len(columns) - 1)
        _choices(sheet, people, lists, edition, place)
    else:
        sheet.write_string(HEAD + 1, 0, "Nobody", styles["strong"])


def _second_row(sheet, styles, lists, edition, name, columns) -> None:
    about = SHEET_WORDS[name][1]
    made_up = " Made-up records." if edition.made_up else ""
    time = f" {review_time(lists)}" if name == "review the record" and lists.reviews_in_time is not None else ""
    time += " A thick line stands below the last of them." if time and lists.reviews_in_time else ""
    told = (
        f"Not a real-time alert: data to {date_words(edition.data_through)}.{made_up} {DRAFT} {about}{time} "
        "“Diagnosed with” is only for rows about several conditions."
    )
    for column, (text, style) in enumerate(
        (("List", "label"), (edition.list_id, "id"), ("Practice", "label"), (lists.practice, "id"))
    ):
        sheet.write_string(1, column, safe_cell(text), styles[style])
    # across the table and no further: text that runs on would widen the printed page and shrink all of it
    sheet.merge_range(1, 4, 1, len(columns) - 1, safe_cell(told), styles["small"])
    sheet.set_row(1, height(told, together([width for _, width in columns[4:]])) + 2)


def _person(sheet, styles, number, row, columns, end: str) -> None:
    at = HEAD + number
    texts, widths = [], []
    for column, (name, width) in enumerate(columns):
        if name == "No.":
            sheet.write_number(at, column, number, styles[f"whole{end}"])
        elif name in TO_FILL:
            sheet.write_blank(at, column, None, styles[f"{'date' if name == 'Outcome date' else 'to fill'}{end}"])
        else:
            text = (row[name] or NOTHING)[:TEXT_LIMIT]
            look = "person" if name == "Pseudonym" else "cell"
            sheet.write_string(at, column, safe_cell(text), styles[f"{look}{end}"])
            texts.append(text)
            widths.append(width)
    sheet.set_row(at, highest(texts, widths))


def _choices(sheet, people, lists, edition, place) -> None:
    """The drop-downs of what is to be filled in, and the days that an outcome can have."""
    first, last = HEAD + 1, HEAD + len(people)
    outcome, diagnosed, on = (place[name] for name in TO_FILL)
    sheet.data_validation(
        first, outcome, last, outcome,
        {"validate": "list", "source": list(OUTCOMES), "error_title": "Outcome",
         "error_message": "Choose one of the list."},
    )  # fmt: skip
    alike: dict[tuple[str, ...], list[int]] = {}
    for row, line in enumerate(people, start=first):
        choices = diagnosed_choices(line, lists.labels)
        if choices:
            alike.setdefault(choices, []).append(row)
    for choices, rows in alike.items():
        sheet.data_validation(
            rows[0], diagnosed, rows[0], diagnosed,
            {"validate": "list", "source": list(choices), "error_title": "Diagnosed with",
             "error_message": "Choose which conditions were found.", "input_title": "Diagnosed with",
             "input_message": "Which of the conditions were found, or were known already.",
             "other_cells": [[row, diagnosed, row, diagnosed] for row in rows[1:]]},
        )  # fmt: skip
    sheet.data_validation(
        first, on, last, on,
        {"validate": "date", "criteria": ">=", "value": edition.index_day, "ignore_blank": True,
         "error_title": "Date", "error_message": "A date on or after the index day, such as 14/10/2026."},
    )  # fmt: skip
