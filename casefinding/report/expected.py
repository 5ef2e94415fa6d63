"""The page "Expected and found": chances held against published prevalence, and who has never been measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casefinding.definitions.shapes import Expected
from casefinding.disclosure import people_words
from casefinding.files import write_text
from casefinding.report.model import GROUPINGS
from casefinding.report.page import page
from casefinding.report.shapes import Edition

EXPECTED_PAGE = "expected.html"
"""Its name beside index.html."""


@dataclass(frozen=True)
class Found:
    """One condition's part of the page, with counts as they may be published.

    `anchor`: learn.anchor.Anchor.published, None without a model or without published prevalence; `unmeasured`:
    recall.unmeasured.Unmeasured.published of everybody and of each group.
    """

    condition: str
    label: str
    expected: Expected | None
    anchor: Mapping[str, Any] | None
    unmeasured: Sequence[Mapping[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """For the manifest."""
        return {"held against what is expected": self.anchor, "never measured": list(self.unmeasured)}


def write_expected(found: Sequence[Found], edition: Edition, folder: Path) -> None:
    """Write expected.html; every number of people on it is rounded, and 1 to 7 withheld."""
    write_text(
        folder / EXPECTED_PAGE,
        page(
            EXPECTED_PAGE, edition=edition, up="index.html", found=found, people=people_words,
            groupings={"all": "All", **GROUPINGS},
        ),
    )  # fmt: skip
