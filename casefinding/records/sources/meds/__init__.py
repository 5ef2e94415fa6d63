"""MEDS 0.4 datasets (data/**/*.parquet, metadata/): our own export, and what others make of their records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from casefinding.errors import RecordsError
from casefinding.nhs_number import looks_real
from casefinding.records.engine import Engine, lit
from casefinding.records.events import last_day
from casefinding.records.extract import Extract
from casefinding.records.meds import layout as meds
from casefinding.records.reasons import Left, Refusal
from casefinding.records.sources.meds import files
from casefinding.records.sources.meds.codes import EVENT, read_code

LONE_PRACTICE = "MEDS"
"""The practice of everybody whose dataset says nothing of registrations."""

NOTES = (
    "What is said without a time has no day and cannot be an event: sex, ethnicity and deprivation are read, the rest "
    "is left. Text that is no number is left out of an entry.",
    "Of several statements on sex or ethnicity one is taken: one without a time, else the latest.",
)
NO_RECORDED = (
    "MEDS has no recorded date: the day an entry is made is taken to be the day it happened, so that backdating cannot "
    "be seen."
)
NO_REACH = (
    "Nothing in MEDS says how far a dataset reaches: it is taken from the days of its entries, registrations and "
    "deaths, without lone late ones."
)


def find(path: Path) -> Extract:
    """Look at the files of a MEDS dataset; raises RecordsError for a missing or broken file or an unreadable column."""
    shards = files.shards(path)
    cells = [files.cells(part) for part in shards]
    metadata = path / meds.METADATA
    beside = {name: metadata / name for name in (meds.CODES, meds.PRACTICES) if (metadata / name).is_file()}
    looked = {name: files.look(path, file) for name, file in beside.items()}
    parts = (*shards, *looked.values())
    places = {name: len(shards) + position for position, name in enumerate(looked)}
    about = files.about(metadata / meds.DATASET)
    through = files.data_through(about)
    ours = about.get("etl_name") == meds.ABOUT_US
    known = files.descriptions(looked[meds.CODES]) if meds.CODES in looked else {}
    practices = ""
    if meds.PRACTICES in looked:
        practices = files.practices(looked[meds.PRACTICES], places[meds.PRACTICES])

    def tables(engine: Engine) -> Mapping[str, str]:
        for number, part in enumerate(parts):
            engine.rows_read[number] = files.rows_of(part)
        rows = [
            files.select(part, taken, number) for number, (part, taken) in enumerate(zip(shards, cells, strict=True))
        ]
        engine.run(f"CREATE VIEW meds_row AS {' UNION ALL '.join(rows)}")
        _read_codes(engine, known, ours)
        for statement in _GATHERED:
            engine.run(statement)
        _refuse_identifiers(engine)
        _refuse_without_births(engine)
        left = _LEFT
        if meds.CODES in places:
            left += f" UNION ALL {_numbered(engine, places[meds.CODES])}"
        return {
            "practice": " UNION ALL ".join((practices or _PRACTICE, _NOWHERE)),
            "person": _PERSON,
            "registration": _REGISTRATION,
            "event": _EVENT,
            "contact": _CONTACT,
            "left": left,
            "refused": _REFUSED,
        }

    return Extract(
        kind="meds",
        parts=parts,
        tables=tables,
        data_through=through,
        last_day=_last_day,
        notes=NOTES if through else (NO_REACH, *NOTES),
        told=_told,
    )


def _read_codes(engine: Engine, known: Mapping[str, tuple[str | None, Sequence[str]]], ours: bool) -> None:
    """Make `meds_code`: what every code of the dataset says, each read once."""
    codes = [code for (code,) in engine.rows("SELECT DISTINCT code FROM meds_row WHERE code IS NOT NULL ORDER BY code")]
    about = [known.get(code, (None, ())) for code in codes]
    read = [read_code(code, parents, ours=ours) for code, (_, parents) in zip(codes, about, strict=True)]
    texts = {
        "code": codes,
        "term": [term for term, _ in about],
        **{name: [getattr(one, name) for one in read] for name in ("kind", "system", "id", "unit", "said")},
    }
    columns = {name: pa.array(column, pa.string()) for name, column in texts.items()}
    engine.take(
        "meds_code", pa.table({**columns, "understood": pa.array([one.understood for one in read], pa.bool_())})
    )


def _told(engine: Engine) -> list[str]:
    """What the rows do not say: when they were recorded, and who was registered where."""
    ((entries, recorded),) = engine.rows(f"SELECT count(*), count(recorded_on) FROM ({_EVENT})")
    ((nowhere,),) = engine.rows("SELECT count(*) FROM meds_nowhere")
    notes = [NO_RECORDED] if entries and not recorded else []
    if nowhere:
        who = "1 person has" if nowhere == 1 else f"{nowhere:,} people have"
        notes.append(
            f"{who} no {meds.START}: they are taken to be registered at one practice, '{LONE_PRACTICE}', from "
            "their first entry to their last."
        )
    return notes


def _last_day(engine: Engine) -> str:
    """SQL for the last day that the dataset seems to speak of: of entries, registrations and deaths."""
    spoken = f"""SELECT person, happened_on, recorded_on FROM ({_EVENT})
        UNION ALL SELECT subject, day, NULL FROM meds_about WHERE kind IN ('start', 'end', 'death')"""
    return f"SELECT {lit(last_day(engine, spoken).isoformat())}"


def _refuse_identifiers(engine: Engine) -> None:
    """A subject_id of ten digits that pass the NHS number's check stops everything."""
    found = engine.rows("SELECT subject FROM meds_subject WHERE regexp_full_match(subject, 's[1-9][0-9]{9}')")
    if any(looks_real(subject[1:]) for (subject,) in found):
        raise RecordsError(
            "the subject_id column holds what look like NHS numbers, which must not enter the store",
            where="subject_id",
            hint="number the subjects anew where the records are kept; ids of ten digits are taken for NHS numbers",
        )


