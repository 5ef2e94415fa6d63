"""OMOP CDM 5.4: a folder of its tables as CSV or Parquet, a DuckDB file, or a PostgreSQL database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

from casefinding.records import events
from casefinding.records.cells import install_lookup
from casefinding.records.engine import Engine, lit
from casefinding.records.extract import Extract
from casefinding.records.reasons import Left
from casefinding.records.sources.omop.codes import NO_ANSWERS, install_codes, install_concepts
from casefinding.records.sources.omop.people import install_people, plain_id
from casefinding.records.sources.omop.tables import look

ENTRIES = {
    # table: how its columns are named, and the column of its day
    "condition_occurrence": ("condition", "condition_start_date"),
    "measurement": ("measurement", "measurement_date"),
    "observation": ("observation", "observation_date"),
    "drug_exposure": ("drug", "drug_exposure_start_date"),
    "procedure_occurrence": ("procedure", "procedure_date"),
    "visit_occurrence": ("visit", "visit_start_date"),
}
VALUED = ("measurement", "observation")
OPERATORS = {"4171754": "<=", "4171755": ">=", "4171756": "<", "4172704": ">"}
"""operator_concept_id, from the standard vocabularies; 4172703 is "=", which says nothing."""
AFTER_ENTRIES, AFTER_RELEASE = 31, 92
"""Days after the last entries within which an end of observation, or the source's release day, is believed."""
CUT, CUT_FEWEST = 0.1, 20
"""The share and number of observation periods that end on one day only because the extract does."""

NOTES = (
    "OMOP has no day of recording: every entry counts as recorded on the day it happened, so that backdating cannot be "
    "seen, and what was known on an earlier day is overstated.",
    "OMOP has no registrations: observation periods serve as them. One that reaches the end of the extract goes on.",
    "The practice is the care site of the person, which OMOP holds once: earlier practices are not known. People "
    "without a care site are at one practice, called OMOP.",
    "Where a month of birth is missing, July is taken, or the month in which observation began if that is earlier in "
    "the year of birth.",
    "Of the codes of an entry SNOMED CT or dm+d counts, else the source concept, else the standard concept, else the "
    "source value. A concept that no concept table explains is the code OMOP//id, which no list here knows.",
    "An answer that says how somebody is (has never smoked) is the event, in place of its question; an observation "
    "that is answered No is left out; of a question about the family only the question is kept.",
    "Race is read as ethnicity: first the NHS category, then the source value, then the concept. Hispanic origin has "
    "no place in the 5+1 groups. Deprivation is not known to OMOP.",
)


def find(path: str | Path, *, at_practice: bool = False) -> Extract:
    """Look at the tables of an OMOP extract: a folder, a file NAME.duckdb, or the address of a PostgreSQL database (or
    a file that holds it). Databases are read only.

    OMOP marks nothing as confidential, so `at_practice` changes nothing.
    Raises RecordsError for a missing table or column, or a database that cannot be opened.
    """
    found = look(path)

    def tables(engine: Engine) -> Mapping[str, str]:
        raw = found.read(engine)
        there = [name for name in ENTRIES if name in raw]
        install_lookup(engine, "omop_operator", OPERATORS)
        keys = {name: _keys(raw[name], name) for name in there}
        used = [f"SELECT unnest([source, standard, answer]) AS id FROM ({sql})" for sql in keys.values()]
        used += [f"SELECT unit_concept_id FROM {raw[name]}" for name in there if name in VALUED]
        used.append(f"SELECT race_source_concept_id FROM {raw['person']}")
        install_concepts(engine, _CONCEPT.format(raw["concept"]) if "concept" in raw else None, used)
        install_codes(engine, keys)
        engine.run(f"CREATE TABLE omop_through AS SELECT {lit(_last_day(engine, raw).isoformat())} AS day")
        native = install_people(engine, raw)
        left, refused = [native["left"]], [native["refused"]]
        for name in there:
            left.append(f"SELECT {_LEFT[name]} AS reason, r.file, r.row {_from(raw, name)} WHERE reason IS NOT NULL")
            refused.append(
                f"""SELECT c.fault, {lit(f"{ENTRIES[name][0]}_source_value")}, own.practice, r.file, r.row
                    {_from(raw, name)} LEFT JOIN omop_own AS own ON own.person_id = {plain_id("r.person_id")}
                    WHERE c.fault IS NOT NULL AND {_LEFT[name]} IS NULL"""
            )
        if "concept" in raw:
            left.append(f"SELECT {lit(Left.DICTIONARY)}, file, row FROM {raw['concept']}")
        return {
            **native,
            "event": " UNION ALL ".join(_event(raw, name) for name in there),
            "left": " UNION ALL ".join(left),
            "refused": " UNION ALL ".join(refused),
        }

    return Extract(
        kind="omop",
        parts=found.parts,
        tables=tables,
        last_day=lambda _: "SELECT day FROM omop_through",
        notes=(*NOTES, *found.notes),
    )


