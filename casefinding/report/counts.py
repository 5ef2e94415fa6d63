"""Tables of counts as they may leave a practice: small ones withheld, and others so that nobody can work them out.

The rule of `disclosure.rounded` (1 to 7 withheld, the rest to the nearest 5) is not enough where cells add up: a reader
who knows a total and all parts but one knows the last as well. So more is withheld until, in every sum that the tables
allow, enough numbers remain possible for each small count. The reader is taken to know what `suppression` takes them to
know. That room solves all sums at once, as a linear programme for each small count, and suits tables of some hundred
cells; here are tens of thousands that all hang together (each practice by each flag by each level), so each sum is
looked at for itself, again and again until nothing changes; small tables are then held to the stricter rule as well.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from casefinding import suppression
from casefinding.disclosure import FEWEST, rounded
from casefinding.suppression import FEWEST_POSSIBLE

Key = TypeVar("Key", bound=Hashable)
ALL_AT_ONCE = 200
"""Counts up to which all sums are solved together as well."""
HALF = 2
"""How far a count rounded to the nearest 5 can lie from what it was."""


def published(
    counts: Mapping[Key, int],
    sums: Iterable[tuple[Key, Sequence[Key]]],
    hidden: frozenset[Key] | set[Key] = frozenset(),
) -> dict[Key, int | None]:
    """Every count as it may be shown: rounded, or None where it is withheld.

    `sums`: a key whose count is the sum of the counts of other keys. `hidden`: keys that are never shown (what is left
    of a group when a flag is taken from it); they are protected too, by withholding what would tell them.

    >>> published({"all": 53, "a": 47, "b": 6}, [("all", ("a", "b"))])  # 55 less 45: b could only be 6 or 7
    {'all': 55, 'a': None, 'b': None}
    >>> published({"all": 55, "a": 50, "b": 5}, [("all", ("a", "b"))])  # 55 less 50: it could be 1 to 7
    {'all': 55, 'a': 50, 'b': None}
    """
    withheld = {key for key, count in counts.items() if rounded(count) is None} | set(hidden)
    relations = [(whole, tuple(parts)) for whole, parts in sums]
    of_key: dict[Key, list[int]] = {}
    for number, (whole, parts) in enumerate(relations):
        for key in (whole, *parts):
            of_key.setdefault(key, []).append(number)
    waiting = deque(range(len(relations)))
    queued = [True] * len(relations)
    while waiting:
        number = waiting.popleft()
        queued[number] = False
        whole, parts = relations[number]
        more = _also(counts, whole, parts, withheld, hidden)
        if more is None:
            continue
        withheld.add(more)
        for other in of_key[more]:
            if not queued[other]:
                queued[other] = True
                waiting.append(other)
    if len(counts) <= ALL_AT_ONCE:
        withheld = suppression.withheld(counts, relations, withheld)
    return {key: None if key in withheld else rounded(count) for key, count in counts.items() if key not in hidden}


def _also(
    counts: Mapping[Key, int], whole: Key, parts: Sequence[Key], withheld: set[Key], hidden: frozenset[Key] | set[Key]
) -> Key | None:
    """What else must be withheld so that this sum tells of no count of 1 to 7; None if it tells of none."""
    small = [key for key in (whole, *parts) if key in withheld and 0 < counts[key] < FEWEST]
    if not small:
        return None
    span = {key: _span(counts[key], key in withheld, key in hidden) for key in (whole, *parts)}
    for key in small:
        others = [one for one in parts if one != key]
        lowest, highest = sum(span[one][0] for one in others), sum(span[one][1] for one in others)
        if key == whole:
            low, high = lowest, highest
        else:
            low, high = span[whole][0] - highest, span[whole][1] - lowest
        if min(high, FEWEST - 1) - max(low, 0) + 1 < FEWEST_POSSIBLE:
            shown = sorted((counts[one], at) for at, one in enumerate(parts) if _shown(one, counts, withheld))
            if shown:
                return parts[shown[0][1]]
            if _shown(whole, counts, withheld):
                return whole
    return None


def _shown(key: Key, counts: Mapping[Key, int], withheld: set[Key]) -> bool:
    return key not in withheld and counts[key] > 0


def _span(count: int, withheld: bool, hidden: bool) -> tuple[float, float]:
    """From what to what a reader knows a count to lie; a count that is never shown may be any, small or not."""
    if withheld:
        return (0, FEWEST - 1) if 0 < count < FEWEST and not hidden else (0, math.inf)
    shown = rounded(count) or 0
    return (max(shown - HALF, FEWEST), shown + HALF) if shown else (0, 0)
