"""Treatment gaps as a page and a table for planning, suppressed; and, for one practice, its own people."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xlsxwriter

from casefinding.definitions.shapes import Gap
from casefinding.disclosure import people_words, rounded
from casefinding.explain.wording import date_words, number_words
from casefinding.files import write_bytes, write_text
from casefinding.judge.funnel_plot import Funnel, funnel
from casefinding.judge.treated import LEVELS, Rate
from casefinding.recall.text_table import safe_cell
from casefinding.report.charts import as_image
from casefinding.report.counts import published
from casefinding.report.funnel_chart import funnel_chart
from casefinding.report.page import page
from casefinding.report.practice import folder_name
from casefinding.report.shapes import DRAFT, Edition
from casefinding.report.workbook_style import highest, printed, styles

CSV_COLUMNS = (
    "gap", "label", "level", "code", "name", "people", "without", "share_without", "expected_without", "standing",
)  # fmt: skip
LIST_COLUMNS = (
    "list_id", "index_day", "data_through", "standing", "practice", "gap", "number", "pseudonym", "born", "sex", "do",
    "why", "score", "notes", "outcome", "outcome_date",
)  # fmt: skip
SHEET_COLUMNS = (
    ("No.", 5), ("Pseudonym", 14), ("Born, sex", 10), ("What to do", 38), ("Why", 50), ("Please note", 24),
    ("Outcome", 20), ("Outcome date", 12),
)  # fmt: skip
FEWEST_FOR_A_FUNNEL = 3
"""Fewer practices whose numbers may be shown: a table says it all."""
NOT_THE_RECALL_LIST = (
    "People who are already diagnosed and lack a treatment or a check. This is not the recall list: severe readings of "
    "people without a diagnosis stand there, under Act now."
)


@dataclass(frozen=True)
class GapRates:
    """One gap and its exact rates; what is written of them is suppressed."""

    gap: Gap
    rates: Sequence[Rate]
    unscored: int = 0  # would be asked about, but an input of the score is missing
    left_out: int = 0  # would be counted, but for palliative care and the like


@dataclass(frozen=True)
class Person:
    """One row of a practice's own list."""

    gap: str
    pseudonym: str
    born: int
    sex: str
    first: bool
    do: str
    why: str
    score: str = ""
    notes: tuple[str, ...] = ()


# ------------------------------------------------------------------ for planning


def suppressed(rates: Sequence[Rate]) -> list[dict[str, Any]]:
    """The rates as they may leave: counts withheld or rounded so that no small one can be worked out from the others.

    Shares are of the rounded counts; a share is given where both of its counts are.
    """
    counts = {(one.level, one.code, what): number for one in rates for what, number in _numbers(one).items()}
    sums: list[tuple[tuple[str, str, str], list[tuple[str, str, str]]]] = []
    for one in rates:
        key = (one.level, one.code)
        sums.append(((*key, "people"), [(*key, "without"), (*key, "with")]))
    for level in LEVELS[1:]:
        units = [one for one in rates if one.level == level]
        for what in ("people", "without", "with"):
            total = ("everybody", "", what)
            if units and sum(counts[(one.level, one.code, what)] for one in units) == counts[total]:
                sums.append((total, [(one.level, one.code, what) for one in units]))
    shown = published(counts, sums)
    found = []
    for one in rates:
        people, without = (shown[(one.level, one.code, what)] for what in ("people", "without"))
        told = people and without is not None
        found.append(
            {
                "level": one.level, "code": one.code, "name": one.name, "people": people, "without": without,
                "with": shown[(one.level, one.code, "with")],
                "share": min(1.0, without / people) if told and people and without is not None else None,
                "expected": rounded(round(one.expected)), "standing": "",
            }
        )  # fmt: skip
    return found


