"""NHS numbers: their check digit, how they are shown, and where one hides in a text."""

from __future__ import annotations

import re

WEIGHTS = tuple(range(10, 1, -1))
_GAPS = re.compile(r"[\s\-\u2010-\u2015\u2212]+")  # spaces of any kind (also those that do not break) and dashes
_INSIDE = re.compile(r"(?<![0-9])[0-9](?:[\s\-\u2010-\u2015\u2212]?[0-9]){9}(?![0-9])")
_MOMENT = re.compile(r"(?<![0-9])[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}")  # a spreadsheet's date cell as text


def check_digit(nine: str) -> str | None:
    """The tenth digit of nine, None where there is none (the sum asks for 10): modulus 11, weights 10 to 2.

    Source: NHS Data Dictionary, attribute NHS NUMBER.

    >>> check_digit("999000001")
    '8'
    """
    rest = (11 - sum(int(digit) * weight for digit, weight in zip(nine, WEIGHTS, strict=True)) % 11) % 11
    return None if rest == 10 else str(rest)


def valid(digits: str) -> bool:
    """Whether a text is ten digits with a right check digit, and not one digit ten times.

    Ten equal digits always pass the check and are what people type to fill a cell.

    >>> valid("9990000018"), valid("9990000019"), valid("9" * 10)
    (True, False, False)
    """
    plain = len(digits) == 10 and digits.isascii() and digits.isdecimal()
    return plain and check_digit(digits[:9]) == digits[9] and len(set(digits)) > 1


def looks_real(text: str) -> bool:
    """Whether a text is an NHS number that somebody may have: a valid one outside the range kept for tests (999).

    >>> looks_real("999 000 0018"), looks_real("p000017")
    (False, False)
    """
    digits = digits_of(text)
    return not digits.startswith("999") and valid(digits)


def digits_of(text: str) -> str:
    """A text without its spaces and dashes.

    >>> digits_of(" 999 000 0018")
    '9990000018'
    """
    return _GAPS.sub("", text)


def shown(digits: str) -> str:
    """Ten digits as people read them: 3, 3 and 4.

    >>> shown("9990000018")
    '999 000 0018'
    """
    return f"{digits[:3]} {digits[3:6]} {digits[6:]}"


def holds_one(text: str) -> bool:
    """Whether an NHS number stands anywhere in a text, with or without spaces or dashes.

    Ten digits that begin with 0 are taken for a telephone number: no NHS number of England or Wales begins so. The
    digits of a day and hour are none, though 1 in 11 of them would pass the check.

    >>> holds_one("ring 999 000 0018"), holds_one("2026-10-01, list 0123abcd")
    (True, False)
    >>> holds_one("2026-10-05 00:00:00")
    False
    """
    return any(valid(digits_of(found)) for found in _INSIDE.findall(_MOMENT.sub("", text)) if found[0] != "0")


def holds_real(text: str) -> bool:
    """Whether an NHS number that somebody may have stands anywhere in a text.

    >>> holds_real("ring 999 000 0018"), holds_real("2026-10-01, list 0123abcd")
    (False, False)
    """
    return any(looks_real(found) for found in _INSIDE.findall(_MOMENT.sub("", text)) if found[0] != "0")


def what_is_wrong(text: str) -> str:
    """Why a cell is no NHS number, in words that never hold the cell; empty where it is one.

    >>> what_is_wrong("9.99E+09")
    'a spreadsheet has turned it into 9.99E+09 form'
    """
    digits = digits_of(text)
    if valid(digits):
        return ""
    if re.fullmatch(r"[0-9][.,]?[0-9]*[eE][+]?[0-9]+", digits):
        return "a spreadsheet has turned it into 9.99E+09 form"
    if re.fullmatch(r"[0-9]+[.,]0*", digits):
        return "a spreadsheet has made it a decimal number"
    if not (digits.isascii() and digits.isdecimal()):
        return "it holds something else than digits"
    if len(digits) < 10:
        return f"it has {len(digits)} digits: a spreadsheet may have dropped a leading zero"
    if len(digits) > 10:
        return f"it has {len(digits)} digits, an NHS number has ten"
    return "its check digit is wrong"
