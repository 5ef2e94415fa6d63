"""What each practice receives, gathered from what a run found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from casefinding.definitions.config import Config
from casefinding.definitions.shapes import Definitions
from casefinding.definitions.visits import offered
from casefinding.job.coming_back import CameBack
from casefinding.job.scoring import Scored
from casefinding.recall.lines import ORDER, URGENT, Line
from casefinding.recall.loop.holdout import words as holdout_words
from casefinding.recall.view import View
from casefinding.records.store import Store
from casefinding.report.shapes import NeverCoded, PracticeLists, RuleWords
from casefinding.report.told import floors_words


def practice_lists(
    config: Config, known: Definitions, store: Store, scored: Scored, back: CameBack
) -> list[PracticeLists]:
    """One entry a practice with anybody registered, by code: its lines, its places, what was left out and why."""
    names = {row["practice"]: row["name"] for row in store.practices().to_pylist()}
    networks = {row["practice"]: row["pcn"] or "" for row in store.practices().to_pylist()}
    practice = scored.base["practice"].to_numpy(zero_copy_only=False)
    codes, registered = np.unique(practice, return_counts=True)
    lines: dict[str, list[Line]] = {}
    for line in scored.lines:
        lines.setdefault(line.practice, []).append(line)
    rules = [RuleWords(rule.id, rule.label, rule.do, rule.source) for view in scored.views for rule in view.model.rules]
    labels = {view.condition: view.model.label for view in scored.views}
    floors = {name: _floors(config, scored, labels, name) for name in set(networks.values())}
    never, waiting = back.never_coded.to_pylist(), back.awaited.to_pylist()
    found = []
    for code, people in zip(codes.tolist(), registered.tolist(), strict=True):
        mine, here = lines.get(code, []), practice == code
        work, uses = _capacity(known, scored, code)
        minutes = _minutes(known, mine)
        moved = back.changes.of(code) if back.changes is not None and code in back.last else None
        funnel = back.of(code)
        found.append(
            PracticeLists(
                practice=code,
                name=names.get(code) or code,
                registered=people,
                lines=mine,
                capacity={one.kind: one.stated for one in uses},
                used={one.kind: one.used for one in uses},
                expected=_expected(scored, mine),
                left_out=_left_out(scored, here),
                marginal={one.kind: one.one_more for one in uses if one.one_more is not None},
                labels=labels,
                rules=rules,
                floors=floors[networks.get(code, "")],
                holdout=holdout_words(config.holdout, bool(scored.held_out[here].all())),
                review_minutes_needed=minutes.get("review the record", 0.0) if minutes else None,
                review_minutes_stated=sum(one.stated for one in work) or None,
                urgent_minutes=sum(minutes.get(lane, 0.0) for lane in URGENT),
                changes=None if moved is None else moved.everybody,
                no_longer_urgent=() if moved is None else moved.no_longer_urgent,
                never_coded=_unfinished(never, code),
                awaited=_unfinished(waiting, code),
                funnel=[] if funnel is None else [(name, n) for name, n in funnel.stages.items() if n is not None],
                already_known=None if funnel is None else (funnel.endings["already known"], funnel.returned),
            )
        )
    return found


def _unfinished(rows: list[dict[str, Any]], code: str) -> list[NeverCoded]:
    mine = [one for one in rows if one["practice"] == code]
    return [NeverCoded(one["pseudonym"], one["label"], one["seen_on"], one["list_id"]) for one in mine]


def _capacity(known: Definitions, scored: Scored, code: str) -> tuple[list[Any], list[Any]]:
    """A practice's use of its capacity: of work on records, and of places."""
    work = {kind for visit in offered(known.visits, ()) if visit.lanes for kind in visit.kinds}
    mine = [one for one in scored.chosen.use if one.owner == code and not one.of_network and (one.stated or one.used)]
    return [one for one in mine if one.kind in work], [one for one in mine if one.kind not in work]


def _minutes(known: Definitions, lines: list[Line]) -> dict[str, float]:
    """What the work on records of each lane takes, by the visits that are such work; empty where none is described."""
    each: dict[str, float] = {}
    for visit in offered(known.visits, ()):
        for lane, uses in visit.lanes.items():
            each[lane] = each.get(lane, 0.0) + sum(uses.values())
    return {lane: each.get(lane, 0.0) * sum(line.lane == lane for line in lines) for lane in ORDER} if each else {}


def _expected(scored: Scored, lines: list[Line]) -> dict[str, float]:
    """By label, the cases that a practice's invitations are expected to find: the sum of the chances."""
    found: dict[str, float] = {}
    for view in scored.views:
        chances = [
            item.chance
            for line in lines
            for item in {one.condition: one for one in line.items if one.place}.values()
            if item.condition == view.condition and item.chance is not None
        ]
        if chances:
            found[view.model.label] = float(sum(chances))
    return found


def _left_out(scored: Scored, here: np.ndarray) -> dict[str, int]:
    found: dict[str, int] = {}
    for view in scored.views:
        for name, holds in view.left_out.items():
            number = int((holds & here & (view.status != "on register")).sum())
            if number and {"invite", "chance"} & set(view.drops[name]):
                found[f"{view.model.label}: {_label(view, name)}"] = number
    return found


def _label(view: View, name: str) -> str:
    for rule in view.leave_outs:
        if rule.name == name:
            return rule.label
    return name


def _floors(config: Config, scored: Scored, labels: Mapping[str, str], network: str) -> str:
    mine = [one for one in scored.chosen.floors if one.network == network]
    cost = {labels[condition]: cases for condition, cases in scored.chosen.floors_cost.items()}
    return floors_words(mine, cost, config.equity.floor)
