"""Whom to invite to what: the best choice within what practices and networks can do in a month.

The best, in this order: the places kept for people never measured are filled; the equity floors are met; as many people
as fit whom a priority-1 rule names; the most expected confirmed cases; what is left goes to people whom a rule names
and no model ranks, by the rule's priority. One visit a person, with all its tests that there is room for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from casefinding.definitions.capacity import Capacities, Equity
from casefinding.definitions.visits import Visit, offered
from casefinding.recall.choice.candidates import PARTS, Ints, candidates
from casefinding.recall.choice.chosen import Chosen, Use
from casefinding.recall.choice.exact import MANY, Aim, NoChoice, Search
from casefinding.recall.choice.floors import SHORT, Floor, cells, groups, listed_by_group, measured, with_floors
from casefinding.recall.choice.greedy import greedy
from casefinding.recall.choice.offers import FIRST, WORTH, Offers, Option, offers
from casefinding.recall.lines import WITHOUT_A_PLACE
from casefinding.recall.view import View

NEARLY = 10
"""Steps of a hundredth of a case: where not all floors can be met, by how much more than the least may be lacking."""
_HAIR_OF_ROOM = 1e-3
"""Of one place: the slack by which prices are those of one more and not of one fewer."""


def choose(
    views: Sequence[View],
    base: pa.Table,
    visits: Sequence[Visit],
    capacity: Capacities,
    equity: Equity,
    network_of: Mapping[str, str],
) -> Chosen:
    """The choice for everybody in `base` (n rows: practice, age, ethnicity, imd_decile), network by network.

    `visits`: of the definitions; a test that none holds is a visit of its own. `network_of`: practice -> the network
    whose capacity it shares ("" or missing: none).
    """
    return _Choice(views, base, visits, capacity, equity, network_of).chosen()


@dataclass(frozen=True)
class _Seats:
    """Rows of people with a visit, in order, their options, and what these are worth by condition (., c)."""

    rows: Ints
    options: Sequence[Option]
    worth: Ints


def _worth(seats: Sequence[_Seats]) -> tuple[Ints, Ints]:
    """The rows and the worth of all of them."""
    return np.concatenate([one.rows for one in seats]), np.concatenate([one.worth for one in seats])


class _Choice:
    def __init__(
        self,
        views: Sequence[View],
        base: pa.Table,
        visits: Sequence[Visit],
        capacity: Capacities,
        equity: Equity,
        network_of: Mapping[str, str],
    ) -> None:
        self.views, self.base, self.capacity, self.equity = views, base, capacity, equity
        self.found = candidates(views)
        every = offered(visits, self.found.tests)
        self.visits = [one for one in every if one.holds]
        self.work = [one for one in every if one.lanes]
        self.practice = base["practice"].to_numpy(zero_copy_only=False).astype(str)
        self.age = np.asarray(base["age"].fill_null(0).to_numpy(zero_copy_only=False), dtype=np.int64)
        self.networks: dict[str, list[str]] = {}
        for code in np.unique(self.practice).tolist():
            self.networks.setdefault(network_of.get(code, ""), []).append(code)
        self.kept: dict[str, set[int]] = {name: set() for name in self.found.conditions}
        self.places = {name: np.zeros(base.num_rows, dtype=np.int32) for name in self.found.conditions}
        self.visit = np.full(base.num_rows, "", dtype=object)
        self.use: list[Use] = []
        self.floors: list[Floor] = []
        self.sums = {name: np.zeros(len(views), dtype=np.int64) for name in ("with", "without", "plain")}
        self.gap = 0.0

    def chosen(self) -> Chosen:
        for name, practices in self.networks.items():
            self._network(name, {code: np.flatnonzero(self.practice == code) for code in practices})
        cases = {
            name: dict(zip(self.found.conditions, (total / PARTS).tolist(), strict=True))
            for name, total in self.sums.items()
        }
        return Chosen(
            self.places, self.visit, {one.name: one.label for one in self.visits}, tuple(self.use), cases["with"],
            cases["without"], cases["plain"], tuple(self.floors), self.gap,
        )  # fmt: skip

    # ------------------------------------------------------------------ one network

    def _network(self, name: str, practices: Mapping[str, Ints]) -> None:
        shared = any(self.capacity.of_network(name).a_month.values())
        alone = [practices] if shared else [{code: rows} for code, rows in practices.items()]
        without, seats, prices = _Free(), [], {}
        nobody = np.zeros(len(self.practice), dtype=np.int64)
        for some in alone:
            made = offers(self.found, self.visits, self.capacity, some, name, self.age)
            self.sums["plain"] += made.worth[greedy(made)].sum(axis=0)
            taken, priced, gap = without.solved(made)
            seats.append(self._seated(made, taken, nobody))
            prices.update(priced)
            self.gap = max(self.gap, gap)
        rows, worth = _worth(seats)
        self.sums["without"] += worth.sum(axis=0)

        here = np.isin(self.practice, list(practices))
        owed = groups(self.base, here, self.equity)
        cell = cells(owed, len(here))
        wanted = measured(name, self.views, owed, here, self.equity, rows, worth)
        if not wanted.met():
            made = offers(self.found, self.visits, self.capacity, practices, name, self.age, cell)
            made, aims = with_floors(made, wanted)
            try:
                taken, priced, gap = _floored(made, aims, without)
            except NoChoice:  # none was found in the time given: the list without floors stands, and its gap says so
                gap = 1.0
            else:
                # Where the best was not proved, its prices mean nothing: those without floors stand.
                prices = priced if gap == 0 else prices
                seats = [self._seated(made, taken, cell)]
                rows, worth = _worth(seats)
            self.gap = max(self.gap, gap)
        self.sums["with"] += worth.sum(axis=0)
        self.floors += wanted.records(listed_by_group(owed, rows, worth))
        for one in seats:
            for row, option in zip(one.rows.tolist(), one.options, strict=True):
                self._invite(row, option)
        self._order(practices)
        self._uses(name, practices, prices, seats)

    def _seated(self, made: Offers, taken: Ints, cell: Ints) -> _Seats:
        """Who has which option: of people alike in everything that was weighed, the first rows."""
        option = dict(zip(made.people[taken].tolist(), made.of_option[taken].tolist(), strict=True))
        people = np.unique(made.people)
        found = self.found
        limits = np.array(sorted({visit.age_at_least for visit in self.visits}))
        _, code = np.unique(self.practice[people], return_inverse=True)
        alike = np.column_stack(
            [
                code.reshape(-1), np.searchsorted(limits, self.age[people], side="right"), cell[people],
                found.first[people], found.fill[people], found.may[people], found.never[people],
                found.worth[people], found.need[people],
            ]
        )  # fmt: skip
        _, part = np.unique(alike, axis=0, return_inverse=True)
        by_part: dict[int, list[int]] = {}
        for row, number in zip(people.tolist(), part.reshape(-1).tolist(), strict=True):
            by_part.setdefault(number, []).append(row)
        seats: list[tuple[int, int]] = []
        for members in by_part.values():
            options = sorted(option[row] for row in members if row in option)
            seats += zip(members, options, strict=False)
        seats.sort()
        options = [made.options[number] for _, number in seats]
        rows = np.array([row for row, _ in seats], dtype=np.int64)
        return _Seats(rows, options, found.of(rows, [one.tests for one in options], [one.kept for one in options]))

    def _invite(self, row: int, option: Option) -> None:
        self.visit[row] = self.visits[option.visit].name
        for condition, test in enumerate(self.found.test_of):
            if test in option.tests and self.found.may[row, condition]:
                name = self.found.conditions[condition]
                self.places[name][row] = 1
                if test in option.kept or not self.found.ruled[row, condition]:
                    self.kept[name].add(row)

    def _order(self, practices: Mapping[str, Ints]) -> None:
        """The order of invitation: by rule and chance first, then those never measured, by what is expected."""
        for condition, name in enumerate(self.found.conditions):
            place, kept = self.places[name], self.kept[name]
            for rows in practices.values():
                mine = rows[place[rows] > 0]
                last = np.array([row in kept for row in mine.tolist()], dtype=bool)
                rank = np.where(last, self.found.never_order[condition][mine], self.found.order[condition][mine])
                place[mine[np.lexsort((rank, last))]] = np.arange(1, len(mine) + 1)

    # ------------------------------------------------------------------ what it uses

    def _uses(
        self,
        name: str,
        practices: Mapping[str, Ints],
        prices: Mapping[tuple[str, str], float],
        seats: Sequence[_Seats],
    ) -> None:
        used: dict[tuple[str, str], float] = {}
        for one in seats:
            for code, option in zip(self.practice[one.rows].tolist(), one.options, strict=True):
                for kind, amount in option.uses.items():
                    used[code, kind] = used.get((code, kind), 0.0) + float(amount)
        reviews = self._work()
        pool = self.capacity.of_network(name)
        kinds = dict.fromkeys(kind for visit in self.visits for uses in visit.holds.values() for kind in uses)
        kinds.update(dict.fromkeys(kind for _, kind in prices))
        beyond: dict[str, float] = {}
        for code, rows in practices.items():
            stated = self.capacity.of(code).a_month
            for kind in kinds:
                if (code, kind) in prices:
                    mine = used.get((code, kind), 0.0)
                    beyond[kind] = beyond.get(kind, 0.0) + max(0.0, mine - stated.get(kind, 0))
                    self.use.append(Use(code, False, kind, stated.get(kind, 0), mine, prices[code, kind]))
            for kind in dict.fromkeys(kind for visit in self.work for kind in visit.kinds):
                needed = float(sum(reviews[kind][rows]))
                self.use.append(Use(code, False, kind, stated.get(kind, 0), needed, None))
        for kind in kinds if name else ():
            best = max((price for (_, one), price in prices.items() if one == kind), default=None)
            price = prices.get(("", kind), best)
            if price is not None:
                mine = min(beyond.get(kind, 0.0), float(pool.a_month.get(kind, 0)))
                self.use.append(Use(name, True, kind, pool.a_month.get(kind, 0), mine, price))

    def _work(self) -> dict[str, np.ndarray]:
        """What the lines without a place ask for in work on records, by kind, a row: each person's most urgent lane."""
        lane = np.full(self.base.num_rows, "", dtype=object)
        for one in reversed(WITHOUT_A_PLACE):
            for view in self.views:
                for mask in view.fired(one).values():
                    lane[mask] = one
        found: dict[str, np.ndarray] = {}
        for visit in self.work:
            for one, uses in visit.lanes.items():
                for kind, amount in uses.items():
                    found.setdefault(kind, np.zeros(len(lane)))[lane == one] += amount
        return {kind: found.get(kind, np.zeros(len(lane))) for visit in self.work for kind in visit.kinds}


