"""How much is known of a person stands on their line in the workbook, the CSV and the page."""

import csv
import io
from dataclasses import replace

import openpyxl
import pytest

from casefinding.report.practice import CSV_COLUMNS, practice_page, table
from casefinding.report.workbook import COLUMNS, workbook

KNOWN = ("no weights in 5 years", "1 contact in 12 months", "8 years on record")


@pytest.fixture
def known_lists(lists):
    return replace(lists, lines=[replace(line, known=KNOWN) for line in lists.lines])


def test_it_is_said_in_all_three(known_lists, edition):
    (first, *_) = csv.DictReader(io.StringIO(table(known_lists, edition)))
    assert first["what_is_known"] == " | ".join(KNOWN)
    sheet = openpyxl.load_workbook(io.BytesIO(workbook(known_lists, edition)))["Invite"]
    row = dict(zip([cell.value for cell in sheet[3]], [cell.value for cell in sheet[4]], strict=True))
    assert row["What is known"] == "\n".join(f"• {text}" for text in KNOWN)
    html = practice_page(known_lists, edition, up="../../index.html")
    assert f"Known: {', '.join(KNOWN)}" in html


def test_nothing_is_said_where_nothing_is_known_of_it(lists, edition):
    html = practice_page(lists, edition, up="../../index.html")
    assert "Known:" not in html


def test_it_stands_between_what_is_missing_and_the_scores_in_use():
    names = [name for name, _ in COLUMNS]
    assert names.index("Against, and missing") < names.index("What is known") < names.index("Scores in use")
    assert CSV_COLUMNS.index("missing") < CSV_COLUMNS.index("what_is_known") < CSV_COLUMNS.index("scores_in_use")
