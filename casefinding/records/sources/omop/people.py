"""People, registrations and practices of an OMOP extract."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import pyarrow as pa

from casefinding.records.cells import ethnic_group
from casefinding.records.engine import Engine, lit
from casefinding.records.reasons import Left, Refusal

RACES = {
    "8527": "white", "38003614": "white",
    "8515": "asian", **{str(id): "asian" for id in range(38003574, 38003598)},
    "8516": "black", **{str(id): "black" for id in range(38003598, 38003610)},
    "8657": "other", "8557": "other", "8522": "other", "38003572": "other", "38003573": "other", "38003579": "Chinese",
    **{str(id): "other" for id in (*range(38003610, 38003614), 38003615, 38003616)},
}  # fmt: skip
"""5+1 groups of OMOP's concepts of race (vocabulary "Race"); Chinese is "other" as in the census of 2001."""
NHS_VOCABULARY = "NHS Ethnic Category"
_NHS_LETTERS = frozenset("ABCDEFGHJKLMNPRSZ")
_NHS_ALONE = frozenset("CDEFGJKLMNPRSZ")  # letters that no list of initials (White, Black, Asian, Hispanic) has
ALL = "OMOP"
"""The practice of people without a care site."""
_LSOA = "[EW]01[0-9]{6}"


def plain_id(column: str) -> str:
    """SQL: an id without the ".0" that a data frame writes in a column with gaps."""
    return f"CASE WHEN ends_with({column}, '.0') THEN left({column}, length({column}) - 2) ELSE {column} END"


def install_people(engine: Engine, raw: Mapping[str, str]) -> dict[str, str]:
    """Make `omop_own` (person_id, pseudonym, practice: one row each) and give SQL for the native tables `practice`,
    `person` and `registration`, and for `left` and `refused` rows of the tables about people.

    Needs `omop_through` (day) and `omop_concept`. The pseudonym is person_source_value, else person_id.
    """
    cells = ", ".join(f"{plain_id(name)} AS {name}" for name in ("person_id", "care_site_id", "location_id"))
    engine.run(f"CREATE TABLE omop_read AS SELECT * REPLACE ({cells}) FROM {raw['person']}")
    _sites(engine, raw)
    engine.run(
        f"""CREATE TABLE omop_person AS SELECT p.*, coalesce(person_source_value,
                CASE WHEN person_id IN (SELECT person_source_value FROM omop_read WHERE person_source_value IS NOT NULL)
                THEN 'person_id ' || person_id ELSE person_id END) AS person,
            coalesce(s.practice, '{ALL}') AS practice, s.practice IS NULL AS nowhere
            FROM omop_read AS p LEFT JOIN omop_site AS s ON s.id = p.care_site_id"""
    )
    engine.run(
        """CREATE TABLE omop_own AS SELECT person_id, person, practice FROM omop_person WHERE person_id IS NOT NULL
           QUALIFY row_number() OVER (PARTITION BY person_id ORDER BY file, row) = 1"""
    )
    _ethnicities(engine)
    _ends(engine, raw)
    return {
        "practice": _PRACTICE,
        "person": _PERSON,
        "registration": _registration(raw["observation_period"]),
        **_left_and_refused(raw),
    }


def _sites(engine: Engine, raw: Mapping[str, str]) -> None:
    """Care sites that are somebody's, under their source value if that is a plain code of their own."""
    source = raw.get("care_site")
    if source is None:
        engine.run(
            """CREATE TABLE omop_site AS SELECT '' AS id, '' AS practice, '' AS name, 0::INTEGER AS file,
               0::BIGINT AS row WHERE false"""
        )
        return
    engine.run(
        f"""CREATE TABLE omop_site AS
        WITH s AS (SELECT {plain_id("care_site_id")} AS id, care_site_source_value AS said, care_site_name AS name,
            file, row FROM {source} WHERE id IN (SELECT care_site_id FROM omop_read)
            QUALIFY row_number() OVER (PARTITION BY id ORDER BY file, row) = 1)
        SELECT id, CASE WHEN regexp_full_match(said, '[A-Za-z0-9][A-Za-z0-9_-]{{0,19}}') AND said <> '{ALL}'
            AND count(*) OVER (PARTITION BY said) = 1 THEN said ELSE 'C' || id END AS practice,
            name, file, row FROM s"""
    )


