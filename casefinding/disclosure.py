"""Small numbers: what may be published about groups of people."""

from __future__ import annotations

FEWEST = 8
"""Counts from 1 to 7 are not published; the rest are rounded to the nearest 5."""


def rounded(count: int | None) -> int | None:
    """A count of people as it may be published: 0 stays, 1 to 7 is withheld (None), the rest to the nearest 5.

    What was rounded or withheld before stays as it is. Source of the rule: OpenSAFELY's policy for released outputs
    (redact 7 or fewer, then round to 5).

    >>> [rounded(n) for n in (0, 1, 7, 8, 12, 13, 60_001, None)]
    [0, None, None, 10, 10, 15, 60000, None]
    """
    if count is None:
        return None
    if count < 0:
        raise ValueError("a count of people cannot be negative")
    if count == 0:
        return 0
    return None if count < FEWEST else 5 * ((int(count) + 2) // 5)


def people_words(count: int | None) -> str:
    """A count of people as a page shows it, rounded.

    >>> people_words(0), people_words(3), people_words(None), people_words(1234)
    ('0', 'fewer than 8', 'fewer than 8', '1,235')
    """
    shown = rounded(count)
    return f"fewer than {FEWEST}" if shown is None else f"{shown:,}"


def tellable(*counts: int) -> bool:
    """Whether a rate that rests on these counts (its numerator, and what is left of its denominator) may be published.

    >>> tellable(0, 90), tellable(8, 90), tellable(7, 90), tellable(90, 2)
    (True, True, False, False)
    """
    return all(rounded(count) is not None for count in counts)
