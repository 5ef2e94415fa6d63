"""One pass over the store, shard by shard: everything that the quality page counts in events and in people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from casefinding.definitions.shapes import Definitions, Model
from casefinding.definitions.units import six_digits
from casefinding.records.quality.asked import Asked
from casefinding.records.quality.who import FOREVER, GROUPS, Months, Who, days_in, number_of
from casefinding.records.store import Store

LONGEST = 3650
"""Delays from here on are one class, in days."""
STRATA = len(GROUPS["age"]) * len(GROUPS["sex"])
_COLUMNS = ["person", "day", "recorded_day", "code", "value", "unit"]


@dataclass
class Counted:
    """Counts of a window; P practices (the one at the time of the entry), M months, S signals, U units.

    `entries` (P, days): by the day they happened. `monthly` (P, M, S + 1): the last column are codes of no signal.
    `delays` (P, LONGEST + 1): days from happened to recorded, of entries recorded in the window while registered;
    `backwards` (P,): recorded before they happened. `values`, `usable` (P, M, readings), `units` (P, M, readings, U)
    only for signals with a unit, in the order of `Asked.readings`.
    `have`: grouping -> (groups, STRATA, S) registered people with a usable entry; "practice" is a grouping too.
    `people`: grouping -> (groups, STRATA). `seen_people` (codes, P): registered people with a code of no signal in the
    window; `seen_events` (codes,); `seen_first` (codes,) its first day in the window.
    `drugs`: (all, of no signal) entries of products. `recorded`: key or figure -> by person. `on_register`: model -> by
    person. `diagnosed`: model -> the day on which somebody's first diagnosis was recorded, FOREVER for none.
    """

    entries: np.ndarray
    monthly: np.ndarray
    delays: np.ndarray
    backwards: np.ndarray
    values: np.ndarray
    usable: np.ndarray
    units: np.ndarray
    have: dict[str, np.ndarray]
    people: dict[str, np.ndarray]
    seen_people: np.ndarray
    seen_events: np.ndarray
    seen_first: np.ndarray
    drugs: np.ndarray
    events: int = 0
    elsewhere: int = 0  # entries in the window made where the person was not registered
    recorded: dict[tuple[str, ...], np.ndarray] = field(default_factory=dict)
    on_register: dict[str, np.ndarray] = field(default_factory=dict)
    diagnosed: dict[str, np.ndarray] = field(default_factory=dict)


def count(
    store: Store,
    definitions: Definitions,
    asked: Asked,
    who: Who,
    months: Months,
    wanted: Sequence[tuple[str, ...]],
    tell: Callable[[int, int], None] | None = None,
) -> Counted:
    """Count a store; memory is that of one shard and of the tables of `Counted`.

    `wanted`: sets of signals of which somebody has any usable entry in the window.
    """
    found = _nothing(store, asked, who, months)
    found.recorded = {names: np.zeros(store.people, dtype=bool) for names in wanted}
    latest = {name: _Latest(model, asked, store.people) for name, model in definitions.models.items()}
    through = number_of(store.data_through)
    for shard in range(store.shards):
        _one_shard(store, shard, asked, who, months, through, found, latest)
        if tell is not None:
            tell(shard + 1, store.shards)
    for name, one in latest.items():
        found.on_register[name] = (one.diagnosis > -FOREVER) & (one.resolved < one.diagnosis)
        found.diagnosed[name] = one.first_recorded
    for grouping, place in _groupings(who).items():
        here = who.practice >= 0
        found.people[grouping] = _by_stratum(place[here], _stratum(who)[here], found.have[grouping].shape[0])
    return found


def _nothing(store: Store, asked: Asked, who: Who, months: Months) -> Counted:
    practices, days, signals = len(who.codes), len(months.of_day), len(asked.names)
    size = {"practice": practices} | {grouping: len(names) for grouping, names in GROUPS.items()}
    codes = len(asked.class_of)
    return Counted(
        entries=np.zeros((practices, days), dtype=np.int64),
        monthly=np.zeros((practices, len(months), signals + 1), dtype=np.int64),
        delays=np.zeros((practices, LONGEST + 1), dtype=np.int64),
        backwards=np.zeros(practices, dtype=np.int64),
        values=np.zeros((practices, len(months), len(asked.readings)), dtype=np.int64),
        usable=np.zeros((practices, len(months), len(asked.readings)), dtype=np.int64),
        units=np.zeros((practices, len(months), len(asked.readings), len(asked.units)), dtype=np.int32),
        have={grouping: np.zeros((n, STRATA, signals), dtype=np.int64) for grouping, n in size.items()},
        people={},
        seen_people=np.zeros((codes, practices), dtype=np.int32),
        seen_events=np.zeros(codes, dtype=np.int64),
        seen_first=np.full(codes, FOREVER, dtype=np.int64),
        drugs=np.zeros(2, dtype=np.int64),
    )


class _Latest:
    """When one condition's codes stand in the records, by person."""

    def __init__(self, model: Model, asked: Asked, people: int) -> None:
        self.codes = [_mask(asked, name) for name in (model.register_.diagnosis, model.register_.resolved)]
        self.outcome = _mask(asked, model.outcome.diagnosis)
        self.diagnosis = np.full(people, -FOREVER, dtype=np.int64)
        self.resolved = np.full(people, -FOREVER, dtype=np.int64)
        self.first_recorded = np.full(people, FOREVER, dtype=np.int64)

    def see(self, person: np.ndarray, day: np.ndarray, recorded: np.ndarray, code: np.ndarray) -> None:
        for mask, latest in zip(self.codes, (self.diagnosis, self.resolved), strict=True):
            mine = np.flatnonzero(mask[code])
            np.maximum.at(latest, person[mine], day[mine])
        mine = np.flatnonzero(self.outcome[code])
        np.minimum.at(self.first_recorded, person[mine], recorded[mine])


