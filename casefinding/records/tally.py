"""What was read, kept and refused: the quarantine and the counts for the quality page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from casefinding.errors import RecordsError
from casefinding.records.balance import balance
from casefinding.records.engine import Engine, Part, lit, quoted
from casefinding.records.events import Repeats
from casefinding.records.reasons import Cell, Refusal
from casefinding.records.tables import QUARANTINE

# How to find a refused row's practice: the column that names it, or the person's latest registration.
_PRACTICE = {
    "practice": "coalesce(t.practice, '')",
    "person": "coalesce(known.practice, '')",
    "registration": "coalesce(t.practice, known.practice, '')",
    "event": "t.practice",
    "contact": "t.practice",
}

# Where cells that say nothing are counted: the rows that stay, with `t` the row and `known` its person.
_CELLS = {
    Cell.SEX: "known.practice FROM person_in AS t JOIN known USING (person) WHERE t.sex_held",
    Cell.ETHNICITY: """known.practice FROM person_in AS t JOIN known USING (person)
        JOIN ethnic ON ethnic.text = coalesce(t.ethnicity, '') WHERE NOT understood""",
    Cell.DECILE: "known.practice FROM person_in AS t JOIN known USING (person) WHERE t.decile_held",
    Cell.DEATH: "known.practice FROM person_in AS t JOIN known USING (person) WHERE t.died_held",
    Cell.START: "t.practice FROM registration_in AS t WHERE t.start_held",
    Cell.VALUE: "t.practice FROM event_in AS t WHERE t.value_held",
}

PLAIN_CONDITION = "[a-z][a-z0-9_-]{0,39}"
OTHER_CONDITION = "(other text)"
"""Stands for conditions that cannot be a model's name, so that a value in the wrong column is never passed on."""

OTHER_DATES = (
    (r"\d{1,2}/\d{1,2}/\d{4}.*", "day/month/year, or month/day/year"),
    (r"\d{1,2}-\d{1,2}-\d{4}.*", "day-month-year, or month-day-year"),
    (r"\d{1,2}\.\d{1,2}\.\d{4}.*", "day.month.year"),
    (r"\d{4}/\d{1,2}/\d{1,2}.*", "year/month/day"),
    (r"\d{8}", "yyyymmdd"),
    (r"\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{2,4}.*", "day, month in letters, year"),
    (r"\d{1,2}/\d{1,2}/\d{2}", "day/month/year with two digits for the year"),
    (r"\d{5}(\.\d+)?", "a spreadsheet's number of days"),
)


def gather(engine: Engine, parts: Sequence[Part], tables: Sequence[str], repeats: Sequence[Repeats]) -> None:
    """Make the table `refused`: every refused row once, with the columns of QUARANTINE and the file's position."""
    names = ("person", "file", "row")
    whole = [np.concatenate([getattr(repeat, name) for repeat in repeats] or [[]]) for name in names]
    engine.take("repeat", pa.table([pa.array(column, pa.int64()) for column in whole], names=names))
    engine.take(
        "part", pa.table({"file": pa.array(range(len(parts)), pa.int64()), "name": [part.name for part in parts]})
    )
    found = [
        f"""SELECT file, row, known.practice, {lit(Refusal.DUPLICATE)} AS reason, '' AS "column"
            FROM repeat JOIN known ON known.num = repeat.person"""
    ]
    for table in tables:
        join = "LEFT JOIN known ON known.person = t.person" if table in ("person", "registration") else ""
        found.append(
            f"""SELECT t.file, t.row, {_PRACTICE[table]}, split_part(t.fault, '|', 1), split_part(t.fault, '|', 2)
                FROM {table}_in AS t {join} WHERE t.fault IS NOT NULL"""
        )
    found.append('SELECT file, row, practice, reason, "column" FROM refused_in')
    engine.run(
        f"""CREATE TABLE refused AS SELECT part.name AS file, f.* EXCLUDE (file)
            FROM ({" UNION ALL ".join(found)}) AS f JOIN part ON part.file = f.file"""
    )


def quarantine(engine: Engine) -> Iterator[pa.RecordBatch]:
    """The rows of `refused`, by file and row, a batch at a time: there may be as many of them as in the extract."""
    order = ", ".join(quoted(name) for name in ("file", "row", "reason", "column"))
    yield from engine.batches(f"SELECT {', '.join(map(quoted, QUARANTINE.names))} FROM refused ORDER BY {order}")


