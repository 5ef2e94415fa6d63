"""Measures of areas: what is known of a place is an event of everybody there, from the day on which it was known."""

from __future__ import annotations

import csv
import datetime as dt
import shutil
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from records_helpers import COLUMNS, Rows, good, write

from casefinding.definitions.read import read_config, read_definitions
from casefinding.errors import CasefindingError, ConfigError, RecordsError
from casefinding.records.sources import ingest
from casefinding.records.store import Store
from casefinding.signals.matrix import build_matrix

ROOT = Path(__file__).parents[2]
HERE, THERE, EMPTY = "E01999001", "E01999002", "E01999003"
FUEL = """
source: Made-up statistics
published: 2023-02-01
measures:
  fuel_poverty:
    label: Households in fuel poverty
    unit: "%"
    vintage: 2021
"""
Table = list[list[str]]


def people() -> Rows:
    """The good rows, with a home for everybody: p1 and p2 here, p3 there, p4 unknown."""
    rows = good()
    rows["person"] = [[*row, home] for row, home in zip(rows["person"], (HERE, HERE.lower(), THERE, ""), strict=True)]
    return rows


def areas(folder: Path, table: Table, about: str = FUEL, name: str = "fuel") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"{name}.csv", "w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows(table)
    (folder / f"{name}.yaml").write_text(about, encoding="utf-8")
    return folder / f"{name}.csv"


def bring(tmp_path: Path, *files: Path, rows: Rows | None = None, **how) -> Store:
    here = Path(tempfile.mkdtemp(dir=tmp_path))
    extract = write(here / "extract", rows or people(), {**COLUMNS, "person": (*COLUMNS["person"], "lsoa")})
    return ingest("native", extract, here / "store", areas=files, **how)


def known(store: Store) -> list[tuple[str, str, float | None, str, str]]:
    """Area events as (person, measure, value, unit, day)."""
    codes = {row["code"]: row for row in store.codes().to_pylist() if row["system"] == "area"}
    names, units = store.people_table()["pseudonym"].to_pylist(), store.units()["text"].to_pylist()
    found = [event for event in store.events(0).to_pylist() if event["code"] in codes]
    assert all(event["day"] == event["recorded_day"] for event in found)
    return [(names[e["person"]], codes[e["code"]]["id"], e["value"], units[e["unit"]], str(e["day"])) for e in found]


def balances(store: Store) -> None:
    for name, one in store.counts()["balance"].items():
        assert one["read"] == one["kept"] + one["refused"] + sum(one["left"].values()), name


def test_everybody_gets_the_measure_of_home_from_the_day_it_was_published(tmp_path):
    file = areas(tmp_path, [["lsoa", "fuel_poverty"], [HERE, "12.5"], [THERE, "<5"], [EMPTY, "7"]])
    store = bring(tmp_path, file)
    assert known(store) == [
        ("p1", "fuel_poverty", 12.5, "%", "2023-02-01"),
        ("p2", "fuel_poverty", 12.5, "%", "2023-02-01"),
        ("p3", "fuel_poverty", 5.0, "%", "2023-02-01"),
    ]
    assert store.counts()["balance"]["areas/fuel.csv"] == {
        "read": 3, "kept": 2, "refused": 0, "left": {"nobody is concerned": 1}
    }  # fmt: skip
    balances(store)
    assert "Households in fuel poverty" in store.codes()["term"].to_pylist()


def test_the_place_itself_is_never_stored(tmp_path):
    store = bring(tmp_path, areas(tmp_path, [["lsoa", "fuel_poverty"], [HERE, "12.5"]]))
    kept = b"".join(path.read_bytes() for path in store.folder.rglob("*") if path.is_file())
    assert HERE.encode() not in kept


def test_where_it_comes_from_and_what_it_describes_is_said(tmp_path):
    notes = bring(tmp_path, areas(tmp_path, [["lsoa", "fuel_poverty"], [HERE, "12.5"]])).counts()["notes"]
    assert any("fuel_poverty" in note and "2021" in note and "Made-up statistics" in note for note in notes)


