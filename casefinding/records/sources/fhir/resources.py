"""What a FHIR resource says (STU3 and R4): people, practices, registrations and coded entries, as rows to be staged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from casefinding.records.reasons import Left
from casefinding.records.sources.fhir.cells import (
    answers,
    chosen,
    coded,
    day,
    first_day,
    inside,
    last_day_of,
    packed,
    reference,
    tail_of,
    text,
    value_of,
)
from casefinding.records.sources.fhir.files import EVERYWHERE, Found, Resource, many
from casefinding.records.sources.panels import HEADERS

PLACE = ("scope", "exact", "tail")
TABLES: dict[str, tuple[str, ...]] = {
    "fhir_key": ("kind", "scope", "key", "target"),
    "fhir_person": ("scope", "self", "updated", "person", "born", "sex", "ethnicity", "died", "exact", "tail", "period",
                    "started", "ended", "secret", "within", "lsoa", "decile", "vintage"),
    "fhir_practice": ("target", "name", "within"),
    "fhir_stay": (*PLACE, "self", "updated", "at_exact", "at_tail", "started", "ended"),
    "fhir_entry": (*PLACE, "self", "updated", "happened", "recorded", "system", "code", "term", "value", "unit",
                   "drug_exact", "drug_tail", "step", "own", "based"),
    "fhir_deleted": ("self",),
    "fhir_left": ("reason",),
    "fhir_unreadable": ("reason",),
}  # fmt: skip
"""Staged tables. A reference is two keys: `exact`, as it is written, and `tail`, its Type/id."""

NHS_NUMBER = re.compile(r"nhs-?number", re.IGNORECASE)
ODS = re.compile(r"ods-organi[sz]ation-code|ods-code|ods-site-code", re.IGNORECASE)
CODED: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "Observation": ("code", ("effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued"), ("issued",)),
    "Condition": ("code", ("onsetDateTime", "onsetPeriod", "recordedDate", "assertedDate"),
                  ("recordedDate", "assertedDate")),
    "Procedure": ("code", ("performedDateTime", "performedPeriod", "occurrenceDateTime", "occurrencePeriod"),
                  ("recorded",)),
    "Immunization": ("vaccineCode", ("occurrenceDateTime", "date"), ("recorded",)),
    "Encounter": ("type", ("period",), ()),
    "MedicationRequest": ("medicationCodeableConcept", ("authoredOn", "dispenseRequest.validityPeriod"), ()),
    "MedicationStatement": ("medicationCodeableConcept", ("effectiveDateTime", "effectivePeriod", "dateAsserted"), ()),
}  # fmt: skip
"""Types that are entries of the record: the element of the code, those of the day it happened, of the day recorded."""
NOT_SO = {
    "entered-in-error": Left.DELETED, "nullified": Left.DELETED,
    "draft": Left.NOT_ASKED, "cancelled": Left.NOT_ASKED, "planned": Left.NOT_ASKED, "preparation": Left.NOT_ASKED,
    "registered": Left.NOT_ASKED, "not-done": Left.NOT_ASKED, "refuted": Left.NOT_ASKED, "not-taken": Left.NOT_ASKED,
    "booked": Left.NOT_ASKED, "arrived": Left.NOT_ASKED, "noshow": Left.NOT_ASKED, "proposed": Left.NOT_ASKED,
}  # fmt: skip
"""States in which a resource says that something is not, or not yet, the case."""
PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,19}\Z")

Cells = dict[str, str | None]
Row = tuple[str, Cells]


def rows_of(found: Found, row: str, at_practice: bool) -> Iterator[Row]:
    """(staged table, cells) for one resource: at least one, so that every resource is accounted for.

    `row` names the resource among all files. Whatever a resource holds, nothing is raised.
    """
    if found.deletes:
        yield "fhir_deleted", {"self": tail_of(found.deletes, "")}
        return
    resource = found.resource
    kind = resource.get("resourceType") if resource else None
    if resource is None or not isinstance(kind, str):
        yield "fhir_unreadable", {"reason": "unreadable"}
        return
    secret = None if at_practice or not _secret(resource, found.marks) else "1"
    if kind == "Patient":
        yield from _patient(resource, found, secret, row)
    elif secret:
        yield "fhir_left", {"reason": Left.CONFIDENTIAL}
    elif kind == "Organization":
        yield from _organisation(resource, found)
    elif kind == "Medication":
        yield from _keys("Medication", resource, found, packed(chosen(resource.get("code"), drug=True)))
        yield "fhir_left", {"reason": Left.DICTIONARY}
    elif kind == "EpisodeOfCare" and _is_registration(resource):
        yield from _stay(resource, found, row)
    elif kind in CODED or kind == "EpisodeOfCare":
        yield from _entry(kind, resource, found, row)
    else:
        yield "fhir_left", {"reason": Left.NOT_ASKED}


def real_numbers(resource: Resource | None) -> Iterator[str]:
    """The texts of a Patient that must not be an NHS number: its id, and identifiers that say they are one."""
    if resource and resource.get("resourceType") == "Patient":
        yield text(resource.get("id")) or ""
        for one in many(resource.get("identifier")):
            if NHS_NUMBER.search(text(one.get("system")) or "nhs-number"):
                yield text(one.get("value")) or ""
    for inner in many((resource or {}).get("contained")):
        if inner is not resource:
            yield from real_numbers({**inner, "contained": None})


def _secret(resource: Resource, marks: tuple[Any, ...]) -> bool:
    meta = resource.get("meta")
    own = many(meta.get("security")) if isinstance(meta, dict) else []
    return any(mark.get("code") in ("R", "V") for mark in (*own, *marks))


def _patient(resource: Resource, found: Found, secret: str | None, row: str) -> Iterator[Row]:
    place = text(resource.get("id"))
    named = [one for one in many(resource.get("identifier")) if text(one.get("value"))]
    own = [one for one in named if NHS_NUMBER.search(text(one.get("system")) or "")]
    own += [one for one in named if "pseudonym" in (text(one.get("system")) or "").lower()]
    person = text(own[0]["value"]) if own else place or (text(named[0]["value"]) if named else None)
    period = next(_registration_periods(resource.get("extension")), None)
    dead = text(resource.get("deceasedDateTime"))
    died = last_day_of(dead) if dead else "deceased" if str(resource.get("deceasedBoolean")).lower() == "true" else None
    exact, tail = _surgery(resource, row)
    yield from _keys("Patient", resource, found, person)
    yield "fhir_person", {
        "scope": found.scope, "self": _self(resource, found), "updated": _updated(resource), "person": person,
        "born": text(resource.get("birthDate")), "sex": text(resource.get("gender")),
        "ethnicity": _ethnicity(resource.get("extension")), "died": died, "exact": exact, "tail": tail,
        "period": None if period is None else "1", "started": day(period, "start"), "ended": day(period, "end"),
        "secret": secret, **_home(resource.get("extension")),
    }  # fmt: skip


def _home(extensions: Any) -> dict[str, str | None]:
    """What `casefinding pseudonymise` put in place of the address."""
    said = {text(one.get("url")): text(one.get("valueString")) for one in many(extensions)}
    places = (("lsoa", "lsoa"), ("decile", "imd-decile"), ("vintage", "imd-vintage"))
    return {cell: said.get(f"urn:casefinding:{name}") for cell, name in places}


def _surgery(resource: Resource, row: str) -> tuple[str | None, str | None]:
    """The organisation that a patient is registered with, as far as the Patient itself says.

    A general practitioner may be a person: only what says to be an organisation goes before the managing one.
    """
    gp = [one for name in ("generalPractitioner", "careProvider") for one in many(resource.get(name))]
    said = [(one, "Organization/" in str(one.get("reference")) or one.get("type") == "Organization") for one in gp]
    sure = [one for one, organisation in said if organisation]
    unsure = [one for one in gp if str(one.get("reference")).lower().startswith(("urn:", "#"))]
    for one in (*sure, *many(resource.get("managingOrganization")), *unsure):
        exact, tail = reference(one, "Organization", resource, row)
        if tail:
            return exact, tail
    return None, None


def _registration_periods(extensions: Any) -> Iterator[Resource]:
    """The registration period of CareConnect's extensions, however they spell its name."""
    for one in many(extensions):
        name = re.sub("[^a-z]", "", (text(one.get("url")) or "").rpartition("/")[2].lower())
        if name == "registrationperiod" and isinstance(one.get("valuePeriod"), dict):
            yield one["valuePeriod"]
        elif "registrationdetails" in name:
            yield from _registration_periods(one.get("extension"))


