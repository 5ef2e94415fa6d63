"""Which code an entry of an OMOP table carries: by its concepts, else by its source value; once a combination."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pyarrow as pa

from casefinding.definitions.codes import id_fault
from casefinding.nhs_number import looks_real
from casefinding.records.cells import SYSTEMS, install_lookup
from casefinding.records.engine import Engine, lit
from casefinding.records.reasons import Left, Refusal
from casefinding.records.sources.synthea import SMOKING

NO_ANSWERS = ("no", "absent", "not present", "known absent", "none", "n", "false")
"""Answers in words that deny the question of an observation: such a row is no event."""
NO_CONCEPTS = ("4188540", "45878245", "4132135")
"""No (SNOMED CT), No (LOINC) and Absent, as concept ids of the standard vocabularies."""
NO_CODES = ("373067005", "2667000", "410516002", "LA32-8")
"""No, Absent, Known absent and LOINC's No, as codes."""
STATES = ("clinical finding", "finding", "context-dependent", "disorder", "clinical observation", "observation")
"""Concept classes of answers that say how somebody is: never a qualifier such as Yes."""

_SYSTEM_OF = {text: name for name, texts in SYSTEMS.items() for text in texts}
_SHAPES = (
    re.compile(r"(https?://[^|\s]+)\|(\S{1,40})\Z"),
    re.compile(r"([A-Za-z][A-Za-z0-9+ ._-]{0,29}?) ?(?://|[:/|]) ?(\S{1,40})\Z"),
)
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,19}\Z")
_PARTITIONS = ("00", "10")  # of ids of concepts (SNOMED CT, Technical Implementation Guide): not of terms
_FIRST, _KNOWN, _NAMED, _BARE, _OTHER, _NAMED_OTHER, _ID, _STANDARD_ID = 1, 2, 3, 4, 5, 6, 7, 8
"""Which of several codes of one entry counts, the lowest first: SNOMED CT and dm+d (0 by concept, 1 named by the source
value), other systems of ours (by concept, named, alone), unknown vocabularies likewise, and concept ids at last."""
_RANK = f"CASE WHEN c.system IN ('snomed', 'dmd') THEN 0 WHEN c.system = 'other' THEN {_OTHER} ELSE {_KNOWN} END"


def read_source_value(text: str, drug: bool = False) -> tuple[str, str, int] | None:
    """(system, code, rank) of a source value, or None if it is none of the documented shapes.

    Shapes: VOCABULARY:code, VOCABULARY/code, VOCABULARY//code, VOCABULARY|code or a FHIR address|code (an unknown
    vocabulary gives system "other"); an id alone that proves itself by partition and check digit: SNOMED CT, or dm+d
    for a drug, and LOINC; for a drug, else, an RxNorm number of up to 7 digits.

    >>> read_source_value("SNOMED:38341003"), read_source_value("Read/H33.."), read_source_value("8480-6")
    (('snomed', '38341003', 1), ('read2', 'H33..', 3), ('loinc', '8480-6', 4))
    >>> read_source_value("CVX//140"), read_source_value("seen at home"), read_source_value("38341004")
    (('other', 'CVX//140', 6), None, None)
    """
    for shape in _SHAPES:
        found = shape.match(text)
        if found:
            vocabulary, code = found.groups()
            system = _SYSTEM_OF.get(vocabulary.lower())
            if system and system not in ("other", "area"):
                return system, five_bytes(system, code), _FIRST if system in ("snomed", "dmd") else _NAMED
            # An unknown vocabulary must not look like a sentence, nor its code like a word or somebody's number.
            plain = (
                _PLAIN.match(code) and any(map(str.isdigit, code)) and not looks_real(code) and " " not in vocabulary
            )
            return ("other", f"{vocabulary}//{code}", _NAMED_OTHER) if plain else None
    if text.isascii() and text.isdigit():
        system = "dmd" if drug else "snomed"
        if text[-3:-1] in _PARTITIONS and not id_fault(system, text):
            return system, text, _BARE
        return ("rxnorm", text, _BARE) if drug and len(text) <= 7 and not id_fault("rxnorm", text) else None
    return ("loinc", text, _BARE) if not id_fault("loinc", text) else None


