"""Would more people help, and would other people of the same kind have given the same lists?

The learning curve: the AUROC in practices not learned from, by the share of the people that are learned from. Stability
(Riley & Collins, Biometrical Journal 2023): the model learned again from bootstraps of the people, and how much of one
list of a given length is on another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from casefinding.disclosure import rounded
from casefinding.learn.in_order import in_order
from casefinding.learn.sentinel.ranking import FEWEST_CASES, Auroc
from casefinding.learn.sentinel.trials import Part, grown, judged_by_part, parts_of, scored
from casefinding.learn.trees import Forest

SHARES = (0.1, 0.25, 0.5, 1.0)
"""Shares of the people that the learning curve learns from; smaller ones are parts of the larger."""
LISTED = 0.05
"""The list of the study: so large a share of those who could be invited, practice by practice."""
RISING = 0.005
"""A curve that still gains more AUROC than this from the second half of the people has not levelled off."""

Progress = Callable[[int, int], None]


def learning_curve(
    forest: Forest,
    person: np.ndarray,
    practice: np.ndarray,
    *,
    folds: int = 3,
    threads: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The AUROC in other practices, learned from 10, 25, 50 and 100% of the people, each with its interval.

    `forest`: rows, labels (0 to 1) and weights (0: left out) as the model learns from them, with the learner to use;
    `person` and `practice` one a row. The same people are judged at every share. Gives "points" and how to read them;
    the same on any number of threads. Raises LearnError for fewer than two people.
    """
    parts, by_practice = parts_of(person, practice, folds=folds, seed=forest.seed)
    codes = np.unique(person, return_inverse=True)[1]
    people = int(codes.max()) + 1
    place = np.empty(people)
    place[np.random.default_rng([forest.seed, 10]).permutation(people)] = (np.arange(people) + 0.5) / people
    counts = forest.weight > 0

    def one(share: float, part: Part) -> tuple[np.ndarray, float]:
        learned = part.learned[(place[codes] < share)[part.learned]]
        cases = float((forest.case[learned] * counts[learned]).sum())
        return scored(grown(forest, replace(part, learned=learned)), forest.x[part.judged]), cases

    tasks = [(share, part) for share in SHARES for part in parts]
    found = in_order(one, tasks, threads, _ticking(progress, len(tasks)))
    points: list[dict[str, Any]] = []
    curve: list[Auroc] = []
    for number, share in enumerate(SHARES):
        own = found[number * len(parts) : (number + 1) * len(parts)]
        cases = float(np.mean([cases for _, cases in own]))
        curve.append(judged_by_part(parts, forest.case, forest.weight, [scores for scores, _ in own]))
        enough = cases >= FEWEST_CASES and np.isfinite(curve[-1].value)
        points.append(
            {
                "share": share,
                "people": rounded(round(share * len(np.unique(codes[counts])) * (len(parts) - 1) / len(parts))),
                "cases": rounded(round(cases)),
                "auroc": curve[-1].as_dict(codes) if enough else None,
            }
        )
    last = None
    reads = "Too few cases for a curve."
    if points[-1]["auroc"] is not None and points[-2]["auroc"] is not None:
        last = (curve[-1] - curve[-2]).as_dict(codes)
        rising = last["value"] > RISING and last["low"] > 0
        reads = (
            "More people would make the model better still." if rising else "More of the same people would add little."
        )
    return {
        "points": points,
        "judged in": "practices not learned from" if by_practice else "people not learned from",
        "gained by the second half": last,
        "reads": reads,
    }


