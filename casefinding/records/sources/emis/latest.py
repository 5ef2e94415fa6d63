"""The latest state of every row: full and delta files applied in the order of ProcessingId.

A row is known by its GUID together with OrganisationGuid: GUIDs alone may stand for other rows at other practices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from casefinding.records.engine import Engine, lit, quoted
from casefinding.records.extract import match_columns
from casefinding.records.reasons import Left
from casefinding.records.sources.emis.files import File


def see(engine: Engine, name: str, files: Mapping[int, File], wanted: Sequence[str], maybe: Sequence[str] = ()) -> None:
    """Make the view `{name}_all`: every row of every file of a table. `files`: number of the part -> file."""
    reads = [engine.read(file.part, match_columns(file.part, wanted, maybe), n) for n, file in sorted(files.items())]
    engine.run(f"CREATE VIEW {name}_all AS {' UNION ALL '.join(reads)}")


def settle(engine: Engine, name: str, files: Mapping[int, File], columns: Sequence[str], key: Sequence[str]) -> str:
    """Make `{name}_gone` (reason, file, row) and `{name}_now` (rows that still hold), of the view `{name}_all`.

    `key`: the columns that say which row it is; `columns`: all columns. Memory does not grow with the table: ids that
    may be there twice are found by a hash, and only those are settled, by the ids themselves. A row without an id
    stands for itself. Returns a SELECT of (reason, file, row) for the rows that no longer hold.
    """
    keys = ", ".join(map(quoted, key))
    removed = "emis_yes(Deleted)" if "Deleted" in columns else "false"
    engine.run(
        f"""CREATE TABLE {name}_twice AS SELECT emis_hash({keys}) AS h FROM {name}_all
            WHERE {quoted(key[0])} IS NOT NULL GROUP BY h HAVING count(*) > 1"""
    )
    engine.run(f"CREATE TABLE {name}_gone (reason VARCHAR, file INTEGER, row BIGINT)")
    ((twice,),) = engine.rows(f"SELECT count(*) FROM {name}_twice")
    if twice:
        _settle_twice(engine, name, files, columns, key, removed)
    if removed != "false":
        seen = f"AND ({quoted(key[0])} IS NULL OR emis_hash({keys}) NOT IN (FROM {name}_twice))" if twice else ""
        engine.run(
            f"INSERT INTO {name}_gone SELECT {lit(Left.NEVER_SEEN)}, file, row FROM {name}_all WHERE {removed} {seen}"
        )
    ((gone,),) = engine.rows(f"SELECT count(*) FROM {name}_gone")
    without = f"ANTI JOIN {name}_gone USING (file, row)" if gone else ""
    engine.run(f"CREATE VIEW {name}_now AS SELECT * FROM {name}_all {without}")
    return f"SELECT reason, file, row FROM {name}_gone"


def _settle_twice(
    engine: Engine, name: str, files: Mapping[int, File], columns: Sequence[str], key: Sequence[str], removed: str
) -> None:
    """Settle the rows whose id is there more than once.

    The id of processing counts as far as the file's name allows it, since some extracts number the rows of each file
    anew. Of rows with one place a deletion counts, then the content decides, so that no order of rows or files can.
    """
    keys = ", ".join(map(quoted, key))
    content = ", ".join(quoted(column) for column in columns if column not in (*key, "ProcessingId"))
    places = ", ".join(
        f"({number}, {file.place.first}, {file.place.last}, {lit(file.place.stamp)})" for number, file in files.items()
    )
    engine.run(
        f"""INSERT INTO {name}_gone
        WITH place(file, first, last, stamp) AS (VALUES {places}),
        close AS (
            SELECT {keys}, {removed} AS removed, try_cast(ProcessingId AS BIGINT) AS id, hash({content}) AS content,
                file, row
            FROM {name}_all SEMI JOIN {name}_twice ON emis_hash({keys}) = h WHERE {quoted(key[0])} IS NOT NULL),
        ranked AS (
            SELECT close.* EXCLUDE (content), row_number() OVER same AS nth, first(removed) OVER same AS over,
                bool_and(removed) OVER (PARTITION BY {keys}) AS never
            FROM close JOIN place USING (file)
            WINDOW same AS (PARTITION BY {keys} ORDER BY greatest(first, least(last, coalesce(id, last))) DESC,
                stamp DESC, id DESC NULLS LAST, removed DESC, content, file, row))
        SELECT CASE WHEN never THEN {lit(Left.NEVER_SEEN)} WHEN removed AND nth > 1 THEN {lit(Left.REPLACED)}
            WHEN over THEN {lit(Left.DELETED)} ELSE {lit(Left.REPLACED)} END, file, row
        FROM ranked WHERE over OR nth > 1"""
    )
