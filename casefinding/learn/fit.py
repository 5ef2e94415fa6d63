"""Training a condition's model: four ways side by side, judged predictions in unseen practices, the final model."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from casefinding.definitions.config import Config
from casefinding.definitions.shapes import Definitions, Learner
from casefinding.errors import LearnError
from casefinding.learn.calibrate import sigmoid
from casefinding.learn.columns import categories_of, constraints_of, read_columns
from casefinding.learn.in_order import in_order
from casefinding.learn.scorer import Scorer
from casefinding.learn.split import Judged, Split, split
from casefinding.learn.trees import Forest, canonical_text, from_text, grow_all
from casefinding.learn.verify import Evidence, check_overlap, verification_weights
from casefinding.learn.ways import CODED, WAYS, WEIGHTED, Grown, Way, combine, enough, shipped, ways_of
from casefinding.learn.yardsticks import age_and_sex, fit_age_sex, fit_logistic

OUT_OF_FOLD = pa.schema(
    [
        ("person", pa.int64()),
        ("index_day", pa.date32()),
        ("practice", pa.string()),
        ("case", pa.int8()),  # 1 coded within the horizon, 0 not
        ("weight", pa.float64()),  # inverse probability of censoring; 0 where nobody can tell
        ("raw", pa.float64()),  # log-odds before calibration
        ("chance", pa.float64()),  # by the way that the model ships
        ("chance_age_sex", pa.float64()),
        ("chance_logistic", pa.float64()),
        ("chance_coded", pa.float64()),  # null where a way could not be learned
        ("chance_verified", pa.float64()),
        ("chance_verified_weighted", pa.float64()),
        ("chance_graded", pa.float64()),
        ("verified", pa.int8()),  # 1 looked at within the horizon
        ("evidence", pa.float64()),  # chance that what was found is the disease; null if not looked at
        ("verify_weight", pa.float64()),  # stabilised inverse chance of being looked at; 0 if not
    ]
)
"""Beside these, a column `chance_refit_<n>` for each published model whose variables were refitted."""

LOOKED_AT = {"trees": 80, "leaves": 15, "depth": 4}
"""How the chance of being looked at is learned: it needs to be right on average more than sharp."""


@dataclass(frozen=True)
class Taught:
    """What the way that ships learned from, for studies that learn again: labels of its first forest, weight 0 for the
    rows it left out; person and practice a row; `last`: rows of the last index day."""

    forest: Forest
    person: np.ndarray
    practice: np.ndarray
    last: np.ndarray


@dataclass(frozen=True)
class Trained:
    """A condition's final model, the predictions it is judged by, and where both come from.

    `out_of_fold`: see OUT_OF_FOLD; sorted by person. `importance`: one row a feature: feature, gain (share of the
    trees' gain), moves (mean absolute contribution to the calibrated log-odds on up to 1,000 training rows).
    `learned_from`: the way that ships. `ways`: facts of every way by name (ways.Grown.facts), or why there is none.
    `counts`: exact, for the job's own use; what is written is rounded (disclosure.rounded).
    """

    condition: str
    model: Scorer
    text: str = field(repr=False)  # the trees, as model.txt holds them
    out_of_fold: pa.Table = field(repr=False)
    importance: pa.Table = field(repr=False)
    learner: Learner
    constraints: tuple[int, ...]
    learned_from: str
    ways: Mapping[str, Mapping[str, Any]]
    counts: Mapping[str, int]
    practices: int
    folds: int
    index_days: tuple[dt.date, ...]
    by_time: bool
    by_practice: bool
    design: str  # "looking ahead", or "at the visit" where records are too thin for it
    seed: int
    created_on: dt.date
    taught: Taught = field(repr=False)
    data_digest: str
    selection: Mapping[str, int] = field(default_factory=dict)  # rows told by outcomes of earlier lists, and whose
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
    evidence: Evidence | None = None,
    usable: np.ndarray | None = None,
    design: str = "looking ahead",
    selection: Mapping[str, int] | None = None,
    data_digest: str = "",
    resolution: Mapping[str, list[str]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Trained:
    """Learn in every way the condition offers (ways.py), judge all in unseen practices, keep the one it ships.

    `matrix` (person, index_day, float64 features), `base` (practice, age, sex ...), `outcomes` (outcome, weight) and
    `evidence` (verify.evidence_of) have the same rows in the same order; `usable` leaves rows out. Rows with outcome
    "case", "control" or "censored" are used. `design` and `selection` are kept and told. `progress` is told trees
    grown and in all.

    How the judged predictions (`out_of_fold`) come about: practices are put into `config.training.folds` groups (people
    are, where there are no practices to speak of; see split). For each group a model learns from the other groups'
    practices on every index day but the last, without anyone ever asked in the group's own practices, and predicts the
    group's people on the last index day. (With a single index day, or where the earlier ones have too little to teach,
    it learns from the other groups on the last day too: unseen practices, same time.) A training row's outcome is what
    was recorded up to gap + horizon after its own index day, in other practices than those predicted.
    Chances: the map from raw score to chance used for a group is fitted on the other groups' rows of the earlier days
    (on the single day if there is one), each predicted by the model that did not see its own group.
    The yardsticks learn from the rows, labels and weights of the way that ships (logistic regression: at most
    yardsticks.MOST_ROWS of them).

    The final model learns from all practices and all index days; its map is fitted on the rows of all groups and all
    index days, each predicted by the model that did not see its own group.

    Raises LearnError where there are too few rows, cases or people to tell, with the counts.
    """
    model, seed, threads = definitions.models[condition], config.seed, config.training.threads
    _aligned(matrix, base, outcomes)
    features = tuple(model.features)
    categories, constraints = categories_of(features, definitions), constraints_of(features, definitions)

    outcome = outcomes.column("outcome").to_numpy(zero_copy_only=False).astype(str)
    used = np.isin(outcome, ["case", "control", "censored"])
    if usable is not None:
        used &= np.asarray(usable, dtype=bool)
    if not used.any():
        raise LearnError(
            f"no model of {condition}: nobody can be learned from",
            hint="is the index day early enough for gap and horizon to end within the data?",
        )

    if model.learn_from == CODED and evidence is not None and not evidence.verified[used].any():
        evidence = None  # codes need nobody to be looked at
    if evidence is not None and model.verification is not None and not evidence.verified[used].any():
        raise LearnError(
            f"no model of {condition}: nobody was looked at ({model.verification.label}) within the horizon",
            hint="are the values of the test in the records, under codes that the definitions know?",
        )

    # Everything below sees used rows only.
    keep = pa.array(np.flatnonzero(used))
    matrix, base = matrix.take(keep), base.take(keep)
    case = (outcome == "case").astype(np.float64)[used]
    censoring = np.nan_to_num(outcomes.column("weight").to_numpy(zero_copy_only=False).astype(np.float64))[used]
    followed = np.isin(outcome[used], ["case", "control"]) & (censoring > 0)
    if evidence is not None:
        evidence = evidence.rows(used)
    person = matrix.column("person").to_numpy()
    day = matrix.column("index_day").cast(pa.date32()).to_numpy().astype("datetime64[D]")
    practice = pc.fill_null(base.column("practice").cast(pa.string()), "").to_numpy(zero_copy_only=False).astype(str)
    x = read_columns(matrix, features, categories, kind=LearnError)
    who = age_and_sex(base)

    days = np.unique(day)
    name = model.learn_from if evidence is not None else CODED
    taught = case * followed if evidence is None or name == CODED else np.nan_to_num(evidence.chance)
    groups = split(
        person, day, practice, np.ones(len(case), dtype=bool), folds=config.training.folds, seed=seed,
        by_time=float(taught[day < days[-1]].sum()) >= model.learner.fewest_cases,
    )  # fmt: skip
    judged = list(groups.judged())
    forest = Forest(x, case, censoring, features, categories, constraints, model.learner, times=len(days), seed=seed)
    weights = None
    if evidence is not None:
        weights = verification_weights(_chance_looked_at(forest, evidence, judged, threads), evidence.verified)
    attendance = [features.index(name) for name in model.attendance]
    offered = ways_of(forest, case, followed, censoring, evidence, weights, attendance)
    ways = {name: enough(way, judged, model.learner.fewest_cases) for name, way in offered.items()}
    ship = ways[name]
    if name == WEIGHTED and ship.overlap is not None:
        check_overlap(ship.overlap, condition)
    if ship.why_not:
        raise LearnError(
            f"no model of {condition}: {ship.why_not}",
            hint="the rules still run; to score people, name a bundle trained on more records (--bundle)",
        )
    grown, final = _grow(ways, name, judged, groups, threads, progress)
    chosen = grown[name]
    yardsticks = _yardsticks(chosen.way, judged, x, who, features, categories, model.refit, seed, threads)

    text = canonical_text(final)
    scorer = Scorer(features, from_text(text), chosen.calibration, categories)
    last = groups.last_day
    nothing = np.full(len(case), np.nan)
    columns: dict[str, Any] = {
        "person": person,
        "index_day": pa.array(day, pa.date32()),
        "practice": pa.array(practice),
        "case": case.astype(np.int8),
        "weight": np.where(followed, censoring, 0.0),
        "raw": chosen.raw,
        "chance": chosen.chance,
        "chance_age_sex": yardsticks.pop("age_sex"),
        "chance_logistic": yardsticks.pop("logistic"),
        **{_column(way): pa.array(grown[way].chance if way in grown else nothing, from_pandas=True) for way in WAYS},
        "verified": (evidence.verified if evidence is not None else np.zeros(len(case))).astype(np.int8),
        "evidence": pa.array(evidence.chance if evidence is not None else nothing, from_pandas=True),
        "verify_weight": weights[0] if weights is not None else np.zeros(len(case)),
    }
    out_of_fold = pa.table(columns, schema=OUT_OF_FOLD)
    for label, chance in yardsticks.items():
        out_of_fold = out_of_fold.append_column(label, pa.array(chance))
    out_of_fold = out_of_fold.filter(pa.array(last)).sort_by("person")
    rows = chosen.way.rows
    return Trained(
        condition=condition,
        model=scorer,
        text=text,
        out_of_fold=out_of_fold,
        importance=_importance(scorer, x, seed),
        learner=model.learner,
        constraints=tuple(constraints),
        learned_from=name,
        ways={way: (grown[way].facts if way in grown else {"why not": ways[way].why_not}) for way in ways},
        counts={
            "rows": int(rows.sum()),
            "people": len(np.unique(person[rows])),
            "cases": round(float(chosen.way.label[rows].sum())),
            "people judged": int(last.sum()),
            "cases judged": int(case[last].sum()),
        },
        practices=len(np.unique(practice)),
        folds=groups.folds,
        index_days=tuple(days.tolist()),
        by_time=groups.by_time,
        by_practice=groups.by_practice,
        design=design,
        seed=seed,
        created_on=config.index_day,
        taught=Taught(
            replace(forest, case=np.where(rows, chosen.way.label, 0.0), weight=np.where(rows, chosen.way.weight, 0.0)),
            person,
            practice,
            last,
        ),
        data_digest=data_digest,
        selection=dict(selection or {}),
        resolution={name: list(ids) for name, ids in (resolution or {}).items()},
    )


def _column(way: str) -> str:
    return {WEIGHTED: "chance_verified_weighted"}.get(way, f"chance_{way}")


def _chance_looked_at(forest: Forest, evidence: Evidence, judged: list[Judged], threads: int) -> np.ndarray:
    """Each row's chance of being looked at within the horizon, by models of the other groups of practices."""
    verified = evidence.verified.astype(np.float64)
    chance = np.full(len(verified), verified.mean())
    if verified.min() == verified.max():
        return chance
    learner = forest.learner.model_copy(update=LOOKED_AT)
    looked = Forest(
        forest.x, verified, np.ones(len(verified)), forest.features, forest.categories, [0] * len(forest.features),
        learner, times=forest.times, seed=forest.seed,
    )  # fmt: skip
    parts = [np.flatnonzero(group.learned_from) for group in judged]
    for group, rows, booster in zip(judged, parts, looked.grow_many(parts, threads=threads), strict=True):
        if 0 < verified[rows].sum() < len(rows):
            raw = booster.predict(forest.x[group.own], raw_score=True, num_threads=1)
            chance[group.own] = sigmoid(np.asarray(raw, dtype=np.float64))
    return chance


