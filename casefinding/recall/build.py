"""From what each condition knows to lines with words: the lists of every practice."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from casefinding.definitions.clauses import NoneOf, Test, features_in, parts_of
from casefinding.definitions.shapes import Clause, Definitions, Rule
from casefinding.definitions.words import age_on
from casefinding.explain.reasons import Reasons, Side
from casefinding.explain.speaker import group_of
from casefinding.explain.wording import chance_words, fill
from casefinding.recall.known import known_words
from casefinding.recall.lines import BY_CHANCE, ORDER, URGENT, WITHOUT_A_PLACE, Item, Line, Spoken
from casefinding.recall.order import in_order
from casefinding.recall.scores import InUse
from casefinding.recall.view import View
from casefinding.rules.evaluate import evaluate

LONG_PAST = 365
"""Days: "last noted on ..." speaks against an illness only if that was longer ago."""
MOST_REASONS = 5
"""Sentences under "why" a condition: what rules say first, then what the model weighs."""
_DATED = re.compile(r"\{([a-z0-9_]+)\.when\}")

Explain = Callable[[View, Sequence[int]], Mapping[int, Reasons]]
"""Reasons for some rows of the base table, by row; empty where the condition has no model."""

Days = Mapping[str, dt.date | None]
Entry = tuple[View, str, Rule | None, int]  # condition, lane, rule, place of invitation


def lines(
    spoken: Sequence[Spoken],
    views: Sequence[View],
    definitions: Definitions,
    base: pa.Table,
    evidence: pa.Table,
    explain: Explain,
) -> list[Line]:
    """One line a person, worded, in the order of the lists.

    `base` is the cohort's table of the index day with a `pseudonym` column; `evidence` the matrix with days of exactly
    the rows in `spoken`, in their order. Reasons are asked for only where a person is invited by chance.
    """
    columns = {name: evidence[name].to_numpy() for name in evidence.column_names}
    chances = {view.condition: view.ranked() for view in views}
    worded: dict[str, Mapping[int, Reasons]] = {}
    for view in views:
        known = ~np.isnan(chances[view.condition])
        rows = [person.row for person in spoken if known[person.row] and _by_chance(person, view)]
        worded[view.condition] = explain(view, rows) if rows else {}

    in_use = [(view, InUse(view, columns)) for view in views if view.model.scores]
    people = {
        name: base[name].to_pylist() for name in ("pseudonym", "practice", "birth_month", "sex", "days_registered")
    }
    index_day = base["index_day"][0].as_py() if base.num_rows else dt.date.min
    found = []
    for position, person in enumerate(spoken):
        values, days = _of(columns, position)
        chance = {condition: float(column[person.row]) for condition, column in chances.items()}
        reasons = {condition: of_view.get(person.row) for condition, of_view in worded.items()}
        items = _items(person, chance, reasons, definitions, values, days)
        found.append(
            Line(
                pseudonym=people["pseudonym"][person.row],
                practice=people["practice"][person.row],
                born=people["birth_month"][person.row].year,
                sex=people["sex"][person.row],
                lane=person.lane,
                items=items,
                notes=_notes(definitions, views, person, {item.condition for item in items}),
                reach=_reach(definitions, views, person),
                known=known_words(
                    (view.model.known_by for view in views if view.condition in {item.condition for item in items}),
                    values,
                    people["days_registered"][person.row],
                ),
                scores=tuple(
                    text
                    for view, scores in in_use
                    for text in scores.on_line(
                        position,
                        person,
                        age_on(people["birth_month"][person.row], index_day),
                        by_chance=_by_chance(person, view),
                    )
                ),
            )
        )
    return in_order(found, index_day)


def _by_chance(person: Spoken, view: View) -> bool:
    """Whether a condition speaks about a person by invitation alone, and nothing else about them is urgent."""
    lanes = {entry[1] for entry in person.by if entry[0] is view}
    return person.lane not in URGENT and bool(lanes & set(BY_CHANCE)) and lanes <= {*BY_CHANCE, "note"}


def _urgency(entry: Entry) -> tuple[int, int]:
    _, lane, rule, _ = entry
    return (ORDER.index(lane) if lane in ORDER else len(ORDER), rule.priority if rule else 2)


def _of(columns: Mapping[str, np.ndarray], position: int) -> tuple[dict[str, float], dict[str, dt.date | None]]:
    values: dict[str, float] = {}
    days: dict[str, dt.date | None] = {}
    for name, column in columns.items():
        if name.endswith("__day"):
            day = np.datetime64(column[position], "D")
            days[name[:-5]] = None if np.isnat(day) else day.astype(dt.date)
        elif name not in ("person", "index_day"):
            values[name] = float(column[position])
    return values, days


def _items(
    person: Spoken,
    chance: Mapping[str, float],
    reasons: Mapping[str, Reasons | None],
    definitions: Definitions,
    values: Mapping[str, float],
    days: Days,
) -> tuple[Item, ...]:
    """Every rule that fired and every invitation, the most urgent first; what a more urgent one covers stays silent."""
    found: list[Item] = []
    speaking: dict[tuple[str, str], str] = {}  # concern of a condition -> the lane it speaks from
    told: set[str] = set()  # conditions whose reasons have been given
    for view, lane, rule, place in sorted(person.by, key=_urgency):
        condition = view.condition
        label = (rule.concerns if rule else "") or view.model.label
        speaks = speaking.setdefault((condition, label), lane) == lane
        if lane in BY_CHANCE and any(
            item.condition == condition and item.label == label and item.say for item in found
        ):
            speaks = False  # of several reasons to invite, the first is enough
        # evidence already on the record is told beside what is urgent: who deals with the one must see the other
        speaks = speaks or lane in (*WITHOUT_A_PLACE, "note")
        given = reasons.get(condition) if condition not in told else None
        told.add(condition)
        said = fill(rule.say, values, days, definitions) if rule and speaks else ""
        known = chance[condition]
        found.append(
            Item(
                condition=condition,
                label=label,
                lane=lane,
                rule=rule.id if rule else None,
                priority=rule.priority if rule else 2,
                severe=bool(rule and rule.id in view.severe and view.severe[rule.id][person.row]),
                say=said,
                do=rule.do if rule else view.model.invite,
                source=rule.source if rule else "",
                evidence_on=_evidence_day(rule, values, days) if rule else None,
                chance=None if np.isnan(known) else known,
                chance_words=chance_words(known) if given is not None else "",
                chance_of=view.model.chance_of,
                place=place,
                wave=_wave(view, person.row) if place and lane in BY_CHANCE else 0,
                visit=person.visit if place else "",
                supporting=_beside("supporting", given, rule if said else None, definitions, values, days),
                against=_beside("against", given, rule if said else None, definitions, values, days),
                missing=given.missing if given else (),
            )
        )
    return tuple(found)


def _wave(view: View, row: int) -> int:
    return 1 if view.wave is None else int(view.wave[row])


def _evidence_day(rule: Rule, values: Mapping[str, float], days: Days) -> dt.date | None:
    """The day of what made a rule fire: the newest among the features whose own test holds for this person.

    A rule on either of two readings is dated by the one that met it, so that a later reading of the other, a smoking
    code or a prescription cannot make an old finding look fresh. Only features that the rule's words date are asked; if
    none of their tests holds by itself, the first that has a day.
    """
    dated = [name for name in dict.fromkeys(_DATED.findall(rule.say)) if days.get(name)]
    met = {test.feature for test in _tests(rule.when) if _holds(test, values)}
    of_met = [day for name in dated if name in met and (day := days[name]) is not None]
    return max(of_met, default=days[dated[0]] if dated else None)


def _tests(clause: Clause) -> list[Test]:
    """Every single comparison of a clause, but for those under "none"."""
    if isinstance(clause, Test):
        return [clause]
    if isinstance(clause, NoneOf):
        return []
    return [test for part in parts_of(clause)[1] for test in _tests(part)]


def _holds(test: Test, values: Mapping[str, float]) -> bool:
    return bool(evaluate(test, {name: np.array([values[name]]) for name in features_in(test)})[0])


def _beside(
    side: Side,
    given: Reasons | None,
    rule: Rule | None,
    definitions: Definitions,
    values: Mapping[str, float],
    days: Days,
) -> tuple[str, ...]:
    """What the model weighs on one side, without what the rule has just said of the same thing on the same day.

    A reading that the rule gives as the reason cannot stand under "against" as well, whatever the model makes of it;
    nor can the day of a finding that is not long past: what the model weighs there is that it was no later still.
    """
    if given is None:
        return ()
    said = {(group_of(definitions.features[name]), days.get(name)) for name in rule.features} if rule else set()
    kept = [
        part.sentence
        for part in given.parts
        if part.side == side
        and (days.get(part.feature) is None or (part.group, days[part.feature]) not in said)
        and not (side == "against" and _lately(definitions.features[part.feature].ask, values.get(part.feature, 0)))
    ]
    return tuple(kept[: MOST_REASONS - (rule is not None)])


def _lately(ask: str, days_ago: float) -> bool:
    return ask == "days since latest" and days_ago <= LONG_PAST


def _notes(definitions: Definitions, views: Sequence[View], person: Spoken, conditions: set[str]) -> tuple[str, ...]:
    """What to arrange or to know, of everybody and of the conditions on the line; urgent words where it is urgent."""
    urgent = person.lane in URGENT
    spoken = [set(rule.features) for _, lane, rule, _ in person.by if rule and lane == "chase the result"]
    notes: list[str] = []
    for view in views:
        for rule in (*definitions.leave_outs, *(view.model.leave_out if view.condition in conditions else ())):
            if rule.only_for and not conditions & set(rule.only_for):
                continue
            if any(set(features_in(rule.when)) <= features for features in spoken):
                continue  # the rule says the same of the same record
            if rule.name in view.left_out and view.left_out[rule.name][person.row]:
                notes.append((rule.urgent_note if urgent else "") or rule.note)
    return tuple(note for note in dict.fromkeys(notes) if note)


def _reach(definitions: Definitions, views: Sequence[View], person: Spoken) -> tuple[str, ...]:
    """The groups of a person who are asked in another way than by letter or text."""
    groups = [rule for rule in definitions.leave_outs if rule.reach == "differently"]
    return tuple(
        rule.label
        for rule in groups
        if any(rule.name in view.left_out and view.left_out[rule.name][person.row] for view in views)
    )
