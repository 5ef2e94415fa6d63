"""Drawings as SVG: blue and dark pink, different markers, direct labels; nothing rests on colour alone."""

from __future__ import annotations

import base64
import io
from typing import Any

from casefinding.judge.judgement import Judgement
from casefinding.report.ways import LISTS, SOUGHT, namer

BLUE, PINK, GREY, INK, LINE = "#005eb8", "#7c2855", "#4c6272", "#212b32", "#d8dde0"
_LOOK = {
    "model": ("This model", BLUE, "-", "o"),
    "age_sex": ("Age and sex", PINK, "--", "s"),
    "logistic": ("Logistic regression", GREY, ":", "^"),
    "random": ("By lot", INK, (0, (1, 4)), ""),
    "everybody": ("Test everybody", INK, "-.", ""),
    "rules": ("Those with a rule", INK, (0, (5, 1)), "D"),
    "coded": ("Learnt from codes", GREY, "-", "v"),
}
MOST_PRACTICES = 40
"""Of more practices than this only the highest and the lowest are drawn, half and half."""


def model_charts(judgement: Judgement) -> dict[str, bytes]:
    """The drawings of a judgement by name, each an SVG file; empty where too few cases allow no curve.

    The same judgement gives the same bytes.
    """
    drawn: dict[str, bytes] = {}
    curves = judgement.curves
    if curves:
        drawn["calibration"] = _draw(_calibration, curves["calibration"]["model"])
        drawn["net_benefit"] = _draw(_net_benefit, curves["net_benefit"], "model")
        drawn["gains"] = _draw(_gains, curves["gains"], "Share of later diagnoses on the list")
        if "truth" in curves:
            drawn["truth"] = _draw(_gains, curves["truth"], "Share of the ill and uncoded on the list")
    return drawn | _side_by_side(judgement)


def _side_by_side(judgement: Judgement) -> dict[str, bytes]:
    """The drawings of the ways of learning, of those looked at, of practices and of rules, where there are any."""
    drawn: dict[str, bytes] = {}
    truth = judgement.ways["truth"] if judgement.ways else None
    if truth and not truth["too_few"]:
        drawn["found"] = _draw(_found, truth, namer(judgement), size=(8.4, 4.6))
    seen = judgement.verified
    if seen and not seen["too_few"]:
        if seen["calibration"]["curve"]:
            drawn["calibration_looked_at"] = _draw(_smooth, seen["calibration"]["curve"])
        if any(value is not None for value in seen["curve"][seen["shipped"]]):
            drawn["net_benefit_looked_at"] = _draw(_net_benefit, seen["curve"], seen["shipped"])
    tables = judgement.practices or {}
    of = next((tables[name]["auroc"] for name in ("verified", "coded") if name in tables), None)
    if of and len(of["each"]) > 1:
        drawn["practices"] = _draw(_forest, of, size=(8.4, 1.6 + 0.28 * len(of["each"][:MOST_PRACTICES])))
    if judgement.net_of_rules:
        lists = judgement.net_of_rules["share"]
        if any(entry["value"] is not None for entry in lists["model"]["no_rule"]["per_100"].values()):
            drawn["net_of_rules"] = _draw(_added, lists, size=(8.4, 3.2))
    return drawn


