"""What stands for a person: pseudonyms by HMAC, and the digest that other sites can link by."""

from __future__ import annotations

import hashlib
from pathlib import Path

from casefinding.errors import UsageError
from casefinding.records.pseudonyms.keys import Key, read_private

LENGTH = 32
"""Hex digits of a pseudonym: 128 bits, so that two people in 10^9 share one with a chance of 10^-21."""


def of_number(key: Key, digits: str) -> str:
    """The pseudonym of a valid NHS number (ten digits): "p" and 32 hex digits of its HMAC-SHA-256.

    It follows from the key and the number alone, so that one person has one pseudonym in every practice.
    """
    return "p" + key.digest(digits)[:LENGTH]


def of_vendor(key: Key, kind: str, *ids: str) -> str:
    """The pseudonym of somebody without a valid NHS number: "q" and 32 hex digits, from the vendor's own patient id."""
    return "q" + key.digest("|".join((kind, "person", *ids)))[:LENGTH]


def of_id(key: Key, kind: str, what: str, text: str) -> str:
    """32 hex digits in place of a vendor's id, the same in every table, so that rows still join."""
    return key.digest(f"{kind}|{what}|{text}")[:LENGTH]


def of_id_as_number(key: Key, kind: str, what: str, text: str) -> str:
    """A whole number below 2^60 in place of an id, for layouts whose ids are numbers."""
    return str(int(of_id(key, kind, what, text)[:15], 16))


def of_id_as_guid(key: Key, kind: str, what: str, text: str) -> str:
    """A GUID in place of an id, for layouts whose ids look like one."""
    digest = of_id(key, kind, what, text)
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def for_linkage(digits: str, salt: str) -> str:
    """The digest of OpenPseudonymiser: SHA-256 of the NHS number followed by the project's salt, as 64 hex digits.

    Whoever has the salt can try every NHS number (there are fewer than 10^9): it is for linkage with sites that use the
    same salt, it stays in the practice's own lookup, and no record carries it.

    >>> for_linkage("123456789", "")[:12], for_linkage("123456789", "hello")[-4:]
    ('15e2b0d3c338', 'edfe')
    """
    return hashlib.sha256((digits + salt).encode("utf-8")).hexdigest()


def read_salt(file: Path) -> str:
    """The salt of a private file, without the end of its line; UsageError if it is empty or others may read it."""
    try:
        salt = read_private(file, "the salt").decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise UsageError(
            "the salt is not text in UTF-8", where=str(file), hint="ask the project for it again"
        ) from None
    if not salt.strip():
        raise UsageError("the salt is empty", where=str(file), hint="ask the project for its salt")
    return salt
