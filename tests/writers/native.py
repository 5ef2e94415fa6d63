"""Read a native extract folder, Parquet or CSV, into plain tables of text inside an in-memory database."""

from __future__ import annotations

from pathlib import Path

import duckdb

COLUMNS = {
    "practice": ("practice", "name", "pcn", "place"),
    "person": ("person", "birth_month", "sex", "ethnicity", "imd_decile", "imd_vintage", "died_on"),
    "registration": ("person", "practice", "started_on", "ended_on"),
    "event": ("person", "happened_on", "recorded_on", "system", "code", "term", "value", "unit"),
    "contact": ("person", "condition", "kind", "on"),
    "extract": ("data_through", "kind"),
}
"""Tables of the native layout and their columns."""
ENDINGS = (".parquet", ".csv", ".csv.gz")


def read_native(folder: Path) -> duckdb.DuckDBPyConnection:
    """A database that holds the tables of COLUMNS: every cell text, empty cells NULL, rows in the files' order.

    Each table also has `seq`, its rows' number from 0. A table whose files are not there holds no rows.
    Raises FileNotFoundError for a folder that is no native extract.
    """
    con = duckdb.connect()
    con.execute("SET preserve_insertion_order = true")
    if not _files(folder, "person"):
        raise FileNotFoundError(f"{folder} holds no native extract")
    for table, columns in COLUMNS.items():
        names = ", ".join(f'nullif(CAST("{name}" AS VARCHAR), \'\') AS "{name}"' for name in columns)
        reads = []
        for kind, paths in _by_kind(_files(folder, table)).items():
            listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
            how = (
                f"read_parquet([{listed}], union_by_name = true)"
                if kind == "parquet"
                else f"read_csv([{listed}], header = true, all_varchar = true, delim = ',', quote = '\"')"
            )
            reads.append(f"SELECT {names} FROM {how}")
        nothing = ", ".join(f'NULL::VARCHAR AS "{name}"' for name in columns)
        con.execute(f"CREATE TABLE read_{table} AS {' UNION ALL '.join(reads) or f'SELECT {nothing} LIMIT 0'}")
        con.execute(f"CREATE TABLE {table} AS SELECT rowid AS seq, * FROM read_{table}")
        con.execute(f"DROP TABLE read_{table}")
    return con


def _files(folder: Path, table: str) -> list[Path]:
    many = folder / table
    if many.is_dir():
        return sorted(path for path in many.rglob("*") if path.is_file() and path.name.endswith(ENDINGS))
    return [path for ending in ENDINGS if (path := folder / f"{table}{ending}").is_file()]


def _by_kind(paths: list[Path]) -> dict[str, list[Path]]:
    kinds: dict[str, list[Path]] = {}
    for path in paths:
        kinds.setdefault("parquet" if path.suffix == ".parquet" else "csv", []).append(path)
    return kinds
