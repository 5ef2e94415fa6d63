"""Three to five reasons a person, what speaks against, and what is missing, from exact contributions.

Features that tell of the same thing (one `group`, by default one signal) speak once: the group's contribution is the
sum of its members', and the member that adds most in its direction gives the sentence. A value that is missing is
never a reason, whatever it adds: it is listed as missing. What adds nothing is never said.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from casefinding.definitions.shapes import Definitions, Model
from casefinding.errors import DefinitionError
from casefinding.explain.contributions import Floats, check_sum
from casefinding.explain.speaker import Speaker, group_of

WORTH_SAYING = 0.05
"""Log-odds: what changes the odds by less than about 5% is left out once FEWEST sentences are found."""
FEWEST = 3
MOST_AGAINST = 2
MOST_MISSING = 3
MOST_UNASKED = 2
"""Missing values beside those that the model's `missing notes` ask for."""
_NO_DAY = np.iinfo(np.int32).min

Side = Literal["supporting", "against", "missing"]


@dataclass(frozen=True)
class Part:
    """One sentence and where it comes from; `contribution` is the group's (0 for what is missing)."""

    side: Side
    sentence: str
    group: str
    feature: str
    contribution: float


@dataclass(frozen=True)
class Reasons:
    """One person's sentences, strongest first; `parts` holds the same in one row, with their contributions."""

    parts: tuple[Part, ...]

    @property
    def supporting(self) -> tuple[str, ...]:
        """What raises the chance: up to five sentences."""
        return self._of("supporting")

    @property
    def against(self) -> tuple[str, ...]:
        """What lowers it: up to two."""
        return self._of("against")

    @property
    def missing(self) -> tuple[str, ...]:
        """What the record does not hold: up to three."""
        return self._of("missing")

    def _of(self, side: Side) -> tuple[str, ...]:
        return tuple(part.sentence for part in self.parts if part.side == side)


def reasons(
    log_odds: Floats,
    contributions: Floats,
    base: float,
    definitions: Definitions,
    features: Sequence[str],
    values: Floats,
    days: NDArray[np.generic],
    index_day: dt.date,
    *,
    model: Model,
    limit: int = 5,
    noted: Mapping[str, Floats] | None = None,
) -> list[Reasons]:
    """Reasons for some people, one a row.

    `log_odds` (rows) of the calibrated chance, best taken as slope x raw score + intercept (a chance next to 1 has lost
    the digits that are checked here); `contributions` (rows x features) and `base` on the same scale; `values`
    (rows x features, NaN = missing) and `days` (the same shape: int32 days since 1970, smallest int = none, or
    datetime64) in the order of `features`. `noted`: values of those `missing notes` of the model that it does not use.
    BundleError if contributions and chances do not belong together, DefinitionError for an unknown feature, ValueError
    if a day is not before the index day.
    """
    values, contributions = np.asarray(values, float), np.asarray(contributions, float)
    if not values.shape == contributions.shape == days.shape == (len(log_odds), len(features)):
        raise ValueError("values, days and contributions must be rows x features")
    check_sum(np.asarray(log_odds, float), contributions, base)
    teller = _Teller(definitions, tuple(features), model, limit)
    whole_days = _whole_days(days)
    if (whole_days >= (index_day - dt.date(1970, 1, 1)).days).any():
        raise ValueError("a day to be named is not before the index day")
    noted, sums = noted or {}, teller.sums(contributions) if len(values) else contributions
    return [
        teller.tell(
            sums[row],
            contributions[row],
            values[row],
            whole_days[row],
            {name: float(column[row]) for name, column in noted.items()},
        )
        for row in range(len(values))
    ]


