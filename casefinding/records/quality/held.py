"""What was refused on the way in, and what is held aside: readings that cannot be right, codes nobody asks about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from casefinding.definitions.resolve import CodeIndex, codes_of
from casefinding.definitions.shapes import Definitions, Signal
from casefinding.definitions.units import conversions, same_unit, six_digits
from casefinding.records.reasons import Held
from casefinding.records.store import Store

HELD = pa.schema([("person", pa.int64()), ("day", pa.date32()), ("signal", pa.string()), ("reason", pa.string())])
_COUNTS: tuple[str, ...] = ("events", "outside", "unknown_unit", "no_value", "warn")
_KINDS: dict[str, Held] = {
    "outside": Held.IMPLAUSIBLE,
    "unknown_unit": Held.UNKNOWN_UNIT,
    "no_value": Held.NO_VALUE,
}


@dataclass(frozen=True)
class Quality:
    """What was refused on the way in, and what is held aside now that it is in.

    `refused`: rows by reason. `by_practice`: practice -> reason -> refused rows ("" where it is not known).
    `signals`: one mapping for each signal: signal, label, events, outside (the plausible range), unknown_unit,
    no_value, warn (unusual but kept). `held_by_practice`: practice -> reason -> readings and cells held, by the
    person's latest registration. `held_cells`: cells held, by reason (`Cell`). `unmatched_share`: share of events
    whose code belongs to no signal; `unmatched_codes` such codes.
    `held`: person, day, signal, reason of every held reading, without its value (HELD).
    """

    refused: dict[str, int]
    by_practice: dict[str, dict[str, int]]
    signals: list[dict[str, Any]]
    held_by_practice: dict[str, dict[str, int]]
    held_cells: dict[str, int]
    events: int
    unmatched_share: float
    unmatched_codes: int
    notes: list[str]
    held: pa.Table = field(repr=False)

    def summary(self) -> dict[str, Any]:
        """Everything but the people: counts, for JSON."""
        return {
            "events": self.events,
            "refused": self.refused,
            "refused_by_practice": self.by_practice,
            "held_by_practice": self.held_by_practice,
            "held_cells": self.held_cells,
            "signals": self.signals,
            "unmatched_share": self.unmatched_share,
            "unmatched_codes": self.unmatched_codes,
            "notes": self.notes,
        }


def assess(store: Store, definitions: Definitions) -> Quality:
    """Judge every event of a store by the signals it belongs to; nothing is removed from the store.

    A reading is held if its unit is not one the signal knows, if it lies outside the plausible range, or if there is
    no number where the signal has a unit. Signals that keep only implausible values, filter values, or are paired, look
    at the readings of another signal again and are left out, so that each reading is counted once.
    """
    code_table, units = store.codes(), store.units()
    index = CodeIndex(code_table)
    numbers = {name: codes_of(signal, definitions, index) for name, signal in definitions.signals.items()}
    matched = np.zeros(code_table.num_rows, dtype=bool)
    for rows in numbers.values():
        matched[rows] = True
    readings = {
        name: Reading(signal, numbers[name], code_table.num_rows, units) for name, signal in plain_signals(definitions)
    }
    tally: dict[str, dict[str, int]] = {name: dict.fromkeys(_COUNTS, 0) for name in readings}
    held: list[pa.Table] = []
    events = unmatched = 0
    of_code = np.zeros(code_table.num_rows, dtype=np.int64)
    for shard in range(store.shards):
        table = store.events(shard, ["person", "day", "code", "value", "unit"])
        code = table["code"].to_numpy()
        events += len(code)
        unmatched += int(np.count_nonzero(~matched[code]))
        of_code += np.bincount(code, minlength=len(of_code))
        for name, reading in readings.items():
            if reading.signal.unit is None:
                continue
            mine = np.flatnonzero(reading.member[code])
            if len(mine):
                held.extend(_judge(name, reading, table.take(mine), tally[name]))
    for name in readings:
        tally[name]["events"] = int(of_code[numbers[name]].sum())
    whole = pa.concat_tables(held) if held else HELD.empty_table()
    whole = whole.sort_by([("person", "ascending"), ("day", "ascending"), ("signal", "ascending")])
    counts = store.counts()
    return Quality(
        refused=dict(counts["refused"]),
        by_practice={practice: dict(reasons) for practice, reasons in counts["refused_by_practice"].items()},
        signals=[
            {"signal": name, "label": definitions.signals[name].label, **tally[name]}
            for name in sorted(tally)
            if tally[name]["events"]
        ],
        held_by_practice=_added(_by_practice(store, whole), counts["held_cells_by_practice"]),
        held_cells=dict(counts["held_cells"]),
        events=events,
        unmatched_share=unmatched / events if events else 0.0,
        unmatched_codes=int(np.count_nonzero(~matched)),
        notes=list(counts["notes"]),
        held=whole,
    )


def plain_signals(definitions: Definitions) -> list[tuple[str, Signal]]:
    """Signals that look at readings first: those that filter, pair or keep the implausible look at them again."""
    return [
        (name, signal)
        for name, signal in definitions.signals.items()
        if signal.keep == "plausible" and not signal.filtered and signal.paired_with is None
    ]


class Reading:
    """One signal, ready to judge arrays of its events."""

    def __init__(self, signal: Signal, codes: np.ndarray, code_count: int, units: pa.Table) -> None:
        self.signal = signal
        self.member = np.zeros(code_count, dtype=bool)
        self.member[codes] = True
        known, texts = conversions(signal), [same_unit(text) for text in units["text"].to_pylist()]
        changes = [known.get(text) for text in texts]
        factors = [(change.times, change.plus) if change else (np.nan, np.nan) for change in changes]
        self.times, self.plus = (np.array(column) for column in zip(*factors, strict=True))
        self.blank = np.array([text == "" for text in texts])
        if signal.unit is not None:  # no unit recorded: the signal's own, unless a guess says otherwise
            self.times[self.blank], self.plus[self.blank] = 1.0, 0.0

    def values(self, value: np.ndarray, unit: np.ndarray) -> np.ndarray:
        """Values in the signal's unit; NaN where the unit is unknown."""
        times, plus = self.times[unit], self.plus[unit]
        open_to_guess = self.blank[unit]
        for guess in self.signal.unitless:
            fits = open_to_guess & (value >= guess.at_least) & (value < guess.below)
            times, plus = np.where(fits, guess.times, times), np.where(fits, guess.plus, plus)
            open_to_guess &= ~fits
        changed = (times != 1.0) | (plus != 0.0)
        return np.where(changed, six_digits(value * times + plus), value * times)

    def usable(self, value: np.ndarray, unit: np.ndarray) -> np.ndarray:
        """Whether each value (float64, six digits, NaN where there is none) can be used as it stands."""
        return _within(self.values(value, unit), self.signal.plausible)


