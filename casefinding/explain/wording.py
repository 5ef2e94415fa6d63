"""Numbers, dates and chances in words, and the sentences that definitions write with {placeholders}.

Words follow the NHS content style: numerals, commas over 999, months in full, "1 in 7" rather than 14.3%.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from casefinding.definitions.shapes import Definitions, Feature, Score
from casefinding.definitions.words import ETHNICITIES, SEXES, VALUE_WORDS, ZERO_WHEN_NONE
from casefinding.errors import DefinitionError

NOT_RECORDED = "not recorded"
NO_DATE = "date not recorded"

_PLACE = re.compile(r"\{([a-z][a-z0-9_]*)(\.when)?\}")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

_PLURALS = {
    "appointments": "appointment",
    "attendances": "attendance",
    "checks": "check",
    "contacts": "contact",
    "consultations": "consultation",
    "courses": "course",
    "days": "day",
    "diagnoses": "diagnosis",
    "entries": "entry",
    "episodes": "episode",
    "events": "event",
    "infections": "infection",
    "issues": "issue",
    "measurements": "measurement",
    "months": "month",
    "occasions": "occasion",
    "prescriptions": "prescription",
    "readings": "reading",
    "records": "record",
    "referrals": "referral",
    "results": "result",
    "reviews": "review",
    "symptoms": "symptom",
    "tests": "test",
    "times": "time",
    "units": "unit",
    "visits": "visit",
    "weeks": "week",
    "years": "year",
}
# after a 1: up to three words, none of which starts another phrase, and then a plural of the list
_ONE_OF = re.compile(rf"((?: (?!in\b|on\b|of\b|over\b|within\b|to\b)[a-z-]+){{0,3}}? )({'|'.join(_PLURALS)})\b")

_CHANCES = (
    *(
        (1 / many, f"1 in {many:,}")
        for many in (1000, 700, 500, 400, 300, 250, 200, 150, 120, 100, 80, 60, 50, 40, 30, 25)
    ),
    *((1 / many, f"1 in {many}") for many in (20, 18, 16, 14, 12, 10, 9, 8, 7, 6, 5, 4, 3, 2)),
    *((part / (part + 1), f"{part} in {part + 1}") for part in (2, 3, 4)),
    (0.9, "9 in 10"),
)


def chance_words(chance: float) -> str:
    """A chance as "1 in N", from which no reader has to work anything out.

    One ladder of plain fractions ("1 in 1,000" ... "1 in 10", "1 in 9" ... "1 in 2", "2 in 3", "3 in 4", "4 in 5",
    "9 in 10") holds for every list, so that two people's chances read in the right order; the step with the nearest
    log-odds is taken. Beyond the ends: "less than 1 in 1,000" and "more than 9 in 10". Never 0, never certain.

    >>> [chance_words(chance) for chance in (0.0004, 0.143, 0.22, 0.5, 0.68, 0.97)]
    ['less than 1 in 1,000', '1 in 7', '1 in 5', '1 in 2', '2 in 3', 'more than 9 in 10']
    """
    if not 0 <= chance <= 1:  # also refuses NaN
        raise ValueError("a chance lies between 0 and 1")
    if chance < 0.9 / 1000:
        return "less than 1 in 1,000"
    if chance > 0.93:
        return "more than 9 in 10"
    target = math.log(chance / (1 - chance))
    return min(_CHANCES, key=lambda step: abs(math.log(step[0] / (1 - step[0])) - target))[1]


def score_words(score: Score, value: float, missing: Sequence[str]) -> str:
    """A published score as a clinician knows it: points, or a risk in per cent; without a value, the inputs that lack.

    `value`: points, or a risk from 0 to 1; NaN where any of the inputs is `missing`. A risk is never 0% or 100%.
    """
    if math.isnan(value):
        return f"{score.label}: not given, {', '.join(f'no {label}' for label in missing)} on record"
    name = f"{score.label}, {score.meaning}" if score.meaning else score.label
    if score.baseline is None:
        said = number_words(value, score.decimals)
        return f"{name}: {said} point{'' if said == '1' else 's'}"
    step = 10.0**-score.decimals
    if 100 * value < step / 2:
        return f"{name}: less than {number_words(step, score.decimals)}%"
    if 100 * value >= 100 - step / 2:
        return f"{name}: more than {number_words(100 - step, score.decimals)}%"
    return f"{name}: {number_words(100 * value, score.decimals)}%"


def date_words(day: dt.date) -> str:
    """A date as a page shows it.

    >>> date_words(dt.date(2026, 3, 3))
    '3 March 2026'
    """
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def number_words(value: float, decimals: int = 0) -> str:
    """A number with its decimals, commas over 999, and a true minus sign; halves are rounded away from 0.

    >>> number_words(1234.5), number_words(-0.04, 1), number_words(6.25, 1), number_words(-3.0)
    ('1,235', '0.0', '6.3', '−3')
    """
    scale = 10**decimals
    rounded = math.floor(abs(value) * scale + 0.5 + 1e-9) / scale
    sign = "\N{MINUS SIGN}" if value < 0 and rounded else ""
    return f"{sign}{rounded:,.{decimals}f}"


def value_words(feature: Feature, value: float | None, definitions: Definitions) -> str:
    """A feature's value as its sentence shows it: a word for sex and ethnic group, yes or no, else a number."""
    if value is None or math.isnan(value):
        return NOT_RECORDED
    if feature.ask == "sex":
        return SEXES[int(value)] if value in (0, 1) else NOT_RECORDED
    if feature.ask == "ethnicity":
        name = ETHNICITIES[int(value)] if 0 <= value < len(ETHNICITIES) else "unknown"
        return NOT_RECORDED if name == "unknown" else name.capitalize()
    if feature.ask == "ever":
        return "yes" if value >= 1 else "no"
    return number_words(value, decimals_of(feature, definitions))


