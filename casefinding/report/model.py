"""One page a model: who was asked, how it was judged, for whom, against what, by which rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from casefinding.disclosure import people_words
from casefinding.files import write_text
from casefinding.judge.judgement import Judgement
from casefinding.report import ways
from casefinding.report.charts import as_image, model_charts
from casefinding.report.page import page
from casefinding.report.shapes import Edition, ModelStory

MEASURES = (
    ("auroc", "AUROC (1 orders perfectly, 0.5 by lot)", 3),
    ("average_precision", "Average precision", 3),
    ("brier", "Brier score (lower is better)", 4),
    ("calibration_slope", "Calibration slope (1 is right)", 2),
    ("calibration_in_the_large", "Calibration in the large (0 is right)", 2),
    ("ppv", "Of those on a list as long as the practices can work, diagnosed later (PPV)", "share"),
    ("sensitivity", "Of those diagnosed later, on that list (sensitivity)", "share"),
)
GROUPINGS = {
    "age_band": "Age",
    "sex": "Sex",
    "ethnicity": "Ethnic group",
    "deprivation": "Deprivation fifth",
    "core20": "Core20",
    "practice": "Practice",
    "attendance": "Attendance",
}
ASKED = "judged people were asked"
"""The entry of `ModelStory.training` that says whether people were judged at a time that the model had not seen."""
_BASIS = {
    False: "Measured by AUROC against coded diagnoses, which say what was found, not what was missed.",
    True: "Measured by AUROC against what was found in people who were looked at, each counting for people like them.",
}
_DRAWINGS = {
    "calibration": "Calibration: in each tenth of people by chance, the share expected to be diagnosed and that was.",
    "net_benefit": "Net benefit at each threshold, beside the yardsticks and testing everybody.",
    "gains": "Of the people diagnosed later, the share on a list as it grows.",
    "truth": "Of the people truly ill and uncoded, the share on a list as it grows.",
}


def write_model(story: ModelStory, edition: Edition, folder: Path) -> None:
    """Write a model's page as CONDITION.html; every count of people on it is rounded, and 1 to 7 withheld."""
    exact: Judgement | None = story.judgement
    judgement = exact.published() if exact is not None else None
    drawings, groups, truth_groups, sections = [], [], [], {}
    if judgement is not None:
        images = {name: as_image(svg) for name, svg in model_charts(judgement).items()}
        drawings = [(name, image, _DRAWINGS[name]) for name, image in images.items() if name in _DRAWINGS]
        sections = ways.sections(judgement, images, GROUPINGS)
        groups = [(title, judgement.groups[name]) for name, title in GROUPINGS.items() if name in judgement.groups]
        truth_groups = _truth_groups(judgement)
    shown = verdict(judgement) if headline(judgement) is not None and judgement is not None else ""
    write_text(
        folder / f"{story.condition}.html",
        page(
            "model.html", story=story, edition=edition, up="../index.html", judged=judgement, measures=MEASURES,
            drawings=drawings, groups=groups,
            truth_groups=truth_groups, verdict=shown, people=people_words,
            asked=story.training.get(ASKED, ""), basis=_BASIS[judgement is not None and _seen(judgement) is not None],
            of_codes=judgement is None or not judgement.ways or judgement.ways["shipped"] == ways.CODED, **sections,
        ),
    )  # fmt: skip


def _truth_groups(judgement: Judgement) -> list[tuple[str, list[dict[str, Any]]]]:
    if not judgement.truth or judgement.truth["too_few"]:
        return []
    known = judgement.truth["groups"]
    shown = [(title, known[name]) for name, title in GROUPINGS.items() if name in known and name != "practice"]
    return [*shown, ("Why uncoded", judgement.truth["states"])] if judgement.truth["states"] else shown


def asked_at(by_time: bool) -> str:
    """When judged people were asked, as a page says it."""
    return "at a later time than the model had seen" if by_time else "on the index day that the model had learnt from"


def headline(judgement: Judgement | None) -> dict[str, str] | None:
    """AUROC and calibration slope with their intervals, in words, for the index page.

    On people who were looked at, where the model learnt from what was found in such; else against codes.
    """
    seen = _seen(judgement) if judgement is not None else None
    if judgement is None or not (judgement.overall["rates"] or seen):
        return None
    rates = seen["ways"][seen["shipped"]]["rates"] if seen else judgement.overall["rates"]
    slope, against = rates["calibration_slope"], ", against one test each" if seen else ""
    truth = (judgement.ways or {}).get("truth") if seen else None
    if truth and not truth["too_few"] and truth.get("calibration"):  # made-up people: what the chance is of is known
        slope, against = truth["calibration"]["overall"]["calibration_slope"], ", against the truth"
    return {
        "auroc": _words(rates["auroc"], 3),
        "slope": _words(slope, 2) + against,
        "verdict": verdict(judgement),
    }


def verdict(judgement: Judgement) -> str:
    """Whether the model orders people better than age and sex alone, as far as these people can tell."""
    seen = _seen(judgement)
    where = " among people who were looked at" if seen else ""
    difference = (
        seen["ways"]["age_sex"]["shipped_minus"]["auroc"]
        if seen
        else judgement.yardsticks["age_sex"]["model_minus_this"].get("auroc")
    )
    if not difference or difference["low"] is None or difference["high"] is None:
        return f"Too few cases{where} to compare with age and sex alone"
    if difference["low"] > 0:
        return f"Orders people better than age and sex alone{where}"
    if difference["high"] < 0:
        return f"Orders people worse than age and sex alone{where}: do not use it to rank"
    return f"Not shown to order people better than age and sex alone{where}"


def _seen(judgement: Judgement) -> dict[str, Any] | None:
    """The judgement on people who were looked at, where the model learnt from such and there are enough."""
    seen = judgement.verified
    return seen if seen and not seen["too_few"] and seen["shipped"] != ways.CODED else None


def _words(entry: dict[str, float | None], decimals: int) -> str:
    if entry["value"] is None:
        return "too few"
    if entry["low"] is None or entry["high"] is None:
        return f"{entry['value']:.{decimals}f}"
    return f"{entry['value']:.{decimals}f} ({entry['low']:.{decimals}f} to {entry['high']:.{decimals}f})"
