"""The page of the network: its practices side by side, and what the lists may lead to; for its own use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from casefinding.definitions.impact import Impact, Range, Share
from casefinding.files import write_text
from casefinding.judge.funnel_plot import FAR_OUTSIDE, OUTSIDE, WITHIN
from casefinding.recall.loop.funnel import STAGES
from casefinding.recall.network.completeness import Recorded, Register
from casefinding.recall.network.impact import Beside, Between, Outlook, span_words
from casefinding.recall.network.units import Units
from casefinding.report.charts import as_image
from casefinding.report.funnel_chart import funnel_chart
from casefinding.report.page import page
from casefinding.report.shapes import LANE_WORDS, Edition

NETWORK_PAGE = "network.html"
LOOK_FIRST = "Look first at coding and list"
STANDING = {
    FAR_OUTSIDE: f"{LOOK_FIRST}: outside 99.8%",
    OUTSIDE: f"{LOOK_FIRST}: outside 95%",
    WITHIN: "Within the limits",
    "": "Too little expected",
}


@dataclass(frozen=True)
class CapacityRow:
    """One kind of capacity: stated and used this month, and the cases that one more of it would be expected to add."""

    where: str  # a practice, or the network
    kind: str
    stated: float
    used: float
    one_more: float | None = None


@dataclass(frozen=True)
class FloorRow:
    """One group's equity floor: its listed share of the expected undiagnosed, everybody's, and what the floor costs."""

    group: str
    listed_share: float
    overall_share: float
    floor: float
    met: bool
    cost: float  # expected confirmed cases given up for it
    said: str = ""  # "as good as possible", where it could not be met
    label: str = ""  # of the condition
    people: int | None = None  # who of the group have a place; not known: the board is not told the shares


@dataclass(frozen=True)
class FunnelRow:
    """One practice's last list: how many reached each stage; None where that is not known yet."""

    practice: str
    stages: Mapping[str, int | None]


@dataclass(frozen=True)
class ChangeRow:
    """One practice and one reason: how many people joined or left the list for it."""

    practice: str
    reason: str
    people: int


@dataclass(frozen=True)
class Overview:
    """Everything the pages for the network and the board are written from; exact, nothing is computed here.

    `lanes`: lane -> unit -> people on the list. `known_already`: of those of whom an outcome came back (the second
    number) how many were known already; None where nothing came back yet. `files`: practice -> its page in practices/.
    """

    units: Units
    lanes: Mapping[str, Mapping[tuple[str, str], int]]
    registers: Sequence[Register] = ()
    outlooks: Sequence[Outlook] = ()
    worth: Mapping[str, Sequence[tuple[Any, Between]]] = field(default_factory=dict)  # label -> impact.point_worth
    beside: Sequence[Beside] = ()
    sources: Mapping[str, Sequence[tuple[str, str, str]]] = field(default_factory=dict)  # label -> step, figure, source
    capacity: Sequence[CapacityRow] = ()
    floors: Sequence[FloorRow] = ()
    funnel: Sequence[FunnelRow] = ()
    funnel_of: str = ""  # "the list of 1 September 2026"
    changes: Sequence[ChangeRow] = ()
    known_already: tuple[int, int] | None = None
    never_coded: int | None = None
    holdout: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    gap: float = 0.0  # how far from the best the choice within capacity may be, as a share; 0: proved best


def write_network(overview: Overview, edition: Edition, folder: Path) -> None:
    """Write network.html beside index.html: exact numbers, for the practices of the network and nobody else."""
    practices = overview.units.of("practice")
    names = {unit.code: unit.name for unit in practices}
    reasons = list(dict.fromkeys(row.reason for row in overview.changes))
    changed = {(row.practice, row.reason): row.people for row in overview.changes}
    listed = {unit.key: sum(overview.lanes[lane][unit.key] for lane in LANE_WORDS) for unit in overview.units.units}
    write_text(
        folder / NETWORK_PAGE,
        page(
            "overview_network.html", edition=edition, up="index.html", overview=overview, practices=practices,
            names=names, lanes=LANE_WORDS, stages=STAGES, reasons=reasons, changed=changed,
            registers=[shown(register) for register in overview.registers],
            outlooks=by_label(overview), beside=claims(overview), span_words=span_words,
            on_list=listed,
            registered=overview.units.count(overview.units.rows["all", "all"]),
            **WORDS,
        ),
    )  # fmt: skip


def by_label(overview: Overview) -> list[tuple[str, list[Outlook]]]:
    """The outlooks of each condition, in order, under its label."""
    labels = dict.fromkeys(one.label for one in overview.outlooks)
    return [(label, [one for one in overview.outlooks if one.label == label]) for label in labels]


