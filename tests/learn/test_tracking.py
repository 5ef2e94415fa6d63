"""MLflow: what is recorded, and that the registered model loads both ways, with nothing pickled."""

from __future__ import annotations

import os
import pickletools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pyarrow as pa
import pytest
import yaml
from learn_world import CONDITION, FEATURES, World, config

from casefinding.errors import BundleError, WriteError
from casefinding.learn.bundle import FILES, MANIFEST, Bundle, read_bundle
from casefinding.learn.fit import Trained
from casefinding.learn.track import _experiment, metrics_of, registered_bundle, track

ROOT = Path(__file__).parents[2]
MEASURES = {"overall": {"auroc": {"value": 0.8, "low": 0.7, "high": 0.9}, "people": 5000, "ppv": {"value": None}}}


@dataclass
class Tracked:
    folder: Path
    uri: str
    runs: list[str]
    client: Any
    printed: str


@pytest.fixture(scope="module")
def tracked(trained: Trained, bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracked]:
    """Two runs in a new folder, as a user without any setting would make them; and all that they printed."""
    folder = tmp_path_factory.mktemp("mlflow")
    assert bundle.folder is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME"):
            patch.delenv(name, raising=False)
        patch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
        patch.setenv("MLFLOW_ALLOW_MODEL_CODE_EXECUTION", "false")
        kept = [os.dup(1), os.dup(2)]
        with open(folder / "printed", "wb") as out:
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
            try:
                plots = {"calibration.svg": b"<svg/>", "decision.png": b"png"}
                runs = [track(trained, bundle.folder, MEASURES, plots, config()) for _ in range(2)]
            finally:
                for number, one in zip((1, 2), kept, strict=True):
                    os.dup2(one, number)
                    os.close(one)
        assert "MLFLOW_TRACKING_URI" not in os.environ
        uri = f"sqlite:///{folder / 'mlflow.db'}"
        mlflow.set_tracking_uri(uri)
        printed = (folder / "printed").read_text()
        (folder / "printed").unlink()
        yield Tracked(folder, uri, runs, mlflow.MlflowClient(uri), printed)
        mlflow.set_tracking_uri(None)


def test_nothing_is_printed_and_nothing_lies_elsewhere(tracked: Tracked) -> None:
    assert tracked.printed == ""
    assert sorted(path.name for path in tracked.folder.iterdir()) == ["mlartifacts", "mlflow.db"]


def test_runs_hold_parameters_measures_plots_bundle_and_digest(tracked: Tracked, bundle: Bundle) -> None:
    run = tracked.client.get_run(tracked.runs[0])
    assert run.info.status == "FINISHED"
    assert run.data.params["trees"] == "120"
    assert run.data.params["index_days"] == "2022-07-01 2023-07-01 2024-07-01"
    assert run.data.metrics == {"auroc": 0.8, "auroc_low": 0.7, "auroc_high": 0.9, "people": 5000.0}
    assert run.data.tags["data_digest"] == "d" * 64
    assert run.data.tags["bundle_sha256"] == bundle.sha256
    assert run.inputs.dataset_inputs[0].dataset.digest == "d" * 36
    artifacts = {top: {file.path for file in tracked.client.list_artifacts(run.info.run_id, top)}
                 for top in ("plots", "bundle")}  # fmt: skip
    assert artifacts["plots"] == {"plots/calibration.svg", "plots/decision.png"}
    assert artifacts["bundle"] == {f"bundle/{name}" for name in (*FILES, MANIFEST)}
    fetched = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="bundle")
    assert read_bundle(fetched, expected=bundle.sha256)


def test_experiment_keeps_its_artifacts_beside_the_database(tracked: Tracked) -> None:
    experiment = tracked.client.get_experiment_by_name("casefinding")
    assert experiment.artifact_location == (tracked.folder / "mlartifacts" / "casefinding").as_uri()
    assert _experiment(tracked.client, tracked.uri) == experiment.experiment_id


def test_first_version_is_the_champion_and_the_next_a_challenger(tracked: Tracked, bundle: Bundle) -> None:
    aliases = tracked.client.get_registered_model(CONDITION).aliases
    assert {name: int(version) for name, version in aliases.items()} == {"champion": 1, "challenger": 2}
    version = tracked.client.get_model_version_by_alias(CONDITION, "champion")
    assert version.run_id == tracked.runs[0]
    assert version.tags["bundle_sha256"] == bundle.sha256


def test_the_champion_loads_as_native_trees(tracked: Tracked, bundle: Bundle, planted: World) -> None:
    booster = mlflow.lightgbm.load_model(f"models:/{CONDITION}@champion")
    x = bundle.model.numbers(planted.matrix)
    assert booster.feature_name() == list(FEATURES)
    assert np.abs(booster.predict(x, raw_score=True) - bundle.raw(planted.matrix)).max() <= 1e-12


def test_the_champion_loads_from_code_and_gives_calibrated_chances(
    tracked: Tracked, bundle: Bundle, planted: World
) -> None:
    model = mlflow.pyfunc.load_model(f"models:/{CONDITION}@champion")
    table = planted.matrix.slice(0, 3000)
    frame = table.select(FEATURES[::-1]).to_pandas()
    frame.loc[::5, "sbp_latest"] = np.nan
    got = model.predict(frame)
    assert np.abs(got - bundle.chance(pa.Table.from_pandas(frame))).max() <= 1e-12
    with pytest.raises(mlflow.exceptions.MlflowException, match="bmi_latest"):
        model.predict(frame.drop(columns="bmi_latest"))


