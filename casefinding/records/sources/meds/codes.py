"""What a code of a MEDS dataset says: an entry of the record, who somebody is, or where they are registered.

MEDS leaves the vocabulary open. Read here: SYSTEM//id as our own export writes it, VOCABULARY//id and VOCABULARY/id as
public datasets do (with a unit as the third part), and `parent_codes` for codes of a hospital's own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from casefinding.records.cells import SYSTEMS, ethnic_group
from casefinding.records.meds import layout as meds

EVENT = "event"
KINDS = {
    meds.BIRTH.lower(): "birth", meds.DEATH.lower(): "death", "sex": "sex", "gender": "sex", "race": "ethnicity",
    "ethnicity": "ethnicity", "ethnic_group": "ethnicity", meds.DECILE.lower(): "decile", meds.START.lower(): "start",
    meds.END.lower(): "end", meds.CONTACT.lower(): "contact",
}  # fmt: skip
"""Codes, or what stands before the bars of codes, that are no entry of the record."""
OURS_ALONE = frozenset({"contact"})
"""Kinds that mean something in our own export alone."""

_MORE = {"snomed": ("snomedctus",), "icd10": ("icd10gm",), "read2": ("readv2",), "ctv3": ("readv3",)}
VOCABULARIES = {
    re.sub(r"[^a-z0-9+]", "", text): system
    for system, texts in SYSTEMS.items()
    for text in (*texts, *_MORE.get(system, ()))
    if "://" not in text
}
OWN_WORDS = frozenset({"area", "emis", "other"})
"""Systems that mean something in our own export alone."""
BETTER = ("snomed", "dmd", "loinc", "rxnorm")
"""Systems that a parent code may name in the place of the code's own, the best first."""
NO_WORD = "MEDS"
"""Stands for the vocabulary of codes that name none."""
_BLANK = re.compile(r"[\s\x00-\x1f]+")
# Words that hold another group's word: an American Indian is not of the group that "Indian" stands for in the census.
_FIRST_PEOPLES = re.compile(r"american indian|alaska|hawaiian|pacific islander|native", re.IGNORECASE)


@dataclass(frozen=True)
class Read:
    """What a code says: its kind (EVENT or one of KINDS); system, id and unit of an entry; `said` of all else."""

    kind: str
    system: str = ""
    id: str = ""
    unit: str | None = None
    said: str = ""
    understood: bool = True


def read_code(code: str, parents: Sequence[str] = (), *, ours: bool = False) -> Read:
    """Read a code; `parents` as in codes.parquet, `ours` for a dataset of our own export.

    >>> read_code("LOINC//8480-6//mmHg")
    Read(kind='event', system='loinc', id='8480-6', unit='mmHg', said='', understood=True)
    >>> read_code("LAB//50912", ["LOINC/2160-0"]).id, read_code("HR").id, read_code("GENDER//F").said
    ('2160-0', 'MEDS//HR', 'F')
    """
    prefix, bars, said = code.partition(meds.BETWEEN)
    kind = KINDS.get((prefix if bars else code.partition("/")[0]).strip().lower())
    if kind is not None and (ours or kind not in OURS_ALONE):
        return _about(kind, said if bars else code.partition("/")[2])
    own = _entry(code, ours)
    if ours or (own is not None and own.system in BETTER):
        return own or _unknown(code)
    return _parent(parents) or own or _unknown(code)


def _about(kind: str, said: str) -> Read:
    said = said.strip()
    if kind != "ethnicity":
        return Read(kind, said=said)
    if _FIRST_PEOPLES.search(said):
        said = "other"
    return Read(kind, said=said, understood=ethnic_group(said) not in (None, "unknown"))


def _entry(code: str, ours: bool) -> Read | None:
    """A code of a system that the store knows; None for any other."""
    prefix, bars, rest = code.partition(meds.BETWEEN)
    if not bars:
        prefix, bars, rest = code.partition("/")
    system = VOCABULARIES.get(re.sub(r"[^a-z0-9+]", "", prefix.lower()))
    if not bars or system is None or (system in OWN_WORDS and not ours):
        return None
    if ours:
        return Read(EVENT, system, rest)
    code_id, _, unit = rest.partition(meds.BETWEEN)
    return Read(EVENT, system, code_id.strip(), unit.strip() or None)


def _parent(parents: Sequence[str]) -> Read | None:
    """The one code of the best system that the parents name; None if they name none, or several of it."""
    named = [read for read in (_entry(parent, ours=False) for parent in parents) if read is not None]
    for system in BETTER:
        ids = {read.id for read in named if read.system == system}
        if len(ids) == 1:
            return Read(EVENT, system, ids.pop())
        if ids:
            return None
    return None


def _unknown(code: str) -> Read:
    """A code of a vocabulary that the store does not know, under its own name and without blanks."""
    named = code if meds.BETWEEN in code else f"{NO_WORD}{meds.BETWEEN}{code}"
    return Read(EVENT, "other", _BLANK.sub("_", named))
