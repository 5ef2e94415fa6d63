"""Nothing but a person's own record decides: not the order of rows, shards, threads, other people or pseudonyms."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from casefinding.signals.matrix import build_matrix
from casefinding.signals.plan import compile_plan
from casefinding.signals.shard import features_of_shard
from tests.signals import compare, worlds


@dataclass
class Shelf:
    """A store of some worlds' people, in as many shards as wanted; row groups small enough to part people."""

    path: Path
    whole: pa.Table
    people: int
    shards: int
    codes_table: pa.Table

    def codes(self) -> pa.Table:
        return self.codes_table

    def units(self) -> pa.Table:
        return worlds.unit_table()

    def shard_people(self, shard: int) -> range:
        each = -(-self.people // self.shards)
        return range(shard * each, min(self.people, (shard + 1) * each))

    def event_path(self, shard: int) -> Path:
        return self.path / f"{self.shards}-{shard}.parquet"

    def write(self, row_group: int = 37) -> Shelf:
        for shard in range(self.shards):
            people = self.shard_people(shard)
            mine = pc.and_(
                pc.greater_equal(self.whole["person"], people.start), pc.less(self.whole["person"], people.stop)
            )
            pq.write_table(self.whole.filter(mine), self.event_path(shard), row_group_size=row_group)
        return self


@pytest.fixture(scope="module")
def world() -> worlds.World:
    return worlds.world(seed=7, people=60, features=30)


def test_the_world_asks_about_pairs(world: worlds.World) -> None:
    """Otherwise nothing here would be shown of them."""
    asked = {feature.of for feature in world.definitions.features.values()}
    assert {"pair", "other_pair", "near", "near_reading"} <= asked


def shelf(world: worlds.World, folder: Path, shards: int, row_group: int = 37) -> Shelf:
    people = dict(enumerate(world.people))
    table = worlds.event_table(people)
    return Shelf(folder, table, len(people), shards, worlds.code_table()).write(row_group)


def base(world: worlds.World) -> pa.Table:
    return worlds.base_table(dict(enumerate(world.people)), list(world.asked))


def parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def test_shards_threads_and_row_groups_give_the_same_bytes(world: worlds.World, tmp_path: Path) -> None:
    bytes_of = set()
    for shards, threads, row_group in ((1, 1, 10_000), (1, 1, 1), (3, 1, 37), (3, 4, 11), (60, 4, 37), (7, 2, 1000)):
        store = shelf(world, tmp_path, shards, row_group)
        matrix = build_matrix(store, world.definitions, world.features, base(world), threads=threads, with_days=True)
        bytes_of.add(parquet(matrix))
    assert len(bytes_of) == 1


def test_files_a_shard_hold_the_same_rows_as_the_whole_on_any_number_of_threads(
    world: worlds.World, tmp_path: Path
) -> None:
    store = shelf(world, tmp_path, 5)
    whole = build_matrix(store, world.definitions, world.features, base(world), with_days=True)
    first = build_matrix(
        store, world.definitions, world.features, base(world), tmp_path / "one", threads=1, with_days=True
    )
    again = build_matrix(
        store, world.definitions, world.features, base(world), tmp_path / "four", threads=4, with_days=True
    )
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    assert len(first) == 5
    parts = pa.concat_tables(pq.read_table(path, partitioning=None) for path in first)
    assert parquet(parts.combine_chunks()) == parquet(whole.combine_chunks())


def test_another_persons_records_never_change_mine(world: worlds.World) -> None:
    mine = compare.kernel(world)
    rng = random.Random(1)
    for place in range(0, 60, 3):
        people = list(worlds.world(seed=rng.randrange(10**6), people=60).people)
        people[place] = world.people[place]
        asked = [row for row, (person, _) in enumerate(world.asked) if person == place]
        theirs = compare.kernel(worlds.World(world.definitions, tuple(people), world.asked))
        np.testing.assert_array_equal(theirs.value[:, asked], mine.value[:, asked])
        np.testing.assert_array_equal(theirs.day[:, asked], mine.day[:, asked])


def test_renaming_people_only_moves_their_rows(world: worlds.World) -> None:
    mine = compare.kernel(world)
    numbers = random.Random(2).sample(range(1000), len(world.people))
    renamed = compare.kernel(world, numbers)
    order = np.argsort([numbers[place] for place, _ in world.asked], kind="stable")
    np.testing.assert_array_equal(renamed.value, mine.value[:, order])
    np.testing.assert_array_equal(renamed.day, mine.day[:, order])


def test_numbering_the_codes_otherwise_changes_nothing(world: worlds.World) -> None:
    """A new extract numbers its codes anew, and so stores a day's events in another order."""
    mine = compare.kernel(world)
    codes = random.Random(3).sample([*worlds.CODES, "emis:new", "snomed:new"], len(worlds.CODES) + 2)
    again = compare.kernel(world, codes=codes)
    np.testing.assert_array_equal(again.value, mine.value)
    np.testing.assert_array_equal(again.day, mine.day)


def test_the_features_asked_beside_it_do_not_change_a_feature(world: worlds.World) -> None:
    together = compare.kernel(world)
    people = dict(enumerate(world.people))
    for at, name in enumerate(world.features):
        plan = compile_plan(world.definitions, [name], worlds.code_table(), worlds.unit_table())
        alone = features_of_shard(worlds.event_table(people), base(world), plan)
        np.testing.assert_array_equal(alone.value[0], together.value[at])


def test_people_outside_the_base_are_passed_by(world: worlds.World, tmp_path: Path) -> None:
    store = shelf(world, tmp_path, 4)
    everyone = build_matrix(store, world.definitions, world.features, base(world))
    some = base(world).filter(pc.equal(pc.bit_wise_and(base(world)["person"], 1), 1))
    part = build_matrix(store, world.definitions, world.features, some)
    kept = everyone.filter(pc.equal(pc.bit_wise_and(everyone["person"], 1), 1))
    assert parquet(part) == parquet(kept.combine_chunks())
