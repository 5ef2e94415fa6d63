"""What one cell says: dates, numbers, sexes and groups, as SQL macros and small look-up tables."""

from __future__ import annotations

from collections.abc import Mapping

from casefinding.records.engine import Engine, lit, quoted
from casefinding.records.reasons import Refusal

_DAY = "(?:19|[2-9][0-9])[0-9]{2}-[0-9]{2}-[0-9]{2}"  # from 1900 on

MACROS = (
    # The shape first, since the engine's own reading also takes 2023-2-3 and "epoch"; then whether the day exists.
    rf"""CREATE MACRO day_of(x) AS CASE
        WHEN regexp_full_match(x, '{_DAY}') THEN try_cast(x AS DATE)
        WHEN regexp_full_match(x, '{_DAY}[T ][0-9]{{2}}:[0-9]{{2}}[0-9:.]*(?:Z|[+-][0-9:]+)?')
        THEN try_cast(left(x, 10) AS DATE) END""",
    """CREATE MACRO month_of(x) AS CASE
        WHEN length(x) = 7 THEN day_of(x || '-01') ELSE date_trunc('month', day_of(x))::DATE END""",
    # A spreadsheet or data frame writes a column of whole numbers with gaps as "3.0".
    r"CREATE MACRO whole_of(x) AS regexp_replace(x, '^([0-9]+)\.0+$', '\1')",
    """CREATE MACRO decile_of(x) AS CASE
        WHEN regexp_full_match(whole_of(x), '0?[1-9]|10') THEN try_cast(whole_of(x) AS TINYINT) END""",
    # "<5" and ">= 90" carry a comparator; the number that follows must be plain.
    r"""CREATE MACRO is_number(x) AS
        regexp_full_match(x, '(?:(?:<=|>=|<|>|≤|≥) *)?[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?')""",
    # + 0 turns minus nought into nought, so that equal readings are equal bytes.
    r"""CREATE MACRO number_of(x) AS CASE
        WHEN regexp_full_match(x, '[0-9]+(?:\.[0-9]+)?') THEN try_cast(x AS FLOAT)
        WHEN is_number(x) THEN try_cast(ltrim(x, '<>=≤≥ ') AS FLOAT) + 0::FLOAT END""",
    """CREATE MACRO comparator_of(x) AS (CASE
        WHEN x IS NULL THEN 0 WHEN x[1] IN ('<', '≤') THEN 1 WHEN x[1] IN ('>', '≥') THEN 2 ELSE 0 END)::TINYINT""",
)

SEXES = {
    "female": ("female", "f", "2"),
    "male": ("male", "m", "1"),
    "unknown": ("", "unknown", "u", "not known", "not specified", "indeterminate", "i", "other", "o", "0", "9"),
}

SYSTEMS = {
    "snomed": ("snomed", "snomed-ct", "snomed ct", "snomedct", "snomed ct uk", "sct", "http://snomed.info/sct"),
    "dmd": ("dmd", "dm+d", "https://dmd.nhs.uk"),
    "loinc": ("loinc", "http://loinc.org"),
    "rxnorm": ("rxnorm", "http://www.nlm.nih.gov/research/umls/rxnorm"),
    "emis": ("emis", "emis local", "emis-local"),
    "read2": ("read2", "read", "read v2", "readv2", "http://read.info/readv2"),
    "ctv3": ("ctv3", "read ctv3", "readctv3", "http://read.info/ctv3"),
    "icd10": ("icd10", "icd-10", "icd10cm", "http://hl7.org/fhir/sid/icd-10"),
    "opcs4": ("opcs4", "opcs-4", "https://fhir.hl7.org.uk/id/opcs-4"),
    "area": ("area",),
    "other": ("other",),
}

_LETTERS = {"white": "ABC", "mixed": "DEFG", "asian": "HJKL", "black": "MNP", "other": "RS", "unknown": "Z"}
# In this order: "white and black caribbean" is mixed, "other white" is white, "black british" is black.
_WORDS = (
    ("unknown", ("unknown", "not stated", "not known", "refused", "not recorded", "declined", "not given")),
    ("mixed", ("mixed", "white and ", "multiple")),
    ("asian", ("asian", "indian", "pakistani", "bangladeshi")),
    ("black", ("black", "african", "caribbean")),
    ("white", ("white", "irish", "gypsy", "roma", "traveller", "british", "english", "scottish", "welsh")),
    ("other", ("other", "chinese", "arab")),
)


def ethnic_group(text: str) -> str | None:
    """One of ETHNICITIES (5+1 groups of the 2001 census, so Chinese is "other"); None if the text is not understood.

    >>> ethnic_group("White and Black Caribbean"), ethnic_group("R"), ethnic_group(""), ethnic_group("7")
    ('mixed', 'other', 'unknown', None)
    """
    plain = " ".join(text.lower().replace("_", " ").split())
    if not plain:
        return "unknown"
    if len(plain) == 1:
        return next((group for group, letters in _LETTERS.items() if plain.upper() in letters), None)
    return next((group for group, words in _WORDS if any(word in plain for word in words)), None)


def install(engine: Engine) -> None:
    """Create the macros and the look-up tables `sex_text` and `system_text`."""
    for macro in MACROS:
        engine.run(macro)
    for table, known in (("sex_text", SEXES), ("system_text", SYSTEMS)):
        install_lookup(engine, table, {text: name for name, texts in known.items() for text in texts})


def install_lookup(engine: Engine, table: str, names: Mapping[str, str]) -> None:
    """A table (text, name) to join with."""
    rows = ", ".join(f"({lit(text)}, {lit(name)})" for text, name in names.items())
    engine.run(f"CREATE TABLE {quoted(table)} AS SELECT * FROM (VALUES {rows}) AS known(text, name)")


def fault(reason: Refusal, column: str = "") -> str:
    """The SQL text that stands for a reason and the column it was found in."""
    return lit(f"{reason}|{column}")


def date_faults(*columns: str) -> str:
    """WHEN clauses for cells that should be days: each `column` beside its parsed `column_day`."""
    return " ".join(
        f"WHEN {column} IS NOT NULL AND {column}_day IS NULL THEN {fault(Refusal.IMPOSSIBLE_DATE, column)}"
        for column in columns
    )
