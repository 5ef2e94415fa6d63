"""Training a condition's model: who is learned from, judged predictions in unseen practices, the final model."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from casefinding.definitions.config import Config
from casefinding.definitions.shapes import Definitions, Learner
from casefinding.errors import LearnError
from casefinding.learn.calibrate import fit_calibration
from casefinding.learn.columns import categories_of, constraints_of, read_columns
from casefinding.learn.scorer import Scorer
from casefinding.learn.split import Judged, split
from casefinding.learn.trees import Forest, canonical_text, from_text
from casefinding.learn.yardsticks import age_and_sex, fit_age_sex, fit_logistic

OUT_OF_FOLD = pa.schema(
    [
        ("person", pa.int64()),
        ("index_day", pa.date32()),
        ("practice", pa.string()),
        ("case", pa.int8()),  # 1 case, 0 control
        ("weight", pa.float64()),  # inverse probability of censoring
        ("raw", pa.float64()),  # log-odds before calibration
        ("chance", pa.float64()),
        ("chance_age_sex", pa.float64()),
        ("chance_logistic", pa.float64()),
    ]
)


@dataclass(frozen=True)
class Trained:
    """A condition's final model, the predictions it is judged by, and where both come from.

    `out_of_fold`: see OUT_OF_FOLD; sorted by person. `importance`: one row a feature: feature, gain (share of the
    trees' gain), moves (mean absolute contribution to the calibrated log-odds on up to 1,000 training rows).
    `counts`: exact, for the job's own use; what is written is rounded (disclosure.rounded).
    """

    condition: str
    model: Scorer
    text: str = field(repr=False)  # the trees, as model.txt holds them
    out_of_fold: pa.Table = field(repr=False)
    importance: pa.Table = field(repr=False)
    learner: Learner
    constraints: tuple[int, ...]
    counts: Mapping[str, int]
    practices: int
    folds: int
    index_days: tuple[dt.date, ...]
    by_time: bool
    seed: int
    created_on: dt.date
    data_digest: str
    resolution: Mapping[str, list[str]] = field(default_factory=dict, repr=False)

    @property
    def features(self) -> tuple[str, ...]:
        return self.model.features


def train(
    condition: str,
    definitions: Definitions,
    matrix: pa.Table,
    base: pa.Table,
    outcomes: pa.Table,
    config: Config,
    *,
    usable: np.ndarray | None = None,
    data_digest: str = "",
    resolution: Mapping[str, list[str]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Trained:
    """Train, and predict people in practices and at a time that the predicting models did not learn from.

    `matrix` (person, index_day, float64 features), `base` (practice, age, sex ...) and `outcomes` (outcome, weight)
    have the same rows in the same order; `usable` leaves rows out. Rows with outcome "case" or "control" and a positive
    weight are used. `progress` is told trees grown and trees in all.

    How the judged predictions (`out_of_fold`) come about: practices are put into `config.training.folds` groups. For
    each group a model learns from the other groups' practices on every index day but the last, without anyone ever
    asked in the group's own practices, and predicts the group's people on the last index day. (With a single index day
    it learns from the other groups on that day: unseen practices, same time.) A training row's outcome is what was
    recorded up to gap + horizon after its own index day, in other practices than those predicted.
    Chances: the map from raw score to chance used for a group is fitted on the other groups' rows of the earlier days
    (on the single day if there is one), each predicted by the model that did not see its own group.
    The two yardsticks learn from exactly the same rows (logistic regression: at most yardsticks.MOST_ROWS of them).

    The final model learns from all practices and all index days; its map is fitted on the rows of all groups and all
    index days, each predicted by the model that did not see its own group.

    Raises LearnError where there are too few rows, cases or practices, with the counts.
    """
    from threadpoolctl import threadpool_limits

    model, seed, threads = definitions.models[condition], config.seed, config.training.threads
    _aligned(matrix, base, outcomes)
    features = tuple(model.features)
    categories, constraints = categories_of(features, definitions), constraints_of(features, definitions)

    outcome = outcomes.column("outcome").to_numpy(zero_copy_only=False).astype(object)
    weight = outcomes.column("weight").to_numpy(zero_copy_only=False).astype(np.float64)
    used = np.isin(outcome.astype(str), ["case", "control"]) & (np.nan_to_num(weight) > 0)
    if usable is not None:
        used &= np.asarray(usable, dtype=bool)
    case = (outcome == "case").astype(np.float64)
    _enough(condition, used, case, model.learner.fewest_cases)

    # Everything below sees used rows only.
    keep = pa.array(np.flatnonzero(used))
    matrix, base = matrix.take(keep), base.take(keep)
    case, weight = case[used], weight[used]
    person = matrix.column("person").to_numpy()
    day = matrix.column("index_day").cast(pa.date32()).to_numpy().astype("datetime64[D]")
    practice = pc.fill_null(base.column("practice").cast(pa.string()), "").to_numpy(zero_copy_only=False).astype(str)
    x = read_columns(matrix, features, categories, kind=LearnError)
    who = age_and_sex(base.column("age").to_numpy(zero_copy_only=False), _sex(base))

    days = np.unique(day)
    groups = split(person, day, practice, np.ones(len(case), dtype=bool), folds=config.training.folds, seed=seed)
    judged = list(groups.judged())
    everyone = np.arange(len(case))
    learned = [np.flatnonzero(part.learned_from) for part in judged]
    for rows in learned:
        _both_classes(case[rows], groups.folds)
    forest = Forest(x, case, weight, features, categories, constraints, model.learner, times=len(days), seed=seed)
    final, *others = forest.grow_many([everyone, *learned], threads=threads, progress=progress)

    def predict(part: Judged, rows: np.ndarray, booster: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Raw score of the group's own rows, and both yardsticks' chances of those judged."""
        by_age_sex = fit_age_sex(who[rows], case[rows], weight[rows])
        by_all = fit_logistic(x[rows], case[rows], weight[rows], features, categories, seed=seed)
        score = np.asarray(booster.predict(x[part.own], raw_score=True, num_threads=1))
        return score, by_age_sex(who[part.latest]), by_all(x[part.latest])

    raw = np.full(len(case), np.nan)  # each row by the model that did not see its group
    age_sex, logistic, chance = raw.copy(), raw.copy(), raw.copy()
    # One thread for each group and none inside its linear algebra: quicker, and the same sums on any number of cores.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(max_workers=threads) as pool:
        for part, found in zip(judged, pool.map(predict, judged, learned, others), strict=True):
            raw[part.own], age_sex[part.latest], logistic[part.latest] = found
    for part, rows in zip(judged, learned, strict=True):
        chance[part.latest] = fit_calibration(raw[rows], case[rows], weight[rows]).chance(raw[part.latest])

    text = canonical_text(final)
    scorer = Scorer(features, from_text(text), fit_calibration(raw, case, weight), categories)
    last = groups.last_day
    out_of_fold = pa.table(
        {
            "person": person[last],
            "index_day": pa.array(day[last], pa.date32()),
            "practice": practice[last],
            "case": case[last].astype(np.int8),
            "weight": weight[last],
            "raw": raw[last],
            "chance": chance[last],
            "chance_age_sex": age_sex[last],
            "chance_logistic": logistic[last],
        },
        schema=OUT_OF_FOLD,
    ).sort_by("person")
    return Trained(
        condition=condition,
        model=scorer,
        text=text,
        out_of_fold=out_of_fold,
        importance=_importance(scorer, x, seed),
        learner=model.learner,
        constraints=tuple(constraints),
        counts={
            "rows": len(case),
            "people": len(np.unique(person)),
            "cases": int(case.sum()),
            "people judged": int(last.sum()),
            "cases judged": int(case[last].sum()),
        },
        practices=len(np.unique(practice)),
        folds=groups.folds,
        index_days=tuple(days.tolist()),
        by_time=groups.by_time,
        seed=seed,
        created_on=config.index_day,
        data_digest=data_digest,
        resolution={name: list(ids) for name, ids in (resolution or {}).items()},
    )


def _aligned(matrix: pa.Table, base: pa.Table, outcomes: pa.Table) -> None:
    """The three tables must speak of the same person and day in each row."""
    for name, other in (("base", base), ("outcomes", outcomes)):
        same = other.num_rows == matrix.num_rows and all(
            other.column(key).cast(kind).combine_chunks().equals(matrix.column(key).cast(kind).combine_chunks())
            for key, kind in (("person", pa.int64()), ("index_day", pa.date32()))
        )
        if not same:
            raise LearnError(f"the rows of the matrix and of {name} are not the same people and days in the same order")


def _enough(condition: str, used: np.ndarray, case: np.ndarray, fewest: int) -> None:
    rows, cases = int(used.sum()), int(case[used].sum())
    if rows == 0:
        raise LearnError(
            f"no model of {condition}: nobody can be learned from",
            hint="is the index day early enough for gap and horizon to end within the data?",
        )
    if cases < fewest:
        raise LearnError(
            f"no model of {condition}: {cases:,} cases among {rows:,} rows, and {fewest:,} are needed",
            hint="the rules still run; to score people, name a bundle trained on more records (--bundle)",
        )
    if cases == rows:
        raise LearnError(
            f"no model of {condition}: all {rows:,} rows are cases, there is nobody to compare them with",
            hint="check the outcome's diagnosis signal",
        )


def _both_classes(case: np.ndarray, folds: int) -> None:
    cases = int(case.sum())
    if not 0 < cases < len(case):
        raise LearnError(
            f"with practices in {folds} groups, one model would learn from {cases:,} cases among {len(case):,} rows",
            hint="use fewer groups (training: folds), more index days (training: times) or more practices",
        )


def _sex(base: pa.Table) -> np.ndarray:
    text = pc.fill_null(base.column("sex").cast(pa.string()), "").to_numpy(zero_copy_only=False)
    return np.where(text == "female", 0.0, np.where(text == "male", 1.0, np.nan))


def _importance(scorer: Scorer, x: np.ndarray, seed: int) -> pa.Table:
    """Which features the trees lean on, most first."""
    gain = np.asarray(scorer.booster.feature_importance("gain"), dtype=np.float64)
    rows = np.random.default_rng(seed).choice(len(x), size=min(1000, len(x)), replace=False)
    phi = np.asarray(scorer.booster.predict(x[np.sort(rows)], pred_contrib=True))[:, :-1]
    moves = np.abs(scorer.calibration.slope * phi).mean(axis=0)
    order = np.lexsort((np.arange(len(gain)), -moves))
    return pa.table(
        {
            "feature": [scorer.features[i] for i in order],
            "gain": (gain / max(gain.sum(), 1e-300))[order],
            "moves": moves[order],
        }
    )
