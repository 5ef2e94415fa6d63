"""The page of one model's steadiness: from practice to practice, with more people, with other people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from casefinding.disclosure import people_words
from casefinding.files import write_text
from casefinding.report.page import page

MEASURES = {
    "auroc": "AUROC",
    "calibration_slope": "Calibration slope",
    "observed_expected": "Observed for each expected",
}
OUTCOMES = {"verified": "people who were looked at", "coded": "coded diagnoses"}


def write_steadiness(folder: Path, summary: Mapping[str, Any]) -> None:
    """Write index.html from what job.steadiness found; its counts are rounded already."""
    write_text(
        folder / "index.html",
        page("steadiness.html", summary=summary, measures=MEASURES, outcomes=OUTCOMES, people=people_words),
    )
