"""Values as they were written: units missing or unknown, values that cannot be used, and late recording."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casefinding.definitions.quality import QualityRules
from casefinding.definitions.units import conversions
from casefinding.records.quality.asked import ANOTHER, Asked
from casefinding.records.quality.counted import Counted
from casefinding.records.quality.findings import Finding, Kind
from casefinding.records.quality.who import Who

FEW = 1000
"""Entries: with fewer, that all dates agree may be chance."""

HARDLY_LATER = 0.01
"""Of a practice's entries recorded after their day: with fewer, and others five times more, it sends one date; what is
later was recorded elsewhere before the person moved."""


@dataclass(frozen=True)
class Late:
    """How late entries were recorded, in days; None where the source has one date only, so that it cannot be seen."""

    practice: str  # "" = all
    entries: int
    median: int | None
    ninetieth: int | None
    over_30: float | None
    over_365: float | None
    backwards: int  # recorded before they happened


def units(counted: Counted, asked: Asked, who: Who, rules: QualityRules) -> list[Finding]:
    """Practices that send no unit where others do, and practices of whose values many cannot be used."""
    findings = []
    blank = asked.units.index("")
    written = counted.units.sum(axis=1)  # practice, reading, unit
    values, usable = counted.values.sum(axis=1), counted.usable.sum(axis=1)
    for place, practice in enumerate(who.codes):
        bare, bad = {}, {}
        for at, signal in enumerate(asked.readings):
            mine = written[place, at]
            others = written[:, at].sum(axis=0) - mine
            name = asked.names[signal]
            if mine.sum() >= rules.fewest_values and mine[blank] >= rules.unitless * mine.sum():
                elsewhere = others[blank] / others.sum() if others.sum() else 0.0
                if elsewhere < rules.unitless / 2 and not _bare(asked, signal):
                    bare[name] = float(mine[blank] / mine.sum())
            lost = values[place, at] - usable[place, at]
            if values[place, at] >= rules.fewest_values and lost >= rules.unusable * values[place, at]:
                strange = mine[asked.units.index(ANOTHER)]
                bad[name] = {"share": float(lost / values[place, at]), "unknown unit": bool(2 * strange > lost)}
        if bare:
            findings.append(Finding(Kind.NO_UNIT, practice, tuple(bare), {"shares": bare}))
        if bad:
            findings.append(Finding(Kind.UNUSABLE, practice, tuple(bad), {"shares": bad}))
    return findings


def _bare(asked: Asked, signal: int) -> bool:
    """Whether a signal is a plain number, which needs no unit written beside it."""
    return "" in conversions(asked.readings[signal].signal)


def late(counted: Counted, who: Who, rules: QualityRules) -> tuple[list[Late], list[Finding]]:
    """Late recording of all practices together and of each, and what is late enough to matter."""
    told = [_late("", counted.delays.sum(axis=0), int(counted.backwards.sum()), one_date=False)]
    seen = told[0].over_30 is not None
    findings = [] if seen or not told[0].entries else [Finding(Kind.ONE_DATE)]
    all_later = 1 - counted.delays[:, 0].sum() / max(counted.delays.sum(), 1)
    for place, practice in enumerate(who.codes):
        mine = counted.delays[place]
        never = mine.sum() >= FEW and 1 - mine[0] / mine.sum() < min(HARDLY_LATER, all_later / 5)
        one = _late(practice, mine, int(counted.backwards[place]), one_date=not seen or bool(never))
        told.append(one)
        if one.over_30 is None:
            if seen and one.entries >= FEW:
                findings.append(Finding(Kind.ONE_DATE, practice))
        elif one.over_30 >= rules.late and one.entries >= rules.fewest_values:
            facts = {"median": one.median, "ninetieth": one.ninetieth, "over 30": one.over_30}
            findings.append(Finding(Kind.LATE, practice, (), facts))
    return told, findings


def _late(practice: str, delays: np.ndarray, backwards: int, *, one_date: bool) -> Late:
    entries = int(delays.sum())
    if one_date or not entries or delays[0] == entries:
        return Late(practice, entries, None, None, None, None, backwards)
    upto = np.cumsum(delays)
    median, ninetieth = (int(np.searchsorted(upto, share * entries)) for share in (0.5, 0.9))
    over_30, over_365 = (float(1 - upto[days] / entries) for days in (30, 365))
    return Late(practice, entries, median, ninetieth, over_30, over_365, backwards)
