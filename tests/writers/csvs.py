"""CSV as the suppliers write it: a header, commas, quotes only where needed, and lines that end in CR LF."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

_BLOCK = 1 << 24


def select(header: Sequence[str], cells: Mapping[str, str], source: str) -> str:
    """SQL that yields the columns of a header, in its order: `cells` gives SQL by column, any other column is empty.

    The case of a column's name does not matter. Raises KeyError for cells that no column takes.
    """
    exact = {name.lower(): sql for name, sql in cells.items()}
    unknown = set(exact) - {name.lower() for name in header}
    if unknown:
        raise KeyError(f"no such columns: {sorted(unknown)}")
    columns = ", ".join(f'({exact.get(name.lower(), "NULL")})::VARCHAR AS "{name}"' for name in header)
    return f"SELECT {columns} FROM {source}"


def write_csv(con: duckdb.DuckDBPyConnection, sql: str, path: Path, encoding: str = "utf-8") -> int:
    """Write the rows of a SELECT; gives their number. What the encoding lacks turns into a question mark."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rough = path.with_name(path.name + ".rough")
    ((rows,),) = con.execute(f"COPY ({sql}) TO '{rough}' (FORMAT csv, HEADER true, DELIMITER ',')").fetchall()
    decode = codecs.getincrementaldecoder("utf-8")().decode
    with open(rough, "rb") as source, open(path, "wb") as target:
        while block := source.read(_BLOCK):
            block = block.replace(b"\n", b"\r\n")
            target.write(block if encoding == "utf-8" else decode(block).encode(encoding, errors="replace"))
    rough.unlink()
    return rows
