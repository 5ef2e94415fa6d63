"""Code ids as text: what a valid id of each system looks like, and how spreadsheets ruin them."""

from __future__ import annotations

import re

SYSTEMS = ("snomed", "dmd", "loinc", "rxnorm", "emis", "read2", "ctv3", "icd10", "opcs4", "area", "other")
"""Names of code systems as the store and the code lists write them; "area" is what is said of where people live, and an
id of "other" names its vocabulary first (CVX//140)."""
DRUG_SYSTEMS = frozenset({"dmd", "rxnorm"})
"""Dictionaries of products; only their terms are searched for substances (a SNOMED CT term may be an allergy)."""

_SCTID = re.compile(r"[1-9][0-9]{5,17}\Z")
_LOINC = re.compile(r"[0-9]{1,7}-[0-9]\Z")
_RXNORM = re.compile(r"[1-9][0-9]{0,8}\Z")
_READ = re.compile(r"[A-Za-z0-9.]{5}([A-Za-z0-9]{2})?\Z")
_SCIENTIFIC = re.compile(r"[-+]?[0-9]+([.,][0-9]+)?[eE][-+]?[0-9]+\Z")
_DECIMAL = re.compile(r"[-+]?[0-9]+[.,][0-9]*\Z")
_EXACT_IN_A_FLOAT = 15  # digits that a spreadsheet keeps

# Verhoeff's check digit (J. Verhoeff, Error Detecting Decimal Codes, 1969): the dihedral group D5 and a permutation.
_TIMES = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_FIRST = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _permuted() -> tuple[tuple[int, ...], ...]:
    rows = [tuple(range(10))]
    for _ in range(7):
        rows.append(tuple(_FIRST[digit] for digit in rows[-1]))
    return tuple(rows)


# _STEP[position][character][so far] = the product after one more digit
_STEP = tuple(
    {str(digit): tuple(_TIMES[c][row[digit]] for c in range(10)) for digit in range(10)} for row in _permuted()
)


def verhoeff_ok(code_id: str) -> bool:
    """Whether the last digit of an id is the Verhoeff check digit of the others.

    >>> verhoeff_ok("38341003"), verhoeff_ok("38341030"), verhoeff_ok("")
    (True, False, False)
    """
    if not code_id:
        return False
    so_far = 0
    try:
        for position, digit in enumerate(reversed(code_id)):
            so_far = _STEP[position & 7][digit][so_far]
    except KeyError:
        return False
    return so_far == 0


def ruined(code_id: str) -> str:
    """What a spreadsheet did to an id, in words, or "" if nothing can be seen.

    >>> ruined("1.09181E+15")
    'is in scientific notation'
    >>> ruined("1091811000000102")
    ''
    >>> ruined("1091811000000100")
    'was rounded: more than 15 digits, ending in 0, and the check digit fails'
    """
    if code_id != code_id.strip():
        return "has blanks before or after it"
    if _SCIENTIFIC.match(code_id):
        return "is in scientific notation"
    if _DECIMAL.match(code_id):
        return "is a decimal number"
    if code_id.startswith(("'", "=")):
        return "carries a spreadsheet's mark (' or =)"
    if len(code_id) > _EXACT_IN_A_FLOAT and code_id.isdigit() and code_id.endswith("0"):
        if not verhoeff_ok(code_id):
            return "was rounded: more than 15 digits, ending in 0, and the check digit fails"
        if code_id.endswith(
            "000"
        ):  # the 1 in 10 that the check digit lets through; long ids end in 1, a digit, a check
            return "was rounded: more than 15 digits, ending in 000"
    return ""


def id_fault(system: str, code_id: str) -> str:
    """Why an id cannot be one of its system's, in words, or "".

    >>> id_fault("snomed", "38341003"), id_fault("loinc", "8480-6")
    ('', '')
    >>> id_fault("snomed", "38341004")
    'has a wrong check digit'
    """
    if system in ("read2", "ctv3"):  # 12E34 is a Read code, and no spreadsheet's number
        return "" if _READ.match(code_id) else "is not 5 letters, digits and points"
    fault = ruined(code_id)
    if fault:
        return fault
    if system in ("snomed", "dmd"):
        if not _SCTID.match(code_id):
            return "is not an id of 6 to 18 digits"
        return "" if verhoeff_ok(code_id) else "has a wrong check digit"
    if system == "loinc":
        if not _LOINC.match(code_id):
            return "is not written as 8480-6"
        return "" if _mod10_ok(code_id) else "has a wrong check digit"
    if system == "rxnorm":
        return "" if _RXNORM.match(code_id) else "is not a number of up to 9 digits"
    return "" if code_id and not any(letter.isspace() for letter in code_id) else "is empty or holds blanks"


def _mod10_ok(code_id: str) -> bool:
    """LOINC's check digit: Luhn's, over the digits before the dash."""
    total = 0
    for position, letter in enumerate(reversed(code_id[:-2])):
        digit = int(letter) * (2 if position % 2 == 0 else 1)
        total += digit - 9 if digit > 9 else digit
    return (10 - total % 10) % 10 == int(code_id[-1])
