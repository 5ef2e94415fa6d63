"""Dates, numbers and cells as NHS staff and spreadsheets expect them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from casefinding.recall.lines import URGENT, Item, Line

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def ago(day: dt.date, now: dt.date) -> str:
    """How old something is, in the unit a person would use.

    >>> ago(dt.date(2026, 9, 21), dt.date(2026, 10, 1))
    '10 days ago'
    """
    days = (now - day).days
    if days < 62:
        return f"{days} day{'' if days == 1 else 's'} ago"
    months = int(days / 30.44)
    return f"{months} months ago" if months < 24 else f"{months // 12} years ago"


def safe_cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula (CWE-1236): a leading sign is quoted with an apostrophe.

    >>> safe_cell("=1+1")
    "'=1+1"
    """
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def bullets(texts: Sequence[str]) -> str:
    """Several statements in one cell, one a line; a single one stands plain.

    >>> bullets(["a", "b"])
    '• a\\n• b'
    """
    return "".join(texts) if len(texts) <= 1 else "\n".join(f"• {text}" for text in texts)


def chance_of(line: Line, *, of: bool = False) -> str:
    """Each condition's chance on a line, in words, with what it is the chance of; empty where no model was asked."""
    said = {item.label: (item.chance_words, item.chance_of) for item in line.items if item.chance_words}
    if of:
        return "; ".join(f"{words} {meaning}" for words, meaning in said.values())
    if len(said) == 1 and len(line.concerns) == 1:
        return next(iter(said.values()))[0]
    return "; ".join(f"{label}: {words}" for label, (words, _) in said.items())


def why(line: Line, index_day: dt.date) -> list[str]:
    """The reasons on a line, each once: what rules say (with the age of the record), then what the model weighs."""
    said: list[str] = []
    for item in line.items:
        if item.say:
            said.append(item.say + _aged(item, index_day))
    for item in line.items:
        said.extend(item.supporting)
    return list(dict.fromkeys(said))


def _aged(item: Item, index_day: dt.date) -> str:
    """The age of what a rule speaks of, where how old it is decides what to do."""
    return f" ({ago(item.evidence_on, index_day)})" if item.evidence_on and item.lane in URGENT else ""


def against(line: Line) -> list[str]:
    return list(dict.fromkeys(text for item in line.items for text in item.against))


def missing(line: Line) -> list[str]:
    return list(dict.fromkeys(text for item in line.items for text in item.missing))
