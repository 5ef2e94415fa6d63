"""One shard's features: Arrow columns in, columns of numbers out, a piece of whole people at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from casefinding.definitions.words import ETHNICITIES, SEXES
from casefinding.errors import CohortError, RecordsError
from casefinding.signals.calendar import NONE, edges
from casefinding.signals.kernel import (
    DAY_ORDER,
    DONE,
    NO_CODE,
    NO_UNIT,
    PERSON_ORDER,
    Events,
    Rows,
    block_room,
    walk,
)
from casefinding.signals.plan import Plan
from casefinding.signals.words import COURSES


class Columns(NamedTuple):
    """Features of some rows of the base, one contiguous run of numbers a column."""

    value: np.ndarray  # float64 (features, rows); NaN: missing
    day: np.ndarray  # int32 (features, rows), NONE: no day; or (0, 0) if days were not asked for


def room(plan: Plan, rows: int, with_days: bool = False) -> Columns:
    """Columns for so many rows, not filled yet."""
    shape = (len(plan.features), rows)
    return Columns(np.empty(shape), np.full(shape, NONE, np.int32) if with_days else np.empty((0, 0), np.int32))


def features_of_shard(
    events: pa.Table | Iterable[pa.Table],
    base: pa.Table,
    plan: Plan,
    *,
    into: Columns | None = None,
    at: int = 0,
    with_days: bool = False,
) -> Columns:
    """Fill the rows `[at, at + base.num_rows)` of `into` (made if None) for the people of one shard.

    `events`: at least the columns `plan.event_columns`, sorted by person and day, as one table or in pieces;
    people outside `base` are passed by. `base`: person, index_day and what the person words ask for, sorted by
    (person, index_day), each pair once.
    Raises RecordsError if the events are not sorted or hold codes or units that the dictionaries do not have.
    """
    into = into if into is not None else room(plan, base.num_rows, with_days)
    if base.num_rows == 0:
        return into
    person, index_day = whole(base["person"], np.int64), whole(base["index_day"], np.int32)
    follows = (person[1:] > person[:-1]) | ((person[1:] == person[:-1]) & (index_day[1:] > index_day[:-1]))
    if not follows.all():
        raise CohortError("the rows to ask about are not sorted by person and index day, or one stands twice")
    for column, word in plan.person_words:
        into.value[column, at : at + person.size] = about_person(word, base, index_day)
    if plan.event_columns:
        asked = _Asked(plan, person, index_day, into, at)
        for piece in whole_people([events] if isinstance(events, pa.Table) else events, plan.event_columns):
            asked.answer(piece)
        asked.answer_the_rest()
        _days_to_ages(plan, base, index_day, into, at)
    return into


def _days_to_ages(plan: Plan, base: pa.Table, index_day: np.ndarray, into: Columns, at: int) -> None:
    """Turn "days since" an event into the age on its day; without a birth month there is neither age nor day."""
    for column in plan.age_columns:
        since = into.value[column, at : at + index_day.size]
        found = ~np.isnan(since)
        event = index_day - np.where(found, since, 0).astype(np.int32)
        since[:] = np.where(found, about_person("age", base, event), np.nan)
        if into.day.shape[0]:
            into.day[column, at : at + index_day.size][np.isnan(since)] = NONE


def about_person(word: str, base: pa.Table, index_day: np.ndarray) -> np.ndarray:
    """The answer to a person word for every row; NaN where it is not known."""
    if word == "age":
        born = pc.cast(base["birth_month"], pa.date32())
        months = whole(born, np.int32, null=NONE).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        now = index_day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        return np.where(born.is_valid().to_numpy(zero_copy_only=False), (now - months) // 12, np.nan)
    if word in ("sex", "ethnicity"):
        known = SEXES if word == "sex" else ETHNICITIES
        place = pc.call_function("index_in", [pc.cast(base[word], pa.string())], pc.SetLookupOptions(pa.array(known)))
        return whole(pc.cast(place, pa.float64()), np.float64, null=np.nan if word == "sex" else 0.0)
    if word == "deprivation":
        return whole(pc.cast(base["imd_decile"], pa.float64()), np.float64, null=np.nan)
    if "registered_on" not in base.column_names:
        return whole(pc.cast(base["days_registered"], pa.float64()), np.float64, null=np.nan)
    started = pc.cast(base["registered_on"], pa.date32())
    days = index_day - whole(started, np.int32, null=0).astype(np.float64)
    return np.where(started.is_valid().to_numpy(zero_copy_only=False), days, np.nan)


def whole_people(tables: Iterable[pa.Table], columns: tuple[str, ...]) -> Iterator[dict[str, pa.Array]]:
    """The same rows in pieces that never part a person's, without copying more than the person on each border."""
    carried = None
    for batch in (batch for table in tables for batch in table.select(columns).to_batches() if batch.num_rows):
        owner = whole(batch["person"], np.int64)
        head = 0
        if carried is not None:
            last_owner = carried["person"][0].as_py()
            if owner[0] < last_owner:
                raise RecordsError(_WRONG[PERSON_ORDER], where="event", hint="bring the extract in again")
            head = int(np.searchsorted(owner, last_owner, "right"))
            if head:
                carried = pa.concat_batches([carried, batch.slice(0, head)])
            if head == owner.size:
                continue
            yield _by_name(carried)
        last = max(head, int(np.searchsorted(owner, owner[-1], "left")))
        if last > head:
            yield _by_name(batch.slice(head, last - head))
        carried = batch.slice(last)
    if carried is not None:
        yield _by_name(carried)


