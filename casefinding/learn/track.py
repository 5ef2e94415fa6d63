"""The run's record in MLflow: parameters, measures, plots, the bundle, the data's digest, and the registered model."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from casefinding.definitions.config import Config
from casefinding.errors import BundleError, WriteError
from casefinding.learn.bundle import Bundle, read_bundle
from casefinding.learn.fit import Trained

EXPERIMENT = "casefinding"
CHAMPION, CHALLENGER = "champion", "challenger"
_NOISY = ("alembic", "mlflow", "sqlalchemy")


def track(
    trained: Trained,
    bundle_folder: Path,
    measures: Mapping[str, Any],
    plots: Mapping[str, bytes],
    config: Config,
    *,
    tracking_uri: str | None = None,
) -> str:
    """Record a training run and register its model as `models:/<condition>`; returns the run's id.

    Where: `tracking_uri`, else MLFLOW_TRACKING_URI, else mlflow.db in the working directory, which `mlflow ui` shows
    without being told. The first version of a model is its champion, later ones challengers: a person promotes.
    `plots`: file name -> bytes. `measures` and `plots` are recorded as they are: hand in what may be published. Nothing
    at the level of a person is recorded. Raises BundleError for an altered bundle, WriteError where MLflow cannot
    record.
    """
    bundle = read_bundle(bundle_folder)
    with _mlflow(tracking_uri) as mlflow:
        client = mlflow.MlflowClient()
        # Under `mlflow run` the run and its experiment are chosen already, and naming another fails.
        chosen = any(os.environ.get(f"MLFLOW_{name}") for name in ("RUN_ID", "EXPERIMENT_ID", "EXPERIMENT_NAME"))
        experiment = None if chosen else _experiment(client, mlflow.get_tracking_uri())
        name = None if os.environ.get("MLFLOW_RUN_ID") else trained.condition
        with mlflow.start_run(experiment_id=experiment, run_name=name) as run:
            mlflow.log_params(_params(trained))
            mlflow.set_tags(_tags(trained, bundle, config))
            mlflow.log_metrics(dict(metrics_of(measures)))
            mlflow.log_input(_data(trained, config), context="training")
            with tempfile.TemporaryDirectory() as folder:
                for name, content in plots.items():
                    (Path(folder) / Path(name).name).write_bytes(content)
                if plots:
                    mlflow.log_artifacts(folder, "plots")
            mlflow.log_artifacts(str(bundle_folder), "bundle")
            _register(mlflow, client, trained.condition, bundle)
        return str(run.info.run_id)


def registered_bundle(condition: str, alias: str = CHAMPION, *, tracking_uri: str | None = None) -> Bundle:
    """The bundle of a registered model, fetched as data: no code that came with it is run.

    Raises BundleError if there is none, or if it is not the one that was registered (the version's tag holds its
    sha256).
    """
    from casefinding.learn.flavours import BUNDLE

    with _mlflow(tracking_uri) as mlflow:
        client = mlflow.MlflowClient()
        try:
            found = client.get_model_version_by_alias(condition, alias)
        except mlflow.exceptions.MlflowException as problem:
            raise BundleError(
                f"no model of {condition} is registered as {alias}", hint="train one, or name a bundle's folder"
            ) from problem
        with tempfile.TemporaryDirectory() as folder:
            local = mlflow.artifacts.download_artifacts(
                artifact_uri=f"models:/{condition}/{found.version}", dst_path=folder
            )
            return read_bundle(Path(local) / BUNDLE, expected=found.tags.get("bundle_sha256", "none"))


def metrics_of(measures: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The overall measures as MLflow's flat names: an interval's ends are NAME_low and NAME_high.

    Reads `measures["overall"]`, or the whole where there is no such part; what is not a number is left out.

    >>> dict(metrics_of({"overall": {"auroc": {"value": 0.8, "low": 0.7, "high": 0.9}, "people": 100}}))
    {'auroc': 0.8, 'auroc_low': 0.7, 'auroc_high': 0.9, 'people': 100.0}
    """
    overall = measures.get("overall", measures)
    yield from _flat(overall, "")


