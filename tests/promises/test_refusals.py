"""What a user can get wrong: one line that says what, where and how to mend it, an exit code by kind, no output."""

import ctypes
import os
import re
import shutil
from pathlib import Path

import pytest

from .conftest import Run, config_text, contents, quick_definitions

pytestmark = pytest.mark.xdist_group("whole job")


@pytest.fixture
def extract(hamlet: Path, tmp_path: Path) -> Path:
    """An extract of 200 people in CSV, to be spoilt."""
    return Path(shutil.copytree(hamlet, tmp_path / "extract"))


@pytest.fixture
def config(tmp_path: Path, extract: Path) -> Path:
    """A config for it."""
    path = tmp_path / "config.yaml"
    path.write_text(config_text("atrial_fibrillation", path=extract), encoding="utf-8")
    return path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


# ------------------------------------------------------------------------------------- the config asks for too much


def test_an_index_day_after_the_data_end(casefinding, config, tmp_path):
    change(config, "2026-10-01", "2026-10-02")
    line = casefinding("run", "--config", config, "--out", "out").refused(
        13, "2026-10-02", "after the data", "index day"
    )
    assert "Hint: choose 2026-10-01" in line
    assert not (tmp_path / "out").exists()


def test_the_day_after_the_last_day_of_data_may_be_asked_about(casefinding, config, tmp_path):
    said = casefinding("run", "--config", config, "--out", "out")
    assert said.code == 0, said.err
    assert (tmp_path / "out" / "index.html").exists()


def test_an_index_day_before_the_data_begin(casefinding, config, tmp_path):
    change(config, "2026-10-01", "1901-10-01")
    casefinding("run", "--config", config, "--out", "out").refused(13, "1901-10-01", "before the data", "index day")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("records:", "practices: [Y99001, Y99777]\nrecords:"),
        ("bootstrap:", "  practices: {Y99777: {a month: {electrocardiogram: 3}}}\nbootstrap:"),
    ],
    ids=["practices", "capacity"],
)
def test_an_unknown_practice(casefinding, config, tmp_path, old, new):
    change(config, old, new)
    line = casefinding("run", "--config", config, "--out", "out").refused(11, "unknown practice", "Y99777", "Hint")
    assert "Y99002" in line
    assert not (tmp_path / "out").exists()


def test_a_capacity_below_nothing(casefinding, config):
    change(config, "electrocardiogram: 10", "electrocardiogram: -1")
    casefinding("run", "--config", config, "--out", "out").refused(11, "config.yaml", "electrocardiogram")


def test_places_for_a_test_that_no_model_asks_for(casefinding, config):
    change(config, "electrocardiogram: 10", "electrocardiograms: 10")  # else nobody would be invited, without a word
    casefinding("run", "--config", config, "--out", "out").refused(11, "electrocardiograms", "Hint")


def test_a_condition_named_twice(casefinding, config):
    change(config, "[atrial_fibrillation]", "[atrial_fibrillation, atrial_fibrillation]")
    casefinding("run", "--config", config, "--out", "out").refused(11, "config.yaml", "atrial_fibrillation")


def test_both_a_path_and_a_simulation(casefinding, config):
    change(config, "  kind: native\n", "  kind: native\n  simulate: {people: 200, practices: 2}\n")
    casefinding("run", "--config", config, "--out", "out").refused(11, "config.yaml", "exactly one")


def test_a_capacity_of_nothing_invites_nobody_and_still_asks_to_act(casefinding, config, tmp_path):
    change(config, "electrocardiogram: 10", "electrocardiogram: 0")
    said = casefinding("run", "--config", config, "--out", "out")
    assert said.code == 0, said.err
    lanes = {row["lane"] for row in Run(tmp_path, said, config, tmp_path / "out").lists()}
    assert "act now" in lanes
    assert not lanes & {"invite", "never measured"}


