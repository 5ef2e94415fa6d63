"""FHIR: GP Connect structured bundles (STU3), UK Core bundles and resources (R4), JSON or XML, and bulk ndjson."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from casefinding.errors import RecordsError
from casefinding.nhs_number import looks_real
from casefinding.records.engine import Engine, lit
from casefinding.records.extract import Extract
from casefinding.records.reasons import Left, Refusal
from casefinding.records.sources.fhir.files import find_files, read_resources
from casefinding.records.sources.fhir.resources import TABLES, real_numbers, rows_of
from casefinding.records.staging import Staging

NOTES = (
    "FHIR: the pseudonym is the identifier under the NHS number's system, else the Patient's id, which must then be "
    "one person's alone in the whole extract. A Patient of two bundles or practices is one person by that.",
    "FHIR: a registration is an EpisodeOfCare without a type or of a type that speaks of registration, else the "
    "registration period of the Patient; with neither, the Patient's general practice (or managing organisation) "
    "serves as the practice from their first entry on. A registration without a start begins then too.",
    "FHIR: prescriptions and encounters carry no day of entry: the day they happened is taken. Of a month or a year "
    "the first day is taken, of a moment the day in the United Kingdom.",
    "FHIR: a plan or statement of a drug is left where the issues it stands behind are there; without them it is "
    "one event. A header of a panel without a value is left beside its members or components.",
    "FHIR says nothing of networks and places, and of deprivation only what 'casefinding pseudonymise' added.",
)


def find(path: Path, *, at_practice: bool = False) -> Extract:
    """Look at the files of a FHIR extract: one file, or a folder of files.

    `at_practice`: resources labelled restricted (R, V) come in too. Raises RecordsError if there is no file of it.
    """
    parts = tuple(find_files(Path(path)))

    def tables(engine: Engine) -> Mapping[str, str]:
        with Staging(engine, TABLES) as staged:
            for number, part in enumerate(parts):
                row = 0
                for found in read_resources(part, number):
                    row += 1
                    if any(looks_real(said) for said in real_numbers(found.resource)):
                        raise _real_number(f"{part.name}:{row}")
                    for table, cells in rows_of(found, f"{number}.{row}", at_practice):
                        staged.add(table, number, row, cells)
                staged.read(number, row)
        for made in (*_RESOLVED, _CODE, _OUT, _REGISTERED):
            engine.run(made)
        return {"practice": _PRACTICE, "person": _PERSON, "registration": _REGISTRATION, "event": _EVENT,
                "left": _LEFT, "refused": _REFUSED}  # fmt: skip

    return Extract(kind="fhir", parts=parts, tables=tables, notes=NOTES)


def _real_number(where: str) -> RecordsError:
    return RecordsError(
        "a Patient holds what looks like an NHS number, which must not enter the store",
        where=where,
        hint="replace the numbers with pseudonyms where the records are kept (casefinding pseudonymise)",
    )


def _resolved(table: str, kind: str, asked: str) -> str:
    """SQL for a table (scope, exact, tail, target): what each reference names, in its own bundle first.

    Keys that stand for two things name neither.
    """
    return f"""CREATE TABLE {table} AS
        WITH asked AS (SELECT DISTINCT scope, exact, tail FROM ({asked}) WHERE tail IS NOT NULL),
        own AS (SELECT scope, key, min(target) AS target FROM fhir_key WHERE kind = '{kind}' GROUP BY ALL
                HAVING count(DISTINCT target) = 1),
        every AS (SELECT key, min(target) AS target FROM fhir_key WHERE kind = '{kind}' GROUP BY ALL
                HAVING count(DISTINCT target) = 1)
        SELECT asked.*, coalesce(a.target, b.target, c.target, d.target) AS target FROM asked
        LEFT JOIN own AS a ON a.scope = asked.scope AND a.key = asked.exact LEFT JOIN every AS b ON b.key = asked.exact
        LEFT JOIN own AS c ON c.scope = asked.scope AND c.key = asked.tail LEFT JOIN every AS d ON d.key = asked.tail"""


def _named(table: str, on: str, exact: str = "exact", tail: str = "tail") -> str:
    here = f"{table}.exact = {on}.{exact} AND {table}.tail = {on}.{tail}"
    return f"LEFT JOIN {table} ON {table}.scope = {on}.scope AND {here}"


_AT = """SELECT scope, at_exact AS exact, at_tail AS tail FROM fhir_stay
    UNION ALL SELECT scope, exact, tail FROM fhir_person"""
_WHO = "SELECT scope, exact, tail FROM fhir_entry UNION ALL SELECT scope, exact, tail FROM fhir_stay"
_WHAT = "SELECT scope, drug_exact AS exact, drug_tail AS tail FROM fhir_entry"
_RESOLVED = (
    _resolved("fhir_who", "Patient", _WHO),
    _resolved("fhir_at", "Organization", _AT),
    _resolved("fhir_what", "Medication", _WHAT),
)

# An organisation that is not in the extract goes by the id that refers to it; without a short code it gets a number.
_CODE = r"""CREATE TABLE fhir_code AS
    WITH every AS (SELECT scope, exact, tail,
        coalesce(target, regexp_replace(tail, '^(?:~?Organization/|identifier:)', '')) AS target FROM fhir_at),
    plain AS (SELECT DISTINCT target, regexp_full_match(target, '[A-Za-z0-9][A-Za-z0-9_-]{0,19}') AS short FROM every),
    coded AS (SELECT target, CASE WHEN short THEN target ELSE format('FHIR-{:04d}',
        row_number() OVER (PARTITION BY short ORDER BY target)) END AS practice FROM plain)
    SELECT every.*, practice FROM every JOIN coded USING (target)"""

_PLACED = """SELECT p.*, fhir_code.practice FROM fhir_person AS p
    LEFT JOIN fhir_code ON fhir_code.scope = p.scope AND fhir_code.exact = p.exact AND fhir_code.tail = p.tail"""

_ENTRY = f"""SELECT e.*, coalesce(fhir_who.target, e.tail) AS person FROM fhir_entry AS e {_named("fhir_who", "e")}"""

# Rows that are left: all of a person who is confidential, what a later state or a deletion replaces, and what stands
# behind the issues of a drug.
_OUT = f"""CREATE TABLE fhir_out AS
    WITH every AS (SELECT file, row, self, updated FROM fhir_entry
        UNION ALL SELECT file, row, self, updated FROM fhir_stay
        UNION ALL SELECT file, row, self, updated FROM fhir_person WHERE within IS NULL),
    again AS (SELECT self FROM every WHERE self IS NOT NULL GROUP BY self
        HAVING count(DISTINCT (file, row)) > 1),
    ranked AS (SELECT file, row, rank() OVER (PARTITION BY self ORDER BY coalesce(updated, '') DESC) AS place
        FROM every JOIN again USING (self)),
    secret AS (SELECT DISTINCT person FROM fhir_person WHERE secret IS NOT NULL),
    coded AS (SELECT e.scope, e.own, e.based, e.step FROM fhir_entry AS e
        {_named("fhir_what", "e", "drug_exact", "drug_tail")}
        WHERE e.step IN ('0', '1') AND coalesce(e.code, fhir_what.target) IS NOT NULL),
    issues AS (SELECT DISTINCT scope, based FROM coded WHERE step = '0' AND based IS NOT NULL),
    requests AS (SELECT DISTINCT scope, own FROM coded WHERE own IS NOT NULL)
    SELECT file, row, min(reason) AS reason FROM (
        SELECT file, row, {lit(Left.REPLACED)} AS reason FROM ranked WHERE place > 1
        UNION ALL SELECT file, row, {lit(Left.DELETED)} FROM every WHERE self IN (SELECT self FROM fhir_deleted)
        UNION ALL SELECT file, row, {lit(Left.CONFIDENTIAL)} FROM (SELECT file, row, person FROM fhir_person
            UNION ALL SELECT file, row, person FROM ({_ENTRY})) WHERE person IN (SELECT person FROM secret)
        UNION ALL SELECT s.file, s.row, {lit(Left.CONFIDENTIAL)} FROM fhir_stay AS s {_named("fhir_who", "s")}
            WHERE fhir_who.target IN (SELECT person FROM secret)
        UNION ALL SELECT e.file, e.row, {lit(Left.SAID_AGAIN)} FROM fhir_entry AS e JOIN issues
            ON issues.scope = e.scope AND issues.based = e.own WHERE e.step = '1'
        UNION ALL SELECT e.file, e.row, {lit(Left.SAID_AGAIN)} FROM fhir_entry AS e JOIN requests
            ON requests.scope = e.scope AND requests.own = e.based WHERE e.step = '2'
        UNION ALL SELECT h.file, h.row, {lit(Left.SAID_AGAIN)} FROM fhir_entry AS h
            SEMI JOIN fhir_entry AS m ON m.scope = h.scope AND m.own = h.based AND m.value IS NOT NULL
            WHERE h.step = 'header'
    ) GROUP BY file, row"""

_REGISTERED = f"""CREATE TABLE fhir_registered AS
    WITH stay AS (SELECT fhir_who.target AS known, coalesce(fhir_who.target, s.tail) AS person, fhir_code.practice,
            s.started, s.ended, s.file, s.row FROM fhir_stay AS s {_named("fhir_who", "s")}
            {_named("fhir_code", "s", "at_exact", "at_tail")}
            ANTI JOIN fhir_out AS o ON o.file = s.file AND o.row = s.row),
    placed AS (SELECT p.* FROM ({_PLACED}) AS p ANTI JOIN fhir_out AS o ON o.file = p.file AND o.row = p.row
            WHERE person IS NOT NULL AND person NOT IN (SELECT known FROM stay WHERE known IS NOT NULL)),
    said AS (SELECT person, practice, started, ended, file, row FROM placed WHERE period IS NOT NULL),
    rest AS (SELECT person, practice, NULL AS started, NULL AS ended, min(file) AS file,
            arg_min(row, (file, row)) AS row FROM placed
            WHERE practice IS NOT NULL AND person NOT IN (SELECT person FROM said) GROUP BY ALL),
    every AS (SELECT person, practice, started, ended, file, row FROM stay UNION ALL FROM said
            UNION ALL FROM rest),
    first AS (SELECT person, min(happened) AS day FROM ({_ENTRY}) AS e
            WHERE day_of(happened) IS NOT NULL AND person IN (SELECT person FROM every WHERE started IS NULL)
            GROUP BY person)
    SELECT person, practice, coalesce(started, first.day) AS started_on, ended AS ended_on, file, row
    FROM every LEFT JOIN first USING (person)"""

_CHOSEN = """SELECT c.practice, p.target, p.name, p.file, p.row FROM fhir_practice AS p
    JOIN (SELECT DISTINCT target, practice FROM fhir_code) AS c USING (target)
    WHERE c.practice IN (SELECT practice FROM fhir_registered)
    QUALIFY row_number() OVER (PARTITION BY c.practice ORDER BY p.name IS NULL, p.file, p.row) = 1"""

_PRACTICE = f"""SELECT practice, name, NULL::VARCHAR AS pcn, NULL::VARCHAR AS place, file, row FROM ({_CHOSEN})
    UNION ALL SELECT practice, NULL, NULL, NULL, min(file), arg_min(row, (file, row)) FROM fhir_registered
        WHERE practice IS NOT NULL AND practice NOT IN (SELECT practice FROM ({_CHOSEN})) GROUP BY practice"""

_PERSON = """SELECT p.person, p.born AS birth_month, p.sex, p.ethnicity, p.decile AS imd_decile,
        p.vintage AS imd_vintage, p.died AS died_on, p.lsoa, p.file, p.row FROM fhir_person AS p
    ANTI JOIN fhir_out AS o ON o.file = p.file AND o.row = p.row
    WHERE p.within IS NULL
        OR p.person NOT IN (SELECT person FROM fhir_person WHERE within IS NULL AND person IS NOT NULL)
    QUALIFY p.within IS NULL OR row_number() OVER (PARTITION BY p.within, p.person, p.born, p.sex, p.ethnicity, p.died,
            p.decile, p.vintage, p.lsoa
        ORDER BY p.file, p.row) = 1"""

_REGISTRATION = "SELECT person, practice, started_on, ended_on, file, row FROM fhir_registered"


def _said(cell: str, place: int) -> str:
    """A cell of the coding: of the Medication that is referred to, if any is."""
    there = f"nullif(split_part(fhir_what.target, chr(31), {place}), '')"
    return f"CASE WHEN e.drug_tail IS NULL THEN e.{cell} ELSE {there} END AS {cell}"


_EVENT = f"""SELECT e.person, e.happened AS happened_on, e.recorded AS recorded_on,
        {_said("system", 1)}, {_said("code", 2)}, {_said("term", 3)}, e.value, e.unit, e.file, e.row
    FROM ({_ENTRY}) AS e {_named("fhir_what", "e", "drug_exact", "drug_tail")}
    ANTI JOIN fhir_out AS o ON o.file = e.file AND o.row = e.row"""

_LEFT = f"""SELECT reason, file, row FROM fhir_out UNION ALL SELECT reason, file, row FROM fhir_left
    UNION ALL SELECT CASE WHEN practice IN (SELECT practice FROM fhir_registered) THEN {lit(Left.SAID_AGAIN)}
            ELSE {lit(Left.NOBODY)} END, p.file, p.row FROM fhir_practice AS p
        LEFT JOIN (SELECT DISTINCT target, practice FROM fhir_code) AS c USING (target)
        ANTI JOIN ({_CHOSEN}) AS kept ON kept.file = p.file AND kept.row = p.row WHERE p.within IS NULL
    UNION ALL SELECT CASE WHEN self IN (SELECT self FROM fhir_entry WHERE self IS NOT NULL
            UNION ALL SELECT self FROM fhir_stay WHERE self IS NOT NULL
            UNION ALL SELECT self FROM fhir_person WHERE self IS NOT NULL) THEN {lit(Left.DELETED)}
            ELSE {lit(Left.NEVER_SEEN)} END, d.file, d.row FROM fhir_deleted AS d"""

_REFUSED = f"""SELECT {lit(Refusal.UNREADABLE)} AS reason, '' AS "column", '' AS practice, file, row
    FROM fhir_unreadable"""
