"""A native extract as OMOP CDM 5.4: CSV, Parquet, a DuckDB file or a PostgreSQL database. For tests only.

What OMOP cannot carry is lost, as in any real conversion: the day of recording, the deprivation decile, the primary
care network and place of a practice, contacts, and the month-only birth (day_of_birth stays empty). A code system that
OMOP does not know is vocabulary "None".

Where a code goes: drugs to drug_exposure, readings with a value to measurement, encounters to visit_occurrence (the
visit's own code is the source concept), the rest to condition, procedure or observation by its term.
Registrations are observation periods (one that goes on ends on the last day of the extract, which cdm_source names);
the practice is the care site of the person (OMOP holds one a person: that of the latest registration). Concept ids from
2,000,000,001 on are invented, those of sex, race, visit and operator are public.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import duckdb

VOCABULARIES = {"snomed": "SNOMED", "dmd": "dm+d", "loinc": "LOINC", "rxnorm": "RxNorm"}
RACES = {"White": 8527, "Asian": 8515, "Black": 8516, "Other": 8522, "Mixed": 8522}
SEXES = {"male": 8507, "female": 8532}
OPERATORS = {">=": 4171755, "<=": 4171754, ">": 4172704, "<": 4171756}
FIRST_CONCEPT = 2_000_000_001
INCREMENT = "row_number() OVER (ORDER BY person, happened_on, code, value, unit, recorded_on)"

COMMON = """{id} AS {t}_id, p.person_id, {concept} AS {t}_concept_id, {days}, 32817 AS {t}_type_concept_id{own},
    NULL::INTEGER AS provider_id, NULL::INTEGER AS visit_occurrence_id, NULL::INTEGER AS visit_detail_id,
    e.code AS {t}_source_value, {concept} AS {t}_source_concept_id"""


def table_sql(native: Path, table: str) -> str:
    """SQL for one table of a native extract, in whichever form and however many parts it lies there."""
    for place in (native / table, native):
        for ending, reader in (("parquet", "read_parquet"), ("csv", "read_csv"), ("csv.gz", "read_csv")):
            pattern = f"{place}/{'*' if place != native else table}.{ending}"
            if list(place.glob(f"{'*' if place != native else table}.{ending}")):
                more = ", header=true, all_varchar=true" if reader == "read_csv" else ""
                return f"SELECT * FROM {reader}('{pattern}'{more})"
    raise FileNotFoundError(f"{native}: no table {table}")


def load_native(native: Path, tables: tuple[str, ...] = ("practice", "person", "registration", "event", "extract")):
    """A DuckDB connection with the tables of a native extract."""
    con = duckdb.connect()
    con.execute("SET threads=2")
    for table in tables:
        con.execute(f"CREATE TABLE {table} AS {table_sql(native, table)}")
    return con


def write_omop(native: Path, out: Path, *, form: str = "csv", concepts: bool = True) -> Path:
    """Write the tables of OMOP CDM 5.4 to the folder `out`, one file each, as `csv` or `parquet`.

    Without `concepts` there is no concept table: ids are 0, and codes stand in the source values alone.
    """
    con = load_native(native)
    out.mkdir(parents=True, exist_ok=True)
    for name, sql in _tables(con, concepts):
        con.execute(f"CREATE TABLE cdm_{name} AS {sql}")
        target = out / f"{name}.{form}"
        how = "FORMAT parquet" if form == "parquet" else "FORMAT csv, HEADER"
        con.execute(f"COPY (SELECT * FROM cdm_{name} ORDER BY ALL) TO '{target}' ({how})")
    con.close()
    return out


def write_omop_duckdb(folder: Path, path: Path) -> Path:
    """Load a folder that `write_omop` wrote into a DuckDB file."""
    con = duckdb.connect(str(path))
    for file in sorted(folder.iterdir()):
        read = f"read_parquet('{file}')" if file.suffix == ".parquet" else _typed_csv(file)
        con.execute(f"CREATE TABLE {file.stem} AS SELECT * FROM {read}")
    con.close()
    return path


def write_omop_postgres(folder: Path, dsn: str, schema: str = "cdm") -> None:
    """Load a folder of CSV that `write_omop` wrote into a schema of a PostgreSQL database, by `psql` and COPY."""
    import subprocess

    commands = [f"DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema};"]
    for file in sorted(folder.glob("*.csv")):
        columns = ", ".join(f"{name} {kind}" for name, kind in _columns(file))
        commands.append(f"CREATE TABLE {schema}.{file.stem} ({columns});")
        commands.append(f"\\copy {schema}.{file.stem} FROM '{file}' WITH (FORMAT csv, HEADER true)")
    subprocess.run(
        ["psql", dsn, "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"], input="\n".join(commands), text=True, check=True
    )


def _columns(file: Path) -> Iterator[tuple[str, str]]:
    """Names of a file's columns with their SQL type; the types of CDM 5.4 follow from the names."""
    with open(file, encoding="utf-8", newline="") as handle:
        for name in next(csv.reader(handle)):
            if name.endswith("_date"):
                yield name, "date"
            elif name.endswith("_datetime"):
                yield name, "timestamp"
            elif name in ("value_as_number", "quantity", "range_low", "range_high"):
                yield name, "numeric"
            elif name.endswith(("_id", "_of_birth")) and name not in ("vocabulary_id", "domain_id", "concept_class_id"):
                yield name, "integer"
            else:
                yield name, "varchar"


