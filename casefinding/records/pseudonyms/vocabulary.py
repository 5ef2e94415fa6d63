"""Words that a kept cell may be made of: no name of a person gets through a list of words."""

from __future__ import annotations

import re
from importlib.resources import files


def _words(name: str) -> frozenset[str]:
    return frozenset((files("casefinding.records.pseudonyms") / name).read_text(encoding="utf-8").split())


WORDS = _words("words.txt")
"""Plain words of pick lists: kinds of contacts and registrations, states, precisions, quantities, ethnic groups."""
UNITS = _words("units.txt")
"""The letters that units of measurement are made of, as GP systems write them."""
OTHER_UNIT = "(other unit)"
"""Written in place of a unit that is none of ours: a reading in it is held, never taken for one without a unit."""

_LETTERS = re.compile(r"[A-Za-z\u00b5\u03bc\u00c5\u212b]+")
_PLAIN = re.compile(r"[A-Za-z0-9 ()/&,.:;+\-_'\u2019%]{1,120}")
_UNIT = re.compile(
    r"[A-Za-z0-9\u00b5\u03bc\u00b2\u00b3\u00b9\u2070-\u2079\u207b\u00b0\u00b7"
    r" ()/,.*^+\-_%\[\]{}'\":<>#]{1,40}"
)
_SHORT = re.compile(r"[0-9]{1,7}")


def plain_words(text: str) -> bool:
    """Whether a text is made of nothing but words of WORDS and short numbers.

    >>> plain_words("GP Surgery"), plain_words("28 tablets"), plain_words("Mrs Quillfeather"), plain_words("01632960")
    (True, True, False, False)
    """
    if _SHORT.fullmatch(text):  # the number of a pick
        return True
    return bool(_PLAIN.fullmatch(text)) and _digits(text) <= 4 and _all_in(text.lower(), WORDS)


def unit_words(text: str) -> bool:
    """Whether a text is made of nothing but the letters, signs and short numbers of units.

    >>> unit_words("mL/min/1.73m*2"), unit_words("10*9/L"), unit_words("mm[Hg]"), unit_words("Ann Quill")
    (True, True, True, False)
    """
    return bool(_UNIT.fullmatch(text)) and _digits(text) <= 6 and _all_in(text.lower(), UNITS)


def _all_in(text: str, known: frozenset[str]) -> bool:
    """Whether every word is known; a single letter says nothing about anybody."""
    return all(len(word) == 1 or word.strip("\u00b5\u03bc\u00e5") in known for word in _LETTERS.findall(text))


def _digits(text: str) -> int:
    return sum(sign.isdigit() for sign in text)
