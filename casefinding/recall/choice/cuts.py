"""Rows that every whole choice keeps and a choice in fractions does not: they bring the linear programme's bound down.

Mixed-integer rounding (Marchand and Wolsey, Oper Res 2001;49:363): a row is divided by the worth of somebody who is
chosen in part, and rounded. An equity floor of few people gains most: it is often met by a part of one more person,
who as a whole is worth more than the bound allows for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_PARTS = (1, 2, 3, 4, 8)
"""A row is divided by the worth of each who is chosen in part, and by these parts of it."""
_EDGE = 1e-3
"""How near to a whole number a rounded limit may be: nearer, the row would be of large numbers and gain nothing."""
_BROKEN = 1e-4
"""By how much, for its length, a choice in fractions must break a row for that row to be of use."""
_IN_PART = 1e-6


@dataclass
class Cuts:
    """Rows `uses` @ chosen + `spare` @ y <= `limit` that follow from the others for whole numbers."""

    uses: Any  # (k, m), sparse by columns
    spare: Any  # (k, e), sparse by columns
    limit: Floats  # (k)

    @classmethod
    def none(cls, columns: int, spares: int) -> Cuts:
        """No row yet."""
        return cls(sparse.csc_array((0, columns)), sparse.csc_array((0, spares)), np.zeros(0))

    def and_(self, rows: list[tuple[Floats, Floats, float]]) -> Cuts:
        """These and some more."""
        uses = sparse.csr_array(np.array([of for of, _, _ in rows]))
        spare = sparse.csr_array(np.array([of for _, of, _ in rows]).reshape(len(rows), self.spare.shape[1]))
        return Cuts(
            sparse.vstack([self.uses, uses], format="csc"), sparse.vstack([self.spare, spare], format="csc"),
            np.concatenate([self.limit, [limit for _, _, limit in rows]]),
        )  # fmt: skip


def broken(
    uses: Any, spare: Any, limit: Floats, spare_whole: Bools, x: Floats, y: Floats
) -> list[tuple[Floats, Floats, float]]:
    """Of each row the rounding that a choice in fractions breaks most, if any: its columns, its spares, its limit.

    `uses` (r, m) and `spare` (r, e) hold whole numbers, `limit` (r); `x` (m) and `y` (e) are the choice. A row with a
    spare that need not be whole gives none.
    """
    found = []
    by_row, spare_by_row = sparse.csr_array(uses), sparse.csr_array(spare)
    for row in range(len(limit)):
        cols = by_row.indices[by_row.indptr[row] : by_row.indptr[row + 1]]
        extra = spare_by_row.indices[spare_by_row.indptr[row] : spare_by_row.indptr[row + 1]]
        in_part = (x[cols] > _IN_PART) & (x[cols] < 1 - _IN_PART)
        if not in_part.any() or not spare_whole[extra].all():
            continue
        of = np.rint(by_row.data[by_row.indptr[row] : by_row.indptr[row + 1]]).astype(np.int64)
        of_extra = np.rint(spare_by_row.data[spare_by_row.indptr[row] : spare_by_row.indptr[row + 1]]).astype(np.int64)
        best = _rounded(of, of_extra, round(float(limit[row])), in_part, x[cols], y[extra])
        if best is not None:
            whole, whole_extra = np.zeros(len(x)), np.zeros(len(y))
            whole[cols], whole_extra[extra] = best[0], best[1]
            found.append((whole, whole_extra, best[2]))
    return found


def _rounded(
    of: Ints, of_extra: Ints, limit: int, in_part: Bools, x: Floats, y: Floats
) -> tuple[Floats, Floats, float] | None:
    """The rounding of one row that is broken most. Who is chosen by more than half counts by being left out."""
    out = x > 0.5
    signed = np.concatenate([np.where(out, -of, of), of_extra])
    at = np.concatenate([np.where(out, 1 - x, x), y])
    limit -= int(of[out].sum())
    best, most = None, _BROKEN
    for by in np.unique(np.abs(of[in_part])).tolist():
        for part in _PARTS:
            down, left = np.divmod(signed * part, by)  # exact: all are whole numbers
            to, rest = divmod(limit * part, by)
            share = rest / by
            if not _EDGE < share < 1 - _EDGE:
                continue
            rounded = down + np.maximum(0.0, left / by - share) / (1 - share)
            length = float(np.linalg.norm(rounded))
            if length > 0 and (float(rounded @ at) - to) / length > most:
                most = (float(rounded @ at) - to) / length
                mine = rounded[: len(of)]
                best = (np.where(out, -mine, mine), rounded[len(of) :], float(to - mine[out].sum()))
    return best
