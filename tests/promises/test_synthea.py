"""The same job on records that this project did not write: Synthea's own export, where it lies beside the checkout."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from casefinding.cohort.eligible import registered
from casefinding.definitions.find import definitions_folder
from casefinding.definitions.read import read_config, read_definitions
from casefinding.signals.matrix import build_matrix

from .conftest import ROOT, Run, call

DATA = (ROOT / ".." / "shared" / "data" / "synthea").resolve()
pytestmark = [
    pytest.mark.xdist_group("whole job"),
    pytest.mark.skipif(not DATA.is_dir(), reason="no Synthea export lies at ../shared/data/synthea"),
]


def config(folder: Path, conditions: str) -> Path:
    """The shipped config for some conditions, with fewer resamples."""
    text = (ROOT / "configs" / "synthea.yaml").read_text(encoding="utf-8")
    for old, new in (
        ("../shared/data/synthea", str(DATA)),
        ("bootstrap: 200", "bootstrap: 20"),
        ("[hypertension, atrial_fibrillation, copd]", f"[{conditions}]"),
    ):
        assert old in text
        text = text.replace(old, new)
    path = folder / "synthea.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory, registry: str) -> Run:
    """The shipped config."""
    folder = tmp_path_factory.mktemp("synthea")
    path = config(folder, "hypertension, atrial_fibrillation, copd")
    said = call(
        folder, "run", "--config", path, "--records", DATA, "--out", folder / "out", MLFLOW_TRACKING_URI=registry
    )
    assert said.code == 0, said.err
    return Run(folder, said, path, folder / "out")


@pytest.fixture(scope="module")
def bundle(whole: Run, quick: Path, registry: str, tmp_path_factory) -> Path:
    """Atrial fibrillation, trained on the made-up network with definitions that are content with few cases."""
    folder = tmp_path_factory.mktemp("trained")
    said = call(
        folder, "train", "--config", whole.config, "--condition", "atrial_fibrillation", "--definitions", quick,
        "--work", whole.records, "--out", folder / "bundle", MLFLOW_TRACKING_URI=registry,
    )  # fmt: skip
    assert said.code == 0, said.err
    assert "Bring in" not in said.err  # what the run had made was taken as it is
    return folder / "bundle"


def chances(run: Run, condition: str) -> pa.Array:
    scores = run.scores()
    return scores.filter(pc.equal(scores["condition"], condition))["chance"]


def test_high_blood_pressure_trains_on_it(run: Run):
    assert (run.out / "models" / "hypertension" / "MANIFEST.json").is_file()
    assert chances(run, "hypertension").null_count == 0
    assert len(chances(run, "hypertension")) > 300


@pytest.mark.parametrize("condition", ["atrial_fibrillation", "copd"])
def test_too_few_cases_are_said_and_the_rules_still_run(run: Run, condition: str):
    assert f"no model of {condition}" in run.said.err
    assert "--bundle" in run.said.err
    assert not (run.out / "models" / condition).exists()
    assert chances(run, condition).null_count == len(chances(run, condition)) > 300
    page = (run.out / "models" / f"{condition}.html").read_text(encoding="utf-8")
    assert "are needed" in page
    assert {"atrial_fibrillation": "AF-U1", "copd": "COPD-U2"}[condition] in page


def test_urgent_rules_of_an_untrained_condition_reach_the_lists(run: Run):
    urgent = [row for row in run.lists() if row["lane"] == "act now"]
    assert any("COPD-" in row["rules"] for row in urgent)


def test_a_trained_bundle_scores_what_could_not_be_trained_here(bundle: Path, registry: str, tmp_path: Path):
    path = config(tmp_path, "atrial_fibrillation")
    said = call(
        tmp_path, "run", "--config", path, "--bundle", bundle, "--out", tmp_path / "out", MLFLOW_TRACKING_URI=registry
    )
    assert said.code == 0, said.err
    run = Run(tmp_path, said, path, tmp_path / "out")
    known = chances(run, "atrial_fibrillation").to_numpy()
    assert len(known) > 300
    assert ((known > 0) & (known < 1)).all()
    assert np.ptp(known) > 0
    assert any(row["chance_if_tested"] for row in run.lists())


def test_organisations_serve_as_practices(run: Run):
    practices = set(run.store.practices()["practice"].to_pylist())
    assert len(practices) > 3
    assert {row["practice"] for row in run.lists()} <= practices


@pytest.mark.parametrize(
    ("feature", "low", "high"),
    [
        ("bmi_latest_5y", 20, 35),  # kg/m2
        ("egfr_latest_5y", 50, 120),  # mL/min/1.73m2
        ("hba1c_latest_5y", 30, 60),  # Synthea writes per cent; ours is mmol/mol
        ("cholesterol_latest_5y", 3.5, 6.5),  # Synthea writes mg/dL; ours is mmol/L
        ("systolic_clinic_latest_5y", 105, 145),  # mmHg
        ("diastolic_clinic_latest_5y", 65, 95),
    ],
)
def test_american_units_come_out_as_ours(run: Run, feature: str, low: float, high: float):
    definitions = read_definitions(definitions_folder(None))
    assert feature in definitions.features
    base = registered(run.store, [read_config(run.config).index_day])
    values = build_matrix(run.store, definitions, [feature], base)[feature].to_numpy()
    known = values[~np.isnan(values)]
    assert len(known) > 100
    assert low < np.median(known) < high