def decimals_of(feature: Feature, definitions: Definitions) -> int:
    """A feature's own decimals, else its signal's if it shows that signal's value, else none."""
    if feature.decimals is not None:
        return feature.decimals
    if feature.ask in VALUE_WORDS and feature.of in definitions.signals:
        return definitions.signals[feature.of].decimals
    return 0


def say(template: str, value: str, day: dt.date | None) -> str:
    """A feature's own sentence: `{value}` and `{when}` filled in, "1 readings" mended.

    >>> say("{value} raised readings (last on {when})", "1", dt.date(2026, 3, 3))
    '1 raised reading (last on 3 March 2026)'
    """
    when = NO_DATE if day is None else date_words(day)
    before, *after = template.replace("{when}", when).split("{value}")
    return before + "".join(value + _singular(value, rest) for rest in after)


def fill(
    text: str,
    values: Mapping[str, float | None],
    days: Mapping[str, dt.date | None],
    definitions: Definitions,
) -> str:
    """A rule's sentence: `{feature}` stands for the feature's value and `{feature.when}` for its date.

    A missing value reads "not recorded", a missing date "date not recorded"; but a part in [square brackets] is left
    out where a value or date in it is missing, or a count in it is none, so that a sentence says what the record holds
    and no more. DefinitionError for a placeholder that names no feature of the definitions, or one not at hand.
    """
    said = []
    for place, part in enumerate(_BRACKETS.split(text)):
        optional = place % 2 == 1
        if not optional or all(_held(name, when, values, days, definitions) for _, name, when in _parse(part) if name):
            said.append(_filled(part, values, days, definitions))
    return _tidy("".join(said))


_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_LOOSE_END = re.compile(r"[\s;,:]+$")
_LOOSE_START = re.compile(r"^[\s;,:]+")


def _tidy(text: str) -> str:
    """No separator that separates nothing, and a capital to begin with, after parts were left out."""
    text = _LOOSE_START.sub("", _LOOSE_END.sub("", text))
    text = re.sub(r":\s*[;,]\s*", ": ", text)
    return text[:1].upper() + text[1:]


def _feature(name: str, values: Mapping[str, float | None], definitions: Definitions) -> Feature:
    feature = definitions.features.get(name)
    if feature is None or name not in values:
        raise DefinitionError(
            f"the sentence names {{{name}}}, which is no feature at hand",
            hint="a placeholder is the name of a feature, or NAME.when for its date",
        )
    return feature


def _held(
    name: str,
    when: bool,
    values: Mapping[str, float | None],
    days: Mapping[str, dt.date | None],
    definitions: Definitions,
) -> bool:
    """Whether the record holds what a placeholder asks for."""
    feature, value = _feature(name, values, definitions), values[name]
    if value is None or math.isnan(value) or (feature.ask in ZERO_WHEN_NONE and value == 0):
        return False
    return not when or days.get(name) is not None


def _filled(
    text: str, values: Mapping[str, float | None], days: Mapping[str, dt.date | None], definitions: Definitions
) -> str:
    parts: list[str] = []
    for plain, name, when in _parse(text):
        parts.append(_singular(parts[-1], plain) if parts else plain)
        if not name:
            continue
        feature = _feature(name, values, definitions)
        if when:
            day = days.get(name)
            parts.append(NO_DATE if day is None else date_words(day))
        else:
            parts.append(value_words(feature, values[name], definitions))
    return "".join(parts)


@lru_cache(maxsize=4096)
def _parse(text: str) -> tuple[tuple[str, str, bool], ...]:
    """Plain text before each placeholder, its name, whether it asks for the date; the rest at the end."""
    parts, end = [], 0
    for match in _PLACE.finditer(text):
        parts.append((text[end : match.start()], match[1], bool(match[2])))
        end = match.end()
    parts.append((text[end:], "", False))
    if any(brace in plain for plain, _, _ in parts for brace in "{}"):
        raise DefinitionError(f"the sentence {text!r} holds a brace that starts no placeholder")
    return tuple(parts)


def _singular(value: str, rest: str) -> str:
    """What follows a value, with "1 raised readings" mended to "1 raised reading"."""
    found = _ONE_OF.match(rest) if value == "1" else None
    return found[1] + _PLURALS[found[2]] + rest[found.end() :] if found else rest
