"""The kernel's answers beside the oracle's."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence

import numpy as np

from casefinding.signals.calendar import NONE, number_of
from casefinding.signals.plan import compile_plan
from casefinding.signals.shard import Columns, features_of_shard
from tests.oracle.ask import ask
from tests.signals import worlds

INEXACT = {"mean": 1e-12, "spread": 1e-12, "trend": 1e-12}
"""Relative; every other word must agree to the last bit."""


def kernel(
    world: worlds.World,
    numbers: list[int] | None = None,
    codes: list[str] | None = None,
    units: Sequence[str] = worlds.UNITS,
) -> Columns:
    """The kernel's columns for a world; `numbers` are the people's numbers in the store."""
    numbers = numbers or list(range(len(world.people)))
    people = dict(zip(numbers, world.people, strict=True))
    plan = compile_plan(world.definitions, world.features, worlds.code_table(codes), worlds.unit_table(units))
    asked = sorted((numbers[place], day) for place, day in world.asked)
    return features_of_shard(
        worlds.event_table(people, codes, units), worlds.base_table(people, asked), plan, with_days=True
    )


def differences(world: worlds.World, columns: Columns) -> list[str]:
    """Where kernel and oracle part, as sentences; empty if they agree."""
    found = []
    for column, (name, feature) in enumerate(world.definitions.features.items()):
        for row, (place, index_day) in enumerate(world.asked):
            value, day = ask(feature, world.definitions, world.people[place], index_day)
            said, said_day = columns.value[column, row], columns.day[column, row]
            if not same(value, said, feature.ask) or not same_day(day, said_day):
                found.append(f"{name} ({feature.ask}), row {row}: oracle {value} {day}, kernel {said} {said_day}")
    return found


def same(value: float | None, said: float, word: str) -> bool:
    if value is None or math.isnan(said):
        return value is None and bool(math.isnan(said))
    if word in INEXACT:  # a slope or spread of nearly nothing has no relative precision: values are of size 100
        return math.isclose(value, said, rel_tol=INEXACT[word], abs_tol=1e-10 if word != "mean" else 0.0)
    return value == said


def same_day(day: dt.date | None, said: int | np.integer) -> bool:
    return said == (NONE if day is None else number_of(day))