def stability(
    forest: Forest,
    person: np.ndarray,
    asked: np.ndarray,
    practice: np.ndarray,
    places: Mapping[str, int],
    *,
    final: np.ndarray | None = None,
    times: int = 10,
    threads: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Learn again from `times` bootstraps of the people; how much of each list is on the others, and on the final one.

    `forest` and `person`: what the model learns from, one a row. `asked` (people x features) and `practice`: those who
    could be invited; `places`: how many each practice can invite. `final`: the shipped model's scores of those asked;
    left out, a model of all rows is grown for it. Lists are the highest scores of each practice, LISTED of its people
    (rounded up) or its places; ties go to whoever comes first. Overlap: the share of one list that is on the other,
    which is the same both ways as both have the same length. The model's own learner grows every one of them.
    """
    rows = np.flatnonzero(forest.weight > 0)
    people, code = np.unique(person[rows], return_inverse=True)
    by_person = np.argsort(code, kind="stable")
    first = np.searchsorted(code[by_person], np.arange(len(people) + 1))

    def drawn(turn: int) -> np.ndarray:
        """The rows of as many people as there are, drawn with replacement."""
        picked = np.sort(np.random.default_rng([forest.seed, 20, turn]).integers(0, len(people), len(people)))
        sizes = np.diff(first)[picked]
        start = np.repeat(first[picked] - np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes)
        return rows[by_person[start + np.arange(int(sizes.sum()))]]

    def one(turn: int) -> np.ndarray:
        learned = rows if turn < 0 else drawn(turn)
        return scored(grown(forest, Part(learned, learned[:0])), asked)

    turns = [(turn,) for turn in range(times)] + ([(-1,)] if final is None else [])
    found = in_order(one, turns, threads, _ticking(progress, len(turns)))
    again, whole = found[:times], found[-1] if final is None else np.asarray(final, dtype=np.float64)
    names, at = np.unique(practice, return_inverse=True)
    sizes = np.bincount(at, minlength=len(names))
    lengths = {
        f"{LISTED:.0%} of those who could be invited": np.ceil(LISTED * sizes).astype(int),
        "the practices' places": np.minimum([places.get(str(name), 0) for name in names], sizes),
    }
    lists = {name: _overlaps(again, whole, at, length, sizes) for name, length in lengths.items() if length.sum()}
    return {"times": times, "lists": lists, "people": rounded(len(people)), "asked": rounded(len(asked))}


def listed(score: np.ndarray, practice: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Who is on the lists: the `length[practice]` highest scores of each practice, ties to whoever comes first.

    >>> listed(np.array([0.1, 0.9, 0.9, 0.5]), np.array([0, 0, 0, 1]), np.array([1, 1])).tolist()
    [False, True, False, True]
    """
    order = np.lexsort((np.arange(len(score)), -score, practice))
    begins = np.searchsorted(practice[order], np.arange(len(length)))
    place = np.arange(len(score)) - begins[practice[order]]
    on = np.zeros(len(score), dtype=bool)
    on[order[place < length[practice[order]]]] = True
    return on


def _overlaps(
    again: list[np.ndarray], whole: np.ndarray, practice: np.ndarray, length: np.ndarray, sizes: np.ndarray
) -> dict[str, Any]:
    """Overlaps of lists of one length, and in words; what lists drawn by lot would share stands beside them."""
    total = int(length.sum())
    lists = [listed(score, practice, length) for score in again]
    shared = [float((a & b).sum()) / total for a, b in combinations(lists, 2)]
    shipped = listed(whole, practice, length)
    with_final = [float((one & shipped).sum()) / total for one in lists]
    chance = float((length**2 / np.maximum(sizes, 1)).sum()) / total
    mean = float(np.mean(shared)) if shared else float("nan")
    return {
        "people listed": rounded(total),
        "between pairs": _spread(shared),
        "with the final list": _spread(with_final),
        "by chance": round(chance, 4),
        "reads": f"Of 100 people listed, {100 * mean:.0f} would also be listed had other people of the same kind been "
        f"learned from ({100 * chance:.0f} if lists were drawn by lot).",
    }


def _spread(shares: list[float]) -> dict[str, float | None]:
    if not shares:
        return {"mean": None, "least": None, "most": None}
    return {name: round(float(of(shares)), 4) for name, of in (("mean", np.mean), ("least", np.min), ("most", np.max))}


def _ticking(progress: Progress | None, total: int) -> Callable[[], None] | None:
    if progress is None:
        return None
    done = [0]

    def tick() -> None:
        done[0] += 1
        progress(done[0], total)

    return tick