def _ethnicities(engine: Engine) -> None:
    """Make `omop_ethnic`: what every combination of race concepts and source value says."""
    rows = engine.rows(
        """SELECT DISTINCT coalesce(race_source_concept_id, ''), coalesce(race_concept_id, ''),
               coalesce(race_source_value, ''), coalesce(c.vocabulary, ''), coalesce(c.name, '')
           FROM omop_read LEFT JOIN omop_concept AS c ON c.id = whole_of(race_source_concept_id) ORDER BY ALL"""
    )
    letters = nhs_letters(value for _, _, value, _, _ in rows)
    said = [
        ethnicity_of(name if vocabulary == NHS_VOCABULARY else "", value, re.sub(r"\.0+\Z", "", concept), letters)
        for _, concept, value, vocabulary, name in rows
    ]
    keys = [[row[i] for row in rows] for i in range(3)]
    columns = [pa.array(column, pa.string()) for column in (*keys, said)]
    engine.take("omop_ethnic", pa.table(columns, names=["source", "concept", "value", "text"]))


def nhs_letters(values: Iterable[str]) -> bool:
    """Whether the single letters among source values are those of the NHS's 16+1 groups, not initials.

    >>> nhs_letters(["A", "G", "Z", "white"]), nhs_letters(["W", "B", "A"]), nhs_letters(["A", "B"])
    (True, False, False)
    """
    single = {value.upper() for value in values if len(value) == 1 and value.isalpha()}
    return single <= _NHS_LETTERS and bool(single & _NHS_ALONE)


def ethnicity_of(category: str, value: str, concept: str, letters: bool) -> str | None:
    """The text that stands for an ethnicity: the NHS category, else a source value that is understood, else the
    concept's group. Concepts come last: the usual conversions call mixed groups white, for want of a concept.

    >>> ethnicity_of("", "G", "8527", True), ethnicity_of("", "B", "8516", False), ethnicity_of("", "7", "0", False)
    ('G', 'black', '7')
    """
    if category and ethnic_group(category):
        return category
    if (len(value) > 1 or (value and letters)) and ethnic_group(value) not in (None, "unknown"):
        return value
    return RACES.get(concept) or value or None


def _ends(engine: Engine, raw: Mapping[str, str]) -> None:
    """Make `omop_death`, `omop_lsoa`, and `omop_first`: the month in which somebody's observation began."""
    engine.run(
        f"""CREATE TABLE omop_first AS SELECT {plain_id("person_id")} AS id,
            min(left(observation_period_start_date, 7)) AS month FROM {raw["observation_period"]}
            WHERE day_of(observation_period_start_date) IS NOT NULL GROUP BY ALL"""
    )
    death = raw.get("death")
    source = f"SELECT {plain_id('person_id')} AS id, death_date FROM {death}" if death else "SELECT '', '' WHERE false"
    engine.run(
        f"""CREATE TABLE omop_death AS SELECT id, coalesce(min(day) FILTER (day_of(day) IS NOT NULL), min(day)) AS day
            FROM ({source}) AS d(id, day) WHERE id IS NOT NULL GROUP BY id"""
    )
    place = raw.get("location")
    source = (
        f"""SELECT {plain_id("location_id")} AS id, CASE
            WHEN regexp_full_match(location_source_value, '{_LSOA}') THEN location_source_value
            WHEN regexp_full_match(county, '{_LSOA}') THEN county END AS lsoa, file, row FROM {place}"""
        if place
        else "SELECT '' AS id, '' AS lsoa, 0 AS file, 0 AS row WHERE false"
    )
    engine.run(
        f"""CREATE TABLE omop_lsoa AS SELECT id, lsoa FROM ({source}) WHERE lsoa IS NOT NULL
            QUALIFY row_number() OVER (PARTITION BY id ORDER BY file, row) = 1"""
    )


