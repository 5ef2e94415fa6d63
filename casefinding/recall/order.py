"""The order of a list: by practice and lane; inside a lane by what cannot wait, never by chance where it is urgent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from casefinding.recall.lines import BY_CHANCE, ORDER, Line

FRESH, RECENT = 14, 90
"""Days: the bands of a reading's age in which a severe finding is told (specification 2.2)."""


def in_order(found: Sequence[Line], index_day: dt.date) -> list[Line]:
    """The lines of every practice in the order in which they are worked.

    Urgent lanes: the most severe and the freshest first (within 14 days or marked severe, within 90 days, older), then
    by the rule's priority, then the newest evidence. Review: by priority, then the newest evidence. Invitations: by
    place. Ties by pseudonym, so that the same records give the same list.
    """

    def key(line: Line) -> tuple[object, ...]:
        own = [item for item in line.items if item.lane == line.lane]
        newest = max((item.evidence_on for item in own if item.evidence_on), default=dt.date.min)
        priority = min((item.priority for item in own), default=2)
        inside: tuple[int, ...]
        if line.lane in BY_CHANCE:
            inside = (min((item.place for item in line.items if item.place), default=0),)
        elif line.lane == "review the record":
            inside = (priority, -newest.toordinal())
        else:
            age = (index_day - newest).days
            severe = any(item.severe for item in own)
            inside = (0 if severe or age <= FRESH else 1 if age <= RECENT else 2, priority, -newest.toordinal())
        return (line.practice, ORDER.index(line.lane), inside, line.pseudonym)

    return sorted(found, key=key)
