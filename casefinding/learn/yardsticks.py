"""What the trees must beat: age and sex alone, and logistic regression on the same columns and rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from casefinding.learn.calibrate import sigmoid

MOST_ROWS = 25_000
"""Logistic regression on all features reads at most so many rows: all cases, and a seeded sample of the others whose
weights are raised to stand for all."""

Predictor = Callable[[np.ndarray], np.ndarray]


def age_and_sex(base: pa.Table) -> np.ndarray:
    """Age in years and sex (0 female, 1 male, NaN unknown) of the cohort's rows side by side, for `fit_age_sex`."""
    sex = pc.fill_null(base["sex"].cast(pa.string()), "").to_numpy(zero_copy_only=False)
    numbers = np.where(sex == "female", 0.0, np.where(sex == "male", 1.0, np.nan))
    return np.column_stack([base["age"].to_numpy(zero_copy_only=False).astype(np.float64), numbers])


def fit_age_sex(x: np.ndarray, case: np.ndarray, weight: np.ndarray) -> Predictor:
    """Weighted logistic regression (labels 0 to 1) on a cubic spline of age, one curve a sex (knots: five quantiles).

    `x` from `age_and_sex`; age must be known, unknown sex lies between the two. Returns x -> chance.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import SplineTransformer

    knots = np.unique(np.quantile(x[:, 0], [0.0, 0.25, 0.5, 0.75, 1.0]))
    if len(knots) < 2:
        knots = np.array([knots[0] - 1.0, knots[0] + 1.0])
    places: Any = knots[:, None]
    spline = SplineTransformer(degree=3, knots=places, extrapolation="linear", include_bias=False).fit(x[:, :1])

    def design(x: np.ndarray) -> np.ndarray:
        curve = spline.transform(x[:, :1])
        sex = np.where(np.isnan(x[:, 1]), 0.0, 2.0 * x[:, 1] - 1.0)[:, None]
        return np.hstack([curve, sex, curve * sex])

    model = LogisticRegression(C=10.0, solver="newton-cholesky", max_iter=50)
    rows, sure, share = _settled(case)
    model.fit(design(x)[rows], sure, sample_weight=weight[rows] * share)
    return lambda x: model.predict_proba(design(x))[:, 1]


def fit_logistic(
    x: np.ndarray,
    case: np.ndarray,
    weight: np.ndarray,
    features: Sequence[str],
    categories: Mapping[str, Sequence[str]],
    *,
    seed: int,
) -> Predictor:
    """Weighted L2 logistic regression (labels 0 to 1) on every feature; returns x -> chance.

    Missing values take the median of the training rows and get a 0/1 column of their own; numbers are standardised and
    held within 5 standard deviations; categories become 0/1 columns. Strength of the penalty: C = 0.1. Rows beyond
    MOST_ROWS are thinned as said there.
    """
    from sklearn.linear_model import LogisticRegression

    if len(case) > MOST_ROWS and ((case > 0) & (case < 1)).any():  # no cases to keep apart: any row may be one in part
        kept = np.sort(np.random.default_rng(seed).choice(len(case), size=MOST_ROWS, replace=False))
        x, case, weight = x[kept], case[kept], weight[kept]
    rows, sure, share = _settled(case)
    x, case, weight = x[rows], sure, weight[rows] * share
    rows, rows_weight = _thinned(case, weight, seed)
    x, case = x[rows], case[rows]
    is_category = np.array([name in categories for name in features])
    sizes = [len(categories[name]) for name in features if name in categories]
    numeric = x[:, ~is_category]
    empty = np.isnan(numeric)
    counted = empty.mean(axis=0)
    numeric = np.where(np.isnan(numeric) & (counted == 1.0), 0.0, numeric)
    median = np.nanmedian(numeric, axis=0) if numeric.shape[1] else np.zeros(0)
    marked = (counted > 0) & (counted < 1)
    filled = np.where(np.isnan(numeric), median, numeric)
    centre, spread = filled.mean(axis=0), filled.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)

    def design(x: np.ndarray) -> np.ndarray:
        numeric = x[:, ~is_category]
        missing = np.isnan(numeric)
        scaled = np.clip((np.where(missing, median, numeric) - centre) / spread, -5.0, 5.0)
        groups = [
            (column[:, None] == np.arange(1, size)).astype(np.float64)
            for column, size in zip(x[:, is_category].T, sizes, strict=True)
        ]
        return np.hstack([scaled, missing[:, marked].astype(np.float64), *groups])

    model = LogisticRegression(C=0.1, solver="newton-cholesky", max_iter=30, tol=1e-5)
    model.fit(design(x), case, sample_weight=rows_weight)
    coefficients, intercept = model.coef_[0], float(np.asarray(model.intercept_)[0])
    return lambda x: sigmoid(design(x) @ coefficients + intercept)


def _settled(case: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, 0/1 labels and shares that say the same as labels between 0 and 1: such a row counts once as each.

    >>> [part.tolist() for part in _settled(np.array([0.0, 0.3, 1.0]))]
    [[0, 1, 2, 1], [0.0, 0.0, 1.0, 1.0], [1.0, 0.7, 1.0, 0.3]]
    """
    between = np.flatnonzero((case > 0) & (case < 1))
    rows = np.r_[np.arange(len(case)), between]
    sure = np.r_[(case >= 1).astype(np.float64), np.ones(len(between))]
    share = np.r_[np.where((case > 0) & (case < 1), 1.0 - case, 1.0), case[between]]
    return rows, sure, share


def _thinned(case: np.ndarray, weight: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to read (ascending) and their weights."""
    if len(case) <= MOST_ROWS:
        return np.arange(len(case)), weight
    cases, others = np.flatnonzero(case == 1), np.flatnonzero(case == 0)
    keep = max(MOST_ROWS - len(cases), MOST_ROWS // 2)
    if keep >= len(others):
        return np.arange(len(case)), weight
    kept = np.random.default_rng(seed).choice(others, size=keep, replace=False)
    rows = np.sort(np.concatenate([cases, kept]))
    return rows, np.where(case[rows] == 1, weight[rows], weight[rows] * len(others) / keep)
