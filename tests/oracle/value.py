"""What a recorded number is worth to a signal.

A number is worth nothing (None) if the event has none, if its unit is not known, if it is implausible, or if the
signal's value filter does not want it. A signal that keeps the implausible ones does so that a person can look at them:
it wants what is implausible, and also every number in a unit that is not known, as it was written.
"""

from __future__ import annotations

import math
import struct
from decimal import ROUND_HALF_UP, Decimal

from casefinding.definitions.shapes import Signal
from tests.oracle.record import Event


def worth(event: Event, signal: Signal) -> float | None:
    """The value in the signal's unit, or None if no word may read it."""
    if event.value is None or signal.unit is None:
        return None
    written = as_written(event.value)
    converted = in_own_unit(written, event.unit, signal)
    if signal.keep == "plausible":
        if converted is None or not plausible(converted, signal):
            return None
    elif converted is None:
        converted = written
    elif plausible(converted, signal):
        return None
    value = compared(float(converted), event.comparator)
    return value if wanted(value, signal) else None


def as_written(value: float) -> Decimal:
    """The store keeps 32 bits of a number; its six significant digits are what somebody wrote."""
    kept = struct.unpack("f", struct.pack("f", value))[0]
    return six_digits(Decimal(kept))


def six_digits(number: Decimal) -> Decimal:
    """Rounded to six significant digits, halves away from zero; very large and very small numbers are left alone."""
    if not Decimal("0.000001") <= abs(number) < Decimal(1_000_000):
        return number
    return number.quantize(Decimal(1).scaleb(number.adjusted() - 5), rounding=ROUND_HALF_UP)


def in_own_unit(number: Decimal, unit: str, signal: Signal) -> Decimal | None:
    """Converted to the signal's unit; None if the unit is unknown to it. Case and spaces do not matter in a unit."""
    text = _plain(unit)
    if text == "":
        for guess in signal.unitless:
            if guess.at_least <= float(number) < guess.below:
                return _converted(number, guess.times, guess.plus)
        return number
    if text == _plain(signal.unit or ""):
        return number
    for name, conversion in signal.units.items():
        if _plain(name) == text:
            return _converted(number, conversion.times, conversion.plus)
    return None


def plausible(number: Decimal, signal: Signal) -> bool:
    """Whether it lies in the plausible range; both ends belong to it."""
    assert signal.plausible is not None
    return signal.plausible[0] <= float(number) <= signal.plausible[1]


def compared(value: float, comparator: str) -> float:
    """What was recorded as less than 0.70 is the next number below it, and what was more than 90 the next above."""
    if comparator == "":
        return value
    return math.nextafter(value, -math.inf if comparator == "<" else math.inf)


def wanted(value: float, signal: Signal) -> bool:
    """Whether the value filter lets it through."""
    return (
        (signal.at_least is None or value >= signal.at_least)
        and (signal.above is None or value > signal.above)
        and (signal.at_most is None or value <= signal.at_most)
        and (signal.below is None or value < signal.below)
    )


def _converted(number: Decimal, times: float, plus: float) -> Decimal:
    if (times, plus) == (1.0, 0.0):
        return number
    return six_digits(number * Decimal(repr(times)) + Decimal(repr(plus)))


def _plain(unit: str) -> str:
    return unit.lower().replace(" ", "")
