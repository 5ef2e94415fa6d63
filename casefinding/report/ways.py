"""What the model page tells of the ways of learning: names, groups, figures with a sentence on how to read each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from casefinding.judge.beside import SHARE
from casefinding.judge.judgement import Judgement
from casefinding.judge.practices import FEWEST_IN_PRACTICE

CODED = "coded"
CALLED = {
    "coded": "Learnt from codes, everybody (a)",
    "verified": "Learnt from those looked at (b)",
    "verified_weighted": "Those looked at, weighted (c)",
    "graded": "Graded evidence of those looked at (d)",
    "model": "This model",
    "age_sex": "Age and sex alone",
    "logistic": "Logistic regression",
    "rules": "Rules",
}
LISTS = (
    ("rules", "Rules, then by lot"),
    ("rules_then_model", "Rules, then the model"),
    ("model", "The model alone"),
)
SOUGHT = (("truth", "Truly ill"), ("evidence", "Found in those looked at"), ("coded", "Diagnosed later"))
_MEASURES = (
    ("auroc", "AUROC"), ("calibration_slope", "Calibration slope"), ("observed_expected", "Observed / expected"),
)  # fmt: skip
_FIGURES = {
    "found": (
        "Of people truly ill and uncoded, the share on each way’s list: everybody (circles), and those in the fifth "
        "with the fewest contacts (squares).",
        "Further right is better; bars are 95% intervals.",
    ),
    "calibration_looked_at": (
        "Calibration on people who were looked at: expected share, and the share that a smooth curve says was found.",
        "On the straight line chances are right; above it more are found than expected.",
    ),
    "net_benefit_looked_at": (
        "Net benefit at each threshold on people who were looked at, the rules beside it.",
        "The highest line is the best at that threshold; rules and chances above 0 are better than testing nobody.",
    ),
    "practices": (
        "AUROC in every practice large enough, with the mean and what a further practice may expect.",
        "Bars are 95% intervals; the diamond is the mean, the thin line through it the prediction interval.",
    ),
    "net_of_rules": (
        "Found for every 100 invited people with no rule, at the same number of invitations: places by lot "
        "(triangles), and in the model’s order (squares, circles).",
        "Their distance is what the model adds where rules are silent; bars are 95% intervals.",
    ),
}
Table = list[tuple[str, Any]]


def namer(judgement: Judgement) -> Callable[[str], str]:
    """What a page calls a way.

    >>> from types import SimpleNamespace
    >>> called = namer(SimpleNamespace(method={"labels": {"refit_1": "A published model, refitted"}}))
    >>> called("graded"), called("refit_1"), called("refit_2"), called("score_some_risk")
    ('Graded evidence of those looked at (d)', 'A published model, refitted', 'Refitted 2', 'Score: some risk')
    """
    labels: Mapping[str, str] = judgement.method.get("labels", {})

    def called(name: str) -> str:
        kind, _, rest = name.partition("_")
        made = {"refit": f"Refitted {rest}", "score": f"Score: {rest.replace('_', ' ')}"}.get(kind, name)
        return labels.get(name) or CALLED.get(name) or made

    return called


def sections(judgement: Judgement, images: Mapping[str, str], titles: Mapping[str, str]) -> dict[str, Any]:
    """What the template `model_ways.html` needs beside the published judgement.

    `images`: drawings by name, as the source of an image; `titles`: grouping -> heading.
    """
    titles = {**titles, "contact": "Fifth by contacts"}
    truth, seen = (judgement.ways or {}).get("truth"), judgement.verified
    there = truth is not None and not truth["too_few"]
    found: Mapping[str, Any] = judgement.net_of_rules["share"]["model"]["everybody"] if judgement.net_of_rules else {}
    return {
        "called": namer(judgement),
        "drawn": {
            name: {"image": images[name], "about": about, "reading": reading}
            for name, (about, reading) in _FIGURES.items()
            if name in images
        },
        "fair": _titled(truth["groups"], titles) if truth and there else [],
        "fairness": _titled(truth["fairness"], titles) if truth and there else [],
        "calibrated_truth": _titled(truth["calibration"]["groups"], titles) if truth and there else [],
        "calibrated_seen": _titled(seen["calibration"]["groups"], titles) if seen and not seen["too_few"] else [],
        "practices": _practices(judgement),
        "least": FEWEST_IN_PRACTICE,
        "listed": 100 * SHARE,
        "lists": LISTS,
        "sought": [(name, title) for name, title in SOUGHT if name in found.get("per_100", {})],
    }


def _titled(tables: Mapping[str, Any], titles: Mapping[str, str]) -> Table:
    order = dict.fromkeys(("contact", *titles))
    return [(titles[name], tables[name]) for name in order if name in tables]


def _practices(judgement: Judgement) -> list[tuple[str, Mapping[str, Any], Sequence[tuple[str, str]]]]:
    """By outcome: its name, its table, and the measures that mean something.

    A chance of being found is none of being coded: of such chances only the order is held against codes.
    """
    tables = judgement.practices or {}
    of_codes = judgement.ways is None or judgement.ways["shipped"] == CODED
    found: list[tuple[str, Mapping[str, Any], Sequence[tuple[str, str]]]]
    found = [("What was found in those looked at", tables["verified"], _MEASURES)] if "verified" in tables else []
    if "coded" in tables:
        found.append(("Coded diagnoses", tables["coded"], _MEASURES if of_codes or not found else _MEASURES[:1]))
    return found
