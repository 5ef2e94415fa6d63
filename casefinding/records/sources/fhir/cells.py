"""The cells of FHIR (STU3 and R4): texts, references, codings, numbers and days, whatever stands in their place."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from casefinding.records.sources.fhir.files import Resource, many

SYSTEMS = {
    "http://snomed.info/sct": "snomed", "urn:oid:2.16.840.1.113883.6.96": "snomed",
    "https://dmd.nhs.uk": "dmd", "http://dmd.nhs.uk": "dmd", "urn:oid:2.16.840.1.113883.2.1.6.4": "dmd",
    "http://loinc.org": "loinc", "http://www.nlm.nih.gov/research/umls/rxnorm": "rxnorm",
    "http://read.info/readv2": "read2", "https://fhir.hl7.org.uk/id/read-codes": "read2",
    "http://read.info/ctv3": "ctv3", "https://fhir.hl7.org.uk/id/ctv3": "ctv3",
    "http://hl7.org/fhir/sid/icd-10": "icd10", "http://hl7.org/fhir/sid/icd-10-uk": "icd10",
    "https://fhir.hl7.org.uk/id/icd-10": "icd10", "https://fhir.hl7.org.uk/id/opcs-4": "opcs4",
    "https://fhir.hl7.org.uk/id/emis-local-codes": "emis", "https://fhir.hl7.org.uk/id/emis-drug-codes": "emis",
}  # fmt: skip
"""Addresses of code systems, in lower case, and their names in the store."""
ORDER = ("snomed", "dmd", "loinc", "rxnorm", "emis", "read2", "ctv3", "icd10", "opcs4")
"""Of several codings for one entry the first of these counts."""

_NUMBER = re.compile(r"(?:(?:<=|>=|<|>) *)?[+-]?[0-9]+(?:\.[0-9]+)?\Z")
_TAIL = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9.-]+)\Z")


def text(value: Any) -> str | None:
    """A trimmed text that any file can hold, None if it is empty or no text."""
    if not isinstance(value, str):
        return None
    if not (value.isascii() and value.isprintable()):  # half a character, a null or a mark that we use ourselves
        value = value.encode("utf-8", "replace").decode("utf-8").replace("\0", "").replace("\x1f", " ")
    return value.strip() or None


def inside(resource: Resource, value: Any) -> Resource | None:
    """The contained resource that a reference names."""
    said = text(value.get("reference")) if isinstance(value, dict) else None
    if not said or not said.startswith("#"):
        return None
    return next((one for one in many(resource.get("contained")) if text(one.get("id")) in (said[1:], said)), None)


def reference(value: Any, kind: str, resource: Resource, row: str = "") -> tuple[str | None, str | None]:
    """The two keys under which what a reference names may be found; (None, None) if it names nothing.

    An absolute address falls back on its Type/id only where the resource itself came without an address ("~").

    >>> reference({"reference": "https://a.nhs.uk/Patient/1/_history/2"}, "Patient", {})
    ('https://a.nhs.uk/Patient/1', '~Patient/1')
    >>> reference({"reference": "urn:uuid:0A"}, "Patient", {}), reference({"reference": "Patient/1"}, "Patient", {})
    (('urn:uuid:0a', 'Patient/0a'), ('Patient/1', 'Patient/1'))
    """
    if isinstance(value, list):
        value = value[0] if value else None
    if not isinstance(value, dict):
        return None, None
    said = text(value.get("reference"))
    if said is None:
        held = value.get("identifier")
        number = text(held.get("value")) if isinstance(held, dict) else None
        return (f"identifier:{number}", f"identifier:{number}") if number else (None, None)
    if said.startswith("#"):
        key = f"{row}{said}"
        return key, key
    said = said.split("/_history/")[0]
    if said.lower().startswith("urn:"):
        return said.lower(), f"{kind}/{said.lower().rpartition(':')[2]}"
    tail = tail_of(said, kind)
    return (said, f"~{tail}") if "://" in said else (tail, tail)


def tail_of(said: str, kind: str) -> str:
    found = _TAIL.search(said.split("/_history/")[0])
    return f"{found[1]}/{found[2]}" if found else f"{kind}/{said}"


def coded(concept: Any, drug: bool = False) -> dict[str, str | None]:
    return dict(zip(("system", "code", "term"), chosen(concept, drug), strict=True))


def chosen(concept: Any, drug: bool = False) -> tuple[str | None, str | None, str | None]:
    """(system, code, term) of the coding that counts; drugs under SNOMED's address are dm+d, which are its ids.

    What somebody typed beside a coding is free text: it is read for a drug alone, which is found by its words.
    """
    if not isinstance(concept, dict):
        return None, None, None
    words = text(concept.get("text")) if drug else None
    best: tuple[int, str | None, str, str | None] | None = None
    for coding in many(concept.get("coding")):
        code, address = text(coding.get("code")), text(coding.get("system"))
        if code is None:
            continue
        system = SYSTEMS.get((address or "").lower().rstrip("/"))
        if drug and system == "snomed":
            system = "dmd"
        rank = ORDER.index(system) if system else len(ORDER) + (address is None)
        if system is None and address is not None:
            system, code = "other", f"{address}//{code}"
        if best is None or rank < best[0]:
            best = (rank, system, code, text(coding.get("display")) or words)
    return best[1:] if best else (None, None, words)


def packed(coded: tuple[str | None, ...]) -> str | None:
    return "\x1f".join(one or "" for one in coded) if coded[1] else None


def answers(holder: Resource) -> list[Any]:
    """Answers that are codes themselves."""
    return [one for one in many(holder.get("valueCodeableConcept")) if chosen(one)[0] in ("snomed", "loinc")]


def value_of(holder: Resource) -> dict[str, str | None]:
    """The number of an observation or a component; text that is no number says nothing."""
    quantity = holder.get("valueQuantity")
    if isinstance(quantity, dict):
        number = text(quantity.get("value"))
        sign = text(quantity.get("comparator")) or ""
        ucum = text(quantity.get("code")) if "unitsofmeasure" in str(quantity.get("system")) else None
        return {"value": f"{sign}{number}" if number else None, "unit": ucum or text(quantity.get("unit"))}
    said = text(holder.get("valueInteger")) or text(holder.get("valueString"))
    return {"value": said} if said and _NUMBER.match(said) else {}


def first_day(resource: Resource, names: tuple[str, ...]) -> str | None:
    for name in names:
        value: Any = resource
        for step in name.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        found = day(value, "start") if isinstance(value, dict) else day({"start": value}, "start")
        if found:
            return found
    return None


def day(period: Any, name: str) -> str | None:
    """The day of one end of a period: of a month or a year the first, of a moment the day in the United Kingdom.

    >>> day({"start": "2019"}, "start"), day({"start": "2019-03-28T10:30:00+00:00"}, "start")
    ('2019-01-01', '2019-03-28')
    >>> day({"start": "2019-06-30T23:00:00Z"}, "start"), day({"start": "2019-12-30T23:00:00Z"}, "start")
    ('2019-07-01', '2019-12-30')
    """
    said = text(period.get(name)) if isinstance(period, dict) else None
    if said is None or len(said) == 10:
        return said
    if re.fullmatch(r"\d{4}(-\d{2})?", said):
        return f"{said}-01-01"[:10]
    if re.match(r"\d{4}-\d{2}-\d{2}T23:.*(Z|[+-]00:?00)\Z", said):  # an hour later, in summer, it is the next day
        try:
            start = dt.date.fromisoformat(said[:10])
        except ValueError:
            return said[:10]
        if _last_sunday(start.year, 3) <= start < _last_sunday(start.year, 10):
            return (start + dt.timedelta(days=1)).isoformat()
    return said[:10] if re.match(r"\d{4}-\d{2}-\d{2}T", said) else said


def last_day_of(said: str) -> str:
    """The last day of a month or a year; any other text as `day` reads it."""
    if re.fullmatch(r"\d{4}", said):
        return f"{said}-12-31"
    if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", said) and said[:4] != "9999":
        year, month = int(said[:4]), int(said[5:])
        return f"{said}-{((dt.date(max(year, 1) + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)).day):02d}"
    return day({"end": said}, "end") or said


def _last_sunday(year: int, month: int) -> dt.date:
    last = dt.date(year, month, 31)
    return last - dt.timedelta(days=(last.weekday() + 1) % 7)