def claims(overview: Overview) -> list[dict[str, Any]]:
    """The published claims beside our arithmetic, with their horizons in words."""
    return [
        {**vars(one), "horizon": span_words(one.claim.horizon), "event_horizon": span_words(one.event.horizon)}
        for one in overview.beside
    ]


def sources_of(impact: Impact) -> list[tuple[str, str, str]]:
    """Every share and converter of one condition's impact: the step, the figure, its source, what must be checked."""
    steps: list[tuple[str, Range | None]] = [
        ("Attend, of those invited", impact.attend),
        ("Confirmed, of the ill who attend", impact.confirm),
        ("Confirmed, of those reviewed", impact.review_finds),
        ("Coded, of those confirmed", impact.code),
        ("Treated, of those coded", impact.treat),
        *(
            (f"Treated for {span_words(event.horizon)} for one fewer of: {event.label}", event.number_needed_to_treat)
            for event in impact.events
        ),
    ]
    found = []
    for step, figure in steps:
        if figure is None and figure is impact.confirm and step.endswith("who attend"):
            found.append((step, "100%", "Not configured, so every one of them counts as confirmed."))
        if figure is not None:
            times, unit = (100, "%") if isinstance(figure, Share) else (1, "")
            ends = [f"{times * value:.3g}{unit}" for value in (figure.mid, figure.low, figure.high)]
            said = f"{figure.source}." + (f" To be checked: {figure.unverified}." if figure.unverified else "")
            found.append((step, f"{ends[0]} ({ends[1]} to {ends[2]})", said))
    return found


def shown(register: Register) -> dict[str, Any]:
    """A register as both pages show it: rows with their interval, where each practice stands, and the funnel plot."""
    found = register.funnel
    practices = register.of("practice")
    rows = []
    for place, (row, stands, by_chance) in enumerate(
        zip(practices, found.standing(), found.standing(by_chance=True), strict=True)
    ):
        rows.append(
            {
                "unit": row.unit, "registered": row.registered, "recorded": row.recorded, "expected": row.expected,
                "ratio": _between(found.ratio[place], found.low[place], found.high[place]),
                "shrunk": _between(found.shrunk[place], found.shrunk_low[place], found.shrunk_high[place]),
                "standing": STANDING[stands], "flagged": stands in (OUTSIDE, FAR_OUTSIDE), "stands": stands,
                "by_chance": by_chance in (OUTSIDE, FAR_OUTSIDE),
                "to_goal": row.to_goal(register.goal) if register.goal else None,
            }
        )  # fmt: skip
    drawn = bool(np.isfinite(found.ratio).any())
    return {
        "register": register,
        "whole": register.whole,
        "funnel": found,
        "rows": rows,
        "image": as_image(funnel_chart(found, [row.unit.code for row in practices], register.goal)) if drawn else "",
        "about": about(register.label, [(row["unit"].code, row["stands"]) for row in rows]),
        "flagged": [row for row in rows if row["flagged"]],
        "outside_chance": sum(row["by_chance"] for row in rows),
        "to_goal": register.whole.to_goal(register.goal) if register.goal else None,
    }


def about(label: str, standing: Sequence[tuple[str, str]]) -> str:
    """What a funnel plot shows, in words, for whoever cannot see it."""
    outside = [code for code, stands in standing if stands in (OUTSIDE, FAR_OUTSIDE)]
    said = f"outside the limits: {', '.join(outside)}" if outside else "none outside the limits"
    return f"Funnel plot of {len(standing)} practices, {label}: recorded of 100 expected against expected; {said}."


def _between(mid: float, low: float, high: float) -> Between | None:
    return None if np.isnan(mid) else Between(float(low), float(mid), float(high))


def _times(value: float) -> str:
    """A modelled number as a page shows it: two figures that count.

    >>> [_times(value) for value in (0.0312, 0.4, 3.58, 27.4, 1234.0, 0)]
    ['0.03', '0.4', '3.6', '27', '1,234', '0']
    """
    if value <= 0:
        return "0"
    if value >= 10:
        return f"{value:,.0f}"
    if value < 0.005:
        return "under 0.01"
    return f"{value:.1f}" if value >= 0.1 else f"{value:.2f}"


def _span(between: Between) -> str:
    """A modelled number with its interval in words."""
    return f"{_times(between.mid)} ({_times(between.low)} to {_times(between.high)})"


def _of_100(between: Between) -> str:
    return f"{100 * between.mid:.0f} ({100 * between.low:.0f} to {100 * between.high:.0f})"


def _rate(row: Recorded) -> str:
    return "–" if row.completeness is None else f"{100 * row.completeness:.0f}"


WORDS = {"times": _times, "span": _span, "of_100": _of_100, "rate": _rate}
"""How both pages write numbers."""
