"""Counts balance: every row of every file is kept, refused or left by name, or the run fails and nothing changes."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from records_helpers import good, write

from casefinding.errors import RecordsError
from casefinding.records.bringing_in import bring_in
from casefinding.records.engine import Engine, Part
from casefinding.records.extract import Extract, match_columns, read_all
from casefinding.records.reasons import Left, Refusal
from casefinding.records.sources import native
from casefinding.records.staging import Staging


def extract_with(folder: Path, change) -> Extract:
    """A native extract whose source is spoiled by `change(sources)`."""
    whole = native.find(folder)

    def tables(engine: Engine):
        sources = dict(whole.tables(engine))
        change(sources)
        return sources

    return Extract(kind="native", parts=whole.parts, tables=tables, data_through=whole.data_through)


def test_every_file_balances(bring):
    rows = good()
    rows["event"] += [rows["event"][0], ["p1", "2021-02-30", "", "snomed", "271649006", "", "1", ""]]
    balance = bring(rows).counts()["balance"]
    assert balance["event.csv"] == {"read": 10, "kept": 8, "refused": 2, "left": {}}
    assert all(one["read"] == one["kept"] + one["refused"] + sum(one["left"].values()) for one in balance.values())


@pytest.mark.parametrize("where", ["person = 'p3'", "row = 1", "row = 8"])
def test_a_source_that_loses_rows_is_found_out_and_nothing_is_written(tmp_path, where):
    def lose(sources):
        sources["event"] = f"SELECT * FROM ({sources['event']}) WHERE NOT ({where})"

    with pytest.raises(RecordsError, match=r"of 8 rows \d can be accounted for") as found:
        bring_in(extract_with(write(tmp_path / "extract", good()), lose), tmp_path / "store", shard_people=100)
    assert found.value.where == "event.csv"
    assert not (tmp_path / "store").exists()


def test_a_row_lost_and_another_said_twice_do_not_cancel_out(tmp_path):
    def lose(sources):
        sources["event"] = (
            f"SELECT * FROM ({sources['event']}) WHERE row <> 8 "
            f"UNION ALL SELECT * REPLACE ('2022-01-01' AS happened_on) FROM ({sources['event']}) WHERE row = 6"
        )

    with pytest.raises(RecordsError, match="can be accounted for"):
        bring_in(extract_with(write(tmp_path / "extract", good()), lose), tmp_path / "store", shard_people=100)


def test_a_row_that_becomes_two_is_kept_if_either_is(tmp_path):
    def twice(sources):
        sources["event"] += (
            f" UNION ALL SELECT * REPLACE ('no day' AS happened_on) FROM ({sources['event']}) WHERE row = 2"
        )
        sources["left"] = f"SELECT '{Left.NOT_ASKED}' AS reason, file, row FROM ({sources['event']}) WHERE row = 1"
        sources["event"] = f"SELECT * FROM ({sources['event']}) WHERE row <> 1"

    store = bring_in(extract_with(write(tmp_path / "extract", good()), twice), tmp_path / "store", shard_people=100)
    assert store.counts()["balance"]["event.csv"] == {"read": 8, "kept": 7, "refused": 0, "left": {Left.NOT_ASKED: 1}}
    assert store.counts()["left"] == {Left.NOT_ASKED: 1}
    assert store.counts()["refused"] == {Refusal.IMPOSSIBLE_DATE: 1}


def test_a_row_refused_by_the_source_stands_in_the_quarantine(tmp_path):
    def early(sources):
        sources[
            "refused"
        ] = f"""SELECT '{Refusal.UNREADABLE}' AS reason, 'value' AS "column", 'Y99001' AS practice, file, row
            FROM ({sources["event"]}) WHERE row = 3"""
        sources["event"] = f"SELECT * FROM ({sources['event']}) WHERE row <> 3"

    store = bring_in(extract_with(write(tmp_path / "extract", good()), early), tmp_path / "store", shard_people=100)
    assert store.quarantine().to_pylist() == [
        {"file": "event.csv", "row": 3, "practice": "Y99001", "reason": Refusal.UNREADABLE, "column": "value"}
    ]


def test_a_file_that_changes_while_it_is_read_stops_the_ingest(tmp_path):
    folder = write(tmp_path / "extract", good())
    whole = native.find(folder)
    with open(folder / "event.csv", "a", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerow(["p1", "2021-03-02", "", "snomed", "271649006", "", "150", "mmHg"])
    with pytest.raises(RecordsError, match="changed while it was read"):
        bring_in(whole, tmp_path / "store", shard_people=100)
    assert not (tmp_path / "store").exists()


letters = st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp"))
cells = st.text(st.one_of(letters, st.just(" "), st.sampled_from(',"\n')), max_size=8)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=20))
def test_staged_csv_is_what_a_plain_reader_reads(tmp_path_factory, rows):
    here = tmp_path_factory.mktemp("staged")
    with open(here / "t.csv", "w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, quoting=csv.QUOTE_ALL).writerows([["a", "B ", "c"], *rows])
    part = Part.look(here / "t.csv", "t.csv")
    (here / "work").mkdir()
    engine = Engine([part], here / "work")
    try:
        found = engine.rows(
            f"SELECT a, b, d, row FROM ({read_all(engine, [part], ('b', 'a'), 0, ('d',))}) ORDER BY row"
        )
        assert engine.rows_read == {0: len(rows)}
    finally:
        engine.close()
    assert found == [(a.strip(" ") or None, b.strip(" ") or None, None, n + 1) for n, (a, b, _) in enumerate(rows)]


def test_text_in_the_encoding_of_windows_is_read_and_other_bytes_are_refused(tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "t.csv").write_bytes("a,b\r\nit’s,€5\r\n".encode("cp1252"))
    part = Part.look(tmp_path / "t.csv", "t.csv", "cp1252")
    engine = Engine([part], tmp_path / "work")
    try:
        assert engine.rows(read_all(engine, [part], ("a", "b"), 0)) == [("it’s", "€5", 0, 1)]
    finally:
        engine.close()
    (tmp_path / "u.csv").write_bytes(b"a,b\r\n1,\x81\r\n")  # 0x81 is no letter there
    part = Part.look(tmp_path / "u.csv", "u.csv", "cp1252")
    (tmp_path / "again").mkdir()
    engine = Engine([part], tmp_path / "again")
    try:
        with pytest.raises(RecordsError, match="not text in"):
            read_all(engine, [part], ("a", "b"), 0)
    finally:
        engine.close()


def test_staged_rows_are_tables_of_the_engine_and_are_counted(tmp_path):
    (tmp_path / "some.json").write_text("{}")
    part = Part.other(tmp_path / "some.json", "some.json")
    (tmp_path / "work").mkdir()
    engine = Engine([part], tmp_path / "work")
    try:
        with Staging(engine, {"t": ("a", "b"), "empty": ("x",)}) as staged:
            for row in range(1, 120_001):
                staged.add("t", 0, row, {"a": f" {row} "})
            staged.read(0, 120_000)
        assert engine.rows("SELECT count(*), max(a::INTEGER), count(b), max(row) FROM t") == [
            (120_000, 120_000, 0, 120_000)
        ]
        assert engine.rows("SELECT * FROM empty") == []
        assert engine.rows_read == {0: 120_000}
    finally:
        engine.close()


def test_columns_are_found_by_name_whatever_their_case(tmp_path):
    (tmp_path / "t.csv").write_text("\ufeffOne, TWO\n1,2\n", encoding="utf-8")
    part = Part.look(tmp_path / "t.csv", "t.csv")
    assert match_columns(part, ("two",), ("three",)) == [("three", None), ("two", "TWO")]
