"""Which files came back and in which order, so that a correction counts and what it corrects is still there."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from casefinding import audit
from casefinding.recall.loop.ledger import Ledger

RECEIVED = "received.jsonl"
"""The audit file of what was read, beside the ledger's own."""


_SAID = ("list_id", "pseudonym", "condition", "on", "outcome")


def note_received(ledger: Ledger, entry: dict[str, Any], outcomes: pa.Table) -> None:
    """Record that a file was read: its `file` and `sha256`, counts, and no row of it but those it says again.

    `outcomes` (ledger.OUTCOME) is what the file says. What it says again after another file had corrected it counts
    once more; the ledger, which holds everything once, could not tell.
    """
    if entry["sha256"] not in files_read(ledger):
        now = set(_keys(standing(ledger)))
        once = set(_keys(ledger.outcomes()))
        again = [[*map(str, key)] for key in _keys(outcomes) if key in once and key not in now]
        entry = {**entry, "again": again} if again else entry
    audit.append(ledger.path / RECEIVED, entry)


def files_read(ledger: Ledger) -> list[str]:
    """The SHA-256 of every file that was read, in the order in which each came first."""
    return list(dict.fromkeys(entry["sha256"] for entry in audit.entries(ledger.path / RECEIVED)))


def standing(ledger: Ledger) -> pa.Table:
    """The outcomes of a ledger that count (ledger.OUTCOME), by day.

    Of what is said about one list, person, condition and day, what the file says that was read last: a correction.
    What is said about another day is a further outcome, and both stay. Reading an old file once more makes it no
    newer. A file that nothing has noted is older than all.
    """
    outcomes = ledger.outcomes()
    order = {digest: place for place, digest in enumerate(files_read(ledger))}
    again: dict[tuple[str, ...], int] = {}
    for entry in audit.entries(ledger.path / RECEIVED):
        for key in entry.get("again", ()):
            again[tuple(key)] = order[entry["sha256"]]
    keys = _keys(outcomes)
    read = [
        max(order.get(digest, -1), again.get(tuple(map(str, key)), -1))
        for key, digest in zip(keys, outcomes["file_sha256"].to_pylist(), strict=True)
    ]
    last: dict[tuple[Any, ...], int] = {}
    for key, place in zip(keys, read, strict=True):
        last[key[:-1]] = max(place, last.get(key[:-1], -1))
    return outcomes.filter(
        pa.array([place == last[key[:-1]] for key, place in zip(keys, read, strict=True)], pa.bool_())
    )


def _keys(outcomes: pa.Table) -> list[tuple[Any, ...]]:
    return list(zip(*(outcomes[name].to_pylist() for name in _SAID), strict=True))
