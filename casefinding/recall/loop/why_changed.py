"""Why somebody left a list, or came onto it: what is certain, the most certain first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from casefinding.cohort.eligible import ON_REGISTER
from casefinding.definitions.words import age_on
from casefinding.explain.wording import date_words
from casefinding.recall.leave_out import DECLINED, SEEN
from casefinding.recall.lines import BY_CHANCE, URGENT, WITHOUT_A_PLACE
from casefinding.recall.loop.holdout import HELD_OUT
from casefinding.recall.loop.ledger import AWAITED, DIAGNOSED, DID_NOT_ATTEND, NOT_DIAGNOSED
from casefinding.recall.loop.today import Today
from casefinding.recall.loop.waves import EVERY_CONDITION, invited_enough, invited_lately
from casefinding.recall.view import EVERYTHING, View

DIED = "died"
UNKNOWN = "not in the records any more"
MOVED = "moved to another practice of the network"
GONE = "left the practice"
NOT_ASKED = "this practice has no lists this time"
BARRED = "the record may not be used any more"
CODED = "on the register now"
FOUND_ILL = "seen and diagnosed, not on the register yet"
NORMAL = "tested, not diagnosed"
WAITING_RESULT = "seen, result awaited"
SEEN_SINCE = "seen or tested"
NOT_INVITABLE = {
    "declined": "declined",
    "already known": "already known, but not on the register",
    "not appropriate": "not appropriate",
    "opted out": "asked not to be invited",
}
WAITING = "invited, may still answer"
MISSED = "did not attend, may be invited again"
NOT_LOOKED_FOR = "this condition is not looked for this time"
RULE_GONE = "the rule that listed them is not in use any more"
NOT_ELIGIBLE = "the model may not be asked about them any more"
NO_PLACE = "no place this month: others came first"
SILENT = "a later record answers it, or it is older than its rule looks back"
UNTOLD = "no outcome was sent back: look once more"

FIRST_LIST = "no earlier list of this practice"
JOINED = "joined the practice since"
FINDING = "a finding that the last list did not hold"
NEWLY_ELIGIBLE = "old enough, or known long enough, since the last list"
PLACE = "has a place this month"
OTHERWISE = "invited for another reason now"
_ORDINALS = ("", "first", "second", "third", "fourth", "fifth", "sixth")


def certainty(today: Today) -> tuple[str, ...]:
    """Every reason for leaving that has words of its own, the most certain first; labels of leave-outs come after."""
    return (
        DIED, UNKNOWN, MOVED, GONE, NOT_ASKED, BARRED, CODED, FOUND_ILL, NORMAL, WAITING_RESULT, SEEN_SINCE,
        *NOT_INVITABLE.values(), WAITING, MISSED, invited_enough(today.invitations), HELD_OUT,
    )  # fmt: skip


def why_not_now(listed: Mapping[str, Any], today: Today) -> str:
    """Why a row of an earlier list (LISTED), a person and condition, is in its lane no more.

    What cannot make a lane fall silent is no reason for it: an invitation, a refusal or a holdout explains why nobody
    is invited, never why a finding that called for action is not told any more.
    """
    person = today.people.get(listed["pseudonym"])
    if person is None:
        return UNKNOWN
    if person.died_on is not None and person.died_on < today.index_day:
        return DIED
    if person.practice != listed["practice"]:
        return GONE if person.practice is None else MOVED
    if person.row is None:
        return NOT_ASKED
    view = today.views.get(listed["condition"])
    if view is None:
        return NOT_LOOKED_FOR
    return _by_the_record(listed, view, person.row, today)


def _by_the_record(listed: Mapping[str, Any], view: View, row: int, today: Today) -> str:
    held = [name for name, holds in view.left_out.items() if holds[row]]
    if any(EVERYTHING in view.drops[name] for name in held):
        return BARRED
    lane, known = listed["lane"], {rule.id: rule for rule in view.model.rules}
    ids = [name for name in listed["rules"].split(", ") if name]
    by = [known[name] for name in ids if name in known and known[name].lane == lane]
    silenced = any(rule.applies_to != "anyone" for rule in by) or (lane in BY_CHANCE and not by)
    if view.status[row] == ON_REGISTER and silenced:
        return CODED
    outcome = (today.said(listed) or {}).get("outcome")
    told = {DIAGNOSED: FOUND_ILL, NOT_DIAGNOSED: NORMAL, AWAITED: WAITING_RESULT}.get(outcome or "")
    if told and lane not in URGENT:  # what came back silences nothing urgent: it stands beside the reason (see `told`)
        return told
    # no leave-out drops from an urgent lane but the one for everything
    stages = {lane} if lane not in BY_CHANCE else {lane, "chance"} if ids else {"chance"}
    dropping = [name for name in held if stages & set(view.drops[name])]
    if dropping:
        why = _of_leave_outs(dropping, listed, view, today)
        return MISSED if why == WAITING and outcome == DID_NOT_ATTEND else why
    if ids and not any(name in known for name in ids):
        return RULE_GONE
    if lane in BY_CHANCE:
        fired = any(mask[row] for each in BY_CHANCE for mask in view.fired(each).values())
        if fired or view.ranked()[row] == view.ranked()[row]:  # not NaN
            return NO_PLACE
        return SILENT if ids else NOT_ELIGIBLE
    return SILENT


def _of_leave_outs(names: Sequence[str], listed: Mapping[str, Any], view: View, today: Today) -> str:
    labels = {rule.name: rule.label for rule in view.leave_outs}
    words = {
        SEEN: SEEN_SINCE,
        invited_lately(today.invitations): WAITING,
        invited_enough(today.invitations): invited_enough(today.invitations),
        HELD_OUT: HELD_OUT,
    }
    found = []
    for name in names:
        if name == DECLINED:
            kind = today.last_contact(listed["pseudonym"], listed["condition"], tuple(NOT_INVITABLE))
            found.append(NOT_INVITABLE.get(kind, NOT_INVITABLE["declined"]))
        elif name.endswith("normal"):  # a leave-out of the definitions for those whom a test has cleared
            found.append(NORMAL)
        else:
            found.append(words.get(name) or labels.get(name, name))
    return most_certain(found, today)


def most_certain(reasons: Sequence[str], today: Today) -> str:
    """The reason that stands first in the order of certainty; of those with no place in it, the first."""
    order = certainty(today)
    return min(reasons, key=lambda why: order.index(why) if why in order else len(order) + (why in _WEAKEST))


_WEAKEST = (NO_PLACE, NOT_ELIGIBLE, SILENT)


def why_new(rows: Sequence[Mapping[str, Any]], before: dt.date | None, today: Today) -> str:
    """Why somebody is on a list (all their rows of it, LISTED) who was not on the last, of `before`; None: no last."""
    if before is None:
        return FIRST_LIST
    person = today.people.get(rows[0]["pseudonym"])
    if person is not None and person.joined is not None and person.joined >= before:
        return JOINED
    if rows[0]["line_lane"] in WITHOUT_A_PLACE:
        return FINDING
    return _why_invited(rows, before, today)


def _why_invited(rows: Sequence[Mapping[str, Any]], before: dt.date, today: Today) -> str:
    """Why somebody is invited who was not before: a further invitation, eligible since, or a place that there is."""
    wave = max(row["wave"] for row in rows)
    if wave > 1:
        return f"the {_ORDINALS[wave]} invitation is due"
    person = today.people.get(rows[0]["pseudonym"])
    if (
        person is not None
        and person.row is not None
        and all(_newly_eligible(row, person.row, before, today) for row in rows)
    ):
        return NEWLY_ELIGIBLE
    return PLACE


def _newly_eligible(listed: Mapping[str, Any], row: int, before: dt.date, today: Today) -> bool:
    view = today.views[listed["condition"]]
    if not view.eligible[row]:
        return False
    about = today.base.slice(row, 1).select(["birth_month", "registered_on"]).to_pylist()[0]
    asked = view.model.eligible
    too_young = about["birth_month"] is not None and age_on(about["birth_month"], before) < asked.age_at_least
    return too_young or about["registered_on"] > asked.registered.before(before)


def told(listed: Mapping[str, Any], why: str, today: Today) -> str:
    """One condition's reason in words, with what the practice sent back; where it was urgent, also that nothing was."""
    said = today.said(listed)
    came = f" (sent back: {said['outcome']}, {date_words(said['on'])})" if said else ""
    if not said and listed["lane"] in URGENT and why == SILENT:
        came = f" ({UNTOLD})"
    return f"{concern(listed, today)}: {why}{came}"


def concern(listed: Mapping[str, Any], today: Today) -> str:
    """What a row of a list (LISTED) is about, as the list itself calls it: what its rules concern, or the condition."""
    view = today.views.get(listed["condition"])
    if view is None:
        return listed["label"]
    ids = listed["rules"].split(", ")
    by = [rule for rule in view.model.rules if rule.id in ids and rule.lane == listed["lane"]]
    return ", ".join(dict.fromkeys(rule.concerns or listed["label"] for rule in by)) or listed["label"]


def sent_back(listed: Mapping[str, Any], today: Today) -> Mapping[str, Any] | None:
    """The latest outcome about a person and condition, of whichever list, None if none ever came."""
    for one in reversed(today.outcomes.get((listed["practice"], listed["pseudonym"]), ())):
        if (one["condition"] or "") in (*EVERY_CONDITION, listed["condition"]):
            return one
    return None
