"""From a table to the numbers a model reads: columns by name, always in the model's own order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from casefinding.definitions.words import ETHNICITIES
from casefinding.errors import BundleError, CasefindingError, LearnError


def read_columns(
    table: pa.Table,
    features: Sequence[str],
    categories: Mapping[str, Sequence[str]],
    *,
    kind: type[CasefindingError] = BundleError,
) -> np.ndarray:
    """The features of a table as float64 (rows x features), columns taken by name; other columns are not read.

    Missing values are NaN. A category that the model does not know, or none, is read as the first one ("unknown").
    Raises `kind` (BundleError, LearnError while training) naming the column where one is missing, there twice, not a
    number, or holds an infinite value.

    >>> read_columns(pa.table({"b": [1.0, None], "a": [3, 4]}), ["a", "b"], {}).tolist()
    [[3.0, 1.0], [4.0, nan]]
    """
    names = table.column_names
    missing = [name for name in features if name not in names]
    if missing:
        shown = ", ".join(f"'{name}'" for name in missing[:5]) + (" ..." if len(missing) > 5 else "")
        raise kind(
            f"the table lacks {len(missing)} column{'' if len(missing) == 1 else 's'} that the model reads: {shown}",
            hint="build the matrix with the features that the bundle's definition.json names",
        )
    out = np.empty((table.num_rows, len(features)), dtype=np.float64)
    for place, name in enumerate(features):
        if names.count(name) > 1:
            raise kind(f"column '{name}' is in the table {names.count(name)} times", hint="keep one of them")
        column = table.column(name)
        if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
            raise kind(
                f"column '{name}' holds {column.type}, and the model reads numbers",
                hint="features are float64 with NaN where there is no value",
            )
        values = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
        if np.isinf(values).any():
            raise kind(f"column '{name}' holds an infinite value", hint="leave the value missing (NaN) instead")
        if name in categories:
            known = np.isin(values, np.arange(len(categories[name])))
            values = np.where(known, values, 0.0)
        out[:, place] = values
    return out


def categories_of(features: Sequence[str], definitions: Any) -> dict[str, tuple[str, ...]]:
    """Which features are categories, and their names by position: those that ask for the ethnicity."""
    return {name: ETHNICITIES for name in features if definitions.features[name].ask == "ethnicity"}


def constraints_of(features: Sequence[str], definitions: Any) -> list[int]:
    """1, -1 or 0 a feature: which way the chance may move as the value rises (`higher means`).

    Raises LearnError for a category that has a direction.
    """
    sign = {"more likely": 1, "less likely": -1, None: 0}
    for name in categories_of(features, definitions):
        if definitions.features[name].higher_means is not None:
            raise LearnError(
                f"feature '{name}' is a category and cannot have a direction",
                hint="remove 'higher means' from it",
            )
    return [sign[definitions.features[name].higher_means] for name in features]
