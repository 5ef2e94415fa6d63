"""What a list may lead to: published shares, converters and claims, each with its source; data, not code."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from casefinding.definitions.basics import Length, Shape


class Range(Shape):
    """A published figure with how far it may be off: 2.5%, middle and 97.5%."""

    low: float = Field(gt=0)
    mid: float = Field(gt=0)
    high: float = Field(gt=0)
    source: str
    unverified: str = ""  # what of this was taken from memory or judged, and must be checked

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low <= self.mid <= self.high:
            raise ValueError("'low', 'mid' and 'high' must not fall")
        return self


class Share(Range):
    """A range of shares of people, above 0 and up to 1."""

    high: float = Field(gt=0, le=1)


class Goal(Shape):
    """The share of the expected cases that should be on the register by the end of a year."""

    share: float = Field(gt=0, le=1)
    by: int = Field(ge=2000, le=2100)
    source: str


class Event(Shape):
    """What treatment prevents: one event for so many people treated over the horizon."""

    label: str  # "strokes"
    number_needed_to_treat: Range
    horizon: Length


class Claim(Shape):
    """Somebody else's figure for what a point of the register is worth: shown beside ours, never used."""

    says: str
    where: str
    event: str  # the label of the event it speaks of
    number: float = Field(gt=0)
    percentage_points: float = Field(default=1.0, gt=0)
    horizon: Length
    expected_cases: int = Field(gt=0)  # in the place it speaks of
    source: str


class Impact(Shape):
    """The way of one condition from a list to events avoided, each share of those who got as far as the step before.

    `attend`: of the people invited, those who come and are tested. `confirm`: of the ill among them, those whose test
    is brought to its end (1 where it is not given). `review_finds`: of the people whose record is reviewed, those in
    whom it is confirmed; without it the reviewed are counted and promise nothing.
    """

    goal: Goal | None = None
    attend: Share
    confirm: Share | None = None
    review_finds: Share | None = None
    code: Share
    treat: Share | None = None
    events: tuple[Event, ...] = ()
    published_claim: Claim | None = None

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.events and self.treat is None:
            raise ValueError("'events' needs 'treat': the share of those on the register who are treated")
        labels = [event.label for event in self.events]
        if self.published_claim is not None and self.published_claim.event not in labels:
            raise ValueError("the published claim speaks of an event that 'events' does not name")
        return self
