"""MEDS datasets of others come in: whatever they call things, nothing is lost and nothing breaks."""

from __future__ import annotations

import datetime as dt
import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casefinding.errors import CasefindingError, RecordsError
from casefinding.records.meds import layout as meds
from casefinding.records.sources import ingest
from casefinding.records.sources.meds.codes import read_code
from casefinding.records.store import Store

Row = tuple[Any, ...]
COLUMNS: dict[str, pa.DataType] = {
    "subject_id": pa.int64(), "time": pa.timestamp("us"), "code": pa.string(), "numeric_value": pa.float32(),
    "text_value": pa.large_string(), "unit": pa.string(),
}  # fmt: skip
BORN = dt.datetime(1950, 3, 7)
GOOD: list[Row] = [
    (1, None, "GENDER//F"),
    (1, None, "RACE//WHITE"),
    (1, BORN, "MEDS_BIRTH"),
    (1, dt.datetime(2020, 5, 1, 23, 59), "LOINC//8480-6", 152.0),
    (1, dt.datetime(2021, 6, 2), "SNOMED//38341003"),
    (1, dt.datetime(2022, 1, 1), "MEDS_DEATH"),
    (2, dt.datetime(1960, 1, 1), "MEDS_BIRTH"),
    (2, dt.datetime(2019, 2, 3), "RxNorm//197361"),
]


def write(
    folder: Path,
    rows: Sequence[Row],
    *,
    kinds: dict[str, pa.DataType] | None = None,
    more: Mapping[str, Sequence[Row]] = {},
) -> Path:
    """A dataset of one file, or of more, by name."""
    types = {**COLUMNS, **(kinds or {})}
    for name, part in {"train/0": rows, **more}.items():
        padded = [(*row, *[None] * (len(types) - len(row))) for row in part]
        columns = [pa.array([row[i] for row in padded], kind) for i, kind in enumerate(types.values())]
        path = folder / "data" / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns, names=list(types)), path)
    return folder


def describe(folder: Path, codes: Mapping[str, tuple[str | None, list[str] | None]]) -> None:
    table = pa.table(
        {
            "code": list(codes),
            "description": pa.array([said for said, _ in codes.values()], pa.string()),
            "parent_codes": pa.array([parents for _, parents in codes.values()], pa.list_(pa.string())),
        }
    )
    (folder / "metadata").mkdir(exist_ok=True)
    pq.write_table(table, folder / "metadata" / "codes.parquet")


def bring(tmp_path: Path, rows: Sequence[Row], **options: Any) -> Store:
    return ingest("meds", write(tmp_path / "meds", rows, **options), tmp_path / "store")


def events(store: Store) -> list[dict[str, Any]]:
    """Every event with its system, id and unit as text."""
    codes, units = store.codes().to_pylist(), store.units()["text"].to_pylist()
    return [
        {**row, "code": (codes[row["code"]]["system"], codes[row["code"]]["id"]), "unit": units[row["unit"]]}
        for shard in range(store.shards)
        for row in store.events(shard).to_pylist()
    ]


def balances(store: Store) -> bool:
    counts = store.counts()["balance"].values()
    return all(one["read"] == one["kept"] + one["refused"] + sum(one["left"].values()) for one in counts)


def test_people_codes_and_values_come_in(tmp_path: Path) -> None:
    store = bring(tmp_path, GOOD)
    first, second = store.people_table().to_pylist()
    assert (first["pseudonym"], first["birth_month"], first["sex"]) == ("s0000000001", dt.date(1950, 3, 1), "female")
    assert (first["ethnicity"], first["died_on"]) == ("white", dt.date(2022, 1, 1))
    assert (second["sex"], second["ethnicity"], second["died_on"]) == ("unknown", "unknown", None)
    assert [(row["code"], row["day"], row["value"]) for row in events(store)] == [
        (("loinc", "8480-6"), dt.date(2020, 5, 1), 152.0),
        (("snomed", "38341003"), dt.date(2021, 6, 2), None),
        (("rxnorm", "197361"), dt.date(2019, 2, 3), None),
    ]
    assert balances(store)
    assert store.counts()["left"] == {"said by another row too": 3}


