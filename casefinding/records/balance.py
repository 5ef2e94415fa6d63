"""The balance: every row of every file was kept, refused or deliberately left, or the run fails.

A row of a file may become several rows of the native layout (a patient: a person and a registration). It is kept if any
of them is, else refused if any was, else it must have been left by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from casefinding.errors import RecordsError
from casefinding.records.engine import Engine, Part
from casefinding.records.reasons import Left

KEPT, REFUSED, LEFT = 0, 1, 2


def balance(engine: Engine, parts: Sequence[Part], tables: Sequence[str]) -> dict[str, dict[str, Any]]:
    """For each file: rows `read`, `kept`, `refused`, and `left` by reason.

    Needs `{table}_in` of every table, `left_in`, `refused_in` and `repeat` (events refused as duplicates).
    Raises RecordsError for a file whose rows do not add up: a fault of the source, never of the records.
    """
    what = " UNION ALL ".join(_contributions(tables))
    sums: dict[int, list[tuple[int, str, int, int]]] = {}
    for file, fate, reason, rows, places in engine.rows(
        f"SELECT file, fate, reason, count(*), sum(row)::HUGEINT FROM ({what}) GROUP BY ALL"
    ):
        sums.setdefault(file, []).append((fate, reason, rows, int(places)))
    answer: dict[str, dict[str, Any]] = {}
    for number, part in enumerate(parts):
        read = engine.rows_read.get(number, 0)
        found = sums.get(number, [])
        # Each row once: as many as were read, and their numbers add up to those of 1 to n.
        once = sum(rows for _, _, rows, _ in found) == read
        if not (once and sum(places for *_, places in found) == read * (read + 1) // 2):
            found = _settled(engine, what, number)
            if sum(rows for _, _, rows, _ in found) != read or max((one[3] for one in found), default=0) > read:
                raise RecordsError(
                    f"of {read:,} rows {sum(one[2] for one in found):,} can be accounted for",
                    where=part.name,
                    hint="please report this with the version in use; nothing has been changed",
                )
        answer[part.name] = _of_file(read, found)
    return answer


def _contributions(tables: Sequence[str]) -> list[str]:
    """SELECTs of (file, row, fate, reason)."""
    every = [
        f"SELECT file, row, CASE WHEN fault IS NULL THEN {KEPT} ELSE {REFUSED} END AS fate, '' AS reason"
        f" FROM {table}_in"
        for table in tables
        if table != "event"
    ]
    every.append(
        f"""SELECT e.file, e.row, CASE WHEN e.fault IS NULL AND r.row IS NULL THEN {KEPT} ELSE {REFUSED} END, ''
            FROM event_in AS e LEFT JOIN (SELECT DISTINCT file, row FROM repeat) AS r
            ON r.file = e.file AND r.row = e.row"""
    )
    every.append(f"SELECT file, row, {REFUSED}, '' FROM refused_in")
    every.append(f"SELECT file, row, {LEFT}, reason FROM left_in")
    return every


def _settled(engine: Engine, what: str, number: int) -> list[tuple[int, str, int, int]]:
    """The same sums for a file of which one row became several: each row by the best that became of it.

    In place of the sum of the rows' numbers stands the largest of them.
    """
    return engine.rows(
        f"""SELECT fate, reason, count(*), max(row) FROM (
            SELECT row, min(fate) AS fate, arg_min(reason, (fate, reason)) AS reason FROM ({what})
            WHERE file = {number} AND row >= 1 GROUP BY row) GROUP BY ALL"""
    )


def _of_file(read: int, found: Sequence[tuple[int, str, int, int]]) -> dict[str, Any]:
    left: dict[str, int] = {}
    rows = {KEPT: 0, REFUSED: 0}
    for fate, reason, number, _ in found:
        if fate == LEFT:
            left[Left(reason).value] = left.get(reason, 0) + number
        else:
            rows[fate] += number
    return {"read": read, "kept": rows[KEPT], "refused": rows[REFUSED], "left": dict(sorted(left.items()))}
