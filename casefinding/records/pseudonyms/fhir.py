"""FHIR without its people: bundles (JSON) and ndjson, resource by resource, by the allow-list of fhir_shapes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from casefinding import nhs_number
from casefinding.errors import RecordsError, UsageError
from casefinding.nhs_number import holds_one
from casefinding.records.diagnose import broken, open_bytes
from casefinding.records.pseudonyms import digests, fhir_shapes
from casefinding.records.pseudonyms.files_in import mark_of
from casefinding.records.pseudonyms.opt_outs import Decisions, says
from casefinding.records.pseudonyms.places import Places
from casefinding.records.pseudonyms.rewrite import Rewritten, writer
from casefinding.records.pseudonyms.survey import Patient, Survey, is_pseudonym
from casefinding.records.pseudonyms.treatments import TREATED, UNREADABLE, Treatment, day_of
from casefinding.records.reasons import Left

NOT_ASKED = "kind of resource that does not go out"
_NDJSON = re.compile(r"([A-Z][A-Za-z]+)(?:[._-]?[0-9]{1,4})*\.ndjson(?:\.gz)?")
_NHS = re.compile(r"nhs-?number", re.IGNORECASE)
_ODS = re.compile(r"ods-organi[sz]ation-code|ods-code|ods-site-code", re.IGNORECASE)
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,19}")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9:/._#|%-]{1,200}|[A-Za-z]{1,40}")
_STATUS = re.compile(r"[a-z][a-z-]{0,39}")
_LETTERS = re.compile(r"[A-Z]{1,4}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TAIL = re.compile(r"(?:(.*)/)?([A-Z][A-Za-z]+)/([A-Za-z0-9.-]+)")
_TYPE_1_SYSTEMS = {"snomed.info/sct": "snomed", "readv2": "read2", "read-codes": "read2", "ctv3": "ctv3"}
Resource = dict[str, Any]


@dataclass(frozen=True)
class Document:
    """One JSON document of a file: its resources, whether it is a bundle, and whose they are if it says so itself."""

    resources: list[tuple[Resource, str]]  # with the full address, or empty
    bundle: Resource | None
    scope: str
    ids: dict[str, str] = field(default_factory=dict)  # address of a Patient -> its id
    only: str = ""  # the one Patient of a bundle

    def whose(self, resource: Resource) -> str:
        """The vendor's id of the patient that a resource is about; empty where it names nobody."""
        if resource.get("resourceType") == "Patient":
            return f"{self.scope}\t{resource.get('id')}"
        said = next((resource[name] for name in ("subject", "patient") if isinstance(resource.get(name), dict)), {})
        text = str(said.get("reference") or "").split("/_history/")[0]
        if text in self.ids:
            return f"{self.scope}\t{self.ids[text]}"
        found = _TAIL.fullmatch(text)
        if found and found[2] == "Patient" and (not self.only or found[3] == self.only):
            return f"{self.scope}\t{found[3]}"
        return f"{self.scope}\t{self.only}" if self.only else ""


def find(folder: Path) -> tuple[list[tuple[Path, str]], int]:
    """The files of resources with the names under which they go out, and how many other files there are.

    A file of one type a line keeps its name; every other is numbered, since bundles are often named after the person.
    """
    if not folder.is_dir():
        raise UsageError("no such folder", where=str(folder), hint="give the folder that holds the files")
    found: list[tuple[Path, str]] = []
    left = bundles = 0
    taken: set[str] = set()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")):
        named = _NDJSON.fullmatch(path.name)
        packed = ".gz" if path.name.endswith(".gz") else ""
        ending = next((e for e in (".ndjson", ".json") if path.name.endswith(e + packed)), "")
        if not ending:
            left += 1
            continue
        if named and named[1] in fhir_shapes.ALLOWED and path.name not in taken and not holds_one(path.name):
            name = path.name
        else:
            bundles += 1
            name = f"{'bundle' if ending == '.json' else 'resources'}-{bundles:05d}{ending}{packed}"
        taken.add(name)
        found.append((path, name))
    if not found:
        raise RecordsError("the folder holds no .json and no .ndjson", where=str(folder), hint="is this FHIR?")
    return found, left


