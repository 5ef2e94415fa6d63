"""What one feature may say about one person: the sentence for its value, or for its absence, or nothing.

Age, sex, ethnic group and deprivation of the area move a chance, and an honest list says so; but they are no findings.
What clinicians and equality readers can accept, and what is held here whatever a definition asks for:

* They are stated plainly ("Ethnic group: Black", "Recorded sex: male"), never with a claim about such people.
* Sex, ethnic group and deprivation stand only under what supports an invitation. They are never given as something that
  speaks against a person being ill. Age may stand on either side.
* Deprivation is said of the area, not of the person, and without a {value} only of the most deprived fifth.
* Not recorded is not a group: it is listed as missing.
* Age and sex speak once between them.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

from casefinding.definitions.shapes import Definitions, Feature
from casefinding.definitions.words import ZERO_WHEN_NONE
from casefinding.explain.wording import NOT_RECORDED, say, value_words

_GROUPS = {
    "age": "age and sex",
    "sex": "age and sex",
    "ethnicity": "ethnic group",
    "deprivation": "deprivation",
    "days registered": "registration",
}
_PLAIN = {"age": "Aged {value}", "sex": "Recorded sex: {value}", "ethnicity": "Ethnic group: {value}"}
_ABSENT = {"sex": "Sex not recorded", "ethnicity": "Ethnic group not recorded"}
_MOST_DEPRIVED = "Lives in an area among the most deprived fifth in England"
_NEVER_AGAINST = frozenset({"sex", "ethnicity", "deprivation"})


def group_of(feature: Feature) -> str:
    """The group in which a feature speaks: its own, else its signal; those about the person are fixed here."""
    return _GROUPS.get(feature.ask, "") or feature.group or feature.of or feature.name


@dataclass(frozen=True)
class Speaker:
    """One feature and the definitions that say how it is shown."""

    feature: Feature
    definitions: Definitions

    def present(self, value: float) -> bool:
        """Whether the record holds something: a value, and for words that count, more than none."""
        if math.isnan(value):
            return False
        if self.feature.ask in ZERO_WHEN_NONE:
            return value > 0
        return not self.feature.about_person or value_words(self.feature, value, self.definitions) != NOT_RECORDED

    def fact(self, value: float, day: dt.date | None) -> str | None:
        """The sentence for a value that the record holds; None if there is nothing to say."""
        if not self.present(value) or not self._worth_saying(value):
            return None
        template = self.feature.say
        if self.feature.about_person and "{value}" not in template:
            # a fixed sentence ("Female") would be said of everyone
            if self.feature.ask == "deprivation":
                return _MOST_DEPRIVED if value <= 2 else None
            template = _PLAIN.get(self.feature.ask, "")
        return say(template, value_words(self.feature, value, self.definitions), day) if template else None

    def against(self, value: float, day: dt.date | None) -> str | None:
        """The sentence where a feature lowers the chance; for a count of none, that there is none on record."""
        if self.feature.ask in _NEVER_AGAINST or math.isnan(value):
            return None
        if self.feature.ask in ZERO_WHEN_NONE and value == 0:
            return self.feature.if_missing or None
        if self.feature.ask in ZERO_WHEN_NONE and self.feature.higher_means == "more likely":
            return None  # "has had a stroke" is never told as a reason against
        return self.fact(value, day)

    def _worth_saying(self, value: float) -> bool:
        low, high = self.feature.say_at_least, self.feature.say_below
        return (low is None or value >= low) and (high is None or value < high)

    def absence(self, value: float) -> str | None:
        """The sentence where the record holds nothing; None if it does, or if there is nothing to say."""
        if self.present(value):
            return None
        return self.feature.if_missing or _ABSENT.get(self.feature.ask)
