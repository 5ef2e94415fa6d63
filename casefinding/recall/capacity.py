"""Whom to invite within what a practice can do in a month."""

from __future__ import annotations

import numpy as np

from casefinding.recall.lines import WITHOUT_A_PLACE
from casefinding.recall.view import View


def invited(
    view: View, practice: np.ndarray, slots: dict[str, int], never_measured_share: dict[str, float]
) -> np.ndarray:
    """The order of invitation within each practice: 1, 2, 3 ... for those invited, 0 for everyone else.

    Nobody takes a place whom the same condition asks to act on or to review: they are on the list without one.

    Of a practice's slots, its `never_measured_share` (rounded) is first kept for people whom a "never measured" rule
    names (a person without data is not a person without risk): by the rule's priority, then by the published chance of
    their age, sex, ethnicity and deprivation, which does not fall with how seldom somebody was seen (see `_need`), and
    only among equals by the model's chance. What they do not use goes to the rest, and the other way about. The rest:
    priority-1 rules first, then by chance, then people whom a rule names but no model may rank, by priority.
    Ties are broken by the row's number, so that the same records give the same list.
    `practice`: code a row (n); `slots`: by practice code, missing = 0.
    """
    chance = view.ranked()
    rule_priority = np.full(len(chance), np.inf)
    priorities = {rule.id: rule.priority for rule in view.model.rules}
    for rule_id, mask in view.fired("invite").items():
        rule_priority = np.where(mask, np.minimum(rule_priority, priorities[rule_id]), rule_priority)
    never_priority = np.full(len(chance), np.inf)
    for rule_id, mask in view.fired("never measured").items():
        never_priority = np.where(mask, np.minimum(never_priority, priorities[rule_id]), never_priority)
    never = np.isfinite(never_priority)

    already = np.zeros(len(chance), dtype=bool)
    for lane in WITHOUT_A_PLACE:
        for mask in view.fired(lane).values():
            already |= mask
    never &= ~already

    ranked = ~np.isnan(chance) & ~already
    rule_priority[already] = np.inf
    candidate = ranked | np.isfinite(rule_priority)
    first = np.where(rule_priority <= 1, 0, np.where(ranked, 1, 2))
    by_chance = -np.nan_to_num(chance, nan=-1.0)
    rows = np.arange(len(chance))
    order = np.lexsort((rows, rule_priority, by_chance, first))
    # By what is expected, not by rule: one rule would else fill every place with people of one kind.
    never_order = np.lexsort((rows, never_priority, by_chance, -_need(view, never, chance)))

    place = np.zeros(len(chance), dtype=np.int32)
    for code in np.unique(practice):
        here = practice == code
        total = max(0, int(slots.get(str(code), 0)))
        kept = round(total * never_measured_share.get(str(code), 0.0))
        reserved = [row for row in never_order if here[row] and never[row]][:kept]
        taken = set(reserved)
        rest = [row for row in order if here[row] and candidate[row] and row not in taken]
        chosen = rest[: total - len(reserved)]
        taken |= set(chosen)
        spare = total - len(reserved) - len(chosen)
        reserved += [row for row in never_order if here[row] and never[row] and row not in taken][:spare]
        # one running order: those with the strongest reason to be asked come first
        for number, row in enumerate([*chosen, *reserved], start=1):
            place[row] = number
    return place


def _need(view: View, never: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """What people never measured are ordered by: their published chance, 0 for all where the model gives none.

    "by expected shared by chance": within a group of equal published chance the expected cases are shared out by the
    odds of the model's chance, so that the model never decides between groups, and a shift of all log-odds (the anchor)
    nowhere.
    """
    if view.expected is None:
        return np.zeros(len(chance))
    need = np.array(view.expected)
    if view.model.expected is not None and view.model.expected.never_measured == "by expected shared by chance":
        rows = np.flatnonzero(never & ~np.isnan(chance))
        odds = chance[rows] / np.maximum(1 - chance[rows], np.finfo(float).eps)
        _, group = np.unique(need[rows], return_inverse=True)
        mean = np.bincount(group, odds) / np.maximum(np.bincount(group), 1)
        need[rows] *= odds / np.maximum(mean[group], np.finfo(float).tiny)
    return need
