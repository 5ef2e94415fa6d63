"""What the store promises: its tables, its order, its bytes."""

from __future__ import annotations

import datetime as dt
import gzip
import random
import shutil

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from records_helpers import COLUMNS, content, good, write

from casefinding.errors import RecordsError, UsageError
from casefinding.records import tables
from casefinding.records.sources import ingest
from casefinding.records.store import Store


def test_every_table_has_its_columns(bring):
    store = bring(good())
    for table, schema in (
        (store.people_table(), tables.PERSON),
        (store.registrations(), tables.REGISTRATION),
        (store.practices(), tables.PRACTICE),
        (store.codes(), tables.CODE),
        (store.units(), tables.UNIT),
        (store.contacts(), tables.CONTACT),
        (store.quarantine(), tables.QUARANTINE),
        (store.events(0), tables.EVENT),
    ):
        assert table.schema.equals(schema)
    assert store.quarantine().num_rows == 0
    assert store.counts()["refused"] == {}


def test_people_are_read_as_written(bring):
    people = bring(good()).people_table().to_pylist()
    assert [row["pseudonym"] for row in people] == ["p1", "p2", "p3", "p4"]
    assert [row["person"] for row in people] == [0, 1, 2, 3]
    assert [row["sex"] for row in people] == ["female", "male", "female", "unknown"]
    assert [row["ethnicity"] for row in people] == ["white", "asian", "black", "unknown"]
    assert [row["ethnicity_detail"] for row in people][1] == "Asian or Asian British - Indian"
    assert [row["imd_decile"] for row in people] == [1, 10, None, 5]
    assert people[2]["birth_month"] == dt.date(1975, 12, 1)
    assert people[1]["died_on"] == dt.date(2023, 5, 1)


def test_events_are_read_as_written(bring):
    store = bring(good())
    codes = {row["code"]: (row["system"], row["id"]) for row in store.codes().to_pylist()}
    units = {row["unit"]: row["text"] for row in store.units().to_pylist()}
    assert units[0] == ""
    read = [
        (row["person"], str(row["day"]), str(row["recorded_day"]), *codes[row["code"]], row["value"],
         units[row["unit"]], row["comparator"])
        for row in store.events(0).to_pylist()
    ]  # fmt: skip
    assert read == [
        (0, "2021-03-01", "2021-03-05", "snomed", "271649006", 152.0, "mmHg", 0),
        (0, "2021-03-01", "2021-03-05", "snomed", "271650006", 91.5, "mmHg", 0),
        (0, "2022-06-09", "2022-06-09", "snomed", "1011481000000105", 90.0, "mL/min/1.73m2", 2),
        (1, "2020-02-29", "2020-03-02", "dmd", "39113611000001102", None, "", 0),
        (1, "2020-05-29", "2020-05-29", "snomed", "271649006", pytest.approx(18.7), "kPa", 0),
        (2, "2023-11-11", "2023-11-12", "snomed", "271649006", 139.0, "", 0),
        (2, "2024-01-31", "2024-01-31", "loinc", "8480-6", 400.0, "mm[Hg]", 0),
        (2, "2024-01-31", "2024-01-31", "snomed", "38341003", None, "", 0),
    ]
    assert (store.data_from, store.data_through, store.kind) == (dt.date(2020, 2, 29), dt.date(2024, 3, 31), "example")


def test_a_code_carries_its_commonest_term_and_ties_go_by_text(bring):
    rows = good()
    terms = {row["id"]: row["term"] for row in bring(rows).codes().to_pylist()}
    assert terms["271649006"] == "Systolic blood pressure"  # two people; one has the other term
    assert terms["38341003"] == ""
    rows["event"][0][5] = "Systolic arterial pressure"
    rows["event"][4][5] = "Systolic blood pressure"
    del rows["event"][5]
    terms = {row["id"]: row["term"] for row in bring(rows).codes().to_pylist()}
    assert terms["271649006"] == "Systolic arterial pressure"  # one person each


def test_codes_are_numbered_by_system_and_id(bring):
    codes = bring(good()).codes().to_pylist()
    keys = [(row["system"], row["id"]) for row in codes]
    assert keys == sorted(keys)
    assert [row["code"] for row in codes] == list(range(len(codes)))


