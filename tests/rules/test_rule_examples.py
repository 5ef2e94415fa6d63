"""Worked examples of rules run on the kernel, with the register's state from the same records."""

from __future__ import annotations

import datetime as dt

import pytest

from casefinding.definitions.read import read_definitions
from casefinding.definitions.shapes import (
    Code,
    CodeList,
    Definitions,
    Entry,
    Feature,
    Model,
    Outcome,
    Register,
    Rule,
    RuleExample,
    Signal,
    Test,
)
from casefinding.definitions.words import Span
from casefinding.rules.examples import run_examples

D = dt.date
SEEN = {"finding": (Entry(on=D(2023, 1, 1)),)}
DIAGNOSED = {"diagnosis": (Entry(on=D(2020, 1, 1)),)}
RESOLVED = {"resolved": (Entry(on=D(2021, 1, 1)),)}
RESOLVED_BEFORE = {"resolved": (Entry(on=D(2019, 1, 1)),)}
RESOLVED_SAME_DAY = {"resolved": (Entry(on=D(2020, 1, 1)),)}
DIAGNOSED_UNSEEN = {"diagnosis": (Entry(on=D(2020, 1, 1), recorded=D(2024, 1, 1)),)}


def tree(applies_to: str, records: dict, gives: str) -> Definitions:
    lists, signals = {}, {}
    for name in ("finding", "diagnosis", "resolved"):
        codes = (Code(system="emis", id=name, label=""),)
        lists[name] = CodeList(name=name, source="t", release="1", reviewed_by="t", codes=codes)
        signals[name] = Signal(name=name, label="", codes=(name,))
    rule = Rule(
        id="X-1", lane="invite", label="", applies_to=applies_to, when=Test(feature="found", is_="present"),
        say="", do="", source="", examples=(RuleExample(records=records, on=D(2024, 1, 1), gives=gives),),
    )  # fmt: skip
    model = Model(
        condition="x", label="", about="", test="", invite="", chance_of="", rules=(rule,), features=("found",),
        register_=Register(diagnosis="diagnosis", resolved="resolved"),
        outcome=Outcome(diagnosis="diagnosis", gap=Span(days=90), horizon=Span(months=12)),
    )  # fmt: skip
    found = Feature(name="found", label="", ask="ever", of="finding")
    return Definitions(codelists=lists, signals=signals, features={"found": found}, models={"x": model})


@pytest.mark.parametrize(
    ("applies_to", "records", "said"),
    [
        ("not on register", SEEN, "flagged"),
        ("not on register", {}, "not flagged"),
        ("not on register", SEEN | DIAGNOSED, "not flagged"),
        ("not on register", SEEN | DIAGNOSED | RESOLVED, "flagged"),
        ("not on register", SEEN | DIAGNOSED | RESOLVED_BEFORE, "not flagged"),
        ("not on register", SEEN | DIAGNOSED_UNSEEN, "flagged"),
        ("resolved", SEEN, "not flagged"),
        ("resolved", SEEN | DIAGNOSED, "not flagged"),
        ("resolved", SEEN | DIAGNOSED | RESOLVED, "flagged"),
        ("resolved", SEEN | DIAGNOSED | RESOLVED_SAME_DAY, "flagged"),
        ("resolved", SEEN | RESOLVED, "not flagged"),
        ("anyone", SEEN | DIAGNOSED, "flagged"),
    ],
)
def test_the_register_decides_whom_a_rule_applies_to(applies_to: str, records: dict, said: str) -> None:
    other = "flagged" if said == "not flagged" else "not flagged"
    assert run_examples(tree(applies_to, records, said)) == []
    (problem,) = run_examples(tree(applies_to, records, other))
    assert problem.where == "rule X-1 of x, example 1"
    assert said in problem.what


def test_every_rule_example_of_the_tree_holds() -> None:
    assert [str(problem) for problem in run_examples(read_definitions())] == []
