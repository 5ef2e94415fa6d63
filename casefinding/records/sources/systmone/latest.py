"""The latest state of every row of a table: later deliveries replace and remove rows of earlier ones.

A row is known by RowIdentifier within IDOrganisationVisibleTo: where several organisations may see one entry, an
extract holds it once for each of them, and each of them may lose sight of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from casefinding.errors import RecordsError
from casefinding.records.engine import Engine, lit, quoted
from casefinding.records.extract import match_columns
from casefinding.records.reasons import Left
from casefinding.records.sources.systmone.deliveries import File

KEY = ("IDOrganisationVisibleTo", "RemovedData")
"""Columns that say whose row it is and whether it was removed; some tables and versions lack them."""


def settle(engine: Engine, table: str, files: Sequence[tuple[int, File]], columns: Sequence[str]) -> list[str]:
    """Make `{table}_all` (every row) and `{table}_now` (rows that still hold, with their `place` in time).

    `files`: (number of the part, file); `columns`: what to read, RowIdentifier first. Memory does not grow with the
    table: rows that may come twice are found by a hash of their identifier, and only those are looked at closely.
    Returns SELECTs of (reason, file, row) for the rows that no longer hold.
    Raises RecordsError if two deliveries contradict each other and nothing says which came first.
    """
    every, still, now, gone, twice = (f"{table}_{word}" for word in ("all", "still", "now", "gone", "twice"))
    names = [name for name in columns if name not in KEY]
    reads = []
    for number, file in files:
        there = {column.lower() for column in file.part.columns}
        wanted = [names[0]]
        maybe = [name for name in (*names[1:], *KEY)]
        pairs = match_columns(file.part, wanted, [name for name in maybe if name.lower() in there])
        pairs = [*pairs, *((name, None) for name in maybe if name.lower() not in there)]
        known = dict(pairs)
        ordered = [(name, known[name]) for name in (*names, *KEY)]
        reads.append(f"SELECT *, {file.place} AS place FROM ({engine.read(file.part, ordered, number)})")
    engine.run(f"CREATE VIEW {every} AS {' UNION ALL '.join(reads)}")
    left = _superseded(engine, table, files, every, still)
    removable = any("removeddata" in map(str.lower, file.part.columns) for _, file in files)
    engine.run(
        f"""CREATE TABLE {twice} AS SELECT hash(RowIdentifier) AS h FROM {still} WHERE RowIdentifier IS NOT NULL
            GROUP BY h HAVING count(*) > 1"""
    )
    ((again,),) = engine.rows(f"SELECT count(*) FROM {twice}")
    engine.run(f"CREATE TABLE {gone} (reason VARCHAR, file INTEGER, row BIGINT)")
    if again:
        _settle_twice(engine, table, files, names)
    if removable:
        engine.run(
            f"""INSERT INTO {gone} SELECT {lit(Left.NEVER_SEEN)}, file, row FROM {still}
                WHERE is_yes(RemovedData) AND (RowIdentifier IS NULL OR hash(RowIdentifier) NOT IN (FROM {twice}))"""
        )
    ((out,),) = engine.rows(f"SELECT count(*) FROM {gone}")
    engine.run(f"CREATE VIEW {now} AS SELECT * FROM {still} {f'ANTI JOIN {gone} USING (file, row)' if out else ''}")
    return [*left, f"SELECT reason, file, row FROM {gone}"]


def _superseded(engine: Engine, table: str, files: Sequence[tuple[int, File]], every: str, still: str) -> list[str]:
    """Make `still`: `every` without what came before a full table, for the organisations that this one speaks of."""
    first = min(file.place for _, file in files)
    full = [
        number
        for number, file in files
        if file.full and file.place > first and "idorganisationvisibleto" in map(str.lower, file.part.columns)
    ]
    if not full:
        engine.run(f"CREATE VIEW {still} AS FROM {every}")
        return []
    engine.run(
        f"""CREATE TABLE {table}_anew AS SELECT IDOrganisationVisibleTo AS whose, max(place) AS since FROM {every}
            WHERE file IN ({", ".join(map(str, full))}) AND IDOrganisationVisibleTo IS NOT NULL GROUP BY whose"""
    )
    joined = f"FROM {every} AS e LEFT JOIN {table}_anew AS a ON a.whose = e.IDOrganisationVisibleTo"
    engine.run(f"CREATE VIEW {still} AS SELECT e.* {joined} WHERE since IS NULL OR place >= since")
    return [f"SELECT {lit(Left.REPLACED)} AS reason, file, row {joined} WHERE place < since"]


def _settle_twice(engine: Engine, table: str, files: Sequence[tuple[int, File]], names: Sequence[str]) -> None:
    """Settle rows whose identifier comes more than once: which is the latest, which were replaced or removed.

    Within one file the later row wins, as for everybody who applies the rows one by one; deliveries of one moment must
    agree. Between organisations the owner's row stands for the others, else the content decides, never the order.
    """
    content = ", ".join(quoted(name) for name in names)
    owner = "IDOrganisation" if "IDOrganisation" in names else "NULL"
    engine.run(
        f"""CREATE TABLE {table}_close AS SELECT RowIdentifier AS id, IDOrganisationVisibleTo AS whose,
            is_yes(RemovedData) AS removed, place, file, row, hash({content}, is_yes(RemovedData)) AS content,
            coalesce(IDOrganisationVisibleTo = {owner}, false) AS own
        FROM {table}_still SEMI JOIN {table}_twice ON hash(RowIdentifier) = h"""
    )
    _refuse_contradictions(engine, table, files)
    engine.run(
        f"""INSERT INTO {table}_gone
        WITH ranked AS (
            SELECT *, row_number() OVER latest AS nth, first(removed) OVER latest AS last_removed,
                coalesce(place <= max(CASE WHEN removed AND whose IS NULL THEN place END) OVER of_all, false) AS wiped,
                bool_or(NOT removed) OVER of_one OR (whose IS NULL AND bool_or(NOT removed) OVER of_all) AS lived
            FROM {table}_close WINDOW of_all AS (PARTITION BY id), of_one AS (PARTITION BY id, whose),
                latest AS (PARTITION BY id, whose ORDER BY place DESC, row DESC, content, file)),
        told AS (SELECT *, CASE
                WHEN removed AND NOT lived THEN {lit(Left.NEVER_SEEN)}
                WHEN removed AND nth = 1 THEN {lit(Left.DELETED)}
                WHEN removed THEN {lit(Left.REPLACED)}
                WHEN last_removed OR wiped THEN {lit(Left.DELETED)}
                WHEN nth > 1 THEN {lit(Left.REPLACED)} END AS reason FROM ranked),
        once AS (SELECT *, row_number() OVER (PARTITION BY id, reason IS NULL
                ORDER BY own DESC, place DESC, content, whose, file, row) AS said FROM told)
        SELECT coalesce(reason, {lit(Left.SAID_AGAIN)}), file, row FROM once WHERE reason IS NOT NULL OR said > 1"""
    )


def _refuse_contradictions(engine: Engine, table: str, files: Sequence[tuple[int, File]]) -> None:
    folder = {number: file.part.name.rpartition("/")[0] for number, file in files}
    if len(set(folder.values())) == 1:
        return
    number = {name: position for position, name in enumerate(sorted(set(folder.values())))}
    of = ", ".join(f"({file}, {number[name]})" for file, name in folder.items())
    found = engine.rows(
        f"""SELECT min(folder), max(folder) FROM {table}_close JOIN (VALUES {of}) AS of(file, folder) USING (file)
            GROUP BY id, whose, place HAVING count(DISTINCT folder) > 1 AND count(DISTINCT content) > 1
            ORDER BY ALL LIMIT 1"""
    )
    if found:
        one, other = (sorted(number)[position] for position in found[0])
        raise RecordsError(
            f"two deliveries say different things of the same rows of '{files[0][1].table}', and nothing says which "
            f"came first: {one or 'the folder itself'} and {other or 'the folder itself'}",
            where=files[0][1].part.name,
            hint="name the folder of each delivery by its date (2024-01-31), or leave SRManifest.csv in each",
        )
