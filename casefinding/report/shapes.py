"""What the pages and workbooks are written from; nothing here is computed, only carried."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from casefinding.recall.lines import REACH_DIFFERENTLY, Line

if TYPE_CHECKING:
    from casefinding.recall.loop.changes import Change

LANE_WORDS = {
    "act now": (
        "Act now",
        "The record holds an urgent finding that may not have been acted on. Nobody is left out or capped; the most "
        "severe and the freshest stand first. Look at each record today; somebody may already have acted. Most rules "
        "do not look at people who have the diagnosis already: their severe readings are not here.",
    ),
    "check the reading": (
        "Check the reading",
        "A recorded value is outside what is plausible, but if it is true it is urgent. Check it against the record.",
    ),
    "review the record": (
        "Review the record",
        "The record already holds evidence of the condition without its code. Review it first; some people will need "
        "a test to confirm. Whoever was answered for before, with nothing newer in the record, stands last.",
    ),
    "chase the result": (
        "Chase the result",
        "A test or a clinic was arranged and no result is recorded. Find the result and code it, or arrange the test "
        "again. Nobody is invited while a result is awaited.",
    ),
    "invite": (
        "Invite",
        "People to invite for a test, in this order, as many as fit into what the practice said it can do.",
    ),
    "never measured": (
        "Not measured lately",
        "People about whom the record says too little. No data does not mean no risk: some places are kept for them, "
        "first for those of whose age, sex, ethnicity and deprivation most are undiagnosed.",
    ),
}
"""For each lane its heading and what it is, in the order of a list."""

SHEET_WORDS = {
    **LANE_WORDS,
    REACH_DIFFERENTLY: (
        "Reach differently",
        "People chosen for a test like those to invite, for whom a letter or a text is not enough. Arrange first what "
        "the note beside each person says. They stand here only.",
    ),
}
"""For each sheet of people its heading and what it is, in order: every line of a list stands on exactly one."""

DRAFT = "The rules are drafts until a clinical safety officer has signed them."


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
class NeverCoded:
    """Somebody of whom an outcome says more than the record: diagnosed, or a result awaited; one condition."""

    pseudonym: str
    label: str  # the condition as a person would call it
    seen_on: dt.date | None
    list_id: str  # the list on which they had stood


@dataclass(frozen=True)
class RuleWords:
    """What a rule is, for the key to the ids on a list."""

    id: str
    label: str
    do: str
    source: str


@dataclass(frozen=True)
class PracticeLists:
    """Everything one practice receives; what has a default is told only where it is given."""

    practice: str
    name: str
    registered: int
    lines: Sequence[Line]
    capacity: Mapping[str, float]  # what the practice can do -> how many this month
    used: Mapping[str, float]  # the same -> how many are taken
    expected: Mapping[str, float]  # condition label -> expected cases among those invited by chance
    left_out: Mapping[str, int]  # why people were left out of the invitation -> how many
    marginal: Mapping[str, float] = field(default_factory=dict)  # the same as capacity -> cases found by one more
    labels: Mapping[str, str] = field(default_factory=dict)  # condition -> its label, for "Diagnosed with"
    rules: Sequence[RuleWords] = ()  # the catalogue; the key shows those that the list names
    floors: str = ""  # the equity floors and what they cost, a sentence
    holdout: str = ""  # who is held out at random, a sentence
    review_minutes_needed: float | None = None  # for everybody in "review the record"
    review_minutes_stated: float | None = None  # what the practice has for reading records, urgent ones among them
    urgent_minutes: float = 0.0  # what the urgent lanes take of it first
    changes: Sequence[Change] | None = None  # since the list before; None = there is none to compare with
    no_longer_urgent: Sequence[Change] = ()  # a person and condition each; told first of all
    never_coded: Sequence[NeverCoded] = ()
    awaited: Sequence[NeverCoded] = ()  # seen, and no result was ever told
    funnel: Sequence[tuple[str, int]] = ()  # last month: stage -> people
    already_known: tuple[int, int] | None = None  # last month: already known, of how many outcomes

    def lane(self, name: str) -> list[Line]:
        """The people of a lane, also those who are to be reached differently."""
        return [line for line in self.lines if line.lane == name]

    def sheet(self, name: str) -> list[Line]:
        """The people of a sheet (SHEET_WORDS), each on one; those to be reached differently by group, so that one
        visit or call can serve several. Of those whose record is read, the ones who were answered for stand last."""
        found = [line for line in self.lines if line.sheet == name]
        if name == REACH_DIFFERENTLY:
            return sorted(found, key=lambda line: line.reach)
        return sorted(found, key=self._answered) if name in ("review the record", "chase the result") else found

    @cached_property
    def _change_of(self) -> Mapping[str, Change]:
        return {one.pseudonym: one for one in self.changes or ()}

    def _answered(self, line: Line) -> bool:
        """Whether the practice has answered for a person already, and the record holds nothing newer for that lane."""
        change = self._change_of.get(line.pseudonym)
        if change is None or change.answered_on is None:
            return False
        days = [item.evidence_on for item in line.items if item.lane == line.lane and item.evidence_on]
        return all(day <= change.answered_on for day in days)

    def said(self, line: Line) -> list[str]:
        """What the practice last sent back about a person, as notes; so that nobody answers the same thing twice."""
        change = self._change_of.get(line.pseudonym)
        return [f"Sent back before: {text}" for text in (change.said if change else ())]

    @property
    def reviews_in_time(self) -> int | None:
        """How many of those to review fit into the minutes stated; None if all do, or if no minutes were stated."""
        needed, stated = self.review_minutes_needed, self.review_minutes_stated
        if stated is None or not needed or needed + self.urgent_minutes <= stated:
            return None
        return int(len(self.sheet("review the record")) * max(0.0, stated - self.urgent_minutes) / needed)


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
