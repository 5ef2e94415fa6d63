"""A list is remembered whole: one row a person and condition, with what was offered and to whom."""

import datetime as dt
from dataclasses import replace

import pyarrow as pa
import pytest

from casefinding.recall.lines import Item, Line
from casefinding.recall.loop.ledger import LISTED
from casefinding.recall.loop.listed import listed

NOW = dt.date(2026, 10, 1)
ITEM = Item(
    condition="thirst", label="A heading of its own", lane="invite", rule=None, priority=2, severe=False, say="",
    do="do", source="", evidence_on=None, chance=0.25, chance_words="", chance_of="", place=3, wave=2,
    visit="One visit",
)  # fmt: skip


def base(**more) -> pa.Table:
    about = {"age": [None, 47], "sex": ["male", "female"], "ethnicity": ["unknown", "asian"], "imd_decile": [None, 2]}
    return pa.table({"pseudonym": ["other", "p1"], **about, **more})


def line(*items: Item, lane: str = "invite") -> Line:
    return Line("p1", "Y99001", 1979, "female", lane, items)


def rows(view, *lines: Line) -> list[dict]:
    both = [view([0.5] * 2), view([0.5] * 2, condition="hunger", test="food test")]
    made = listed(lines, both, base(), "abc", NOW)
    assert made.schema == LISTED
    return made.to_pylist()


def test_an_invitation_is_remembered_with_its_test_its_wave_and_the_groups(view):
    assert rows(view, line(ITEM)) == [
        {
            "list_id": "abc", "index_day": NOW, "practice": "Y99001", "pseudonym": "p1", "condition": "thirst",
            "label": "Thirst", "line_lane": "invite", "lane": "invite", "rules": "", "test": "water test",
            "visit": "One visit", "wave": 2, "place": 3, "chance": 0.25, "sex": "female", "age_band": "45 to 54",
            "ethnicity": "asian", "deprivation": "Core20",
        }
    ]  # fmt: skip


def test_each_condition_has_its_own_row_and_its_own_lane(view):
    urgent = replace(ITEM, condition="hunger", lane="act now", rule="X-U1", place=0, wave=0, chance=None, visit="")
    later = replace(urgent, lane="review the record", rule="X-1")
    note = replace(urgent, lane="note", rule="X-5")
    found = rows(view, line(urgent, later, note, replace(ITEM, rule="X-2"), lane="act now"))
    assert [(one["condition"], one["line_lane"], one["lane"], one["rules"], one["test"]) for one in found] == [
        ("hunger", "act now", "act now", "X-U1, X-1", ""),
        ("thirst", "act now", "invite", "X-2", "water test"),
    ]
    assert (found[0]["wave"], found[0]["place"], found[0]["chance"]) == (0, 0, None)


def test_a_condition_that_only_notes_something_has_no_row(view):
    note = replace(ITEM, condition="hunger", lane="note", rule="X-5", place=0)
    assert [one["condition"] for one in rows(view, line(ITEM, note))] == ["thirst"]


def test_what_is_not_known_of_a_person_is_said_to_be_not_known(view):
    (one,) = rows(view, replace(line(ITEM), pseudonym="other"))
    assert (one["age_band"], one["ethnicity"], one["deprivation"]) == ("not known", "unknown", "not known")


def test_an_empty_list_is_a_table_of_no_rows(view):
    assert rows(view) == []


def test_nobody_is_listed_whom_the_base_does_not_hold(view):
    with pytest.raises(KeyError):
        rows(view, replace(line(ITEM), pseudonym="p9"))
