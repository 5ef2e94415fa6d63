"""What a recorded number is worth: read as a decimal, brought to the signal's unit, held against range and filter.

A value is held (it stands in the record, but no word reads it) if it is empty, in an unknown unit, or outside the
plausible range. A signal with `keep: implausible` reads only such values, so that a person can check them; an empty one
has nothing to read. The rules, in order:

1. The store keeps values in 32 bits, in which 0.7 is 0.69999999; they are read as the decimal with six significant
   digits that was written, or "below 0.70" would hold for a ratio of 0.70.
2. With a unit: the signal's own is taken as it is, one of `units` is converted; any other is unknown.
   Without a unit: the first guess of `unitless` whose range holds the number converts it; without such a guess it
   is taken to be in the signal's own unit.
3. The converted value is rounded to six significant digits again: 18.6651 kPa are 140 mmHg, not 139.9998.
4. `plausible` (both ends included), or what it refuses with `keep: implausible`. In an unknown unit there is nothing
   to convert by and no range to hold it against: `keep: plausible` holds the value, `keep: implausible` takes the
   number as it was written.
5. What was recorded as "<0.70" is the next number below 0.7, and ">90" the next above 90: by a last binary digit,
   which no sentence shows, but "below 0.70" holds. The range is asked before, of the number as written. (The store
   keeps "<=" as "<" and ">=" as ">".)
6. The value filter.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from casefinding.definitions.shapes import Signal
from casefinding.definitions.units import NUDGE, TENS, conversions, same_unit
from casefinding.signals.compiled import compiled

UNKNOWN, OWN, CONVERT, GUESS, AS_WRITTEN = 0, 1, 2, 3, 4
"""What a unit is to a signal: unknown, its own, one to convert from, not recorded and to be guessed, or unknown to a
signal that keeps the implausible: the number is then taken as it was written."""

LESS, MORE = 1, 2
"""What the store keeps of "<" (or "<=") and ">" (or ">=") before a number; 0: nothing."""


class Reading(NamedTuple):
    """How values are read, by slot (a signal as the kernel sees it) and unit number."""

    state: np.ndarray  # int8 (slots, units): UNKNOWN, OWN, CONVERT, GUESS, AS_WRITTEN
    times: np.ndarray  # float64 (slots, units)
    plus: np.ndarray  # float64 (slots, units)
    guess_first: np.ndarray  # int32 (slots + 1): guesses of a slot are [first[slot], first[slot + 1])
    guess: np.ndarray  # float64 (guesses, 4): at least, below, times, plus
    plausible: np.ndarray  # float64 (slots, 2): both ends included
    keeps: np.ndarray  # bool (slots): True keeps what lies in the plausible range, False what does not
    wanted: np.ndarray  # float64 (slots, 2): the value filter, both ends included


def reading(signals: list[Signal], units: list[str | None]) -> Reading:
    """The lookups for these signals (one slot each) and the unit texts of a store, by unit number."""
    shape = (len(signals), max(len(units), 1))
    state, times, plus = np.zeros(shape, np.int8), np.ones(shape), np.zeros(shape)
    guesses: list[tuple[float, float, float, float]] = []
    guess_first = [0]
    plausible, wanted = np.empty((len(signals), 2)), np.empty((len(signals), 2))
    keeps = np.array([signal.keep == "plausible" for signal in signals], np.bool_)
    texts = [same_unit(text) for text in units] or [""]
    for slot, signal in enumerate(signals):
        known = conversions(signal)
        for number, text in enumerate(texts):
            if text == "":
                state[slot, number] = GUESS if signal.unitless else OWN
            elif text == same_unit(signal.unit):
                state[slot, number] = OWN
            elif text in known:
                state[slot, number] = CONVERT
                times[slot, number], plus[slot, number] = known[text].times, known[text].plus
            elif not keeps[slot]:
                state[slot, number] = AS_WRITTEN
        guesses.extend((guess.at_least, guess.below, guess.times, guess.plus) for guess in signal.unitless)
        guess_first.append(len(guesses))
        plausible[slot] = signal.plausible or (-math.inf, math.inf)
        wanted[slot] = closed(signal)
    table = np.array(guesses, np.float64).reshape(-1, 4)
    return Reading(state, times, plus, np.array(guess_first, np.int32), table, plausible, keeps, wanted)


def closed(signal: Signal) -> tuple[float, float]:
    """The value filter as an interval with both ends included: "above 3" begins at the next number after 3."""
    low = [-math.inf]
    high = [math.inf]
    if signal.at_least is not None:
        low.append(signal.at_least)
    if signal.above is not None:
        low.append(math.nextafter(signal.above, math.inf))
    if signal.at_most is not None:
        high.append(signal.at_most)
    if signal.below is not None:
        high.append(math.nextafter(signal.below, -math.inf))
    return max(low), min(high)


@compiled
def decimal(number: float) -> float:
    """The nearest number with six significant digits, halves away from zero.

    Whole numbers, and sizes from a million up and below a millionth, stay as they are. The nudge keeps halves that
    binary fractions fall just short of: 12.5 kPa * 7.50062 is 93.75775, and becomes 93.7578.

    >>> decimal(float(np.float32(0.7)))
    0.7
    """
    size = abs(number)
    if size >= 1e6 or size < 1e-6 or size == math.floor(size):
        return number
    digits = 5
    if size >= 1.0:
        edge = 10.0
        while size >= edge:
            digits -= 1
            edge *= 10.0
    else:
        while digits < 11 and size * TENS[digits - 5] < 1.0:
            digits += 1
    scale = TENS[digits]
    rounded = math.floor(size * scale + NUDGE) / scale
    return rounded if number > 0 else -rounded


@compiled
def worth(number: float, unit: int, comparator: int, slot: int, how: Reading) -> float:
    """The value in the signal's unit, or NaN if it is held or filtered away."""
    if not math.isfinite(number):
        return math.nan
    number = decimal(number)
    state = how.state[slot, unit]
    if state != OWN:
        if state == UNKNOWN:
            return math.nan
        times, plus = 1.0, 0.0
        if state == CONVERT:  # an unknown unit taken as written has neither conversion nor guess
            times, plus = how.times[slot, unit], how.plus[slot, unit]
        elif state == GUESS:
            for row in range(how.guess_first[slot], how.guess_first[slot + 1]):
                if how.guess[row, 0] <= number < how.guess[row, 1]:
                    times, plus = how.guess[row, 2], how.guess[row, 3]
                    break
        if times != 1.0 or plus != 0.0:
            number = decimal(number * times + plus)
    inside = (number >= how.plausible[slot, 0]) & (number <= how.plausible[slot, 1])
    if inside != how.keeps[slot] and state != AS_WRITTEN:
        return math.nan
    if comparator != 0:
        number = np.nextafter(number, -math.inf if comparator == LESS else math.inf)
    wanted = (number >= how.wanted[slot, 0]) & (number <= how.wanted[slot, 1])
    return number if wanted else math.nan
