"""Rules evaluated on columns say what a plain reading of the same clauses says, one person at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding.definitions.shapes import AllOf, AnyOf, AtLeastOf, Model, NoneOf, OtherFeature, Rule, Test
from casefinding.rules.evaluate import evaluate, flag

NAMES = ("a", "b", "c")
VALUES = (math.nan, -1.0, 0.0, 0.5, 1.0, 2.0, 140.0)


def plain(clause: object, person: Mapping[str, float | None]) -> bool:
    """The same clauses for one person, in plain Python; a missing value is None."""
    if isinstance(clause, AnyOf):
        return any(plain(part, person) for part in clause.any)
    if isinstance(clause, AllOf):
        return all(plain(part, person) for part in clause.all)
    if isinstance(clause, NoneOf):
        return not any(plain(part, person) for part in clause.none)
    if isinstance(clause, AtLeastOf):
        return sum(plain(part, person) for part in clause.of) >= clause.number
    assert isinstance(clause, Test)
    value = person[clause.feature]

    def other(operand: float | OtherFeature) -> float | None:
        return person[operand.feature] if isinstance(operand, OtherFeature) else operand

    answers = []
    if clause.at_least is not None:
        limit = other(clause.at_least)
        answers.append(value is not None and limit is not None and value >= limit)
    if clause.more_than is not None:
        limit = other(clause.more_than)
        answers.append(value is not None and limit is not None and value > limit)
    if clause.at_most is not None:
        limit = other(clause.at_most)
        answers.append(value is not None and limit is not None and value <= limit)
    if clause.less_than is not None:
        limit = other(clause.less_than)
        answers.append(value is not None and limit is not None and value < limit)
    if clause.is_ is not None:
        answers.append(
            {
                "present": value is not None and value >= 1,
                "absent": value is None or value == 0,
                "missing": value is None,
                "known": value is not None,
            }[clause.is_]
        )
    return all(answers)


operands = st.sampled_from([v for v in VALUES if not math.isnan(v)]) | st.builds(
    OtherFeature, feature=st.sampled_from(NAMES)
)
comparisons = st.dictionaries(
    st.sampled_from(["at_least", "more_than", "at_most", "less_than"]), operands, min_size=1, max_size=2
)
tests = st.builds(lambda name, parts: Test(feature=name, **parts), st.sampled_from(NAMES), comparisons) | st.builds(
    lambda name, word: Test.model_validate({"feature": name, "is": word}),
    st.sampled_from(NAMES),
    st.sampled_from(["present", "absent", "missing", "known"]),
)


def _compound(inner: st.SearchStrategy) -> st.SearchStrategy:
    parts = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return (
        st.builds(lambda p: AnyOf(any=p), parts)
        | st.builds(lambda p: AllOf(all=p), parts)
        | st.builds(lambda p: NoneOf(none=p), parts)
        | st.builds(lambda n, p: AtLeastOf(number=n, of=p), st.integers(1, 3), parts)
    )


clauses = st.recursive(tests, _compound, max_leaves=8)
people = st.lists(st.tuples(*[st.sampled_from(VALUES)] * len(NAMES)), min_size=1, max_size=12)


def columns_of(rows: list[tuple[float, ...]]) -> dict[str, np.ndarray]:
    return {name: np.array([row[n] for row in rows]) for n, name in enumerate(NAMES)}


@settings(deadline=None)
@given(clauses, people)
def test_columns_and_one_person_at_a_time_agree(clause: AllOf, rows: list[tuple[float, ...]]) -> None:
    expected = [
        plain(clause, {name: None if math.isnan(row[n]) else row[n] for n, name in enumerate(NAMES)}) for row in rows
    ]
    found = evaluate(clause, columns_of(rows))
    assert found.dtype == bool
    assert found.tolist() == expected
    assert evaluate(clause, pa.table(columns_of(rows))).tolist() == expected


@settings(deadline=None)
@given(st.lists(clauses, min_size=1, max_size=3).map(tuple), people)
def test_de_morgan_holds_with_missing_values(parts: tuple[AllOf, ...], rows: list[tuple[float, ...]]) -> None:
    columns = columns_of(rows)
    negated = tuple(NoneOf(none=(part,)) for part in parts)
    assert (evaluate(NoneOf(none=parts), columns) == evaluate(AllOf(all=negated), columns)).all()
    assert (evaluate(NoneOf(none=(AllOf(all=parts),)), columns) == evaluate(AnyOf(any=negated), columns)).all()
    assert (evaluate(AtLeastOf(number=1, of=parts), columns) == evaluate(AnyOf(any=parts), columns)).all()
    assert (evaluate(AtLeastOf(number=len(parts), of=parts), columns) == evaluate(AllOf(all=parts), columns)).all()


@settings(deadline=None)
@given(clauses, people, st.randoms())
def test_people_do_not_depend_on_each_other(clause: AllOf, rows: list[tuple[float, ...]], random) -> None:
    order = list(range(len(rows)))
    random.shuffle(order)
    shuffled = evaluate(clause, columns_of([rows[n] for n in order]))
    assert (shuffled == evaluate(clause, columns_of(rows))[order]).all()


@pytest.mark.parametrize("word", ["at_least", "more_than", "at_most", "less_than"])
def test_a_comparison_with_a_missing_value_is_false_on_either_side(word: str) -> None:
    columns = {"a": np.array([np.nan, 5.0, np.nan]), "b": np.array([5.0, np.nan, np.nan])}
    assert not evaluate(Test(feature="a", **{word: OtherFeature(feature="b")}), columns).any()
    assert not evaluate(Test(feature="a", **{word: 5}), columns)[[0, 2]].any()


def test_the_limits_themselves_belong_to_at_least_and_at_most_only() -> None:
    columns = {"a": np.array([139.0, 140.0, 141.0])}
    assert evaluate(Test(feature="a", at_least=140), columns).tolist() == [False, True, True]
    assert evaluate(Test(feature="a", more_than=140), columns).tolist() == [False, False, True]
    assert evaluate(Test(feature="a", at_most=140), columns).tolist() == [True, True, False]
    assert evaluate(Test(feature="a", less_than=140), columns).tolist() == [True, False, False]


def test_a_feature_that_is_no_column_is_an_error() -> None:
    with pytest.raises(KeyError):
        evaluate(Test(feature="a", at_least=1), {"b": np.zeros(2)})
    with pytest.raises(KeyError):
        evaluate(Test(feature="a", at_least=1), pa.table({"b": [1.0]}))


def rule_of(rule_id: str, applies_to: str) -> Rule:
    return Rule.model_validate(
        {
            "id": rule_id, "lane": "invite", "label": "x", "applies to": applies_to, "say": "x", "do": "x",
            "source": "x", "when": {"feature": "a", "at least": 1},
        }
    )  # fmt: skip


MODEL = Model.model_validate(
    {
        "condition": "x", "label": "x", "about": "x", "test": "x", "invite": "x", "chance of": "x", "features": ["a"],
        "register": {"diagnosis": "d"}, "outcome": {"diagnosis": "d", "gap": "30 days", "horizon": "12 months"},
        "rules": [rule_of("X-1", "not on register"), rule_of("X-2", "resolved"), rule_of("X-3", "anyone")],
    }
)  # fmt: skip


def test_a_rule_meets_only_the_people_it_applies_to() -> None:
    status = ["never", "on register", "resolved", "never"]
    columns = {"a": np.array([1.0, 1.0, 1.0, 0.0])}
    for states in (status, np.array(status), pa.array(status)):
        assert {name: held.tolist() for name, held in flag(MODEL, columns, states).items()} == {
            "X-1": [True, False, True, False],
            "X-2": [False, False, True, False],
            "X-3": [True, True, True, False],
        }


def test_states_and_rows_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="2 states for 3 rows"):
        flag(MODEL, {"a": np.zeros(3)}, ["never", "never"])
