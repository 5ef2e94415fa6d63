"""The best choice of some columns within some rows, by HiGHS: one aim after the other, each exactly.

An aim is a whole number for every column; the best sum is found among all choices that were best by every aim before.
The choice is proved best thus: linear programming over a part of the columns gives prices of the rows; a column whose
worth is more than what it uses at those prices joins, until there is none, so the bound holds for all columns. Rows
that only whole choices keep bring the bound down (cuts). A column that is worth less than its prices by more than the
bound lies above the best whole choice known can be in no better one, and is left out before the integer programme is
solved (reduced cost fixing).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from casefinding.recall.choice.cuts import Cuts, broken

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_HAIR = 1e-6
"""By how much a column's worth must be over its price to count; whole numbers are 1 apart."""
_NEAR = 1e-2
"""More than all hairs together."""
_JOIN = 4000
"""Columns that join at once."""
MANY = 6000
"""Columns among which something is looked for that fits at all."""
_ROUNDS = 20
"""How often cuts are looked for."""
_LITTLE = 0.01
"""What a round of cuts must bring the bound down by, of all that cuts have, for another."""
LONGEST = 30.0
"""Seconds after which an integer programme is stopped; what it then lacks of a proof is said in the gap."""


class NoChoice(Exception):
    """Nothing fits what is required, or nothing was found in the time given."""


@dataclass
class Columns:
    """What can be chosen: each column at most once, and of the columns of one person at most one.

    Rows hold: `uses` @ chosen + `spare` @ y <= `limit`, where 0 <= y <= `spare_limit`, whole where `spare_whole`.
    All numbers of `uses` are whole.
    """

    person: Ints  # (m)
    uses: Any  # (r, m), sparse by columns
    limit: Floats  # (r)
    spare: Any  # (r, e), sparse by columns
    spare_limit: Floats  # (e)
    spare_whole: Bools  # (e)

    @property
    def number(self) -> int:
        return len(self.person)


@dataclass
class Aim:
    """One aim: the columns' and the spares' worth, whole numbers, to be as large as possible in sum."""

    name: str
    of: Ints  # (m)
    spare: Ints  # (e)


@dataclass
class Best:
    """The columns chosen, the sum reached by each aim, how far that may be from the best (0: proved best)."""

    chosen: Ints
    spare: Floats
    reached: dict[str, int]
    gap: float


