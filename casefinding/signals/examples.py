"""Worked examples are tests: every one is asked of the kernel, all of them in one go, one made-up person each."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from casefinding.definitions.read import Problem
from casefinding.definitions.shapes import Definitions, Entry, Person, Signal

KINDS = {
    "person": pa.int64(),
    "day": pa.date32(),
    "recorded_day": pa.date32(),
    "code": pa.int32(),
    "value": pa.float32(),
    "unit": pa.int16(),
    "comparator": pa.int8(),
}


class Case(NamedTuple):
    """One made-up person and the day they are asked on."""

    records: Mapping[str, Sequence[Entry]]  # by signal
    person: Person
    on: dt.date


def run_examples(definitions: Definitions, names: Iterable[str] | None = None) -> list[Problem]:
    """Every worked example of these features (None: of all) whose answer is not what it says.

    An example's number is taken to be rounded to as many decimals as it is written with, at least if it has any.
    Raises DefinitionError for a feature that does not exist or a signal without any code.
    """
    features = [definitions.features[name] for name in (definitions.features if names is None else names)]
    asked = [(feature, number, example) for feature in features for number, example in enumerate(feature.examples, 1)]
    table = matrix_of(definitions, [feature.name for feature in features], [_case(one) for _, _, one in asked])
    found = []
    for row, (feature, number, example) in enumerate(asked):
        said = float(table[feature.name][row])
        if not agrees(said, example.gives):
            about = f" ({example.about})" if example.about else ""
            found.append(
                Problem(
                    f"feature {feature.name}, example {number}{about}",
                    f"gives {_text(example.gives)}, but the records come to {_text(said)}",
                    "mend the example or the feature",
                )
            )
    return found


def matrix_of(definitions: Definitions, features: Sequence[str], cases: Sequence[Case]) -> dict[str, np.ndarray]:
    """Feature -> float64, one a case: the kernel on a shard in memory, one person a case.

    A record of a signal bears the first code of the signal's first list that has one, or is a product that names its
    first substance; so it is also an event of every other signal with that code.
    """
    from casefinding.signals.plan import compile_plan
    from casefinding.signals.shard import features_of_shard

    codes, code_of = _codes(definitions, dict.fromkeys(name for case in cases for name in case.records))
    units: dict[str, int] = {"": 0}
    rows = []
    for person, case in enumerate(cases):
        for name, entries in case.records.items():
            for entry in entries:
                own = definitions.signals[name].unit if entry.value is not None else None
                unit = units.setdefault(entry.unit if entry.unit is not None else own or "", len(units))
                rows.append((person, entry.on, entry.recorded or entry.on, code_of[name], entry.value, unit, 0))
    rows.sort(key=lambda row: (*row[:4], math.inf if row[4] is None else row[4], row[5]))
    columns = list(zip(*rows, strict=True)) or [()] * len(KINDS)
    events = pa.table({name: pa.array(column, KINDS[name]) for name, column in zip(KINDS, columns, strict=True)})
    unit_table = pa.table({"unit": pa.array(units.values(), pa.int16()), "text": list(units)})
    plan = compile_plan(definitions, features, codes, unit_table)
    answers = features_of_shard(events, _base(cases), plan)
    return dict(zip(features, answers.value, strict=True))


def agrees(said: float, gives: float | str) -> bool:
    """Whether an answer is what an example gives.

    >>> agrees(7.0711, 7.07), agrees(7.0711, 7.0), agrees(math.nan, "missing")
    (True, False, True)
    """
    if isinstance(gives, str) or math.isnan(said):
        return gives == "missing" and math.isnan(said)
    decimals = len(repr(float(gives)).partition(".")[2]) if float(gives) % 1 else 9
    return abs(said - gives) <= 0.5 * 10.0**-decimals + 1e-9


def _case(example) -> Case:
    return Case(example.records, example.person, example.on)


def _codes(definitions: Definitions, names: Iterable[str]) -> tuple[pa.Table, dict[str, int]]:
    """A code dictionary for these signals, and the code number of each."""
    number_of: dict[tuple[str, str, str], int] = {}
    code_of = {}
    for name in names:
        code_of[name] = number_of.setdefault(_first_code(definitions, definitions.signals[name]), len(number_of))
    system, ids, terms = zip(*number_of, strict=True) if number_of else ((), (), ())
    columns = {"code": pa.array(range(len(ids)), pa.int32())}
    for name, texts in (("system", system), ("id", ids), ("term", terms)):
        columns[name] = pa.array(texts, pa.string())
    return pa.table(columns), code_of


def _first_code(definitions: Definitions, signal: Signal) -> tuple[str, str, str]:
    for name in signal.codes:
        for code in definitions.codelists[name].codes:
            return code.system, code.id, ""
    if signal.substances:
        return "dmd", f"example of {signal.name}", signal.substances[0]
    from casefinding.errors import DefinitionError

    raise DefinitionError("no code in any of its lists", where=f"signal {signal.name}", hint="add a code to a list")


def _base(cases: Sequence[Case]) -> pa.Table:
    people = [case.person for case in cases]
    return pa.table(
        {
            "person": pa.array(range(len(cases)), pa.int64()),
            "index_day": pa.array([case.on for case in cases], pa.date32()),
            "birth_month": pa.array([dt.date.fromisoformat(f"{person.born}-01") for person in people], pa.date32()),
            "sex": pa.array([person.sex for person in people], pa.string()),
            "ethnicity": pa.array([person.ethnicity for person in people], pa.string()),
            "imd_decile": pa.array([person.deprivation for person in people], pa.int8()),
            "registered_on": pa.array([person.registered for person in people], pa.date32()),
        }
    )


def _text(answer: float | str) -> str:
    return answer if isinstance(answer, str) else "missing" if math.isnan(answer) else f"{answer:.10g}"