def many(people: int = 40, events: int = 600, seed: int = 3):
    """A larger extract, drawn at random, with some rows that are refused."""
    draw = random.Random(seed)
    rows = good()
    rows["person"] = [
        [f"q{i:03d}", f"19{draw.randint(30, 79)}-0{draw.randint(1, 9)}", draw.choice("MF"), "white", "4", "2019", ""]
        for i in range(people)
    ]
    rows["registration"] = [
        [f"q{i:03d}", draw.choice(["Y99001", "Y99002"]), "2001-01-01", ""] for i in range(people) if i != 7
    ]
    codes = ["271649006", "38341003", "60621009", "49436004"]
    values = ["", "120", "130.5", "-0", "0", "1e2", ">90", "high"]
    rows["event"] = []
    for _ in range(events):
        day = f"20{draw.randint(10, 23)}-{draw.randint(1, 12):02d}-{draw.randint(1, 30):02d}"
        cells = [draw.choice(codes), draw.choice(["", "a", "b"]), draw.choice(values), draw.choice(["", "mmHg", "kPa"])]
        rows["event"].append([f"q{draw.randint(0, people):03d}", day, "", "snomed", *cells])
    rows["contact"] = [["q003", "ckd", "seen", "2020-01-01"], ["q001", "ckd", "declined", "2020-02-01"]]
    return rows


def test_order_of_rows_and_files_changes_no_byte(tmp_path):
    rows = many()
    plain = ingest("native", write(tmp_path / "plain", rows), tmp_path / "a", shard_people=9)
    draw = random.Random(11)
    for lines in rows.values():
        draw.shuffle(lines)
    parts = write(tmp_path / "parts", rows)
    (parts / "event").mkdir()
    lines = (parts / "event.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (parts / "event.csv").unlink()
    half = len(lines) // 2
    (parts / "event" / "z.csv").write_text("".join(lines[:half]), encoding="utf-8")
    with gzip.open(parts / "event" / "a.csv.gz", "wt", encoding="utf-8") as handle:
        handle.write("".join([lines[0], *lines[half:]]))
    shuffled = ingest("native", parts, tmp_path / "b", shard_people=9)
    assert plain.shards == shuffled.shards == 5
    assert plain.digest == shuffled.digest
    one, other = content(plain), content(shuffled)
    for name in one:
        if name not in {"quarantine.parquet", "store.json"}:  # these say where the refused rows stood
            assert one[name] == other[name], name
    assert plain.counts()["refused"] == shuffled.counts()["refused"]
    assert plain.counts()["refused_by_practice"] == shuffled.counts()["refused_by_practice"]


def test_files_given_twice_change_nothing_but_the_count_of_duplicates(tmp_path):
    rows = many()
    once = ingest("native", write(tmp_path / "once", rows), tmp_path / "a")
    twice = {table: lines * (1 if table == "extract" else 2) for table, lines in rows.items()}
    again = ingest("native", write(tmp_path / "twice", twice), tmp_path / "b")
    assert once.digest == again.digest
    kept = {table: count["kept"] for table, count in once.counts()["rows"].items()}
    assert kept == {table: count["kept"] for table, count in again.counts()["rows"].items()}


def test_the_same_ingest_twice_gives_the_same_bytes(tmp_path):
    extract = write(tmp_path / "extract", many())
    one = content(ingest("native", extract, tmp_path / "a"))
    assert one == content(ingest("native", extract, tmp_path / "b"))
    assert one == content(ingest("native", extract, tmp_path / "a"))


def test_parquet_and_csv_of_the_same_rows_give_the_same_content(tmp_path):
    extract = write(tmp_path / "csv", many())
    parquet = tmp_path / "parquet"
    parquet.mkdir()
    for table, columns in COLUMNS.items():
        text = pa.csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string()))
        pq.write_table(pa.csv.read_csv(extract / f"{table}.csv", convert_options=text), parquet / f"{table}.parquet")
    one, other = (ingest("native", folder, tmp_path / f"s-{folder.name}") for folder in (extract, parquet))
    assert one.digest == other.digest
    same = [table.drop(["file"]) for table in (one.quarantine(), other.quarantine())]
    assert same[0].equals(same[1])