def documents(path: Path, name: str) -> Iterator[Document]:
    """The documents of a file, one at a time; RecordsError says the line that is no JSON object."""
    try:
        with open_bytes(path) as handle:
            if ".ndjson" in path.name:
                for number, line in enumerate(handle, start=1):
                    if line.strip():
                        yield _document(_object(line, f"{name}:{number}"), "")
            else:
                yield _document(_object(handle.read(), name), name)
    except (OSError, EOFError):
        raise broken(name) from None


def _object(data: bytes, where: str) -> Resource:
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise RecordsError("this is no JSON object", where=where, hint="fetch it again; nothing has been written")
    return found


def _document(document: Resource, name: str) -> Document:
    if document.get("resourceType") != "Bundle":
        return Document([(document, "")], None, "")
    resources = [
        (entry["resource"], str(entry.get("fullUrl") or ""))
        for entry in _many(document.get("entry"))
        if isinstance(entry.get("resource"), dict)
    ]
    patients = [(one, url) for one, url in resources if one.get("resourceType") == "Patient"]
    ids = {url: str(one.get("id")) for one, url in patients if url}
    ids |= {f"urn:uuid:{one.get('id')}": str(one.get("id")) for one, _ in patients}
    only = str(patients[0][0].get("id")) if len(patients) == 1 else ""
    return Document(resources, document, name, ids, only)


def read_people(survey: Survey, files: list[tuple[Path, str]], tick: Callable[[str], None]) -> Decisions:
    """Fill the patients of a survey, and give every entry about a Type 1 opt-out."""
    decisions = Decisions()
    practices: dict[str, str] = {}
    at: dict[str, str] = {}
    for place, (path, name) in enumerate(files):
        tick(name)
        for row, document in enumerate(documents(path, name)):
            for resource, _url in document.resources:
                kind = resource.get("resourceType")
                if kind == "Organization":
                    practices[f"{document.scope}\t{resource.get('id')}"] = _ods(resource)
                elif kind == "Patient":
                    whose = document.whose(resource)
                    survey.patients[whose] = _patient(resource, (0, place, row))
                    at[whose] = f"{document.scope}\t{_surgery(resource)}"
                else:
                    for system, code in _codes(resource):
                        said = says(system, code)
                        if said and resource.get("status") != "entered-in-error":
                            decisions.add(document.whose(resource), _day(resource), said)
    for whose, organisation in at.items():
        survey.patients[whose] = survey.patients[whose]._replace(practice=practices.get(organisation, ""))
    return decisions


def _patient(resource: Resource, order: tuple[int, int, int]) -> Patient:
    text = ""
    for one in _many(resource.get("identifier")):
        if _NHS.search(str(one.get("system"))):
            text = str(one.get("value") or "")
    if is_pseudonym(text):
        raise UsageError("the extract holds pseudonyms already", hint="name the extract as it was exported")
    digits = nhs_number.digits_of(text)
    right = nhs_number.valid(digits)
    address = next(
        (str(one["postalCode"]) for one in _many(resource.get("address")) if one.get("postalCode")), ""
    )  # the first is the one in use
    phone = next((str(one["value"]) for one in _many(resource.get("telecom")) if one.get("system") == "phone"), "")
    born = day_of(str(resource.get("birthDate") or ""))
    return Patient(
        digits if right else "", bool(text) and not right, order, "", born, "", phone, address, _confidential(resource)
    )


def _confidential(resource: Resource) -> bool:
    """Whether a resource is labelled restricted (R) or very restricted (V), as HL7's Confidentiality has it."""
    meta = resource.get("meta")
    return isinstance(meta, dict) and any(one.get("code") in ("R", "V") for one in _many(meta.get("security")))


def _surgery(resource: Resource) -> str:
    for name in ("managingOrganization", "generalPractitioner"):
        for one in _many(resource.get(name)):
            found = _TAIL.fullmatch(str(one.get("reference") or ""))
            if found and found[2] == "Organization":
                return found[3]
    return ""


def _ods(resource: Resource) -> str:
    said = [str(one.get("value")) for one in _many(resource.get("identifier")) if _ODS.search(str(one.get("system")))]
    return next((code for code in said if _CODE.fullmatch(code)), "")


