"""The sentinel's bench: some rows of a training run, and trials of small forests on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from casefinding.definitions.config import Config
from casefinding.definitions.shapes import Definitions, Learner
from casefinding.errors import LearnError
from casefinding.learn.columns import categories_of, constraints_of, read_columns
from casefinding.learn.in_order import in_order
from casefinding.learn.sentinel.ranking import FEWEST_CASES, Auroc
from casefinding.learn.sentinel.trials import Part, grown, judged_by_part, parts_of, scored
from casefinding.learn.trees import Forest
from casefinding.learn.verify import Evidence
from casefinding.learn.yardsticks import age_and_sex, fit_age_sex

MOST_ROWS = 20_000
"""Rows that a sentinel reads: whole people, all who are ever a case while they fill no more than half of it."""
SMALL = {"trees": 40, "learning_rate": 0.1}
"""Forests of the trials: the model's own learner with fewer and quicker trees."""
SHARP = {"trees": 20, "learning_rate": 0.2, "leaves": 15, "depth": 4, "smallest_leaf": 10, "l2": 1.0}
"""Forests that look for the outcome among the features: as quick to fit closely as the disclosure of leaves allows."""
GROUPS = 2

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Trial:
    """What one trial learns and is judged on."""

    label: np.ndarray
    weight: np.ndarray
    forest: Forest | None = None  # with other columns than the bench's own
    trees: int | None = None  # None: as many as in SMALL
    sharp: bool = False


@dataclass(frozen=True)
class Tried:
    """What a trial gave: its AUROC, and each column's share of the trees' gain."""

    auroc: Auroc
    gain: np.ndarray


@dataclass
class Bench:
    """Row-aligned arrays of the rows that are read. `learned`: label (0 to 1) and weight of what the model learns from.

    `coded`: label and weight by gap; weight 0 where nobody can tell.
    """

    rows: np.ndarray  # row numbers in the tables, ascending
    person: np.ndarray  # 0 .. people-1
    day: np.ndarray
    who: np.ndarray  # age and sex, as yardsticks.fit_age_sex reads them
    learned: tuple[np.ndarray, np.ndarray]
    learns_codes: bool
    coded: Mapping[str, tuple[np.ndarray, np.ndarray]]
    days_to_code: np.ndarray
    parts: list[Part]
    by_practice: bool
    forest: Forest
    threads: int
    _tell: Progress | None = None
    _whole: Tried | None = None
    _counted: list[int] = field(default_factory=lambda: [0, 0])

    @property
    def outcome(self) -> tuple[np.ndarray, np.ndarray]:
        """What the model learns from as yes or no: a chance of one half or more is a yes."""
        return (self.learned[0] >= 0.5).astype(np.float64), self.learned[1]

    def fewest_learned(self) -> float:
        """The cases in the smallest group that is learned from."""
        label, weight = self.outcome
        return min(float((label * (weight > 0))[part.learned].sum()) for part in self.parts)

    def listen(self, progress: Progress | None) -> None:
        """Tell this about every forest from here on."""
        self._tell = progress

    def run(self, trials: Sequence[Trial]) -> list[Tried]:
        """Every trial, all groups of all trials side by side; the same on any number of threads."""

        def one(trial: Trial, part: Part) -> tuple[np.ndarray, np.ndarray]:
            forest = trial.forest or self.forest
            update = SHARP if trial.sharp else {"trees": trial.trees or forest.learner.trees}
            learner = forest.learner.model_copy(update=update)
            booster = grown(replace(forest, case=trial.label, weight=trial.weight, learner=learner), part)
            gain = np.zeros(len(forest.features))
            if booster is not None:
                gain = np.asarray(booster.feature_importance("gain"), dtype=np.float64)
            return scored(booster, forest.x[part.judged]), gain / max(float(gain.sum()), 1e-300)

        tasks = [(trial, part) for trial in trials for part in self.parts]
        self._counted[1] += len(tasks)
        found = in_order(one, tasks, self.threads, self._done)
        tried = []
        for number, trial in enumerate(trials):
            own = found[number * len(self.parts) : (number + 1) * len(self.parts)]
            judged = judged_by_part(self.parts, trial.label, trial.weight, [scores for scores, _ in own])
            tried.append(Tried(judged, np.mean([gain for _, gain in own], axis=0)))
        return tried

    def whole(self) -> Tried:
        """The trial of what the model learns from, with every feature; grown once."""
        if self._whole is None:
            self._whole = self.run([Trial(*self.learned)])[0]
        return self._whole

    def age_and_sex(self, label: np.ndarray, weight: np.ndarray) -> Auroc:
        """The AUROC of age and sex alone, learned and judged as a trial is."""

        def one(part: Part) -> np.ndarray:
            rows = part.learned[weight[part.learned] > 0]
            if not len(rows) or label[rows].min() == label[rows].max():
                return np.zeros(len(part.judged))
            return fit_age_sex(self.who[rows], label[rows], weight[rows])(self.who[part.judged])

        return judged_by_part(self.parts, label, weight, in_order(one, [(part,) for part in self.parts], self.threads))

    def _done(self) -> None:
        self._counted[0] += 1
        if self._tell is not None:
            self._tell(self._counted[0], self._counted[1])


