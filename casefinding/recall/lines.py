"""One line a person: every condition's say about them, under the most urgent lane."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from casefinding.definitions.shapes import Rule
from casefinding.recall.view import View

ORDER = ("act now", "check the reading", "review the record", "chase the result", "invite", "never measured")
"""Lanes from the most urgent; a person stands once, in the first lane that any condition gives them."""
URGENT = ("act now", "check the reading")
"""Lanes in which every rule speaks and asks for its own action, whatever else is known of the person."""
WITHOUT_A_PLACE = (*URGENT, "review the record", "chase the result")
"""Lanes that need no place in what a practice can do: nobody in them is capped."""
REACH_DIFFERENTLY = "reach differently"
"""The sheet of people invited who need another way of being asked; those who are urgent stay where the urgent stand."""
BY_CHANCE = ("invite", "never measured")
"""Lanes where the model's chance and reasons are shown: beside a safety rule a low chance would falsely reassure."""


@dataclass(frozen=True)
class Item:
    """What one condition says about a person: by a rule, by the model's chance, or both.

    `label` is what it concerns; `say` is empty where a more urgent rule of the same condition speaks; `chance_words`
    and the sentences of the model are empty in lanes that are not by chance.
    """

    condition: str
    label: str
    lane: str
    rule: str | None
    priority: int
    severe: bool
    say: str
    do: str
    source: str
    evidence_on: dt.date | None  # the day of the record that the rule speaks of
    chance: float | None
    chance_words: str
    chance_of: str
    place: int  # the order of invitation in the practice for this condition's test; 0 = not by capacity
    wave: int = 0  # which invitation this is: 1, 2, 3; 0 = none
    visit: str = ""  # the visit that is offered, in words
    supporting: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """One person on a practice's list."""

    pseudonym: str
    practice: str
    born: int
    sex: str
    lane: str
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()
    scores: tuple[str, ...] = ()  # published scores in use, or which of their inputs are missing
    known: tuple[str, ...] = ()  # how much is known: readings, contacts, years on record
    reach: tuple[str, ...] = ()  # groups who are reached in another way than by letter or text: housebound ...

    @property
    def sheet(self) -> str:
        """Where the line stands in what a practice receives: its lane, or with those to be reached differently."""
        return REACH_DIFFERENTLY if self.reach and self.lane in BY_CHANCE else self.lane

    @property
    def do(self) -> tuple[str, ...]:
        """What to do, each thing once: everything that is urgent, and of each concern its most urgent action."""
        found: dict[str, None] = {}
        answered: set[tuple[str, str]] = set()
        for item in self.items:
            concern = (item.condition, item.label)
            if item.lane in URGENT or (item.lane != "note" and concern not in answered):
                found[item.do] = None
            answered.add(concern)
        return tuple(found)

    @property
    def concerns(self) -> tuple[str, ...]:
        """What the person is listed for: the headings of what is said or offered."""
        spoken = (item.label for item in self.items if item.say or item.rule is None)
        return tuple(dict.fromkeys(spoken)) or tuple(dict.fromkeys(item.label for item in self.items))

    @property
    def rules(self) -> tuple[str, ...]:
        """Every rule that fired, also those that a more urgent one speaks for."""
        return tuple(dict.fromkeys(item.rule for item in self.items if item.rule))


@dataclass
class Spoken:
    """Who is on a list and why, before words are found: rows of the base table."""

    row: int
    lane: str
    by: list[tuple[View, str, Rule | None, int]] = field(default_factory=list)  # view, lane, rule, place
    visit: str = ""  # the visit they are invited to, in words


def who_and_why(
    views: Sequence[View], places: Mapping[str, np.ndarray], visit: Sequence[str] | None = None
) -> list[Spoken]:
    """Everyone on a list, with what speaks for it: urgent and review rules for all, invitations by place.

    `places` gives each condition's order of invitation, `visit` the label of the visit a row (see choose.choose). "act
    now", "check the reading", "review the record" and "chase the result" never depend on them. A person who is invited
    also carries every rule of the lanes "invite", "never measured" and "note" that fired, so that one conversation
    covers everything.
    """
    found: dict[int, Spoken] = {}

    def add(row: int, lane: str, view: View, rule: Rule | None, place: int) -> None:
        spoken = found.setdefault(row, Spoken(row, lane))
        if lane in ORDER and (spoken.lane not in ORDER or ORDER.index(lane) < ORDER.index(spoken.lane)):
            spoken.lane = lane
        spoken.by.append((view, lane, rule, place))

    for view in views:
        rules = {rule.id: rule for rule in view.model.rules}
        for lane in WITHOUT_A_PLACE:
            for rule_id, mask in view.fired(lane).items():
                for row in np.flatnonzero(mask):
                    add(int(row), lane, view, rules[rule_id], 0)
        place = places[view.condition]
        invite, never = view.fired("invite"), view.fired("never measured")
        for row in np.flatnonzero(place):
            row = int(row)
            named = False
            for lane, fired in (("invite", invite), ("never measured", never)):
                for rule_id, mask in fired.items():
                    if mask[row]:
                        add(row, lane, view, rules[rule_id], int(place[row]))
                        named = True
            if not named:
                add(row, "invite", view, None, int(place[row]))
    for view in views:  # notes are for whoever is on a list by any condition, so they come when all are known
        rules = {rule.id: rule for rule in view.model.rules}
        for rule_id, mask in view.fired("note").items():
            for row in np.flatnonzero(mask):
                if int(row) in found:
                    add(int(row), "note", view, rules[rule_id], 0)
    for row, spoken in found.items():
        spoken.visit = visit[row] if visit is not None else ""
    return sorted(found.values(), key=lambda spoken: spoken.row)
