"""A list with a line in every lane, and with everything a spreadsheet or a browser could be fooled by."""

import datetime as dt
from dataclasses import replace

import pytest

from casefinding.recall.lines import ORDER, Item, Line
from casefinding.recall.loop.changes import Change
from casefinding.report.shapes import Edition, NeverCoded, PracticeLists, RuleWords

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


def change(pseudonym: str, was: str, now: str, why: str, **more) -> Change:
    return Change(pseudonym, "Y99001", ("Thirst",), was, now, why, **more)


@pytest.fixture
def full_lists(lists) -> PracticeLists:
    """Everything that a practice can be told, with people to be reached differently in every lane."""
    other = replace(item(lane="invite"), condition="hunger", label="Hunger", wave=2, visit="blood test")
    lines = [
        *lists.lines,
        *(
            Line(f"r{place}{lane[:2]}", "Y99001", 1941, "male", lane, (replace(item(lane=lane), wave=3),),
                 ("Housebound: offer a visit",), (), (), ("Housebound",))
            for place, lane in enumerate(ORDER)
        ),
        Line("two", "Y99001", 1955, "male", "invite", (replace(item(), wave=1, visit="water test"), other)),
        *(Line(f"review{number}", "Y99001", 1955, "male", "review the record", (item(lane="review the record"),))
          for number in range(8)),
    ]  # fmt: skip
    return replace(
        lists, lines=lines, capacity={"water tests": 20, "home kits": 4}, used={"water tests": 20, "home kits": 1.6},
        marginal={"water tests": 0.25, "home kits": 0}, labels={"thirst": "Thirst", "hunger": "Hunger"},
        rules=[RuleWords("X-1", "Always thirsty", "Invite for a water test", "NICE"),
               RuleWords("X-9", "Not on this list", "-", "-")],
        floors="The floor costs 1 case.", holdout="1 in 10 are held out.",
        review_minutes_needed=100, review_minutes_stated=60, urgent_minutes=10,
        changes=[
            change("gone", "act now", "", "died", urgent_before=True), change("new", "", "invite", "has a place"),
            change("moved", "invite", "review the record", "a finding"), change("left", "invite", "", "declined"),
            change("stays", "invite", "invite", ""),
        ],
        never_coded=[NeverCoded("found", "Thirst", dt.date(2026, 8, 6), "aaaa0000")],
        funnel=[("listed", 90), ("invited", 60), ("confirmed", 9), ("coded", 5)], already_known=(6, 75),
    )  # fmt: skip


@pytest.fixture
def evil_lists() -> PracticeLists:
    lines = [
        Line(text[:60], "Y99001", 1960, "female", "invite", (item(text),), (text,), (text,))
        for place, text in enumerate(EVIL, 1)
    ]
    lines += [
        Line(f"r{place}", "Y99001", 1960, text, "invite", (replace(item(text), label=text, visit=text, wave=1),),
             (), (), (text,), (text,))
        for place, text in enumerate(EVIL, 1)
    ]  # fmt: skip
    changes = [change(text, "invite", "", text, details=(text,)) for text in EVIL]
    return PracticeLists(
        "../../etc", EVIL[0], 9876, lines, {EVIL[3]: 20}, {}, {}, {EVIL[11]: 4},
        marginal={EVIL[3]: 1.0}, labels={"thirst": EVIL[0]}, floors=EVIL[1], holdout=EVIL[2],
        rules=[RuleWords("X-1", EVIL[0], EVIL[5], EVIL[10])], changes=changes,
        no_longer_urgent=[change(EVIL[8], "act now", "", EVIL[0])],
        never_coded=[NeverCoded(text, text, None, text) for text in EVIL], funnel=[(EVIL[0], 3)],
    )  # fmt: skip