def _typed_csv(file: Path) -> str:
    types = {"integer": "BIGINT", "numeric": "DOUBLE", "timestamp": "TIMESTAMP", "date": "DATE", "varchar": "VARCHAR"}
    columns = ", ".join(f"'{name}': '{types[kind]}'" for name, kind in _columns(file))
    return f"read_csv('{file}', header=true, columns={{{columns}}})"


def _tables(con: duckdb.DuckDBPyConnection, concepts: bool) -> Iterator[tuple[str, str]]:
    """(table, SQL) in an order in which each may use what the ones before it have made."""
    con.execute(
        """CREATE TABLE care AS SELECT *, row_number() OVER (ORDER BY practice) AS care_site_id FROM practice"""
    )
    con.execute(
        """CREATE TABLE who AS SELECT p.*, row_number() OVER (ORDER BY p.person, birth_month) AS person_id, own.practice
           FROM (SELECT DISTINCT * FROM person) AS p LEFT JOIN (SELECT person, arg_max(practice, started_on) AS practice
           FROM registration GROUP BY person) AS own USING (person)"""
    )
    con.execute(
        """CREATE TABLE key AS SELECT person, min(person_id) AS person_id FROM who WHERE person IS NOT NULL
           GROUP BY person"""
    )
    con.execute(
        r"""CREATE TABLE e AS SELECT event.*, CASE
            WHEN system IN ('dmd', 'rxnorm') THEN 'drug'
            WHEN value IS NOT NULL THEN 'measurement'
            WHEN regexp_matches(lower(term), 'encounter|consultation') THEN 'visit'
            WHEN regexp_matches(lower(term), 'examination|review|monitoring|electrocardiogram$|spirometry|referral|'
                || 'check') THEN 'procedure'
            WHEN regexp_matches(lower(term), 'smok|history|pulse|mrc |refused|resolved|declin|dissent|lives|'
                || 'bound|shows') THEN 'observation' ELSE 'condition' END AS kind FROM event"""
    )
    con.execute(
        f"""CREATE TABLE code AS SELECT *, {FIRST_CONCEPT - 1} + row_number() OVER (ORDER BY system, code, kind) AS id
            FROM (SELECT system, code, kind, max(term) AS term FROM e WHERE code IS NOT NULL
            AND system IN ('snomed', 'dmd', 'loinc', 'rxnorm') GROUP BY ALL)"""
    )
    yield (
        "cdm_source",
        """SELECT 'A simulated population' AS cdm_source_name, 'simulated' AS cdm_source_abbreviation,
        'tests' AS cdm_holder, data_through AS source_release_date, data_through AS cdm_release_date,
        'v5.4' AS cdm_version, 756265 AS cdm_version_concept_id, 'invented' AS vocabulary_version FROM extract""",
    )
    yield (
        "care_site",
        """SELECT care_site_id, name AS care_site_name, 38004446 AS place_of_service_concept_id,
        NULL::INTEGER AS location_id, practice AS care_site_source_value, NULL AS place_of_service_source_value
        FROM care""",
    )
    yield (
        "person",
        f"""SELECT person_id, coalesce({_case("sex", SEXES)}, 0) AS gender_concept_id,
        left(birth_month, 4)::INTEGER AS year_of_birth,
        try_cast(substr(birth_month, 6, 2) AS INTEGER) AS month_of_birth,
        NULL::INTEGER AS day_of_birth, NULL::TIMESTAMP AS birth_datetime,
        {_race("ethnicity")} AS race_concept_id, 0 AS ethnicity_concept_id, NULL::INTEGER AS location_id,
        NULL::INTEGER AS provider_id, care_site_id, person AS person_source_value, sex AS gender_source_value,
        0 AS gender_source_concept_id, ethnicity AS race_source_value, 0 AS race_source_concept_id,
        NULL AS ethnicity_source_value, 0 AS ethnicity_source_concept_id,
        imd_decile, imd_vintage -- as `casefinding pseudonymise` adds them
        FROM who LEFT JOIN care USING (practice) WHERE try_cast(left(birth_month, 4) AS INTEGER) IS NOT NULL""",
    )
    yield (
        "observation_period",
        """SELECT row_number() OVER (ORDER BY person, started_on, practice) AS observation_period_id, person_id,
        started_on AS observation_period_start_date,
        coalesce(ended_on, (SELECT data_through FROM extract)) AS observation_period_end_date,
        32817 AS period_type_concept_id FROM (SELECT DISTINCT * FROM registration) JOIN key USING (person)""",
    )
    yield (
        "death",
        """SELECT person_id, died_on AS death_date, NULL::TIMESTAMP AS death_datetime,
        32817 AS death_type_concept_id, 0 AS cause_concept_id, NULL AS cause_source_value,
        0 AS cause_source_concept_id FROM who WHERE died_on IS NOT NULL""",
    )
    yield from _events(concepts)
    if concepts:
        public = ((8507, "MALE", "Gender", "Gender", "M"), (8532, "FEMALE", "Gender", "Gender", "F"),
                  (8527, "White", "Race", "Race", "5"), (8515, "Asian", "Race", "Race", "2"),
                  (8516, "Black or African American", "Race", "Race", "3"), (8522, "Other Race", "Race", "Race", "UNK"),
                  (9202, "Outpatient Visit", "Visit", "Visit", "OP"))  # fmt: skip
        rows = ", ".join(f"({i}, '{name}', '{domain}', '{vocabulary}', '{domain}', 'S', '{code}', '1970-01-01', "
                         "'2099-12-31', NULL)" for i, name, domain, vocabulary, code in public)  # fmt: skip
        yield (
            "concept",
            f"""SELECT id AS concept_id, coalesce(term, 'No name') AS concept_name,
            {_case("kind", _DOMAINS)} AS domain_id, {_case("system", VOCABULARIES)} AS vocabulary_id,
            'Clinical Observation' AS concept_class_id, 'S' AS standard_concept, code AS concept_code,
            '1970-01-01' AS valid_start_date, '2099-12-31' AS valid_end_date, NULL AS invalid_reason FROM code
            UNION ALL SELECT * FROM (VALUES {rows})""",
        )


