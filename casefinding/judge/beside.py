"""What stands beside the shipped chance: other ways of learning, scores in use, rules, and what was found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from casefinding.errors import LearnError
from casefinding.judge.rows import Floats, Ints, Rows, floats

LEARNT = ("coded", "verified", "verified_weighted", "graded")
"""The four ways of learning, in columns "chance_" + name; the shipped chance is one of them (see learn/verify.py)."""
UNNAMED = "model"
"""What the shipped chance is called where it is none of the four."""
RULES = "rules"
SHARE = 0.05
"""The length of the lists on which all ways are compared: this share of the people in each practice, rounded up."""


@dataclass(frozen=True)
class Beside:
    """Every way of ordering the rows, and what was found in those who were looked at, row for row.

    `scores`: higher = sooner; NaN where a score in use lacks an input (such people come last, by lot). `chances`: which
    of them are chances. `shipped`: which of them ships. `share`: the chance that what was found means disease, 0 where
    nobody looked; `looked_at`: the weight of those looked at (stabilised inverse chance of that), 0 for the others.
    `rank`: the order among rules, infinite where none speaks; None where no rules were asked.
    """

    scores: dict[str, Floats]
    chances: frozenset[str]
    shipped: str
    not_trained: tuple[str, ...]
    looked_at: Floats | None
    share: Floats | None
    rank: Floats | None

    @classmethod
    def read(cls, out_of_fold: pa.Table, rows: Rows) -> Beside | None:
        """Check and unpack the columns; None for a table without ways of learning; LearnError if they contradict."""
        names = out_of_fold.column_names
        if not any(f"chance_{name}" in names for name in LEARNT):
            return None
        scores: dict[str, Floats] = {}
        missing = []
        for name in LEARNT:
            values = _column(out_of_fold, f"chance_{name}")
            if values is None or np.isnan(values).all():
                missing.append(name)
                continue
            if np.isnan(values).any():
                raise LearnError(f"'chance_{name}' holds some missing values, not all", where="out of fold")
            scores[name] = values
        model = rows.scores["model"]
        shipped = next((name for name, values in scores.items() if np.array_equal(values, model)), UNNAMED)
        if shipped == UNNAMED:
            scores[UNNAMED] = model
        scores |= {name: rows.scores[name] for name in ("age_sex", "logistic")}
        for column in names:
            prefix, _, rest = column.partition("_")
            if (prefix == "chance" and rest.startswith("refit_")) or prefix == "score":
                values = floats(out_of_fold[column])
                if np.isnan(values).all():
                    missing.append(rest if prefix == "chance" else column)
                    continue
                scores[rest if prefix == "chance" else column] = values
        chances = frozenset(name for name in scores if not name.startswith("score_"))
        for name in chances:
            known = scores[name][np.isfinite(scores[name])]
            if ((known < 0) | (known > 1)).any():
                raise LearnError(f"'chance_{name}' holds numbers that are no chances", where="out of fold")
        looked_at, share = _evidence(out_of_fold)
        rank = _column(out_of_fold, "rule_rank")
        if rank is not None:
            rank = np.where(np.isnan(rank), np.inf, rank)
        return cls(scores, chances, shipped, tuple(missing), looked_at, share, rank)

    @property
    def orders(self) -> dict[str, Floats]:
        """Every way as a full order of the rows: nobody's score is missing, and rules stand among the ways."""
        found = {name: np.where(np.isnan(score), -np.inf, score) for name, score in self.scores.items()}
        return found | ({RULES: -self.rank} if self.rank is not None else {})

    @property
    def with_rule(self) -> NDArray[np.bool_] | None:
        """Who has a rule."""
        return None if self.rank is None else np.isfinite(self.rank)


def places_for_share(rows: Rows, share: float = SHARE) -> Ints:
    """The length of each slot's list: a share of its rows, rounded up."""
    return np.ceil(share * np.bincount(rows.slot, minlength=len(rows.slot_practice)) - 1e-9).astype(np.int64)


def _column(table: pa.Table, name: str) -> Floats | None:
    return floats(table[name]) if name in table.column_names else None


def _evidence(table: pa.Table) -> tuple[Floats | None, Floats | None]:
    """The weight of those looked at, and their evidence; nothing where nobody can be said to have been looked at."""
    seen, share, weight = (_column(table, name) for name in ("verified", "evidence", "verify_weight"))
    if seen is None or share is None or weight is None:
        return None, None
    seen = np.nan_to_num(seen) > 0
    if not seen.any():
        return None, None
    if (np.isnan(share[seen]) | (share[seen] < 0) | (share[seen] > 1)).any():
        raise LearnError("'evidence' must be a chance for everybody who was looked at", where="out of fold")
    if not np.isfinite(weight[seen]).all() or (weight[seen] < 0).any():
        raise LearnError("'verify_weight' must not be negative", where="out of fold")
    return np.where(seen, weight, 0.0), np.where(seen, share, 0.0)
