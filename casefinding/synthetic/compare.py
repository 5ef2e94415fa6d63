"""Simulated against published prevalence, by age and sex; the counts are taken while a population is made."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from casefinding.synthetic.priors import BAND_LABELS, CODED_PERCENT, CONDITIONS, TRUE_PERCENT, band_of
from casefinding.synthetic.shard import STATES, Shard

SEXES = ("female", "male")


@dataclass
class Counts:
    """People registered on the last day, by age band and sex (8 x 2); of them ill and coded by condition; by state."""

    people: np.ndarray = field(default_factory=lambda: np.zeros((8, 2), dtype=np.int64))
    true: dict[str, np.ndarray] = field(
        default_factory=lambda: {c: np.zeros((8, 2), dtype=np.int64) for c in CONDITIONS}
    )
    coded: dict[str, np.ndarray] = field(
        default_factory=lambda: {c: np.zeros((8, 2), dtype=np.int64) for c in CONDITIONS}
    )
    false: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CONDITIONS, 0))  # coded, but not ill
    states: dict[str, dict[str, int]] = field(default_factory=lambda: {c: dict.fromkeys(STATES, 0) for c in CONDITIONS})

    def add(self, shard: Shard, end: int) -> None:
        """Count one more shard."""
        people = shard.people
        here = (people.seen_to > end) & (people.age >= 16)
        cell = (band_of(people.age[here]) - 1) * 2 + ~people.woman[here]
        self.people += np.bincount(cell, minlength=16).reshape(8, 2)
        for condition in CONDITIONS:
            ill = shard.truth.onset[condition][here] <= end
            coded = shard.truth.coded[condition][here] <= end
            self.true[condition] += np.bincount(cell[ill], minlength=16).reshape(8, 2)
            self.coded[condition] += np.bincount(cell[coded], minlength=16).reshape(8, 2)
            self.false[condition] += int((coded & ~ill).sum())
            for position, state in enumerate(STATES):
                self.states[condition][state] += int((ill & (shard.truth.state[condition][here] == position)).sum())


def compare(counts: Counts) -> list[dict[str, object]]:
    """One row a condition, age band and sex: per cent truly ill and coded, simulated and published."""
    rows: list[dict[str, object]] = []
    for condition in CONDITIONS:
        for band, label in enumerate(BAND_LABELS):
            everyone = counts.people[band].sum()
            for position, sex in enumerate(SEXES):
                people = int(counts.people[band, position])
                rows.append(
                    {
                        "condition": condition,
                        "age": label,
                        "sex": sex,
                        "people": people,
                        "true": int(counts.true[condition][band, position]),
                        "true_percent": 100 * float(counts.true[condition][band, position]) / max(people, 1),
                        "published_true_percent": float(TRUE_PERCENT[condition][position][band]),
                        "coded": int(counts.coded[condition][band, position]),
                        "coded_percent_both": 100 * float(counts.coded[condition][band].sum()) / max(everyone, 1),
                        "published_coded_percent_both": float(CODED_PERCENT[condition][band]),
                    }
                )
    return rows


def as_markdown(counts: Counts) -> str:
    """The comparison as a Markdown table, for docs/reference/synthetic-population.md."""
    lines = [
        "| condition | age | true, women: simulated / published | true, men | coded, both |",
        "|---|---|---|---|---|",
    ]
    rows = compare(counts)
    for women, men in zip(rows[::2], rows[1::2], strict=True):
        lines.append(
            f"| {str(women['condition']).replace('_', ' ')} | {women['age']} "
            f"| {women['true_percent']:.2f} / {women['published_true_percent']:g} "
            f"| {men['true_percent']:.2f} / {men['published_true_percent']:g} "
            f"| {women['coded_percent_both']:.2f} / {women['published_coded_percent_both']:g} |"
        )
    return "\n".join(lines) + "\n"


def main(people: int = 100_000, practices: int = 12, seed: int = 20261101) -> None:
    """Simulate in memory and print the comparison: `python -m casefinding.synthetic.compare`."""
    from casefinding.synthetic.calibrate import count

    counts = count(people, practices, seed)
    print(as_markdown(counts))
    for condition in CONDITIONS:
        print(condition, counts.states[condition], "coded but not ill:", counts.false[condition])


if __name__ == "__main__":
    main()
