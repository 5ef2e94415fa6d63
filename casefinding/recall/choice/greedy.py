"""What a plain list would give: the best chance first while there is room. The exact choice is held against it."""

from __future__ import annotations

from typing import Any

import numpy as np

from casefinding.recall.choice.candidates import Ints
from casefinding.recall.choice.offers import Offers


def greedy(offers: Offers) -> Ints:
    """The columns chosen one after the other within the same limits, each person at most once.

    First the places kept for people never measured, by need; then priority 1, then by worth; of equals the first row.
    What a network lends goes to whoever comes first.
    """
    columns = offers.columns
    kept = np.array([len(one.kept) for one in offers.options], dtype=np.int64)[offers.of_option]
    fill = np.zeros(columns.number)
    for level in reversed(range(offers.fill.shape[1])):
        fill = fill / 100 + offers.fill[:, level]
    order = np.lexsort((offers.people, -fill, -offers.worth.sum(axis=1), -offers.first, -kept))
    room = columns.limit.copy()
    uses: Any = columns.uses
    lender = _lenders(offers)
    seen = np.zeros(int(columns.person.max(initial=-1)) + 1, dtype=bool)
    taken = []
    for column in order:
        if seen[columns.person[column]]:
            continue
        start, end = uses.indptr[column], uses.indptr[column + 1]
        rows, amounts = uses.indices[start:end], uses.data[start:end]
        if _fits(room, rows, amounts, lender):
            seen[columns.person[column]] = True
            taken.append(int(column))
    return np.array(sorted(taken), dtype=np.int64)


def _lenders(offers: Offers) -> dict[int, tuple[int, float]]:
    """Row -> the row of the network that lends to it, and what one of that is worth here."""
    found = {}
    spare: Any = offers.columns.spare
    for one in range(spare.shape[1]):
        rows = spare.indices[spare.indptr[one] : spare.indptr[one + 1]]
        amounts = spare.data[spare.indptr[one] : spare.indptr[one + 1]]
        (row,), (of_network,) = rows[amounts < 0], rows[amounts > 0]
        found[int(row)] = (int(of_network), float(-amounts[amounts < 0][0]))
    return found


def _fits(room: np.ndarray, rows: np.ndarray, amounts: np.ndarray, lender: dict[int, tuple[int, float]]) -> bool:
    """Take what a column uses out of the room, if there is enough of everything."""
    borrowed: dict[int, float] = {}
    for row, amount in zip(rows, amounts, strict=True):
        lacking = amount - room[row]
        if lacking > 1e-9:
            if int(row) not in lender:
                return False
            of_network, times = lender[int(row)]
            borrowed[of_network] = borrowed.get(of_network, 0.0) + lacking / times
    if any(amount > room[row] + 1e-9 for row, amount in borrowed.items()):
        return False
    room[rows] = np.maximum(0.0, room[rows] - amounts)
    for row, amount in borrowed.items():
        room[row] -= amount
    return True
