"""What one condition knows about everybody registered on the index day, row by row with the base table."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from casefinding.definitions.shapes import LeaveOut, Model

STAGES = ("review the record", "invite", "chance", "never measured", "training")
"""What a leave-out can drop a person from; act now and check the reading only by EVERYTHING."""
EVERYTHING = "everything"
SAME_STAGE = {"chase the result": "review the record"}
"""Lanes that a leave-out drops people from by the name of another: a result is a part of the record."""


@dataclass(frozen=True)
class View:
    """One condition over the base table of n people; every array has length n.

    `flags` holds the rules that fired, `severe` those of them that come first of all, `left_out` the leave-outs that
    hold, each by name; `chance` is missing (NaN) where no model was trained or may be asked about the person.
    `wave` is which invitation (1, 2, 3) the next one would be. `expected` is the chance, by published prevalence less
    the register, that somebody not on it has the condition; `shift` is what anchoring has added to the log-odds of
    every chance.
    """

    model: Model
    status: np.ndarray  # "never", "on register", "resolved"
    eligible: np.ndarray  # may the model be asked
    flags: dict[str, np.ndarray]
    left_out: dict[str, np.ndarray]
    drops: dict[str, tuple[str, ...]]  # leave-out -> the stages it drops from
    leave_outs: tuple[LeaveOut, ...]
    chance: np.ndarray
    raw: np.ndarray
    severe: dict[str, np.ndarray] = field(default_factory=dict)
    expected: np.ndarray | None = None
    shift: float = 0.0
    wave: np.ndarray | None = None

    @property
    def condition(self) -> str:
        return self.model.condition

    def allowed(self, stage: str) -> np.ndarray:
        """Who may still appear at a stage: not dropped from it by any leave-out."""
        kept = np.ones(len(self.chance), dtype=bool)
        for name, stages in self.drops.items():
            if stage in stages or EVERYTHING in stages:
                kept &= ~self.left_out[name]
        return kept

    def fired(self, lane: str) -> dict[str, np.ndarray]:
        """The rules of a lane, in order of priority, each cut to the people it may still speak about."""
        stage = SAME_STAGE.get(lane, lane)
        allowed = self.allowed(stage if stage in STAGES else EVERYTHING)
        rules = [rule for rule in self.model.rules if rule.lane == lane]
        rules.sort(key=lambda rule: (rule.priority, rule.id))
        return {rule.id: self.flags[rule.id] & allowed for rule in rules}

    def ranked(self) -> np.ndarray:
        """The chance of those whom the model may rank; missing for everyone else."""
        return np.where(self.eligible & self.allowed("chance"), self.chance, np.nan)
