"""Every visit that could be offered to somebody, as columns: what it is worth and what it uses."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, combinations
from math import gcd, lcm
from typing import Any

import numpy as np
from scipy import sparse

from casefinding.definitions.capacity import Capacities, Capacity, Pool
from casefinding.definitions.visits import Visit
from casefinding.recall.choice.candidates import Bools, Candidates, Ints
from casefinding.recall.choice.exact import Aim, Columns

KEPT, FIRST, WORTH = "kept places", "priority 1", "expected cases"
"""The aims that every choice has, in order; the levels of "fill" follow."""


@dataclass(frozen=True)
class Option:
    """A way to see somebody of one practice: a visit, its tests (columns of Candidates), which of them on kept places.

    `uses`: kind of capacity -> how much of it one invitation uses, the expected attendance counted in.
    """

    visit: int
    tests: tuple[int, ...]
    kept: tuple[int, ...]
    uses: Mapping[str, Fraction]


@dataclass(frozen=True)
class Have:
    """What one practice has: by kind of capacity; by test, the places and how many of them are kept."""

    a_month: Mapping[str, int]
    kept: tuple[int, ...]
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Offers:
    """The columns of some practices that are solved together, and what each stands for."""

    columns: Columns
    people: Ints  # (m) the row of the base table
    options: tuple[Option, ...]
    of_option: Ints  # (m) a place in `options`
    worth: Ints  # (m, conditions)
    first: Ints  # (m)
    fill: Ints  # (m, levels)
    start: Bools  # (m)
    rows: Mapping[tuple[str, str], tuple[int, int]]  # (practice or "", kind) -> row, by what it was multiplied

    def aims(self) -> list[Aim]:
        """The aims in order: kept places, priority 1, expected cases, then what is left level by level."""
        none = np.zeros(self.columns.spare.shape[1], dtype=np.int64)
        kept = np.array([len(one.kept) for one in self.options], dtype=np.int64)[self.of_option]
        total = self.worth.sum(axis=1)
        found = [Aim(KEPT, kept, none), Aim(FIRST, self.first, none), Aim(WORTH, total, none)]
        return found + [Aim(f"fill {level + 1}", self.fill[:, level], none) for level in range(self.fill.shape[1])]


def places(visits: Sequence[Visit], capacity: Pool, test: str, attendance: float = 1.0) -> int:
    """How many people one practice can invite for a test in a month, if it did nothing else with what that uses."""
    ways = {tuple(sorted(visit.holds[test].items())) for visit in visits if test in visit.holds}
    share = Fraction(str(attendance))
    return sum(
        min(int(capacity.a_month.get(kind, 0) / (Fraction(str(amount)) * share)) for kind, amount in way)
        for way in ways
    )


def have(visits: Sequence[Visit], capacity: Capacity, tests: Sequence[str], lent: Sequence[int] = ()) -> Have:
    """What a practice has and the ways in which it can see people; `lent`: places kept by its network, by test."""
    kept = tuple(
        round(places(visits, capacity, test, capacity.expected_attendance) * capacity.never_measured_share)
        for test in tests
    )
    some = {test for numbers in (kept, lent) for test, number in enumerate(numbers) if number}
    attendance = Fraction(str(capacity.expected_attendance))
    found: dict[tuple, Option] = {}
    for number, visit in enumerate(visits):
        held = [tests.index(test) for test in visit.holds if test in tests]
        for chosen in _subsets(held):
            uses: dict[str, Fraction] = {}
            for test in chosen:
                also = visit.also_uses.get(tests[test], {})
                stated = {kind: amount for kind, amount in also.items() if kind in capacity.a_month}
                for kind, amount in (*visit.holds[tests[test]].items(), *stated.items()):
                    uses[kind] = uses.get(kind, Fraction(0)) + Fraction(str(amount)) * attendance
            key = (chosen, tuple(sorted(uses.items())))
            same = found.get((*key, ()))
            if same is not None and visits[same.visit].age_at_least <= visit.age_at_least:
                continue  # the same tests for the same work at an earlier visit of the file
            for on_kept in ((), *_subsets([test for test in chosen if test in some])):
                found[(*key, on_kept)] = Option(number, chosen, on_kept, uses)
    return Have(capacity.a_month, kept, tuple(found.values()))


def _subsets(items: Sequence[int]) -> list[tuple[int, ...]]:
    """Every subset but the empty one."""
    return list(chain.from_iterable(combinations(items, size) for size in range(1, len(items) + 1)))


def offers(
    found: Candidates,
    visits: Sequence[Visit],
    capacity: Capacities,
    practices: Mapping[str, Ints],
    network: str,
    age: Ints,
    cell: Ints | None = None,
) -> Offers:
    """The columns of some practices of a network.

    `practices`: code -> its rows; `age` (n). `cell` (n): the groups of the equity floors a person belongs to; without
    it there are no floors.

    Left out, as no best choice needs them: of one practice and option, everybody than whom N others are no worse. N is
    more people than can be seen in other visits, or in the same visit with one of the option's tests. So in a choice
    that has one of those left out, one of the N is not seen at all, or is seen in the same visit for other tests; they
    can be given the tests instead, with the same use of everything and no less of any aim. Without floors "no worse" is
    the order of the aims; with floors those of the same groups, alike by rules, who are worth no less by each
    condition.
    """
    pool = capacity.of_network(network)
    tests = found.tests
    kept_in_network = tuple(round(places(visits, pool, test) * pool.never_measured_share) for test in tests)
    build = _Building(found, visits, pool, kept_in_network)
    for code, rows in practices.items():
        stated = capacity.of(code)
        build.practice(code, rows, have(visits, stated, tests, kept_in_network), age, cell)
    return build.offers()


class _Building:
    def __init__(self, found: Candidates, visits: Sequence[Visit], pool: Pool, kept: tuple[int, ...]) -> None:
        self.found, self.visits, self.pool, self.kept = found, visits, pool, kept
        self.can, self.never = found.by_test(found.may), found.by_test(found.never)
        self.options: list[Option] = []
        self.person: list[Ints] = []
        self.of_option: list[Ints] = []
        self.worth: list[Ints] = []
        self.first: list[Ints] = []
        self.fill: list[Ints] = []
        self.start: list[Bools] = []
        self.limit: list[int] = []
        self.entries: list[tuple[int, int, int]] = []  # row, option, how much
        self.lent: list[tuple[int, int, tuple[str, str]]] = []  # row, by what it was multiplied, what of the network
        self.rows: dict[tuple[str, str], tuple[int, int]] = {}

    # ------------------------------------------------------------------ one practice

    def practice(self, code: str, rows: Ints, has: Have, age: Ints, cell: Ints | None) -> None:
        base = len(self.options)
        self.options += has.options
        for kind in dict.fromkeys(kind for option in has.options for kind in option.uses):
            times = lcm(*(option.uses.get(kind, Fraction(0)).denominator for option in has.options))
            amounts = {place: int(one.uses[kind] * times) for place, one in enumerate(has.options) if kind in one.uses}
            limit, lent = has.a_month.get(kind, 0) * times, bool(self.pool.a_month.get(kind))
            step = 1 if lent else gcd(*amounts.values())
            row = self._row(limit // step * step)  # whole people: what is left below a step is of no use
            self.rows[code, kind] = (row, -(-times // step) * step)
            self.entries += [(row, base + place, amount) for place, amount in amounts.items()]
            if lent:
                self._lend(row, times, ("kind", kind))
        for test, number in enumerate(has.kept):
            asked = [place for place, option in enumerate(has.options) if test in option.kept]
            if asked:
                row = self._row(number)
                self.entries += [(row, base + place, 1) for place in asked]
                if self.kept[test]:
                    self._lend(row, 1, ("kept", str(test)))
        for place, option in enumerate(has.options):
            self._people(rows, base + place, option, age, cell, self._most(has, option))

    def _row(self, limit: int) -> int:
        self.limit.append(limit)
        return len(self.limit) - 1

    def _lend(self, row: int, times: int, what: tuple[str, str]) -> None:
        self.lent.append((row, times, what))

    def _most(self, has: Have, option: Option) -> int:
        """More people than the practice can see in the month, but for those whom an option's tests could be added to.

        That is everybody seen in other visits, and in the same visit those who are given one of these tests already.
        The people of some options are no more than a kind that all of them use allows, or all kinds together.
        """
        most = 1
        for visit in {one.visit for one in has.options}:
            same = [one for one in has.options if one.visit == visit]
            if visit == option.visit:
                same = [one for one in same if set(one.tests) & set(option.tests)]
            allowed = {}
            for kind in {kind for one in same for kind in one.uses}:
                least = min(one.uses[kind] for one in same if kind in one.uses)
                allowed[kind] = int((has.a_month.get(kind, 0) + self.pool.a_month.get(kind, 0) + 1) / least)
            common = [number for kind, number in allowed.items() if all(kind in one.uses for one in same)]
            most += min(common) if common else sum(allowed.values())
        return most

    def _people(self, rows: Ints, number: int, option: Option, age: Ints, cell: Ints | None, most: int) -> None:
        found = self.found
        may = age[rows] >= self.visits[option.visit].age_at_least
        for test in option.tests:
            may &= self.can[rows, test]
        for test in option.kept:
            may &= self.never[rows, test]
        who = rows[may]
        worth = np.zeros((len(who), len(found.conditions)), dtype=np.int64)
        for condition, test in enumerate(found.test_of):
            if test in option.tests:
                worth[:, condition] = (found.need if test in option.kept else found.worth)[who, condition]
        first = found.first[who][:, list(option.tests)].sum(axis=1)
        fill = np.stack(
            [(found.fill[who][:, list(option.tests)] == level + 1).sum(axis=1) for level in range(found.levels)]
            or [np.zeros(len(who), dtype=np.int64)],
            axis=1,
        ).astype(np.int64)[:, : found.levels]
        order = np.lexsort((who, *(-fill[:, level] for level in reversed(range(found.levels))), -worth.sum(1), -first))
        rank = _rank_within(order, np.zeros(len(who), dtype=np.int64))
        keep = rank < most if cell is None else _better(order, worth, np.column_stack([cell[who], first, fill])) < most
        kept = order[keep[order]]
        self.person.append(who[kept])
        self.of_option.append(np.full(len(kept), number, dtype=np.int64))
        self.worth.append(worth[kept])
        self.first.append(first[kept])
        self.fill.append(fill[kept])
        self.start.append(rank[kept] < most)

    # ------------------------------------------------------------------ all of it

    def offers(self) -> Offers:
        of_network: dict[tuple[str, str], int] = {}
        for what, name in dict.fromkeys(what for _, _, what in self.lent):
            row = self._row(self.pool.a_month[name] if what == "kind" else self.kept[int(name)])
            of_network[what, name] = row
            if what == "kind":
                self.rows["", name] = (row, 1)
        conditions, levels = len(self.found.conditions), self.found.levels
        of_option = _together(self.of_option, (0,))
        person = _together(self.person, (0,))
        by_option: Any = sparse.csc_array(
            (
                [float(amount) for _, _, amount in self.entries],
                ([row for row, _, _ in self.entries], [option for _, option, _ in self.entries]),
            ),
            shape=(len(self.limit), len(self.options)),
        )
        spare = np.zeros((len(self.limit), len(self.lent)))
        for one, (row, times, what) in enumerate(self.lent):
            spare[row, one], spare[of_network[what], one] = -times, 1
        _, number = np.unique(person, return_inverse=True)
        columns = Columns(
            number.astype(np.int64), by_option[:, of_option], np.array(self.limit, dtype=np.float64),
            sparse.csc_array(spare), np.full(len(self.lent), np.inf), np.zeros(len(self.lent), dtype=bool),
        )  # fmt: skip
        return Offers(
            columns, person, tuple(self.options), of_option, _together(self.worth, (0, conditions)),
            _together(self.first, (0,)), _together(self.fill, (0, levels)),
            _together(self.start, (0,)).astype(bool), self.rows,
        )  # fmt: skip


def _better(order: Ints, worth: Ints, alike: Ints) -> Ints:
    """How many of the same kind (`alike`, a row each) come before each in an order and are worth no less by each
    condition; counted for up to two conditions that differ, else none is counted."""
    varied = [worth[:, column] for column in range(worth.shape[1]) if worth[:, column].any()]
    _, kind = np.unique(alike, axis=0, return_inverse=True)
    kind = kind.reshape(-1).astype(np.int64)
    if len(varied) < 2:
        return _rank_within(order, kind)
    found = np.zeros(len(order), dtype=np.int64)
    if len(varied) > 2:
        return found
    one, other = varied
    seen: dict[int, list[int]] = {}
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.arange(len(order))
    for place in np.lexsort((position, -other, -one)).tolist():
        before = seen.setdefault(int(kind[place]), [])  # the other worth of those of no less of the one, ascending
        value = int(other[place])
        found[place] = len(before) - bisect_left(before, value)
        insort(before, value)
    return found


def _rank_within(order: Ints, part: Ints) -> Ints:
    """The place of each in an order among those of the same part, from 0."""
    sorted_by_part = order[np.argsort(part[order], kind="stable")]
    starts = np.flatnonzero(np.diff(part[sorted_by_part], prepend=-1))
    lengths = np.diff(np.append(starts, len(order)))
    rank = np.empty(len(order), dtype=np.int64)
    rank[sorted_by_part] = np.arange(len(order)) - np.repeat(starts, lengths)
    return rank


def _together(parts: list, empty: tuple[int, ...]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(empty, dtype=np.int64)
