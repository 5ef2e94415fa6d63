"""What the records and the ledger tell on an index day about people who are, or were, on a list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from casefinding.cohort.registration import EPOCH, Spells
from casefinding.definitions.recall import Invitations
from casefinding.recall.loop.waves import EVERY_CONDITION
from casefinding.recall.view import View


class Registers(Protocol):
    """What is asked of a store (records.store.Store)."""

    def people_table(self) -> pa.Table: ...
    def registrations(self) -> pa.Table: ...


@dataclass(frozen=True)
class Person:
    """One pseudonym on the index day: `row` in the base (None if not asked), where registered and since when."""

    row: int | None
    died_on: dt.date | None
    practice: str | None  # where registered on the day; None if nowhere in these records
    joined: dt.date | None  # the first day of that registration
    contacts: tuple[tuple[dt.date, str, str], ...]  # day, kind, condition; before the index day, by day


@dataclass(frozen=True)
class Today:
    """Everything that can explain a change of a list; only of the people who were asked for.

    `people` holds those pseudonyms that the records know.
    """

    index_day: dt.date
    people: Mapping[str, Person]
    views: Mapping[str, View]
    base: pa.Table
    outcomes: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]  # (practice, pseudonym) -> before the day, by day
    invitations: Invitations

    @classmethod
    def of(
        cls,
        pseudonyms: Iterable[str],
        store: Registers,
        base: pa.Table,
        views: Sequence[View],
        contacts: pa.Table,
        outcomes: pa.Table,
        invitations: Invitations,
        index_day: dt.date,
    ) -> Today:
        """Gathered for some pseudonyms. `base` has a `pseudonym` column and stands row for row with the views;
        `contacts` (records.tables.CONTACT) and `outcomes` (ledger.OUTCOME) are cut to what happened before the day."""
        asked = set(pseudonyms)
        table = store.people_table()
        names = table["pseudonym"].to_pylist()
        at = [position for position, name in enumerate(names) if name in asked]
        some = table.take(pa.array(at, pa.int64()))
        of_person = dict(zip(some["person"].to_pylist(), some["pseudonym"].to_pylist(), strict=True))
        row_of = {name: row for row, name in enumerate(base["pseudonym"].to_pylist()) if name in asked}
        home = _homes(store, index_day, np.array(list(of_person), dtype=np.int64))
        told: dict[int, list[tuple[dt.date, str, str]]] = {}
        mine = contacts.filter(pa.array(np.isin(contacts["person"].to_numpy(), list(of_person))))
        for one in mine.to_pylist():
            if one["on"] is not None and one["on"] < index_day:
                told.setdefault(one["person"], []).append((one["on"], one["kind"], one["condition"] or ""))
        said: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for one in outcomes.to_pylist():
            if one["pseudonym"] in asked and one["on"] < index_day:
                said.setdefault((one["practice"], one["pseudonym"]), []).append(one)
        people = {
            name: Person(
                row_of.get(name), died_on, *home.get(person, (None, None)), tuple(sorted(told.get(person, ())))
            )
            for person, name, died_on in zip(
                some["person"].to_pylist(), some["pseudonym"].to_pylist(), some["died_on"].to_pylist(), strict=True
            )
        }
        return cls(
            index_day,
            people,
            {view.condition: view for view in views},
            base,
            {key: sorted(these, key=lambda one: one["on"]) for key, these in said.items()},
            invitations,
        )

    def said(self, listed: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The latest outcome that came back about a row of an earlier list (LISTED), None if there was none since."""
        for one in reversed(self.outcomes.get((listed["practice"], listed["pseudonym"]), ())):
            about = one["condition"] or ""
            since = one["list_id"] == listed["list_id"] or one["on"] >= listed["index_day"]
            if since and about in (*EVERY_CONDITION, listed["condition"]):
                return one
        return None

    def last_contact(self, pseudonym: str, condition: str, kinds: Sequence[str]) -> str:
        """The latest kind of contact about a condition among some kinds; "" if there was none."""
        for _, kind, about in reversed(self.people[pseudonym].contacts):
            if kind in kinds and about in (*EVERY_CONDITION, condition):
                return kind
        return ""


def _homes(store: Registers, day: dt.date, people: np.ndarray) -> dict[int, tuple[str, dt.date]]:
    """Where each of some people is registered on a day, and since when."""
    spells = Spells.of(store)  # pyright: ignore[reportArgumentType]
    here = spells.on(day)
    here = here[np.isin(spells.person[here], people)]
    practices = spells.practice.take(pa.array(here)).to_pylist()
    days = [EPOCH + dt.timedelta(days=int(start)) for start in spells.start[here]]
    return {
        int(person): (practice, joined)
        for person, practice, joined in zip(spells.person[here], practices, days, strict=True)
    }
