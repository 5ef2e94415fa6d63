"""Who is asked on an index day: registered and alive, then old enough, known long enough and not yet diagnosed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from casefinding.cohort.diagnoses import Known, diagnoses, latest_known
from casefinding.cohort.registration import FOREVER, Spells, check_index_day, day_numbers, number_of, shifted
from casefinding.definitions.shapes import Definitions, Model, Register
from casefinding.definitions.words import Span
from casefinding.errors import CohortError
from casefinding.records.store import Store

BASE = pa.schema(
    [
        ("person", pa.int64()),
        ("index_day", pa.date32()),
        ("practice", pa.string()),
        ("birth_month", pa.date32()),
        ("age", pa.int16()),  # whole years; null if the birth month is unknown
        ("sex", pa.string()),
        ("ethnicity", pa.string()),
        ("imd_decile", pa.int8()),
        ("registered_on", pa.date32()),  # first day of the unbroken registration in the network
        ("days_registered", pa.int32()),
    ]
)
"""One row for everyone alive and registered on an index day, sorted by person and index day."""

NEVER, ON_REGISTER, RESOLVED = "never", "on register", "resolved"


def registered(store: Store, index_days: Sequence[dt.date] | dt.date) -> pa.Table:
    """Everyone alive and registered on each index day (BASE), as known before that day.

    Registered: a registration started before the day and did not end before it. Somebody in two practices counts
    in the one that was joined later. Moves inside the network with at most 30 days between do not start
    `registered_on` anew: what happened before is in the records. Raises CohortError for a day after the end of the
    records (the day after the last is the latest), or if nobody is registered on any of the days.
    """
    days = [index_days] if isinstance(index_days, dt.date) else sorted(set(index_days))
    for day in days:
        check_index_day(store, day)
    people = store.people_table()
    spells = Spells.of(store)
    position = _positions(people)
    died = day_numbers(people["died_on"], when_null=int(FOREVER))
    rows, index = [], []
    for day in days:
        here = spells.on(day)
        here = here[died[position[spells.person[here]]] >= number_of(day)]
        rows.append(here)
        index.append(np.full(here.size, number_of(day), dtype=np.int64))
    row = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    if row.size == 0:
        said = ", ".join(str(day) for day in days)
        raise CohortError(
            f"nobody is registered on {said or 'any day'}", hint=f"the records run to {store.data_through}"
        )
    index_day = np.concatenate(index)
    order = np.lexsort((index_day, spells.person[row]))
    row, index_day = row[order], index_day[order]
    about = people.take(pa.array(position[spells.person[row]]))
    since = spells.since[row]
    return pa.table(
        {
            "person": spells.person[row],
            "index_day": _dates(index_day),
            "practice": spells.practice.take(pa.array(row)),
            "birth_month": about["birth_month"],
            "age": _ages(about["birth_month"], index_day),
            "sex": about["sex"],
            "ethnicity": about["ethnicity"],
            "imd_decile": about["imd_decile"],
            "registered_on": _dates(since),
            "days_registered": (index_day - since).astype(np.int32),
        }
    ).cast(BASE)


def asked_on(base: pa.Table, days: Sequence[dt.date]) -> pa.Table:
    """The same rows asked on other days, one a row: index_day, age and days_registered follow."""
    index = np.array([number_of(day) for day in days], dtype=np.int64)
    since = day_numbers(base["registered_on"], when_null=0)
    moved = {
        "index_day": _dates(index),
        "age": _ages(base["birth_month"], index),
        "days_registered": pa.array((index - since).astype(np.int32)),
    }
    for name, column in moved.items():
        base = base.set_column(base.schema.get_field_index(name), name, column)
    return base


def register_status(store: Store, definitions: Definitions, condition: str, pairs: pa.Table) -> pa.Array:
    """For each (person, index_day) of `pairs`, in its order: "never", "on register" or "resolved".

    Only codes that happened and were recorded before the index day count. Resolved: a resolving code on or after the
    day of the latest diagnosis.
    """
    register = definitions.models[condition].register_
    names = [name for name in (register.diagnosis, register.resolved) if name is not None]
    return states_at(register, diagnoses(store, definitions, names), *pair_keys(pairs))


def states_at(register: Register, found: Mapping[str, Known], person: np.ndarray, index: np.ndarray) -> pa.Array:
    """`register_status` from events that were found already."""
    diagnosed = latest_known(found[register.diagnosis], person, index)
    on = diagnosed > -FOREVER
    resolved = np.zeros(on.size, dtype=bool)
    if register.resolved is not None:
        ended = latest_known(found[register.resolved], person, index)
        resolved = on & (ended > -FOREVER) & (ended >= diagnosed)
    states = np.where(resolved, 2, np.where(on, 1, 0)).astype(np.int8)
    words = pa.array([NEVER, ON_REGISTER, RESOLVED])
    return words.take(pa.array(states))


@dataclass(frozen=True)
class Step:
    """One box of the flow diagram: why rows left, how many, and how many remain."""

    label: str
    left_out: int
    remaining: int


@dataclass(frozen=True)
class Flow:
    """Counted exclusions in order; the first step is where everybody starts and leaves nobody out."""

    steps: tuple[Step, ...]

    def rows(self) -> list[dict[str, str | int]]:
        """One dict a box, for a diagram or a table: label, left_out, remaining.

        >>> Flow((Step("Registered on the day", 0, 10), Step("Younger than 18", 3, 7))).rows()[1]
        {'label': 'Younger than 18', 'left_out': 3, 'remaining': 7}
        """
        return [{"label": s.label, "left_out": s.left_out, "remaining": s.remaining} for s in self.steps]


def eligible(base: pa.Table, model: Model, status: pa.Array | Sequence[str] | np.ndarray) -> tuple[np.ndarray, Flow]:
    """Which rows of the base a model may be asked about (bool), and the flow that counts who was left out and why.

    `status` is `register_status` for the same rows. Each row is counted in the first step that leaves it out.
    """
    rows = base.num_rows
    state = states_of(status)
    if state.size != rows:
        raise ValueError(f"{state.size} states for {rows} rows")
    age = pc.fill_null(base["age"].cast(pa.int32()), -1).to_numpy()
    asked = model.eligible
    steps: list[tuple[str, np.ndarray]] = [
        ("Age not known", age < 0),
        (f"Younger than {asked.age_at_least}", (age >= 0) & (age < asked.age_at_least)),
    ]
    if asked.age_at_most is not None:
        steps.append((f"Older than {asked.age_at_most}", age > asked.age_at_most))
    steps += [
        (f"Registered for less than {_length(asked.registered)}", _too_new(base, model)),
        ("On the register already", state == ON_REGISTER),
        ("Diagnosis resolved", state == RESOLVED),
    ]
    mask = np.ones(rows, dtype=bool)
    flow = [Step("Registered and alive on the index day", 0, rows)]
    for label, out in steps:
        leaving = int((mask & out).sum())
        if label == "Age not known" and leaving == 0:
            continue
        mask &= ~out
        flow.append(Step(label, leaving, int(mask.sum())))
    return mask, Flow(tuple(flow))


def states_of(status: Any) -> np.ndarray:
    """States as `register_status` gives them (or a list, or an array) as an array of text."""
    return np.asarray(status.to_pylist() if hasattr(status, "to_pylist") else status, dtype=object)


def pair_keys(pairs: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """The columns person and index_day of a table as int64 numbers (days since 1970)."""
    return pairs["person"].to_numpy().astype(np.int64), day_numbers(pairs["index_day"], when_null=0)


def _too_new(base: pa.Table, model: Model) -> np.ndarray:
    index = day_numbers(base["index_day"], when_null=0)
    since = day_numbers(base["registered_on"], when_null=int(FOREVER))
    return since > shifted(index, model.eligible.registered.before)


def _length(span: Span) -> str:
    number, word = (span.months, "month") if span.months else (span.days, "day")
    return f"{number} {word}{'' if number == 1 else 's'}"


def _positions(people: pa.Table) -> np.ndarray:
    """Person number -> row of the person table."""
    numbers = people["person"].to_numpy().astype(np.int64)
    position = np.zeros(int(numbers.max()) + 1 if numbers.size else 0, dtype=np.int64)
    position[numbers] = np.arange(numbers.size)
    return position


def _dates(numbers: np.ndarray) -> pa.Array:
    return pa.array(numbers.astype(np.int32)).cast(pa.date32())


def _ages(birth_month: pa.ChunkedArray, index_day: np.ndarray) -> pa.Array:
    """Whole years, counted from the first of the birth month (as `words.age_on`)."""
    unknown = birth_month.is_null().to_numpy()
    born = day_numbers(birth_month, when_null=0).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    now = index_day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return pa.array(((now - born) // 12).astype(np.int16), mask=unknown)
