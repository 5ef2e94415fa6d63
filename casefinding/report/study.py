"""The page of a study of the undiagnosed: ways of learning side by side, on people whose true disease is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from casefinding.files import write_text
from casefinding.report.page import page

WAYS = {
    "graded": "Graded evidence, with the coded model where it helps",
    "coded": "Coded, as the literature does",
    "verified": "Verified",
    "verified_weighted": "Verified and weighted",
    "rules": "Rules T0 to T2 only",
    "age_sex": "Age and sex only",
    "logistic": "Logistic regression on the same rows as the shipped way",
}
LOW = "lowest fifth of contact"


def write_study(folder: Path, summary: Mapping[str, Any], labels: Mapping[str, str]) -> None:
    """Write index.html from what job.study found: `compared` rows by condition, regime, what, group and way."""
    rows = {
        (one["condition"], one["regime"], one["what"], one["group"], one["way"]): one for one in summary["compared"]
    }

    def of(condition: str, regime: str, what: str, group: str, way: str) -> Any:
        return rows.get((condition, regime, what, group, way))

    write_text(
        folder / "index.html",
        page(
            "study.html", summary=summary, labels=labels, of=of, ways=WAYS, low=LOW,
            verdicts=verdicts(rows, summary, labels),
        ),
    )  # fmt: skip


def verdicts(
    rows: Mapping[Any, Any], summary: Mapping[str, Any], labels: Mapping[str, str]
) -> Sequence[dict[str, Any]]:
    """For each condition and regime: does the graded way find more than the coded one, overall and where few come?

    "within chance" where the interval of the paired difference holds nought.
    """
    found = []
    for condition, label in labels.items():
        for regime in summary["regimes"]:
            entry = {"label": label, "regime": regime}
            for key, group in (("overall", "all"), ("low", LOW)):
                one = rows.get((condition, regime, "sensitivity", group, "graded"))
                entry[key] = _word(one["minus coded"]) if one and "minus coded" in one else "cannot be told"
            found.append(entry)
    return found


def _word(apart: Mapping[str, Any]) -> str:
    if apart["low"] is not None and apart["low"] > 0:
        return "more"
    if apart["high"] is not None and apart["high"] < 0:
        return "fewer"
    return f"{'more' if apart['value'] > 0 else 'fewer'}, within chance"
