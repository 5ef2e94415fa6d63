"""Who is for training, tuning and judging in a MEDS dataset: whole practices where there are enough of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import pyarrow as pa

from casefinding.records.store import Store

SPLITS = pa.schema([("subject_id", pa.int64()), ("split", pa.string())])
TRAIN, TUNING, HELD_OUT = "train", "tuning", "held_out"
UP_TO = ((TRAIN, 0.70), (TUNING, 0.85), (HELD_OUT, 1.0))
"""Up to which share of the people, in the order of a hash, each split reaches."""
PRACTICES_ENOUGH = 10
"""From so many practices on whole practices are held out; with fewer, people are."""


def subject_splits(store: Store) -> tuple[str, pa.Table]:
    """How people were split ("practice" or "person"), and into what (SPLITS): train 70%, tuning and held_out 15% each.

    With PRACTICES_ENOUGH practices whole ones are held out, by a hash of their code; each person goes with the practice
    joined last. Else people are, by a hash of their pseudonym, so that nobody changes split from one month to the next.
    """
    people, registrations = store.people_table(), store.registrations()
    numbers = people["person"].to_pylist()
    # Sorted by person and start: the last registration of each person stays.
    latest = dict(zip(registrations["person"].to_pylist(), registrations["practice"].to_pylist(), strict=True))
    practices = [latest.get(person, "") for person in numbers]
    by_practice = len(set(practices)) >= PRACTICES_ENOUGH
    if by_practice:
        splits = split_practices(Counter(practices))
        chosen = [splits[code] for code in practices]
    else:
        chosen = [_split_at(_place(pseudonym)) for pseudonym in people["pseudonym"].to_pylist()]
    return "practice" if by_practice else "person", pa.table([numbers, chosen], schema=SPLITS)


def split_practices(sizes: Counter[str]) -> dict[str, str]:
    """Each practice's split: where the middle of its list falls, practices in the order of their hashes.

    The last two are held out and for tuning at the least: no split is empty, however uneven the lists (three practices
    or more).
    """
    ordered: Sequence[str] = sorted(sizes, key=_place)
    splits, before = {}, 0
    for code in ordered:
        splits[code] = _split_at((before + sizes[code] / 2) / sizes.total())
        before += sizes[code]
    splits[ordered[-1]] = HELD_OUT
    if TUNING not in splits.values():
        splits[ordered[-2]] = TUNING
    if TRAIN not in splits.values():
        splits[ordered[0]] = TRAIN
    return splits


def _place(text: str) -> float:
    """A place from 0 to 1 that only the text decides."""
    return int(hashlib.sha256(f"split:{text}".encode()).hexdigest()[:13], 16) / 16**13


def _split_at(share: float) -> str:
    return next((name for name, up_to in UP_TO if share < up_to), HELD_OUT)
