"""What is asked decides what is read, and what cannot be asked is refused with a hint."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from casefinding.definitions.shapes import Code, CodeList, Definitions, Feature, Signal
from casefinding.errors import CohortError, DefinitionError, RecordsError
from casefinding.signals import kernel
from casefinding.signals.calendar import number_of, shifted
from casefinding.signals.matrix import build_matrix
from casefinding.signals.plan import compile_plan
from casefinding.signals.shard import features_of_shard
from tests.oracle.record import Event, Person
from tests.signals import worlds
from tests.signals.test_invariance import Shelf, parquet

D = dt.date


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    codes = (Code(system="emis", id="c0", label=""),)
    lists = {"one": CodeList(name="one", source="t", release="1", reviewed_by="t", codes=codes)}
    signals = {
        "plain": Signal(name="plain", label="", codes=("one",)),
        "reading": Signal(name="reading", label="", codes=("one",), unit="mmHg", plausible=(50, 300)),
    }
    asked = (("latest_reading", "latest", "reading"), ("readings", "count", "reading"), ("times", "count", "plain"))
    features = {name: Feature(name=name, label="", ask=word, of=signal) for name, word, signal in asked}
    features["age"] = Feature(name="age", label="", ask="age")
    features["silly"] = Feature(name="silly", label="", ask="mean", of="plain")
    features["lost"] = Feature(name="lost", label="", ask="ever", of="redding")
    return Definitions(codelists=lists, signals=signals, features=features)


def plan_of(definitions: Definitions, *names: str):
    return compile_plan(definitions, names, worlds.code_table(), worlds.unit_table())


def test_only_the_columns_that_are_needed_are_read(definitions: Definitions) -> None:
    assert plan_of(definitions, "age").event_columns == ()
    assert plan_of(definitions, "times", "readings").event_columns == ("person", "day", "recorded_day", "code")
    assert "value" in plan_of(definitions, "times", "latest_reading").event_columns


def test_other_columns_need_not_even_exist(definitions: Definitions) -> None:
    people = {0: Person(events=(Event(D(2020, 1, 1), D(2020, 1, 1), "emis:c0", 140, ""),))}
    events = worlds.event_table(people).drop_columns(["value", "unit"])
    base = worlds.base_table(people, [(0, D(2021, 1, 1))]).select(["person", "index_day"])
    columns = features_of_shard(events, base, plan_of(definitions, "times"))
    assert columns.value.tolist() == [[1.0]]


@pytest.mark.parametrize(
    ("name", "what", "hint"),
    [
        ("latest_readin", "no feature named 'latest_readin'", "latest_reading"),
        ("lost", "no signal named 'redding'", "reading"),
        ("silly", "'plain' has none", "unit"),
        ("zzz", "no feature named 'zzz'", "features/"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_hint(definitions: Definitions, name: str, what: str, hint: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        plan_of(definitions, name)
    assert what in refused.value.what
    assert hint in refused.value.hint


def test_events_out_of_order_are_refused_not_miscounted(definitions: Definitions) -> None:
    plan = plan_of(definitions, "times")
    early, late = D(2020, 1, 1), D(2020, 6, 1)
    people = {number: Person(events=tuple(Event(day, day, "emis:c0") for day in (early, late))) for number in (0, 1)}
    base = worlds.base_table(people, [(0, D(2021, 1, 1)), (1, D(2021, 1, 1))])
    events = worlds.event_table(people)
    for order in ([1, 0, 2, 3], [2, 3, 0, 1], [0, 2, 1, 3]):
        with pytest.raises(RecordsError, match="not sorted"):
            features_of_shard(events.take(order), base, plan)
        with pytest.raises(RecordsError, match="not sorted"):  # also where the break lies between two pieces
            features_of_shard([events.take(order).slice(at, 1) for at in range(4)], base, plan)


def test_rows_asked_twice_or_out_of_order_are_refused(definitions: Definitions) -> None:
    people = {0: Person(), 1: Person()}
    for asked in ([(0, D(2021, 1, 1)), (0, D(2021, 1, 1))], [(1, D(2021, 1, 1)), (0, D(2021, 1, 1))]):
        base = worlds.base_table(people, asked)
        with pytest.raises(CohortError):
            features_of_shard(worlds.event_table(people), base, plan_of(definitions, "times"))


def test_a_code_or_unit_beyond_the_dictionaries_is_refused(definitions: Definitions) -> None:
    people = {0: Person(events=(Event(D(2020, 1, 1), D(2020, 1, 1), "emis:c0", 140, ""),))}
    base, events = worlds.base_table(people, [(0, D(2021, 1, 1))]), worlds.event_table(people)
    for column, number in (("code", 99), ("code", -1), ("unit", 99), ("unit", -1)):
        place = events.column_names.index(column)
        wrong = events.set_column(place, column, pa.array([number], events.schema.field(column).type))
        with pytest.raises(RecordsError, match=column):
            features_of_shard(wrong, base, plan_of(definitions, "latest_reading"))


def test_a_broken_shard_is_one_clear_error_and_leaves_no_folder(definitions: Definitions, tmp_path: Path) -> None:
    people = {0: Person(events=(Event(D(2020, 1, 1), D(2020, 1, 1), "emis:c0"),)), 1: Person()}
    store = Shelf(tmp_path, worlds.event_table(people), 2, 2, worlds.code_table()).write()
    base = worlds.base_table(people, [(0, D(2021, 1, 1)), (1, D(2021, 1, 1))])
    done: list[tuple[int, int]] = []
    build_matrix(store, definitions, ["times"], base, tmp_path / "matrix", progress=lambda *at: done.append(at))
    assert done == [(1, 2), (2, 2)]
    before = sorted(path.read_bytes() for path in (tmp_path / "matrix").iterdir())
    store.event_path(1).write_bytes(store.event_path(1).read_bytes()[:40])
    with pytest.raises(RecordsError, match="shard 1"):
        build_matrix(store, definitions, ["times"], base, tmp_path / "matrix")
    assert sorted(path.read_bytes() for path in (tmp_path / "matrix").iterdir()) == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_people_who_are_not_in_the_records_are_refused(definitions: Definitions, tmp_path: Path) -> None:
    people = {0: Person(), 1: Person()}
    store = Shelf(tmp_path, worlds.event_table(people), 1, 1, worlds.code_table()).write()
    with pytest.raises(CohortError, match="not in the records"):
        build_matrix(store, definitions, ["times"], worlds.base_table(people, [(1, D(2021, 1, 1))]))


def test_the_matrix_has_the_promised_columns(definitions: Definitions, tmp_path: Path) -> None:
    people = {0: Person(events=(Event(D(2020, 1, 1), D(2020, 1, 1), "emis:c0", 140, ""),)), 1: Person()}
    store = Shelf(tmp_path, worlds.event_table(people), 2, 1, worlds.code_table()).write()
    base = worlds.base_table(people, [(0, D(2021, 1, 1)), (1, D(2021, 1, 1))])
    table = build_matrix(store, definitions, ["latest_reading", "age"], base, with_days=True)
    assert table.schema == pa.schema(
        [
            ("person", pa.int64()),
            ("index_day", pa.date32()),
            ("latest_reading", pa.float64()),
            ("age", pa.float64()),
            ("latest_reading__day", pa.date32()),
        ]
    )
    assert table["latest_reading"].null_count == 0
    assert np.isnan(table["latest_reading"][1].as_py())
    assert table["latest_reading__day"].to_pylist() == [D(2020, 1, 1), None]
    paths = build_matrix(store, definitions, ["latest_reading", "age"], base, tmp_path / "m", with_days=True)
    assert [path.parent for path in paths] == [tmp_path / "m"]
    assert parquet(pq.read_table(paths[0], partitioning=None)) == parquet(table)


def test_adding_months_inside_the_kernel_is_adding_months_to_a_date() -> None:
    from casefinding.definitions.words import Span

    days = [D(1900, 1, 1) + dt.timedelta(days=97 * step) for step in range(600)]
    for day in [D(1899, 12, 31), D(2000, 2, 29), *days]:
        for months, days in ((1, 0), (2, 3), (12, 0), (13, 1), (60, 0), (0, 28)):
            expected = number_of(Span(months=months, days=days).after(day))
            assert shifted(number_of(day), months, days) == expected


def test_the_kernel_is_compiled_once_for_every_kind_of_input(definitions: Definitions) -> None:
    """A second compilation would cost every user ten seconds: columns with and without gaps, with and without values,
    writable or not, must all be of one kind to numba."""
    people = {0: Person(events=(Event(D(2020, 1, 1), D(2020, 1, 1), "emis:c0", 140, ""),)), 1: Person()}
    base, events = worlds.base_table(people, [(0, D(2021, 1, 1))]), worlds.event_table(people)
    for names in (("times",), ("latest_reading",), ("latest_reading", "times", "age")):
        for with_days in (False, True):
            for table in (events, events.slice(0, 0), pa.concat_tables([events, events.slice(0, 0)])):
                features_of_shard(table, base, plan_of(definitions, *names), with_days=with_days)
    assert len(kernel.walk.signatures) == 1