_CONCEPT = f"""SELECT {plain_id("concept_id")}, concept_name, domain_id, vocabulary_id, concept_class_id, concept_code,
    file, row FROM {{}}"""
_DENIES = ", ".join(map(lit, NO_ANSWERS))
_LEFT = dict.fromkeys(ENTRIES, "NULL::VARCHAR") | {
    "observation": f"""coalesce(c."left", CASE WHEN r.value_as_number IS NULL
        AND lower(r.value_as_string) IN ({_DENIES}) THEN {lit(Left.NOT_ASKED)} END)"""
}


def _columns(name: str) -> tuple[str, str, str, str]:
    """SQL for the key of a row's code: source concept, standard concept, source value, answer; '' where empty."""
    own = ENTRIES[name][0]
    answer = "coalesce(value_as_concept_id, '')" if name in VALUED else "''"
    return (
        f"coalesce({own}_source_concept_id, '')",
        f"coalesce({own}_concept_id, '')",
        f"coalesce({own}_source_value, '')",
        answer,
    )


def _keys(source: str, name: str) -> str:
    cells = ", ".join(
        f"{sql} AS {word}" for sql, word in zip(_columns(name), ("source", "standard", "value", "answer"), strict=True)
    )
    return f"SELECT DISTINCT {cells} FROM {source}"


def _from(raw: Mapping[str, str], name: str) -> str:
    """FROM: the rows of a table (r), each with its code (c)."""
    source, standard, value, answer = _columns(name)
    return f"""FROM {raw[name]} AS r JOIN omop_code AS c ON c.name = {lit(name)} AND c.source = {source}
        AND c.standard = {standard} AND c.value = {value} AND c.answer = {answer}"""


def _event(raw: Mapping[str, str], name: str) -> str:
    day = ENTRIES[name][1]
    system, code, term, value, unit, joins = "c.system", "c.code", "c.term", "NULL::VARCHAR", "NULL::VARCHAR", ""
    if name in VALUED:
        spare = "value_source_value" if name == "measurement" else "value_as_string"
        # A data frame writes NaN where there is no number.
        number = f"""coalesce(operator.name || nullif(value_as_number, 'nan'), nullif(lower(value_as_number), 'nan'),
            CASE WHEN is_number({spare}) THEN {spare} END)"""
        value, unit = number, "coalesce(u.code, r.unit_source_value)"
        joins = "LEFT JOIN omop_unit AS u ON u.id = r.unit_concept_id"
        operator = plain_id("r.operator_concept_id") if name == "measurement" else "NULL"
        joins += f" LEFT JOIN omop_operator AS operator ON operator.text = {operator}"
    if name == "observation":
        joins += " LEFT JOIN omop_answer_text AS said ON said.text = lower(r.value_as_string)"
        system = "CASE WHEN said.name IS NULL THEN c.system ELSE 'snomed' END"
        code = "coalesce(said.name, c.code)"
        term = "CASE WHEN said.name IS NULL THEN c.term ELSE r.value_as_string END"
    return f"""SELECT coalesce(own.person, 'no person ' || r.person_id) AS person, r.{day} AS happened_on,
        NULL::VARCHAR AS recorded_on, {system} AS system, {code} AS code, {term} AS term, {value} AS value,
        {unit} AS unit, r.file, r.row
        {_from(raw, name)} LEFT JOIN omop_own AS own ON own.person_id = {plain_id("r.person_id")} {joins}
        WHERE c.fault IS NULL AND {_LEFT[name]} IS NULL"""


def _last_day(engine: Engine, raw: Mapping[str, str]) -> dt.date:
    """The last day of the extract: the latest day on which a tenth of all observation ends, since that is where it was
    cut; else that of the entries, or a little later if observation or the source's release says so.

    Ends in the far future (2099-12-31) stand for "goes on", and are not believed.
    """
    days = " UNION ALL ".join(
        f"SELECT person_id AS person, {ENTRIES[name][1]} AS happened_on, NULL::VARCHAR AS recorded_on FROM {raw[name]}"
        for name in ENTRIES
        if name in raw
    )
    last = events.last_day(engine, days)
    ends = f"SELECT day_of(observation_period_end_date) AS day FROM {raw['observation_period']}"
    soon = _date(last + dt.timedelta(days=AFTER_ENTRIES))
    ((cut, latest),) = engine.rows(
        f"""SELECT max(day) FILTER (n >= greatest({CUT_FEWEST}, every * {CUT})), max(day) FROM (
            SELECT day, count(*) AS n, sum(count(*)) OVER () AS every FROM ({ends}) GROUP BY day) WHERE day <= {soon}"""
    )
    if cut:
        return cut
    release = None
    if "cdm_source" in raw:
        believed = _date(last + dt.timedelta(days=AFTER_RELEASE))
        ((release,),) = engine.rows(
            f"""SELECT max(day) FROM (SELECT day_of(source_release_date) AS day FROM {raw["cdm_source"]})
                WHERE day <= {believed}"""
        )
    return max(day for day in (last, latest, release) if day)


def _date(day: dt.date) -> str:
    return f"DATE '{day.isoformat()}'"