Prices = dict[tuple[str, str], float]
"""(Practice, kind) or ("", kind) of the network -> expected cases that one more of it adds at most."""
Solved = tuple[Ints, Prices, float]
"""The columns chosen, the prices, the gap."""


class _Free:
    """What the choices without floors reached, and how many more priority-1 people one more of a kind brings."""

    def __init__(self) -> None:
        self.reached: dict[str, int] = {}
        self.more_first: dict[tuple[str, str], int] = {}

    def solved(self, made: Offers) -> Solved:
        """The aims that count people as high as the linear programme says; if that cannot be had, aim after aim."""
        aims = made.aims()
        try:
            search = Search(made.columns, made.start)
            found = _from(search, made, aims, 2, self.more_first)
        except NoChoice:
            search = Search(made.columns, made.start)
            found = _from(search, made, aims, 0, self.more_first)
        for name, number in search.reached.items():
            self.reached[name] = self.reached.get(name, 0) + number
        return found


def _floored(made: Offers, aims: Sequence[Aim], free: _Free) -> Solved:
    """The same under equity floors.

    No choice under floors keeps more places or holds more priority-1 people than the best without, and none is less
    short than the linear programme says. So that is asked for first, and where all of it can be had, it is the best.
    Else aim after aim, where there are few columns; with many, all aims at once, each weighed far above the next, and
    the gap says how far from the best that may be.
    """
    kept, short, first = aims[:3]
    few = made.columns.number <= MANY
    for allowed in (0,) if few else (0, NEARLY + int(np.count_nonzero(short.spare))):  # a floor is counted in steps
        try:
            search = Search(made.columns, made.start)
            search.require(kept, free.reached[kept.name])
            least = search.bound(short)
            if allowed == 0 and least < 0:
                continue
            search.require(short, least - allowed)
            search.require(first, min(free.reached[first.name], search.bound(first)))
            return _from(search, made, aims, 3, free.more_first)
        except NoChoice:
            continue
    if few:
        return _from(Search(made.columns, made.start), made, aims, 0, free.more_first)
    return _weighed(made, aims, free)


