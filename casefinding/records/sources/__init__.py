"""Sources: how particular layouts are drawn into the native one, and `ingest`, which brings any of them in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from casefinding.errors import UsageError
from casefinding.records.store import Store

KINDS = ("native", "synthea")


def ingest(
    kind: str,
    path: Path | str,
    store: Path | str,
    *,
    shard_people: int = 20_000,
    data_through: dt.date | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Store:
    """Bring an extract of one kind into a store, whole or not at all.

    `kind` is one of KINDS; `path` the folder of its files; `data_through` the last day that it speaks of, if neither
    its `extract` table nor its dates should say. `progress` is called with (done, out of).
    The same rows give the same bytes, whatever their order or their files.
    Raises RecordsError (what, where, hint) for an extract that cannot be read, WriteError if the disk is full.
    """
    # Imported here, so that a list of kinds costs no DuckDB.
    if kind == "native":
        from casefinding.records.sources.native import find
    elif kind == "synthea":
        from casefinding.records.sources.synthea import find
    else:
        raise UsageError(f"no such kind of extract: '{kind}'", hint=f"choose one of {', '.join(KINDS)}")
    from casefinding.records.bringing_in import bring_in

    return bring_in(
        find(Path(path)), Path(store), shard_people=shard_people, data_through=data_through, progress=progress
    )
