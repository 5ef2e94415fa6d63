"""Practices, people and registrations: who is accepted into the store, and under which number."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

import pyarrow as pa

from casefinding.errors import RecordsError
from casefinding.records.cells import date_faults, ethnic_group, fault
from casefinding.records.engine import Engine
from casefinding.records.reasons import Refusal
from casefinding.records.tables import PERSON, PRACTICE, REGISTRATION

_LONG_AGO = r"(?:0[0-9]|1[0-8])[0-9]{2}-[0-9]{2}-[0-9]{2}(?:[T ].*)?"  # 1753-01-01 is some systems' first day
_PLAIN_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,19}\Z")


def check_people(engine: Engine, tables: Mapping[str, str], through: dt.date) -> None:
    """Make `practice_in`, `person_in`, `registration_in` (each row with its fault, or NULL) and `known`.

    `known` holds one row for every pseudonym of the person table: num (NULL if refused), birth, died, practice (of the
    latest registration, an accepted one if there is any), and state: the fault that its other rows inherit.
    Raises RecordsError for practices that contradict each other.
    """
    _practices(engine, tables["practice"])
    future = f"DATE '{through.isoformat()}'"
    _people(engine, tables["person"], future)
    _registrations(engine, tables["registration"], future)
    engine.run(
        f"""UPDATE person_in SET fault = {fault(Refusal.UNREGISTERED, "person")} WHERE fault IS NULL AND person NOT IN
            (SELECT person FROM registration_in WHERE fault IS NULL)"""
    )
    # The number is the place in the order of the pseudonyms: no order of rows or files can change it.
    engine.run(
        f"""CREATE TABLE known AS
        WITH kept AS (SELECT *, row_number() OVER (ORDER BY person) - 1 AS num FROM person_in WHERE fault IS NULL),
        latest AS (SELECT person, arg_max(practice, (fault IS NULL, started_on_day, practice)) AS practice
                   FROM registration_in WHERE practice IN (SELECT practice FROM practice_in)
                   AND started_on_day IS NOT NULL GROUP BY person)
        SELECT every.person, kept.num::INTEGER AS num, kept.birth_month_day AS birth, kept.died_on_day AS died,
            coalesce(latest.practice, '') AS practice,
            CASE WHEN kept.num IS NOT NULL THEN NULL WHEN unregistered THEN {fault(Refusal.UNREGISTERED, "person")}
                 ELSE {fault(Refusal.PERSON_REFUSED, "person")} END AS state
        FROM (SELECT person, bool_or(fault = {fault(Refusal.UNREGISTERED, "person")}) AS unregistered
              FROM person_in WHERE person IS NOT NULL GROUP BY person) AS every
        LEFT JOIN kept USING (person) LEFT JOIN latest USING (person)"""
    )


def _practices(engine: Engine, source: str) -> None:
    engine.run(f"CREATE TABLE practice_read AS {source}")
    engine.run(
        f"""CREATE TABLE practice_in AS SELECT *, CASE WHEN practice IS NULL THEN {fault(Refusal.MISSING, "practice")}
            WHEN row_number() OVER (PARTITION BY practice, name, pcn, place ORDER BY file, row) > 1
            THEN {fault(Refusal.DUPLICATE)} END AS fault FROM practice_read"""
    )
    codes = [code for (code,) in engine.rows("SELECT practice FROM practice_in WHERE fault IS NULL ORDER BY practice")]
    for code, following in zip(codes, [*codes[1:], None], strict=False):  # no practice at all is told later
        if code == following:
            raise RecordsError(
                f"two rows of the practice table disagree about practice {code}", where="practice", hint="leave one row"
            )
        if not _PLAIN_CODE.match(code):
            raise RecordsError(
                "a practice code is not a plain code", where="practice", hint="use up to 20 letters and digits"
            )


def _people(engine: Engine, source: str, future: str) -> None:
    """Only what tells who and how old somebody is can refuse a person; any other cell is read or left (`Cell`).

    A cell that cannot be read takes what the same person's other rows say, so that it contradicts none of them.
    """
    engine.run(
        f"""CREATE TABLE person_read AS
        WITH parsed AS (SELECT s.*, month_of(birth_month) AS birth_month_day, sex_text.name AS sex_said,
                decile_of(imd_decile) AS decile_said, CASE WHEN day_of(died_on) <= {future}
                AND day_of(died_on) >= coalesce(month_of(birth_month), day_of(died_on)) THEN day_of(died_on) END AS died
            FROM ({source}) AS s LEFT JOIN sex_text ON sex_text.text = whole_of(lower(coalesce(sex, ''))))
        SELECT * EXCLUDE (sex_said, decile_said, died),
            sex_said IS NULL AS sex_held, imd_decile IS NOT NULL AND decile_said IS NULL AS decile_held,
            died_on IS NOT NULL AND died IS NULL AS died_held,
            coalesce(sex_said, min(sex_said) OVER same, 'unknown') AS sex_name,
            CASE WHEN decile_held THEN min(decile_said) OVER same ELSE decile_said END AS decile,
            CASE WHEN died_held THEN min(died) OVER same ELSE died END AS died_on_day
        FROM parsed WINDOW same AS (PARTITION BY person, birth_month_day)"""
    )
    engine.run(
        f"""CREATE TABLE person_faults AS SELECT *, CASE
            WHEN person IS NULL THEN {fault(Refusal.MISSING, "person")}
            WHEN birth_month IS NULL THEN {fault(Refusal.MISSING, "birth_month")}
            {date_faults("birth_month")}
            WHEN birth_month_day > {future} THEN {fault(Refusal.FUTURE, "birth_month")}
            WHEN row_number() OVER (PARTITION BY person, birth_month_day, died_on_day, sex_name, ethnicity, decile,
                imd_vintage ORDER BY sex_held::INTEGER + decile_held::INTEGER + died_held::INTEGER, file, row) > 1
            THEN {fault(Refusal.DUPLICATE)}
            END AS fault FROM person_read"""
    )
    engine.run(
        f"""CREATE TABLE person_in AS SELECT * EXCLUDE (fault), CASE WHEN fault IS NULL
            AND count(*) FILTER (WHERE fault IS NULL) OVER (PARTITION BY person) > 1
            THEN {fault(Refusal.TWO_ROWS, "person")} ELSE fault END AS fault FROM person_faults"""
    )


def _registrations(engine: Engine, source: str, future: str) -> None:
    """A start before the birth, however long before, is a placeholder or a slip: it is moved to the month of birth.

    An end after the last day of the extract (9999-12-31, say) only says that the registration went on until then.
    """
    engine.run(
        f"""CREATE TABLE registration_read AS SELECT *,
            CASE WHEN regexp_full_match(started_on, '{_LONG_AGO}') THEN DATE '1899-12-31'
                 ELSE day_of(started_on) END AS start_said, day_of(ended_on) AS end_said FROM ({source})"""
    )
    engine.run(
        f"""CREATE TABLE registration_in AS
        WITH r AS (SELECT read.*, p.person AS accepted, p.died_on_day AS died,
                coalesce(start_said < p.birth_month_day, false) AS start_held,
                CASE WHEN start_held THEN p.birth_month_day ELSE start_said END AS started_on_day,
                CASE WHEN end_said <= {future} THEN end_said END AS ended_on_day
            FROM registration_read AS read
            LEFT JOIN (SELECT * FROM person_in WHERE fault IS NULL) AS p ON p.person = read.person)
        SELECT r.* EXCLUDE (accepted, died, start_said, end_said), CASE
            WHEN r.person IS NULL THEN {fault(Refusal.MISSING, "person")}
            WHEN every.person IS NULL THEN {fault(Refusal.UNKNOWN_PERSON, "person")}
            WHEN accepted IS NULL THEN {fault(Refusal.PERSON_REFUSED, "person")}
            WHEN r.practice IS NULL THEN {fault(Refusal.MISSING, "practice")}
            WHEN known.practice IS NULL THEN {fault(Refusal.UNKNOWN_PRACTICE, "practice")}
            WHEN started_on IS NULL THEN {fault(Refusal.MISSING, "started_on")}
            WHEN start_said IS NULL THEN {fault(Refusal.IMPOSSIBLE_DATE, "started_on")}
            WHEN ended_on IS NOT NULL AND end_said IS NULL THEN {fault(Refusal.IMPOSSIBLE_DATE, "ended_on")}
            WHEN started_on_day > {future} THEN {fault(Refusal.FUTURE, "started_on")}
            WHEN ended_on_day < started_on_day THEN {fault(Refusal.ENDS_BEFORE_START, "ended_on")}
            WHEN started_on_day > died THEN {fault(Refusal.AFTER_DEATH, "started_on")}
            WHEN row_number() OVER (PARTITION BY r.person, r.practice, started_on_day, ended_on_day
                ORDER BY start_held, r.file, r.row) > 1 THEN {fault(Refusal.DUPLICATE)}
            END AS fault
        FROM r LEFT JOIN (SELECT DISTINCT person FROM person_in) AS every ON every.person = r.person
        LEFT JOIN (SELECT practice FROM practice_in WHERE fault IS NULL) AS known ON known.practice = r.practice"""
    )


def person_table(engine: Engine) -> pa.Table:
    """The accepted people; makes `ethnic`: the group of every text, and whether it was understood."""
    texts = [text for (text,) in engine.rows("SELECT DISTINCT coalesce(ethnicity, '') FROM person_in ORDER BY 1")]
    engine.run("CREATE TABLE ethnic (text VARCHAR, name VARCHAR, understood BOOLEAN)")
    for text in texts:
        group = ethnic_group(text)
        engine.run("INSERT INTO ethnic VALUES (?, ?, ?)", [text, group or "unknown", group is not None])
    return engine.table(
        """SELECT known.num AS person, known.person AS pseudonym, birth_month_day AS birth_month, sex_name AS sex,
            ethnic.name AS ethnicity, coalesce(p.ethnicity, '') AS ethnicity_detail, decile AS imd_decile,
            coalesce(imd_vintage, '') AS imd_vintage, died_on_day AS died_on
        FROM person_in AS p JOIN known USING (person) JOIN ethnic ON ethnic.text = coalesce(p.ethnicity, '')
        WHERE p.fault IS NULL ORDER BY num""",
        PERSON,
    )


def practice_table(engine: Engine) -> pa.Table:
    """The practices, by code."""
    return engine.table(
        """SELECT practice, coalesce(name, '') AS name, coalesce(pcn, '') AS pcn, coalesce(place, '') AS place
           FROM practice_in WHERE fault IS NULL ORDER BY practice""",
        PRACTICE,
    )


def registration_table(engine: Engine) -> pa.Table:
    """The accepted registrations of accepted people."""
    return engine.table(
        """SELECT num AS person, r.practice, started_on_day AS started_on, ended_on_day AS ended_on
           FROM registration_in AS r JOIN known USING (person) WHERE r.fault IS NULL
           ORDER BY num, started_on_day, r.practice, ended_on_day""",
        REGISTRATION,
    )