def _ethnicity(extensions: Any) -> str | None:
    """The words of an ethnic category, or its letter."""
    for one in many(extensions):
        if "ethniccategory" in (text(one.get("url")) or "").lower():
            for concept in many(one.get("valueCodeableConcept")):
                for coding in (*many(concept.get("coding")), {"display": concept.get("text")}):
                    if said := text(coding.get("display")) or text(coding.get("code")):
                        return said
    return None


def _organisation(resource: Resource, found: Found) -> Iterator[Row]:
    codes = [text(one.get("value")) for one in many(resource.get("identifier")) if ODS.search(str(one.get("system")))]
    target = next((code for code in codes if code and PLAIN_ID.match(code)), None) or text(resource.get("id"))
    if target is None:
        yield "fhir_left", {"reason": Left.NOT_ASKED}
        return
    yield from _keys("Organization", resource, found, target)
    yield "fhir_practice", {"target": target, "name": text(resource.get("name"))}


def _is_registration(resource: Resource) -> bool:
    """An episode without a type, or of a type that speaks of registration."""
    types = many(resource.get("type"))
    codings = [coding for one in types for coding in many(one.get("coding"))]
    said = [one.get(key) for one in (*types, *codings) for key in ("system", "code", "display", "text")]
    return not types or any("regist" in word.lower() for word in said if isinstance(word, str))


