"""Events and contacts: checked in one pass, numbered, sorted, and cut into shards of whole people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from casefinding.definitions.codes import id_fault
from casefinding.errors import RecordsError
from casefinding.records.cells import date_faults, fault
from casefinding.records.engine import Engine, lit
from casefinding.records.reasons import Refusal
from casefinding.records.tables import CODE, CONTACT, CONTACT_KINDS, EVENT, UNIT

KEYS = tuple(EVENT.names)
TEN = "[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}"
"""Ten digits as NHS numbers are written; see `identifiers`."""
WEEK = 7
A_TENTH = 0.1
A_FEW = 2
"""People who must be recorded on a day for it to count, where there are days with twice as many."""


def last_day(engine: Engine, source: str) -> dt.date:
    """The last day that the extract seems to speak of, where nothing says so.

    It is the latest day on which at least a tenth of the average day's number of people were recorded, and the days
    that follow within a week of each other: a lone mistyped date in the next century cannot move it, and no clock is
    asked, so that the same rows give the same store next year.
    """
    days = engine.rows(
        f"""SELECT day, count(DISTINCT person) FROM (SELECT person, day_of(coalesce(recorded_on, happened_on)) AS day
            FROM ({source})) WHERE day IS NOT NULL GROUP BY day ORDER BY day"""
    )
    if not days:
        ((rows,),) = engine.rows(f"SELECT count(*) FROM ({source})")
        if not rows:
            raise RecordsError("the table holds no rows", where="event", hint="a header alone is not an extract")
        raise RecordsError("no event has a date that can be read", where="event", hint="write dates as YYYY-MM-DD")
    enough = A_TENTH * sum(people for _, people in days) / len(days)
    several = max(people for _, people in days) >= 2 * A_FEW  # in a small extract most days may have one person
    last = max(day for day, people in days if people >= max(enough, A_FEW if several else 0))
    for day, _ in days:
        if last < day <= last + dt.timedelta(days=WEEK):
            last = day
    return last


def check_events(engine: Engine, source: str, through: dt.date) -> None:
    """Make `event_in`: every row with its parsed cells and its fault, or NULL; then `seen`, `code` and `unit`.

    A value that cannot be read costs the value alone: the code may be a diagnosis, or say that somebody was looked at.
    """
    future = f"DATE '{through.isoformat()}'"
    engine.run(
        f"""CREATE TABLE event_in AS
        WITH parsed AS (
            SELECT s.*, day_of(happened_on) AS happened_on_day,
                CASE WHEN recorded_on IS NULL THEN day_of(happened_on) ELSE day_of(recorded_on) END AS recorded_on_day,
                CASE WHEN isfinite(number_of(value)) THEN number_of(value) END AS number,
                system_text.name AS system_name
            FROM ({source}) AS s LEFT JOIN system_text ON system_text.text = lower(s.system))
        SELECT known.num AS person, happened_on_day AS day, recorded_on_day AS recorded_day, system_name AS system,
            code AS id, term, number AS value, coalesce(unit, '') AS unit,
            CASE WHEN number IS NULL THEN 0 ELSE comparator_of(value) END::TINYINT AS comparator,
            value IS NOT NULL AND number IS NULL AS value_held,
            CASE WHEN regexp_full_match(value, '{TEN}') THEN value END AS ten_digits,
            file, row, coalesce(known.practice, '') AS practice,
            CASE
            WHEN p.person IS NULL THEN {fault(Refusal.MISSING, "person")}
            WHEN known.person IS NULL THEN {fault(Refusal.UNKNOWN_PERSON, "person")}
            WHEN known.state IS NOT NULL THEN known.state
            WHEN happened_on IS NULL THEN {fault(Refusal.MISSING, "happened_on")}
            {date_faults("happened_on", "recorded_on")}
            WHEN happened_on_day > {future} THEN {fault(Refusal.FUTURE, "happened_on")}
            WHEN recorded_on_day > {future} THEN {fault(Refusal.FUTURE, "recorded_on")}
            WHEN happened_on_day < known.birth THEN {fault(Refusal.BEFORE_BIRTH, "happened_on")}
            WHEN happened_on_day > known.died THEN {fault(Refusal.AFTER_DEATH, "happened_on")}
            WHEN p.system IS NULL THEN {fault(Refusal.MISSING, "system")}
            WHEN system_name IS NULL THEN {fault(Refusal.UNKNOWN_SYSTEM, "system")}
            WHEN code IS NULL THEN {fault(Refusal.MISSING, "code")}
            END AS fault
        FROM parsed AS p LEFT JOIN known ON known.person = p.person"""
    )
    _codes(engine)
    engine.run(
        """CREATE TABLE unit AS SELECT row_number() OVER (ORDER BY text) - 1 AS unit, text FROM
           (SELECT DISTINCT unit AS text FROM event_in WHERE fault IS NULL UNION SELECT '')"""
    )
    ((units,),) = engine.rows("SELECT count(*) FROM unit")
    if units > np.iinfo(np.int16).max:
        raise RecordsError(f"there are {units} different units", where="event", hint="is another column named 'unit'?")


def _codes(engine: Engine) -> None:
    """The dictionary of (system, id); ids that cannot be valid turn into a fault of their rows."""
    engine.run("CREATE TABLE id_seen AS SELECT DISTINCT system, id FROM event_in WHERE fault IS NULL")
    bad = [(system, code) for system, code in engine.rows("SELECT system, id FROM id_seen") if id_fault(system, code)]
    engine.run("CREATE TABLE id_bad (system VARCHAR, id VARCHAR)")
    for start in range(0, len(bad), 1000):
        rows = ", ".join(f"({lit(system)}, {lit(code)})" for system, code in bad[start : start + 1000])
        engine.run(f"INSERT INTO id_bad VALUES {rows}")
    if bad:
        engine.run(
            f"""UPDATE event_in SET fault = {fault(Refusal.BAD_CODE, "code")} FROM id_bad
                WHERE event_in.fault IS NULL AND event_in.system = id_bad.system AND event_in.id = id_bad.id"""
        )
    engine.run(
        """CREATE TABLE seen AS SELECT system, id, coalesce(term, '') AS term FROM event_in
           WHERE fault IS NULL GROUP BY ALL"""
    )
    # The commonest term is counted in people, so that a file given twice cannot change it.
    engine.run(
        """CREATE TABLE code AS
        WITH many AS (SELECT system, id FROM seen WHERE term <> '' GROUP BY ALL HAVING count(*) > 1),
        votes AS (SELECT system, id, term, count(DISTINCT person) AS people FROM event_in JOIN many USING (system, id)
                  WHERE fault IS NULL AND term IS NOT NULL GROUP BY ALL),
        best AS (SELECT system, id, term FROM votes
                 QUALIFY row_number() OVER (PARTITION BY system, id ORDER BY people DESC, term) = 1)
        SELECT row_number() OVER (ORDER BY system, id) - 1 AS code, system, id,
               coalesce(any_value(best.term), max(seen.term)) AS term
        FROM seen LEFT JOIN best USING (system, id) GROUP BY system, id"""
    )


def check_contacts(engine: Engine, source: str, through: dt.date) -> None:
    """Make `contact_in`: every row with its fault, or NULL."""
    kinds = ", ".join(lit(kind) for kind in CONTACT_KINDS)
    future = f"DATE '{through.isoformat()}'"
    engine.run(
        f"""CREATE TABLE contact_in AS
        WITH parsed AS (SELECT *, day_of("on") AS on_day FROM ({source}))
        SELECT c.*, coalesce(known.practice, '') AS practice, known.num, CASE
            WHEN c.person IS NULL THEN {fault(Refusal.MISSING, "person")}
            WHEN known.person IS NULL THEN {fault(Refusal.UNKNOWN_PERSON, "person")}
            WHEN known.state IS NOT NULL THEN known.state
            WHEN condition IS NULL THEN {fault(Refusal.MISSING, "condition")}
            WHEN kind IS NULL THEN {fault(Refusal.MISSING, "kind")}
            WHEN lower(kind) NOT IN ({kinds}) THEN {fault(Refusal.UNKNOWN_KIND, "kind")}
            WHEN "on" IS NULL THEN {fault(Refusal.MISSING, "on")}
            WHEN on_day IS NULL THEN {fault(Refusal.IMPOSSIBLE_DATE, "on")}
            WHEN on_day > {future} THEN {fault(Refusal.FUTURE, "on")}
            WHEN on_day < known.birth THEN {fault(Refusal.BEFORE_BIRTH, "on")}
            WHEN row_number() OVER (PARTITION BY c.person, lower(condition), lower(kind), on_day ORDER BY file, row) > 1
            THEN {fault(Refusal.DUPLICATE)}
            END AS fault
        FROM parsed AS c LEFT JOIN known ON known.person = c.person"""
    )


def contact_table(engine: Engine) -> pa.Table:
    """The accepted contacts."""
    return engine.table(
        """SELECT num AS person, lower(condition) AS condition, lower(kind) AS kind, on_day AS "on"
           FROM contact_in WHERE fault IS NULL ORDER BY ALL""",
        CONTACT,
    )


def code_table(engine: Engine) -> pa.Table:
    """The code dictionary, numbered by (system, id)."""
    return engine.table("SELECT code, system, id, term FROM code ORDER BY code", CODE)


def unit_table(engine: Engine) -> pa.Table:
    """The unit dictionary, numbered by text; 0 is none."""
    return engine.table("SELECT unit, text FROM unit ORDER BY unit", UNIT)


@dataclass(frozen=True)
class Repeats:
    """Rows that say what another row says: person, file, row."""

    person: np.ndarray
    file: np.ndarray
    row: np.ndarray


def shards(
    engine: Engine, people: int, shard_people: int, repeated: Callable[[Repeats], None]
) -> Iterator[tuple[int, pa.Table]]:
    """(number, events) of every shard, sorted by every column and without repeats, which go to `repeated`."""
    order = ", ".join(str(i + 1) for i in range(len(KEYS) + 2))
    batches = engine.batches(
        f"""SELECT e.person::BIGINT AS person, e.day, e.recorded_day, code.code::INTEGER AS code, e.value,
            unit.unit::SMALLINT AS unit, e.comparator, e.file, e.row
        FROM event_in AS e JOIN code ON code.system = e.system AND code.id = e.id JOIN unit ON unit.text = e.unit
        WHERE e.fault IS NULL ORDER BY {order}"""
    )
    waiting: list[pa.RecordBatch] = []
    for number in range(max(1, -(-people // shard_people))):
        end = (number + 1) * shard_people
        mine: list[pa.RecordBatch] = []
        while True:
            if not waiting:
                following = next(batches, None)
                if following is None:
                    break
                waiting.append(following)
            batch = waiting.pop()
            cut = int(np.searchsorted(batch.column("person").to_numpy(), end))
            if cut:
                mine.append(batch.slice(0, cut))
            if cut < batch.num_rows:
                waiting.append(batch.slice(cut))
                break
        yield number, _without_repeats(mine, repeated)


def _without_repeats(batches: list[pa.RecordBatch], repeated: Callable[[Repeats], None]) -> pa.Table:
    if not batches:
        return EVENT.empty_table()
    table = pa.Table.from_batches(batches).combine_chunks()
    batches.clear()  # a shard is large: one copy of it is enough
    same = np.ones(max(0, table.num_rows - 1), dtype=bool)
    for name in KEYS:
        column = table[name]
        if column.null_count:
            empty = column.is_null().to_numpy(zero_copy_only=False)
            same &= empty[1:] == empty[:-1]
            column = column.fill_null(0)
        values = column.to_numpy()
        same &= values[1:] == values[:-1]
    again = np.flatnonzero(same) + 1
    if len(again):
        repeated(Repeats(*(table[name].to_numpy()[again] for name in ("person", "file", "row"))))
        keep = np.ones(table.num_rows, dtype=bool)
        keep[again] = False
        table = table.select(KEYS).filter(pa.array(keep))
    return table.select(KEYS).cast(EVENT)