def test_without_registrations_everybody_is_at_one_practice_from_first_entry_to_last(tmp_path: Path) -> None:
    store = bring(tmp_path, GOOD)
    assert store.registrations().to_pylist() == [
        {"person": 0, "practice": "MEDS", "started_on": dt.date(2020, 5, 1), "ended_on": dt.date(2021, 6, 2)},
        {"person": 1, "practice": "MEDS", "started_on": dt.date(2019, 2, 3), "ended_on": dt.date(2019, 2, 3)},
    ]
    assert any("2 people have no REGISTRATION_START" in note for note in store.counts()["notes"])
    assert any("no recorded date" in note for note in store.counts()["notes"])


def test_registrations_that_are_said_count_and_an_end_finds_its_start(tmp_path: Path) -> None:
    rows = [
        *GOOD,
        (1, dt.datetime(2001, 1, 1), "REGISTRATION_START//A1"),
        (1, dt.datetime(2002, 1, 1), "REGISTRATION_END//A1"),
        (1, dt.datetime(2003, 1, 1), "REGISTRATION_START//A1"),
        (2, dt.datetime(2003, 1, 1), "REGISTRATION_END//A1"),
    ]
    store = bring(tmp_path, rows)
    assert [tuple(row.values()) for row in store.registrations().to_pylist()] == [
        (0, "A1", dt.date(2001, 1, 1), dt.date(2002, 1, 1)),
        (0, "A1", dt.date(2003, 1, 1), None),
        (1, "MEDS", dt.date(2019, 2, 3), dt.date(2019, 2, 3)),
    ]
    assert store.practices()["practice"].to_pylist() == ["A1", "MEDS"]
    assert store.counts()["refused"] == {"missing value": 1}  # an end without a start
    assert balances(store)


@pytest.mark.parametrize(
    ("code", "system", "code_id"),
    [
        ("SNOMED//38341003", "snomed", "38341003"),
        ("SNOMED/38341003", "snomed", "38341003"),
        ("SNOMEDCT_US//38341003", "snomed", "38341003"),
        ("LOINC//8480-6", "loinc", "8480-6"),
        ("RxNorm//197361", "rxnorm", "197361"),
        ("dm+d//39113611000001102", "dmd", "39113611000001102"),
        ("DMD//39113611000001102", "dmd", "39113611000001102"),
        ("ICD10CM//I10", "icd10", "I10"),
        ("OPCS4//K40", "opcs4", "K40"),
        ("CVX//140", "other", "CVX//140"),
        ("ADMISSION", "other", "MEDS//ADMISSION"),
        ("LAB//mg per dL", "other", "LAB//mg_per_dL"),
        ("AREA//12", "other", "AREA//12"),  # a word of our own export, not of this dataset
        ("mg/dL", "other", "MEDS//mg/dL"),
    ],
)
def test_a_vocabulary_is_known_by_its_usual_spellings(code: str, system: str, code_id: str) -> None:
    read = read_code(code)
    assert (read.kind, read.system, read.id) == ("event", system, code_id)


def test_a_code_of_a_hospitals_own_is_read_through_its_one_parent(tmp_path: Path) -> None:
    parents = {
        "HR": ("Heart rate", ["LOINC/8867-4"]),
        "BOTH": ("Two parents", ["LOINC/8867-4", "LOINC/8480-6"]),
        "LAB//1": ("Creatinine", ["LOINC/2160-0", "SNOMED/70901006"]),
    }
    folder = write(tmp_path / "meds", [*GOOD, *((1, dt.datetime(2021, 1, 1), code, 1.0) for code in parents)])
    describe(folder, parents)
    store = ingest("meds", folder, tmp_path / "store")
    assert {row["code"] for row in events(store) if row["day"] == dt.date(2021, 1, 1)} == {
        ("loinc", "8867-4"), ("other", "MEDS//BOTH"), ("snomed", "70901006"),
    }  # fmt: skip
    terms = {row["id"]: row["term"] for row in store.codes().to_pylist()}
    assert (terms["8867-4"], terms["70901006"]) == ("Heart rate", "Creatinine")
    assert store.counts()["left"]["row of a dictionary"] == 3


