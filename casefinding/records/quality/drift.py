"""Drift by month: signals whose rate, unit or usable share changed in one month and stayed changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from casefinding.definitions.quality import QualityRules
from casefinding.records.quality.asked import Asked
from casefinding.records.quality.change import Change, rates, shares
from casefinding.records.quality.counted import Counted
from casefinding.records.quality.findings import Finding, Kind
from casefinding.records.quality.who import Months, Who

NO_SIGNAL = "codes of no signal"
EVERYTHING = "all entries"
FEWEST_HOLDERS = 30
"""People of a practice with any entry of a signal: a rate that hangs on fewer is about them."""
_ALIKE = 0.6  # of the practices: what changes in so many of them at once is said once


def drift(counted: Counted, asked: Asked, who: Who, months: Months, rules: QualityRules) -> list[Finding]:
    """Every large and lasting change, by practice and month; signals that change together stand in one finding."""
    registered = who.registered_by_month(months)
    columns = [*asked.names, NO_SIGNAL, EVERYTHING]
    everything = _monthly_entries(counted, months)[:, :, None]
    monthly = np.concatenate([counted.monthly, everything], axis=2).astype(np.float64)
    seasons = np.stack([_season(monthly[:, :, at].sum(0), registered.sum(0), months) for at in range(len(columns))])
    holders = _holders(counted, asked)
    found: dict[tuple[str, str, bool], list[tuple[str, Change]]] = {}
    for place, practice in enumerate(who.codes):
        for at, name in enumerate(columns):
            if holders[place, at] < FEWEST_HOLDERS:
                continue
            exposure = registered[place] * seasons[at] / 1000
            for change in rates(monthly[place, :, at], exposure, monthly[place, :, at].sum() / holders[place, at]):
                if _large(change, rules) and change.times >= rules.change_of:
                    key = practice, months.firsts[change.at].isoformat(), change.after > change.before
                    found.setdefault(key, []).append((name, change))
    return [*_said_once(found, who.codes), *_of_values(counted, asked, who, months, rules)]


def _holders(counted: Counted, asked: Asked) -> np.ndarray:
    """People of each practice with an entry of each column, about; a reading that became unusable counts by its values.

    A medicine that one person stops is no change of a practice.
    """
    people = counted.have["practice"].sum(axis=1)
    values = counted.values.sum(axis=1)
    for at, place in enumerate(asked.readings):
        people[:, place] = np.maximum(people[:, place], values[:, at] // 5)
    others = [counted.seen_people.sum(axis=0), counted.people["practice"].sum(axis=1)]
    return np.concatenate([people, np.stack(others, axis=1)], axis=1)


def _large(change: Change, rules: QualityRules) -> bool:
    lasting = change.months_after >= rules.lasting or (change.lasts and change.months_after >= rules.lasting_at_end)
    return lasting and change.expected >= rules.fewest_entries


def _monthly_entries(counted: Counted, months: Months) -> np.ndarray:
    """Entries by practice and month, of whatever code."""
    inside = months.of_day >= 0
    by_month = [
        np.bincount(months.of_day[inside], entries[inside], minlength=len(months)) for entries in counted.entries
    ]
    return np.array(by_month).reshape(-1, len(months))


def _season(entries: np.ndarray, registered: np.ndarray, months: Months) -> np.ndarray:
    """How the rate of each month usually differs from its year's: the median over years, so a step does not count.

    1 for every month where there are fewer than three years, or few entries.
    """
    years = len(months) // 12
    if years < 3 or entries.sum() < 40 * len(months):
        return np.ones(len(months))
    rate = entries / np.maximum(registered, 1)
    whole = rate[-12 * years :].reshape(years, 12)
    level = whole.mean(axis=1, keepdims=True)
    kept = level[:, 0] > 0
    if kept.sum() < 3:
        return np.ones(len(months))
    usual = np.median(whole[kept] / level[kept], axis=0)
    usual = np.maximum(usual / max(usual.mean(), 1e-9), 0.05)
    offset = -(len(months) - 12 * years) % 12
    return np.tile(usual, years + 1)[offset : offset + len(months)]


def _said_once(
    found: Mapping[tuple[str, str, bool], Sequence[tuple[str, Change]]], practices: Sequence[str]
) -> list[Finding]:
    """A finding for each practice, month and direction; one for all practices where most of them change together."""
    together: dict[tuple[str, str, bool], list[str]] = {}
    for (practice, month, rose), changed in found.items():
        for name, _ in changed:
            together.setdefault((name, month, rose), []).append(practice)
    most = max(2, round(_ALIKE * len(practices)))
    common = {key for key, those in together.items() if len(those) >= most}
    findings, said = [], set()
    for (practice, month, rose), changed in found.items():
        own = [one for one in changed if (one[0], month, rose) not in common]
        shared = [one for one in changed if (one[0], month, rose) in common and (one[0], month, rose) not in said]
        said.update((name, month, rose) for name, _ in shared)
        for where, those in ((practice, own), ("", shared)):
            if those:
                findings.append(_rate_finding(where, month, rose, those))
    return findings


def _rate_finding(practice: str, month: str, rose: bool, changed: Sequence[tuple[str, Change]]) -> Finding:
    most = max((change for _, change in changed), key=lambda change: change.expected)
    return Finding(
        Kind.RATE,
        practice,
        tuple(name for name, _ in changed),
        {
            "month": month,
            "rose": rose,
            "before": most.before,  # entries a month for 1,000 registered people, of the signal with most entries
            "after": most.after,
            "months": most.months_after,
            "to the end": any(change.lasts for _, change in changed),
        },
    )


def _of_values(counted: Counted, asked: Asked, who: Who, months: Months, rules: QualityRules) -> list[Finding]:
    """Changes of the commonest unit's share, and of the share of values that can be used."""
    found: dict[tuple[str, str, str, str, str], list[str]] = {}
    sizes: dict[tuple[str, str, str, str, str], Change] = {}
    for place, practice in enumerate(who.codes):
        for at, signal in enumerate(asked.readings):
            name = asked.names[signal]
            changed: list[int] = []
            values, units = counted.values[place, :, at], counted.units[place, :, at, :]
            if values.sum() < rules.fewest_values:
                continue
            numbers = units.sum(axis=1)
            for unit in np.argsort(-units.sum(axis=0), kind="stable")[:2]:
                for change in _lasting(shares(units[:, unit], numbers), rules):
                    before, after = _units_beside(units, change, asked.units)
                    if before != after:
                        key = Kind.UNIT.value, practice, months.firsts[change.at].isoformat(), before, after
                        if name not in found.setdefault(key, []):
                            found[key].append(name)
                            sizes[key] = change
                            changed.append(change.at)
            for change in _lasting(shares(counted.usable[place, :, at], values), rules):
                if any(abs(change.at - month) <= 1 for month in changed):
                    continue  # said already: another unit
                rose = change.after > change.before
                key = Kind.USABLE.value, practice, months.firsts[change.at].isoformat(), str(rose), ""
                found.setdefault(key, []).append(name)
                sizes[key] = change
    findings = []
    for key, names in found.items():
        kind, practice, month, one, other = key
        change = sizes[key]
        facts = {
            "month": month, "before": change.before, "after": change.after, "months": change.months_after,
            "to the end": change.lasts,
        }  # fmt: skip
        facts |= {"from": one, "to": other} if kind == Kind.UNIT else {"rose": one == "True"}
        findings.append(Finding(Kind(kind), practice, tuple(names), facts))
    return findings


def _lasting(changes: Sequence[Change], rules: QualityRules) -> list[Change]:
    return [
        change
        for change in changes
        if abs(change.after - change.before) >= rules.change_of_share
        and change.expected >= rules.fewest_values / 2
        and (change.months_after >= rules.lasting or (change.lasts and change.months_after >= rules.lasting_at_end))
    ]


def _units_beside(units: np.ndarray, change: Change, names: Sequence[str]) -> tuple[str, str]:
    """The commonest unit before a change and after it."""
    before = units[change.at - change.months_before : change.at].sum(axis=0)
    after = units[change.at : change.at + change.months_after].sum(axis=0)
    return names[int(before.argmax())], names[int(after.argmax())]
