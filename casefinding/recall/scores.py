"""Published scores on a person's line: for the clinician's eye, never for the order of a list."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from casefinding.cohort.eligible import NEVER, states_of
from casefinding.explain.wording import score_words
from casefinding.recall.lines import Spoken
from casefinding.recall.view import View
from casefinding.rules.scores import evaluate_score


class InUse:
    """The scores of one condition over the people who are on a list.

    `columns`: the features of exactly those people, in their order: float64, NaN where missing.
    """

    def __init__(self, view: View, columns: Mapping[str, np.ndarray]) -> None:
        self._view = view
        self._never = states_of(view.status) == NEVER
        self._given = [evaluate_score(score, columns) for score in view.model.scores]

    def on_line(self, position: int, person: Spoken, age: int, *, by_chance: bool) -> tuple[str, ...]:
        """The scores of one person in words, in the order of the definition; empty where the condition is not theirs.

        `position`: the person's place in the columns. A comparator tells how likely the condition is, so it is shown
        where a chance would be (`by_chance`: nothing urgent or evident stands beside it) and to those never diagnosed;
        a score for the clinician, wherever the condition says more than a note.
        """
        lanes = {lane for view, lane, _, _ in person.by if view is self._view}
        if not lanes - {"note"}:
            return ()
        found = []
        for given in self._given:
            score = given.score
            likely = by_chance and self._never[person.row]
            if age >= score.age_at_least and (likely or score.use == "for the clinician"):
                found.append(score_words(score, float(given.values[position]), given.missing(position)))
        return tuple(found)
