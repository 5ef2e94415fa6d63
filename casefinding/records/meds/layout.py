"""MEDS 0.4, as we write and read it: the folders of a dataset, and the codes that are no code of a system.

Source: the schemas of the Medical Event Data Standard (package `meds` 0.4.1).
"""

from __future__ import annotations

from casefinding.definitions.codes import SYSTEMS

VERSION = "0.4.1"
DATA, METADATA = "data", "metadata"
CODES, SPLITS, DATASET = "codes.parquet", "subject_splits.parquet", "dataset.json"
PRACTICES = "practices.parquet"
"""Ours, in metadata/: practice, name, pcn, place."""
BETWEEN = "//"

BIRTH, DEATH = "MEDS_BIRTH", "MEDS_DEATH"
SEX, ETHNICITY, DECILE = "SEX", "ETHNICITY", "IMD_DECILE"
"""Followed by what is said: SEX//female, ETHNICITY//white (text_value: as recorded), IMD_DECILE//2019 (numeric_value:
the decile)."""
START, END = "REGISTRATION_START", "REGISTRATION_END"
"""Followed by the practice; numeric_value counts a person's registrations, so that an end finds its start."""
CONTACT = "CONTACT"
"""Followed by the condition and the kind of contact."""

PREFIXES = {system: system.upper() for system in SYSTEMS}
"""What stands before the id of each code system: SNOMED//38341003."""
VOCABULARIES = {
    "snomed": "SNOMED", "dmd": "dm+d", "loinc": "LOINC", "rxnorm": "RxNorm", "read2": "Read", "icd10": "ICD10",
    "opcs4": "OPCS4",
}  # fmt: skip
"""Vocabularies as OMOP names them, for `parent_codes` (SNOMED/38341003)."""

COMPARATORS = (None, "<", ">")
"""By the number that the store holds."""
ABOUT_US = "casefinding"
"""The key of dataset.json under which we say how far the records reach and how people were split; also `etl_name`."""


def code_of(prefix: str, *said: str) -> str:
    """A code of several parts.

    >>> code_of("SNOMED", "38341003")
    'SNOMED//38341003'
    """
    return BETWEEN.join((prefix, *said))
