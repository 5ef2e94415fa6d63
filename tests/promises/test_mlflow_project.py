"""`mlflow run . -e train` trains and registers one model, which MLflow then loads in both its ways."""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from casefinding.definitions.words import ETHNICITIES
from casefinding.learn.bundle import read_bundle

from .conftest import ROOT, Run, contents

pytestmark = pytest.mark.xdist_group("whole job")


@pytest.fixture(scope="module")
def project(whole: Run, environment: dict[str, str], tmp_path_factory) -> Path:
    """The project as a clone has it, where `mlflow run . -e train` was called with the small config."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("casefinding", "features", "models", "MLproject", "mlproject.yaml"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "configs").mkdir()
    shutil.copy(whole.config, folder / "configs" / "small.yaml")
    # Made from the same config: `train` takes it as it is.
    shutil.copytree(whole.records, folder / "out" / "small-records")
    done = subprocess.run(
        [
            Path(sys.executable).parent / "mlflow", "run", ".", "-e", "train", "--env-manager", "local",
            "-P", "condition=hypertension", "-P", "config=configs/small.yaml",
        ],
        cwd=folder, capture_output=True, text=True,
        env={**environment, "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def mlflow(project: Path, monkeypatch):
    """MLflow, pointed at the project's store."""
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    import mlflow
    import mlflow.lightgbm
    import mlflow.pyfunc

    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{project / 'mlflow.db'}")
    yield mlflow
    mlflow.set_tracking_uri(before)


@pytest.fixture
def rows(project: Path) -> pa.Table:
    """People with any values, a third of them missing."""
    bundle = read_bundle(project / "out" / "bundles" / "hypertension")
    chance = np.random.default_rng(7)
    values = chance.normal(60, 40, (200, len(bundle.features))).round()
    values[chance.random(values.shape) < 0.33] = np.nan
    columns = {name: np.abs(values[:, number]) for number, name in enumerate(bundle.features)}
    columns["ethnicity"] = chance.integers(0, len(ETHNICITIES), 200).astype(float)  # other numbers are read as unknown
    return pa.table(columns)


def test_one_model_is_registered_and_is_the_champion(mlflow, project: Path):
    client = mlflow.MlflowClient()
    assert [model.name for model in client.search_registered_models()] == ["hypertension"]
    (version,) = client.search_model_versions("name = 'hypertension'")
    assert client.get_model_version_by_alias("hypertension", "champion").version == version.version
    assert version.tags["bundle_sha256"] == read_bundle(project / "out" / "bundles" / "hypertension").sha256


def test_the_champion_loads_as_trees_and_as_chances_and_both_agree_with_the_bundle(mlflow, project: Path, rows):
    bundle = read_bundle(project / "out" / "bundles" / "hypertension")
    frame = rows.to_pandas()
    trees = mlflow.lightgbm.load_model("models:/hypertension@champion")
    raw = trees.predict(frame.to_numpy(), raw_score=True)
    np.testing.assert_allclose(raw, bundle.raw(rows), rtol=0, atol=1e-12)
    served = mlflow.pyfunc.load_model("models:/hypertension@champion")
    np.testing.assert_allclose(served.predict(frame), bundle.chance(rows), rtol=0, atol=1e-12)
    assert np.ptp(bundle.chance(rows)) > 0.001


def test_the_run_shows_parameters_measures_plots_bundle_and_digest(mlflow, project: Path, whole: Run):
    (run,) = mlflow.search_runs(search_all_experiments=True, output_format="list")
    assert run.info.status == "FINISHED"
    assert run.data.tags["data_digest"] == whole.store.digest
    assert {"trees", "folds", "seed", "index_days"} <= set(run.data.params)
    assert {"auroc", "brier", "calibration_slope"} <= set(run.data.metrics)
    assert run.inputs.dataset_inputs
    client = mlflow.MlflowClient()
    assert {file.path for file in client.list_artifacts(run.info.run_id)} >= {"plots", "bundle"}
    assert client.list_artifacts(run.info.run_id, "plots")


def test_another_process_trains_the_same_bundle_to_the_byte(project: Path, whole: Run):
    ours, theirs = whole.out / "models" / "hypertension", project / "out" / "bundles" / "hypertension"
    assert contents(ours) == contents(theirs)


def test_the_whole_job_registered_the_same_model(whole: Run):
    with sqlite3.connect(whole.database) as database:
        versions = database.execute("SELECT name FROM model_versions").fetchall()
        tags = dict(database.execute("SELECT key, value FROM model_version_tags").fetchall())
    assert versions == [("hypertension",)]
    assert tags["bundle_sha256"] == read_bundle(whole.out / "models" / "hypertension").sha256
