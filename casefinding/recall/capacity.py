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
    names (a person without data is not a person without risk); what they do not use goes to the rest, and the other way
    about. The rest: priority-1 rules first, then by chance, then people whom a rule names but no model may rank, by
    priority.
    Ties are broken by the row's number, so that the same records give the same list.
    `practice`: code a row (n); `slots`: by practice code, missing = 0.
    """
    chance = view.ranked()
    rule_priority = np.full(len(chance), np.inf)
    priorities = {rule.id: rule.priority for rule in view.model.rules}
    for rule_id, mask in view.fired("invite").items():
        rule_priority = np.where(mask, np.minimum(rule_priority, priorities[rule_id]), rule_priority)
    never = np.zeros(len(chance), dtype=bool)
    for mask in view.fired("never measured").values():
        never |= mask

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
    never_order = np.lexsort((rows, by_chance))

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
