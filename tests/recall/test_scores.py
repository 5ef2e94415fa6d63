"""Published scores stand on the lines of their condition, and never beside what is urgent or evident already."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from casefinding.definitions.evidence import Score
from casefinding.definitions.shapes import Definitions, Feature
from casefinding.explain.wording import score_words
from casefinding.recall.build import lines
from casefinding.recall.lines import who_and_why

NAN = math.nan
RISK = {
    "name": "dry", "label": "DRY", "meaning": "risk in 5 years", "use": "comparator", "source": "made up",
    "baseline": 0.9, "centre": 0,
    "terms": [{"label": "weight", "feature": "w", "times": 0.1}, {"label": "height", "feature": "h", "times": 0.01}],
}  # fmt: skip
POINTS = {
    "name": "sip", "label": "SIP", "use": "for the clinician", "source": "made up",
    "terms": [{"label": "old", "when": {"feature": "w", "at least": 1}, "adds": 2}],
}  # fmt: skip
FULL = {"w": 2.0, "h": 10.0}  # a sum of 0.3


def score(**more) -> Score:
    return Score.model_validate({**RISK, **more})


@pytest.fixture
def told(view):
    """The scores on the lines of a list, by row: people as dictionaries of their inputs."""

    def build(people, rules, *, born=1960, status="never", places=(), chance=0.2) -> dict[int, tuple[str, ...]]:
        n = len(people)
        made = view([chance] * n, rules)
        model = made.model.model_copy(update={"scores": (Score.model_validate(RISK), Score.model_validate(POINTS))})
        made = replace(made, model=model, status=pa.array([status] * n))
        place = np.zeros(n, dtype=np.int32)
        for number, row in enumerate(places, 1):
            place[row] = number
        spoken = who_and_why([made], {"thirst": place})
        base = pa.table(
            {
                "pseudonym": [str(row) for row in range(n)], "practice": ["Y99001"] * n,
                "birth_month": [dt.date(born, 1, 1)] * n, "sex": ["female"] * n,
                "index_day": [dt.date(2026, 10, 1)] * n, "days_registered": [3000] * n,
            }
        )  # fmt: skip
        evidence = pa.table({name: [people[one.row].get(name, NAN) for one in spoken] for name in ("f", "w", "h")})
        definitions = Definitions(features={"f": Feature(name="f", label="f", ask="ever", of="f")})
        found = lines(spoken, [made], definitions, base, evidence, lambda view, rows: {})
        return {int(line.pseudonym): line.scores for line in found}

    return build


def test_a_line_carries_the_scores_of_its_condition_with_what_lacks(told):
    scores = told([FULL, {"w": 2.0}, {}], {"X-2": [0, 1, 2]}, places=(0, 1, 2))
    assert scores[0] == ("DRY, risk in 5 years: 13%", "SIP: 2 points")
    assert scores[1] == ("DRY: not given, no height on record", "SIP: 2 points")
    assert scores[2] == ("DRY: not given, no weight, no height on record", "SIP: 0 points")


@pytest.mark.parametrize("rule", ["X-U1", "X-C1", "X-1"])
def test_a_low_score_never_stands_beside_what_is_urgent_or_evident(told, rule):
    assert told([FULL], {rule: [0]}) == {0: ("SIP: 2 points",)}
    assert told([FULL], {rule: [0], "X-2": [0]}, places=(0,)) == {0: ("SIP: 2 points",)}


def test_a_comparator_is_for_those_who_were_never_diagnosed(told):
    assert told([FULL], {"X-2": [0]}, places=(0,), status="resolved") == {0: ("SIP: 2 points",)}


def test_nobody_under_18_is_given_a_score(told):
    assert told([FULL], {"X-2": [0]}, places=(0,), born=2009) == {0: ()}


def test_scores_do_not_change_who_is_listed_or_in_which_order(told):
    people = [{"w": 1.0, "h": 1.0}, {"w": 9.0, "h": 90.0}, {}]
    assert list(told(people, {"X-2": [0, 1, 2]}, places=(2, 0, 1))) == [2, 0, 1]


def test_a_note_about_another_condition_brings_no_scores(view):
    first, second = view([NAN], {"X-U1": [0]}), view([NAN], {"X-5": [0]}, condition="hunger")
    second = replace(second, model=second.model.model_copy(update={"scores": (Score.model_validate(POINTS),)}))
    spoken = who_and_why([first, second], {"thirst": np.zeros(1), "hunger": np.zeros(1)})
    base = pa.table(
        {
            "pseudonym": ["a"], "practice": ["Y99001"], "birth_month": [dt.date(1960, 1, 1)], "sex": ["female"],
            "index_day": [dt.date(2026, 10, 1)], "days_registered": [3000],
        }
    )  # fmt: skip
    evidence = pa.table({"f": [1.0], "w": [1.0]})
    definitions = Definitions(features={"f": Feature(name="f", label="f", ask="ever", of="f")})
    (line,) = lines(spoken, [first, second], definitions, base, evidence, lambda view, rows: {})
    assert {item.lane for item in line.items} == {"act now", "note"}
    assert line.scores == ()


def test_a_risk_is_never_none_and_never_certain():
    assert score_words(score(), 0.0001, ()) == "DRY, risk in 5 years: less than 1%"
    assert score_words(score(), 0.9999, ()) == "DRY, risk in 5 years: more than 99%"
    assert score_words(score(decimals=1), 0.10445, ()) == "DRY, risk in 5 years: 10.4%"
    assert score_words(score(decimals=1), 0.0001, ()) == "DRY, risk in 5 years: less than 0.1%"
    assert score_words(score(decimals=1), 0.9999, ()) == "DRY, risk in 5 years: more than 99.9%"


def test_one_point_is_one_point():
    assert score_words(Score.model_validate(POINTS), 1.0, ()) == "SIP: 1 point"
