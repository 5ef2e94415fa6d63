"""The study of the undiagnosed: do lists find the truly ill whom nobody has coded, and those who seldom come?

Made-up populations whose true disease is known, under several regimes of attendance and from several seeds; every way
of learning, the yardsticks and the rules write lists of 5% of the eligible of each practice. A world that was studied
with the same definitions and code is not studied again, so a study that was stopped goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from casefinding.cohort.eligible import register_status, registered, states_of
from casefinding.definitions.config import Config
from casefinding.definitions.find import definitions_folder
from casefinding.definitions.lock import lock_sha256
from casefinding.definitions.read import read_config, read_definitions
from casefinding.definitions.shapes import Definitions
from casefinding.errors import LearnError, UsageError
from casefinding.files import canonical_json, check_replaceable, new_folder, write_text
from casefinding.job.asking import ask, only_practices
from casefinding.job.progress import Stages
from casefinding.job.training import judged
from casefinding.judge.truth import Truth
from casefinding.records.store import Store

BOOTSTRAP = 20
"""Resamples inside one world; the study's own intervals come from seed to seed."""
WAYS = ("coded", "verified", "verified_weighted", "graded", "rules", "age_sex", "logistic")
"""Whose lists are compared, by the judge's names."""


@dataclass(frozen=True)
class World:
    """One population to study."""

    regime: str
    seed: int
    people: int
    practices: int

    @property
    def name(self) -> str:
        return f"{self.regime.replace(' ', '-')}-{self.seed}"


def study_undiagnosed(
    out: Path,
    *,
    people: int,
    practices: int,
    seeds: int,
    regimes: Sequence[str],
    conditions: Sequence[str] = (),
    synthea: Path | None = None,
    definitions: Path | None = None,
    quiet: bool = False,
) -> None:
    """Study every regime from `seeds` seeds and write figures.csv, study.json and index.html to `out`.

    `synthea`: a folder of Synthea people with truth.csv.gz, made by a simulator that is not ours; studied once.
    """
    from casefinding.report.study import write_study
    from casefinding.synthetic.network import REGIMES

    known = read_definitions(definitions_folder(definitions))
    conditions = tuple(conditions) or tuple(known.models)
    for wanted, there, word in ((conditions, known.models, "model"), (regimes, REGIMES, "regime")):
        for name in wanted:
            if name not in there:
                raise UsageError(f"there is no {word} called '{name}'", hint=f"there are: {', '.join(there)}")
    check_replaceable(out)
    stages = Stages(quiet=quiet)
    worlds = [World(regime, seed, people, practices) for regime in regimes for seed in range(1, seeds + 1)]
    figures: list[dict[str, Any]] = []
    for world in worlds:
        figures += _studied(world, conditions, known, out.with_name(f"{out.name}-worlds"), stages)
    foreign = _synthea(synthea, known, stages) if synthea is not None else []
    summary = {
        "people": people, "practices": practices, "seeds": seeds, "regimes": list(regimes),
        "definitions": lock_sha256(known), "compared": compared(figures), "synthea": foreign,
    }  # fmt: skip
    with new_folder(out) as fresh:
        write_text(fresh / "figures.csv", _csv(figures))
        write_text(fresh / "study.json", canonical_json(summary))
        write_study(fresh, summary, {name: known.models[name].label for name in conditions})
    print(f"{out / 'index.html'}")