def test_a_condition_without_a_case_says_so_and_keeps_its_rules(casefinding, config, extract, tmp_path):
    register = (Path(__file__).parents[2] / "features/codelists/af_register.csv").read_text(encoding="utf-8")
    ids = {line.split(",")[0] for line in register.splitlines() if line[:1].isdigit()}
    events = (extract / "event.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in events if not ids & {cell.strip('"') for cell in line.split(",")}]
    assert len(kept) < len(events)
    (extract / "event.csv").write_text("".join(kept), encoding="utf-8")
    said = casefinding("run", "--config", config, "--out", "out")
    assert said.code == 0, said.err
    assert re.search(r"no model of atrial_fibrillation: .* cases among", said.err)
    run = Run(tmp_path, said, config, tmp_path / "out")
    assert "cases among" in (run.out / "models" / "atrial_fibrillation.html").read_text(encoding="utf-8")
    assert run.scores()["chance"].null_count == run.scores().num_rows > 0
    assert any("AF-" in row["rules"] for row in run.lists())


# ---------------------------------------------------------------------------------------------------- the records


def test_a_column_that_is_missing(casefinding, config, extract, tmp_path):
    header, rest = (extract / "event.csv").read_text(encoding="utf-8").split("\n", 1)
    (extract / "event.csv").write_text(header.replace('"code"', '"kode"') + "\n" + rest, encoding="utf-8")
    casefinding("run", "--config", config, "--out", "out").refused(12, "code", "missing", "event.csv", "Hint")
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "out-records" / "store").exists()


@pytest.mark.parametrize("table", ["person", "registration", "practice", "event"])
def test_a_file_that_is_empty(casefinding, config, extract, tmp_path, table):
    (extract / f"{table}.csv").write_bytes(b"")
    casefinding("run", "--config", config, "--out", "out").refused(12, "empty", f"{table}.csv", "Hint")
    assert not (tmp_path / "out").exists()


def test_a_table_that_is_missing(casefinding, config, extract):
    (extract / "registration.csv").unlink()
    casefinding("run", "--config", config, "--out", "out").refused(12, "registration", "missing", "Hint")


def test_a_date_format_that_is_wrong_in_every_row(casefinding, config, extract, tmp_path):
    rows = (extract / "registration.csv").read_text(encoding="utf-8").splitlines()
    place = [cell.strip('"') for cell in rows[0].split(",")].index("started_on")
    turned = [rows[0]]
    for row in rows[1:]:
        cells = row.split(",")
        cells[place] = '"' + "/".join(reversed(cells[place].strip('"').split("-"))) + '"'
        turned.append(",".join(cells))
    (extract / "registration.csv").write_text("\n".join(turned) + "\n", encoding="utf-8")
    casefinding("run", "--config", config, "--out", "out").refused(12, "started_on", "YYYY-MM-DD", "registration")
    assert not (tmp_path / "out").exists()


def test_records_that_are_not_there(casefinding, config, extract):
    shutil.rmtree(extract)
    casefinding("run", "--config", config, "--out", "out").refused(12, "no such folder", "extract", "Hint")


# --------------------------------------------------------------------------------------- where it should be written


def test_a_place_for_the_store_that_is_a_file(casefinding, config, tmp_path):
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    said = casefinding("run", "--config", config, "--out", "out", "--work", "taken")
    said.refused(17, "taken", "Hint")
    assert (tmp_path / "taken").read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_a_file(casefinding, config, tmp_path):
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    said = casefinding("run", "--config", config, "--out", "out")
    said.refused(2, "out", "Hint")
    assert (tmp_path / "out").read_text(encoding="utf-8") == "mine"