def test_the_unit_stands_in_its_column_or_in_the_code(tmp_path: Path) -> None:
    day = dt.datetime(2021, 1, 1)
    rows = [*GOOD, (2, day, "LOINC//8480-6//mmHg", 140.0), (2, day, "LOINC//8462-4", 80.0, None, "kPa")]
    store = bring(tmp_path, rows)
    assert {row["code"][1]: row["unit"] for row in events(store) if row["day"] == day.date()} == {
        "8480-6": "mmHg", "8462-4": "kPa",
    }  # fmt: skip


def test_values_under_another_name_and_values_that_are_no_number(tmp_path: Path) -> None:
    day = dt.datetime(2021, 1, 1)
    rows = [
        (2, day, "LOINC//8480-6", math.nan), (2, day, "LOINC//8462-4", math.inf), (2, day, "LOINC//8867-4", 0.1),
        (2, day, "LOINC//2160-0", None, ">90"), (2, day, "LOINC//718-7", None, "clotted"),
    ]  # fmt: skip
    folder = write(tmp_path / "meds", [*GOOD, *rows])
    path = folder / "data" / "train" / "0.parquet"
    table = pq.read_table(path)
    pq.write_table(
        table.rename_columns(["value" if name == "numeric_value" else name for name in table.column_names]), path
    )
    store = ingest("meds", folder, tmp_path / "store")
    found = {row["code"][1]: (row["value"], row["comparator"]) for row in events(store) if row["day"] == day.date()}
    assert (found["8480-6"], found["718-7"], found["2160-0"]) == ((None, 0), (None, 0), (90.0, 2))
    assert found["8867-4"][0] == pytest.approx(0.1)
    assert store.counts()["refused"] == {}
    assert store.counts()["held_cells"] == {"value is not a plain number": 1}


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_times_are_cut_to_the_day_on_the_wall(tmp_path: Path, unit: str) -> None:
    late = dt.datetime(2020, 6, 1, 23, 30)  # as an instant, in summer time: the day after in London
    rows = [(1, BORN, "MEDS_BIRTH"), (1, late, "LOINC//8480-6", 1.0)]
    days = {}
    for zone in (None, "UTC", "Europe/London", "+01:00", "-05:00"):
        here = tmp_path / str(zone).replace("/", "")
        store = bring(here, rows, kinds={"time": pa.timestamp(unit, zone)})
        days[zone] = events(store)[0]["day"].day
    assert days == {None: 1, "UTC": 1, "Europe/London": 2, "+01:00": 2, "-05:00": 1}


def test_a_zone_that_nobody_knows_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="time zone"):
        bring(tmp_path, GOOD, kinds={"time": pa.timestamp("us", "Mars/Olympus")})


def test_the_same_rows_in_other_files_and_orders_give_the_same_store(tmp_path: Path) -> None:
    one = bring(tmp_path / "one", GOOD)
    mixed = [row for row in reversed(GOOD) if row[0] == 2]
    more = write(tmp_path / "two" / "meds", [row for row in reversed(GOOD) if row[0] == 1], more={"tuning/0": mixed})
    assert ingest("meds", more, tmp_path / "two" / "store").digest == one.digest


def test_of_several_statements_one_is_taken_and_the_others_are_counted(tmp_path: Path) -> None:
    rows = [
        *GOOD,
        (2, dt.datetime(2010, 1, 1), "RACE//BLACK/AFRICAN AMERICAN"),
        (2, dt.datetime(2012, 1, 1), "RACE//ASIAN - INDIAN"),
        (2, dt.datetime(2013, 1, 1), "RACE//UNKNOWN"),
        (2, None, "ETHNICITY//Not Hispanic or Latino"),
        (2, dt.datetime(2012, 1, 1), "SEX//male"),
        (2, dt.datetime(2013, 1, 1), "SEX//male"),
    ]
    store = bring(tmp_path, rows)
    person = store.people_table().to_pylist()[1]
    assert (person["ethnicity"], person["sex"]) == ("asian", "male")
    assert store.counts()["left"] == {"replaced by a later row": 3, "said by another row too": 6}
    assert balances(store)


def test_an_american_indian_is_not_taken_for_an_indian(tmp_path: Path) -> None:
    store = bring(tmp_path, [*GOOD, (2, None, "RACE//AMERICAN INDIAN/ALASKA NATIVE")])
    assert store.people_table().to_pylist()[1]["ethnicity"] == "other"