def five_bytes(system: str, code: str) -> str:
    """A Read code without the two characters that only choose among its terms, as OMOP's vocabulary Read carries them.

    >>> five_bytes("read2", "H33..00"), five_bytes("icd10", "I48.0")
    ('H33..', 'I48.0')
    """
    return code[:5] if system == "read2" and len(code) == 7 else code


def install_concepts(engine: Engine, concept: str | None, used: Sequence[str]) -> None:
    """Make `omop_concept`: id (text), system, code, name, domain, class and vocabulary of the concepts that are used;
    and `omop_unit`: the units among them, by the id as it stands in the rows.

    `concept` is SQL over the concept table, or None; every `used` is SQL that yields concept ids. A concept of an
    unknown vocabulary gets system "other" and code VOCABULARY//code; 0 and codes of no vocabulary none.
    """
    engine.run(
        f"""CREATE TABLE omop_used AS SELECT DISTINCT id AS said, whole_of(id) AS id
            FROM ({" UNION ALL ".join(used)}) WHERE id <> ''"""
    )
    source = concept or "SELECT ''" + ", ''" * 5 + ", 0 AS file, 0 AS row WHERE false"
    engine.run(
        f"""CREATE TABLE omop_concept AS
        WITH read(id, name, domain, vocabulary, class, code, file, row) AS ({source})
        SELECT read.id, coalesce(s.name, 'other') AS system, CASE
                WHEN s.name = 'read2' AND length(code) = 7 THEN left(code, 5)
                WHEN s.name IS NULL THEN replace(vocabulary, ' ', '_') || '//' || code ELSE code END AS code,
            read.name, lower(domain) AS domain, lower(class) AS class, vocabulary
        FROM read LEFT JOIN system_text AS s ON s.text = lower(vocabulary)
        WHERE read.id IN (SELECT id FROM omop_used) AND read.id <> '0' AND code IS NOT NULL
            AND lower(coalesce(vocabulary, 'none')) <> 'none'
        QUALIFY row_number() OVER (PARTITION BY read.id ORDER BY file, row) = 1"""
    )
    engine.run(
        """CREATE TABLE omop_unit AS SELECT u.said AS id, split_part(c.code, '//', 2) AS code
           FROM omop_used AS u JOIN omop_concept AS c USING (id) WHERE c.vocabulary = 'UCUM'"""
    )