def _flat(value: Any, name: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return
    if isinstance(value, Mapping):
        for key, part in value.items():
            step = re.sub(r"[^A-Za-z0-9_.-]+", "_", str(key)).strip("_")
            yield from _flat(part, name if step == "value" else f"{name}_{step}" if name else step)
        return
    try:
        number = float(value)
    except (TypeError, ValueError):
        return
    if number == number and abs(number) != float("inf") and name:
        yield name, number


@contextmanager
def _mlflow(tracking_uri: str | None) -> Iterator[Any]:
    """MLflow, quiet, sending nothing home, pointed at the store; left as it was found."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = os.environ["DO_NOT_TRACK"] = "true"
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # a server that is away is said soon
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    levels = {name: logging.getLogger(name).level for name in _NOISY}
    given = os.environ.get("MLFLOW_TRACKING_URI")
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)
    os.environ["MLFLOW_LOGGING_LEVEL"] = os.environ.get("MLFLOW_LOGGING_LEVEL", "ERROR")
    import mlflow
    import mlflow.data.meta_dataset
    import mlflow.pyfunc
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    for name in _NOISY:  # importing mlflow sets its own level
        logging.getLogger(name).setLevel(logging.ERROR)
    before = mlflow.get_tracking_uri()
    try:
        mlflow.set_tracking_uri(tracking_uri or given or f"sqlite:///{Path('mlflow.db').absolute().as_posix()}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it asks for type hints and input examples; the latter never come from us
            yield mlflow
    except (MlflowException, SQLAlchemyError, OSError) as problem:
        raise WriteError(
            f"MLflow could not record or find the model ({type(problem).__name__})",
            where=re.sub(r"//[^/@]*@", "//", mlflow.get_tracking_uri()),  # a server's address may hold a password
            hint="check MLFLOW_TRACKING_URI; a database made by another MLflow needs `mlflow db upgrade`",
        ) from problem
    finally:
        mlflow.set_tracking_uri(before)
        if given is None:
            os.environ.pop("MLFLOW_TRACKING_URI", None)
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def _experiment(client: Any, tracking_uri: str) -> str:
    """The experiment's id; made with its artifacts beside a SQLite file, else where the server keeps them."""
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return found.experiment_id
    place = None
    if tracking_uri.startswith("sqlite:///"):
        database = Path(tracking_uri.removeprefix("sqlite:///"))
        place = (database.absolute().parent / "mlartifacts" / EXPERIMENT).as_uri()
    return client.create_experiment(EXPERIMENT, artifact_location=place)


def _register(mlflow: Any, client: Any, condition: str, bundle: Bundle) -> None:
    """Log the model's folder and make it a version with an alias; by the client, which prints nothing."""
    from mlflow.models import Model

    from casefinding.learn.flavours import BundleFlavour

    logged = Model.log(artifact_path=None, name=condition, flavor=BundleFlavour(), bundle=bundle)
    if not client.search_registered_models(f"name = '{condition}'"):
        client.create_registered_model(condition)
    aliases = client.get_registered_model(condition).aliases
    made = client.create_model_version(
        name=condition,
        source=f"models:/{logged.model_id}",
        run_id=mlflow.active_run().info.run_id,
        model_id=logged.model_id,
        tags={"bundle_sha256": bundle.sha256, "data_digest": str(bundle.manifest["data"]["digest"])},
    )
    client.set_registered_model_alias(condition, CHALLENGER if CHAMPION in aliases else CHAMPION, made.version)


def _params(trained: Trained) -> dict[str, Any]:
    return {
        **trained.learner.model_dump(mode="json"),
        "features": len(trained.features),
        "folds": trained.folds,
        "index_days": " ".join(day.isoformat() for day in trained.index_days),
        "practices": trained.practices,
        "seed": trained.seed,
    }


def _tags(trained: Trained, bundle: Bundle, config: Config) -> dict[str, str]:
    tags = {
        "looked_for": trained.condition,
        "network": config.network.name,
        "data_digest": trained.data_digest,
        "bundle_sha256": bundle.sha256,
    }
    commit = _commit()
    return {**tags, "git_commit": commit} if commit else tags


def _commit() -> str:
    """The commit of the checkout this runs from; empty where it is no checkout."""
    root = Path(__file__).parents[2]
    if not (root / "mlproject.yaml").is_file():
        return ""
    try:
        answer = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""


def _data(trained: Trained, config: Config) -> Any:
    """The data as MLflow names it: a name and a digest, nothing else."""
    from mlflow.data.code_dataset_source import CodeDatasetSource
    from mlflow.data.meta_dataset import MetaDataset

    return MetaDataset(
        CodeDatasetSource(tags={}), name=config.records.kind, digest=(trained.data_digest or "not given")[:36]
    )