def test_what_is_said_without_a_time_and_people_without_a_birth_are_counted(tmp_path: Path) -> None:
    rows = [
        *GOOD, (1, None, "EYE_COLOR//BROWN"), (1, dt.datetime(2020, 1, 1), None),
        (3, dt.datetime(2020, 1, 1), "LOINC//8480-6", 1.0), (3, None, "GENDER//M"),
        (None, dt.datetime(2020, 1, 1), "LOINC//8480-6", 1.0), (None, None, "GENDER//M"),
        (1, dt.datetime(1800, 1, 1), "LOINC//8480-6", 1.0),
    ]  # fmt: skip
    store = bring(tmp_path, rows)
    counts = store.counts()
    assert counts["left"]["kind of row that is not asked for"] == 1
    assert counts["balance"]["data/train/0.parquet"]["refused"] == 6
    assert counts["refused"]["impossible date"] == 1
    assert balances(store)


def test_a_death_without_a_day_is_looked_at_and_not_believed(tmp_path: Path) -> None:
    store = bring(tmp_path, [*GOOD, (2, None, "MEDS_DEATH")])
    assert store.people_table().to_pylist()[1]["died_on"] is None
    assert store.counts()["held_cells"] == {"impossible date of death": 1}


def test_an_nhs_number_as_subject_id_stops_everything(tmp_path: Path) -> None:
    from casefinding.nhs_number import check_digit

    real = int("4000000" + "00" + str(check_digit("400000000")))
    rows = [(real, BORN, "MEDS_BIRTH"), (real, dt.datetime(2020, 1, 1), "LOINC//8480-6", 1.0)]
    with pytest.raises(RecordsError, match="NHS numbers") as refusal:
        bring(tmp_path, rows)
    assert str(real) not in str(refusal.value)
    assert not (tmp_path / "store").exists()
    test = [(9990000018, *row[1:]) for row in rows]  # the range kept for tests
    assert bring(tmp_path / "test", test).people == 1


def test_ids_of_any_size_come_in(tmp_path: Path) -> None:
    rows = [(n, *row[1:]) for n in (-5, 0, 2**62) for row in GOOD[2:5]]
    assert bring(tmp_path, rows).people == 3


def test_a_dataset_without_births_says_so(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="MEDS_BIRTH"):
        bring(tmp_path, [row for row in GOOD if row[2] != "MEDS_BIRTH"])


@pytest.mark.parametrize(
    ("column", "kind"),
    [("subject_id", pa.float64()), ("code", pa.int32()), ("time", pa.int64()), ("time", pa.string())],
)
def test_a_column_of_another_kind_is_named(tmp_path: Path, column: str, kind: pa.DataType) -> None:
    types = {**COLUMNS, column: kind}
    folder = tmp_path / "meds" / "data"
    folder.mkdir(parents=True)
    pq.write_table(pa.table([pa.nulls(3, kind) for kind in types.values()], names=list(types)), folder / "0.parquet")
    with pytest.raises(RecordsError, match=f"'{column}'"):
        ingest("meds", tmp_path / "meds", tmp_path / "store")


def test_a_folder_without_data_a_missing_column_and_an_empty_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    for folder in ("nothing", "nowhere"):
        with pytest.raises(RecordsError, match=r"data|folder"):
            ingest("meds", tmp_path / folder, tmp_path / "store")
    path = write(tmp_path / "meds", GOOD) / "data" / "train" / "0.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["code"]), path)
    with pytest.raises(RecordsError, match="'code' is missing"):
        ingest("meds", tmp_path / "meds", tmp_path / "store")
    path.write_bytes(b"")
    with pytest.raises(RecordsError, match="empty"):
        ingest("meds", tmp_path / "meds", tmp_path / "store")


def test_what_is_beside_the_data_is_not_read_as_data(tmp_path: Path) -> None:
    folder = write(tmp_path / "meds", GOOD, more={".hidden/0": GOOD, "_temporary/0": GOOD})
    (folder / "task_labels").mkdir()
    (folder / "task_labels" / "0.parquet").write_bytes(b"no parquet")
    assert list(ingest("meds", folder, tmp_path / "store").counts()["balance"]) == ["data/train/0.parquet"]


