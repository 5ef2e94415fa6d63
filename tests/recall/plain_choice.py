"""The best choice by trying everything: an oracle for a handful of people, in plain Python and by another reading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

Offer = tuple[str, tuple[str, ...], tuple[str, ...]]  # visit, tests, those of them on kept places


@dataclass
class Person:
    practice: str
    age: int
    chance: dict[str, int]  # test -> PARTS, where a model ranks
    need: dict[str, int]  # test -> PARTS, where never measured
    rule: dict[str, int]  # test -> priority, where a rule to invite names them
    group: str = ""


def subsets(items: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return chain.from_iterable(combinations(items, size) for size in range(len(items) + 1))


def ways(person: Person, visits: Mapping[str, tuple[int, Mapping[str, Mapping[str, float]]]]) -> list[Offer | None]:
    """Everything that can be offered to one person, and nothing."""
    can = {*person.chance, *person.need, *person.rule}
    found: list[Offer | None] = [None]
    for name, (age, holds) in visits.items():
        for tests in subsets([test for test in holds if test in can]):
            if tests and person.age >= age:
                found += [(name, tests, kept) for kept in subsets([test for test in tests if test in person.need])]
    return found


def worth(person: Person, offer: Offer) -> int:
    """By need on a kept place; else by chance, or by need where there is no chance."""
    return sum(
        person.need[test] if test in offer[2] else person.chance.get(test, person.need.get(test, 0))
        for test in offer[1]
    )


def fill(person: Person, offer: Offer, priority: float) -> int:
    """How many tests of an offer are worth nothing and asked for by a rule of a priority (infinite: never measured)."""
    return sum(
        1
        for test in offer[1]
        if not person.chance.get(test, person.need.get(test, 0)) and person.rule.get(test, float("inf")) == priority
    )


def best(people: Sequence[Person], visits, has, pool, kept, needed: Mapping[str, int] | None = None) -> tuple:
    """The best of all choices: (kept places filled, - what floors lack, priority 1, worth, then what is left ...).

    `has`: practice -> kind -> number, `pool`: kind -> number; `kept`: practice -> test -> number; `needed`: group ->
    worth, counted in steps of a hundredth of a case.
    """
    priorities = sorted({*(value for person in people for value in person.rule.values()), float("inf")})
    offers = [ways(person, visits) for person in people]
    found: list[tuple] = []

    def room(used: Mapping[tuple[str, str], float]) -> bool:
        beyond: dict[str, float] = {}
        for (practice, kind), amount in used.items():
            beyond[kind] = beyond.get(kind, 0.0) + max(0.0, amount - has[practice].get(kind, 0))
        return all(amount <= pool.get(kind, 0) + 1e-9 for kind, amount in beyond.items())

    def go(number: int, used: dict, on_kept: dict, taken: list) -> None:
        if number == len(people):
            found.append(score(taken))
            return
        person = people[number]
        for offer in offers[number]:
            if offer is None:
                go(number + 1, used, on_kept, taken)
                continue
            more, most = dict(used), dict(on_kept)
            for test in offer[1]:
                for kind, amount in visits[offer[0]][1][test].items():
                    more[person.practice, kind] = more.get((person.practice, kind), 0) + amount
            for test in offer[2]:
                most[person.practice, test] = most.get((person.practice, test), 0) + 1
            full = any(number > kept[practice].get(test, 0) for (practice, test), number in most.items())
            if not full and room(more):
                go(number + 1, more, most, [*taken, (person, offer)])

    def score(taken: list) -> tuple:
        listed = {
            group: sum(worth(person, offer) for person, offer in taken if person.group == group)
            for group in needed or {}
        }
        short = sum(-(-max(0, owed - listed[group]) // 1000) for group, owed in (needed or {}).items())
        first = sum(person.rule.get(test, 9) <= 1 for person, offer in taken for test in offer[1])
        return (
            sum(len(offer[2]) for _, offer in taken), -short, first, sum(worth(*one) for one in taken),
            *(sum(fill(*one, priority) for one in taken) for priority in priorities),
        )  # fmt: skip

    go(0, {}, {}, [])
    return max(found)
