"""What the commands for planning share: who is registered on the index day, their features, where they belong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from casefinding.cohort.eligible import registered
from casefinding.definitions.config import Config
from casefinding.definitions.shapes import Definitions, features_in
from casefinding.errors import CohortError
from casefinding.job.asking import only_practices
from casefinding.job.main import fits, home_of
from casefinding.job.progress import Stages
from casefinding.job.records import prepare
from casefinding.records.store import Store
from casefinding.rules.evaluate import evaluate
from casefinding.signals.matrix import build_matrix

NOT_NAMED = "not named in the records"


KINDS = ("all", "place", "pcn", "practice")


@dataclass(frozen=True)
class Unit:
    """A practice, a network of practices, a place, or all of them."""

    kind: str  # one of KINDS
    code: str
    name: str
    practices: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from every other unit."""
        return self.kind, self.code


@dataclass(frozen=True)
class Population:
    """Everybody alive and registered on the index day whose data may be used, and the features that were asked for."""

    store: Store
    base: pa.Table
    columns: Mapping[str, np.ndarray]
    units: Sequence[Unit]
    not_used: int  # registered, but their data may not be used at all (a leave-out that drops from everything)

    @property
    def rows(self) -> int:
        return self.base.num_rows


def population(
    config: Config, config_file: Path, known: Definitions, features: Iterable[str], work: Path | None, stages: Stages
) -> Population:
    """Read (or make) the store as training does, and ask the features of everybody registered on the index day.

    Raises CohortError if nobody is registered on that day or the records do not reach it, ConfigError for a practice
    that the records do not hold.
    """
    prepared = prepare(config, work or home_of(Path("out") / config_file.stem), stages, reuse=True)
    store = prepared.store
    fits(config, store, known)
    barred = [rule.when for rule in known.leave_outs if "everything" in rule.drop_from]
    names = list(dict.fromkeys([*features, *(name for clause in barred for name in features_in(clause))]))
    with stages.stage("Index day: who is registered"):
        base = only_practices(registered(store, [config.index_day]), config)
        if base.num_rows == 0:
            raise CohortError(f"nobody is registered with these practices on {config.index_day}", where="practices")
    with stages.stage("Index day: features") as tick:
        matrix = build_matrix(store, known, names, base, threads=config.training.threads, progress=tick)
        columns = {name: matrix[name].to_numpy() for name in names}
    used = np.ones(base.num_rows, dtype=bool)
    for clause in barred:
        used &= ~evaluate(clause, columns)
    columns = {name: values[used] for name, values in columns.items()}
    base = base.filter(pa.array(used))
    return Population(store, base, columns, _units(store, base), int((~used).sum()))


def sums_of_units(units: Sequence[Unit], column: Any) -> list[tuple[Any, list[Any]]]:
    """How the counts of one column add up from unit to unit: (whole, parts), keys being (unit's key, column)."""
    of_kind = {kind: [unit for unit in units if unit.kind == kind] for kind in KINDS}
    found = []
    for at, kind in enumerate(of_kind):
        for whole in of_kind[kind]:
            for smaller in list(of_kind)[at + 1 :]:
                parts = [unit for unit in of_kind[smaller] if set(unit.practices) <= set(whole.practices)]
                if sum(len(unit.practices) for unit in parts) == len(whole.practices):
                    found.append(((whole.key, column), [(unit.key, column) for unit in parts]))
    return found


def counts_of(population: Population, columns: Mapping[Any, np.ndarray]) -> dict[tuple[Any, Any], int]:
    """(unit's key, column) -> how many people, exactly; `columns`: column -> bool, one a row."""
    codes = sorted({code for unit in population.units for code in unit.practices})
    practice = population.base["practice"].to_numpy(zero_copy_only=False)
    position = np.searchsorted(np.array(codes, dtype=object), practice)
    members = {unit.key: np.isin(codes, unit.practices) for unit in population.units}
    found = {}
    for column, mask in columns.items():
        by_practice = np.bincount(position[mask], minlength=len(codes))
        for unit, mine in members.items():
            found[unit, column] = int(by_practice[mine].sum())
    return found


def _units(store: Store, base: pa.Table) -> list[Unit]:
    """All, then each place with its networks and their practices; only practices with anybody registered."""
    about = {row["practice"]: row for row in store.practices().to_pylist()}
    here = sorted(base["practice"].unique().to_pylist(), key=lambda one: (about[one]["place"], about[one]["pcn"], one))
    found = [Unit("all", "", "Everybody", tuple(here))]
    places = dict.fromkeys(about[code]["place"] for code in here)
    for place in places:
        within = tuple(code for code in here if about[code]["place"] == place)
        if any(places):  # records without places have no level of places
            found.append(Unit("place", place, place or NOT_NAMED, within))
        networks = dict.fromkeys(about[code]["pcn"] for code in within)
        for network in networks:
            mine = tuple(code for code in within if about[code]["pcn"] == network)
            if any(networks):
                found.append(Unit("pcn", f"{place} / {network}", network or NOT_NAMED, mine))
            found += [Unit("practice", code, about[code]["name"] or code, (code,)) for code in mine]
    return found
