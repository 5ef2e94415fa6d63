"""The order of a list: what cannot wait first, and never by chance where it is urgent."""

import datetime as dt
from dataclasses import replace

from casefinding.recall.lines import Item, Line
from casefinding.recall.order import in_order

NOW = dt.date(2026, 10, 1)


def line(name: str, lane: str = "act now", days: int = 5, chance: float | None = None, **more) -> Line:
    item = Item(
        condition="thirst", label="Thirst", lane=lane, rule="X-1", priority=2, severe=False, say="said", do="do",
        source="s", evidence_on=NOW - dt.timedelta(days=days), chance=chance, chance_words="", chance_of="", place=0,
    )  # fmt: skip
    return Line(name, "Y99001", 1960, "female", lane, (replace(item, **more),))


def names(*found: Line) -> list[str]:
    return [one.pseudonym for one in in_order(found, NOW)]


def test_urgent_lines_go_by_age_of_the_reading_then_priority_then_day():
    assert names(
        line("old", days=200, priority=1),
        line("recent", days=60),
        line("fresh", days=3),
        line("fresher", days=2),
        line("first", days=10, priority=1),
    ) == ["first", "fresher", "fresh", "recent", "old"]


def test_the_most_severe_stand_first_while_recent_and_right_after_the_fresh_however_old():
    found = names(
        line("recent", days=60),
        line("severe and old", days=300, severe=True, priority=1),
        line("fresh", days=3),
        line("severe and recent", days=80, severe=True),
    )
    assert found == ["severe and recent", "fresh", "severe and old", "recent"]


def test_a_chance_never_moves_an_urgent_line():
    assert names(line("b", chance=0.9), line("a", chance=0.1)) == ["a", "b"]


def test_invitations_go_by_place():
    assert names(line("b", "invite", place=1), line("a", "invite", place=2)) == ["b", "a"]


def test_act_now_stands_before_everything_else_in_each_practice():
    lanes = [line("i", "invite", place=1), line("r", "review the record"), line("c", "check the reading"), line("u")]
    assert names(*lanes) == ["u", "c", "r", "i"]
    other = replace(line("z", "invite", place=1), practice="Y99000")
    assert names(*lanes, other)[0] == "z"


def test_the_most_urgent_action_of_a_condition_is_the_only_one():
    one = line("a")
    urgent, later = one.items[0], replace(one.items[0], lane="invite", do="later", say="")
    both = replace(one, items=(urgent, later))
    assert both.do == ("do",)
    assert both.rules == ("X-1",)


def test_two_urgent_findings_of_one_condition_both_ask_for_their_own_action():
    one = line("a", label="Possible lung cancer", do="refer")
    other = replace(one.items[0], label="Low oxygen", do="review today")
    checked = replace(one.items[0], lane="check the reading", label="Low oxygen", do="check")
    both = replace(one, items=(one.items[0], other, checked))
    assert both.do == ("refer", "review today", "check")
