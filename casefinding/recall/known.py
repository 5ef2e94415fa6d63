"""How much is known of a person, in words: a low chance means little where nobody looked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from casefinding.definitions.shapes import KnownBy

DAYS_IN_A_YEAR = 365.25


def known_words(
    known_by: Iterable[KnownBy | None], values: Mapping[str, float], days_registered: int | None
) -> tuple[str, ...]:
    """The readings of each condition, the contacts, the years on record; each said once, readings first.

    `values`: a person's features by name; a count that is missing is not told.

    >>> one = KnownBy(readings="w", reading_is="weight in 5 years", readings_are="weights in 5 years", contacts="c")
    >>> known_words([one], {"w": 1.0, "c": 0.0}, 3000)
    ('1 weight in 5 years', 'no contacts in 12 months', '8 years on record')
    """
    ways = [one for one in known_by if one is not None]
    said = [_counted(values.get(one.readings), one.reading_is, one.readings_are) for one in ways]
    said += [_counted(values.get(one.contacts), one.contact_is, one.contacts_are) for one in ways]
    if ways and days_registered is not None:
        years = int(days_registered / DAYS_IN_A_YEAR)
        said.append(_counted(years, "year on record", "years on record") if years else "less than a year on record")
    return tuple(dict.fromkeys(text for text in said if text))


def _counted(number: float | None, one: str, many: str) -> str:
    if number is None or number != number:  # NaN: not told
        return ""
    return f"1 {one}" if number == 1 else f"{number:.0f} {many}" if number else f"no {many}"
