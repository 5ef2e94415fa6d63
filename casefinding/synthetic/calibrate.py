"""Finds the chances of ACTION in `priors`: simulate, compare coded prevalence by age with the published, adjust, again.

`python -m casefinding.synthetic.calibrate` prints the table to paste into `priors.py`; a run takes a few minutes.
"""

from __future__ import annotations

import datetime as dt

import numpy as np

from casefinding.synthetic.compare import Counts
from casefinding.synthetic.diagnosis import default_action
from casefinding.synthetic.illness import make_curves
from casefinding.synthetic.network import make_network
from casefinding.synthetic.priors import CODED_PERCENT, CONDITIONS, TRUE_PERCENT
from casefinding.synthetic.shard import simulate_shard

_END = (dt.date(2026, 9, 30) - dt.date(1970, 1, 1)).days


def count(
    people: int, practices: int, seed: int, action: dict[str, np.ndarray] | None = None, regime: str = "as published"
) -> Counts:
    """Simulate in memory, a shard at a time, and count."""
    network = make_network(practices, seed, _END, regime)
    curves, counts = make_curves(network), Counts()
    for number in range(-(-people // 20_000)):
        size = min(20_000, people - number * 20_000)
        counts.add(simulate_shard(number, size, network, curves, action or default_action()), _END)
    return counts


def calibrate(people: int = 200_000, rounds: int = 5) -> dict[str, np.ndarray]:
    """Adjust the chance of action in each band by the ratio of the odds wanted to the odds found."""
    action = default_action()
    for number in range(rounds):
        counts = count(people, 12, 100 + number, action)
        for condition in CONDITIONS:
            coded = counts.coded[condition].sum(axis=1) / counts.people.sum(axis=1)
            true = np.mean(TRUE_PERCENT[condition], axis=0) / 100
            wanted = np.array(CODED_PERCENT[condition]) / 100
            enough = np.array(CODED_PERCENT[condition]) >= 0.1  # rarer is left alone: noise
            share, aim = (
                np.clip(coded / np.maximum(true, 1e-6), 0.01, 0.985),
                np.clip(wanted / np.maximum(true, 1e-6), 0.01, 0.97),
            )
            factor = np.clip((aim / (1 - aim)) / (share / (1 - share)), 0.4, 2.5) ** 0.7
            action[condition] = np.clip(np.where(enough, action[condition] * factor, action[condition]), 0.003, 3.0)
            if condition != "hypertension":
                first = int(np.argmax(enough))
                action[condition][:first] = action[condition][first]
            print(number, condition, "coded / wanted:", np.round(100 * coded, 2), np.round(100 * wanted, 2))
    return action


if __name__ == "__main__":
    for name, values in calibrate().items():
        print(f'    "{name}": np.array({[round(float(value), 3) for value in values]}),')