def _grow(
    ways: dict[str, Way],
    name: str,
    judged: list[Judged],
    groups: Split,
    threads: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[dict[str, Grown], Any]:
    """Every way that can be learned, and the final model of the one that ships."""
    tasks: list[tuple[Forest, np.ndarray]] = []
    keys: list[tuple[str, int, int]] = []
    for way in ways.values():
        for place, (forest, part) in enumerate(zip(way.forests, way.forest_rows, strict=True)):
            if way.why_not:
                continue
            for number, group in enumerate(judged):
                tasks.append((forest, np.flatnonzero(group.learned_from & part)))
                keys.append((way.name, place, number))
            if way.name == name:
                tasks.append((forest, np.flatnonzero(part)))
                keys.append((way.name, place, -1))
    boosters = dict(zip(keys, grow_all(tasks, threads=threads, progress=progress), strict=True))
    grown = {}
    for way in list(ways.values()):
        if not way.why_not:
            own = {(place, number): one for (whose, place, number), one in boosters.items() if whose == way.name}
            try:
                grown[str(way.name)] = combine(way, judged, own, groups.last_day)
            except LearnError as refusal:  # a way beside the one that ships takes nothing down
                if way.name == name:
                    raise
                ways[way.name] = way.refused(refusal.what)
    whole = [boosters[name, place, -1] for place in range(len(grown[name].way.forests))]
    return grown, shipped(grown[name], whole)


def _yardsticks(
    way: Way,
    judged: list[Judged],
    x: np.ndarray,
    who: np.ndarray,
    features: tuple[str, ...],
    categories: Mapping[str, Any],
    refit: Mapping[str, tuple[str, ...]],
    seed: int,
    threads: int,
) -> dict[str, np.ndarray]:
    """Chances of the judged rows by what the trees must beat, learned from the same rows: age and sex, logistic
    regression on every feature, and logistic regression on a published model's variables."""
    found = {name: np.full(len(x), np.nan) for name in ("age_sex", "logistic", *_refits(refit))}

    def predict(group: Judged) -> dict[str, np.ndarray]:
        rows = np.flatnonzero(group.learned_from & way.rows)
        label, weight, here = way.label[rows], way.weight[rows], group.latest
        chances = {
            "age_sex": fit_age_sex(who[rows], label, weight)(who[here]),
            "logistic": fit_logistic(x[rows], label, weight, features, categories, seed=seed)(x[here]),
        }
        for name, wanted in zip(_refits(refit), refit.values(), strict=True):
            places = [features.index(one) for one in wanted]
            few = fit_logistic(x[rows][:, places], label, weight, wanted, categories, seed=seed)
            chances[name] = few(x[here][:, places])
        return chances

    for group, chances in zip(judged, in_order(predict, [(group,) for group in judged], threads), strict=True):
        for name, chance in chances.items():
            found[name][group.latest] = chance
    return found


def _refits(refit: Mapping[str, tuple[str, ...]]) -> list[str]:
    return [f"chance_refit_{number}" for number in range(1, len(refit) + 1)]


def _aligned(matrix: pa.Table, base: pa.Table, outcomes: pa.Table) -> None:
    """The three tables must speak of the same person and day in each row."""
    for name, other in (("base", base), ("outcomes", outcomes)):
        same = other.num_rows == matrix.num_rows and all(
            other.column(key).cast(kind).combine_chunks().equals(matrix.column(key).cast(kind).combine_chunks())
            for key, kind in (("person", pa.int64()), ("index_day", pa.date32()))
        )
        if not same:
            raise LearnError(f"the rows of the matrix and of {name} are not the same people and days in the same order")


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
