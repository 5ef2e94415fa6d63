"""The tables of the store: their columns, and nothing else."""

from __future__ import annotations

import pyarrow as pa

FORMAT = 1
"""Raised when a column changes meaning; a store of another format is refused."""

PERSON = pa.schema(
    [
        ("person", pa.int64()),  # 0, 1, 2 ... in the order of the pseudonyms; shards are ranges of it
        ("pseudonym", pa.string()),
        ("birth_month", pa.date32()),  # first day of the month
        ("sex", pa.string()),  # female, male, unknown
        ("ethnicity", pa.string()),  # one of ETHNICITIES (5+1)
        ("ethnicity_detail", pa.string()),  # as recorded: 16+1 group or code; empty if unknown
        ("imd_decile", pa.int8()),  # 1 = most deprived; null if unknown
        ("imd_vintage", pa.string()),
        ("died_on", pa.date32()),
    ]
)
REGISTRATION = pa.schema(
    [("person", pa.int64()), ("practice", pa.string()), ("started_on", pa.date32()), ("ended_on", pa.date32())]
)
PRACTICE = pa.schema([("practice", pa.string()), ("name", pa.string()), ("pcn", pa.string()), ("place", pa.string())])
EVENT = pa.schema(
    [
        ("person", pa.int64()),
        ("day", pa.date32()),
        ("recorded_day", pa.date32()),
        ("code", pa.int32()),  # row of the code table
        ("value", pa.float32()),  # null where the event carries none
        ("unit", pa.int16()),  # row of the unit table; 0 = none recorded
        ("comparator", pa.int8()),  # 0 none, 1 "<" or "<=", 2 ">" or ">="
    ]
)
"""Sorted by every column, from left to right; one Parquet file a shard."""
CODE = pa.schema([("code", pa.int32()), ("system", pa.string()), ("id", pa.string()), ("term", pa.string())])
UNIT = pa.schema([("unit", pa.int16()), ("text", pa.string())])
CONTACT = pa.schema([("person", pa.int64()), ("condition", pa.string()), ("kind", pa.string()), ("on", pa.date32())])
CONTACT_KINDS = ("invited", "seen", "tested", "declined", "opted out", "already known", "not appropriate")
QUARANTINE = pa.schema(
    [
        ("file", pa.string()),
        ("row", pa.int64()),  # 1 = first row after the header
        ("practice", pa.string()),
        ("reason", pa.string()),
        ("column", pa.string()),
    ]
)
"""Where a refused row stands and why; never what it says: the extract itself still holds that."""
