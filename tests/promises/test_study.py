"""`casefinding study undiagnosed`: anyone can run it, it goes on where it stopped, and it says what it measured."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from casefinding.cli import app
from casefinding.errors import RecordsError, UsageError
from casefinding.job.study import compared, interval, study_undiagnosed
from casefinding.judge.truth import Truth

SMALL = ("--people", "4000", "--practices", "3", "--seeds", "2", "--regime", "unequal", "--condition", "hypertension")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("study") / "out"
    answer = CliRunner().invoke(app, ["study", "undiagnosed", "--out", str(out), "--quiet", *SMALL])
    assert answer.exit_code == 0, answer.output
    return out


def test_every_way_and_yardstick_is_compared_on_the_truth(study: Path) -> None:
    rows = list(csv.DictReader((study / "figures.csv").open(encoding="utf-8")))
    found = {row["way"] for row in rows if row["what"] == "sensitivity" and row["group"] == "all"}
    assert {"graded", "rules", "age_sex", "logistic"} <= found
    shares = [float(row["value"]) for row in rows if row["what"] in ("sensitivity", "fairness") and row["value"]]
    assert shares
    assert all(0 <= share <= 1 for share in shares)
    assert {row["seed"] for row in rows} == {"1", "2"}


def test_the_page_and_the_summary_say_the_same(study: Path) -> None:
    summary = json.loads((study / "study.json").read_text(encoding="utf-8"))
    page = (study / "index.html").read_text(encoding="utf-8")
    ours = next(
        one for one in summary["compared"]
        if (one["what"], one["group"], one["way"]) == ("sensitivity", "all", "graded")
    )  # fmt: skip
    assert f"{100 * ours['value']:.1f}%" in page
    assert ours["seeds"] == 2
    assert "Made-up people" in page


def test_a_study_goes_on_where_it_stopped(study: Path) -> None:
    worlds = sorted(study.with_name("out-worlds").glob("*.json"))
    assert [world.stem for world in worlds] == ["unequal-1", "unequal-2"]
    told = json.loads(worlds[0].read_text(encoding="utf-8"))
    told["figures"][0]["value"] = 123456
    worlds[0].write_text(json.dumps(told), encoding="utf-8")
    answer = CliRunner().invoke(app, ["study", "undiagnosed", "--out", str(study), "--quiet", *SMALL])
    assert answer.exit_code == 0, answer.output
    assert "123456" in (study / "figures.csv").read_text(encoding="utf-8")  # read back, not made again


def test_an_unknown_regime_or_condition_is_refused_by_name(tmp_path: Path) -> None:
    for wrong in ({"regimes": ["sometimes"]}, {"regimes": ["unequal"], "conditions": ["gout"]}):
        with pytest.raises(UsageError, match="there is no"):
            study_undiagnosed(tmp_path / "out", people=1000, practices=3, seeds=1, **wrong)  # type: ignore[arg-type]


def test_differences_are_paired_by_seed() -> None:
    def one(seed: int, way: str, value: float) -> dict:
        return {
            "condition": "a", "regime": "b", "what": "sensitivity", "group": "all", "seed": seed, "way": way,
            "value": value,
        }  # fmt: skip

    figures = [
        one(seed, way, base + more)
        for seed, base in ((1, 0.1), (2, 0.5))
        for way, more in (("coded", 0), ("graded", 0.1))
    ]
    graded = next(row for row in compared(figures) if row["way"] == "graded")
    assert graded["minus coded"] == {"value": 0.1, "low": 0.1, "high": 0.1, "seeds": 2}
    assert interval([0.3])["low"] is None


def test_a_truth_of_attributes_is_read_by_the_conditions_that_have_an_onset(tmp_path: Path) -> None:
    file = tmp_path / "truth.csv"
    file.write_text(
        "patient,gout__Onset_Gout__at,gout__Diagnose_Gout__at,flu__Diagnosis__at\n"
        "a,2020-01-02 08:00:00.1,2021-03-04 09:00:00,\nb,,,\nc,2022-05-06 00:00:00.0,,2020-01-01 00:00:00.0\n",
        encoding="utf-8",
    )
    truth = Truth.of_attributes(file)
    assert truth.conditions == ("gout",)
    assert truth.table["pseudonym"].to_pylist() == ["a", "c"]
    assert truth.table["coded_on"].type == pa.date32()
    assert [str(day) for day in truth.table["onset_on"].to_pylist()] == ["2020-01-02", "2022-05-06"]
    file.write_text("patient,height\na,1\n", encoding="utf-8")
    with pytest.raises(RecordsError, match="when a condition began"):
        Truth.of_attributes(file)


CONFIG = """\
network: {name: Three practices}
index day: 2026-10-01
conditions: [hypertension]
records: {simulate: {people: 4000, practices: 3}}
bootstrap: 20
"""


def test_a_model_is_studied_without_each_practice_with_fewer_people_and_with_others(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    asked = ["study", "model", "--config", str(tmp_path / "config.yaml"), "--condition", "hypertension", "--quiet"]
    asked += ["--times", "2", "--out", str(tmp_path / "out"), "--work", str(tmp_path / "records")]
    answer = CliRunner().invoke(app, asked)
    assert answer.exit_code == 0, answer.output
    found = json.loads((tmp_path / "out" / "study.json").read_text(encoding="utf-8"))
    assert found["each practice left out"]
    assert [point["share"] for point in found["learning curve"]["points"]] == [0.1, 0.25, 0.5, 1.0]
    (five,) = (one for name, one in found["stability"]["lists"].items() if name.startswith("5%"))
    assert five["by chance"] < five["between pairs"]["mean"] < 1
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "From practice to practice" in page
    assert five["reads"] in page
