"""Measure how long records take to come in, beside a bare sort of the same rows.

    python benchmarks/ingest.py                     # 280,000 people, 25 million events; some minutes, 4 GB of disk
    python benchmarks/ingest.py --people 20000      # a small trial

The records are simulated once. Every measurement runs in a process of its own, so that peak memory is its own: the
whole `ingest` from Parquet, from CSV, and from an EMIS extract of the first tenth of the people; and DuckDB's bare
`COPY (SELECT ... ORDER BY person, day, ...) TO Parquet` of the same events, with the same memory and threads, which
checks nothing, numbers nothing and keeps no quarantine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

EVENT = "event/*"
ORDER = "person, happened_on, recorded_on, system, code, value, unit"


def main() -> None:
    """Make the records if they are not there, measure everything, print one table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--people", type=int, default=280_000)
    options.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "casefinding-benchmark-ingest")
    options.add_argument("--one", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.one:
        print(json.dumps(measure(given.one, given.folder)))
        return
    made = given.folder / "made-for"
    if not made.exists() or made.read_text() != str(given.people):
        _make(given.folder, given.people)
        made.write_text(str(given.people))
    print(f"{platform.machine()}, {os.cpu_count()} processors, load before the run {os.getloadavg()[0]:.1f}")
    print(f"{'':<46}{'events':>12}{'wall s':>8}{'CPU s':>8}{'peak MB':>9}{'of the bare sort':>18}")
    bare: dict[str, float] = {}
    for label, one, against in (
        ("bare sort of the events, from Parquet", "sort parquet", ""),
        ("ingest, native layout, from Parquet", "native parquet", "sort parquet"),
        ("bare sort of the events, from CSV", "sort csv", ""),
        ("ingest, native layout, from CSV", "native csv", "sort csv"),
        ("ingest, EMIS Web 8.2, a tenth of the people", "emis emis", ""),
    ):
        found = _apart(one, given.folder)
        bare[one] = found["wall"]
        ratio = f"{found['wall'] / bare[against]:.1f}" if against else ""
        print(
            f"{label:<46}{found['events']:>12,}{found['wall']:>8.1f}{found['cpu']:>8.1f}{found['peak']:>9.0f}{ratio:>18}",
            flush=True,
        )


def _apart(one: str, folder: Path) -> dict[str, float]:
    """One measurement in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", one, "--folder", str(folder)], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def measure(one: str, folder: Path) -> dict[str, float]:
    """Run one measurement here: wall and CPU seconds, peak memory in MB, and the number of events that came in."""
    what, form = one.split()
    target = folder / "made-now"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    work = _sort if what == "sort" else _ingest
    started, before = time.perf_counter(), os.times()
    events = work(what, folder / form, target)
    wall, after = time.perf_counter() - started, os.times()
    shutil.rmtree(target)
    return {
        "events": events,
        "wall": wall,
        "cpu": after.user + after.system - before.user - before.system,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _ingest(kind: str, extract: Path, target: Path) -> int:
    from casefinding.records.sources import ingest

    return ingest(kind, extract, target / "store").counts()["rows"]["event"]["kept"]


def _sort(_: str, extract: Path, target: Path) -> int:
    import duckdb

    from casefinding.records.engine import MEMORY, THREADS

    bare = duckdb.connect(
        config={
            "threads": str(THREADS), "memory_limit": MEMORY, "temp_directory": str(target / "spill"),
            "preserve_insertion_order": "false",
        }
    )  # fmt: skip
    source = (
        f"read_csv('{extract}/{EVENT}', all_varchar=true)"
        if extract.name == "csv"
        else f"read_parquet('{extract}/{EVENT}')"
    )
    bare.execute(f"COPY (SELECT * FROM {source} ORDER BY {ORDER}) TO '{target}/sorted.parquet' (COMPRESSION zstd)")
    ((rows,),) = bare.execute(f"SELECT count(*) FROM read_parquet('{target}/sorted.parquet')").fetchall()
    return rows


def _make(folder: Path, people: int) -> None:
    import duckdb

    from casefinding.synthetic.simulate import simulate
    from tests.writers.emis import write_emis

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    simulate(people, max(1, people // 8_000), 20261101, folder / "parquet", folder / "truth")
    (folder / "csv").mkdir()
    for table in ("person", "registration", "contact", "event"):
        (folder / "csv" / table).mkdir()
        for part in sorted((folder / "parquet" / table).glob("*.parquet")):
            duckdb.execute(f"COPY (FROM read_parquet('{part}')) TO '{folder}/csv/{table}/{part.stem}.csv' (HEADER)")
    for table in ("practice", "extract"):
        duckdb.execute(
            f"COPY (FROM read_parquet('{folder}/parquet/{table}.parquet')) TO '{folder}/csv/{table}.csv' (HEADER)"
        )
    small = max(600, people // 10)
    simulate(small, max(1, small // 8_000), 20261101, folder / "tenth", folder / "tenth-truth")
    write_emis(folder / "tenth", folder / "emis")


if __name__ == "__main__":
    main()
