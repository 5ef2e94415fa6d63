"""What stands beside what on one line: evidence beside what is urgent, and nothing on both sides."""

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from casefinding.explain.reasons import Part, Reasons
from casefinding.recall.build import _beside, _items
from casefinding.recall.lines import Spoken

DAY = dt.date(2026, 9, 1)
NONE: Any = SimpleNamespace(features={})


def reasons(*parts: tuple[str, str, str, str]) -> Reasons:
    return Reasons(tuple(Part(side, sentence, group, feature, 0.3) for side, sentence, group, feature in parts))


@pytest.mark.parametrize("side", ["supporting", "against"])
def test_what_a_rule_has_just_said_of_a_thing_and_a_day_stands_on_neither_side(side):
    dry = SimpleNamespace(ask="latest", group="dryness", of="d", name="dry")
    known: Any = SimpleNamespace(features={"dry": dry, "older": dry, "salt": dry})
    rule: Any = SimpleNamespace(features=("dry",))
    given = reasons((side, "the same", "dryness", "dry"), (side, "another day", "dryness", "older"),
                    (side, "another thing", "salt", "salt"))  # fmt: skip
    days = {"dry": DAY, "older": dt.date(2025, 1, 1), "salt": DAY}
    assert _beside(side, given, rule, known, {}, days) == ("another day", "another thing")
    assert _beside(side, given, None, known, {}, days) == ("the same", "another day", "another thing")
    assert _beside(side, None, rule, known, {}, days) == ()


def test_a_finding_of_the_last_year_is_never_against():
    """A raised reading of last month is no reason against, though the model would have liked it fresher still."""
    seen = SimpleNamespace(ask="days since latest", group="dryness", of="d", name="seen")
    known: Any = SimpleNamespace(features={"seen": seen})
    both = reasons(("against", "last seen", "dryness", "seen"), ("supporting", "last seen", "dryness", "seen"))
    assert _beside("against", both, None, known, {"seen": 36}, {"seen": DAY}) == ()
    assert _beside("against", both, None, known, {"seen": 900}, {"seen": DAY}) == ("last seen",)
    assert _beside("supporting", both, None, known, {"seen": 36}, {"seen": DAY}) == ("last seen",)


def test_evidence_on_the_record_is_told_beside_an_urgent_finding_of_the_same_condition(view):
    of = view([0.2], {"X-U1": [0], "X-1": [0], "X-2": [0]})
    rules = {rule.id: rule for rule in of.model.rules}
    lanes = {"X-U1": "act now", "X-1": "review the record", "X-2": "invite"}
    person = Spoken(0, "act now", [(of, lane, rules[name], 0) for name, lane in lanes.items()])
    items = _items(person, {"thirst": 0.2}, {"thirst": None}, NONE, {"f": 1.0}, {})
    assert {item.rule: item.say for item in items} == {"X-U1": "Said", "X-1": "Said", "X-2": ""}
