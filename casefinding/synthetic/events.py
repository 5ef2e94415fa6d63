"""What is written in a record: columns that grow while a shard is simulated, then keep what a practice holds."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from casefinding.synthetic.codes import CODES, C
from casefinding.synthetic.people import NEVER, People

NO_VALUE = -1
_LABORATORY = np.zeros(len(CODES), dtype=bool)
for _key in (
    "creatinine", "egfr", "sodium", "haemoglobin", "cholesterol", "hdl", "hba1c", "hba1c_percent", "tsh", "acr"
):  # fmt: skip
    _LABORATORY[C[_key]] = True


@dataclass
class Table:
    """Events of one shard, one entry an event in every array."""

    person: np.ndarray  # position in the shard (int32)
    day: np.ndarray  # days since 1970 (int32)
    recorded: np.ndarray
    code: np.ndarray  # position in CODES (int16)
    value: np.ndarray  # hundredths, NO_VALUE where none (int32)
    above: np.ndarray  # written with ">" (bool)


@dataclass
class Events:
    """Collects events; `summary` events belong to a record's summary and come along when a person changes practice."""

    parts: list[tuple[np.ndarray, ...]] = field(default_factory=list)

    def add(
        self,
        code: int | np.ndarray,
        person: np.ndarray,
        day: np.ndarray,
        value: np.ndarray | None = None,
        *,
        recorded: np.ndarray | None = None,
        summary: bool = False,
        above: np.ndarray | None = None,
    ) -> None:
        """Add one event a person of `person`; `value` in the code's unit, `recorded` defaults to the day itself."""
        n = len(person)
        if n == 0:
            return
        hundredths = np.full(n, NO_VALUE, dtype=np.int32) if value is None else np.rint(value * 100).astype(np.int32)
        self.parts.append(
            (
                person.astype(np.int32),
                np.asarray(day).astype(np.int32),
                np.asarray(day if recorded is None else recorded).astype(np.int32),
                np.full(n, code, dtype=np.int16) if np.isscalar(code) else np.asarray(code).astype(np.int16),
                hundredths,
                np.zeros(n, dtype=bool) if above is None else above,
                np.full(n, summary, dtype=bool),
            )
        )

    def finish(self, rng: np.random.Generator, people: People, start: int, end: int) -> Table:
        """Keep what the practices hold: nothing after death, leaving or the end; of the time before joining (and before
        the ten years) only the summary, recorded when it was typed in; a few entries are typed in late."""
        person, day, recorded, code, value, above, summary = (
            np.concatenate(column) for column in zip(*self.parts, strict=True)
        )
        self.parts.clear()
        joined = people.joined[person]
        before = day < joined
        drawn = (
            person.astype(np.uint32) * np.uint32(2654435761) + day.astype(np.uint32) * np.uint32(40503)
        ) >> np.uint32(8)
        # Of measurements before joining one day in seven comes along; of everything else only the summary.
        brought = summary | ((value != NO_VALUE) & (drawn % np.uint32(7) == 0))
        keep = (
            (day < people.seen_to[person])
            & (day >= people.birth[person])
            & np.where(before, brought, summary | (day >= start))
        )
        person, day, recorded, code, value, above, joined, before, drawn = (
            column[keep] for column in (person, day, recorded, code, value, above, joined, before, drawn)
        )
        typed = joined + 4 + (drawn % np.uint32(50)).astype(np.int32)
        recorded = np.where(before, np.maximum(typed, recorded), recorded)
        recorded = recorded + _LABORATORY[code]  # results come back the next day
        late = (drawn // np.uint32(64)) % np.uint32(64) == 0
        recorded = recorded + np.where(late, 1 + (drawn // np.uint32(4096)) % np.uint32(20), np.uint32(0)).astype(
            np.int32
        )
        there = (recorded <= end) & (recorded < people.seen_to[person])
        table = Table(*(column[there] for column in (person, day, recorded.astype(np.int32), code, value, above)))
        # One sortable number a row: person (15 bits), day (16), code (8), value (24); exact repeats are entered once.
        key = table.person.astype(np.int64) << 48 | (table.day.astype(np.int64) + 32768) << 32
        key |= table.code.astype(np.int64) << 24 | (table.value.astype(np.int64) + 1)
        order = np.argsort(key, kind="stable")
        key = key[order]
        once = np.ones(len(key), dtype=bool)
        once[1:] = key[1:] != key[:-1]
        order = order[once]
        return Table(*(getattr(table, name)[order] for name in Table.__dataclass_fields__))


def repeats(
    rng: np.random.Generator, start: np.ndarray, stop: np.ndarray, step: np.ndarray, jitter: int = 3
) -> tuple[np.ndarray, np.ndarray]:
    """Days every `step` from start to stop (exclusive), give or take `jitter`; gives positions in `start`, and days."""
    count = np.maximum((stop - start + step - 1) // step, 0)
    which = np.repeat(np.arange(len(start)), count)
    number = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    day = start[which] + number * step[which] + rng.integers(-jitter, jitter + 1, len(which))
    return which, np.maximum(day, start[which])


def first_day(n: int, person: np.ndarray, day: np.ndarray) -> np.ndarray:
    """The earliest day by person (NEVER where none)."""
    first = np.full(n, NEVER, dtype=np.int64)
    np.minimum.at(first, person, day)
    return first