def _mask(asked: Asked, name: str | None) -> np.ndarray:
    mask = np.zeros(len(asked.class_of), dtype=bool)
    if name is not None and name in asked.by_name:
        mask[asked.by_name[name]] = True
    return mask


def _one_shard(
    store: Store, shard: int, asked: Asked, who: Who, months: Months, through: int, found: Counted, latest: dict
) -> None:
    table = store.events(shard, _COLUMNS)
    person, code = table["person"].to_numpy(), table["code"].to_numpy()
    day, recorded = days_in(table["day"], 0), days_in(table["recorded_day"], 0)
    found.events += len(code)
    for one in latest.values():
        one.see(person, day, recorded, code)
    # From here on only what happened in the window.
    inside = np.flatnonzero((day >= months.start) & (day <= through))
    value = table["value"].to_numpy()[inside].astype(np.float64)
    unit = table["unit"].to_numpy()[inside]
    del table
    person, day, recorded, code = (column[inside] for column in (person, day, recorded, code))
    where = who.practice_then(person, day)
    found.elsewhere += int(np.count_nonzero(where < 0))
    where = np.where(asked.of_area[code], -1, where)  # nobody at the practice wrote it: no day or delay of theirs
    _days_and_delays(found, where, day - months.start, recorded - day)
    month = months.of_day[day - months.start]
    kind = asked.class_of[code]
    _monthly(found, asked, where, month, kind, asked.unmatched[code])
    people = store.shard_people(shard)
    have = _people_with(asked, person - people.start, kind, len(people))
    _values(found, asked, where, month, kind, person - people.start, value, unit, have)
    mine = slice(people.start, people.stop)
    here = who.practice[mine] >= 0
    stratum = _stratum(who)[mine][here]
    dense = have[here]
    for grouping, place in _groupings(who).items():
        groups = found.have[grouping].shape[0]
        cell = place[mine][here] * STRATA + stratum
        order = np.argsort(cell, kind="stable")
        used, starts = np.unique(cell[order], return_index=True)
        if len(used):
            counted = np.add.reduceat(dense[order].astype(np.int32), starts, axis=0)
            found.have[grouping].reshape(groups * STRATA, -1)[used] += counted
    places = {name: place for place, name in enumerate(asked.names)}
    for names, flags in found.recorded.items():
        columns = [places[name] for name in names if name in places]
        flags[mine] = have[:, columns].any(axis=1)
    _unseen(found, asked, who, person, code, day)


def _days_and_delays(found: Counted, where: np.ndarray, day: np.ndarray, delay: np.ndarray) -> None:
    practices, days = found.entries.shape
    here = where >= 0
    found.entries += np.bincount(where[here] * days + day[here], minlength=practices * days).reshape(practices, days)
    back = delay < 0
    found.backwards += np.bincount(where[here & back], minlength=practices)
    late = np.clip(delay, 0, LONGEST)[here]
    width = LONGEST + 1
    found.delays += np.bincount(where[here] * width + late, minlength=practices * width).reshape(practices, width)


