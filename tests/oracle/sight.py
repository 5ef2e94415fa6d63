"""Which events a feature can see on an index day."""

from __future__ import annotations

import datetime as dt

from casefinding.definitions.shapes import Definitions, Feature, Signal
from tests.oracle.record import Event
from tests.oracle.value import worth

Seen = tuple[dt.date, float | None]
"""The day of an event, and its value if a word is to read it."""


def seen(
    events: tuple[Event, ...], signal: Signal, definitions: Definitions, index_day: dt.date, reads_values: bool
) -> list[Seen]:
    """Every event of a signal known before the index day, by day and then by value.

    It must have happened before the index day, and it must have been recorded before the index day.
    A word that reads values sees only events that have a usable one; so does every word if the signal has a value
    filter, keeps the implausible ones or compares the two of a pair. Otherwise an event counts whatever stands
    beside it.
    If the signal is paired, only events with a partner that was known as well are seen.
    """
    reads_values = reads_values or signal.filtered or signal.keep == "implausible" or signal.pair is not None
    found: list[Seen] = []
    for event in events:
        if not belongs(event, signal, definitions):
            continue
        if event.day >= index_day or event.recorded >= index_day:
            continue
        if signal.paired_with is not None and not has_partner(event, events, signal, definitions, index_day):
            continue
        if not reads_values:
            found.append((event.day, None))
            continue
        value = worth(event, signal)
        if value is not None:
            found.append((event.day, value))
    return sorted(found, key=lambda one: (one[0], one[1] or 0.0))


def has_partner(
    event: Event, events: tuple[Event, ...], signal: Signal, definitions: Definitions, index_day: dt.date
) -> bool:
    """Whether an event of the other signal, known before the index day, makes a pair with it.

    Of a pair of values: one of the same day, and ours is higher (or lower). Of a pair in time: one near enough.
    """
    other = definitions.signals[signal.paired_with or ""]
    if signal.pair is None:
        partners = seen(events, other, definitions, index_day, False)
        return any(abs((day - event.day).days) <= (signal.within_days or 0) for day, _ in partners)
    own = worth(event, signal)
    values = [value for day, value in seen(events, other, definitions, index_day, True) if day == event.day]
    if own is None:
        return False
    return any(own > value if signal.pair == "higher" else own < value for value in values if value is not None)


def belongs(event: Event, signal: Signal, definitions: Definitions) -> bool:
    """Whether the event's code stands in one of the signal's lists."""
    return any(
        f"{code.system}:{code.id}" == event.code for name in signal.codes for code in definitions.codelists[name].codes
    )


def window(found: list[Seen], feature: Feature, index_day: dt.date) -> list[Seen]:
    """Those in [index day - within, index day - leaving out the last): the first day counts, the last does not."""
    if feature.within != "ever":
        first = feature.within.before(index_day)
        found = [one for one in found if one[0] >= first]
    if feature.leaving_out_the_last is not None:
        stop = feature.leaving_out_the_last.before(index_day)
        found = [one for one in found if one[0] < stop]
    return found
