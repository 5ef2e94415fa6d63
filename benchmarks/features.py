"""Measure the feature matrix beside a bare scan and beside the same features by other means.

    python benchmarks/features.py                    # 100,000 people, 25 million events, 200 features; some minutes
    python benchmarks/features.py --people 5000      # a small trial

Every measurement runs in a process of its own, so that peak memory is its own. CPU is user and system time of all
threads of that process during the work itself, after imports and after a run on a handful of people (which loads or
compiles the kernel); the best of `--repeat` runs. The answers of the peers are compared with ours, cell by cell.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

SHARD = 20_000
SMALL, LARGE = 5, 20
"""Numbers of shards between which peak memory is compared."""


def main() -> None:
    """Make the records if they are not there, measure everything, print one table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--people", type=int, default=100_000)
    options.add_argument("--features", type=int, default=200)
    options.add_argument("--repeat", type=int, default=3)
    options.add_argument("--skip", nargs="*", default=[], help="measurements to leave out, e.g. pandas polars")
    options.add_argument("--one", help=argparse.SUPPRESS)
    options.add_argument("--threads", type=int, default=1, help=argparse.SUPPRESS)
    options.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "casefinding-benchmark")
    given = options.parse_args()
    if given.one:
        print(json.dumps(measure(given)))
        return
    shard = min(SHARD, -(-given.people // SMALL))
    store = _store(given.folder, given.people, shard)
    print(f"{platform.machine()}, {os.cpu_count()} processors, load before the run {os.getloadavg()[0]:.1f}")
    print(f"{given.people:,} people, {_rows(store):,} events, {store.shards} shards, {given.features} features\n")
    print(f"{'':<44}{'CPU s':>8}{'wall s':>8}{'peak MB':>9}{'features':>10}  {'cells that differ':>18}")
    scan = None
    for label, one, threads in (
        ("bare scan of the needed columns (DuckDB)", "scan", 1),
        ("the matrix, 1 thread", "matrix", 1),
        ("the matrix, 2 threads", "matrix", 2),
        ("the matrix, 2 threads, written as Parquet", "files", 2),
        ("DuckDB SQL, conditional aggregation", "duckdb", 2),
        ("Polars, one lazy query", "polars", 2),
        ("pandas, one group-by a feature", "pandas", 1),
    ):
        if one in given.skip:
            continue
        said = _apart(given, one, threads, given.people)
        scan = scan or said["cpu"]
        differ = "" if said.get("differ") is None else f"{said['differ']:,} of {said['cells']:,}"
        print(
            f"{label:<44}{said['cpu']:>8.2f}{said['wall']:>8.2f}{said['peak']:>9.0f}{said['features'] or '':>10}"
            f"  {differ:>18}   {said['cpu'] / scan:.1f} x the scan's CPU",
            flush=True,
        )
    if "shards" not in given.skip:
        print()
        for shards in (SMALL, LARGE):
            _store(given.folder, shards * shard, shard)
            said = _apart(given, "files", 2, shards * shard)
            print(f"peak memory, {shards} shards of {shard:,} people, to Parquet: {said['peak']:.0f} MB", flush=True)
    print(f"\nload after the run {os.getloadavg()[0]:.1f}")


def measure(given: argparse.Namespace) -> dict:
    """One measurement, in this process."""
    from feature_data import base_of, definitions

    from casefinding.records.store import Store

    store = Store.open(given.folder / f"people-{given.people}")
    known, base = definitions(given.features), base_of(given.people)
    result: dict = {}
    work, features = _work(given, store, known, base, result)
    best = None
    for _ in range(given.repeat if given.one != "pandas" else 1):
        result.clear()
        before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        work()
        wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = min(best or (cpu, wall), (cpu, wall))
    assert best is not None
    said = {"cpu": best[0], "wall": best[1], "peak": _peak(), "features": features}
    if given.one in ("duckdb", "polars", "pandas"):
        said |= _compare(result, store, known, base)
    return said


def _peak() -> float:
    """Most memory ever held by this program, in MB; getrusage would also count the process that started it."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _work(given: argparse.Namespace, store, known, base, result: dict) -> tuple[Callable[[], object], int]:
    """What is to be measured, and how many features it gives."""
    from feature_peers import PEERS, sayable

    names = list(known.features)
    if given.one == "scan":
        import duckdb

        from casefinding.signals.plan import compile_plan

        needed = compile_plan(known, names, store.codes(), store.units()).event_columns
        con = duckdb.connect()
        con.execute(f"set threads={given.threads}")
        columns = ", ".join(f"max({name})" for name in needed)
        query = f"select {columns} from read_parquet('{store.folder}/events/*.parquet')"
        return lambda: con.execute(query).fetchall(), 0
    if given.one in PEERS:
        os.environ["POLARS_MAX_THREADS"] = str(given.threads)
        __import__(given.one)
        return (
            lambda: result.update(PEERS[given.one](store.folder, known, given.people, given.threads)),
            len(sayable(known)),
        )
    from casefinding.signals.matrix import build_matrix

    build_matrix(store, known, names, base.slice(0, 5), threads=1)
    if given.one == "files":
        folder = given.folder / "matrix"
        return lambda: build_matrix(store, known, names, base, folder, threads=given.threads), len(names)
    return lambda: build_matrix(store, known, names, base, threads=given.threads), len(names)


def _compare(result: dict, store, known, base) -> dict:
    """How many cells are not ours to a relative 1e-9 (slopes and spreads: 1e-6, their sums are taken otherwise)."""
    import numpy as np

    from casefinding.signals.matrix import build_matrix

    ours = build_matrix(store, known, list(result), base, threads=1)
    differ = 0
    for name, theirs in result.items():
        loose = known.features[name].ask in ("trend", "spread")
        close = {"rtol": 1e-6, "atol": 1e-4} if loose else {"rtol": 1e-9, "atol": 0}
        differ += int((~np.isclose(ours[name].to_numpy(), theirs, equal_nan=True, **close)).sum())
    return {"differ": differ, "cells": len(result) * base.num_rows}


def _apart(given: argparse.Namespace, one: str, threads: int, people: int) -> dict:
    command = [sys.executable, __file__, "--one", one, "--threads", str(threads), "--people", str(people)]
    command += ["--features", str(given.features), "--repeat", str(given.repeat), "--folder", str(given.folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _store(folder: Path, people: int, shard: int):
    from feature_data import make_store

    from casefinding.records.store import Store

    path = folder / f"people-{people}"
    if not (path / "CURRENT").exists():
        print(f"making {people:,} people in {path}", file=sys.stderr)
        make_store(path, people, shard)
    return Store.open(path)


def _rows(store) -> int:
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(store.event_path(shard)).num_rows for shard in range(store.shards))


if __name__ == "__main__":
    main()
