"""What a month's lists may lead to: attended, confirmed, coded, treated, events avoided; modelled, not observed.

Nothing here was seen to happen. The cases that a list holds are the sum of its own chances; from there every step is a
published share with how far it may be off, drawn 10,000 times: on the logit for shares and the logarithm for numbers
needed to treat, half-normal on either side of the middle, with 2.5% below `low` and 2.5% above `high`. The draws are
the same for every practice and every run, so that practices add up to the whole. The interval is of what to expect on
average; whether 2 or 3 people come in one month is chance on top. The shares are taken as if the ill came as often as
everybody invited, and an effect is taken to grow evenly over its horizon.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from casefinding.definitions.impact import Claim, Event, Impact, Range, Share
from casefinding.definitions.words import Span
from casefinding.recall.lines import URGENT
from casefinding.recall.view import View

DRAWS = 10_000
SEED = 20261101
FAR_OFF = 1.25
"""Chances that add up to so many times what is expected, or to one of so many parts of it, are spoken of."""
WHOLE = "all"
"""The practice of an outlook for the whole system."""


@dataclass(frozen=True)
class Between:
    """A middle with the 95% interval around it."""

    low: float
    mid: float
    high: float


@dataclass(frozen=True)
class Listed:
    """One practice's list for one condition: people by what is asked of them, and the cases that the invited hold.

    `cases`: the sum of the chances of those invited; `by_published` of them had no chance of their own and count by
    published prevalence. Nobody counts twice: who is urgent is neither reviewed nor invited here. `chances`: those of
    everybody whom the model may be asked about, added up; `due`: how many of these are expected to be found by
    published prevalence, 0 where there is none.
    """

    practice: str
    condition: str
    urgent: int
    review: int
    invited: int
    cases: float
    by_published: int = 0
    chances: float = 0.0
    due: float = 0.0

    @property
    def times_due(self) -> float | None:
        """How many times what is expected the chances add up to, where they are further off than FAR_OFF; else None."""
        if self.due <= 0 or self.chances <= 0:
            return None
        times = self.chances / self.due
        return times if not 1 / FAR_OFF <= times <= FAR_OFF else None


@dataclass(frozen=True)
class Outlook:
    """One practice's list for one condition (or all practices': WHOLE) and what it may lead to.

    `events`: label, horizon in words, number avoided. `points`: percentage points by which the register would become
    more complete, None where nothing is expected.
    """

    label: str
    listed: Listed
    attended: Between
    confirmed: Between
    coded: Between
    treated: Between | None
    events: tuple[tuple[str, str, Between], ...]
    points: Between | None


@dataclass(frozen=True)
class Beside:
    """A published claim and the same arithmetic with what is configured here."""

    claim: Claim
    event: Event
    people: float  # whom the claim's percentage points stand for, in the place it speaks of
    ours: Between
    points_needed: float  # percentage points that the claimed number would take
    treated_needed: float  # people newly treated that the claimed number would take


def listed_of(view: View, place: np.ndarray, practice: np.ndarray) -> list[Listed]:
    """Each practice's list for one condition in numbers; `place` (n): order of invitation, 0 none; `practice` (n)."""

    def any_of(*lanes: str) -> np.ndarray:
        found = np.zeros(len(practice), dtype=bool)
        for lane in lanes:
            for mask in view.fired(lane).values():
                found |= mask
        return found

    urgent = any_of(*URGENT)
    review = any_of("review the record") & ~urgent
    invited = (place > 0) & ~urgent & ~review
    by_published = invited & np.isnan(view.chance)
    confirmable = view.model.expected.confirmable if view.model.expected is not None else 0.0
    published = np.zeros(len(practice)) if view.expected is None else confirmable * view.expected
    cases = np.where(by_published, published, np.nan_to_num(view.chance))
    asked = np.asarray(view.eligible, dtype=bool) & ~np.isnan(view.chance)
    due = asked & (np.asarray(view.status) != "on register")
    return [
        Listed(
            str(code),
            view.condition,
            int((urgent & here).sum()),
            int((review & here).sum()),
            int((invited & here).sum()),
            float(cases[invited & here].sum()),
            int((by_published & here).sum()),
            float(view.chance[asked & here].sum()),
            float(published[due & here].sum()),
        )
        for code in sorted(set(practice.tolist()))
        for here in (practice == code,)
    ]


