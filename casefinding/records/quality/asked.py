"""What is asked of a store: which signals its codes belong to, as small integers that count quickly."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from casefinding.definitions.codes import DRUG_SYSTEMS
from casefinding.definitions.resolve import CodeIndex, codes_of
from casefinding.definitions.shapes import Definitions
from casefinding.definitions.units import conversions, same_unit
from casefinding.records.quality.held import Reading, plain_signals
from casefinding.records.store import Store

ANOTHER = "another unit"
"""Stands for every unit that no signal knows: its text may hold anything, and is not passed on."""


@dataclass(frozen=True)
class Asked:
    """The plain signals of a store that holds any of their codes, in the order of the definitions.

    Codes with the same signals form a class: events are counted by class, and a class belongs to its signals
    (`member`: bool, (classes, signals)). Class 0 belongs to none. `unmatched`: codes of no signal at all, not even of
    one that filters or pairs. `units`: the store's units that any signal knows, as they are
    written there ("" first), then ANOTHER; `unit_place`: by unit number.
    """

    names: list[str]
    labels: list[str]
    member: np.ndarray = field(repr=False)
    class_of: np.ndarray = field(repr=False)  # by code
    readings: dict[int, Reading] = field(repr=False)  # place of a signal with a unit -> how its values are judged
    unmatched: np.ndarray = field(repr=False)  # by code
    drug: np.ndarray = field(repr=False)  # by code: of a dictionary of products
    of_area: np.ndarray = field(repr=False)  # by code: said of where people live, on one day for everybody
    units: list[str] = field(default_factory=list)
    unit_place: np.ndarray = field(default_factory=lambda: np.zeros(1, dtype=np.int64), repr=False)
    by_name: dict[str, np.ndarray] = field(default_factory=dict, repr=False)  # any signal -> its codes

    @classmethod
    def of(cls, store: Store, definitions: Definitions) -> Asked:
        """Resolve every signal in a store's code table."""
        table, units = store.codes(), store.units()
        index = CodeIndex(table)
        codes = {name: codes_of(signal, definitions, index) for name, signal in definitions.signals.items()}
        plain = [(name, signal) for name, signal in plain_signals(definitions) if len(codes[name])]
        belongs = np.zeros((table.num_rows, len(plain)), dtype=bool)
        for place, (name, _) in enumerate(plain):
            belongs[codes[name], place] = True
        every = np.zeros(table.num_rows, dtype=bool)
        for rows in codes.values():
            every[rows] = True
        nothing = np.zeros((1, len(plain)), dtype=bool)
        member, class_of = np.unique(np.vstack([nothing, belongs]), axis=0, return_inverse=True)  # none is first
        texts = [same_unit(text) for text in units["text"].to_pylist()]
        readings = {
            place: Reading(signal, codes[name], table.num_rows, units)
            for place, (name, signal) in enumerate(plain)
            if signal.unit is not None
        }
        some = {"", *(unit for reading in readings.values() for unit in conversions(reading.signal))}
        written: dict[str, str] = {}
        for reading in readings.values():
            for text in (reading.signal.unit or "", *reading.signal.units):
                written.setdefault(same_unit(text), text)
        known = [*sorted({text for text in texts if text in some} | {""}), ANOTHER]
        systems = table["system"].to_pylist()
        return cls(
            names=[name for name, _ in plain],
            labels=[signal.label for _, signal in plain],
            member=member,
            class_of=class_of.reshape(-1)[1:],
            readings=readings,
            unmatched=~every & np.array([system != "area" for system in systems], dtype=bool),
            drug=np.array([system in DRUG_SYSTEMS for system in systems], dtype=bool),
            of_area=np.array([system == "area" for system in systems], dtype=bool),
            units=[written.get(unit, unit) for unit in known],
            unit_place=np.array([known.index(text if text in some else ANOTHER) for text in texts], dtype=np.int64),
            by_name=codes,
        )
