"""The CSV layout of Synthea's exporter: organisations serve as practices, dates are cut to days."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from casefinding.records.cells import install_lookup
from casefinding.records.engine import Engine, Part, lit
from casefinding.records.extract import Extract, find_parts, match_columns, missing_table, read_all
from casefinding.records.reasons import Left

COLUMNS = {
    "patients": ("Id", "BIRTHDATE", "DEATHDATE", "RACE", "GENDER"),
    "organizations": ("Id", "NAME"),
    "encounters": ("START", "PATIENT", "ORGANIZATION", "ENCOUNTERCLASS", "CODE", "DESCRIPTION"),
    "observations": ("DATE", "PATIENT", "CODE", "DESCRIPTION", "VALUE", "UNITS", "TYPE"),
    "conditions": ("START", "PATIENT", "CODE", "DESCRIPTION"),
    "medications": ("START", "PATIENT", "CODE", "DESCRIPTION"),
    "procedures": ("START", "PATIENT", "CODE", "DESCRIPTION"),
}
MAYBE = {"conditions": ("SYSTEM",), "procedures": ("SYSTEM",)}

SMOKING = {
    "never smoked tobacco (finding)": "266919005",
    "never smoker": "266919005",
    "ex-smoker (finding)": "8517006",
    "former smoker": "8517006",
    "smokes tobacco daily (finding)": "449868002",
    "current every day smoker": "449868002",
    "smoker (finding)": "77176002",
}
"""Answers to the smoking question (LOINC 72166-2) as SNOMED CT findings."""

PRIMARY_CARE = ("ambulatory", "wellness", "outpatient", "virtual", "home")
"""Classes of encounters that tell which organisation is a person's own."""

NOTES = (
    "Synthea records one date for each fact: the day it is entered is taken to be the day it happened, so that "
    "backdating cannot be seen.",
    "Nothing in the export says how far it reaches: the last day of any of its entries is taken.",
    "Synthea has no registrations: the organisation of most of a person's primary care encounters serves as the "
    "practice, from the first encounter until death. People without any encounter are refused.",
    "A course of a drug is one event on the day it starts; Synthea does not write down repeated issues of it.",
    "Race is read as ethnicity (native and Hawaiian as other); Hispanic origin has no place in the 5+1 groups and is "
    "left out. Deprivation is unknown. Times are cut to the day as written (UTC).",
)


def find(folder: Path) -> Extract:
    """Look at the files of a Synthea export; raises RecordsError for a missing file or column, or an empty file."""
    parts: list[Part] = []
    spans: dict[str, tuple[int, int]] = {}
    for table, columns in COLUMNS.items():
        found = find_parts(folder, table)
        if not found:
            raise missing_table(folder, table)
        for part in found:
            match_columns(part, columns)
        spans[table] = (len(parts), len(parts) + len(found))
        parts.extend(found)

    def raw(engine: Engine, table: str) -> str:
        start, end = spans[table]
        return read_all(engine, parts[start:end], COLUMNS[table], start, MAYBE.get(table, ()))

    def tables(engine: Engine) -> Mapping[str, str]:
        for table in COLUMNS:
            engine.run(f"CREATE TABLE synthea_{table} AS {raw(engine, table)}")
        install_lookup(engine, "smoking_text", SMOKING)
        _choose_practices(engine)
        return {"practice": _PRACTICE, "person": _PERSON, "registration": _REGISTRATION, "event": _EVENT, "left": _LEFT}

    return Extract(
        kind="synthea",
        parts=tuple(parts),
        tables=tables,
        last_day=lambda _: f"SELECT max(happened_on) FROM ({_EVENT})",
        notes=NOTES,
    )


