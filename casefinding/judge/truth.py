"""Against the truth: of people who are ill and whom nobody has coded, how many does a list of that length hold?

Only made-up people have a known truth. Their file is opened here and nowhere else in the package: a test searches
every other module for it. Coded diagnoses tell what was found; only the truth tells what was missed.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from casefinding.errors import RecordsError
from casefinding.judge.rows import Ints, dates

COLUMNS = ("pseudonym", "condition", "onset_on", "coded_on", "state")


@dataclass(frozen=True)
class Ill:
    """Row for row: is this person ill and uncoded on the index day, and in what state (number in `states`, else -1)?"""

    ill: NDArray[np.float64]
    state: Ints
    states: tuple[str, ...]


@dataclass(frozen=True)
class Truth:
    """Who is ill with what, since when, and when that was coded: one row a person and condition."""

    table: pa.Table

    @classmethod
    def read(cls, path: Path) -> Truth:
        """Read a truth file (Parquet); RecordsError if it is none."""
        try:
            table = pq.read_table(path)
        except (OSError, pa.ArrowException) as problem:
            raise RecordsError("the truth file cannot be read as Parquet", where=path.name) from problem
        for name in COLUMNS:
            if name not in table.column_names:
                raise RecordsError(f"column {name!r} is missing", where=path.name)
        return cls(table.select(COLUMNS))

    @classmethod
    def of_attributes(cls, path: Path) -> Truth:
        """Read a table of people's attributes (CSV, may be gzipped): `patient`, and for a condition the moments
        `<condition>__Onset_..__at` and `<condition>__Diagnos..__at`; conditions without an onset are not in it."""
        try:
            table = pcsv.read_csv(path, convert_options=pcsv.ConvertOptions(column_types={"patient": pa.string()}))
        except (OSError, pa.ArrowException) as problem:
            raise RecordsError("the truth file cannot be read as CSV", where=path.name) from problem
        if "patient" not in table.column_names:
            raise RecordsError("column 'patient' is missing", where=path.name)
        parts = []
        for name in table.column_names:
            match = re.match(r"^([a-z_]+?)__Onset_.*__at$", name)
            if match:
                told = [one for one in table.column_names if one.startswith(f"{match[1]}__Diagnos")]
                onset = _days(table[name])
                coded = _days(table[told[0]]) if told else pa.nulls(table.num_rows, pa.date32())
                ill = onset.is_valid()
                part = pa.table(
                    {
                        "pseudonym": table["patient"], "condition": [match[1]] * table.num_rows, "onset_on": onset,
                        "coded_on": coded, "state": ["not known"] * table.num_rows,
                    }
                )  # fmt: skip
                parts.append(part.filter(ill))
        if not parts:
            raise RecordsError("no column tells when a condition began", where=path.name)
        return cls(pa.concat_tables(parts))

    @property
    def conditions(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.table["condition"].to_pylist())))

    def about(self, condition: str, number: Ints, day: NDArray[np.datetime64], people: pa.Table) -> Ill:
        """Who of some rows (person number, index day) is ill and uncoded on that day.

        Ill: the onset is on or before the index day. Uncoded: no code, or coded on the index day or later, as a fact
        of the index day is not yet seen on it. `people` is the store's person table (person, pseudonym).
        """
        mine = self.table.filter(pa.array(_text(self.table["condition"]) == condition))
        names, pseudonyms = _text(mine["pseudonym"]), _text(people["pseudonym"])
        if len(np.unique(names)) != len(names):
            raise RecordsError("a person has more than one row for a condition", where="truth")
        by_name = np.argsort(pseudonyms, kind="stable")
        place = np.minimum(np.searchsorted(pseudonyms, names, sorter=by_name), len(pseudonyms) - 1)
        here = np.flatnonzero(pseudonyms[by_name][place] == names) if len(pseudonyms) else np.zeros(0, np.int64)
        if len(names) and not len(here):
            raise RecordsError("the truth speaks of nobody in these records", where="truth")
        person = np.asarray(people["person"].to_numpy(zero_copy_only=False), np.int64)[by_name][place[here]]
        order = np.argsort(person, kind="stable")
        person, here = person[order], here[order]
        if not len(person):
            return Ill(np.zeros(len(number)), np.full(len(number), -1), ())
        onset, coded = dates(mine["onset_on"])[here], dates(mine["coded_on"])[here]
        states, state = np.unique(_text(mine["state"])[here], return_inverse=True)
        row = np.searchsorted(person, number)
        row = np.minimum(row, len(person) - 1)
        with_onset = (person[row] == number) & (onset[row] <= day)
        ill = with_onset & (np.isnat(coded[row]) | (coded[row] >= day))
        return Ill(ill.astype(float), np.where(ill, state[row], -1), tuple(str(name) for name in states))


def _days(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Moments as text or as timestamps, cut to days; empty is null."""
    if pa.types.is_null(column.type):
        return column.cast(pa.date32())
    found = [None if value is None else str(value)[:10] for value in column.to_pylist()]
    return pa.chunked_array([pa.array([dt.date.fromisoformat(day) if day else None for day in found], pa.date32())])


def _text(column: pa.ChunkedArray) -> NDArray[np.object_]:
    """A column as text; null becomes "not known"."""
    values = pc.fill_null(pc.cast(column, pa.string()), "not known")
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=object)
