"""Recorded prevalence, and who was measured, beside published national figures applied to the practice's own ages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casefinding.definitions.quality import Figure, QualityRules
from casefinding.definitions.shapes import Definitions
from casefinding.records.quality.counted import Counted
from casefinding.records.quality.findings import Finding, Kind
from casefinding.records.quality.who import Who

FEWEST_EXPECTED = 20
FAR = 4.0
"""Standard errors of a count (Poisson): beyond this the distance is not chance."""


@dataclass(frozen=True)
class Compared:
    """One published figure: people of its ages, seen and expected, by practice in the order of `Who.codes`."""

    condition: str
    figure: Figure
    people: np.ndarray
    seen: np.ndarray
    expected: np.ndarray


def figures(
    counted: Counted, definitions: Definitions, who: Who, rules: QualityRules
) -> tuple[list[Compared], list[Finding]]:
    """Every declared figure by practice, and those that are further off than the definitions allow."""
    compared, findings = [], []
    practices = len(who.codes)
    for fitness in definitions.quality:
        for figure in fitness.figures:
            having = counted.recorded[figure.recorded] if figure.recorded else counted.on_register[fitness.name]
            people, seen, expected = (np.zeros(practices) for _ in range(3))
            for band in figure.bands:
                here = (who.practice >= 0) & (who.age >= band.ages[0]) & (who.age <= band.ages[1])
                these = np.bincount(who.practice[here], minlength=practices)
                people += these
                seen += np.bincount(who.practice[here & having], minlength=practices)
                expected += these * band.per_cent / 100
            one = Compared(fitness.name, figure, people, seen, expected)
            compared.append(one)
            each = [_far(one, [place], practice) for place, practice in enumerate(who.codes)]
            # All together without those that are said for themselves: they would say it again.
            rest = [place for place, found in enumerate(each) if found is None]
            findings += [found for found in (*each, _far(one, rest, "")) if found is not None]
    return compared, findings


def _far(one: Compared, places: list[int], practice: str) -> Finding | None:
    seen, expected = (float(numbers[places].sum()) for numbers in (one.seen, one.expected))
    if expected < FEWEST_EXPECTED or abs(seen - expected) <= FAR * expected**0.5:
        return None
    ratio = seen / expected
    if 1 / one.figure.times <= ratio <= one.figure.times:
        return None
    facts = {"condition": one.condition, "figure": one.figure.label, "ratio": ratio, "seen": int(seen)}
    return Finding(Kind.FIGURE, practice, (), facts)
