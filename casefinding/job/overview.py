"""What the pages of the network and of the board are written from, gathered from what a run found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from casefinding.definitions.config import Config
from casefinding.explain.wording import date_words
from casefinding.job.coming_back import CameBack
from casefinding.job.scoring import Scored
from casefinding.recall.choice.floors import Floor, groups
from casefinding.recall.loop.holdout import words as holdout_words
from casefinding.recall.network.completeness import register_of
from casefinding.recall.network.impact import Listed, beside, listed_of, outlook, point_worth
from casefinding.recall.network.units import lane_masks, units_of
from casefinding.records.store import Store
from casefinding.report.overview import CapacityRow, ChangeRow, FloorRow, FunnelRow, Overview, sources_of


def overview(config: Config, store: Store, scored: Scored, back: CameBack, files: Mapping[str, str]) -> Overview:
    """Everything that the two pages say; `files`: practice -> its page under practices/."""
    units = units_of(scored.base, store.practices().to_pylist())
    practice = scored.base["practice"].to_numpy(zero_copy_only=False)
    registers, outlooks, worth, claims, sources = [], [], {}, [], {}
    for view in scored.views:
        impact = config.impact.get(view.condition)
        register = register_of(view, scored.base, units, impact.goal if impact else None)
        if register is not None:
            registers.append(register)
        if impact is None:
            continue
        due = {row.unit.code: row.expected for row in register.of("practice")} if register is not None else {}
        listed: list[Listed] = listed_of(view, scored.chosen.places[view.condition], practice)
        outlooks += outlook(view.model.label, impact, listed, due)
        worth[view.model.label] = point_worth(impact, sum(due.values()))
        sources[view.model.label] = sources_of(impact)
        claim = beside(impact)
        claims += [claim] if claim is not None else []
    whole = back.whole
    return Overview(
        units=units,
        lanes={lane: units.count(mask) for lane, mask in lane_masks(scored.lines, scored.base).items()},
        registers=registers,
        outlooks=outlooks,
        worth=worth,
        beside=claims,
        sources=sources,
        capacity=[CapacityRow(one.owner, one.kind, one.stated, one.used, one.one_more) for one in scored.chosen.use],
        floors=_floors(config, store, scored),
        funnel=[FunnelRow(one.group, one.stages) for one in back.funnels if one.grouping == "practice"],
        funnel_of=_lists_of(back),
        changes=_changes(back),
        known_already=None if whole is None else (whole.endings["already known"], whole.returned),
        never_coded=None if whole is None else back.never_coded.num_rows,
        holdout=holdout_words(config.holdout),
        files=files,
        gap=scored.chosen.gap,
    )


def _floors(config: Config, store: Store, scored: Scored) -> list[FloorRow]:
    labels = {view.condition: view.model.label for view in scored.views}
    cost = scored.chosen.floors_cost
    several = len({one.network for one in scored.chosen.floors}) > 1
    pcn = {row["practice"]: row["pcn"] or "" for row in store.practices().to_pylist()}
    network = np.array([pcn.get(code, "") for code in scored.base["practice"].to_pylist()], dtype=object)
    members = {
        (name, group.grouping, group.name): group.members
        for name in {one.network for one in scored.chosen.floors}
        for group in groups(scored.base, network == name, config.equity)
    }
    return [
        FloorRow(
            group=_group(one) + (f" ({one.network})" if several else ""),
            listed_share=one.share_with,
            overall_share=one.needed / one.expected_undiagnosed / config.equity.floor,
            floor=config.equity.floor,
            met=one.met,
            cost=cost[one.condition],
            said="" if one.met else "as good as possible",
            label=labels[one.condition],
            people=int(
                (members[one.network, one.grouping, one.group] & (scored.chosen.places[one.condition] > 0)).sum()
            ),
        )
        for one in scored.chosen.floors
        if one.expected_undiagnosed > 0
    ]


def _group(one: Floor) -> str:
    if one.grouping == "core20":
        return f"Core20: {one.group}"
    return f"Ethnic group: {'not known' if one.group == 'unknown' else one.group.capitalize()}"


def _lists_of(back: CameBack) -> str:
    days = sorted(set(back.last.values()))
    return "" if not days else f"the lists of {' and '.join(date_words(day) for day in days)}"


def _changes(back: CameBack) -> list[ChangeRow]:
    """People who joined, moved lane or left, by practice and reason; whoever stays is no change."""
    if back.changes is None:
        return []
    number: Counter[tuple[str, str]] = Counter()
    for one in back.changes.counted():
        if one.kind != "stays":
            number[one.practice, f"{one.kind.capitalize()}: {one.why}"] += one.people
    return [ChangeRow(practice, reason, people) for (practice, reason), people in number.items()]