def too_few(label: np.ndarray, weight: np.ndarray) -> str:
    """Why nothing can be told from these rows; empty where something can."""
    there = weight > 0
    cases, others = float(label[there].sum()), float((1.0 - label[there]).sum())
    if min(cases, others) >= FEWEST_CASES:
        return ""
    what = "cases" if cases < FEWEST_CASES else "people who are no case"
    return f"fewer than {FEWEST_CASES} {what}"


def bench_of(
    condition: str,
    definitions: Definitions,
    matrix: pa.Table,
    base: pa.Table,
    outcomes: Mapping[str, pa.Table],
    config: Config,
    *,
    own: str,
    usable: np.ndarray,
    evidence: Evidence | None,
) -> Bench:
    """Choose the rows and make the arrays; see sentinel.sentinel for the tables. `own`: the key of the model's gap.

    Raises LearnError where nobody is at risk, or fewer than two people are.
    """
    model, seed = definitions.models[condition], config.seed
    coded = {key: _coded(table, usable) for key, table in outcomes.items()}
    learned = coded[own]
    learns_codes = model.learn_from == "coded" or evidence is None
    if not learns_codes and evidence is not None:
        label = evidence.chance if model.learn_from == "graded" else evidence.found.astype(np.float64)
        learned = np.nan_to_num(label), (evidence.known & usable & (learned[1] > 0)).astype(np.float64)
    person = matrix["person"].to_numpy().astype(np.int64)
    wanted = np.any([weight > 0 for _, weight in (learned, *coded.values())], axis=0)
    case = np.any([(label >= 0.5) & (weight > 0) for label, weight in (learned, *coded.values())], axis=0)
    if not wanted.any():
        raise LearnError(f"no model of {condition}: nobody can be learned from")
    rows, times = _some(person, wanted, case, seed)

    def of(pair: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        return pair[0][rows], pair[1][rows] * times

    take = pa.array(rows)
    matrix, base = matrix.take(take), base.take(take)
    features = tuple(model.features)
    categories = categories_of(features, definitions)
    day = matrix["index_day"].cast(pa.date32()).to_numpy().astype("datetime64[D]")
    practice = pc.fill_null(base["practice"].cast(pa.string()), "").to_numpy(zero_copy_only=False).astype(str)
    parts, by_practice = parts_of(person[rows], practice, folds=GROUPS, seed=seed)
    x = read_columns(matrix, features, categories, kind=LearnError)
    learner: Learner = model.learner.model_copy(update=SMALL)
    return Bench(
        rows=rows,
        person=np.unique(person[rows], return_inverse=True)[1],
        day=day,
        who=age_and_sex(base),
        learned=of(learned),
        learns_codes=learns_codes,
        coded={key: of(pair) for key, pair in coded.items()},
        days_to_code=_days_to_code(outcomes[own].take(take), day),
        parts=parts,
        by_practice=by_practice,
        forest=Forest(
            x, np.zeros(len(x)), np.zeros(len(x)), features, categories, constraints_of(features, definitions),
            learner, times=len(np.unique(day)), seed=seed,
        ),
        threads=config.training.threads,
    )  # fmt: skip


def _coded(outcomes: pa.Table, usable: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Label and weight of one gap's outcomes; an index day whose horizon ends beyond the data has no weight.

    Nobody is followed to the end of such a day's horizon, so it has no control.
    """
    outcome = outcomes["outcome"].to_numpy(zero_copy_only=False).astype(str)
    weight = np.nan_to_num(outcomes["weight"].to_numpy(zero_copy_only=False).astype(np.float64))
    day = outcomes["index_day"].cast(pa.date32()).to_numpy().astype("datetime64[D]")
    weight = np.where(usable & np.isin(outcome, ("case", "control")), weight, 0.0)
    seen = np.unique(day[(outcome == "control") & (weight > 0)])
    return (outcome == "case").astype(np.float64), np.where(np.isin(day, seen), weight, 0.0)


def _days_to_code(outcomes: pa.Table, day: np.ndarray) -> np.ndarray:
    """Days from the index day to the code for the cases, NaN for everybody else and where the table does not say."""
    days = np.full(len(day), np.nan)
    if "day" in outcomes.column_names:
        coded = outcomes["day"].cast(pa.date32()).to_numpy(zero_copy_only=False).astype("datetime64[D]")
        case = (outcomes["outcome"].to_numpy(zero_copy_only=False).astype(str) == "case") & ~np.isnat(coded)
        days[case] = (coded - day)[case].astype(np.float64)
    return days


def _some(person: np.ndarray, wanted: np.ndarray, case: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers to read, ascending, and how many rows each stands for: whole people, drawn among those who are ever a
    case and among the others."""
    at = np.flatnonzero(wanted)
    people, who, sizes = np.unique(person[at], return_inverse=True, return_counts=True)
    if len(at) <= MOST_ROWS:
        return at, np.ones(len(at))
    ever = np.bincount(who, weights=case[at]) > 0
    stands = np.zeros(len(people))
    left = MOST_ROWS
    for kind, most in ((ever, MOST_ROWS // 2), (~ever, None)):
        group = np.random.default_rng(seed).permutation(np.flatnonzero(kind))
        room = left if most is None else most
        taken = group[: int(np.searchsorted(np.cumsum(sizes[group]), room, side="right"))]
        if len(taken):
            stands[taken] = len(group) / len(taken)
        left -= int(sizes[taken].sum())
    kept = stands[who] > 0
    return at[kept], stands[who][kept]