def outlook(
    label: str, impact: Impact, listed: Sequence[Listed], expected: Mapping[str, float] | None = None
) -> list[Outlook]:
    """What each practice's list for one condition may lead to, then that of the whole system, WHOLE.

    `expected`: cases expected in each practice (known or not), for the points of register completeness.
    """
    drawn = _Drawn(impact)
    due = dict(expected or {})
    found = [_outlook(label, impact, one, drawn, due.get(one.practice, 0.0)) for one in listed]
    if not listed:
        return found
    whole = Listed(
        WHOLE,
        listed[0].condition,
        *(sum(getattr(one, name) for one in listed) for name in ("urgent", "review", "invited", "cases")),
        by_published=sum(one.by_published for one in listed),
        chances=sum(one.chances for one in listed),
        due=sum(one.due for one in listed),
    )
    return [*found, _outlook(label, impact, whole, drawn, sum(due.get(one.practice, 0.0) for one in listed))]


def point_worth(impact: Impact, expected: float) -> list[tuple[Event, Between]]:
    """Events avoided over their horizon if one more percentage point of the expected cases were coded.

    Of those coded only the configured share is treated.
    """
    drawn = _Drawn(impact)
    return [(event, _between(0.01 * expected * drawn.treat / drawn.needed[event.label])) for event in impact.events]


def beside(impact: Impact) -> Beside | None:
    """The published claim beside our arithmetic for the same place, points and horizon; None where there is no claim.

    As the claim does, this counts everybody who is newly coded as treated: what is configured here is less.
    """
    claim = impact.published_claim
    if claim is None:
        return None
    event = next(event for event in impact.events if event.label == claim.event)
    people = claim.expected_cases * claim.percentage_points / 100
    share = years(claim.horizon) / years(event.horizon)
    needed = event.number_needed_to_treat
    ours = Between(people * share / needed.high, people * share / needed.mid, people * share / needed.low)
    times = claim.number / ours.mid
    return Beside(claim, event, people, ours, claim.percentage_points * times, people * times)


def years(span: Span) -> float:
    """A length of time in years."""
    return span.months / 12 + span.days / 365.25


def span_words(span: Span) -> str:
    """A length of time in words, whole years as years.

    >>> span_words(Span(months=60)), span_words(Span(months=12)), span_words(Span(months=18))
    ('5 years', '1 year', '18 months')
    """
    if span.months and span.months % 12 == 0:
        number = span.months // 12
        return f"{number} year{'' if number == 1 else 's'}"
    return f"{span.months} months" if span.months else f"{span.days} days"


class _Drawn:
    """Every step's share, drawn once and used for all practices."""

    def __init__(self, impact: Impact) -> None:
        self.attend = _draw(impact.attend, 0)
        self.confirm = _draw(impact.confirm, 1)
        self.review = _draw(impact.review_finds, 2) if impact.review_finds is not None else np.zeros(DRAWS)
        self.code = _draw(impact.code, 3)
        self.treat = _draw(impact.treat, 4)
        self.needed = {
            event.label: _draw(event.number_needed_to_treat, 5 + place) for place, event in enumerate(impact.events)
        }


def _outlook(label: str, impact: Impact, listed: Listed, drawn: _Drawn, expected: float) -> Outlook:
    confirmed = listed.cases * drawn.attend * drawn.confirm + listed.review * drawn.review
    coded = confirmed * drawn.code
    treated = coded * drawn.treat
    return Outlook(
        label,
        listed,
        _between(listed.invited * drawn.attend),
        _between(confirmed),
        _between(coded),
        _between(treated) if impact.treat is not None else None,
        tuple(
            (event.label, span_words(event.horizon), _between(treated / drawn.needed[event.label]))
            for event in impact.events
        ),
        _between(100 * coded / expected) if expected > 0 else None,
    )


def _draw(figure: Range | None, stream: int) -> np.ndarray:
    """Draws of one figure (DRAWS); 1 for one that is not given."""
    if figure is None:
        return np.ones(DRAWS)
    if figure.low == figure.high:
        return np.full(DRAWS, figure.mid)
    z = np.random.default_rng([SEED, stream]).standard_normal(DRAWS)
    bounded = isinstance(figure, Share)
    low, mid, high = (_scaled(value, bounded) for value in (figure.low, figure.mid, figure.high))
    moved = mid + z / 1.959964 * np.where(z < 0, mid - low, high - mid)
    return 1 / (1 + np.exp(-moved)) if bounded else np.exp(moved)


def _scaled(value: float, bounded: bool) -> float:
    if not bounded:
        return float(np.log(value))
    inside = min(value, 1 - 1e-6)  # a share of 1 has no logit
    return float(np.log(inside / (1 - inside)))


def _between(draws: np.ndarray) -> Between:
    return Between(*(float(value) for value in np.quantile(draws, (0.025, 0.5, 0.975))))