def _refuse_without_births(engine: Engine) -> None:
    ((births,),) = engine.rows("SELECT count(*) FROM meds_born WHERE day IS NOT NULL")
    if not births:
        raise RecordsError(
            f"no subject has a {meds.BIRTH} with a time, so that nobody's age is known",
            where=meds.DATA,
            hint=f"write one {meds.BIRTH} for every subject",
        )


def _numbered(engine: Engine, file: int) -> str:
    """SQL for `left`: every row of a dictionary."""
    return (
        f"SELECT {lit(Left.DICTIONARY)} AS reason, {file}::INTEGER AS file, range + 1 AS row"
        f" FROM range({engine.rows_read[file]})"
    )


_DAY = "coalesce(r.happened, r.day)"
_LASTING = f"({_DAY} IS NULL AND r.subject IS NOT NULL AND r.code IS NOT NULL)"
_WHOLE = "length(day) = 10 AND day >= '1900-01-01'"
_A_FILE = 1 << 40
"""More rows than a file holds, so that file and row are one number."""

_GATHERED = (
    # What is no entry of the record: a few rows a person.
    f"""CREATE TABLE meds_about AS
    SELECT r.subject, r.day, r.value, r.text, c.kind, coalesce(nullif(c.said, ''), r.text) AS said, c.understood,
        r.file, r.row
    FROM meds_row AS r JOIN meds_code AS c ON c.code = r.code WHERE c.kind <> {lit(EVENT)}""",
    f"""CREATE TABLE meds_subject AS
    SELECT subject, min(day) FILTER (entry AND {_WHOLE}) AS first_day, max(day) FILTER (entry AND {_WHOLE}) AS last_day,
        min(place) // {_A_FILE} AS file, min(place) % {_A_FILE} AS row
    FROM (SELECT r.subject, {_DAY} AS day, c.kind = {lit(EVENT)} AS entry,
            r.file::BIGINT * {_A_FILE} + r.row AS place
        FROM meds_row AS r LEFT JOIN meds_code AS c ON c.code = r.code WHERE r.subject IS NOT NULL)
    GROUP BY subject""",
    "CREATE TABLE meds_born AS SELECT subject, day, file, row FROM meds_about WHERE kind = 'birth'",
    # One statement of each kind is taken: the first by `place`.
    """CREATE TABLE meds_said AS
    SELECT *, row_number() OVER same AS place, first_value({said: said, value: value, text: text}) OVER same
        = {said: said, value: value, text: text} AND (kind <> 'death' OR first_value(day) OVER same = day) AS again
    FROM meds_about WHERE kind IN ('sex', 'ethnicity', 'decile', 'death')
    WINDOW same AS (PARTITION BY subject, kind ORDER BY understood DESC, (kind <> 'death' AND day IS NULL) DESC,
        CASE WHEN kind = 'death' THEN day END NULLS LAST, day DESC, said DESC, value, text, file, row)""",
    f"""CREATE TABLE meds_who AS
    SELECT subject, max(said) FILTER (kind = 'sex') AS sex,
        max(coalesce(text, said)) FILTER (kind = 'ethnicity') AS ethnicity,
        max(value) FILTER (kind = 'decile') AS decile, max(said) FILTER (kind = 'decile') AS vintage,
        max(coalesce(day, {lit(files.UNREADABLE)})) FILTER (kind = 'death') AS died_on
    FROM meds_said WHERE place = 1 AND subject IS NOT NULL GROUP BY subject""",
    # An end belongs to the start of the same number; where they are not numbered, to a start on or before its day.
    """CREATE TABLE meds_spell AS
    SELECT s.subject, s.said AS practice, s.day AS started_on, e.day AS ended_on, s.file, s.row,
        e.file AS end_file, e.row AS end_row
    FROM (SELECT * FROM meds_about WHERE kind = 'start') AS s
    LEFT JOIN (SELECT * FROM meds_about WHERE kind = 'end') AS e
        ON e.subject = s.subject AND e.said = s.said
        AND CASE WHEN s.value IS NULL OR e.value IS NULL THEN e.day >= s.day ELSE e.value = s.value END
    QUALIFY row_number() OVER (PARTITION BY s.file, s.row ORDER BY e.day NULLS LAST, e.file, e.row) = 1""",
    """CREATE TABLE meds_nowhere AS
    SELECT b.subject, any_value(m.first_day) AS started_on, any_value(m.last_day) AS ended_on,
        min(b.file) AS file, arg_min(b.row, (b.file, b.row)) AS row
    FROM meds_born AS b JOIN meds_subject AS m ON m.subject = b.subject
    WHERE b.subject NOT IN (SELECT subject FROM meds_about WHERE kind = 'start' AND subject IS NOT NULL)
    GROUP BY b.subject""",
)

