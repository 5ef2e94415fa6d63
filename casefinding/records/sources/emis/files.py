"""Files of an EMIS Web extract: what their names say, and which was made before which.

A name has five parts: {processing id, or first-last}_{schema}_{table}_{yyyyMMddHHmmss}_{sharing agreement}.csv (facts
from endeavourhealth/EmisExtractValidator).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from casefinding.errors import RecordsError
from casefinding.records.engine import ENDINGS, Part

EXAMPLE = "291-295_Admin_Patient_20240131233000_8B7F2C1E-5D34-4C7A-9F60-2E1D0C9B8A77.csv"
_NAME = re.compile(r"([0-9]{1,18})(?:-([0-9]{1,18}))?_([A-Za-z]+_[A-Za-z]+)_([0-9]{14})_([0-9A-Za-z{}-]+)")
_PACKED = (".zip", ".7z", ".gpg", ".pgp", ".asc", ".tar", ".tgz")


@dataclass(frozen=True, order=True)
class Place:
    """Where a file stands in the order of processing: first and last processing id, and the time in its name."""

    first: int
    last: int
    stamp: str


@dataclass(frozen=True)
class File:
    """One file of the extract: its part, its table, and its place in the order of processing."""

    part: Part
    table: str
    place: Place


def find_files(root: Path, tables: Sequence[str]) -> list[File]:
    """Look at the files of an extract in a folder and the folders in it, by name.

    `tables`: names that are known; a file's own spelling of them does not matter.
    Raises RecordsError for a folder that is not there, empty or packed, a name that is not of five parts, and a file
    that cannot be read.
    """
    if not root.is_dir():
        raise RecordsError("no such folder", where=str(root), hint="give the folder that holds the extract's files")
    spelled = {name.lower(): name for name in tables}
    files: list[File] = []
    packed = False
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        name = path.relative_to(root).as_posix()
        if any(piece.startswith((".", "_")) for piece in name.split("/")):
            continue
        packed = packed or path.suffix.lower() in _PACKED
        ending = next((ending for ending in ENDINGS if path.name.endswith(ending)), "")
        if ending:
            table, place = _read_name(path.name.removesuffix(ending), name)
            files.append(File(Part.look(path.resolve(), name), spelled.get(table.lower(), table), place))
    if not files:
        what, hint = ("is still packed", "unpack and decrypt it first") if packed else ("holds no CSV files", "")
        raise RecordsError(f"the folder {what}", where=str(root), hint=hint or f"files are named like {EXAMPLE}")
    return files


def _read_name(stem: str, name: str) -> tuple[str, Place]:
    """The table and the place that a file's name says.

    >>> _read_name("7_Coding_DrugCode_20240131233000_ab-12", "")
    ('Coding_DrugCode', Place(first=7, last=7, stamp='20240131233000'))
    """
    found = _NAME.fullmatch(stem)
    try:
        if not found:
            raise ValueError
        first, last, table, stamp, _agreement = found.groups()
        dt.datetime.strptime(stamp, "%Y%m%d%H%M%S")
        place = Place(int(first), int(last or first), stamp)
        if place.last < place.first:
            raise ValueError
    except ValueError:
        raise RecordsError(
            "the name of a file does not say which table it holds and when it was made",
            where=name,
            hint=f"keep the names that EMIS gave ({EXAMPLE}), or move other files out of the folder",
        ) from None
    return table, place


def missing(root: Path, table: str, why: str = "") -> RecordsError:
    """The error for a table of which there is no file."""
    return RecordsError(
        f"the table '{table}' is missing{why}",
        where=str(root),
        hint=f"expected a file named like {EXAMPLE.replace('Admin_Patient', table)}",
    )


def day_of_stamp(files: Sequence[File]) -> dt.date:
    """The day in the latest of the files' names."""
    return dt.datetime.strptime(max(file.place.stamp for file in files)[:8], "%Y%m%d").date()


def late_notes(files: Mapping[str, Sequence[File]], through: dt.date) -> list[str]:
    """Sentences on tables whose last file was made on an earlier day than the extract's last."""
    notes = []
    for table, mine in sorted(files.items()):
        last = day_of_stamp(mine)
        if last < through:
            notes.append(
                f"The last file of {table} is of {last.isoformat()}, earlier than the extract's last "
                f"({through.isoformat()}): what changed in between is not here."
            )
    return notes
