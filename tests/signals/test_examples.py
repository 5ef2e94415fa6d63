"""Worked examples are asked of kernel and oracle; a wrong one is named."""

from __future__ import annotations

import datetime as dt
import math

import pytest

from casefinding.definitions.read import read_definitions
from casefinding.definitions.shapes import Code, CodeList, Definitions, Entry, Example, Feature, Signal
from casefinding.errors import DefinitionError
from casefinding.signals.examples import agrees, run_examples
from tests.oracle import record
from tests.oracle.ask import ask

D = dt.date


@pytest.fixture
def definitions() -> Definitions:
    lists = {
        name: CodeList(
            name=name, source="t", release="1", reviewed_by="t", codes=(Code(system="emis", id=name, label=""),)
        )
        for name in ("reading", "visit")
    }
    signals = {
        "reading": Signal(name="reading", label="", codes=("reading",), unit="mmHg", plausible=(50, 300)),
        "visit": Signal(name="visit", label="", codes=("visit",)),
        "tablet": Signal(name="tablet", label="", substances=("amlodipine",)),
    }
    entries = (Entry(on=D(2021, 3, 1), value=152), Entry(on=D(2023, 6, 9), value=144))
    features = {
        "latest": Feature(
            name="latest", label="", ask="latest", of="reading",
            examples=(
                Example(records={"reading": entries}, on=D(2024, 1, 1), gives=144),
                Example(records={"reading": (Entry(on=D(2023, 6, 9), value=400),)}, on=D(2024, 1, 1), gives="missing"),
            ),
        ),
        "tablets": Feature(
            name="tablets", label="", ask="count", of="tablet",
            examples=(Example(records={"tablet": (Entry(on=D(2023, 6, 9)),)}, on=D(2024, 1, 1), gives=1),),
        ),
        "late": Feature(
            name="late", label="", ask="ever", of="visit",
            examples=(
                Example(
                    records={"visit": (Entry(on=D(2023, 6, 9), recorded=D(2024, 1, 1)),)}, on=D(2024, 1, 1), gives=0
                ),
            ),
        ),
    }  # fmt: skip
    return Definitions(codelists=lists, signals=signals, features=features)


def test_right_examples_give_no_problem(definitions: Definitions) -> None:
    assert run_examples(definitions) == []
    assert run_examples(definitions, ["late"]) == []


@pytest.mark.parametrize(
    ("name", "number", "gives"), [("latest", 0, 152), ("latest", 1, 400), ("tablets", 0, "missing")]
)
def test_a_wrong_example_is_named_with_both_answers(
    definitions: Definitions, name: str, number: int, gives: float | str
) -> None:
    feature = definitions.features[name]
    examples = list(feature.examples)
    examples[number] = examples[number].model_copy(update={"gives": gives})
    wrong = definitions.model_copy(
        update={"features": {**definitions.features, name: feature.model_copy(update={"examples": tuple(examples)})}}
    )
    (problem,) = run_examples(wrong)
    assert problem.where == f"feature {name}, example {number + 1}"
    assert f"gives {gives}" in problem.what


def test_a_signal_without_any_code_is_refused(definitions: Definitions) -> None:
    empty = definitions.codelists["visit"].model_copy(update={"codes": ()})
    with pytest.raises(DefinitionError, match="no code"):
        run_examples(definitions.model_copy(update={"codelists": {**definitions.codelists, "visit": empty}}))


def test_an_example_is_rounded_to_the_decimals_it_is_written_with() -> None:
    assert agrees(7.0710678, 7.07)
    assert not agrees(7.0710678, 7.08)
    assert not agrees(7.4, 7)  # a whole number is meant exactly
    assert agrees(math.nan, "missing")
    assert not agrees(0.0, "missing")
    assert not agrees(math.nan, 0)


def test_every_example_of_the_tree_holds_for_the_kernel() -> None:
    assert [str(problem) for problem in run_examples(read_definitions())] == []


def test_every_example_of_the_tree_holds_for_the_oracle() -> None:
    definitions = read_definitions()
    wrong, asked = [], 0
    for feature in definitions.features.values():
        for number, example in enumerate(feature.examples, 1):
            value, _ = ask(feature, _by_name(definitions), _person(definitions, example), example.on)
            asked += 1
            if not agrees(math.nan if value is None else value, example.gives):
                wrong.append(f"{feature.name}, example {number}: {value}")
    assert wrong == []
    assert asked >= 2 * len(definitions.features)


def _by_name(definitions: Definitions) -> Definitions:
    """The oracle knows code lists only: what names substances gets a list of one product a substance."""
    lists, signals = dict(definitions.codelists), dict(definitions.signals)
    for name, signal in definitions.signals.items():
        if not signal.codes:
            codes = tuple(Code(system="dmd", id=f"product:{one}", label="") for one in signal.substances)
            lists[name] = CodeList(name=name, source="t", release="1", reviewed_by="t", codes=codes)
            signals[name] = signal.model_copy(update={"codes": (name,)})
    return definitions.model_copy(update={"codelists": lists, "signals": signals})


def _person(definitions: Definitions, example: Example) -> record.Person:
    known = _by_name(definitions)
    events = []
    for name, entries in example.records.items():
        codes = [code for one in known.signals[name].codes for code in known.codelists[one].codes]
        for entry in entries:
            own = known.signals[name].unit or "" if entry.value is not None else ""
            events.append(
                record.Event(
                    entry.on,
                    entry.recorded or entry.on,
                    f"{codes[0].system}:{codes[0].id}",
                    entry.value,
                    own if entry.unit is None else entry.unit,
                )
            )
    person = example.person
    return record.Person(
        birth_month=D.fromisoformat(f"{person.born}-01"),
        sex=person.sex,
        ethnicity=person.ethnicity,
        imd_decile=person.deprivation,
        registered_on=person.registered,
        events=tuple(events),
    )
