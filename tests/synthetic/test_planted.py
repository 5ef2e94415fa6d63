"""Planted people and faults are all there, and the records room finds just these."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from casefinding.cohort.eligible import register_status, registered
from casefinding.definitions.read import read_definitions
from casefinding.records.reasons import Cell, Held, Refusal
from casefinding.records.sources import ingest
from casefinding.rules.evaluate import flag
from casefinding.signals.matrix import build_matrix

from .conftest import Made

RULES = [
    *(f"HTN-U{n}" for n in range(1, 5)), *(f"AF-U{n}" for n in range(1, 4)), *(f"COPD-U{n}" for n in range(1, 4)),
    *(f"HTN-{n}" for n in range(1, 12)), *(f"AF-{n}" for n in range(1, 7)), *(f"COPD-{n}" for n in range(1, 10)),
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_planted_person_with_a_record(rule: str, small: Made) -> None:
    planted = [row["pseudonym"] for row in small.truth("planted").to_pylist() if row["what"] == rule]
    assert planted
    assert set(planted) <= set(small.table("event")["person"].to_pylist())
    assert set(planted) <= set(small.table("registration")["person"].to_pylist())


ROWS = set(Refusal) - {Refusal.UNREADABLE, Refusal.TEXT_IN_NUMBER, Refusal.NUMBER_TOO_LARGE}
"""Why a row of the native layout can be refused; the others are for lines that are no rows, and for areas."""


@pytest.mark.parametrize("reason", sorted([*ROWS, *Held]))
def test_every_reason_has_a_planted_fault(reason: str, small: Made) -> None:
    assert str(reason) in {row["what"] for row in small.truth("planted").to_pylist() if row["kind"] == "fault"}


def test_every_cell_that_says_nothing_is_planted_and_its_person_stays(small: Made, tmp_path: Path) -> None:
    planted = {row["pseudonym"]: row["what"] for row in small.truth("planted").to_pylist() if row["kind"] == "cell"}
    assert sorted(planted.values()) == sorted(Cell)
    store = ingest("native", small.records, tmp_path / "store")
    assert store.counts()["held_cells"] == dict.fromkeys(Cell, 1)
    names = store.people_table()["pseudonym"].to_pylist()
    assert set(planted) <= set(names)
    registered_people = {names[person] for person in store.registrations()["person"].to_pylist()}
    assert set(planted) <= registered_people


def test_only_planted_rows_are_refused_each_for_its_reason(small: Made, tmp_path: Path) -> None:
    store = ingest("native", small.records, tmp_path / "store")
    refused = store.counts()["refused"]
    assert set(refused) == ROWS
    files = {file for file, reasons in store.counts()["refused_by_file"].items() if reasons}
    assert files
    assert all(file.endswith("part-planted.parquet") for file in files)
    faulty = {row["pseudonym"] for row in small.truth("planted").to_pylist() if row["kind"] == "fault"}
    kept = set(store.people_table()["pseudonym"].to_pylist())
    assert set(small.table("person")["person"].to_pylist()) - kept <= faulty


def test_planted_truth_is_ill_and_uncoded(small: Made) -> None:
    planted = {row["pseudonym"]: row["what"] for row in small.truth("planted").to_pylist()}
    rows = [row for row in small.truth().to_pylist() if row["pseudonym"] in planted]
    assert {planted[row["pseudonym"]] for row in rows} >= {"HTN-U1", "HTN-U2", "AF-U1", "AF-U3", "COPD-1", "HTN-2"}
    assert all(row["coded_on"] is None and row["onset_on"] is not None for row in rows)


def test_every_rule_in_the_models_finds_its_planted_person(small: Made, tmp_path: Path) -> None:
    definitions = read_definitions(Path(__file__).parents[2])
    store = ingest("native", small.records, tmp_path / "store")
    names = dict(zip(*(store.people_table()[column].to_pylist() for column in ("person", "pseudonym")), strict=True))
    base = registered(store, [dt.date(2026, 10, 1)])
    planted: dict[str, set[str]] = {}
    for row in small.truth("planted").to_pylist():
        planted.setdefault(row["what"], set()).add(row["pseudonym"])
    who = [names[person] for person in base["person"].to_pylist()]
    for condition, model in definitions.models.items():
        matrix = build_matrix(store, definitions, definitions.features_for(condition), base)
        flags = flag(model, matrix, register_status(store, definitions, condition, base))
        for rule, flagged in flags.items():
            assert rule in planted, f"nobody is planted for {rule}"
            found = {name for name, met in zip(who, flagged, strict=True) if met}
            assert planted[rule] <= found, rule
