"""What leaves of treatment gaps is suppressed; what a practice receives is its own, exact, and no formula."""

from __future__ import annotations

import csv
import datetime as dt
import io

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding.definitions.shapes import Gap
from casefinding.definitions.shapes import Test as Compare
from casefinding.judge.treated import Rate
from casefinding.report.shapes import Edition
from casefinding.report.treatment_gaps import GapRates, Person, suppressed, write_gap_list, write_gaps

DAY = dt.date(2026, 10, 1)


def gap(name: str = "water", label: str = "Thirst, no water") -> Gap:
    lacks = Compare(feature="f", is_="absent")
    return Gap(name=name, label=label, met="Watered", among=lacks, gap=lacks, say="s", do="Pour.", source="made up")


@pytest.fixture
def edition() -> Edition:
    return Edition("Net", "somebody", DAY, DAY - dt.timedelta(days=1), "abcd1234", "0", made_up=True)


def units(numbers: list[tuple[int, int]]) -> list[Rate]:
    """Everybody and practices with (people, of them lacking)."""
    people, lacking = (sum(one[part] for one in numbers) for part in (0, 1))
    parts = [Rate("practice", f"P{n}", f"Practice {n}", a, b, b + 0.4) for n, (a, b) in enumerate(numbers)]
    return [Rate("everybody", "", "All practices", people, lacking, float(lacking)), *parts]


@settings(max_examples=200, derandomize=True, deadline=None)
@given(
    st.lists(
        st.integers(0, 400).flatmap(lambda people: st.tuples(st.just(people), st.integers(0, people))),
        min_size=1, max_size=12,
    )
)  # fmt: skip
def test_no_count_of_1_to_7_is_shown_or_can_be_worked_out(numbers):
    rows = suppressed(units(numbers))
    for row in rows:
        for what in ("people", "without", "with", "expected"):
            assert row[what] is None or row[what] == 0 or (row[what] >= 10 and row[what] % 5 == 0)
    for what in ("people", "without", "with"):
        hidden = [row for row in rows[1:] if row[what] is None]
        small = [
            one for row, one in zip(rows[1:], numbers, strict=True) if row[what] is None and 0 < _of(one, what) < 8
        ]
        if rows[0][what] is not None and small and len(hidden) == 1:  # told by the others: only if rounding hides it
            shown = [row[what] for row in rows[1:] if row[what]]
            low = rows[0][what] - 2 - sum(number + 2 for number in shown)
            high = rows[0][what] + 2 - sum(max(8, number - 2) for number in shown)
            assert min(7, high) > max(1, low)
    assert all(row["share"] is None or 0 <= row["share"] <= 1 for row in rows)


def _of(one: tuple[int, int], what: str) -> int:
    return {"people": one[0], "without": one[1], "with": one[0] - one[1]}[what]


def test_a_practice_far_from_the_others_is_marked_and_the_rest_are_not(edition, tmp_path):
    numbers = [(400, 100)] * 5 + [(400, 250)]
    parts = [Rate("practice", f"P{n}", f"Practice {n}", a, b, 125.0) for n, (a, b) in enumerate(numbers)]
    found = GapRates(gap(), [*units(numbers)[:1], *parts])
    rows = write_gaps([found], edition, tmp_path, lists=False)
    standing = {row["code"]: row["standing"] for row in rows}
    assert standing["P5"] == "outside 99.8%, more"
    page = (tmp_path / "index.html").read_text()
    assert "Funnel plot" in page
    assert "://" not in page
    table = list(csv.DictReader(io.StringIO((tmp_path / "rates.csv").read_text())))
    assert len(table) == 7


def test_few_practices_are_a_table_without_a_funnel(edition, tmp_path):
    write_gaps([GapRates(gap(), units([(100, 50), (100, 3)]))], edition, tmp_path, lists=False)
    page = (tmp_path / "index.html").read_text()
    assert "Funnel plot" not in page
    assert "withheld" in page


def test_a_practice_gets_a_sheet_a_gap_and_every_cell_is_text(edition, tmp_path):
    gaps = (gap(), gap("bread", "Hunger, no bread"))
    people = [
        Person("water", "p1", 1950, "female", True, "Pour now.", "=1+1", "Score: 2 points", ("Housebound",)),
        Person("water", "p2", 1960, "male", False, "Pour.", "No water since May"),
        Person("bread", "p1", 1950, "female", False, "Bake.", "No bread"),
    ]
    xlsx, text = write_gap_list("Y99001", "=Ash", people, gaps, edition, tmp_path)
    assert all(name.startswith("practice_Y99001/treatment_gaps_Y99001_") for name in (xlsx, text))
    book = openpyxl.load_workbook(tmp_path / xlsx)
    assert book.sheetnames == ["Cover", "Gap 1", "Gap 2"]
    assert [book["Gap 1"].cell(row, 2).value for row in (4, 5)] == ["p1", "p2"]
    assert not [cell for sheet in book for row in sheet for cell in row if cell.data_type == "f"]
    rows = list(csv.DictReader(io.StringIO((tmp_path / text).read_text())))
    assert [(row["gap"], row["number"], row["pseudonym"]) for row in rows] == [
        ("Thirst, no water", "1", "p1"), ("Thirst, no water", "2", "p2"), ("Hunger, no bread", "1", "p1"),
    ]  # fmt: skip
    assert rows[0]["why"] == "'=1+1"


def test_a_practice_without_anybody_still_gets_its_sheets(edition, tmp_path):
    xlsx, _ = write_gap_list("Y99001", "Ash", [], (gap(),), edition, tmp_path)
    assert openpyxl.load_workbook(tmp_path / xlsx)["Gap 1"].cell(4, 1).value == "Nobody"