_PRACTICE = """SELECT s.practice, any_value(c.term) AS name, NULL::VARCHAR AS pcn, NULL::VARCHAR AS place,
        min(s.file) AS file, arg_min(s.row, (s.file, s.row)) AS row
    FROM meds_spell AS s LEFT JOIN meds_code AS c ON c.kind = 'start' AND c.said = s.practice
    WHERE s.practice IS NOT NULL GROUP BY s.practice"""
_NOWHERE = f"""SELECT {lit(LONE_PRACTICE)}, 'All subjects', NULL, NULL, min(file), arg_min(row, (file, row))
    FROM meds_nowhere HAVING count(*) > 0"""

_PERSON = """SELECT b.subject AS person, b.day AS birth_month, w.sex, w.ethnicity, w.decile AS imd_decile,
        w.vintage AS imd_vintage, w.died_on, NULL::VARCHAR AS lsoa, b.file, b.row
    FROM (SELECT * FROM meds_born UNION ALL SELECT subject, NULL, file, row FROM meds_subject
          WHERE subject NOT IN (SELECT subject FROM meds_born WHERE subject IS NOT NULL)) AS b
    LEFT JOIN meds_who AS w ON w.subject = b.subject"""

_REGISTRATION = f"""SELECT subject AS person, practice, started_on, ended_on, file, row FROM meds_spell
    UNION ALL SELECT subject, said, NULL, day, file, row FROM meds_about WHERE kind = 'end'
        AND (file, row) NOT IN (SELECT (end_file, end_row) FROM meds_spell WHERE end_row IS NOT NULL)
    UNION ALL SELECT subject, {lit(LONE_PRACTICE)}, started_on, ended_on, file, row FROM meds_nowhere"""

# The text of a number that says the same and "<" or ">" as well goes before the bare number.
_VALUE = """CASE WHEN is_number(r.text) AND (r.value IS NULL OR (r.comparator IS NULL AND comparator_of(r.text) > 0
    AND number_of(r.text) = number_of(r.value))) THEN r.text ELSE r.value END"""
_EVENT = f"""SELECT r.subject AS person, {_DAY} AS happened_on, r.recorded AS recorded_on,
        coalesce(c.system, 'other') AS system, c.id AS code, c.term,
        CASE WHEN r.comparator IN ('<', '<=', '>', '>=') THEN r.comparator || {_VALUE} ELSE {_VALUE} END AS value,
        CASE WHEN {_VALUE} IS NOT NULL THEN coalesce(r.unit, c.unit) ELSE r.unit END AS unit, r.file, r.row
    FROM meds_row AS r LEFT JOIN meds_code AS c ON c.code = r.code
    WHERE coalesce(c.kind, {lit(EVENT)}) = {lit(EVENT)} AND NOT {_LASTING}"""

_CONTACT = """SELECT subject AS person, regexp_replace(said, '//[^/]*$', '') AS condition,
        regexp_extract(said, '//([^/]*)$', 1) AS kind, day AS "on", file, row FROM meds_about WHERE kind = 'contact'"""

_BORN = "subject IN (SELECT subject FROM meds_born WHERE subject IS NOT NULL)"
_LEFT = f"""SELECT {lit(Left.NOT_ASKED)} AS reason, r.file, r.row
    FROM meds_row AS r JOIN meds_code AS c ON c.code = r.code WHERE c.kind = {lit(EVENT)} AND {_LASTING}
    UNION ALL SELECT CASE WHEN place = 1 OR again THEN {lit(Left.SAID_AGAIN)} ELSE {lit(Left.REPLACED)} END, file, row
        FROM meds_said WHERE {_BORN}
    UNION ALL SELECT DISTINCT {lit(Left.SAID_AGAIN)}, end_file, end_row FROM meds_spell WHERE end_row IS NOT NULL"""
_REFUSED = f"""SELECT CASE WHEN subject IS NULL THEN {lit(Refusal.MISSING)} ELSE {lit(Refusal.PERSON_REFUSED)} END
        AS reason, 'subject_id' AS "column", '' AS practice, file, row
    FROM meds_said WHERE subject IS NULL OR NOT {_BORN}"""
