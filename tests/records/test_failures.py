"""Whatever goes wrong: one line that says what, where and a hint, and the store is what it was, or new, never half."""

from __future__ import annotations

import errno
import gzip
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from records_helpers import COLUMNS, content, good, write

from casefinding.errors import RecordsError, WriteError
from casefinding.records import generation
from casefinding.records.engine import Engine, Part
from casefinding.records.sources import ingest
from casefinding.records.store import Store

CANARY = "canary-7731"


def refused(folder: Path, tmp_path: Path, *words: str) -> str:
    """Ingest, expecting a RecordsError with these words, nothing written, and no cell in the message."""
    with pytest.raises(RecordsError) as caught:
        ingest("native", folder, tmp_path / "store")
    text = str(caught.value)
    assert caught.value.hint
    for word in words:
        assert word in text
    assert CANARY not in text
    assert str(tmp_path / "store") not in text or "extract" not in words
    assert not (tmp_path / "store").exists()
    return text


def spoiled(tmp_path: Path) -> Path:
    rows = good()
    rows["event"][0][5] = CANARY
    return write(tmp_path / "extract", rows)


def test_a_missing_folder(tmp_path):
    refused(tmp_path / "nowhere", tmp_path, "no such folder")


@pytest.mark.parametrize("table", ["person", "registration", "practice", "event"])
def test_a_missing_table(tmp_path, table):
    folder = spoiled(tmp_path)
    (folder / f"{table}.csv").rename(folder / f"{table}s.csv")
    refused(folder, tmp_path, f"the table '{table}' is missing", f"did you mean '{table}s'")


NEEDED = [(table, column) for table in COLUMNS for column in COLUMNS[table] if (table, column) != ("extract", "kind")]


@pytest.mark.parametrize(("table", "column"), NEEDED)
def test_a_missing_column(tmp_path, table, column):
    folder = spoiled(tmp_path)
    path = folder / f"{table}.csv"
    header, rest = path.read_text(encoding="utf-8").split("\n", 1)
    names = ["xyz" if name == column else name for name in header.strip().split(",")]
    path.write_text(",".join(names) + "\n" + rest, encoding="utf-8")
    refused(folder, tmp_path, f"the column '{column}' is missing", f"{table}.csv")


def test_a_column_given_twice(tmp_path):
    folder = spoiled(tmp_path)
    path = folder / "event.csv"
    path.write_text(path.read_text().replace("unit", "value", 1))
    refused(folder, tmp_path, "'value' is there twice")


def test_headers_may_differ_in_order_case_and_extra_columns(tmp_path):
    plain = ingest("native", write(tmp_path / "plain", good()), tmp_path / "a")
    rows = good()
    columns = dict(COLUMNS) | {"event": ["Unit ", "VALUE", "extra", *COLUMNS["event"][:6]]}
    rows["event"] = [[row[7], row[6], "x", *row[:6]] for row in rows["event"]]
    other = ingest("native", write(tmp_path / "other", rows, columns), tmp_path / "b")
    assert other.digest == plain.digest


def test_an_empty_file_and_a_header_alone(tmp_path):
    folder = spoiled(tmp_path)
    header = (folder / "event.csv").read_text().split("\n")[0]
    (folder / "event.csv").write_text("")
    refused(folder, tmp_path, "event.csv", "empty")
    (folder / "event.csv").write_text(header + "\n")
    refused(folder, tmp_path, "event", "no rows")
    (folder / "event.csv").write_text(header)
    refused(folder, tmp_path, "event", "no rows")


def test_both_a_file_and_a_folder_of_one_table(tmp_path):
    folder = spoiled(tmp_path)
    (folder / "event").mkdir()
    refused(folder, tmp_path, "more than once")
    (folder / "event.csv").unlink()
    refused(folder, tmp_path, "is empty")