def test_an_output_folder_that_holds_something_else_is_not_thrown_away(casefinding, config, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine", encoding="utf-8")
    said = casefinding("run", "--config", config, "--out", "out")
    assert (tmp_path / "out" / "thesis.txt").read_text(encoding="utf-8") == "mine"
    said.refused(2, "out", "Hint")


def test_the_working_folder_itself_is_no_output(casefinding, config, tmp_path):
    before = contents(tmp_path)
    casefinding("run", "--config", config, "--out", ".").refused(2, "Hint")
    assert contents(tmp_path) == before


@pytest.mark.parametrize("command", ["train", "simulate"])
def test_no_command_throws_away_what_it_did_not_write(casefinding, config, tmp_path, command):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("mine", encoding="utf-8")
    words = ["--config", config, "--condition", "atrial_fibrillation"] if command == "train" else ["--people", "100"]
    casefinding(command, *words, "--out", "home").refused(2, "home", "Hint")
    assert (tmp_path / "home" / "thesis.txt").read_text(encoding="utf-8") == "mine"


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of 64 kilobytes."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    place = tmp_path / "disk"
    place.mkdir()
    c = ctypes.CDLL(None, use_errno=True)
    if c.mount(b"tmpfs", str(place).encode(), b"tmpfs", 0, b"size=64k") != 0:
        pytest.skip(f"no file system can be mounted here: {os.strerror(ctypes.get_errno())}")
    yield place
    c.umount2(str(place).encode(), 2)


def test_a_full_disk_leaves_what_was_there(casefinding, config, small_disk):
    out = small_disk / "out"
    out.mkdir()
    (out / "manifest.json").write_text('{"casefinding": "0.1.0", "files": {}}', encoding="utf-8")
    said = casefinding("run", "--config", config, "--out", out, "--work", small_disk.parent / "kept")
    said.refused(17, "no space left", "Hint")
    assert list(contents(out)) == ["manifest.json"]
    assert [path.name for path in small_disk.iterdir()] == ["out"]


def test_a_full_disk_under_the_records(casefinding, config, small_disk):
    casefinding("run", "--config", config, "--out", small_disk / "out").refused(17, "space", "Hint")
    assert not (small_disk / "out").exists()


# -------------------------------------------------------------------------------------- bundles and definitions


@pytest.fixture
def bundle(whole: Run, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole.out / "models" / "hypertension", tmp_path / "bundle"))


@pytest.mark.parametrize("name", ["model.txt", "calibration.json", "MANIFEST.json"])
def test_a_bundle_of_which_a_byte_was_changed(casefinding, config, bundle, tmp_path, name):
    change(config, "[atrial_fibrillation]", "[hypertension]")
    content = bytearray((bundle / name).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / name).write_bytes(content)
    casefinding("run", "--config", config, "--out", "out", "--bundle", bundle).refused(16, name, "altered", "Hint")
    assert not (tmp_path / "out").exists()


def test_a_bundle_that_is_none(casefinding, config, tmp_path):
    said = casefinding("run", "--config", config, "--out", "out", "--bundle", tmp_path / "extract")
    said.refused(16, "MANIFEST.json", "extract", "Hint")


def test_a_bundle_for_a_condition_that_nobody_asked_for(casefinding, config, bundle):
    casefinding("run", "--config", config, "--out", "out", "--bundle", bundle).refused(11, "hypertension", "bundle")


def test_a_bundle_that_was_trained_on_other_definitions(casefinding, config, bundle, tmp_path):
    change(config, "[atrial_fibrillation]", "[hypertension]")
    other = quick_definitions(tmp_path / "other")
    change(other / "features/signals/blood_pressure.yaml", "plausible: [50, 300]", "plausible: [40, 300]")
    said = casefinding("run", "--config", config, "--out", "out", "--bundle", bundle, "--definitions", other)
    said.refused(16, "other definitions", "Hint")
    assert not (tmp_path / "out").exists()


def test_a_definition_with_an_error_is_named_by_file_and_line(casefinding, config, tmp_path):
    broken = quick_definitions(tmp_path / "broken")
    change(broken / "features/person.yaml", "ask: age", "ask: agge")
    casefinding("run", "--config", config, "--out", "out", "--definitions", broken).refused(10, "person.yaml:", "Hint")
    assert not (tmp_path / "out").exists()


def test_training_looks_at_the_extract_again_when_it_was_replaced(casefinding, config, extract, hamlet, tmp_path):
    first = casefinding("train", "--config", config, "--condition", "atrial_fibrillation")
    line = first.refused(14, "cases among", "Hint")
    same = casefinding("train", "--config", config, "--condition", "atrial_fibrillation")
    assert same.refused(14) == line
    assert "Bring in" not in same.err
    header, *events = (extract / "event.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    people = (extract / "person.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    half = {row.split(",")[0] for row in people[1::2]}
    (extract / "event.csv").write_text(header + "".join(row for row in events if row.split(",")[0] in half))
    (extract / "registration.csv").write_text(
        "".join(
            row
            for number, row in enumerate((extract / "registration.csv").read_text().splitlines(keepends=True))
            if not number or row.split(",")[0] in half
        )
    )
    changed = casefinding("train", "--config", config, "--condition", "atrial_fibrillation")
    changed.refused(14, "no model of")
    assert "Bring in" in changed.err
