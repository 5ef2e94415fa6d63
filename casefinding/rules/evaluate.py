"""Rules on columns: every clause becomes one bool array, all rows at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from casefinding.cohort.eligible import states_of
from casefinding.definitions.shapes import AllOf, AnyOf, AtLeastOf, Model, NoneOf, OtherFeature, Rule, Test

AnyClause = Test | AnyOf | AllOf | NoneOf | AtLeastOf
Columns = Mapping[str, np.ndarray] | pa.Table

_COMPARE = {
    "at_least": np.greater_equal,
    "more_than": np.greater,
    "at_most": np.less_equal,
    "less_than": np.less,
}


def evaluate(clause: Rule | AnyClause, columns: Columns) -> np.ndarray:
    """Where a rule's condition (or one clause) holds: bool, one a row.

    `columns`: feature name -> float64, NaN where the value is missing (or a matrix as an Arrow table). A comparison
    with a missing value on either side is false; so `none: [{feature: a, at least: 5}]` holds where `a` is missing,
    and `{feature: a, less than: 5}` does not. KeyError for a feature that is no column.

    >>> values = {"a": np.array([4.0, 6.0, np.nan])}
    >>> evaluate(Test(feature="a", at_least=5), values).tolist()
    [False, True, False]
    >>> evaluate(NoneOf(none=(Test(feature="a", at_least=5),)), values).tolist()
    [True, False, True]
    """
    if isinstance(clause, Rule):
        return evaluate(clause.when, columns)
    if isinstance(clause, Test):
        return _test(clause, columns)
    if isinstance(clause, AnyOf):
        return np.logical_or.reduce([evaluate(part, columns) for part in clause.any])
    if isinstance(clause, AllOf):
        return np.logical_and.reduce([evaluate(part, columns) for part in clause.all])
    if isinstance(clause, NoneOf):
        return ~np.logical_or.reduce([evaluate(part, columns) for part in clause.none])
    return np.add.reduce([evaluate(part, columns).astype(np.int32) for part in clause.of]) >= clause.number


def flag(model: Model, columns: Columns, status: pa.Array | Sequence[str] | np.ndarray) -> dict[str, np.ndarray]:
    """Rule id -> where the rule holds among the people it applies to: bool, one a row, in the order of the model.

    `status`: "never", "on register" or "resolved" a row, as `cohort.register_status` gives it. "not on register"
    rules apply to everybody whose state is another than "on register", the resolved among them.
    """
    states = states_of(status)
    applies = {
        "not on register": states != "on register",
        "resolved": states == "resolved",
        "anyone": np.ones(states.size, dtype=bool),
    }
    held: dict[str, np.ndarray] = {}
    for rule in model.rules:
        holds = evaluate(rule, columns)
        if holds.shape != states.shape:
            raise ValueError(f"{states.size} states for {holds.size} rows")
        held[rule.id] = holds & applies[rule.applies_to]
    return held


def _test(test: Test, columns: Columns) -> np.ndarray:
    values = column(columns, test.feature)
    holds = np.ones(values.shape, dtype=bool)
    for word, compare in _COMPARE.items():
        operand = getattr(test, word)
        if operand is None:
            continue
        other = column(columns, operand.feature) if isinstance(operand, OtherFeature) else operand
        holds &= compare(values, other)  # NaN compares false on either side
    missing = np.isnan(values)
    if test.is_ == "present":
        holds &= values >= 1
    elif test.is_ == "absent":
        holds &= missing | (values == 0)
    elif test.is_ == "missing":
        holds &= missing
    elif test.is_ == "known":
        holds &= ~missing
    return holds


def column(columns: Columns, name: str) -> np.ndarray:
    """One feature of a matrix as float64, NaN where missing; KeyError for a feature that is no column."""
    names = getattr(columns, "column_names", None)  # an Arrow table's own KeyError would list every column
    if names is not None and name not in names:
        raise KeyError(name)
    return np.asarray(columns[name], dtype=np.float64)
