"""A store becomes a MEDS dataset that others' tools accept, and comes back as it was."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from meds import CodeMetadataSchema, DataSchema, DatasetMetadataSchema, SubjectSplitSchema
from meds_testing_helpers.dataset import MEDSDataset
from records_helpers import good, write

from casefinding.errors import UsageError
from casefinding.files import new_folder
from casefinding.records.meds.rows import RECORDED, TIMES
from casefinding.records.meds.splits import split_practices, subject_splits
from casefinding.records.meds.write import write_meds
from casefinding.records.sources import ingest
from casefinding.records.store import Store
from casefinding.synthetic.simulate import simulate


def export(store: Store, folder: Path, time: str = RECORDED) -> Path:
    with new_folder(folder) as fresh:
        write_meds(store, fresh, time=time)
    return folder


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Store:
    here = tmp_path_factory.mktemp("meds")
    simulate(600, 2, 7, here / "extract", here / "truth")
    return ingest("native", here / "extract", here / "store", shard_people=250)


@pytest.fixture(scope="module", params=TIMES)
def dataset(simulated: Store, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(simulated, tmp_path_factory.mktemp("out") / "meds", time=request.param)


def shards(folder: Path) -> list[pa.Table]:
    return [pq.read_table(path) for path in sorted((folder / "data").rglob("*.parquet"))]


def same(one: Store, other: Store, *, but_for: tuple[str, ...] = ("pseudonym",)) -> bool:
    """Whether two stores hold the same people, registrations, practices, contacts, codes and events."""
    return (
        one.people_table().drop_columns(list(but_for)).equals(other.people_table().drop_columns(list(but_for)))
        and all(
            getattr(one, name)().equals(getattr(other, name)())
            for name in ("registrations", "practices", "contacts", "codes", "units")
        )
        and one.shards == other.shards
        and all(one.events(shard).equals(other.events(shard)) for shard in range(one.shards))
        and one.data_through == other.data_through
    )


def test_every_file_fits_the_schemas_of_the_standard(dataset: Path) -> None:
    for table in shards(dataset):
        DataSchema.validate(table)
    CodeMetadataSchema.validate(pq.read_table(dataset / "metadata" / "codes.parquet"))
    SubjectSplitSchema.validate(pq.read_table(dataset / "metadata" / "subject_splits.parquet"))
    DatasetMetadataSchema.validate(json.loads((dataset / "metadata" / "dataset.json").read_text()))


def test_the_standards_own_helpers_read_it(dataset: Path, simulated: Store) -> None:
    read = MEDSDataset(root_dir=dataset)
    assert len(read.data_shards) == simulated.shards
    assert read.subject_splits is not None
    assert read.subject_splits.num_rows == simulated.people
    assert read.dataset_metadata.etl_name == "casefinding"


def test_a_subject_is_in_one_file_and_its_rows_are_in_order_of_time(dataset: Path, simulated: Store) -> None:
    seen: set[int] = set()
    for table in shards(dataset):
        subjects = table["subject_id"].to_pylist()
        assert not seen & set(subjects)
        seen |= set(subjects)
        times = [dt.datetime.min if time is None else time for time in table["time"].to_pylist()]
        assert all(one <= following for one, following in pairwise(zip(subjects, times, strict=True)))
    assert seen == set(range(simulated.people))


def test_every_code_is_described_and_every_subject_is_born_once_and_has_one_split(
    dataset: Path, simulated: Store
) -> None:
    whole = pa.concat_tables(shards(dataset))
    described = pq.read_table(dataset / "metadata" / "codes.parquet")["code"].to_pylist()
    assert set(whole["code"].to_pylist()) == set(described)
    assert len(described) == len(set(described))
    births = whole.filter(pa.array([code == "MEDS_BIRTH" for code in whole["code"].to_pylist()]))
    assert births["subject_id"].to_pylist() == list(range(simulated.people))
    splits = pq.read_table(dataset / "metadata" / "subject_splits.parquet")
    assert splits["subject_id"].to_pylist() == list(range(simulated.people))
    assert set(splits["split"].to_pylist()) == {"train", "tuning", "held_out"}


def test_whoever_looks_at_time_alone_never_looks_ahead(simulated: Store, tmp_path: Path) -> None:
    whole = pa.concat_tables(shards(export(simulated, tmp_path / "meds")))
    time, happened, recorded = (whole[name].to_numpy() for name in ("time", "happened_time", "recorded_time"))
    coded = ~np.isnat(happened)
    assert (recorded[coded] > happened[coded]).any()  # something was recorded later than it happened
    np.testing.assert_array_equal(time[coded], np.maximum(happened, recorded)[coded])


def test_by_the_day_it_happened_the_recorded_day_stands_beside(simulated: Store, tmp_path: Path) -> None:
    whole = pa.concat_tables(shards(export(simulated, tmp_path / "meds", time="happened")))
    coded = whole.filter(whole["happened_time"].is_valid())
    assert coded["time"].equals(coded["happened_time"])
    assert coded["recorded_time"].null_count == 0


def test_no_pseudonym_is_in_any_file(dataset: Path, simulated: Store) -> None:
    names = {text for text in simulated.people_table()["pseudonym"].to_pylist()}
    for path in dataset.rglob("*"):
        if path.suffix == ".parquet":
            for column in pq.read_table(path).columns:
                if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                    assert not names & set(column.unique().to_pylist())
        elif path.is_file():
            assert not [name for name in names if name in path.read_text()]


def test_the_same_store_gives_the_same_bytes(simulated: Store, tmp_path: Path) -> None:
    one, two = (export(simulated, tmp_path / name) for name in ("one", "two"))
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert files
    assert all((one / path).read_bytes() == (two / path).read_bytes() for path in files)


def test_out_and_in_again_is_the_same_store_but_for_the_pseudonyms(
    dataset: Path, simulated: Store, tmp_path: Path
) -> None:
    back = ingest("meds", dataset, tmp_path / "store", shard_people=simulated.people_a_shard)
    assert same(simulated, back)
    assert back.counts()["refused"] == {}
    assert not any("recorded date" in note or "practice" in note for note in back.counts()["notes"])
    twice = ingest("meds", export(back, tmp_path / "again"), tmp_path / "store", shard_people=back.people_a_shard)
    assert twice.digest == back.digest


DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2024, 3, 31)).map(dt.date.isoformat)
CODES = st.sampled_from(
    [["snomed", "38341003", "A term"], ["dmd", "39113611000001102", "Amlodipine 5mg tablets"], ["loinc", "8480-6", ""],
     ["other", "CVX//140", "x"], ["other", "LOINC//8480-6", ""], ["emis", "ABC//1", "a/b"], ["area", "fuel", "Fuel"],
     ["icd10", "I10", ""], ["ctv3", "XE2.a", "y"], ["read2", "246..", ""], ["rxnorm", "197361", "amlodipine"]]
)  # fmt: skip
EVENTS = st.tuples(
    st.sampled_from(["p1", "p2"]), DAYS, st.one_of(st.just(""), DAYS), CODES,
    st.sampled_from(["", "0", "-1.5", "<0.1", ">= 90", "123456.789", "3e20"]), st.sampled_from(["", "mmHg", "a b"]),
)  # fmt: skip
SPELLS = st.tuples(
    st.sampled_from(["p1", "p2"]), st.sampled_from(["Y99001", "Y99002"]), DAYS, st.one_of(st.just(""), DAYS)
)
WHO = st.tuples(
    st.sampled_from(["", "female", "M", "?"]), st.sampled_from(["", "A", "Z", "White British", "strange // words"]),
    st.sampled_from(["", "1", "10", "x"]), st.sampled_from(["", "2019", "2019//b"]),
    st.one_of(st.just(""), DAYS),
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    who=st.lists(WHO, min_size=2, max_size=2),
    spells=st.lists(SPELLS, max_size=8),
    said=st.lists(EVENTS, max_size=20),
    time=st.sampled_from(TIMES),
)
def test_any_store_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, who: list, spells: list, said: list, time: str
) -> None:
    here = tmp_path_factory.mktemp("any")
    rows = good()
    rows["person"] = [
        *rows["person"][2:],
        *([name, "1950-03", *about] for name, about in zip(("p1", "p2"), who, strict=True)),
    ]
    rows["registration"] = [row for row in rows["registration"] if row[0] in ("p3", "p4")] + [
        list(row) for row in spells
    ]
    rows["event"] = [row for row in rows["event"] if row[0] == "p3"]
    rows["event"] += [[p, day, recorded, *code, value, unit] for p, day, recorded, code, value, unit in said]
    store = ingest("native", write(here / "extract", rows), here / "store", shard_people=2)
    back = ingest("meds", export(store, here / "meds", time=time), here / "back", shard_people=2)
    assert same(store, back)
    assert back.counts()["refused"] == {}


def test_another_time_is_refused(bring: Callable[..., Store], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such time"):
        export(bring(good()), tmp_path / "meds", time="entered")
    assert not (tmp_path / "meds").exists()


def test_a_few_practices_are_split_by_person_and_nobody_moves_when_others_come(bring: Callable[..., Store]) -> None:
    everybody = good()
    by, table = subject_splits(bring(everybody))
    fewer = {**everybody, "person": everybody["person"][1:]}
    _, later = subject_splits(bring(fewer))
    assert by == "person"
    assert table["split"].to_pylist()[1:] == later["split"].to_pylist()


def test_many_practices_are_split_whole_each_person_by_the_practice_joined_last(bring: Callable[..., Store]) -> None:
    rows = good()
    codes = [f"Y{number:05d}" for number in range(12)]
    rows["practice"] = [[code, "", "", ""] for code in codes] + rows["practice"]
    rows["person"] = [[f"q{number:02d}", "1950-01", "", "", "", "", ""] for number in range(24)]
    rows["registration"] = [[f"q{number:02d}", codes[number % 12], "2010-01-01", ""] for number in range(24)]
    rows["registration"].append(["q00", codes[1], "2015-01-01", ""])
    rows["event"] = [["q00", "2020-01-01", "", "snomed", "38341003", "", "", ""]]
    by, table = subject_splits(bring(rows))
    split = table["split"].to_pylist()
    assert by == "practice"
    assert split[0] == split[1] == split[13]
    assert split[2:12] == split[14:]


@given(st.dictionaries(st.text("ABC123", min_size=1, max_size=5), st.integers(1, 10_000), min_size=3, max_size=60))
def test_no_split_of_practices_is_empty_and_order_does_not_matter(sizes: dict[str, int]) -> None:
    splits = split_practices(Counter(sizes))
    assert set(splits.values()) == {"train", "tuning", "held_out"}
    assert splits == split_practices(Counter(dict(reversed(sizes.items()))))


def test_a_network_of_even_practices_is_split_as_said() -> None:
    shares = Counter(split_practices(Counter({f"Y{n:05d}": 8000 for n in range(100)})).values())
    assert shares == {"train": 70, "tuning": 15, "held_out": 15}