def _judge(name: str, reading: Reading, table: pa.Table, tally: dict[str, int]) -> list[pa.Table]:
    signal = reading.signal
    value = six_digits(table["value"].to_numpy().astype(np.float64))
    unit = table["unit"].to_numpy()
    converted = reading.values(value, unit)
    empty = np.isnan(value)
    unknown = ~empty & np.isnan(converted)
    known = ~empty & ~unknown
    outside = known & ~_within(converted, signal.plausible)
    tally["warn"] += int(np.count_nonzero(known & ~outside & ~_within(converted, signal.warn)))
    found = []
    for kind, mask in (("outside", outside), ("unknown_unit", unknown), ("no_value", empty)):
        count = int(np.count_nonzero(mask))
        tally[kind] += count
        if count:
            rows = table.filter(pa.array(mask))
            text = [pa.array([word] * count, pa.string()) for word in (name, _KINDS[kind].value)]
            found.append(pa.Table.from_arrays([rows["person"], rows["day"], *text], schema=HELD))
    return found


def _within(values: np.ndarray, span: tuple[float, float] | None) -> np.ndarray:
    if span is None:
        return np.ones(len(values), dtype=bool)
    with np.errstate(invalid="ignore"):
        return (values >= span[0]) & (values <= span[1])


def _added(readings: dict[str, dict[str, int]], cells: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    # No reason is both a reading's and a cell's.
    practices = sorted({*readings, *cells})
    return {practice: {**readings.get(practice, {}), **cells.get(practice, {})} for practice in practices}


def _by_practice(store: Store, held: pa.Table) -> dict[str, dict[str, int]]:
    latest = np.full(store.people, -1, dtype=np.int64)
    registrations = store.registrations()
    codes = store.practices()["practice"].to_pylist()
    place: Mapping[str, int] = {code: i for i, code in enumerate(codes)}
    # Sorted by person and start, so the last one written stays.
    latest[registrations["person"].to_numpy()] = [place[code] for code in registrations["practice"].to_pylist()]
    answer: dict[str, dict[str, int]] = {}
    practice = latest[held["person"].to_numpy()]
    reason = held["reason"].to_numpy(zero_copy_only=False)
    for number in np.unique(practice):
        names, counts = np.unique(reason[practice == number].astype(str), return_counts=True)
        answer[codes[number]] = dict(zip(names.tolist(), counts.tolist(), strict=True))
    return answer
