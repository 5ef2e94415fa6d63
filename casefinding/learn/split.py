"""Practices into groups, and who may be learned from when a group is judged: by practice and by time, never by row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from casefinding.errors import LearnError


def folds_of_practices(practices: np.ndarray, folds: int, seed: int) -> dict[str, int]:
    """Each practice's group, 0 to folds-1, groups of about equal numbers of rows.

    `practices`: one text a row. The largest practice first, each goes to the group that holds the fewest rows so far;
    practices and groups of equal size are ordered by a seeded hash, so that neither name nor row order matters.
    With fewer practices than `folds` there is one group a practice.

    >>> folds_of_practices(np.array(["A", "A", "A", "B", "B", "C"]), 2, seed=1) in ({"A": 0, "B": 1, "C": 1},)
    True
    """
    names, rows = np.unique(practices, return_counts=True)
    order = sorted(
        range(len(names)), key=lambda i: (-int(rows[i]), hashlib.sha256(f"{seed}:{names[i]}".encode()).digest())
    )
    filled = [0] * min(folds, len(names))
    group: dict[str, int] = {}
    for i in order:
        smallest = filled.index(min(filled))
        group[str(names[i])] = smallest
        filled[smallest] += int(rows[i])
    return group


SMALLEST_GROUP = 0.05
"""Where a group of practices would hold less than this share of the rows (of many groups: a quarter of an even share),
practices are no structure to speak of."""


def folds_of_people(person: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """A group for each row, people dealt out by a seeded shuffle, for records without practices to speak of."""
    people, row = np.unique(person, return_inverse=True)
    group = np.arange(len(people)) % folds
    np.random.default_rng([seed, len(people)]).shuffle(group)
    return group[row]


@dataclass(frozen=True)
class Judged:
    """One group of practices (or of people): boolean arrays over the rows. No person of `own` is in `learned_from`."""

    fold: int
    learned_from: np.ndarray  # other groups' practices, earlier index days
    own: np.ndarray  # the group's practices, every index day
    latest: np.ndarray  # the group's practices on the last index day: what is judged


@dataclass(frozen=True)
class Split:
    """Who is in which group: `fold` one int a row, -1 for rows that are not used."""

    folds: int
    fold: np.ndarray
    last_day: np.ndarray  # boolean a row: asked on the last index day
    by_time: bool  # False where only the last index day has enough to teach, so that groups differ by practice alone
    person: np.ndarray
    by_practice: bool = True  # False where practices are too few or too uneven: groups of people, within practices

    def judged(self) -> Iterator[Judged]:
        """Every group in turn, with the rows its model may learn from.

        Learned from: rows of the other groups' practices on every index day but the last, without anyone who was ever
        asked in a practice of this group (people move). Not `by_time`: the other groups on every index day.
        """
        used = self.fold >= 0
        for fold in range(self.folds):
            own = self.fold == fold
            others = used & ~own & ~np.isin(self.person, np.unique(self.person[own]))
            yield Judged(
                fold=fold,
                learned_from=others & ~self.last_day if self.by_time else others,
                own=own,
                latest=own & self.last_day,
            )


def split(
    person: np.ndarray,
    day: np.ndarray,
    practice: np.ndarray,
    used: np.ndarray,
    *,
    folds: int,
    seed: int,
    by_time: bool = True,
) -> Split:
    """Put the used rows into groups of practices; of people where there is no practice structure to speak of.

    Arrays are row-aligned: `person` int64, `day` datetime64[D], `practice` text, `used` bool. With fewer than two
    practices, or where the smallest group of practices would hold less than SMALLEST_GROUP of the rows, people are put
    into groups at random instead (`by_practice` False): the model is then judged on unseen people, not in unseen
    practices. `by_time` False: the earlier index days have too little to teach, so the last one is learned from too, in
    the other groups. Raises LearnError if fewer than two people have rows.
    """
    group = folds_of_practices(practice[used], folds, seed)
    fold = np.full(len(person), -1, dtype=np.int32)
    fold[used] = np.fromiter((group[name] for name in practice[used]), dtype=np.int32, count=int(used.sum()))
    sizes = np.bincount(fold[used]) if used.any() else np.zeros(1)
    by_practice = len(sizes) > 1 and sizes.min() >= min(SMALLEST_GROUP, 0.25 / len(sizes)) * sizes.sum()
    if not by_practice:
        if len(np.unique(person[used])) < 2:
            raise LearnError("fewer than two people to learn from", hint="bring in more records")
        fold[used] = folds_of_people(person[used], folds, seed)
    days = np.unique(day[used])
    return Split(
        folds=int(fold.max()) + 1,
        fold=fold,
        last_day=day == days[-1],
        by_time=by_time and len(days) > 1,
        person=person,
        by_practice=by_practice,
    )
