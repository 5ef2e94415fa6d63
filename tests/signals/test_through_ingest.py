"""From files to matrix: the order of rows, doubled files and the size of shards leave its bytes as they are."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from casefinding.records.sources import ingest
from casefinding.records.store import Store
from casefinding.signals.matrix import build_matrix
from tests.oracle.record import Event
from tests.signals import worlds

COLUMNS = ("person", "happened_on", "recorded_on", "system", "code", "term", "value", "unit")
PEOPLE = 40


@pytest.fixture(scope="module")
def world() -> worlds.World:
    """The first whose index days lie in this century: an ingest refuses people born before 1900."""
    several = (worlds.world(seed, PEOPLE, features=30) for seed in range(20, 40))
    return next(one for one in several if all(day.year > 2000 for _, day in one.asked))


def extract(world: worlds.World, folder: Path, seed: int | None) -> Path:
    """The world in the native layout; with a seed: people and rows shuffled, events in two parts, one of them twice."""
    pseudonyms = [f"P{place:05d}" for place in range(PEOPLE)]
    people = [(name, "1950-01", "female", "white", "5", "2019", "") for name in pseudonyms]
    stays = [(name, "Y99001", "1990-01-01", "") for name in pseudonyms]
    events = [
        (name, one.day, one.recorded, *one.code.split(":"), "", _cell(one), one.unit)
        for name, person in zip(pseudonyms, world.people, strict=True)
        for one in person.events
    ]
    parts = [events]
    if seed is not None:
        rng = random.Random(seed)
        for rows in (people, stays, events):
            rng.shuffle(rows)
        parts = [events[: len(events) // 2], events[len(events) // 2 :], events[: len(events) // 2]]
    _write(folder / "person.csv", "person,birth_month,sex,ethnicity,imd_decile,imd_vintage,died_on", people)
    _write(folder / "registration.csv", "person,practice,started_on,ended_on", stays)
    _write(folder / "practice.csv", "practice,name,pcn,place", [("Y99001", "A", "B", "C")])
    for number, part in enumerate(parts):
        _write(folder / "event" / f"part-{number}.csv", ",".join(COLUMNS), part)
    return folder


def _cell(event: Event) -> str:
    return "" if event.value is None else f"{event.comparator}{event.value}"


def _write(path: Path, header: str, rows: list[tuple]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([header.split(","), *rows])


def matrix(store: Store, world: worlds.World) -> bytes:
    people = store.people_table().select(["birth_month", "sex", "ethnicity", "imd_decile"])
    asked = pa.array([place for place, _ in world.asked], pa.int64())
    base = people.take(asked).append_column("person", asked)
    base = base.append_column("index_day", pa.array([day for _, day in world.asked], pa.date32()))
    base = base.append_column("registered_on", pa.array([world.asked[0][1]] * len(world.asked), pa.date32()))
    out = io.BytesIO()
    pq.write_table(build_matrix(store, world.definitions, world.features, base, with_days=True), out)
    return out.getvalue()


def test_shuffled_rows_doubled_files_and_other_shards_give_the_same_bytes(world: worlds.World, tmp_path: Path) -> None:
    plain = ingest("native", extract(world, tmp_path / "plain", None), tmp_path / "plain-store")
    assert sum(plain.events(shard).num_rows for shard in range(plain.shards)) > 200
    first = matrix(plain, world)
    for seed, shard_people in ((1, 20_000), (2, 7)):
        files = extract(world, tmp_path / f"files-{seed}", seed)
        store = ingest("native", files, tmp_path / f"store-{seed}", shard_people=shard_people)
        assert store.counts()["refused"]["duplicate row"] > plain.counts()["refused"].get("duplicate row", 0)
        assert matrix(store, world) == first


def test_the_matrix_of_a_real_store_is_the_oracles(world: worlds.World, tmp_path: Path) -> None:
    """On what was kept: an ingest refuses some of the odd records that the random worlds hold."""
    from casefinding.signals.calendar import NONE
    from tests.oracle.ask import ask
    from tests.oracle.record import Person
    from tests.signals.compare import same, same_day

    store = ingest("native", extract(world, tmp_path / "files", 3), tmp_path / "store", shard_people=11)
    codes, units, known = store.codes().to_pylist(), store.units().to_pylist(), store.people_table().to_pylist()
    events: dict[int, list[Event]] = {}
    for shard in range(store.shards):
        for row in store.events(shard).to_pylist():
            code = f"{codes[row['code']]['system']}:{codes[row['code']]['id']}"
            unit = units[row["unit"]]["text"] or ""
            comparator = worlds.COMPARATORS[row["comparator"]]
            event = Event(row["day"], row["recorded_day"], code, row["value"], unit, comparator)
            events.setdefault(row["person"], []).append(event)
    table = pq.read_table(io.BytesIO(matrix(store, world)))
    for row, (place, index_day) in enumerate(world.asked):
        who = known[place]
        person = Person(
            who["birth_month"], who["sex"], who["ethnicity"], who["imd_decile"], world.asked[0][1],
            tuple(events.get(place, ())),
        )  # fmt: skip
        for name, feature in world.definitions.features.items():
            value, day = ask(feature, world.definitions, person, index_day)
            assert same(value, table[name][row].as_py(), feature.ask)
            if f"{name}__day" in table.column_names:
                said = table[f"{name}__day"].cast(pa.int32())[row].as_py()
                assert same_day(day, NONE if said is None else said)
