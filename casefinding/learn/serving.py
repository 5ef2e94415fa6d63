"""What `mlflow.pyfunc.load_model` runs: the bundle beside it, checked and asked for calibrated chances.

MLflow copies this file into the logged model ("models from code") and executes the copy; nothing is pickled. It needs
the casefinding package and is imported by nothing else.
"""

from typing import Any

import pandas as pd
import pyarrow as pa
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel


class Chance(PythonModel):
    """Calibrated chances for a data frame with the bundle's columns, found by name."""

    def load_context(self, context: Any) -> None:
        """Read the bundle; raises BundleError if a byte of it was changed."""
        from casefinding.learn.bundle import read_bundle

        self.bundle = read_bundle(context.artifacts["bundle"])

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None):
        """One chance a row, 0 to 1."""
        return self.bundle.chance(pa.Table.from_pandas(model_input, preserve_index=False))


set_model(Chance())
