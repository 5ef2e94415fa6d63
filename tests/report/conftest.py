"""A list with a line in every lane, and with everything a spreadsheet or a browser could be fooled by."""

import datetime as dt

import pytest

from casefinding.recall.lines import ORDER, Item, Line
from casefinding.report.shapes import Edition, PracticeLists

EVIL = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", '"=1+1"', "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://example.org","x")', "<script>alert(1)</script>", "javascript:alert(1)",
    "<svg onload=alert(1)>", "{{ 7*7 }}", "&amp;", "a" * 40_000,
)  # fmt: skip

SCORES = ("DRY, risk in 5 years: 10%", "SIP: not given, no height on record")


def item(text: str = "Last systolic reading 152 mmHg (3 March 2026)", lane: str = "invite") -> Item:
    return Item(
        condition="thirst", label="Thirst", lane=lane, rule="X-1", priority=2, severe=False, say=text,
        do="Invite for a water test", source="NICE", evidence_on=dt.date(2026, 3, 3), chance=0.16,
        chance_words="1 in 6", chance_of="of thirst being diagnosed within 12 months", place=1,
        supporting=(text, "Aged 67"), against=("Never smoked",), missing=("No weight",),
    )  # fmt: skip


@pytest.fixture
def edition() -> Edition:
    return Edition(
        network="Saltmarsh (fictional)", contact="the recall lead", index_day=dt.date(2026, 10, 1),
        data_through=dt.date(2026, 9, 30), list_id="0123abcd", version="0.1.0", made_up=True,
    )  # fmt: skip


@pytest.fixture
def lists() -> PracticeLists:
    lines = [
        Line(f"p{place}{lane[:2]}", "Y99001", 1960, "female", lane, (item(lane=lane),), ("Care home",), SCORES)
        for place, lane in enumerate(ORDER)
    ]
    return PracticeLists(
        "Y99001", "Marsh Lane Surgery (fictional)", 9876, lines, {"water test": 20}, {"water test": 2},
        {"Thirst": 3.2}, {"Thirst: Palliative care": 4},
    )  # fmt: skip


@pytest.fixture
def evil_lists() -> PracticeLists:
    lines = [
        Line(text[:60], "Y99001", 1960, "female", "invite", (item(text),), (text,), (text,))
        for place, text in enumerate(EVIL, 1)
    ]
    return PracticeLists("../../etc", EVIL[0], 9876, lines, {EVIL[3]: 20}, {}, {}, {EVIL[11]: 4})
