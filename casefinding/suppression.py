"""Secondary suppression: numbers withheld so that nobody can work out a withheld small number from the sums around it.

A count of 1 to 7 is withheld, but a total and the other parts may give it away. Whoever attacks is taken to know: every
number that is shown lies within 2 of the truth (a 0 is 0); a total, too, even where only the sum of its shown parts is
printed; a number withheld because it is small is 7 or less; and how totals are made of parts. Of each such number at
least FEWEST_POSSIBLE whole numbers must remain possible, or more is withheld: first the smallest number beside it, then
the total. The attack is a linear programme for the least and the greatest value (cell suppression and its audit:
Fischetti and Salazar-González, Management Science 2001;47:1008).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence, Set
from typing import Generic, TypeVar

from casefinding.disclosure import FEWEST, rounded

K = TypeVar("K", bound=Hashable)
Sums = Sequence[tuple[K, Sequence[K]]]

FEWEST_POSSIBLE = 4
"""So many whole numbers must remain possible for each small number that is withheld."""
_OFF = 2
"""How far a number that was rounded to 5 may lie from the truth."""
_NEARLY = 1e-6


def published(counts: Mapping[K, int], sums: Sums[K]) -> dict[K, int | None]:
    """Counts as they may be published together; None is withheld.

    `sums`: total -> its parts, each total after those of its parts; the first that names a total is how it is printed,
    the others are only what is known of it. A total is the sum of its parts as shown, and None where parts are withheld
    and the others are 0.
    KeyError for a part that has no count.

    >>> people = {"a": 3, "b": 14, "c": 21, "all": 38}
    >>> published(people, [("all", ["a", "b", "c"])])
    {'a': None, 'b': 15, 'c': 20, 'all': 35}
    """
    hidden = withheld(counts, sums)
    shown: dict[K, int | None] = {key: None if key in hidden else rounded(count) for key, count in counts.items()}
    printed: set[K] = set()
    for total, parts in sums:
        if total in printed:
            continue
        printed.add(total)
        known = [value for part in parts if (value := shown[part]) is not None]
        nothing = len(known) < len(parts) and not any(known)  # a 0 would say that there is nobody
        shown[total] = None if nothing or total in hidden else sum(known)
    return shown


def withheld(counts: Mapping[K, int], sums: Sums[K], already: Set[K] = frozenset()) -> set[K]:
    """What must not be shown: the small numbers, what is withheld already, and whatever would give one of them away."""
    attack = _Attack(counts, sums, {key for key, count in counts.items() if rounded(count) is None} | already)
    for key in _open(attack):
        while attack.tells(key):
            more = _beside(key, counts, sums, attack.hidden)
            if more is None:
                break
            attack.hide(more)
    return attack.hidden


def solved(counts: Mapping[K, int], sums: Sums[K], hidden: set[K]) -> list[K]:
    """The small numbers that could be worked out, or nearly, if just these were withheld."""
    attack = _Attack(counts, sums, set(hidden))
    return [key for key in _open(attack) if attack.tells(key)]


def possible(key: K, counts: Mapping[K, int], sums: Sums[K], hidden: set[K]) -> tuple[int, int]:
    """The least and the greatest value of one number that go with everything that is shown."""
    attack = _Attack(counts, sums, set(hidden))
    return attack.range_of(key)


def _open(attack: _Attack[K]) -> list[K]:
    """The small numbers that a few programmes for all of them together have not shown to be safe already."""
    small = [key for key, count in attack.counts.items() if rounded(count) is None]
    attack.try_all(small)
    return [key for key in small if not attack.safe(key)]


class _Attack(Generic[K]):
    """Everything an attacker knows, as a linear programme; keeps the least and greatest value met for each number.

    Withholding more only widens what is possible, so that a number once shown to be safe stays so.
    """

    def __init__(self, counts: Mapping[K, int], sums: Sums[K], hidden: set[K]) -> None:
        import numpy as np
        from scipy.sparse import csr_matrix

        self.counts, self.hidden = counts, hidden
        self.at = {key: place for place, key in enumerate(counts)}
        self.bounds = [_bounds(count, key in hidden) for key, count in counts.items()]
        rows, columns, values = [], [], []
        for line, (total, parts) in enumerate(sums):
            for name, sign in ((total, -1.0), *((part, 1.0) for part in parts)):
                rows.append(line)
                columns.append(self.at[name])
                values.append(sign)
        self.equal = csr_matrix((values, (rows, columns)), shape=(len(sums), len(counts))) if sums else None
        self.zeros = np.zeros(len(sums)) if sums else None
        self.low = np.array(list(counts.values()), dtype=float)  # the truth is possible
        self.high = self.low.copy()

    def hide(self, key: K) -> None:
        """Withhold one more."""
        self.hidden.add(key)
        self.bounds[self.at[key]] = _bounds(self.counts[key], True)

    def safe(self, key: K) -> bool:
        """Whether values far enough apart have been met."""
        place = self.at[key]
        return _width(self.low[place], self.high[place]) >= FEWEST_POSSIBLE

    def tells(self, key: K) -> bool:
        """Whether too few values are possible."""
        if self.safe(key):
            return False
        low, high = self.range_of(key)
        return high - low + 1 < FEWEST_POSSIBLE

    def range_of(self, key: K) -> tuple[int, int]:
        """The least and the greatest whole number that one number can be."""
        self._solve({key: 1.0})
        self._solve({key: -1.0})
        place = self.at[key]
        return math.ceil(self.low[place] - _NEARLY), math.floor(self.high[place] + _NEARLY)

    def try_all(self, keys: Sequence[K]) -> None:
        """Look for low and high values of many numbers at once; what is met is possible, what is not may still be."""
        for stride in (1, 2, 3, 5):
            aim = {key: 1.0 if place // stride % 2 == 0 or stride == 1 else -1.0 for place, key in enumerate(keys)}
            self._solve(aim)
            self._solve({key: -sign for key, sign in aim.items()})

    def _solve(self, aim: Mapping[K, float]) -> None:
        import numpy as np
        from scipy.optimize import linprog

        least = np.zeros(len(self.counts))
        for key, sign in aim.items():
            least[self.at[key]] = sign
        if not least.any():
            return
        # Some are withheld without a highest value; one far above the truth keeps the programme bounded.
        ends = [(low, self._far if high is None else high) for low, high in self.bounds]
        answer = linprog(least, A_eq=self.equal, b_eq=self.zeros, bounds=ends, method="highs")
        if answer.x is None:  # cannot be: the truth itself fits
            raise ArithmeticError("no numbers fit what would be published")
        self.low, self.high = np.minimum(self.low, answer.x), np.maximum(self.high, answer.x)

    @property
    def _far(self) -> float:
        return float(max(self.counts.values(), default=0) + 1000)


def _width(low: float, high: float) -> int:
    return math.floor(high + _NEARLY) - math.ceil(low - _NEARLY) + 1


def _bounds(count: int, is_hidden: bool) -> tuple[float, float | None]:
    """What is known of one number before sums are looked at."""
    if is_hidden:
        return (0, FEWEST - 1) if 0 < count < FEWEST else (0, None)
    shown = rounded(count) or 0
    return (0, 0) if shown == 0 else (max(FEWEST, shown - _OFF), shown + _OFF)


def _beside(key: K, counts: Mapping[K, int], sums: Sums[K], hidden: set[K]) -> K | None:
    """What to withhold next: the smallest shown number beside it, else a total above it, else what is beside that."""
    seen, now = {key}, [key]
    while now:
        beside, above = [], []
        for total, parts in sums:
            if any(one in parts for one in now):
                beside += [part for part in parts if part not in hidden]
                above.append(total)
            if total in now:
                beside += [part for part in parts if part not in hidden]
                above += list(parts)
        for candidates in (beside, [total for total in above if total not in hidden]):
            if candidates:
                return min(candidates, key=lambda one: (counts[one] == 0, counts[one]))
        now = [one for one in dict.fromkeys(above) if one not in seen]
        seen.update(now)
    return None
