"""Who has never been measured: in which groups, and how many of them are offered a place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from casefinding.disclosure import rounded
from casefinding.judge.groups import who_they_are
from casefinding.recall.view import View


@dataclass(frozen=True)
class Unmeasured:
    """One group's people not on the register and old enough to be asked; of them never measured; of those with a place.

    Exact, for the job's own use; `published` is what may leave it.
    """

    grouping: str  # "age_band", "sex", "ethnicity", "deprivation"; "all" for everybody
    group: str
    people: int
    never_measured: int
    with_a_place: int

    def published(self) -> dict[str, Any]:
        """The counts rounded or withheld, and the share never measured of the rounded counts."""
        people, never = rounded(self.people), rounded(self.never_measured)
        return {
            "grouping": self.grouping,
            "group": self.group,
            "people": people,
            "never measured": never,
            "share": round(min(1.0, never / people), 3) if people and never is not None else None,
            "with a place": rounded(self.with_a_place),
        }


SHOWN = ("age_band", "sex", "ethnicity", "deprivation")


def never_measured(view: View, base: pa.Table, place: np.ndarray) -> list[Unmeasured]:
    """Everybody, then each group of each way to part them; empty groups are left out, nobody is left out of "all".

    Nothing where the condition has no rule in that lane: who was never measured is then not told, and 0 would mislead.

    "Never measured" is what the condition's rules of that lane say, after its leave-outs; `place` is the order of
    invitation a row (see choose.choose), 0 for nobody.
    """
    if not view.fired("never measured"):
        return []
    old_enough = pc.fill_null(base["age"].cast(pa.int32()), 0).to_numpy() >= view.model.eligible.age_at_least
    asked = old_enough & (view.status != "on register")
    never = np.zeros(base.num_rows, dtype=bool)
    for mask in view.fired("never measured").values():
        never |= mask
    never &= asked

    def count(grouping: str, group: str, rows: np.ndarray) -> Unmeasured:
        unseen = never[rows]
        return Unmeasured(
            grouping, group, int(asked[rows].sum()), int(unseen.sum()), int((unseen & (place[rows] > 0)).sum())
        )

    found = [count("all", "Everybody", np.arange(base.num_rows))]
    for grouping in who_they_are(base):
        if grouping.name in SHOWN:
            found += [count(grouping.name, name, rows) for name, rows in grouping.parts()]
    return [one for one in found if one.people or one.grouping == "all"]
