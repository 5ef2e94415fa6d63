"""The files of an identifiable extract: which of them are tables that go out, and their rows, one at a time."""

from __future__ import annotations

import csv
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from casefinding.errors import RecordsError, UsageError
from casefinding.nhs_number import holds_one
from casefinding.records.diagnose import broken, open_bytes
from casefinding.records.pseudonyms.columns import ALLOWED, ENCODING, Table
from casefinding.records.pseudonyms.treatments import day_of

CSV = (".csv", ".csv.gz")
_EMIS = re.compile(r"([0-9]+)(?:-[0-9]+)?_([A-Za-z]+_[A-Za-z]+)_([0-9]{14})_[0-9A-Za-z{}-]+")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9_ ()/-]{0,59}")
csv.field_size_limit(10_000_000)  # free text may be long; it is not copied, but it is read


@dataclass(frozen=True)
class Source:
    """One file of a table that goes out: where it is, its name in the folder, and its table."""

    path: Path
    name: str
    table: Table
    encoding: str
    header: tuple[str, ...]
    ends: str  # of its lines
    order: tuple = field(default=())

    def at(self, column: str) -> int | None:
        """The position of a column by its name (case and outer blanks do not matter), None if it is not there."""
        wanted = column.lower()
        return next((place for place, name in enumerate(self.header) if name.strip().lower() == wanted), None)

    def needed(self, column: str) -> int:
        """The position of a column without which nobody can tell whose rows these are; RecordsError if it is lost."""
        place = self.at(column)
        if place is None:
            raise RecordsError(f"the column '{column}' is missing", where=self.name, hint="export the table again")
        return place

    def rows(self) -> Iterator[list[str]]:
        """Every row after the header, its cells without outer blanks; RecordsError says the file and the row."""
        for number, cells in enumerate(_rows(self.path, self.name, self.encoding)):
            if not number or not cells:
                continue
            if len(cells) != len(self.header):
                raise RecordsError(
                    f"a row has {len(cells)} columns where the header has {len(self.header)}",
                    where=f"{self.name}, row {number}",
                    hint="export the table again; nothing has been written",
                )
            yield [*map(str.strip, cells)]


@dataclass(frozen=True)
class Folder:
    """What a folder holds: the files that go out, address or location files that are only looked at, and the rest."""

    kind: str
    sources: tuple[Source, ...]
    looked_at: tuple[Source, ...]
    left: tuple[str, ...]
    marks: dict[Path, tuple[int, int]]

    def of(self, table: str) -> list[Source]:
        """The files of one table, in the order in which they were made."""
        return [source for source in (*self.sources, *self.looked_at) if source.table.name.lower() == table.lower()]

    def check_unchanged(self) -> None:
        """RecordsError if a file changed since it was first looked at."""
        for path, mark in self.marks.items():
            if mark_of(path) != mark:
                raise RecordsError(
                    "a file changed while it was read", where=path.name, hint="wait until the extract has arrived whole"
                )


LOOKED_AT = {
    "emis": (),
    "systmone": (Table("SRPatientAddressHistory", {}, ("idpatient",)),),
    "native": (),
    "omop": (Table("location", {}, ()),),
}
"""Tables that are read for the small area of a home and do not go out."""


def mark_of(path: Path) -> tuple[int, int]:
    """Size and time of change of a file."""
    try:
        about = path.stat()
    except OSError:
        raise broken(path.name) from None
    return about.st_size, about.st_mtime_ns


