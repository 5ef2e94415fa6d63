"""One file in, the same file out: row by row, with nothing in it that the allow-list does not let through."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from casefinding.files import writing
from casefinding.records.pseudonyms import digests
from casefinding.records.pseudonyms.columns import ADDED, PEOPLE
from casefinding.records.pseudonyms.common import HIDES, is_text, text_columns
from casefinding.records.pseudonyms.files_in import Source
from casefinding.records.pseudonyms.places import Places
from casefinding.records.pseudonyms.survey import CONFIDENTIAL, GONE, UNKNOWN, YES, Patient, Survey, whose_of
from casefinding.records.pseudonyms.treatments import TREATED, UNREADABLE, Treatment, without_time
from casefinding.records.pseudonyms.vocabulary import OTHER_UNIT
from casefinding.records.reasons import Left

EVERY = 50_000
"""Rows between two words on the progress."""
NOT_KEPT = frozenset({"", UNREADABLE, OTHER_UNIT})


@dataclass
class Rewritten:
    """What became of one file: rows in are rows out and the removed, by reason."""

    table: str
    rows_in: int = 0
    rows_out: int = 0
    removed: Counter[str] = field(default_factory=Counter)
    emptied: list[str] = field(default_factory=list)
    cells: Counter[str] = field(default_factory=Counter)
    rare: Counter[str] = field(default_factory=Counter)

    def for_manifest(self) -> dict[str, Any]:
        """Counts and names of columns; no value of anybody."""
        return {
            "table": self.table,
            "rows in": self.rows_in,
            "rows out": self.rows_out,
            "rows removed": dict(sorted(self.removed.items())),
            "columns emptied": self.emptied,
            "cells not copied for their form": dict(sorted(self.cells.items())),
            "cells not copied as text of fewer than 8 people": dict(sorted(self.rare.items())),
        }


@contextmanager
def writer(path: Path, encoding: str) -> Iterator[io.TextIOBase]:
    """A new text file, packed if its name ends in .gz; no name or time is in it, so that equal rows are equal bytes."""
    with writing():
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as raw:
            packed = gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) if path.name.endswith(".gz") else raw
            text = io.TextIOWrapper(packed, encoding=encoding, errors="replace", newline="")  # pyright: ignore[reportArgumentType]
            yield text
            text.flush()
            text.detach()
            if packed is not raw:
                packed.close()


def rewrite(
    source: Source, target: Path, survey: Survey, places: Places, tick: Callable[[int], None] = lambda rows: None
) -> Rewritten:
    """Write a file without its identifiers, a row at a time.

    Raises RecordsError for a row that cannot be read (file and row are said, never a cell), WriteError if the disk is
    full.
    """
    done = Rewritten(source.table.name)
    plan = _plan(source, survey)
    texts, hidden = set(text_columns(source)), _hidden(source, survey)
    done.emptied = [name for place, name in enumerate(source.header) if place not in plan]
    whose = whose_of(source) if source.table.whose else None
    people = source.table.name.lower() == PEOPLE[survey.kind]
    added = ADDED[survey.kind] if people else ()
    at = {name.lower(): source.at(name) for name in added}
    header = [*source.header, *(name for name in added if at[name.lower()] is None)]
    done.emptied = [name for name in done.emptied if name.lower() not in at]
    wide, steps = len(header), list(plan.items())
    number = next((place for place, what in steps if what is None), None)
    steps = [(place, what) for place, what in steps if what is not None]
    gone = source.at(GONE[survey.kind]) if survey.kind in GONE else None
    ids = {place: what for place, what in steps if _says_which(source, place)}
    where_added = [header.index(name) if (here := at[name.lower()]) is None else here for name in added]
    with writer(target, source.encoding) as text:
        out = csv.writer(text, lineterminator=source.ends)
        out.writerow(header)
        for cells in source.rows():
            done.rows_in += 1
            if not done.rows_in % EVERY:
                tick(done.rows_in)
            who = whose(cells) if whose is not None else ""
            reason = survey.stays(who) if whose is not None else ""
            if not reason and hidden is not None and hidden(cells):
                reason = Left.CONFIDENTIAL.value
            if reason == UNKNOWN and gone is not None and cells[gone].lower() in YES:
                # The deletion of a row may name nobody: it must arrive, and needs nothing but its ids.
                out.writerow([ids[place](cell) if place in ids and cell else "" for place, cell in enumerate(cells)]
                             + [""] * (wide - len(cells)))  # fmt: skip
                done.rows_out += 1
                continue
            if reason:
                done.removed[reason] += 1
                continue
            row = [""] * wide
            for place, treat in steps:
                cell = cells[place]
                if cell:
                    row[place] = kept = treat(cell)
                    if kept in NOT_KEPT and kept != cell:
                        (done.rare if place in texts else done.cells)[source.header[place]] += 1
            if number is not None and who:
                row[number] = survey.pseudonym(who)
            if added:
                _add_home(row, where_added, survey.patients.get(who), places)
            out.writerow(row)
            done.rows_out += 1
    return done


def _add_home(row: list[str], where: list[int], patient: Patient | None, places: Places) -> None:
    if patient is None:
        return
    home = places.home(patient.postcode)
    area, decile, vintage = where
    if home.lsoa:
        row[area] = home.lsoa
    if home.decile:  # else what the extract itself said stands
        row[decile], row[vintage] = home.decile, home.vintage


def _plan(source: Source, survey: Survey) -> dict[int, Callable[[str], str] | None]:
    """Position of each column that goes out -> what makes its cell; None for the pseudonym, which the row decides."""
    plan: dict[int, Callable[[str], str] | None] = {}
    for place, name in enumerate(source.header):
        treatment = source.table.columns.get(name.strip().lower())
        if treatment is None:
            continue
        if treatment is Treatment.NUMBER_OF_PATIENT:
            plan[place] = None
        elif treatment is Treatment.PATIENT:
            plan[place] = _patient_id(survey, name.strip().lower())
        elif treatment is Treatment.ROW:
            plan[place] = _row_id(survey)
        elif treatment is Treatment.DAY and source.table.whose:
            plan[place] = lru_cache(50_000)(lambda text: without_time(TREATED[Treatment.DAY](text)))
        elif is_text(source, name.strip().lower()):
            plan[place] = _shared(survey, code=treatment is Treatment.CODE)
        else:
            plan[place] = TREATED[treatment]
    return plan


def _says_which(source: Source, place: int) -> bool:
    return source.table.columns[source.header[place].strip().lower()] in (
        Treatment.ID, Treatment.ROW, Treatment.PATIENT, Treatment.FLAG,
    )  # fmt: skip


def _patient_id(survey: Survey, column: str) -> Callable[[str], str]:
    key, kind = survey.key, survey.kind
    what = "person of several organisations" if column == "personguid" else "patient"
    make = digests.of_id_as_number if kind == "omop" else digests.of_id
    return lru_cache(50_000)(lambda text: make(key, kind, what, text))


def _row_id(survey: Survey) -> Callable[[str], str]:
    key, kind = survey.key, survey.kind
    make = digests.of_id if kind == "emis" else digests.of_id_as_number
    return lambda text: make(key, kind, "row", text)


def _shared(survey: Survey, *, code: bool) -> Callable[[str], str]:
    """Text that enough people share; of a column of codes also what has the form of a code, with a digit in it."""
    term, form = TREATED[Treatment.TERM], TREATED[Treatment.CODE]

    def treat(text: str) -> str:
        if code and (kept := form(text)) and (kept == UNREADABLE or any(sign.isdigit() for sign in kept)):
            return kept
        return term(text) if text in survey.common else ""

    return treat


def _hidden(source: Source, survey: Survey) -> Callable[[list[str]], bool] | None:
    """Whether a row is marked confidential, in any of its versions, or belongs to a row that is; None: no row is."""
    if not survey.removes or survey.kind != "emis" or not source.table.whose:
        return None
    ids = [place for name in sorted(set(HIDES.values())) if (place := source.at(name)) is not None]
    mark = source.at(CONFIDENTIAL[1])
    return lambda cells: (
        (mark is not None and cells[mark].lower() in YES) or any(cells[place] in survey.hidden for place in ids)
    )
