"""The native layout (docs/how-to/native-layout.md): what a data manager fills."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet as pq

from casefinding.errors import RecordsError
from casefinding.records.engine import Engine, Part
from casefinding.records.extract import Extract, find_parts, match_columns, missing_table, read_all
from casefinding.records.layout import EXTRACT, LAYOUTS


def find(folder: Path) -> Extract:
    """Look at the files of a native extract; raises RecordsError for a missing table, column or an empty file."""
    parts: list[Part] = []
    spans: dict[str, tuple[int, int]] = {}
    for layout in LAYOUTS:
        if layout is EXTRACT:
            continue
        found = find_parts(folder, layout.name)
        if not found:
            if layout.needed:
                raise missing_table(folder, layout.name)
            continue
        for part in found:
            match_columns(part, layout.names)
        spans[layout.name] = (len(parts), len(parts) + len(found))
        parts.extend(found)
    about = find_parts(folder, EXTRACT.name)
    through, kind = _about(about[0]) if about else (None, "")

    def tables(engine: Engine) -> Mapping[str, str]:
        return {
            layout.name: read_all(
                engine, parts[slice(*spans[layout.name])], layout.names, spans[layout.name][0], layout.maybe
            )
            for layout in LAYOUTS
            if layout.name in spans
        }

    return Extract(kind=kind or "native", parts=tuple(parts), tables=tables, data_through=through)


def _about(part: Part) -> tuple[dt.date | None, str]:
    """The one row of `extract`; a file with a header alone says nothing."""
    through_column = match_columns(part, ("data_through",))[0][1] or ""
    kind_column = next((column for column in part.columns if column.strip().lower() == "kind"), "")
    if part.form == "parquet":
        cells = pq.read_table(part.path).to_pylist()
        rows = [{name: "" if cell is None else str(cell) for name, cell in row.items()} for row in cells]
    else:
        opened = gzip.open if part.path.name.endswith(".gz") else open
        with opened(part.path, "rt", encoding="utf-8-sig", newline="") as handle:
            lines = [cells for cells in csv.reader(handle) if any(cells)]
        rows = [dict(zip(part.columns, cells, strict=False)) for cells in lines[1:]]
    if not rows:
        return None, ""
    if len(rows) > 1:
        raise RecordsError("the table 'extract' holds more than one row", where=part.name, hint="leave one")
    through = rows[0].get(through_column, "").strip()[:10]
    kind = rows[0].get(kind_column, "").strip()
    if not through:
        return None, kind
    try:
        return dt.date.fromisoformat(through), kind
    except ValueError:
        raise RecordsError(
            "'data_through' is not a day", where=part.name, hint="write it as YYYY-MM-DD, or leave it empty"
        ) from None
