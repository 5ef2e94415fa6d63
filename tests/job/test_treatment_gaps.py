"""`casefinding gaps`: aggregates by default; a practice's own people only where the config asks, and nobody else's."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from casefinding.errors import CohortError
from casefinding.job.treatment_gaps import treatment_gaps
from casefinding.records.store import Store

CONFIG = """\
network: {{name: Little Marsh (fictional)}}
index day: {day}
conditions: [hypertension]
records: {{simulate: {{people: 3000, practices: 3, seed: 7}}}}
{more}
"""


@pytest.fixture(scope="module")
def work(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("gaps") / "work"


def made(tmp_path: Path, work: Path, more: str = "", day: str = "2026-10-01") -> Path:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.format(more=more, day=day))
    out = tmp_path / "out"
    treatment_gaps(config, out, work=work, quiet=True)
    return out


def test_by_default_only_aggregates_are_written(tmp_path, work):
    out = made(tmp_path, work)
    assert sorted(path.name for path in out.iterdir()) == ["index.html", "manifest.json", "rates.csv"]
    text = "".join(path.read_text() for path in out.iterdir())
    names = Store.open(work / "store").people_table()["pseudonym"].to_pylist()
    assert not [name for name in names if name in text]
    rows = list(csv.DictReader(io.StringIO((out / "rates.csv").read_text())))
    assert {row["level"] for row in rows} == {"everybody", "place", "network", "practice"}
    for row in rows:
        for what in ("people", "without", "expected_without"):
            assert row[what] == "" or int(row[what]) == 0 or int(row[what]) >= 10


def test_where_asked_for_each_practice_gets_its_own_people_and_nobody_elses(tmp_path, work):
    out = made(tmp_path, work, "treatment gap lists: for each practice")
    folders = sorted((out / "practices").iterdir())
    assert len(folders) == 3
    seen: dict[str, set[str]] = {}
    for folder in folders:
        (text,) = folder.glob("treatment_gaps_*.csv")
        assert len(list(folder.glob("treatment_gaps_*.xlsx"))) == 1
        assert not list(folder.glob("recall_*"))
        rows = list(csv.DictReader(io.StringIO(text.read_text())))
        assert {f"practice_{row['practice']}" for row in rows} == {folder.name}
        seen[folder.name] = {row["pseudonym"] for row in rows}
        assert rows
        assert not [row for row in rows if "not recorded" in row["why"] or "{" in row["why"]]
    assert not set.intersection(*seen.values())
    assert (out / "rates.csv").exists()


def test_a_day_outside_the_records_is_refused(tmp_path, work):
    with pytest.raises(CohortError, match="lies outside the data"):
        made(tmp_path, work, day="2031-01-01")
    assert not (tmp_path / "out").exists()
