"""`casefinding segment`: the whole population in levels of need, by practice, network and place, in aggregates only."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from casefinding.definitions.segments import Segments
from casefinding.disclosure import rounded
from casefinding.errors import DefinitionError
from casefinding.files import check_replaceable, new_folder
from casefinding.job.edition import edition_of, facts_of
from casefinding.job.main import read_all
from casefinding.job.population import (
    Population,
    counts_of,
    population,
    sums_of_units,
)
from casefinding.job.progress import Stages
from casefinding.judge.groups import who_they_are
from casefinding.judge.rows import floats
from casefinding.report.counts import published
from casefinding.report.network import write_manifest
from casefinding.report.segment import Area, Counted, Segmented, write_segment
from casefinding.rules.segments import Sorted, sort_people

ALL = ("all", "")
NOT_KNOWN = "Not known"


def segment_people(
    config_file: Path,
    out: Path,
    *,
    records: Path | None = None,
    work: Path | None = None,
    definitions: Path | None = None,
    quiet: bool = False,
) -> None:
    """Write segment.html, segment.csv and manifest.json into `out`, whole or not at all; no person is in any of them.

    DefinitionError where the definitions hold no models/segments.yaml.
    """
    config, known = read_all(config_file, records, definitions)
    if known.segments is None:
        raise DefinitionError(
            "the definitions do not say how a population is sorted", where="models/segments.yaml",
            hint="copy the one that is shipped, and agree it locally",
        )  # fmt: skip
    check_replaceable(out)
    stages = Stages(quiet=quiet)
    people = population(config, config_file, known, (*known.segments.features, "age"), work, stages)
    with stages.stage("Sort everybody, count, withhold"):
        found = sort_people(known.segments, people.columns)
        shown = count_segments(known.segments, people, found)
    facts = {"command": "segment", **facts_of(config, people.store, known)}
    edition = edition_of(config, people.store, facts)
    with new_folder(out) as fresh, stages.stage("Write the page and the table"):
        write_segment(_segmented(known.segments, people, shown), known, edition, fresh)
        write_manifest(facts, edition, fresh)
    print(f"\nThe population: {out / 'segment.html'}\nIts table:      {out / 'segment.csv'}")


def count_segments(segments: Segments, people: Population, found: Sorted) -> Mapping[Any, int | None]:
    """(unit or group, column) -> people as they may be published; None where withheld.

    Columns: ("registered",), ("level", name), ("part", name), ("condition", name), ("risk", name), ("plus", name) with
    "core20" among them, each of these also with a level's name behind it, ("area", name), ("gap", name, label).
    Two columns that hold the same people are one cell, so that neither can be worked out from the other.
    """
    columns = _columns(segments, found)
    same: dict[bytes, Any] = {}
    alias = {column: same.setdefault(np.packbits(mask).tobytes(), column) for column, mask in columns.items()}
    masks = {column: mask for column, mask in columns.items() if alias[column] == column}
    counts: dict[Any, int] = dict(counts_of(people, masks))
    sums: list[tuple[Any, list[Any]]] = []
    for column in masks:
        sums += sums_of_units(people.units, column)
    _groups(segments, people, masks, counts, sums)
    hidden: set[Any] = set()
    for place in dict.fromkeys(key for key, _ in counts):

        def cell(column: Any, place: Any = place) -> Any:
            return place, alias[column]

        for whole, parts in _adding_up(segments):
            if all(cell(column) in counts for column in (whole, *parts)):
                sums.append((cell(whole), [cell(part) for part in parts]))
        for whole, part in _within(segments, columns):
            if alias[whole] != alias[part] and cell(whole) in counts and cell(part) in counts:
                rest = (place, ("rest", alias[whole], alias[part]))
                counts[rest] = counts[cell(whole)] - counts[cell(part)]
                hidden.add(rest)
                sums.append((cell(whole), [cell(part), rest]))
    told = published(counts, sums, hidden)
    return {
        (place, column): told[place, alias[column]]
        for place in dict.fromkeys(key for key, _ in counts)
        for column in columns
        if (place, alias[column]) in told
    }


def _columns(segments: Segments, found: Sorted) -> dict[Any, np.ndarray]:
    """Every column of the tables as a mask over the people."""
    level = {name: found.level == at for at, name in enumerate(segments.levels)}
    columns: dict[Any, np.ndarray] = {("registered",): np.ones(found.part.size, dtype=bool)}
    columns |= {("level", name): mask for name, mask in level.items()}
    columns |= {("part", name): found.part == at for at, name in enumerate(segments.part_names)}
    columns |= {("condition", name): mask for name, mask in found.conditions.items()}
    columns |= {("risk", name): mask for name, mask in found.risks.items()}
    for name, mask in {"core20": found.core20, **found.plus}.items():
        columns["plus", name] = mask
        columns |= {("plus", name, one): mask & here for one, here in level.items()}
    columns |= {("area", name): mask for name, mask in found.areas.items()}
    columns |= {("gap", *key): mask for key, mask in found.gaps.items()}
    return columns


def _adding_up(segments: Segments) -> list[tuple[Any, list[Any]]]:
    """Which columns are sums of others, at every unit and in every group."""
    found: list[tuple[Any, list[Any]]] = [(("registered",), [("level", name) for name in segments.levels])]
    found += [(("level", name), [("part", part) for part in one.parts]) for name, one in segments.levels.items()]
    for flag in ("core20", *segments.plus):
        found.append((("plus", flag), [("plus", flag, name) for name in segments.levels]))
    return found


def _within(segments: Segments, columns: Mapping[Any, np.ndarray]) -> list[tuple[Any, Any]]:
    """Which columns are parts of others whose rest is not shown."""
    alone = ("condition", "risk", "area", "plus")
    found: list[tuple[Any, Any]] = [(("registered",), one) for one in columns if one[0] in alone and len(one) == 2]
    found += [(("level", one[2]), one) for one in columns if one[0] == "plus" and len(one) == 3]
    return found + [(("area", one[1]), one) for one in columns if one[0] == "gap"]


def _groups(
    segments: Segments,
    people: Population,
    masks: Mapping[Any, np.ndarray],
    counts: dict[Any, int],
    sums: list[tuple[Any, list[Any]]],
) -> None:
    """Levels and parts by age, sex and ethnic group over everybody."""
    kept = [column for column in masks if column[0] in ("registered", "level", "part")]
    for grouping, (names, of) in groups_of(segments.age_bands, people.base).items():
        for column in kept:
            numbers = np.bincount(of[masks[column]], minlength=len(names))
            cells = [((grouping, name), column) for name in names]
            counts.update(zip(cells, (int(number) for number in numbers), strict=True))
            sums.append(((ALL, column), cells))


def groups_of(age_bands: tuple[int, ...], base: pa.Table) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """Grouping -> (names, the position of each row's group among them): age, sex and ethnic group.

    `age_bands`: the ages at which bands begin. Who has no known age, sex or ethnic group is in a group of their own.
    """
    age = floats(base["age"])
    ends = [f"{low} to {high - 1}" for low, high in pairwise(age_bands)]
    bands = (*ends, f"{age_bands[-1]} and over", NOT_KNOWN)
    band = np.searchsorted(age_bands, np.where(np.isnan(age), 0, age), side="right") - 1
    found: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
    found["age"] = (bands, np.where(np.isnan(age), len(bands) - 1, band).astype(np.int64))
    for one in who_they_are(base):
        if one.name in ("sex", "ethnicity"):
            names = tuple(NOT_KNOWN if name == "unknown" else name.capitalize() for name in one.names)
            found[one.name] = names, one.of
    return found


def _segmented(segments: Segments, people: Population, shown: Mapping[Any, int | None]) -> Segmented:
    """What the page is written from; it holds nothing but published counts."""

    def counted(section: str, where: Any = ALL) -> list[Counted]:
        flags = {"condition": segments.conditions, "risk": segments.risks, "plus": segments.plus}[section]
        return [Counted(name, flag, shown[where, (section, name)]) for name, flag in flags.items()]

    groups = {
        grouping: [(name, (grouping, name)) for name in names if shown[(grouping, name), ("registered",)] != 0]
        for grouping, (names, _) in groups_of(segments.age_bands, people.base).items()
    }
    areas = [
        Area(
            name, area, None if area.when is None else shown[ALL, ("area", name)],
            [(label, clause, shown[ALL, ("gap", name, label)]) for label, clause in area.gaps.items()],
            known=area.when is not None,
        )
        for name, area in segments.areas.items()
    ]  # fmt: skip
    return Segmented(
        segments=segments,
        units=[(unit.kind, unit.code, unit.name) for unit in people.units],
        groups=groups,
        shown=shown,
        conditions=counted("condition"),
        risks=counted("risk"),
        plus=[Counted("core20", segments.core20, shown[ALL, ("plus", "core20")]), *counted("plus")],
        areas=areas,
        not_used=rounded(people.not_used),
    )
