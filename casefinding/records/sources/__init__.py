"""Sources: how particular layouts are drawn into the native one, and `ingest`, which brings any of them in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from casefinding.errors import UsageError
from casefinding.records.store import Store

KINDS = ("native", "emis", "systmone", "omop", "fhir", "meds", "synthea")
MARKED = frozenset({"emis", "systmone", "fhir"})
"""Kinds whose rows may be marked confidential."""


def ingest(
    kind: str,
    path: Path | str,
    store: Path | str,
    *,
    shard_people: int = 20_000,
    data_through: dt.date | None = None,
    at_practice: bool = False,
    direct_care: bool = False,
    areas: Sequence[Path | str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Store:
    """Bring an extract of one kind into a store, whole or not at all.

    `kind` is one of KINDS; `path` the folder of its files (omop: also a database); `data_through` the last day that it
    speaks of, if neither its `extract` table nor its dates should say. `at_practice`: rows marked confidential come in
    too, as the practice itself may see them. `direct_care`: people may have opted out of leaving the practice, as that
    does not count for their own care, nor `at_practice`. `areas`: files of measures by LSOA or practice, each with its
    declaration beside it (docs/how-to/area-measures.md). `progress` is called with (done, out of).
    The same rows give the same bytes, whatever their order or their files.
    Raises RecordsError (what, where, hint) for an extract that cannot be read, WriteError if the disk is full.
    """
    if kind not in KINDS:
        raise UsageError(f"no such kind of extract: '{kind}'", hint=f"choose one of {', '.join(KINDS)}")
    # Imported here, so that a list of kinds costs no DuckDB.
    from casefinding.records.areas import look
    from casefinding.records.bringing_in import bring_in
    from casefinding.records.identifiers import AT_THE_PRACTICE, DIRECT_CARE, SECONDARY_USE, refuse_another_flow

    find = import_module(f"casefinding.records.sources.{kind}").find
    flow = AT_THE_PRACTICE if at_practice else DIRECT_CARE if direct_care else SECONDARY_USE
    marked = {"at_practice": at_practice} if kind in MARKED else {}
    # What is no folder (an address of a database) is handed on as it was written.
    found = find(path if "://" in str(path) else Path(path), **marked)
    return bring_in(
        found,
        Path(store),
        shard_people=shard_people,
        data_through=data_through,
        area_files=look(areas),
        flow=flow,
        pseudonymised={} if "://" in str(path) else refuse_another_flow(Path(path), flow),
        progress=progress,
    )
