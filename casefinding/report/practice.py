"""What one practice receives: a workbook, a plain CSV and a page, under one name."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from casefinding.files import write_bytes, write_text
from casefinding.recall.lines import REACH_DIFFERENTLY
from casefinding.recall.text_table import safe_cell
from casefinding.report import told
from casefinding.report.page import page
from casefinding.report.shapes import SHEET_WORDS, Edition, PracticeLists
from casefinding.report.words import against, chance_of, missing, notes, to_do, why
from casefinding.report.workbook import workbook

CSV_COLUMNS = (
    "list_id", "index_day", "data_through", "standing", "practice", "lane", "number", "pseudonym", "born", "sex",
    "concerns", "rules", "do", "chance_if_tested", "why", "against", "missing", "what_is_known",
    "scores_in_use", "notes", "outcome", "outcome_date", "wave", "visit", "reach", "diagnosed_with",
)  # fmt: skip


def folder_name(practice: str) -> str:
    """A practice's folder: letters, digits, dash and underscore only, so that no code can leave the output folder."""
    kept = "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in practice)
    return f"practice_{kept}"


def stem(lists: PracticeLists, edition: Edition) -> str:
    return f"recall_{folder_name(lists.practice)[9:]}_{edition.index_day.isoformat()}_{edition.list_id}"


def table(lists: PracticeLists, edition: Edition) -> str:
    """The list as CSV (UTF-8, CRLF), one row a person in the order of the workbook; ISO dates, no formulas.

    `lane` is the person's lane, also where they are to be reached differently (`reach`, and the number on that sheet).
    """
    buffer = io.StringIO()
    out = csv.writer(buffer, lineterminator="\r\n")
    out.writerow(CSV_COLUMNS)
    standing = f"not a real-time alert; draft rules{'; made-up records' if edition.made_up else ''}"
    for sheet in SHEET_WORDS:
        for number, line in enumerate(lists.sheet(sheet), start=1):
            cells = (
                edition.list_id, edition.index_day.isoformat(), edition.data_through.isoformat(), standing,
                line.practice, line.lane, str(number), line.pseudonym, str(line.born), line.sex,
                "; ".join(line.concerns), "; ".join(line.rules), " | ".join(to_do(line, lists)), chance_of(line),
                " | ".join(why(line, edition.index_day)), " | ".join(against(line)), " | ".join(missing(line)),
                " | ".join(line.known), " | ".join(line.scores), "; ".join(notes(line, lists)), "", "",
                str(max((item.wave for item in line.items), default=0) or ""),
                "; ".join(dict.fromkeys(item.visit for item in line.items if item.visit)),
                "; ".join(line.reach) if line.sheet == REACH_DIFFERENTLY else "", "",
            )  # fmt: skip
            out.writerow([safe_cell(cell) for cell in cells])
    return buffer.getvalue()


def practice_page(lists: PracticeLists, edition: Edition, up: str) -> str:
    """The list as one page that needs nothing else; `up`: where the run's front page is."""
    return page("practice.html", lists=lists, edition=edition, sheets=SHEET_WORDS, up=up, told=told)


def write_practice(lists: PracticeLists, edition: Edition, folder: Path) -> dict[str, str]:
    """Write the three files of a practice into its folder; the paths by kind, relative to `folder`."""
    home = folder / folder_name(lists.practice)
    name = stem(lists, edition)
    write_bytes(home / f"{name}.xlsx", workbook(lists, edition))
    write_text(home / f"{name}.csv", table(lists, edition))
    write_text(home / f"{name}.html", practice_page(lists, edition, up="../../index.html"))
    return {kind: f"{home.name}/{name}.{kind}" for kind in ("html", "xlsx", "csv")}
