"""The order of a list: by practice and lane; inside a lane by what cannot wait, never by chance where it is urgent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from casefinding.recall.lines import BY_CHANCE, ORDER, URGENT, WITHOUT_A_PLACE, Line

FRESH, RECENT = 14, 90
"""Days: the bands of a reading's age in which a severe finding is told (specification 2.2)."""


def in_order(found: Sequence[Line], index_day: dt.date) -> list[Line]:
    """The lines of every practice in the order in which they are worked.

    Urgent lanes: marked severe and at most 90 days old, at most 14 days old, severe and older, at most 90 days old,
    older; inside each by the rule's priority, then the newest evidence. Review and chase: by priority, then the newest
    evidence. Invitations: by place. Ties by pseudonym, so that the same records give the same list.
    """

    def key(line: Line) -> tuple[object, ...]:
        own = [item for item in line.items if item.lane == line.lane]
        newest = max((item.evidence_on for item in own if item.evidence_on), default=dt.date.min)
        priority = min((item.priority for item in own), default=2)
        inside: tuple[int, ...]
        if line.lane in BY_CHANCE:
            inside = (min((item.place for item in line.items if item.place), default=0),)
        elif line.lane in WITHOUT_A_PLACE and line.lane not in URGENT:
            inside = (priority, -newest.toordinal())
        else:
            age = (index_day - newest).days
            severe = any(item.severe for item in own)
            bands = (severe and age <= RECENT, age <= FRESH, severe, age <= RECENT, True)
            inside = (bands.index(True), priority, -newest.toordinal())
        return (line.practice, ORDER.index(line.lane), inside, line.pseudonym)

    return sorted(found, key=key)