def write_gaps(found: Sequence[GapRates], edition: Edition, folder: Path, *, lists: bool) -> list[dict[str, Any]]:
    """Write index.html and rates.csv for planning; gives the rows of the table."""
    sections, rows = [], []
    for one in found:
        table = suppressed(one.rates)
        shape = _funnel(one.rates, table)
        chart = ""
        if shape is not None:
            drawn, names = shape
            labels = ("People expected without it", "Without it, of 100 expected")
            chart = as_image(funnel_chart(drawn, names, axes=labels))
        sections.append({"gap": one.gap, "rows": table, "chart": chart, "unscored": one.unscored, "out": one.left_out})
        rows.extend({"gap": one.gap.name, "label": one.gap.label, **row} for row in table)
    write_text(
        folder / "index.html",
        page("treatment_gaps.html", edition=edition, up="", sections=sections, people=people_words, lists=lists,
             levels=dict(zip(LEVELS, ("All", "Place", "Network", "Practice"), strict=True))),
    )  # fmt: skip
    write_text(folder / "rates.csv", _table(rows))
    return rows


def _numbers(one: Rate) -> dict[str, int]:
    return {"people": one.people, "without": one.lacking, "with": one.people - one.lacking}


def _funnel(rates: Sequence[Rate], table: Sequence[dict[str, Any]]) -> tuple[Funnel, list[str]] | None:
    """The practices whose numbers may be shown, by the rounded numbers; marks in `table` where each stands.

    The funnel is of people without the treatment, not of those with it: where most have it, the fewer follow a Poisson
    distribution better, and its limits are not too wide.
    """
    shown = [
        (one, row)
        for one, row in zip(rates, table, strict=True)
        if one.level == "practice" and row["share"] is not None and row["expected"]
    ]
    if len(shown) < FEWEST_FOR_A_FUNNEL or not sum(row["without"] for _, row in shown):
        return None
    drawn = funnel([row["without"] for _, row in shown], [one.expected for one, _ in shown])
    for (_, row), standing, ratio in zip(shown, drawn.standing(), drawn.ratio, strict=True):
        direction = "" if standing in ("", "within") else ", more" if ratio > drawn.target else ", fewer"
        row["standing"] = f"{standing}{direction}"
    return drawn, [one.code for one, _ in shown]


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    def cell(value: Any) -> str:
        return "" if value is None else safe_cell(f"{value:.3f}" if isinstance(value, float) else str(value))

    buffer = io.StringIO()
    out = csv.writer(buffer, lineterminator="\r\n")
    out.writerow(CSV_COLUMNS)
    keys = ("gap", "label", "level", "code", "name", "people", "without", "share", "expected", "standing")
    for row in rows:
        out.writerow([cell(row[key]) for key in keys])
    return buffer.getvalue()


# ------------------------------------------------------------------ for one practice


def write_gap_list(practice: str, name: str, people: Sequence[Person], gaps: Sequence[Gap], edition: Edition,
                   folder: Path) -> list[str]:  # fmt: skip
    """Write a practice's own people as a workbook (one sheet a gap) and a CSV; the paths relative to `folder`."""
    home = folder / folder_name(practice)
    stem = f"treatment_gaps_{folder_name(practice)[9:]}_{edition.index_day.isoformat()}_{edition.list_id}"
    write_bytes(home / f"{stem}.xlsx", _workbook(practice, name, people, gaps, edition))
    write_text(home / f"{stem}.csv", _list(practice, people, gaps, edition))
    return [f"{home.name}/{stem}.{kind}" for kind in ("xlsx", "csv")]


def _list(practice: str, people: Sequence[Person], gaps: Sequence[Gap], edition: Edition) -> str:
    buffer = io.StringIO()
    out = csv.writer(buffer, lineterminator="\r\n")
    out.writerow(LIST_COLUMNS)
    standing = f"not a real-time alert; draft{'; made-up records' if edition.made_up else ''}"
    for gap in gaps:
        for number, one in enumerate((one for one in people if one.gap == gap.name), start=1):
            cells = (
                edition.list_id, edition.index_day.isoformat(), edition.data_through.isoformat(), standing, practice,
                gap.label, str(number), one.pseudonym, str(one.born), one.sex, one.do, one.why, one.score,
                "; ".join(one.notes), "", "",
            )  # fmt: skip
            out.writerow([safe_cell(cell) for cell in cells])
    return buffer.getvalue()


