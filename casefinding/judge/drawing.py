"""The points that the report draws: ROC, calibration, net benefit, and who is found as the list grows.

Every curve stands on a fixed grid, so no point of it is one person's chance.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from casefinding.judge import decision
from casefinding.judge.bootstrap import plain
from casefinding.judge.calibration import deciles
from casefinding.judge.discrimination import roc_points
from casefinding.judge.measures import FEWEST_CASES
from casefinding.judge.rows import Floats, Rows

GRID = np.round(np.linspace(0, 1, 101), 2)


def curves(rows: Rows, ill: Floats | None = None) -> dict[str, Any]:
    """Points by curve and score; empty where there are too few cases to draw.

    `roc`: sensitivity over 1 - specificity. `calibration`: tenths by chance (expected, observed). `net_benefit`: over
    thresholds, with everybody and nobody. `gains`: share of the cases among the given share of people with the highest
    chances of their index day. `truth`: the same for people ill and uncoded. Lists of plain floats, equally long.
    """
    used = rows.weight > 0
    case, weight = rows.case[used], rows.weight[used]
    if len(np.unique(rows.person[used][case > 0])) < FEWEST_CASES:
        return {}
    scores = {name: score[used] for name, score in rows.scores.items()}
    thresholds = np.array(decision.CURVE_THRESHOLDS)
    found: dict[str, Any] = {
        "roc": {
            "false_positive_share": _plain(GRID),
            **{name: _plain(roc_points(case, score, weight, GRID)) for name, score in scores.items()},
        },
        "calibration": {name: deciles(case, score, weight) for name, score in scores.items()},
        "net_benefit": {
            "threshold": _plain(thresholds),
            **{name: _plain(decision.net_benefit(case, score, thresholds, weight)) for name, score in scores.items()},
            "everybody": _plain(decision.treat_all(case, thresholds, weight)),
            "nobody": [0.0] * len(thresholds),
        },
        "gains": {
            "listed_share": _plain(GRID),
            **{name: _plain(gains(rows, name, rows.case * rows.weight)) for name in scores},
            "random": _plain(GRID),
        },
    }
    if ill is not None and len(np.unique(rows.person[ill > 0])) >= FEWEST_CASES:
        found["truth"] = {
            "listed_share": _plain(GRID),
            **{name: _plain(gains(rows, name, ill)) for name in scores},
            "random": _plain(GRID),
        }
    return found


def gains(rows: Rows, name: str, sought: Floats, grid: Floats = GRID) -> Floats:
    """Share of what is sought among the given shares of people with the highest chances of their index day."""
    _, day = np.unique(rows.day, return_inverse=True)
    order = np.lexsort((rows.tiebreak, -rows.scores[name], day))
    sizes = np.bincount(day)
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    depth = (place + 1) / sizes[day[order]]
    together = np.argsort(depth, kind="stable")
    running = np.concatenate([[0.0], np.cumsum(sought[order][together])])
    if running[-1] <= 0:
        return np.full(len(grid), np.nan)
    return running[np.searchsorted(depth[together], grid + 1e-12, side="right")] / running[-1]


def _plain(values: Floats) -> list[float | None]:
    return [plain(value) for value in values]
