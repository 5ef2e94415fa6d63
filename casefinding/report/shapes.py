"""What the pages and workbooks are written from; nothing here is computed, only carried."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from casefinding.recall.lines import Line

LANE_WORDS = {
    "act now": (
        "Act now",
        "The record holds an urgent finding that may not have been acted on. Nobody is left out or capped; the most "
        "severe and the freshest stand first. Look at each record today; somebody may already have acted.",
    ),
    "check the reading": (
        "Check the reading",
        "A recorded value is outside what is plausible, but if it is true it is urgent. Check it against the record.",
    ),
    "review the record": (
        "Review the record",
        "The record already holds evidence of the condition without its code. Review it first; some people will need "
        "a test to confirm.",
    ),
    "invite": (
        "Invite",
        "People to invite for a test, in this order, as many as the practice said it can see.",
    ),
    "never measured": (
        "Not measured lately",
        "People about whom the record says too little. No data does not mean no risk: some places are kept for them.",
    ),
}
"""For each lane its heading and what it is, in the order of a list."""

DRAFT = "The rules are drafts until a clinical safety officer has signed them."

OUTCOMES = (
    "Invited",
    "Seen – diagnosed",
    "Seen – not diagnosed",
    "Declined",
    "Already known",
    "Not appropriate",
)


@dataclass(frozen=True)
class Edition:
    """Where and when a set of lists comes from; printed on everything."""

    network: str
    contact: str
    index_day: dt.date
    data_through: dt.date
    list_id: str
    version: str
    made_up: bool  # simulated records: said on every page


@dataclass(frozen=True)
class PracticeLists:
    """Everything one practice receives."""

    practice: str
    name: str
    registered: int
    lines: Sequence[Line]
    capacity: Mapping[str, int]  # test -> places this month
    used: Mapping[str, int]  # test -> places filled
    expected: Mapping[str, float]  # condition label -> expected cases among those invited by chance
    left_out: Mapping[str, int]  # why people were left out of the invitation -> how many

    def lane(self, name: str) -> list[Line]:
        return [line for line in self.lines if line.lane == name]


@dataclass(frozen=True)
class ModelStory:
    """One condition's page: how it was learnt, how it was judged, or why there is no model."""

    condition: str
    label: str
    about: str
    chance_of: str
    flow: Sequence[tuple[str, int, int]]  # step, left out, remaining: who is asked on the index day
    training: Mapping[str, Any]  # index days, gap, horizon, outcome counts
    not_trained: str = ""
    judgement: Any = None
    importance: Sequence[tuple[str, float]] = ()
    rules: Sequence[Mapping[str, Any]] = ()
    leaks: Mapping[str, Any] | None = None  # the leakage sentinel's certificate
    bundle: Mapping[str, str] = field(default_factory=dict)
