"""A feature asked of a person on a day."""

from __future__ import annotations

import datetime as dt

from casefinding.definitions.shapes import Definitions, Feature
from casefinding.definitions.words import AGE_WORDS, ETHNICITIES, SEXES
from tests.oracle.record import Person
from tests.oracle.sight import seen, window
from tests.oracle.words import WORDS, Answer, days_since_unanswered, one_a_day


def ask(feature: Feature, definitions: Definitions, person: Person, index_day: dt.date) -> Answer:
    """(answer, day of the event it speaks of); None where there is none."""
    if feature.about_person:
        return about_person(feature.ask, person, index_day), None
    assert feature.of is not None
    signal = definitions.signals[feature.of]
    found = seen(person.events, signal, definitions, index_day, feature.reads_values)
    found = window(found, feature, index_day)
    if feature.same_day is not None:
        found = one_a_day(found, feature.same_day)
    if feature.at_least is not None:
        found = [(day, value) for day, value in found if value is not None and value >= feature.at_least]
    if feature.ask in AGE_WORDS:
        day = (found[0] if feature.ask == "age at first" else found[-1])[0] if found else None
        age = about_person("age", person, day) if day is not None else None
        return age, day if age is not None else None
    if feature.ask == "days since unanswered":
        answers = [
            answer
            for name in feature.answered_by
            for answer in seen(person.events, definitions.signals[name], definitions, index_day, False)
        ]
        return days_since_unanswered(found, feature, index_day, answers)
    return WORDS[feature.ask](found, feature, index_day)


def about_person(word: str, person: Person, index_day: dt.date) -> float | None:
    """What is asked about the person; None where it is not known."""
    if word == "age":
        born = person.birth_month
        if born is None:
            return None
        had_birthday = (index_day.month, index_day.day) >= (born.month, 1)  # born on the first of the month, we say
        return float(index_day.year - born.year - (0 if had_birthday else 1))
    if word == "sex":
        return float(SEXES.index(person.sex)) if person.sex in SEXES else None
    if word == "ethnicity":  # not known is a group of its own
        return float(ETHNICITIES.index(person.ethnicity)) if person.ethnicity in ETHNICITIES else 0.0
    if word == "deprivation":
        return None if person.imd_decile is None else float(person.imd_decile)
    assert word == "days registered"
    return None if person.registered_on is None else float((index_day - person.registered_on).days)
