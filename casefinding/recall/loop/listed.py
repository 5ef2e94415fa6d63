"""A list as the ledger remembers it: one row a person and condition, with the groups that outcomes are told by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pyarrow as pa

from casefinding.judge.groups import who_they_are
from casefinding.recall.lines import BY_CHANCE, ORDER, Item, Line
from casefinding.recall.loop.ledger import LISTED
from casefinding.recall.view import View

CORE20 = ("Core20", "not Core20", "not known")
"""Deprivation as a funnel tells it: the most deprived fifth of the country, everyone else, not known."""


def listed(lines: Sequence[Line], views: Sequence[View], base: pa.Table, list_id: str, index_day: dt.date) -> pa.Table:
    """The rows (LISTED) of a list, in the order of its lines and of the conditions on each.

    `base` is the cohort's table of the index day with a `pseudonym` column. A condition that only notes something on a
    line that stands there for another is no finding of its own and has no row; nor has it a lane.
    """
    models = {view.condition: view.model for view in views}
    groups = _groups([line.pseudonym for line in lines], base)
    rows = []
    for line, (age_band, ethnicity, deprivation) in zip(lines, groups, strict=True):
        for condition, items in _by_condition(line).items():
            invitation = next((item for item in items if item.lane in BY_CHANCE and item.place), None)
            rows.append(
                {
                    "list_id": list_id,
                    "index_day": index_day,
                    "practice": line.practice,
                    "pseudonym": line.pseudonym,
                    "condition": condition,
                    "label": models[condition].label,
                    "line_lane": line.lane,
                    "lane": min((item.lane for item in items), key=ORDER.index),
                    "rules": ", ".join(dict.fromkeys(item.rule for item in items if item.rule)),
                    "test": models[condition].test if invitation else "",
                    "visit": invitation.visit if invitation else "",
                    "wave": invitation.wave if invitation else 0,
                    "place": invitation.place if invitation else 0,
                    "chance": next((item.chance for item in items if item.chance is not None), None),
                    "sex": line.sex,
                    "age_band": age_band,
                    "ethnicity": ethnicity,
                    "deprivation": deprivation,
                }
            )
    return pa.Table.from_pylist(rows, schema=LISTED)


def _by_condition(line: Line) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = {}
    for item in line.items:
        if item.lane in ORDER:
            found.setdefault(item.condition, []).append(item)
    return found


def _groups(pseudonyms: list[str], base: pa.Table) -> list[tuple[str, str, str]]:
    """Age band, ethnicity and Core20 of each pseudonym; KeyError for one that the base does not hold."""
    if not pseudonyms:
        return []
    row_of = {pseudonym: row for row, pseudonym in enumerate(base["pseudonym"].to_pylist())}
    at = pa.array([row_of[pseudonym] for pseudonym in pseudonyms], pa.int64())
    of = {grouping.name: grouping for grouping in who_they_are(base.take(at))}
    return [
        (of["age_band"].names[age], of["ethnicity"].names[ethnicity], CORE20[core20])
        for age, ethnicity, core20 in zip(of["age_band"].of, of["ethnicity"].of, of["core20"].of, strict=True)
    ]
