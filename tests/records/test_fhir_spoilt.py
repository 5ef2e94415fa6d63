"""FHIR files that are cut, too large or hostile, and resources nobody would write: our own errors, never a value."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from fhir_helpers import Resource, brought, bundle, good, ndjson
from hypothesis import given, settings
from hypothesis import strategies as st

from casefinding.errors import CasefindingError, RecordsError
from casefinding.records.sources.fhir.files import Found, from_json, from_xml
from casefinding.records.sources.fhir.resources import rows_of


def test_a_truncated_gz_stops_the_ingest_and_says_which_file(tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    whole = gzip.compress(b"".join(json.dumps(one).encode() + b"\n" for one in good().values()) * 50)
    (folder / "part.ndjson.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RecordsError, match=r"part\.ndjson\.gz"):
        brought(folder)
    assert not (tmp_path / "store-of-a" / "current").exists()


def test_a_document_too_large_for_memory_is_refused_with_a_way_out(tmp_path, monkeypatch):
    monkeypatch.setattr("casefinding.records.sources.fhir.files.LARGEST", 2000)
    with pytest.raises(RecordsError, match="ndjson"):
        brought(bundle(tmp_path / "a", list(good().values())))


def test_xml_says_what_json_says():
    xml = b"""<Observation xmlns="http://hl7.org/fhir"><id value="a"/><text><div xmlns="http://www.w3.org/1999/xhtml">
        <p>x</p></div></text><contained><Patient><id value="p"/></Patient></contained>
        <extension url="http://e"><valueCode value="c"/></extension><subject><reference value="#p"/></subject>
        <valueQuantity><value value="5.10"/></valueQuantity></Observation>"""
    assert from_xml(xml) == {
        "resourceType": "Observation", "id": "a", "text": {}, "contained": {"resourceType": "Patient", "id": "p"},
        "extension": {"url": "http://e", "valueCode": "c"}, "subject": {"reference": "#p"},
        "valueQuantity": {"value": "5.10"},
    }  # fmt: skip


@pytest.mark.parametrize(
    "start",
    [
        '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a SYSTEM "http://example.org/a.dtd">',
        '<?xml version="1.0" encoding="no-such"?>',
    ],
)
def test_xml_with_a_document_type_is_refused_whatever_it_declares(start):
    assert from_xml(f'{start}<Patient xmlns="http://hl7.org/fhir"><id value="a"/></Patient>'.encode()) is None
    assert from_xml(b'<a xmlns="http://hl7.org/fhir">' * 10_000) is None


# --- resources nobody would write ------------------------------------------------------------------------------------

SECRET = "Zebedee-secret-77"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.just(SECRET),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["coding", "code", "value", "system", "reference", "start", "url", "extension", "x"]), inner,
        max_size=3),
    max_leaves=6,
)  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, key)
        yield from _places(inner, (*path, key))


@st.composite
def spoilt(draw: st.DrawFn) -> Resource:
    """A right resource with up to four of its elements replaced by anything."""
    resource = draw(st.sampled_from(list(good().values())))
    for _ in range(draw(st.integers(1, 4))):
        places = list(_places(resource))
        *way, last = draw(st.sampled_from(places))
        held = resource
        for step in way:
            held = held[step]
        held[last] = draw(JSON)
    return resource


@settings(max_examples=300, deadline=None)
@given(spoilt())
def test_every_resource_gives_rows_whatever_stands_in_it(resource):
    read = from_json(json.dumps(resource).encode())
    rows = list(rows_of(Found(read), "0.1", False))
    assert rows
    assert all(cell is None or isinstance(cell, str) for _, cells in rows for cell in cells.values())
    for _, cells in rows:
        for cell in cells.values():
            (cell or "").encode()


@settings(max_examples=15, deadline=None)
@given(st.lists(spoilt(), min_size=1, max_size=8), st.binary(max_size=30))
def test_spoilt_resources_beside_good_ones_never_raise_but_our_own_error(tmp_path_factory, resources, noise):
    folder = ndjson(tmp_path_factory.mktemp("fuzz") / "a", [*good().values(), *resources])
    (folder / "noise.json").write_bytes(noise or b"x")
    (folder / "noise.xml").write_bytes(b'<Patient xmlns="http://hl7.org/fhir">' + noise)
    try:
        store = brought(folder)
    except CasefindingError as problem:
        said = str(problem)
    else:
        said = ""
        balance = store.counts()["balance"]["all.ndjson"]
        assert balance["read"] == 9 + len(resources)
        assert balance["read"] == balance["kept"] + balance["refused"] + sum(balance["left"].values())
    assert SECRET not in said
