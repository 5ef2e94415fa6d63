"""The network: practices that differ in deprivation, ethnicity, coding and habits; the same for every shard."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from casefinding.synthetic.regimes import REGIMES, Regime

_FIRST = (
    "Saltmarsh", "Heronsgate", "Millfield", "Eastquay", "Larkrise", "Oldbarn", "Foxglove", "Tidewell", "Chalkpit",
    "Brookside", "Windover", "Maltings", "Cresswood", "Ferryside", "Highbank", "Orchard Row", "Stonebridge",
    "Willowmere",
)  # fmt: skip
_SECOND = ("Surgery", "Medical Centre", "Health Centre", "Practice")
PRACTICES_A_NETWORK = 6


@dataclass(frozen=True)
class Practices:
    """One row a practice; every array has the length of `code`."""

    code: tuple[str, ...]
    name: tuple[str, ...]
    pcn: tuple[str, ...]
    size: np.ndarray  # share of all people
    decile: np.ndarray  # mean deprivation decile of its people
    minority: np.ndarray  # relative odds of not being White
    coding: np.ndarray  # chance that what was found is coded
    action: np.ndarray  # relative readiness to act on a finding
    measuring: np.ndarray  # relative frequency of measuring
    digit: np.ndarray  # share of readings rounded to 10
    laboratory: np.ndarray  # 1: reports eGFR above 90 as ">90"
    style: np.ndarray  # which of two pairs of codes its blood pressures carry


@dataclass(frozen=True)
class Network:
    """What every shard shares."""

    seed: int
    start: int  # first day of the ten years, days since 1970
    end: int  # last day of data
    regime: Regime
    practices: Practices


def make_network(practices: int, seed: int, end: int, regime: str) -> Network:
    """Practices spread evenly over deprivation and coding, in an order that the seed shuffles."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,)))

    def spread(low: float, high: float) -> np.ndarray:
        return rng.permutation(np.linspace(low, high, practices) if practices > 1 else np.array([(low + high) / 2]))

    decile = spread(2.6, 8.0)
    size = rng.lognormal(0.0, 0.3, practices)
    names = [f"{first} {second} (fictional)" for second in _SECOND for first in _FIRST]
    order = rng.permutation(len(names))
    made = Practices(
        code=tuple(f"Y99{number:03d}" for number in range(1, practices + 1)),
        name=tuple(
            names[order[i % len(names)]] + (f" {i // len(names) + 1}" if i >= len(names) else "")
            for i in range(practices)
        ),
        pcn=tuple(f"Network {i // PRACTICES_A_NETWORK + 1} (fictional)" for i in range(practices)),
        size=size / size.sum(),
        decile=decile,
        minority=np.exp(-0.22 * (decile - 5.5) + rng.normal(0, 0.4, practices)),
        coding=spread(0.86, 0.98),
        action=spread(0.8, 1.2),
        measuring=spread(0.85, 1.15),
        digit=spread(0.2, 0.6),
        laboratory=(spread(0, 1) > 0.4).astype(np.int8),
        style=(spread(0, 1) > 0.5).astype(np.int8),
    )
    return Network(seed, end - 3652, end, REGIMES[regime], made)


def practice_table(practices: Practices) -> pa.Table:
    """The native `practice` table."""
    rows = len(practices.code)
    return pa.table(
        {
            "practice": practices.code,
            "name": practices.name,
            "pcn": practices.pcn,
            "place": ["Saltmarsh (fictional)"] * rows,
        },
        schema=pa.schema([(name, pa.string()) for name in ("practice", "name", "pcn", "place")]),
    )
