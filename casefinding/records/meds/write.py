"""A store as a MEDS dataset: one Parquet file a shard, its codes, its splits, and what it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from casefinding import __version__
from casefinding.errors import UsageError
from casefinding.files import writing
from casefinding.records.meds import layout as meds
from casefinding.records.meds.codes import Codes
from casefinding.records.meds.rows import DATA, RECORDED, TIMES, Shard
from casefinding.records.meds.splits import subject_splits
from casefinding.records.store import Store

PSEUDONYMS = pa.schema([("subject_id", pa.int64()), ("pseudonym", pa.string())])
ROW_GROUP = 500_000


def write_meds(
    store: Store, folder: Path, *, time: str = RECORDED, progress: Callable[[int, int], None] | None = None
) -> int:
    """Write data/ and metadata/ of a MEDS 0.4 dataset into an empty folder, a shard at a time; how many rows it has.

    `time` is one of TIMES. The same store gives the same bytes. Raises UsageError for another `time`, RecordsError for
    a store that cannot be read, WriteError if the dataset cannot be written.
    """
    if time not in TIMES:
        raise UsageError(f"no such time: '{time}'", where="--time", hint=f"choose one of {', '.join(TIMES)}")
    codes, rows = Codes(store), 0
    for number in range(store.shards):
        shard = Shard(store, number, codes, time)
        path = folder / meds.DATA / shard_name(number)
        with writing():
            path.parent.mkdir(exist_ok=True)
            with pq.ParquetWriter(path, DATA, compression="zstd", compression_level=1) as out:
                for table in shard.tables(ROW_GROUP):
                    out.write_table(table, row_group_size=ROW_GROUP)
        rows += shard.rows
        if progress:
            progress(number + 1, store.shards)
    split_by, splits = subject_splits(store)
    metadata = folder / meds.METADATA
    write_table(metadata / meds.CODES, codes.table())
    write_table(metadata / meds.SPLITS, splits)
    write_table(metadata / meds.PRACTICES, store.practices())
    about = {
        "dataset_name": store.kind,
        "dataset_version": store.digest[:16],
        "etl_name": meds.ABOUT_US,
        "etl_version": __version__,
        "meds_version": meds.VERSION,
        "code_modifier_columns": ["unit", "comparator"],
        "other_extension_columns": ["happened_time", "recorded_time"],
        meds.ABOUT_US: {"data_through": store.data_through.isoformat(), "split_by": split_by, "time": time},
    }
    with writing():
        (metadata / meds.DATASET).write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return rows


def shard_name(shard: int) -> str:
    """The file of a shard: the same name in data/, labels/ and cohorts/."""
    return f"shard-{shard:04d}.parquet"


def write_table(path: Path, table: pa.Table) -> None:
    """Write a small table as Parquet; the same rows give the same bytes."""
    with writing():
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path, compression="zstd")


def pseudonyms(store: Store) -> pa.Table:
    """Which pseudonym each subject_id stands for (PSEUDONYMS): only for whoever may lead results back."""
    people = store.people_table()
    return pa.table([people["person"], people["pseudonym"]], schema=PSEUDONYMS)
