"""Planning for a population: aggregates that show nobody, lists for the practice alone, a weighting with no secret."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from casefinding.disclosure import rounded
from casefinding.files import sha256_of
from casefinding.records.store import Store

from .conftest import config_text, contents

WEIGHTING = """
first:
  people: 300
  leave out: [palliative]
  weighting:
    smokes: {label: Smokes, points: 2, when: {feature: smoking_at_present_ever, is: known}, why: help can be offered}
    unseen:
      label: No blood pressure in 5 years at 40 or over
      points: 3
      when: {all: [{feature: age, at least: 40}, {feature: bp_reading_count_5y, is: absent}]}
      why: no data does not mean no risk
    core20: {label: Most deprived areas, points: 1, when: {feature: deprivation, at most: 2}, why: said of the area}
"""
CHANCE = """
    likely: {label: Likely ill, points: 4, chance of: hypertension, at least: 0.2, why: w}
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory, tiny) -> Path:
    path = tmp_path_factory.mktemp("planning") / "plan.yaml"
    path.write_text(config_text(path=tiny) + WEIGHTING, encoding="utf-8")
    return path


@pytest.fixture
def command(casefinding, config, tmp_path):
    """`segment` or `first` on one store, brought in once."""

    def run(name, *words, config=config):
        return casefinding(name, "--config", config, "--work", config.parent / "work", "--quiet", *words)

    return run


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def store(config: Path) -> Store:
    return Store.open(config.parent / "work" / "store")


def nobody_in(folder: Path, who: Store, *, but: str = "") -> None:
    """No pseudonym of anybody stands in any file, `but` for one folder."""
    found = set(re.findall(rb"[A-Za-z0-9]{6,}", b" ".join(
        content for path, content in contents(folder).items() if not but or not path.startswith(but)
    )))  # fmt: skip
    assert not found & {one.encode() for one in who.people_table()["pseudonym"].to_pylist()}


def test_segment_counts_everybody_once_in_each_unit_and_names_nobody(command, config, tmp_path):
    said = command("segment", "--out", tmp_path / "out")
    assert said.code == 0, said.err
    assert sorted(contents(tmp_path / "out")) == ["manifest.json", "segment.csv", "segment.html"]
    nobody_in(tmp_path / "out", store(config))
    table = rows(tmp_path / "out" / "segment.csv")
    assert all((row["people"] == "") == (row["withheld"] == "yes") for row in table)
    told = [int(row["people"]) for row in table if row["people"]]
    assert all(count % 5 == 0 and (count == 0 or count >= 10) for count in told)
    for code in {row["group_code"] for row in table if row["group_kind"] == "practice"}:
        mine = [row for row in table if row["group_kind"] == "practice" and row["group_code"] == code]
        levels = [int(row["people"]) for row in mine if row["measure"] == "level" and row["people"]]
        whole = next(int(row["people"]) for row in mine if row["measure"] == "registered")
        assert len(levels) < 3 or abs(sum(levels) - whole) <= 10  # each rounded for itself
    kinds = {row["group_kind"] for row in table}
    assert {"everybody", "place", "network", "practice", "age", "sex", "ethnic group"} <= kinds


def test_the_same_records_give_the_same_bytes(command, tmp_path):
    for name, out in (("segment", "a"), ("segment", "b"), ("first", "c"), ("first", "d")):
        assert command(name, "--out", tmp_path / out).code == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "c") == contents(tmp_path / "d")


def test_first_shows_people_to_their_practice_alone_and_every_point_can_be_added_up(command, config, tmp_path):
    said = command("first", "--out", tmp_path / "out")
    assert said.code == 0, said.err
    out = tmp_path / "out"
    nobody_in(out, store(config), but="practices/")
    people = [row for path in sorted((out / "practices").rglob("*.csv")) for row in rows(path)]
    assert len(people) == 300
    assert sorted(int(row["place"]) for row in people) == list(range(1, 301))
    assert len({row["pseudonym"] for row in people}) == 300
    for path in (out / "practices").rglob("*.csv"):
        assert {row["practice"] for row in rows(path)} == {path.parent.name.removeprefix("practice_")}
    in_order = sorted(people, key=lambda row: int(row["place"]))
    points = [int(row["points"]) for row in in_order]
    assert points == sorted(points, reverse=True)
    for row in people:
        assert int(row["points"]) == sum(int(number) for number in re.findall(r"\((\d+) points?\)", row["needs"]))
    page = (out / "first.html").read_text(encoding="utf-8")
    for words in (
        "Smokes",
        "No blood pressure in 5 years at 40 or over",
        "Most deprived areas",
        "Draft",
        "not households",
    ):
        assert words in page
    smokes = sum("Smokes" in row["needs"] for row in people)
    (told,) = [row for row in rows(out / "first.csv") if row["group_kind"] == "everybody" and row["name"] == "smokes"
               and row["measure"] == "need among the first"]  # fmt: skip
    assert told["people"] in ("", str(rounded(smokes)))


