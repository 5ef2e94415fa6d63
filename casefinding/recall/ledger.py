"""What the programme remembers from month to month: every list that was issued, every outcome that came back."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from casefinding import audit
from casefinding.errors import RecordsError
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
    """A folder with `lists/*.parquet`, `outcomes.parquet` and `ledger.jsonl` (the audit of both)."""

    path: Path

    @classmethod
    def open(cls, path: Path | str) -> Ledger:
        """The ledger of a folder; one that is not there yet is empty, and is made by the first thing recorded.

        Raises RecordsError if a file of it was altered since it was recorded, or is lost.
        """
        ledger = cls(Path(path))
        latest = {}
        for entry in audit.entries(ledger._audit):
            latest.update(entry.get("files", {}))
        for name, digest in latest.items():
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
        tables = [pq.read_table(self.path / name, schema=LISTED) for name in self._lists()]
        return pa.concat_tables(tables) if tables else LISTED.empty_table()

    def previous(self, before: dt.date) -> pa.Table | None:
        """The latest list with an index day before a day, None if there is none; of two of one day the later made."""
        found: tuple[dt.date, pa.Table] | None = None
        for name in self._lists():
            table = pq.read_table(self.path / name, schema=LISTED)
            day = table["index_day"][0].as_py()
            if day < before and (found is None or day >= found[0]):
                found = day, table
        return None if found is None else found[1]

    def outcomes(self) -> pa.Table:
        """Every outcome (OUTCOME), each once, by day."""
        file = self.path / "outcomes.parquet"
        return pq.read_table(file, schema=OUTCOME) if file.exists() else OUTCOME.empty_table()

    def record_list(self, listed: pa.Table) -> None:
        """Remember a list that has been issued; recording the same list again changes nothing."""
        if not listed.num_rows:
            return
        first = listed.slice(0, 1).to_pylist()[0]
        name = f"lists/{first['index_day']}_{first['list_id']}.parquet"
        content = _parquet(listed.cast(LISTED))
        if (self.path / name).exists() and sha256_of(self.path / name) == hashlib.sha256(content).hexdigest():
            return
        write_bytes(self.path / name, content)
        self._note("list", name, listed.num_rows)

    def record_outcomes(self, found: pa.Table) -> int:
        """Remember outcomes; what is known already is not counted twice. Returns how many were new."""
        known = self.outcomes()
        both = pa.concat_tables([known, found.cast(OUTCOME)])
        keys = list(zip(*(both[name].to_pylist() for name in _SAME), strict=True))
        first = {key: row for row, key in reversed(list(enumerate(keys)))}
        new = len(first) - len(dict.fromkeys(keys[: known.num_rows]))
        if new:
            kept = both.take(pa.array(sorted(first.values()), pa.int64()))
            order = [(name, "ascending") for name in ("on", "practice", "pseudonym", "condition", "outcome", "list_id")]
            write_bytes(self.path / "outcomes.parquet", _parquet(kept.sort_by(order)))
            self._note("outcomes", "outcomes.parquet", new)
        return new

    def contacts(self, people: pa.Table, before: dt.date) -> pa.Table:
        """The outcomes before a day as contacts (records.tables.CONTACT), by `people` (`person`, `pseudonym`)."""
        found = self.outcomes().to_pylist()
        person = dict(zip(people["pseudonym"].to_pylist(), people["person"].to_pylist(), strict=True))
        rows = [
            (person[one["pseudonym"]], one["condition"], CONTACT_KIND[one["outcome"]], one["on"])
            for one in found
            if one["on"] < before and one["pseudonym"] in person
        ]
        return pa.table([list(column) for column in zip(*rows, strict=True)] or [[]] * 4, schema=CONTACT)

    @property
    def _audit(self) -> Path:
        return self.path / "ledger.jsonl"

    def _lists(self) -> list[str]:
        """The files of the lists in the order in which they were recorded."""
        named = [name for entry in audit.entries(self._audit) for name in entry.get("files", {})]
        return [name for name in dict.fromkeys(named) if name.startswith("lists/")]

    def _note(self, kind: str, name: str, rows: int) -> None:
        audit.append(self._audit, {"kind": kind, "rows": rows, "files": {name: sha256_of(self.path / name)}})


def _parquet(table: pa.Table) -> bytes:
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue().to_pybytes()