def test_nobody_knows_a_measure_before_their_first_registration_or_after_death(tmp_path):
    about = FUEL.replace("2023-02-01", "2012-06-30").replace("2021", "2011")
    store = bring(tmp_path, areas(tmp_path, [["lsoa", "fuel_poverty"], [HERE, "9"], [THERE, "8"]], about))
    assert {row[0]: row[4] for row in known(store)} == {"p1": "2012-06-30", "p2": "2012-06-30", "p3": "2012-06-30"}
    late = FUEL.replace("2023-02-01", "2023-06-01")
    assert [
        row[0] for row in known(bring(tmp_path, areas(tmp_path, [["lsoa", "fuel_poverty"], [HERE, "9"]], late)))
    ] == ["p1"]
    early = FUEL.replace("2023-02-01", "1990-01-01").replace("2021", "1989")
    store = bring(tmp_path, areas(tmp_path, [["lsoa", "fuel_poverty"], [HERE, "9"], [THERE, "8"]], early))
    assert {row[0]: row[4] for row in known(store)} == {"p1": "2010-01-01", "p2": "2005-05-05", "p3": "1999-09-09"}
    assert "before birth" not in store.counts()["refused"]


def test_by_practice_it_is_the_practice_of_that_day_else_the_next(tmp_path):
    def of(published: str) -> dict[str, tuple[float | None, str]]:
        about = FUEL.replace("2023-02-01", published).replace("2021", published[:4])
        table = [["practice", "fuel_poverty"], ["Y99001", "1"], ["Y99002", "2"], ["Y99009", "3"]]
        store = bring(tmp_path, areas(tmp_path, table, about), rows=people())
        balances(store)
        assert store.counts()["left"] == {"nobody is concerned": 1}
        return {row[0]: (row[2], row[4]) for row in known(store)}

    assert of("2015-06-01") == {
        "p1": (1.0, "2015-06-01"), "p2": (2.0, "2015-06-01"), "p3": (1.0, "2015-06-01"), "p4": (1.0, "2015-06-01"),
    }  # fmt: skip
    assert of("2021-06-01")["p1"] == (2.0, "2021-06-01")  # p1 changed practice in 2020
    assert of("2005-06-01")["p1"] == (1.0, "2010-01-01")  # not registered yet
    assert "p2" not in of("2023-07-01")  # dead by then


def test_the_long_form_says_the_same_as_the_wide_one(tmp_path):
    about = f'{FUEL}  damp: {{label: Homes with damp, unit: "%", vintage: 2020, published: 2022-01-01}}\n'
    wide = [["lsoa", "fuel_poverty", "damp", "other"], [HERE, "12", "3", "x"], [THERE, "", "4", "y"]]
    long = [["lsoa", "measure", "value"], [HERE, "fuel_poverty", "12"], [HERE, "damp", "3"], [THERE, "Damp", "4"]]
    first = bring(tmp_path, areas(tmp_path / "wide", wide, about))
    second = bring(tmp_path, areas(tmp_path / "long", long, about))
    assert known(first) == known(second)
    assert first.digest == second.digest


def test_several_vintages_stand_beside_each_other(tmp_path):
    about = """
source: Made-up statistics
measures:
  pm_2019: {name: pm25, label: Fine particles, unit: ug/m3, vintage: 2019, published: 2020-09-01}
  pm_2021: {name: pm25, label: Fine particles, unit: ug/m3, vintage: 2021, published: 2022-09-01}
"""
    store = bring(tmp_path, areas(tmp_path, [["lsoa", "pm_2019", "pm_2021"], [THERE, "9.5", "8.25"]], about))
    assert [row[2:] for row in known(store)] == [(9.5, "ug/m3", "2020-09-01"), (8.25, "ug/m3", "2022-09-01")]


