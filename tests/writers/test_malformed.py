"""The ways to spoil an extract do spoil it, and only where they say."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from pathlib import Path

import pytest

from casefinding.synthetic.simulate import simulate
from tests.writers.emis import write_emis
from tests.writers.malformed import CELLS, ENCODINGS, WAYS, spoil
from tests.writers.systmone import write_systmone

CHANGES_NO_FACT_BUT_ROWS = ("every row twice",)


@pytest.fixture(scope="module")
def extracts(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("right")
    simulate(20, 1, 5, folder / "records", folder / "truth")
    write_emis(folder / "records", folder / "emis")
    write_systmone(folder / "records", folder / "systmone")
    return {"emis": folder / "emis", "systmone": folder / "systmone"}


def test_no_two_ways_have_one_name():
    assert max(Counter(way.name for way in WAYS).values()) == 1


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_way_changes_one_file_and_leaves_the_others(extracts, tmp_path, kind, way):
    for table, columns in CELLS[kind].items():
        target = tmp_path / table
        path = spoil(kind, extracts[kind], target, way, table)
        right = {p.relative_to(extracts[kind]): p.read_bytes() for p in extracts[kind].rglob("*.csv")}
        now = {p.relative_to(target): p.read_bytes() for p in target.rglob("*.csv*") if p.is_file()}
        changed = {name for name in right | now if right.get(name) != now.get(name)}
        mine = path.relative_to(target)
        assert changed <= {mine, mine.with_name(mine.name + ".gz")}
        applies = not any(way.name.split()[-1].startswith(sort) and not cells for sort, cells in columns.items())
        if applies and not way.name.startswith(("quotes in", "every day", "other")):
            assert changed


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("way", [way for way in WAYS if way.harmless], ids=lambda way: way.name)
def test_a_harmless_way_keeps_every_cell(extracts, tmp_path, kind, way):
    for table in CELLS[kind]:
        path = spoil(kind, extracts[kind], tmp_path / table, way, table)
        right = _facts(extracts[kind] / path.relative_to(tmp_path / table), ENCODINGS[kind])
        packed = path.with_name(path.name + ".gz")
        if packed.exists():
            path.write_bytes(gzip.decompress(packed.read_bytes()))
        assert (_facts(path, ENCODINGS[kind]) if way.name not in CHANGES_NO_FACT_BUT_ROWS else right) == right


def _facts(path: Path, encoding: str) -> set[frozenset[tuple[str, str]]]:
    text = path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode(encoding)
    header, *lines = [line for line in csv.reader(text.splitlines(keepends=True)) if line]
    names = [name.strip().lower() for name in header]
    return {
        frozenset((name, cell) for name, cell in zip(names, line, strict=True) if name != "extra") for line in lines
    }
