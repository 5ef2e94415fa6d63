"""The short forms of worked examples mean what their full form says."""

from __future__ import annotations

import pytest

from casefinding.definitions.spread import spread_records
from casefinding.definitions.strict import parse

FULL = "{egfr: [{on: 2023-01-02, value: 50}, {on: 2023-01-02, value: 44}, {on: 2023-03-04, value: 60}]}"
NO_VALUES = "{egfr: [{on: 2023-01-02}, {on: 2023-03-04}]}"


def entries(text: str, own: str | None = "egfr") -> tuple[dict, list[str]]:
    parsed = parse(text, "x.yaml")
    assert parsed.problems == []
    records, found = spread_records(parsed.value, own, parsed, ())
    plain = {name: [tuple(sorted(one.items())) for one in many] for name, many in records.items()}
    return plain, [one.what for one in found]


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("{2023-01-02: [50, 44], 2023-03-04: 60}", FULL),
        ("{egfr: {2023-01-02: [50, 44], 2023-03-04: 60}}", FULL),
        ("[{on: 2023-01-02, value: 50}, {on: 2023-01-02, value: 44}, {on: 2023-03-04, value: 60}]", FULL),
        ("{2023-01-02: [{value: 50}, 44], 2023-03-04: {value: 60}}", FULL),
        ("[2023-01-02, 2023-03-04]", NO_VALUES),
        ("{egfr: [2023-01-02, 2023-03-04]}", NO_VALUES),
        ("{egfr: [2023-01-02, {on: 2023-03-04}]}", NO_VALUES),
        ("{egfr: 2023-01-02}", "{egfr: [{on: 2023-01-02}]}"),
        ("{egfr: {on: 2023-01-02, value: 3}}", "{egfr: [{on: 2023-01-02, value: 3}]}"),
        (
            "{2023-01-02: {value: 20, unit: kPa, recorded: 2023-02-01}}",
            "{egfr: [{on: 2023-01-02, value: 20, unit: kPa, recorded: 2023-02-01}]}",
        ),
        ("{2023-01-02: null}", "{egfr: [{on: 2023-01-02, value: null}]}"),
        ("{egfr: [2023-01-02], acr: {2023-01-02: 3}}", "{egfr: [{on: 2023-01-02}], acr: [{on: 2023-01-02, value: 3}]}"),
        ("[]", "{}"),
    ],
)
def test_a_short_form_is_its_full_form(short: str, full: str) -> None:
    assert entries(short) == entries(full)
    assert entries(full)[1] == []


@pytest.mark.parametrize(
    ("text", "own", "what"),
    [
        ("[2023-01-02]", None, "the records do not say of which signal they are"),
        ("{2023-01-02: 3}", None, "the records do not say of which signal they are"),
        ("{egfr: [2023-01-02], 2023-01-02: 3}", "egfr", "days and names of signals stand side by side"),
        ("{2023-01-02: 3, egfr: [2023-01-02]}", "egfr", "'egfr' is not a day"),
        ("{egfr: [50]}", "egfr", "a record needs a day, written 2023-01-01"),
        ("{egfr: 50}", "egfr", "records are a list of days or a mapping of days to values"),
        ("{egfr: {2023-01-02: {on: 2023-01-03}}}", "egfr", "'on' stands twice: the day is written before it"),
        ("50", "egfr", "records are a list of days, or a mapping of days or signals"),
    ],
)
def test_what_cannot_be_spread_is_said(text: str, own: str | None, what: str) -> None:
    assert what in entries(text, own)[1]