def _codes(resource: Resource) -> Iterator[tuple[str, str]]:
    for coding in _many((resource.get("code") or {}).get("coding") if isinstance(resource.get("code"), dict) else None):
        for ending, system in _TYPE_1_SYSTEMS.items():
            if str(coding.get("system")).lower().rstrip("/").endswith(ending):
                yield system, str(coding.get("code"))


def _day(resource: Resource) -> str:
    for name in ("effectiveDateTime", "onsetDateTime", "recordedDate", "assertedDate", "issued"):
        if day := day_of(str(resource.get(name) or "")[:10]):
            return day
    period = resource.get("effectivePeriod")
    return day_of(str(period.get("start") or "")[:10]) if isinstance(period, dict) else ""


def rewrite(path: Path, name: str, target: Path, survey: Survey, places: Places) -> Rewritten:
    """Write a file of resources without its identifiers; what nobody is left in is not written at all."""
    done = Rewritten("resources")
    lines = ".ndjson" in path.name
    with writer(target, "utf-8") as text:
        for document in documents(path, name):
            kept = list(_kept(document, survey, places, done))
            if document.bundle is not None:
                kind = str(document.bundle.get("type") or "")
                bundle: Resource = {"resourceType": "Bundle", "type": kind if _STATUS.fullmatch(kind) else "collection"}
                bundle["entry"] = [({"fullUrl": url} if url else {}) | {"resource": one} for one, url in kept]
                out = [bundle] if kept else []
            else:
                out = [one for one, _ in kept]
            for one in out:
                text.write(json.dumps(one, ensure_ascii=False, indent=None if lines else 1) + "\n")
    if not done.rows_out:
        target.unlink()
    return done


def _kept(document: Document, survey: Survey, places: Places, done: Rewritten) -> Iterator[tuple[Resource, str]]:
    for resource, url in document.resources:
        done.rows_in += 1
        kind = resource.get("resourceType")
        shape = fhir_shapes.ALLOWED.get(str(kind))
        whose = document.whose(resource)
        reason = "" if kind in fhir_shapes.NO_PERSON and shape else survey.stays(whose)
        if document.only and not reason:  # who opted out takes the whole bundle with them
            reason = survey.stays(f"{document.scope}\t{document.only}")
        if not reason and survey.removes and _confidential(resource):
            reason = Left.CONFIDENTIAL.value
        if shape is None:
            reason = reason or NOT_ASKED
        if reason or shape is None:
            done.removed[reason] += 1
            continue
        done.rows_out += 1
        clean = Cleaner(survey)
        made = clean.resource(resource, shape)
        if kind == "Patient":
            _identify(made, survey, whose, places)
        yield made, clean.reference(url) if url else ""


