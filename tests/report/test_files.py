"""What a practice opens: workbook, CSV and page are whole, safe, and say the same."""

import csv
import io
import re
from html import unescape
from itertools import pairwise

import openpyxl
import pytest

from casefinding.recall.lines import ORDER
from casefinding.report.practice import CSV_COLUMNS, folder_name, practice_page, table, write_practice
from casefinding.report.shapes import LANE_WORDS


def opened(content: bytes):
    return openpyxl.load_workbook(io.BytesIO(content))


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


def test_the_csv_keeps_its_columns_where_they_were_and_adds_what_is_new_at_the_end(full_lists, edition):
    assert CSV_COLUMNS[:3] == ("list_id", "index_day", "data_through")
    assert CSV_COLUMNS[-6:] == ("outcome", "outcome_date", "wave", "visit", "reach", "diagnosed_with")
    rows = {row["pseudonym"]: row for row in csv.DictReader(io.StringIO(table(full_lists, edition)))}
    assert len(rows) == len(full_lists.lines)
    assert (rows["two"]["wave"], rows["two"]["visit"]) == ("2", "water test; blood test")
    assert (rows["r4in"]["reach"], rows["r4in"]["lane"]) == ("Housebound", "invite")
    assert rows["r0ac"]["reach"] == "", "who is urgent stands with the urgent"
    assert rows["p0ac"]["wave"] == rows["two"]["diagnosed_with"] == ""


@pytest.mark.parametrize("code", ["../../etc", "/abs", "CON\0", "a/b", "..", "."])
def test_no_practice_code_can_leave_the_output_folder(code):
    assert re.fullmatch(r"practice_[\w-]+", folder_name(code))


def test_an_evil_practice_stays_in_its_folder(evil_lists, edition, tmp_path):
    files = write_practice(evil_lists, edition, tmp_path / "practices")
    assert {path.parent.parent for path in tmp_path.rglob("*.html")} == {tmp_path / "practices"}
    assert all(".." not in path for path in files.values())


def html_of(lists, edition) -> str:
    return practice_page(lists, edition, up="../index.html")


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


def test_the_page_tells_everything_that_the_workbook_tells(full_lists, edition):
    html = unescape(html_of(full_lists, edition))
    for words in (
        "Reach differently: 2", "Housebound: offer a visit", "Was urgent last month, and is no longer: 1",
        "New on the list: 1", "Left the list: 1", "Confirmed, never coded: 1", "6 August 2026", "aaaa0000",
        "About 4 more would find 1 more person", "The floor costs 1 case.", "1 in 10 are held out.",
        "6 of 75", "90 listed, 60 invited, 9 confirmed, 5 coded", "used up about here", "2nd invitation",
        "Always thirsty",
    ):  # fmt: skip
        assert words in html
    assert "Not on this list" not in html
    assert "stays" not in re.findall(r'class="id">([^<]*)<', html)


def test_a_text_to_paste_into_a_task_stands_beside_every_person(full_lists, edition):
    blocks = re.findall(r'<pre class="task">(.*?)</pre>', html_of(full_lists, edition), re.S)
    assert len(blocks) == len(full_lists.lines)
    (two,) = [unescape(block) for block in blocks if ", two." in block]
    assert two.startswith("Case finding, list 0123abcd, two. Data to 30 September 2026.\nFor: Thirst; Hunger\nTo do: ")
    assert two.endswith("Not a real-time alert: check the record first. Draft rules.")


def test_without_a_list_before_the_page_says_so(lists, edition):
    assert "First list: nothing to compare with." in html_of(lists, edition)


@pytest.mark.parametrize("which", ["lists", "full_lists"])
def test_headings_are_in_order_and_tables_have_captions(which, request, edition):
    html = html_of(request.getfixturevalue(which), edition)
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