_DOMAINS = {"drug": "Drug", "measurement": "Measurement", "visit": "Visit", "procedure": "Procedure",
            "observation": "Observation", "condition": "Condition"}  # fmt: skip


def _events(concepts: bool) -> Iterator[tuple[str, str]]:
    empty = "NULL::VARCHAR"
    number = "try_cast(ltrim(e.value, '<>= ') AS DOUBLE)"
    operator = " ".join(f"WHEN starts_with(e.value, '{sign}') THEN {i}" for sign, i in OPERATORS.items())

    def rows(kind: str, t: str, days: str, own: str = "", concept: str | None = None) -> str:
        known = "coalesce(code.id, 0)" if concepts else "0"
        cells = COMMON.format(id=INCREMENT, t=t, days=days, own=own, concept=known)
        if concept:
            cells = cells.replace(f"{known} AS {t}_concept_id", f"{concept} AS {t}_concept_id")
        return f"""SELECT {cells} FROM e JOIN key AS p USING (person)
            LEFT JOIN code USING (system, code, kind) WHERE e.kind = '{kind}'"""

    def day(name: str) -> str:
        return f"try_cast(happened_on AS DATE) AS {name}_date, NULL::TIMESTAMP AS {name}_datetime"

    yield (
        "condition_occurrence",
        rows(
            "condition",
            "condition",
            f"{day('condition_start')}, NULL::DATE AS condition_end_date, {empty} AS stop_reason",
        ).replace("condition_id", "condition_occurrence_id"),
    )
    yield "measurement", rows(
        "measurement", "measurement", day("measurement"),
        f""", coalesce(CASE {operator} END, 0) AS operator_concept_id, {number} AS value_as_number,
        0 AS value_as_concept_id, 0 AS unit_concept_id, e.unit AS unit_source_value, e.value AS value_source_value""",
    )  # fmt: skip
    yield "observation", rows(
        "observation", "observation", day("observation"),
        f""", NULL::DOUBLE AS value_as_number, {empty} AS value_as_string, 0 AS value_as_concept_id,
        {empty} AS unit_source_value, {empty} AS value_source_value""",
    )  # fmt: skip
    yield "drug_exposure", rows(
        "drug", "drug", f"{day('drug_exposure_start')}, happened_on AS drug_exposure_end_date",
        f", {empty} AS stop_reason, NULL::DOUBLE AS quantity, NULL::INTEGER AS days_supply",
    ).replace("drug_id", "drug_exposure_id")  # fmt: skip
    yield (
        "procedure_occurrence",
        rows("procedure", "procedure", day("procedure")).replace("procedure_id", "procedure_occurrence_id"),
    )
    visit = rows("visit", "visit", f"{day('visit_start')}, happened_on AS visit_end_date", concept="9202")
    visit = visit.replace(
        "NULL::INTEGER AS visit_occurrence_id, NULL::INTEGER AS visit_detail_id,", "own.care_site_id,"
    )
    yield "visit_occurrence", visit.replace("visit_id", "visit_occurrence_id").replace(
        "LEFT JOIN code", "LEFT JOIN (SELECT DISTINCT who.person, care_site_id FROM who JOIN care USING (practice))"
        " AS own USING (person) LEFT JOIN code",
    )  # fmt: skip


def _case(column: str, names: dict[str, object]) -> str:
    words = " ".join(f"WHEN '{key}' THEN {value!r}" for key, value in names.items())
    return f"CASE {column} {words} END"


def _race(column: str) -> str:
    """Standard race concepts for the detailed groups of the census, from the words of their names."""
    return f"""CASE WHEN {column} IS NULL THEN 0 WHEN {column} LIKE 'White and%' OR {column} = 'Other Mixed' THEN 8522
        WHEN {column} LIKE '%White%' THEN 8527 WHEN {column} IN ('Indian', 'Pakistani', 'Bangladeshi', 'Other Asian')
        THEN 8515 WHEN {column} IN ('African', 'Caribbean', 'Other Black') THEN 8516
        WHEN {column} IN ('Chinese', 'Any other ethnic group') THEN 8522 ELSE 0 END"""
