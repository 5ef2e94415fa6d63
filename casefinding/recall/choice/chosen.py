"""What a choice within capacity gives: places and visits for the lists, and what the pages say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from casefinding.recall.choice.floors import Floor


@dataclass(frozen=True)
class Use:
    """One kind of capacity of one practice or network: what is stated, what the list uses, what one more would give.

    `used` counts what invitations are expected to use; of a network, what its practices use beyond their own. Of work
    on records it is what is needed, which may be more than is stated: nobody is left out for it.
    `one_more`: expected confirmed cases that one more a month would add at most (the price of the linear programme,
    under the same kept places, rules and floors); None for work on records.
    """

    owner: str  # a practice's code or a network's name
    of_network: bool
    kind: str
    stated: int
    used: float
    one_more: float | None


@dataclass(frozen=True)
class Chosen:
    """Who is invited, to what, and how good that is.

    `places`: condition -> order of invitation within the practice, a row of the base table, 0 for nobody (int32).
    `visit`: the name of the visit a row, "" for nobody. `expected`: confirmed cases by condition that the list is
    expected to find: the chance, or on a kept place the published chance; `plain` the same for a list by chance alone
    within the same limits, `without_floors` for the best list if there were no equity floors.
    `gap`: 0 where the choice is proved best; else how far from the best it may be, as a share.
    """

    places: Mapping[str, np.ndarray]
    visit: np.ndarray
    labels: Mapping[str, str] = field(default_factory=dict)  # name of a visit -> its label
    use: tuple[Use, ...] = ()
    expected: Mapping[str, float] = field(default_factory=dict)
    without_floors: Mapping[str, float] = field(default_factory=dict)
    plain: Mapping[str, float] = field(default_factory=dict)
    floors: tuple[Floor, ...] = ()
    gap: float = 0.0

    def visit_labels(self) -> list[str]:
        """The label of the visit a row, "" for nobody."""
        return [self.labels.get(name, name) for name in self.visit.tolist()]

    @property
    def floors_cost(self) -> Mapping[str, float]:
        """Expected cases by condition that the equity floors cost; below 0 where they bring more of one condition."""
        return {name: self.without_floors[name] - cases for name, cases in self.expected.items()}

    def used(self, owner: str, kind: str) -> float:
        """What the list uses of one kind of a practice or network; 0 where nothing is known of it."""
        return next((one.used for one in self.use if one.owner == owner and one.kind == kind), 0.0)