def as_image(svg: bytes) -> str:
    """An SVG as the source of an image inside the page."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode()


def _draw(paint: Any, *content: Any, size: tuple[float, float] = (5.4, 4.0)) -> bytes:
    import matplotlib

    matplotlib.use("svg")
    from matplotlib.figure import Figure

    settings: dict[Any, Any] = {
        "font.family": "sans-serif",
        "font.sans-serif": ["Arial", "Liberation Sans", "DejaVu Sans"],
        "font.size": 11,
        "svg.fonttype": "none",
        "svg.hashsalt": "casefinding",  # ids inside the file would otherwise be drawn by chance
        "axes.edgecolor": GREY,
        "axes.labelcolor": INK,
    }
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots()
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color=LINE, linewidth=0.8)
        axes.set_axisbelow(True)
        paint(axes, *content)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _line(axes: Any, x: list, y: list, name: str, *, every: int) -> None:
    label, colour, style, marker = _LOOK[name]
    axes.plot(x, y, color=colour, linestyle=style, marker=marker or None, markevery=every, markersize=5, label=label)


def _calibration(axes: Any, tenths: list[dict[str, Any]]) -> None:
    expected = [row["expected"] for row in tenths]
    observed = [row["observed"] for row in tenths]
    top = max([*expected, *(value for value in observed if value is not None), 0.01]) * 1.08
    axes.plot([0, top], [0, top], color=GREY, linewidth=1)
    axes.annotate("as many as expected", (top * 0.62, top * 0.66), color=GREY, rotation=35, fontsize=9)
    axes.plot(expected, observed, color=BLUE, marker="o", linestyle="-", label="This model")
    axes.set(xlim=(0, top), ylim=(0, top), xlabel="Expected share of cases", ylabel="Observed share of cases")


def _net_benefit(axes: Any, curve: dict[str, Any], model: str) -> None:
    threshold = curve["threshold"]
    for name in dict.fromkeys((model, "coded", "age_sex", "logistic", "rules", "everybody")):
        if name in curve:
            _line(axes, threshold, curve[name], "model" if name == model else name, every=max(1, len(threshold) // 8))
    axes.axhline(0, color=GREY, linewidth=1)
    best = max((value for value in curve[model] if value is not None), default=0.0)
    axes.set(ylim=(-best * 0.25 - 1e-4, best * 1.15 + 1e-4), xlabel="Threshold chance", ylabel="Net benefit per person")
    axes.set_xlim(0, max(threshold))
    axes.legend(frameon=False, fontsize=9)


def _gains(axes: Any, curve: dict[str, Any], label: str) -> None:
    shown = [place for place, share in enumerate(curve["listed_share"]) if share <= 0.5]
    x = [curve["listed_share"][place] for place in shown]
    for name in ("model", "age_sex", "logistic", "random"):
        _line(axes, x, [curve[name][place] for place in shown], name, every=10)
    axes.set(xlim=(0, 0.5), ylim=(0, 1), xlabel="Share of people listed", ylabel=label)
    axes.legend(frameon=False, fontsize=9)


def _ranges(axes: Any, entries: list[Any], at: list[float], colour: str, marker: str, label: str, per: float) -> None:
    """Points with their intervals, from the top down; what is withheld is said."""
    for entry, height in zip(entries, at, strict=True):
        if entry is None or entry["value"] is None:
            axes.annotate("too few", (0, height), color=colour, fontsize=9, va="center", xytext=(4, 0),
                          textcoords="offset points")  # fmt: skip
            continue
        if entry["low"] is not None:
            axes.plot([per * entry["low"], per * entry["high"]], [height] * 2, color=colour, linewidth=2)
        axes.plot([per * entry["value"]], [height], color=colour, marker=marker, markersize=6, linestyle="")
    axes.plot([], [], color=colour, marker=marker, linestyle="-", label=label)


def _rows(axes: Any, names: list[str]) -> list[float]:
    heights = [-float(place) for place in range(len(names))]
    axes.set_yticks(heights, names)
    axes.set_ylim(-len(names) + 0.4, 0.6)
    axes.grid(axis="y", visible=False)
    return heights


def _found(axes: Any, truth: dict[str, Any], called: Any) -> None:
    names = list(truth["ways"])
    heights = _rows(axes, [called(name) for name in names])
    low = truth["low_contact"]
    apart = 0.16 if low and not low["too_few"] else 0.0
    everybody = [truth["ways"][name]["share"] for name in names]
    _ranges(axes, everybody, [height + apart for height in heights], BLUE, "o", "Everybody ill", 100)
    if low and not low["too_few"]:
        few = [low["ways"][name]["share"] for name in names]
        _ranges(axes, few, [height - apart for height in heights], PINK, "s", "Fifth with the fewest contacts", 100)
    axes.axvline(100 * truth["random"]["value"], color=INK, linewidth=1, linestyle=(0, (1, 4)), label="By lot")
    axes.set_xlim(left=0)
    axes.set_xlabel("Found of 100 ill and uncoded")
    axes.legend(frameon=False, fontsize=9)


def _smooth(axes: Any, curve: dict[str, Any]) -> None:
    expected, observed = curve["expected"], curve["observed"]
    top = max(*expected, *observed, 0.01) * 1.08
    axes.plot([0, top], [0, top], color=GREY, linewidth=1)
    axes.annotate("as many as expected", (top * 0.62, top * 0.66), color=GREY, rotation=35, fontsize=9)
    axes.plot(expected, observed, color=BLUE, linewidth=2)
    axes.set(xlim=(0, top), ylim=(0, top), xlabel="Expected share found", ylabel="Share found (smoothed)")


def _forest(axes: Any, table: dict[str, Any]) -> None:
    each, summary = table["each"], table["summary"]
    if len(each) > MOST_PRACTICES:
        each = [*each[: MOST_PRACTICES // 2], *each[-MOST_PRACTICES // 2 :]]
    heights = _rows(axes, [row["practice"] for row in each] + (["All practices"] if summary else []))
    _ranges(axes, each, heights[: len(each)], BLUE, "o", "A practice", 1)
    if summary:
        at = [heights[-1]] * 2
        axes.plot([summary["predicted_low"], summary["predicted_high"]], at, color=PINK, linewidth=1)
        axes.plot([summary["low"], summary["high"]], at, color=PINK, linewidth=4)
        axes.plot([summary["mean"]], at[:1], color=PINK, marker="D", markersize=8, linestyle="")
    axes.axvline(0.5, color=INK, linewidth=1, linestyle=(0, (1, 4)))
    axes.set_xlabel("AUROC (0.5 is by lot)")


def _added(axes: Any, lists: dict[str, Any]) -> None:
    sought = [(name, title) for name, title in SOUGHT if name in lists["model"]["no_rule"]["per_100"]]
    heights = _rows(axes, [title for _, title in sought])
    looks = ((GREY, "^", 0.24), (PINK, "s", 0.0), (BLUE, "o", -0.24))
    for (key, title), (colour, marker, up) in zip(LISTS, looks, strict=True):
        entries = [lists[key]["no_rule"]["per_100"][name] for name, _ in sought]
        _ranges(axes, entries, [height + up for height in heights], colour, marker, title, 1)
    axes.set_xlim(left=0)
    axes.set_xlabel("Found of 100 invited with no rule")
    axes.legend(frameon=False, fontsize=9)
