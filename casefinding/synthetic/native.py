"""Writing the native layout as Parquet: every column is text, dictionary-encoded, one part a shard."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from casefinding.files import writing
from casefinding.synthetic.codes import CODES
from casefinding.synthetic.events import NO_VALUE, Table
from casefinding.synthetic.network import Network, practice_table
from casefinding.synthetic.people import ETHNICITIES, NEVER, People
from casefinding.synthetic.shard import CONTACT_KINDS, STATES, Shard

COLUMNS = {
    "person": ("person", "birth_month", "sex", "ethnicity", "imd_decile", "imd_vintage", "died_on"),
    "registration": ("person", "practice", "started_on", "ended_on"),
    "practice": ("practice", "name", "pcn", "place"),
    "event": ("person", "happened_on", "recorded_on", "system", "code", "term", "value", "unit"),
    "contact": ("person", "condition", "kind", "on"),
    "extract": ("data_through", "kind"),
}
TRUTH = pa.schema(
    [
        ("pseudonym", pa.string()),
        ("condition", pa.string()),
        ("onset_on", pa.date32()),  # null: coded, but not ill
        ("coded_on", pa.date32()),  # the day on which the code was entered; null: never
        ("state", pa.string()),
        ("willingness", pa.float64()),
    ]
)
PEOPLE = pa.schema(
    [
        ("pseudonym", pa.string()),
        ("willingness", pa.float64()),
        ("usual_systolic", pa.float64()),  # mmHg, untreated, on the last day
        ("chance_hypertension", pa.float64()),  # of being ill, given age, sex and characteristics
        ("chance_atrial_fibrillation", pa.float64()),
        ("chance_copd", pa.float64()),
    ]
)
IMD_VINTAGE = "2019"


def schema(table: str) -> pa.Schema:
    """The native layout's columns of a table, all text."""
    return pa.schema([(name, pa.string()) for name in COLUMNS[table]])


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write one Parquet file whose bytes follow from its rows alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing():
        pq.write_table(table, path, compression="zstd", compression_level=1, store_schema=False, write_statistics=False)