def _choose_practices(engine: Engine) -> None:
    """Make `synthea_own`: every person's organisation under a short code, and their first encounter."""
    classes = ", ".join(f"'{name}'" for name in PRIMARY_CARE)
    engine.run(
        """CREATE TABLE synthea_code AS SELECT Id, format('S{:02d}', row_number() OVER (ORDER BY Id)) AS practice
           FROM (SELECT DISTINCT Id FROM synthea_organizations)"""
    )
    engine.run(
        f"""CREATE TABLE synthea_own AS
        WITH visits AS (SELECT PATIENT, ORGANIZATION, count(*) AS every,
                        count(*) FILTER (WHERE lower(ENCOUNTERCLASS) IN ({classes})) AS own
                   FROM synthea_encounters GROUP BY ALL),
        most AS (SELECT PATIENT, ORGANIZATION FROM visits
                 QUALIFY row_number() OVER (PARTITION BY PATIENT ORDER BY own DESC, every DESC, ORGANIZATION) = 1),
        first AS (SELECT PATIENT, min(START) AS start, arg_min(file, (START, file, row)) AS file,
                  arg_min(row, (START, file, row)) AS row FROM synthea_encounters GROUP BY PATIENT)
        SELECT most.PATIENT AS person, coalesce(c.practice, most.ORGANIZATION) AS practice,
               first.start, first.file, first.row
        FROM most JOIN first USING (PATIENT) LEFT JOIN synthea_code AS c ON c.Id = most.ORGANIZATION"""
    )


_PRACTICE = """SELECT c.practice, o.NAME AS name, NULL::VARCHAR AS pcn, NULL::VARCHAR AS place, o.file, o.row
    FROM synthea_organizations AS o JOIN synthea_code AS c ON c.Id = o.Id
    WHERE c.practice IN (SELECT practice FROM synthea_own)"""

_LEFT = f"""SELECT {lit(Left.NOBODY)} AS reason, file, row FROM synthea_organizations
    WHERE Id NOT IN (SELECT c.Id FROM synthea_code AS c JOIN synthea_own AS own ON own.practice = c.practice)
    OR Id IS NULL"""

_PERSON = """SELECT Id AS person, BIRTHDATE AS birth_month, GENDER AS sex,
    CASE WHEN lower(RACE) IN ('native', 'hawaiian') THEN 'other' ELSE RACE END AS ethnicity,
    NULL::VARCHAR AS imd_decile, NULL::VARCHAR AS imd_vintage, DEATHDATE AS died_on, file, row FROM synthea_patients"""

_REGISTRATION = """SELECT own.person, own.practice, own.start AS started_on, p.DEATHDATE AS ended_on, own.file, own.row
    FROM synthea_own AS own
    LEFT JOIN (SELECT Id, max(DEATHDATE) AS DEATHDATE FROM synthea_patients GROUP BY Id) AS p ON p.Id = own.person"""

_EVENT = """
    SELECT PATIENT AS person, START AS happened_on, NULL::VARCHAR AS recorded_on, 'snomed' AS system, CODE AS code,
        DESCRIPTION AS term, NULL::VARCHAR AS value, NULL::VARCHAR AS unit, file, row FROM synthea_encounters
    UNION ALL SELECT PATIENT, DATE, NULL, CASE WHEN answer.name IS NULL THEN 'loinc' ELSE 'snomed' END,
        coalesce(answer.name, CODE), CASE WHEN answer.name IS NULL THEN DESCRIPTION ELSE VALUE END,
        CASE WHEN answer.name IS NULL THEN VALUE END, UNITS, file, row
    FROM synthea_observations AS o LEFT JOIN smoking_text AS answer
        ON lower(o.TYPE) = 'text' AND answer.text = lower(o.VALUE)
    UNION ALL SELECT PATIENT, START, NULL, coalesce(SYSTEM, 'snomed'), CODE, DESCRIPTION, NULL, NULL, file, row
        FROM synthea_conditions
    UNION ALL SELECT PATIENT, START, NULL, 'rxnorm', CODE, DESCRIPTION, NULL, NULL, file, row FROM synthea_medications
    UNION ALL SELECT PATIENT, START, NULL, coalesce(SYSTEM, 'snomed'), CODE, DESCRIPTION, NULL, NULL, file, row
        FROM synthea_procedures"""
