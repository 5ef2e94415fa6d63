"""The few events that say who is diagnosed, found in the shards by a locked-down DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np

from casefinding.cohort.registration import FOREVER
from casefinding.definitions.resolve import CodeIndex, codes_of
from casefinding.definitions.shapes import Definitions
from casefinding.errors import RecordsError
from casefinding.records.store import Store

WIDTH = 4 * FOREVER
"""Persons and days in one sortable int64: person * WIDTH + day, with days from -FOREVER to 2 * FOREVER."""


@dataclass(frozen=True)
class Known:
    """Events of one signal, sorted by person, then by the day from which each is known.

    `day`: when it happened; `known`: the later of happened and recorded. int64, days since 1970.
    """

    person: np.ndarray
    day: np.ndarray
    known: np.ndarray


def diagnoses(store: Store, definitions: Definitions, signals: Sequence[str]) -> dict[str, Known]:
    """The events of some value-less signals, over all shards; only rows with their codes leave the files."""
    index = CodeIndex(store.codes())
    codes = {name: codes_of(definitions.signals[name], definitions, index) for name in signals}
    wanted = np.unique(np.concatenate([np.zeros(0, np.int32), *codes.values()]))
    person, day, known, code = _events(store, wanted)
    found = {}
    for name in signals:
        keep = np.isin(code, codes[name])
        found[name] = Known(person[keep], day[keep], known[keep])
    return found


def latest_known(events: Known, person: np.ndarray, index: np.ndarray) -> np.ndarray:
    """For each (person, index day): the latest day among events known before the index day; -FOREVER if none."""
    latest = np.full(person.size, -FOREVER, dtype=np.int64)
    if events.person.size == 0:
        return latest
    # Persons ascend, so the running maximum of person and day together stays within the person.
    so_far = np.maximum.accumulate(events.person * WIDTH + events.day)
    at = np.searchsorted(events.person * WIDTH + events.known, person * WIDTH + index, side="left") - 1
    there = at >= 0
    there[there] = events.person[at[there]] == person[there]
    latest[there] = so_far[at[there]] - person[there] * WIDTH
    return latest


def first_known(events: Known, person: np.ndarray) -> np.ndarray:
    """For each person: the first day on which an event was known; FOREVER if there is none."""
    first = np.full(person.size, FOREVER, dtype=np.int64)
    if events.person.size == 0:
        return first
    at = np.searchsorted(events.person, person, side="left")
    there = at < events.person.size
    there[there] = events.person[at[there]] == person[there]
    first[there] = events.known[at[there]]
    return first


def _events(store: Store, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    empty = np.zeros(0, dtype=np.int64)
    paths = [str(store.event_path(shard)) for shard in range(store.shards)]
    if codes.size == 0 or not paths:
        return empty, empty, empty, empty
    numbers = ",".join(str(int(code)) for code in codes)
    sql = f"""
        SELECT person, day - DATE '1970-01-01' AS day,
               greatest(day, coalesce(recorded_day, day)) - DATE '1970-01-01' AS known, code
        FROM read_parquet({_texts(paths)})
        WHERE code IN ({numbers}) AND day IS NOT NULL
        ORDER BY person, known, day, code
    """
    try:
        with duckdb.connect(":memory:", config={"threads": "2", "python_enable_replacements": "false"}) as engine:
            # It may read the shards and nothing else: no other file, no network, no extension.
            engine.execute(f"SET allowed_paths={_texts(paths)}")
            engine.execute("SET enable_external_access=false")
            engine.execute("SET lock_configuration=true")
            columns = engine.execute(sql).fetchnumpy()
    except duckdb.Error:
        raise RecordsError(
            "the events cannot be read", where=str(store.path), hint="bring the extract in again"
        ) from None  # the engine's message may quote a row
    return (
        np.asarray(columns["person"], dtype=np.int64),
        np.asarray(columns["day"], dtype=np.int64),
        np.asarray(columns["known"], dtype=np.int64),
        np.asarray(columns["code"], dtype=np.int64),
    )


def _texts(paths: Sequence[str]) -> str:
    return "[" + ",".join("'" + path.replace("'", "''") + "'" for path in paths) + "]"
