"""Trials with small forests: learn in some practices, judge in the others, the same on any number of threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from casefinding.learn.sentinel.ranking import Auroc, auroc
from casefinding.learn.split import split
from casefinding.learn.trees import Forest


@dataclass(frozen=True)
class Part:
    """Row numbers that are learned from, and row numbers of other practices that are judged; no person is in both."""

    learned: np.ndarray
    judged: np.ndarray


def parts_of(person: np.ndarray, practice: np.ndarray, *, folds: int, seed: int) -> tuple[list[Part], bool]:
    """Groups of practices, each to be judged by what was learned in the others, and whether they are of practices.

    Of people where there are no practices to speak of (split.split). All index days are judged alike. Raises LearnError
    for fewer than two people.
    """
    anyone = np.ones(len(person), dtype=bool)
    day = np.zeros(len(person), dtype="datetime64[D]")
    groups = split(person, day, practice, anyone, folds=folds, seed=seed)
    parts = [Part(np.flatnonzero(one.learned_from), np.flatnonzero(one.own)) for one in groups.judged()]
    return parts, groups.by_practice


def grown(forest: Forest, part: Part) -> Any:
    """A booster grown on the learned rows that have weight, on one thread; None where they hold nothing to learn."""
    rows = part.learned[forest.weight[part.learned] > 0]
    label = forest.case[rows]
    if not len(rows) or label.min() == label.max():
        return None
    return forest.grow(rows)


def scored(booster: Any, x: np.ndarray) -> np.ndarray:
    """Raw scores, one a row, on one thread; all 0 without a booster."""
    if booster is None or not len(x):
        return np.zeros(len(x))
    return np.asarray(booster.predict(x, raw_score=True, num_threads=1), dtype=np.float64)


def judged_by_part(parts: Sequence[Part], label: np.ndarray, weight: np.ndarray, scores: Sequence[np.ndarray]) -> Auroc:
    """The AUROC inside each group, put together by the groups' cases: scores of two models are never compared.

    `scores`: for each group, one a judged row. A group without a case, or with nothing else, does not count. The
    influence has one entry a row of `label`.
    """
    found = [
        (part.judged, auroc(label[part.judged], score, weight[part.judged]))
        for part, score in zip(parts, scores, strict=True)
    ]
    found = [(rows, one) for rows, one in found if np.isfinite(one.value)]
    influence = np.zeros(len(label))
    cases = np.array([(weight[rows] * label[rows]).sum() for rows, _ in found])
    if not found:
        return Auroc(float("nan"), influence)
    shares = cases / cases.sum()
    for share, (rows, one) in zip(shares, found, strict=True):
        influence[rows] = share * one.influence
    return Auroc(float(sum(share * one.value for share, (_, one) in zip(shares, found, strict=True))), influence)