class Search:
    """Solves aims in order over one set of columns."""

    def __init__(self, columns: Columns, start: Bools) -> None:
        self._given = columns
        self._open = np.ones(columns.number, dtype=bool)  # may still be in a best choice
        self._held = start.copy()  # in the linear programme
        self._uses: Any = columns.uses
        self._spare: Any = columns.spare
        self._limit = np.array(columns.limit, dtype=np.float64)
        self._cuts = Cuts.none(columns.number, columns.spare.shape[1])
        self._chosen: Ints | None = None  # None: nothing was solved yet
        self._y = np.zeros(columns.spare.shape[1])
        self._row_prices = np.zeros(0)
        self.reached: dict[str, int] = {}
        self.gap = 0.0

    def best(self, aim: Aim) -> None:
        """Reach as much of an aim as the aims before allow, and hold on to it."""
        if not aim.of[self._open].any() and not aim.spare.any():
            self.require(aim, 0)
            return
        bound, over, x, y, cols = self._linear(aim, self._limit, self._open)
        best, chosen, spare = self._as_it_stands(aim)
        whole = self._given.spare_whole
        if _whole(x) and _whole(y[whole]):
            taken = cols[np.rint(x) > 0]
            reached = _sum(aim, taken, y)
            if best is None or reached >= best:
                best, chosen, spare = reached, taken, y
        if best is None or np.floor(bound + _NEAR) > best:
            bound, over = self._cut(aim, bound, over, x, y, cols)
            best, chosen, spare = self._integers(aim, bound, over, best, chosen, spare)
        self._open &= bound + over >= best - _NEAR
        self._open[chosen] = True
        self._held &= self._open
        self._held[chosen] = True
        self._chosen, self._y, self.reached[aim.name] = chosen, spare, best
        self._hold_on(aim, best)

    def require(self, aim: Aim, reached: int) -> None:
        """Take as given what an aim reaches at least, where nothing can reach more: it is not solved for."""
        self._hold_on(aim, reached)
        self.reached[aim.name] = reached

    def bound(self, aim: Aim) -> int:
        """What an aim can reach at most under the aims before it."""
        return int(np.floor(self._linear(aim, self._limit, self._open)[0] + _NEAR))

    def result(self) -> Best:
        """The choice that stands."""
        chosen = np.zeros(0, dtype=np.int64) if self._chosen is None else np.sort(self._chosen)
        return Best(chosen, self._y, self.reached, self.gap)

    def prices(self, aim: Aim, more: Floats) -> Floats:
        """What one more of each row's limit adds to an aim at most, under the aims before it; >= 0.

        After the rows as given stand the prices of what the aims before must reach, in their order.

        `more` (rows as given): a hair of slack in each row that is priced. Of several right prices those of one more
        are found thus, not those of one fewer. All columns count, also those that no best choice can hold.
        """
        limit = self._limit.copy()
        limit[: len(more)] += more
        self._linear(aim, limit, np.ones(self._given.number, dtype=bool))
        self._held &= self._open
        return self._row_prices

    def reached_with(self, aim: Aim, row: int, more: int) -> int:
        """What an aim would reach with more of one row's limit, if the linear programme answers in whole numbers; else
        what it reaches without."""
        limit = self._limit.copy()
        limit[row] += more
        bound, _, x, _, _ = self._linear(aim, limit, np.ones(self._given.number, dtype=bool))
        self._held &= self._open
        return int(np.rint(bound)) if _whole(x) else self.reached[aim.name]

    # ------------------------------------------------------------------ the linear programme

    def _cut(self, aim: Aim, bound: float, over: Floats, x: Floats, y: Floats, cols: Ints) -> tuple[float, Floats]:
        """The bound and what columns are worth over their prices, with cuts added while they bring the bound down."""
        first = bound
        for _ in range(_ROUNDS):
            at = np.zeros(self._given.number)
            at[cols] = x
            more = broken(self._uses, self._spare, self._limit, self._given.spare_whole, at, y)
            if not more:
                break
            self._cuts = self._cuts.and_(more)
            before = bound
            bound, over, x, y, cols = self._linear(aim, self._limit, self._open, self._cuts)
            if before - bound < max(1.0, _LITTLE * (first - bound)):
                break
        return bound, over

    def _linear(
        self, aim: Aim, limit: Floats, among: Bools, cuts: Cuts | None = None
    ) -> tuple[float, Floats, Floats, Floats, Ints]:
        from scipy.optimize import linprog

        people = self._given.person
        number = int(people.max(initial=-1)) + 1
        uses: Any = self._uses if cuts is None else sparse.vstack([self._uses, cuts.uses], format="csc")
        spare: Any = self._spare if cuts is None else sparse.vstack([self._spare, cuts.spare], format="csc")
        limit = limit if cuts is None else np.concatenate([limit, cuts.limit])
        while True:
            cols = np.flatnonzero(self._held)
            known, own = np.unique(people[cols], return_inverse=True)
            once = sparse.csr_array((np.ones(len(cols)), (own, np.arange(len(cols)))), shape=(len(known), len(cols)))
            none: Any = sparse.csr_array((len(known), self._spare.shape[1]))
            rows: Any = sparse.block_array([[uses[:, cols], spare], [once, none]], format="csr")
            if rows.shape[1] == 0:
                self._row_prices = np.zeros(len(limit))
                return 0.0, np.zeros(0), np.zeros(0), np.zeros(0), cols
            upper = np.concatenate([np.full(len(cols), np.inf), self._given.spare_limit])
            found = linprog(
                -np.concatenate([aim.of[cols], aim.spare]).astype(np.float64),
                A_ub=rows, b_ub=np.concatenate([limit, np.ones(len(known))]),
                bounds=np.column_stack([np.zeros(len(upper)), upper]), method="highs",
            )  # fmt: skip
            if found.status != 0:
                raise NoChoice
            prices = np.maximum(0.0, -found.ineqlin.marginals)
            self._row_prices = prices[: len(limit)]
            of_person = np.zeros(number)
            of_person[known] = prices[len(limit) :]
            over = aim.of - uses.T @ self._row_prices - of_person[people]
            joining = np.flatnonzero((over > _HAIR) & among & ~self._held)
            if not len(joining):
                break
            self._held[joining[np.argsort(-over[joining], kind="stable")[:_JOIN]]] = True
        return -float(found.fun), over, found.x[: len(cols)], found.x[len(cols) :], cols

    # ------------------------------------------------------------------ the integer programme

    def _integers(
        self, aim: Aim, bound: float, over: Floats, best: int | None, chosen: Ints, spare: Floats
    ) -> tuple[int, Ints, Floats]:
        """The best whole choice: first among the columns nearest to their price, for something to compare with; then
        among all that could be in a better one, unless there is none beside the first."""
        near = np.zeros(len(over), dtype=bool)
        proved = True
        if best is None:
            most = float(aim.of.max(initial=1))
            for width in (0.01, 0.05, 0.0):
                near |= self._held & (over > -width * most - 1)
                found, proved = self._integer(aim, near)
                if found is not None:
                    best, chosen, spare = found
                    break
                if width == 0.05:
                    nearest = np.argsort(-np.where(self._open, over, -np.inf), kind="stable")[:MANY]
                    near[nearest[self._open[nearest]]] = True
        if best is None:
            raise NoChoice
        if np.floor(bound + _NEAR) > best and proved:
            better = self._open & (bound + over >= best + 1 - _NEAR)
            if (better & ~near).any():
                found, proved = self._integer(aim, better, best + 1)
                if found is not None and found[0] > best:
                    best, chosen, spare = found
        if np.floor(bound + _NEAR) > best and not proved:
            self.gap = max(self.gap, (bound - best) / max(1.0, abs(bound)))
        return best, chosen, spare

    def _integer(
        self, aim: Aim, among: Bools, at_least: int | None = None
    ) -> tuple[tuple[int, Ints, Floats] | None, bool]:
        """The best of some columns, None where nothing fits (or is `at_least` so good); and whether that is proved."""
        from scipy.optimize import Bounds, LinearConstraint, milp

        among = among.copy()
        if self._chosen is not None:
            among[self._chosen] = True
        cols = np.flatnonzero(among)
        extra = self._spare.shape[1]
        _, own = np.unique(self._given.person[cols], return_inverse=True)
        several = np.bincount(own) > 1
        kept = several[own]
        place = np.cumsum(several) - 1
        once = sparse.csr_array(
            (np.ones(int(kept.sum())), (place[own[kept]], np.flatnonzero(kept))),
            shape=(int(several.sum()), len(cols) + extra),
        )
        worth = -np.concatenate([aim.of[cols], aim.spare]).astype(np.float64)
        rows: Any = sparse.vstack(
            [
                sparse.hstack([self._uses[:, cols], self._spare]),
                sparse.hstack([self._cuts.uses[:, cols], self._cuts.spare]),
                once, sparse.csr_array(worth[None, :]),
            ], format="csr",
        )  # fmt: skip
        least = np.inf if at_least is None else float(-at_least)
        limit: Any = np.concatenate([self._limit, self._cuts.limit, np.ones(int(several.sum())), [least]])
        upper: Any = np.concatenate([np.ones(len(cols)), self._given.spare_limit])
        found = milp(
            worth,
            integrality=np.concatenate([np.ones(len(cols)), self._given.spare_whole.astype(float)]),
            bounds=Bounds(0, upper), constraints=LinearConstraint(rows, -np.inf, limit),
            options={"mip_rel_gap": 0.0, "time_limit": LONGEST},
        )  # fmt: skip
        proved = found.status in (0, 2)  # the best, or nothing fits
        if found.x is None:
            return None, proved
        taken = cols[np.rint(found.x[: len(cols)]) > 0]
        y = np.where(self._given.spare_whole, np.rint(found.x[len(cols) :]), found.x[len(cols) :])
        return (_sum(aim, taken, y), taken, y), proved

    # ------------------------------------------------------------------

    def _as_it_stands(self, aim: Aim) -> tuple[int | None, Ints, Floats]:
        """What the choice of the aims before gives of this one: a start that is always allowed."""
        if self._chosen is None:
            return None, np.zeros(0, dtype=np.int64), self._y
        return _sum(aim, self._chosen, self._y), self._chosen, self._y

    def _hold_on(self, aim: Aim, reached: int) -> None:
        self._uses = sparse.vstack([self._uses, sparse.csr_array(-aim.of[None, :])], format="csc")
        self._spare = sparse.vstack([self._spare, sparse.csr_array(-aim.spare[None, :])], format="csc")
        self._limit = np.append(self._limit, float(-reached))


def _sum(aim: Aim, taken: Ints, y: Floats) -> int:
    return int(aim.of[taken].sum()) + int(aim.spare @ np.rint(y).astype(np.int64))


def _whole(values: Floats) -> bool:
    return bool(np.abs(values - np.rint(values)).max(initial=0.0) < 1e-6)
