"""Everything the quality page tells of a store, in one go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

from casefinding.definitions.quality import QualityRules
from casefinding.definitions.shapes import Definitions
from casefinding.records.quality import complete, files, values
from casefinding.records.quality.asked import Asked
from casefinding.records.quality.counted import Counted, count
from casefinding.records.quality.days import Days, days
from casefinding.records.quality.drift import drift
from casefinding.records.quality.figures import Compared, figures
from casefinding.records.quality.findings import Finding, Kind
from casefinding.records.quality.fit import Verdict, verdicts
from casefinding.records.quality.held import Quality, assess
from casefinding.records.quality.values import Late
from casefinding.records.quality.who import Months, Who
from casefinding.records.store import Store


@dataclass(frozen=True)
class Assessment:
    """What was counted, and what was made of it; counts of people are exact and not for publishing as they are."""

    start: dt.date  # first day of the window
    through: dt.date
    held: Quality
    asked: Asked = field(repr=False)
    who: Who = field(repr=False)
    months: Months = field(repr=False)
    counted: Counted = field(repr=False)
    days: list[Days] = field(repr=False)
    late: list[Late] = field(repr=False)
    compared: list[Compared] = field(repr=False)
    findings: list[Finding] = field(repr=False)
    verdicts: list[Verdict] = field(repr=False)


def assess_all(
    store: Store, definitions: Definitions, rules: QualityRules, tell: Callable[[int, int], None] | None = None
) -> Assessment:
    """Assess a store by the definitions; two passes over its shards, nothing is changed."""
    held = assess(store, definitions)
    asked, who = Asked.of(store, definitions), Who.of(store)
    start = rules.window.before(store.data_through) + dt.timedelta(days=1)
    months = Months.within(start, store.data_through)
    wanted = {key.any_of for one in definitions.quality for key in one.keys}
    wanted |= {figure.recorded for one in definitions.quality for figure in one.figures if figure.recorded}
    counted = count(store, definitions, asked, who, months, sorted(wanted), tell)
    told, gaps = days(counted, who, months, rules)
    delays, late = values.late(counted, who, rules)
    compared, far = figures(counted, definitions, who, rules)
    stops = {one.practice: one.facts["first"] for one in gaps if one.kind == Kind.STOPPED}
    changes = [one for one in drift(counted, asked, who, months, rules) if not _of_a_stop(one, stops)]
    written = [one for one in values.units(counted, asked, who, rules) if not _said_by_month(one, changes)]
    findings = [
        *gaps, *changes, *written, *complete.seldom(counted, asked, who, rules),
        *late, *far, *files.refused(store.counts()),
    ]  # fmt: skip
    order = list(Kind)
    findings.sort(key=lambda one: (order.index(one.kind), one.practice, one.facts.get("month", "")))
    return Assessment(
        start, store.data_through, held, asked, who, months, counted, told, delays, compared, findings,
        verdicts(store, definitions, counted, who, told, findings, rules),
    )  # fmt: skip


def _said_by_month(one: Finding, changes: list[Finding]) -> bool:
    """Whether all signals of a finding on values have a month from which on it holds."""
    said = {
        name
        for change in changes
        if change.kind in (Kind.UNIT, Kind.USABLE) and change.practice == one.practice
        for name in change.signals
    }
    return set(one.signals) <= said


def _of_a_stop(one: Finding, stops: dict[str, str]) -> bool:
    """Whether a fall only says again that the practice stopped sending."""
    return (
        one.kind == Kind.RATE
        and one.practice in stops
        and not one.facts["rose"]
        and one.facts["month"] >= stops[one.practice][:7]
    )
