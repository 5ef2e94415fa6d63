"""A native extract as a dataset in the Medical Event Data Standard, version 0.4. For tests only.

Written without a look at the product's own exporter. Numbers are numeric_value; a reading with a comparator keeps its
text too. Static facts (sex, ethnic group, decile) have no time. A registration is a row at its start and one at its
end, and its practice stands in the code. The standard has no place for a unit or for the day of recording: both
stand in columns of their own, `unit` and `recorded_time`, which it allows. Pseudonyms turn into whole numbers.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.writers.omop import load_native

VOCABULARIES = {"snomed": "SNOMED", "dmd": "DMD", "loinc": "LOINC", "rxnorm": "RXNORM"}


def write_meds(native: Path, out: Path, *, shards: int = 2, extra: bool = True) -> dict[str, int]:
    """Write data/SPLIT/N.parquet and metadata/ to the folder `out`; gives each pseudonym's subject_id.

    Without `extra`, only the five columns of the standard are written: units and days of recording are lost.
    """
    con = load_native(native)
    names = " ".join(f"WHEN '{system}' THEN '{name}'" for system, name in VOCABULARIES.items())
    con.execute(
        """CREATE TABLE who AS SELECT *, (100 + row_number() OVER (ORDER BY person))::BIGINT AS subject_id
           FROM (SELECT * FROM person WHERE person IS NOT NULL QUALIFY row_number() OVER (PARTITION BY person
           ORDER BY birth_month, sex, died_on) = 1)"""
    )
    con.execute(
        f"""CREATE TABLE datum AS
        SELECT subject_id, NULL::TIMESTAMP AS time, 'GENDER//' || CASE sex WHEN 'female' THEN 'F' WHEN 'male' THEN 'M'
            ELSE 'U' END AS code, NULL::FLOAT AS numeric_value, NULL::VARCHAR AS text_value, NULL::VARCHAR AS unit,
            NULL::TIMESTAMP AS recorded_time, NULL::VARCHAR AS term FROM who
        UNION ALL SELECT subject_id, NULL, 'ETHNICITY//' || ethnicity, NULL, NULL, NULL, NULL, NULL FROM who
            WHERE ethnicity IS NOT NULL
        UNION ALL SELECT subject_id, NULL, 'IMD_DECILE//' || imd_vintage, try_cast(imd_decile AS FLOAT), NULL, NULL,
            NULL, NULL FROM who WHERE try_cast(imd_decile AS FLOAT) IS NOT NULL
        UNION ALL SELECT subject_id, try_cast(birth_month || '-01' AS TIMESTAMP), 'MEDS_BIRTH', NULL, NULL, NULL, NULL,
            NULL FROM who WHERE try_cast(birth_month || '-01' AS TIMESTAMP) IS NOT NULL
        UNION ALL SELECT subject_id, try_cast(died_on AS TIMESTAMP), 'MEDS_DEATH', NULL, NULL, NULL, NULL, NULL FROM who
            WHERE try_cast(died_on AS TIMESTAMP) IS NOT NULL
        UNION ALL SELECT subject_id, try_cast(started_on AS TIMESTAMP), 'REGISTRATION_START//' || practice, NULL, NULL,
            NULL, NULL, NULL FROM registration JOIN who USING (person)
            WHERE try_cast(started_on AS TIMESTAMP) IS NOT NULL
        UNION ALL SELECT subject_id, try_cast(ended_on AS TIMESTAMP), 'REGISTRATION_END//' || practice, NULL, NULL,
            NULL, NULL, NULL FROM registration JOIN who USING (person) WHERE try_cast(ended_on AS TIMESTAMP) IS NOT NULL
        UNION ALL SELECT subject_id, try_cast(happened_on AS TIMESTAMP), CASE system {names} ELSE upper(system) END
            || '//' || code, try_cast(ltrim(value, '<>= ') AS FLOAT), CASE WHEN try_cast(value AS FLOAT) IS NULL
            THEN value END,
            unit, try_cast(recorded_on AS TIMESTAMP), term FROM event JOIN who USING (person)
            WHERE code IS NOT NULL AND try_cast(happened_on AS TIMESTAMP) IS NOT NULL"""
    )
    metadata = out / "metadata"
    metadata.mkdir(parents=True, exist_ok=True)
    more = ", unit, recorded_time" if extra else ""
    for number in range(shards):
        split = "train" if number < shards - 1 or shards == 1 else "held_out"
        (out / "data" / split).mkdir(parents=True, exist_ok=True)
        con.execute(
            f"""COPY (SELECT subject_id, time, code, numeric_value, text_value{more} FROM datum
            WHERE subject_id % {shards} = {number}
            ORDER BY subject_id, time NULLS FIRST, code, numeric_value, text_value)
            TO '{out}/data/{split}/{number}.parquet' (FORMAT parquet)"""
        )
    con.execute(
        f"""COPY (SELECT subject_id, CASE WHEN {shards} > 1 AND subject_id % {shards} = {shards - 1} THEN 'held_out'
        ELSE 'train' END AS split FROM who ORDER BY subject_id) 
        TO '{metadata}/subject_splits.parquet' (FORMAT parquet)"""
    )
    con.execute(
        f"""COPY (SELECT code, max(term) AS description, []::VARCHAR[] AS parent_codes FROM datum GROUP BY code
        ORDER BY code) TO '{metadata}/codes.parquet' (FORMAT parquet)"""
    )
    about = {"dataset_name": "simulated", "dataset_version": "1", "etl_name": "tests", "meds_version": "0.4.0"}
    (metadata / "dataset.json").write_text(json.dumps(about), encoding="utf-8")
    numbers = dict(con.execute("SELECT person, subject_id FROM who").fetchall())
    con.close()
    return numbers