def test_a_changed_byte_in_the_registry_is_refused_when_served(tracked: Tracked, tmp_path: Path) -> None:
    copied = Path(mlflow.artifacts.download_artifacts(f"models:/{CONDITION}@challenger", dst_path=str(tmp_path)))
    measures = copied / "artifacts" / "bundle" / "measures.json"
    measures.write_text(measures.read_text().replace("0.8", "0.9"))
    with pytest.raises(BundleError, match=r"measures\.json was altered"):
        mlflow.pyfunc.load_model(str(copied))


def test_logged_models_hold_no_pickle_no_example_and_no_path_of_this_machine(tracked: Tracked) -> None:
    models = tracked.folder / "mlartifacts" / "casefinding" / "models"
    names = [path for path in models.rglob("*") if path.is_file()]
    assert {path.name for path in names} >= {"MLmodel", "serving.py", "model.txt"}
    for path in names:
        assert path.suffix not in {".pkl", ".pickle", ".joblib", ".skops", ".cloudpickle"}
        assert "example" not in path.name
        content = path.read_bytes()
        assert str(ROOT).encode() not in content, path.name
        assert not is_pickle(content), path.name
    described = yaml.safe_load(next(path for path in names if path.name == "MLmodel").read_text())
    assert set(described["flavors"]) == {"lightgbm", "python_function"}
    assert described["flavors"]["lightgbm"]["data"] == "artifacts/bundle/model.txt"


def is_pickle(content: bytes) -> bool:
    """Whether the bytes read as pickle opcodes up to STOP that build more than a constant."""
    try:
        opcodes = [opcode.name for opcode, _, _ in pickletools.genops(content)]
    except Exception:
        return False
    return "STOP" in opcodes


def test_the_pickle_scan_finds_pickles() -> None:
    import pickle

    assert is_pickle(pickle.dumps({"a": print}))


def test_the_registered_bundle_is_read_as_data(tracked: Tracked, bundle: Bundle) -> None:
    assert registered_bundle(CONDITION, tracking_uri=tracked.uri).sha256 == bundle.sha256
    assert registered_bundle(CONDITION, "challenger", tracking_uri=tracked.uri).sha256 == bundle.sha256
    with pytest.raises(BundleError, match="no model of hypertension is registered as winner"):
        registered_bundle(CONDITION, "winner", tracking_uri=tracked.uri)


def test_a_planted_model_under_our_name_is_refused_and_not_run(tracked: Tracked, tmp_path: Path) -> None:
    """Somebody registers code of their own under a model's name: casefinding never runs it."""
    mark = tmp_path / "ran"
    source = tmp_path / "code" / "planted.py"
    source.parent.mkdir()
    source.write_text(
        "import mlflow.pyfunc, mlflow.models, pathlib\n"
        f"pathlib.Path({str(mark)!r}).write_text('ran')\n"
        "class P(mlflow.pyfunc.PythonModel):\n"
        "    def predict(self, context, model_input: list[str], params=None): return model_input\n"
        "mlflow.models.set_model(P())\n"
    )
    mlflow.pyfunc.save_model(str(tmp_path / "planted"), python_model=str(source), pip_requirements=["mlflow"])
    mark.unlink()  # saving ran it once
    tracked.client.create_registered_model("planted")
    made = tracked.client.create_model_version("planted", source=str(tmp_path / "planted"))
    tracked.client.set_registered_model_alias("planted", "champion", made.version)
    with pytest.raises(BundleError):
        registered_bundle("planted", tracking_uri=tracked.uri)
    assert not mark.exists()


def test_under_mlflow_run_the_given_run_is_used(
    tracked: Tracked, trained: Trained, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`mlflow run` makes the run in an experiment of its choice and logs its own parameters there."""
    made = tracked.client.create_run("0")
    for name, value in (("condition", CONDITION), ("config", "configs/demo.yaml")):
        tracked.client.log_param(made.info.run_id, name, value)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracked.uri)
    monkeypatch.setenv("MLFLOW_RUN_ID", made.info.run_id)
    monkeypatch.chdir(tracked.folder)
    assert bundle.folder is not None
    assert track(trained, bundle.folder, MEASURES, {}, config()) == made.info.run_id
    assert os.environ["MLFLOW_TRACKING_URI"] == tracked.uri
    assert tracked.client.get_run(made.info.run_id).data.metrics["auroc"] == 0.8


def test_an_altered_bundle_is_not_registered(tracked: Tracked, trained: Trained, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    with pytest.raises(BundleError):
        track(trained, tmp_path / "b", MEASURES, {}, config(), tracking_uri=tracked.uri)


def test_a_database_that_cannot_be_opened_is_one_clean_line(trained: Trained, bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_bytes(b"this is not a database, it is a sentence that goes on for a while" * 40)
    assert bundle.folder is not None
    with pytest.raises(WriteError, match="MLflow could not record"):
        track(trained, bundle.folder, MEASURES, {}, config(), tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")


def test_measures_become_flat_names() -> None:
    assert dict(metrics_of({"a b": {"value": 1, "low": np.float64("nan"), "high": 2}, "text": "x", "flag": True})) == {
        "a_b": 1.0,
        "a_b_high": 2.0,
    }


def test_the_two_project_files_are_the_same_bytes_and_say_what_they_promise() -> None:
    assert (ROOT / "mlproject.yaml").read_bytes() == (ROOT / "MLproject").read_bytes()
    assert not (ROOT / "MLproject").is_symlink()
    project = yaml.safe_load((ROOT / "MLproject").read_text())
    assert project["name"] == "casefinding"
    train = project["entry_points"]["train"]
    assert train["parameters"]["condition"] == {"type": "string", "default": "hypertension"}
    assert train["command"] == "python -m casefinding train --config {config} --condition {condition}"
    assert project["entry_points"]["run"]["command"].startswith("python -m casefinding run --config {config}")