def test_a_description_of_the_dataset_that_is_no_json_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path / "meds", GOOD)
    (folder / "metadata").mkdir()
    (folder / "metadata" / "dataset.json").write_text("{")
    with pytest.raises(RecordsError) as refusal:
        ingest("meds", folder, tmp_path / "store")
    assert refusal.value.where == "metadata/dataset.json"
    for odd in ([], {"casefinding": 3}, {"casefinding": {"data_through": "soon"}}, {"etl_name": []}):
        (folder / "metadata" / "dataset.json").write_text(json.dumps(odd))
        assert ingest("meds", folder, tmp_path / "store").people == 2


# Samples that others made.


@pytest.mark.parametrize("name", ["SIMPLE_STATIC_SHARDED_BY_SPLIT", "SIMPLE_STATIC_SHARDED_BY_SPLIT_WITH_TASKS"])
def test_the_samples_of_the_standards_own_helpers_come_in(tmp_path: Path, name: str) -> None:
    from meds_testing_helpers import static_sample_data as samples
    from meds_testing_helpers.dataset import MEDSDataset

    MEDSDataset.from_yaml(getattr(samples, name)).write(tmp_path / "meds")
    store = ingest("meds", tmp_path / "meds", tmp_path / "store")
    assert store.people == 6
    assert store.counts()["balance"]["data/train/0.parquet"]["read"] == 30
    assert balances(store)
    assert {"8867-4", "8310-5"} <= set(store.codes()["id"].to_pylist())  # HR and TEMP, by their parents


@pytest.mark.filterwarnings("ignore:no explicit representation of timezones")
@pytest.mark.parametrize(("births", "seed"), [(1.0, 1), (0.7, 2), (0.0, 3)])
def test_generated_datasets_come_in_but_for_people_whose_birth_is_not_known(
    tmp_path: Path, births: float, seed: int
) -> None:
    import numpy as np
    from meds_testing_helpers import dataset_generator as generator
    from meds_testing_helpers import rvs

    made = generator.MEDSDataDFGenerator(
        birth_datetime_per_subject=rvs.DatetimeGenerator(["1950-01-01T00:00:00", "1970-05-05T01:02:03"]),
        start_data_datetime_per_subject=rvs.DatetimeGenerator(["1990-01-01T00:00:00"]),
        time_between_birth_and_data_per_subject=rvs.PositiveTimeDeltaGenerator(["500000000s"]),
        time_between_data_and_death_per_subject=rvs.PositiveTimeDeltaGenerator(["5000000s"]),
        time_between_data_events_per_subject=rvs.PositiveTimeDeltaGenerator(["1000000s", "10s"]),
        num_events_per_subject=rvs.PositiveIntGenerator([1, 5, 9]),
        num_measurements_per_event=rvs.PositiveIntGenerator([1, 3]),
        num_static_measurements_per_subject=rvs.PositiveIntGenerator([1, 2]),
        frac_dynamic_code_occurrences_with_value=rvs.ProportionGenerator([0.0, 0.5, 1.0]),
        frac_static_code_occurrences_with_value=rvs.ProportionGenerator([0.0, 1.0]),
        static_vocab_size=4, dynamic_vocab_size=7, birth_codes_vocab_size=2, death_codes_vocab_size=2,
        frac_subjects_with_birth=births, frac_subjects_with_death=0.3,
    )  # fmt: skip
    frame = made.sample(60, np.random.default_rng(seed))
    (tmp_path / "meds" / "data").mkdir(parents=True)
    frame.write_parquet(tmp_path / "meds" / "data" / "0.parquet")
    if births == 0.0:
        with pytest.raises(RecordsError, match="MEDS_BIRTH"):
            ingest("meds", tmp_path / "meds", tmp_path / "store")
        return
    store = ingest("meds", tmp_path / "meds", tmp_path / "store")
    assert balances(store)
    assert 60 * births * 0.6 <= store.people <= 60


# Whatever a file holds, a user never sees a traceback and never a patient's value.

