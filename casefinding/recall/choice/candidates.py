"""Who could be offered which test, what that is worth, and on what ground: the people that capacity is shared among."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from casefinding.recall.lines import WITHOUT_A_PLACE
from casefinding.recall.view import View

PARTS = 100_000
"""Worth is counted in whole hundred-thousandths of an expected case, so that "the best" is exact; no chance is known
so closely."""

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Candidates:
    """Row for row with the base table (n), by condition (c, in the order of the views) or by test (t).

    `worth` is what a test gives by chance, `need` what it gives on a place kept for people never measured, both in
    PARTS of an expected case. `first` counts the conditions of a test with a priority-1 rule. `fill` is 0 where there
    is a worth; else how late somebody comes to what is left: 1 is the first.
    """

    conditions: tuple[str, ...]
    tests: tuple[str, ...]
    test_of: tuple[int, ...]  # condition -> test
    may: Bools  # (n, c): a candidate by this condition
    ruled: Bools  # (n, c): by a rule to invite or by a chance
    never: Bools  # (n, c): a "never measured" rule names them
    worth: Ints  # (n, c)
    need: Ints  # (n, c): equals `worth` where they are not never measured
    first: Ints  # (n, t)
    fill: Ints  # (n, t)
    levels: int  # how many levels of `fill` there are
    order: tuple[Ints, ...]  # by condition: the rank in which candidates by chance and by rule are invited
    never_order: tuple[Ints, ...]  # by condition: the rank in which those never measured are invited

    def of(self, rows: Ints, tests: Sequence[Sequence[int]], kept: Sequence[Sequence[int]]) -> Ints:
        """What the tests given to some rows are worth by condition, those on kept places by need (., c)."""
        found = np.zeros((len(rows), len(self.conditions)), dtype=np.int64)
        for condition, test in enumerate(self.test_of):
            given = np.array([test in one for one in tests], dtype=bool)
            on_kept = np.array([test in one for one in kept], dtype=bool)
            worth = np.where(on_kept, self.need[rows, condition], self.worth[rows, condition])
            found[:, condition] = np.where(given, worth, 0)
        return found

    def by_test(self, values: NDArray) -> NDArray:
        """Columns by condition added up to columns by test; "or" for booleans."""
        found = np.zeros((len(values), len(self.tests)), dtype=values.dtype)
        for condition, test in enumerate(self.test_of):
            if values.dtype == bool:
                found[:, test] |= values[:, condition]
            else:
                found[:, test] += values[:, condition]
        return found


def candidates(views: Sequence[View]) -> Candidates:
    """The candidates of every condition.

    Nobody is one by a condition that asks to act on, to check or to review them already: they are on the list without
    a place.

    The worth is the chance where the model may rank. People never measured whom it may not rank count by the published
    chance times what a test would confirm (see `_need`); people whom a rule names and no model ranks have no worth and
    come to what is left.
    """
    n = len(views[0].chance) if views else 0
    tests = tuple(dict.fromkeys(view.model.test for view in views))
    test_of = tuple(tests.index(view.model.test) for view in views)
    shape = (n, len(views))
    may, ruled, never = (np.zeros(shape, dtype=bool) for _ in range(3))
    worth, need = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    priority = np.full(shape, np.inf)
    orders, never_orders = [], []
    for c, view in enumerate(views):
        already = np.zeros(n, dtype=bool)
        for lane in WITHOUT_A_PLACE:
            for mask in view.fired(lane).values():
                already |= mask
        chance = np.where(already, np.nan, view.ranked())
        rule = _priority(view, "invite", already)
        unmeasured = _priority(view, "never measured", already)
        ranked = ~np.isnan(chance)
        never[:, c] = np.isfinite(unmeasured)
        ruled[:, c] = ranked | np.isfinite(rule)
        may[:, c] = ruled[:, c] | never[:, c]
        priority[:, c] = rule
        expected = _need(view, never[:, c], chance)
        by_need = np.where(never[:, c], _parts(np.nan_to_num(chance) if expected is None else expected), 0)
        worth[:, c] = np.where(ranked, np.maximum(1, _parts(chance)), by_need)
        need[:, c] = np.where(never[:, c], by_need, worth[:, c])
        down = -np.nan_to_num(chance, nan=-1.0)
        rows = np.arange(n)
        group = np.where(rule <= 1, 0, np.where(ranked, 1, 2))
        orders.append(_rank(np.lexsort((rows, rule, down, group))))
        # By what is expected, not by rule: one rule would else fill every place with people of one kind.
        wanted = np.zeros(n) if expected is None else expected
        never_orders.append(_rank(np.lexsort((rows, unmeasured, down, -wanted))))
    found = Candidates(
        tuple(view.condition for view in views), tests, test_of, may, ruled, never, worth, need,
        np.zeros((n, len(tests)), dtype=np.int64), np.zeros((n, len(tests)), dtype=np.int64), 0,
        tuple(orders), tuple(never_orders),
    )  # fmt: skip
    return _with_rules(found, priority)


def _with_rules(found: Candidates, priority: NDArray[np.float64]) -> Candidates:
    """The same with `first` and `fill`: rules by priority, then people never measured of whom nothing is published."""
    first = found.by_test((priority <= 1).astype(np.int64))
    may, worth = found.by_test(found.may), found.by_test(found.worth)
    lowest = np.full(may.shape, np.inf)
    for condition, test in enumerate(found.test_of):
        lowest[:, test] = np.minimum(lowest[:, test], priority[:, condition])
    left = may & (worth == 0)
    classes = np.unique(lowest[left])  # infinity, the last, are those never measured
    fill = np.where(left, np.searchsorted(classes, lowest) + 1, 0)
    return replace(found, first=first, fill=fill.astype(np.int64), levels=len(classes))


def _priority(view: View, lane: str, already: Bools) -> NDArray[np.float64]:
    """The best priority among the rules of a lane that name each person; infinite where none does."""
    found = np.full(len(already), np.inf)
    priorities = {rule.id: rule.priority for rule in view.model.rules}
    for rule_id, mask in view.fired(lane).items():
        found = np.where(mask & ~already, np.minimum(found, priorities[rule_id]), found)
    return found


def _need(view: View, never: Bools, chance: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """What people never measured count: their published chance times what a test confirms; None if none is published.

    The published chance of an age, sex, ethnicity and deprivation does not fall with how seldom somebody was seen.
    "by expected shared by chance": within a group of equal published chance the expected cases are shared out by the
    odds of the model's chance, so that the model never decides between groups, and a shift of all log-odds (the anchor)
    nowhere.
    """
    if view.expected is None:
        return None
    need = np.array(view.expected, dtype=np.float64)
    published = view.model.expected
    if published is not None and published.never_measured == "by expected shared by chance":
        rows = np.flatnonzero(never & ~np.isnan(chance))
        odds = chance[rows] / np.maximum(1 - chance[rows], np.finfo(float).eps)
        _, group = np.unique(need[rows], return_inverse=True)
        mean = np.bincount(group, odds) / np.maximum(np.bincount(group), 1)
        need[rows] *= odds / np.maximum(mean[group], np.finfo(float).tiny)
    return need * (published.confirmable if published is not None else 1.0)


def _parts(value: NDArray[np.float64]) -> Ints:
    """A chance in whole PARTS; nothing where it is missing, and never more than one case."""
    return np.rint(np.clip(np.nan_to_num(value), 0.0, 1.0) * PARTS).astype(np.int64)


def _rank(order: NDArray[np.intp]) -> Ints:
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank
