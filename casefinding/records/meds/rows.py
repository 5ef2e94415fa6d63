"""The rows of one shard of a MEDS dataset: who somebody is, where they were registered, and what was recorded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from casefinding.records.meds import layout as meds
from casefinding.records.meds.codes import Codes
from casefinding.records.store import Store

RECORDED, HAPPENED = "recorded", "happened"
TIMES = (RECORDED, HAPPENED)
"""What `time` says: the day from which an event was known (the later of happened and recorded), or when it happened."""

TIME = pa.timestamp("us")
DATA = pa.schema(
    [
        ("subject_id", pa.int64()),  # the person number of the store
        ("time", TIME),  # midnight; null for what is always true
        ("code", pa.string()),
        ("numeric_value", pa.float32()),
        ("text_value", pa.large_string()),
        ("happened_time", TIME),  # of coded entries, as the store holds them
        ("recorded_time", TIME),
        ("unit", pa.string()),
        ("comparator", pa.string()),  # "<" or ">"
    ]
)
"""Sorted by subject_id and time, nulls first; the first five columns are MEDS's own."""
A_DAY = 86_400_000_000
"""Microseconds."""

_NEVER = np.iinfo(np.int64).min
_STATIC, _BIRTH, _START, _EVENT, _CONTACT, _END, _DEATH = range(7)  # the order within one moment