def _monthly(
    found: Counted, asked: Asked, where: np.ndarray, month: np.ndarray, kind: np.ndarray, unmatched: np.ndarray
) -> None:
    practices, months, columns = found.monthly.shape
    classes = asked.member.shape[0]
    here = (where >= 0) & (month >= 0)
    cell = where[here].astype(np.int64) * months + month[here]
    of_class = np.bincount(cell * classes + kind[here], minlength=practices * months * classes)
    counted = of_class.reshape(-1, classes).astype(np.float64) @ asked.member
    flat = found.monthly.reshape(-1, columns)
    flat[:, :-1] += np.rint(counted).astype(np.int64)
    flat[:, -1] += np.bincount(cell[unmatched[here]], minlength=practices * months)


def _people_with(asked: Asked, person: np.ndarray, kind: np.ndarray, people: int) -> np.ndarray:
    """(people, signals): who has an entry of a signal without a unit; of the others, nobody yet."""
    classes = asked.member.shape[0]
    flags = np.zeros(people * classes, dtype=bool)
    flags[person * classes + kind] = True
    plain = asked.member.astype(np.float32)
    plain[:, list(asked.readings)] = 0
    return flags.reshape(people, classes).astype(np.float32) @ plain > 0


def _values(
    found: Counted,
    asked: Asked,
    where: np.ndarray,
    month: np.ndarray,
    kind: np.ndarray,
    person: np.ndarray,
    value: np.ndarray,
    unit: np.ndarray,
    have: np.ndarray,
) -> None:
    """Count values, usable values and units of every signal with a unit, and note who has a usable one."""
    practices, months, _, units = found.units.shape
    with_values: np.ndarray = np.any(asked.member[:, list(asked.readings)], axis=1)
    some = np.flatnonzero(with_values[kind])
    where, month, kind, person, unit = (column[some] for column in (where, month, kind, person, unit))
    value = six_digits(value[some])
    for place, (signal, reading) in enumerate(asked.readings.items()):
        mine = np.flatnonzero(asked.member[kind, signal])
        usable = reading.usable(value[mine], unit[mine])
        have[person[mine[usable]], signal] = True
        here = (where[mine] >= 0) & (month[mine] >= 0)
        cell = where[mine][here].astype(np.int64) * months + month[mine][here]
        cells = practices * months
        found.values[:, :, place] += np.bincount(cell, minlength=cells).reshape(practices, months)
        found.usable[:, :, place] += np.bincount(cell[usable[here]], minlength=cells).reshape(practices, months)
        with_number = np.isfinite(value[mine][here])
        of_unit = asked.unit_place[unit[mine][here]]
        counted = np.bincount((cell * units + of_unit)[with_number], minlength=cells * units)
        found.units[:, :, place, :] += counted.reshape(practices, months, units).astype(np.int32)


def _unseen(found: Counted, asked: Asked, who: Who, person: np.ndarray, code: np.ndarray, day: np.ndarray) -> None:
    """People with codes of no signal; everybody is in one shard, so counts of people add up."""
    drug = asked.drug[code]
    lost = asked.unmatched[code]
    found.drugs += (np.count_nonzero(drug), np.count_nonzero(drug & lost))
    mine = np.flatnonzero(lost)
    if not len(mine):
        return
    found.seen_events += np.bincount(code[mine], minlength=len(found.seen_events))
    np.minimum.at(found.seen_first, code[mine], day[mine])
    pairs = np.unique(person[mine] * len(asked.class_of) + code[mine])
    somebody, what = np.divmod(pairs, len(asked.class_of))
    where = who.practice[somebody]
    np.add.at(found.seen_people, (what[where >= 0], where[where >= 0]), 1)


def _stratum(who: Who) -> np.ndarray:
    return who.group["age"] * len(GROUPS["sex"]) + who.group["sex"]


def _groupings(who: Who) -> dict[str, np.ndarray]:
    return {"practice": who.practice, **who.group}


def _by_stratum(place: np.ndarray, stratum: np.ndarray, groups: int) -> np.ndarray:
    return np.bincount(place * STRATA + stratum, minlength=groups * STRATA).reshape(groups, STRATA)
