"""Growing the trees: LightGBM, monotone where clinicians said so, the same text on any number of threads."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from casefinding.definitions.shapes import Learner

FEWEST_PEOPLE = 10
"""No leaf may rest on fewer people: smaller ones could tell of a single person (docs: disclosure)."""
_EASE = 25
"""After so many trees a stricter setting of LightGBM's smallest leaf is eased."""


@dataclass(frozen=True)
class Forest:
    """What is learned from, and how: boosters are grown on some of its rows.

    `x` (rows x features, NaN = missing), `case` (0 to 1: the chance that the row is a case), row `weight`,
    `categories` by feature name, `constraints` 1, -1 or 0 a feature. `times`: how often one person can be among the
    rows.
    """

    x: np.ndarray
    case: np.ndarray
    weight: np.ndarray
    features: Sequence[str]
    categories: Mapping[str, Sequence[str]]
    constraints: Sequence[int]
    learner: Learner
    times: int = 1
    seed: int = 1

    @property
    def fewest(self) -> int:
        """The fewest rows of a leaf: `smallest leaf`, and never fewer than 10 people."""
        return max(self.learner.smallest_leaf, FEWEST_PEOPLE * self.times)

    def grow_many(
        self, parts: Sequence[np.ndarray], *, threads: int, progress: Callable[[int, int], None] | None = None
    ) -> list[Any]:
        """One lightgbm.Booster for each array of row numbers, several at a time, each on its share of the threads.

        The boosters do not depend on `threads`. `progress` is told trees grown and trees in all.
        """
        return grow_all([(self, rows) for rows in parts], threads=threads, progress=progress)

    def grow(self, rows: np.ndarray, *, threads: int = 1, tell: Callable[[], None] = lambda: None) -> Any:
        """A lightgbm.Booster grown on some rows, every leaf of which holds at least `fewest` of them.

        LightGBM's own min_data_in_leaf only estimates a leaf's rows from its hessian and can be wrong several times
        over where the chance is high, so each new tree is counted, and grown again with a setting twice as strict if a
        leaf is too small. The stricter setting stays for a few trees, then is eased again.
        """
        import lightgbm as lgb

        settings = self.settings(threads)
        data = lgb.Dataset(
            self.x[rows],
            label=self.case[rows].astype(np.float32),
            weight=self.weight[rows].astype(np.float32),
            feature_name=list(self.features),
            categorical_feature=[name for name in self.features if name in self.categories],
            params=settings,
        )
        booster = lgb.Booster(params=settings, train_set=data)
        asked = self.fewest
        for number in range(self.learner.trees):
            if number % _EASE == 0 and asked != self.fewest:
                asked = self._ask(booster, self.fewest, number)
            stopped = booster.update()
            while smallest_leaf(booster, number) < self.fewest and asked < len(rows):
                booster.rollback_one_iter()
                asked = self._ask(booster, 2 * asked, number)
                stopped = booster.update()
            tell()
            if stopped:
                break
        return booster

    @staticmethod
    def _ask(booster: Any, rows: int, number: int) -> int:
        """Set LightGBM's own smallest leaf from here on; with a fresh seed, as setting it starts the draws again."""
        booster.reset_parameter({"min_data_in_leaf": rows, "feature_fraction_seed": number + 1})
        return rows

    def settings(self, threads: int) -> dict[str, Any]:
        """What LightGBM is told."""
        directions: dict[str, Any] = {
            "monotone_constraints": list(self.constraints),
            "monotone_constraints_method": "intermediate",
        }
        return {
            "objective": "cross_entropy",  # as "binary", and a label may lie between 0 and 1
            "learning_rate": self.learner.learning_rate,
            "num_leaves": self.learner.leaves,
            "max_depth": self.learner.depth,
            "min_data_in_leaf": self.fewest,
            "lambda_l2": self.learner.l2,
            "feature_fraction": self.learner.feature_share,
            "max_bin": 127,
            "bin_construct_sample_cnt": 50_000,
            "max_cat_to_onehot": 16,  # one group against the rest: few, named groups need no sorted subsets
            "feature_pre_filter": False,
            "deterministic": True,
            "force_row_wise": True,
            "seed": self.seed % 2**31,
            "num_threads": threads,
            "verbosity": -1,
            **(directions if any(self.constraints) else {}),
        }


