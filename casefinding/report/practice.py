"""What one practice receives: a workbook, a plain CSV and a page, under one name."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from casefinding.files import write_bytes, write_text
from casefinding.report.page import page
from casefinding.report.shapes import LANE_WORDS, Edition, PracticeLists
from casefinding.report.words import against, chance_of, missing, safe_cell, why
from casefinding.report.workbook import workbook

CSV_COLUMNS = (
    "list_id", "index_day", "data_through", "standing", "practice", "lane", "number", "pseudonym", "born", "sex",
    "concerns", "rules", "do", "chance_if_tested", "why", "against", "missing", "what_is_known",
    "scores_in_use", "notes", "outcome", "outcome_date",
)  # fmt: skip


def folder_name(practice: str) -> str:
    """A practice's folder: letters, digits, dash and underscore only, so that no code can leave the output folder."""
    kept = "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in practice)
    return f"practice_{kept}"


def stem(lists: PracticeLists, edition: Edition) -> str:
    return f"recall_{folder_name(lists.practice)[9:]}_{edition.index_day.isoformat()}_{edition.list_id}"


def table(lists: PracticeLists, edition: Edition) -> str:
    """The list as CSV (UTF-8, CRLF), one row a person in the order of the workbook; ISO dates, no formulas."""
    buffer = io.StringIO()
    out = csv.writer(buffer, lineterminator="\r\n")
    out.writerow(CSV_COLUMNS)
    standing = f"not a real-time alert; draft rules{'; made-up records' if edition.made_up else ''}"
    for lane in LANE_WORDS:
        for number, line in enumerate(lists.lane(lane), start=1):
            cells = (
                edition.list_id, edition.index_day.isoformat(), edition.data_through.isoformat(), standing,
                line.practice, lane, str(number), line.pseudonym, str(line.born), line.sex, "; ".join(line.concerns),
                "; ".join(line.rules), " | ".join(line.do), chance_of(line),
                " | ".join(why(line, edition.index_day)), " | ".join(against(line)), " | ".join(missing(line)),
                " | ".join(line.known), " | ".join(line.scores), "; ".join(line.notes), "", "",
            )  # fmt: skip
            out.writerow([safe_cell(cell) for cell in cells])
    return buffer.getvalue()


def write_practice(lists: PracticeLists, edition: Edition, folder: Path) -> dict[str, str]:
    """Write the three files of a practice into its folder; the paths by kind, relative to `folder`."""
    home = folder / folder_name(lists.practice)
    name = stem(lists, edition)
    write_bytes(home / f"{name}.xlsx", workbook(lists, edition))
    write_text(home / f"{name}.csv", table(lists, edition))
    write_text(
        home / f"{name}.html",
        page("practice.html", lists=lists, edition=edition, lanes=LANE_WORDS, up="../../index.html"),
    )
    return {kind: f"{home.name}/{name}.{kind}" for kind in ("html", "xlsx", "csv")}
