"""Register completeness: cases on the register over cases that published prevalence leads one to expect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from casefinding.definitions.impact import Goal
from casefinding.judge.funnel_plot import Funnel, funnel
from casefinding.recall.network.units import EVERYBODY, Unit, Units
from casefinding.recall.view import View
from casefinding.rules.expected import expected_chance


@dataclass(frozen=True)
class Recorded:
    """One unit's people: registered, on the register, expected to have the condition (known or not)."""

    unit: Unit
    registered: int
    recorded: int
    expected: float

    @property
    def completeness(self) -> float | None:
        """Recorded over expected; None where nothing is expected. Above 1 where more are recorded than expected."""
        return self.recorded / self.expected if self.expected > 0 else None

    def to_goal(self, goal: Goal) -> float:
        """How many more on the register would meet the goal; 0 where it is met."""
        return max(0.0, goal.share * self.expected - self.recorded)


@dataclass(frozen=True)
class Register:
    """One condition's register in every unit."""

    condition: str
    label: str
    rows: Sequence[Recorded]
    goal: Goal | None
    source: str
    unverified: str

    def of(self, level: str) -> list[Recorded]:
        """The units of a level, in order."""
        return [row for row in self.rows if row.unit.level == level]

    @property
    def whole(self) -> Recorded:
        return next(row for row in self.rows if row.unit.key == EVERYBODY.key)

    @cached_property
    def funnel(self) -> Funnel:
        """The practices held against each other."""
        practices = self.of("practice")
        return funnel([row.recorded for row in practices], [row.expected for row in practices])


def register_of(view: View, base: pa.Table, units: Units, goal: Goal | None = None) -> Register | None:
    """A condition's register completeness by unit; None where the definition gives no published prevalence.

    Expected: the published chance by age, sex, ethnicity and deprivation, summed over the people of the unit. Recorded:
    everybody with the register's code that was not resolved, whatever their age.
    """
    published = view.model.expected
    if published is None:
        return None
    chance = expected_chance(published, base)
    on = np.asarray(view.status == "on register", dtype=bool)
    rows = [
        Recorded(unit, int(mask.sum()), int((mask & on).sum()), float(chance[mask].sum()))
        for unit in units.units
        for mask in (units.rows[unit.key],)
    ]
    return Register(view.condition, view.model.label, rows, goal, published.source, published.unverified)
