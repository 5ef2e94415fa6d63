"""Dates, numbers and cells as NHS staff and spreadsheets expect them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from itertools import combinations

from casefinding.explain.wording import date_words
from casefinding.recall.lines import Item, Line
from casefinding.report.shapes import Edition, PracticeLists

_MONTHS = {dt.date(2000, month, 1).strftime("%B"): month for month in range(1, 13)}
_DATE = re.compile(rf"\b(\d{{1,2}}) ({'|'.join(_MONTHS)}) (\d{{4}})\b")
_RULE_ID = re.compile(r"\b[A-Z][A-Z0-9]*-[A-Z]?\d+[a-z]?\b")
NOTHING = "–"


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


def aged(text: str, now: dt.date) -> str:
    """A sentence in which every day before `now` is followed by its age, each day once.

    >>> aged("152 mmHg on 21 September 2026 (pulse 80 on 21 September 2026)", dt.date(2026, 10, 1))
    '152 mmHg on 21 September 2026 (10 days ago) (pulse 80 on 21 September 2026)'
    >>> aged("5 issues (last 21 September 2026)", dt.date(2026, 10, 1))
    '5 issues (last 21 September 2026, 10 days ago)'
    """
    told: set[str] = set()

    def with_age(found: re.Match[str]) -> str:
        said = found.group()
        day = _day(found)
        if said in told or day is None or day >= now:
            return said
        told.add(said)
        before = text[: found.start()]
        inside = before.count("(") > before.count(")")
        return f"{said}, {ago(day, now)}" if inside else f"{said} ({ago(day, now)})"

    return _DATE.sub(with_age, text)


def _day(found: re.Match[str]) -> dt.date | None:
    day, month, year = found.groups()
    try:
        return dt.date(int(year), _MONTHS[month], int(day))
    except ValueError:
        return None


def first_upper(text: str) -> str:
    """A text with a capital first letter, the rest as it is.

    >>> first_upper("home kits of the PCN")
    'Home kits of the PCN'
    """
    return text[:1].upper() + text[1:]


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
    """The reasons on a line, each once: what rules say (with the age of every day), then what the model weighs."""
    said: dict[str, str] = {}
    for item in line.items:
        if item.say:
            said.setdefault(item.say, _aged(item, index_day))
    for item in line.items:
        for text in item.supporting:
            said.setdefault(text, text)
    return list(said.values())


def _aged(item: Item, index_day: dt.date) -> str:
    """What a rule says with the age of every day in it, and of the day that it goes by if the words do not name it."""
    text = aged(item.say, index_day)
    unnamed = item.evidence_on is not None and date_words(item.evidence_on) not in item.say
    return f"{text} ({ago(item.evidence_on, index_day)})" if item.evidence_on and unnamed else text


def against(line: Line) -> list[str]:
    """What speaks for a lower chance, each once; nothing that the same line gives as a reason."""
    reasons = {text for item in line.items for text in (item.say, *item.supporting)}
    return [text for text in dict.fromkeys(text for item in line.items for text in item.against) if text not in reasons]


def missing(line: Line) -> list[str]:
    """What the record does not hold, each once."""
    return list(dict.fromkeys(text for item in line.items for text in item.missing))


def to_do(line: Line, lists: PracticeLists) -> list[str]:
    """What to do; where it says to act as for another rule, with what that rule asks for."""
    acts = {rule.id: rule.do for rule in lists.rules}
    own = set(line.do)

    def spelt(found: re.Match[str]) -> str:
        act = acts.get(found.group(), "")
        return f"{found.group()} ({act.rstrip('.')})" if act and act not in own else found.group()

    return [_RULE_ID.sub(spelt, text) for text in line.do]


def notes(line: Line, lists: PracticeLists) -> list[str]:
    """What was sent back before, then what to arrange or to know: the notes, and each group that no note speaks of."""
    said = [note.casefold() for note in line.notes]
    unsaid = [
        label
        for label in line.reach
        if not any(label.casefold() in note or note.split(":")[0] in label.casefold() for note in said)
    ]
    return [*lists.said(line), *unsaid, *line.notes]


def invitation(line: Line) -> list[str]:
    """Which invitation it is, and the visit that is offered; a condition is named where they are not alike.

    >>> _nth(1), _nth(2), _nth(3), _nth(4)
    ('1st', '2nd', '3rd', '4th')
    """
    waves = {item.label: item.wave for item in line.items if item.wave}
    alike = len(set(waves.values())) == 1
    said = [f"{'' if alike else f'{label}: '}{_nth(wave)} invitation" for label, wave in waves.items()]
    return [*dict.fromkeys(said), *dict.fromkeys(first_upper(item.visit) for item in line.items if item.visit)]


def _nth(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number, "th")
    return f"{number}{ending}"


def rules_in(text: str) -> set[str]:
    """The ids of rules that a text names.

    >>> rules_in("Correct it, or act as for AB-U2.")
    {'AB-U2'}
    """
    return set(_RULE_ID.findall(text))


def conditions_of(line: Line, labels: Mapping[str, str]) -> list[str]:
    """The labels of the conditions that a line is about, notes aside; `labels`: by condition, else the line's own."""
    found: dict[str, str] = {}
    for item in line.items:
        if item.lane != "note":
            found.setdefault(item.condition, labels.get(item.condition) or item.label)
    return list(dict.fromkeys(found.values()))


def diagnosed_choices(line: Line, labels: Mapping[str, str]) -> tuple[str, ...]:
    """What "Diagnosed with" offers: each condition of the line and all of them together; nothing where there is one.

    What a workbook cannot hold as choices (a comma inside, more than 255 characters) is shortened or left to be typed.
    """
    names = conditions_of(line, labels)
    if len(names) < 2 or any("," in name for name in names):
        return ()
    every = ["; ".join(some) for size in range(1, len(names) + 1) for some in combinations(names, size)]
    for choices in (every, names):
        if len(",".join(choices)) <= 255:
            return tuple(choices)
    return ()


def task_text(line: Line, lists: PracticeLists, edition: Edition) -> str:
    """A short plain text about one person, to paste into a task in the clinical system."""
    parts = (
        ("For", "; ".join(line.concerns)),
        ("To do", " ".join(to_do(line, lists))),
        ("Offer", "; ".join(invitation(line))),
        ("Chance", chance_of(line, of=True)),
        ("Why", "; ".join(why(line, edition.index_day))),
        ("Against", "; ".join(against(line))),
        ("Missing", "; ".join(missing(line))),
        ("Please note", "; ".join(notes(line, lists))),
        ("Rules", ", ".join(line.rules)),
    )
    head = f"Case finding, list {edition.list_id}, {line.pseudonym}. Data to {date_words(edition.data_through)}."
    end = "Not a real-time alert: check the record first. Draft rules."
    return "\n".join([head, *(f"{name}: {text}" for name, text in parts if text), end])
