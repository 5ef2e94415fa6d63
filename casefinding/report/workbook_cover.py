"""The cover of a workbook, and the sheets behind the people: what has changed, who was never coded, the rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from casefinding.explain.wording import date_words, number_words
from casefinding.recall.text_table import safe_cell
from casefinding.report.shapes import Edition, PracticeLists
from casefinding.report.told import (
    NO_LIST_BEFORE,
    UNFINISHED,
    changed,
    last_month,
    on_the_list,
    rule_key,
    sending_back,
    stands,
    this_month,
    warning,
)
from casefinding.report.words import NOTHING
from casefinding.report.workbook_style import TEXT_LIMIT, Styles, height, highest, printed, together

SINCE = "Since last month"
RULES = "Rules"
_WIDTHS = (32, 106)

SINCE_COLUMNS = (("Pseudonym", 15), ("Listed for", 30), ("Was", 22), ("Now", 22), ("What happened", 60))
UNFINISHED_COLUMNS = (("Pseudonym", 15), ("Condition", 34), ("Seen on", 22), ("Was on list", 14), ("On this list", 24))
RULE_COLUMNS = (("Rule", 12), ("What it finds", 44), ("What to do", 60), ("Source", 40))


def cover(book: Any, styles: Styles, lists: PracticeLists, edition: Edition) -> None:
    """Write the cover: what the list is and is not, whom to ask, who is on it, what the month holds, how it returns."""
    sheet = book.add_worksheet("Cover")
    printed(sheet, edition, lists.practice)
    sheet.set_column(0, 0, _WIDTHS[0])
    sheet.set_column(1, 1, _WIDTHS[1])
    sheet.set_row(0, 26)
    sheet.write_string(0, 0, safe_cell(f"Recall list: {lists.name}"[:TEXT_LIMIT]), styles["title"])
    told = warning(edition)
    sheet.merge_range(1, 0, 1, 1, safe_cell(told), styles["warning"])
    sheet.set_row(1, height(told, 0.93 * together(_WIDTHS), 11) + 6)
    facts = [
        ("Practice", f"{lists.name} ({lists.practice})"),
        ("List", edition.list_id),
        ("Network", edition.network),
        ("Index day", f"{date_words(edition.index_day)}: nothing that happened or was recorded on or after it is used"),
        ("Data to", date_words(edition.data_through)),
        ("Who to ask", edition.contact),
        ("People registered", number_words(lists.registered)),
        ("Made by", f"casefinding {edition.version}"),
    ]
    if edition.made_up:
        facts.insert(0, ("Made-up records", "Everybody on this list is simulated."))
    row = 3
    for heading, block in (
        ("", facts),
        ("Who is on the list", on_the_list(lists)),
        ("What this month can hold", this_month(lists)),
        ("Last month’s list", last_month(lists)),
        ("Since last month", _since_in_short(lists)),
        ("When you have finished", sending_back()),
    ):
        if not block:
            continue
        if heading:
            sheet.write_string(row, 0, heading, styles["section"])
            sheet.write_blank(row, 1, None, styles["section"])
            sheet.set_row(row, 22)
            row += 1
        for name, value in block:
            texts = (name[:TEXT_LIMIT], value[:TEXT_LIMIT])
            sheet.write_string(row, 0, safe_cell(texts[0]), styles["strong"])
            sheet.write_string(row, 1, safe_cell(texts[1]), styles["text"])
            sheet.set_row(row, highest(texts, (_WIDTHS[0] - 3, _WIDTHS[1]), 10))
            row += 1
        row += 1


def _since_in_short(lists: PracticeLists) -> list[tuple[str, str]]:
    if lists.changes is None:
        told = NO_LIST_BEFORE
    else:
        told = ". ".join(f"{heading}: {number_words(len(rows))}" for heading, rows in changed(lists)) or "None"
    begun = [(heading, len({one.pseudonym for one in getattr(lists, name)})) for name, heading, _ in UNFINISHED]
    return [("Changes", f"{told.rstrip('.')}."), *((heading, _people(people)) for heading, people in begun)]


def _people(number: int) -> str:
    return "Nobody" if not number else "1 person" if number == 1 else f"{number_words(number)} people"


def since_sheet(book: Any, styles: Styles, lists: PracticeLists, edition: Edition) -> None:
    """Write who is new, who has moved, who has left and why; first of all those who were urgent and are no longer."""
    about = "Changes since the list before this one. People who were urgent last month and are no longer come first."
    sheet, row = _table(book, styles, lists, edition, SINCE, about, SINCE_COLUMNS)
    if lists.changes is None:
        sheet.write_string(row, 0, NO_LIST_BEFORE, styles["strong"])
        return
    blocks = changed(lists)
    if not blocks:
        sheet.write_string(row, 0, "Nothing has changed.", styles["strong"])
    for heading, rows in blocks:
        sheet.merge_range(row, 0, row, len(SINCE_COLUMNS) - 1, f"{heading}: {number_words(len(rows))}", styles["block"])
        row = _rows(sheet, styles, row + 1, rows, SINCE_COLUMNS)


def unfinished_sheets(book: Any, styles: Styles, lists: PracticeLists, edition: Edition) -> None:
    """Write whom an outcome calls diagnosed and no record does, and whose result never came: a sheet each."""
    for name, heading, about in UNFINISHED:
        sheet, row = _table(book, styles, lists, edition, heading, about, UNFINISHED_COLUMNS)
        rows = [
            (
                one.pseudonym,
                one.label,
                date_words(one.seen_on) if one.seen_on else "Not known",
                one.list_id or "Not known",
                stands(lists, one.pseudonym),
            )
            for one in getattr(lists, name)
        ]
        if not rows:
            sheet.write_string(row, 0, "Nobody", styles["strong"])
        _rows(sheet, styles, row, rows, UNFINISHED_COLUMNS)


def rules_sheet(book: Any, styles: Styles, lists: PracticeLists, edition: Edition) -> None:
    """Write the key to the ids of rules that stand on this list; no sheet where no catalogue was given."""
    key = rule_key(lists)
    if not key:
        return
    about = "The rules that this list names. They are drafts until a clinical safety officer has signed them."
    sheet, row = _table(book, styles, lists, edition, RULES, about, RULE_COLUMNS)
    _rows(sheet, styles, row, [(rule.id, rule.label, rule.do, rule.source) for rule in key], RULE_COLUMNS)


def _table(book, styles, lists, edition, heading, about, columns) -> tuple[Any, int]:
    """A sheet with its title, what it is and its headers, and the number of the first free row."""
    sheet = book.add_worksheet(heading)
    printed(sheet, edition, f"{lists.practice}  {heading}", repeat=2)
    sheet.freeze_panes(3, 1)
    sheet.write_string(0, 0, heading, styles["title"])
    sheet.merge_range(1, 0, 1, len(columns) - 1, about, styles["text"])
    sheet.set_row(1, height(about, together([width for _, width in columns]), 10) + 2)
    sheet.set_row(2, 22)
    for column, (name, width) in enumerate(columns):
        sheet.set_column(column, column, width)
        sheet.write_string(2, column, name, styles["head"])
    return sheet, 3


def _rows(sheet, styles, row: int, rows: Sequence[Sequence[str]], columns) -> int:
    for texts in rows:
        shown = [(text or NOTHING)[:TEXT_LIMIT] for text in texts]
        for column, text in enumerate(shown):
            sheet.write_string(row, column, safe_cell(text), styles["person" if column == 0 else "cell"])
        sheet.set_row(row, highest(shown, [width for _, width in columns]))
        row += 1
    return row
