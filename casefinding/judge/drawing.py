"""The points that the report draws: ROC, calibration, net benefit, and who is found as the list grows.

Every curve stands on a fixed grid, so no point of it is one person's chance; and points that rest on 1 to 7 people are
left out (None), so curves may be published as they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from casefinding.disclosure import FEWEST, tellable
from casefinding.judge import decision
from casefinding.judge.bootstrap import plain
from casefinding.judge.calibration import deciles
from casefinding.judge.groups import too_few
from casefinding.judge.measures import FEWEST_CASES
from casefinding.judge.rows import Floats, Rows

GRID = np.round(np.linspace(0, 1, 101), 2)


def curves(rows: Rows, ill: Floats | None = None, with_rule: NDArray[np.bool_] | None = None) -> dict[str, Any]:
    """Points by curve and score; empty where there are too few cases to draw.

    `calibration`: tenths by chance (expected, observed). `net_benefit`: over thresholds, with everybody and nobody, and
    with testing those who have a rule where `with_rule` tells (no threshold moves them).
    `gains`: share of the cases among the given share of people with the highest chances of their index day. `truth`:
    the same for people ill and uncoded. Lists of plain floats (or None), equally long.
    """
    if too_few(rows, np.arange(len(rows))):
        return {}
    used = rows.weight > 0
    case, weight = rows.case[used], rows.weight[used]
    scores = {name: score[used] for name, score in rows.scores.items()}
    thresholds = np.array(decision.CURVE_THRESHOLDS)
    found: dict[str, Any] = {
        "calibration": {name: tenths(case, score, weight) for name, score in scores.items()},
        "net_benefit": {
            "threshold": _plain(thresholds),
            **{name: _plain(_net_benefit(rows, score, thresholds)) for name, score in rows.scores.items()},
            "everybody": _plain(decision.treat_all(case, thresholds, weight)),
            "nobody": [0.0] * len(thresholds),
        },
        "gains": {
            "listed_share": _plain(GRID),
            **{name: _plain(gains(rows, name, rows.case * rows.weight)) for name in scores},
            "random": _plain(GRID),
        },
    }
    if with_rule is not None:
        named = np.where(with_rule, 1.0, -1.0)
        found["net_benefit"]["rules"] = _plain(_net_benefit(rows, named, thresholds))
    if ill is not None and len(np.unique(rows.person[ill > 0])) >= FEWEST_CASES:
        found["truth"] = {
            "listed_share": _plain(GRID),
            **{name: _plain(gains(rows, name, ill)) for name in scores},
            "random": _plain(GRID),
        }
    return found


def tenths(case: Floats, chance: Floats, weight: Floats | None = None) -> list[dict[str, Any]]:
    """`calibration.deciles` without tenths of 1 to 7 rows, and without the observed share where it rests on so few."""
    table = [row for row in deciles(case, chance, weight) if row["rows"] >= FEWEST]
    for row in table:
        row["observed"] = row["observed"] if tellable(row["cases"], row["rows"] - row["cases"]) else None
    return table


def gains(rows: Rows, name: str, sought: Floats, grid: Floats = GRID) -> Floats:
    """Share of what is sought among the given shares of people with the highest chances of their index day.

    NaN where the people sought who are listed, or those who are not, are 1 to 7.
    """
    _, day = np.unique(rows.day, return_inverse=True)
    order = np.lexsort((rows.tiebreak, -rows.scores[name], day))
    sizes = np.bincount(day)
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    depth = (place + 1) / sizes[day[order]]
    together = np.argsort(depth, kind="stable")
    running = np.concatenate([[0.0], np.cumsum(sought[order][together])])
    if running[-1] <= 0:
        return np.full(len(grid), np.nan)
    at = np.searchsorted(depth[together], grid + 1e-12, side="right")
    ranked = order[together]
    hits = np.flatnonzero(sought[ranked] > 0)
    first = np.zeros(len(ranked))
    first[hits[np.unique(rows.person[ranked[hits]], return_index=True)[1]]] = 1
    found = np.concatenate([[0.0], np.cumsum(first)])  # people, each at their first place
    told = [tellable(int(found[place]), int(found[-1] - found[place])) for place in at]
    return np.where(told, running[at] / running[-1], np.nan)


def _net_benefit(rows: Rows, score: Floats, thresholds: Floats) -> Floats:
    worth = decision.net_benefit(rows.case, score, thresholds, rows.weight)
    return np.where(decision.may_be_told(rows, score, thresholds), worth, np.nan)


def _plain(values: Floats) -> list[float | None]:
    return [plain(value) for value in values]