def grow_all(
    tasks: Sequence[tuple[Forest, np.ndarray]],
    *,
    threads: int,
    progress: Callable[[int, int], None] | None = None,
) -> list[Any]:
    """One lightgbm.Booster for each forest and its row numbers, several at a time, each on its share of the threads.

    The boosters do not depend on `threads`. `progress` is told trees grown and trees in all.
    """
    if not tasks:
        return []
    total, each = sum(forest.learner.trees for forest, _ in tasks), max(1, threads // len(tasks))
    grown, guard, stop = [0], threading.Lock(), threading.Event()

    def tell() -> None:
        if stop.is_set():
            raise InterruptedError("growing was stopped")
        with guard:
            grown[0] += 1
            if progress is not None:
                progress(grown[0], total)

    with ThreadPoolExecutor(max_workers=min(threads, len(tasks))) as pool:
        try:
            return list(pool.map(lambda task: task[0].grow(task[1], threads=each, tell=tell), tasks))
        except BaseException:  # Ctrl-C above all: the other boosters end at their next tree
            stop.set()
            raise


def smallest_leaf(booster: Any, number: int) -> int:
    """The rows in the smallest leaf of one tree, as counted in training; a tree without a split has no small leaf."""
    if number >= booster.current_iteration():
        return np.iinfo(np.int64).max
    tree = booster.dump_model(start_iteration=number, num_iteration=1)["tree_info"][0]["tree_structure"]
    if "leaf_count" not in tree and "split_index" not in tree:
        return np.iinfo(np.int64).max
    smallest, waiting = np.iinfo(np.int64).max, [tree]
    while waiting:
        node = waiting.pop()
        if "split_index" in node:
            waiting += [node["left_child"], node["right_child"]]
        elif node is not tree:
            smallest = min(smallest, int(node["leaf_count"]))
    return int(smallest)


def canonical_text(booster: Any) -> str:
    """LightGBM's text of a booster without what it must not or need not say; it loads and predicts as before.

    Scrubbed: `feature_infos` (lowest and highest value of every feature: the oldest person's age), the settings section
    (thread count, paths) and any names of pandas' categories.
    """
    text = booster.model_to_string(num_iteration=-1)
    text = re.sub(r"^feature_infos=(.*)$", _without_infos, text, count=1, flags=re.MULTILINE)
    text = re.sub(r"^parameters:\n.*?^end of parameters\n", "", text, count=1, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"\n+pandas_categorical:.*\s*$", "\n\npandas_categorical:null\n", text, count=1)


def _without_infos(line: re.Match[str]) -> str:
    return "feature_infos=" + " ".join("none" for _ in line[1].split(" "))


def blended(parts: Sequence[tuple[Any, float]]) -> Any:
    """One booster whose raw score is the sum of several boosters' raw scores, each times its share.

    All read the same features. Every tree is kept with its leaves scaled, so contributions add up as raw scores do.
    """
    if len(parts) == 1 and parts[0][1] == 1.0:
        return parts[0][0]
    head, trees = "", []
    for booster, share in parts:
        text = booster.model_to_string(num_iteration=-1)
        first, *blocks = re.split(r"^Tree=\d+\n", text.split("\nend of trees", 1)[0], flags=re.MULTILINE)
        head = head or re.sub(r"^tree_sizes=.*\n", "", first, flags=re.MULTILINE)
        scale = partial(_scaled, share)
        trees += [re.sub(r"^(leaf_value|internal_value|shrinkage)=(.*)$", scale, block, flags=re.M) for block in blocks]
    numbered = "".join(f"Tree={number}\n{block.rstrip()}\n\n\n" for number, block in enumerate(trees))
    return from_text(f"{head}{numbered}end of trees\n\npandas_categorical:null\n")


def _scaled(share: float, line: re.Match[str]) -> str:
    return f"{line[1]}=" + " ".join(repr(float(number) * share) for number in line[2].split(" "))


def from_text(text: str) -> Any:
    """The booster of a text; raises lightgbm's own error if it is none."""
    import lightgbm as lgb

    return lgb.Booster(model_str=text)