def _identify(made: Resource, survey: Survey, whose: str, places: Places) -> None:
    """The pseudonym where the NHS number stood, and what is kept of the address."""
    made["identifier"] = [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": survey.pseudonym(whose)}]
    patient = survey.patients.get(whose)
    home = places.home(patient.postcode if patient else "")
    said = {fhir_shapes.LSOA: home.lsoa, fhir_shapes.DECILE: home.decile, fhir_shapes.VINTAGE: home.vintage}
    extra = [{"url": url, "valueString": value} for url, value in said.items() if value]
    if extra:
        made["extension"] = [*made.get("extension", ()), *extra]


class Cleaner:
    """Copies what the allow-list names, element by element."""

    def __init__(self, survey: Survey) -> None:
        self.key = survey.key

    def resource(self, resource: Resource, shape: fhir_shapes.Shape) -> Resource:
        """A resource by its shape, with those that are contained in it; a contained patient is only an id."""
        made = self._object(resource, shape)
        inner = []
        for one in _many(resource.get("contained")):
            kind = str(one.get("resourceType"))
            if kind in fhir_shapes.ALLOWED and kind != "Patient":
                inner.append(self.resource({**one, "contained": None}, fhir_shapes.ALLOWED[kind]))
        if inner:
            made["contained"] = inner
        if resource.get("resourceType") == "Organization" and (code := _ods(resource)):
            made["identifier"] = [{"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": code}]
        return made

    def reference(self, text: str) -> str:
        """A reference with its id replaced; empty where it names another person than the patient.

        An absolute address keeps its form, with its server replaced too.
        """
        text = text.strip().split("/_history/")[0]
        if text.startswith("#"):
            return "#" + self._id(text[1:])
        if text.lower().startswith(("urn:uuid:", "urn:oid:")):
            return "urn:uuid:" + self._id(text.rpartition(":")[2])
        found = _TAIL.fullmatch(text)
        if not found or found[2] in fhir_shapes.TO_PRACTITIONER:
            return ""
        server = f"https://{digests.of_id(self.key, 'fhir', 'server', found[1])[:12]}.invalid/" if found[1] else ""
        return f"{server}{found[2]}/{self._id(found[3])}"

    def _id(self, text: str) -> str:
        return digests.of_id_as_guid(self.key, "fhir", "id", text.lower() if _UUID.fullmatch(text) else text)

    def _object(self, given: Resource, shape: fhir_shapes.Shape) -> Resource:
        made: Resource = {}
        for name, how in shape.items():
            if name in given and given[name] is not None:
                value = self._any(given[name], how)
                if value not in (None, "", [], {}):
                    made[name] = value
        if "display" in made and "code" not in made:  # words without a code may be anybody's
            del made["display"]
        return made

    def _any(self, given: Any, how: Any) -> Any:
        if how == fhir_shapes.EXTENSIONS:
            return self._extensions(given, 3)
        if isinstance(given, list):
            return [made for one in given if (made := self._any(one, how)) not in (None, "", [], {})]
        if isinstance(how, tuple):
            how = how[1] if isinstance(given, dict) else how[0]
        if how == fhir_shapes.REFERENCE:
            return self._named(given)
        if isinstance(how, dict):
            return self._object(given, how) if isinstance(given, dict) else None
        return self._plain(given, how)

    def _plain(self, given: Any, how: Any) -> Any:
        if isinstance(given, (dict, list)):
            return None
        text = ("true" if given else "false") if isinstance(given, bool) else str(given).strip()
        if how == fhir_shapes.OWN_ID:
            return self._id(text)
        if how == fhir_shapes.URI:
            return text if _URI.fullmatch(text) and not holds_one(text) else None
        if how == fhir_shapes.STATUS:
            return text if _STATUS.fullmatch(text) else None
        if how == fhir_shapes.TYPE:
            return text if text in fhir_shapes.ALLOWED else None
        if how == fhir_shapes.CODED:
            if _STATUS.fullmatch(text) or _LETTERS.fullmatch(text):
                return text
            how = Treatment.CODE
        kept = TREATED[Treatment(how)](text)
        if kept == UNREADABLE and how == Treatment.WORD:  # words beside a coding
            return None
        return given if kept == text and not isinstance(given, str) else kept

    def _named(self, given: Any) -> Any:
        if not isinstance(given, dict):
            return None
        held = given.get("identifier")
        if not given.get("reference") and isinstance(held, dict) and _NHS.search(str(held.get("system"))):
            digits = nhs_number.digits_of(str(held.get("value") or ""))
            if nhs_number.valid(digits):
                return {"identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number",
                                       "value": digests.of_number(self.key, digits)}}  # fmt: skip
        made = self.reference(str(given.get("reference") or ""))
        return {"reference": made} if made else None

    def _extensions(self, given: Any, deep: int) -> list[Resource]:
        return [made for one in _many(given) if deep and (made := self._extension(one, deep))]

    def _extension(self, given: Resource, deep: int) -> Resource | None:
        name = re.sub("[^a-z]", "", str(given.get("url") or "").rpartition("/")[2].lower())
        if not any(known in name for known in fhir_shapes.EXTENSION_NAMES):
            return None
        made = self._object(given, fhir_shapes.EXTENSION)
        inner = self._extensions(given.get("extension"), deep - 1)
        return made | ({"extension": inner} if inner else {})


def marks(files: list[tuple[Path, str]]) -> dict[Path, tuple[int, int]]:
    """Size and time of change of every file, to notice one that changes."""
    return {path: mark_of(path) for path, _ in files}


def _many(value: Any) -> list[Resource]:
    if isinstance(value, dict):
        return [value]
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
