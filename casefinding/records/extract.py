"""An extract: the files of a source, and how each table of the native layout is drawn from them."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from casefinding.errors import RecordsError
from casefinding.records.engine import ENDINGS, Engine, Part


@dataclass(frozen=True)
class Extract:
    """What a source found: its files, and a function that gives SQL for each table of the native layout.

    Every SELECT yields the layout's columns as text (NULL where empty), then `file` (position in `parts`) and `row`.
    `last_day` gives SQL for one text, the last day that the extract speaks of; with neither it nor `data_through`,
    that day is taken from the rows. `notes` are sentences on what this layout cannot say; `told` gives further ones,
    which only the rows can tell, once the tables are there.
    """

    kind: str
    parts: tuple[Part, ...]
    tables: Callable[[Engine], Mapping[str, str]]
    data_through: dt.date | None = None
    last_day: Callable[[Engine], str] | None = None
    notes: tuple[str, ...] = field(default=())
    told: Callable[[Engine], Sequence[str]] | None = None


def find_parts(folder: Path, table: str) -> list[Part]:
    """The files of one table: TABLE.csv, TABLE.csv.gz or TABLE.parquet, or a folder TABLE/ of such parts.

    Raises RecordsError if there are two of them, or an empty folder.
    """
    single = [folder / f"{table}{ending}" for ending in ENDINGS if (folder / f"{table}{ending}").is_file()]
    many = folder / table
    if len(single) + many.is_dir() > 1:
        raise RecordsError(
            f"the table '{table}' is there more than once", where=str(folder), hint="leave one file, or one folder"
        )
    if many.is_dir():
        files = sorted(path for path in many.rglob("*") if path.is_file() and not path.name.startswith((".", "_")))
        strange = [path for path in files if not path.name.endswith(ENDINGS)]
        if strange or not files:
            what = f"holds '{strange[0].name}', which is neither CSV nor Parquet" if strange else "is empty"
            raise RecordsError(f"the folder of '{table}' {what}", where=str(many), hint=f"use {', '.join(ENDINGS)}")
        single = files
    return [Part.look(path.resolve(), path.relative_to(folder).as_posix()) for path in single]


def missing_table(folder: Path, table: str) -> RecordsError:
    """The error for a table that is not there."""
    if not folder.is_dir():
        return RecordsError("no such folder", where=str(folder), hint="give the folder that holds the extract's files")
    near = difflib.get_close_matches(table, [path.name.split(".")[0] for path in folder.iterdir()], n=1, cutoff=0.7)
    guess = f"did you mean '{near[0]}'? " if near else ""
    return RecordsError(
        f"the table '{table}' is missing",
        where=str(folder),
        hint=f"{guess}expected {table}.csv, {table}.csv.gz, {table}.parquet or a folder {table}/",
    )


def match_columns(part: Part, wanted: Sequence[str], maybe: Sequence[str] = ()) -> list[tuple[str, str | None]]:
    """Pair each wanted column with the header's own spelling (case and outer blanks do not matter).

    Columns of `maybe` are paired with None where the header lacks them.
    Raises RecordsError for a column that is missing or given twice.
    """
    found: dict[str, str] = {}
    for column in part.columns:
        key = column.strip().lower()
        if key in found and key in {name.lower() for name in wanted}:
            raise RecordsError(f"the column '{key}' is there twice", where=part.name, hint="rename one of them")
        found.setdefault(key, column)
    pairs: list[tuple[str, str | None]] = [(name, found.get(name.lower())) for name in maybe]
    for name in wanted:
        if name.lower() not in found:
            near = difflib.get_close_matches(name.lower(), list(found), n=1, cutoff=0.6)
            guess = f"did you mean '{near[0]}'? " if near else ""
            raise RecordsError(
                f"the column '{name}' is missing",
                where=part.name,
                hint=f"{guess}the header must name {', '.join(wanted)}; cells without a value stay empty",
            )
        pairs.append((name, found[name.lower()]))
    return pairs


def read_all(
    engine: Engine, parts: Sequence[Part], wanted: Sequence[str], start: int, maybe: Sequence[str] = ()
) -> str:
    """SQL over all files of a table; `start` is the position of the first of them in the extract."""
    reads = [engine.read(part, match_columns(part, wanted, maybe), start + i) for i, part in enumerate(parts)]
    return " UNION ALL ".join(reads)
