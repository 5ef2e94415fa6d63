"""What the programme remembers from month to month: every list that was issued, every outcome that came back."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from casefinding import audit
from casefinding.errors import RecordsError, WriteError
from casefinding.files import sha256_of, write_bytes
from casefinding.records.tables import CONTACT

LISTED = pa.schema(
    [
        ("list_id", pa.string()),
        ("index_day", pa.date32()),
        ("practice", pa.string()),
        ("pseudonym", pa.string()),
        ("condition", pa.string()),
        ("label", pa.string()),  # the condition as a person would call it
        ("line_lane", pa.string()),  # the lane the person stands in
        ("lane", pa.string()),  # the most urgent lane that this condition gives them
        ("rules", pa.string()),  # ids, ", " between
        ("test", pa.string()),  # what the invitation offers; empty where it is none
        ("visit", pa.string()),
        ("wave", pa.int8()),  # 1, 2, 3 for an invitation, else 0
        ("place", pa.int32()),
        ("chance", pa.float64()),
        ("sex", pa.string()),
        ("age_band", pa.string()),
        ("ethnicity", pa.string()),
        ("deprivation", pa.string()),
    ]
)
"""One row a person and condition of a list."""

OUTCOME = pa.schema(
    [
        ("list_id", pa.string()),
        ("practice", pa.string()),
        ("pseudonym", pa.string()),
        ("condition", pa.string()),
        ("outcome", pa.string()),  # one of OUTCOMES
        ("on", pa.date32()),
        ("file", pa.string()),  # the name of the file it came in, and which bytes that was
        ("file_sha256", pa.string()),
        ("row", pa.int32()),
    ]
)
"""One row a thing that happened to a listed person about one condition."""

INVITED = "Invited"
DID_NOT_ATTEND = "Did not attend"
AWAITED = "Seen – result awaited"
DIAGNOSED = "Seen – diagnosed"
NOT_DIAGNOSED = "Seen – not diagnosed"
DECLINED = "Declined"
ALREADY_KNOWN = "Already known"
NOT_APPROPRIATE = "Not appropriate"
OUTCOMES = (
    INVITED, DID_NOT_ATTEND, AWAITED, DIAGNOSED, NOT_DIAGNOSED, DECLINED, ALREADY_KNOWN, NOT_APPROPRIATE,
)  # fmt: skip
"""What a practice can say became of a person, in the order of the drop-down."""

CONTACT_KIND = {
    INVITED: "invited",
    DID_NOT_ATTEND: "invited",
    AWAITED: "seen",
    DIAGNOSED: "tested",
    NOT_DIAGNOSED: "tested",
    DECLINED: "declined",
    ALREADY_KNOWN: "already known",
    NOT_APPROPRIATE: "not appropriate",
}
"""The kind of contact (records.tables.CONTACT_KINDS) that each outcome is."""

_SAME = ("list_id", "practice", "pseudonym", "condition", "outcome", "on")


@dataclass(frozen=True)
class Ledger:
    """A folder with `lists/*.parquet`, `outcomes/*.parquet` and `ledger.jsonl` (the audit of both).

    No file is ever written over: each list and each batch of outcomes has a file of its own, which counts from the line
    of the audit that names it. What a killed run left behind without such a line is of no account, and is written anew.
    """

    path: Path

    @classmethod
    def open(cls, path: Path | str) -> Ledger:
        """The ledger of a folder; one that is not there yet is empty, and is made by the first thing recorded.

        Raises RecordsError if a file of it was altered since it was recorded, or is lost; or if it is no folder.
        """
        ledger = cls(Path(path))
        if ledger.path.exists() and not ledger.path.is_dir():
            raise RecordsError(
                "the ledger is a file", where=str(path), hint="a ledger is a folder: name it, or a new one"
            )
        for name, digest in ledger._files("").items():
            file = ledger.path / name
            if not file.is_file() or sha256_of(file) != digest:
                raise RecordsError(
                    f"{name} was altered since it was recorded, or is lost",
                    where=str(path),
                    hint="bring it back from a copy; nothing was changed",
                )
        return ledger

    def lists(self) -> pa.Table:
        """Everybody who was ever listed (LISTED), the oldest list first."""
        tables = [pq.read_table(self.path / name, schema=LISTED) for name in self._files("lists/")]
        return pa.concat_tables(tables) if tables else LISTED.empty_table()

    def previous(self, before: dt.date) -> pa.Table | None:
        """Each practice's latest list with an index day before a day, None if there is none.

        Of two of one day the later made counts. One ledger can serve networks that run on different days.
        """
        latest: dict[str, tuple[dt.date, pa.Table]] = {}
        for name in self._files("lists/"):
            table = pq.read_table(self.path / name, schema=LISTED)
            day = table["index_day"][0].as_py()
            practices = np.array(table["practice"].to_pylist(), dtype=object)
            for practice in dict.fromkeys(practices):
                if day < before and (practice not in latest or day >= latest[practice][0]):
                    latest[practice] = day, table.filter(pa.array(practices == practice))
        return pa.concat_tables(table for _, (_, table) in sorted(latest.items())) if latest else None

    def outcomes(self) -> pa.Table:
        """Every outcome (OUTCOME), each once, by day."""
        tables = [pq.read_table(self.path / name, schema=OUTCOME) for name in self._files("outcomes/")]
        both = pa.concat_tables(tables) if tables else OUTCOME.empty_table()
        first: dict[tuple[Any, ...], int] = {}
        for row, key in enumerate(_keys(both)):
            first.setdefault(key, row)
        order = [(name, "ascending") for name in ("on", "practice", "pseudonym", "condition", "outcome", "list_id")]
        return both.take(pa.array(list(first.values()), pa.int64())).sort_by(order)

    def digest(self, before: dt.date, outcomes: pa.Table | None = None) -> str:
        """The SHA-256 of all that a run of a day can learn from the ledger: earlier lists, and outcomes before it.

        `outcomes`: those that count (received.standing), where some were corrected; else all.

        It belongs into the id of a list: the same records and config give another list once outcomes are known.
        """
        lists = [one for one in self.lists().to_pylist() if one["index_day"] < before]
        found = [
            one for one in _keys(self.outcomes() if outcomes is None else outcomes) if one[_SAME.index("on")] < before
        ]
        return hashlib.sha256(repr([lists, found]).encode()).hexdigest()

    def record_list(self, listed: pa.Table) -> None:
        """Remember a list that has been issued; recording the same list again changes nothing.

        A list with the id of another, but not its people, is kept beside it: both may have been sent.
        Raises WriteError if it cannot be written: outcomes of such a list would be refused.
        """
        if not listed.num_rows:
            return
        listed = listed.cast(LISTED)
        first = listed.slice(0, 1).to_pylist()[0]
        start = f"lists/{first['index_day']}_{first['list_id']}"
        noted = [name for name in self._files(start) if name.startswith((f"{start}.", f"{start}-"))]
        if any(pq.read_table(self.path / name, schema=LISTED).equals(listed) for name in noted):
            return
        try:
            self._keep("list", f"{start}-{len(noted) + 1}.parquet" if noted else f"{start}.parquet", listed)
        except WriteError as problem:
            raise WriteError(
                f"{problem.what}: the lists are made, but the ledger does not know them",
                where=str(self.path),
                hint="mend that and run the same command again, which makes the same lists; send none out before",
            ) from problem

    def record_outcomes(self, found: pa.Table) -> int:
        """Remember outcomes; what is known already is not counted twice. Returns how many were new.

        Raises RecordsError, and remembers none, if one of them has no day or is none of OUTCOMES.
        """
        found = found.cast(OUTCOME)
        if found["on"].null_count or not set(found["outcome"].to_pylist()) <= set(OUTCOMES):
            raise RecordsError(
                "an outcome has no day, or is none that there is",
                where=str(self.path),
                hint=f"one of: {', '.join(OUTCOMES)}",
            )
        known = set(_keys(self.outcomes()))
        new = {key: row for row, key in reversed(list(enumerate(_keys(found)))) if key not in known}
        if new:
            batch = found.take(pa.array(sorted(new.values()), pa.int64()))
            self._keep(
                "outcomes", f"outcomes/{len(self._files('outcomes/')) + 1:05d}_{uuid.uuid4().hex[:8]}.parquet", batch
            )
        return len(new)

    def contacts(self, people: pa.Table, before: dt.date, outcomes: pa.Table | None = None) -> pa.Table:
        """The outcomes before a day as contacts (records.tables.CONTACT), by `people` (`person`, `pseudonym`).

        `outcomes`: those that count (received.standing), by day, where some were corrected; else all.
        Whoever did not attend was invited: that is an invitation only where the same list tells of none earlier.
        """
        person = dict(zip(people["pseudonym"].to_pylist(), people["person"].to_pylist(), strict=True))
        invited: set[tuple[str, str, str, str]] = set()
        rows = []
        for one in (self.outcomes() if outcomes is None else outcomes).to_pylist():  # by day
            if one["on"] >= before or one["pseudonym"] not in person:
                continue
            asked = one["list_id"], one["practice"], one["pseudonym"], one["condition"]
            if one["outcome"] == DID_NOT_ATTEND and asked in invited:
                continue
            if one["outcome"] in (INVITED, DID_NOT_ATTEND):
                invited.add(asked)
            rows.append((person[one["pseudonym"]], one["condition"], CONTACT_KIND[one["outcome"]], one["on"]))
        return pa.table([list(column) for column in zip(*rows, strict=True)] or [[]] * 4, schema=CONTACT)

    @property
    def _audit(self) -> Path:
        return self.path / "ledger.jsonl"

    def _files(self, start: str) -> dict[str, str]:
        """The files whose names begin so, with the digest of each, in the order in which they were recorded."""
        found: dict[str, str] = {}
        for entry in audit.entries(self._audit):
            found.update(entry.get("files", {}))
        return {name: digest for name, digest in found.items() if name.startswith(start)}

    def _keep(self, kind: str, name: str, table: pa.Table) -> None:
        write_bytes(self.path / name, _parquet(table))
        audit.append(self._audit, {"kind": kind, "rows": table.num_rows, "files": {name: sha256_of(self.path / name)}})


def _keys(found: pa.Table) -> list[tuple[Any, ...]]:
    """What makes two outcomes the same: list, practice, person, condition, outcome and day; not the file it came in."""
    return list(zip(*(found[name].to_pylist() for name in _SAME), strict=True))


def _parquet(table: pa.Table) -> bytes:
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue().to_pybytes()