def text(values: np.ndarray, words: list[str] | np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """Words by position, as a dictionary that holds only the words in use; null where `missing`."""
    # A dictionary must not repeat a word: Arrow then writes it out in full, and not always in the same bytes.
    distinct, same = np.unique(np.asarray(words, dtype=str), return_inverse=True)
    values = same.ravel()[values]
    used = np.zeros(len(distinct), dtype=bool)
    used[values] = True
    place = np.cumsum(used) - 1
    words = distinct[used].astype(object)
    return pa.DictionaryArray.from_arrays(
        pa.array(place[values].astype(np.int32), mask=missing), pa.array(words, type=pa.string())
    )


def days(values: np.ndarray) -> pa.Array:
    """Days since 1970 as ISO text; null for NEVER."""
    missing = values >= NEVER
    known = np.where(missing, 0, values).astype(np.int64)
    low, high = (int(known.min()), int(known.max())) if len(known) else (0, 0)
    words = np.datetime_as_string(np.arange(low, high + 1).astype("datetime64[D]"))
    return text(known - low, words, missing if missing.any() else None)


def numbers(table: Table) -> pa.Array:
    """Values as the plainest text that says the same; ">90" where the laboratory reports no more than that."""
    missing = table.value == NO_VALUE
    level = np.where(missing, 0, table.value)
    position = np.where(table.above, level + (1 << 23), level)
    distinct = np.flatnonzero(np.bincount(position.astype(np.int64), minlength=1))
    words = [f">{(v - (1 << 23)) / 100:g}" if v >= 1 << 23 else f"{v / 100:g}" for v in distinct.tolist()]
    return text(np.searchsorted(distinct, position), words, missing)


def event_table(table: Table, names: list[str]) -> pa.Table:
    """The native event rows of a shard."""
    code = table.code.astype(np.int64)
    units = [entry.unit for entry in CODES]
    blank = np.array([not unit for unit in units])[code]
    columns = [
        text(table.person, names),
        days(table.day),
        days(table.recorded),
        text(code, [entry.system for entry in CODES]),
        text(code, [entry.id for entry in CODES]),
        text(code, [entry.term for entry in CODES]),
        numbers(table),
        text(code, units, blank),
    ]
    return pa.table(columns, names=list(COLUMNS["event"]))


def person_table(people: People, names: list[str]) -> pa.Table:
    """The native person rows of a shard."""
    months = np.datetime_as_string(people.birth.astype("datetime64[D]").astype("datetime64[M]"))
    return pa.table(
        {
            "person": pa.array(names),
            "birth_month": pa.array(months.astype(object), type=pa.string()),
            "sex": text(people.woman.astype(np.int8), ["male", "female"]),
            "ethnicity": text(people.ethnicity, [row[0] for row in ETHNICITIES], ~people.ethnicity_known),
            "imd_decile": text(people.decile - 1, [str(number) for number in range(1, 11)], ~people.decile_known),
            "imd_vintage": text(np.zeros(people.n, dtype=np.int8), [IMD_VINTAGE], ~people.decile_known),
            "died_on": days(people.died),
        }
    )


def registration_table(people: People, names: list[str], network: Network) -> pa.Table:
    """One row a stay: those who move between practices have two, a few of them overlapping by some days."""
    moves = np.flatnonzero(people.moved < NEVER)
    ended = np.minimum(people.left, people.died).astype(np.int64)
    overlap = np.where(moves % 9 == 0, 6, -1)
    first_end = ended.copy()
    first_end[moves] = people.moved[moves] + overlap
    who = np.concatenate([np.arange(people.n), moves])
    practice = np.concatenate([people.practice, people.second[moves]]).astype(np.int64)
    return pa.table(
        {
            "person": text(who, names),
            "practice": text(practice, list(network.practices.code)),
            "started_on": days(np.concatenate([people.joined, people.moved[moves]])),
            "ended_on": days(np.concatenate([first_end, ended[moves]])),
        }
    )


def contact_table(shard: Shard, names: list[str]) -> pa.Table:
    """What an earlier programme left behind."""
    parts = [
        pa.table(
            {
                "person": text(person, names).cast(pa.string()),
                "condition": pa.array([condition] * len(person)),
                "kind": text(kind, list(CONTACT_KINDS)).cast(pa.string()),
                "on": days(on).cast(pa.string()),
            }
        )
        for person, condition, kind, on in shard.contact
    ]
    return pa.concat_tables(parts) if parts else schema("contact").empty_table()


def truth_table(shard: Shard, names: list[str], end: int) -> pa.Table:
    """One row a person and condition for everybody who is ill or coded."""
    parts = []
    for condition, onset in shard.truth.onset.items():
        coded, state = shard.truth.coded[condition], shard.truth.state[condition]
        here = np.flatnonzero(state >= 0)
        parts.append(
            pa.table(
                [
                    text(here, names).cast(pa.string()),
                    pa.array([condition] * len(here), type=pa.string()),
                    _dates(onset[here]),
                    _dates(np.where(coded[here] <= end, coded[here], NEVER)),
                    text(state[here], list(STATES)).cast(pa.string()),
                    pa.array(np.round(shard.people.willingness[here], 6)),
                ],
                schema=TRUTH,
            )
        )
    return pa.concat_tables(parts)


def people_table(shard: Shard, names: list[str], end: int) -> pa.Table:
    """The hidden side of everybody."""
    everyone = np.arange(shard.people.n)
    usual = shard.illness.systolic(shard.people, everyone, np.full(shard.people.n, end))
    chances = [pa.array(np.round(shard.illness.chance[name.removeprefix("chance_")], 6)) for name in PEOPLE.names[3:]]
    return pa.table(
        [pa.array(names), pa.array(np.round(shard.people.willingness, 6)), pa.array(np.round(usual, 2)), *chances],
        schema=PEOPLE,
    )


def _dates(values: np.ndarray) -> pa.Array:
    missing = values >= NEVER
    return pa.array(np.where(missing, 0, values).astype(np.int32), mask=missing).cast(pa.date32())


def write_shard(folder: Path, number: int, shard: Shard, names: list[str], network: Network) -> int:
    """Write a shard's parts; gives its number of events."""
    part = f"part-{number:05d}.parquet"
    write_parquet(person_table(shard.people, names), folder / "person" / part)
    write_parquet(registration_table(shard.people, names, network), folder / "registration" / part)
    write_parquet(event_table(shard.table, names), folder / "event" / part)
    write_parquet(contact_table(shard, names), folder / "contact" / part)
    return len(shard.table.person)


def write_frame(folder: Path, network: Network, end: dt.date) -> None:
    """Write the tables that do not grow with people: practices, and the last day of data."""
    write_parquet(practice_table(network.practices), folder / "practice.parquet")
    about = pa.table({"data_through": [end.isoformat()], "kind": ["native"]}, schema=schema("extract"))
    write_parquet(about, folder / "extract.parquet")
