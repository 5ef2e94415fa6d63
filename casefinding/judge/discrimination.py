"""Discrimination: does a person who is diagnosed afterwards get a higher chance than one who is not?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from casefinding.judge.rows import Floats


def auroc(case: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Area under the ROC curve, weighted; NaN where all rows that count are cases or none is. From scikit-learn.

    >>> auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    case, score, weight = _counting(case, score, weight)
    return float(roc_auc_score(case, score, sample_weight=weight)) if _both(case) else float("nan")


def average_precision(case: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Mean precision over the steps of recall, weighted; NaN where there are no cases. From scikit-learn."""
    case, score, weight = _counting(case, score, weight)
    return float(average_precision_score(case, score, sample_weight=weight)) if case.any() else float("nan")


def _counting(case: ArrayLike, score: ArrayLike, weight: ArrayLike | None) -> tuple[Floats, Floats, Floats]:
    case, score = np.asarray(case, float), np.asarray(score, float)
    weight = np.ones(len(case)) if weight is None else np.asarray(weight, float)
    counts = weight > 0
    return case[counts], score[counts], weight[counts]


def _both(case: NDArray[np.float64]) -> bool:
    return bool(case.any()) and not bool(case.all())
