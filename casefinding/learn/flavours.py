"""One folder that MLflow loads two ways: the native trees, and the calibrated chance."""

from __future__ import annotations

import shutil
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from casefinding.learn.bundle import Bundle

BUNDLE = "artifacts/bundle"
"""Where the bundle stands inside a logged model."""
NEEDED = ("casefinding", "lightgbm", "mlflow", "numpy", "pandas", "pyarrow", "pydantic")


class BundleFlavour:
    """Saves a bundle as an MLflow model; stands where MLflow expects a flavour's module.

    `mlflow.lightgbm.load_model` gives the booster (raw scores) from the bundle's own model.txt;
    `mlflow.pyfunc.load_model` runs serving.py, which reads and checks the bundle and gives calibrated chances.
    No pickle, no input example, no copy of the package's code.
    """

    __name__ = "casefinding"

    @staticmethod
    def save_model(path: str, mlflow_model: Any, *, bundle: Bundle) -> None:
        """Write the model folder at `path` and fill in `mlflow_model`."""
        import mlflow.pyfunc
        from mlflow.models import ModelSignature
        from mlflow.types import ColSpec, DataType, Schema, TensorSpec
        from numpy import dtype

        with tempfile.TemporaryDirectory() as folder:  # MLflow keeps the name of the folder that it copies
            copied = shutil.copytree(str(bundle.folder), Path(folder) / Path(BUNDLE).name)
            mlflow.pyfunc.save_model(
                path=path,
                mlflow_model=mlflow_model,
                python_model=str(Path(__file__).with_name("serving.py")),
                artifacts={"bundle": str(copied)},
                signature=ModelSignature(
                    inputs=Schema([ColSpec(DataType.double, name) for name in bundle.features]),
                    outputs=Schema([TensorSpec(dtype("float64"), (-1,), "chance")]),
                ),
                pip_requirements=_requirements(),
            )
        # What MLflow noted beside: where on this machine the two were copied from is nobody's business.
        mlflow_model.flavors["python_function"]["artifacts"]["bundle"]["uri"] = BUNDLE
        mlflow_model.flavors["python_function"]["model_code_path"] = "serving.py"
        mlflow_model.add_flavor(
            "lightgbm",
            lgb_version=version("lightgbm"),
            data=f"{BUNDLE}/model.txt",
            model_class="lightgbm.basic.Booster",
            code=None,
        )
        mlflow_model.save(str(Path(path) / "MLmodel"))


def _requirements() -> list[str]:
    """Exact versions of what serving needs, of those that are installed as packages."""
    found = []
    for name in NEEDED:
        try:
            found.append(f"{name}=={version(name)}")
        except PackageNotFoundError:  # run from a checkout: the package itself is not installed
            continue
    return found