def _studied(
    world: World, conditions: Sequence[str], known: Definitions, kept: Path, stages: Stages
) -> list[dict[str, Any]]:
    """One world's figures, made now or kept from before."""
    file = kept / f"{world.name}.json"
    made_from = {
        "world": vars(world), "conditions": list(conditions), "definitions": lock_sha256(known), "code": _code(),
        "bootstrap": BOOTSTRAP,
    }  # fmt: skip
    if file.exists():
        earlier = json.loads(file.read_text(encoding="utf-8"))
        if earlier["made from"] == made_from:
            return earlier["figures"]
    from casefinding.records.sources import ingest
    from casefinding.synthetic.simulate import simulate

    config = _config(world.seed, conditions)
    figures = []
    with tempfile.TemporaryDirectory(prefix="casefinding-study-") as home:
        place = Path(home)
        with stages.stage(f"{world.name}: simulate and bring in"):
            simulate(world.people, world.practices, world.seed, place / "extract", place / "truth", regime=world.regime)
            store = ingest("native", place / "extract", place / "store")
        truth = Truth.read(place / "truth" / "truth.parquet")
        for condition in conditions:
            with stages.stage(f"{world.name}: {known.models[condition].label}"):
                try:
                    found = list(_figures(condition, known, store, config, truth))
                except LearnError as refusal:
                    stages.say(f"  {refusal}")
                    continue
                own = {"regime": world.regime, "seed": world.seed, "condition": condition}
                figures += [{**own, **figure} for figure in found]
    write_text(file, json.dumps({"made from": made_from, "figures": figures}))
    return figures


@cache
def _code() -> str:
    """The digest of the package: figures made by other code are not these."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        digest.update(file.relative_to(package).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()


def _figures(
    condition: str, known: Definitions, store: Store, config: Config, truth: Truth
) -> Iterator[dict[str, Any]]:
    """Every figure of one condition in one world: what, group, way, value."""
    from casefinding.learn.fit import train

    asked = ask(condition, known, store, config, Stages(quiet=True), {})
    trained = train(
        condition, known, asked.matrix, asked.base, asked.after, config, evidence=asked.evidence, usable=asked.usable,
        design=asked.design,
    )  # fmt: skip
    judgement = judged(condition, known, trained.out_of_fold, asked, store, config, truth)
    ways = judgement.ways or {}
    table = ways.get("truth") or {}
    if not table or table["too_few"]:
        return
    yield {"what": "ill", "group": "all", "way": "", "value": table["ill"]}
    for way, entry in table["ways"].items():
        yield {"what": "sensitivity", "group": "all", "way": way, "value": entry["share"]["value"]}
    for way, entry in table["auroc"].items():
        yield {"what": "auroc", "group": "all", "way": way, "value": entry["value"]}
    for grouping, groups in table["groups"].items():
        for place in groups:
            for way, entry in (place.get("ways") or {}).items():
                group = f"{grouping}: {place['group']}"
                yield {"what": "sensitivity", "group": group, "way": way, "value": entry["share"]["value"]}
    low = table["low_contact"]
    for way, entry in ((low or {}).get("ways") or {}).items():
        yield {"what": "sensitivity", "group": "lowest fifth of contact", "way": way, "value": entry["share"]["value"]}
    for grouping, by_way in table["fairness"].items():
        for way, entry in by_way.items():
            if way != "shipped_minus_coded":
                yield {"what": "fairness", "group": grouping, "way": way, "value": entry["ratio"]["value"]}
    for rate, entry in table["calibration"]["overall"].items():
        yield {"what": rate, "group": "all", "way": ways["shipped"], "value": entry["value"]}
    for rate, value in _anchored(condition, known, store, config, trained.out_of_fold, truth).items():
        yield {"what": rate, "group": "all", "way": "anchored", "value": value}


def _anchored(
    condition: str, known: Definitions, store: Store, config: Config, out_of_fold: pa.Table, truth: Truth
) -> dict[str, float]:
    """Calibration against the truth once the chances are anchored to published prevalence."""
    from casefinding.judge.calibration import log_odds
    from casefinding.judge.flexible import Flexible
    from casefinding.learn.anchor import anchor
    from casefinding.learn.calibrate import sigmoid

    expected = known.models[condition].expected
    if expected is None:
        return {}
    day = max(out_of_fold["index_day"].to_pylist())
    base = only_practices(registered(store, [day]), config)
    status = states_of(register_status(store, known, condition, base))
    person, judged_odds = out_of_fold["person"].to_numpy(), log_odds(out_of_fold["chance"].to_numpy())
    odds = np.full(base.num_rows, np.nan)
    odds[np.searchsorted(base["person"].to_numpy(), person)] = judged_odds
    held = anchor(expected, base, status == "on register", odds, apply=True)
    moved = sigmoid(judged_odds + held.shift)
    days = np.full(len(person), np.datetime64(day, "D"))
    ill = truth.about(condition, person, days, store.people_table()).ill
    found = {"observed_expected": float(ill.sum() / moved.sum()), "shift": held.shift, "held": float(held.held)}
    flexible = Flexible.of(ill, moved)
    if flexible is not None and flexible.values["ici"] is not None:
        found["ici"] = flexible.values["ici"]
    return found


def compared(figures: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Figures over the seeds: mean with a 95% interval (Student's t), and the paired difference from coded."""
    by: dict[tuple[str, ...], dict[int, float]] = {}
    for one in figures:
        if one["value"] is not None:
            key = (one["condition"], one["regime"], one["what"], one["group"], one["way"])
            by.setdefault(key, {})[one["seed"]] = float(one["value"])
    rows = []
    for (condition, regime, what, group, way), values in by.items():
        entry: dict[str, Any] = {
            "condition": condition, "regime": regime, "what": what, "group": group, "way": way,
            **interval(list(values.values())),
        }  # fmt: skip
        coded = by.get((condition, regime, what, group, "coded"), {})
        both = sorted(values.keys() & coded.keys())
        if way != "coded" and both:
            entry["minus coded"] = interval([values[seed] - coded[seed] for seed in both])
        rows.append(entry)
    return rows