SECRET = "Zebedee Secretname"
TIMES = st.one_of(st.none(), st.integers(-(2**63) + 1, 2**63 - 1), st.integers(-(10**12), 2 * 10**15))
CODES = st.one_of(
    st.none(),
    st.sampled_from(
        ["MEDS_BIRTH", "MEDS_DEATH", "MEDS_BIRTH//1", "SEX//F", "GENDER", "RACE//White", "IMD_DECILE//2019",
         "LOINC//8480-6", "REGISTRATION_START//A1", "REGISTRATION_END//A1", "CONTACT//x//invited", "SNOMED//1",
         f"NOTE//{SECRET}", SECRET]
    ),
    st.text(max_size=12),
)  # fmt: skip
ROWS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(-3, 3), st.integers(-(2**63), 2**63 - 1)),
        TIMES,
        CODES,
        st.one_of(st.none(), st.floats(width=32)),
        st.one_of(st.none(), st.just(SECRET), st.text(max_size=8)),
        TIMES,
    ),
    max_size=25,
)
KINDS = st.sampled_from(
    [pa.timestamp("us"), pa.timestamp("ns"), pa.timestamp("ms", "Europe/London"), pa.timestamp("us", "+01:00")]
)


def survives(folder: Path, store: Path) -> None:
    """The ingest ends well and balances, or in one line without a value."""
    try:
        made, said = ingest("meds", folder, store), ""
    except CasefindingError as refusal:
        made, said = None, str(refusal)
    assert made is None or balances(made)
    assert SECRET not in said
    assert "please report" not in said


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, kind=KINDS, dictionary=st.booleans())
def test_any_rows_balance_or_are_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], kind: pa.DataType, dictionary: bool
) -> None:
    here = tmp_path_factory.mktemp("fuzz")
    nothing = (None, None, None)
    rows = [(1, 0, "MEDS_BIRTH", *nothing), (1, 10**9, "LOINC//8480-6", *nothing), *rows]
    columns = list(zip(*rows, strict=True))
    if kind.unit == "ms":  # a file of milliseconds beyond the year 292,000 cannot be read at all
        columns[1] = tuple(None if time is None else max(min(time, 2 * 10**15), -(10**15)) for time in columns[1])
    day = pa.array(columns[1], pa.int64()).cast(kind)
    code = pa.array(columns[2], pa.string())
    arrays = [
        pa.array(columns[0], pa.int64()), day, code.dictionary_encode() if dictionary else code,
        pa.array(columns[3], pa.float32()), pa.array(columns[4], pa.large_string()),
        pa.array(columns[5], pa.int64()).cast(pa.timestamp("us")),
    ]  # fmt: skip
    names = ["subject_id", "time", "code", "numeric_value", "text_value", "recorded_time"]
    (here / "meds" / "data").mkdir(parents=True)
    pq.write_table(pa.table(arrays, names=names), here / "meds" / "data" / "0.parquet")
    survives(here / "meds", here / "store")


@pytest.mark.parametrize("target", ["data/train/0.parquet", "metadata/codes.parquet", "metadata/practices.parquet"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, target: str, data: st.DataObject
) -> None:
    here = tmp_path_factory.mktemp("damaged")
    folder = write(here / "meds", [*GOOD, (1, dt.datetime(2021, 1, 1), f"NOTE//{SECRET}", 1.0, SECRET)])
    describe(folder, {"LOINC//8480-6": (SECRET, ["x"])})
    pq.write_table(
        pa.table({name: ["A1"] for name in ("practice", "name", "pcn", "place")}),
        folder / meds.METADATA / meds.PRACTICES,
    )
    path = folder / target
    whole = path.read_bytes()
    where = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        path.write_bytes(whole[:where])
    else:
        path.write_bytes(whole[:where] + data.draw(st.binary(min_size=1, max_size=16)) + whole[where + 1 :])
    survives(folder, here / "store")


def test_the_command_says_one_line(tmp_path: Path) -> None:
    import subprocess

    folder = write(tmp_path / "meds", GOOD)
    path = folder / "data" / "train" / "0.parquet"
    path.write_bytes(path.read_bytes()[:200])
    done = subprocess.run(
        [sys.executable, "-m", "casefinding", "ingest", str(folder), "--store", str(tmp_path / "store"),
         "--from", "meds"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 12
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("casefinding: the file cannot be read")
