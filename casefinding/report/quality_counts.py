"""Counts of people of the quality page as they may travel: small ones withheld, and others that would tell them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from casefinding.disclosure import FEWEST
from casefinding.records.quality.asked import Asked
from casefinding.records.quality.assessment import Assessment
from casefinding.records.quality.who import GROUPS
from casefinding.report.counts import published

ALL = ("all", "")
MOST_CODES = 50


Key = tuple[str, str]
"""A grouping and a group of it; ALL, or ("practice", its code)."""


def complete(
    found: Assessment, signals: Sequence[int]
) -> tuple[dict[Key, int | None], dict[int, dict[Key, float | None]]]:
    """Registered people by group, and signal -> group -> share with a usable entry; None where it is withheld.

    Who has none is a count as well: it is never shown, and cannot be worked out where it is small. The people are the
    same for every signal, so a group whose people would tell too much of one signal is withheld for all.
    """
    people, sums = _counts(found, None), _sums(found)
    registered = published({key: number for (key, _), number in people.items()}, sums)
    seen: dict[int, dict[Any, int | None]] = {}
    for place in signals:
        counts: dict[Any, int] = {**_counts(found, place), **people}
        keys = [key for key, _ in people]
        counts |= {(key, "without"): counts[key, "people"] - counts[key, "with"] for key in keys}
        both: list[tuple[Any, list[Any]]] = [
            ((whole, part), [(one, part) for one in parts]) for whole, parts in sums for part in ("people", "with")
        ]
        both += [((key, "people"), [(key, "with"), (key, "without")]) for key in keys]
        seen[place] = published(counts, both, {(key, "without") for key in keys})
        for key in keys:
            if seen[place][key, "people"] is None:
                registered[key] = None
    return registered, {
        place: {key: share(shown[key, "with"], number) for key, number in registered.items()}
        for place, shown in seen.items()
    }


def share(part: int | None, whole: int | None) -> float | None:
    """A share of two published counts; None where either is withheld or there is nobody.

    >>> share(45, 100), share(None, 100), share(0, 0)
    (0.45, None, None)
    """
    return None if part is None or not whole else round(min(part / whole, 1.0), 3)


def prevalence(
    people: np.ndarray, seen: np.ndarray, codes: Sequence[str]
) -> dict[tuple[str, str], tuple[int | None, int | None]]:
    """(grouping, group) -> (people, those of them on a register or measured) by practice and in all, published."""
    counts: dict[Any, int] = {}
    for kind, numbers in (("people", people), ("seen", seen), ("not", people - seen)):
        counts |= {(("practice", code), kind): int(n) for code, n in zip(codes, numbers, strict=True)}
        counts[ALL, kind] = int(numbers.sum())
    keys = list(dict.fromkeys(key for key, _ in counts))
    sums = [((ALL, kind), [(("practice", code), kind) for code in codes]) for kind in ("people", "seen")]
    sums += [((key, "people"), [(key, "seen"), (key, "not")]) for key in keys]
    shown = published(counts, sums, {(key, "not") for key in keys})
    return {key: (shown[key, "people"], shown[key, "seen"]) for key in keys}


def cases(counts: Mapping[str, int]) -> dict[str, int | None]:
    """Practice ("" = all of them) -> newly diagnosed people, published."""
    numbers = {**counts, "": sum(counts.values())}
    return published(numbers, [("", list(counts))])


def unused_codes(found: Assessment, *, drugs: bool) -> list[tuple[int, int, dict[str, int | None]]]:
    """(code, people, by practice) of the codes of no signal that most people have; those of fewer than 8 never.

    Counts of practices are published beside their total.
    """
    asked, seen = found.asked, found.counted.seen_people
    total = seen.sum(axis=1)
    wanted = asked.unmatched & (asked.drug if drugs else ~asked.drug) & (total >= FEWEST)
    order = sorted(np.flatnonzero(wanted), key=lambda code: (-total[code], code))[:MOST_CODES]
    told = []
    for code in order:
        by = {practice: int(n) for practice, n in zip(found.who.codes, seen[code], strict=True)}
        shown = published({**by, "": int(total[code])}, [("", list(by))])
        all_of_them = shown.pop("")
        if all_of_them is not None:
            told.append((int(code), all_of_them, shown))
    return told


def shown_signals(asked: Asked, keys: set[str]) -> list[int]:
    """Which signals the page tells the completeness of: readings, and what a condition cannot do without."""
    return [place for place, name in enumerate(asked.names) if place in asked.readings or name in keys]


def _counts(found: Assessment, place: int | None) -> dict[tuple[tuple[str, str], str], int]:
    """(key, "people" or "with") -> how many, exactly."""
    kind = "people" if place is None else "with"
    counts: dict[tuple[tuple[str, str], str], int] = {}
    for grouping, names in _groupings(found).items():
        table = found.counted.people[grouping] if place is None else found.counted.have[grouping][:, :, place]
        for name, number in zip(names, table.sum(axis=1), strict=True):
            counts[(grouping, name), kind] = int(number)
    counts[ALL, kind] = sum(counts[("practice", code), kind] for code in found.who.codes)
    return counts


def _sums(found: Assessment) -> list[tuple[tuple[str, str], list[tuple[str, str]]]]:
    return [(ALL, [(grouping, name) for name in names]) for grouping, names in _groupings(found).items()]


def _groupings(found: Assessment) -> dict[str, tuple[str, ...]]:
    return {"practice": tuple(found.who.codes), **GROUPS}
