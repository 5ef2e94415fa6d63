"""Make a population whose true disease is known: records in the native layout, and the truth in another folder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from casefinding.errors import UsageError
from casefinding.files import new_folder, writing
from casefinding.synthetic.compare import Counts
from casefinding.synthetic.diagnosis import default_action
from casefinding.synthetic.illness import make_curves
from casefinding.synthetic.native import PEOPLE, TRUTH, people_table, truth_table, write_frame, write_shard
from casefinding.synthetic.network import make_network
from casefinding.synthetic.planted import write_planted
from casefinding.synthetic.pseudonyms import pseudonyms
from casefinding.synthetic.regimes import REGIMES
from casefinding.synthetic.shard import simulate_shard

SHARD_PEOPLE = 20_000
_MOST_IN_A_SHARD = 32_000  # the sorting key of `events` has 15 bits for the person


@dataclass(frozen=True)
class Summary:
    """What was made: `people` without the planted ones, rows of `event`, and the counts by age, sex and condition."""

    people: int
    planted: int
    events: int
    practices: int
    counts: Counts


def simulate(
    people: int,
    practices: int,
    seed: int,
    folder: Path,
    truth_folder: Path,
    *,
    data_through: dt.date = dt.date(2026, 9, 30),
    regime: str = "as published",
    shard_people: int = SHARD_PEOPLE,
    progress: Callable[[int, int], None] | None = None,
) -> Summary:
    """Simulate `people` people of `practices` fictional practices over ten years, a shard at a time.

    `folder` takes the records (native layout, Parquet); `truth_folder` truth.parquet, people.parquet, planted.parquet.
    Both are replaced whole or not at all. A shard depends on the seed and its own number only, so memory is bounded
    by `shard_people`, and the first shards are the same however many follow. `progress` is called with (people done,
    people).
    Raises UsageError for arguments that make no sense, WriteError if the disk is full.
    """
    folder, truth_folder = Path(folder), Path(truth_folder)
    _check(people, practices, folder, truth_folder, regime, shard_people, data_through)
    end = (data_through - dt.date(1970, 1, 1)).days
    network = make_network(practices, seed, end, regime)
    curves, action, counts, events = make_curves(network), default_action(), Counts(), 0
    with new_folder(folder) as records, new_folder(truth_folder) as truths:
        write_frame(records, network, data_through)
        with (
            writing(),
            pq.ParquetWriter(truths / "truth.parquet", TRUTH, store_schema=False) as truth_file,
            pq.ParquetWriter(truths / "people.parquet", PEOPLE, store_schema=False) as people_file,
        ):
            for number, first in enumerate(range(0, people, shard_people)):
                size = min(shard_people, people - first)
                shard = simulate_shard(number, size, network, curves, action)
                names = pseudonyms(seed, np.arange(first, first + size)).astype("U11").tolist()
                events += write_shard(records, number, shard, names, network)
                truth_file.write_table(truth_table(shard, names, end))
                people_file.write_table(people_table(shard, names, end))
                counts.add(shard, end)
                del shard
                if progress is not None:
                    progress(first + size, people)
            planted = write_planted(records, truths, truth_file, network, data_through)
    return Summary(people, planted.people, events + planted.events, practices, counts)


def _check(
    people: int, practices: int, folder: Path, truth_folder: Path, regime: str, shard_people: int, data_through: dt.date
) -> None:
    if people < 1 or practices < 1 or practices > 400:
        raise UsageError("a simulation needs at least one person and 1 to 400 practices", where="simulate")
    if regime not in REGIMES:
        raise UsageError(f"there is no regime '{regime}'", where="simulate", hint=f"choose one of {', '.join(REGIMES)}")
    if not 1 <= shard_people <= _MOST_IN_A_SHARD:
        raise UsageError(f"a shard holds 1 to {_MOST_IN_A_SHARD:,} people", where="simulate")
    if not dt.date(2012, 1, 1) <= data_through <= dt.date(2050, 1, 1):
        raise UsageError("the last day of data must lie between 2012 and 2050", where="simulate")
    records, truths = folder.absolute(), truth_folder.absolute()
    if records == truths or records in truths.parents or truths in records.parents:
        raise UsageError(
            "the truth may not lie with the records", where=str(truth_folder), hint="choose two folders apart"
        )
