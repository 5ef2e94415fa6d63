"""Equity floors: of each group's expected undiagnosed nearly as large a share is listed as of everybody's.

What a group is owed is measured by published prevalence, not by the chances: a model that underrates a group would else
lower the group's own target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from scipy import sparse

from casefinding.definitions.capacity import Equity
from casefinding.definitions.words import ETHNICITIES
from casefinding.recall.choice.candidates import PARTS, Bools, Ints
from casefinding.recall.choice.exact import Aim
from casefinding.recall.choice.offers import Offers
from casefinding.recall.view import View

CORE20 = "most deprived 20%"
SHORT = "equity floors"
STEP = PARTS // 100
"""Where not every floor can be met, what is short is made as small as possible to the hundredth of a case."""


@dataclass(frozen=True)
class Floor:
    """One group of one network and condition, in expected cases; exact, for the network's own use.

    `needed`: the floor times the share of everybody listed without floors, of the group's expected undiagnosed.
    `listed` and `share_with` are what stands on the list, `share_without` what would without floors.
    """

    network: str
    condition: str
    grouping: str  # "core20" or "ethnicity"
    group: str
    people: int
    expected_undiagnosed: float
    share_without: float
    share_with: float
    listed: float
    needed: float
    met: bool

    @property
    def shortfall(self) -> float:
        """Expected cases that the list lacks; 0 where the floor is met."""
        return max(0.0, self.needed - self.listed)


@dataclass(frozen=True)
class Group:
    """People (n, bool) of one network who are owed a floor."""

    grouping: str
    name: str
    members: Bools


def groups(base: pa.Table, here: Bools, equity: Equity) -> list[Group]:
    """The most deprived fifth and the ethnic groups with enough people registered `here`; not known is a group."""
    decile = np.nan_to_num(np.asarray(base["imd_decile"].to_numpy(zero_copy_only=False), dtype=np.float64))
    ethnicity = base["ethnicity"].fill_null("unknown").to_numpy(zero_copy_only=False)
    found = [Group("core20", CORE20, here & (decile >= 1) & (decile <= 2))]
    found += [Group("ethnicity", name, here & (ethnicity == name)) for name in ETHNICITIES]
    return [one for one in found if int(one.members.sum()) >= equity.group_of_at_least] if equity.floor > 0 else []


def cells(found: Sequence[Group], n: int) -> Ints:
    """One number for each set of groups that somebody belongs to (n)."""
    number = np.zeros(n, dtype=np.int64)
    for place, group in enumerate(found):
        number += group.members.astype(np.int64) << place
    return number


def undiagnosed(view: View) -> np.ndarray:
    """What each person adds to the expected undiagnosed that a test would confirm (n): published, less the register.

    Where nothing is published, the chances.
    """
    if view.expected is None:
        return np.nan_to_num(view.ranked())
    published = view.model.expected
    confirmable = published.confirmable if published is not None else 1.0
    return np.where(np.asarray(view.status) == "on register", 0.0, view.expected) * confirmable


@dataclass(frozen=True)
class Measured:
    """The floors of one network as numbers, by condition (c) and group (g): owed and needed in PARTS of a case."""

    network: str
    equity: Equity
    conditions: tuple[str, ...]
    groups: Sequence[Group]
    owed: np.ndarray  # (c, g)
    everybody: np.ndarray  # (c)
    without: Ints  # (c, g): listed without floors
    needed: Ints  # (c, g)

    def met(self) -> bool:
        """Whether every floor is met without doing anything for it."""
        return bool((self.without >= self.needed).all())

    def records(self, listed: Ints) -> list[Floor]:
        """One Floor a condition and group, given what is listed (c, g)."""
        found = []
        for c, condition in enumerate(self.conditions):
            for g, group in enumerate(self.groups):
                owed, got = float(self.owed[c, g]), int(listed[c, g])
                if owed <= 0:
                    continue
                found.append(
                    Floor(
                        self.network, condition, group.grouping, group.name, int(group.members.sum()), owed / PARTS,
                        int(self.without[c, g]) / owed, got / owed, got / PARTS, int(self.needed[c, g]) / PARTS,
                        got >= int(self.needed[c, g]),
                    )
                )  # fmt: skip
        return found


def measured(
    network: str,
    views: Sequence[View],
    found: Sequence[Group],
    here: Bools,
    equity: Equity,
    rows: Ints,
    worth: Ints,
) -> Measured:
    """The floors that follow from a choice without floors: `rows` of the people chosen and their `worth` (., c)."""
    expected = [undiagnosed(view) * PARTS for view in views]
    owed = np.array([[one[group.members].sum() for group in found] for one in expected]).reshape(len(views), len(found))
    everybody = np.array([one[here].sum() for one in expected])
    share = worth.sum(axis=0) / np.where(everybody > 0, everybody, np.inf)
    needed = np.ceil(equity.floor * owed * share[:, None] - 1e-6).astype(np.int64)
    return Measured(
        network, equity, tuple(view.condition for view in views), found, owed, everybody,
        listed_by_group(found, rows, worth), needed,
    )  # fmt: skip


def listed_by_group(found: Sequence[Group], rows: Ints, worth: Ints) -> Ints:
    """What the people chosen are worth, by condition and group (c, g)."""
    if not found:
        return np.zeros((worth.shape[1], 0), dtype=np.int64)
    return np.stack([worth[group.members[rows]].sum(axis=0) for group in found], axis=1)


def with_floors(offers: Offers, measured: Measured) -> tuple[Offers, list[Aim]]:
    """The same columns under the floors, and their aims: what is short comes after the kept places, before all else."""
    asked = [(c, g) for c in range(len(measured.conditions)) for g in range(len(measured.groups))]
    asked = [(c, g) for c, g in asked if measured.needed[c, g] > 0]
    given = offers.columns
    before = given.spare.shape[1]
    members = [measured.groups[g].members[offers.people] for _, g in asked]
    worth = [np.where(member, offers.worth[:, c], 0) for member, (c, _) in zip(members, asked, strict=True)]
    uses = sparse.vstack([given.uses, sparse.csc_array(-np.array(worth, dtype=np.float64))], format="csc")
    spare = sparse.block_diag([given.spare, -STEP * sparse.eye_array(len(asked))], format="csc")
    needed = np.array([-measured.needed[c, g] for c, g in asked], dtype=np.float64)
    columns = replace(
        given, uses=uses, spare=sparse.csc_array(spare), limit=np.concatenate([given.limit, needed]),
        spare_limit=np.concatenate([given.spare_limit, np.full(len(asked), np.inf)]),
        spare_whole=np.concatenate([given.spare_whole, np.ones(len(asked), dtype=bool)]),
    )  # fmt: skip
    floored = replace(offers, columns=columns)
    aims = floored.aims()
    short = np.concatenate([np.zeros(before, dtype=np.int64), -np.ones(len(asked), dtype=np.int64)])
    aims.insert(1, Aim(SHORT, np.zeros(columns.number, dtype=np.int64), short))
    return floored, aims
