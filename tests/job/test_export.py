"""`casefinding export`: labels mean what training sees, and nothing is half-written or overwritten."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from meds import LabelSchema

from casefinding import audit
from casefinding.definitions.find import definitions_folder
from casefinding.definitions.read import read_config, read_definitions
from casefinding.errors import ConfigError, UsageError, WriteError
from casefinding.job.asking import ask
from casefinding.job.export import export
from casefinding.job.progress import Stages
from casefinding.records.meds import write as writer
from casefinding.records.sources import ingest
from casefinding.records.store import Store
from casefinding.synthetic.simulate import simulate

CONDITION = "hypertension"
CONFIG = """
network: {name: Test Network}
index day: 2026-10-01
conditions: [hypertension, copd]
records: {path: nowhere}
training: {times: 2, every: 12 months, folds: 2}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("export")
    simulate(1500, 2, 7, here / "extract", here / "truth")
    ingest("native", here / "extract", here / "store", shard_people=500)
    (here / "config.yaml").write_text(CONFIG)
    export(
        here / "store", here / "meds", config_file=here / "config.yaml", conditions=[CONDITION], with_pseudonyms=True,
        quiet=True,
    )  # fmt: skip
    return here


def read(folder: Path) -> pa.Table:
    return pa.concat_tables([pq.read_table(path) for path in sorted(folder.glob("*.parquet"))])


def test_labels_fit_the_schema_of_the_standard_and_lie_in_the_files_of_their_subjects(home: Path) -> None:
    labels = home / "meds" / "labels" / CONDITION
    assert {path.name for path in labels.iterdir()} <= {path.name for path in (home / "meds" / "data").iterdir()}
    for path in labels.iterdir():
        table = pq.read_table(path)
        LabelSchema.validate(table)
        there = set(pq.read_table(home / "meds" / "data" / path.name)["subject_id"].to_pylist())
        assert set(table["subject_id"].to_pylist()) <= there
    assert not (home / "meds" / "labels" / "copd").exists()  # only what was asked for


def test_a_label_is_what_training_sees(home: Path) -> None:
    store, config = Store.open(home / "store"), read_config(home / "config.yaml")
    known = read_definitions(definitions_folder())
    asked = ask(CONDITION, known, store, config, Stages(quiet=True), {})
    outcome = asked.after["outcome"].to_numpy(zero_copy_only=False).astype(str)
    told = asked.usable & np.isin(outcome, ["case", "control"])
    wanted = {
        (person, day): one == "case"
        for person, day, one in zip(
            asked.base["person"].to_numpy()[told], asked.base["index_day"].to_numpy()[told], outcome[told], strict=True
        )
    }
    labels = read(home / "meds" / "labels" / CONDITION)
    moments = labels["prediction_time"].to_numpy()
    days = (moments + np.timedelta64(1, "us")).astype("datetime64[D]")
    found = dict(
        zip(zip(labels["subject_id"].to_pylist(), days, strict=True), labels["boolean_value"].to_pylist(), strict=True)
    )
    assert found == wanted
    assert set(found.values()) == {True, False}


def test_what_may_be_used_up_to_the_prediction_time_is_what_our_features_see(home: Path) -> None:
    """Somebody who obeys the standard's rule counts the same events as our features do."""
    store = Store.open(home / "store")
    labels, data = read(home / "meds" / "labels" / CONDITION).slice(0, 400), read(home / "meds" / "data")
    coded = data.filter(data["happened_time"].is_valid())
    days = (labels["prediction_time"].to_numpy() + np.timedelta64(1, "us")).astype("datetime64[D]")
    every = pa.concat_tables([store.events(shard) for shard in range(store.shards)])
    first_known = np.maximum(every["day"].to_numpy(), every["recorded_day"].to_numpy())
    subject, time = coded["subject_id"].to_numpy(), coded["time"].to_numpy()
    whose, moments = every["person"].to_numpy(), labels["prediction_time"].to_numpy()
    for person, day, moment in zip(labels["subject_id"].to_pylist(), days, moments, strict=True):
        ours = int(((whose == person) & (first_known < day)).sum())
        assert int(((subject == person) & (time <= moment)).sum()) == ours


def test_the_cohort_holds_everybody_at_risk_with_outcome_and_weight(home: Path) -> None:
    cohort, labels = read(home / "meds" / "cohorts" / CONDITION), read(home / "meds" / "labels" / CONDITION)
    assert set(cohort["outcome"].to_pylist()) <= {"case", "control", "censored"}
    weight, outcome = cohort["weight"].to_numpy(), np.array(cohort["outcome"].to_pylist())
    assert (weight[outcome == "censored"] == 0).all()
    assert (weight[outcome != "censored"] >= 1).all()
    told = np.isin(outcome, ["case", "control"]) & cohort["learned_from"].to_numpy(zero_copy_only=False)
    assert labels.num_rows == told.sum()
    when, asked = (cohort[name].to_numpy()[outcome == "case"] for name in ("outcome_time", "prediction_time"))
    assert (when > asked).all()


def test_pseudonyms_are_written_beside_and_only_where_asked_for(home: Path, tmp_path: Path) -> None:
    beside = home / "meds-pseudonyms.parquet"
    people = Store.open(home / "store").people_table()
    assert pq.read_table(beside)["pseudonym"].equals(people["pseudonym"])
    assert not [path for path in (home / "meds").rglob("*") if "pseudonym" in path.name]
    export(home / "store", tmp_path / "plain", quiet=True)
    assert not [path for path in tmp_path.rglob("*") if "pseudonym" in path.name]
    (entry,) = audit.entries(tmp_path / "export-audit.jsonl")
    assert (entry["what"], entry["flow"], entry["with pseudonyms"]) == ("exported to meds", "secondary use", False)
    assert not (tmp_path / "plain" / "labels").exists()


def test_nothing_is_overwritten(home: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in (home / "meds").rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="there already"):
        export(home / "store", home / "meds", quiet=True)
    assert all(path.read_bytes() == content for path, content in before.items())
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "manifest.json").write_text("{}")  # a folder of ours is no more replaced than another
    (tmp_path / "new-pseudonyms.parquet").write_text("mine")
    for target, pseudonyms in (("run", False), ("new", True)):
        with pytest.raises(UsageError, match="there already"):
            export(home / "store", tmp_path / target, with_pseudonyms=pseudonyms, quiet=True)
    assert (tmp_path / "new-pseudonyms.parquet").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    export(home / "store", tmp_path / "empty", quiet=True)


def test_a_full_disk_leaves_nothing_half_written(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writer.pq, "write_table", full)
    with pytest.raises(WriteError, match="no space left"):
        export(home / "store", tmp_path / "meds", with_pseudonyms=True, quiet=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"conditions": [CONDITION]}, UsageError, "labels need a config"),
        ({"layout": "omop"}, UsageError, "no such layout"),
        ({"time": "entered"}, UsageError, "no such time"),
    ],
)
def test_what_cannot_be_served_is_said_and_nothing_is_written(
    home: Path, tmp_path: Path, options: dict, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        export(home / "store", tmp_path / "meds", quiet=True, **options)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_condition_is_refused_before_anything_is_written(home: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no model is named"):
        export(home / "store", tmp_path / "meds", config_file=home / "config.yaml", conditions=["gout"], quiet=True)
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_a_dataset_for_its_owner_alone(home: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "casefinding", "export", str(home / "store"), "--to", "meds", str(tmp_path / "meds"),
         "--time", "happened", "--quiet"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "pseudonym" not in done.stdout
    for path in (tmp_path / "meds").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0