class _Teller:
    """The definitions, unpacked once for all rows."""

    def __init__(self, definitions: Definitions, features: tuple[str, ...], model: Model, limit: int) -> None:
        self._features, self._limit = features, limit
        wanted = (*features, *model.missing_notes)
        unknown = [name for name in wanted if name not in definitions.features]
        if unknown:
            raise DefinitionError(f"{unknown[0]!r} is no feature of these definitions", where="reasons")
        self._speakers = {name: Speaker(definitions.features[name], definitions) for name in wanted}
        self._notes = model.missing_notes
        self._silent = frozenset(model.silent)
        self._asked = frozenset(name for name in features if definitions.features[name].ask in ("sex", "ethnicity"))
        self._measurable = np.array([_measurable(definitions, name) for name in features])
        self._place = {name: place for place, name in enumerate(features)}
        groups: dict[str, list[int]] = {}
        for place, name in enumerate(features):
            groups.setdefault(group_of(definitions.features[name]), []).append(place)
        self._group_of = {place: group for group, places in groups.items() for place in places}
        self._groups = tuple(groups)
        self._members = list(groups.values())

    def sums(self, contributions: Floats) -> Floats:
        """What each group adds (rows x groups)."""
        return np.stack([contributions[:, places].sum(axis=1) for places in self._members], axis=1)

    def tell(
        self, sums: Floats, adds: Floats, values: Floats, days: NDArray[np.int64], noted: Mapping[str, float]
    ) -> Reasons:
        """One row's sentences."""
        order = np.argsort(-sums, kind="stable")
        supporting = self._side("supporting", order, sums, adds, values, days, self._limit)
        against = self._side("against", order[::-1], sums, adds, values, days, MOST_AGAINST)
        said = (*supporting, *against)
        return Reasons((*said, *self._missing(said, adds, values, noted)))

    def _side(
        self,
        side: Side,
        order: NDArray[np.int64],
        sums: Floats,
        adds: Floats,
        values: Floats,
        days: NDArray[np.int64],
        most: int,
    ) -> list[Part]:
        sign = 1.0 if side == "supporting" else -1.0
        found: list[Part] = []
        for group in order:
            total = sign * sums[group]
            fewest = FEWEST if side == "supporting" else 0
            if len(found) >= most or total <= 0 or (total < WORTH_SAYING and len(found) >= fewest):
                break
            for place in sorted(self._members[group], key=lambda place: -sign * adds[place]):
                if sign * adds[place] <= 0:
                    break
                if self._features[place] in self._silent:
                    continue
                speaker = self._speakers[self._features[place]]
                day = _date(int(days[place]))
                value = float(values[place])
                sentence = speaker.fact(value, day) if sign > 0 else speaker.against(value, day)
                if sentence:
                    name, where = self._groups[group], self._features[place]
                    found.append(Part(side, sentence, name, where, float(sums[group])))
                    break
        return found

    def _missing(self, said: Sequence[Part], adds: Floats, values: Floats, noted: Mapping[str, float]) -> list[Part]:
        found: list[Part] = []
        sentences, spoken = {part.sentence for part in said}, {part.group for part in said}

        def add(name: str, value: float, group: str) -> None:
            sentence = self._speakers[name].absence(value)
            if sentence and sentence not in sentences and len(found) < MOST_MISSING:
                found.append(Part("missing", sentence, group, name, 0.0))
                sentences.add(sentence)
                spoken.add(group)

        for name in self._notes:
            place = self._place.get(name)
            if place is not None:
                add(name, float(values[place]), self._group_of[place])
            elif name in noted:
                add(name, noted[name], name)
        noted_so_far = len(found)
        for place in np.argsort(-np.abs(adds), kind="stable"):
            if len(found) >= noted_so_far + MOST_UNASKED:
                break
            # what a practice could measure or ask, and the model reads: a code that was never used is not "missing"
            unknown = np.isnan(values[place]) or self._features[place] in self._asked
            if adds[place] != 0 and unknown and self._measurable[place] and self._group_of[place] not in spoken:
                add(self._features[place], float(values[place]), self._group_of[place])
        return found


def _measurable(definitions: Definitions, name: str) -> bool:
    """Whether a practice could fill in what a feature lacks; one that leaves out the last months may only seem to."""
    feature = definitions.features[name]
    if feature.about_person:
        return True
    signal = definitions.signals.get(feature.of or "")
    return signal is not None and signal.unit is not None and feature.leaving_out_the_last is None


def _whole_days(days: NDArray[np.generic]) -> NDArray[np.int64]:
    if np.issubdtype(days.dtype, np.datetime64):
        whole = days.astype("datetime64[D]")
        return np.where(np.isnat(whole), _NO_DAY, whole.astype(np.int64))
    return np.asarray(days, dtype=np.int64)


def _date(day: int) -> dt.date | None:
    return None if day <= _NO_DAY else dt.date(1970, 1, 1) + dt.timedelta(days=day)
