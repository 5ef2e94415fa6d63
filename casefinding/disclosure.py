"""Small numbers: what may be published about groups of people."""

from __future__ import annotations

FEWEST = 8
"""Counts from 1 to 7 are not published; the rest are rounded to the nearest 5."""


def rounded(count: int) -> int | None:
    """A count of people as it may be published: 0 stays, 1 to 7 is withheld (None), the rest to the nearest 5.

    Source of the rule: OpenSAFELY's policy for released outputs (redact 7 or fewer, then round to 5).

    >>> [rounded(n) for n in (0, 1, 7, 8, 12, 13, 60_001)]
    [0, None, None, 10, 10, 15, 60000]
    """
    if count < 0:
        raise ValueError("a count of people cannot be negative")
    if count == 0:
        return 0
    return None if count < FEWEST else 5 * ((int(count) + 2) // 5)
