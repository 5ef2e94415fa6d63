"""From one list to the next: who is new, who stays, who stands in another lane, who left, and why."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from casefinding.definitions.recall import Invitations
from casefinding.explain.wording import date_words
from casefinding.recall.lines import BY_CHANCE, ORDER, URGENT, WITHOUT_A_PLACE
from casefinding.recall.loop.ledger import ALREADY_KNOWN, NOT_APPROPRIATE, NOT_DIAGNOSED
from casefinding.recall.loop.today import Registers, Today
from casefinding.recall.loop.why_changed import (
    FINDING,
    OTHERWISE,
    concern,
    most_certain,
    sent_back,
    told,
    why_new,
    why_not_now,
)
from casefinding.recall.view import View

Kind = Literal["new", "stays", "moved lane", "left"]
KINDS: tuple[Kind, ...] = ("left", "moved lane", "new", "stays")
Row = Mapping[str, Any]
_DONE_WITH = (NOT_DIAGNOSED, ALREADY_KNOWN, NOT_APPROPRIATE)


@dataclass(frozen=True)
class Change:
    """One person of a practice, from its last list to this one; of `Changes.no_longer_urgent`, about one condition.

    `conditions` are what the list calls them: those of this list, or of the last one if the person left. A lane is ""
    where the person is not on that list. `why` is "" for those who stay; `details` tells every condition of the last
    list that is in its lane no more, with its own reason and what the practice sent back. `urgent_before`: stood on the
    last list in a lane that is never capped or hidden. `said`: what was last sent back about each condition of this
    list, whenever that was; `answered_on`: the day by which all of them were answered with nothing left to do, or None.
    """

    pseudonym: str
    practice: str
    conditions: tuple[str, ...]
    was_lane: str
    now_lane: str
    why: str
    details: tuple[str, ...] = ()
    urgent_before: bool = False
    said: tuple[str, ...] = ()
    answered_on: dt.date | None = None

    @property
    def kind(self) -> Kind:
        if not self.was_lane:
            return "new"
        if not self.now_lane:
            return "left"
        return "stays" if self.was_lane == self.now_lane else "moved lane"


@dataclass(frozen=True)
class Counted:
    """How many people of a practice changed in one way for one reason; exact, for the practice and its network."""

    practice: str
    kind: Kind
    why: str
    people: int


@dataclass(frozen=True)
class Changes:
    """Every person of the last list and of this one once a practice, and what was urgent and is not any more.

    `no_longer_urgent` has one entry a person and condition that called for action or a check on the last list and
    does neither now, whatever else the person is listed for: no severe reading is lost without a word.
    """

    everybody: tuple[Change, ...]
    no_longer_urgent: tuple[Change, ...]
    last: Mapping[str, dt.date]  # practice -> the index day of its last list; missing where there is none

    def of(self, practice: str) -> Changes:
        """The changes of one practice alone."""
        return Changes(
            tuple(one for one in self.everybody if one.practice == practice),
            tuple(one for one in self.no_longer_urgent if one.practice == practice),
            {code: day for code, day in self.last.items() if code == practice},
        )

    def counted(self) -> list[Counted]:
        """People by practice, kind of change and reason; the most frequent reason of a kind first."""
        number: Counter[tuple[str, Kind, str]] = Counter((one.practice, one.kind, one.why) for one in self.everybody)
        order = sorted(number, key=lambda key: (key[0], KINDS.index(key[1]), -number[key], key[2]))
        return [Counted(practice, kind, why, number[practice, kind, why]) for practice, kind, why in order]


def changes(
    previous: pa.Table | None,
    current: pa.Table,
    store: Registers,
    base: pa.Table,
    views: Sequence[View],
    contacts: pa.Table,
    outcomes: pa.Table,
    invitations: Invitations,
    index_day: dt.date,
) -> Changes:
    """What became of everybody on the last list of each practice, and who is new.

    `previous` and `current` are of LISTED (see Ledger.previous, listed); `contacts` as the leave-outs were given them,
    `outcomes` as the ledger holds them. Somebody who moved between two practices left the one and is new in the other,
    and neither is told which.
    """
    was, now = _by_person(previous), _by_person(current)
    names = [pseudonym for _, pseudonym in (*was, *now)]
    today = Today.of(names, store, base, views, contacts, outcomes, invitations, index_day)
    last = {practice: rows[0]["index_day"] for (practice, _), rows in was.items()}
    everybody, urgent = [], []
    for key in dict.fromkeys((*was, *now)):
        before, after = was.get(key, ()), now.get(key, ())
        everybody.append(_change(before, after, last.get(key[0]), today))
        urgent += _no_longer_urgent(before, after, today)
    return Changes(tuple(sorted(everybody, key=_order)), tuple(sorted(urgent, key=_order)), last)


def _by_person(listed: pa.Table | None) -> dict[tuple[str, str], list[Row]]:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in listed.to_pylist() if listed is not None else ():
        found.setdefault((row["practice"], row["pseudonym"]), []).append(row)
    return found


def _change(before: Sequence[Row], after: Sequence[Row], last: dt.date | None, today: Today) -> Change:
    was, now = before[0]["line_lane"] if before else "", after[0]["line_lane"] if after else ""
    lane_now = {row["condition"]: row["lane"] for row in after}
    dropped = {
        row["condition"]: why_not_now(row, today)
        for row in before
        if _lower(row["lane"], lane_now.get(row["condition"], ""))
    }
    if not was:
        why = why_new(after, last, today)
    elif now == was:
        why = ""
    elif now in WITHOUT_A_PLACE and not _lower(was, now):
        why = FINDING
    else:
        reasons = [dropped[row["condition"]] for row in before if row["condition"] in dropped and row["lane"] == was]
        why = most_certain(reasons, today) if reasons else OTHERWISE
    details = [told(row, dropped[row["condition"]], today) for row in before if row["condition"] in dropped]
    if details and now and why != FINDING:  # why the one is gone does not tell why the other is there
        known = {row["condition"] for row in before}
        come = [row for row in after if row["condition"] not in known]
        details += [f"{concern(row, today)}: {why_new([row], last, today)}" for row in come]
    answers = [sent_back(row, today) for row in after]
    return Change(
        pseudonym=(before or after)[0]["pseudonym"],
        practice=(before or after)[0]["practice"],
        conditions=tuple(dict.fromkeys(concern(row, today) for row in after or before)),
        was_lane=was,
        now_lane=now,
        why=why,
        details=tuple(details),
        urgent_before=was in URGENT,
        said=_said(after, answers),
        answered_on=_answered_on(answers),
    )


def _said(listed: Sequence[Row], answers: Sequence[Row | None]) -> tuple[str, ...]:
    """What was last sent back about each condition of a person; the condition is named where there are several."""
    named = len(listed) > 1
    return tuple(
        f"{row['label'] + ', ' if named else ''}{one['outcome']}, {date_words(one['on'])}"
        for row, one in zip(listed, answers, strict=True)
        if one is not None
    )


def _answered_on(answers: Sequence[Row | None]) -> dt.date | None:
    days = [one["on"] for one in answers if one is not None and one["outcome"] in _DONE_WITH]
    return min(days) if days and len(days) == len(answers) else None


def _lower(was: str, now: str) -> bool:
    """Whether one condition says less about a person than it did; of two ways to be invited neither is less."""
    if not now:
        return True
    return ORDER.index(now) > ORDER.index(was) and not (was in BY_CHANCE and now in BY_CHANCE)


def _no_longer_urgent(before: Sequence[Row], after: Sequence[Row], today: Today) -> list[Change]:
    lane_now = {row["condition"]: row["lane"] for row in after}
    found = []
    for row in before:
        now = lane_now.get(row["condition"], "")
        if row["lane"] in URGENT and now not in URGENT:
            why = why_not_now(row, today)
            found.append(
                Change(
                    row["pseudonym"], row["practice"], (concern(row, today),), row["lane"], now, why,
                    (told(row, why, today),), urgent_before=True,
                )
            )  # fmt: skip
    return found


def _order(change: Change) -> tuple[object, ...]:
    lane = change.was_lane or change.now_lane
    return change.practice, not change.urgent_before, KINDS.index(change.kind), ORDER.index(lane), change.pseudonym