def _stay(resource: Resource, found: Found, row: str) -> Iterator[Row]:
    if reason := _not_so(resource):
        yield "fhir_left", {"reason": reason}
        return
    exact, tail = reference(resource.get("patient"), "Patient", resource, row)
    at_exact, at_tail = reference(resource.get("managingOrganization"), "Organization", resource, row)
    period = resource.get("period")
    yield from _contained(resource, found, row)
    yield "fhir_stay", {
        "scope": found.scope, "exact": exact, "tail": tail, "self": _self(resource, found),
        "updated": _updated(resource), "at_exact": at_exact, "at_tail": at_tail,
        "started": day(period, "start"), "ended": day(period, "end"),
    }  # fmt: skip


def _entry(
    kind: str, resource: Resource, found: Found, row: str, head: dict[str, str | None] | None = None
) -> Iterator[Row]:
    """The rows of one coded resource: its own code, its components, its answers, and entries contained in it."""
    element, happened, recorded = CODED.get(kind, ("type", ("period",), ()))
    reason = _not_so(resource)
    drug = kind.startswith("Medication")
    concepts = many(resource.get(element))
    if not reason and kind in ("Encounter", "EpisodeOfCare"):
        concepts = [one for one in concepts if many(one.get("coding"))]
        reason = None if concepts else Left.NOT_ASKED
    if reason:
        if head is None:
            yield "fhir_left", {"reason": reason}
        return
    exact, tail = reference(resource.get("subject") or resource.get("patient"), "Patient", resource, row)
    inherited = head or {}
    base: Cells = {
        "scope": found.scope, "exact": exact or inherited.get("exact"), "tail": tail or inherited.get("tail"),
        "self": inherited.get("self") or _self(resource, found),
        "updated": inherited.get("updated") or _updated(resource),
        "happened": first_day(resource, happened) or inherited.get("happened"),
        "recorded": first_day(resource, recorded) or inherited.get("recorded"),
    }  # fmt: skip
    if drug:
        yield from _drug(kind, resource, found, row, base, concepts)
    else:
        own = text(resource.get("id"))
        base["own"] = tail_of(f"{kind}/{own}", kind) if own and head is None else None
        below = [one for one in many(resource.get("contained")) if one.get("resourceType") == kind]
        parts = [one for one in (*many(resource.get("component")), *below) if value_of(one).get("value") is not None]
        for concept in concepts or [{}]:
            cells = {**base, **coded(concept), **value_of(resource)}
            if cells.get("code") in HEADERS and cells.get("value") is None:
                if parts:
                    continue  # what it holds says it
                cells["step"], cells["based"] = "header", _first_member(resource)
            yield "fhir_entry", cells
            yield from (("fhir_entry", {**base, **coded(answer)}) for answer in answers(resource))
        for part in many(resource.get("component")):
            yield "fhir_entry", {**base, **coded(part.get("code")), **value_of(part)}
            yield from (("fhir_entry", {**base, **coded(answer)}) for answer in answers(part))
    if head is None:
        yield from _contained(resource, found, row)
        for inner in many(resource.get("contained")):
            if inner.get("resourceType") in CODED:
                yield from _entry(str(inner["resourceType"]), {**inner, "contained": None}, found, row, base)


