"""Findings on the records in words that a data manager can act on: what was found, and what to ask of whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from casefinding.disclosure import FEWEST, rounded
from casefinding.explain.wording import date_words
from casefinding.records.quality.drift import EVERYTHING, NO_SIGNAL
from casefinding.records.quality.findings import Finding, Kind
from casefinding.records.quality.fit import Reason
from casefinding.records.reasons import Refusal

MOST_NAMED = 4
"""So many signals are named in a sentence; of the others only their number is said."""


class Told(NamedTuple):
    """A finding in words: where, what was found, what to do."""

    where: str
    says: str
    ask: str


@dataclass(frozen=True)
class Speaker:
    """Says findings and reasons; `labels`: signal -> label, `names`: practice -> name, `models`: condition -> label."""

    labels: Mapping[str, str]
    names: Mapping[str, str]
    models: Mapping[str, str]
    through: dt.date

    def where(self, practice: str) -> str:
        """A practice by name and code, or all of them."""
        name = self.names.get(practice, practice)
        return "All practices" if not practice else practice if name == practice else f"{name} ({practice})"

    def finding(self, one: Finding) -> Told:
        """One finding in words."""
        says, ask = getattr(self, _HOW[one.kind])(one)
        return Told(one.facts["table"] if one.kind == Kind.REFUSED else self.where(one.practice), says, ask)

    def signals(self, names: Sequence[str]) -> str:
        """Signals by their labels, the first few.

        >>> Speaker({"a": "Weight", "b": "Height"}, {}, {}, dt.date(2024, 1, 1)).signals(["a", "b"])
        'weight and height'
        """
        words = [_lower(self.labels.get(name, name)) for name in names]
        if len(words) > MOST_NAMED + 1:
            return f"{', '.join(words[:MOST_NAMED])} and {len(words) - MOST_NAMED} more signals"
        return _listed(words)

    def _stopped(self, one: Finding) -> tuple[str, str]:
        return (
            f"Sends nothing from {_day(one.facts['first'])} on: {one.facts['working days']} working days up to the "
            "last day of the data.",
            "Ask the practice or its supplier whether the extract still runs; make no list for it until then.",
        )

    def _gap(self, one: Finding) -> tuple[str, str]:
        first, last = _day(one.facts["first"]), _day(one.facts["last"])
        return (
            f"No data on {one.facts['working days']} working days in a row, from {first} to {last}.",
            "Ask for the extract of these days again, or whether the practice was closed.",
        )

    def _refused(self, one: Finding) -> tuple[str, str]:
        facts = one.facts
        number = rounded if facts["people"] else int  # rows of a table of people are people
        few = {reason: rows for reason, rows in facts["reasons"].items() if rows < FEWEST}
        most = sorted(facts["reasons"].items(), key=lambda entry: (-entry[1], entry[0]))
        named = [(reason, rows) for reason, rows in most if reason not in few][:MOST_NAMED]
        why = [f"{reason} ({number(rows):,})" for reason, rows in named]
        why += ["other reasons"] if len(most) > len(named) else []
        says = f"{number(facts['refused']):,} of {number(facts['read']):,} rows were refused: {_listed(why)}."
        return says, "Ask whoever made the extract. " + " ".join(
            dict.fromkeys(_MEND.get(reason, _MEND_ELSE) for reason, _ in named[:2])
        )

    def _rate(self, one: Finding) -> tuple[str, str]:
        facts = one.facts
        names = [name for name in one.signals if name not in (EVERYTHING, NO_SIGNAL)]
        if EVERYTHING in one.signals:
            what = "entries of all kinds"
        elif not names:
            what = "codes that no signal uses"
        else:
            what = self.signals(names)
        size = f"{_rate(facts['before'])} before, {_rate(facts['after'])} since, a month for 1,000 registered people"
        lasted = "up to the end of the data" if facts["to the end"] else f"for {facts['months']} months"
        says = f"From {_month(facts['month'])} on {'more' if facts['rose'] else 'fewer'}: {what} ({size}; {lasted})."
        if EVERYTHING in one.signals or not names:
            return says, "Ask what changed in that month: a new system, a merger, a template, the coding of letters."
        if facts["rose"]:
            return says, "Ask whether a template or a campaign began; older absence of it then says little."
        return says, (
            "Ask whether other codes are used since, and add them to the code lists: see the codes below that no "
            "signal uses. If recording stopped, ask why."
        )

    def _usable(self, one: Finding) -> tuple[str, str]:
        facts = one.facts
        return (
            f"From {_month(facts['month'])} on {_share(facts['after'])} of the values can be used, "
            f"{_share(facts['before'])} before: {self.signals(one.signals)}.",
            "Ask in which unit these values are sent since, and whether the number stands in its column.",
        )

    def _unit(self, one: Finding) -> tuple[str, str]:
        facts = one.facts
        return (
            f"From {_month(facts['month'])} on {self.signals(one.signals)}: {_unit(facts['to'])} instead of "
            f"{_unit(facts['from'])}.",
            "Ask which unit is meant. A unit that is right and not known yet belongs into features/signals.",
        )

    def _no_unit(self, one: Finding) -> tuple[str, str]:
        return (
            f"Sends no units for {self.signals(one.signals)}; other practices do.",
            "Ask the practice or its supplier to send the unit column; until then the usual unit is taken.",
        )

    def _unusable(self, one: Finding) -> tuple[str, str]:
        shares = one.facts["shares"]
        worst = max(share["share"] for share in shares.values())
        strange = any(share["unknown unit"] for share in shares.values())
        why = "their unit is not known" if strange else "they have no number, or one that cannot be right"
        return (
            f"Up to {_share(worst)} of the values cannot be used, because {why}: {self.signals(one.signals)}.",
            "Ask for a few rows of the source, and compare number and unit with what the practice sees on its screen.",
        )

    def _low(self, one: Finding) -> tuple[str, str]:
        return (
            f"Seldom on record: {self.signals(one.signals)}: {_of_expected(one)} as often as among people of that age "
            "and sex elsewhere.",
            "Ask whether these readings are kept outside the record, or missing from the extract.",
        )

    def _low_group(self, one: Finding) -> tuple[str, str]:
        facts = one.facts
        alike = "age" if facts["grouping"] == "sex" else "age and sex"
        return (
            f"Seldom on record among people of {facts['grouping']} “{facts['group']}”: {self.signals(one.signals)}: "
            f"{_of_expected(one)} as often as among others of that {alike}.",
            "A list leaves such people out unless they are measured: see its lane of people never measured. Ask first "
            "whether their entries are missing from the extract.",
        )

    def _late(self, one: Finding) -> tuple[str, str]:
        facts = one.facts
        return (
            f"{_share(facts['over 30'])} of the entries were recorded more than 30 days late (half within "
            f"{facts['median']} days, nine of ten within {facts['ninetieth']} days).",
            "Ask whether letters and results wait to be coded. A list does not see what is not recorded yet.",
        )

    def _one_date(self, one: Finding) -> tuple[str, str]:
        return (
            "Every entry was recorded on the day it happened: late recording cannot be seen.",
            "Ask whether the source can send the day of recording beside the day of the event.",
        )

    def _figure(self, one: Finding) -> tuple[str, str]:
        facts = one.facts
        condition = self.models.get(facts["condition"], facts["condition"])
        return (
            f"{condition}, “{_lower(facts['figure'])}”: {_times(facts)} the published figure, applied to the ages "
            "here.",
            "Ask whether the codes are all sent: the whole history, and the codes of the register. It says nothing of "
            "care.",
        )

    def reason(self, one: Reason) -> str:
        """Why records are not fit, or with care."""
        facts = one.facts
        if one.kind == "stopped":
            return f"nothing has come since {_day(facts['first'])}"
        if one.kind == "short history":
            return f"{facts['months']} months of data, {facts['needed']} are needed"
        if one.kind == "key seldom":
            have = _have(facts)
            return f"{facts['label']}: {have} of the people from {facts['age']}, {facts['needed']:.0%} needed"
        if one.kind == "key lost":
            return f"{facts['label']}: hardly recorded since {_month(facts['month'])}"
        if one.kind in ("register", "figure"):
            return f"“{_lower(facts['figure'])}” is {_times(facts)} the published figure"
        if one.kind == "gap":
            return f"no data from {_day(facts['first'])} to {_day(facts['last'])}"
        if one.kind == "late":
            return f"{_share(facts['over 30'])} of entries recorded more than 30 days late"
        if one.kind == "practices":
            those = facts["practices"]
            named = _listed(those if len(those) <= 8 else [*those[:7], f"{len(those) - 7} more"])
            return f"not fit in {len(those)} of {facts['of']} practices: {named}"
        return _PLAIN[one.kind].format(**facts)


_PLAIN = {
    "nothing": "no data in the window",
    "one date": "the day of recording is not sent: what was recorded later cannot be kept out",
    "few cases": "too few newly recorded diagnoses in three years where the records are fit; {needed} are needed",
}
_MEND_ELSE = "The quarantine names file, row and column: compare a few of these rows with the source."
_MEND: dict[str, str] = {
    Refusal.IMPOSSIBLE_DATE: "Dates must be real days, written as the layout asks.",
    Refusal.FUTURE: "Check the last day of the extract: later days are not taken.",
    Refusal.MISSING: "The quarantine names the column that is empty: have it filled, or mapped.",
    Refusal.UNKNOWN_SYSTEM: "Have the code systems written as the layout names them.",
    Refusal.BAD_CODE: "Make the extract without opening it in a spreadsheet, which rounds long codes.",
    Refusal.UNKNOWN_PRACTICE: "Have the file of practices sent whole, of the same day.",
    Refusal.UNKNOWN_PERSON: "Have the file of people sent whole, of the same day.",
    Refusal.PERSON_REFUSED: "Mend the rows of the people first: these rows hang on them.",
    Refusal.UNREGISTERED: "Have the registrations sent whole, with earlier ones.",
    Refusal.DUPLICATE: "Ask why rows are sent twice; one of each is kept, so nothing is lost.",
    Refusal.TWO_ROWS: "One row for each person is wanted: have the right one sent.",
    Refusal.UNREADABLE: "The file may be cut off, or in another encoding: have it sent again.",
}
_HOW: dict[Kind, str] = {
    Kind.REFUSED: "_refused",
    Kind.STOPPED: "_stopped", Kind.GAP: "_gap", Kind.RATE: "_rate", Kind.USABLE: "_usable", Kind.UNIT: "_unit",
    Kind.NO_UNIT: "_no_unit", Kind.UNUSABLE: "_unusable", Kind.LOW: "_low", Kind.LOW_GROUP: "_low_group",
    Kind.LATE: "_late", Kind.ONE_DATE: "_one_date", Kind.FIGURE: "_figure",
}  # fmt: skip


def _lower(label: str) -> str:
    """A label inside a sentence; an abbreviation stays.

    >>> _lower("Weight at home"), _lower("BMI"), _lower("HbA1c")
    ('weight at home', 'BMI', 'HbA1c')
    """
    word = label.split(" ")[0]
    return label if word[1:] != word[1:].lower() or any(map(str.isdigit, word)) else label[:1].lower() + label[1:]


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _day(text: str) -> str:
    return date_words(dt.date.fromisoformat(text))


def _month(text: str) -> str:
    return dt.date.fromisoformat(text).strftime("%B %Y")


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}" if rate >= 0.05 else "none"


def _share(share: float) -> str:
    """A share of entries or values, in whole per cent."""
    return "hardly any" if share < 0.005 else "nearly all" if 0.995 < share < 1 else f"{share:.0%}"


def _times(facts: Mapping[str, Any]) -> str:
    """A ratio of people to what is expected, in words where they are few enough to be counted by it.

    >>> _times({"ratio": 0.24, "seen": 6}), _times({"ratio": 1.84, "seen": 90})
    ('far below', '1.8 times')
    """
    return "far below" if facts["seen"] < FEWEST else f"{facts['ratio']:.1f} times"


def _of_expected(one: Finding) -> str:
    """How much seldomer, over the signals of a finding; in tenths, so that nobody can be counted."""
    if min(one.facts["seen"].values()) < FEWEST:
        return "far less than half"
    ratios = [round(10 * ratio) for ratio in one.facts["ratios"].values()]
    low, high = min(ratios), max(ratios)
    return f"about {10 * low}%" if low == high else f"{10 * low} to {10 * high}%"


def _unit(unit: str) -> str:
    return f"“{unit}”" if unit else "no unit"


def _have(facts: Mapping[str, Any]) -> str:
    """The share who have a key, from rounded counts; in words where a count is small."""
    have, people = rounded(facts["have"]), rounded(facts["people"])
    if have is None or not people:
        return "hardly anybody"
    return f"{have / people:.0%}"
