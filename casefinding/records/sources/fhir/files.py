"""Files of FHIR resources: JSON, ndjson and XML, taken apart into resources, one at a time and never trusted."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from xml.parsers import expat

from casefinding.errors import RecordsError
from casefinding.records.diagnose import broken, open_bytes
from casefinding.records.engine import Part

LINES = (".ndjson", ".ndjson.gz", ".jsonl", ".jsonl.gz")
ENDINGS = (*LINES, ".json", ".json.gz", ".xml", ".xml.gz")
OUR_OWN = "manifest.json"  # what `casefinding pseudonymise` says of the folder
LARGEST = 64 << 20
"""Bytes of the largest document, or line of ndjson, that is read: it is held in memory as a whole."""
DEEPEST = 100
"""Levels of the deepest XML document; FHIR itself stays far below."""
EVERYWHERE = "-"
"""The scope of resources that lie in no bundle: they refer to each other across all files."""
_SPACE = re.compile(rb"[\s\xef\xbb\xbf]*\Z")

Resource = dict[str, Any]
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)


@dataclass(frozen=True)
class Found:
    """A resource as a file holds it, or None for what cannot be read; every one is a row of its file.

    `scope` is the bundle that it came in (or EVERYWHERE), `url` its full address there, `marks` the security labels of
    the bundle, `deletes` the place (Type/id) of a resource that the bundle says is deleted.
    """

    resource: Resource | None
    scope: str = EVERYWHERE
    url: str | None = None
    marks: tuple[Any, ...] = ()
    deletes: str | None = None


def find_files(path: Path) -> list[Part]:
    """The files of an extract: one file, or all of a folder and the folders in it, by name.

    Raises RecordsError if there is none.
    """
    if path.is_file():
        if not path.name.lower().endswith(ENDINGS):
            raise RecordsError("the file is no FHIR file", where=path.name, hint=f"use {', '.join(ENDINGS)}")
        return [Part.other(path.resolve(), path.name)]
    if not path.is_dir():
        raise RecordsError("no such file or folder", where=str(path), hint="give the folder that holds the resources")
    files = [one for one in sorted(path.rglob("*")) if one.is_file() and not one.name.startswith((".", "_"))]
    files = [one for one in files if one.name.lower().endswith(ENDINGS) and one != path / OUR_OWN]
    if not files:
        raise RecordsError("the folder holds no FHIR file", where=str(path), hint=f"expected {', '.join(ENDINGS)}")
    return [Part.other(one.resolve(), one.relative_to(path).as_posix()) for one in files]


def read_resources(part: Part, number: int) -> Iterator[Found]:
    """Every resource of a file, in its order; `number` tells the bundles of different files apart.

    ndjson is read a line at a time, other files whole. Raises RecordsError for a broken file and for one above LARGEST.
    """
    documents = 0
    try:
        with open_bytes(part.path) as handle:
            for document in _documents(part, handle):
                documents += 1
                yield from _flattened(document, f"{number}.{documents}")
    except (OSError, EOFError, zlib.error):
        raise broken(part.name) from None


def _documents(part: Part, handle: BinaryIO) -> Iterator[Resource | None]:
    name = part.path.name.lower()
    if name.endswith(LINES):
        yield from _lines(part, handle)
    elif name.removesuffix(".gz").endswith(".xml"):
        yield from_xml(_whole(part, handle, b""))
    else:
        first = handle.readline(LARGEST + 1)
        if _SPACE.match(first):
            first += handle.readline(LARGEST + 1)
        document = from_json(first)
        if document is not None:  # a document of one line, or ndjson under another name
            yield document
            yield from _lines(part, handle)
        else:
            yield from _json(_whole(part, handle, first))


def _lines(part: Part, handle: BinaryIO) -> Iterator[Resource | None]:
    while line := handle.readline(LARGEST + 1):
        if len(line) > LARGEST:
            raise _too_large(part)
        if not _SPACE.match(line):
            yield from_json(line)


def _json(data: bytes) -> Iterator[Resource | None]:
    """A document of many lines; or, if it cannot be one, ndjson of which the first line is spoilt."""
    whole = from_json(data)
    lines = [] if whole is not None else [line for line in data.splitlines() if not _SPACE.match(line)]
    found = [from_json(line) for line in lines]
    if any(one is not None and "resourceType" in one for one in found):
        yield from found
    else:
        yield whole


def _whole(part: Part, handle: BinaryIO, start: bytes) -> bytes:
    data = start + handle.read(max(0, LARGEST + 1 - len(start)))
    if len(data) > LARGEST:
        raise _too_large(part)
    return data


def _too_large(part: Part) -> RecordsError:
    return RecordsError(
        f"a document is larger than {LARGEST >> 20} MB, and would be held in memory as a whole",
        where=part.name,
        hint="export it as ndjson, one resource a line",
    )


def _flattened(document: Resource | None, scope: str, level: int = 0) -> Iterator[Found]:
    """The entries of a bundle, also of bundles in it; any other resource as it is."""
    if document is None or document.get("resourceType") != "Bundle":
        yield Found(document)
        return
    meta = document.get("meta")
    marks = tuple(many(meta.get("security"))) if isinstance(meta, dict) else ()
    for entry in many(document.get("entry")):
        resource, url, request = entry.get("resource"), entry.get("fullUrl"), entry.get("request")
        if isinstance(resource, dict) and resource.get("resourceType") == "Bundle" and level < 3:
            yield from _flattened(resource, f"{scope}.{level}", level + 1)
        elif isinstance(request, dict) and request.get("method") == "DELETE":
            yield Found(None, scope, deletes=str(request.get("url") or "?"))
        else:
            usable = resource if isinstance(resource, dict) else None
            yield Found(usable, scope, url if isinstance(url, str) else None, marks)


def many(value: Any) -> list[Resource]:
    """The objects of a list, or of a single one where a list belongs (STU3 examples and XML write it so)."""
    if isinstance(value, dict):
        return [value]
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def from_json(data: bytes) -> Resource | None:
    """A JSON object with its numbers as text, just as they were written; None if it is none.

    >>> from_json(b'{"resourceType": "Patient", "id": 7.50}'), from_json(b'[1]'), from_json(b'{')
    ({'resourceType': 'Patient', 'id': '7.50'}, None, None)
    """
    try:
        found = _DECODER.decode(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def from_xml(data: bytes) -> Resource | None:
    """A resource in FHIR's XML as the object that its JSON would be (lists of one are objects); None if it is none.

    A document type, and with it every entity and every outside file, is refused: FHIR allows none.

    >>> from_xml(b'<Patient xmlns="http://hl7.org/fhir"><id value="a"/></Patient>')
    {'resourceType': 'Patient', 'id': 'a'}
    >>> from_xml(b'<!DOCTYPE Patient [<!ENTITY a "b">]><Patient xmlns="http://hl7.org/fhir"/>')
    """
    reader = _XmlReader()
    try:
        reader.parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError):
        return None
    return reader.root


class _XmlReader:
    """Builds objects from the events of a parser; narrative (another namespace) is passed over."""

    def __init__(self) -> None:
        self.root: Resource | None = None
        self._open: list[tuple[str, str | None, Resource]] = []  # name, text of a primitive, cells
        self._skipped = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse
        self.parser.ExternalEntityRefHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end

    def _refuse(self, *_: Any) -> int:
        raise ValueError

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        if self._skipped or space != "http://hl7.org/fhir":
            self._skipped += 1
            return
        if len(self._open) >= DEEPEST:
            raise ValueError
        cells: Resource = {"resourceType": local} if local[:1].isupper() else {}
        if "url" in attributes:
            cells["url"] = attributes["url"]
        self._open.append((local, attributes.get("value"), cells))

    def _end(self, _: str) -> None:
        if self._skipped:
            self._skipped -= 1
            return
        name, text, cells = self._open.pop()
        if not self._open:
            self.root = cells if name[:1].isupper() else None
            return
        parent = self._open[-1][2]
        if name[:1].isupper():  # <contained> and <resource> are wrapped around the resource itself
            parent.clear()
            parent.update(cells)
            return
        value: Any = cells if text is None else text
        if name not in parent:
            parent[name] = value
        elif isinstance(parent[name], list):
            parent[name].append(value)
        else:
            parent[name] = [parent[name], value]