def _first_member(resource: Resource) -> str | None:
    """The Type/id of the first reading that a header names, in R4 or STU3."""
    named = [*many(resource.get("hasMember")), *(one.get("target") for one in many(resource.get("related")))]
    for one in named:
        _, tail = reference(one, "Observation", resource)
        if tail:
            return tail.lstrip("~")
    return None


def _drug(
    kind: str, resource: Resource, found: Found, row: str, base: Cells, concepts: list[Resource]
) -> Iterator[Row]:
    """An issue, or what stands behind issues: a plan (`step` 1) or a statement (2) counts if nothing else does."""
    cells = dict(base)
    at = resource.get("medicationReference")
    within = inside(resource, at)
    if within is not None:
        cells.update(coded(within.get("code"), drug=True))
    elif concepts:
        cells.update(coded(concepts[0], drug=True))
    else:
        cells["drug_exact"], cells["drug_tail"] = reference(at, "Medication", resource)
    behind = "plan" if kind == "MedicationRequest" else ""
    cells["step"] = "2" if not behind else "1" if resource.get("intent") == behind else "0"
    place = text(resource.get("id")) or re.split("[:/]", text(found.url) or "")[-1]
    cells["own"] = tail_of(f"{kind}/{place}", kind) if place else None
    based = [reference(one, "MedicationRequest", resource)[1] for one in many(resource.get("basedOn"))]
    cells["based"] = (based[0] or "").lstrip("~") or None if based else None
    yield "fhir_entry", cells


def _contained(resource: Resource, found: Found, row: str) -> Iterator[Row]:
    """Keys of a patient or an organisation that lies inside a resource, so that #id finds it."""
    for inner in many(resource.get("contained")):
        kind, place = inner.get("resourceType"), text(inner.get("id"))
        rows = list(_patient(inner, found, None, row) if kind == "Patient" else _organisation(inner, found)
                    if kind == "Organization" else ())  # fmt: skip
        for table, cells in rows:
            if table == "fhir_key":
                continue
            yield table, {**cells, "self": None, "within": "1"}
            target = cells.get("person") if kind == "Patient" else cells.get("target")
            yield "fhir_key", {"kind": str(kind), "scope": EVERYWHERE, "key": f"{row}#{place}", "target": target}


def _keys(kind: str, resource: Resource, found: Found, target: str | None) -> Iterator[Row]:
    """Every key under which a resource may be referred to."""
    place, url = text(resource.get("id")), text(found.url)
    keys: set[str] = set()
    if place:
        keys |= {f"{kind}/{place}", f"{kind}/{place.lower()}" if len(place) == 36 else f"{kind}/{place}"}
        keys |= {f"urn:uuid:{place.lower()}"} if len(place) == 36 else set()
        if not url or "://" not in url:
            keys.add(f"~{kind}/{place}")
    if url:
        keys.add(url.lower() if url.lower().startswith("urn:") else url.split("/_history/")[0])
        if "://" not in url:
            keys.add(tail_of(url, kind))
    keys |= {
        f"identifier:{text(one.get('value'))}" for one in many(resource.get("identifier")) if text(one.get("value"))
    }
    if target:
        for key in sorted(keys):
            yield "fhir_key", {"kind": kind, "scope": found.scope, "key": key, "target": target}


def _self(resource: Resource, found: Found) -> str | None:
    """Type/id of a resource that may come again in a later file; inside a bundle ids are the bundle's own."""
    place = text(resource.get("id"))
    scope = "" if found.scope == EVERYWHERE else f"{found.scope}:"
    return f"{scope}{resource.get('resourceType')}/{place}" if place else None


def _updated(resource: Resource) -> str | None:
    meta = resource.get("meta")
    return text(meta.get("lastUpdated")) if isinstance(meta, dict) else None


def _not_so(resource: Resource) -> Left | None:
    """Why a resource is left for what its own state says."""
    states: list[Any] = [resource.get("status"), "not-done" if resource.get("notGiven") is True else None]
    verified = resource.get("verificationStatus")
    states.append(verified)
    states += [coding.get("code") for one in many(verified) for coding in many(one.get("coding"))]
    if resource.get("taken") == "n" or str(resource.get("doNotPerform")).lower() == "true":
        states.append("not-done")
    if resource.get("intent") == "proposal":
        states.append("proposed")
    return next((NOT_SO[one] for one in states if isinstance(one, str) and one in NOT_SO), None)
