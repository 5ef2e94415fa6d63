"""What both writers need of a native population: who sits at which practice, who wrote what where, and made-up names.

Everything follows from the native rows and the seed; nothing from a clock.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from casefinding.synthetic.codes import CODES
from casefinding.synthetic.lookups import kept_numbers
from tests.writers.ethnicity import CATEGORIES
from tests.writers.native import read_native

CONTACTS = tuple(entry.id for entry in CODES if entry.key.startswith("contact_"))
"""Codes of the simulator that stand for a contact with the practice."""
TELEPHONE = next(entry.id for entry in CODES if entry.key == "contact_telephone")
REFERRALS = tuple(entry.id for entry in CODES if entry.key.endswith("_referral"))
_DIAGNOSES = ("htn", "htn_essential", "af", "copd", "asthma", "diabetes", "ckd3", "stroke", "heart_failure", "mi")
PROBLEMS = tuple(entry.id for entry in CODES if entry.key in _DIAGNOSES)
"""Diagnoses that are also written as problems."""
SYSTOLIC, DIASTOLIC = ("271649006", "72313002"), ("271650006", "1091811000000102")
PANEL = ("75367002", "Blood pressure")
"""The header of a pair of readings, as both suppliers write it: no value of its own."""
DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"  # never V: ZZ99 3VZ says "no fixed abode"
_MARKED = {"ghost": 3, "test": 3, "sensitive": 2}
"""People added on request: wrongly added and then deleted, test patients, and those marked as sensitive."""


@dataclass(frozen=True)
class Written:
    """What a writer wrote: rows of every file (by its path inside the folder), and native rows it could not say."""

    folder: Path
    rows: dict[str, int]
    not_said: dict[str, int]


def postcodes() -> list[tuple[str, str, str]]:
    """(postcode, LSOA, decile) of every made-up postcode, in the fictional range ZZ99 and areas E01999...."""
    return [
        (f"ZZ99 {decile - 1}{_LETTERS[j // 20]}{_LETTERS[j % 20]}", _lsoa(decile, j), str(decile))
        for decile in range(1, 11)
        for j in range(400)
    ]


def _lsoa(decile: int, j: int) -> str:
    return f"E01{999_000 + (decile - 1) * 10 + j % 10}"


def population(folder: Path, seed: int, *, added: tuple[str, ...] = ()) -> tuple[duckdb.DuckDBPyConnection, dt.date]:
    """A database with the tables below, and the last day of the data.

    `person` and the other native tables, with the people of `added` (keys of _MARKED) at the end; `who`: person, num,
    nhs, mark; `seat`: one row a person and practice, its latest stay; `patient`: one row a row of `person` and practice
    (n counts within the practice, k the person's rows); `record`: the events, each with the practice where it was
    written; `code`: the codes with a number for each (system, code, term); `ethnic`: native text -> category; `spoken`:
    the day on which each person was asked for their ethnic group.
    """
    con = read_native(folder)
    through = _through(con)
    _add(con, added)
    con.execute(
        """CREATE TABLE who AS
        WITH seen AS (SELECT person, min(seq) FILTER (birth_month IS NOT NULL) AS born, min(seq) AS seq
                      FROM person WHERE person IS NOT NULL GROUP BY person)
        SELECT person, row_number() OVER (ORDER BY born IS NULL, born, seq) - 1 AS num,
            coalesce(mark.mark, '') AS mark FROM seen LEFT JOIN mark USING (person)"""
    )
    ((people,),) = con.execute("SELECT count(*) FROM who").fetchall()
    numbers = kept_numbers(seed)[:people]
    con.register("numbers", pa.table({"num": range(len(numbers)), "nhs": [str(number) for number in numbers]}))
    con.execute("CREATE TABLE named AS SELECT who.*, nhs FROM who LEFT JOIN numbers USING (num)")
    con.execute("DROP TABLE who; ALTER TABLE named RENAME TO who")
    _seats(con)
    _patients(con)
    _records(con)
    _codes(con)
    _spoken(con, through)
    rows = [(text, *row[:4]) for row in CATEGORIES for text in {row[0].lower(), row[4].lower(), row[3].lower()}]
    con.register("categories", pa.Table.from_pylist([dict(zip("tabcd", row, strict=True)) for row in rows]))
    names = "t AS text, a AS letter, b AS snomed, c AS ctv3, d AS term"
    con.execute(f"CREATE TABLE ethnic AS SELECT {names} FROM categories")
    return con, through


def _through(con: duckdb.DuckDBPyConnection) -> dt.date:
    said = con.execute("SELECT max(data_through) FROM extract").fetchall()[0][0]
    if said is None:
        days = f"SELECT max(recorded_on) FROM event WHERE regexp_full_match(recorded_on, '{DAY}')"
        said = con.execute(days).fetchall()[0][0]
    return dt.date.fromisoformat(said[:10])


def _add(con: duckdb.DuckDBPyConnection, added: tuple[str, ...]) -> None:
    """People who must not come in, each a copy of somebody whose record is long enough to be missed."""
    con.execute("CREATE TABLE mark (person VARCHAR, mark VARCHAR)")
    models = con.execute(
        """SELECT event.person FROM event JOIN registration USING (person)
           WHERE started_on IS NOT NULL AND ended_on IS NULL GROUP BY ALL HAVING count(*) BETWEEN 20 AND 200
           ORDER BY min(event.seq) LIMIT 20"""
    ).fetchall()
    if not models:
        return
    wanted = [(mark, i) for mark in added for i in range(_MARKED[mark])]
    for number, (mark, i) in enumerate(wanted):
        name, model = f"p{mark}{i:04d}", models[number % len(models)][0]
        con.execute("INSERT INTO mark VALUES (?, ?)", [name, mark])
        for table in ("person", "registration", "event"):
            con.execute(
                f"""INSERT INTO {table} SELECT * REPLACE (seq + 1 + (SELECT max(seq) FROM {table})
                        - (SELECT min(seq) FROM {table} WHERE person = $model) AS seq, $name AS person)
                    FROM {table} WHERE person = $model""",
                {"name": name, "model": model},
            )


def _seats(con: duckdb.DuckDBPyConnection) -> None:
    """Who never registered anywhere sits at the first practice, without dates: the layouts have no other place."""
    con.execute(
        """CREATE TABLE seat AS
        WITH ranked AS (SELECT *, row_number() OVER (PARTITION BY person, practice
                            ORDER BY started_on DESC, coalesce(ended_on, '9999') DESC, seq) AS place FROM registration)
        SELECT person, practice, started_on, ended_on FROM ranked WHERE place = 1 AND person IS NOT NULL
        UNION ALL SELECT person, (SELECT min(practice) FROM practice), NULL, NULL
        FROM (SELECT DISTINCT person FROM person WHERE person NOT IN (SELECT person FROM registration))"""
    )


def _patients(con: duckdb.DuckDBPyConnection) -> None:
    letters = f"'{_LETTERS}'"
    con.execute(
        f"""CREATE TABLE patient AS
        WITH told AS (
            SELECT person.*, row_number() OVER (PARTITION BY person.person ORDER BY person.seq) AS k, num, nhs, mark,
                try_cast(imd_decile AS INTEGER) AS decile, num % 400 AS j
            FROM person JOIN who USING (person))
        SELECT told.* EXCLUDE (decile, j), seat.practice, seat.started_on, seat.ended_on,
            row_number() OVER (PARTITION BY seat.practice ORDER BY told.seq) AS n,
            row_number() OVER (ORDER BY told.seq, seat.practice) AS row,
            CASE WHEN decile BETWEEN 1 AND 10 THEN format('E01{{}}', 999000 + (decile - 1) * 10 + j % 10) END AS lsoa,
            CASE WHEN decile BETWEEN 1 AND 10 THEN format('ZZ99 {{}}{{}}{{}}', decile - 1,
                substr({letters}, (j // 20 + 1)::INTEGER, 1), substr({letters}, (j % 20 + 1)::INTEGER, 1))
            ELSE 'ZZ99 3VZ' END AS postcode,
            CASE WHEN lower(sex) IN ('f', 'female', '2') THEN 'F' WHEN lower(sex) IN ('m', 'male', '1') THEN 'M'
                 WHEN sex IS NULL OR lower(sex) IN ('unknown', 'u', '0', '9') THEN 'U' ELSE sex END AS sex_letter,
            left(birth_month, 7) AS month
        FROM told JOIN seat USING (person) ORDER BY row"""
    )


def _records(con: duckdb.DuckDBPyConnection) -> None:
    """An event was written where its person was registered then: the latest stay that had begun, else the first."""
    con.execute(
        """CREATE TABLE home AS SELECT person, count(*) AS seats, min(practice) AS practice FROM seat GROUP BY person;
        CREATE TABLE moved AS SELECT event.seq, coalesce(
            arg_max(seat.practice, (seat.started_on, seat.practice)) FILTER (seat.started_on <= event.happened_on),
            arg_min(seat.practice, (seat.started_on, seat.practice))) AS practice
        FROM event JOIN home USING (person) JOIN seat USING (person) WHERE home.seats > 1 GROUP BY event.seq"""
    )
    con.execute(
        f"""CREATE TABLE record AS
        WITH placed AS (SELECT event.*, coalesce(moved.practice, home.practice,
                (SELECT min(practice) FROM practice)) AS practice, coalesce(recorded_on, happened_on) AS entered_on,
                code IN {CONTACTS} AND value IS NULL AND system = 'snomed' AS contact,
                coalesce(system IN ('dmd', 'rxnorm'), false) AS drug
            FROM event LEFT JOIN home USING (person) LEFT JOIN moved USING (seq))
        SELECT placed.*, patient.n, patient.mark, patient.row AS patient_row, patient.num
        FROM placed LEFT JOIN (SELECT * FROM patient WHERE k = 1) AS patient USING (person, practice) ORDER BY seq"""
    )


def _codes(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        """CREATE TABLE code AS SELECT *, row_number() OVER (PARTITION BY drug ORDER BY system, code, term) AS number
        FROM (SELECT DISTINCT drug, system, code, term FROM record WHERE code IS NOT NULL)"""
    )


def _spoken(con: duckdb.DuckDBPyConnection, through: dt.date) -> None:
    """The day of the first thing that is written of somebody, so that no entry is older than the native rows."""
    con.execute(
        f"""CREATE TABLE spoken AS
        WITH life AS (SELECT person, min(month) || '-01' AS born,
                coalesce(min(CASE WHEN died_on > month THEN died_on END), '{through}') AS last
            FROM patient GROUP BY person)
        SELECT person, coalesce(min(happened_on) FILTER (regexp_full_match(happened_on, '{DAY}')
            AND try_cast(happened_on AS DATE) IS NOT NULL AND happened_on BETWEEN born AND last),
            any_value(last)) AS spoken_on FROM life LEFT JOIN record USING (person) GROUP BY person"""
    )


def batch_of(column: str, times: tuple[dt.date, ...]) -> str:
    """SQL: the first batch by whose day a row was known; 0 for days that cannot be read or are still to come."""
    cases = "".join(
        f" WHEN {column} > '{day}' AND {column} <= '{times[-1]}' THEN {number + 1}"
        for number, day in reversed(list(enumerate(times[:-1])))
    )
    return f"(CASE WHEN {column} IS NULL OR NOT regexp_full_match({column}, '{DAY}') THEN 0{cases} ELSE 0 END)"


def times_of(through: dt.date, deltas: bool) -> tuple[dt.date, ...]:
    """The days of the batches: the last day of the data alone, or also 180 and 60 days before."""
    return (*(through - dt.timedelta(days=back) for back in (180, 60)), through) if deltas else (through,)


def with_history(con: duckdb.DuckDBPyConnection, table: str, spoil: str, deltas: bool, deletions: bool = True) -> None:
    """Give the rows of a table a history that ends in what they are: columns batch, version, deleted, salt.

    `table` has `seq` and `batch`. About one row in a hundred each: wrong at first and right in the first or second
    delta; wrong and right in one file; added wrongly in the full file or a delta and deleted; deleted in error and
    back; and a few deletions of rows that never came. `spoil`: "expression AS column" that makes a row wrong.
    Without `deltas` every row has one version. Without `deletions` nothing is deleted.
    """
    last = "1::TINYINT AS version, false AS deleted, '' AS salt"
    if not deltas:
        con.execute(f"CREATE TABLE {table}_told AS SELECT *, {last} FROM {table} ORDER BY seq")
        return
    drawn = f"SELECT *, (hash(seq, '{table}') % 1000)::INTEGER AS draw FROM {table}"
    row = "SELECT * EXCLUDE (draw)"
    told = [
        f"""{row} REPLACE (CASE WHEN batch > 0 THEN batch WHEN draw < 10 OR draw BETWEEN 20 AND 29 THEN 1
                WHEN draw < 20 THEN 2 WHEN draw BETWEEN 50 AND 59 AND {deletions} THEN 2 ELSE 0 END AS batch), {last}
            FROM drawn""",
        f"""{row} REPLACE (CASE WHEN draw < 20 THEN 0 ELSE 1 END AS batch, {spoil}), 0::TINYINT, false, ''
            FROM drawn WHERE batch = 0 AND draw < 30""",
    ]
    if deletions:
        told += [
            f"""{row} REPLACE (CASE WHEN draw < 40 THEN 0 ELSE 1 END AS batch, {spoil}), 1::TINYINT, false, 'added'
                FROM drawn WHERE batch = 0 AND draw BETWEEN 30 AND 49""",
            f"""{row} REPLACE (2 AS batch), 2::TINYINT, true, 'added' FROM drawn
                WHERE batch = 0 AND draw BETWEEN 30 AND 49""",
            f"{row}, 0::TINYINT, false, '' FROM drawn WHERE batch = 0 AND draw BETWEEN 50 AND 59",
            f"{row} REPLACE (1 AS batch), 2::TINYINT, true, '' FROM drawn WHERE batch = 0 AND draw BETWEEN 50 AND 59",
            f"{row} REPLACE (1 AS batch), 2::TINYINT, true, 'never' FROM drawn WHERE batch = 0 AND draw = 60",
        ]
    con.execute(
        f"""CREATE TABLE {table}_told AS WITH drawn AS ({drawn}) SELECT * FROM ({" UNION ALL ".join(told)})
            ORDER BY batch, version, seq, salt"""
    )
