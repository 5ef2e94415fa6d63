"""Every code that is written is a valid id that the definitions know, in a unit and a range that they take."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from casefinding.definitions.codelists import verhoeff_ok
from casefinding.definitions.read import read_definitions
from casefinding.definitions.shapes import Definitions
from casefinding.synthetic.codes import CODES, DRUGS, MEASURED

from .conftest import Made

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return read_definitions(ROOT)


@pytest.mark.parametrize("entry", CODES, ids=lambda entry: entry.key)
def test_ids_are_valid(entry) -> None:
    assert re.fullmatch(r"[1-9][0-9]{5,17}", entry.id)
    assert verhoeff_ok(entry.id)


def test_keys_and_ids_are_each_used_once() -> None:
    assert len({entry.key for entry in CODES}) == len(CODES) == len({(entry.system, entry.id) for entry in CODES})


def test_every_code_is_in_a_list_or_named_by_a_substance(definitions: Definitions) -> None:
    listed = {code.id for codelist in definitions.codelists.values() for code in codelist.codes}
    substances = {substance for signal in definitions.signals.values() for substance in signal.substances}
    for position, entry in enumerate(CODES):
        named = any(re.search(rf"\b{re.escape(substance)}\b", entry.term, re.IGNORECASE) for substance in substances)
        assert entry.id in listed or (position in DRUGS and named), entry.key


def test_what_is_written_is_what_is_in_the_table_of_codes(small: Made) -> None:
    planted = set(small.truth("planted")["pseudonym"].to_pylist())
    rows = small.table("event").to_pandas()
    rows = rows[~rows["person"].isin(planted)]
    written = set(map(tuple, rows[["system", "code", "term"]].drop_duplicates().to_numpy()))
    assert written <= {(entry.system, entry.id, entry.term) for entry in CODES}
    assert len(written) > 120
    measured = {CODES[position].id for position in MEASURED}
    assert rows.loc[rows["value"].notna(), "code"].isin(measured).all()
    assert rows.loc[rows["code"].isin(measured), "value"].notna().all()


def test_values_come_in_units_and_ranges_that_the_signals_take(population: Made, definitions: Definitions) -> None:
    planted = set(population.truth("planted")["pseudonym"].to_pylist())
    rows = population.table("event").to_pandas()
    rows = rows[rows["value"].notna() & ~rows["person"].isin(planted)]
    value = pd.to_numeric(rows["value"].str.lstrip(">"))
    of: dict[str, list] = {}
    for signal in definitions.signals.values():
        if signal.unit and signal.keep == "plausible" and not signal.filtered:
            for code in {code.id for name in signal.codes for code in definitions.codelists[name].codes}:
                of.setdefault(code, []).append(signal)
    checked = 0
    for (code, unit), values in value.groupby([rows["code"], rows["unit"].fillna("")]):
        for signal in of.get(code, ()):
            known = {name.lower(): conversion for name, conversion in signal.units.items()}
            same = unit.lower() in ("", signal.unit.lower())
            assert same or unit.lower() in known, (signal.name, unit)
            converted = values if same else values * known[unit.lower()].times + known[unit.lower()].plus
            low, high = signal.plausible
            assert converted.between(low, high).all(), (signal.name, code, converted.min(), converted.max())
            checked += 1
    assert checked > 20


def test_no_nhs_number_anywhere(population: Made) -> None:
    def valid(digits: str) -> bool:
        check = 11 - sum(int(digit) * (10 - place) for place, digit in enumerate(digits[:9])) % 11
        return check != 10 and check % 11 == int(digits[9])

    assert valid("9990000018")  # the check itself works: an invented number of the range kept for tests
    seen = 0
    for name in ("person", "registration", "practice", "event", "contact", "extract"):
        table = population.table(name)
        for column in table.columns:
            for text in column.unique().to_pylist():
                for digits in re.findall(r"(?<![0-9])[0-9]{10}(?![0-9])", text or ""):
                    assert not valid(digits), f"in {name}"
                    seen += 1
    for entry in CODES:
        assert not (len(entry.id) == 10 and valid(entry.id)), entry.key
