"""`casefinding first`: people ranked by stacked unmet need, by the weighting that the config declares and no other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from casefinding.definitions.complaints import did_you_mean
from casefinding.definitions.config import Config
from casefinding.definitions.first import First
from casefinding.definitions.shapes import Definitions, LeaveOut, features_in
from casefinding.errors import ConfigError, RecordsError, UsageError
from casefinding.files import check_replaceable, new_folder, sha256_of
from casefinding.job.edition import edition_of, facts_of
from casefinding.job.main import read_all
from casefinding.job.population import (
    Population,
    counts_of,
    population,
    sums_of_units,
)
from casefinding.job.progress import Stages
from casefinding.job.segment import ALL, groups_of
from casefinding.judge.rows import floats
from casefinding.records.store import Store
from casefinding.report.counts import published
from casefinding.report.first import FirstPeople, Reached, write_first
from casefinding.report.network import write_manifest
from casefinding.rules.evaluate import evaluate
from casefinding.rules.need import Stacked, rank, stack

AGE_BANDS = (0, 18, 40, 65, 80)
MOST_POINTS = 12
"""Points from here on are one row of the table of points."""


def first_people(
    config_file: Path,
    out: Path,
    *,
    run: Path | None = None,
    records: Path | None = None,
    work: Path | None = None,
    definitions: Path | None = None,
    quiet: bool = False,
) -> None:
    """Write first.html, first.csv, manifest.json (aggregates) and practices/ (people, for their practice alone).

    `run` is a finished run of the same records and index day, for needs that read chances. ConfigError for a weighting
    that is not declared, or names what does not exist; UsageError or RecordsError for a run that does not fit.
    """
    config, known = read_all(config_file, records, definitions)
    first = _declared(config, config_file, known)
    if first.chances_of and run is None:
        raise ConfigError(
            f"the weighting reads chances of {', '.join(first.chances_of)}", where=f"{config_file.name}: first",
            hint="name a finished run of the same records with --run OUT",
        )  # fmt: skip
    check_replaceable(out)
    stages = Stages(quiet=quiet)
    names = [*first.features, *_features_of(known.leave_outs), *_core20(known)]
    people = population(config, config_file, known, names, work, stages)
    pseudonym = people.store.people_table()["pseudonym"].take(people.base["person"]).to_pylist()
    chances, made_by = {}, {}
    if run is not None and first.chances_of:
        with stages.stage("Read the chances of the run"):
            made_by = _fitting(run, people.store, config)
            chances = chances_of(run, first.chances_of, pseudonym)
    with stages.stage("Stack the needs, rank, count, withhold"):
        stacked = stack(first, people.columns, chances, people.rows)
        may, left_out = _may(first, known, people)
        order = rank(stacked, may, pseudonym, first.people)
        shown = count_first(first, known, people, stacked, may, order)
    facts = {"command": "first", **facts_of(config, people.store, known), "run": made_by}
    edition = edition_of(config, people.store, facts)
    found = FirstPeople(
        first=first,
        units=[(unit.kind, unit.code, unit.name) for unit in people.units],
        groups=_groups_of(known, people),
        shown=shown,
        most_points=MOST_POINTS,
        left_out=left_out,
        run=str(made_by.get("list", "")),
    )
    with new_folder(out) as fresh, stages.stage("Write the page, the table and the lists"):
        write_first(found, _reached(first, known, people, stacked, order, pseudonym), known, edition, fresh)
        write_manifest(facts, edition, fresh)
    print(
        f"\nAggregates: {out / 'first.html'}, {out / 'first.csv'}\n"
        f"People:     {out / 'practices'}  (one folder each, for that practice alone)"
    )


def chances_of(run: Path, conditions: Sequence[str], pseudonym: Sequence[str]) -> dict[str, np.ndarray]:
    """Condition -> the chance of each person of `pseudonym` in a run's scores.parquet; NaN where there is none.

    RecordsError if the file cannot be read, ConfigError for a condition that the run did not score.
    """
    path = run / "scores.parquet"
    try:
        table = pq.read_table(path, columns=["pseudonym", "condition", "chance"])
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError):
        raise RecordsError("the scores of the run cannot be read", where=str(path), hint="make the run again") from None
    there = table["condition"].unique().to_pylist()
    found = {}
    for condition in conditions:
        if condition not in there:
            raise ConfigError(
                f"the run did not score '{condition}'", where=str(path), hint=f"it scored {', '.join(sorted(there))}"
            )
        here = np.asarray(table["condition"].to_pylist(), dtype=object) == condition
        mine = table.filter(pa.array(here))
        chance = dict(zip(mine["pseudonym"].to_pylist(), floats(mine["chance"]).tolist(), strict=True))
        found[condition] = np.array([chance.get(one, np.nan) for one in pseudonym], dtype=np.float64)
    return found


def count_first(
    first: First, known: Definitions, people: Population, stacked: Stacked, may: np.ndarray, order: np.ndarray
) -> Mapping[Any, int | None]:
    """(unit or group, column) -> people as they may be published; None where withheld.

    Columns: ("registered",), ("considered",) who may be ranked at all, ("in need",) with a point or more, ("first",)
    among those ranked, ("need", name) and ("first", name) who has a need, ("points", n) and ("first points", n).
    """
    ranked = np.zeros(people.rows, dtype=bool)
    ranked[order] = True
    points = np.minimum(stacked.points, MOST_POINTS)
    columns: dict[Any, np.ndarray] = {
        ("registered",): np.ones(people.rows, dtype=bool),
        ("considered",): may,
        ("in need",): may & (points > 0),
        ("first",): ranked,
    }
    for name, held in stacked.held.items():
        columns["need", name] = may & held
        columns["first", name] = ranked & held
    kept = list(columns)
    for number in range(MOST_POINTS + 1):
        columns["points", number] = may & (points == number)
        columns["first points", number] = ranked & (points == number)
    same: dict[bytes, Any] = {}
    alias = {column: same.setdefault(np.packbits(mask).tobytes(), column) for column, mask in columns.items()}
    masks = {column: mask for column, mask in columns.items() if alias[column] == column}
    everywhere = {column: mask for column, mask in masks.items() if column in kept}
    counts: dict[Any, int] = dict(counts_of(people, everywhere))
    sums: list[tuple[Any, list[Any]]] = []
    for column in everywhere:
        sums += sums_of_units(people.units, column)
    for grouping, (names, of) in _groupings(known, people).items():
        for column, mask in everywhere.items():
            numbers = np.bincount(of[mask], minlength=len(names))
            cells = [((grouping, name), column) for name in names]
            counts.update(zip(cells, (int(number) for number in numbers), strict=True))
            sums.append(((ALL, column), cells))
    for column, mask in masks.items():
        counts[ALL, column] = int(mask.sum())
    hidden: set[Any] = set()
    within = [(("registered",), ("considered",)), (("considered",), ("in need",)), (("in need",), ("first",))]
    within += [(("in need",), ("need", name)) for name in stacked.held]
    within += [(("first",), ("first", name)) for name in stacked.held]
    within += [(("need", name), ("first", name)) for name in stacked.held]
    within += [(("points", number), ("first points", number)) for number in range(MOST_POINTS + 1)]
    for place in dict.fromkeys(key for key, _ in counts):
        for whole, part in within:
            large, small = (place, alias[whole]), (place, alias[part])
            if large != small and large in counts and small in counts:
                rest = (place, ("rest", alias[whole], alias[part]))
                counts[rest] = counts[large] - counts[small]
                hidden.add(rest)
                sums.append((large, [small, rest]))
    for whole, part in ((("considered",), "points"), (("first",), "first points")):
        cells = [(ALL, alias[part, number]) for number in range(MOST_POINTS + 1)]
        sums.append(((ALL, alias[whole]), list(dict.fromkeys(cells))))
    told = published(counts, sums, hidden)
    return {
        (place, column): told[place, alias[column]]
        for place in dict.fromkeys(key for key, _ in counts)
        for column in columns
        if (place, alias[column]) in told
    }


def _declared(config: Config, config_file: Path, known: Definitions) -> First:
    """The weighting of the config, held to what the definitions hold."""
    where = f"{config_file.name}: first"
    if config.first is None:
        raise ConfigError(
            "the config declares no weighting of unmet need", where=where,
            hint="add a section 'first'; see docs/how-to/plan-for-a-population.md",
        )  # fmt: skip
    for name, need in config.first.weighting.items():
        for feature in features_in(need.when):
            if feature not in known.features:
                raise ConfigError(
                    f"there is no feature called '{feature}'", where=f"{where}.weighting.{name}",
                    hint=did_you_mean(feature, known.features),
                )  # fmt: skip
        if need.chance_of is not None and need.chance_of not in known.models:
            raise ConfigError(
                f"no model is named '{need.chance_of}'", where=f"{where}.weighting.{name}",
                hint=f"there are: {', '.join(sorted(known.models))}",
            )  # fmt: skip
    states = [rule.name for rule in known.leave_outs]
    for name in config.first.leave_out:
        if name not in states:
            raise ConfigError(
                f"no leave-out is named '{name}'", where=f"{where}.leave out",
                hint=did_you_mean(name, states) or f"there are: {', '.join(states)}",
            )  # fmt: skip
    return config.first


def _fitting(run: Path, store: Store, config: Config) -> dict[str, Any]:
    """What a finished run was, refused unless it is of the same records and the same index day."""
    path = run / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        digest, day, files = manifest["records"]["digest"], manifest["index day"], manifest["files"]
    except FileNotFoundError:
        raise UsageError("there is no finished run here", where=str(run), hint="name the --out of a run") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError("the manifest of the run cannot be read", where=str(path), hint="make the run again") from None
    if digest != store.digest:
        raise UsageError("the run is of other records", where=str(run), hint="make it again from these records")
    if day != config.index_day.isoformat():
        raise UsageError(
            f"the run is of {day}, not of {config.index_day}", where=str(run), hint="make it again for this index day"
        )
    scores = run / "scores.parquet"
    if not scores.is_file() or sha256_of(scores) != files.get("scores.parquet"):
        raise RecordsError("the scores of the run are missing or were changed", where=str(scores), hint="run it again")
    return {"list": manifest["list"], "scores": files["scores.parquet"]}


def _may(first: First, known: Definitions, people: Population) -> tuple[np.ndarray, list[str]]:
    """Who may be ranked (old enough, no leave-out of the config), and in words who may not."""
    age = floats(people.base["age"])
    with np.errstate(invalid="ignore"):
        may = age >= first.age_at_least  # an unknown age compares false
    said = [f"Younger than {first.age_at_least}, or of unknown age"] if first.age_at_least else ["Of unknown age"]
    for rule in known.leave_outs:
        if rule.name in first.leave_out:
            may &= ~evaluate(rule.when, people.columns)
            said.append(rule.label)
    return may, said


def _features_of(rules: Sequence[LeaveOut]) -> list[str]:
    return [name for rule in rules for name in features_in(rule.when)]


def _core20(known: Definitions) -> list[str]:
    return list(features_in(known.segments.core20.when)) if known.segments is not None else []


def _groupings(known: Definitions, people: Population) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """Age, sex, ethnic group, and Core20 where the definitions say what that is."""
    bands = known.segments.age_bands if known.segments is not None else AGE_BANDS
    found = groups_of(bands, people.base)
    if known.segments is not None:
        core20 = evaluate(known.segments.core20.when, people.columns)
        found["core20"] = (known.segments.core20.label, "Everybody else, or not known"), (~core20).astype(np.int64)
    return found


def _groups_of(known: Definitions, people: Population) -> dict[str, list[tuple[str, Any]]]:
    return {
        grouping: [(name, (grouping, name)) for at, name in enumerate(names) if (of == at).any()]
        for grouping, (names, of) in _groupings(known, people).items()
    }


def _reached(
    first: First, known: Definitions, people: Population, stacked: Stacked, order: np.ndarray, pseudonym: Sequence[str]
) -> dict[str, list[Reached]]:
    """Practice -> its people among the first, in order; for that practice alone."""
    said = [rule for rule in known.leave_outs if rule.note and not rule.only_for]
    notes = [(rule.note, evaluate(rule.when, people.columns)) for rule in said]
    rows = people.base.select(["practice", "birth_month", "sex"]).take(pa.array(order, pa.int64())).to_pylist()
    found: dict[str, list[Reached]] = {code: [] for code in sorted(people.base["practice"].unique().to_pylist())}
    for place, (row, about) in enumerate(zip(map(int, order), rows, strict=True), start=1):
        needs = [(need.label, need.points) for name, need in first.weighting.items() if stacked.held[name][row]]
        born = about["birth_month"].year if about["birth_month"] is not None else None
        found[about["practice"]].append(
            Reached(
                place=place,
                pseudonym=pseudonym[row],
                born=born,
                sex=about["sex"],
                points=int(stacked.points[row]),
                needs=needs,
                notes=[note for note, held in notes if held[row]],
            )
        )
    return found
