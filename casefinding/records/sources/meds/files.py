"""The files of a MEDS dataset: what lies where, and each column as SQL that gives text."""

from __future__ import annotations

import datetime as dt
import json
import re
import zoneinfo
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from casefinding.errors import RecordsError
from casefinding.records.diagnose import broken
from casefinding.records.engine import Part, lit, quoted, size_and_change
from casefinding.records.extract import match_columns
from casefinding.records.meds import layout as meds

WANTED = ("subject_id", "time", "code")
NUMBERS, DAYS = ("numeric_value", "value"), ("time", "happened_time", "recorded_time")
MAYBE = ("numeric_value", "value", "text_value", "unit", "comparator", "happened_time", "recorded_time")
PRACTICE = ("practice", "name", "pcn", "place")
UNREADABLE = "not a day"
"""Stands for a time that is no day of the calendar."""
_OFFSET = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})\Z")


def shards(folder: Path) -> list[Part]:
    """The files of data/, by name; raises RecordsError if there are none, or for one that is broken."""
    if not folder.is_dir():
        raise RecordsError("no such folder", where=str(folder), hint="give the folder that holds data/ and metadata/")
    data = folder / meds.DATA
    found = sorted(path for path in data.rglob("*.parquet") if path.is_file() and not _hidden(path.relative_to(data)))
    if not found:
        raise RecordsError(
            "there is no Parquet file in data/",
            where=str(folder),
            hint="give the folder that holds data/ and metadata/",
        )
    return [look(folder, path) for path in found]


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def look(folder: Path, path: Path) -> Part:
    """One Parquet file, by its footer alone; raises RecordsError if it is empty or broken."""
    name = path.relative_to(folder).as_posix()
    try:
        seen = size_and_change(path)
        if not seen[0]:
            raise RecordsError("the file is empty", where=name, hint="export the dataset again")
        columns = tuple(pq.read_schema(path).names)
    except (pa.ArrowException, OSError, ValueError):
        raise broken(name) from None
    return Part(path.resolve(), name, "parquet", columns, seen=seen)


def rows_of(part: Part) -> int:
    """How many rows a file holds, by its footer."""
    try:
        return pq.read_metadata(part.path).num_rows
    except (pa.ArrowException, OSError):
        raise broken(part.name) from None


def cells(part: Part) -> list[str]:
    """SQL for subject, day, code, value, text, unit, comparator, happened and recorded, each as text or NULL.

    Times are cut to the day that the clock on the wall showed: in the zone that the file names, if it names one.
    Raises RecordsError for a column that is missing or of a kind that cannot be read.
    """
    schema = pq.read_schema(part.path)
    there = {name: column for name, column in match_columns(part, WANTED, MAYBE) if column is not None}
    kinds = {name: schema.field(column).type for name, column in there.items()}
    for name, kind in kinds.items():
        _check(part, name, kind.value_type if pa.types.is_dictionary(kind) else kind)
    number = next((name for name in NUMBERS if name in there), None)
    taken = {
        "subject_id": _subject(quoted(there["subject_id"])),
        "numeric_value": _number(there[number], kinds[number]) if number else "NULL::VARCHAR",
        **{name: _text(there.get(name)) for name in ("code", "text_value", "unit", "comparator")},
        **{name: _day(part, there[name], kinds[name]) if name in there else "NULL::VARCHAR" for name in DAYS},
    }
    return [f"{taken[name]} AS {alias}" for name, alias in COLUMNS.items()]


COLUMNS = {
    "subject_id": "subject", "time": "day", "code": "code", "numeric_value": "value", "text_value": "text",
    "unit": "unit", "comparator": "comparator", "happened_time": "happened", "recorded_time": "recorded",
}  # fmt: skip
"""What `cells` gives, and under which name."""


def select(part: Part, taken: Sequence[str], number: int) -> str:
    """SQL over the rows of one file: the cells, then `file` and `row`."""
    return (
        f"SELECT {', '.join(taken)}, {number}::INTEGER AS file, (file_row_number + 1)::BIGINT AS row"
        f" FROM read_parquet([{lit(str(part.path))}], file_row_number=true)"
    )


def practices(part: Part, number: int) -> str:
    """SQL over practices.parquet of our own export; raises RecordsError for a column that is missing."""
    return select(part, [f"{_text(column)} AS {name}" for name, column in match_columns(part, PRACTICE)], number)