def _by_name(batch: pa.RecordBatch) -> dict[str, pa.Array]:
    return dict(zip(batch.schema.names, batch.columns, strict=True))


class _Asked:
    """Who is asked when, ready to be answered from pieces of a shard's events."""

    def __init__(self, plan: Plan, person: np.ndarray, index_day: np.ndarray, into: Columns, at: int) -> None:
        self.plan, self.into, self.at = plan, into, at
        first = np.flatnonzero(np.diff(person, prepend=person[0] - 1))
        distinct, edge = np.unique(index_day, return_inverse=True)
        self.rows = Rows(
            person[first],
            np.append(first, person.size),
            _locked(index_day),
            edge.astype(np.int32),
            *edges(plan.windows, distinct),
            np.zeros(first.size, np.bool_),
        )
        self.block = block_room(plan.slots, 0, plan.widest)

    def answer(self, piece: dict[str, pa.Array]) -> None:
        """Fill the rows of everyone in a piece of events; the piece holds all events of each."""
        plan, events = self.plan, _columns(piece)
        while True:
            arguments = (plan.routes, plan.reading, plan.pairs, plan.asked, plan.slots, events, self.rows, self.block)
            said = walk(*arguments, self.into.value, self.into.day, self.at)
            if said <= DONE:
                break
            self.block = block_room(plan.slots, said, plan.widest)  # somebody has more events than any before
        if said != DONE:
            raise RecordsError(_WRONG[said], where="event", hint="bring the extract in again")

    def answer_the_rest(self) -> None:
        """Fill the rows of those who have no events at all."""
        without = np.flatnonzero(~np.repeat(self.rows.answered, np.diff(self.rows.first))) + self.at
        for column, word in zip(self.plan.asked.column, self.plan.asked.word, strict=True):
            self.into.value[column, without] = 0.0 if word <= COURSES else np.nan


_WRONG = {
    PERSON_ORDER: "the events are not sorted by person",
    DAY_ORDER: "a person's events are not sorted by day",
    NO_CODE: "events hold a code number that the code table does not have",
    NO_UNIT: "events hold a unit number that the unit table does not have",
}


def _columns(piece: dict[str, pa.Array]) -> Events:
    value, filled, bit = np.empty(0, np.float32), np.empty(0, np.uint8), 0
    unit, comparator = np.empty(0, np.int16), np.empty(0, np.int8)
    if "value" in piece:
        value, filled, bit = _with_gaps(piece["value"])
        unit, comparator = whole(piece["unit"], np.int16, null=0), whole(piece["comparator"], np.int8, null=0)
    kinds = {"person": np.int64, "day": np.int32, "recorded_day": np.int32, "code": np.int32}
    columns = (*(whole(piece[name], kind) for name, kind in kinds.items()), value, filled)
    return Events._make([*(_locked(column) for column in columns), bit, _locked(unit), _locked(comparator)])


def _locked(column: np.ndarray) -> np.ndarray:
    """A view that cannot be written: numba compiles once more for every mixture of writable and not."""
    view = column.view()
    view.setflags(write=False)
    return view


def whole(column: pa.ChunkedArray | pa.Array, kind: type, null: float | None = None) -> np.ndarray:
    """A column as one numpy array, without copying it where Arrow keeps it in one piece; `null` fills empty cells."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if array.null_count:
        if null is None:
            raise RecordsError("a column that must be filled has empty cells", where="event or base")
        if pa.types.is_date32(array.type):
            array = array.cast(pa.int32())
        array = pc.fill_null(array, pa.scalar(null, array.type))
    width = array.type.bit_width // 8
    if width != np.dtype(kind).itemsize or pa.types.is_floating(array.type) != (np.dtype(kind).kind == "f"):
        array = array.cast(pa.from_numpy_dtype(kind))
    width = np.dtype(kind).itemsize
    return np.frombuffer(array.buffers()[1] or b"", dtype=kind, count=len(array), offset=array.offset * width)


def _with_gaps(array: pa.Array) -> tuple[np.ndarray, np.ndarray, int]:
    """Values with the bits that say which are there, and the place of the first bit."""
    array = array.cast(pa.float32())
    bits = array.buffers()[0] if array.null_count else None
    values = np.frombuffer(array.buffers()[1] or b"", np.float32, count=len(array), offset=array.offset * 4)
    return values, np.frombuffer(bits, np.uint8) if bits is not None else np.empty(0, np.uint8), array.offset
