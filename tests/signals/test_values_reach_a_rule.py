"""From a cell of an extract to a rule of the real definitions: odd units and comparators are not lost on the way."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pytest

from casefinding.cohort.eligible import register_status, registered
from casefinding.definitions.read import read_definitions
from casefinding.definitions.shapes import Definitions
from casefinding.records.sources import ingest
from casefinding.rules.evaluate import flag
from casefinding.signals.matrix import build_matrix

ROOT = Path(__file__).parents[2]
ON = dt.date(2024, 1, 1)
CELLS = [  # signal, value, unit, rules of its condition that hold
    ("systolic_clinic", "215", "mmHg (sitting)", {"HTN-C1"}),
    ("systolic_clinic", "215", "mmHg", {"HTN-U1"}),
    ("systolic_clinic", ">300", "mmHg", {"HTN-U1"}),
    ("systolic_clinic", "170", "mmHg (sitting)", set()),
    ("systolic_abpm", "171", "mmHg (day)", {"HTN-C2"}),
    ("spo2", "88", "% on air", {"COPD-C1"}),
    ("spo2", "88", "%", {"COPD-U2"}),
    ("spo2", "<50", "%", {"COPD-U2"}),
    ("spo2", "97", "% on air", set()),
    ("fev1_fvc_post", "<0.70", "ratio", {"COPD-1"}),
    ("fev1_fvc_post", "<70", "%", {"COPD-1"}),
    ("fev1_fvc_post", "0.70", "ratio", set()),
    ("fev1_fvc_post", ">0.70", "ratio", set()),
]
URGENT = {"act now", "check the reading", "review the record"}


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return read_definitions(ROOT)


@pytest.fixture(scope="module")
def flagged(definitions: Definitions, tmp_path_factory: pytest.TempPathFactory) -> list[set[str]]:
    """The rules of the first lanes that hold for each cell, one person a cell."""
    folder = tmp_path_factory.mktemp("extract")
    people = [f"P{place:05d}" for place in range(len(CELLS))]
    events = []
    for name, (signal, value, unit, _) in zip(people, CELLS, strict=True):
        code = definitions.codelists[definitions.signals[signal].codes[0]].codes[0]
        events.append((name, "2023-12-20", "", code.system, code.id, "", value, unit))
    _write(folder, "person", "person,birth_month,sex,ethnicity,imd_decile,imd_vintage,died_on",
           [(name, "1950-01", "female", "white", "5", "2019", "") for name in people])  # fmt: skip
    _write(folder, "registration", "person,practice,started_on,ended_on",
           [(name, "Y99001", "1990-01-01", "") for name in people])  # fmt: skip
    _write(folder, "practice", "practice,name,pcn,place", [("Y99001", "A", "B", "C")])
    _write(folder, "event", "person,happened_on,recorded_on,system,code,term,value,unit", events)
    store = ingest("native", folder, tmp_path_factory.mktemp("store") / "store", data_through=dt.date(2023, 12, 31))
    assert store.counts()["refused"] == {}
    base = registered(store, ON)
    found: list[set[str]] = [set() for _ in CELLS]
    matrix = build_matrix(store, definitions, list(definitions.features), base)
    for condition in ("hypertension", "copd"):
        model = definitions.models[condition]
        rules = [rule for rule in model.rules if rule.lane in URGENT]
        held = flag(model, matrix, register_status(store, definitions, condition, base))
        for rule in rules:
            for place in held[rule.id].nonzero()[0]:
                found[place].add(rule.id)
    return found


def _write(folder: Path, table: str, header: str, rows: list[tuple]) -> None:
    with open(folder / f"{table}.csv", "w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([header.split(","), *rows])


@pytest.mark.parametrize("place", range(len(CELLS)), ids=[f"{cell[0]} {cell[1]} {cell[2]}" for cell in CELLS])
def test_a_cell_comes_to_its_lane_and_to_no_other(flagged: list[set[str]], place: int) -> None:
    assert flagged[place] == CELLS[place][3]