_PRACTICE = f"""SELECT practice, name, NULL::VARCHAR AS pcn, NULL::VARCHAR AS place, file, row FROM omop_site
    UNION ALL SELECT '{ALL}', 'People without a care site', NULL, NULL, arg_min(file, (file, row)),
        arg_min(row, (file, row))
    FROM omop_person WHERE nowhere AND person_id IN (SELECT id FROM omop_first) HAVING count(*) > 0"""

# A missing month: July, the middle of the year, unless observation began before it, so that nothing is "before birth".
_PERSON = """SELECT p.person,
    CASE WHEN year_of_birth IS NULL THEN left(birth_datetime, 7)
        WHEN month_of_birth IS NOT NULL THEN whole_of(year_of_birth) || '-' || lpad(whole_of(month_of_birth), 2, '0')
        ELSE least(coalesce(first.month, '9'), whole_of(year_of_birth) || '-07') END AS birth_month,
    CASE whole_of(gender_concept_id) WHEN '8507' THEN 'male' WHEN '8532' THEN 'female' WHEN '8521' THEN 'unknown'
        WHEN '8551' THEN 'unknown' ELSE gender_source_value END AS sex,
    e.text AS ethnicity, imd_decile, imd_vintage, d.day AS died_on, coalesce(p.lsoa, l.lsoa) AS lsoa,
    p.file, p.row
    FROM omop_person AS p
    LEFT JOIN omop_ethnic AS e ON e.source = coalesce(race_source_concept_id, '')
        AND e.concept = coalesce(race_concept_id, '') AND e.value = coalesce(race_source_value, '')
    LEFT JOIN omop_death AS d ON d.id = p.person_id
    LEFT JOIN omop_lsoa AS l ON l.id = p.location_id
    LEFT JOIN omop_first AS first ON first.id = p.person_id AND left(first.month, 4) = whole_of(year_of_birth)"""


def _registration(source: str) -> str:
    return f"""SELECT coalesce(own.person, 'no person ' || {plain_id("o.person_id")}) AS person,
        coalesce(own.practice, '{ALL}') AS practice, observation_period_start_date AS started_on,
        CASE WHEN day_of(observation_period_end_date) >= (SELECT day::DATE FROM omop_through) THEN NULL
            ELSE observation_period_end_date END AS ended_on, o.file, o.row
        FROM {source} AS o LEFT JOIN omop_own AS own ON own.person_id = {plain_id("o.person_id")}"""


def _left_and_refused(raw: Mapping[str, str]) -> dict[str, str]:
    """Deaths are said by the person's row; care sites that are nobody's practice and places are dictionaries."""
    left = [
        f"SELECT {lit(Left.DICTIONARY)} AS reason, file, row FROM {raw[name]}"
        for name in ("location", "cdm_source")
        if name in raw
    ]
    refused = []
    if "care_site" in raw:
        left.append(
            f"""SELECT {lit(Left.DICTIONARY)} AS reason, c.file, c.row FROM {raw["care_site"]} AS c
                WHERE NOT EXISTS (SELECT 1 FROM omop_site AS s WHERE s.file = c.file AND s.row = c.row)"""
        )
    if "death" in raw:
        joined = f"{raw['death']} AS d LEFT JOIN omop_own AS own ON own.person_id = {plain_id('d.person_id')}"
        left.append(
            f"SELECT {lit(Left.SAID_AGAIN)} AS reason, d.file, d.row FROM {joined}"
            " WHERE own.person IS NOT NULL AND death_date IS NOT NULL"
        )
        refused.append(
            f"""SELECT CASE WHEN d.person_id IS NULL OR own.person IS NOT NULL THEN {lit(Refusal.MISSING)}
                ELSE {lit(Refusal.UNKNOWN_PERSON)} END AS reason,
                CASE WHEN own.person IS NULL THEN 'person_id' ELSE 'death_date' END AS "column", own.practice,
                d.file, d.row FROM {joined} WHERE own.person IS NULL OR death_date IS NULL"""
        )
    nothing = "0::INTEGER AS file, 0::BIGINT AS row WHERE false"
    return {
        "left": " UNION ALL ".join(left) or f"SELECT '' AS reason, {nothing}",
        "refused": " UNION ALL ".join(refused) or f"SELECT '' AS reason, '' AS \"column\", '' AS practice, {nothing}",
    }
