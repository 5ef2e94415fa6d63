"""Days with no data: working days on which a practice entered nothing, or hardly anything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casefinding.definitions.quality import QualityRules
from casefinding.records.quality.counted import Counted
from casefinding.records.quality.findings import Finding, Kind
from casefinding.records.quality.who import Months, Who, day_of

HARDLY = 0.05
"""Of a usual working day's entries: so few come from elsewhere, or were dated by hand."""
BY_CHANCE = 0.01
"""A run of empty days counts only if so few such runs would be expected by chance."""
_MONTH_THAT_COUNTS = 0.1  # of the usual month's entries: from the first such month on there are data


@dataclass(frozen=True)
class Days:
    """What the days of one practice say: its first and last day with data, working days, those without, months.

    `months`: whole months from the first with data to the last day, at most those of the window.
    """

    practice: str
    first: str
    last: str
    working: int
    empty: int
    months: int


def days(counted: Counted, who: Who, months: Months, rules: QualityRules) -> tuple[list[Days], list[Finding]]:
    """Days of every practice, and runs of at least `rules.gap` working days without data.

    Weekends do not count. A public holiday does; no run of them is so long.
    """
    weekday = (np.arange(counted.entries.shape[1]) + months.start + 3) % 7 < 5  # 1970-01-01 was a Thursday
    told, findings = [], []
    for place, practice in enumerate(who.codes):
        one, found = _practice(practice, counted.entries[place], weekday, months, rules)
        told.append(one)
        findings.extend(found)
    return told, findings


def _practice(
    practice: str, entries: np.ndarray, weekday: np.ndarray, months: Months, rules: QualityRules
) -> tuple[Days, list[Finding]]:
    some = np.flatnonzero(entries)
    if not len(some):
        return Days(practice, "", "", int(weekday.sum()), int(weekday.sum()), 0), []
    monthly = np.bincount(months.of_day[months.of_day >= 0], entries[months.of_day >= 0], minlength=len(months))
    full = np.flatnonzero(monthly >= _MONTH_THAT_COUNTS * np.median(monthly[monthly > 0])) if monthly.any() else []
    working = np.flatnonzero(weekday & (np.arange(len(entries)) >= some[0]))
    mine = entries[working]
    usual = np.median(mine[mine > 0]) if (mine > 0).any() else 0
    empty = mine <= HARDLY * usual
    seen = working[~empty]
    one = Days(
        practice,
        day_of(some[0] + months.start).isoformat(),
        day_of((seen[-1] if len(seen) else some[-1]) + months.start).isoformat(),
        len(working),
        int(empty.sum()),
        len(months) - int(full[0]) if len(full) else 0,
    )
    findings = []
    edges = np.flatnonzero(np.diff(np.concatenate([[0], empty.astype(np.int8), [0]])))
    for start, end in edges.reshape(-1, 2):
        length = int(end - start)
        others = np.concatenate([empty[:start], empty[end:]])
        chance = len(mine) * (others.mean() if len(others) else 1.0) ** length
        if length < rules.gap or chance > BY_CHANCE:
            continue
        first, last = (day_of(int(working[at]) + months.start) for at in (start, end - 1))
        at_end = end == len(mine)
        stopped = at_end and (len(entries) - 1 - working[start]) >= rules.stopped
        facts = {
            "first": first.isoformat(), "last": last.isoformat(), "working days": length, "to the end": bool(at_end)
        }  # fmt: skip
        findings.append(Finding(Kind.STOPPED if stopped else Kind.GAP, practice, (), facts))
    return one, findings