def _workbook(practice: str, name: str, people: Sequence[Person], gaps: Sequence[Gap], edition: Edition) -> bytes:
    buffer = io.BytesIO()
    options = {
        "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
        "default_format_properties": {"font_name": "Arial", "font_size": 10},  # columns are measured in its digits
    }  # fmt: skip
    book = xlsxwriter.Workbook(buffer, options)
    created = dt.datetime.combine(edition.index_day, dt.time(12))
    book.set_properties({"title": f"Treatment gaps, {name}", "author": "casefinding", "created": created})
    looks = styles(book)
    sheet = book.add_worksheet("Cover")
    printed(sheet, edition, f"{practice}  Treatment gaps")
    sheet.set_column(0, 0, 60)
    sheet.set_column(1, 1, 60)
    sheet.write_string(0, 0, safe_cell(f"Treatment gaps: {name}"), looks["title"])
    made_up = " Made-up records." if edition.made_up else ""
    data = f"Not a real-time alert: data to {date_words(edition.data_through)}.{made_up}"
    sheet.merge_range(1, 0, 1, 1, f"{NOT_THE_RECALL_LIST} {data} {DRAFT}", looks["warning"])
    sheet.set_row(1, 60)
    facts = [("Practice", f"{name} ({practice})"), ("Who to ask", edition.contact), ("List", edition.list_id)]
    facts += [(gap.label, number_words(sum(one.gap == gap.name for one in people))) for gap in gaps]
    for row, (what, value) in enumerate(facts, start=3):
        sheet.write_string(row, 0, safe_cell(what), looks["strong"])
        sheet.write_string(row, 1, safe_cell(value), looks["text"])
    for number, gap in enumerate(gaps, start=1):
        _sheet(book, looks, f"Gap {number}", gap, [one for one in people if one.gap == gap.name], practice, edition)
    book.close()
    return buffer.getvalue()


def _sheet(book: Any, looks: Mapping[str, Any], title: str, gap: Gap, people: Sequence[Person], practice: str,
           edition: Edition) -> None:  # fmt: skip
    sheet = book.add_worksheet(title)
    printed(sheet, edition, f"{practice}  {gap.label}", repeat=2)
    sheet.freeze_panes(3, 2)
    last = len(SHEET_COLUMNS) - 1
    sheet.write_string(0, 0, safe_cell(f"{gap.label}: {number_words(len(people))}"), looks["title"])
    sheet.merge_range(1, 0, 1, last, f"{NOT_THE_RECALL_LIST} Source: {gap.source}. {DRAFT}", looks["text"])
    sheet.set_row(1, 42)
    for column, (head, width) in enumerate(SHEET_COLUMNS):
        sheet.set_column(column, column, width)
        sheet.write_string(2, column, head, looks["head"])
    widths = [width for _, width in SHEET_COLUMNS[1:-2]]
    for row, one in enumerate(people, start=3):
        why = f"{one.why}\n{one.score}" if one.score else one.why
        texts = (one.pseudonym, f"{one.born}\n{one.sex}", one.do, why, "\n".join(one.notes) or "–")
        sheet.write_number(row, 0, row - 2, looks["whole"])
        for column, text in enumerate(texts, start=1):
            sheet.write_string(row, column, safe_cell(text), looks["person" if column == 1 else "cell"])
        sheet.write_blank(row, last - 1, None, looks["to fill"])
        sheet.write_blank(row, last, None, looks["date"])
        sheet.set_row(row, highest(texts, widths))
    if people:
        sheet.autofilter(2, 0, 2 + len(people), last)
    else:
        sheet.write_string(3, 0, "Nobody", looks["text"])
