"""How unequally people are seen and measured: the three settings of care that a study can choose between."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Regime:
    """`willingness`: SD, on the log scale, of a person's own rate of attending.

    `planned_*`: relative chance of planned care (a blood pressure taken, a check or a test attended) where all
    other things are equal; for `planned_deprived`, of the two most deprived tenths.
    """

    willingness: float
    planned_deprived: float
    planned_young_men: float
    planned: dict[str, float] = field(default_factory=dict)


REGIMES = {
    # BP within 5 years: women 89, men 82%; Indian 87, African 84% (OpenSAFELY) [V]; the SD is our choice.
    "as published": Regime(
        0.55, 0.92, 0.85, {"white": 1.0, "mixed": 0.95, "asian": 1.03, "black": 0.92, "other": 0.88}
    ),
    "unequal": Regime(0.95, 0.6, 0.65, {"white": 1.0, "mixed": 0.8, "asian": 0.75, "black": 0.65, "other": 0.6}),
    "nearly equal": Regime(0.15, 1.0, 1.0, {"white": 1.0, "mixed": 1.0, "asian": 1.0, "black": 1.0, "other": 1.0}),
}
