"""The page of the integrated care board, and the same numbers as CSV: small numbers withheld, nobody to be found."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from casefinding.disclosure import rounded, tellable
from casefinding.files import write_text
from casefinding.judge.funnel_plot import FAR_OUTSIDE, OUTSIDE
from casefinding.recall.lines import WITHOUT_A_PLACE
from casefinding.recall.loop.funnel import STAGES
from casefinding.recall.network.completeness import Register
from casefinding.recall.network.impact import WHOLE, Between, span_words
from casefinding.recall.network.units import LEVELS, Unit
from casefinding.recall.text_table import safe_cell
from casefinding.report.board_counts import TOTAL, Key, Rate, across, alone, board_funnel, rates
from casefinding.report.charts import as_image
from casefinding.report.funnel_chart import funnel_chart
from casefinding.report.overview import STANDING, WORDS, FloorRow, Overview, about, claims
from casefinding.report.page import page
from casefinding.report.shapes import LANE_WORDS, Edition

BOARD_PAGE, BOARD_CSV = "icb.html", "icb.csv"
COLUMNS = ("table", "condition", "level", "code", "name", "measure", "value", "low", "high", "note")
WITHHELD = "withheld"
MODELLED = "modelled, not observed"


def write_board(overview: Overview, edition: Edition, folder: Path) -> None:
    """Write icb.html and icb.csv: by practice, network, alliance and Core20, without links to what practices hold.

    Every count is a multiple of 5, none is 1 to 7; totals are sums of what is shown, rates come from rounded counts,
    and what is withheld cannot be worked out (see suppression). Shares of what is expected that a group's places are to
    find come from its chances; they are shown only where the people with those places may be.
    """
    board = _board(overview)
    units = [unit for unit in overview.units.units if unit.level != "all"]
    write_text(
        folder / BOARD_PAGE,
        page(
            "overview_icb.html", edition=edition, up="", lanes=LANE_WORDS, stages=STAGES, total=TOTAL,
            levels=[(heading, [unit for unit in units if unit.level == level]) for level, heading in LEVELS.items()],
            everybody=overview.units.of("all")[0], beside=claims(overview), span_words=span_words,
            overview=overview, **board, **WORDS,
        ),
    )  # fmt: skip
    write_text(folder / BOARD_CSV, _csv(overview, board))


def _board(overview: Overview) -> dict[str, Any]:
    units = overview.units
    known = overview.known_already
    told = known is not None and tellable(known[0], known[1] - known[0]) and rounded(known[1])
    by_stage: dict[str, Mapping[Key, int | None]] = {}
    for stage in STAGES:
        values = {row.practice: row.stages.get(stage) for row in overview.funnel}
        if values and all(value is not None for value in values.values()):
            by_stage[stage] = alone(units, units.added({code: value or 0 for code, value in values.items()}))
    reasons: dict[str, Mapping[Key, int | None]] = {}
    for reason in dict.fromkeys(row.reason for row in overview.changes):
        added = units.added({row.practice: row.people for row in overview.changes if row.reason == reason})
        reasons[reason] = alone(units, {key: count for key, count in added.items() if key[0] != "practice"})
    return {
        "registered": alone(units, units.count(np.ones(len(units.rows["all", "all"]), dtype=bool))),
        "listed": across(units, {lane: overview.lanes[lane] for lane in LANE_WORDS}),
        "registers": [_register(overview, register) for register in overview.registers],
        "by_stage": by_stage,
        "reasons": reasons,
        "known_already": (rounded(known[0]) or 0, rounded(known[1])) if told and known else None,
        "never_coded": rounded(overview.never_coded),
        "capacity": _capacity(overview),
        "floors": _floors(overview.floors),
        "outlooks": [_modelled(one) for one in overview.outlooks if one.listed.practice == WHOLE],
    }


def _capacity(overview: Overview) -> list[tuple[str, float, int | None, float | None]]:
    """Each kind of capacity, everywhere together: stated, used as it may be published, the mean worth of one more.

    Work on records is a time for each person in the lanes that need no place: where one of these lanes is withheld for
    everybody, the sum would tell it, and is withheld too. Otherwise it is given to the nearest 100, as it is no count.
    """
    everybody = overview.units.of("all")[0].key
    told = all(rounded(overview.lanes[lane][everybody]) is not None for lane in WITHOUT_A_PLACE)
    found = []
    for kind in dict.fromkeys(row.kind for row in overview.capacity):
        rows = [row for row in overview.capacity if row.kind == kind]
        worth = [row.one_more for row in rows if row.one_more is not None]
        used = sum(row.used for row in rows)
        shown = rounded(round(used)) if worth else 100 * round(used / 100) if told else None
        found.append((kind, sum(row.stated for row in rows), shown, sum(worth) / len(worth) if worth else None))
    return found


def _floors(rows: Sequence[FloorRow]) -> list[tuple[FloorRow, bool]]:
    """Each group's floor, and whether its shares may be told: they rest on the people of the group with a place.

    Where just one group of a condition is withheld, everybody's share and the others' would tell it: then the one with
    the next fewest people is withheld as well.
    """
    told = {place: row.people is not None and tellable(row.people) for place, row in enumerate(rows)}
    for label in dict.fromkeys(row.label for row in rows):
        here = [place for place, row in enumerate(rows) if row.label == label]
        shown = [place for place in here if told[place]]
        if shown and len(here) - len(shown) == 1:
            told[min(shown, key=lambda place: rows[place].people or 0)] = False
    return [(row, told[place]) for place, row in enumerate(rows)]


def _register(overview: Overview, register: Register) -> dict[str, Any]:
    found = rates(overview.units, register)
    held, codes = board_funnel(found)
    standing = dict(zip(codes, held.standing(), strict=True))
    goal = register.goal
    return {
        "register": register,
        "rates": {rate.unit.key: rate for rate in found},
        "whole": next(rate for rate in found if rate.unit.level == "all"),
        "standing": {code: STANDING[stands] for code, stands in standing.items()},
        "flagged": [code for code, stands in standing.items() if stands in (OUTSIDE, FAR_OUTSIDE)],
        "image": as_image(funnel_chart(held, codes, goal)) if codes else "",
        "about": about(register.label, list(standing.items())),
        "adjusts": held.adjusts,
    }


def _modelled(one: Any) -> dict[str, Any]:
    """A condition's outlook for everybody; people as they may be published, events as modelled."""
    steps = [("Attended", one.attended), ("Confirmed", one.confirmed), ("Coded", one.coded)]
    if one.treated is not None:
        steps.append(("Treated", one.treated))
    listed = one.listed
    numbers = (("Urgent", listed.urgent), ("Review", listed.review), ("Invited", listed.invited))
    told = tellable(listed.review, listed.invited)  # else what is modelled from them would tell them
    return {
        "label": one.label,
        "counts": [(name, rounded(number)) for name, number in numbers],
        "told": told,
        "listed": listed,
        "steps": [
            (name, Between(*(_five(value) for value in (span.low, span.mid, span.high)))) for name, span in steps
        ],
        "events": one.events,
        "points": one.points,
    }


