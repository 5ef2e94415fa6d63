"""What a practice opens: workbook, CSV and page are whole, safe, and say the same."""

import csv
import io
import re
from html import unescape
from itertools import pairwise

import openpyxl
import pytest

from casefinding.recall.lines import ORDER
from casefinding.report.page import page
from casefinding.report.practice import folder_name, table, write_practice
from casefinding.report.shapes import LANE_WORDS, OUTCOMES
from casefinding.report.workbook import COLUMNS, workbook


def opened(content: bytes):
    return openpyxl.load_workbook(io.BytesIO(content))


def test_a_workbook_has_a_cover_and_a_sheet_for_each_lane(lists, edition):
    book = opened(workbook(lists, edition))
    assert book.sheetnames == ["Cover", *(heading for heading, _ in LANE_WORDS.values())]
    assert "not a real-time alert" in book["Cover"]["A2"].value


def test_one_row_a_person_with_everything_they_need(lists, edition):
    sheet = opened(workbook(lists, edition))["Invite"]
    assert [cell.value for cell in sheet[3]] == [name for name, _ in COLUMNS]
    row = dict(zip([name for name, _ in COLUMNS], [cell.value for cell in sheet[4]], strict=True))
    assert row["Pseudonym"] == "p3in"
    assert row["Chance, if tested"] == "1 in 6"
    assert "152 mmHg (3 March 2026)" in row["Why"]
    assert row["Please note"] == "Care home"
    assert row["Scores in use"] == "• DRY, risk in 5 years: 10%\n• SIP: not given, no height on record"
    assert sheet.max_row == 4


def test_a_sheet_prints_on_a4_landscape_with_its_header_on_every_page(lists, edition):
    for name in opened(workbook(lists, edition)).sheetnames[1:]:
        sheet = opened(workbook(lists, edition))[name]
        assert (sheet.page_setup.orientation, str(sheet.page_setup.paperSize)) == ("landscape", "9")
        assert sheet.print_title_rows == "$3:$3"
        assert sheet.freeze_panes == "C4"
        assert sheet.auto_filter.ref
        assert "&P of &N" in f"&{sheet.oddFooter.right.text}".replace("&[Page]", "&P") or "Page" in str(
            sheet.oddFooter.right.text
        )


def test_the_outcome_column_offers_the_outcomes(lists, edition):
    sheet = opened(workbook(lists, edition))["Act now"]
    (choices,) = [rule for rule in sheet.data_validations.dataValidation if rule.type == "list"]
    assert choices.formula1.strip('"').split(",") == list(OUTCOMES)


def test_the_same_lists_give_the_same_bytes(lists, edition):
    assert workbook(lists, edition) == workbook(lists, edition)


def test_no_text_is_ever_a_formula(evil_lists, edition):
    book = opened(workbook(evil_lists, edition))
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None}
    assert "f" not in kinds
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.hyperlink]


def test_no_csv_cell_starts_with_a_sign_that_a_spreadsheet_obeys(evil_lists, edition):
    text = table(evil_lists, edition)
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) == 1 + len(evil_lists.lines)
    for row in rows:
        for cell in row:
            assert not re.match(r"[=+\-@\t\r\n＝＋－＠]", cell)


def test_csv_page_and_workbook_name_the_same_people(lists, edition, tmp_path):
    files = write_practice(lists, edition, tmp_path)
    rows = list(csv.DictReader(io.StringIO((tmp_path / files["csv"]).read_text(encoding="utf-8"))))
    html = (tmp_path / files["html"]).read_text(encoding="utf-8")
    book = opened((tmp_path / files["xlsx"]).read_bytes())
    assert [row["lane"] for row in rows] == list(ORDER)
    for row in rows:
        assert row["pseudonym"] in html
        for score in row["scores_in_use"].split(" | "):
            assert f"<li>{score}</li>" in html
        assert book[LANE_WORDS[row["lane"]][0]]["B4"].value == row["pseudonym"]


@pytest.mark.parametrize("code", ["../../etc", "/abs", "CON\0", "a/b", "..", "."])
def test_no_practice_code_can_leave_the_output_folder(code):
    assert re.fullmatch(r"practice_[\w-]+", folder_name(code))


def test_an_evil_practice_stays_in_its_folder(evil_lists, edition, tmp_path):
    files = write_practice(evil_lists, edition, tmp_path / "practices")
    assert {path.parent.parent for path in tmp_path.rglob("*.html")} == {tmp_path / "practices"}
    assert all(".." not in path for path in files.values())


def html_of(lists, edition) -> str:
    return page("practice.html", lists=lists, edition=edition, lanes=LANE_WORDS, up="../index.html")


def test_nothing_in_a_record_becomes_markup(evil_lists, edition):
    html = html_of(evil_lists, edition)
    assert "<script" not in html
    assert "<svg" not in html
    assert "{{ 7*7 }}" in html


def test_a_page_asks_for_nothing_outside(lists, edition):
    html = html_of(lists, edition)
    assert "default-src 'none'" in unescape(html)
    assert not re.search(r"(src|href)=[\"'](https?:|//)", html)
    assert "style=" not in html
    assert "<script" not in html
    assert "format-detection" in html


def test_headings_are_in_order_and_tables_have_captions(lists, edition):
    html = html_of(lists, edition)
    levels = [int(level) for level in re.findall(r"<h(\d)", html)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert html.count("<table") == html.count("<caption")
    assert "<td></td>" not in html
    assert 'lang="en-GB"' in html


def test_the_safety_banner_is_on_every_list(lists, edition):
    html = html_of(lists, edition)
    assert "Not a real-time alert" in html
    assert "does not diagnose" in html
    assert "simulated" in html
