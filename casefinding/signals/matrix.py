"""The matrix: every feature for every (person, index day), a shard at a time, on as many threads as are given."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from casefinding.definitions.shapes import Definitions
from casefinding.errors import CohortError, RecordsError
from casefinding.files import new_folder, writing
from casefinding.signals.calendar import NONE
from casefinding.signals.plan import Plan, compile_plan
from casefinding.signals.shard import Columns, features_of_shard, room, whole

if TYPE_CHECKING:
    from casefinding.records.store import Store

Progress = Callable[[int, int], object]
"""Called with (shards done, shards in all), always from the calling thread."""


@overload
def build_matrix(
    store: Store,
    definitions: Definitions,
    feature_names: Sequence[str],
    base: pa.Table,
    folder: None = None,
    *,
    threads: int = 2,
    with_days: bool = False,
    progress: Progress | None = None,
) -> pa.Table: ...
@overload
def build_matrix(
    store: Store,
    definitions: Definitions,
    feature_names: Sequence[str],
    base: pa.Table,
    folder: Path,
    *,
    threads: int = 2,
    with_days: bool = False,
    progress: Progress | None = None,
) -> list[Path]: ...
def build_matrix(
    store: Store,
    definitions: Definitions,
    feature_names: Sequence[str],
    base: pa.Table,
    folder: Path | None = None,
    *,
    threads: int = 2,
    with_days: bool = False,
    progress: Progress | None = None,
) -> pa.Table | list[Path]:
    """The features of every row of `base`: columns person, index_day, then one float64 column a feature (NaN: missing).

    `base` is cohort's table of who is asked when, sorted by (person, index_day). With `with_days` each feature that
    asks about events also has a column `<feature>__day` (date32, null: none): the day its value speaks of.
    With `folder`, each shard with rows goes to its own Parquet file there and the paths are returned: memory is then
    bounded by the largest shard times `threads`. The folder appears whole or not at all. The same input gives the
    same bytes on any number of threads.
    """
    plan = compile_plan(definitions, list(feature_names), store.codes(), store.units())
    cuts = _cuts(store, base)
    if folder is None:
        columns = room(plan, base.num_rows, with_days)

        def fill(shard: int) -> None:
            first, stop = cuts[shard]
            part = base.slice(first, stop - first)
            features_of_shard(_events(store, shard, plan), part, plan, into=columns, at=first)

        _each_shard(fill, cuts, threads, progress)
        return as_table(plan, base, columns)

    with new_folder(Path(folder)) as fresh:

        def write(shard: int) -> Path:
            first, stop = cuts[shard]
            part = base.slice(first, stop - first)
            columns = features_of_shard(_events(store, shard, plan), part, plan, with_days=with_days)
            path = fresh / f"matrix-{shard:04d}.parquet"
            with writing():
                pq.write_table(as_table(plan, part, columns), path, compression="zstd", write_statistics=False)
            return path

        written = _each_shard(write, cuts, threads, progress)
    return [Path(folder) / path.name for path in written]


def as_table(plan: Plan, base: pa.Table, columns: Columns) -> pa.Table:
    """The columns as a table, beside the person and index day of their rows."""
    named = {
        "person": base["person"].combine_chunks().cast(pa.int64()),
        "index_day": base["index_day"].combine_chunks().cast(pa.date32()),
    }
    named.update({name: pa.array(columns.value[at]) for at, name in enumerate(plan.features)})
    about_person = {column for column, _ in plan.person_words}
    if columns.day.size or columns.day.shape[0]:
        for at, name in enumerate(plan.features):
            if at not in about_person:
                day = columns.day[at]
                named[f"{name}__day"] = pa.array(day, pa.int32(), mask=day == NONE).cast(pa.date32())
    return pa.table(named)


def _events(store: Store, shard: int, plan: Plan) -> Iterator[pa.Table]:
    """A shard's events, only the columns that are needed, one row group at a time: what was read is soon let go."""
    if not plan.event_columns:
        return
    try:
        with pq.ParquetFile(store.event_path(shard)) as file:
            for group in range(file.num_row_groups):
                yield file.read_row_group(group, columns=list(plan.event_columns), use_threads=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError):
        raise RecordsError(
            f"the events of shard {shard} cannot be read: the file is broken or unfinished",
            where=str(store.path),
            hint="bring the extract in again with 'casefinding ingest'",
        ) from None


def _cuts(store: Store, base: pa.Table) -> dict[int, tuple[int, int]]:
    """Which rows of the base each shard holds; shards without a row are not read."""
    person = whole(base["person"], np.int64)
    cuts, covered = {}, 0
    for shard in range(store.shards):
        people = store.shard_people(shard)
        first, stop = (int(at) for at in np.searchsorted(person, [people.start, people.stop]))
        covered += stop - first
        if first < stop:
            cuts[shard] = (first, stop)
    if covered != person.size:
        raise CohortError("some people to ask about are not in the records", hint="base and store are of two ingests")
    return cuts


def _each_shard(work: Callable, cuts: dict, threads: int, progress: Progress | None) -> list:
    """Do the work of every shard, in order of shards whatever thread ends first; the first failure stops the rest."""
    threads = max(1, min(threads, len(cuts), 4 * (os.cpu_count() or 1)))
    done = []
    with ThreadPoolExecutor(threads) as pool:
        waiting = [pool.submit(work, shard) for shard in cuts]
        try:
            for number, one in enumerate(waiting, 1):
                done.append(one.result())
                if progress is not None:
                    progress(number, len(waiting))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return done
