"""What became of the lists before this one: who changed, how far people came, who was found and never coded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from casefinding.cohort.diagnoses import diagnoses, first_known
from casefinding.cohort.eligible import ON_REGISTER, RESOLVED
from casefinding.cohort.registration import EPOCH, FOREVER
from casefinding.definitions.config import Config
from casefinding.definitions.shapes import Definitions
from casefinding.job.scoring import Scored
from casefinding.recall.loop.changes import Changes, changes
from casefinding.recall.loop.funnel import NEVER_CODED, Funnel, Records, awaited, funnel, never_coded
from casefinding.recall.loop.ledger import Ledger
from casefinding.recall.loop.received import standing
from casefinding.records.store import Store
from casefinding.rules.evaluate import evaluate


@dataclass(frozen=True)
class CameBack:
    """Without a ledger, or with an empty one, there is nothing to compare with: `changes` is None.

    `funnels`: of every practice's last list, everybody and by each grouping; `last`: practice -> its index day.
    `never_coded` (funnel.NEVER_CODED) is of every list there ever was.
    """

    changes: Changes | None = None
    funnels: Sequence[Funnel] = ()
    never_coded: pa.Table = field(default_factory=NEVER_CODED.empty_table)
    awaited: pa.Table = field(default_factory=NEVER_CODED.empty_table)  # of results, as the lists told it
    last: Mapping[str, dt.date] = field(default_factory=dict)

    def of(self, practice: str) -> Funnel | None:
        """The funnel of one practice's last list."""
        return self._of("practice", practice)

    @property
    def whole(self) -> Funnel | None:
        """The funnel of all last lists."""
        return self._of("all", "Everybody")

    def _of(self, grouping: str, group: str) -> Funnel | None:
        return next((one for one in self.funnels if (one.grouping, one.group) == (grouping, group)), None)


def came_back(
    ledger: Ledger | None, issued: pa.Table, known: Definitions, store: Store, scored: Scored, config: Config
) -> CameBack:
    """Compare the lists that are about to be issued (`issued`, ledger.LISTED) with what the ledger remembers."""
    previous = None if ledger is None else ledger.previous(config.index_day)
    if ledger is None or previous is None:
        return CameBack()
    outcomes = standing(ledger)
    told = changes(
        previous, issued, store, scored.base, scored.views, scored.contacts, outcomes, config.invitations,
        config.index_day,
    )  # fmt: skip
    registered = dict(zip(scored.base["pseudonym"].to_pylist(), scored.base["practice"].to_pylist(), strict=True))
    # Coded and since resolved is coded: it is for the register to say, not for us to ask again.
    ever = _records(known, store, scored, config, (ON_REGISTER, RESOLVED))
    lists = ledger.lists()
    return CameBack(
        changes=told,
        funnels=funnel(previous, outcomes, _records(known, store, scored, config, (ON_REGISTER,))),
        never_coded=never_coded(lists, outcomes, ever, registered),
        awaited=awaited(lists, outcomes, ever, registered),
        last=told.last,
    )


def _records(known: Definitions, store: Store, scored: Scored, config: Config, states: tuple[str, ...]) -> Records:
    """Who stands in one of some states of each register on the index day, since when, and who is treated."""
    pseudonym = scored.base["pseudonym"].to_numpy(zero_copy_only=False)
    person = scored.base["person"].to_numpy()
    register: dict[str, dict[str, dt.date | None]] = {}
    treated: dict[str, set[str]] = {}
    for view in scored.views:
        on, code = np.isin(view.status, states), view.model.register_.diagnosis
        since = first_known(diagnoses(store, known, [code])[code], person[on])
        register[view.condition] = {
            name: EPOCH + dt.timedelta(days=int(day)) if day < FOREVER else None
            for name, day in zip(pseudonym[on].tolist(), since.tolist(), strict=True)
        }
        if view.model.treated is not None:
            treated[view.condition] = set(pseudonym[evaluate(view.model.treated, scored.columns)].tolist())
    return Records(config.index_day, register, treated)