def look(kind: str, folder: Path) -> Folder:
    """Look at the headers of an extract's files; tables that are not in the allow-list are left, and named.

    Raises RecordsError for an empty or broken file, Parquet, a name that holds an NHS number, and if there is no table
    of people; UsageError for a folder that is not there or holds pseudonyms already.
    """
    if not folder.is_dir():
        raise UsageError("no such folder", where=str(folder), hint="give the folder that holds the extract's files")
    sources: list[Source] = []
    looked_at: list[Source] = []
    left: list[str] = []
    extra = {table.name.lower(): table for table in LOOKED_AT[kind]}
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")):
        name = path.relative_to(folder).as_posix()
        if holds_one(name) or holds_one(name.replace("_", " ")):
            raise RecordsError("the name of a file holds an NHS number", where=str(folder), hint="rename the file")
        said, order = _table_of(kind, path, name)
        table = ALLOWED[kind].get(said.lower()) or extra.get(said.lower())
        if table is None or not path.name.lower().endswith(CSV):
            if table is not None and path.name.lower().endswith(".parquet"):
                raise RecordsError("pseudonyms are made of CSV only", where=name, hint="export the table as CSV")
            left.append(said if _is_table_name(kind, said) else "")
            continue
        header, ends = _header(path, name, ENCODING[kind])
        source = Source(path, name, table, ENCODING[kind], header, ends, order)
        (sources if said.lower() in ALLOWED[kind] else looked_at).append(source)
    drawn = _drawn(sources)
    sources = [replace(one, order=(*one.order[:1], drawn.get(one.path.parent, ""), *one.order[1:])) for one in sources]
    sources.sort(key=lambda one: (one.table.name, one.order))
    marks = {one.path: mark_of(one.path) for one in (*sources, *looked_at)}
    return Folder(kind, tuple(sources), tuple(looked_at), tuple(left), marks)


def _table_of(kind: str, path: Path, name: str) -> tuple[str, tuple]:
    """The table that a file's name says, and where the file stands in the order of its table's files."""
    stem = path.name.split(".")[0]
    if kind == "emis":
        found = _EMIS.fullmatch(stem)
        return (found.group(2), (int(found.group(1)), found.group(3), name)) if found else (stem, (0, "", name))
    parent = name.split("/")[0]
    inside = kind != "systmone" and "/" in name and parent.lower() in ALLOWED[kind]  # event/2023.csv
    return parent if inside else stem, (0, "", name)


def _drawn(sources: list[Source]) -> dict[Path, str]:
    """Folder of a SystmOne delivery -> the day on which it was drawn, as its SRManifest says."""
    days: dict[Path, str] = {}
    for source in sources:
        place = source.at("DateExtractTo")
        if source.table.name == "SRManifest" and place is not None:
            days[source.path.parent] = max((day_of(cells[place]) for cells in source.rows()), default="")
    return days


def _is_table_name(kind: str, said: str) -> bool:
    form = {"emis": r"[A-Z][A-Za-z]+_[A-Z][A-Za-z]+", "systmone": r"SR[A-Za-z0-9]+"}.get(kind, r"[a-z]+_[a-z_]+")
    return re.fullmatch(form, said) is not None and len(said) <= 60 and not re.search(r"[0-9]{3}", said)


def _header(path: Path, name: str, encoding: str) -> tuple[tuple[str, ...], str]:
    """The names of the columns, and how lines end; a name that no export writes is replaced by its position."""
    header = next(_rows(path, name, encoding), None)
    if not header:
        raise RecordsError("the file is empty", where=name, hint="export the table again, with its header")
    with open_bytes(path) as handle:
        ends = "\r\n" if handle.readline(1_000_000).endswith(b"\r\n") else "\n"
    seen: set[str] = set()
    for column in header:
        key = column.strip().lower()
        if key and key in seen:
            raise RecordsError("a column is there twice", where=name, hint="export the table again")
        seen.add(key)
    named = [
        column.strip() if _HEADER.fullmatch(column.strip()) and not holds_one(column) else f"column {place}"
        for place, column in enumerate(header, start=1)
    ]
    return tuple(named), ends


def _rows(path: Path, name: str, encoding: str) -> Iterator[list[str]]:
    number = 0
    try:
        with open_bytes(path) as handle:
            # Bytes that an encoding leaves undefined are in free text, if anywhere: they must not stop the practice.
            codec = "utf-8-sig" if encoding == "utf-8" else encoding
            text = io.TextIOWrapper(handle, encoding=codec, errors="replace", newline="")
            for cells in csv.reader(text, strict=True):
                number += 1
                yield cells
    except csv.Error:
        raise RecordsError(
            "a quote is opened and not closed, or text stands beside a closed quote",
            where=f"{name}, row {number}",
            hint="export the table again; nothing has been written",
        ) from None
    except (EOFError, zlib.error, OSError):
        raise broken(name) from None
