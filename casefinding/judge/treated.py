"""Treatment gaps by practice, network and place: how many lack it, and how many would if all were treated alike.

Expected is by indirect standardisation: each person counts with the share that lacks it among people of their age
band and sex in all practices together (judge.groups). So a practice is held against its neighbours as they are, not
against a target; where all do badly, none stands out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from casefinding.judge.groups import who_they_are
from casefinding.judge.rows import Floats

LEVELS = ("everybody", "place", "network", "practice")
"""From the whole to its parts; each level's units add up to the one before where every practice names its own."""
EVERYBODY = "All practices"


@dataclass(frozen=True)
class Rate:
    """One unit's people who are due a treatment, and those of them who lack it; exact, for the job's own use."""

    level: str  # one of LEVELS
    code: str
    name: str
    people: int
    lacking: int
    expected: float  # who would lack it at the share of all practices together, by age and sex


def rates(
    counted: np.ndarray, lacking: np.ndarray, base: pa.Table, practices: Sequence[Mapping[str, Any]]
) -> list[Rate]:
    """Rates of everybody, then of each place, network and practice that has anybody registered, in order of name.

    `counted`, `lacking`: bool, one a row of the cohort's base table. `practices`: code, name, pcn and place as the
    store gives them; a practice without a network or place is in none.
    """
    practice = base["practice"].to_numpy(zero_copy_only=False)
    expected = expected_lacking(counted, lacking, base)
    of_practice = {str(row["practice"]): row for row in practices}

    def count(level: str, code: str, name: str, rows: np.ndarray) -> Rate:
        mine = rows & counted
        return Rate(level, code, name, int(mine.sum()), int((mine & lacking).sum()), float(expected[mine].sum()))

    found = [count("everybody", "", EVERYBODY, np.ones(len(counted), dtype=bool))]
    codes = sorted({str(code) for code in practice})
    for level, column in (("place", "place"), ("network", "pcn")):
        named = {code: (of_practice.get(code) or {}).get(column) or "" for code in codes}
        for unit in sorted({name for name in named.values() if name}):
            inside = [code for code, name in named.items() if name == unit]
            found.append(count(level, unit, unit, np.isin(practice, inside)))
    for code in codes:
        name = (of_practice.get(code) or {}).get("name") or code
        found.append(count("practice", code, name, practice == code))
    return found


def expected_lacking(counted: np.ndarray, lacking: np.ndarray, base: pa.Table) -> Floats:
    """The share of people like this one who lack it, one a row; 0 for those who are not counted.

    "Like": of one age band and sex. The expected of all who are counted add up to those who lack it.
    """
    by_name = {one.name: one for one in who_they_are(base)}
    age, sex = by_name["age_band"], by_name["sex"]
    stratum = age.of * len(sex.names) + sex.of
    size = len(age.names) * len(sex.names)
    people = np.bincount(stratum[counted], minlength=size)
    without = np.bincount(stratum[counted & lacking], minlength=size)
    share = without / np.maximum(people, 1)
    return np.where(counted, share[stratum], 0.0)
