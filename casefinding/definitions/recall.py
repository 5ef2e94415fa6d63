"""Parts of the config that say how people are invited: how often, and whom the programme does not invite on purpose."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field, model_validator

from casefinding.definitions.basics import Length, Shape
from casefinding.definitions.words import Span

NEARBY = 7
"""Days: invitations this close to each other are one, written down twice."""
_ANY_DAY = dt.date(2001, 1, 1)


class Invitations(Shape):
    """How often somebody is invited about one condition: `times` in a series, each `again after` the one before.

    An answer of any kind ends a series; without one it is over `anew after` its first invitation, and a new one may
    begin. Practices call and recall in this way (conventions: first, second and third invitation); the numbers are
    the programme's own choice.
    """

    times: int = Field(default=3, ge=1, le=6)
    again_after: Length = Span(days=42)
    anew_after: Length = Span(months=12)

    @model_validator(mode="after")
    def _far_enough_apart(self) -> Invitations:
        if self.again_after.after(_ANY_DAY) <= _ANY_DAY + dt.timedelta(days=NEARBY):
            raise ValueError(f"'again after' must be longer than {NEARBY} days: a shorter one is the same invitation")
        last = _ANY_DAY
        for _ in range(self.times):
            last = self.again_after.after(last)
        if self.anew_after.after(_ANY_DAY) < last:
            raise ValueError("'anew after' is over before the last invitation has had its time: make it longer")
        return self

    @property
    def pause(self) -> str:
        """`again after` in words: whole weeks where it is.

        >>> Invitations().pause
        '6 weeks'
        """
        days = self.again_after.days
        if self.again_after.months:
            return _counted(self.again_after.months, "month")
        return _counted(days // 7, "week") if days % 7 == 0 else _counted(days, "day")


class Holdout(Shape):
    """People or practices whom chance alone never invites, so that the service can measure whether it helps.

    `share` of them, 0 = off; drawn by a hash with `salt`, so that the same stay out from month to month. Nobody is held
    out of what is urgent or evident in the record.
    """

    share: float = Field(default=0.0, ge=0, le=0.5)
    by: Literal["people", "practices"] = "people"
    salt: str = ""

    @model_validator(mode="after")
    def _salted(self) -> Holdout:
        if self.share > 0 and not self.salt.strip():
            raise ValueError("a holdout needs a 'salt': any text of your own, the same from month to month")
        return self


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
