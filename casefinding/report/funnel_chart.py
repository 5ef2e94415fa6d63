"""The funnel plot as a drawing: limits as lines, practices as marks whose shape says where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from casefinding.definitions.impact import Goal
from casefinding.judge.funnel_plot import FAR_OUTSIDE, OUTSIDE, WITHIN, Funnel, adjusted_limits, chance_limits
from casefinding.report import charts

MOST_NAMED = 14
"""Of more practices than this only those outside the limits carry their code."""
_MARKS = {
    WITHIN: ("o", "none", charts.BLUE, "Within the limits"),
    OUTSIDE: ("s", charts.PINK, charts.PINK, "Outside 95%"),
    FAR_OUTSIDE: ("D", charts.INK, charts.INK, "Outside 99.8%"),
}


AXES = ("Cases expected by published prevalence", "Recorded of 100 expected")
"""What the two axes of register completeness are called."""


def funnel_chart(funnel: Funnel, names: Sequence[str], goal: Goal | None = None, axes: tuple[str, str] = AXES) -> bytes:
    """An SVG of the practices (as many `names` as the funnel has): a ratio, as register completeness, against expected.

    Limits in use are dark lines; where they allow for how practices differ, those for chance alone are dotted beside
    them. The same funnel gives the same bytes.
    """
    return charts._draw(_paint, funnel, names, goal, axes, size=(8.4, 5.2))


def _paint(axes: Any, funnel: Funnel, names: Sequence[str], goal: Goal | None, called: tuple[str, str]) -> None:
    there = np.flatnonzero(~np.isnan(funnel.ratio))
    expected, ratio = funnel.expected[there], 100 * funnel.ratio[there]
    width = expected.max() * 1.12
    x = np.linspace(max(expected.min() * 0.6, 1.0), width, 200)
    limits = 100 * (
        adjusted_limits(funnel.target, x, funnel.spread) if funnel.adjusts else chance_limits(funnel.target, x)
    )
    for place, style, label in ((3, "-", "99.8% limits"), (2, "--", "95% limits")):
        axes.plot(x, limits[:, place], color=charts.INK, linestyle=style, linewidth=1.2, label=label)
        axes.plot(x, limits[:, 3 - place], color=charts.INK, linestyle=style, linewidth=1.2)
    if funnel.adjusts:
        chance = 100 * chance_limits(funnel.target, x)
        axes.plot(x, chance[:, 3], color=charts.GREY, linestyle=":", linewidth=1, label="99.8% by chance alone")
        axes.plot(x, chance[:, 0], color=charts.GREY, linestyle=":", linewidth=1)
    axes.axhline(100 * funnel.target, color=charts.GREY, linewidth=1)
    drawn = [limits.min(), limits.max(), *ratio]
    axes.annotate("all practices", (width, 100 * funnel.target), color=charts.GREY, fontsize=9, va="bottom", ha="right")
    if goal is not None:
        axes.axhline(100 * goal.share, color=charts.BLUE, linewidth=1.2, linestyle="-.")
        axes.annotate(
            f"goal for {goal.by}", (width, 100 * goal.share), color=charts.BLUE, fontsize=9, va="bottom", ha="right"
        )
        drawn.append(100 * goal.share)
    standing = [funnel.standing()[place] for place in there]
    for kind, (marker, face, edge, label) in _MARKS.items():
        mine = [place for place, stands in enumerate(standing) if stands == kind]
        if mine:
            axes.plot(expected[mine], ratio[mine], linestyle="", marker=marker, markersize=7, markerfacecolor=face,
                      markeredgecolor=edge, markeredgewidth=1.6, label=label)  # fmt: skip
    for place, position in enumerate(there.tolist()):
        if len(there) <= MOST_NAMED or standing[place] != WITHIN:
            axes.annotate(names[position], (expected[place], ratio[place]), fontsize=9, xytext=(7, 3),
                          textcoords="offset points", color=charts.INK)  # fmt: skip
    room = max(1.0, (max(drawn) - min(drawn)) * 0.08)
    axes.set(
        xlim=(x[0], width), ylim=(max(0.0, min(drawn) - room), max(drawn) + room),
        xlabel=called[0], ylabel=called[1],
    )  # fmt: skip
    axes.legend(frameon=False, fontsize=9, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.14))