@pytest.mark.parametrize(
    ("row", "reason", "column"),
    [
        ([HERE, "many"], "text in a number", "fuel_poverty"),
        ([HERE, "1e99"], "number too large", "fuel_poverty"),
        ([HERE, ""], "missing value", "fuel_poverty"),
        (["", "12"], "missing value", "lsoa"),
        (["ZZ99 0AA", "12"], "code is not a valid id", "lsoa"),
        ([THERE, "3"], "duplicate row", ""),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_with_its_reason_once(tmp_path, row, reason, column):
    store = bring(tmp_path, areas(tmp_path, [["lsoa", "fuel_poverty"], [THERE, "3"], row]))
    (found,) = [one for one in store.quarantine().to_pylist() if one["file"] == "areas/fuel.csv"]
    assert (found["row"], found["reason"], found["column"]) == (2, reason, column)
    balances(store)


def test_a_measure_from_after_the_extract_is_refused_row_by_row(tmp_path):
    store = bring(
        tmp_path, areas(tmp_path, [["lsoa", "fuel_poverty"], [HERE, "3"]], FUEL.replace("2023-02", "2025-02"))
    )
    assert known(store) == []
    assert store.counts()["balance"]["areas/fuel.csv"]["refused"] == 1


def test_two_values_for_one_area_stop_the_ingest_and_name_the_row(tmp_path):
    with pytest.raises(RecordsError, match=r"row 2 gives another value.*areas/fuel.csv"):
        bring(tmp_path, areas(tmp_path, [["lsoa", "fuel_poverty"], [HERE, "3"], [HERE, "4"]]))


def test_measures_of_homes_without_any_home_stop_the_ingest(tmp_path):
    rows = good()
    rows["person"] = [[*row, ""] for row in rows["person"]]
    with pytest.raises(RecordsError, match="nobody in the extract has an LSOA"):
        bring(tmp_path, areas(tmp_path, [["lsoa", "fuel_poverty"], [HERE, "3"]]), rows=rows)


def test_the_last_day_of_the_data_is_not_the_day_of_a_measure(tmp_path):
    rows = people()
    del rows["extract"]
    file = areas(tmp_path, [["lsoa", "fuel_poverty"], [HERE, "3"], [THERE, "3"]], FUEL.replace("2023-02", "2023-12"))
    assert bring(tmp_path, file, rows=rows).data_through == bring(tmp_path, rows=rows).data_through


def test_the_order_of_rows_and_files_changes_nothing(tmp_path):
    first = areas(tmp_path, [["lsoa", "fuel_poverty"], [HERE, "3"], [THERE, "4"]])
    second = areas(
        tmp_path, [["practice", "gp_smoking"], ["Y99001", "14"]], FUEL.replace("fuel_poverty", "gp_smoking"), "smoke"
    )
    digest = bring(tmp_path, first, second).digest
    assert (
        bring(tmp_path, second, areas(tmp_path, [["lsoa", "fuel_poverty"], [THERE, "4"], [HERE, "3"]])).digest == digest
    )


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda text: text.replace("published: 2023-02-01", ""), "needs 'published'"),
        (lambda text: text.replace("source: Made-up statistics", ""), "needs 'source'"),
        (lambda text: text.replace("2021", "2029"), "published before what it describes"),
        (lambda text: text.replace("label:", "lable:"), "lable"),
        (lambda text: text.replace("fuel_poverty", "Fuel poverty"), "cannot be the name of a measure"),
        (lambda text: "[", "is not YAML"),
        (lambda text: text.replace("fuel_poverty", "damp"), "the column 'damp' is missing"),
    ],
)
def test_a_declaration_that_is_not_right_is_named_by_file_and_line(tmp_path, spoil, says):
    with pytest.raises(RecordsError, match=says) as caught:
        bring(tmp_path, areas(tmp_path, [["lsoa", "fuel_poverty"], [HERE, "3"]], spoil(FUEL)))
    assert "fuel." in caught.value.where


def test_files_without_declaration_or_area_or_given_twice_are_refused(tmp_path):
    file = areas(tmp_path, [["lsoa", "fuel_poverty"], [HERE, "3"]])
    with pytest.raises(RecordsError, match="this name"):
        bring(tmp_path, file, file)
    again = areas(tmp_path, [["lsoa", "fuel_poverty"], [HERE, "3"]], name="again")
    with pytest.raises(RecordsError, match="given by two files"):
        bring(tmp_path, file, again)
    file.with_suffix(".yaml").unlink()
    with pytest.raises(RecordsError, match="not declared"):
        bring(tmp_path, file)
    with pytest.raises(RecordsError, match="neither lsoa nor practice"):
        bring(tmp_path, areas(tmp_path, [["ward", "fuel_poverty"], [HERE, "3"]]))
    with pytest.raises(RecordsError, match="no such file"):
        bring(tmp_path, tmp_path / "nothing.csv")