def _check(part: Part, name: str, kind: pa.DataType) -> None:
    types = pa.types
    if types.is_null(kind):
        return
    if name == "subject_id":
        good, wanted = types.is_integer(kind), "whole numbers"
    elif name in DAYS:
        good, wanted = types.is_timestamp(kind) or types.is_date(kind), "times or days"
    elif name in NUMBERS:
        good, wanted = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind), "numbers"
    else:
        good, wanted = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind), "text"
    if not good:
        raise RecordsError(
            f"column '{name}' does not hold {wanted}", where=part.name, hint="see the schemas of MEDS 0.4"
        )


def _subject(name: str) -> str:
    """Ten digits at the least, so that the order of the texts is that of the numbers."""
    number = f"try_cast({name} AS BIGINT)"
    short = f"{number} BETWEEN 0 AND 9999999999"
    return (
        f"CASE WHEN {short} THEN 's' || right((10000000000 + {number})::VARCHAR, 10) ELSE 's' || {number}::VARCHAR END"
    )


def _text(column: str | None) -> str:
    return f"nullif(trim({quoted(column)}::VARCHAR), '')" if column else "NULL::VARCHAR"


def _number(column: str, kind: pa.DataType) -> str:
    name = quoted(column)
    # Data frames write a missing number as "not a number".
    return f"CASE WHEN NOT isnan({name}) THEN {name}::VARCHAR END" if pa.types.is_floating(kind) else f"{name}::VARCHAR"


def _day(part: Part, column: str, kind: pa.DataType) -> str:
    name = quoted(column)
    moment = name
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        offset = _OFFSET.match(kind.tz)
        if offset:
            minutes = (int(offset[2]) * 60 + int(offset[3])) * (-1 if offset[1] == "-" else 1)
            moment = f"TRY(timezone('UTC', {name}::TIMESTAMPTZ) + to_minutes({minutes}))"
        else:
            moment = f"TRY(timezone({lit(_zone(part, column, kind.tz))}, {name}::TIMESTAMPTZ))"
    return f"CASE WHEN {name} IS NOT NULL THEN coalesce(try_cast({moment} AS DATE)::VARCHAR, {lit(UNREADABLE)}) END"


def _zone(part: Part, column: str, name: str) -> str:
    try:
        return zoneinfo.ZoneInfo(name).key
    except (KeyError, OSError, ValueError):  # not in the list, or no name at all
        raise RecordsError(
            f"column '{column}' is in a time zone that is not known", where=part.name, hint="write times without a zone"
        ) from None


def descriptions(part: Part) -> Mapping[str, tuple[str | None, list[str]]]:
    """Description and parents of every code of codes.parquet; of two rows for a code, the one with more to say."""
    (code,) = (column for _, column in match_columns(part, ("code",)))
    there = dict(match_columns(part, (), ("description", "parent_codes")))
    try:
        with pq.ParquetFile(part.path) as file:
            names = [column for column in (code, *there.values()) if column]
            table = file.read(columns=names)
    except (pa.ArrowException, OSError):
        raise broken(part.name) from None
    found: dict[str, tuple[str | None, list[str]]] = {}
    nothing: list[Any] = [None] * table.num_rows
    columns = [table[name].to_pylist() if name else nothing for name in (code, *there.values())]
    for text, said, parents in zip(*columns, strict=True):
        if isinstance(text, str):
            one = (said if isinstance(said, str) and said else None, _parents(parents))
            found[text.strip()] = max(found.get(text.strip(), one), one, key=lambda pair: (pair[0] or "", pair[1]))
    return found


def _parents(said: Any) -> list[str]:
    """Parents, as a list or, as some datasets write a single one, as text."""
    if isinstance(said, str):
        return [said]
    return sorted(parent for parent in said if isinstance(parent, str)) if isinstance(said, list) else []


def about(path: Path) -> Mapping[str, Any]:
    """What dataset.json says; nothing if there is none. RecordsError if it is not JSON."""
    if not path.is_file():
        return {}
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise broken(f"{meds.METADATA}/{path.name}") from None
    return said if isinstance(said, dict) else {}


def data_through(said: Mapping[str, Any]) -> dt.date | None:
    """The last day of the records, where our own export says it."""
    of_ours = said.get(meds.ABOUT_US)
    if not isinstance(of_ours, dict):
        return None
    try:
        return dt.date.fromisoformat(str(of_ours.get("data_through")))
    except ValueError:
        return None