def install_codes(engine: Engine, keys: Mapping[str, str]) -> None:
    """Make `omop_code`: for each (name, source, standard, value, answer) of `keys` its system, code, term, `fault`
    (a refusal, or NULL) and `left` (a reason to leave the row, or NULL).

    `keys` is, by table, SQL that yields (source, standard, value, answer): concept ids and the source value as they
    stand, '' where empty. Of an entry's concepts the one of SNOMED CT or dm+d counts, else the source concept, else the
    standard one; a source value that names its vocabulary comes after the former, one that does not after the latter;
    a concept that no table explains is "OMOP//id". An answer that is a state of the person (a finding on smoking) takes
    the place of the question; of a question about the family it never does.
    """
    every = " UNION ALL ".join(f"SELECT {lit(name)} AS name, * FROM ({sql})" for name, sql in keys.items())
    engine.run(
        f"""CREATE TABLE omop_key AS SELECT name, source, standard, value, answer, whole_of(source) AS source_id,
            whole_of(standard) AS standard_id, whole_of(answer) AS answer_id
            FROM (SELECT DISTINCT * FROM ({every}))"""
    )
    _source_values(engine)
    install_lookup(engine, "omop_answer_text", SMOKING)
    engine.run(
        f"""CREATE TABLE omop_choice AS
        WITH candidate AS (
            SELECT k.name, k.source, k.standard, k.value, k.answer, c.system, c.code, c.name AS term, {_RANK} AS rank
            FROM omop_key AS k JOIN omop_concept AS c ON c.id = k.source_id
            UNION ALL SELECT k.name, source, standard, value, answer, c.system, c.code, c.name, {_RANK} + 0.5
            FROM omop_key AS k JOIN omop_concept AS c ON c.id = k.standard_id
            UNION ALL SELECT k.name, source, standard, value, answer, t.system, t.code, NULL, t.rank
            FROM omop_key AS k JOIN omop_text AS t ON t.text = k.value AND t.drug = (k.name = 'drug_exposure')
            UNION ALL SELECT name, source, standard, value, answer, 'other', 'OMOP//' || source_id, NULL, {_ID}
            FROM omop_key WHERE regexp_full_match(source_id, '[1-9][0-9]*')
            UNION ALL SELECT name, source, standard, value, answer, 'other', 'OMOP//' || standard_id, NULL,
                {_STANDARD_ID}
            FROM omop_key WHERE regexp_full_match(standard_id, '[1-9][0-9]*'))
        SELECT * FROM candidate
        QUALIFY row_number() OVER (PARTITION BY name, source, standard, value, answer
            ORDER BY rank, system, code) = 1"""
    )
    states = ", ".join(map(lit, STATES))
    engine.run(
        f"""CREATE TABLE omop_code AS
        SELECT k.name, k.source, k.standard, k.value, k.answer,
            CASE WHEN states THEN coalesce(said.system_said, c.system) ELSE c.system END AS system,
            CASE WHEN states THEN coalesce(said.code_said, c.code) ELSE c.code END AS code,
            CASE WHEN states THEN coalesce(said.term, c.term) ELSE c.term END AS term,
            CASE WHEN c.code IS NOT NULL OR (states AND said.code_said IS NOT NULL) THEN NULL
                WHEN k.value = '' THEN {lit(Refusal.MISSING)} ELSE {lit(Refusal.BAD_CODE)} END AS fault,
            CASE WHEN k.name = 'observation' AND (k.answer_id IN ({", ".join(map(lit, NO_CONCEPTS))}) OR said.denies)
                THEN {lit(Left.NOT_ASKED)} END AS "left"
        FROM omop_key AS k LEFT JOIN omop_choice AS c USING (name, source, standard, value, answer)
        LEFT JOIN (
            SELECT a.id, coalesce(CASE WHEN text.name IS NOT NULL THEN 'snomed' END,
                    CASE WHEN a.system = 'snomed' AND a.domain = 'observation' AND (a.class IS NULL
                    OR a.class IN ({states})) THEN 'snomed' END) AS system_said,
                CASE WHEN system_said IS NOT NULL THEN coalesce(text.name, a.code) END AS code_said, a.name AS term,
                a.code IN ({", ".join(map(lit, NO_CODES))}) OR lower(a.name) IN ({", ".join(map(lit, NO_ANSWERS))})
                OR split_part(a.code, '//', 2) IN ({", ".join(map(lit, NO_CODES))}) AS denies
            FROM omop_concept AS a LEFT JOIN omop_answer_text AS text
                ON text.text = lower(a.name) AND a.system <> 'snomed') AS said
            ON said.id = k.answer_id
        CROSS JOIN LATERAL (SELECT k.name = 'observation' AND said.code_said IS NOT NULL
            AND NOT contains(lower(coalesce(c.term, '')), 'family') AS states) AS decided"""
    )


def _source_values(engine: Engine) -> None:
    """Make `omop_text` of the source values that can be read; free text is neither read nor kept."""
    types = (pa.string(), pa.bool_(), pa.string(), pa.string(), pa.int64())
    schema = pa.schema(list(zip(("text", "drug", "system", "code", "rank"), types, strict=True)))
    found: list[tuple[str, bool, str, str, int]] = []
    values = """SELECT DISTINCT value, name = 'drug_exposure' AS drug FROM omop_key
        WHERE value <> '' AND length(value) <= 80 AND (NOT contains(value, ' ') OR regexp_matches(value, '[:/|]'))
        ORDER BY ALL"""
    for batch in engine.batches(values):
        for text, drug in zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True):
            read = read_source_value(text, drug)
            if read:
                found.append((text, drug, *read))
    columns = list(zip(*found, strict=True)) or [()] * len(schema)
    engine.take("omop_text", pa.table([list(column) for column in columns], schema=schema))
