"""The leakage sentinel of every training run: does the model know what it could not know? With a written certificate.

Checks (specification 1.3): the gap shifted from 30 to 180 days, features with the last days hidden, a shuffled label,
features that tell the outcome, and canaries that must be refused. All AUROCs are of practices not learned from, by
small forests: what is asked is what a model loses, not how good the best one is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from casefinding.definitions.config import Config
from casefinding.definitions.shapes import Definitions
from casefinding.disclosure import rounded
from casefinding.errors import LearnError
from casefinding.learn.sentinel.bench import SMALL, bench_of, too_few
from casefinding.learn.sentinel.checks import (
    FAILED,
    NOT_POSSIBLE,
    PASSED,
    SUSPECT,
    canary_check,
    gap_check,
    hidden_check,
    not_possible,
    shuffled_check,
    telling_check,
)
from casefinding.learn.sentinel.lagged import gap_shifted, lagged_twins, own_gap
from casefinding.learn.sentinel.leaks import screen
from casefinding.learn.verify import Evidence

CHECKS = ("features that tell", "canaries", "gap shifted", "last days hidden", "shuffled label")
"""Every check, as certificates name them."""


@dataclass(frozen=True)
class Certificate:
    """What the sentinel found. `checks`: by name, each with "verdict" ("passed", "suspect", "failed" or "not possible:
    reason"), "says" (a sentence), its thresholds and figures; counts are rounded as they may be published.
    """

    condition: str
    read: Mapping[str, Any]
    checks: Mapping[str, Mapping[str, Any]]

    @property
    def passed(self) -> bool:
        """Whether no check failed; a suspect is for a person to look into and fails nothing."""
        return not any(check["verdict"] == FAILED for check in self.checks.values())

    @property
    def verdict(self) -> str:
        """The worst of the checks; those that were not possible count for nothing."""
        found = [check["verdict"] for check in self.checks.values()]
        possible = [kind for kind in (FAILED, SUSPECT, PASSED) if kind in found]
        return possible[0] if possible else f"{NOT_POSSIBLE}: no check could be made"

    @property
    def suspects(self) -> tuple[str, ...]:
        """The sentences of the checks that raise a suspicion."""
        return tuple(str(check["says"]) for check in self.checks.values() if check["verdict"] == SUSPECT)

    def as_dict(self) -> dict[str, Any]:
        """Everything, as JSON holds it: certificate.json, and what the model's page shows."""
        return {
            "condition": self.condition,
            "verdict": self.verdict,
            "passed": self.passed,
            "suspects": list(self.suspects),
            "read": dict(self.read),
            "checks": {name: dict(check) for name, check in self.checks.items()},
        }

    def refuse_a_leak(self) -> None:
        """Raise LearnError, saying what leaks, if a check failed."""
        for name, check in self.checks.items():
            if check["verdict"] == FAILED:
                raise LearnError(f"no model of {self.condition}: {check['says']}", where=name, hint=check["hint"])


def sentinel(
    condition: str,
    definitions: Definitions,
    matrix: pa.Table,
    base: pa.Table,
    outcomes: Mapping[str, pa.Table],
    config: Config,
    *,
    evidence: Evidence | None = None,
    usable: np.ndarray | None = None,
    twins: Callable[[pa.Table], pa.Table] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Certificate:
    """Put a training run to the test; the certificate says what was found and refuses nothing by itself.

    `matrix`, `base`, each of `outcomes` and `evidence` have the same rows in the same order: everybody who was at risk
    at any of the gaps. `outcomes`: cohort.outcome.outcomes by gap, keys and definitions from lagged.gap_shifted.
    `evidence`: where the model learns from more than codes; the gap is always shifted on codes. `twins`: gives the
    matrix of lagged.lagged_twins for some rows of `base`; without it nothing can be hidden. `progress` is told forests
    grown and forests in all, as far as is known.

    Reads at most bench.MOST_ROWS rows: of whole people, with all cases while they fill less than half. The same
    certificate on any number of threads. Raises LearnError where the tables do not fit together or hold fewer than two
    people.
    """
    keys, own = list(gap_shifted(definitions, condition)), own_gap(definitions, condition)
    for name, table in (("base", base), *((f"the outcomes at {key}", outcomes[key]) for key in keys)):
        if table.num_rows != matrix.num_rows or not table["person"].combine_chunks().equals(
            matrix["person"].combine_chunks().cast(table["person"].type)
        ):
            raise LearnError(f"the rows of the matrix and of {name} are not the same people in the same order")
    bench = bench_of(
        condition,
        definitions,
        matrix,
        base,
        {key: outcomes[key] for key in keys},
        config,
        own=own,
        usable=np.ones(matrix.num_rows, dtype=bool) if usable is None else np.asarray(usable, dtype=bool),
        evidence=evidence,
    )
    label, weight = bench.outcome
    there = weight > 0
    read = {
        "rows": rounded(len(bench.rows)),
        "people": rounded(len(np.unique(bench.person))),
        "cases": rounded(round(float(label[there].sum()))),
        "cases are": "coded after the model's own gap" if bench.learns_codes else "the evidence that is learned from",
        "judged in": "practices not learned from" if bench.by_practice else "people not learned from",
        "groups": len(bench.parts),
        "trees of a forest": SMALL["trees"],
        "index days": [str(day) for day in np.unique(bench.day)],
    }
    few = too_few(label, weight)
    if few:
        return Certificate(condition, read, dict.fromkeys(CHECKS, not_possible(few)))
    bench.listen(progress)
    x, names = bench.forest.x, bench.forest.features
    screened = screen(x[there], names, label[there], weight[there])
    coded = bench.coded[own]
    if not bench.learns_codes and not too_few(*coded):  # what tells the code need not stand out among all the evidence
        followed = coded[1] > 0
        screened = sorted(
            [*screened, *screen(x[followed], names, coded[0][followed], coded[1][followed])],
            key=lambda one: (not one.leaks, -one.auroc, one.feature),
        )
    telling = telling_check(bench, screened)
    if telling["verdict"] == FAILED:
        rest = not_possible("a feature tells the outcome")
        return Certificate(condition, read, {name: telling if name == CHECKS[0] else rest for name in CHECKS})
    hidden = lagged_twins(definitions, condition)
    second = None if twins is None or not hidden.names else twins(base.take(pa.array(bench.rows)))
    checks = (
        telling,
        canary_check(bench, config.seed),
        gap_check(bench),
        hidden_check(bench, hidden, second),
        shuffled_check(bench, config.seed),
    )
    return Certificate(condition, read, dict(zip(CHECKS, checks, strict=True)))
