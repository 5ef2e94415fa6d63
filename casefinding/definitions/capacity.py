"""What practices and networks can do in a month, in tests and not in people, and how fairly it is shared out."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from casefinding.definitions.basics import Shape
from casefinding.definitions.complaints import did_you_mean
from casefinding.errors import ConfigError

Count = Annotated[int, Field(ge=0, strict=True)]
Share = Annotated[float, Field(ge=0, le=1)]
_NUMBER = re.compile(r"[0-9]{1,9}\Z")


class Pool(Shape):
    """What a network has in a month, shared by its practices, by kind of capacity (see models/visits.yaml)."""

    a_month: dict[str, Count] = Field(default_factory=dict)  # a kind that is not stated: none
    never_measured_share: Share = 0.2  # of each test's places, kept for people never measured


class Capacity(Pool):
    """What one practice has in a month.

    `expected_attendance`: an invitation uses so much of a place. 1 promises a place to everybody who is invited;
    published uptake is 11% to 53%, so a practice may state less and invite more people than it has places.
    """

    expected_attendance: float = Field(default=1.0, gt=0, le=1)


class CapacityLine(Shape):
    """One line of a capacity file: of a practice or of a network."""

    practice: str = ""
    network: str = ""
    kind: str
    a_month: Count
    line: int


class Capacities(Shape):
    """The capacity section of a config.

    A practice has what `practices` says of it, instead of `every_practice`; with a `file` (CSV beside the config:
    practice or network, kind, a month) the numbers of every practice and network that it names come from there.
    """

    every_practice: Capacity = Capacity()
    practices: dict[str, Capacity] = Field(default_factory=dict)
    networks: dict[str, Pool] = Field(default_factory=dict)  # by the name in the practices' column "pcn"
    file: str | None = None
    lines: tuple[CapacityLine, ...] = ()  # what the file says; filled in when the config is read

    def of(self, practice: str) -> Capacity:
        """What one practice has."""
        stated = self.practices.get(practice, self.every_practice)
        numbers = self._in_file.get(("practice", practice))
        return stated if numbers is None else stated.model_copy(update={"a_month": numbers})

    def of_network(self, network: str) -> Pool:
        """What one network has beside its practices; nothing where nothing is stated."""
        stated = self.networks.get(network, Pool())
        numbers = self._in_file.get(("network", network))
        return stated if numbers is None else stated.model_copy(update={"a_month": numbers})

    @property
    def _in_file(self) -> Mapping[tuple[str, str], dict[str, int]]:
        found: dict[tuple[str, str], dict[str, int]] = {}
        for one in self.lines:
            owner = ("practice", one.practice) if one.practice else ("network", one.network)
            found.setdefault(owner, {})[one.kind] = one.a_month
        return found

    def check(self, kinds: Collection[str], practices: Collection[str], networks: Collection[str]) -> None:
        """ConfigError for the first practice, network or kind that is not known; with file and line if it has one."""
        for where, owner, name, kind in self._named():
            known = practices if owner == "practice" else networks
            if name and name not in known:
                there = sorted(known)
                raise ConfigError(
                    f"unknown {owner} {name}",
                    where=where,
                    hint=did_you_mean(name, there)
                    or f"the records hold {', '.join(there[:10]) or 'none'}{' ...' if len(there) > 10 else ''}",
                )
            if kind and kind not in kinds:
                hint = did_you_mean(kind, kinds) or f"there are: {', '.join(sorted(kinds))}"
                raise ConfigError(f"capacity for '{kind}', which no visit uses", where=where, hint=hint)

    def _named(self) -> Iterator[tuple[str, str, str, str]]:
        """Where, "practice" or "network", its name, a kind: everything that is stated."""
        for kind in self.every_practice.a_month:
            yield "capacity", "practice", "", kind
        for owner, stated in (("practice", self.practices), ("network", self.networks)):
            for name, capacity in stated.items():
                yield "capacity", owner, name, ""
                for kind in capacity.a_month:
                    yield "capacity", owner, name, kind
        for one in self.lines:
            where = f"{Path(self.file or '').name}:{one.line}"
            yield where, "practice" if one.practice else "network", one.practice or one.network, one.kind


class Equity(Shape):
    """How fairly invitations are shared out.

    Of each group's expected undiagnosed at least `floor` times as large a share is listed as of everybody's; for the
    most deprived fifth and each ethnic group with so many people registered in the network. 0: no floor.
    """

    floor: Share = 0.8
    group_of_at_least: int = Field(default=500, ge=1)


COLUMNS = ("practice", "network", "kind", "a month")


def read_capacity_file(path: Path) -> tuple[CapacityLine, ...]:
    """The lines of a capacity file; ConfigError with file and line for the first thing that is wrong.

    A CSV in UTF-8 with the columns practice and/or network (one of them filled in a row), kind, a month.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as problem:
        raise ConfigError(
            f"the capacity file cannot be read: {(problem.strerror or 'unknown reason').lower()}", where=path.name
        ) from None
    except UnicodeDecodeError:
        raise ConfigError("is not UTF-8 text", where=path.name, hint="save it as CSV UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as problem:
        raise ConfigError(f"is no CSV: {problem}", where=f"{path.name}:{reader.line_num}") from None
    rows = [(number, row) for number, row in rows if any(row)]
    header = rows[0][1] if rows else []
    missing = [name for name in ("kind", "a month") if name not in header]
    strange = [name for name in header if name not in COLUMNS or header.count(name) > 1]
    if missing or strange or not {"practice", "network"} & set(header):
        said = f"unknown or repeated column {strange[0]!r}" if strange else "a column is missing"
        raise ConfigError(said, where=f"{path.name}:1", hint=f"columns, with commas between: {', '.join(COLUMNS)}")
    if len(rows) == 1:
        raise ConfigError("holds a header and no rows", where=path.name, hint="without a file: take out 'file'")
    found: dict[tuple[str, str, str], CapacityLine] = {}
    for number, row in rows[1:]:
        one = _line(header, row, number, path.name)
        key = (one.practice, one.network, one.kind)
        if key in found:
            raise ConfigError(
                f"{one.kind!r} of {one.practice or one.network} stands twice",
                where=f"{path.name}:{number}",
                hint=f"the first is on line {found[key].line}",
            )
        found[key] = one
    return tuple(found.values())


def _line(header: list[str], row: list[str], number: int, file: str) -> CapacityLine:
    where = f"{file}:{number}"
    if len(row) != len(header):
        raise ConfigError(f"has {len(row)} cells, the header {len(header)}", where=where)
    cell = {"practice": "", "network": "", **dict(zip(header, row, strict=True))}
    if bool(cell["practice"]) == bool(cell["network"]):
        raise ConfigError("names a practice or a network, one of them", where=where, hint="leave the other empty")
    if not cell["kind"]:
        raise ConfigError("'kind' is empty", where=where)
    if not _NUMBER.match(cell["a month"]):
        raise ConfigError("'a month' must be a whole number from 0 to 999999999", where=where, hint="digits only")
    return CapacityLine(
        practice=cell["practice"], network=cell["network"], kind=cell["kind"], a_month=int(cell["a month"]), line=number
    )