def test_a_truncated_gzip(tmp_path):
    folder = spoiled(tmp_path)
    whole = gzip.compress((folder / "event.csv").read_bytes() * 200)
    (folder / "event.csv").unlink()
    for size in (len(whole) // 2, len(whole) - 4, 15):
        (folder / "event.csv.gz").write_bytes(whole[:size])
        refused(folder, tmp_path, "event.csv.gz", "only part of it arrived")


def test_a_truncated_or_false_parquet(tmp_path):
    folder = spoiled(tmp_path)
    (folder / "event.csv").unlink()
    path = folder / "event.parquet"
    table = pa.table({name: ["x"] * 50_000 for name in COLUMNS["event"]})
    pq.write_table(table, path)
    whole = path.read_bytes()
    for broken in (whole[: len(whole) // 2], whole[:-6], b"PAR1", b"not parquet at all"):
        path.write_bytes(broken)
        refused(folder, tmp_path, "event.parquet", "only part of it arrived")


def test_parquet_whose_pages_are_damaged(tmp_path):
    folder = spoiled(tmp_path)
    (folder / "event.csv").unlink()
    path = folder / "event.parquet"
    rows = good()["event"]
    pq.write_table(pa.table(dict(zip(COLUMNS["event"], map(list, zip(*rows, strict=True)), strict=True))), path)
    damaged = bytearray(path.read_bytes())
    damaged[4:200] = b"\xff" * 196
    path.write_bytes(damaged)
    refused(folder, tmp_path, "event.parquet")


def test_parquet_with_codes_as_floats(tmp_path):
    folder = spoiled(tmp_path)
    (folder / "event.csv").unlink()
    columns = {name: pa.array(["x"]) for name in COLUMNS["event"]} | {"code": pa.array([271649006.0])}
    pq.write_table(pa.table(columns), folder / "event.parquet")
    refused(folder, tmp_path, "'code' is stored as a floating-point number", "text")


@pytest.mark.parametrize(
    ("shape", "words"),
    [("{2}/{1}/{0}", "day/month/year"), ("{2}-{1}-{0}", "day-month-year"), ("{0}{1}{2}", "yyyymmdd"),
     ("{0}/{1}/{2}", "year/month/day"), ("{2} Mar {0}", "month in letters"), ("45012", "spreadsheet")],
)  # fmt: skip
def test_a_wrong_date_format_in_every_row_is_named(tmp_path, shape, words):
    rows = good()
    rows["event"] = [[r[0], shape.format(*r[1][:10].split("-")), "", *r[3:]] for r in rows["event"]]
    refused(write(tmp_path / "extract", rows), tmp_path, "happened_on", words, "YYYY-MM-DD", "event")


def test_a_wrong_date_format_is_named_where_nothing_says_how_far_the_extract_reaches(tmp_path):
    rows = good()
    del rows["extract"]
    rows["event"] = [[r[0], "01/02/2020", "", *r[3:]] for r in rows["event"]]
    refused(write(tmp_path / "extract", rows), tmp_path, "happened_on", "day/month/year")


def test_a_wrong_date_format_of_births_is_named(tmp_path):
    rows = good()
    for row in rows["person"]:
        row[1] = "01/02/1970"
    refused(write(tmp_path / "extract", rows), tmp_path, "birth_month", "day/month/year")


def test_no_registration_at_a_known_practice(tmp_path):
    rows = good()
    rows["practice"] = [["Y99007", "Another", "", ""]]
    refused(write(tmp_path / "extract", rows), tmp_path, "registration", "Y9900")


def test_practices_that_contradict_each_other(tmp_path):
    rows = good()
    rows["practice"].append(["Y99001", "Another name", "", ""])
    refused(write(tmp_path / "extract", rows), tmp_path, "disagree", "Y99001")
    rows["practice"][-1] = ["../../Y99001", "", "", ""]
    refused(write(tmp_path / "extract", rows), tmp_path, "not a plain code")


def test_nothing_left_names_the_commonest_reasons(tmp_path):
    rows = good()
    for row in rows["event"]:
        row[3] = "gamgee"
    refused(write(tmp_path / "extract", rows), tmp_path, "no event is left", "unknown code system (8)")


@pytest.mark.parametrize(
    ("line", "words"),
    [("p1,2021-03-01,,snomed,271649006,a term, with a comma,120,mmHg," + CANARY, "columns where the header has 8"),
     (f'p1,2021-03-01,,snomed,271649006,"{CANARY},120,mmHg', "a quote is opened"),
     (f'p1,2021-03-01,,snomed,271649006,"{CANARY}"x,120,mmHg', "beside a closed quote"),
     (f"p1,2021-03-01,{CANARY}", "columns where the header has 8")],
)  # fmt: skip
def test_lines_that_are_not_csv_are_named_without_their_text(tmp_path, line, words):
    folder = spoiled(tmp_path)
    with open(folder / "event.csv", "a", encoding="utf-8", newline="") as handle:
        handle.write(line + "\r\n")
    refused(folder, tmp_path, f"event.csv:{len(good()['event']) + 2}", words)


def test_text_that_is_not_utf8(tmp_path):
    folder = spoiled(tmp_path)
    with open(folder / "event.csv", "ab") as handle:
        handle.write("p1,2021-03-01,,snomed,271649006,caf\xe9,120,mmHg\n".encode("latin-1"))
    refused(folder, tmp_path, "event.csv:10", "UTF-8")


def test_line_ends_of_two_kinds_and_of_a_lost_kind(tmp_path):
    folder = spoiled(tmp_path)
    path = folder / "event.csv"
    whole = path.read_bytes()
    path.write_bytes(whole + whole.split(b"\r\n")[1] + b"\n")
    refused(folder, tmp_path, "event.csv:10", "CR LF")
    path.write_bytes(whole.replace(b"\r\n", b"\r"))
    refused(folder, tmp_path, "event.csv", "CR alone")


def test_blank_lines_a_byte_order_mark_and_a_last_line_without_end_are_no_fault(tmp_path):
    plain = ingest("native", write(tmp_path / "plain", good()), tmp_path / "a")
    folder = write(tmp_path / "other", good())
    for table in ("event", "person"):
        path = folder / f"{table}.csv"
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes() + (b"\r\n\r\n" if table == "event" else b""))
    path = folder / "registration.csv"
    path.write_bytes(path.read_bytes().rstrip())
    assert ingest("native", folder, tmp_path / "b").digest == plain.digest


@pytest.mark.parametrize(("mark", "word"), [(";", "semicolons"), ("\t", "tabs")])
def test_another_separator_is_named(tmp_path, mark, word):
    folder = spoiled(tmp_path)
    path = folder / "person.csv"
    path.write_text(path.read_text().replace(",", mark))
    refused(folder, tmp_path, word)


def test_a_quote_late_in_a_large_file_is_read_as_a_quote(tmp_path):
    rows = good()
    plain = ["p1", "2021-03-01", "", "snomed", "38341003", "plain", "", "mmHg"]
    rows["event"] = [plain] * 30_000 + [[*plain[:5], 'Term, with a comma and a " quote', "1", ""]]
    store = ingest("native", write(tmp_path / "extract", rows), tmp_path / "store")
    assert store.counts()["rows"]["event"] == {"read": 30_001, "kept": 2, "refused": 29_999}


# ------------------------------------------------------------------ the engine reads what was declared, and no more


def test_the_engine_opens_no_other_file(tmp_path):
    folder = write(tmp_path / "extract", good())
    (tmp_path / "secret.csv").write_text("a\n1\n")
    work = tmp_path / "work"
    work.mkdir()
    engine = Engine([Part.look(folder / "event.csv", "event.csv")], work)
    try:
        for sql in (
            f"SELECT * FROM read_csv('{tmp_path}/secret.csv')",
            f"SELECT * FROM read_text('{tmp_path}/secret.csv')",
            f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
            f"ATTACH '{tmp_path}/other.duckdb'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SET enable_external_access=true",
            "SET memory_limit='100GB'",
            "SELECT * FROM COLUMNS",
        ):
            with pytest.raises(RecordsError) as caught:
                engine.run(sql)
            assert "secret" not in str(caught.value)
        assert engine.rows("SELECT 1") == [(1,)]
    finally:
        engine.close()
    assert not (tmp_path / "out.csv").exists()


def test_a_data_frame_of_python_cannot_be_read_by_its_name(tmp_path):
    engine = Engine([], tmp_path)
    sneaky = pa.table({"a": [1]})
    assert sneaky.num_rows
    with pytest.raises(RecordsError):
        engine.run("SELECT * FROM sneaky")
    engine.close()


def test_names_of_files_and_columns_cannot_break_out_of_their_quotes(tmp_path):
    nasty = "o'brien; DROP TABLE event_in; --\"]),('x"
    folder = write(tmp_path / "extract", good())
    (folder / "event").mkdir()
    path = folder / "event.csv"
    columns = [*COLUMNS["event"], 'a"b', "'; SELECT 1 --"]
    lines = path.read_text().splitlines()
    quoted = ['"' + column.replace('"', '""') + '"' for column in columns]
    lines = [",".join(quoted), *(line + ",1,2" for line in lines[1:])]
    (folder / "event" / f"{nasty}.csv").write_text("\n".join(lines))
    path.unlink()
    store = ingest("native", folder, tmp_path / "store")
    assert store.events(0).num_rows == len(good()["event"])
    parquet = folder / "event" / f"{nasty}.parquet"
    table = dict(zip(columns, map(list, zip(*([*row, "1", "2"] for row in good()["event"]), strict=True)), strict=True))
    pq.write_table(pa.table(table), parquet)
    (folder / "event" / f"{nasty}.csv").unlink()
    assert ingest("native", folder, tmp_path / "store").digest == store.digest


# ------------------------------------------------------------------ old or new, never half

STEPS = ("mkdtemp", "write_table", "fsync", "rename", "replace")


def snapshot(store: Path) -> dict[str, bytes]:
    return content(Store.open(store)) | {"CURRENT": (store / "CURRENT").read_bytes()}


@pytest.fixture(scope="module")
def before(tmp_path_factory) -> Path:
    """A folder with a store, the extract it was made from, and a changed one."""
    home = tmp_path_factory.mktemp("before")
    rows = good()
    ingest("native", write(home / "extract", rows), home / "store")
    rows["event"].pop()
    write(home / "changed", rows)
    return home


@pytest.mark.parametrize(
    ("step", "fault"),
    [(step, OSError(errno.ENOSPC, "No space left on device")) for step in STEPS]
    + [(step, KeyboardInterrupt()) for step in ("write_table", "replace")],
)
def test_a_full_disk_or_a_stop_at_any_step_leaves_the_old_store(before, tmp_path, monkeypatch, step, fault):
    store = shutil.copytree(before / "store", tmp_path / "store")
    old = snapshot(store)
    home = {"mkdtemp": generation.tempfile, "write_table": pq.ParquetWriter}.get(step, os)
    real, calls = getattr(home, step), iter(range(1000))

    def broken(*given, **options):
        if next(calls) >= 1 or step in ("rename", "replace"):
            raise fault
        return real(*given, **options)

    with monkeypatch.context() as patched:
        patched.setattr(home, step, broken)
        with pytest.raises(WriteError if isinstance(fault, OSError) else KeyboardInterrupt):
            ingest("native", before / "changed", store)
    assert snapshot(store) == old
    leftovers = [path.name for path in store.iterdir() if path.name.startswith((".work", ".new"))]
    assert leftovers in ([], [".new-current"])
    made = ingest("native", before / "changed", store)
    assert made.events(0).num_rows == len(good()["event"]) - 1
    assert sorted(path.name for path in store.iterdir()) == sorted([".lock", "CURRENT", made.folder.name])


@pytest.mark.parametrize("step", ["write_table", "rename", "replace"])
def test_a_killed_run_leaves_old_or_new_and_the_next_one_sweeps_up(before, tmp_path, step):
    store = shutil.copytree(before / "store", tmp_path / "store")
    first = Store.open(store)
    script = f"""
import os, signal, sys
import pyarrow.parquet as pq
from casefinding.records.sources import ingest
home = {{"write_table": pq.ParquetWriter}}.get({step!r}, os)
real, calls = getattr(home, {step!r}), iter(range(1000))
def killing(*given, **options):
    answer = real(*given, **options)
    if next(calls) >= 1 or {step!r} in ("rename", "replace"):
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
setattr(home, {step!r}, killing)
ingest("native", {str(before / "changed")!r}, {str(store)!r})
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=120, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    after = Store.open(store)
    after.verify()
    assert after.events(0).num_rows == len(good()["event"]) - (step == "replace")
    assert (after.digest == first.digest) == (step != "replace")
    made = ingest("native", before / "changed", store)
    made.verify()
    assert sorted(path.name for path in store.iterdir()) == sorted([".lock", "CURRENT", made.folder.name])


def test_a_first_run_killed_at_the_last_moment_can_be_run_again(tmp_path, monkeypatch):
    folder = write(tmp_path / "extract", good())
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            ingest("native", folder, tmp_path / "store")
    with pytest.raises(RecordsError, match="no store"):
        Store.open(tmp_path / "store")
    ingest("native", folder, tmp_path / "store").verify()


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    folder = write(tmp_path / "extract", good())
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "thesis.txt").write_text("mine")
    with pytest.raises(RecordsError, match="other files"):
        ingest("native", folder, tmp_path / "store")
    assert [path.name for path in (tmp_path / "store").iterdir()] == ["thesis.txt"]
    with pytest.raises(RecordsError, match="a file stands"):
        ingest("native", folder, tmp_path / "store" / "thesis.txt")


def test_two_writers_do_not_meet(tmp_path):
    folder = write(tmp_path / "extract", good())
    store = ingest("native", folder, tmp_path / "store")
    script = (
        "import sys, time; from pathlib import Path; from casefinding.records.generation import locked\n"
        f"with locked(Path({str(tmp_path / 'store')!r})): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == b"held\n"
            with pytest.raises(RecordsError, match="another run"):
                ingest("native", folder, tmp_path / "store")
            assert Store.open(tmp_path / "store").digest == store.digest
        finally:
            other.kill()
    assert ingest("native", folder, tmp_path / "store").digest == store.digest


def test_control_c_in_the_middle_ends_cleanly(tmp_path):
    rows = good()
    rows["event"] = rows["event"] * 10_000
    folder = write(tmp_path / "extract", rows)
    script = (
        # a test in the background of a script would hand on that Ctrl-C is ignored
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from casefinding.records.sources import ingest\n"
        "def tell(done, total):\n    print(done, flush=True)\n"
        f"ingest('native', {str(folder)!r}, {str(tmp_path / 'store')!r}, progress=tell)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as run:
        assert run.stdout is not None
        run.stdout.readline()
        time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=60)
    assert run.returncode != 0
    assert b"KeyboardInterrupt" in errors
    assert not (tmp_path / "store").exists()
