"""Small stores in the real layout, written from a few rows, and definitions of a made-up condition."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from casefinding.definitions.shapes import Code, CodeList, Definitions, Model, Signal
from casefinding.records.generation import Generation, locked
from casefinding.records.store import Store
from casefinding.records.tables import CODE, CONTACT, EVENT, PERSON, PRACTICE, QUARANTINE, REGISTRATION, UNIT

DIAGNOSIS, BROAD, RESOLVED, OTHER = 0, 1, 2, 3
CODES = ("433144002", "709044004", "162659009", "73211009")
"""In the store's code table: the label, a broader register code, resolved, and something else."""

Event = tuple[int, dt.date, dt.date, int]
"""Person, day, recorded day, code."""


def write_store(
    path: Path,
    *,
    people: int,
    registrations: Sequence[tuple[int, str, dt.date, dt.date | None]],
    events: Iterable[Event] = (),
    died: dict[int, dt.date] | None = None,
    born: dict[int, dt.date | None] | None = None,
    data_through: dt.date = dt.date(2024, 12, 31),
    shard_people: int = 7,
) -> Store:
    """A published store with these rows and nothing else."""
    died, born = died or {}, born or {}
    person = pa.table(
        {
            "person": list(range(people)),
            "pseudonym": [f"p{n:06d}" for n in range(people)],
            "birth_month": [born.get(n, dt.date(1960, 1, 1)) for n in range(people)],
            "sex": ["female" if n % 2 else "male" for n in range(people)],
            "ethnicity": ["white"] * people,
            "ethnicity_detail": [""] * people,
            "imd_decile": [n % 10 + 1 for n in range(people)],
            "imd_vintage": ["2019"] * people,
            "died_on": [died.get(n) for n in range(people)],
        },
        schema=PERSON,
    )
    tables = {
        "person.parquet": person,
        "registration.parquet": _table(REGISTRATION, sorted(registrations, key=lambda row: (row[0], row[2], row[1]))),
        "practice.parquet": _table(PRACTICE, [(p, p, "PCN", "") for p in sorted({row[1] for row in registrations})]),
        "code.parquet": _table(CODE, [(n, "snomed", code, "") for n, code in enumerate(CODES)]),
        "unit.parquet": _table(UNIT, [(0, "")]),
        "contact.parquet": _table(CONTACT, []),
        "quarantine.parquet": _table(QUARANTINE, []),
    }
    rows = sorted(events)
    shards = -(-people // shard_people)
    with locked(path), Generation(path) as generation:
        for name, table in tables.items():
            generation.write(name, table)
        for shard in range(shards):
            inside = [row for row in rows if row[0] // shard_people == shard]
            generation.write(
                f"events/shard-{shard:04d}.parquet",
                _table(EVENT, [(p, day, recorded, code, None, 0, 0) for p, day, recorded, code in inside]),
            )
        return generation.publish(
            {
                "kind": "native",
                "data_from": dt.date(2000, 1, 1).isoformat(),
                "data_through": data_through.isoformat(),
                "people": people,
                "shard_people": shard_people,
                "shards": shards,
                "counts": {},
            }
        )


def _table(schema: pa.Schema, rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [[] for _ in schema]
    return pa.table([pa.array(list(c), f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)


def definitions_of(**changes: Any) -> Definitions:
    """A condition 'kidney' with a label, a broader register list and a resolving code."""
    lists = {
        "core": (DIAGNOSIS,),
        "all": (DIAGNOSIS, BROAD),
        "resolved": (RESOLVED,),
    }
    model = {
        "condition": "kidney",
        "label": "Kidney disease",
        "about": "",
        "test": "blood test",
        "invite": "Invite",
        "chance of": "of kidney disease",
        "register": {"diagnosis": "all", "resolved": "resolved"},
        "outcome": {"diagnosis": "core", "gap": "30 days", "horizon": "12 months"},
        "features": ["age"],
        **changes,
    }
    return Definitions(
        codelists={
            name: CodeList(
                name=name, source="s", release="r", reviewed_by="v",
                codes=tuple(Code(system="snomed", id=CODES[n], label="x") for n in numbers),
            )
            for name, numbers in lists.items()
        },
        signals={name: Signal(name=name, label=name, codes=(name,)) for name in lists},
        models={"kidney": Model.model_validate(model)},
    )  # fmt: skip


def pairs_of(*rows: tuple[int, dt.date]) -> pa.Table:
    return pa.table(
        {
            "person": pa.array([row[0] for row in rows], pa.int64()),
            "index_day": pa.array([row[1] for row in rows], pa.date32()),
        }
    )
