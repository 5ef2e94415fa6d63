"""Signals that are paired with another: which of a person's events have a partner, and from when on that is known.

The kernel lays out a paired signal like any other. Here the events without a partner leave their slot, and those that
stay are recorded on the day on which event and partner are both known: the later of the event's own recorded day and
of the day by which the earliest known partner had happened and was recorded. So no word need know of pairs, and none
can see a pair before its second half was in the record.

A partner of `pair: higher` (lower) is an event of the same day with a usable value below (above) the event's own; a
partner of `within days: n` is any event at most n days away, before or after.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from casefinding.definitions.shapes import Signal
from casefinding.signals.compiled import compiled

ANY, HIGHER, LOWER = 0, 1, 2
SIDE = {None: ANY, "higher": HIGHER, "lower": LOWER}


class Pairs(NamedTuple):
    """One row a slot whose signal is paired."""

    slot: np.ndarray  # int32
    partner: np.ndarray  # int32: slot of the other signal, never itself a paired one
    side: np.ndarray  # int8: ANY, HIGHER, LOWER
    days: np.ndarray  # int32: how far away a partner may be


def pairs_of(slots: list[tuple[int, int, Signal]]) -> Pairs:
    """The rows for (slot, slot of the other signal, paired signal)."""
    rows = [(slot, other, SIDE[signal.pair], signal.within_days or 0) for slot, other, signal in slots]
    table = np.array(rows, np.int64).reshape(-1, 4)
    kinds = (np.int32, np.int32, np.int8, np.int32)
    return Pairs._make([np.ascontiguousarray(table[:, at], kind) for at, kind in enumerate(kinds)])


@compiled
def keep_pairs(pairs, block, people, width):
    """In every paired slot keep only events with a partner, recorded when both are known; after values are read.

    `width`: keys a slot has. Both slots are sorted by day, so the first partner that may count only moves on.
    """
    for pair in range(pairs.slot.size):
        side, reach = pairs.side[pair], pairs.days[pair]
        for place in range(people):
            key, other = pairs.slot[pair] * width + place, pairs.partner[pair] * width + place
            start, stop = block.start[key], block.stop[key]
            if start == stop:
                continue
            first, last = block.start[other], block.stop[other]
            kept = start
            for item in range(start, stop):
                day, found, known = block.day[item], False, 0
                while first < last and block.day[first] < day - reach:
                    first += 1
                at = first
                while at < last and block.day[at] <= day + reach:
                    if (
                        side == ANY
                        or (side == HIGHER and block.value[item] > block.value[at])
                        or (side == LOWER and block.value[item] < block.value[at])
                    ):
                        when = max(block.day[at], block.recorded[at])
                        known = min(known, when) if found else when
                        found = True
                    at += 1
                if found:
                    block.day[kept], block.recorded[kept] = day, max(block.recorded[item], known)
                    block.value[kept] = block.value[item]  # where the slot reads no values, nothing does
                    kept += 1
            block.stop[key] = kept