class Shard:
    """Rows as arrays of numbers, put in order once and turned into text a stretch at a time."""

    def __init__(self, store: Store, shard: int, codes: Codes, time: str) -> None:
        """Gather the rows; `time` is one of TIMES. Raises RecordsError for a store that cannot be read."""
        self._codes, self._units = codes, store.units()["text"].to_pylist()
        self._texts: list[str] = []
        self._parts: dict[str, list[np.ndarray]] = {name: [] for name in _EMPTY}
        wanted = store.shard_people(shard)
        self._who(store.people_table().slice(wanted.start, len(wanted)))
        self._where(_of(store.registrations(), wanted))
        self._contacts(_of(store.contacts(), wanted))
        self._events(store.events(shard), time)
        whole = {name: np.concatenate(self._parts.pop(name)) for name in _EMPTY}
        order = np.lexsort((whole["kind"], whole["time"], whole["subject"]))
        self._columns = {name: whole.pop(name)[order] for name in _EMPTY if name != "kind"}
        self.rows = int(order.size)

    def tables(self, rows: int) -> Iterator[pa.Table]:
        """The rows in order (DATA), so many at a time."""
        codes, units = pa.array(self._codes.texts, pa.string()), pa.array(self._units, pa.string())
        texts, comparators = pa.array(self._texts, pa.large_string()), pa.array(meds.COMPARATORS, pa.string())
        for start in range(0, self.rows, rows):
            part = {name: column[start : start + rows] for name, column in self._columns.items()}
            yield pa.Table.from_arrays(
                [
                    pa.array(part["subject"]),
                    _times(part["time"]),
                    codes.take(pa.array(part["code"])),
                    pa.array(part["value"], mask=np.isnan(part["value"])),
                    texts.take(pa.array(part["text"], mask=part["text"] < 0)),
                    _times(part["happened"]),
                    _times(part["recorded"]),
                    units.take(pa.array(part["unit"], mask=part["unit"] == 0)),
                    comparators.take(pa.array(part["comparator"])),
                ],
                schema=DATA,
            )

    def _add(self, subject: Any, time: Any, kind: int, code: Any, **more: Any) -> None:
        """Rows of one kind; `time` in days since 1970."""
        given = {"subject": subject, "time": time, "kind": kind, "code": code, **more}
        for name, (kind_of, empty) in _EMPTY.items():
            column = np.asarray(given.get(name, empty), dtype=kind_of)
            self._parts[name].append(np.broadcast_to(column, (len(subject),)))

    def _who(self, people: pa.Table) -> None:
        number = people["person"].to_numpy()
        born, died = _days(people["birth_month"]), _days(people["died_on"])
        self._add(number, _NEVER, _STATIC, [self._codes.number(meds.SEX, sex) for sex in people["sex"].to_pylist()])
        said = zip(number.tolist(), *(people[name].to_pylist() for name in _SAID), strict=True)
        facts: list[tuple[int, int, int, float]] = []  # person, code, text, value
        for person, group, detail, decile, vintage in said:
            if detail or group != "unknown":
                facts.append((person, self._codes.number(meds.ETHNICITY, group), self._text(detail), np.nan))
            if decile is not None or vintage:
                code = self._codes.number(meds.DECILE, vintage) if vintage else self._codes.number(meds.DECILE)
                facts.append((person, code, -1, np.nan if decile is None else decile))
        if facts:
            who, code, text, value = zip(*facts, strict=True)
            self._add(who, _NEVER, _STATIC, code, text=text, value=value)
        for days, kind, name in ((born, _BIRTH, meds.BIRTH), (died, _DEATH, meds.DEATH)):
            there = days != _NEVER
            if there.any():
                self._add(number[there], days[there], kind, self._codes.number(name))

    def _where(self, spells: pa.Table) -> None:
        person, start, end = spells["person"].to_numpy(), _days(spells["started_on"]), _days(spells["ended_on"])
        practice = spells["practice"].to_pylist()
        first = np.searchsorted(person, person, side="left")  # of the same person
        which = np.arange(1, person.size + 1) - first
        for days, kind, name in ((start, _START, meds.START), (end, _END, meds.END)):
            there = np.flatnonzero(days != _NEVER)
            codes = [self._codes.number(name, practice[row]) for row in there.tolist()]
            self._add(person[there], days[there], kind, codes, value=which[there])

    def _contacts(self, contacts: pa.Table) -> None:
        said = zip(contacts["condition"].to_pylist(), contacts["kind"].to_pylist(), strict=True)
        codes = [self._codes.number(meds.CONTACT, condition, kind) for condition, kind in said]
        self._add(contacts["person"].to_numpy(), _days(contacts["on"]), _CONTACT, codes)

    def _events(self, events: pa.Table, time: str) -> None:
        happened, recorded = _days(events["day"]), _days(events["recorded_day"])
        self._add(
            events["person"].to_numpy(),
            np.maximum(happened, recorded) if time == RECORDED else happened,
            _EVENT,
            events["code"].to_numpy(),
            value=events["value"].fill_null(np.nan).to_numpy(),
            happened=happened,
            recorded=recorded,
            unit=events["unit"].to_numpy(),
            comparator=events["comparator"].to_numpy(),
        )

    def _text(self, text: str) -> int:
        if not text:
            return -1
        self._texts.append(text)
        return len(self._texts) - 1


_SAID = ("ethnicity", "ethnicity_detail", "imd_decile", "imd_vintage")
_EMPTY: dict[str, tuple[Any, Any]] = {
    "subject": (np.int64, 0), "time": (np.int64, _NEVER), "kind": (np.int8, 0), "code": (np.int32, 0),
    "value": (np.float32, np.nan), "happened": (np.int64, _NEVER), "recorded": (np.int64, _NEVER),
    "unit": (np.int16, 0), "comparator": (np.int8, 0), "text": (np.int32, -1),
}  # fmt: skip
"""The columns while they are numbers: their type, and what stands for nothing."""


def _of(table: pa.Table, people: range) -> pa.Table:
    """The rows of some people; the table is sorted by person."""
    person = table["person"].to_numpy()
    start, end = np.searchsorted(person, [people.start, people.stop])
    return table.slice(start, end - start)


def _days(column: pa.ChunkedArray) -> np.ndarray:
    """A date column as days since 1970, _NEVER where null."""
    days = column.cast(pa.int32()).cast(pa.int64())
    return days.fill_null(int(_NEVER)).to_numpy()


def _times(days: np.ndarray) -> pa.Array:
    never = days == _NEVER
    return pa.array(np.where(never, 0, days) * A_DAY, mask=never).cast(TIME)
