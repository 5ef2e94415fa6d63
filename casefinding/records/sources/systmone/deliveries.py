"""Deliveries of a SystmOne extract: which files are there, which delivery each belongs to, and which came first.

A delivery is a folder of SR*.csv files. Its SRManifest.csv names each table, whether it is a full table or only what
changed (IsDelta: Y or N), and the stretch of time it covers (DateExtractFrom, DateExtractTo as yyyyMMdd_HHmm): facts
from endeavourhealth/SFTPReader and the public tests of ISL.TPP. Dates as in the tables and TRUE or FALSE are read too.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from casefinding.errors import RecordsError
from casefinding.records.diagnose import open_bytes
from casefinding.records.engine import ENDINGS, Part
from casefinding.records.extract import missing_table

ENCODING = "cp1252"
MANIFEST = "SRManifest"
_DATED = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])"
    r"(?:[T_ .-]?([01]\d|2[0-3])[.:_-]?([0-5]\d)(?:[.:_-]?([0-5]\d))?)?(?!\d)"
)
_MOMENT = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[_ T]?(\d\d):?(\d\d)(?::?(\d\d))?)?")
_SPELLED = re.compile(r"(\d{1,2}) ([A-Za-z]{3}) (\d{4})(?: (\d{1,2}):(\d\d)(?::(\d\d))?)?")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True)
class File:
    """One file of the extract: its part, its table, the place of its delivery in time (0 = first, the same number for
    what came at one time), and whether it holds the whole table as it then was."""

    part: Part
    table: str
    place: int
    full: bool = False


@dataclass
class Delivery:
    """A folder of files: what its manifest says, and the moment it was drawn, as text that sorts, or ""."""

    paths: list[Path]
    drawn: str = ""
    since: str = ""
    full: frozenset[str] = frozenset()
    listed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Found:
    """The files of an extract, the last day that all their manifests speak of, and what should be said of them."""

    files: tuple[File, ...]
    data_through: dt.date | None = None
    notes: tuple[str, ...] = field(default=())


def find_files(root: Path, tables: Sequence[str]) -> Found:
    """Look at the files of all deliveries in a folder and the folders in it, the earliest delivery first.

    `tables`: names that are known; a file's own spelling of them does not matter.
    Raises RecordsError for an empty or packed folder, a table that is twice in one delivery, a file that cannot be
    read.
    """
    if not root.is_dir():
        raise missing_table(root, "SRPatient")
    spelled = {name.lower(): name for name in tables}
    folders: dict[str, Delivery] = {}
    strange = 0
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        here = path.relative_to(root)
        if any(piece.startswith((".", "_")) for piece in here.parts) or not path.name.endswith(ENDINGS):
            continue
        if path.name[:2].upper() != "SR":
            strange += 1
            continue
        folders.setdefault(here.parent.as_posix(), Delivery([])).paths.append(path)
    if not folders:
        if any(path.suffix.lower() == ".zip" for path in root.rglob("*")):
            raise RecordsError("the extract is still packed", where=str(root), hint="unpack the zip file first")
        raise missing_table(root, "SRPatient")
    for delivery in folders.values():
        _read_manifest(root, delivery)
    moments = _moments(folders)
    order = {moment: place for place, moment in enumerate(sorted(set(moments.values())))}
    files: list[File] = []
    for folder, delivery in sorted(folders.items(), key=lambda item: (moments[item[0]], item[0])):
        seen: set[str] = set()
        for path in delivery.paths:
            name = _table(path)
            table = spelled.get(name.lower(), name)
            if table in seen:
                raise RecordsError(
                    f"the table '{table}' is there more than once", where=folder, hint="leave one file of each table"
                )
            seen.add(table)
            part = Part.look(path.resolve(), path.relative_to(root).as_posix(), _encoding(path))
            files.append(File(part, table, order[moments[folder]], name.lower() in delivery.full))
    notes = list(_gaps(folders))
    if strange:
        notes.append(f"{strange:,} CSV or Parquet file(s) are no tables of SystmOne (SR...) and were not read.")
    return Found(tuple(files), _through(folders), tuple(notes))


def _table(path: Path) -> str:
    return path.name.split(".")[0]


def _encoding(path: Path) -> str:
    """SystmOne writes Cp1252; a file that was saved again may begin with the mark of UTF-8."""
    try:
        with open_bytes(path) as handle:
            return "utf-8" if handle.read(3) == b"\xef\xbb\xbf" else ENCODING
    except (OSError, EOFError):
        return ENCODING  # looking at the part says what is wrong


def _read_manifest(root: Path, delivery: Delivery) -> None:
    """Take from SRManifest, if it is there and can be read, what each table is and when the delivery was drawn."""
    path = next((path for path in delivery.paths if _table(path).lower() == MANIFEST.lower()), None)
    if path is None or path.name.endswith(".parquet"):
        return
    part = Part.look(path.resolve(), path.relative_to(root).as_posix(), _encoding(path))
    with open_bytes(path) as handle:
        text = handle.read().decode("utf-8-sig" if part.encoding == "utf-8" else part.encoding, "replace")
    lines = csv.reader(io.StringIO(text, newline=""))
    header = [name.strip().lower() for name in next(lines, [])]
    rows = [dict(zip(header, (cell.strip() for cell in line), strict=False)) for line in lines]
    names = [row.get("filename", "").split(".")[0].lower() for row in rows]
    whole = [row.get("isdelta", "").upper() in ("N", "NO", "FALSE", "0") for row in rows]
    delivery.listed = frozenset(name for name in names if re.fullmatch(r"sr[a-z0-9]+", name))
    delivery.full = frozenset(name for name, full in zip(names, whole, strict=True) if full)
    delivery.drawn = max((_moment(row.get("dateextractto", "")) for row in rows), default="")
    delivery.since = min((m for row in rows if (m := _moment(row.get("dateextractfrom", "")))), default="")


def _moment(text: str) -> str:
    """A date of a manifest as 14 digits, or "".

    >>> _moment("20240131_1707"), _moment("31 Jan 2024 17:07:00"), _moment("soon")
    ('20240131170700', '20240131170700', '')
    """
    if found := _MOMENT.fullmatch(text):
        return "".join(piece or "00" for piece in found.groups())
    if (found := _SPELLED.fullmatch(text)) and found[2].lower() in _MONTHS:
        month = [name == found[2].lower() for name in _MONTHS].index(True) + 1
        return f"{found[3]}{month:02d}" + "".join((found[i] or "").zfill(2) for i in (1, 4, 5, 6))
    return ""


def _moments(folders: Mapping[str, Delivery]) -> dict[str, str]:
    """When each delivery was drawn: by the manifests if all say so, else by the dates in the names of the folders.

    If neither is known, all share one moment; that is refused only if they contradict each other (`latest.settle`).
    """
    if len(folders) == 1:
        return dict.fromkeys(folders, "")
    drawn = {name: delivery.drawn for name, delivery in folders.items()}
    if all(drawn.values()):
        return drawn
    named = {name: _named(name) for name in folders}
    return named if all(named.values()) else dict.fromkeys(folders, "")


def _named(folder: str) -> str:
    """The last date in a folder's path as 14 digits, or "".

    >>> _named("2024-01-31"), _named("E99001/20240131_1707/Split"), _named("January")
    ('20240131000000', '20240131170700', '')
    """
    found = [match for piece in folder.split("/") for match in _DATED.finditer(piece)]
    return "".join(piece or "00" for piece in found[-1].groups()) if found else ""


def _through(folders: Mapping[str, Delivery]) -> dt.date | None:
    """The last day of the latest delivery, if every delivery says how far it reaches."""
    drawn = [delivery.drawn for delivery in folders.values()]
    try:
        return dt.datetime.strptime(max(drawn)[:8], "%Y%m%d").date() if all(drawn) else None
    except ValueError:
        return None


def _gaps(folders: Mapping[str, Delivery]) -> list[str]:
    """Sentences on tables that a manifest lists and that are not there, and on stretches of time without delivery."""
    notes: list[str] = []
    missing = {name for one in folders.values() for name in one.listed - {_table(path).lower() for path in one.paths}}
    if missing:
        notes.append(f"SRManifest lists tables that are not in their folder: {', '.join(sorted(missing))}.")
    ends = sorted(one.drawn for one in folders.values() if one.drawn)
    for one in sorted(folders.values(), key=lambda one: one.since):
        before = [end for end in ends if end < one.drawn]
        if one.since and before and max(before) < one.since:
            last, first = (f"{text[:4]}-{text[4:6]}-{text[6:8]}" for text in (max(before), one.since))
            notes.append(f"Between {last} and {first} a delivery seems to be missing: what changed then is not here.")
    return notes
