"""What a data manager should look into: one finding each, as facts; the words are the report's."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What kind of finding, in the order in which they are read."""

    STOPPED = "stopped"
    GAP = "gap"
    REFUSED = "rows refused"
    RATE = "rate changed"
    USABLE = "usable share changed"
    UNIT = "unit changed"
    NO_UNIT = "no units"
    UNUSABLE = "unusable values"
    LOW = "seldom recorded in a practice"
    LOW_GROUP = "seldom recorded in a group"
    LATE = "recorded late"
    ONE_DATE = "one date only"
    FIGURE = "far from a published figure"


@dataclass(frozen=True)
class Finding:
    """One finding: about a practice ("" = all of them), about signals by name, and its facts by kind.

    Facts hold numbers, days as text and names, never anything of a person.
    """

    kind: Kind
    practice: str = ""
    signals: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