def test_households_are_refused_by_name_and_place(command, config, tmp_path):
    other = config.with_name("household.yaml")
    other.write_text(config.read_text().replace("  people: 300\n", "  people: 300\n  by: household\n"))
    line = command("first", "--out", tmp_path / "out", config=other).refused(11, "household key", "household.yaml:")
    assert "by: people" in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("feature: smoking_at_present_ever", "feature: smoking_at_presnt_ever", ("smoking_at_present_ever", "smokes")),
        ("leave out: [palliative]", "leave out: [paliative]", ("palliative", "leave out")),
        ("points: 2", "points: none", ("points",)),
        (WEIGHTING, "", ("declares no weighting", "first")),
    ],
)
def test_a_weighting_that_cannot_be_is_refused(command, config, tmp_path, old, new, words):
    other = config.with_name("wrong.yaml")
    text = config.read_text()
    assert old in text
    other.write_text(text.replace(old, new))
    command("first", "--out", tmp_path / "out", config=other).refused(11, *words)
    assert not (tmp_path / "out").exists()


@pytest.fixture
def with_chances(command, config, tmp_path):
    """The config with a need that reads chances, and a finished run to read them from."""
    other = config.with_name("chances.yaml")
    other.write_text(config.read_text() + CHANCE)
    assert command("first", "--out", tmp_path / "before").code == 0
    who = store(config)
    run = tmp_path / "run"
    run.mkdir()
    names = who.people_table()["pseudonym"].to_pylist()
    chance = np.where(np.arange(len(names)) % 10 == 0, 0.5, 0.01)
    pq.write_table(
        pa.table({"pseudonym": names, "condition": ["hypertension"] * len(names), "chance": chance}),
        run / "scores.parquet",
    )
    (run / "manifest.json").write_text(
        json.dumps(
            {
                "list": "0123abcd", "index day": "2026-10-01", "records": {"digest": who.digest},
                "files": {"scores.parquet": sha256_of(run / "scores.parquet")},
            }
        )
    )  # fmt: skip
    return other, run, {name for name, high in zip(names, chance > 0.2, strict=True) if high}


def test_chances_come_from_a_finished_run_of_the_same_records(command, with_chances, tmp_path):
    config, run, likely = with_chances
    assert command("first", "--run", run, "--out", tmp_path / "out", config=config).code == 0
    people = [row for path in (tmp_path / "out" / "practices").rglob("*.csv") for row in rows(path)]
    assert any("Likely ill (4 points)" in row["needs"] for row in people)
    for row in people:
        assert ("Likely ill" in row["needs"]) == (row["pseudonym"] in likely)


def test_a_run_that_does_not_fit_is_refused(command, with_chances, tmp_path):
    config, run, _ = with_chances
    out = ("--out", tmp_path / "out")
    command("first", *out, config=config).refused(11, "--run")
    command("first", "--run", tmp_path / "nothing", *out, config=config).refused(2, "no finished run")
    manifest = json.loads((run / "manifest.json").read_text())
    for key, value, words in (
        ("index day", "2025-10-01", "2025-10-01"),
        ("records", {"digest": "other"}, "other records"),
    ):
        (run / "manifest.json").write_text(json.dumps({**manifest, key: value}))
        command("first", "--run", run, *out, config=config).refused(2, words)
    (run / "manifest.json").write_text(json.dumps(manifest))
    shutil.copy(run / "manifest.json", run / "scores.parquet")
    command("first", "--run", run, *out, config=config).refused(12, "changed")
    (run / "manifest.json").write_text("{")
    command("first", "--run", run, *out, config=config).refused(2, "manifest")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["segment", "first"])
def test_a_folder_of_somebody_elses_is_never_replaced(command, tmp_path, name):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    command(name, "--out", tmp_path / "out").refused(2, "did not write")
    assert (tmp_path / "out" / "thesis.txt").read_text() == "mine"