def interval(values: Sequence[float]) -> dict[str, Any]:
    """Mean, 95% interval (Student's t over seeds; None from a single one) and the number of values.

    >>> interval([0.2, 0.4])
    {'value': 0.3, 'low': -0.9706, 'high': 1.5706, 'seeds': 2}
    """
    from scipy.stats import t

    mean, number = float(np.mean(values)), len(values)
    half = float(t.ppf(0.975, number - 1) * np.std(values, ddof=1) / math.sqrt(number)) if number > 1 else None
    return {
        "value": round(mean, 4),
        "low": None if half is None else round(mean - half, 4),
        "high": None if half is None else round(mean + half, 4),
        "seeds": number,
    }


def _config(seed: int, conditions: Sequence[str]) -> Config:
    return Config.model_validate(
        {
            "network": {"name": "A study"}, "index_day": "2026-10-01", "conditions": list(conditions),
            "records": {"path": "simulated"}, "bootstrap": BOOTSTRAP, "seed": seed,
        }
    )  # fmt: skip


def _synthea(folder: Path, known: Definitions, stages: Stages) -> list[dict[str, Any]]:
    """The same figures on people of another simulator, whose truth is a table beside them."""
    from casefinding.records.sources import ingest

    config = read_config(definitions_folder(None) / "configs" / "synthea.yaml")
    config = config.model_copy(update={"bootstrap": BOOTSTRAP})
    figures: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="casefinding-study-") as home:
        with stages.stage("Synthea people: bring in"):
            store = ingest("synthea", folder, Path(home) / "store")
        truth = Truth.of_attributes(folder / "truth.csv.gz")
        for condition in truth.conditions:
            if condition not in known.models:
                continue
            with stages.stage(f"Synthea people: {known.models[condition].label}"):
                try:
                    found = list(_figures(condition, known, store, config, truth))
                except LearnError as refusal:
                    figures.append({"condition": condition, "why not": str(refusal)})
                    continue
            figures += [{"condition": condition, **figure} for figure in found]
    return figures


def _csv(figures: Sequence[dict[str, Any]]) -> str:
    names = ("regime", "seed", "condition", "what", "group", "way", "value")
    lines = [",".join(names)]
    lines += [",".join("" if one[name] is None else str(one[name]) for name in names) for one in figures]
    return "\n".join(lines) + "\n"
