"""Whom a lane leaves out, by the matrix of leave-outs and by what this programme has done already."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from casefinding.definitions.recall import Invitations
from casefinding.definitions.shapes import Definitions
from casefinding.recall.loop.waves import invited_enough, invited_lately, rows_about, waves
from casefinding.rules.evaluate import evaluate

SEEN = "seen or tested in the last 12 months"
DECLINED = "declined, known already or not appropriate in the last 12 months"
_ANSWERED = {
    SEEN: ("seen", "tested"),
    DECLINED: ("declined", "opted out", "already known", "not appropriate"),
}
BY_CAPACITY = ("invite", "chance", "never measured")
"""The stages that this programme's own doings drop a person from: never what is urgent or evident in the record."""


def leave_outs(
    definitions: Definitions,
    condition: str,
    columns: Mapping[str, np.ndarray],
    people: np.ndarray,
    contacts: pa.Table,
    index_day: dt.date,
    invitations: Invitations | None = None,
) -> tuple[dict[str, np.ndarray], dict[str, tuple[str, ...]]]:
    """Who is in which state of the record, and what each state drops a person from.

    `columns` are the feature columns (n), `people` the person numbers (n), `contacts` the store's contact table, with
    what the ledger holds. Opted-out people are dropped however long ago that was; other answers count for 12 months;
    invitations that nobody answered by `invitations` (see recall.waves).
    """
    invitations = invitations or Invitations()
    holds: dict[str, np.ndarray] = {}
    drops: dict[str, tuple[str, ...]] = {}
    for rule in definitions.leave_outs_for(condition):
        holds[rule.name] = evaluate(rule.when, columns)
        drops[rule.name] = rule.drop_from
    asked = waves(people, contacts, condition, index_day, invitations)
    holds[invited_lately(invitations)] = asked.lately
    holds[invited_enough(invitations)] = asked.enough
    year_ago = np.datetime64(index_day - dt.timedelta(days=365))
    recent = contacts["on"].to_numpy().astype("datetime64[D]") >= year_ago
    mine = rows_about(contacts, condition, index_day)
    kind = contacts["kind"].to_numpy(zero_copy_only=False)
    for name, kinds in _ANSWERED.items():
        rows = mine & np.isin(kind, kinds) & (recent | (kind == "opted out"))
        holds[name] = np.isin(people, contacts["person"].to_numpy()[rows])
    for name in (invited_lately(invitations), invited_enough(invitations), *_ANSWERED):
        drops[name] = BY_CAPACITY
    return holds, drops
