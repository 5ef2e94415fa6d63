"""The units that pages for the network and the board speak of: practices, networks, alliances, Core20."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from casefinding.judge.groups import who_they_are
from casefinding.recall.lines import ORDER, Line

LEVELS = {"practice": "Practice", "network": "Network", "alliance": "Alliance", "core20": "Core20", "all": "Everybody"}
"""The levels of units with their headings."""
NOT_KNOWN = "Not known"


@dataclass(frozen=True)
class Unit:
    """One practice, network, alliance or Core20 group; `within` is the code of the unit that it is a part of."""

    level: str
    code: str
    name: str
    within: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.level, self.code


EVERYBODY = Unit("all", "all", "Everybody")


@dataclass(frozen=True)
class Units:
    """Every unit with the rows of the base table (n) that belong to it; practices come first, everybody last."""

    units: Sequence[Unit]
    rows: Mapping[tuple[str, str], np.ndarray] = field(default_factory=dict)  # mask of n a unit

    def of(self, level: str) -> list[Unit]:
        """The units of a level, in order."""
        return [unit for unit in self.units if unit.level == level]

    def sums(self) -> list[tuple[tuple[str, str], list[tuple[str, str]]]]:
        """What adds up to what: networks of practices, alliances of networks, all of alliances and of Core20 groups."""
        found = []
        for level, part in (("network", "practice"), ("alliance", "network"), ("all", "alliance")):
            for whole in self.of(level):
                parts = [unit.key for unit in self.of(part) if level == "all" or unit.within == whole.code]
                found.append((whole.key, parts))
        if self.of("core20"):
            found.append((EVERYBODY.key, [unit.key for unit in self.of("core20")]))
        return found

    def count(self, mask: np.ndarray) -> dict[tuple[str, str], int]:
        """How many rows of a mask (n) belong to each unit."""
        return {unit.key: int((self.rows[unit.key] & mask).sum()) for unit in self.units}

    def added(self, by_practice: Mapping[str, int]) -> dict[tuple[str, str], int]:
        """Counts by practice for every unit but the Core20 groups; a practice that is not named has 0."""
        found = {unit.key: int(by_practice.get(unit.code, 0)) for unit in self.of("practice")}
        for total, parts in self.sums():
            if total not in found and all(part[0] != "core20" for part in parts):
                found[total] = sum(found[part] for part in parts)
        return found


def units_of(base: pa.Table, practices: Iterable[Mapping[str, Any]]) -> Units:
    """The units of a base table; `practices`: rows with `practice`, `name`, `pcn` and `place`.

    A network lies in the alliance of its first practice; networks of one name in two alliances are told apart.
    """
    about = {row["practice"]: row for row in practices}
    codes = np.asarray(base["practice"].to_pylist(), dtype=object)
    found: dict[str, dict[str, Unit]] = {level: {} for level in LEVELS}
    for code in sorted(set(codes.tolist())):
        row = about.get(code, {})
        alliance, network = row.get("place") or NOT_KNOWN, row.get("pcn") or NOT_KNOWN
        within = f"{network} in {alliance}"
        found["practice"][code] = Unit("practice", code, row.get("name") or code, within)
        found["network"].setdefault(within, Unit("network", within, network, alliance))
        found["alliance"].setdefault(alliance, Unit("alliance", alliance, alliance, EVERYBODY.code))
    rows: dict[tuple[str, str], np.ndarray] = {}
    for unit in found["practice"].values():
        rows[unit.key] = codes == unit.code
    for level, part in (("network", "practice"), ("alliance", "network")):
        for unit in found[level].values():
            parts = [rows[one.key] for one in found[part].values() if one.within == unit.code]
            rows[unit.key] = np.logical_or.reduce(parts)
    core20 = next(grouping for grouping in who_they_are(base) if grouping.name == "core20")
    for place, name in enumerate(core20.names):
        mask = core20.of == place
        if mask.any():
            found["core20"][name] = Unit("core20", name, name[:1].upper() + name[1:])
            rows["core20", name] = mask
    rows[EVERYBODY.key] = np.ones(base.num_rows, dtype=bool)
    found["all"][EVERYBODY.code] = EVERYBODY
    ordered = [unit for level in LEVELS for unit in found[level].values()]
    return Units(ordered, rows)


def lane_masks(lines: Sequence[Line], base: pa.Table) -> dict[str, np.ndarray]:
    """For each lane which rows of the base table stand in it on a list."""
    row = {pseudonym: place for place, pseudonym in enumerate(base["pseudonym"].to_pylist())}
    found = {lane: np.zeros(base.num_rows, dtype=bool) for lane in ORDER}
    for line in lines:
        found[line.lane][row[line.pseudonym]] = True
    return found
