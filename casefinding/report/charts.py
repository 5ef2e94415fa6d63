"""Drawings as SVG: blue and dark pink, different markers, direct labels; nothing rests on colour alone."""

from __future__ import annotations

import base64
import io
from typing import Any

from casefinding.judge.judgement import Judgement

BLUE, PINK, GREY, INK, LINE = "#005eb8", "#7c2855", "#4c6272", "#212b32", "#d8dde0"
_LOOK = {
    "model": ("This model", BLUE, "-", "o"),
    "age_sex": ("Age and sex", PINK, "--", "s"),
    "logistic": ("Logistic regression", GREY, ":", "^"),
    "random": ("By lot", INK, (0, (1, 4)), ""),
    "everybody": ("Test everybody", INK, "-.", ""),
}


def model_charts(judgement: Judgement) -> dict[str, bytes]:
    """The drawings of a judgement by name, each an SVG file; empty where too few cases allow no curve.

    The same judgement gives the same bytes.
    """
    drawn: dict[str, bytes] = {}
    curves = judgement.curves
    if not curves:
        return drawn
    drawn["calibration"] = _draw(_calibration, curves["calibration"]["model"])
    drawn["net_benefit"] = _draw(_net_benefit, curves["net_benefit"])
    drawn["gains"] = _draw(_gains, curves["gains"], "Share of later diagnoses on the list")
    if "truth" in curves:
        drawn["truth"] = _draw(_gains, curves["truth"], "Share of the ill and uncoded on the list")
    return drawn


def as_image(svg: bytes) -> str:
    """An SVG as the source of an image inside the page."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode()


def _draw(paint: Any, *content: Any) -> bytes:
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
        figure = Figure(figsize=(5.4, 4.0), layout="constrained")
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


def _net_benefit(axes: Any, curve: dict[str, Any]) -> None:
    threshold = curve["threshold"]
    for name in ("model", "age_sex", "logistic", "everybody"):
        _line(axes, threshold, curve[name], name, every=max(1, len(threshold) // 8))
    axes.axhline(0, color=GREY, linewidth=1)
    best = max(value for value in curve["model"] if value is not None)
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