CELL = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12), st.sampled_from([HERE, "1", ""])
)


@given(rows=st.lists(st.tuples(CELL, CELL, CELL), max_size=6), long=st.booleans())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_file_holds_its_rows_balance_and_no_cell_is_repeated(tmp_path, rows, long):
    about = f"{FUEL}  damp: {{label: Homes with damp, vintage: 2020}}\n"
    header = ["lsoa", "measure", "value"] if long else ["lsoa", "fuel_poverty", "damp"]
    try:
        store = bring(tmp_path, areas(tmp_path, [header, *map(list, rows)], about))
    except CasefindingError as problem:
        if any(len(cell) > 6 and cell in str(problem) for row in rows for cell in row):
            pytest.fail("a cell is repeated in a message")
        return
    balances(store)


def test_an_area_measure_is_a_signal_like_any_other(tmp_path):
    """The example of docs/how-to/area-measures.md: the latest share known before the index day."""
    home = tmp_path / "definitions"
    for name in ("features", "models"):
        shutil.copytree(ROOT / name, home / name)
    page = (ROOT / "docs" / "how-to" / "area-measures.md").read_text(encoding="utf-8")
    for file in ("features/codelists/fuel_poverty.csv", "features/signals/area.yaml", "features/area.yaml"):
        text = page.partition(f"`{file}`")[2].partition("```")[2].partition("\n")[2].partition("```")[0]
        assert text
        (home / file).write_text(text, encoding="utf-8")
    definitions = read_definitions(home)
    files = [
        areas(tmp_path, [["lsoa", "fuel_poverty"], [HERE, "12.5"], [THERE, "8"]],
              FUEL.replace("2021", "2019").replace("2023-02-01", "2021-04-01"), "old"),
        areas(tmp_path, [["lsoa", "fuel_poverty"], [HERE, "14"]], FUEL, "new"),
    ]  # fmt: skip
    store = bring(tmp_path, *files)
    asked = [(0, dt.date(2021, 1, 1)), (0, dt.date(2022, 1, 1)), (0, dt.date(2024, 1, 1)), (2, dt.date(2024, 1, 1)),
             (3, dt.date(2024, 1, 1))]  # fmt: skip
    place = pa.array([person for person, _ in asked], pa.int64())
    base = store.people_table().select(["birth_month", "sex", "ethnicity", "imd_decile"]).take(place)
    base = base.append_column("person", place)
    days = pa.array([day for _, day in asked], pa.date32())
    base = base.append_column("index_day", days).append_column(
        "registered_on", pa.array([dt.date(2015, 1, 1)] * len(asked))
    )
    column = build_matrix(store, definitions, ("fuel_poverty_latest",), base)["fuel_poverty_latest"].to_pylist()
    assert [None if value is None or value != value else round(value, 2) for value in column] == [
        None,
        12.5,
        14.0,
        8.0,
        None,
    ]


def test_a_config_names_area_measures_and_never_a_password(tmp_path):
    text = (ROOT / "configs" / "demo.yaml").read_text(encoding="utf-8")
    records = text[text.index("records:") :].splitlines()
    end = next((i for i, line in enumerate(records[1:], 1) if line and not line.startswith((" ", "#"))), len(records))
    block = "\n".join(records[:end])

    def config(new: str) -> Path:
        (tmp_path / "one.yaml").write_text(text.replace(block, new), encoding="utf-8")
        return tmp_path / "one.yaml"

    assert read_config(config("records: {kind: native, path: there, areas: [fuel.csv]}\n")).records.areas == (
        "fuel.csv",
    )
    with pytest.raises(ConfigError, match="holds a password") as caught:
        read_config(config('records: {kind: omop, path: "postgresql://reader:secret-word@db.example/cdm"}\n'))
    assert "secret-word" not in str(caught.value)
    assert read_config(config('records: {kind: omop, path: "postgresql://reader@db.example/cdm"}\n')).records.path
