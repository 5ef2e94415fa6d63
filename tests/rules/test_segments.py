"""Levels of need: everybody in exactly one, whatever the records say, and no data is never called health."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding.definitions.read import read_definitions
from casefinding.definitions.segments import Segments
from casefinding.definitions.shapes import Definitions
from casefinding.rules.segments import run_examples, sort_people

ROOT = Path(__file__).parents[2]
WRITTEN = {
    "title": "Two levels",
    "source": "made for a test",
    "levels": {
        "ill": {"label": "Ill", "parts": {"many": {"label": "2", "conditions at least": 2},
                                          "one": {"label": "1", "conditions at least": 1}}},
        "well": {"label": "Well", "parts": {"at_risk": {"label": "r", "risks at least": 1},
                                            "unseen": {"label": "u", "when": {"feature": "seen", "is": "absent"}},
                                            "seen": {"label": "s"}}},
    },
    "conditions": {"a": {"label": "A", "when": {"feature": "a", "is": "present"}},
                   "b": {"label": "B", "when": {"feature": "b", "is": "present"}}},
    "risks": {"r": {"label": "R", "when": {"feature": "r", "at least": 5}}},
    "core20": {"label": "Core20", "when": {"feature": "decile", "at most": 2}},
    "plus": {"p": {"label": "P", "when": {"feature": "p", "is": "present"}}},
    "areas": {"x": {"label": "X", "when": {"feature": "a", "is": "present"},
                    "gaps": {"no R": {"feature": "r", "is": "missing"}}},
              "y": {"label": "Y", "not told": "nothing"}},
}  # fmt: skip


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return read_definitions(ROOT)


def segments(**changed) -> Segments:
    return Segments.model_validate({**WRITTEN, **changed}, by_alias=True, by_name=False)


def oracle(row: dict[str, float]) -> str:
    """One person by plain reading."""
    present = [name for name in ("a", "b") if row[name] >= 1]
    if len(present) == 2:
        return "many"
    if len(present) == 1:
        return "one"
    if row["r"] >= 5:
        return "at_risk"
    return "unseen" if np.isnan(row["seen"]) or row["seen"] == 0 else "seen"


VALUE = st.sampled_from([np.nan, 0.0, 1.0, 2.0, 4.9, 5.0, 10.0])
NAMES = ("a", "b", "r", "seen", "decile", "p")


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(NAMES, VALUE)), min_size=1, max_size=30))
@settings(max_examples=200, deadline=None)
def test_everybody_is_in_exactly_one_part_and_level_as_a_plain_reading_finds(rows):
    one = segments()
    found = sort_people(one, {name: np.array([row[name] for row in rows]) for name in NAMES})
    assert [one.part_names[part] for part in found.part] == [oracle(row) for row in rows]
    level_of = {part: place for place, level in enumerate(one.levels.values()) for part in level.parts}
    assert found.level.tolist() == [level_of[oracle(row)] for row in rows]
    assert (found.gaps["x", "no R"] <= found.areas["x"]).all()


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_the_shipped_levels_take_everybody_whatever_the_features_hold(definitions, data):
    one = definitions.segments
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    n = 50
    columns = {
        name: np.where(rng.random(n) < 0.5, np.nan, rng.choice([0, 1, 2, 5, 30, 60, 140, 200], n).astype(float))
        for name in one.features
    }
    found = sort_people(one, columns)
    assert found.part.min() >= 0
    assert found.part.max() < len(one.parts)
    held = np.sum([found.level == place for place in range(len(one.levels))], axis=0)
    assert (held == 1).all()
    assert np.sum([found.part == place for place in range(len(one.parts))], axis=0).tolist() == [1] * n


def test_the_worked_examples_come_out_as_they_say(definitions):
    assert len(definitions.segments.examples) >= 5
    assert run_examples(definitions) == []


def test_a_wrong_example_is_told_with_what_was_counted(definitions):
    example = definitions.segments.examples[-1].model_copy(update={"gives": "nothing_found"})
    bent = definitions.segments.model_copy(update={"examples": (example,)})
    (problem,) = run_examples(definitions.model_copy(update={"segments": bent}))
    assert "four_or_more" in problem.what
    assert "heart_failure" in problem.hint


def test_nobody_without_data_is_counted_among_those_seen(definitions):
    one = definitions.segments
    nothing = {name: np.full(1, np.nan) for name in one.features}
    assert one.part_names[sort_people(one, nothing).part[0]] == "nothing_recorded"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"levels": {"one": {"label": "x", "parts": {"a": {"label": "x", "risks at least": 1}}}}}, "takes everybody"),
        ({"levels": {"one": {"label": "x", "parts": {"a": {"label": "x"}, "b": {"label": "y"}}}}}, "takes everybody"),
        (
            {"levels": {"one": {"label": "x", "parts": {"a": {"label": "x", "risks at least": 1}}},
                        "two": {"label": "x", "parts": {"a": {"label": "x"}}}}},
            "one name",
        ),
        ({"age bands": [18, 40]}, "begin at 0"),
        ({"areas": {"y": {"label": "Y"}}}, "not told"),
    ],
)  # fmt: skip
def test_what_cannot_sort_everybody_is_refused(changed, said):
    with pytest.raises(ValueError, match=said):
        segments(**changed)
