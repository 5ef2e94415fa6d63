"""The same seed gives the same bytes; a shard knows nothing of the others; memory is that of one shard."""

from __future__ import annotations

import datetime as dt
import hashlib
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from casefinding.errors import UsageError
from casefinding.synthetic.pseudonyms import pseudonyms
from casefinding.synthetic.simulate import simulate

from .conftest import Made, make


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.parquet"))
    }


def test_same_seed_gives_the_same_bytes(small: Made, tmp_path: Path) -> None:
    again = make(tmp_path, 1_500, shard_people=500)
    assert len(digests(small.records)) > 12
    assert digests(again.records) == digests(small.records)
    assert digests(again.truths) == digests(small.truths)


def test_another_seed_gives_other_people(small: Made, tmp_path: Path) -> None:
    other = make(tmp_path, 500, seed=12, shard_people=500)
    assert not set(other.table("person")["person"].to_pylist()) & set(small.table("person")["person"].to_pylist())


def test_a_shard_does_not_depend_on_how_many_follow(small: Made, tmp_path: Path) -> None:
    fewer = make(tmp_path, 500, shard_people=500)
    more = digests(small.records)
    for name, digest in digests(fewer.records).items():
        assert more[name] == digest, name


def test_another_last_day_of_data_moves_every_record(tmp_path: Path) -> None:
    made = make(tmp_path, 300, data_through=dt.date(2024, 3, 31))
    assert made.table("extract").to_pylist() == [{"data_through": "2024-03-31", "kind": "native"}]
    plausible = [day for day in made.table("event")["recorded_on"].to_pylist() if day and day[:4].isdigit()]
    assert sum(day > "2024-03-31" for day in plausible) == 1  # the planted one


def test_memory_does_not_grow_with_the_number_of_shards(tmp_path: Path) -> None:
    peaks: list[int] = []
    held: list[int] = []

    def note(done: int, people: int) -> None:
        now, most = tracemalloc.get_traced_memory()
        held.append(now)
        peaks.append(most)
        tracemalloc.reset_peak()

    tracemalloc.start()
    try:
        simulate(3_200, 2, 5, tmp_path / "records", tmp_path / "truth", shard_people=800, progress=note)
    finally:
        tracemalloc.stop()
    assert len(peaks) == 4
    assert peaks[1] > 1.5 * held[1]  # a shard's own memory is seen, and is given back
    assert max(peaks[2:]) < 1.15 * peaks[1]
    assert max(held[2:]) < 1.15 * held[1]


def test_a_run_that_is_broken_off_leaves_what_was_there(tmp_path: Path) -> None:
    made = make(tmp_path, 300, shard_people=100)
    before = digests(made.records) | digests(made.truths)

    def stop(done: int, _: int) -> None:
        if done > 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, 300, seed=99, shard_people=100, progress=stop)
    assert digests(made.records) | digests(made.truths) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["records", "truth"]


def test_pseudonyms_are_opaque_unique_and_in_no_order() -> None:
    names = pseudonyms(3, np.arange(200_000)).astype("U11")
    assert len(np.unique(names)) == len(names)
    assert all(set(name[1:]) <= set("abcdefghijklmnopqrstuvwxyz234567") and name[0] == "p" for name in names[:500])
    rank = np.argsort(np.argsort(names))
    assert abs(np.corrcoef(rank, np.arange(len(names)))[0, 1]) < 0.01
    assert set(names[:100]).isdisjoint(pseudonyms(4, np.arange(100)).astype("U11"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"truth": "records/truth"}, "truth may not lie with the records"),
        ({"truth": "records"}, "truth may not lie with the records"),
        ({"regime": "fair"}, "no regime 'fair'"),
        ({"people": 0}, "at least one person"),
        ({"practices": 401}, "1 to 400 practices"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(change: dict, says: str, tmp_path: Path) -> None:
    asked = {"people": 100, "practices": 2, "regime": "as published", "truth": "truth", **change}
    with pytest.raises(UsageError, match=says):
        simulate(
            asked["people"], asked["practices"], 1, tmp_path / "records", tmp_path / asked["truth"],
            regime=asked["regime"],
        )  # fmt: skip
    assert not list(tmp_path.iterdir())
