"""Whom a lane leaves out, by the matrix of leave-outs and by what this programme has done already."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from casefinding.definitions.shapes import Definitions
from casefinding.rules.evaluate import evaluate

RECENTLY_INVITED = "invited in the last 12 months"
DECLINED = "declined or not appropriate in the last 12 months"
_INVITED = ("invited", "seen", "tested")
_DECLINED = ("declined", "opted out", "already known", "not appropriate")
_STAGES = ("invite", "chance", "never measured")


def leave_outs(
    definitions: Definitions,
    condition: str,
    columns: Mapping[str, np.ndarray],
    people: np.ndarray,
    contacts: pa.Table,
    index_day: dt.date,
) -> tuple[dict[str, np.ndarray], dict[str, tuple[str, ...]]]:
    """Who is in which state of the record, and what each state drops a person from.

    `columns` are the feature columns (n), `people` the person numbers (n), `contacts` the store's contact table.
    Opted-out people are dropped however long ago that was; the other contacts count for 12 months.
    """
    holds: dict[str, np.ndarray] = {}
    drops: dict[str, tuple[str, ...]] = {}
    for rule in definitions.leave_outs_for(condition):
        holds[rule.name] = evaluate(rule.when, columns)
        drops[rule.name] = rule.drop_from
    year_ago = np.datetime64(index_day - dt.timedelta(days=365))
    on = contacts["on"].to_numpy().astype("datetime64[D]")
    kind = contacts["kind"].to_numpy(zero_copy_only=False)
    about = contacts["condition"].fill_null("").to_numpy(zero_copy_only=False)
    mine = np.isin(about, ("", "all", condition)) & (on < np.datetime64(index_day))
    for name, kinds in ((RECENTLY_INVITED, _INVITED), (DECLINED, _DECLINED)):
        rows = mine & np.isin(kind, kinds) & ((on >= year_ago) | (kind == "opted out"))
        holds[name] = np.isin(people, contacts["person"].to_numpy()[rows])
        drops[name] = _STAGES
    return holds, drops
