"""The template that a data manager fills, and the page beside it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from records_helpers import COLUMNS, good

from casefinding.errors import RecordsError, UsageError
from casefinding.records.layout import LAYOUTS
from casefinding.records.reasons import Cell, Held, Refusal
from casefinding.records.sources import ingest
from casefinding.records.template import readme, tables, write_template

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "native-layout.md"


def test_a_filled_template_comes_in_and_an_empty_one_does_not(tmp_path):
    write_template(tmp_path / "extract")
    with pytest.raises(RecordsError, match="no rows"):
        ingest("native", tmp_path / "extract", tmp_path / "store")
    for table, rows in good().items():
        with open(tmp_path / "extract" / f"{table}.csv", "a", encoding="utf-8", newline="") as handle:
            csv.writer(handle).writerows(rows)
    store = ingest("native", tmp_path / "extract", tmp_path / "store")
    assert store.counts()["refused"] == {}
    assert store.events(0).num_rows == len(good()["event"])


def test_the_examples_of_the_page_are_an_extract(tmp_path):
    write_template(tmp_path / "extract")
    for layout in LAYOUTS:
        with open(tmp_path / "extract" / f"{layout.name}.csv", "a", encoding="utf-8", newline="") as handle:
            csv.writer(handle).writerow([column.example for column in layout.columns])
    store = ingest("native", tmp_path / "extract", tmp_path / "store")
    assert store.counts()["refused"] == {}
    assert store.counts()["notes"] == []
    assert (store.people, store.contacts().num_rows) == (1, 1)


def test_a_filled_table_is_never_overwritten(tmp_path):
    write_template(tmp_path)
    (tmp_path / "event.csv").write_text("mine")
    with pytest.raises(UsageError, match="there already"):
        write_template(tmp_path)
    assert (tmp_path / "event.csv").read_text() == "mine"
    with pytest.raises(UsageError, match="a file stands"):
        write_template(tmp_path / "event.csv")


def test_the_how_to_holds_the_same_tables():
    assert tables() in PAGE.read_text(encoding="utf-8")


def test_the_page_names_every_table_column_and_reason():
    text = readme()
    for table, columns in COLUMNS.items():
        assert f"{table}.csv" in text
        for column in columns:
            assert f"`{column}`" in text
    for reason in (*Refusal, *Cell, *Held):
        assert reason.value in text
        assert reason.explanation in text


def test_columns_that_must_be_filled_are_those_that_are_refused_when_empty(bring):
    for layout in LAYOUTS:
        for position, column in enumerate(layout.columns):
            if not column.filled or layout.name == "extract":
                continue
            rows = good()
            spare = next(row for row in rows[layout.name] if layout.name != "practice" or row[0] == "Y99002")
            spoiled = list(spare)
            spoiled[position] = ""
            rows[layout.name].append(spoiled)
            found = bring(rows).quarantine().to_pylist()
            assert [(row["reason"], row["column"]) for row in found] == [("missing value", column.name)]
