"""Time the choice of whom to invite in a network, and hold it against a list by chance alone.

    python benchmarks/choose.py --work out/demo-records --models out/demo/models    # after `make demo`

Takes the store and the bundles of a finished run, scores everybody, and then chooses: with the config's own capacity
and floors, without floors, with a network's pool, with attendance below 1, and with floors that cannot all be met.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]


class _Enough(Exception):
    """What the choice is given is known: the rest of the job is not wanted."""


def main() -> None:
    """Score once, choose several times, print one line each."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--config", type=Path, default=HERE.parent / "configs" / "demo.yaml")
    options.add_argument("--work", type=Path, required=True, help="the folder that holds store/")
    options.add_argument("--models", type=Path, required=True, help="the folder of bundles, one a condition")
    given = options.parse_args()
    from casefinding.recall.choice.choose import choose

    views, base, visits, capacity, equity, networks, *_ = scored(given)
    practices = len(set(base["practice"].to_pylist()))
    print(f"{base.num_rows:,} people, {practices} practices, {len(set(networks.values()))} networks")
    print(f"{'':<34}{'seconds':>8}{'gap':>8}{'cases':>9}{'by chance':>11}{'ratio':>7}{'floors cost':>13}{'not met':>9}")
    for label, numbers, floors in variants(capacity, equity, networks):
        started = time.perf_counter()
        found = choose(views, base, visits, numbers, floors, networks)
        seconds = time.perf_counter() - started
        cases, plain = sum(found.expected.values()), sum(found.plain.values())
        print(
            f"{label:<34}{seconds:>8.1f}{found.gap:>8.2%}{cases:>9.2f}{plain:>11.2f}{cases / max(plain, 1e-9):>7.3f}"
            f"{sum(found.floors_cost.values()):>13.3f}{sum(not one.met for one in found.floors):>9}",
            flush=True,
        )


def variants(capacity: Any, equity: Any, networks: dict[str, str]) -> Iterator[tuple[str, Any, Any]]:
    """A label, capacities and equity floors to choose under."""
    from casefinding.definitions.capacity import Equity, Pool

    free = Equity(floor=0)
    every = capacity.every_practice
    shared = {name: Pool(a_month={kind: 30 for kind in every.a_month}) for name in set(networks.values())}
    fewer = every.model_copy(update={"expected_attendance": 0.43})
    yield "as configured", capacity, equity
    yield "without floors", capacity, free
    yield "and 30 of each from the network", capacity.model_copy(update={"networks": shared}), equity
    yield "43% attend", capacity.model_copy(update={"every_practice": fewer}), equity
    yield "every group its full share", capacity, Equity(floor=1.0)


def scored(given: argparse.Namespace) -> tuple[Any, ...]:
    """What the job hands to the choice, from a finished run's store and bundles."""
    from casefinding.definitions.read import read_config, read_definitions
    from casefinding.job import scoring
    from casefinding.job.progress import Stages
    from casefinding.learn.bundle import read_bundle
    from casefinding.records.store import Store

    config = read_config(given.config)
    bundles = {name: read_bundle(given.models / name) for name in config.conditions}
    handed: list[tuple[Any, ...]] = []

    def instead(*arguments: Any) -> Any:
        handed.append(arguments)
        raise _Enough

    scoring.choose = instead  # type: ignore[attr-defined]
    try:
        scoring.score(read_definitions(), Store.open(given.work / "store"), config, bundles, Stages(quiet=True))
    except _Enough:
        pass
    return handed[0]


if __name__ == "__main__":
    main()
