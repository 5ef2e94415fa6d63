"""Cohort again, one person at a time in plain Python, from the rows and not from the tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

DAY = dt.timedelta(days=1)
Registration = tuple[int, str, dt.date, dt.date | None]
Event = tuple[int, dt.date, dt.date, int]


@dataclass
class World:
    registrations: Sequence[Registration]
    events: Sequence[Event]
    died: dict[int, dt.date]
    data_through: dt.date

    def spell(self, person: int, day: dt.date) -> Registration | None:
        fitting = [
            row for row in self.registrations
            if row[0] == person and row[2] < day and (row[3] is None or row[3] >= day)
        ]  # fmt: skip
        return max(fitting, key=lambda row: (row[2], row[1])) if fitting else None

    def unbroken(self, spell: Registration) -> tuple[dt.date, dt.date]:
        """Grow the spell backwards and forwards while another one lies at most 30 days away."""
        first, last = spell[2], spell[3] or dt.date.max
        grown = True
        while grown:
            grown = False
            for row in self.registrations:
                start, end = row[2], row[3] or dt.date.max
                near = (start - last).days <= 30 and (first - end).days <= 30
                if row[0] == spell[0] and near and (start < first or end > last):
                    first, last, grown = min(first, start), max(last, end), True
        return first, last

    def asked(self, person: int, day: dt.date) -> bool:
        died = self.died.get(person)
        return self.spell(person, day) is not None and (died is None or died >= day)

    def known(self, person: int, codes: set[int]) -> list[tuple[dt.date, dt.date]]:
        """(known, day) of each event of these codes."""
        return sorted(
            (max(day, recorded), day) for who, day, recorded, code in self.events if who == person and code in codes
        )

    def status(self, person: int, day: dt.date, diagnosis: set[int], resolved: set[int]) -> str:
        seen = [happened for known, happened in self.known(person, diagnosis) if known < day]
        ended = [happened for known, happened in self.known(person, resolved) if known < day]
        if not seen:
            return "never"
        return "resolved" if ended and max(ended) >= max(seen) else "on register"

    def outcome(
        self, person: int, day: dt.date, label: set[int], register: set[int], resolved: set[int],
        gap: int, horizon: int, ignore: int = 90,
    ) -> tuple[str, int]:  # fmt: skip
        """What happened, and the days followed after the end of the gap."""
        gap_end = day + gap * DAY
        end = gap_end + horizon * DAY
        spell = self.spell(person, day)
        last = self.unbroken(spell)[1] if spell else day - DAY
        last = min(last, self.died.get(person, dt.date.max), self.data_through)
        first = next((known for known, _ in self.known(person, label)), None)
        followed = (min(last, end, first or dt.date.max) - gap_end).days
        if self.status(person, day, register, resolved) != "never" or (first and first < day):
            return "prevalent", followed
        if first is not None and first <= min(last, end):
            joined = max((row[2] for row in self.registrations if row[0] == person and row[2] <= first), default=None)
            if joined is not None and (first - joined).days < ignore:
                return "from registration", followed
            return ("in the gap" if first <= gap_end else "case"), followed
        if last < gap_end:
            return "left in the gap", followed
        return ("censored" if last < end else "control"), (min(last, end) - gap_end).days


def weights(rows: Sequence[tuple[str, int]]) -> list[float]:
    """Inverse probability of censoring by going through the days one by one; `rows`: (outcome, days followed)."""
    used = [row for row in rows if row[0] in ("case", "control", "censored")]

    def still_here(before: float) -> float:
        chance = 1.0
        for day in sorted({days for outcome, days in used if outcome == "censored" and days < before}):
            leaving = sum(outcome == "censored" and days == day for outcome, days in used)
            there = sum(
                outcome == "control" or days > day or (days == day and outcome == "censored") for outcome, days in used
            )
            chance *= 1 - leaving / there
        return chance

    return [
        1 / still_here(days) if outcome == "case" else 1 / still_here(float("inf")) if outcome == "control" else 0.0
        for outcome, days in rows
    ]
