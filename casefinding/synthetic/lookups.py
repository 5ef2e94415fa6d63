"""What each practice alone would have: which pseudonym is which NHS number; made up, in the range kept for tests."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from casefinding.files import canonical_json, new_folder, write_text

HEADER = ("pseudonym", "nhs_number", "practice", "date_of_birth", "emis_number", "telecom_number")
MOST = 909_000
"""NHS numbers from 999 000 0000 to 999 999 9999 with a check digit; more people than that get none."""
_FIRST = 999_000_000
_TELEPHONES = 1_000  # 07700 900000 to 900999 are kept for drama (Ofcom)


def kept_numbers(seed: int) -> np.ndarray:
    """Every NHS number that is kept for tests and has a check digit (int64), in an order that follows from the seed.

    Nine digits and a check digit by modulus 11 with weights 10 to 2 (NHS Data Dictionary, attribute NHS NUMBER).
    """
    nine = np.arange(_FIRST, _FIRST + 1_000_000, dtype=np.int64)
    total = np.zeros(len(nine), dtype=np.int64)
    rest = nine.copy()
    for weight in range(2, 11):
        total += rest % 10 * weight
        rest //= 10
    check = (11 - total % 11) % 11
    kept = (check < 10) & (nine * 10 + check != 9_999_999_999)
    numbers = nine[kept] * 10 + check[kept]
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(3,))).permutation(numbers)


def write_lookups(extract: Path, folder: Path, seed: int) -> int:
    """Write lookup_PRACTICE.csv for every practice of a simulated extract; gives the number of people with a number.

    One person has one number, also in two practices, and nobody else's. The lookup holds who is registered on the last
    day of the data. A population larger than the numbers kept for tests gets an empty folder and 0.
    """
    people = pq.read_table(extract / "person", columns=["person", "birth_month"]).to_pydict()
    stays = pq.read_table(extract / "registration", columns=["person", "practice", "ended_on"]).to_pydict()
    last = pq.read_table(extract / "extract.parquet", columns=["data_through"])["data_through"][0].as_py()
    codes = set(pq.read_table(extract / "practice.parquet", columns=["practice"])["practice"].to_pylist())
    born: dict[str, str] = {}
    for person, month in zip(people["person"], people["birth_month"], strict=True):
        if person and month:
            born.setdefault(person, month)
    numbers = kept_numbers(seed)
    with new_folder(folder) as fresh:
        write_text(fresh / "manifest.json", canonical_json({"kind": "lookups of made-up people", "seed": seed}))
        if len(born) > min(MOST, len(numbers)):
            return 0
        place = {person: number for number, person in enumerate(born)}
        rows: dict[str, dict[str, None]] = {code: {} for code in sorted(codes)}
        for person, practice, ended in zip(stays["person"], stays["practice"], stays["ended_on"], strict=True):
            if person in born and practice in codes and (ended is None or ended >= last):
                rows[practice].setdefault(person)
        for practice, here in rows.items():
            buffer = io.StringIO()
            out = csv.writer(buffer, lineterminator="\r\n")
            out.writerow(HEADER)
            for person in sorted(here):
                number = place[person]
                day = f"{1 + number % 28:02d}/{born[person][5:7]}/{born[person][:4]}"
                out.writerow(
                    [person, numbers[number], practice, day, number + 1, f"07700900{number % _TELEPHONES:03d}"]
                )
            write_text(fresh / f"lookup_{practice}.csv", buffer.getvalue())
    return len(born)