def _weighed(made: Offers, aims: Sequence[Aim], free: _Free) -> Solved:
    """Kept places as without floors; what floors lack a hundred times worse than cases missed, priority 1 a case."""
    kept, short, first, worth = aims[:4]
    search = Search(made.columns, made.start)
    search.require(kept, free.reached[kept.name])
    least, most = search.bound(short), search.bound(first)
    together = Aim(WORTH, worth.of + PARTS * first.of, short.spare * PARTS)
    chosen, priced, gap = _from(search, made, [kept, together], 1, {})
    bound = (most + least) * PARTS + int(worth.of[chosen].sum())
    return chosen, priced, max(gap, (bound - search.reached[WORTH]) / max(bound, 1))


def _from(
    search: Search, made: Offers, aims: Sequence[Aim], start: int, more_first: dict[tuple[str, str], int]
) -> Solved:
    """Solve the aims from `start` on, and price what there is by the expected cases.

    What the aims before must reach and was not required yet is what the linear programme says they can at most:
    NoChoice if that cannot be had. One more of a kind first goes to more priority-1 people, where there are more: what
    they take from the expected cases is taken off its price. `more_first` is filled without floors, and else read.
    """
    hair = np.zeros(len(made.columns.limit))
    for row, times in made.rows.values():
        hair[row] = _HAIR_OF_ROOM * times
    prices: Prices = dict.fromkeys(made.rows, 0.0)
    free = SHORT not in [aim.name for aim in aims]
    for place, aim in enumerate(aims):
        if aim.name in search.reached:
            continue
        of_first = aim.name == FIRST and free and bool(aim.of.any())
        priced = search.prices(aim, hair) if of_first or (aim.name == WORTH and made.columns.number) else np.zeros(0)
        if place < start:
            search.require(aim, search.bound(aim))
        else:
            search.best(aim)
        if of_first:
            for key, (row, times) in made.rows.items():
                if priced[row] * times > 1 - 1e-6:
                    more_first[key] = search.reached_with(aim, row, times) - search.reached[aim.name]
        if aim.name == WORTH and len(priced):
            before = [one.name for one in aims[:place]]
            taken = float(priced[len(hair) + before.index(FIRST)]) if FIRST in before else 0.0
            for key, (row, times) in made.rows.items():
                prices[key] = max(0.0, float(priced[row]) * times - taken * more_first.get(key, 0)) / PARTS
    best = search.result()
    return best.chosen, prices, best.gap
