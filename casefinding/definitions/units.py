"""Units and decimals: what the features' kernel and the quality of the records must read alike."""

from __future__ import annotations

import numpy as np

from casefinding.definitions.shapes import Conversion, Signal

TENS = np.array([10.0**power for power in range(12)])
NUDGE = 0.5000001
"""Added before rounding down: keeps halves that binary fractions fall just short of (12.5 kPa * 7.50062)."""


def same_unit(text: str | None) -> str:
    """A unit as it is compared: lower-case, without spaces.

    >>> same_unit("mm Hg")
    'mmhg'
    """
    return "".join((text or "").lower().split())


def conversions(signal: Signal) -> dict[str, Conversion]:
    """How each unit that a signal knows becomes its own, by the unit as it is compared; its own comes first.

    >>> pressure = {"codes": ("bp",), "unit": "mmHg", "plausible": (50, 300), "units": {"k Pa": Conversion(times=7.5)}}
    >>> signal = Signal(name="bp", label="Pressure", **pressure)
    >>> {unit: change.times for unit, change in conversions(signal).items()}
    {'mmhg': 1.0, 'kpa': 7.5}
    """
    own = {same_unit(signal.unit): Conversion()}
    return own | {unit: change for text, change in signal.units.items() if (unit := same_unit(text)) not in own}


def six_digits(values: np.ndarray) -> np.ndarray:
    """Numbers (float64) to six significant digits, halves away from zero: the store's 0.69999999 was written as 0.7.

    Whole numbers, and sizes from a million up and below a millionth, stay as they are. The same, number by number, as
    `signals.values.decimal`, which is compiled into the kernel.

    >>> six_digits(np.array([np.float32(0.7), 93.75775])).tolist()
    [0.7, 93.7578]
    """
    size = np.abs(values)
    with np.errstate(invalid="ignore"):
        whole = ~((size < 1e6) & (size >= 1e-6) & (size != np.floor(size)))
    digits = 5 - (np.searchsorted(10.0 ** np.arange(-6, 6), np.where(whole, 1.0, size), side="right") - 7)
    scale = TENS[np.minimum(digits, 11)]
    rounded = np.floor(np.where(whole, 0.0, size) * scale + NUDGE) / scale
    return np.where(whole, values, np.copysign(rounded, values))
