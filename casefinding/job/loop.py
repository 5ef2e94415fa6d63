"""What earlier lists found out, as evidence to learn from: a test after an invitation beats a code."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from casefinding.cohort.eligible import pair_keys
from casefinding.cohort.registration import day_numbers, number_of
from casefinding.learn.verify import Evidence
from casefinding.recall.loop.ledger import ALREADY_KNOWN, DIAGNOSED, NOT_DIAGNOSED, Ledger
from casefinding.recall.loop.received import standing
from casefinding.records.store import Store

TESTED = {DIAGNOSED: 1.0, NOT_DIAGNOSED: 0.0}


@dataclass(frozen=True)
class FromLists:
    """Row for row, what came back from earlier lists about somebody between an index day and the end of its horizon.

    `result`: 1 diagnosed, 0 tested and not diagnosed, NaN nothing; somebody diagnosed once stays so. `known`: whoever
    the practice says was known already, on or before that day or at any time after it: no finding, and no control
    either. `selection`: how many rows, by the lane that had listed them, since those tested are those whom a list
    chose; exact, to be rounded by whoever publishes.
    """

    result: np.ndarray
    known: np.ndarray
    selection: Mapping[str, int] = field(default_factory=dict)

    def onto(
        self, evidence: Evidence | None, coded: np.ndarray, usable: np.ndarray
    ) -> tuple[Evidence | None, np.ndarray]:
        """The evidence of the records with these results in place, and who may still be learned from."""
        return (None if evidence is None else evidence.told(self.result, coded)), usable & ~self.known


def from_lists(ledger: Ledger, condition: str, base: pa.Table, ends: np.ndarray, store: Store) -> FromLists:
    """The results of earlier lists for each (person, index_day) of `base`; `ends`: the last day of each row's horizon
    (days since 1970). Outcomes about other conditions, and of people not in the records, are of no account."""
    rows = base.num_rows
    result, known = np.full(rows, np.nan), np.zeros(rows, dtype=bool)
    lane_of = {
        (one["list_id"], one["pseudonym"]): one["lane"]
        for one in ledger.lists().to_pylist()
        if one["condition"] == condition
    }
    told: dict[int, list[tuple[int, str, str]]] = {}
    people = store.people_table()
    person_of = dict(zip(people["pseudonym"].to_pylist(), people["person"].to_pylist(), strict=True))
    for one in standing(ledger).to_pylist():
        if one["condition"] == condition and one["pseudonym"] in person_of:
            lane = lane_of.get((one["list_id"], one["pseudonym"]), "")
            told.setdefault(person_of[one["pseudonym"]], []).append((number_of(one["on"]), one["outcome"], lane))
    selection: Counter[str] = Counter()
    person, index = pair_keys(base)
    for row in np.flatnonzero(np.isin(person, list(told))):
        for day, outcome, lane in told[int(person[row])]:
            if outcome == ALREADY_KNOWN:
                known[row] = True
            elif outcome in TESTED and index[row] <= day <= ends[row]:
                first = np.isnan(result[row])
                result[row] = TESTED[outcome] if first else max(result[row], TESTED[outcome])
                selection[f"listed as {lane}"] += bool(first)
    result[known] = np.nan
    there = ~np.isnan(result)
    if there.any() or known.any():
        selection["rows"] = int(there.sum())
        selection["found"] = int((result == 1).sum())
        selection["left out: already known"] = int(known.sum())
    return FromLists(result, known, dict(selection))


def last_days(ends: list[dt.date]) -> np.ndarray:
    """The last day of a horizon, as days since 1970, from the day after it."""
    return day_numbers(pa.array(ends, pa.date32()), when_null=0) - 1
