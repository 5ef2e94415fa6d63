"""The rows that are judged: one row a person and index day, with the outcome, its weight and three chances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from casefinding.errors import LearnError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SCORES = {"model": "chance", "age_sex": "chance_age_sex", "logistic": "chance_logistic"}
"""Whose chance stands in which column: the model, and the two yardsticks trained on the same rows."""


@dataclass(frozen=True)
class Rows:
    """The out-of-fold table as arrays, row for row.

    `number` is the store's own number of a person; `person`, `practice` and `slot` are numbers from 0 without gaps.
    A slot is one practice on one index day, that is: one list.
    `weight` is the inverse chance of not being censored. A row of weight 0 (nobody knows what happened) takes its place
    on a list, may be ill by the truth or looked at, and says nothing of what was coded.
    Rows are of people who might be ranked on the index day and were not diagnosed or gone in the gap, nor left out of
    training.
    `tiebreak` is a seeded random number: people with the same chance come in random order, the same for every score.
    """

    number: Ints
    person: Ints
    people: int
    practice: Ints
    practices: tuple[str, ...]
    slot: Ints
    slot_practice: Ints
    day: NDArray[np.datetime64]
    case: Floats
    weight: Floats
    scores: dict[str, Floats]
    tiebreak: Floats

    def __len__(self) -> int:
        return len(self.person)

    @classmethod
    def read(cls, out_of_fold: pa.Table, seed: int) -> Rows:
        """Check and unpack an out-of-fold table; LearnError if it cannot be judged."""
        needed = ["person", "index_day", "practice", "case", "weight", *SCORES.values()]
        absent = [name for name in needed if name not in out_of_fold.column_names]
        if absent:
            raise LearnError(f"the predictions to judge lack the column {absent[0]!r}", where="out of fold")
        if out_of_fold.num_rows == 0:
            raise LearnError("there are no predictions to judge", where="out of fold")
        person = _numbers(out_of_fold["person"])
        codes, practices = text_codes(out_of_fold["practice"])
        day = dates(out_of_fold["index_day"])
        weight = floats(out_of_fold["weight"])
        case = floats(out_of_fold["case"])
        scores = {name: floats(out_of_fold[column]) for name, column in SCORES.items()}
        for name, values in {**scores, "weight": weight}.items():
            if not np.isfinite(values).all():
                raise LearnError(f"{SCORES.get(name, name)!r} holds missing values", where="out of fold")
        for name, values in scores.items():
            if ((values < 0) | (values > 1)).any():
                raise LearnError(f"{SCORES[name]!r} holds numbers that are no chances", where="out of fold")
        used = weight > 0
        if (weight < 0).any() or not np.isin(case[used], (0.0, 1.0)).all():
            raise LearnError("'case' must be 0 or 1 and 'weight' not negative", where="out of fold")
        _, people_codes = np.unique(person, return_inverse=True)
        _, day_codes = np.unique(day, return_inverse=True)
        slots, slot = np.unique(codes * (day_codes.max() + 1) + day_codes, return_inverse=True)
        return cls(
            number=person,
            person=people_codes,
            people=int(people_codes.max()) + 1,
            practice=codes,
            practices=practices,
            slot=slot,
            slot_practice=slots // (day_codes.max() + 1),
            day=day,
            case=np.where(used, case, 0.0),
            weight=weight,
            scores=scores,
            tiebreak=np.random.default_rng([seed, 1]).random(len(person)),
        )


def floats(column: pa.ChunkedArray) -> Floats:
    """A column as float64; null becomes NaN."""
    return np.asarray(pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def dates(column: pa.ChunkedArray) -> NDArray[np.datetime64]:
    """A column of dates or timestamps as whole days; null becomes NaT."""
    return np.asarray(pc.cast(column, pa.date32()).to_numpy(zero_copy_only=False)).astype("datetime64[D]")


def text_codes(column: pa.ChunkedArray) -> tuple[Ints, tuple[str, ...]]:
    """A column of text as numbers into its sorted values; null becomes "not known"."""
    text = pc.fill_null(pc.cast(column, pa.string()), "not known")
    names, codes = np.unique(np.asarray(text.to_numpy(zero_copy_only=False), dtype=object), return_inverse=True)
    return codes.astype(np.int64), tuple(str(name) for name in names)


def _numbers(column: pa.ChunkedArray) -> Ints:
    if column.null_count:
        raise LearnError("'person' holds missing values", where="out of fold")
    return np.asarray(pc.cast(column, pa.int64()).to_numpy(zero_copy_only=False), dtype=np.int64)


def ratio(part: Floats, whole: Floats, otherwise: float = np.nan) -> Floats:
    """part / whole, and NaN (or `otherwise`) where the whole is nothing."""
    there = whole > 0
    return np.where(there, part / np.where(there, whole, 1.0), otherwise)
