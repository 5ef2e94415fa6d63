"""What dates an urgent finding is what made its rule fire, not whatever else is newer."""

import datetime as dt

from casefinding.definitions.shapes import Rule
from casefinding.recall.build import _evidence_day

RULE = Rule.model_validate(
    {
        "id": "X-U1", "lane": "act now", "label": "x", "do": "d", "source": "s",
        "when": {"any": [{"feature": "upper", "at least": 180}, {"feature": "lower", "at least": 120}]},
        "say": "[upper {upper} on {upper.when}][, lower {lower} on {lower.when}][; smoker {smoker.when}]",
    }
)  # fmt: skip
OLD, NEW, NEWEST = dt.date(2025, 12, 1), dt.date(2026, 9, 1), dt.date(2026, 9, 30)


def test_a_later_reading_of_the_other_component_does_not_make_it_fresh():
    days = {"upper": NEW, "lower": OLD, "smoker": NEWEST}
    assert _evidence_day(RULE, {"upper": 150.0, "lower": 121.0, "smoker": 1.0}, days) == OLD
    assert _evidence_day(RULE, {"upper": 182.0, "lower": 121.0, "smoker": 1.0}, days) == NEW


def test_a_date_that_no_test_asked_about_never_counts():
    days = {"upper": OLD, "lower": None, "smoker": NEWEST}
    assert _evidence_day(RULE, {"upper": 182.0, "lower": float("nan"), "smoker": 1.0}, days) == OLD


def test_without_any_day_there_is_none():
    assert _evidence_day(RULE, {"upper": 182.0, "lower": 1.0, "smoker": 0.0}, {"upper": None, "lower": None}) is None
