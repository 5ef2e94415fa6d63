"""Shapes of what counts as one kind of event: codes, lists of them, units and ranges."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from casefinding.definitions.basics import Name, Shape


class Code(Shape):
    system: str  # snomed, dmd, loinc, rxnorm, emis
    id: str
    label: str


class CodeList(Shape):
    """features/codelists/NAME.csv: `# source:`, `# release:`, `# reviewed by:` lines, then id,label,system.

    A list with a code that denies something ("No cough") needs a line `# absence means:` that says what its absence
    tells; without it the list is refused.
    """

    name: Name
    source: str
    release: str
    reviewed_by: str
    codes: tuple[Code, ...]
    absence_means: str = ""
    unverified: str = ""  # what of this was taken from memory and must be checked


class Conversion(Shape):
    """From a recorded unit to the signal's own: value * times + plus."""

    times: float = 1.0
    plus: float = 0.0


class Guess(Shape):
    """Where no unit was recorded and the value lies in [at least, below): convert it as written."""

    at_least: float
    below: float
    times: float = 1.0
    plus: float = 0.0


class Signal(Shape):
    """What counts as one kind of event: codes or substances, unit, plausible range, conversions, value filter.

    An event belongs to the signal if its code is in one of `codes` (names of code lists) or if its code's term
    names one of `substances` as a whole word (case-insensitive) and none of `but_not`.
    `unit` None: the signal has no value. Units other than `unit` and `units` are unknown: such a value is held.
    `keep` "plausible" takes values within `plausible` (both ends included); "implausible" takes what that
    range refuses, and any number in an unknown unit as it was written (to ask a person to check the reading).
    `at_least`/`above`/`at_most`/`below` then filter further.

    A signal `paired_with` another holds only those of its events that have a partner there: with `pair`, an event of
    the same day with a usable value, than which its own is higher (or lower); with `within_days`, an event at most so
    many days before or after it, whatever its value. A pair is known once both of its records are.
    """

    name: Name
    label: str
    codes: tuple[Name, ...] = ()
    substances: tuple[str, ...] = ()
    but_not: tuple[str, ...] = ()
    unit: str | None = None
    decimals: int = 0
    plausible: tuple[float, float] | None = None
    warn: tuple[float, float] | None = None
    units: dict[str, Conversion] = Field(default_factory=dict)
    unitless: tuple[Guess, ...] = ()
    keep: Literal["plausible", "implausible"] = "plausible"
    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None
    paired_with: Name | None = None  # only events with a partner in this other signal: ...
    pair: Literal["higher", "lower"] | None = None  # ... of the same day, and this value is higher (lower) than it
    within_days: int | None = Field(default=None, ge=0, le=366)  # ... or so many days before or after it at most
    unverified: str = ""  # what of this was taken from memory and must be checked

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if [self.pair, self.within_days].count(None) != (1 if self.paired_with else 2):
            raise ValueError("'paired with' goes with either 'pair' or 'within days'")
        if self.pair is not None and self.unit is None:
            raise ValueError("'pair' compares values, so the signal needs a 'unit' (or 'within days' instead)")
        if not self.codes and not self.substances:
            raise ValueError("a signal needs 'codes' (names of code lists) or 'substances'")
        if self.unit is not None and self.plausible is None:
            raise ValueError("a signal with a unit needs a 'plausible' range")
        if self.unit is None and (self.plausible or self.units or self.unitless or self.filtered):
            raise ValueError("a signal without a unit cannot have a range, conversions or a value filter")
        return self

    @property
    def filtered(self) -> bool:
        return not (self.at_least is self.above is self.at_most is self.below is None)
