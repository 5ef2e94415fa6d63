"""The store, read: who, where registered, what happened and when it was recorded, in shards of whole people."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from casefinding.errors import RecordsError
from casefinding.files import sha256_of
from casefinding.records.tables import FORMAT

CURRENT = "CURRENT"
ABOUT = "store.json"


@dataclass(frozen=True)
class Store:
    """One complete generation of records; open it with `Store.open`.

    `data_through` is the last day that the extract speaks of, `data_from` the day of its first event,
    `digest` the SHA-256 of the content: equal for equal rows, in whatever order or files they came.
    """

    path: Path
    folder: Path = field(repr=False)
    kind: str
    data_from: dt.date
    data_through: dt.date
    digest: str
    people: int
    people_a_shard: int
    shards: int
    about: dict[str, Any] = field(repr=False)

    @classmethod
    def open(cls, path: Path | str) -> Store:
        """Open the generation that CURRENT names.

        Raises RecordsError if there is no store, it is not whole, or it has another format.
        """
        path = Path(path)
        try:
            name = (path / CURRENT).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            raise RecordsError(
                "no store of records here", where=str(path), hint="bring an extract in with 'casefinding ingest'"
            ) from None
        folder = path / name
        again = "bring the extract in again with 'casefinding ingest'"
        if not name or Path(name).name != name or not (folder / ABOUT).is_file():
            raise RecordsError("the store is not whole: what CURRENT names is missing", where=str(path), hint=again)
        try:
            about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
            if about["format"] != FORMAT:
                raise RecordsError(
                    f"the store has format {about['format']}, this version reads format {FORMAT}",
                    where=str(path),
                    hint=again,
                )
            store = cls(
                path=path,
                folder=folder,
                kind=about["kind"],
                data_from=dt.date.fromisoformat(about["data_from"]),
                data_through=dt.date.fromisoformat(about["data_through"]),
                digest=about["digest"],
                people=about["people"],
                people_a_shard=about["shard_people"],
                shards=about["shards"],
                about=about,
            )
        except (ValueError, KeyError, TypeError):
            raise RecordsError(f"{ABOUT} cannot be read", where=str(path), hint=again) from None
        lost = [file for file in about["files"] if not (folder / file).is_file()]
        if lost:
            raise RecordsError(f"the store is not whole: {lost[0]} is missing", where=str(path), hint=again)
        return store

    @property
    def flow(self) -> str:
        """For what the store was made: secondary use, direct care, or at the practice."""
        return self.about.get("flow", "secondary use")

    def people_table(self) -> pa.Table:
        """Everyone, by person number (tables.PERSON)."""
        return self._read("person.parquet")

    def registrations(self) -> pa.Table:
        """Registrations, by person and start (tables.REGISTRATION)."""
        return self._read("registration.parquet")

    def practices(self) -> pa.Table:
        """Practices, by code (tables.PRACTICE)."""
        return self._read("practice.parquet")

    def codes(self) -> pa.Table:
        """The code dictionary: `code` is the row number (tables.CODE)."""
        return self._read("code.parquet")

    def units(self) -> pa.Table:
        """The unit dictionary: `unit` is the row number, 0 stands for none recorded (tables.UNIT)."""
        return self._read("unit.parquet")

    def contacts(self) -> pa.Table:
        """What came of earlier lists, by person, condition and day (tables.CONTACT)."""
        return self._read("contact.parquet")

    def quarantine(self) -> pa.Table:
        """Refused rows: file, row, practice, reason, column; never their values (tables.QUARANTINE)."""
        return self._read("quarantine.parquet")

    def events(self, shard: int, columns: Sequence[str] | None = None) -> pa.Table:
        """Events of one shard, sorted by every column from left to right (tables.EVENT)."""
        return self._read(self._event_file(shard), columns)

    def event_path(self, shard: int) -> Path:
        """The Parquet file of one shard."""
        return self.folder / self._event_file(shard)

    def shard_people(self, shard: int) -> range:
        """The person numbers of one shard."""
        self._event_file(shard)
        return range(shard * self.people_a_shard, min((shard + 1) * self.people_a_shard, self.people))

    def counts(self) -> dict[str, Any]:
        """What was read, kept and refused.

        Keys: `rows` (by table: read, kept, refused), `files` (rows read by file), `refused` (by reason),
        `refused_by_practice` (practice -> reason -> rows; "" where the practice is not known),
        `refused_by_file` (file -> reason -> rows), `held_cells` (cells that say nothing while their row stays, by
        reason: `Cell`), `held_cells_by_practice`, `contact_conditions` (contacts by condition in lower case; what
        cannot be a model's name stands under "(other text)"; only "all" and names of models match anything),
        `notes` (sentences on what the layout cannot say, and on held cells).
        """
        return self.about["counts"]

    def verify(self) -> None:
        """Compare every file with the hash taken when it was written; raises RecordsError on the first difference."""
        for name, expected in self.about["files"].items():
            if sha256_of(self.folder / name) != expected:
                raise RecordsError(
                    f"{name} has changed since the store was made",
                    where=str(self.path),
                    hint="bring the extract in again with 'casefinding ingest'",
                )

    def _event_file(self, shard: int) -> str:
        if not 0 <= shard < self.shards:
            raise IndexError(f"shard {shard} of {self.shards}")
        return f"events/shard-{shard:04d}.parquet"

    def _read(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        try:
            with pq.ParquetFile(self.folder / name) as file:
                return file.read() if columns is None else file.read(columns=list(columns)).select(list(columns))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError):
            raise RecordsError(
                f"{name} cannot be read: it is broken or unfinished",
                where=str(self.path),
                hint="bring the extract in again with 'casefinding ingest'",
            ) from None