def _five(value: float) -> int:
    """A modelled number of people to the nearest 5."""
    return 5 * round(value / 5)


def _csv(overview: Overview, board: Mapping[str, Any]) -> str:
    """Every number of the page, one a row; a withheld one is empty and says so."""
    rows: list[tuple[Any, ...]] = []

    def count(table: str, condition: str, unit: Unit, measure: str, value: int | None) -> None:
        note = WITHHELD if value is None else ""
        rows.append((table, condition, unit.level, unit.code, unit.name, measure, value, None, None, note))

    for unit in overview.units.units:
        count("lists", "", unit, "registered", board["registered"][unit.key])
        for lane in (*LANE_WORDS, TOTAL):
            count("lists", "", unit, "on the list" if lane == TOTAL else lane, board["listed"][unit.key, lane])
    for one in board["registers"]:
        condition = one["register"].condition
        for unit in overview.units.units:
            rate: Rate = one["rates"][unit.key]
            count("register", condition, unit, "recorded", rate.recorded)
            count("register", condition, unit, "expected", rate.expected)
            ends = (None, None, None) if rate.ratio is None else (rate.ratio.mid, rate.ratio.low, rate.ratio.high)
            said = WITHHELD if rate.ratio is None else one["standing"].get(unit.code, "")
            place = (unit.level, unit.code, unit.name)
            rows.append(("register", condition, *place, "recorded of one expected", *map(_rounded, ends), said))
    for table, columns in (("last list", board["by_stage"]), ("changes", board["reasons"])):
        for name, values in columns.items():
            for unit in overview.units.units:
                if unit.key in values:
                    count(table, "", unit, name, values[unit.key])
    everybody = overview.units.of("all")[0]
    place = (everybody.level, everybody.code, everybody.name)
    if overview.known_already:
        for name, value in zip(("known already", "answers"), board["known_already"] or (None, None), strict=True):
            count("last list", "", everybody, name, value)
    if overview.never_coded is not None:
        count("last list", "", everybody, "confirmed and on no register yet", board["never_coded"])
    for kind, stated, used, one_more in board["capacity"]:
        rows.append(("capacity", "", *place, f"{kind}: stated", _rounded(stated), None, None, "from the config"))
        count("capacity", "", everybody, f"{kind}: used", used)
        if one_more is not None:
            rows.append(("capacity", "", *place, f"{kind}: one more", _rounded(one_more), None, None, MODELLED))
    for row, told in board["floors"]:
        for name, share in (("to be found of one", row.listed_share), ("everybody's", row.overall_share)):
            values = (_rounded(share) if told else None, None, None, MODELLED if told else WITHHELD)
            rows.append(("fairness", row.label, "group", row.group, row.group, name, *values))
        met = "met" if row.met else f"not met: {row.said}" if row.said else "not met"
        rows.append(("fairness", row.label, "group", row.group, row.group, "floor", row.floor, None, None, met))
    for one in board["outlooks"]:
        for name, value in one["counts"]:
            count("impact", one["label"], everybody, name.lower(), value)
        if not one["told"]:
            continue
        events = [(f"{event} avoided in {horizon}", span) for event, horizon, span in one["events"]]
        points = [("points of the register", one["points"])] if one["points"] else []
        for name, span in [*((name.lower(), span) for name, span in one["steps"]), *events, *points]:
            ends = (_rounded(span.mid), _rounded(span.low), _rounded(span.high))
            rows.append(("impact", one["label"], *place, name, *ends, MODELLED))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([safe_cell(cell) if isinstance(cell, str) else cell for cell in row])
    return out.getvalue()


def _rounded(value: float | None) -> float | None:
    return value if value is None or isinstance(value, int) else float(f"{value:.2g}")