def test_parquet_may_hold_dates_and_numbers_as_such(tmp_path):
    extract = write(tmp_path / "csv", good())
    typed = tmp_path / "typed"
    shutil.copytree(extract, typed)
    (typed / "event.csv").unlink()
    events = pa.csv.read_csv(
        extract / "event.csv",
        convert_options=pa.csv.ConvertOptions(column_types=dict.fromkeys(COLUMNS["event"], pa.string())),
    ).to_pydict()
    days = [dt.date.fromisoformat(day[:10]) for day in events["happened_on"]]
    values = [float(v) if v and v[0].isdigit() else None for v in events["value"]]
    table = pa.table({**events, "happened_on": pa.array(days), "value": pa.array(values)})
    pq.write_table(table, typed / "event.parquet")
    store = ingest("native", typed, tmp_path / "store")
    plain = ingest("native", extract, tmp_path / "plain")
    assert store.events(0)["day"].equals(plain.events(0)["day"])
    assert store.events(0)["value"].to_pylist()[0] == 152.0


def test_shards_hold_whole_people_and_together_everything(tmp_path):
    extract = write(tmp_path / "extract", many())
    whole = ingest("native", extract, tmp_path / "a")
    cut = ingest("native", extract, tmp_path / "b", shard_people=7)
    assert (whole.shards, cut.shards) == (1, 6)
    covered = []
    for shard in range(cut.shards):
        people = set(cut.events(shard)["person"].to_pylist())
        assert people <= set(cut.shard_people(shard))
        covered.extend(cut.shard_people(shard))
        assert pq.read_table(cut.event_path(shard)).num_rows == cut.events(shard).num_rows
    assert covered == list(range(cut.people))
    together = pa.concat_tables([cut.events(shard) for shard in range(cut.shards)])
    assert together.equals(whole.events(0))


def test_events_are_sorted_by_every_column_and_free_of_repeats(bring):
    events = bring(many()).events(0)
    keys = [
        tuple((value is None, value) for value in row.values())
        for row in events.to_pylist()
    ]  # fmt: skip
    assert keys == sorted(set(keys), key=lambda row: tuple((empty, 0 if empty else value) for empty, value in row))


def test_renaming_pseudonyms_only_permutes_people(tmp_path, bring):
    rows = good()
    new = {"p1": "z1", "p2": "c2", "p3": "m3", "p4": "a4"}
    renamed = good()
    for table in ("person", "registration", "event", "contact"):
        for row in renamed[table]:
            row[0] = new[row[0]]

    def facts(store: Store) -> set:
        names = store.people_table()["pseudonym"].to_pylist()
        return {(names[row.pop("person")], *row.values()) for row in store.events(0).to_pylist()}

    assert {(new[fact[0]], *fact[1:]) for fact in facts(bring(rows))} == facts(bring(renamed))


def test_some_columns_of_a_shard_may_be_asked_for(bring):
    assert bring(good()).events(0, ["code", "person"]).column_names == ["code", "person"]


def test_a_store_of_another_format_is_refused(bring):
    store = bring(good())
    about = store.folder / "store.json"
    about.write_text(about.read_text().replace('"format": 1', '"format": 99'))
    with pytest.raises(RecordsError, match="format 99"):
        Store.open(store.path)


def test_no_store_and_half_a_store_are_refused(tmp_path, bring):
    with pytest.raises(RecordsError, match="no store"):
        Store.open(tmp_path / "nothing")
    store = bring(good())
    (store.folder / "code.parquet").unlink()
    with pytest.raises(RecordsError, match=r"code\.parquet is missing"):
        Store.open(store.path)
    shutil.rmtree(store.folder)
    with pytest.raises(RecordsError, match="not whole"):
        Store.open(store.path)


def test_a_changed_or_cut_off_file_is_found(bring):
    store = bring(good())
    store.verify()
    path = store.event_path(0)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(RecordsError, match="has changed"):
        store.verify()
    with pytest.raises(RecordsError, match="broken or unfinished"):
        Store.open(store.path).events(0)


def test_current_may_not_point_outside_the_store(bring, tmp_path):
    store = bring(good())
    shutil.copytree(store.folder, tmp_path / "elsewhere")
    (store.path / "CURRENT").write_text("../../elsewhere\n")
    with pytest.raises(RecordsError, match="not whole"):
        Store.open(store.path)


def test_an_unknown_kind_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="native, emis, systmone"):
        ingest("natve", tmp_path, tmp_path / "store")


def test_only_the_owner_can_read_the_store(bring):
    store = bring(good())
    for path in store.folder.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0
    assert store.path.stat().st_mode & 0o077 == 0