def counts(engine: Engine, parts: Sequence[Part], tables: Sequence[str], notes: Sequence[str]) -> dict[str, Any]:
    """The counts that the store keeps; see `Store.counts`."""
    ((repeated,),) = engine.rows("SELECT count(*) FROM repeat")
    rows: dict[str, dict[str, int]] = {}
    for table in tables:
        ((read, lost),) = engine.rows(f"SELECT count(*), count(fault) FROM {table}_in")
        lost += repeated if table == "event" else 0
        rows[table] = {"read": read, "kept": read - lost, "refused": lost}
    by_file = _by(engine, "file")
    total: Counter[str] = Counter()
    for reasons in by_file.values():
        total.update(reasons)
    cells, by_practice = _held_cells(engine)
    balanced = balance(engine, parts, tables)
    left: Counter[str] = Counter()
    for one in balanced.values():
        left.update(one["left"])
    return {
        "rows": rows,
        "files": {name: one["read"] for name, one in balanced.items()},
        "balance": balanced,
        "left": dict(sorted(left.items())),
        "refused": {reason.value: total[reason.value] for reason in Refusal if reason.value in total},
        "refused_by_practice": _by(engine, "practice"),
        "refused_by_file": by_file,
        "held_cells": cells,
        "held_cells_by_practice": by_practice,
        "contact_conditions": _contact_conditions(engine) if "contact" in tables else {},
        "notes": [*notes, *(Cell(reason).note(number) for reason, number in cells.items())],
    }


def _held_cells(engine: Engine) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Cells that say nothing in rows that stay: by reason, and by practice and reason."""
    total: Counter[str] = Counter()
    by_practice: dict[str, dict[str, int]] = {}
    found = " UNION ALL ".join(
        f"SELECT {lit(cell)} AS reason, {where} AND t.fault IS NULL" for cell, where in _CELLS.items()
    )
    counted = f"SELECT practice, reason, count(*) FROM ({found}) GROUP BY ALL ORDER BY ALL"
    for practice, reason, number in engine.rows(counted):
        total[reason] += number
        by_practice.setdefault(practice, {})[reason] = number
    return {cell.value: total[cell.value] for cell in Cell if cell.value in total}, by_practice


def _contact_conditions(engine: Engine) -> dict[str, int]:
    return dict(
        engine.rows(
            f"""SELECT CASE WHEN regexp_full_match(lower(condition), '{PLAIN_CONDITION}') THEN lower(condition)
                ELSE {lit(OTHER_CONDITION)} END AS name, count(*) FROM contact_in WHERE fault IS NULL
                GROUP BY name ORDER BY name"""
        )
    )


def _by(engine: Engine, column: str) -> dict[str, dict[str, int]]:
    answer: dict[str, dict[str, int]] = {}
    for key, reason, number in engine.rows(f"SELECT {column}, reason, count(*) FROM refused GROUP BY ALL ORDER BY ALL"):
        answer.setdefault(key, {})[reason] = number
    return answer


def refuse_wrong_format(engine: Engine, source: str, table: str, columns: Sequence[str]) -> None:
    """Raise RecordsError if every row's date in a column is written in another way, and say which it looks like."""
    for column in columns:
        quoted = f'"{column}"'
        ((filled, good),) = engine.rows(
            f"SELECT count({quoted}), count(coalesce(day_of({quoted}), month_of({quoted}))) FROM ({source})"
        )
        if not filled or good:
            continue
        for pattern, words in OTHER_DATES:
            ((alike,),) = engine.rows(f"SELECT count(*) FROM ({source}) WHERE regexp_full_match({quoted}, '{pattern}')")
            if alike == filled:
                raise RecordsError(
                    f"every date in column '{column}' looks like {words}",
                    where=table,
                    hint="write dates as YYYY-MM-DD, for example 2024-03-12",
                )


def nothing_left(engine: Engine, table: str, what: str) -> RecordsError:
    """The error for a table of which no row could be accepted, with the commonest reasons."""
    reasons = engine.rows(
        f"""SELECT split_part(fault, '|', 1) AS reason, count(*) AS n FROM {table}_in WHERE fault IS NOT NULL
            GROUP BY reason ORDER BY n DESC, reason LIMIT 3"""
    )
    if not reasons:
        return RecordsError(f"{what}: the table holds no rows", where=table, hint="a header alone is not an extract")
    why = "; ".join(f"{reason} ({number:,})" for reason, number in reasons)
    return RecordsError(f"{what}: every row was refused", where=table, hint=f"the commonest reasons: {why}")
