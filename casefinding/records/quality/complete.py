"""How complete the records are: who has a usable entry of each signal, by practice and by group."""

from __future__ import annotations

import numpy as np

from casefinding.definitions.quality import QualityRules
from casefinding.records.quality.asked import Asked
from casefinding.records.quality.counted import Counted
from casefinding.records.quality.findings import Finding, Kind
from casefinding.records.quality.who import GROUPS, Who

ROUTINE = 0.1
"""Readings that fewer people have are taken for a reason, which differs between groups; they are not compared."""
FEWEST_OTHERS = 20
"""Of one age and sex: a rate of fewer people is no rate to compare with."""
FAR = 6.0
"""Standard errors: people differ for many reasons that age and sex do not tell."""


def seldom(counted: Counted, asked: Asked, who: Who, rules: QualityRules) -> list[Finding]:
    """Practices, sexes, ethnic groups and fifths in which a routine reading is seldom on record.

    Each is held against all others of the same age and sex (indirect standardisation; of the same age for a sex). Ages
    are not held against each other: old people are measured more often. Groups of unknown people are not either.
    """
    people = counted.people["practice"].sum(axis=0)
    have = counted.have["practice"].sum(axis=0)
    if not people.sum():
        return []
    routine = [place for place in asked.readings if have[:, place].sum() >= ROUTINE * people.sum()]
    findings: list[Finding] = []
    for grouping, names in {"practice": tuple(who.codes), **GROUPS}.items():
        if grouping == "age":
            continue
        width = len(GROUPS["sex"]) if grouping == "sex" else 1  # of the same age, both sexes together
        merged = [_merge(table, width) for table in (counted.people[grouping], counted.have[grouping])]
        for group, name in enumerate(names):
            if name == "unknown":
                continue
            low = _low(merged[0], merged[1][:, :, routine], group, rules)
            if len(low):
                findings += _say(grouping, name, [(asked.names[routine[at]], few, many) for at, few, many in low])
    return findings


def _merge(table: np.ndarray, width: int) -> np.ndarray:
    """Strata of age by sex, or of age alone (`width` sexes together)."""
    return table.reshape(table.shape[0], -1, width, *table.shape[2:]).sum(axis=2)


def _low(people: np.ndarray, have: np.ndarray, group: int, rules: QualityRules) -> list[tuple[int, float, float]]:
    """(place of the signal, people with it, expected from the others) where there are far too few."""
    others_people = people.sum(axis=0) - people[group]
    others_have = have.sum(axis=0) - have[group]
    rate = np.divide(
        others_have, others_people[:, None], out=np.zeros(others_have.shape), where=others_people[:, None] > 0
    )
    compared = others_people >= FEWEST_OTHERS
    expected = (people[group, compared, None] * rate[compared]).sum(axis=0)
    seen = have[group, compared].sum(axis=0)
    # How far chance may move what is seen, and the others' rates, which may rest on few people.
    size = people[group, compared, None]
    chance = rate[compared] * (1 - rate[compared])
    spread = np.sqrt(np.maximum(expected, 1) + (size**2 * chance / others_people[compared, None]).sum(axis=0))
    with np.errstate(invalid="ignore"):
        low = (expected >= rules.fewest_people) & (seen < rules.low * expected) & (expected - seen > FAR * spread)
    return [(int(at), float(seen[at]), float(expected[at])) for at in np.flatnonzero(low)]


def _say(grouping: str, group: str, low: list[tuple[str, float, float]]) -> list[Finding]:
    facts = {
        "ratios": {name: seen / expected for name, seen, expected in low},
        "seen": {name: int(seen) for name, seen, _ in low},
    }
    names = tuple(name for name, *_ in low)
    if grouping == "practice":
        return [Finding(Kind.LOW, group, names, facts)]
    return [Finding(Kind.LOW_GROUP, "", names, {"grouping": grouping, "group": group, **facts})]
